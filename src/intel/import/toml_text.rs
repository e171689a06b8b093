//! TOML of feeds: a bound on its nesting in front of the library's parser, whose values are dropped one in another, and the
//! places of what is wrong.

use ::toml::de::DeTable;

use super::fault;
use super::text::{place, shown};
use crate::model::fault::Fault;
use crate::model::toml_bound::{self, DEEPEST, Excess};

/// Largest document, in bytes. Profiles have some thousand.
const LARGEST: usize = 4 << 20;

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
    if let Some((at, excess)) = toml_bound::too_much(text.as_bytes()) {
        let why = match excess {
            Excess::Depth => format!("it nests deeper than {DEEPEST}, as no feed does"),
            Excess::Values => "it holds more values than any feed".to_owned(),
        };
        return Err(fault(origin, Some(place(text, at)), why));
    }
    let parsed = DeTable::parse(text).map_err(|why| {
        let at = why.span().map_or(text.len(), |span| span.start);
        fault(origin, Some(place(text, at)), format!("it is no TOML: {}; is it whole?", shown(why.message())))
    });
    parsed.map(::toml::Spanned::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> String {
        parse("f", text).err().map(|fault| fault.why).unwrap_or_default()
    }

    #[test]
    fn nesting_is_bounded_in_front_of_the_parser() {
        assert!(why(&format!("x = {}", "[".repeat(100_000))).contains("nests deeper than 100"));
        assert!(why(&"{},".repeat(600_000)).contains("more values than any feed"));
        assert_eq!(why(&format!("x = {}{}", "[".repeat(70), "]".repeat(70))), "");
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
