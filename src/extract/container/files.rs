//! The files of a store, read relative to its root, each bounded; what cannot be read is a gap that hides nothing but
//! names.

use crate::extract::input::{Content, Input};
use crate::model::coverage::{Gap, GapReason};
use crate::model::facts::Harvest;
use crate::model::interest::EntryKind;
use crate::model::path::TargetPath;
use crate::target::dir::Dir;

/// Most entries of one folder of a store that are looked at.
pub(super) const MOST_ENTRIES: usize = 50_000;

/// Most bytes of a small file: an id, a name, the description of one image or container.
pub(super) const SMALL: u64 = 4 << 20;

/// A folder of a store.
pub(super) struct Folder {
    /// Its handle.
    pub(super) dir: Dir,
    /// Its path.
    pub(super) path: TargetPath,
}

impl Folder {
    /// A folder by its path.
    pub(super) fn at(input: &Input<'_>, path: TargetPath) -> Result<Self, GapReason> {
        let root = &input.target.root;
        let dir = root.open_dir(&root.resolve(&path)?)?;
        Ok(Self { dir, path })
    }

    /// Whether it belongs to another account than the host's root.
    pub(super) fn is_of_user(&self) -> bool {
        self.dir.stat().is_some_and(|stat| stat.uid != 0)
    }

    /// A folder in this one; none where there is none.
    pub(super) fn folder(&self, name: &[u8]) -> Option<Self> {
        Some(Self { dir: self.dir.open_dir(name).ok()?, path: self.path.join(name) })
    }

    /// A folder some steps down.
    pub(super) fn below(&self, names: &[&[u8]]) -> Option<Self> {
        let (first, rest) = names.split_first()?;
        rest.iter().try_fold(self.folder(first)?, |at, name| at.folder(name))
    }

    /// The names of its entries of one kind, sorted.
    pub(super) fn names(&self, input: &Input<'_>, wanted: EntryKind, harvest: &mut Harvest) -> Vec<Vec<u8>> {
        let mut names = Vec::new();
        let mut more = 0_usize;
        let listed = self.dir.list(|name, kind| {
            if kind == wanted && names.len() < MOST_ENTRIES {
                names.push(name.to_vec());
            } else if kind == wanted {
                more += 1;
            }
        });
        if let Err(why) = listed {
            harvest.gaps.push(input.gap_at(self.path.clone(), why).harmless());
        }
        if more > 0 {
            harvest.gaps.push(too_many(input, self.path.clone(), more));
        }
        names.sort_unstable();
        names
    }

    /// The content of a file; none, and a gap, where it is there and cannot be read whole.
    pub(super) fn bytes(&self, input: &Input<'_>, name: &[u8], cap: u64, harvest: &mut Harvest) -> Option<Vec<u8>> {
        let path = || self.path.join(name);
        match input.read(&self.dir, &self.path, name, cap) {
            Ok(Content { whole: true, bytes, .. }) => Some(bytes),
            Ok(_) => {
                harvest.gaps.push(names_lost(input, path(), GapReason::TooLarge));
                None
            }
            Err(GapReason::Missing | GapReason::Vanished) => None,
            Err(why) => {
                harvest.gaps.push(names_lost(input, path(), why));
                None
            }
        }
    }

    /// A file that holds one short word, such as an id; a file of anything else holds none.
    pub(super) fn word(&self, input: &Input<'_>, name: &[u8], harvest: &mut Harvest) -> Option<String> {
        let bytes = self.bytes(input, name, 4096, harvest)?;
        let word = std::str::from_utf8(&bytes).ok()?.trim();
        is_word(word).then(|| word.to_owned())
    }

    /// The content of a file as a reader of its form understands it; a gap where it is there and is none.
    pub(super) fn parsed<T>(
        &self,
        input: &Input<'_>,
        name: &[u8],
        parse: impl FnOnce(&[u8]) -> Option<T>,
        harvest: &mut Harvest,
    ) -> Option<T> {
        let bytes = self.bytes(input, name, input.cap, harvest)?;
        let parsed = parse(&bytes);
        if parsed.is_none() {
            harvest.gaps.push(names_lost(input, self.path.join(name), GapReason::Malformed));
        }
        parsed
    }
}

/// Whether a text can be the name of a folder of a store, and cannot lead out of it.
pub(super) fn is_word(text: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:".contains(letter);
    !text.is_empty() && text.len() <= 200 && !text.starts_with('.') && text.chars().all(is_plain)
}

/// A miss that costs names: what lies in the layers is judged all the same.
pub(super) fn names_lost(input: &Input<'_>, path: TargetPath, why: GapReason) -> Gap {
    input.gap_at(path, why).because("layers keep their ids, without the names of images or containers").harmless()
}

fn too_many(input: &Input<'_>, path: TargetPath, more: usize) -> Gap {
    names_lost(input, path, GapReason::TooLarge).because(format!("{more} entries beyond {MOST_ENTRIES}"))
}
