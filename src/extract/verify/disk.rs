//! The files of one environment, as far as they lie in it. Every look goes through handles of its own folders; a link that
//! leads out of the environment is not followed, so that a RECORD cannot make us read, and show the hash of, a stranger's
//! file.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::Read;
use std::rc::Rc;

use sha2::{Digest, Sha256};

use crate::extract::format::record::{self, Place};
use crate::extract::python::record_facts::path_of;
use crate::model::coverage::{Counts, GapReason};
use crate::model::interest::EntryKind;
use crate::model::path::TargetPath;
use crate::model::python::FileIdentity;
use crate::target::Target;
use crate::target::dir::{Dir, OpenFile};

/// How much is hashed.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Largest file, in bytes.
    pub(super) largest: u64,
    /// Most bytes for one distribution.
    pub(super) most: u64,
}

impl Limits {
    /// Unasked: what nearly every distribution has, and no more than a few seconds for one that was made to be large.
    pub(super) const UNASKED: Self = Self { largest: 512 << 20, most: 1 << 30 };
    /// With `--verify`: the largest libraries and weights that are known.
    pub(super) const ASKED: Self = Self { largest: 8 << 30, most: 64 << 30 };
}

/// Most links to folders that are followed for one distribution.
const MOST_LINKS: u32 = 1000;

/// From this size on, a file that is mostly a hole is not read: nothing that Python runs is.
const HOLE: u64 = 16 << 20;

type Digest256 = [u8; 32];

/// An environment, seen from one of its site directories.
pub(super) struct Disk<'a> {
    target: &'a Target,
    /// The site directory.
    pub(super) site: TargetPath,
    root: TargetPath,
    dir: Rc<Dir>,
    /// The folder that was asked for last: rows of one folder follow each other.
    last: RefCell<Option<(Vec<u8>, Rc<Dir>)>>,
    /// For hashing: made once, since most files are small.
    buffer: RefCell<Vec<u8>>,
    /// A file is read once, whatever the rows and the links call it.
    hashed: RefCell<HashMap<FileIdentity, Digest256>>,
    /// Links to folders that may still be followed for the distribution at hand.
    links_left: Cell<u32>,
    limits: Limits,
    /// Bytes that may still be hashed for the distribution at hand.
    left: Cell<u64>,
    counts: Cell<Counts>,
}

/// Where a row's file should lie, as far as one may look there.
pub(super) enum Spot {
    /// In this folder, under this name.
    In(Rc<Dir>, Vec<u8>),
    /// The folder is not there.
    Missing,
    /// Out of the environment, behind a link that leads out of it, or refused.
    Unseen(GapReason),
}

impl<'a> Disk<'a> {
    pub(super) fn open(
        target: &'a Target,
        site: &TargetPath,
        root: &TargetPath,
        limits: Limits,
    ) -> Result<Self, GapReason> {
        let dir = target.root.open_dir(&target.root.resolve(site)?)?;
        Ok(Self {
            target,
            site: site.clone(),
            root: root.clone(),
            dir: Rc::new(dir),
            last: RefCell::new(None),
            buffer: RefCell::new(vec![0; 128 << 10]),
            hashed: RefCell::new(HashMap::new()),
            links_left: Cell::new(MOST_LINKS),
            limits,
            left: Cell::new(limits.most),
            counts: Cell::default(),
        })
    }

    /// Begins another distribution.
    pub(super) fn begin(&self) {
        self.left.set(self.limits.most);
        self.links_left.set(MOST_LINKS);
    }

    /// A name or path as it is compared: on some systems case means nothing.
    pub(super) fn key(&self, name: &[u8]) -> Vec<u8> {
        if self.is_case_blind() { name.to_ascii_lowercase() } else { name.to_vec() }
    }

    fn is_case_blind(&self) -> bool {
        self.target.root.platform().is_case_blind()
    }

    /// The path that a row means.
    pub(super) fn path_of(&self, written: &[u8]) -> Option<TargetPath> {
        path_of(&self.target.root, &self.site, written)
    }

