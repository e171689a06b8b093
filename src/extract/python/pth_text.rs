//! How CPython cuts a `.pth` file into lines and which of them it runs (`site.addpackage`; PEP 829 for 3.15).
//!
//! Three dialects matter. Up to 3.12, lines end at LF and CR. From 3.13 on the text is split like any Python string, so
//! VT, FF, 0x1c to 0x1e, U+0085, U+2028 and U+2029 end a line too, and a byte-order mark is dropped. From 3.15 on, blanks
//! before a line are dropped as well. A file is cut at the union of all line ends, and each line carries who runs it.

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
    /// Whether only newer Pythons see that it begins here.
    pub after_exotic_end: bool,
    /// How many blanks stand before it.
    pub indent: usize,
}

/// The lines that are neither empty nor comments.
pub fn lines(file: &[u8]) -> Vec<Line<'_>> {
    const BOM: &[u8] = &[0xef, 0xbb, 0xbf];
    let mut out = Vec::new();
    let (mut rest, has_bom) = match file.strip_prefix(BOM) {
        Some(rest) => (rest, true),
        None => (file, false),
    };
    let (mut number, mut exotic) = (1, false);
    loop {
        let end = find_end(rest);
        let (raw, tail) = rest.split_at(end.map_or(rest.len(), |(at, _, _)| at));
        let first_dialects = if has_bom && number == 1 { MIDDLE | NEW } else { ALL };
        out.extend(line(raw, number, exotic, first_dialects));
        let Some((_, length, is_exotic)) = end else {
            return out;
        };
        rest = tail.get(length..).unwrap_or_default();
        exotic = is_exotic;
        number += 1;
    }
}

fn line(raw: &[u8], number: u32, after_exotic_end: bool, dialects: u8) -> Option<Line<'_>> {
    let text = raw.trim_ascii();
    if text.is_empty() || text.starts_with(b"#") {
        return None;
    }
    let indent = raw.len() - raw.trim_ascii_start().len();
    let mut run_by = if is_code(text) { dialects } else { 0 };
    if after_exotic_end {
        run_by &= MIDDLE | NEW;
    }
    if indent > 0 {
        run_by &= NEW;
    }
    Some(Line { number, text, run_by, after_exotic_end, indent })
}

/// `import` and a blank or a tab; anything else is a path.
fn is_code(text: &[u8]) -> bool {
    text.strip_prefix(b"import").is_some_and(|rest| matches!(rest.first(), Some(b' ' | b'\t')))
}

/// Where the next line ends, how long that end is, and whether only newer Pythons see it.
fn find_end(text: &[u8]) -> Option<(usize, usize, bool)> {
    text.iter().enumerate().find_map(|(at, byte)| {
        let rest = text.get(at..)?;
        match byte {
            b'\r' if rest.get(1) == Some(&b'\n') => Some((at, 2, false)),
            b'\r' | b'\n' => Some((at, 1, false)),
            0x0b | 0x0c | 0x1c..=0x1e => Some((at, 1, true)),
            0xc2 if rest.starts_with(&[0xc2, 0x85]) => Some((at, 2, true)),
            0xe2 if rest.starts_with(&[0xe2, 0x80, 0xa8]) || rest.starts_with(&[0xe2, 0x80, 0xa9]) => {
                Some((at, 3, true))
            }
            _ => None,
        }
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
        assert_eq!(run_by(b"# note\x0cimport x\n"), [(2, MIDDLE | NEW)]);
        assert_eq!(run_by(b"# note\xe2\x80\xa8import x\r\nimport y"), [(2, MIDDLE | NEW), (3, ALL)]);
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
