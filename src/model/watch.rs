//! What the packs want looked at while reading, as plain data: readers attach facts where it asks, and never judge.

use std::collections::{BTreeMap, BTreeSet};

/// Compiled from the packs by `intel`.
#[derive(Clone, Default, Debug)]
pub struct Watch {
    /// Normalised names of distributions that some pack names.
    pub packages: BTreeSet<String>,
    /// File names to look for anywhere, lower case.
    pub file_names: BTreeMap<String, FileWatch>,
    /// SHA-256 of known payloads, to be looked for in the rows of RECORD.
    pub sha256: BTreeSet<[u8; 32]>,
    /// Texts to look for in start-up files.
    pub hook_needles: BTreeSet<String>,
}

/// What to find out about a file of a watched name.
#[derive(Clone, Default, Debug)]
pub struct FileWatch {
    /// Whether its SHA-256 is wanted.
    pub hash: bool,
    /// Texts to look for in it.
    pub needles: BTreeSet<String>,
}
