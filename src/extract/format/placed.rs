//! Text that tools and people write: its encoding, its bound, and where in it something is wrong.

use std::borrow::Cow;
use std::fmt;

use memchr::memchr_iter;

/// Most bytes of one file that are read as text: larger than any lock file, and small enough to hold.
pub const MOST: usize = 128 << 20;

/// Why a text cannot be read as what it should be: a place, and what it does wrong there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Counted from 1.
    pub line: u32,
    /// In characters, counted from 1.
    pub column: u32,
    /// Follows the place as the rest of a sentence does: `is no TOML: …`, `has no …`.
    pub why: String,
}

impl Fault {
    /// A fault of the whole text.
    pub fn of_all(why: impl Into<String>) -> Self {
        Self { line: 1, column: 1, why: why.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}, column {} {}", self.line, self.column, self.why)
    }
}

/// From places in a text to its lines.
pub struct Lines<'a> {
    text: &'a str,
    /// Where each line begins.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Of this text.
    #[must_use]
    pub fn of(text: &'a str) -> Self {
        let ends = memchr_iter(b'\n', text.as_bytes()).map(|end| end + 1);
        Self { text, starts: std::iter::once(0).chain(ends).collect() }
    }

    /// The line of a place, counted from 1.
    #[must_use]
    pub fn line(&self, at: usize) -> u32 {
        u32::try_from(self.starts.partition_point(|start| *start <= at)).unwrap_or(u32::MAX)
    }

    /// A fault at a place.
    pub fn fault(&self, at: usize, why: impl Into<String>) -> Fault {
        let line = self.line(at);
        let start = self.starts.get(line as usize - 1).copied().unwrap_or_default();
        let before = self.text.as_bytes().get(start..at).unwrap_or_default();
        // Bytes that begin a character.
        let column = before.iter().filter(|byte| **byte & 0xc0 != 0x80).count() + 1;
        Fault { line, column: u32::try_from(column).unwrap_or(u32::MAX), why: why.into() }
    }
}

/// Text that must be UTF-8, without its byte order mark.
///
/// # Errors
/// When it is too large or something else.
pub fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    is_small(bytes)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|why| {
        let good = bytes.get(..why.valid_up_to()).and_then(|good| std::str::from_utf8(good).ok()).unwrap_or_default();
        Lines::of(good).fault(good.len(), "is no UTF-8")
    })
}

/// Text as people save it: UTF-8, UTF-32, UTF-16 as PowerShell redirects it, or an older encoding of which only ASCII is read.
///
/// # Errors
/// When it is too large, or has zero bytes as no text has.
pub fn lenient(bytes: &[u8]) -> Result<Cow<'_, str>, Fault> {
    is_small(bytes)?;
    let wide = |read: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).skip(1).filter_map(|pair| pair.first_chunk::<2>().copied().map(read));
        let text = char::decode_utf16(units).map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER));
        Cow::Owned(text.collect())
    };
    let long = |read: fn([u8; 4]) -> u32| {
        let units = bytes.chunks_exact(4).skip(1).filter_map(|four| four.first_chunk::<4>().copied().map(read));
        Cow::Owned(units.map(|one| char::from_u32(one).unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
    };
    let text = match bytes {
        [0xff, 0xfe, 0, 0, ..] => long(u32::from_le_bytes),
        [0, 0, 0xfe, 0xff, ..] => long(u32::from_be_bytes),
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)),
    };
    match memchr::memchr(0, text.as_bytes()) {
        Some(at) => Err(Lines::of(&text).fault(at, "has a zero byte: it is no text")),
        None => Ok(text),
    }
}

fn is_small(bytes: &[u8]) -> Result<(), Fault> {
    if bytes.len() > MOST { Err(Fault::of_all("begins more than 128 MiB, and so much is not read")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn places_are_lines_and_columns() {
        let lines = Lines::of("ä=1\n\nbö");
        assert_eq!((lines.line(0), lines.line(3), lines.line(4), lines.line(5), lines.line(6)), (1, 1, 1, 2, 3));
        let fault = lines.fault("ä=1\n\nb".len(), "is odd");
        assert_eq!(fault.to_string(), "line 3, column 2 is odd");
        assert_eq!(lines.fault(2, "").column, 2);
    }

    #[test]
    fn what_is_no_text_is_told_where() {
        assert_eq!(utf8(b"\xef\xbb\xbfa"), Ok("a"));
        assert_eq!(utf8(b"a\nbc\xff").unwrap_err().to_string(), "line 2, column 3 is no UTF-8");
        assert_eq!(lenient(b"\xff\xfea\0b\0\n\0").unwrap(), "ab\n");
        assert_eq!(lenient(b"\xff\xfe\0\0a\0\0\0").unwrap(), "a");
        assert_eq!(lenient(b"\0\0\xfe\xff\0\0\0a").unwrap(), "a");
        assert_eq!(lenient(b"\xfe\xff\0a\0b").unwrap(), "ab");
        assert_eq!(lenient(b"caf\xe9").unwrap(), "caf\u{fffd}");
        assert_eq!(lenient(b"a\nPK\0").unwrap_err().to_string(), "line 2, column 3 has a zero byte: it is no text");
        assert_eq!(utf8(&vec![b' '; MOST + 1]).unwrap_err().line, 1);
    }

    proptest! {
        #[test]
        fn every_place_has_a_line(text in "[aä\n]{0,40}", at in 0usize..100) {
            let lines = Lines::of(&text);
            prop_assert_eq!(lines.line(at) as usize, 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count());
            prop_assert!(lines.fault(at, "").column >= 1);
        }

        #[test]
        fn any_bytes_are_text_or_not(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _strict = utf8(&bytes);
            let _lenient = lenient(&bytes);
        }
    }
}
