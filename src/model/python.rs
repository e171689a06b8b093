//! What a host knows of Python: interpreters, environments, and the marks by which they are told. What is installed in
//! them is in `distribution.rs`.

use serde::Serialize;

use super::container::Container;
use super::id::Id;
use super::path::{self, TargetPath};
use super::time::Time;

/// Which file it is, whatever it is called: kept only for files of several names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileIdentity {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
}

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
    /// `include-system-site-packages`: whether the base's site directories, and the user's, are taken as well.
    pub has_system_sites: bool,
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

/// A folder that something other than a site directory or `pyvenv.cfg` shows to be the root of a Python environment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Prefix {
    /// The folder.
    pub path: TargetPath,
    /// What showed it.
    pub shown_by: PrefixMark,
    /// The folder that showed it: `conda-meta`, the standard library, or the root itself.
    pub folder: TargetPath,
    /// Which directory that is, whatever it is called.
    pub identity: Option<DirIdentity>,
    /// Where the interpreter lies that it speaks of, if elsewhere.
    pub base: Option<TargetPath>,
    /// The last change of what showed it.
    pub modified: Option<Time>,
    /// The owner of the folder.
    pub owner_uid: Option<u32>,
}

/// What shows a folder to be the root of an environment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PrefixMark {
    /// `conda-meta/`, conda's own list of what is installed.
    Conda,
    /// `pythonXY._pth` beside a Windows interpreter.
    Embeddable,
    /// `kernel.json` of Jupyter, which names an interpreter.
    Kernel,
    /// A standard library.
    Stdlib,
    /// The Windows registry (PEP 514).
    Registry,
}

impl PrefixMark {
    /// The kind of environment, where nothing says more.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Conda => "conda-env",
            Self::Embeddable => "embeddable",
            Self::Kernel => "jupyter",
            Self::Registry => "windows-installer",
            Self::Stdlib => "unknown",
        }
    }
}

/// What a file says of the version of an interpreter.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct VersionMark {
    /// The prefix of the interpreter that it speaks of.
    pub prefix: TargetPath,
    /// Which kind of source: the first is the most believable.
    pub source: VersionSource,
    /// Such as `3.11.7`.
    pub version: String,
}

/// A static source of an interpreter's version, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VersionSource {
    /// `build-details.json` (PEP 739).
    BuildDetails,
    /// `PY_VERSION` in `patchlevel.h`.
    Patchlevel,
    /// conda's record of the package `python`.
    CondaMeta,
    /// `pyvenv.cfg`: true when the environment was made.
    Pyvenv,
    /// The registry (PEP 514).
    Registry,
    /// The name of the folder that holds it, such as `versions/3.11.7`.
    Folder,
    /// A text inside the program.
    Program,
    /// The program's own name, or that of what it leads to.
    Name,
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
    pub version_source: Option<VersionSource>,
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
