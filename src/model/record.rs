//! What RECORD says of a distribution's files (recording installed distributions specification), and what of it is not so.

use serde::{Serialize, Serializer};

use super::path::TargetPath;
use super::time::Time;

/// How far RECORD was compared with the disk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordState {
    /// Its rows were compared with the disk, and every file that is there is what its row says.
    Verified,
    /// Its rows were compared with the disk, and a file is another, or one was added that Python would take instead.
    Modified,
    /// It is there and readable; its rows were not compared with the files.
    Unverified,
    /// There is none.
    Absent,
    /// It is there and could not be read.
    Unreadable,
}

/// What RECORD says, in numbers, and what is not as it says.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct RecordSummary {
    /// How far it was compared.
    pub state: RecordState,
    /// Rows compared with the disk.
    pub checked: u32,
    /// Of those, changed.
    pub modified: u32,
    /// Of those, not there.
    pub missing: u32,
    /// Files in the folders of the distribution that no row of any distribution lists.
    pub extra: u32,
    /// Rows or files that could not be compared: unreadable, or with a hash that is not SHA-256.
    pub unchecked: u32,
    /// The files behind `modified`, `missing` and `extra`, changed code first; the report shows 200.
    #[serde(serialize_with = "first_changes")]
    pub changes: Vec<Change>,
}

fn first_changes<S: Serializer>(all: &[Change], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(all.iter().take(200))
}

impl RecordSummary {
    /// What is known of a RECORD before its rows are compared with the disk.
    #[must_use]
    pub fn of(state: RecordState) -> Self {
        Self { state, checked: 0, modified: 0, missing: 0, extra: 0, unchecked: 0, changes: Vec::new() }
    }
}

/// A file that is not as RECORD says.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Change {
    /// Where.
    #[serde(flatten)]
    pub path: TargetPath,
    /// In what way.
    pub what: ChangeKind,
    /// Whether Python would run it at its start, or when something of the package is imported.
    pub runs: bool,
    /// Its last modification; none for what is missing.
    pub modified: Option<Time>,
    /// Lower-case hex of what lies there now, where that was read.
    pub sha256: Option<String>,
}

impl Change {
    /// Whether Python gets something else than what RECORD lists; what is missing or merely added is not that.
    #[must_use]
    pub fn is_other(&self) -> bool {
        match self.what {
            ChangeKind::Changed | ChangeKind::Shadows | ChangeKind::UncheckedBytecode | ChangeKind::ForeignBytecode => {
                true
            }
            ChangeKind::Missing | ChangeKind::Added => false,
        }
    }
}

/// In what way a file differs from RECORD.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// Its content is not what the row says.
    Changed,
    /// It is not there.
    Missing,
    /// No row lists it.
    Added,
    /// No row lists it, and Python would import it instead of a file that one does.
    Shadows,
    /// Bytecode that Python runs without ever comparing it with the source beside it.
    UncheckedBytecode,
    /// Bytecode that Python runs instead of a source that it was not made of.
    ForeignBytecode,
}

/// A row of RECORD whose hash is that of a known payload.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct KnownRow {
    /// The file, as far as the row's path stays within the environment; else RECORD itself.
    pub path: TargetPath,
    /// Lower-case hex.
    pub sha256: String,
    /// The row, counted from 1.
    pub line: u32,
}

/// A start-up file that a RECORD or conda lists, with the hash it should have.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct OwnedHook {
    /// Where it should lie.
    pub path: TargetPath,
    /// The SHA-256 of the row, lower-case hex, where it has one.
    pub sha256: Option<String>,
}
