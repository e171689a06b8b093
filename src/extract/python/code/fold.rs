//! What operators, methods and built-in functions make of known values: as much of Python's own folding as is used to
//! hide a name ("Built-in Functions" and "Text Sequence Type" of the library reference).

use ruff_python_ast::Operator;

use super::value::{HOLE, LONGEST, MOST_ELEMENTS, Making, Value};

/// `left op right`.
pub(super) fn binary<'a>(op: Operator, left: &Value<'a>, right: &Value<'a>) -> Value<'a> {
    match (op, left, right) {
        (_, Value::Int(a), Value::Int(b)) => arithmetic(op, *a, *b),
        (Operator::Add, Value::Bytes(a, x), Value::Bytes(b, y)) => {
            Value::bytes([a.as_ref(), b].concat(), (*x).max(*y).max(Making::Joined))
        }
        (Operator::Add, Value::List(a), Value::List(b)) if a.len() + b.len() <= MOST_ELEMENTS => {
            Value::List(a.iter().chain(b.iter()).cloned().collect())
        }
        (Operator::Add, Value::Text(..), _) | (Operator::Add, _, Value::Text(..)) => {
            let ((a, x), (b, y)) = (left.as_part(), right.as_part());
            Value::text(a + &b, x.max(y).max(Making::Joined))
        }
        // `Path.home() / ".ssh"`.
        (Operator::Div, _, Value::Text(text, making)) => {
            let (head, _) = left.as_part();
            Value::text(format!("{head}/{text}"), (*making).max(Making::Joined))
        }
        (Operator::Mult, Value::Text(text, making), Value::Int(count))
        | (Operator::Mult, Value::Int(count), Value::Text(text, making)) => {
            match usize::try_from(*count).ok().filter(|count| count.saturating_mul(text.len()) <= LONGEST) {
                Some(count) => Value::text(text.repeat(count), (*making).max(Making::Joined)),
                None => Value::Unknown,
            }
        }
        (Operator::Mod, Value::Text(text, making), _) => percent(text, *making, right),
        _ => Value::Unknown,
    }
}

fn arithmetic<'a>(op: Operator, a: i64, b: i64) -> Value<'a> {
    let shift = u32::try_from(b).ok().filter(|by| *by < 63);
    let number = match op {
        Operator::Add => a.checked_add(b),
        Operator::Sub => a.checked_sub(b),
        Operator::Mult => a.checked_mul(b),
        Operator::FloorDiv => a.checked_rem(b).and_then(|rest| {
            let is_below = rest != 0 && (rest < 0) != (b < 0);
            a.checked_div(b).map(|whole| if is_below { whole - 1 } else { whole })
        }),
        Operator::Mod => a.checked_rem(b).map(|rest| if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }),
        Operator::BitXor => Some(a ^ b),
        Operator::BitAnd => Some(a & b),
        Operator::BitOr => Some(a | b),
        Operator::LShift => shift.and_then(|by| a.checked_mul(1 << by)),
        Operator::RShift => shift.map(|by| a >> by),
        Operator::Pow => shift.and_then(|by| a.checked_pow(by)),
        Operator::Div | Operator::MatMult => None,
    };
    number.map_or(Value::Unknown, Value::Int)
}

/// `"%s%c" % (…)`: every directive takes the next value.
fn percent<'a>(text: &str, making: Making, values: &Value<'a>) -> Value<'a> {
    let mut values = match values {
        Value::List(all) => all.to_vec(),
        one => vec![one.clone()],
    }
    .into_iter();
    let (mut out, mut hidden) = (String::new(), making.max(Making::Joined));
    let mut rest = text.chars();
    while let Some(at) = rest.next() {
        if at != '%' {
            out.push(at);
            continue;
        }
        // Flags and widths shape the text; what is put in is what counts.
        let directive = rest.find(|at| at.is_ascii_alphabetic() || *at == '%');
        match (directive, values.next()) {
            (Some('%'), value) => {
                out.push('%');
                values = value.into_iter().chain(values).collect::<Vec<_>>().into_iter();
            }
            (Some('c'), Some(Value::Int(code))) => {
                out.push(letter(code));
                hidden = Making::Hidden;
            }
            (_, value) => out.push_str(&value.map_or_else(|| HOLE.to_string(), |value| value.as_part().0)),
        }
        if out.len() > LONGEST {
            return Value::Unknown;
        }
    }
    Value::text(out, hidden)
}

fn letter(code: i64) -> char {
    u32::try_from(code).ok().and_then(char::from_u32).unwrap_or(HOLE)
}

