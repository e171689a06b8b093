//! Files that requirement files name: `-r base.txt`, `-c ../constraints.txt`. They are read after the walk, each once, whatever
//! they are called, as long as they lie on the target; a circle therefore ends where it began.
//!
//! Whoever writes a requirements file chooses what is read here, so a file that its owner could not read himself is not.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::{self, Source};
use super::{format, requirements, sweep};
use crate::extract::input::Content;
use crate::model::coverage::{Counts, Gap, GapReason, Skipped};
use crate::model::distribution::MetadataForm;
use crate::model::facts::{Facts, Harvest, LockInclude};
use crate::model::id::Id;
use crate::model::path::TargetPath;
use crate::model::watch::Watch;
use crate::target::Target;

/// Longest chain of files that name each other.
pub const DEEPEST: usize = 10;

/// Most names of files that are followed for one, those that lead nowhere too.
pub const MOST: usize = 100;

/// Most bytes of one file.
const CAP: u64 = 16 << 20;

/// A file that is named, and by whom.
struct Step {
    include: LockInclude,
    /// The file at the beginning of the chain.
    start: TargetPath,
    depth: usize,
}

/// What is known while the chains are followed.
struct Chains<'a> {
    target: &'a Target,
    watch: &'a Watch,
    is_left_out: &'a dyn Fn(&TargetPath) -> bool,
    /// Files that were read, by the walk or here.
    read: BTreeSet<TargetPath>,
    /// How many names were followed for each start.
    used: BTreeMap<TargetPath, usize>,
    harvest: Harvest,
}

/// Reads the files that those of the walk name, and makes one row of what was read twice. What the user excluded stays
/// unread, whoever names it.
#[must_use]
pub fn settle(target: &Target, watch: &Watch, facts: &mut Facts, is_left_out: &dyn Fn(&TargetPath) -> bool) -> Harvest {
    let includes = std::mem::take(&mut facts.lock_includes);
    let lock_rows = facts.distributions.iter().filter(|found| found.metadata == MetadataForm::Lockfile);
    let read = lock_rows.map(|found| found.path.clone()).chain(includes.iter().map(|one| one.from.clone())).collect();
    let mut chains = Chains { target, watch, is_left_out, read, used: BTreeMap::new(), harvest: Harvest::default() };
    let step = |include: LockInclude| Step { start: include.from.clone(), include, depth: 1 };
    let mut todo: Vec<Step> = includes.into_iter().map(step).collect();
    todo.sort_by(|one, other| other.include.cmp(&one.include));
    while let Some(step) = todo.pop() {
        todo.extend(chains.follow(&step));
    }
    let Chains { mut harvest, .. } = chains;
    facts.distributions.append(&mut harvest.facts.distributions);
    once(facts);
    harvest
}

/// A script may be found as one of a project and as one of a folder of programs.
fn once(facts: &mut Facts) {
    let mut seen: BTreeSet<Id> = BTreeSet::new();
    facts.distributions.retain(|found| found.metadata != MetadataForm::Lockfile || seen.insert(found.id));
}

