//! How CPython cuts a `.pth` file into lines and which of them it runs (`site.addpackage`; PEP 829 for 3.15).
//!
//! Three dialects matter. Up to 3.12, lines end at LF and CR. From 3.13 on the text is split like any Python string, so
//! VT, FF, 0x1c to 0x1e, U+0085, U+2028 and U+2029 end a line too, and a byte-order mark is dropped. From 3.15 on, blanks
//! before a line are dropped as well. Each line carries who runs it.

/// Runs up to Python 3.12.
pub const OLD: u8 = 1;
/// Runs on 3.13 and 3.14.
pub const MIDDLE: u8 = 2;
/// Runs from 3.15 on.
pub const NEW: u8 = 4;
/// Runs everywhere.
pub const ALL: u8 = OLD | MIDDLE | NEW;

/// One line of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line<'a> {
    /// Counted from 1.
    pub number: u32,
    /// Without its end, blanks around it dropped.
    pub text: &'a [u8],
    /// Which dialects run it as code; 0 for a path or nothing.
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
    let mut out = Vec::new();
    let (text, has_bom) = match file.strip_prefix(BOM) {
        Some(rest) => (rest, true),
        None => (file, false),
    };
    for (number, whole) in (1..).zip(cut(text, plain_end)) {
        let dialects = if has_bom && number == 1 { MIDDLE | NEW } else { ALL };
        let mut pieces = cut(whole, exotic_end).peekable();
        let first = pieces.next().unwrap_or_default();
        if pieces.peek().is_none() {
            out.extend(line(whole, number, false, dialects));
            continue;
        }
        out.extend(line(whole, number, true, dialects & OLD));
        out.extend(line(first, number, false, dialects & (MIDDLE | NEW)));
        out.extend(pieces.filter_map(|piece| line(piece, number, true, MIDDLE | NEW)));
    }
    out
}

fn line(raw: &[u8], number: u32, has_exotic_end: bool, dialects: u8) -> Option<Line<'_>> {
    let text = raw.trim_ascii();
    if text.is_empty() || text.starts_with(b"#") {
        return None;
    }
    let indent = raw.len() - raw.trim_ascii_start().len();
    let mut run_by = if is_code(text) { dialects } else { 0 };
    if indent > 0 {
        run_by &= NEW;
    }
    Some(Line { number, text, run_by, has_exotic_end, indent })
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

/// Version ranges for a set of dialects.
#[must_use]
pub fn versions(dialects: u8) -> Vec<&'static str> {
    [(OLD, "<=3.12"), (MIDDLE, "3.13-3.14"), (NEW, ">=3.15")]
        .into_iter()
        .filter(|(dialect, _)| dialects & dialect != 0)
        .map(|(_, range)| range)
        .collect()
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
        // Up to 3.12 a separator inside a line is part of the code.
        assert_eq!(run_by(b"import os; x='\x1c'; y()\n"), [(1, OLD), (1, MIDDLE | NEW), (1, 0)]);
        assert_eq!(run_by(b"\0\0\nimport x\n"), [(1, 0), (2, ALL)]);
    }

    #[test]
    fn dialects_print_as_ranges() {
        assert_eq!(versions(ALL), ["<=3.12", "3.13-3.14", ">=3.15"]);
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
