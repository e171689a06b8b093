//! What was seen and what was missed. A miss is a value in the report, never a line in a log.

use serde::{Serialize, Serializer};

use super::path::TargetPath;

/// Why something was not looked at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum GapReason {
    /// The system refused to open it.
    PermissionDenied,
    /// It is larger than the check reads, and the answer could lie beyond.
    TooLarge,
    /// It does not have the form that its name promises.
    Malformed,
    /// A file that belongs there is not there.
    Missing,
    /// It was listed and gone when opened.
    Vanished,
    /// More than 40 links, or links in a circle.
    LinkLoop,
    /// A link whose target does not exist.
    DanglingLink,
    /// A link to a file of another name, or of an account that the link's owner may not read.
    LinkElsewhere,
    /// A FIFO, device or socket: never opened.
    NotRegular,
    /// The system ran out of a resource, such as open files.
    Exhausted,
    /// The reader crashed; the sweep went on.
    Crashed,
    /// A network, FUSE or placeholder tree that was not entered.
    Network,
    /// A file that was named, and that no check reads.
    Unchecked,
    /// The system answered with another error.
    Unreadable,
}

impl GapReason {
    /// Every reason, for `explain` and the documents.
    pub const ALL: [Self; 14] = [
        Self::PermissionDenied,
        Self::TooLarge,
        Self::Malformed,
        Self::Missing,
        Self::Vanished,
        Self::LinkLoop,
        Self::DanglingLink,
        Self::LinkElsewhere,
        Self::NotRegular,
        Self::Exhausted,
        Self::Crashed,
        Self::Network,
        Self::Unchecked,
        Self::Unreadable,
    ];

    /// The id in the report.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::PermissionDenied => "permission-denied",
            Self::TooLarge => "too-large",
            Self::Malformed => "malformed",
            Self::Missing => "missing",
            Self::Vanished => "vanished",
            Self::LinkLoop => "link-loop",
            Self::DanglingLink => "dangling-link",
            Self::LinkElsewhere => "link-elsewhere",
            Self::NotRegular => "not-regular",
            Self::Exhausted => "exhausted",
            Self::Crashed => "crashed",
            Self::Network => "network",
            Self::Unchecked => "unchecked",
            Self::Unreadable => "unreadable",
        }
    }

    /// One sentence for people.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::PermissionDenied => "The system refused to open it. Sweep as root to see it.",
            Self::TooLarge => "It is larger than the check reads, and what decides could lie beyond that bound.",
            Self::Malformed => "Its content does not have the form that its name promises.",
            Self::Missing => "A file that belongs there, such as METADATA, is not there.",
            Self::Vanished => "It was listed and gone a moment later. Normal on a busy host.",
            Self::LinkLoop => "Its links lead in a circle, or through more than 40 links.",
            Self::DanglingLink => "It is a link to something that does not exist on the target.",
            Self::LinkElsewhere => {
                "It is a link to a file of another name or of another account. It was not followed: a report must not be made to show what its planter may not read."
            }
            Self::NotRegular => "It is a FIFO, a device or a socket under a file's name. Such things are never opened.",
            Self::Exhausted => "The system ran out of a resource, such as open files, so this part was not entered.",
            Self::Crashed => "The reader crashed on it. The sweep went on; please report the file's shape.",
            Self::Network => {
                "It is a network, FUSE or automount tree; it is not entered unless --include-network asks for it."
            }
            Self::Unchecked => "It was named to be swept, but no check of this version reads a file of its name.",
            Self::Unreadable => "The system answered with an error when it was read, such as a disk fault.",
        }
    }

    /// Whether a gap of this reason makes coverage incomplete unless the reader knows better.
    #[must_use]
    pub fn is_material(self) -> bool {
        match self {
            Self::Missing | Self::Vanished | Self::DanglingLink | Self::LinkLoop | Self::NotRegular => false,
            Self::PermissionDenied
            | Self::TooLarge
            | Self::LinkElsewhere
            | Self::Malformed
            | Self::Exhausted
            | Self::Crashed
            | Self::Network
            | Self::Unchecked
            | Self::Unreadable => true,
        }
    }
}

impl Serialize for GapReason {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.id())
    }
}

/// Something within reach that was not, or not wholly, looked at.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Gap {
    /// The thing missed.
    #[serde(flatten)]
    pub path: TargetPath,
    /// Which check missed it; `walk` for the survey itself.
    pub check: &'static str,
    /// Why.
    pub reason: GapReason,
    /// What exactly, in our words.
    pub detail: Option<String>,
    /// Whether it makes coverage incomplete.
    pub material: bool,
    /// Who owns it, where known: in scope `account` it decides whether the gap is material.
    pub owner_uid: Option<u32>,
}

impl Gap {
    /// A gap that is material as its reason says.
    #[must_use]
    pub fn new(check: &'static str, path: TargetPath, reason: GapReason) -> Self {
        Self { check, path, reason, detail: None, material: reason.is_material(), owner_uid: None }
    }

    /// The same with words of ours about what exactly was missed.
    #[must_use]
    pub fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same for a miss that cannot hide an answer: another source gave it.
    #[must_use]
    pub fn harmless(mut self) -> Self {
        self.material = false;
        self
    }
}

/// A tree that was left out on purpose.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Skipped {
    /// Its top.
    #[serde(flatten)]
    pub path: TargetPath,
    /// Why, in our words.
    pub why: String,
}

/// What the walk and the readers did, in numbers. All counts are of this sweep.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counts {
    /// Directory entries seen.
    pub entries: u64,
    /// Directories listed.
    pub directories: u64,
    /// Files opened.
    pub files_read: u64,
    /// Bytes read from them.
    pub bytes_read: u64,
}

impl Counts {
    /// Adds `other`; associative.
    pub fn add(&mut self, other: Self) {
        self.entries += other.entries;
        self.directories += other.directories;
        self.files_read += other.files_read;
        self.bytes_read += other.bytes_read;
    }
}

/// How far one check got.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// It saw all it asked for.
    Complete,
    /// It has gaps.
    Gaps,
    /// It has nothing to look at on this target.
    NotApplicable,
    /// It was switched off, or is not part of this version.
    Off,
}

/// One row of `coverage.checks`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CheckRow {
    /// The check.
    pub id: String,
    /// How far it got.
    pub state: CheckState,
    /// Why, unless complete.
    pub reason: Option<String>,
}
