//! Heads of scripts on a target (PEP 723): what a `.py` file says that it needs, which `uv run` and its like install on the spot.
//!
//! A host may have millions of `.py` files, so they are looked at only where scripts lie: in the top two levels of projects
//! (folders with one of `MARKERS`), of folders `bin` and `scripts`, and of homes, and beside a `SCRIPT.py.lock`. Of each file
//! the first eight KiB are searched for the line that begins a head.

use std::collections::BTreeSet;

use super::rows::{self, Source};
use super::script;
use crate::extract::input::{Content, Input};
use crate::extract::{Extractor, Later};
use crate::model::coverage::{Counts, Gap, GapReason, Skipped};
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, EntryKind, Interest, NamePattern};
use crate::model::path::TargetPath;
use crate::model::watch::Watch;
use crate::target::Target;
use crate::target::dir::{Dir, OpenFile};

/// The row. A head that is begun within the first bytes is read as far as this.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "script-heads",
        sentence: "Packages that scripts name in their heads (PEP 723), at the top of projects, bin and scripts folders.",
        ask: Ask::Names(&[
            NamePattern::Exact("pyproject.toml"),
            NamePattern::Exact("setup.py"),
            NamePattern::Exact("setup.cfg"),
            NamePattern::Exact("requirements.txt"),
            NamePattern::Exact("uv.lock"),
            NamePattern::Exact(".git"),
            NamePattern::Exact("bin"),
            NamePattern::Exact("scripts"),
            NamePattern::Suffix(".py.lock"),
        ]),
    },
    cap: 1 << 20,
    read,
};

/// The row of coverage for homes, which are known by the target's accounts and not by a name.
pub const STAGE: Later = Later {
    id: "home-scripts",
    sentence: "Packages that scripts name in their heads (PEP 723), at the top of every account's home.",
};

/// Files and folders that make a project of the folder they lie in. The first that is there stands for it.
const MARKERS: &[&[u8]] = &[b"pyproject.toml", b"setup.py", b"setup.cfg", b"requirements.txt", b"uv.lock", b".git"];

/// Folders below a project or home whose `.py` files are no scripts, or that are looked at for their own sake.
const ELSEWHERE: &[&[u8]] =
    &[b"__pycache__", b"node_modules", b"site-packages", b"dist-packages", b".git", b"bin", b"scripts", b"Scripts"];

/// Most bytes in which a head must begin.
const HEAD: u64 = 8 << 10;

/// Most scripts of one folder.
const MOST_FILES: usize = 2000;

/// Most folders below one.
const MOST_FOLDERS: usize = 2000;

/// What is left out, for `coverage.skipped`.
const LEFT_OUT: &str = "heads of scripts (PEP 723) are read at the top two levels of homes, projects, bin and scripts folders, in the first 8 KiB; other .py files are not searched for them";

fn read(input: &Input<'_>) -> Harvest {
    let (dir, name, kind) = (input.candidate.dir, input.candidate.name, input.candidate.kind);
    let mut reader = Reader::new(input.target, input.watch, EXTRACTOR.interest.id);
    if let Some(script) = name.strip_suffix(b".lock").filter(|script| script.ends_with(b".py")) {
        if kind != EntryKind::Dir {
            reader.file_beside(dir, &input.folder(), script);
        }
    } else if MARKERS.contains(&name) {
        let is_first = |marker: &&&[u8]| dir.stat_entry(marker).is_ok();
        if MARKERS.iter().find(is_first).is_some_and(|first| *first == name) {
            reader.folder(dir, &input.folder(), Level::Top);
        }
    } else if kind == EntryKind::Dir && (name.eq_ignore_ascii_case(b"bin") || name.eq_ignore_ascii_case(b"scripts")) {
        match input.open_dir() {
            Ok(dir) => reader.folder(&dir, &input.candidate.path, Level::Top),
            // The walk enters it as well, and tells.
            Err(_) => return Harvest::default(),
        }
    }
    reader.harvest
}

/// Looks at the homes of the accounts, as far as they are swept.
#[must_use]
pub fn settle(target: &Target, watch: &Watch, is_swept: &dyn Fn(&TargetPath) -> bool) -> Harvest {
    let mut reader = Reader::new(target, watch, STAGE.id);
    let why = LEFT_OUT.to_owned();
    // Of single paths only what lies in them was asked for.
    if is_swept(&target.root.path()) {
        reader.harvest.skipped.push(Skipped { path: target.root.path(), why });
    }
    let homes: BTreeSet<&TargetPath> = target.accounts.iter().map(|account| &account.real_home).collect();
    for home in homes {
        // The root is no home, and what cannot be opened the walk has told.
        if home.parent().is_none() || !is_swept(home) {
            continue;
        }
        if let Ok(dir) = target.root.resolve(home).and_then(|place| target.root.open_dir(&place)) {
            reader.folder(&dir, home, Level::Top);
        }
    }
    reader.harvest
}

