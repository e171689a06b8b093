//! From a metadata folder or file to a distribution: what the headers say, what the folder's name says, and which of the
//! two to believe (both, where they disagree).

use std::str::FromStr as _;

use pep440_rs::Version;

use crate::extract::format::headers::{self, Headers};
use crate::extract::input::Input;
use crate::model::coverage::{Gap, GapReason};
use crate::model::distribution::{
    DistState, Distribution, FolderSays, MetadataForm, RecordState, RecordSummary, normalize_name,
};
use crate::model::facts::Harvest;
use crate::model::id::Id;
use crate::model::path::TargetPath;
use crate::model::python::FileIdentity;
use crate::model::time::Time;
use crate::target::dir::Dir;

/// Most bytes of a header block; descriptions follow after it and are not read.
pub const HEADER_CAP: u64 = 1 << 20;

/// Longest name or version that is kept, in characters. File names end at 255 bytes; no index takes longer ones.
const LONGEST_NAME: usize = 1024;

/// Enough for the headers of nearly every distribution in one read.
const FIRST_READ: u64 = 8 << 10;

/// Name and version by the name of the folder or file: split at the last `-` (installers write `-` inside either as
/// `_`), `-pyX.Y` and the like dropped.
#[must_use]
pub fn parse_folder_name(stem: &[u8]) -> FolderSays {
    let text = String::from_utf8_lossy(stem);
    let text = without_python_tag(&text).unwrap_or(&text);
    match text.rsplit_once('-') {
        Some((name, version)) if !name.is_empty() => FolderSays { name: name.to_owned(), version: version.to_owned() },
        _ => FolderSays { name: text.to_owned(), version: String::new() },
    }
}

/// Whether a name is built as setuptools names eggs: `NAME-VERSION-pyX.Y`, with or without a platform.
#[must_use]
pub fn is_egg_name(stem: &[u8]) -> bool {
    without_python_tag(&String::from_utf8_lossy(stem)).is_some_and(|text| text.contains('-'))
}

fn without_python_tag(text: &str) -> Option<&str> {
    let at = text.rfind("-py")?;
    text.get(at + 3..).filter(|tag| is_python_tag(tag)).and_then(|_| text.get(..at))
}

/// `3.8`, `3.11-linux-x86_64`, `2`.
fn is_python_tag(text: &str) -> bool {
    text.starts_with(|at: char| at.is_ascii_digit())
        && text.split('-').next().is_some_and(|tag| tag.chars().all(|at| at.is_ascii_digit() || at == '.'))
}

/// What a file of headers said.
#[derive(Default)]
pub struct Told {
    /// The headers.
    pub headers: Headers,
    /// Which file it is, if it has several names.
    pub linked: Option<FileIdentity>,
    /// What was missed.
    pub gap: Option<Gap>,
}

/// Reads the header block of `name` in `dir`. A miss is harmless where the folder's name says enough, and a gap in any
/// case.
pub fn read_headers(input: &Input<'_>, dir: &Dir, folder: &TargetPath, name: &[u8]) -> Told {
    let path = folder.join(name);
    let mut first = FIRST_READ;
    loop {
        let opened = input.open_to_judge(dir, folder, name);
        match opened.and_then(|file| input.read_open(file, first)) {
            Ok(content) => {
                let mut found = headers::parse(&content.bytes, content.whole);
                if content.is_elsewhere {
                    keep_plain(&mut found);
                }
                if found.is_settled() {
                    let lacks = (found.name.is_none() || found.version.is_none())
                        .then_some("it does not name both a name and a version");
                    let gap = found.fault.or(lacks).map(|fault| {
                        input.gap_at(path, GapReason::Malformed).because(format!("{fault}; the folder's name was used"))
                    });
                    return Told { headers: found, linked: content.stat.linked(), gap };
                }
                if first == HEADER_CAP {
                    let gap = input.gap_at(path, GapReason::TooLarge);
                    let gap = Some(gap.because("its headers do not end within 1 MiB"));
                    return Told { headers: found, linked: content.stat.linked(), gap };
                }
                first = HEADER_CAP;
            }
            Err(why) => {
                let gap = input.gap_at(path, why).because("the folder's name was used");
                return Told { gap: Some(gap), ..Told::default() };
            }
        }
    }
}

/// Behind a link of another name may lie anything: only what can be nothing but a name and a version is shown.
fn keep_plain(headers: &mut Headers) {
    let is_plain =
        |text: &String| text.len() <= 64 && text.bytes().all(|at| at.is_ascii_alphanumeric() || b"._-".contains(&at));
    headers.name = headers.name.take().filter(is_plain);
    headers.version = headers.version.take().filter(|text| Version::from_str(text).is_ok() && text.len() <= 32);
}

/// A miss is harmless where headers or folder name give both name and version; headers that go on beyond the cap could
/// still name another distribution.
#[must_use]
pub fn settle(gap: Gap, headers: &Headers, folder: &FolderSays) -> Gap {
    let complete = headers.name.is_some() && headers.version.is_some();
    let hides = match gap.reason {
        GapReason::TooLarge | GapReason::Exhausted => !complete,
        // `~ame-1.0` does not say which name was there.
        _ => !complete && (folder.version.is_empty() || folder.name.is_empty() || folder.name.starts_with('~')),
    };
    Gap { material: hides, ..gap }
}

/// What is known beside name and version.
pub struct Around {
    /// The metadata folder or file.
    pub path: TargetPath,
    /// Its form.
    pub form: MetadataForm,
    /// Its last change.
    pub changed: Option<Time>,
}

