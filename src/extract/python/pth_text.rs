//! How CPython cuts a `.pth` file into lines and which of them it runs (`site.addpackage`; PEP 829 for 3.15). What real
//! ones of 2.7 to 3.15 do with it is what `tests/integration/startup_rules.rs` compares this with.
//!
//! Up to 3.12, lines end at LF and CR. From 3.13 on the text is split like any Python string, so that VT, FF, 0x1c to
//! 0x1e, U+0085, U+2028 and U+2029 end a line too, and a byte-order mark is dropped. From 3.15 on, whatever Unicode calls
//! a blank is dropped before a line as well.
//!
//! Up to 3.14, a line that fails ends the file, and up to 3.7 so does a path with a NUL. Which lines fail is told here
//! only where no Python can compile them (`pth_fault.rs`): what follows others may run less than this says, never more.
//!
//! What is not UTF-8 is a matter of the locale: one of UTF-8 stops Python, to one of single bytes it is text like any
//! other. Each line carries who runs it under the locale that lets the most run.

use super::pth_fault::cannot_compile;

/// Runs up to Python 3.7.
const OLDEST: u8 = 1;
/// Runs from 3.8 to 3.12.
const OLDER: u8 = 2;
/// Runs up to Python 3.12.
pub const OLD: u8 = OLDEST | OLDER;
/// Runs on 3.13 and 3.14.
pub const MIDDLE: u8 = 4;
/// Runs from 3.15 on.
pub const NEW: u8 = 8;
/// Runs everywhere.
pub const ALL: u8 = OLD | MIDDLE | NEW;

/// One line of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line<'a> {
    /// Counted from 1.
    pub number: u32,
    /// Without its end, blanks around it dropped.
    pub text: &'a [u8],
    /// Whether it is code to one of the dialects, even if it fails there or is never come to.
    pub is_code: bool,
    /// Which dialects run it; 0 for a path or nothing.
    pub run_by: u8,
    /// Whether it begins behind, or holds, a line end that only newer Pythons see.
    pub has_exotic_end: bool,
    /// How many blanks stand before it.
    pub indent: usize,
}

/// The lines that are neither empty nor comments. A line that newer Pythons cut further stands once as a whole, for the
/// older ones, and once in its pieces.
pub fn lines(file: &[u8]) -> Vec<Line<'_>> {
    const BOM: &[u8] = &[0xef, 0xbb, 0xbf];
    let (text, has_bom) = match file.strip_prefix(BOM) {
        Some(rest) => (rest, true),
        None => (file, false),
    };
    let is_utf8 = std::str::from_utf8(file).is_ok();
    let exotic_end = if is_utf8 { exotic_end } else { latin_end };
    let mut reader = Reader { ended: 0, is_utf8, out: Vec::new() };
    for (number, whole) in (1..).zip(cut(text, plain_end)) {
        let dialects = if has_bom && number == 1 { reader.behind_mark(whole) } else { ALL };
        let mut pieces = cut(whole, exotic_end).peekable();
        let first = pieces.next().unwrap_or_default();
        if pieces.peek().is_none() {
            reader.line(whole, number, false, dialects);
            continue;
        }
        reader.line(whole, number, true, dialects & OLD);
        reader.line(first, number, false, dialects & (MIDDLE | NEW));
        pieces.for_each(|piece| reader.line(piece, number, true, MIDDLE | NEW));
    }
    reader.out
}

struct Reader<'a> {
    /// The dialects that do not come to the next line.
    ended: u8,
    is_utf8: bool,
    out: Vec<Line<'a>>,
}

impl<'a> Reader<'a> {
    /// Who may run the line behind a byte-order mark: to the others it begins with another character, as paths do.
    fn behind_mark(&mut self, line: &[u8]) -> u8 {
        if line.contains(&0) {
            self.ended |= OLDEST;
        }
        if self.is_utf8 { MIDDLE | NEW } else { 0 }
    }

