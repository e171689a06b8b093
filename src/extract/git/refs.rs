//! What a repository calls its commits: loose references, `packed-refs`, a `HEAD` of its own (gitrepository-layout(5),
//! git-pack-refs(1)).

use super::object::{ObjectId, id};
use crate::extract::input::Input;
use crate::model::interest::EntryKind;
use crate::model::path::TargetPath;
use crate::target::dir::Dir;

/// Most references of one repository.
pub const MOST: usize = 5000;

/// How deep below `refs` one may lie.
const DEEPEST: usize = 8;

/// Most bytes of `packed-refs`.
const PACKED: u64 = 4 << 20;

/// A name and the object to which it leads.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Reference {
    /// What comes first is of more interest: branches, then those of others, then tags.
    rank: usize,
    /// Its name, without `refs/`.
    pub name: Vec<u8>,
    /// Where it leads.
    pub id: ObjectId,
    /// Whether it has a file of its own.
    pub is_loose: bool,
}

impl Reference {
    fn of(name: &[u8], id: ObjectId, is_loose: bool) -> Self {
        let ranks: [&[u8]; 3] = [b"heads/", b"remotes/", b"tags/"];
        let rank = ranks.iter().position(|start| name.starts_with(start)).unwrap_or(ranks.len());
        Self { rank, name: name.to_vec(), id, is_loose }
    }
}

/// Every reference, branches first; and whether these are all.
pub fn all(input: &Input<'_>, dir: &Dir, path: &TargetPath) -> (Vec<Reference>, bool) {
    let mut out = Vec::new();
    let mut is_whole = true;
    if let Ok(content) = input.read(dir, path, b"HEAD", 4096) {
        out.extend(id(content.bytes.trim_ascii()).map(|id| Reference::of(b"HEAD", id, true)));
    }
    if let Ok(refs) = dir.open_dir(b"refs") {
        let place = Place { dir: refs, path: path.join(b"refs"), name: Vec::new(), depth: 0 };
        is_whole &= place.collect(input, &mut out);
    }
    if let Ok(content) = input.read(dir, path, b"packed-refs", PACKED) {
        is_whole &= content.whole;
        for (name, id) in packed(&content.bytes) {
            // The file of its own is the younger one.
            if out.len() < 2 * MOST && !out.iter().take(MOST).any(|known: &Reference| known.name == name) {
                out.push(Reference::of(name, id, false));
            }
        }
    }
    out.sort_unstable();
    is_whole &= out.len() <= MOST;
    out.truncate(MOST);
    (out, is_whole)
}

/// A folder below `refs`.
struct Place {
    dir: Dir,
    path: TargetPath,
    name: Vec<u8>,
    depth: usize,
}

impl Place {
    fn collect(&self, input: &Input<'_>, out: &mut Vec<Reference>) -> bool {
        let mut entries = Vec::new();
        let listed = self.dir.list(|name, kind| {
            if entries.len() <= MOST {
                entries.push((name.to_vec(), kind));
            }
        });
        let mut is_whole = listed.is_ok() && entries.len() <= MOST;
        for (entry, kind) in entries {
            let name =
                if self.name.is_empty() { entry.clone() } else { [&self.name, b"/".as_slice(), &entry].concat() };
            match kind {
                EntryKind::Dir if self.depth < DEEPEST => {
                    let Ok(dir) = self.dir.open_dir(&entry) else { continue };
                    let below = Self { dir, path: self.path.join(&entry), name, depth: self.depth + 1 };
                    is_whole &= below.collect(input, out);
                }
                EntryKind::File if out.len() < MOST => {
                    let Ok(content) = input.read(&self.dir, &self.path, &entry, 4096) else { continue };
                    let text = content.bytes.trim_ascii();
                    // Ids of 64 digits are SHA-256, which this does not read.
                    is_whole &= text.len() != 64;
                    out.extend(id(text).map(|id| Reference::of(&name, id, true)));
                }
                EntryKind::Dir | EntryKind::File => is_whole = false,
                EntryKind::Link | EntryKind::Other => {}
            }
        }
        is_whole
    }
}

/// The lines of `packed-refs`: the name without `refs/`, and what it leads to.
pub fn packed(bytes: &[u8]) -> impl Iterator<Item = (&[u8], ObjectId)> {
    bytes.split(|byte| *byte == b'\n').filter_map(|line| {
        let name = line.get(40..)?.strip_prefix(b" refs/")?;
        Some((name.trim_ascii_end(), id(line.get(..40)?)?))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn packed_references() {
        let text = b"# pack-refs with: peeled\n0123456789abcdef0123456789abcdef01234567 refs/heads/main\n^0123456789abcdef0123456789abcdef01234567\nshort refs/heads/x\n";
        let all: Vec<_> = packed(text).map(|(name, _)| name).collect();
        assert_eq!(all, [b"heads/main"]);
        let mut some = [Reference::of(b"tags/a", [0; 20], true), Reference::of(b"heads/z", [0; 20], false)];
        some.sort_unstable();
        assert_eq!(some[0].name, b"heads/z");
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _any = packed(&bytes).count();
        }
    }
}
