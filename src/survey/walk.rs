//! One walk over the target. Directories are opened relative to their parents' handles and listed; nothing else is
//! asked of the system unless an entry's name interests a check. Links to directories are not followed, so there are no
//! loops; what they lead to is walked where it really lies.
//!
//! Work is shared over directories by rayon, newest first, which keeps few directories open. A candidate is read by the
//! worker that found it: what is in flight is bounded by the number of workers, and there is no queue to overflow.

use std::sync::{Arc, Mutex, PoisonError};

use rayon::Scope as Pool;

use super::names::NameTable;
use super::progress::Progress;
use super::scope::{Scope, left_out};
use crate::model::coverage::{Counts, Gap, GapReason, Skipped};
use crate::model::facts::Harvest;
use crate::model::interest::{Candidate, EntryKind};
use crate::model::path::TargetPath;
use crate::target::Target;
use crate::target::dir::Dir;

/// Deepest nesting that is entered. Paths grow with it, so without a bound a maze of folders costs memory without end.
pub const DEEPEST: u32 = 4096;

/// Longest path that is entered, in bytes: eight times what systems take in one call.
pub const LONGEST: usize = 32 << 10;

/// What the walk goes by.
pub struct Walk<'a> {
    /// The opened target.
    pub target: &'a Target,
    /// Which names interest which checks.
    pub names: &'a NameTable,
    /// Which trees are entered.
    pub scope: &'a Scope,
    /// For a person who watches.
    pub progress: &'a Progress,
    /// Reads one candidate. Called from all workers.
    pub read: &'a (dyn Fn(&Candidate<'_, Dir>) -> Harvest + Sync),
}

/// A directory to be listed, and the chain of names that leads to it. Paths are put together only for what is reported.
struct Node {
    parent: Option<Arc<Node>>,
    name: Box<[u8]>,
    depth: u32,
    /// Bytes of the path that leads here.
    length: usize,
}

/// The state that all workers share: a shelf of results for each of them, so that no lock is ever waited for.
struct Crew<'a> {
    walk: &'a Walk<'a>,
    shelves: Vec<Mutex<Harvest>>,
}

/// Walks everything below `starts` (paths of the target, links resolved) and merges what the readers return.
#[must_use]
pub fn walk(walk: &Walk<'_>, starts: &[TargetPath]) -> Harvest {
    let workers = rayon::current_num_threads().max(1);
    let crew = Crew { walk, shelves: (0..workers).map(|_| Mutex::new(Harvest::default())).collect() };
    let mut all = Harvest::default();
    rayon::scope(|pool| {
        for start in starts {
            if let Some(gap) = crew.start(pool, start) {
                all.gaps.push(gap);
            }
        }
    });
    for shelf in crew.shelves {
        all.merge(shelf.into_inner().unwrap_or_else(PoisonError::into_inner));
    }
    all
}