/// `value[lower:upper:step]`; bounds that are not known make nothing known.
pub(super) fn slice<'a>(value: &Value<'a>, bounds: [Option<&Value<'a>>; 3]) -> Value<'a> {
    let Some(all) = value.elements() else { return Value::Unknown };
    let mut numbers = [None; 3];
    for (number, bound) in numbers.iter_mut().zip(bounds) {
        match bound {
            Some(Value::Int(known)) => *number = Some(*known),
            Some(_) => return Value::Unknown,
            None => {}
        }
    }
    let [lower, upper, step] = numbers;
    let step = step.unwrap_or(1);
    let length = all.len() as i64;
    let place = |bound: i64| if bound < 0 { bound.saturating_add(length) } else { bound };
    let picked: Vec<Value<'a>> = if step > 0 {
        let (from, to) = (lower.map_or(0, place).clamp(0, length), upper.map_or(length, place).clamp(0, length));
        (from..to).step_by(step as usize).filter_map(|at| all.get(at as usize).cloned()).collect()
    } else if step < 0 {
        let from = lower.map_or(length - 1, place).clamp(-1, length - 1);
        let to = upper.map_or(-1, place).clamp(-1, length - 1);
        let back = step.unsigned_abs() as usize;
        (to + 1..=from).rev().step_by(back).filter_map(|at| all.get(at as usize).cloned()).collect()
    } else {
        return Value::Unknown;
    };
    let hidden = if step == 1 { Making::Joined } else { Making::Hidden };
    regather(value, picked, hidden)
}

/// The kind of `like`, made of other elements.
fn regather<'a>(like: &Value<'a>, elements: Vec<Value<'a>>, making: Making) -> Value<'a> {
    match like {
        Value::Text(_, old) => Value::text(joined(&elements, "").0, making.max(*old)),
        Value::Bytes(_, old) => Value::bytes(numbers(&elements).unwrap_or_default(), making.max(*old)),
        _ => Value::List(elements.into()),
    }
}

/// `value[index]`.
pub(super) fn index<'a>(value: &Value<'a>, index: i64) -> Value<'a> {
    let Some(all) = value.elements() else { return Value::Unknown };
    let at = if index < 0 { index.saturating_add(all.len() as i64) } else { index };
    let picked = usize::try_from(at).ok().and_then(|at| all.get(at).cloned());
    // A letter picked out of a text is the oldest way to hide a word.
    picked.map_or(Value::Unknown, |one| one.remade(Making::Hidden))
}

fn joined(elements: &[Value<'_>], between: &str) -> (String, Making) {
    let parts: Vec<(String, Making)> = elements.iter().map(Value::as_part).collect();
    let making = parts.iter().map(|part| part.1).max().unwrap_or(Making::Joined);
    let texts: Vec<String> = parts.into_iter().map(|part| part.0).collect();
    // Words that are joined are ordinary; single letters are not.
    let is_spelled = texts.len() > 2 && texts.iter().all(|text| text.chars().count() <= 2);
    let making = making.max(if is_spelled { Making::Hidden } else { Making::Joined });
    let length = texts.iter().map(String::len).sum::<usize>() + between.len().saturating_mul(texts.len());
    // What is longer than what is followed is not even put together.
    if length > LONGEST { (HOLE.to_string(), making) } else { (texts.join(between), making) }
}

/// `text.replace(from, to)`, unless the result is longer than what is followed.
fn replaced(text: &str, from: &str, to: &str) -> Option<String> {
    let count = if from.is_empty() { text.len() + 1 } else { text.matches(from).count() };
    (text.len() + count.saturating_mul(to.len()) <= LONGEST).then(|| text.replace(from, to))
}

fn numbers(elements: &[Value<'_>]) -> Option<Vec<u8>> {
    let byte = |one: &Value<'_>| match one {
        Value::Int(number) => u8::try_from(*number).ok(),
        _ => None,
    };
    elements.iter().map(byte).collect()
}

/// `receiver.name(args)` on a text, bytes or list; none where the method is not one of those.
pub(super) fn method<'a>(receiver: &Value<'a>, name: &str, args: &[Value<'a>]) -> Option<Value<'a>> {
    match receiver {
        Value::Text(text, making) => text_method(text, *making, name, args),
        Value::Bytes(bytes, making) => bytes_method(bytes, *making, name, args),
        _ => None,
    }
}

fn text_method<'a>(text: &str, making: Making, name: &str, args: &[Value<'a>]) -> Option<Value<'a>> {
    let same = |text: String| Some(Value::text(text, making.max(Making::Joined)));
    let arg = |at: usize| args.get(at).and_then(Value::known_text).map(|known| known.0);
    match name {
        "join" => {
            let (text, inner) = joined(&args.first()?.elements()?, text);
            Some(Value::text(text, making.max(inner)))
        }
        "replace" => {
            Some(replaced(text, arg(0)?, arg(1)?).map_or(Value::Unknown, |text| Value::text(text, Making::Hidden)))
        }
        "format" => Some(format(text, making, args)),
        "lower" | "casefold" => same(text.to_lowercase()),
        "upper" => same(text.to_uppercase()),
        "swapcase" => Some(Value::text(swap_case(text), Making::Hidden)),
        "strip" if args.is_empty() => same(text.trim().to_owned()),
        "lstrip" if args.is_empty() => same(text.trim_start().to_owned()),
        "rstrip" if args.is_empty() => same(text.trim_end().to_owned()),
        "removeprefix" => same(text.strip_prefix(arg(0)?).unwrap_or(text).to_owned()),
        "removesuffix" => same(text.strip_suffix(arg(0)?).unwrap_or(text).to_owned()),
        "encode" => Some(Value::bytes(text.as_bytes().to_vec(), making)),
        "split" => {
            let all: Vec<&str> = match args.first() {
                None => text.split_whitespace().collect(),
                Some(_) => text.split(arg(0).filter(|by| !by.is_empty())?).collect(),
            };
            Some(Value::List(all.into_iter().map(|one| Value::text(one, Making::Joined)).collect()))
        }
        "translate" => Some(Value::text(translated(text, args.first()?)?, Making::Hidden)),
        _ => None,
    }
}

