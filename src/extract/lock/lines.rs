//! Lines of requirements files as pip takes them (`pip/_internal/req/req_file.py`): where one ends, how one goes on behind a
//! backslash, and how its options are split into words.

use std::borrow::Cow;

use super::Fault;
use crate::extract::format::placed;

/// Longest line with all that continues it, in bytes: room for the hashes of 700 archives.
pub(super) const LONGEST: usize = 64 << 10;

/// A line and what continues it.
pub(super) struct Line<'a> {
    /// Where it begins, counted from 1.
    pub(super) number: u32,
    /// What it says; empty where that is longer than `LONGEST`.
    pub(super) text: Cow<'a, str>,
    /// Whether it was longer.
    pub(super) is_long: bool,
}

/// The logical lines of a text.
pub(super) struct Logical<'a> {
    rest: &'a str,
    number: u32,
}

impl<'a> Logical<'a> {
    /// Of this text.
    pub(super) fn of(text: &'a str) -> Self {
        Self { rest: text.trim_start_matches('\u{feff}'), number: 0 }
    }

    /// The next line as it stands, without its end.
    fn physical(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        self.number = self.number.saturating_add(1);
        let end = self.rest.find(is_end).unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at_checked(end)?;
        let next = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(is_end));
        self.rest = next.unwrap_or_default();
        Some(line)
    }
}

impl<'a> Iterator for Logical<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let first = self.physical()?;
        let mut line = Line { number: self.number, text: Cow::Borrowed(""), is_long: false };
        let mut next = Some(first);
        while let Some(piece) = next.take() {
            // pip would let a comment go on in the next line; here that line is asked about all the same.
            let is_comment = super::requirements::without_comment(piece).len() < piece.len();
            let goes_on = piece.ends_with('\\') && !is_comment;
            let text = if goes_on { piece.trim_matches('\\') } else { piece };
            if line.is_long || line.text.len() + text.len() >= LONGEST {
                (line.is_long, line.text) = (true, Cow::Borrowed(""));
            } else if line.text.is_empty() {
                line.text = Cow::Borrowed(text);
            } else {
                // A comment stays one, whatever it is joined to.
                let joined = line.text.to_mut();
                joined.push_str(if text.trim_start().starts_with('#') { " " } else { "" });
                joined.push_str(text);
            }
            next = if goes_on { self.physical() } else { None };
        }
        Some(line)
    }
}

