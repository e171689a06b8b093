//! Two stored reports of one host, held against each other: what is new, what is gone, what was changed, and what one of the
//! two sweeps could not have seen. Pure: the host is not needed.
//!
//! Rows are matched by their stable ids. "Gone" is said only where the later sweep looked, "new" only where the earlier one
//! did: all else is told as not looked at, with the reason.

mod row;
mod sight;
pub mod told;

use std::collections::{HashMap, HashSet, VecDeque};

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

pub use row::{Row, Section};
use sight::Sight;
use told::Told;

use crate::model::path::TargetPath;

/// What two reports differ in, each section once.
pub struct Difference {
    /// In the order in which they are told.
    pub parts: Vec<Part>,
}

/// What a section differs in.
pub struct Part {
    /// Which section.
    pub section: Section,
    /// Only in the later report, though the earlier sweep looked there.
    pub new: Vec<Noted>,
    /// Only in the earlier report, though the later sweep looked there.
    pub gone: Vec<Noted>,
    /// In both, and not the same.
    pub changed: Vec<Changed>,
    /// In both.
    pub unchanged: Vec<Row>,
    /// Only in the earlier report, where the later sweep did not look.
    pub not_looked_at: Vec<Noted>,
    /// Only in the later report, where the earlier sweep did not look.
    pub not_looked_at_before: Vec<Noted>,
}

/// A row, and a word about it.
#[derive(Serialize)]
pub struct Noted {
    /// The row.
    #[serde(flatten)]
    pub row: Row,
    /// What else is to be known of it, such as why it was not looked at.
    pub because: Option<String>,
}

/// A row that was changed.
pub struct Changed {
    /// As it was.
    pub before: Row,
    /// As it is.
    pub after: Row,
    /// What, before, after.
    pub changes: Vec<(&'static str, String, String)>,
}

impl Difference {
    /// Whether nothing differs, and both sweeps could have seen whatever the other one saw.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let rows = |part: &Part| {
            part.new.len()
                + part.gone.len()
                + part.changed.len()
                + part.not_looked_at.len()
                + part.not_looked_at_before.len()
        };
        self.parts.iter().all(|part| rows(part) == 0)
    }
}

/// Holds two reports against each other.
#[must_use]
pub fn compare(before: &Told, after: &Told) -> Difference {
    let (was, is) = (Sight::of(before), Sight::of(after));
    let mut parts: Vec<Part> = Section::ALL.iter().map(|section| part(*section, before, after, &was, &is)).collect();
    let still = Still::of(before, after, &parts);
    for part in &mut parts {
        let section = part.section;
        for one in &mut part.gone {
            one.because = still.told(section, &one.row);
        }
    }
    Difference { parts }
}

/// What makes a comparison of these two doubtful, each a sentence.
#[must_use]
pub fn warnings(before: &Told, after: &Told) -> Vec<String> {
    let mut all = Vec::new();
    let (was, is) = (&before.host, &after.host);
    let is_other = match (&was.machine_id, &is.machine_id) {
        (Some(one), Some(other)) => one != other,
        _ => was.name != is.name,
    };
    if is_other {
        all.push(format!(
            "these are reports of two hosts, {} and {}: what differs says nothing of a change",
            was.name, is.name
        ));
    }
    if was.os != is.os {
        all.push("the two sweeps took the host for different systems: paths and names may not fit".to_owned());
    }
    if (before.sweep.live, &before.sweep.root) != (after.sweep.live, &after.sweep.root) {
        let (one, other) = (&before.sweep.root, &after.sweep.root);
        all.push(format!("the two sweeps had different roots, {one} and {other}: make sure that they are of one disk"));
    }
    if after.sweep.started < before.sweep.started {
        let (one, other) = (before.sweep.started, after.sweep.started);
        all.push(format!("BEFORE is of {one}, AFTER is of {other}, which is earlier: are they the wrong way round?"));
    }
    all
}

/// Rows with an id that occurs more than once are matched in their order.
fn keyed(rows: Vec<Row>) -> Vec<((String, usize), Row)> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let key = |row: Row| {
        let count = seen.entry(row.id.clone()).or_default();
        *count += 1;
        ((row.id.clone(), *count), row)
    };
    rows.into_iter().map(key).collect()
}

fn part(section: Section, before: &Told, after: &Told, was: &Sight<'_>, is: &Sight<'_>) -> Part {
    let mut later = keyed(row::rows(after, section));
    let at: HashMap<(String, usize), usize> =
        later.iter().enumerate().map(|(at, (key, _))| (key.clone(), at)).collect();
    let mut taken: Vec<Option<Row>> = later.drain(..).map(|(_, row)| Some(row)).collect();
    let (mut same, mut lost) = (Vec::new(), Vec::new());
    for (key, row) in keyed(row::rows(before, section)) {
        match at.get(&key).and_then(|at| taken.get_mut(*at)).and_then(Option::take) {
            Some(now) => same.push((row, now)),
            None => lost.push(row),
        }
    }
    let fresh: Vec<Row> = taken.into_iter().flatten().collect();
    let (pairs, lost, fresh) = pair(lost, fresh);
    let mut out = Part {
        section,
        new: Vec::new(),
        gone: Vec::new(),
        changed: Vec::new(),
        unchanged: Vec::new(),
        not_looked_at: Vec::new(),
        not_looked_at_before: Vec::new(),
    };
    let stirred: HashSet<TargetPath> =
        pairs.iter().map(|(row, _)| row).chain(&lost).chain(&fresh).map(|row| row.path.clone()).collect();
    for (before, after) in pairs {
        let changes = row::differences(&before, &after);
        out.changed.push(Changed { before, after, changes });
    }
    settle(same, stirred, &mut out);
    for row in lost {
        match is.unseen(section, &row, was) {
            Some(why) => out.not_looked_at.push(Noted { row, because: Some(why) }),
            None => out.gone.push(Noted { row, because: None }),
        }
    }
    for row in fresh {
        match was.unseen(section, &row, is) {
            Some(why) => out.not_looked_at_before.push(Noted { row, because: Some(why) }),
            None => out.new.push(Noted { row, because: None }),
        }
    }
    out
}

