//! What a repository calls its commits: loose references, `packed-refs`, a `HEAD` of its own (gitrepository-layout(5),
//! git-pack-refs(1)).

use super::object::{ObjectId, id};
use crate::extract::input::{Content, Input};
use crate::model::coverage::{Gap, GapReason};
use crate::model::facts::Harvest;
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

/// Every reference, branches first. What could not be read, or is more than is taken, is a gap in `harvest`.
pub fn all(input: &Input<'_>, dir: &Dir, path: &TargetPath, harvest: &mut Harvest) -> Vec<Reference> {
    let mut out = Vec::new();
    let mut is_whole = true;
    if let Some(content) = read(input, dir, path, b"HEAD", 4096, harvest) {
        let text = content.bytes.trim_ascii();
        out.extend(id(text).map(|id| Reference::of(b"HEAD", id, true)));
        if out.is_empty() && !text.starts_with(b"ref:") {
            harvest.gaps.push(unknown(input, path.join(b"HEAD"), text));
        }
    }
    match dir.open_dir(b"refs") {
        Ok(refs) => {
            let place = Place { dir: refs, path: path.join(b"refs"), name: Vec::new(), depth: 0 };
            is_whole &= place.collect(input, &mut out, harvest);
        }
        Err(why) => miss(input, dir, path, b"refs", why, harvest),
    }
    if let Some(content) = read(input, dir, path, b"packed-refs", PACKED, harvest) {
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
    if !is_whole {
        let says = format!("not all of its references were followed: at most {MOST}");
        harvest.gaps.push(input.gap_at(path.clone(), GapReason::TooLarge).because(says));
    }
    out
}

/// Reads a file of the repository; one that is not there says nothing.
fn read(
    input: &Input<'_>,
    dir: &Dir,
    path: &TargetPath,
    name: &[u8],
    cap: u64,
    harvest: &mut Harvest,
) -> Option<Content> {
    input.read(dir, path, name, cap).map_err(|why| miss(input, dir, path, name, why, harvest)).ok()
}

/// Notes what could not be looked at; of what was refused, the owner tells whose it is.
fn miss(input: &Input<'_>, dir: &Dir, path: &TargetPath, name: &[u8], why: GapReason, harvest: &mut Harvest) {
    if why == GapReason::Missing {
        return;
    }
    let mut gap = input.gap_at(path.join(name), why);
    if why == GapReason::PermissionDenied {
        gap.owner_uid = dir.stat_entry(name).ok().map(|stat| stat.uid);
    }
    harvest.gaps.push(gap);
}

/// A reference that is none of SHA-1.
fn unknown(input: &Input<'_>, path: TargetPath, text: &[u8]) -> Gap {
    match text.len() {
        64 => input.gap_at(path, GapReason::Unchecked).because("a reference of SHA-256, which is not followed"),
        _ => input.gap_at(path, GapReason::Malformed).because("it leads to no object"),
    }
}

/// Notes in which forms a repository keeps what this does not read: objects by SHA-256, references in tables
/// (gitrepository-layout(5); git-config(1), `extensions`).
pub fn note_format(input: &Input<'_>, dir: &Dir, path: &TargetPath, harvest: &mut Harvest) {
    let config = read(input, dir, path, b"config", 1 << 20, harvest);
    let (is_sha256, is_table) = config.map(|content| formats(&content.bytes)).unwrap_or_default();
    let is_table = is_table || dir.stat_entry(b"reftable").is_ok_and(|stat| stat.kind == EntryKind::Dir);
    let mut note = |says: &str| harvest.gaps.push(input.gap_at(path.clone(), GapReason::Unchecked).because(says));
    if is_sha256 {
        note("its objects are named by SHA-256, and are not read");
    }
    if is_table {
        note("its references lie in a reftable, and are not followed");
    }
}

/// Whether settings say that objects are named by SHA-256, and that references lie in tables.
#[must_use]
pub fn formats(config: &[u8]) -> (bool, bool) {
    let text = String::from_utf8_lossy(config).to_ascii_lowercase();
    let says = |wanted: &str, word: &str| {
        text.lines().filter_map(|line| line.split_once('=')).any(|(key, value)| {
            key.trim().rsplit([']', ' ', '\t']).next() == Some(wanted)
                && value.trim().trim_matches('"').starts_with(word)
        })
    };
    (says("objectformat", "sha256"), says("refstorage", "reftable"))
}

/// A folder below `refs`.
struct Place {
    dir: Dir,
    path: TargetPath,
    name: Vec<u8>,
    depth: usize,
}

impl Place {
    fn collect(&self, input: &Input<'_>, out: &mut Vec<Reference>, harvest: &mut Harvest) -> bool {
        let mut entries = Vec::new();
        let listed = self.dir.list(|name, kind| {
            if entries.len() <= MOST {
                entries.push((name.to_vec(), kind));
            }
        });
        if let Err(why) = listed {
            harvest.gaps.push(input.gap_at(self.path.clone(), why));
        }
        let mut is_whole = entries.len() <= MOST;
        for (entry, kind) in entries {
            let name =
                if self.name.is_empty() { entry.clone() } else { [&self.name, b"/".as_slice(), &entry].concat() };
            match kind {
                EntryKind::Dir if self.depth < DEEPEST => {
                    let dir = match self.dir.open_dir(&entry) {
                        Ok(dir) => dir,
                        Err(why) => {
                            miss(input, &self.dir, &self.path, &entry, why, harvest);
                            continue;
                        }
                    };
                    let below = Self { dir, path: self.path.join(&entry), name, depth: self.depth + 1 };
                    is_whole &= below.collect(input, out, harvest);
                }
                EntryKind::File if out.len() < MOST => {
                    let Some(content) = read(input, &self.dir, &self.path, &entry, 4096, harvest) else { continue };
                    let text = content.bytes.trim_ascii();
                    match id(text) {
                        Some(id) => out.push(Reference::of(&name, id, true)),
                        // One that stands for another, and what git is just about to write.
                        None if text.starts_with(b"ref:") || entry.ends_with(b".lock") => {}
                        None => harvest.gaps.push(unknown(input, self.path.join(&entry), text)),
                    }
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

    #[test]
    fn forms_that_are_not_read_are_known() {
        assert_eq!(
            formats(b"[extensions]\n\tobjectFormat = sha256\n[Extensions] refStorage=\"reftable\"\n"),
            (true, true)
        );
        assert_eq!(
            formats(b"[extensions]\n\tobjectformat = sha1\n\trefstorage = files\n[x]\ny = sha256\n"),
            (false, false)
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _any = packed(&bytes).count();
        }
    }
}