impl<'a> Crew<'a> {
    /// Begins at one path: a directory is walked, a file is shown to the checks that ask for its name.
    fn start<'s>(&'s self, pool: &Pool<'s>, start: &TargetPath) -> Option<Gap> {
        let root = &self.walk.target.root;
        let gap = |why| Some(Gap::new("walk", start.clone(), why));
        let place = match root.resolve(start) {
            Ok(place) => place,
            Err(why) => return gap(why),
        };
        let path = root.path_of(&place);
        // A file belongs to the folder above it: METADATA to a distribution, a start-up file to a site directory.
        if let Some(above) = path.parent().filter(|above| above.parent().is_some()) {
            self.show_one(&above);
        }
        let asked = self.show_one(&path);
        if place.stat.kind != EntryKind::Dir {
            let belongs = path.parent().is_some_and(|above| self.is_asked_for(&above, true));
            return if asked || belongs { None } else { gap(GapReason::Unchecked) };
        }
        match root.open_dir(&place) {
            Ok(dir) => {
                let top = Arc::new(Node {
                    parent: None,
                    name: path.as_bytes().into(),
                    depth: 0,
                    length: path.as_bytes().len(),
                });
                pool.spawn(move |pool| self.list(pool, dir, &top));
                None
            }
            Err(why) => gap(why),
        }
    }

    /// Shows a single entry to the checks; tells whether any asked for it. What cannot be looked at here is met again,
    /// and reported, when the walk begins.
    fn show_one(&self, path: &TargetPath) -> bool {
        let root = &self.walk.target.root;
        let (Ok(place), Some(folder)) = (root.resolve(path), path.parent()) else { return false };
        let kind = place.stat.kind;
        let shown = self.show(root.folder_of(&place), &folder, [(path.file_name(), kind)].into_iter());
        self.shelve(shown);
        self.is_asked_for(path, kind == EntryKind::Dir)
    }

    fn is_asked_for(&self, path: &TargetPath, is_dir: bool) -> bool {
        let mut asked = false;
        self.walk.names.askers(path.file_name(), is_dir, |_| asked = true);
        let mut above = path.components().rev().skip(1);
        let (folder, over) = (above.next().unwrap_or_default(), above.next().unwrap_or_default());
        asked || (!is_dir && self.is_whole(folder, over))
    }

    /// Whether a check asks for every file of the folder `name`, which lies in `above`.
    fn is_whole(&self, name: &[u8], above: &[u8]) -> bool {
        let mut asked = false;
        self.walk.names.folder_askers(name, above, |_| asked = true);
        asked
    }

    /// Lists one directory, sends its subdirectories to the pool, and reads the candidates in it.
    fn list<'s>(&'s self, pool: &Pool<'s>, dir: Dir, node: &Arc<Node>) {
        let mut harvest = Harvest::default();
        let mut wanted: Vec<(Box<[u8]>, EntryKind)> = Vec::new();
        let mut subdirs: Vec<Box<[u8]>> = Vec::new();
        let mut entries = 0;
        let (own, above) = node.last_names();
        let is_whole = self.is_whole(own, above);
        let listed = dir.list(|name, kind| {
            entries += 1;
            let mut is_wanted = is_whole && kind != EntryKind::Dir;
            self.walk.names.askers(name, kind == EntryKind::Dir, |_| is_wanted = true);
            if is_wanted {
                wanted.push((name.into(), kind));
            }
            if kind == EntryKind::Dir {
                subdirs.push(name.into());
            }
        });
        harvest.counts = Counts { entries, directories: 1, ..Counts::default() };
        self.walk.progress.add(entries, || node.path());
        let dir = Arc::new(dir);
        if let Err(why) = listed {
            harvest.gaps.push(unlisted(&dir, node.path(), why));
        }
        for name in subdirs {
            self.descend(pool, &dir, node, name, &mut harvest);
        }
        if !wanted.is_empty() {
            let entries = wanted.iter().map(|(name, kind)| (name.as_ref(), *kind));
            harvest.merge(self.show(&dir, &node.path(), entries));
        }
        self.shelve(harvest);
    }

    /// Sends one subdirectory to the pool, unless it is a mount that is not entered, is excluded, or lies too deep.
    fn descend<'s>(
        &'s self,
        pool: &Pool<'s>,
        dir: &Arc<Dir>,
        node: &Arc<Node>,
        name: Box<[u8]>,
        harvest: &mut Harvest,
    ) {
        let scope = self.walk.scope;
        if let Some((mount, entry)) = scope.mount_at(&name, || node.path().join(&name)) {
            let (gap, skipped) = left_out(mount.path.clone(), entry);
            let is_out = skipped.is_some();
            harvest.gaps.extend(gap);
            harvest.skipped.extend(skipped);
            if is_out {
                return;
            }
        }
        if scope.has_excludes() && scope.excludes(&node.path().join(&name)) {
            harvest.skipped.push(Skipped { path: node.path().join(&name), why: "excluded by the user".to_owned() });
            return;
        }
        let length = node.length + name.len() + 1;
        if node.depth >= DEEPEST || length > LONGEST {
            let gap = Gap::new("walk", node.path().join(&name), GapReason::TooLarge);
            harvest.gaps.push(gap.because(format!("nested deeper than {DEEPEST} folders or {LONGEST} bytes of path")));
            return;
        }
        let child = Arc::new(Node { parent: Some(Arc::clone(node)), name, depth: node.depth + 1, length });
        let dir = Arc::clone(dir);
        pool.spawn(move |pool| self.enter(pool, dir, &child));
    }

    fn enter<'s>(&'s self, pool: &Pool<'s>, parent: Arc<Dir>, node: &Arc<Node>) {
        match parent.open_dir(&node.name) {
            Ok(dir) => {
                // The parent's handle is not needed while this directory is listed: give it back early.
                drop(parent);
                self.list(pool, dir, node);
            }
            Err(why) => {
                let owner = parent.stat_entry(&node.name).ok().map(|stat| stat.uid);
                // It was in its parent's listing a moment ago.
                let why = if why == GapReason::Missing { GapReason::Vanished } else { why };
                let mut gap = Gap::new("walk", node.path(), why);
                gap.owner_uid = owner;
                self.shelve(Harvest::missed(gap));
            }
        }
    }

    /// Shows entries to the checks that ask for them.
    fn show<'n>(
        &self,
        dir: &Dir,
        folder: &TargetPath,
        entries: impl Iterator<Item = (&'n [u8], EntryKind)>,
    ) -> Harvest {
        let mut harvest = Harvest::default();
        let mut of_folder = Vec::new();
        let mut names = folder.components().rev();
        let (own, above) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
        self.walk.names.folder_askers(own, above, |check| of_folder.push(check));
        for (name, kind) in entries {
            let path = folder.join(name);
            if self.walk.scope.excludes(&path) {
                harvest.skipped.push(Skipped { path, why: "excluded by the user".to_owned() });
                continue;
            }
            let mut checks = if kind == EntryKind::Dir { Vec::new() } else { of_folder.clone() };
            self.walk.names.askers(name, kind == EntryKind::Dir, |check| checks.push(check));
            checks.sort_unstable();
            checks.dedup();
            for check in checks {
                harvest.merge((self.walk.read)(&Candidate { check, dir, name, kind, path: path.clone() }));
            }
        }
        harvest
    }

    fn shelve(&self, harvest: Harvest) {
        let worker = rayon::current_thread_index().unwrap_or(0);
        if let Some(shelf) = self.shelves.get(worker) {
            shelf.lock().unwrap_or_else(PoisonError::into_inner).merge(harvest);
        }
    }
}

