//! Searching for a module as Python's own finder does: folder by folder, in each the package, then machine code, then the
//! source, then bytecode (`importlib.machinery.FileFinder`).

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::extract::python::bytecode::Match;
use crate::extract::python::bytecode::beside::foreign;
use crate::extract::python::code::guard;
use crate::model::coverage::{Counts, GapReason};
use crate::model::interest::EntryKind;
use crate::model::path::TargetPath;
use crate::target::Target;
use crate::target::dir::Dir;

/// Most entries of a folder that are looked through.
const MOST_ENTRIES: usize = 200_000;

/// A folder of the import path, listed once.
pub(super) struct Folder {
    pub(super) path: TargetPath,
    pub(super) dir: Dir,
    /// By name as it is compared: on some systems case means nothing.
    entries: BTreeMap<Vec<u8>, (Vec<u8>, EntryKind)>,
}

/// Where a module lies.
pub(super) enum Place {
    /// A source file, and whether it is the `__init__` of a package.
    Source(Rc<Folder>, Vec<u8>, bool),
    /// Machine code.
    Native(TargetPath),
    /// Bytecode alone.
    Bytecode(TargetPath),
    /// A folder without code of its own (PEP 420).
    Namespace(Rc<Folder>),
}

/// A source that was read.
pub(super) struct Source {
    pub(super) bytes: Vec<u8>,
    pub(super) whole: bool,
    /// Whether nothing of it may be shown.
    pub(super) is_elsewhere: bool,
    /// Bytecode that Python takes instead and that is not of this source.
    pub(super) foreign: Vec<Vec<u8>>,
}

/// Searches the folders of one environment.
pub(super) struct Finder<'a> {
    target: &'a Target,
    folders: HashMap<TargetPath, Option<Rc<Folder>>>,
    counts: Counts,
}

impl<'a> Finder<'a> {
    pub(super) fn of(target: &'a Target) -> Self {
        Self { target, folders: HashMap::new(), counts: Counts::default() }
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// A folder, through links as Python goes.
    pub(super) fn folder(&mut self, path: &TargetPath) -> Option<Rc<Folder>> {
        if let Some(known) = self.folders.get(path) {
            return known.clone();
        }
        let found = self.list(path).map(Rc::new);
        self.folders.insert(path.clone(), found.clone());
        found
    }

    fn list(&self, path: &TargetPath) -> Option<Folder> {
        let root = &self.target.root;
        let place = root.resolve(path).ok()?;
        let dir = root.open_dir(&place).ok()?;
        let mut entries = BTreeMap::new();
        dir.list(|name, kind| {
            if entries.len() < MOST_ENTRIES {
                entries.insert(self.key(name), (name.to_vec(), kind));
            }
        })
        .ok()?;
        Some(Folder { path: root.path_of(&place), dir, entries })
    }

    fn key(&self, name: &[u8]) -> Vec<u8> {
        if self.target.root.platform().is_case_blind() { name.to_ascii_lowercase() } else { name.to_vec() }
    }

    /// The module `name` in the first of `folders` that has it.
    pub(super) fn find(&mut self, folders: &[TargetPath], name: &str) -> Option<Place> {
        let mut namespace = None;
        for path in folders {
            let Some(folder) = self.folder(path) else { continue };
            match self.in_folder(&folder, name) {
                Some(Place::Namespace(inner)) => namespace = namespace.or(Some(Place::Namespace(inner))),
                Some(found) => return Some(found),
                None => {}
            }
        }
        namespace
    }

    fn in_folder(&mut self, folder: &Rc<Folder>, name: &str) -> Option<Place> {
        let package = self.entry(folder, name.as_bytes());
        let inner = match package {
            Some((own, EntryKind::Dir | EntryKind::Link)) => self.folder(&folder.path.join(&own)),
            _ => None,
        };
        if let Some(place) = inner.as_ref().and_then(|inner| self.module(inner, "__init__", true)) {
            return Some(place);
        }
        self.module(folder, name, false).or(inner.map(Place::Namespace))
    }

    fn module(&self, folder: &Rc<Folder>, name: &str, is_package: bool) -> Option<Place> {
        let start = self.key(format!("{name}.").as_bytes());
        let is_native = |key: &[u8]| key.ends_with(b".so") || key.to_ascii_lowercase().ends_with(b".pyd");
        let named = folder.entries.range(start.clone()..).take_while(|(key, _)| key.starts_with(&start));
        if let Some((_, (own, _))) = named.into_iter().find(|(key, _)| is_native(key)) {
            return Some(Place::Native(folder.path.join(own)));
        }
        let source = self.entry(folder, format!("{name}.py").as_bytes());
        if let Some((own, EntryKind::File | EntryKind::Link)) = source {
            return Some(Place::Source(Rc::clone(folder), own, is_package));
        }
        let bytecode = self.entry(folder, format!("{name}.pyc").as_bytes());
        bytecode.map(|(own, _)| Place::Bytecode(folder.path.join(&own)))
    }

    fn entry(&self, folder: &Folder, name: &[u8]) -> Option<(Vec<u8>, EntryKind)> {
        folder.entries.get(&self.key(name)).cloned()
    }

    /// Reads a source.
    pub(super) fn read(&mut self, folder: &Folder, name: &[u8]) -> Result<Source, GapReason> {
        let opened = match folder.dir.open_file(name) {
            Err(GapReason::NotRegular) if folder.dir.stat_entry(name)?.kind == EntryKind::Link => {
                self.target.root.open_linked(&folder.path, &folder.dir, name)
            }
            other => other,
        };
        let mut file = opened?;
        let cap = guard::LONGEST as u64;
        let mut bytes = file.read(cap + 1)?;
        let whole = bytes.len() as u64 <= cap;
        bytes.truncate(guard::LONGEST);
        self.counts.add(Counts { files_read: 1, bytes_read: bytes.len() as u64, ..Counts::default() });
        let beside = if whole { foreign(&folder.dir, name, &bytes, &file.stat) } else { Vec::new() };
        let foreign = beside.into_iter().filter(|(_, one)| matches!(one, Match::No(_))).map(|(name, _)| name).collect();
        Ok(Source { bytes, whole, is_elsewhere: file.is_elsewhere, foreign })
    }
}
