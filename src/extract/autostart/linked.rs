//! Places that lie behind a link to a folder: `/etc/cron.d` or `~/.config` may be one, and the walk enters no links. What
//! the system reads there is read here, under the path by which the system knows it.

use std::collections::{BTreeMap, HashSet};

use super::settle::STAGE;
use crate::extract::{EXTRACTORS, extract};
use crate::model::coverage::{Gap, GapReason};
use crate::model::facts::Harvest;
use crate::model::glob;
use crate::model::interest::{Ask, Candidate, EntryKind};
use crate::model::path::TargetPath;
use crate::model::watch::Watch;
use crate::target::Target;
use crate::target::dir::Dir;
use crate::target::root::Place;
use crate::target::starts::StartRule;

/// Most entries that are looked at of one folder.
const MOST: usize = 10_000;

/// The names that lead to places, folders below folders.
#[derive(Default)]
struct Tree<'a> {
    below: BTreeMap<&'a str, Tree<'a>>,
    /// Names of files, and which check asks for them for which rule.
    files: Vec<(&'a str, usize, &'a StartRule)>,
}

impl<'a> Tree<'a> {
    fn add(&mut self, pattern: &'a str, check: usize, rule: &'a StartRule) {
        match pattern.split_once('/') {
            Some((name, rest)) => self.below.entry(name).or_default().add(rest, check, rule),
            None => self.files.push((pattern, check, rule)),
        }
    }
}

/// What of the target may be looked at.
pub type MayRead<'a> = &'a dyn Fn(&TargetPath) -> bool;

/// Reads what lies behind links to folders, below the tops of the system and below the homes.
#[must_use]
pub fn settle(target: &Target, watch: &Watch, may_read: MayRead<'_>) -> Harvest {
    let (mut of_system, mut of_homes) = (Tree::default(), Tree::default());
    let platform = target.root.platform();
    for rule in target.starts.rules().iter().filter(|rule| rule.systems.contains(&platform)) {
        let asks = |ask: Ask| match ask {
            Ask::Starts(family) => rule.family.as_deref() == Some(family),
            Ask::Variables => rule.variables.is_some(),
            _ => false,
        };
        for (check, _) in EXTRACTORS.iter().enumerate().filter(|(_, row)| asks(row.interest.ask)) {
            for path in &rule.paths {
                if let Some(below) = path.strip_prefix("{home}/") {
                    of_homes.add(below, check, rule);
                } else if let Some(below) = path.strip_prefix('/') {
                    of_system.add(below, check, rule);
                }
            }
        }
    }
    let mut reader = Reader { target, watch, may_read, harvest: Harvest::default() };
    for top in target.starts.tops(&target.root.path()) {
        reader.start(&of_system, &top);
    }
    let homes: HashSet<&TargetPath> = target.accounts.iter().map(|account| &account.home).collect();
    for home in homes.into_iter().filter(|home| home.components().next().is_some()) {
        reader.start(&of_homes, home);
    }
    reader.harvest
}

struct Reader<'a> {
    target: &'a Target,
    watch: &'a Watch,
    may_read: MayRead<'a>,
    harvest: Harvest,
}

impl Reader<'_> {
    /// Looks below a top of the system or a home, which may be a link itself: those are walked where they lie.
    fn start(&mut self, tree: &Tree<'_>, top: &TargetPath) {
        if let Ok(place) = self.target.root.resolve(top) {
            self.below(tree, top, &place, false);
        }
    }

    /// Looks into the folder that the system knows as `path`.
    fn below(&mut self, tree: &Tree<'_>, path: &TargetPath, place: &Place, is_linked: bool) {
        let real = self.target.root.path_of(place);
        let Ok(dir) = self.target.root.open_dir(place) else { return };
        let needs_list = is_linked || tree.below.keys().any(|name| name.contains('*'));
        let entries = if needs_list { self.list(&dir, path) } else { Vec::new() };
        for (name, sub) in &tree.below {
            if name.contains('*') {
                let fits = |entry: &&(Vec<u8>, EntryKind)| {
                    matches!(entry.1, EntryKind::Dir | EntryKind::Link)
                        && glob::fits(name.as_bytes(), &entry.0, glob::caseless)
                };
                for (name, _) in entries.iter().filter(fits) {
                    self.folder(sub, (path, &real, &dir), name, is_linked);
                }
            } else {
                self.folder(sub, (path, &real, &dir), name.as_bytes(), is_linked);
            }
        }
        if is_linked {
            self.files(tree, path, &real, &dir, &entries);
        }
    }

    fn folder(&mut self, tree: &Tree<'_>, above: (&TargetPath, &TargetPath, &Dir), name: &[u8], is_linked: bool) {
        let (above, real, dir) = above;
        let path = above.join(name);
        match self.target.root.resolve(&path) {
            Ok(place) if place.stat.kind == EntryKind::Dir => {
                let is_linked = is_linked || self.target.root.path_of(&place) != real.join(name);
                self.below(tree, &path, &place, is_linked);
            }
            Ok(_) => {}
            // The walk names what it could not enter; of a link that leads nowhere it says nothing.
            Err(why) if dir.stat_entry(name).is_ok_and(|stat| stat.kind == EntryKind::Link) => {
                self.harvest.gaps.push(Gap::new(STAGE.id, path, why));
            }
            Err(_) => {}
        }
    }

    /// Reads the files of a folder behind a link, unless the walk has read them as what they are.
    fn files(
        &mut self,
        tree: &Tree<'_>,
        path: &TargetPath,
        real: &TargetPath,
        dir: &Dir,
        entries: &[(Vec<u8>, EntryKind)],
    ) {
        for (name, kind) in entries.iter().filter(|(_, kind)| *kind != EntryKind::Dir) {
            let fits = |pattern: &str| glob::fits(pattern.as_bytes(), name, glob::caseless);
            let own = path.join(name);
            let mut read = Vec::new();
            for (_, check, rule) in tree.files.iter().filter(|(pattern, _, _)| fits(pattern)) {
                if read.contains(check) || !(self.may_read)(&own) || self.is_read_there(&real.join(name), rule) {
                    continue;
                }
                read.push(*check);
                let candidate = Candidate { check: *check, dir, name, kind: *kind, path: own.clone() };
                let found = extract(self.target, self.watch, &candidate);
                self.harvest.merge(found);
            }
        }
    }

    /// Whether a file is in its place where it really lies: `/lib/systemd` is `/usr/lib/systemd`.
    fn is_read_there(&self, real: &TargetPath, rule: &StartRule) -> bool {
        let is_alike = |other: &StartRule| {
            (rule.family.is_some() && other.family == rule.family)
                || (rule.variables.is_some() && other.variables == rule.variables)
        };
        self.target.start_place(real, is_alike).is_some_and(|place| place.is_in_place)
    }

    fn list(&mut self, dir: &Dir, path: &TargetPath) -> Vec<(Vec<u8>, EntryKind)> {
        let mut entries = Vec::new();
        let listed = dir.list(|name, kind| {
            if entries.len() <= MOST {
                entries.push((name.to_vec(), kind));
            }
        });
        if let Err(why) = listed {
            self.harvest.gaps.push(Gap::new(STAGE.id, path.clone(), why));
        }
        if entries.len() > MOST {
            let gap = Gap::new(STAGE.id, path.clone(), GapReason::TooLarge);
            self.harvest.gaps.push(gap.because(format!("only its first {MOST} entries were looked at")));
        }
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        entries
    }
}
