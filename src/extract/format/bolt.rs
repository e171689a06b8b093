//! Reads bolt databases (go.etcd.io/bbolt, file version 2), in which containerd keeps what it knows of its images,
//! snapshots and containers. Nothing is written or locked.
//!
//! A file is pages of one size. The first two are meta pages, of which the valid one with the higher transaction counts;
//! it names the page of the root bucket. A bucket is a tree of branch and leaf pages, or, if small, one leaf page inside
//! the value that holds the bucket. All numbers are little-endian.

use std::cell::Cell;
use std::collections::HashSet;

use super::read_at::ReadAt;

/// Most bytes of one database that are read. Ours of ten thousand snapshots have 20 MB.
pub const MOST_BYTES: u64 = 64 << 20;

/// Most entries of one bucket that are kept.
pub const MOST_ENTRIES: usize = 200_000;

const DEEPEST: u32 = 32;
const HEADER: usize = 16;
const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;
const BRANCH: u16 = 0x01;
const LEAF: u16 = 0x02;
const IS_BUCKET: u32 = 0x01;

/// Why a database, or a part of it, cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It is none, or lies about itself.
    Malformed,
    /// It has more than is read.
    TooLarge,
    /// The disk failed.
    Unreadable,
}

/// An open database.
pub struct Bolt<'a, R: ?Sized> {
    from: &'a R,
    page_size: u64,
    root: u64,
    /// How many bytes may still be read.
    left: Cell<u64>,
}

/// A bucket: a folder of the database.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Bucket {
    /// A tree that begins at this page.
    Page(u64),
    /// A leaf page of its own.
    Inline(Vec<u8>),
}

/// What lies under a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// Bytes.
    Value(Vec<u8>),
    /// A bucket inside the bucket.
    Bucket(Bucket),
}

/// The entries of a bucket in the order of the file.
pub type Entries = Vec<(Vec<u8>, Item)>;

impl<'a, R: ReadAt + ?Sized> Bolt<'a, R> {
    /// Opens a database by its meta pages.
    ///
    /// # Errors
    /// `Malformed` where neither of them is valid.
    pub fn open(from: &'a R) -> Result<Self, Fault> {
        let read = |offset: u64| {
            let mut page = [0; 80];
            let got = from.read_at(offset, &mut page).map_err(|_| Fault::Unreadable)?;
            Ok(page.get(..got).and_then(meta))
        };
        let first = read(0)?;
        let sizes = first.map_or_else(|| (10..=16).map(|bits| 1_u64 << bits).collect(), |one| vec![one.page_size]);
        let mut best = first;
        for size in sizes {
            let second = read(size)?.filter(|second| second.page_size == size);
            best = match (best, second) {
                (Some(best), Some(second)) if best.transaction >= second.transaction => Some(best),
                (best, second) => second.or(best),
            };
        }
        let meta = best.ok_or(Fault::Malformed)?;
        Ok(Self { from, page_size: meta.page_size, root: meta.root, left: Cell::new(MOST_BYTES) })
    }

    /// The bucket that holds all others.
    #[must_use]
    pub fn root(&self) -> Bucket {
        Bucket::Page(self.root)
    }

    /// Adds the entries of a bucket to `out`. Where that fails, those before the fault are there.
    ///
    /// # Errors
    /// Why not all of them.
    pub fn entries(&self, bucket: &Bucket, out: &mut Entries) -> Result<(), Fault> {
        match bucket {
            Bucket::Inline(page) => leaf(page, out),
            Bucket::Page(at) => self.tree(*at, out, &mut HashSet::new(), 0),
        }
    }

    /// The bucket under a key of another one.
    ///
    /// # Errors
    /// Why the outer one cannot be read.
    pub fn bucket(&self, within: &Bucket, key: &[u8]) -> Result<Option<Bucket>, Fault> {
        let mut all = Vec::new();
        let read = self.entries(within, &mut all);
        let found = all.into_iter().find_map(|(name, item)| match item {
            Item::Bucket(bucket) if name == key => Some(bucket),
            _ => None,
        });
        if found.is_none() { read.map(|()| None) } else { Ok(found) }
    }