    /// How an entry of `dir` is spelled there.
    pub(super) fn spelled(&self, dir: &Dir, name: &[u8]) -> Result<Vec<u8>, GapReason> {
        if !self.is_case_blind() {
            return Ok(name.to_vec());
        }
        match self.target.root.find(dir, name.to_vec()) {
            Err(GapReason::DanglingLink) => Err(GapReason::Missing),
            other => other.map(|(name, _)| name),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts.get()
    }

    /// The site directory itself.
    pub(super) fn dir(&self) -> Rc<Dir> {
        Rc::clone(&self.dir)
    }

    /// The metadata folder of a distribution and a file in it.
    pub(super) fn metadata_file(&self, folder: &[u8], name: &[u8]) -> Result<OpenFile, GapReason> {
        let dir = self.folder(&[folder])?;
        let file = dir.open_file(&self.spelled(&dir, name)?)?;
        self.count(1, 0);
        Ok(file)
    }

    /// The folder `parts` below the site directory.
    pub(super) fn folder(&self, parts: &[&[u8]]) -> Result<Rc<Dir>, GapReason> {
        let key = parts.join(&b'/');
        if let Some((_, dir)) = self.last.borrow().as_ref().filter(|(last, _)| *last == key) {
            return Ok(Rc::clone(dir));
        }
        let mut dir = Rc::clone(&self.dir);
        let mut above = self.site.clone();
        for part in parts {
            let next = match dir.open_dir(part) {
                Ok(next) => next,
                Err(why) => {
                    let name = self.spelled(&dir, part)?;
                    match dir.stat_entry(&name)?.kind {
                        EntryKind::Link => self.through_link(&above, &dir, &name)?,
                        EntryKind::Dir if name != *part => dir.open_dir(&name)?,
                        _ => return Err(why),
                    }
                }
            };
            above = above.join(part);
            dir = Rc::new(next);
        }
        self.last.replace(Some((key, Rc::clone(&dir))));
        Ok(dir)
    }

    fn through_link(&self, above: &TargetPath, dir: &Dir, name: &[u8]) -> Result<Dir, GapReason> {
        // Each may lead over many others: a RECORD must not send us round without end.
        let left = self.links_left.get().checked_sub(1).ok_or(GapReason::TooLarge)?;
        self.links_left.set(left);
        let root = &self.target.root;
        let (place, real) = root.follow_link(above, dir, name)?;
        if real.is_under(&self.root) { root.open_dir(&place) } else { Err(GapReason::LinkElsewhere) }
    }

    /// Where the file of a row lies.
    pub(super) fn find(&self, written: &[u8]) -> Spot {
        let (folder, name) = match record::place(written) {
            Place::Absolute => {
                let path = self.target.root.target_path(written);
                let Some(folder) = path.parent() else { return Spot::Unseen(GapReason::Malformed) };
                (self.folder_above(&folder), path.file_name().to_vec())
            }
            Place::Inside(names) => {
                let Some((name, folders)) = names.split_last() else { return Spot::Unseen(GapReason::Malformed) };
                (self.folder(folders), name.to_vec())
            }
            Place::Above(up, names) => {
                let top = (0..up).fold(self.site.clone(), |path, _| path.parent().unwrap_or(path));
                let Some((name, folders)) = names.split_last() else { return Spot::Unseen(GapReason::Malformed) };
                let folder = folders.iter().fold(top, |path, part| path.join(part));
                (self.folder_above(&folder), name.to_vec())
            }
        };
        match folder {
            Ok(folder) => Spot::In(folder, name),
            Err(why) if is_gone(why) => Spot::Missing,
            Err(why) => Spot::Unseen(why),
        }
    }

    fn folder_above(&self, folder: &TargetPath) -> Result<Rc<Dir>, GapReason> {
        if !folder.is_under(&self.root) {
            return Err(GapReason::LinkElsewhere);
        }
        let root = &self.target.root;
        let place = root.resolve(folder)?;
        if root.path_of(&place).is_under(&self.root) {
            root.open_dir(&place).map(Rc::new)
        } else {
            Err(GapReason::LinkElsewhere)
        }
    }

    /// Opens a regular file; through a link only within the environment.
    pub(super) fn open_file(&self, dir: &Dir, folder: &TargetPath, name: &[u8]) -> Result<OpenFile, GapReason> {
        let file = match dir.open_file(name) {
            Err(GapReason::NotRegular) if dir.stat_entry(name)?.kind == EntryKind::Link => {
                let (_, real) = self.target.root.follow_link(folder, dir, name)?;
                if !real.is_under(&self.root) {
                    return Err(GapReason::LinkElsewhere);
                }
                let file = self.target.root.open_linked(folder, dir, name)?;
                if file.is_elsewhere {
                    return Err(GapReason::LinkElsewhere);
                }
                file
            }
            other => other?,
        };
        self.count(1, 0);
        Ok(file)
    }

    /// The SHA-256 of a file.
    pub(super) fn hash(&self, file: OpenFile) -> Result<Digest256, GapReason> {
        let stat = file.stat;
        if let Some(known) = self.hashed.borrow().get(&stat.file()).copied() {
            return Ok(known);
        }
        if stat.size >= HOLE && stat.allocated < stat.size / 2 {
            return Err(GapReason::TooLarge);
        }
        let left = self.left.get().checked_sub(stat.size).ok_or(GapReason::TooLarge)?;
        if stat.size > self.limits.largest {
            return Err(GapReason::TooLarge);
        }
        self.left.set(left);
        let mut stream = file.stream(self.limits.largest);
        let mut hash = Sha256::new();
        let mut buffer = self.buffer.borrow_mut();
        let mut total = 0;
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(got) => {
                    hash.update(buffer.get(..got).unwrap_or_default());
                    total += got as u64;
                }
                Err(why) if why.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return Err(GapReason::Unreadable),
            }
        }
        self.count(0, total);
        let digest: Digest256 = hash.finalize().into();
        self.hashed.borrow_mut().insert(stat.file(), digest);
        Ok(digest)
    }

    /// All of a file of at most `largest` bytes.
    pub(super) fn whole(&self, mut file: OpenFile, largest: u64) -> Result<Vec<u8>, GapReason> {
        let left = self.left.get().checked_sub(file.stat.size).ok_or(GapReason::TooLarge)?;
        if file.stat.size > largest {
            return Err(GapReason::TooLarge);
        }
        self.left.set(left);
        let bytes = file.read(largest)?;
        self.count(0, bytes.len() as u64);
        Ok(bytes)
    }

    /// The beginning of a file.
    pub(super) fn head(&self, dir: &Dir, name: &[u8], cap: u64) -> Result<Vec<u8>, GapReason> {
        let bytes = dir.open_file(name)?.read(cap)?;
        self.count(1, bytes.len() as u64);
        Ok(bytes)
    }

    fn count(&self, files_read: u64, bytes_read: u64) {
        let mut counts = self.counts.get();
        counts.add(Counts { files_read, bytes_read, ..Counts::default() });
        self.counts.set(counts);
    }
}

/// Whether a failed look means that nothing is there.
pub(super) fn is_gone(why: GapReason) -> bool {
    matches!(why, GapReason::Missing | GapReason::Vanished | GapReason::DanglingLink)
}