impl Chains<'_> {
    /// Reads one file; returns what that names.
    fn follow(&mut self, step: &Step) -> Vec<Step> {
        let LockInclude { from, line, written, owner_uid } = &step.include;
        let miss = |why| Gap::new(sweep::EXTRACTOR.interest.id, from.clone(), why);
        let used = self.used.entry(step.start.clone()).or_default();
        *used += 1;
        if *used > MOST || step.depth > DEEPEST {
            // Told once, however many there are.
            if *used <= MOST + 1 {
                let told = format!(
                    "line {line} names another file: more than {MOST}, or {DEEPEST} in a chain, are not followed"
                );
                self.harvest.gaps.push(hiding(miss(GapReason::TooLarge).because(told)));
            }
            return Vec::new();
        }
        let root = &self.target.root;
        let folder = from.parent().unwrap_or_else(|| from.clone());
        let place = match root.resolve(&TargetPath::new(&joined(&folder, written))) {
            Ok(place) => place,
            Err(why) => {
                let told = format!("line {line} names another file, which cannot be reached");
                self.harvest.gaps.push(hiding(miss(why).because(told)));
                return Vec::new();
            }
        };
        let real = root.path_of(&place);
        if self.read.contains(&real) {
            return Vec::new();
        }
        if (self.is_left_out)(&real) {
            let why = "excluded by the user".to_owned();
            self.harvest.skipped.push(Skipped { path: real, why });
            return Vec::new();
        }
        let may_read = *owner_uid == 0 || *owner_uid == place.stat.uid || place.stat.is_public;
        if !may_read {
            let told = format!("line {line} names a file that its owner may not read");
            self.harvest.gaps.push(hiding(miss(GapReason::LinkElsewhere).because(told)));
            return Vec::new();
        }
        self.read.insert(real.clone());
        let content = root.open_place(&place).and_then(|mut file| {
            let bytes = file.read(CAP + 1)?;
            let whole = bytes.len() as u64 <= CAP;
            Ok(Content { bytes, stat: file.stat, whole, is_elsewhere: false })
        });
        match content {
            Ok(content) => self.add(step, real, &content),
            Err(why) => {
                self.harvest.gaps.push(hiding(miss(why).because(format!("line {line} names another file"))));
                Vec::new()
            }
        }
    }

    fn add(&mut self, step: &Step, real: TargetPath, content: &Content) -> Vec<Step> {
        self.harvest.counts.add(Counts { files_read: 1, bytes_read: content.bytes.len() as u64, ..Counts::default() });
        let name = String::from_utf8_lossy(real.file_name()).to_ascii_lowercase();
        let lock = match format::by_name(&name) {
            Some(_) => format::read(&name, &content.bytes),
            // pip takes a file of any name.
            None => requirements::parse(&content.bytes),
        };
        let source = Source { check: sweep::EXTRACTOR.interest.id, path: real, content, watch: self.watch };
        rows::add(&source, lock, &mut self.harvest);
        let named = std::mem::take(&mut self.harvest.facts.lock_includes);
        named.into_iter().map(|include| Step { include, start: step.start.clone(), depth: step.depth + 1 }).collect()
    }
}

/// What was not followed may name any package, unless there is nothing.
fn hiding(gap: Gap) -> Gap {
    let is_nothing = matches!(gap.reason, GapReason::Missing | GapReason::DanglingLink | GapReason::Vanished);
    Gap { material: !is_nothing, ..gap }
}

/// A path as it is written, from the folder of the file that names it.
fn joined(folder: &TargetPath, written: &[u8]) -> Vec<u8> {
    let is_drive = folder.separator() == b'\\' && written.get(1) == Some(&b':');
    match written.first() {
        Some(b'/') => written.to_vec(),
        Some(b'\\') if folder.separator() == b'\\' => written.to_vec(),
        _ if is_drive => written.to_vec(),
        _ => [folder.as_bytes(), &[folder.separator()], written].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_meant_from_the_folder_of_the_file() {
        let at = |folder: &str, written: &str| {
            String::from_utf8(joined(&TargetPath::new(folder.as_bytes()), written.as_bytes())).unwrap()
        };
        assert_eq!(at("/srv/p", "../b.txt"), "/srv/p/../b.txt");
        assert_eq!(at("/srv/p", "/b.txt"), "/b.txt");
        assert_eq!(at("/srv/p", "C:\\b.txt"), "/srv/p/C:\\b.txt");
        assert_eq!(at("C:\\p", "C:\\b.txt"), "C:\\b.txt");
        assert_eq!(at("C:\\p", "\\b.txt"), "\\b.txt");
        assert_eq!(at("C:\\p", "d/b.txt"), "C:\\p\\d/b.txt");
    }
}
