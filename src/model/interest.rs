//! What a check asks to be shown, and what it then gets. The walk delivers without knowing why; the readers read
//! without knowing how it was found.

use super::path::TargetPath;

/// What kind of thing a directory entry is, as far as the listing says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntryKind {
    /// A directory.
    Dir,
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
    /// A FIFO, device or socket.
    Other,
}

/// A pattern over the names of directory entries. ASCII case is ignored: on some targets it means nothing, and where it
/// does, the reader decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NamePattern {
    /// The whole name.
    Exact(&'static str),
    /// How it ends.
    Suffix(&'static str),
    /// How it begins.
    Prefix(&'static str),
    /// So many hexadecimal digits and nothing else.
    HexDigits(usize),
}

/// What a check asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ask {
    /// Entries of these names, directories too.
    Names(&'static [NamePattern]),
    /// Entries of these names that are not directories.
    FileNames(&'static [NamePattern]),
    /// Entries that are not directories, under the names that the packs watch.
    WatchedNames,
    /// Entries that are not directories, by how their paths end: `.bashrc`, `etc/default/*`. `~/` and `/` in front are for
    /// the reader, and a name alone is asked for wherever it lies; a name with a star stands for every file of a folder of
    /// that name below one of the name before it. The reader decides which of them it takes.
    Paths(&'static [&'static [&'static str]]),
    /// Entries that are not directories, at the places that `iocs/places/autostart.json` lists for a family.
    Starts(&'static str),
    /// The same, where that file says that variables are set.
    Variables,
    /// Entries under the names by which tools mark their environments, as `iocs/places` lists them.
    Marks,
}

/// A check's row, as the walk sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interest {
    /// The check's id in `coverage.checks` and in gaps.
    pub id: &'static str,
    /// What it looks at, for people.
    pub sentence: &'static str,
    /// What it asks to be shown.
    pub ask: Ask,
}

/// One entry that a check asked for. `D` is `target`'s handle of the folder that holds it, so that the entry is opened
/// relative to what the walk saw, and never by a path that somebody may have changed since.
pub struct Candidate<'a, D> {
    /// Which row of the table of checks.
    pub check: usize,
    /// The folder that holds it.
    pub dir: &'a D,
    /// The entry's name.
    pub name: &'a [u8],
    /// What the listing says it is.
    pub kind: EntryKind,
    /// Its path on the target.
    pub path: TargetPath,
}
