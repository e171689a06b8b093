//! Repositories of git at rest: how old a checkout is, what its logs tell, and which workflows lie in commits that a branch
//! or tag leads to, though the work tree does not show them. Only the folders of workflows are looked into, each once.

mod modules;
pub mod object;
pub mod pack;
pub mod refs;
mod store;

use std::collections::HashSet;

use super::Extractor;
use super::format::texts::Finder;
use super::input::Input;
use crate::model::checkout::Checkout;
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, EntryKind, Interest, NamePattern};
use crate::model::known_file::{FoundText, Origin, WatchedFile};
use crate::model::path::TargetPath;
use crate::model::text::Excerpt;
use crate::model::time::Time;
use crate::model::watch::Edges;
use crate::target::dir::Dir;
use object::{Kind, ObjectId};
use pack::Miss;
use refs::Reference;
use store::Store;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "git-repositories",
        sentence: "Repositories of git: their age, their logs, and the workflows in commits that are not checked out.",
        ask: Ask::Names(&[NamePattern::Exact(".git"), NamePattern::Suffix(".git")]),
    },
    cap: 4 << 20,
    read,
};

/// Where services look for workflows.
const SERVICES: [&[u8]; 3] = [b".github", b".forgejo", b".gitea"];

/// Most logs of one repository, and how deep they may lie.
const MOST_LOGS: usize = refs::MOST;
const DEEPEST_LOG: usize = 8;

/// Most workflows of one repository, all versions counted.
const MOST_WORKFLOWS: usize = 20_000;

/// A repository.
struct Repository<'a> {
    input: &'a Input<'a>,
    dir: Dir,
    path: TargetPath,
    /// The top of the work tree; of a bare one the repository.
    top: TargetPath,
}

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    if input.candidate.kind != EntryKind::Dir {
        return harvest;
    }
    let dir = match input.open_dir() {
        Ok(dir) => dir,
        Err(why) => return Harvest::missed(input.gap(why)),
    };
    if !is_repository(&dir) {
        return harvest;
    }
    let path = input.candidate.path.clone();
    let top = if input.candidate.name == b".git" { input.folder() } else { path.clone() };
    let repository = Repository { input, dir, path, top };
    let since = repository.since();
    harvest.facts.checkouts.push(Checkout { path: repository.top.clone(), since });
    repository.read_logs(&mut harvest);
    repository.read_tips(&mut harvest);
    repository.read_submodules(&mut harvest);
    harvest
}

fn is_repository(dir: &Dir) -> bool {
    let is = |name: &[u8], kind| dir.stat_entry(name).is_ok_and(|stat| stat.kind == kind);
    is(b"objects", EntryKind::Dir) && is(b"HEAD", EntryKind::File)
}

