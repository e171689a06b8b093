//! Versions by PEP 440, and what is done with text that is none.

use std::str::FromStr as _;

use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};

/// How a version on disk compares with the versions of an indicator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Match {
    /// By PEP 440: epoch, leading zeros, `v`, trailing zeros and the local part do not matter as the PEP says.
    Equal,
    /// The text is no version; it is the same text.
    SameText,
    /// Different.
    No,
}

/// What marks a text in a pack that no parser takes for a version: PEP 440's arbitrary equality.
pub const RAW: &str = "===";

/// Whether a text of a pack's `versions` is a range, such as `>=1.0,<1.4`, and no single version.
#[must_use]
pub fn is_range(text: &str) -> bool {
    text.trim_start().starts_with(['<', '>', '~', '!'])
}

/// Whether `text` may stand in a pack's `versions`: a version, a range of them, or a text that is marked as none.
#[must_use]
pub fn is_valid(text: &str) -> bool {
    if is_range(text) {
        return is_valid_specifier(text);
    }
    match text.trim().strip_prefix(RAW) {
        Some(raw) => !raw.trim().is_empty(),
        None => Version::from_str(text.trim()).is_ok(),
    }
}

/// Whether `text` is a version specifier, such as `>=1.2,<2`.
#[must_use]
pub fn is_valid_specifier(text: &str) -> bool {
    VersionSpecifiers::from_str(text).is_ok_and(|all| !all.is_empty())
}

/// Compares a version on disk with a bad one: the public version decides, so `1.82.7+anything` is 1.82.7.
#[must_use]
pub fn compare(found: &str, bad: &str) -> Match {
    let bad = bad.trim();
    if is_range(bad) {
        return if is_within(found, bad) { Match::Equal } else { Match::No };
    }
    let bad = bad.strip_prefix(RAW).map_or(bad, str::trim);
    match (parse(found), Version::from_str(bad.trim())) {
        (Some(found), Ok(bad)) => {
            let found = if bad.is_local() { found } else { found.without_local() };
            if found == bad { Match::Equal } else { Match::No }
        }
        _ if found.trim().eq_ignore_ascii_case(bad.trim()) => Match::SameText,
        _ => Match::No,
    }
}

/// Whether a version on disk lies within a specifier. Text that is no version lies in none.
#[must_use]
pub fn is_within(found: &str, specifier: &str) -> bool {
    match (parse(found), VersionSpecifiers::from_str(specifier)) {
        (Some(found), Ok(all)) => all.iter().all(|one| holds(one, &found)),
        _ => false,
    }
}

/// Whether one clause holds, as pip's library takes PEP 440. `VersionSpecifier::contains` is not asked: it takes `2` for one
/// of `==2.7.*`, and leaves `2.0b1` out of `<2.0rc1` and `2.0.post1` out of `>2.0rc1`.
fn holds(clause: &VersionSpecifier, found: &Version) -> bool {
    let bad = clause.version();
    let public = found.clone().without_local();
    let named = if bad.is_local() { found } else { &public };
    match clause.operator() {
        Operator::Equal => named == bad,
        Operator::NotEqual => named != bad,
        Operator::EqualStar => begins(&public, bad, bad.release().len()),
        Operator::NotEqualStar => !begins(&public, bad, bad.release().len()),
        Operator::TildeEqual => public >= *bad && begins(&public, bad, bad.release().len().saturating_sub(1)),
        Operator::LessThanEqual => public <= *bad,
        Operator::GreaterThanEqual => public >= *bad,
        // What comes before a version in its own name is none that comes before it.
        Operator::LessThan if bad.any_prerelease() => public < *bad,
        Operator::LessThan => public < bad.clone().with_dev(Some(0)),
        Operator::GreaterThan => public > *bad && !is_post_of(&public, bad),
        // Arbitrary equality, of which no more is kept here than that zeros at the end count.
        _ => found.to_string() == bad.to_string(),
    }
}

/// Whether the first `many` numbers are the same. Numbers that are not written are zeros.
fn begins(found: &Version, bad: &Version, many: usize) -> bool {
    let numbers = found.release().iter().chain(std::iter::repeat(&0));
    found.epoch() == bad.epoch() && bad.release().iter().zip(numbers).take(many).all(|(bad, found)| bad == found)
}

/// Whether a version is a later edition of that very version, which `>` leaves out.
fn is_post_of(found: &Version, bad: &Version) -> bool {
    let plain = |one: &Version| one.clone().with_post(None).with_dev(None);
    found.is_post() && !bad.is_post() && !bad.is_dev() && plain(found) == plain(bad)
}

/// A version as disks have it. File names have `_` where the version has `-`, or the `+` of a local part.
fn parse(found: &str) -> Option<Version> {
    let found = found.trim();
    Version::from_str(found)
        .or_else(|_| Version::from_str(&found.replace('_', "-")))
        .or_else(|_| Version::from_str(&found.replacen('_', "+", 1)))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_version_in_other_words() {
        for same in [
            "1.82.7",
            "1.82.07",
            "v1.82.7",
            "V1.82.7",
            " 1.82.7\n",
            "0!1.82.7",
            "1.82.7.0",
            "1.82.7+local",
            "1.82.7+corp.1",
            "1.82.7_corp.1",
        ] {
            assert_eq!(compare(same, "1.82.7"), Match::Equal, "{same}");
        }
    }

    #[test]
    fn other_versions_that_look_alike() {
        for other in [
            "1.82.7.post1",
            "1.82.7-1",
            "1.82.70",
            "1.82.7rc1",
            "1!1.82.7",
            "1.82.6",
            "1.82.7.dev1",
            "1_82_7",
            "1.82.7_1",
            "",
        ] {
            assert_eq!(compare(other, "1.82.7"), Match::No, "{other}");
        }
    }

    #[test]
    fn text_that_is_no_version_is_compared_as_text() {
        assert_eq!(compare("1.82.7-custom", "1.82.7-custom"), Match::SameText);
        assert_eq!(compare("1.82.7-Custom", "1.82.7"), Match::No);
        assert!(!is_valid("1.82.7-custom"));
    }

    #[test]
    fn specifiers_follow_pep_440() {
        assert!(is_within("0.23.3", "==0.23.3"));
        assert!(is_within("2.6.1", ">=2.6.0,<=2.6.2"));
        assert!(!is_within("nonsense", ">=0"));
        assert!(is_within("2.0b1", "<2.0rc1") && !is_within("2.0b1", "<2.0") && is_within("2.0.dev1", "<2.0.post1"));
        assert!(
            is_within("2.0.post1", ">2.0rc1") && !is_within("2.0rc1.post1", ">2.0rc1") && !is_within("2.0.post1", ">2")
        );
        assert!(!is_within("2", "==2.7.*") && is_within("2", "!=2.7.*") && is_within("2", "==2.0.*"));
        assert!(
            is_within("2.7.dev1+corp", "==2.7.*") && is_within("2.9+corp", "~=2.7") && !is_within("3.dev1", "~=2.7")
        );
        assert!(is_within("2.0+corp", "<=2.0") && !is_within("2.0+corp", ">2.0") && !is_within("2.0", "==2.0+corp"));
        assert!(is_valid_specifier(">=1,<2") && !is_valid_specifier("") && !is_valid_specifier("about 2"));
    }
}
