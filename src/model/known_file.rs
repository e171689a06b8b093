//! Files whose name a pack asks for: payloads, loaders, lock files.

use super::path::TargetPath;
use super::python::FileIdentity;
use super::time::Time;

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
    /// The texts of the packs that it contains.
    pub needles: Vec<String>,
}