impl Node {
    /// The names of this folder and of the one above it.
    fn last_names(&self) -> (&[u8], &[u8]) {
        match &self.parent {
            None => last_names(&self.name),
            Some(above) if above.parent.is_none() => (&self.name, last_names(&above.name).0),
            Some(above) => (&self.name, &above.name),
        }
    }

    fn path(&self) -> TargetPath {
        let mut names: Vec<&[u8]> = vec![&self.name];
        let mut at = self.parent.as_deref();
        while let Some(node) = at {
            names.push(&node.name);
            at = node.parent.as_deref();
        }
        let mut names = names.into_iter().rev();
        let top = TargetPath::new(names.next().unwrap_or_default());
        let separator = top.separator();
        let mut bytes = top.as_bytes().to_vec();
        for name in names {
            if bytes.last() != Some(&separator) {
                bytes.push(separator);
            }
            bytes.extend_from_slice(name);
        }
        TargetPath::new(&bytes)
    }
}

/// The last two names of the path that a walk starts at.
fn last_names(path: &[u8]) -> (&[u8], &[u8]) {
    let separator = if path.first() == Some(&b'/') { b'/' } else { b'\\' };
    let mut names = path.rsplit(|byte| *byte == separator).filter(|name| !name.is_empty());
    (names.next().unwrap_or_default(), names.next().unwrap_or_default())
}

fn unlisted(dir: &Dir, path: TargetPath, why: GapReason) -> Gap {
    let mut gap = Gap::new("walk", path, why).because("the listing broke off");
    gap.owner_uid = dir.stat().map(|stat| stat.uid);
    gap
}
