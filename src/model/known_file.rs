//! Files whose name a pack asks for: payloads, loaders, lock files.

use super::path::TargetPath;
use super::python::FileIdentity;
use super::text::Excerpt;
use super::time::Time;
use super::watch::Needle;

/// A regular file under a name that a pack watches. Facts only: whether it is bad is judged later.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct WatchedFile {
    /// Where.
    pub path: TargetPath,
    /// Bytes.
    pub size: u64,
    /// Last modification.
    pub modified: Option<Time>,
    /// Its owner.
    pub owner_uid: Option<u32>,
    /// Lower-case hex; none where no pack asks for it or the file is beyond the cap.
    pub sha256: Option<String>,
    /// Which file it is, if it has several names.
    pub linked: Option<FileIdentity>,
    /// The texts of the packs that it contains, sorted.
    pub texts: Vec<FoundText>,
    /// What of it was looked at.
    pub origin: Origin,
}

/// What the texts of a watched file stand in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Origin {
    /// The file at that path.
    File,
    /// A workflow in a commit that the repository at that path holds.
    Commit {
        /// The branch or tag that leads to it.
        reference: Excerpt,
        /// Where it would lie in a work tree.
        inside: TargetPath,
    },
    /// The message of the commit to which a branch or tag of the repository at that path leads, or what a log of it tells.
    History {
        /// The branch or tag.
        reference: Excerpt,
    },
    /// The name of the folder at that path, in which a runner keeps an action that it fetched.
    FetchedAction,
}

impl WatchedFile {
    /// Where a text of a pack was found first.
    #[must_use]
    pub fn text(&self, needle: &Needle) -> Option<&FoundText> {
        let at = self.texts.binary_search_by(|one| one.needle.cmp(needle)).ok()?;
        self.texts.get(at)
    }
}

/// A text of a pack in a file, where it was found first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct FoundText {
    /// The text.
    pub needle: Needle,
    /// The line, counted from 1.
    pub line: u32,
    /// The line around it, redacted; none where a link of another name leads to the file.
    pub excerpt: Option<Excerpt>,
}