    /// Reads a line as `dialects` have it.
    fn line(&mut self, raw: &'a [u8], number: u32, has_exotic_end: bool, dialects: u8) {
        let (indent, text) = self.strip(raw);
        let before_3_15 = if is_code(raw) { OLD | MIDDLE } else { 0 };
        let since_3_15 = if is_code(text) { NEW } else { 0 };
        let code = dialects & (before_3_15 | since_3_15);
        let fails = code != 0 && cannot_compile(text);
        let run_by = if fails { 0 } else { code & !self.ended };
        if fails {
            self.ended |= code & (OLD | MIDDLE);
        }
        let is_path = code & OLDEST == 0 && !raw.starts_with(b"#");
        if is_path && raw.contains(&0) {
            self.ended |= dialects & OLDEST;
        }
        if !text.is_empty() && !text.starts_with(b"#") {
            // `import` and nothing fails wherever it is code, and is a folder's name elsewhere.
            let is_code = code != 0 && text != b"import";
            self.out.push(Line { number, text, is_code, run_by, has_exotic_end, indent });
        }
    }

    /// How many blanks stand before a line, and the line without those around it.
    fn strip(&self, raw: &'a [u8]) -> (usize, &'a [u8]) {
        let (mut count, mut rest) = (0, raw.trim_ascii_end());
        while let Some(left) = self.behind_blank(rest) {
            rest = left;
            count += 1;
        }
        (count, rest)
    }

    fn behind_blank(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        match text {
            [b'\t'..=b'\r' | 0x1c..=b' ', rest @ ..] => Some(rest),
            [0xa0, rest @ ..] if !self.is_utf8 => Some(rest),
            _ if !self.is_utf8 => None,
            [0xc2, 0x85 | 0xa0, rest @ ..]
            | [0xe1, 0x9a, 0x80, rest @ ..]
            | [0xe2, 0x80, 0x80..=0x8a | 0xa8 | 0xa9 | 0xaf, rest @ ..]
            | [0xe2, 0x81, 0x9f, rest @ ..]
            | [0xe3, 0x80, 0x80, rest @ ..] => Some(rest),
            _ => None,
        }
    }
}

/// Pieces between line ends; `end` says where the first one is and how long.
fn cut(text: &[u8], end: fn(&[u8]) -> Option<(usize, usize)>) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some((at, length)) = end(text) else {
            rest = None;
            return Some(text);
        };
        rest = text.get(at + length..);
        text.get(..at)
    })
}

/// `import` and a blank or a tab; anything else is a path.
fn is_code(text: &[u8]) -> bool {
    text.strip_prefix(b"import").is_some_and(|rest| matches!(rest.first(), Some(b' ' | b'\t')))
}

/// LF, CR and CRLF: every Python ends a line there.
fn plain_end(text: &[u8]) -> Option<(usize, usize)> {
    let at = memchr::memchr2(b'\r', b'\n', text)?;
    let is_pair = text.get(at..at + 2) == Some(b"\r\n");
    Some((at, if is_pair { 2 } else { 1 }))
}

/// The line ends that only newer Pythons see.
fn exotic_end(text: &[u8]) -> Option<(usize, usize)> {
    text.iter().enumerate().find_map(|(at, byte)| match byte {
        0x0b | 0x0c | 0x1c..=0x1e => Some((at, 1)),
        0xc2 if text.get(at + 1) == Some(&0x85) => Some((at, 2)),
        0xe2 if matches!(text.get(at + 1..at + 3), Some([0x80, 0xa8 | 0xa9])) => Some((at, 3)),
        _ => None,
    })
}

/// The same in a text of single bytes.
fn latin_end(text: &[u8]) -> Option<(usize, usize)> {
    text.iter().position(|byte| matches!(byte, 0x0b | 0x0c | 0x1c..=0x1e | 0x85)).map(|at| (at, 1))
}