/// Rows that are in both: changed where one of their facts is, or where the file is and none of its rows tells. Of such a
/// file the first row stands for all; where rows came or went, `stirred`, these tell of the change.
fn settle(same: Vec<(Row, Row)>, mut stirred: HashSet<TargetPath>, out: &mut Part) {
    let mut rest = Vec::new();
    for (before, after) in same {
        let changes = row::differences(&before, &after);
        if changes.is_empty() {
            rest.push((before, after));
        } else {
            stirred.insert(after.path.clone());
            out.changed.push(Changed { before, after, changes });
        }
    }
    for (before, after) in rest {
        let file = before.file.clone().zip(after.file.clone()).filter(|(was, is)| was != is);
        match file {
            Some((was, is)) if stirred.insert(after.path.clone()) => {
                out.changed.push(Changed { before, after, changes: vec![("file", was, is)] });
            }
            _ => out.unchanged.push(after),
        }
    }
}

/// Pairs, and what is left of both sides.
type Paired = (Vec<(Row, Row)>, Vec<Row>, Vec<Row>);

/// Rows that were edited have another id: what is gone and what is new at the same place are one, in their order.
fn pair(lost: Vec<Row>, fresh: Vec<Row>) -> Paired {
    let mut waiting: HashMap<String, VecDeque<usize>> = HashMap::new();
    for (at, row) in fresh.iter().enumerate().filter(|(_, row)| !row.like.is_empty()) {
        waiting.entry(row.like.clone()).or_default().push_back(at);
    }
    let mut fresh: Vec<Option<Row>> = fresh.into_iter().map(Some).collect();
    let (mut pairs, mut left) = (Vec::new(), Vec::new());
    for row in lost {
        let at = waiting.get_mut(&row.like).and_then(VecDeque::pop_front);
        match at.and_then(|at| fresh.get_mut(at)).and_then(Option::take) {
            Some(now) => pairs.push((row, now)),
            None => left.push(row),
        }
    }
    (pairs, left, fresh.into_iter().flatten().collect())
}

/// What the later report still shows of what is gone.
struct Still<'r> {
    /// Paths at which something else starts or lies, and in which state.
    shown: HashMap<&'r TargetPath, &'r str>,
    /// Paths whose rows were changed.
    changed: HashSet<TargetPath>,
    /// Packs that were changed in between.
    packs: HashSet<&'r str>,
}

impl<'r> Still<'r> {
    fn of(before: &'r Told, after: &'r Told, parts: &[Part]) -> Self {
        let distributions = after.distributions.iter().map(|one| (&one.path, one.state.as_str()));
        let hooks = after.startup_hooks.iter().map(|one| (&one.path, "start-up file"));
        let starts = after.autostarts.iter().map(|one| (&one.path, "started by itself"));
        let now: HashMap<&str, &str> = after.packs.iter().map(|one| (one.id.as_str(), one.sha256.as_str())).collect();
        let is_changed = |id: &str, sha256: &str| now.get(id).is_some_and(|is| *is != sha256);
        let packs = before.packs.iter().filter(|one| is_changed(&one.id, &one.sha256));
        let changed = parts.iter().flat_map(|part| &part.changed).map(|one| one.after.path.clone());
        Self {
            shown: distributions.chain(hooks).chain(starts).collect(),
            changed: changed.collect(),
            packs: packs.map(|one| one.id.as_str()).collect(),
        }
    }

    fn told(&self, section: Section, row: &Row) -> Option<String> {
        let state = self.shown.get(&row.path);
        let pack = row.incident.as_deref().filter(|pack| self.packs.contains(pack));
        match (section, state, pack) {
            (Section::Distributions, Some(state), _) => Some(format!("something of it is still there ({state})")),
            (Section::Findings, Some(_), Some(pack)) => {
                Some(format!("its file is still there, and the pack {pack} was changed"))
            }
            (Section::Findings, Some(_), None) if self.changed.contains(&row.path) => {
                Some("its file is still there, and was changed".to_owned())
            }
            (Section::Findings, Some(_), None) => Some("its file is still there".to_owned()),
            (Section::Findings, None, Some(pack)) => {
                Some(format!("the pack {pack} was changed: it may only no longer ask for it"))
            }
            _ => None,
        }
    }
}

impl Serialize for Changed {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Change<'c> {
            what: &'c str,
            before: &'c str,
            after: &'c str,
        }
        #[derive(Serialize)]
        struct Shown<'c> {
            #[serde(flatten)]
            row: &'c Row,
            before_id: &'c str,
            changes: Vec<Change<'c>>,
        }
        let changes = self.changes.iter().map(|(what, before, after)| Change { what, before, after });
        Shown { row: &self.after, before_id: &self.before.id, changes: changes.collect() }.serialize(to)
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut part = to.serialize_map(None)?;
        part.serialize_entry("new", &self.new)?;
        part.serialize_entry("gone", &self.gone)?;
        part.serialize_entry("changed", &self.changed)?;
        part.serialize_entry("unchanged", &self.unchanged.iter().map(|row| row.id.as_str()).collect::<Vec<_>>())?;
        part.serialize_entry("not_looked_at", &self.not_looked_at)?;
        part.serialize_entry("not_looked_at_before", &self.not_looked_at_before)?;
        part.end()
    }
}
