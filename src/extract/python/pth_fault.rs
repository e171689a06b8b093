//! Lines of start-up code that no Python compiles, from 2.7 on: up to 3.14 such a line keeps the rest of its file from
//! being run. Whoever could make this say yes of a line that does compile would hide what follows it, so it speaks only
//! of faults that every version of the grammar has. It knows nothing of strings that may hold code (f-strings and their
//! like), nor of what comes after a byte beyond ASCII: the locale says which letters such bytes are.

/// Whether a line that begins with `import` fails for certain.
#[must_use]
pub fn cannot_compile(line: &[u8]) -> bool {
    line.contains(&0) || !names_something(line) || (!holds_format_string(line) && is_torn(line))
}

/// Whether what follows the first `import` may be a name.
fn names_something(line: &[u8]) -> bool {
    let rest = line.strip_prefix(b"import").unwrap_or(line).trim_ascii_start();
    rest.first().is_some_and(|first| first.is_ascii_alphabetic() || matches!(first, b'_' | b'\\' | 0x80..))
}

fn holds_format_string(line: &[u8]) -> bool {
    let is_short = |two: &[u8]| matches!(two, [b'f' | b'F' | b't' | b'T', b'\'' | b'"']);
    let is_raw = |three: &[u8]| matches!(three, [b'f' | b'F' | b't' | b'T', b'r' | b'R', b'\'' | b'"']);
    line.windows(2).any(is_short) || line.windows(3).any(is_raw)
}

/// Whether a string or a bracket is left open, a bracket closes what is not open, or a character stands outside strings
/// and comments that means nothing there: a control character, `?` or `$`.
fn is_torn(line: &[u8]) -> bool {
    let known = line.split(|byte| !byte.is_ascii()).next().unwrap_or(line);
    let is_whole = known.len() == line.len();
    let mut open = Vec::new();
    let mut rest = known;
    while let [at, tail @ ..] = rest {
        rest = tail;
        match at {
            b'#' => return !open.is_empty(),
            b'\'' | b'"' => match behind_string(*at, tail) {
                Some(behind) => rest = behind,
                None => return is_whole,
            },
            b'(' => open.push(b')'),
            b'[' => open.push(b']'),
            b'{' => open.push(b'}'),
            b')' | b']' | b'}' if open.pop() != Some(*at) => return true,
            b'?' | b'$' | 0x01..=0x08 | 0x0b | 0x0e..=0x1f | 0x7f => return true,
            _ => {}
        }
    }
    is_whole && !open.is_empty()
}

/// What follows a string whose first quote is taken; none if it does not end.
fn behind_string(quote: u8, rest: &[u8]) -> Option<&[u8]> {
    let triple = [quote; 3];
    let is_triple = rest.starts_with(&[quote; 2]);
    let (mut rest, end) = if is_triple { (rest.get(2..)?, &triple[..]) } else { (rest, &triple[..1]) };
    loop {
        if let Some(behind) = rest.strip_prefix(end) {
            return Some(behind);
        }
        // A backslash keeps even a raw string from ending.
        rest = rest.get(if rest.first()? == &b'\\' { 2 } else { 1 }..)?;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_no_python_compiles_is_told() {
        let lines = [
            "import",
            "import (os)",
            "import 1",
            "import x; y = 'a",
            "import x; y = 'a\\'",
            "import x; y = r'\\'",
            "import x; y(",
            "import x; y = '''a'",
            "import x; y = [)",
            "import x\x0bimport y # \u{e9}",
            "import x; y[ # \u{e9}",
            "import x # \0",
        ];
        for line in lines {
            assert!(cannot_compile(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn what_some_python_may_compile_is_let_be() {
        let lines = [
            "import x",
            "import _x; exec 'a'; print `1`",
            "import x; y = '(' + \"'\" + r'\\\\' + '' + \"\"; z = {1: [(2)]} # ( '",
            "import x; y = '''a'b\\'''c''''''d'''",
            "import x; y = 'a\x0b\u{2028}b'",
            "import \u{e9}; y = f'{'\x1c'}'; z = rb'' + Rf'{'('}'",
            "import x\x0c; y()",
            "import x\u{2028}; y = \u{e9}[",
        ];
        for line in lines {
            assert!(!cannot_compile(line.as_bytes()), "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(line in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = cannot_compile(&line);
        }
    }
}
