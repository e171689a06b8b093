//! What is installed, cached or left over, by the metadata that names it.

use serde::{Deserialize, Serialize};

use super::container::Container;
use super::id::Id;
use super::path::{self, TargetPath};
use super::python::FileIdentity;
use super::record::{KnownRow, OwnedHook, RecordState, RecordSummary};
use super::text::Excerpt;
use super::time::Time;

/// The form of metadata that names a distribution.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MetadataForm {
    /// `NAME-VERSION.dist-info/`.
    DistInfo,
    /// `NAME-VERSION.egg-info/` or `NAME.egg-info/`.
    EggInfoDir,
    /// `NAME-VERSION.egg-info`, a plain file.
    EggInfoFile,
    /// `NAME-VERSION-pyX.Y.egg/`, an unpacked egg.
    EggDir,
    /// The same as a zip archive.
    EggZip,
    /// `NAME.egg-link`, a file that names a source tree.
    EggLink,
    /// `conda-meta/NAME-VERSION-BUILD.json`.
    CondaMeta,
    /// A package's own folder, without any metadata.
    Directory,
    /// `NAME-VERSION-PYTHON-ABI-PLATFORM.whl`, or the same under a cache's name.
    Wheel,
    /// An archive of sources, such as `NAME-VERSION.tar.gz`.
    Sdist,
    /// A package of conda, unpacked in its cache or as an archive.
    CondaPackage,
    /// A zip archive that Python runs: zipapp, pex, shiv.
    Zipapp,
    /// A program of PyInstaller.
    Frozen,
    /// A row of a lock or requirements file.
    Lockfile,
}

/// Whether a distribution can be imported where it lies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DistState {
    /// In a place that an interpreter imports from.
    Installed,
    /// The same, linked from a source tree.
    Editable,
    /// Downloaded: in a cache, unpacked or as an archive.
    Cached,
    /// In an archive that is no cache's.
    Embedded,
    /// Named by a lock or requirements file as what to install.
    Pinned,
    /// A leftover of an interrupted removal, or in the trash.
    Leftover,
    /// Only its metadata was fetched: a resolver looked at it. A fact, never a finding.
    Considered,
}

impl DistState {
    /// Whether an interpreter imports it.
    #[must_use]
    pub fn is_importable(self) -> bool {
        matches!(self, Self::Installed | Self::Editable)
    }

    /// Whether it says anything of what was here: what a resolver only looked at was not.
    #[must_use]
    pub fn is_evidence(self) -> bool {
        self != Self::Considered
    }

    /// Whether there is more of it than a name.
    #[must_use]
    pub fn is_here(self) -> bool {
        !matches!(self, Self::Considered | Self::Pinned)
    }

    /// The word the report uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Editable => "editable",
            Self::Cached => "cached",
            Self::Embedded => "embedded",
            Self::Pinned => "pinned",
            Self::Leftover => "leftover",
            Self::Considered => "considered",
        }
    }
}

/// An installed, cached or left-over distribution.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Distribution {
    /// Stable id.
    pub id: Id,
    /// The environment that holds it.
    pub environment: Option<Id>,
    /// Its name as its metadata writes it.
    pub name: String,
    /// The same by PEP 503.
    pub normalized: String,
    /// Its version as its metadata writes it; empty when nothing names one.
    pub version: String,
    /// Its metadata folder or file.
    #[serde(flatten)]
    pub path: TargetPath,
    /// Where it lies in that file, of what an archive holds: its metadata's folder, with `!/` behind each archive on the
    /// way.
    pub member: Option<Excerpt>,
    /// The form of that metadata.
    pub metadata: MetadataForm,
    /// Whether it can be imported there.
    pub state: DistState,
    /// The content of INSTALLER.
    pub installer: Option<Excerpt>,
    /// When the metadata folder was last changed: the nearest the disk has to an install time.
    pub installed_at: Option<Time>,
    /// Where it came from, redacted.
    pub source_url: Option<Excerpt>,
    /// The source tree that it is linked to, links followed: of editable installs only.
    pub source: Option<TargetPath>,
    /// SHA-256 of the archive that it comes from, lower-case hex; of a lock file's row those of all archives that may be
    /// taken. None where nobody says, and none was worked out.
    pub hashes: Vec<String>,
    /// What RECORD says.
    pub record: RecordSummary,
    /// Name and version as the folder's name has them, where metadata says something else.
    pub folder_says: Option<Box<FolderSays>>,
    /// Other paths of the same folder: bind mounts.
    pub also_at: Vec<TargetPath>,
    /// In a container layer: what takes it away in every known image and container that has the layer.
    #[serde(serialize_with = "path::as_text_option")]
    pub hidden_by: Option<TargetPath>,
    /// In a container layer: those of its images and containers that still show it, where others do not.
    pub shown_by: Option<Box<Container>>,
    /// The line of its metadata that names the version, counted from 1; for evidence, not for the report.
    #[serde(skip)]
    pub version_line: Option<u32>,
    /// The start-up files it owns; for the join, not for the report.
    #[serde(skip)]
    pub hooks: Vec<OwnedHook>,
    /// Rows of its RECORD that name known payloads; for the judgement.
    #[serde(skip)]
    pub known_rows: Vec<KnownRow>,
    /// Of a folder without metadata: whether some RECORD beside it lists files in it.
    #[serde(skip)]
    pub is_claimed: bool,
    /// Which file its metadata is, where that file has several names.
    #[serde(skip)]
    pub linked: Option<FileIdentity>,
}

