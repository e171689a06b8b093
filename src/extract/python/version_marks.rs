//! What files say of an interpreter's version: `build-details.json` (PEP 739, CPython 3.14 and later) and `PY_VERSION` in
//! `patchlevel.h`, which lies in `include/pythonX.Y`, or in `include` on Windows. Neither needs the interpreter to run.

use serde::Deserialize;

use crate::extract::Extractor;
use crate::extract::input::Input;
use crate::extract::layout;
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Interest, NamePattern};
use crate::model::path::TargetPath;
use crate::model::python::{VersionMark, VersionSource};

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "python-versions",
        sentence: "Files that name the version of an interpreter (build-details.json, patchlevel.h).",
        ask: Ask::FileNames(&[NamePattern::Exact("build-details.json"), NamePattern::Exact("patchlevel.h")]),
    },
    cap: 64 << 10,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let is_header = input.candidate.name.eq_ignore_ascii_case(b"patchlevel.h");
    let folder = input.folder();
    let Some(prefix) = (if is_header { prefix_of_headers(&folder) } else { layout::prefix_of_library(&folder) }) else {
        return Harvest::default();
    };
    let content = match input.open_candidate().and_then(|file| input.read_open(file, input.cap)) {
        Ok(content) => content,
        // Another source will do.
        Err(why) => return Harvest::missed(input.gap(why).harmless()),
    };
    let (source, version) = if is_header {
        (VersionSource::Patchlevel, parse_patchlevel(&content.bytes))
    } else {
        (VersionSource::BuildDetails, parse_build_details(&content.bytes))
    };
    let mut harvest = Harvest::default();
    match version {
        Some(version) => harvest.facts.versions.push(VersionMark { prefix, source, version }),
        None => harvest.gaps.push(input.gap(GapReason::Malformed).because("it names no version").harmless()),
    }
    harvest
}

/// `PREFIX/include/python3.11`, `PREFIX\include`, `Python.framework/Versions/3.11/Headers`. Perl has a file of the same
/// name elsewhere.
fn prefix_of_headers(folder: &TargetPath) -> Option<TargetPath> {
    let above = folder.parent()?;
    let is_include = |path: &TargetPath| path.file_name().eq_ignore_ascii_case(b"include");
    if is_include(&above) && layout::is_versioned(folder.file_name()) {
        return above.parent();
    }
    (is_include(folder) || folder.file_name() == b"Headers").then_some(above)
}

/// The text behind `#define PY_VERSION`.
#[must_use]
pub fn parse_patchlevel(bytes: &[u8]) -> Option<String> {
    bytes.split(|byte| *byte == b'\n').find_map(|line| {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let is_it = words.next() == Some(b"#define") && words.next() == Some(b"PY_VERSION");
        let text = words.next().filter(|_| is_it)?.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        let text = std::str::from_utf8(text).ok()?.trim_end_matches('+');
        is_version(text).then(|| text.to_owned())
    })
}

/// `3.11.7`, `3.15.0a2`, `3.13.0rc1`: of a reasonable length, and nothing else.
#[must_use]
pub fn is_version(text: &str) -> bool {
    let is_part = |at: char| at.is_ascii_digit() || matches!(at, '.' | 'a' | 'b' | 'r' | 'c');
    (3..=24).contains(&text.len()) && text.starts_with(|at: char| at.is_ascii_digit()) && text.chars().all(is_part)
}

#[derive(Deserialize)]
struct BuildDetails {
    language: Language,
}

#[derive(Deserialize)]
struct Language {
    version: String,
    #[serde(default)]
    version_info: Option<VersionInfo>,
}

#[derive(Deserialize)]
struct VersionInfo {
    major: u32,
    minor: u32,
    micro: u32,
    #[serde(default)]
    releaselevel: String,
    #[serde(default)]
    serial: u32,
}

/// The version of the language, as exactly as the file has it.
#[must_use]
pub fn parse_build_details(bytes: &[u8]) -> Option<String> {
    let language = serde_json::from_slice::<BuildDetails>(bytes).ok()?.language;
    let version = match language.version_info {
        None => language.version,
        Some(VersionInfo { major, minor, micro, releaselevel, serial }) => {
            let letters = match releaselevel.as_str() {
                "alpha" => "a",
                "beta" => "b",
                "candidate" => "rc",
                _ => "",
            };
            let suffix = if letters.is_empty() { String::new() } else { format!("{letters}{serial}") };
            format!("{major}.{minor}.{micro}{suffix}")
        }
    };
    is_version(&version).then_some(version)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn headers_name_the_version() {
        let text = b"#define PY_MAJOR_VERSION 3\r\n/*--end constants--*/\n#define PY_VERSION \t\"3.11.7+\"\r\n";
        assert_eq!(parse_patchlevel(text).as_deref(), Some("3.11.7"));
        assert_eq!(parse_patchlevel(b"#define PERL_REVISION 5\n"), None);
        assert_eq!(parse_patchlevel(b"#define PY_VERSION \"three\"\n"), None);
    }

    #[test]
    fn build_details_name_the_version() {
        let text = br#"{"schema_version": "1.0", "language": {"version": "3.15", "version_info":
            {"major": 3, "minor": 15, "micro": 0, "releaselevel": "alpha", "serial": 2}}, "implementation": {}}"#;
        assert_eq!(parse_build_details(text).as_deref(), Some("3.15.0a2"));
        assert_eq!(parse_build_details(br#"{"language": {"version": "3.14"}}"#).as_deref(), Some("3.14"));
        assert_eq!(parse_build_details(br#"{"language": {"version": "\u001b[31m"}}"#), None);
        assert_eq!(parse_build_details(b"{}"), None);
    }

    #[test]
    fn headers_belong_to_the_prefix_above_them() {
        let prefix =
            |path: &str| prefix_of_headers(&TargetPath::new(path.as_bytes())).map(|path| path.to_text().into_owned());
        assert_eq!(prefix("/usr/include/python3.11").as_deref(), Some("/usr"));
        assert_eq!(prefix("/opt/p/include/pypy3.10").as_deref(), Some("/opt/p"));
        assert_eq!(prefix("C:\\Python312\\include").as_deref(), Some("C:\\Python312"));
        assert_eq!(prefix("/usr/lib/perl/5.36/CORE"), None);
        assert_eq!(prefix("/usr/include/postgresql"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let both = [parse_patchlevel(&bytes), parse_build_details(&bytes)];
            prop_assert!(both.into_iter().flatten().all(|version| is_version(&version)));
        }
    }
}