fn swap_case(text: &str) -> String {
    let swapped = |at: char| if at.is_uppercase() { at.to_ascii_lowercase() } else { at.to_ascii_uppercase() };
    text.chars().map(swapped).collect()
}

/// Longest table of a translation: an alphabet or two.
const MOST_PAIRS: usize = 512;

/// A table of pairs, as `str.maketrans` gives it.
fn translated(text: &str, table: &Value<'_>) -> Option<String> {
    let pairs = table.elements().filter(|pairs| pairs.len() <= MOST_PAIRS)?;
    let code = |value: &Value<'_>| match value {
        Value::Int(code) => Some(letter(*code)),
        Value::Text(text, _) => text.chars().next(),
        _ => None,
    };
    let pair = |one: &Value<'_>| {
        let both = one.elements()?;
        Some((code(both.first()?)?, code(both.get(1)?)?))
    };
    let pairs: Vec<(char, char)> = pairs.iter().filter_map(pair).collect();
    Some(text.chars().map(|at| pairs.iter().find(|(from, _)| *from == at).map_or(at, |(_, to)| *to)).collect())
}

/// `"{}{}".format(…)`: fields in order or by number.
fn format<'a>(text: &str, making: Making, args: &[Value<'a>]) -> Value<'a> {
    let mut out = String::new();
    let (mut rest, mut next, mut most) = (text, 0_usize, making.max(Making::Joined));
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        if let Some(tail) = after.strip_prefix('{') {
            out.push('{');
            rest = tail;
            continue;
        }
        let (field, tail) = after.split_once('}').unwrap_or((after, ""));
        let at = field.split([':', '!', '.', '[']).next().and_then(|number| number.parse().ok()).unwrap_or(next);
        next = at.saturating_add(1);
        let (part, making) = args.get(at).map_or_else(|| (HOLE.to_string(), making), Value::as_part);
        out.push_str(&part);
        most = most.max(making);
        rest = tail;
        if out.len() > LONGEST {
            return Value::Unknown;
        }
    }
    out.push_str(rest);
    Value::text(out.replace("}}", "}"), most)
}

fn bytes_method<'a>(bytes: &[u8], making: Making, name: &str, args: &[Value<'a>]) -> Option<Value<'a>> {
    match name {
        "decode" if args.is_empty() || names_charset(args.first()?) => {
            Some(Value::text(String::from_utf8_lossy(bytes).into_owned(), making))
        }
        "join" => {
            let parts: Vec<Value<'a>> = args.first()?.elements()?;
            let part = |one: &Value<'a>| match one {
                Value::Bytes(bytes, _) => Some(bytes.to_vec()),
                _ => None,
            };
            let parts: Option<Vec<Vec<u8>>> = parts.iter().map(part).collect();
            let parts = parts?;
            let length = parts.iter().map(Vec::len).sum::<usize>() + bytes.len().saturating_mul(parts.len());
            let is_short = length <= LONGEST;
            Some(if is_short { Value::bytes(parts.join(bytes), making.max(Making::Joined)) } else { Value::Unknown })
        }
        "strip" => Some(Value::bytes(bytes.trim_ascii().to_vec(), making)),
        "hex" => Some(Value::text(crate::model::id::hex(bytes), Making::Hidden)),
        "replace" => {
            let known = |at: usize| match args.get(at) {
                Some(Value::Bytes(bytes, _)) => Some(String::from_utf8_lossy(bytes).into_owned()),
                _ => None,
            };
            let text = replaced(&String::from_utf8_lossy(bytes), &known(0)?, &known(1)?);
            Some(text.map_or(Value::Unknown, |text| Value::bytes(text.into_bytes(), Making::Hidden)))
        }
        _ => None,
    }
}