/// Version ranges for a set of dialects.
#[must_use]
pub fn versions(dialects: u8) -> Vec<&'static str> {
    let old = match dialects & OLD {
        OLD => Some("<=3.12"),
        OLDEST => Some("<=3.7"),
        OLDER => Some("3.8-3.12"),
        _ => None,
    };
    let newer = [(MIDDLE, "3.13-3.14"), (NEW, "3.15-3.17")].into_iter().filter(|(dialect, _)| dialects & dialect != 0);
    old.into_iter().chain(newer.map(|(_, range)| range)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run_by(file: &[u8]) -> Vec<(u32, u8)> {
        lines(file).iter().map(|line| (line.number, line.run_by)).collect()
    }

    #[test]
    fn each_dialect_runs_what_cpython_runs() {
        assert_eq!(run_by(b"import os\n./sub\n# import x\n\nimport\tsys\n"), [(1, ALL), (2, 0), (5, ALL)]);
        assert_eq!(run_by(b"from x import y\nimport(x)\nIMPORT os\nimports x"), [(1, 0), (2, 0), (3, 0), (4, 0)]);
        assert_eq!(run_by(b"   import x\n"), [(1, NEW)]);
        assert_eq!(run_by(b"\xef\xbb\xbfimport x\nimport y"), [(1, MIDDLE | NEW), (2, ALL)]);
        assert_eq!(run_by(b"# note\x0cimport x\n"), [(1, MIDDLE | NEW)]);
        assert_eq!(run_by(b"# note\xe2\x80\xa8import x\r\nimport y"), [(1, MIDDLE | NEW), (2, ALL)]);
        // Up to 3.12 a separator inside a string is part of it, and elsewhere it is no Python.
        assert_eq!(run_by(b"import os; x='\x1c'; y()\n"), [(1, OLD), (1, 0), (1, 0)]);
        assert_eq!(run_by(b"import os\x1cimport x\n"), [(1, 0), (1, MIDDLE | NEW), (1, MIDDLE | NEW)]);
    }

    #[test]
    fn what_fails_for_certain_ends_the_file_for_some() {
        assert_eq!(run_by(b"\0\0\nimport x\n"), [(1, 0), (2, ALL & !OLDEST)]);
        assert_eq!(run_by(b"# \0\nimport x\n"), [(2, ALL)]);
        assert_eq!(run_by(b" # \0\nimport x\n"), [(2, ALL & !OLDEST)]);
        assert_eq!(run_by(b"import y # \0\nimport x\n"), [(1, 0), (2, NEW)]);
        assert_eq!(run_by(b"import \nimport x\n"), [(1, 0), (2, NEW)]);
        assert_eq!(run_by(b"import\nimport x\n"), [(1, 0), (2, ALL)]);
        assert_eq!(run_by(b" import (\nimport x\n"), [(1, 0), (2, ALL)]);
        let failed = lines(b"import x; y(\nimport \n");
        assert_eq!(failed.iter().map(|line| line.is_code).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn blanks_are_what_unicode_calls_so() {
        assert_eq!(run_by("\u{a0}\u{3000}\x1f import x\n".as_bytes()), [(1, NEW)]);
        assert_eq!(run_by("\u{200b}import x\n".as_bytes()), [(1, 0)]);
        assert_eq!(lines("\u{2003} \timport x\n".as_bytes())[0].indent, 3);
    }

    #[test]
    fn what_is_no_utf8_is_cut_as_single_bytes() {
        assert_eq!(run_by(b"# caf\xe9\nimport x\n\xa0import y\n"), [(2, ALL), (3, NEW)]);
        assert_eq!(run_by(b"# caf\xe9\x85import x\n"), [(1, MIDDLE | NEW)]);
        assert_eq!(run_by(b"# caf\xe9\xe2\x80\xa8import x\n"), []);
        assert_eq!(run_by(b"\xef\xbb\xbfimport x\n# caf\xe9"), [(1, 0)]);
    }

    #[test]
    fn dialects_print_as_ranges() {
        assert_eq!(versions(ALL), ["<=3.12", "3.13-3.14", "3.15-3.17"]);
        assert_eq!(versions(NEW | OLDER), ["3.8-3.12", "3.15-3.17"]);
        assert!(versions(0).is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_are_cut(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let numbers: Vec<u32> = lines(&bytes).iter().map(|line| line.number).collect();
            prop_assert!(numbers.is_sorted());
        }
    }
}
