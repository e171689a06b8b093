//! Where in a line of start-up code something stands out, for whoever shows that line: its text, and the words there.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{pth_line, pth_text};
use crate::model::code::Spot;
use crate::model::startup::{Feature, HookKind, StartupHook};

/// The texts of a file's lines by number, in which the spots of its code count; without those of which a number stands
/// for several.
#[must_use]
pub fn texts(hook: &StartupHook, bytes: &[u8]) -> BTreeMap<u32, String> {
    let shown = |number: u32| hook.lines.iter().any(|line| line.number == number);
    let mut out: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    match hook.kind {
        HookKind::Pth => {
            for line in pth_text::lines(bytes).into_iter().filter(|line| shown(line.number)) {
                out.entry(line.number).or_default().push(String::from_utf8_lossy(line.text).into_owned());
            }
        }
        HookKind::Sitecustomize | HookKind::Usercustomize => {
            let text = String::from_utf8_lossy(bytes);
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            let lines = (1..).zip(text.lines()).filter(|(number, _)| shown(*number));
            out.extend(lines.map(|(number, line)| (number, vec![line.to_owned()])));
        }
        _ => {}
    }
    out.into_iter().filter(|(_, texts)| texts.len() == 1).map(|(number, texts)| (number, texts.concat())).collect()
}

/// The bytes of `line` in which a feature stands out: of several places where it is used rather than imported. None
/// where that is not known.
#[must_use]
pub fn of(line: &str, number: u32, feature: Feature, spots: &[Spot]) -> Option<Range<usize>> {
    let own = spots.iter().filter(|spot| (spot.line, spot.feature) == (number, feature));
    let best = own.min_by_key(|spot| (is_import(line, spot.column as usize), spot.inside.is_some(), spot.column));
    match best {
        Some(spot) => extent(line, spot.column as usize),
        None => pth_line::looks(line, feature),
    }
}

/// Whether the statement around a place imports.
fn is_import(line: &str, column: usize) -> bool {
    let before = line.get(..column).unwrap_or_default();
    let statement = before.rsplit(';').next().unwrap_or_default().trim_start();
    statement.starts_with("import ") || statement.starts_with("from ")
}

/// What begins at a place: a literal text, or a name with all that is asked of it, calls in between included, up to the
/// last bracket: `__import__('os').system` of `__import__('os').system('x')`.
fn extent(line: &str, column: usize) -> Option<Range<usize>> {
    let rest = line.get(column..)?;
    let first = rest.chars().next()?;
    let name = word(rest);
    let quoted = rest.get(name..).filter(|quoted| name <= 2 && quoted.starts_with(['\'', '"']));
    if let Some(quoted) = quoted {
        return Some(column..column + name + closed(quoted));
    }
    let mut end = name;
    while let Some(rest) = rest.get(end..) {
        let inner = if rest.starts_with(['(', '[']) { bracketed(rest) } else { 0 };
        let Some(next) = rest.get(inner..).and_then(|rest| rest.strip_prefix('.')) else { break };
        let next = word(next);
        if next == 0 {
            break;
        }
        end += inner + 1 + next;
    }
    Some(column..column + end.max(first.len_utf8()))
}

/// How many bytes of a name stand here.
fn word(text: &str) -> usize {
    text.find(|at: char| !at.is_alphanumeric() && at != '_').unwrap_or(text.len())
}

/// The length of a literal text that begins here.
fn closed(text: &str) -> usize {
    let quote = text.chars().next();
    let mut is_escaped = false;
    for (at, one) in text.char_indices().skip(1) {
        if !is_escaped && Some(one) == quote {
            return at + 1;
        }
        is_escaped = !is_escaped && one == '\\';
    }
    text.len()
}

/// The length of what a bracket encloses that opens here, itself included; 0 where it is not closed.
fn bracketed(text: &str) -> usize {
    let (mut depth, mut at) = (0_u32, 0);
    while let Some(one) = text.get(at..).and_then(|rest| rest.chars().next()) {
        match one {
            '\'' | '"' => {
                at += text.get(at..).map_or(0, closed);
                continue;
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        at += one.len_utf8();
        if depth == 0 {
            return at;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::python::code;

    fn words(line: &str, feature: Feature) -> Option<String> {
        let spots = code::of_lines(&[line]).spots;
        of(line, 1, feature, &spots).map(|place| line[place].to_owned())
    }

    #[test]
    fn the_words_are_found_that_stand_out() {
        let process = |line: &str| words(line, Feature::Process).unwrap();
        assert_eq!(process("import os; x = 'ü漢'; os.system('x')"), "os.system");
        assert_eq!(process("import subprocess, sys; subprocess.Popen([sys.executable])"), "subprocess.Popen");
        assert_eq!(process("import x; __import__('subprocess').Popen([])"), "__import__('subprocess').Popen");
        assert_eq!(process("import subprocess"), "subprocess");
        // What a text of code does stands where that is run.
        assert_eq!(process("import x; exec('import os; os.system(1)')"), "exec");
        assert_eq!(words("import x; x.f('http://a;b')", Feature::Address).unwrap(), "'http://a;b'");
        assert_eq!(words("import x\u{202e}; y()", Feature::HiddenCharacters).unwrap(), "\u{202e}");
        assert_eq!(words("import x", Feature::Process), None);
    }

    proptest! {
        #[test]
        fn any_place_has_its_extent(line in "[a-zü漢.()\\[\\]'\"\\\\; ]{0,60}", column in 0_usize..80) {
            if let Some(place) = extent(&line, column) {
                prop_assert!(line.get(place).is_some_and(|words| !words.is_empty()));
            }
        }
    }
}
