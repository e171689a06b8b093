//! Versions of Python, and the ranges of them that hooks name.

use crate::model::python::Interpreter;

/// The version of an interpreter, as far as it is known.
pub(super) fn version(one: &Interpreter) -> Option<(u32, u32)> {
    one.version.as_deref().and_then(minor)
}

pub(super) fn minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    let number = |part: Option<&str>| part?.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
    Some((number(parts.next())?, number(parts.next())?))
}

/// Whether a range such as `<=3.12`, `3.13-3.14`, `>=3.15` or `2.7` holds a version.
pub(super) fn covers(range: &str, version: (u32, u32)) -> bool {
    let bound = |text: &str| minor(text);
    if let Some(last) = range.strip_prefix("<=") {
        return bound(last).is_none_or(|last| version <= last);
    }
    if let Some(first) = range.strip_prefix(">=") {
        return bound(first).is_none_or(|first| version >= first);
    }
    match range.split_once('-') {
        Some((first, last)) => {
            bound(first).is_none_or(|first| version >= first) && bound(last).is_none_or(|last| version <= last)
        }
        None => bound(range).is_none_or(|only| version == only),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_their_versions() {
        assert!(covers("<=3.12", (2, 7)) && covers("<=3.12", (3, 12)) && !covers("<=3.12", (3, 13)));
        assert!(covers("3.13-3.14", (3, 13)) && !covers("3.13-3.14", (3, 15)));
        assert!(covers(">=3.15", (3, 15)) && covers("2.7", (2, 7)) && !covers("2.7", (3, 7)));
        assert!(covers(">=2", (3, 8)));
    }
}
