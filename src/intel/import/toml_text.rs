//! TOML of feeds: a bound on its nesting in front of the library's parser, whose values are dropped one in another, and the
//! places of what is wrong.

use ::toml::de::DeTable;

use super::fault;
use super::text::{place, shown};
use crate::model::fault::Fault;

/// Largest document, in bytes. Profiles have some thousand.
const LARGEST: usize = 4 << 20;

/// Deepest nesting: brackets that are open, and the dots since the last line outside of them. Profiles need four.
const DEEPEST: usize = 100;

/// Where the lines of a document begin.
pub(super) struct LineStarts(Vec<usize>);

impl LineStarts {
    /// Of this text.
    pub(super) fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|end| end + 1)).collect())
    }

    /// The line of a place, counted from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.0.partition_point(|start| *start <= at)
    }
}

/// Parses a document.
pub(super) fn parse<'a>(origin: &str, text: &'a str) -> Result<DeTable<'a>, Fault> {
    if text.len() > LARGEST {
        return Err(fault(origin, None, "it is larger than 4 MiB, as no threat profile is"));
    }
    if let Some(at) = too_deep(text.as_bytes()) {
        return Err(fault(origin, Some(place(text, at)), format!("it nests deeper than {DEEPEST}, as no feed does")));
    }
    let parsed = DeTable::parse(text).map_err(|why| {
        let at = why.span().map_or(text.len(), |span| span.start);
        fault(origin, Some(place(text, at)), format!("it is no TOML: {}; is it whole?", shown(why.message())))
    });
    parsed.map(::toml::Spanned::into_inner)
}

/// Where a text nests too deep. A bracket that the wrong one closes stays open: what is counted is never less than what a
/// parser may make of it.
fn too_deep(text: &[u8]) -> Option<usize> {
    let (mut open, mut dots, mut at) = (Vec::new(), 0, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'#' => at = line_end(text, at).saturating_sub(1),
            b'"' | b'\'' => at = string_end(text, at).saturating_sub(1),
            b'[' => open.push(b']'),
            b'{' => open.push(b'}'),
            b']' | b'}' if open.last() == Some(byte) => {
                open.pop();
            }
            b'.' => dots += 1,
            b'\n' if open.is_empty() => dots = 0,
            _ => {}
        }
        if open.len() + dots > DEEPEST {
            return Some(at);
        }
        at += 1;
    }
    None
}

fn line_end(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    memchr::memchr(b'\n', rest).map_or(text.len(), |end| at + end)
}

/// Behind the string that begins at `at`; at the end of the line for one that is not closed on it.
fn string_end(text: &[u8], at: usize) -> usize {
    let quote = text.get(at).copied().unwrap_or_default();
    let is_long = text.get(at..).is_some_and(|rest| rest.starts_with(&[quote; 3]));
    let mut end = at + if is_long { 3 } else { 1 };
    while let Some(byte) = text.get(end) {
        match byte {
            b'\\' if quote == b'"' => end += 1,
            b'\n' if !is_long => return end,
            byte if *byte == quote && !is_long => return end + 1,
            byte if *byte == quote => {
                // Up to two quotes in front of the last three belong to the string.
                let run = text.iter().skip(end).take(5).take_while(|byte| **byte == quote).count();
                if run >= 3 {
                    return end + run;
                }
            }
            _ => {}
        }
        end += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> String {
        parse("f", text).err().map(|fault| fault.why).unwrap_or_default()
    }

    #[test]
    fn nesting_is_bounded_in_front_of_the_parser() {
        for one in ["[", "{a=", "[{a=", "a.", "'a' . ", "[a.", "{a.b.", "{ ] ", "[ } ", "{a.a.a = ] \n", "[\n"] {
            for start in ["", "x = ", "[a]\nx = "] {
                assert!(why(&format!("{start}{}", one.repeat(100_000))).contains("nests deeper than 100"), "{one}");
            }
        }
        assert_eq!(why(&format!("x = {}{}", "[".repeat(70), "]".repeat(70))), "");
    }

    #[test]
    fn brackets_and_dots_in_strings_and_comments_do_not_nest() {
        let many = "[.".repeat(101);
        for text in [
            format!("# {many}\na = 1"),
            format!("a = \"\\\"{many}\""),
            format!("a = '\\'\nb = '{many}'"),
            format!("a = \"\"\"\n\"\" \\\"\"\" {many}\"\"\"\"\""),
            format!("a = '''\n'' \\{many}'''"),
            "a.b.c = 1\n[d.e]\n".repeat(60).replace("a.b", "a.b.c.d"),
        ] {
            assert!(!why(&text).contains("nests"), "{text}");
            assert!(why(&format!("{text}\nb = {many}")).contains("nests"), "{text}");
        }
    }

    #[test]
    fn time_grows_with_the_text_only() {
        for one in ["\\\\", "\"", "\"\"", "'", "\\\"", "#", "\n"] {
            for before in ["", "\"", "\"\"\"", "'''"] {
                assert_eq!(too_deep(format!("{before}{}", one.repeat(50_000)).as_bytes()), None);
            }
        }
    }

    #[test]
    fn faults_have_a_place() {
        let starts = LineStarts::of("a\nbb\n");
        assert_eq!([0, 1, 2, 4, 5].map(|at| starts.line(at)), [1, 1, 2, 2, 3]);
        assert!(why(&" ".repeat(LARGEST + 1)).contains("larger than 4 MiB"));
        let found = parse("f", "a = 1\nb = \"x").unwrap_err();
        assert!(found.line() == Some(2) && found.why.contains("it is no TOML"), "{found:?}");
        assert!(why("a = 1\na = 2").contains("duplicate key"));
    }
}
