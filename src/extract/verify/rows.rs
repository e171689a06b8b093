//! One distribution: its rows against its files.

use std::collections::{BTreeMap, BTreeSet};

use super::disk::{Disk, Spot, is_gone};
use super::{STAGE, bytecode, extras};
use crate::extract::format::record::{self, Hash, Place, Row};
use crate::model::coverage::{Gap, GapReason};
use crate::model::distribution::Distribution;
use crate::model::id::hex;
use crate::model::path::TargetPath;
use crate::model::record::{Change, ChangeKind, RecordState, RecordSummary};
use crate::model::text::counted;
use crate::model::time::Time;
use crate::target::dir::{Dir, OpenFile};

/// Most changes that are kept; their numbers count all. The report shows the first 200.
const MOST_CHANGES: usize = 10_000;

/// Most rows that are compared: their names are kept meanwhile. The largest honest distributions have some 50,000.
const MOST_NAMES: usize = 100_000;

/// Most bytes of their names.
const MOST_LENGTH: usize = 16 << 20;

/// What came of one distribution.
pub(super) struct Verified {
    record: RecordSummary,
    /// Files that its rows do not list, by their path from the site directory with `/`.
    extras: BTreeMap<Vec<u8>, ChangeKind>,
}

/// The names that rows list, by folder: for the files that no row lists.
pub(super) type Listed = BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>>;

/// Compares every row with its file.
pub(super) fn verify(environment: &Disk<'_>, found: &Distribution, gaps: &mut Vec<Gap>) -> Verified {
    environment.begin();
    let mut run = Run {
        environment,
        record: RecordSummary::of(RecordState::Unverified),
        listed: Listed::new(),
        outside: BTreeSet::new(),
        names: 0,
        length: 0,
        missed_code: 0,
        first_missed: None,
        gaps,
        own: found.path.file_name(),
    };
    let stream = match environment.metadata_file(run.own, b"RECORD") {
        Ok(file) => file.stream(record::CAP),
        Err(why) => {
            let gap = Gap::new(STAGE.id, found.path.join(b"RECORD"), why);
            run.gaps.push(gap.because("its rows were not compared with the files"));
            return Verified { record: found.record.clone(), extras: BTreeMap::new() };
        }
    };
    let end = record::rows(stream, |row| run.compare(&row));
    let mut extras = BTreeMap::new();
    if let Some((path, why)) = run.first_missed.take() {
        let files = counted(run.missed_code as usize, "file");
        run.gaps.push(Gap::new(STAGE.id, path, why).because(format!("{files} of code not compared with RECORD")));
    }
    if !run.is_full() {
        extras = extras::find(environment, &run.listed);
        for one in bytecode::find(environment, &run.listed) {
            match one.what {
                Err(why) => run.gaps.push(Gap::new(STAGE.id, one.path, why).because("bytecode not looked at")),
                Ok(what) => run.note(one.path, what, true, one.modified, one.sha256),
            }
        }
    } else {
        let gap = Gap::new(STAGE.id, found.path.join(b"RECORD"), GapReason::TooLarge);
        run.gaps.push(gap.because(format!("only its first {} rows were compared with the files", run.names)));
    }
    let missed_code = run.missed_code;
    let mut record = run.record;
    record.state = match end.fault {
        Some(_) => RecordState::Unreadable,
        None if record.checked == 0 || missed_code > 0 => RecordState::Unverified,
        None => RecordState::Verified,
    };
    Verified { record, extras }
}

/// Shows the paths that the rows of a distribution claim, from the site directory on and with `/`.
pub(super) fn each_claim(environment: &Disk<'_>, found: &Distribution, mut show: impl FnMut(&[u8])) {
    let Ok(file) = environment.metadata_file(found.path.file_name(), b"RECORD") else { return };
    record::rows(file.stream(record::CAP), |row| {
        if let Place::Inside(parts) = record::place(&row.path) {
            show(&environment.key(&parts.join(&b'/')));
        }
    });
}

struct Run<'a, 'b> {
    environment: &'a Disk<'b>,
    record: RecordSummary,
    listed: Listed,
    /// Rows that lead out of the site directory.
    outside: BTreeSet<Vec<u8>>,
    names: usize,
    /// Bytes of all names.
    length: usize,
    /// Files of code that could not be compared, and the first of them.
    missed_code: u32,
    first_missed: Option<(TargetPath, GapReason)>,
    gaps: &'a mut Vec<Gap>,
    /// The name of the metadata folder.
    own: &'a [u8],
}

