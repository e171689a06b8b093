//! A bound on the nesting and the size of TOML, to stand in front of the library's parser: what that builds is dropped value
//! in value, and one crafted line would overflow the stack, which nothing catches. A key with dots nests as brackets do.
//!
//! Reads only what decides that: strings and comments are passed over, and of text that is no TOML any answer will do.

use memchr::{memchr, memchr3};

/// Deepest nesting of one statement: brackets, and the dots of keys.
pub const DEEPEST: usize = 100;

/// Most of what is built, in units of a hundred bytes or so: a table takes a dozen of them, whatever little is in it, and a
/// file of nothing but `{a=1}` would fill the memory. Fifty thousand packages with their hashes take less than this, and
/// nothing that is let through takes much more than a gigabyte.
pub const MOST: usize = 8_000_000;

/// What is too much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Excess {
    /// The nesting.
    Depth,
    /// The number of values.
    Values,
}

/// A bracket that is open, and the dots of the key that is being read in it.
struct Open {
    /// What closes it.
    end: u8,
    dots: usize,
}

/// Where a text nests too deep, or holds too much. A bracket that the wrong one closes stays open: what is counted is never
/// less than what a parser may make of it.
#[must_use]
pub fn too_much(text: &[u8]) -> Option<(usize, Excess)> {
    // The first stands for what is outside of all brackets.
    let mut open = vec![Open { end: 0, dots: 0 }];
    let (mut dots, mut built, mut at) = (0, 0, 0);
    while let Some(byte) = text.get(at) {
        built += weight(*byte);
        match byte {
            b'#' => at = memchr(b'\n', rest(text, at)).map_or(text.len(), |end| at + end - 1),
            b'"' | b'\'' => at = end_of_string(text, at) - 1,
            b'[' => open.push(Open { end: b']', dots: 0 }),
            b'{' => open.push(Open { end: b'}', dots: 0 }),
            b']' | b'}' if open.last().is_some_and(|last| last.end == *byte) => {
                dots -= open.pop().map_or(0, |last| last.dots);
            }
            b'.' => {
                dots += 1;
                open.last_mut().into_iter().for_each(|last| last.dots += 1);
            }
            b',' => dots -= forget(&mut open),
            b'\n' if open.len() == 1 => dots -= forget(&mut open),
            _ => {}
        }
        if open.len() - 1 + dots > DEEPEST {
            return Some((at, Excess::Depth));
        }
        if built > MOST {
            return Some((at, Excess::Values));
        }
        at += 1;
    }
    None
}

/// Ends the key that is being read; tells how many dots it had.
fn forget(open: &mut [Open]) -> usize {
    open.last_mut().map_or(0, |last| std::mem::take(&mut last.dots))
}

/// What a sign outside of strings leads to, in units of `MOST`.
fn weight(sign: u8) -> usize {
    match sign {
        b'{' | b'.' => 12,
        b'[' => 8,
        b'=' => 3,
        b',' => 2,
        b'\n' => 1,
        _ => 0,
    }
}

/// The place behind a string that begins at `at`; it is always behind `at`.
fn end_of_string(text: &[u8], at: usize) -> usize {
    let quote = text.get(at).copied().unwrap_or_default();
    let is_long = rest(text, at).starts_with(&[quote; 3]);
    let mut from = at + if is_long { 3 } else { 1 };
    while let Some(found) = memchr3(quote, b'\\', b'\n', rest(text, from)) {
        let here = from + found;
        match text.get(here) {
            // Literal strings know no escapes.
            Some(b'\\') => from = here + if quote == b'"' { 2 } else { 1 },
            Some(b'\n') if is_long => from = here + 1,
            // The end of a line is no part of a string that was never closed.
            Some(b'\n') => return here,
            _ if !is_long => return here + 1,
            _ => {
                // Up to two quotes in front of the last three belong to the string.
                let run = rest(text, here).iter().take(5).take_while(|byte| **byte == quote).count();
                if run >= 3 {
                    return here + run;
                }
                from = here + run;
            }
        }
    }
    text.len()
}

fn rest(text: &[u8], from: usize) -> &[u8] {
    text.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_deep(text: &str) -> bool {
        too_much(text.as_bytes()).is_some_and(|(_, excess)| excess == Excess::Depth)
    }

    #[test]
    fn nesting_is_bounded() {
        for one in
            ["[", "{a=", "[{a=", "a.", "'a' . ", "[a.", "{a.b.", "{ ] ", "[ } ", "{a.a.a = ] \n", "[\n", "[.,", "{ ], "]
        {
            for start in ["", "x = ", "[a]\nx = "] {
                assert!(is_deep(&format!("{start}{}", one.repeat(100_000))), "{one}");
            }
        }
        let dotted = format!("x = {}1{}", "{a.a.a.a.a.a.a.a.a.a = ".repeat(60), "}".repeat(60));
        assert!(is_deep(&dotted), "each bracket is fine, and each key; together they are not");
        assert!(!is_deep(&format!("x = {}{}", "[".repeat(70), "]".repeat(70))));
    }

    #[test]
    fn brackets_and_dots_in_strings_and_comments_do_not_nest() {
        let many = "[.".repeat(101);
        for text in [
            format!("# {many}\na = 1"),
            format!("a = \"{many}\""),
            format!("a = '{many}'"),
            format!("a = \"\\\"{many}\""),
            format!("a = '\\'\nb = '{many}'"),
            format!("a = \"\"\"\n\"\" \\\"\"\" {many}\"\"\"\""),
            format!("a = '''\n'' \\{many}'''"),
            format!("a = [{}]", "1.5, ".repeat(200)),
            "a.b = 1.5\n".repeat(200),
            "a.b.c.d.c = 1\n[d.e]\n".repeat(60),
        ] {
            assert!(!is_deep(&text), "{text}");
            assert!(is_deep(&format!("{text}\nb = {many}")), "{text}");
        }
        assert!(is_deep(&format!("a = \"\"\"x\"\"\"\"\nb = {many}")), "four quotes end a string as well");
        assert!(is_deep(&format!("a = 'x\\'{many}")) && is_deep(&format!("a = \"x\nb = {many}")));
    }

    #[test]
    fn values_are_counted() {
        for (one, times) in
            [("a=1\n", 2_100_000), ("[],", 900_000), ("{},", 600_000), ("a.a=1\n", 600_000), ("1,", 4_100_000)]
        {
            let found = too_much(one.repeat(times).as_bytes());
            assert_eq!(found.map(|(_, excess)| excess), Some(Excess::Values), "{one}");
        }
        assert_eq!(too_much(format!("x = '{}'", "{".repeat(MOST)).as_bytes()), None);
    }

    /// Escapes and quotes to the end of a large text, each of which could be looked at again.
    #[test]
    fn time_grows_with_the_text_only() {
        for one in ["\\\\", "\"", "\"\"", "'", "\\\"", "#", "\n"] {
            for before in ["", "\"", "\"\"\"", "'''"] {
                assert_eq!(too_much(format!("{before}{}", one.repeat(500_000)).as_bytes()), None);
            }
        }
    }
}
