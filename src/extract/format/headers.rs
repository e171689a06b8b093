//! The header block of METADATA and PKG-INFO: RFC 822 headers as Python's email parser takes them (core metadata
//! specification; `python-layouts` rules).
//!
//! Headers end at the first empty line; of a repeated header the first counts; a line that begins with a blank belongs
//! to the header above; names are without case; CR, LF and CRLF all end a line.

/// What the header block says. Never a refusal: what was understood, and what was wrong.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Headers {
    /// `Name`, trimmed.
    pub name: Option<String>,
    /// `Version`, trimmed.
    pub version: Option<String>,
    /// The line of `Version`, counted from 1.
    pub version_line: Option<u32>,
    /// Whether the block's end was seen.
    pub ended: bool,
    /// What is wrong with it.
    pub fault: Option<&'static str>,
}

impl Headers {
    /// Whether more of the file could change the answer.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.ended || self.fault.is_some() || (self.name.is_some() && self.version.is_some())
    }
}

/// Reads the header block from the beginning of a file. `is_all` says that nothing follows `bytes`: without it, a last
/// line that has no end may be cut short and is left out.
#[must_use]
pub fn parse(bytes: &[u8], is_all: bool) -> Headers {
    let mut out = Headers::default();
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        out.fault = Some("it is UTF-16");
        return out;
    }
    let text = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    let mut headers: Vec<(u32, Vec<u8>)> = Vec::new();
    // The header above the cut may go on behind it, unless the next line is seen to begin another one.
    let mut last_is_whole = is_all;
    let mut has_nul = false;
    for (number, (line, has_end)) in (1..).zip(lines(text)) {
        let goes_on = matches!(line.first(), Some(b' ' | b'\t'));
        if !has_end && !is_all {
            last_is_whole = !goes_on;
            // Zeros without an end: no more of them makes it a text.
            if line.contains(&0) {
                out.fault = Some("it contains NUL bytes");
            }
            break;
        }
        if line.is_empty() {
            out.ended = true;
            break;
        }
        // A line that is no text names nothing; the lines after it may, and Python believes them.
        if line.contains(&0) {
            has_nul = true;
            continue;
        }
        match headers.last_mut() {
            Some((_, above)) if goes_on => above.extend_from_slice(line),
            _ => headers.push((number, line.to_vec())),
        }
    }
    if !last_is_whole && !out.ended {
        headers.pop();
    }
    out.ended |= is_all;
    out.name = first(&headers, "name").map(|(_, name)| name);
    let version = first(&headers, "version");
    out.version_line = version.as_ref().map(|(line, _)| *line);
    out.version = version.map(|(_, version)| version);
    if has_nul && (out.name.is_none() || out.version.is_none()) && out.ended {
        out.fault = Some("it contains NUL bytes");
    }
    out
}

/// The first header of a name that has a value, and its line.
fn first(headers: &[(u32, Vec<u8>)], wanted: &str) -> Option<(u32, String)> {
    headers.iter().find_map(|(line, header)| {
        let colon = header.iter().position(|byte| *byte == b':')?;
        let (name, value) = header.split_at(colon);
        if !name.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes()) {
            return None;
        }
        let value = String::from_utf8_lossy(value.get(1..)?).trim().to_owned();
        (!value.is_empty()).then_some((*line, value))
    })
}

/// Lines without their ends, and whether each had one.
fn lines(text: &[u8]) -> impl Iterator<Item = (&[u8], bool)> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        match text.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
            None => {
                rest = None;
                (!text.is_empty()).then_some((text, false))
            }
            Some(at) => {
                let (line, tail) = text.split_at(at);
                rest = tail.strip_prefix(b"\r\n").or_else(|| tail.get(1..));
                Some((line, true))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(text: &str) -> (Option<String>, Option<String>) {
        let out = parse(text.as_bytes(), true);
        (out.name, out.version)
    }

    fn both(name: &str, version: &str) -> (Option<String>, Option<String>) {
        (Some(name.to_owned()), Some(version.to_owned()))
    }

    #[test]
    fn the_first_of_each_counts_in_any_case_and_line_end() {
        assert_eq!(named("Name: a\nVersion: 1\nName: b\n\n"), both("a", "1"));
        assert_eq!(parse(b"X: y\n z\r\nVersion: 1\n", true).version_line, Some(3));
        assert_eq!(named("nAmE:   litellm  \r\nVERSION:\t1.82.8\r\n\r\n"), both("litellm", "1.82.8"));
        assert_eq!(named("Name: a\rVersion: 1\r\r"), both("a", "1"));
        assert_eq!(named("Summary: x\n y\nName: a\nVersion: 1"), both("a", "1"));
    }

    #[test]
    fn the_description_is_not_a_header() {
        assert_eq!(named("Name: a\n\nVersion: 9\n"), (Some("a".to_owned()), None));
    }

    #[test]
    fn what_is_no_text_says_so() {
        assert_eq!(parse(&[0; 64], true).fault, Some("it contains NUL bytes"));
        assert_eq!(parse(b"X: \0\nName: a\nVersion: 1\n\n", true).name.as_deref(), Some("a"));
        let wide: Vec<u8> = "\u{feff}Name: a\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(parse(&wide, true).fault, Some("it is UTF-16"));
    }

    #[test]
    fn a_header_that_may_go_on_is_not_believed() {
        assert_eq!(parse(b"Version: 1\nName: lite\n", false).name, None);
        assert_eq!(parse(b"Version: 1\nName: lite\n llm", false).name, None);
        assert_eq!(parse(b"Version: 1\nName: lite\nX", false).name.as_deref(), Some("lite"));
    }

    #[test]
    fn a_line_that_may_be_cut_short_is_not_believed() {
        let out = parse(b"Name: litellm\nVersion: 1.82", false);
        assert_eq!(out.version, None);
        assert!(!out.is_settled());
        assert!(parse(b"Name: litellm\nVersion: 1.82.8\nX", false).is_settled());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..600), all: bool) {
            let out = parse(&bytes, all);
            prop_assert!(out.name.is_none_or(|name| !name.is_empty()));
        }

        #[test]
        fn a_longer_prefix_never_changes_a_settled_name(cut in 0usize..60) {
            let text = b"X: y\nName: litellm\nVersion: 1.82.8\n\nName: other\n";
            let early = parse(&text[..cut.min(text.len())], false);
            if let Some(name) = early.name {
                prop_assert_eq!(name, "litellm");
            }
        }
    }
}
