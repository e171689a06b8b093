//! The encoding of a source and its line ends (PEP 263).

use std::borrow::Cow;

/// The text of a file with the line ends that Python sees, and whether its letters are what they seem: in UTF-8. None where
/// its encoding may hide ASCII.
pub(super) fn text(file: &[u8]) -> Option<(Cow<'_, [u8]>, bool)> {
    let text = one_line_end(file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file));
    let is_utf8 = match declared(&text) {
        None => true,
        Some(name) if name.starts_with("utf-8") || name == "utf8" || name.contains("ascii") => true,
        // All of these are ASCII where they look like it.
        Some(name) if TRANSPARENT.iter().any(|start| name.starts_with(start)) => false,
        Some(_) => return None,
    };
    let is_exact = is_utf8 && std::str::from_utf8(&text).is_ok();
    Some((text, is_exact))
}

/// How the names of encodings begin in which ASCII is ASCII.
#[rustfmt::skip]
const TRANSPARENT: &[&str] = &[
    "latin", "iso-8859", "iso8859", "cp125", "windows-125", "koi8", "euc", "mac", "cp437", "cp850",
];

fn one_line_end(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'\r') {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().peekable();
    while let Some(byte) = bytes.next() {
        if *byte == b'\r' {
            out.push(b'\n');
            bytes.next_if(|next| **next == b'\n');
        } else {
            out.push(*byte);
        }
    }
    Cow::Owned(out)
}

/// The encoding that one of the first two lines declares (PEP 263), in lower case and with `-`.
fn declared(text: &[u8]) -> Option<String> {
    for line in text.split(|byte| *byte == b'\n').take(2) {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let comment = line.strip_prefix(b"#")?;
        let Some(at) = memchr::memmem::find(comment, b"coding") else { continue };
        let after = comment.get(at + b"coding".len()..).unwrap_or_default();
        let Some(name) = after.strip_prefix(b":").or_else(|| after.strip_prefix(b"=")) else { continue };
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        let name: Vec<u8> = name.trim_ascii_start().iter().copied().take_while(is_part).collect();
        return Some(String::from_utf8_lossy(&name).to_lowercase().replace('_', "-"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_that_hide_ascii_are_not_read() {
        assert!(text(b"#!/usr/bin/python\n# -*- coding: utf-8 -*-\n").unwrap().1);
        assert!(!text(b"# vim: set fileencoding=latin_1 :\n").unwrap().1);
        assert!(text(b"# coding: utf_7\n").is_none());
        assert!(text(b"x = 1\n# coding: utf_7\n").is_some());
        assert!(text(b"\n\n# coding: utf_7\n").is_some());
        assert_eq!(text(b"\xef\xbb\xbfa\r\nb\rc").unwrap().0.as_ref(), b"a\nb\nc");
    }
}