    fn tree(&self, at: u64, out: &mut Entries, seen: &mut HashSet<u64>, depth: u32) -> Result<(), Fault> {
        // A page belongs to one place of one tree.
        if depth > DEEPEST || !seen.insert(at) {
            return Err(Fault::Malformed);
        }
        let page = self.page(at)?;
        match short(&page, 8) {
            Some(LEAF) => leaf(&page, out),
            Some(BRANCH) => {
                let mut worst = Ok(());
                for child in branch(&page)? {
                    match self.tree(child, out, seen, depth + 1) {
                        Err(Fault::TooLarge) => return Err(Fault::TooLarge),
                        Err(fault) => worst = Err(fault),
                        Ok(()) => {}
                    }
                }
                worst
            }
            _ => Err(Fault::Malformed),
        }
    }

    /// A page with those that it runs over into.
    fn page(&self, at: u64) -> Result<Vec<u8>, Fault> {
        let offset = at.checked_mul(self.page_size).ok_or(Fault::Malformed)?;
        let mut header = [0; HEADER];
        let got = self.from.read_at(offset, &mut header).map_err(|_| Fault::Unreadable)?;
        if got < HEADER || long(&header, 0) != Some(at) {
            return Err(Fault::Malformed);
        }
        let pages = u64::from(word(&header, 12).unwrap_or(0)) + 1;
        let size = pages.checked_mul(self.page_size).ok_or(Fault::Malformed)?;
        if offset.saturating_add(size) > self.from.size() {
            return Err(Fault::Malformed);
        }
        let left = self.left.get().checked_sub(size).ok_or(Fault::TooLarge)?;
        self.left.set(left);
        let mut page = vec![0; usize::try_from(size).map_err(|_| Fault::TooLarge)?];
        let got = self.from.read_at(offset, &mut page).map_err(|_| Fault::Unreadable)?;
        if got < page.len() { Err(Fault::Malformed) } else { Ok(page) }
    }
}

/// The value under a key, if it is one.
#[must_use]
pub fn value<'e>(entries: &'e Entries, key: &[u8]) -> Option<&'e [u8]> {
    entries.iter().find_map(|(name, item)| match item {
        Item::Value(value) if name == key => Some(value.as_slice()),
        _ => None,
    })
}

#[derive(Clone, Copy)]
struct Meta {
    page_size: u64,
    root: u64,
    transaction: u64,
}

