//! One distribution: its rows against its files.

use std::collections::{BTreeMap, BTreeSet};

use super::disk::{Environment, Spot, is_gone};
use super::{STAGE, bytecode, extras};
use crate::extract::python::record::{self, Hash, Place, Row};
use crate::model::coverage::{Gap, GapReason};
use crate::model::distribution::{Change, ChangeKind, Distribution, RecordState, RecordSummary};
use crate::model::id::hex;
use crate::model::path::TargetPath;
use crate::model::time::Time;
use crate::target::dir::{Dir, OpenFile};

/// Most changes that are listed; their numbers count all.
const MOST_CHANGES: usize = 200;

/// Most rows that are compared: their names are kept meanwhile. The largest honest distributions have some 50,000.
const MOST_NAMES: usize = 100_000;

/// What came of one distribution.
pub(super) struct Verified {
    record: RecordSummary,
    /// Files that its rows do not list, by their path from the site directory with `/`.
    pub(super) extras: BTreeMap<Vec<u8>, ChangeKind>,
}

/// The names that rows list, by folder: for the files that no row lists.
pub(super) type Listed = BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>>;

/// Compares every row with its file.
pub(super) fn verify(environment: &Environment<'_>, found: &Distribution, gaps: &mut Vec<Gap>) -> Verified {
    environment.begin();
    let mut run = Run {
        environment,
        record: RecordSummary::of(RecordState::Unverified),
        listed: Listed::new(),
        outside: BTreeSet::new(),
        names: 0,
        gaps,
        own: found.path.file_name(),
    };
    let stream = match environment.metadata_file(run.own, b"RECORD") {
        Ok(file) => file.stream(record::CAP),
        Err(why) => {
            let gap = Gap::new(STAGE.id, found.path.join(b"RECORD"), why);
            run.gaps.push(gap.because("its rows were not compared with the files").harmless());
            return Verified { record: found.record.clone(), extras: BTreeMap::new() };
        }
    };
    let end = record::rows(stream, |row| run.compare(&row));
    let mut extras = BTreeMap::new();
    if run.names < MOST_NAMES {
        extras = extras::find(environment, &run.listed);
        let stale = bytecode::unchecked(environment, &run.listed);
        stale
            .into_iter()
            .for_each(|(path, modified)| run.note(path, ChangeKind::UncheckedBytecode, true, modified, None));
    } else {
        let gap = Gap::new(STAGE.id, found.path.join(b"RECORD"), GapReason::TooLarge);
        run.gaps.push(gap.because(format!("only its first {MOST_NAMES} rows were compared with the files")));
    }
    let mut record = run.record;
    record.state = match end.fault {
        Some(_) => RecordState::Unreadable,
        None if record.checked == 0 => RecordState::Unverified,
        None => RecordState::Verified,
    };
    Verified { record, extras }
}

/// Shows the paths that the rows of a distribution claim, from the site directory on and with `/`.
pub(super) fn each_claim(environment: &Environment<'_>, found: &Distribution, mut show: impl FnMut(&[u8])) {
    let Ok(file) = environment.metadata_file(found.path.file_name(), b"RECORD") else { return };
    record::rows(file.stream(record::CAP), |row| {
        if let Place::Inside(parts) = record::place(&row.path) {
            show(&environment.key(&parts.join(&b'/')));
        }
    });
}

struct Run<'a, 'b> {
    environment: &'a Environment<'b>,
    record: RecordSummary,
    listed: Listed,
    /// Rows that lead out of the site directory.
    outside: BTreeSet<Vec<u8>>,
    names: usize,
    gaps: &'a mut Vec<Gap>,
    /// The name of the metadata folder.
    own: &'a [u8],
}

impl Run<'_, '_> {
    fn compare(&mut self, row: &Row<'_>) {
        // A row that comes twice says nothing new, and must not cost twice.
        if self.names >= MOST_NAMES || !self.is_new(&row.path) {
            return;
        }
        // RECORD cannot hold its own hash; bytecode is made and removed by whoever runs Python, and virtualenv lists its
        // folders as well.
        let is_own = row.path.ends_with(b"/RECORD") && row.path.starts_with(self.own);
        let is_bytecode = row.hash == Hash::None && (row.path.ends_with(b".pyc") || row.path.ends_with(b"__pycache__"));
        if is_own || is_bytecode {
            return;
        }
        match self.environment.find(&row.path) {
            Spot::Unseen => self.record.unchecked += 1,
            Spot::Missing => self.missing(row),
            Spot::In(dir, name) => self.compare_in(row, &dir, &name),
        }
    }