/// What ends a line for `str.splitlines` of Python.
fn is_end(at: char) -> bool {
    matches!(at, '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Splits options into words as `shlex.split` of Python does. A quote that is not closed ends with the text.
pub(super) fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote): (Vec<String>, Option<String>, Option<char>) = (Vec::new(), None, None);
    let mut chars = text.chars().peekable();
    while let Some(at) = chars.next() {
        match (quote, at) {
            (Some(open), _) if open == at => quote = None,
            (Some('"'), '\\') => {
                let escaped = chars.next_if(|next| matches!(next, '"' | '\\'));
                word.get_or_insert_default().push(escaped.unwrap_or('\\'));
            }
            (None, '\\') => word.get_or_insert_default().extend(chars.next()),
            (None, '"' | '\'') => {
                quote = Some(at);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t' | '\r' | '\n') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(at),
        }
    }
    words.extend(word);
    words
}

/// Codecs of which the ASCII part is ASCII.
const CODECS: &[&str] =
    &["utf-8", "utf8", "utf-8-sig", "ascii", "us-ascii", "latin-1", "latin1", "iso-8859-1", "iso-8859-15", "cp1252"];

/// The text of a requirements file.
///
/// # Errors
/// When it is no text, or says in its head (PEP 263) that it has an encoding that is not read.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Fault> {
    let text = placed::lenient(bytes)?;
    let has_mark =
        [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff"].iter().any(|mark| bytes.starts_with(mark));
    if has_mark {
        return Ok(text);
    }
    for (line, number) in text.split('\n').take(2).zip(1..) {
        let Some(codec) = line.strip_prefix('#').and_then(codec) else { continue };
        if !CODECS.contains(&&*codec) {
            return Err(Fault {
                line: number,
                column: 1,
                why: "says an encoding that this version does not read".to_owned(),
            });
        }
    }
    Ok(text)
}

/// The codec of a line that says one: `coding[:=]\s*([-\w.]+)`.
fn codec(line: &str) -> Option<String> {
    line.match_indices("coding").find_map(|(at, found)| {
        let rest = line.get(at + found.len()..)?.strip_prefix([':', '='])?.trim_start();
        let end = rest.find(|at: char| !(at.is_alphanumeric() || "-_.".contains(at))).unwrap_or(rest.len());
        rest.get(..end).filter(|name| !name.is_empty()).map(|name| name.to_ascii_lowercase().replace('_', "-"))
    })
}

/// The path that an address `file:…` has, with its escapes read; none for another text.
pub(super) fn local(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("file") {
        return None;
    }
    let path = match rest.strip_prefix("//") {
        Some(place) => place.strip_prefix("localhost").unwrap_or(place),
        None => rest,
    };
    let drive = path.strip_prefix('/').filter(|path| path.as_bytes().get(1) == Some(&b':'));
    let path = drive.unwrap_or(path);
    // Another host.
    if drive.is_none() && !path.starts_with('/') {
        return None;
    }
    let (mut out, mut bytes) = (Vec::new(), path.as_bytes());
    while let Some((first, rest)) = bytes.split_first() {
        let digits = rest.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.filter(|_| *first == b'%').and_then(|two| u8::from_str_radix(two, 16).ok());
        out.push(byte.unwrap_or(*first));
        bytes = if byte.is_some() { rest.get(2..).unwrap_or_default() } else { rest };
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(text: &str) -> Vec<(u32, String)> {
        Logical::of(text).map(|line| (line.number, line.text.into_owned())).collect()
    }

    #[test]
    fn lines_end_and_go_on_as_pip_takes_them() {
        let lines = all("lite\\\nllm==1.82\\\r\n.7\nx \\\n# c\ny # c \\\nz\\");
        let told = [(1, "litellm==1.82.7"), (4, "x  # c"), (6, "y # c \\"), (7, "z")];
        assert_eq!(lines, told.map(|(number, text)| (number, text.to_owned())));
        for end in ["\u{b}", "\u{c}", "\u{1c}", "\u{1d}", "\u{1e}", "\u{85}", "\u{2028}", "\u{2029}", "\r", "\r\n"] {
            assert_eq!(all(&format!("# a{end}b")), [(1, "# a".to_owned()), (2, "b".to_owned())], "{end:?}");
        }
    }

    #[test]
    fn endless_lines_are_cut() {
        for text in ["a".repeat(LONGEST), "aaa\\\n".repeat(LONGEST)] {
            let lines: Vec<_> = Logical::of(&text).collect();
            assert!(lines.len() == 1 && lines[0].is_long && lines[0].text.is_empty());
        }
    }

    #[test]
    fn words_are_those_of_a_shell() {
        assert_eq!(
            words("-r c\\ st.lst \"c st\" 'a\\b' \"a\\\"\\b\" x''y ''"),
            ["-r", "c st.lst", "c st", "a\\b", "a\"\\b", "xy", ""]
        );
        assert_eq!(words("-r 'open x"), ["-r", "open x"]);
    }

    #[test]
    fn addresses_of_files_are_paths() {
        assert_eq!(local("file:///a/b%20c%2"), Some("/a/b c%2".to_owned()));
        assert_eq!(local("FILE://localhost/a"), Some("/a".to_owned()));
        assert_eq!(local("file:///C:/a"), Some("C:/a".to_owned()));
        assert_eq!((local("file://host/a"), local("/a"), local("https://h/a")), (None, None, None));
    }

    #[test]
    fn heads_say_encodings() {
        assert!(decode(b"# -*- coding: utf-8 -*-\na").is_ok() && decode(b"a\nb\n# coding: utf-7\n").is_ok());
        assert!(decode(b"# coding: Latin_1\na").is_ok() && decode(b"\xef\xbb\xbf# coding: utf-7\n").is_ok());
        assert_eq!(decode(b"a\n# vim: fileencoding=utf-7\n").unwrap_err().line, 2);
    }

    proptest! {
        #[test]
        fn any_text_has_lines_and_words(text in "[\\\\\"' #\\n\\r\u{85}a%:-]{0,60}", bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _all = (all(&text), words(&text), local(&format!("file:/{text}")), decode(&bytes).is_ok());
        }
    }
}
