//! What a host knows of Python: interpreters, environments, distributions.

use serde::Serialize;

use super::id::Id;
use super::path::{self, TargetPath};
use super::text::Excerpt;
use super::time::Time;

/// What makes a directory this directory and not a look-alike under the same numbers: device and inode can repeat on
/// overlay and network file systems, so the time of change belongs to it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DirIdentity {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Time of the last change of its entries, in nanoseconds since 1970.
    pub changed: i128,
}

/// A `pyvenv.cfg` (PEP 405): the mark of a virtual environment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct VenvConfig {
    /// The folder that holds it.
    pub prefix: TargetPath,
    /// `home`: where the base interpreter lies.
    pub home: Option<TargetPath>,
    /// `version` or `version_info`.
    pub version: Option<String>,
    /// uv-venv, virtualenv or venv, by the keys its maker writes.
    pub kind: &'static str,
    /// Whether a `bin`, `Scripts` or `lib` folder lies beside it: without one it is a leftover or a template.
    pub has_layout: bool,
    /// `lib64`, where it is a link to `lib`: the same folder under a second name.
    pub lib64_alias: bool,
    /// The file's last modification.
    pub modified: Option<Time>,
    /// Which directory the folder is, whatever it is called.
    pub identity: Option<DirIdentity>,
    /// Other paths of the same folder: bind mounts.
    pub also_at: Vec<TargetPath>,
}

/// A directory from which Python packages are imported, or that looks like one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SiteDir {
    /// Where.
    pub path: TargetPath,
    /// Which directory it is, whatever it is called; none where the system would not say.
    pub identity: Option<DirIdentity>,
    /// Its owner.
    pub owner_uid: Option<u32>,
    /// Whether the folder above it is a standard library (`os.py` beside it).
    pub has_stdlib: bool,
    /// The `site-packages` that is a link to it: then that path says what it is.
    pub known_as: Option<TargetPath>,
}

/// A Python program on disk.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Interpreter {
    /// Stable id.
    pub id: Id,
    /// Where its name lies.
    #[serde(flatten)]
    pub path: TargetPath,
    /// What the name leads to; none for a link that leads nowhere.
    #[serde(serialize_with = "path::as_text_option")]
    pub real_path: Option<TargetPath>,
    /// cpython, pypy, graalpy, or script for a wrapper.
    pub implementation: &'static str,
    /// Its version, as far as the disk says.
    pub version: Option<String>,
    /// Which static source gave the version.
    pub version_source: Option<&'static str>,
    /// The kind of the environment it belongs to.
    pub kind: &'static str,
    /// Whose it is.
    pub account: Option<String>,
    /// The environments that start it.
    pub environments: Vec<Id>,
}

/// One place that has its own set of distributions.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Environment {
    /// Stable id.
    pub id: Id,
    /// Its root, such as the folder of `pyvenv.cfg`.
    #[serde(flatten)]
    pub path: TargetPath,
    /// One of the kinds of the contract.
    pub kind: &'static str,
    /// Its Python version, where the disk says.
    pub python_version: Option<String>,
    /// Its site directories.
    pub site_dirs: Vec<TargetPath>,
    /// The folder of the interpreter it was made from.
    #[serde(serialize_with = "path::as_text_option")]
    pub base: Option<TargetPath>,
    /// Whose it is.
    pub account: Option<String>,
    /// The owner of its site directory.
    pub owner_uid: Option<u32>,
    /// When it was made, as far as its own files say.
    pub created: Option<Time>,
    /// The container it belongs to; none outside container stores.
    pub container: Option<Container>,
    /// What made or holds it, where that is more than the kind says.
    pub tool: Option<String>,
    /// Other paths of its site directories: `lib64`, bind mounts.
    pub also_at: Vec<TargetPath>,
}

/// The container or image layer that holds an environment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Container {
    /// docker, containerd, podman.
    pub engine: &'static str,
    /// The layer's or snapshot's id.
    pub id: String,
    /// The image, where the engine's own files name it.
    pub image: Option<String>,
    /// The container's name.
    pub name: Option<String>,
}

/// The form of metadata that names a distribution.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
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
    /// `NAME-VERSION-pyX.Y.egg`, a zipped egg.
    EggZip,
}

/// Whether a distribution can be imported where it lies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DistState {
    /// In a place that an interpreter imports from.
    Installed,
    /// The same, linked from a source tree.
    Editable,
    /// Unpacked in a cache.
    Cached,
    /// A leftover of an interrupted removal, or in the trash.
    Leftover,
}

impl DistState {
    /// Whether an interpreter imports it.
    #[must_use]
    pub fn is_importable(self) -> bool {
        matches!(self, Self::Installed | Self::Editable)
    }

    /// The word the report uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Editable => "editable",
            Self::Cached => "cached",
            Self::Leftover => "leftover",
        }
    }
}

/// How far RECORD was compared with the disk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordState {
    /// It is there and readable; its rows were not compared with the files.
    Unverified,
    /// There is none.
    Absent,
    /// It is there and could not be read.
    Unreadable,
}

/// What RECORD says, in numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct RecordSummary {
    /// How far it was compared.
    pub state: RecordState,
    /// Rows compared with the disk.
    pub checked: u64,
    /// Of those, changed.
    pub modified: u64,
    /// Of those, not there.
    pub missing: u64,
    /// Files that no row lists.
    pub extra: u64,
}

/// A start-up file that a RECORD lists, with the hash it should have.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct OwnedHook {
    /// Its name in the site directory.
    pub name: Vec<u8>,
    /// The SHA-256 of the row, lower-case hex, where it has one.
    pub sha256: Option<String>,
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
    /// What RECORD says.
    pub record: RecordSummary,
    /// Name and version as the folder's name has them, where metadata says something else.
    pub folder_says: Option<FolderSays>,
    /// Other paths of the same folder: bind mounts.
    pub also_at: Vec<TargetPath>,
    /// The line of its metadata that names the version, counted from 1; for evidence, not for the report.
    #[serde(skip)]
    pub version_line: Option<u32>,
    /// The start-up files it owns; for the join, not for the report.
    #[serde(skip)]
    pub hooks: Vec<OwnedHook>,
}

/// Name and version by the name of the metadata folder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct FolderSays {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
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