/// Puts a distribution together. The headers name it; the folder's name helps out, and is kept where it says otherwise.
#[must_use]
pub fn distribution(around: Around, headers: &Headers, folder: FolderSays) -> Distribution {
    let name = headers.name.clone().unwrap_or_else(|| folder.name.clone());
    let version = headers.version.clone().unwrap_or_else(|| folder.version.clone());
    let normalized = normalize_name(&name);
    let is_leftover = around.path.file_name().starts_with(b"~");
    let disagrees = !is_leftover
        && (normalize_name(&folder.name) != normalized
            || (!folder.version.is_empty() && plain(&folder.version) != plain(&version)));
    Distribution {
        id: Id::new("dist", &[around.path.as_bytes(), normalized.as_bytes(), version.as_bytes()]),
        environment: None,
        name: bounded(&name),
        normalized: bounded(&normalized),
        version: bounded(&version),
        path: around.path,
        metadata: around.form,
        state: if is_leftover { DistState::Leftover } else { DistState::Installed },
        installer: None,
        installed_at: around.changed,
        source_url: None,
        source: None,
        record: RecordSummary::of(RecordState::Absent),
        folder_says: disagrees
            .then(|| Box::new(FolderSays { name: bounded(&folder.name), version: bounded(&folder.version) })),
        also_at: Vec::new(),
        hidden_by: None,
        shown_by: None,
        version_line: headers.version_line,
        hooks: Vec::new(),
        known_rows: Vec::new(),
        is_claimed: false,
        linked: None,
    }
}

/// Keeps a distribution, with what must be said of its version. A folder called just `.dist-info` whose METADATA names
/// nothing is none.
pub fn keep(input: &Input<'_>, found: Distribution, harvest: &mut Harvest) {
    if !found.normalized.trim_matches(['~', '-']).is_empty() {
        harvest.gaps.extend(unreadable_version(input, &found));
        harvest.facts.distributions.push(found);
    }
}

/// A version that no rule of PEP 440 reads, of a package that some pack names: it is compared as text, and whoever reads
/// the report must know that it was.
fn unreadable_version(input: &Input<'_>, found: &Distribution) -> Option<Gap> {
    let is_watched = input.watch.packages.contains(&found.normalized);
    let is_version = Version::from_str(found.version.trim()).is_ok();
    (is_watched && !is_version && !found.version.is_empty()).then(|| {
        let detail = format!("`{}` is no version by PEP 440; it was compared as text", found.version);
        input.gap_at(found.path.clone(), GapReason::Malformed).because(detail).harmless()
    })
}

/// Names and versions are compared with the packs, so they are neither redacted nor cut like text that is only shown:
/// a long local part must not make `1.82.7+…` another version. They are bounded all the same.
fn bounded(text: &str) -> String {
    text.chars().take(LONGEST_NAME).collect()
}

/// A version without the differences that file names bring with them.
fn plain(version: &str) -> String {
    version
        .trim()
        .trim_start_matches(['v', 'V'])
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(stem: &str) -> (String, String) {
        let says = parse_folder_name(stem.as_bytes());
        (says.name, says.version)
    }

    #[test]
    fn folder_names_are_split_at_the_last_dash() {
        let both = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        assert_eq!(split("litellm-1.82.8"), both("litellm", "1.82.8"));
        assert_eq!(split("litellm-1!1.82.7"), both("litellm", "1!1.82.7"));
        assert_eq!(split("PyGObject-3.42.2"), both("PyGObject", "3.42.2"));
        assert_eq!(split("six-1.0-py3.8"), both("six", "1.0"));
        assert_eq!(split("numpy-1.0-py3.8-linux-x86_64"), both("numpy", "1.0"));
        assert_eq!(split("cryptography"), both("cryptography", ""));
        assert_eq!(split("x-python-y"), both("x-python", "y"));
    }

    #[test]
    fn eggs_are_known_by_their_names() {
        for (stem, expected) in [
            ("six-1.0-py3.8", true),
            ("numpy-1.0-py2.7-linux-x86_64", true),
            ("six-1.0", false),
            ("six-py3", false),
            ("chicken", false),
            ("x-1.0-python", false),
        ] {
            assert_eq!(is_egg_name(stem.as_bytes()), expected, "{stem}");
        }
    }

    #[test]
    fn a_long_local_part_hides_no_version() {
        let around = Around { path: TargetPath::new(b"/s/x.dist-info"), form: MetadataForm::DistInfo, changed: None };
        let text = format!("Name: litellm\nVersion: 1.82.7+{}\n\n", "a".repeat(300));
        let found = distribution(around, &headers::parse(text.as_bytes(), true), parse_folder_name(b"x"));
        assert_eq!(found.version.len(), 307);
    }

    #[test]
    fn headers_win_and_the_folders_other_opinion_is_kept() {
        let around = |path: &[u8]| Around { path: TargetPath::new(path), form: MetadataForm::DistInfo, changed: None };
        let headers = headers::parse(b"Name: litellm\nVersion: 1.82.8\n\n", true);
        let agree =
            distribution(around(b"/s/litellm-1.82.8.dist-info"), &headers, parse_folder_name(b"litellm-1.82.8"));
        assert_eq!(agree.folder_says, None);
        let other =
            distribution(around(b"/s/litellm-1.82.6.dist-info"), &headers, parse_folder_name(b"litellm-1.82.6"));
        assert_eq!(other.version, "1.82.8");
        assert_eq!(other.folder_says.unwrap().version, "1.82.6");
        let left = distribution(around(b"/s/~itellm-1.82.8.dist-info"), &headers, parse_folder_name(b"~itellm-1.82.8"));
        assert_eq!((left.state, left.folder_says), (DistState::Leftover, None));
    }
}