/// How deep in a folder.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Top,
    Second,
}

/// Reads scripts.
struct Reader<'a> {
    target: &'a Target,
    watch: &'a Watch,
    check: &'static str,
    harvest: Harvest,
}

impl<'a> Reader<'a> {
    fn new(target: &'a Target, watch: &'a Watch, check: &'static str) -> Self {
        Self { target, watch, check, harvest: Harvest::default() }
    }

    /// The scripts of a folder, and of those in it.
    fn folder(&mut self, dir: &Dir, path: &TargetPath, level: Level) {
        let (mut scripts, mut folders, mut is_project) = (Vec::new(), Vec::new(), false);
        // A listing that stops is told by the walk, which lists every folder.
        let _listed = dir.list(|name, kind| {
            is_project |= MARKERS.contains(&name);
            match kind {
                EntryKind::File | EntryKind::Link | EntryKind::Other if name.ends_with(b".py") => {
                    scripts.push(name.to_vec());
                }
                EntryKind::Dir if level == Level::Top && !ELSEWHERE.contains(&name) => folders.push(name.to_vec()),
                EntryKind::File | EntryKind::Link | EntryKind::Dir | EntryKind::Other => {}
            }
        });
        // A project in a project or home is looked at for its own sake.
        if level == Level::Second && is_project {
            return;
        }
        self.bound(&mut scripts, MOST_FILES, path, "scripts");
        self.bound(&mut folders, MOST_FOLDERS, path, "folders");
        for name in scripts {
            self.file(dir, path, &name);
        }
        for name in folders {
            let below = path.join(&name);
            let is_mount = self.target.mounts.may_be_at(&name) && self.target.mounts.at(&below).is_some();
            if let (false, Ok(dir)) = (is_mount, dir.open_dir(&name)) {
                self.folder(&dir, &below, Level::Second);
            }
        }
    }

    fn bound(&mut self, names: &mut Vec<Vec<u8>>, most: usize, path: &TargetPath, what: &str) {
        names.sort_unstable();
        if names.len() > most {
            let told = format!("it holds {} {what}, of which {most} were looked at", names.len());
            // No more hidden than all the other scripts that are left out on purpose.
            self.harvest.gaps.push(Gap::new(self.check, path.clone(), GapReason::TooLarge).because(told).harmless());
            names.truncate(most);
        }
    }

    /// The script that a lock file beside it belongs to, if it is there.
    fn file_beside(&mut self, dir: &Dir, folder: &TargetPath, name: &[u8]) {
        if dir.stat_entry(name).is_ok() {
            self.file(dir, folder, name);
        }
    }

    fn file(&mut self, dir: &Dir, folder: &TargetPath, name: &[u8]) {
        let path = folder.join(name);
        let is_link = || dir.stat_entry(name).is_ok_and(|stat| stat.kind == EntryKind::Link);
        let opened = match dir.open_file(name) {
            Err(GapReason::NotRegular) if is_link() => self.target.root.open_linked(folder, dir, name),
            other => other,
        };
        match opened.and_then(|file| self.content(file)) {
            Ok(Some(content)) => {
                let lock = script::parse(&content.bytes);
                let source = Source { check: self.check, path, content: &content, watch: self.watch };
                rows::add(&source, lock, &mut self.harvest);
            }
            Ok(None) | Err(GapReason::Missing | GapReason::LinkElsewhere) => {}
            Err(why) => {
                let owner_uid = dir.stat_entry(name).ok().map(|stat| stat.uid);
                self.harvest.gaps.push(Gap { owner_uid, ..Gap::new(self.check, path, why) });
            }
        }
    }

    /// The beginning of a script that has a head, all of that head in it.
    fn content(&mut self, mut file: OpenFile) -> Result<Option<Content>, GapReason> {
        let mut bytes = file.read(HEAD)?;
        let begins = memchr::memmem::find(&bytes, script::BEGIN.as_bytes()).is_some();
        if begins && script::is_cut(&String::from_utf8_lossy(&bytes)) {
            bytes.extend(file.read(EXTRACTOR.cap - HEAD)?);
        }
        self.harvest.counts.add(Counts { files_read: 1, bytes_read: bytes.len() as u64, ..Counts::default() });
        let is_cut = file.stat.size > bytes.len() as u64 && begins && script::is_cut(&String::from_utf8_lossy(&bytes));
        let content = Content { bytes, stat: file.stat, whole: !is_cut, is_elsewhere: file.is_elsewhere };
        Ok(begins.then_some(content))
    }
}
