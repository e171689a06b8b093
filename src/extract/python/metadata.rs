//! From a metadata folder or file to a distribution: what the headers say, what the folder's name says, and which of the
//! two to believe (both, where they disagree).

use std::str::FromStr as _;

use pep440_rs::Version;

use crate::extract::format::headers::{self, Headers};
use crate::extract::format::names;
use crate::extract::input::Input;
use crate::model::coverage::{Gap, GapReason};
use crate::model::distribution::{Basics, DistState, Distribution, FolderSays, MetadataForm};
use crate::model::facts::Harvest;
use crate::model::path::TargetPath;
use crate::model::python::FileIdentity;
use crate::model::time::Time;
use crate::target::dir::Dir;

/// Most bytes of a header block; descriptions follow after it and are not read.
pub const HEADER_CAP: u64 = 1 << 20;

/// Enough for the headers of nearly every distribution in one read.
const FIRST_READ: u64 = 8 << 10;

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
    let is_leftover = around.path.file_name().starts_with(b"~");
    let disagrees = !is_leftover && names::disagree(&folder, &name, &version);
    let basics = Basics {
        path: around.path,
        member: None,
        form: around.form,
        state: if is_leftover { DistState::Leftover } else { DistState::Installed },
        name: &name,
        version: &version,
    };
    Distribution {
        installed_at: around.changed,
        folder_says: disagrees.then(|| Box::new(folder.bounded())),
        version_line: headers.version_line,
        ..Distribution::new(basics)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::format::names::parse_folder_name;

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