impl Run<'_, '_> {
    fn compare(&mut self, row: &Row<'_>) {
        // A row that comes twice says nothing new, and must not cost twice.
        if self.is_full() || !self.is_new(&row.path) {
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
            Spot::Unseen(why) => self.missed(row, why),
            Spot::Missing => self.missing(row),
            Spot::In(dir, name) => self.compare_in(row, &dir, &name),
        }
    }

    fn compare_in(&mut self, row: &Row<'_>, dir: &Dir, name: &[u8]) {
        let Some(path) = self.environment.path_of(&row.path) else { return };
        // Without a hash only its presence is known.
        if row.hash == Hash::None {
            let spelled = self.environment.spelled(dir, name);
            match spelled.and_then(|name| dir.stat_entry(&name)) {
                // That it is there says nothing of what it is.
                Ok(_) if is_code(&row.path) => self.missed(row, GapReason::Malformed),
                Ok(_) => self.record.checked += 1,
                Err(why) if is_gone(why) => self.missing(row),
                Err(why) => self.missed(row, why),
            }
            return;
        }
        let folder = path.parent().unwrap_or_else(|| path.clone());
        let spelled = self.environment.spelled(dir, name);
        match spelled.and_then(|name| self.environment.open_file(dir, &folder, &name)) {
            Ok(file) => self.compare_file(row, path, file),
            Err(why) if is_gone(why) => self.missing(row),
            Err(why) => self.missed(row, why),
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
            return self.missed(row, GapReason::Malformed);
        };
        let is_other_size = row.size.is_some_and(|size| size != file.stat.size);
        let modified = Some(file.stat.modified);
        let is_inside = matches!(record::place(&row.path), Place::Inside(_));
        let runs = is_code(&row.path) && is_inside;
        match self.environment.hash(file) {
            Ok(is) => {
                self.record.checked += 1;
                if is != wanted {
                    // A row can name any file of the environment, and that may be a secret: only code is shown by hash.
                    self.note(path, ChangeKind::Changed, runs, modified, runs.then(|| hex(&is)));
                }
            }
            // Its size gives it away.
            Err(GapReason::TooLarge) if is_other_size => {
                self.record.checked += 1;
                self.note(path, ChangeKind::Changed, runs, modified, None);
            }
            Err(why) => self.missed(row, why),
        }
    }

    fn missed(&mut self, row: &Row<'_>, why: GapReason) {
        self.record.unchecked += 1;
        if is_code(&row.path) && matches!(record::place(&row.path), Place::Inside(_)) {
            self.missed_code += 1;
            self.first_missed = self.first_missed.take().or_else(|| Some((self.environment.path_of(&row.path)?, why)));
        }
    }

    fn note(&mut self, path: TargetPath, what: ChangeKind, runs: bool, modified: Option<Time>, sha256: Option<String>) {
        let change = Change { path, what, runs, modified, sha256 };
        self.record.modified += u32::from(change.is_other());
        self.record.changes.push(change);
    }

    fn is_full(&self) -> bool {
        self.names >= MOST_NAMES || self.length >= MOST_LENGTH
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
        self.length += if is_new { written.len() } else { 0 };
        is_new
    }
}

impl Verified {
    /// What may belong to another distribution: not what Python takes instead of a file of this one, whoever lists it.
    pub(super) fn added(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.extras.iter().filter(|(_, what)| **what == ChangeKind::Added).map(|(path, _)| path)
    }

    /// Drops what turned out to belong to another distribution.
    pub(super) fn keep(&mut self, unclaimed: &BTreeSet<Vec<u8>>) {
        self.extras.retain(|path, what| *what != ChangeKind::Added || unclaimed.contains(path));
    }

    /// The summary, once files of other distributions are taken out of what no row lists.
    pub(super) fn summary(self, environment: &Disk<'_>) -> RecordSummary {
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
        // What is judged first, so that nothing else can push it out of the list.
        let rank = |change: &Change| (!change.is_other(), !change.runs);
        record.changes.sort_unstable_by(|a, b| (rank(a), &a.path, a.what).cmp(&(rank(b), &b.path, b.what)));
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