impl Repository<'_> {
    /// The time in the first line of `logs/HEAD`: `OLD NEW NAME <MAIL> SECONDS ZONE`, a tab, words.
    fn since(&self) -> Option<Time> {
        let logs = self.dir.open_dir(b"logs").ok()?;
        let content = self.input.read(&logs, &self.path.join(b"logs"), b"HEAD", 4096).ok()?;
        let line = content.bytes.split(|byte| *byte == b'\n').next()?;
        object::time(line.split(|byte| *byte == b'\t').next()?)
    }

    fn read_logs(&self, harvest: &mut Harvest) {
        let Ok(logs) = self.dir.open_dir(b"logs").and_then(|logs| logs.open_dir(b"refs")) else { return };
        let mut left = MOST_LOGS;
        self.read_logs_in(&logs, &self.path.join(b"logs").join(b"refs"), DEEPEST_LOG, &mut left, harvest);
        if left == 0 {
            let says = format!("only {MOST_LOGS} of its logs were read");
            harvest.gaps.push(self.input.gap(GapReason::TooLarge).because(says));
        }
    }

    fn read_logs_in(&self, dir: &Dir, path: &TargetPath, depth: usize, left: &mut usize, harvest: &mut Harvest) {
        let mut entries = Vec::new();
        let listed = dir.list(|name, kind| {
            if entries.len() <= MOST_LOGS {
                entries.push((name.to_vec(), kind));
            }
        });
        if let Err(why) = listed {
            harvest.gaps.push(self.input.gap_at(path.clone(), why));
        }
        for (name, kind) in entries {
            match kind {
                EntryKind::Dir if depth > 0 => {
                    if let Ok(below) = dir.open_dir(&name) {
                        self.read_logs_in(&below, &path.join(&name), depth - 1, left, harvest);
                    }
                }
                EntryKind::File if *left > 0 => {
                    *left -= 1;
                    self.read_log(dir, path, &name, harvest);
                }
                _ => {}
            }
        }
    }

    fn read_log(&self, dir: &Dir, path: &TargetPath, name: &[u8], harvest: &mut Harvest) {
        let own = path.join(name);
        let content = match self.input.read(dir, path, name, self.input.cap) {
            Ok(content) => content,
            Err(why) => return harvest.gaps.push(self.input.gap_at(own, why)),
        };
        if !content.whole {
            harvest.gaps.push(self.input.gap_at(own.clone(), GapReason::TooLarge));
        }
        let texts = self.texts_of_git(&content.bytes);
        if !texts.is_empty() {
            let below = own.components().skip(self.path.components().count() + 2);
            let reference = Excerpt::of(&below.collect::<Vec<_>>().join(&b'/'));
            let origin = Origin::History { reference };
            harvest.facts.watched_files.push(self.found(own, origin, texts, Some(content.stat.modified)));
        }
    }

    /// What packs look for in what names commits.
    fn texts_of_git(&self, bytes: &[u8]) -> Vec<FoundText> {
        self.texts(bytes, "head", "logs", ".git")
    }

    fn texts(&self, bytes: &[u8], name: &str, folder: &str, above: &str) -> Vec<FoundText> {
        let wanted = self.input.watch.wants(name, folder, above);
        let mut out: Vec<FoundText> = wanted
            .into_iter()
            .flat_map(|one| {
                let mut finder = Finder::of(one);
                finder.next(bytes);
                finder.finish()
            })
            .collect();
        out.sort_unstable();
        out.dedup_by(|one, other| one.needle == other.needle);
        out
    }

    fn found(&self, path: TargetPath, origin: Origin, texts: Vec<FoundText>, modified: Option<Time>) -> WatchedFile {
        let owner_uid = self.dir.stat().map(|stat| stat.uid);
        WatchedFile { path, size: 0, modified, owner_uid, sha256: None, linked: None, texts, origin }
    }

    fn read_tips(&self, harvest: &mut Harvest) {
        refs::note_format(self.input, &self.dir, &self.path, harvest);
        let references = refs::all(self.input, &self.dir, &self.path, harvest);
        let mut look = Look {
            store: Store::of(self.input, &self.dir, &self.path),
            seen: HashSet::new(),
            left: MOST_WORKFLOWS,
            is_cut: false,
            miss: None,
        };
        for reference in &references {
            if look.seen.insert((reference.id, Vec::new())) {
                self.read_tip(&mut look, reference, harvest);
            }
        }
        if look.is_cut {
            let says = format!("only {MOST_WORKFLOWS} versions of its workflows were read");
            harvest.gaps.push(self.input.gap_at(self.path.clone(), GapReason::TooLarge).because(says));
        }
        if let Some((why, id)) = look.miss {
            let says = format!("the object {} could not be read, and may be others", crate::model::id::hex(&id));
            let reason = match why {
                Miss::Missing if look.store.has_alternates() => GapReason::Unchecked,
                Miss::Missing => GapReason::Missing,
                Miss::Faulty => GapReason::Malformed,
                Miss::TooLarge => GapReason::TooLarge,
                Miss::Disk => GapReason::Unreadable,
            };
            harvest.gaps.push(self.input.gap_at(self.path.clone(), reason).because(says));
        }
    }

    fn read_tip(&self, look: &mut Look<'_>, reference: &Reference, harvest: &mut Harvest) {
        let Some((tree, made, message)) = look.commit(reference.id) else { return };
        let shown = Excerpt::of(&reference.name);
        let id = if reference.is_loose { crate::model::id::hex(&reference.id) } else { String::new() };
        let mut texts = self.texts_of_git(&[id.as_bytes(), b"\n", &message].concat());
        // A message may well speak of another commit.
        let own =
            |text: &FoundText| text.needle.edges == Edges::Any || text.needle.text.starts_with(&*id) && !id.is_empty();
        texts.retain(own);
        if !texts.is_empty() {
            let origin = Origin::History { reference: shown.clone() };
            harvest.facts.watched_files.push(self.found(self.path.clone(), origin, texts, made));
        }
        // Most commits change nothing at the top that is of interest, and some nothing at all.
        if !look.seen.insert((tree, b"/".to_vec())) {
            return;
        }
        let top = look.read(tree, Kind::Tree).unwrap_or_default();
        for service in SERVICES {
            let folder = folder_of(&top, service).and_then(|folder| look.entry(folder, b"workflows"));
            let Some(folder) = folder.filter(|id| look.seen.insert((*id, service.to_vec()))) else { continue };
            for (name, id) in look.files(folder) {
                if !look.seen.insert((id, name.clone())) || !look.takes() {
                    continue;
                }
                let Some(bytes) = look.read(id, Kind::Blob) else { continue };
                self.read_workflow(&Workflow { service, name: &name, bytes: &bytes }, &shown, made, harvest);
            }
        }
    }

    fn read_workflow(&self, one: &Workflow<'_>, reference: &Excerpt, made: Option<Time>, harvest: &mut Harvest) {
        let lower = |text: &[u8]| String::from_utf8_lossy(text).to_lowercase();
        let texts = self.texts(one.bytes, &lower(one.name), "workflows", &lower(one.service));
        let inside = self.top.join(one.service).join(b"workflows").join(one.name);
        if texts.is_empty() || self.is_checked_out(&inside, one.bytes) {
            return;
        }
        let origin = Origin::Commit { reference: reference.clone(), inside };
        let mut found = self.found(self.path.clone(), origin, texts, made);
        found.size = one.bytes.len() as u64;
        harvest.facts.watched_files.push(found);
    }

    /// Whether the work tree shows the same: then that is what is told.
    fn is_checked_out(&self, inside: &TargetPath, bytes: &[u8]) -> bool {
        let read = || self.input.read_open(self.input.open_named(inside).ok()?, pack::MOST as u64).ok();
        self.top != self.path && read().is_some_and(|content| content.bytes == bytes)
    }
}