/// Whether an encoding is one of text, not one of Python's transformations (`rot13`, `hex`, `base64`).
pub(super) fn names_charset(encoding: &Value<'_>) -> bool {
    let Some((name, _)) = encoding.known_text() else { return false };
    let name = name.to_lowercase().replace(['_', '-'], "");
    ["utf8", "ascii", "usascii", "latin", "iso8859", "cp", "mbcs", "u8", "windows", "l1"]
        .iter()
        .any(|start| name.starts_with(start))
}

/// A built-in function of known arguments, such as `chr(101)`.
pub(super) fn builtin<'a>(name: &str, args: &[Value<'a>]) -> Option<Value<'a>> {
    let first = args.first();
    match name {
        "chr" | "unichr" => match first? {
            Value::Int(code) => Some(Value::text(letter(*code), Making::Hidden)),
            _ => None,
        },
        "ord" => match first? {
            Value::Text(text, _) => text.chars().next().map(|at| Value::Int(i64::from(u32::from(at)))),
            Value::Bytes(bytes, _) => bytes.first().map(|byte| Value::Int(i64::from(*byte))),
            _ => None,
        },
        "int" => integer(args),
        "str" => match (first?, args.get(1)) {
            (Value::Bytes(bytes, making), Some(_)) => Some(Value::text(String::from_utf8_lossy(bytes), *making)),
            (text @ Value::Text(..), _) => Some(text.clone()),
            (Value::Int(number), _) => Some(Value::text(number.to_string(), Making::Joined)),
            _ => None,
        },
        "bytes" | "bytearray" => match first? {
            Value::List(all) => Some(Value::bytes(numbers(all)?, Making::Hidden)),
            Value::Text(text, making) => Some(Value::bytes(text.as_bytes().to_vec(), *making)),
            same @ Value::Bytes(..) => Some(same.clone()),
            _ => None,
        },
        "list" | "tuple" | "sorted" | "set" | "iter" => Some(Value::List(first?.elements()?.into())),
        "reversed" => {
            let mut all: Vec<Value<'a>> = first?.elements()?;
            all.reverse();
            Some(Value::List(all.into_iter().map(|one| one.remade(Making::Hidden)).collect()))
        }
        "range" => range(args),
        "zip" => {
            let lists: Vec<Vec<Value<'a>>> = args.iter().map(Value::elements).collect::<Option<_>>()?;
            let length = lists.iter().map(Vec::len).min()?;
            let row = |at: usize| Value::List(lists.iter().filter_map(|list| list.get(at).cloned()).collect());
            Some(Value::List((0..length).map(row).collect()))
        }
        "enumerate" => {
            let all = first?.elements()?.into_iter();
            Some(Value::List((0..).zip(all).map(|(at, one)| Value::List([Value::Int(at), one].into())).collect()))
        }
        "len" => Some(Value::Int(first?.elements()?.len() as i64)),
        _ => None,
    }
}

/// `int("73", 16)`.
fn integer<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    let base = if let Some(Value::Int(base)) = args.get(1) { u32::try_from(*base).ok()? } else { 10 };
    let (text, _) = args.first()?.known_text()?;
    let digits = text.trim().trim_start_matches("0x");
    (2..=36).contains(&base).then(|| i64::from_str_radix(digits, base).ok()).flatten().map(Value::Int)
}

fn range<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    let number = |at: usize| match args.get(at) {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    };
    let (from, to) = if args.len() > 1 { (number(0)?, number(1)?) } else { (0, number(0)?) };
    let step = if args.len() > 2 { number(2)? } else { 1 };
    let count = to.checked_sub(from)?.checked_div(step)?;
    (0..=4096).contains(&count).then(|| {
        let all = (0..=count).map(|at| from + at * step).filter(|at| if step > 0 { *at < to } else { *at > to });
        Value::List(all.map(Value::Int).collect())
    })
}