fn bounded(text: &str) -> String {
    text.chars().take(LONGEST_NAME).collect()
}

/// What every distribution has.
pub struct Basics<'a> {
    /// Its metadata folder or file; of one in an archive or a lock file the file that holds or names it.
    pub path: TargetPath,
    /// Where in that file, of what an archive holds.
    pub member: Option<&'a [u8]>,
    /// In which form.
    pub form: MetadataForm,
    /// In which state.
    pub state: DistState,
    /// As written.
    pub name: &'a str,
    /// As written; empty where nothing says it.
    pub version: &'a str,
}

/// Longest name or version that is kept, in characters; no index takes longer ones. They are compared with the packs, so
/// they are neither redacted nor cut like text that is only shown: a long local part must not make `1.82.7+…` another
/// version.
const LONGEST_NAME: usize = 1024;

impl Distribution {
    /// One of which nothing else is known yet.
    #[must_use]
    pub fn new(basics: Basics<'_>) -> Self {
        let Basics { path, member, form, state, name, version } = basics;
        let (name, version) = (bounded(name), bounded(version));
        let normalized = normalize_name(&name);
        let mut parts = vec![path.as_bytes(), normalized.as_bytes(), version.as_bytes()];
        parts.extend(member);
        Self {
            id: Id::new("dist", &parts),
            environment: None,
            name,
            version,
            member: member.map(Excerpt::of),
            metadata: form,
            state,
            installer: None,
            installed_at: None,
            source_url: None,
            source: None,
            hashes: Vec::new(),
            record: RecordSummary::of(RecordState::Absent),
            folder_says: None,
            also_at: Vec::new(),
            hidden_by: None,
            shown_by: None,
            version_line: None,
            hooks: Vec::new(),
            known_rows: Vec::new(),
            is_claimed: false,
            linked: None,
            normalized,
            path,
        }
    }

    /// The site directory that it lies in; none for what conda lists, and for what is only stored or named.
    #[must_use]
    pub fn site(&self) -> Option<TargetPath> {
        let folder = self.path.parent().filter(|_| !self.is_in_archive())?;
        match self.metadata {
            MetadataForm::CondaMeta
            | MetadataForm::Wheel
            | MetadataForm::Sdist
            | MetadataForm::CondaPackage
            | MetadataForm::Zipapp
            | MetadataForm::Frozen
            | MetadataForm::Lockfile => None,
            MetadataForm::Directory if folder.file_name() == b"__pycache__" => folder.parent(),
            _ => Some(folder),
        }
    }

    /// Whether its metadata lies in a file that holds more than that.
    #[must_use]
    pub fn is_in_archive(&self) -> bool {
        self.member.is_some() || self.state == DistState::Embedded
    }

    /// The folder whose environment it belongs to: its site directory, or `conda-meta`.
    #[must_use]
    pub fn home(&self) -> Option<TargetPath> {
        self.site().or_else(|| self.path.parent())
    }
}

/// Name and version by the name of the metadata folder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct FolderSays {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
}

impl FolderSays {
    /// The same within the bounds of a report.
    #[must_use]
    pub fn bounded(&self) -> Self {
        Self { name: bounded(&self.name), version: bounded(&self.version) }
    }
}

/// A distribution's name as PEP 503 compares it: lower case, runs of `-`, `_` and `.` become one `-`.
#[must_use]
pub fn normalize_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for letter in name.trim().chars() {
        if matches!(letter, '-' | '_' | '.') {
            if !out.ends_with('-') {
                out.push('-');
            }
        } else {
            out.extend(letter.to_lowercase());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_by_pep_503() {
        assert_eq!(normalize_name("LiteLLM"), "litellm");
        assert_eq!(normalize_name("lite__.-LLM"), "lite-llm");
        assert_ne!(normalize_name("lite-llm"), normalize_name("litellm"));
    }
}