/// A workflow of a commit.
struct Workflow<'w> {
    service: &'w [u8],
    name: &'w [u8],
    bytes: &'w [u8],
}

fn folder_of(tree: &[u8], wanted: &[u8]) -> Option<ObjectId> {
    object::entries(tree).find(|(is_tree, name, _)| *is_tree && *name == wanted).map(|(.., id)| id)
}

/// What was looked at, and what could not be.
struct Look<'a> {
    store: Store<'a>,
    seen: HashSet<(ObjectId, Vec<u8>)>,
    left: usize,
    /// Whether some workflows were left out.
    is_cut: bool,
    miss: Option<(Miss, ObjectId)>,
}

impl Look<'_> {
    fn any(&mut self, id: ObjectId) -> Option<object::Object> {
        match self.store.read(&id) {
            Ok(found) => Some(found),
            Err(why) => {
                self.miss.get_or_insert((why, id));
                None
            }
        }
    }

    fn read(&mut self, id: ObjectId, kind: Kind) -> Option<Vec<u8>> {
        let found = self.any(id)?;
        if found.kind != kind {
            return self.faulty(id);
        }
        Some(found.bytes)
    }

    /// Notes that an object is not what it has to be.
    fn faulty<T>(&mut self, id: ObjectId) -> Option<T> {
        self.miss.get_or_insert((Miss::Faulty, id));
        None
    }

    /// Whether one more workflow is read.
    fn takes(&mut self) -> bool {
        self.is_cut |= self.left == 0;
        let is_one = self.left > 0;
        self.left = self.left.saturating_sub(1);
        is_one
    }

    /// The tree, the time and the message of a commit, through tags.
    fn commit(&mut self, id: ObjectId) -> Option<(ObjectId, Option<Time>, Vec<u8>)> {
        let mut next = id;
        for _ in 0..5 {
            let found = self.any(next)?;
            match found.kind {
                Kind::Tag => match object::tag(&found.bytes) {
                    Some(to) => next = to,
                    None => return self.faulty(next),
                },
                Kind::Commit => {
                    let Some((tree, made, message)) = object::commit(&found.bytes) else { return self.faulty(next) };
                    return Some((tree, made, message.to_vec()));
                }
                // A tag may well lead to these.
                Kind::Tree | Kind::Blob => return None,
            }
        }
        self.faulty(next)
    }

    /// A folder of a tree.
    fn entry(&mut self, tree: ObjectId, wanted: &[u8]) -> Option<ObjectId> {
        let bytes = self.read(tree, Kind::Tree)?;
        folder_of(&bytes, wanted)
    }

    /// The files of a tree.
    fn files(&mut self, tree: ObjectId) -> Vec<(Vec<u8>, ObjectId)> {
        let bytes = self.read(tree, Kind::Tree).unwrap_or_default();
        let files = object::entries(&bytes).filter(|(is_tree, ..)| !is_tree);
        files.map(|(_, name, id)| (name.to_vec(), id)).collect()
    }
}