    fn compare_in(&mut self, row: &Row<'_>, dir: &Dir, name: &[u8]) {
        let Some(path) = self.environment.path_of(&row.path) else { return };
        // Without a hash only its presence is known.
        if row.hash == Hash::None {
            match self.environment.spelled(dir, name) {
                Ok(_) => self.record.checked += 1,
                Err(why) if is_gone(why) => self.missing(row),
                Err(why) => self.missed(path, why),
            }
            return;
        }
        let folder = path.parent().unwrap_or_else(|| path.clone());
        let spelled = self.environment.spelled(dir, name);
        match spelled.and_then(|name| self.environment.open_file(dir, &folder, &name)) {
            Ok(file) => self.compare_file(row, path, file),
            Err(why) if is_gone(why) => self.missing(row),
            Err(why) => self.missed(path, why),
        }
    }

    fn missing(&mut self, row: &Row<'_>) {
        self.record.checked += 1;
        self.record.missing += 1;
        if let Some(path) = self.environment.path_of(&row.path) {
            self.note(path, ChangeKind::Missing, false, None, None);
        }
    }

    fn compare_file(&mut self, row: &Row<'_>, path: TargetPath, file: OpenFile) {
        let Hash::Sha256(wanted) = row.hash else {
            // A hash of another kind is not compared.
            self.record.unchecked += 1;
            return;
        };
        let is_other_size = row.size.is_some_and(|size| size != file.stat.size);
        let modified = Some(file.stat.modified);
        let runs = is_code(&row.path) && matches!(record::place(&row.path), Place::Inside(_));
        match self.environment.hash(file) {
            Ok(is) => {
                self.record.checked += 1;
                if is != wanted {
                    self.note(path, ChangeKind::Changed, runs, modified, Some(hex(&is)));
                }
            }
            // Its size gives it away.
            Err(GapReason::TooLarge) if is_other_size => {
                self.record.checked += 1;
                self.note(path, ChangeKind::Changed, runs, modified, None);
            }
            Err(why) => self.missed(path, why),
        }
    }

    fn missed(&mut self, path: TargetPath, why: GapReason) {
        self.record.unchecked += 1;
        // A link that leads out of the environment, a folder where a file should be: no file of this distribution.
        if why != GapReason::NotRegular {
            let gap = Gap::new(STAGE.id, path, why).because("its content was not compared with RECORD");
            self.gaps.push(gap);
        }
    }

    fn note(&mut self, path: TargetPath, what: ChangeKind, runs: bool, modified: Option<Time>, sha256: Option<String>) {
        if matches!(what, ChangeKind::Changed | ChangeKind::Shadows | ChangeKind::UncheckedBytecode) {
            self.record.modified += 1;
        }
        self.record.changes.push(Change { path, what, runs, modified, sha256 });
    }

    fn is_new(&mut self, written: &[u8]) -> bool {
        let key = |path: &[u8]| self.environment.key(path);
        let is_new = match record::place(written) {
            Place::Inside(parts) => parts.split_last().is_some_and(|(name, folders)| {
                self.listed.entry(key(&folders.join(&b'/'))).or_default().insert(key(name))
            }),
            Place::Above(..) | Place::Absolute => self.outside.insert(key(written)),
        };
        self.names += usize::from(is_new);
        is_new
    }
}

impl Verified {
    /// The summary, once files of other distributions are taken out of what no row lists.
    pub(super) fn summary(self, environment: &Environment<'_>) -> RecordSummary {
        let mut record = self.record;
        for (path, what) in self.extras {
            let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
            let place = parts.iter().fold(environment.site.clone(), |path, part| path.join(part));
            let modified = parts.split_last().and_then(|(name, folders)| {
                environment.folder(folders).ok()?.stat_entry(name).ok().map(|stat| stat.modified)
            });
            if what == ChangeKind::Shadows {
                record.modified += 1;
            } else {
                record.extra += 1;
            }
            let runs = what == ChangeKind::Shadows || is_code(&path);
            record.changes.push(Change { path: place, what, runs, modified, sha256: None });
        }
        if record.modified > 0 && record.state != RecordState::Unreadable {
            record.state = RecordState::Modified;
        }
        // What would run first, so that a long list of missing pictures does not push it out.
        record.changes.sort_unstable_by(|a, b| (!a.runs, &a.path, a.what).cmp(&(!b.runs, &b.path, b.what)));
        record.changes.truncate(MOST_CHANGES);
        record
    }
}

/// Whether Python runs a file of this name when it starts or when something is imported.
pub(super) fn is_code(path: &[u8]) -> bool {
    let lower = path.to_ascii_lowercase();
    let ends: [&[u8]; 7] = [b".py", b".pyw", b".pyc", b".so", b".pyd", b".pth", b".start"];
    ends.iter().any(|end| lower.ends_with(end))
}
