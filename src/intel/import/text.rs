//! What the readers of feeds share about text: its encoding and its bounds, where in it something stands, and how much of
//! it is told.

use super::fault;
use crate::model::fault::Fault;

/// Largest feed, in bytes.
const LARGEST: usize = 256 << 20;

/// Most records of one feed, and most things that one feed says in them: each may cost a line of the report.
const MOST: usize = 500_000;

/// Longest line of a list, in bytes; longer ones are no rows.
pub(super) const LONGEST_LINE: usize = 64 << 10;

/// The text of a feed, without its byte order mark.
pub(super) fn utf8<'a>(origin: &str, bytes: &'a [u8]) -> Result<&'a str, Fault> {
    if bytes.len() > LARGEST {
        return Err(fault(origin, None, "it is larger than 256 MiB: give it in parts"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|why| {
        let good = bytes.get(..why.valid_up_to()).and_then(|good| std::str::from_utf8(good).ok()).unwrap_or_default();
        fault(origin, Some(place(good, good.len())), "it is no UTF-8 from here on: save it in that encoding")
    })
}

/// Line and column (in characters) of the byte `at`, counted from 1.
pub(super) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// From parts of a text, taken in order, to their lines. Looks at each byte once.
pub(super) struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    /// Of this text.
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    /// The line that `part` begins on, which is a part of the text behind all those that were asked for.
    pub(super) fn line(&mut self, part: &str) -> usize {
        let start = part.as_ptr().addr().wrapping_sub(self.text.as_ptr().addr());
        if let Some(between) = self.text.as_bytes().get(self.at..start) {
            self.line += between.iter().filter(|byte| **byte == b'\n').count();
            self.at = start;
        }
        self.line
    }
}

/// How much of a feed may still be taken.
pub(super) struct Allowance<'a> {
    origin: &'a str,
    left: usize,
}

impl<'a> Allowance<'a> {
    /// For one feed.
    pub(super) fn of(origin: &'a str) -> Self {
        Self { origin, left: MOST }
    }

    /// Takes one.
    pub(super) fn take(&mut self, line: usize) -> Result<(), Fault> {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => {
                return Err(fault(self.origin, Some((line, 1)), format!("it says more than {MOST} things: split it")));
            }
        }
        Ok(())
    }
}

/// A text of a feed as part of a sentence: on one line, and not too long.
pub(super) fn shown(text: &str) -> String {
    cut(text, 100)
}

/// A text of a feed as the name of a record; `otherwise` if there is nothing in it.
pub(super) fn record_name(text: &str, otherwise: &str) -> String {
    let name = cut(text.trim(), 120);
    if name.is_empty() { otherwise.to_owned() } else { name }
}

fn cut(text: &str, most: usize) -> String {
    let mut chars = text.chars();
    let plain = |at: char| if at.is_control() { ' ' } else { at };
    let mut out: String = chars.by_ref().take(most).map(plain).collect();
    if chars.next().is_some() {
        out.push('…');
    }
    out
}

/// What the records of a feed are called that gives them no name: the file, and its folder, since many are `iocs.csv`.
pub(super) fn named_after(origin: &str) -> String {
    let mut parts = origin.rsplit(['/', '\\']).filter(|part| !matches!(*part, "" | "." | ".."));
    let file = parts.next().unwrap_or_default();
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let name = match parts.next() {
        Some(folder) => format!("{folder}-{stem}"),
        None => stem.to_owned(),
    };
    record_name(&name, "feed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_utf8_and_its_faults_have_a_place() {
        assert_eq!(utf8("f", b"\xef\xbb\xbfa\r\n").unwrap(), "a\r\n");
        let why = utf8("f", b"a\n\xc3\xa4b\xff").unwrap_err();
        assert!(why.line() == Some(2) && why.why.contains("it is no UTF-8"), "{why:?}");
        assert_eq!(place("a\näb", 4), (2, 2));
    }

    #[test]
    fn lines_are_counted_once_and_in_order() {
        let text = "a\nbb\n\nc";
        let mut lines = Lines::of(text);
        assert_eq!([lines.line(&text[..1]), lines.line(&text[2..3]), lines.line(&text[6..])], [1, 2, 4]);
        assert_eq!(lines.line("elsewhere"), 4);
    }

    #[test]
    fn what_is_told_is_short_and_on_one_line() {
        assert_eq!(shown("a\nb\u{7}c"), "a b c");
        assert_eq!(shown(&"ä".repeat(500)).chars().count(), 101);
        assert_eq!(record_name(" \t", "x"), "x");
        assert_eq!(
            ["/a/teampcp/iocs.csv", "iocs.csv", "./x", ""].map(named_after),
            ["teampcp-iocs", "iocs", "x", "feed"]
        );
    }
}