/// A meta page: header, then magic, version, page size, flags, root page, sequence, free list, pages, transaction,
/// checksum (FNV-1a of 64 bits over what precedes it).
fn meta(page: &[u8]) -> Option<Meta> {
    let body = page.get(HEADER..HEADER + 64)?;
    let page_size = word(body, 8)?;
    let is_sound = word(body, 0)? == MAGIC
        && word(body, 4)? == VERSION
        && (512..=65_536).contains(&page_size)
        && long(body, 56)? == fnv(body.get(..56)?);
    let meta = Meta { page_size: u64::from(page_size), root: long(body, 16)?, transaction: long(body, 48)? };
    is_sound.then_some(meta)
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The pages below a branch page. Each element: where the key lies, how long it is, the page.
fn branch(page: &[u8]) -> Result<Vec<u64>, Fault> {
    let count = usize::from(short(page, 10).ok_or(Fault::Malformed)?);
    (0..count).map(|at| long(page, HEADER + at * 16 + 8).ok_or(Fault::Malformed)).collect()
}

/// The entries of a leaf page. Each element: flags, where key and value lie from the element on, how long they are.
fn leaf(page: &[u8], out: &mut Entries) -> Result<(), Fault> {
    let count = usize::from(short(page, 10).ok_or(Fault::Malformed)?);
    for at in (0..count).map(|number| HEADER + number * 16) {
        if out.len() >= MOST_ENTRIES {
            return Err(Fault::TooLarge);
        }
        out.push(element(page, at).ok_or(Fault::Malformed)?);
    }
    Ok(())
}

fn element(page: &[u8], at: usize) -> Option<(Vec<u8>, Item)> {
    let [flags, place, key, value] = [0, 4, 8, 12].map(|field| word(page, at + field));
    let size = |field: Option<u32>| usize::try_from(field?).ok();
    let start = at.checked_add(size(place)?)?;
    let middle = start.checked_add(size(key)?)?;
    let end = middle.checked_add(size(value)?)?;
    let (name, value) = (page.get(start..middle)?, page.get(middle..end)?);
    if flags? & IS_BUCKET == 0 {
        return Some((name.to_vec(), Item::Value(value.to_vec())));
    }
    let root = long(value, 0)?;
    let bucket = match root {
        // Small ones lie behind their own header, a page without a number.
        0 => {
            let page = value.get(16..)?;
            (short(page, 8)? == LEAF).then(|| Bucket::Inline(page.to_vec()))?
        }
        root => Bucket::Page(root),
    };
    Some((name.to_vec(), Item::Bucket(bucket)))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;
    use crate::extract::format::made_bolt::bolt;

    /// Everything below a bucket, as `path = value`.
    fn all<R: ReadAt + ?Sized>(db: &Bolt<'_, R>, bucket: &Bucket, at: &str, out: &mut Vec<String>) {
        let mut entries = Vec::new();
        db.entries(bucket, &mut entries).unwrap();
        for (key, item) in entries {
            let path = format!("{at}/{}", String::from_utf8_lossy(&key));
            match item {
                Item::Value(value) => out.push(format!("{path} = {}", String::from_utf8_lossy(&value))),
                Item::Bucket(inner) => all(db, &inner, &path, out),
            }
        }
    }

    const TEXT: &str = "v1\\snapshots\\a\n    id = 1\n    parent = b\nv1\\snapshots\\b\n    id = 2\nv1\\empty\n";

    #[test]
    fn nested_and_inline_buckets_are_read() {
        let bytes = bolt(TEXT);
        let db = Bolt::open(bytes.as_slice()).unwrap();
        let mut out = Vec::new();
        all(&db, &db.root(), "", &mut out);
        assert_eq!(out, ["/v1/snapshots/a/id = 1", "/v1/snapshots/a/parent = b", "/v1/snapshots/b/id = 2"]);
        let found = db.bucket(&db.root(), b"v1").unwrap().unwrap();
        assert!(db.bucket(&found, b"empty").unwrap().is_some());
        assert_eq!(db.bucket(&found, b"none"), Ok(None));
    }

    #[test]
    fn a_large_bucket_is_a_tree_and_a_large_value_runs_over() {
        let mut text = String::new();
        for number in 0..2000 {
            writeln!(text, "v1\\b{number:04}\n    id = {number}\n    long = {}", "x".repeat(100)).unwrap();
        }
        writeln!(text, "v1\\z\n    huge = {}", "y".repeat(20_000)).unwrap();
        let bytes = bolt(&text);
        let db = Bolt::open(bytes.as_slice()).unwrap();
        let mut out = Vec::new();
        all(&db, &db.root(), "", &mut out);
        assert_eq!(out.len(), 4001);
        assert!(out.iter().any(|line| line.len() > 20_000));
    }

    #[test]
    fn the_newer_of_two_sound_meta_pages_counts() {
        let mut bytes = bolt(TEXT);
        let sound = Bolt::open(bytes.as_slice()).unwrap().root;
        // The newer one points elsewhere, and its checksum says that it was not finished.
        bytes[4096 + 16 + 16] ^= 0xff;
        assert_eq!(Bolt::open(bytes.as_slice()).unwrap().root, sound);
        bytes[16] ^= 0xff;
        assert_eq!(Bolt::open(bytes.as_slice()).err(), Some(Fault::Malformed));
    }

    #[test]
    fn pages_in_a_circle_end() {
        let mut text = String::new();
        for number in 0..500 {
            writeln!(text, "b{number:04}\n    long = {}", "x".repeat(100)).unwrap();
        }
        let mut bytes = bolt(&text);
        let root = usize::try_from(Bolt::open(bytes.as_slice()).unwrap().root).unwrap() * 4096;
        // Its first child is the branch itself.
        let own = bytes[root..root + 8].to_vec();
        bytes[root + 16 + 8..root + 16 + 16].copy_from_slice(&own);
        let db = Bolt::open(bytes.as_slice()).unwrap();
        let mut out = Vec::new();
        assert_eq!(db.entries(&db.root(), &mut out), Err(Fault::Malformed));
        assert!(!out.is_empty());
    }

    proptest! {
        #[test]
        fn any_damage_is_survived(at in 0_usize..40_000, with in any::<[u8; 4]>(), cut in 0_usize..40_000) {
            let mut bytes = bolt(TEXT);
            let place = at % (bytes.len() - 4);
            bytes[place..place + 4].copy_from_slice(&with);
            bytes.truncate(bytes.len().min(cut.max(100)));
            if let Ok(db) = Bolt::open(bytes.as_slice()) {
                let mut todo = vec![(db.root(), 0)];
                while let Some((bucket, depth)) = todo.pop() {
                    let mut entries = Vec::new();
                    let _fault = db.entries(&bucket, &mut entries);
                    let inner = entries.into_iter().filter_map(|(_, item)| match item {
                        Item::Bucket(inner) if depth < 4 => Some((inner, depth + 1)),
                        _ => None,
                    });
                    todo.extend(inner);
                }
            }
        }
    }
}
