//! Stored reports judged with today's packs: what is new, what is no longer said, and what a stored report cannot answer.
//! Pure: the host is not needed, and may be gone.
//!
//! Names, versions and start-up files are in the report, so they are judged anew. Files were only looked for by the names
//! that the packs of then had, and texts were never kept: findings of that kind stay as long as their indicator does, and a
//! pack that is new since then is a gap for them.

pub mod stored;

use std::collections::{HashMap, HashSet};

use crate::detect::{self, Scene, package, startup_hook};
use crate::intel::index::Intel;
use crate::intel::load::Loaded;
use crate::model::facts::Facts;
use crate::model::finding::{Confidence, Finding};
use crate::model::path::TargetPath;
use crate::model::text::counted;
use crate::model::time::Time;
use crate::model::verdict::{Completeness, Level};
use stored::{Stored, StoredFinding};

/// Rules that are run again on what a report holds.
const AGAIN: [&str; 2] = [package::RULE.id, startup_hook::KNOWN.id];

/// What today's packs say of a report.
pub struct Rechecked {
    /// What is found now and was not then.
    pub new: Vec<Finding>,
    /// What is found now as then, and how much it means now.
    pub same: Vec<Kept>,
    /// What was found then and is not said any more, with the reason.
    pub gone: Vec<(StoredFinding, String)>,
    /// What the report cannot answer, each a sentence.
    pub gaps: Vec<String>,
    /// The worst level.
    pub level: Level,
    /// Whether everything was looked at, then and now.
    pub coverage: Completeness,
    /// The facts of the report.
    pub facts: Facts,
}

/// A finding of then that stays.
pub struct Kept {
    /// As it was stored.
    pub stored: StoredFinding,
    /// Its level now.
    pub level: Level,
    /// How sure it is now.
    pub confidence: Confidence,
}

/// Judges a stored report with the packs of `intel`; `now` decides whether an acceptance still holds.
#[must_use]
pub fn recheck(report: &Stored, intel: &Intel, now: Time) -> Rechecked {
    let facts = report.facts();
    let accounts = report.accounts();
    let other_names = HashMap::new();
    let found = detect::detect_only(&Scene::of(&facts, intel, &accounts, &other_names, report.host.os), &AGAIN);
    let again: HashMap<String, &Finding> = found.iter().map(|one| (one.id.to_string(), one)).collect();
    let told: HashMap<Told<'_>, &Finding> = found.iter().map(|one| (about(one), one)).collect();
    let (mut same, mut gone, mut gaps) = (Vec::new(), Vec::new(), gaps(report, intel));
    for old in &report.findings {
        match kept(old, intel, again.get(&old.id).copied(), &told) {
            Fate::Stays(kept) => same.push(kept),
            Fate::Unasked(kept) => {
                let pack = old.incident.as_deref().unwrap_or_default();
                let gap = format!("the pack {pack} is not loaded: what it found stays as it was; name it with --iocs");
                if !gaps.contains(&gap) {
                    gaps.push(gap);
                }
                same.push(kept);
            }
            Fate::Gone(why) => gone.push((old.clone(), why)),
        }
    }
    let known: HashSet<&str> = report.findings.iter().map(|one| one.id.as_str()).collect();
    let new: Vec<Finding> = found.iter().filter(|one| !known.contains(one.id.to_string().as_str())).cloned().collect();
    // A known indicator is never accepted, whatever a report says.
    let counts = |one: &StoredFinding| one.indicator.is_some() || one.accepted_until().is_none_or(|until| until < now);
    let levels = same.iter().filter(|one| counts(&one.stored)).map(|one| one.level);
    let level = levels.chain(new.iter().map(|one| one.level)).max().unwrap_or(Level::None);
    if report.findings.iter().map(|one| one.level).max().unwrap_or(Level::None) < report.verdict.level {
        let said = report.verdict.level.name();
        gaps.push(format!(
            "the report's verdict is {said}, and none of its findings is: it was changed, or is not whole"
        ));
    }
    let was_complete = report.verdict.coverage == Completeness::Complete && report.missed() == 0;
    let coverage = if was_complete && gaps.is_empty() { Completeness::Complete } else { Completeness::Incomplete };
    Rechecked { new, same, gone, gaps, level, coverage, facts }
}

/// What becomes of a finding of then.
enum Fate {
    /// It stays.
    Stays(Kept),
    /// It stays because nobody asked: its pack is not loaded.
    Unasked(Kept),
    /// It is not said any more.
    Gone(String),
}

/// What a finding is about: its path and incident.
type Told<'a> = (&'a TargetPath, Option<&'a str>);

fn about(one: &Finding) -> Told<'_> {
    (&one.subject.path, one.incident.as_deref())
}

/// Whether a finding stays: as it is found anew, as one that no indicator knows, or because its indicator is still there
/// and asks for what a report does not hold.
fn kept(old: &StoredFinding, intel: &Intel, again: Option<&Finding>, told: &HashMap<Told<'_>, &Finding>) -> Fate {
    let kept = |level, confidence| Kept { stored: old.clone(), level, confidence };
    // Of several indicators the strongest may be another today.
    let strongest = again.and_then(|one| one.indicator.as_ref()).or(old.indicator.as_ref());
    let Some(id) = strongest else {
        return Fate::Stays(kept(old.level, old.confidence));
    };
    let Some(known) = intel.indicator(id) else {
        let pack = old.incident.as_deref().unwrap_or_default();
        return match intel.packs().iter().any(|one| one.pack.id == pack) {
            true => Fate::Gone(format!("the pack {pack} no longer has the indicator {id}")),
            false => Fate::Unasked(kept(old.level, old.confidence)),
        };
    };
    let one = known.indicator;
    if let Some(again) = again {
        // A report holds less than the disk did: what it no longer shows does not lower a level, only a pack does.
        return Fate::Stays(kept(old.level.min(one.level).max(again.level), again.confidence));
    }
    if AGAIN.contains(&old.rule.as_str()) && one.contains.is_empty() {
        let other = told.get(&(&old.subject.path, old.incident.as_deref()));
        return Fate::Gone(match other {
            Some(other) => format!("it is told by {}", other.id),
            None => format!("the indicator {id} no longer fits it"),
        });
    }
    // The state in which the thing lay may have lowered its level; a pack can only lower it further.
    Fate::Stays(kept(old.level.min(one.level), one.confidence))
}

/// What a report of then cannot say to a pack of now. Names and versions are in it, and hooks with their hashes; but
/// packages without metadata, rows of RECORD, files and texts were only looked for as the packs of then asked.
fn gaps(report: &Stored, intel: &Intel) -> Vec<String> {
    let is_same = |one: &Loaded| report.packs.iter().any(|then| then.id == one.pack.id && then.sha256 == one.sha256);
    let changed = intel.packs().iter().filter(|one| !is_same(one));
    changed
        .filter_map(|one| {
            let number = one.pack.indicators.iter().filter(|row| row.kind.is_looked_for()).count();
            let was_there = report.packs.iter().any(|then| then.id == one.pack.id);
            let since = if was_there { "has changed since" } else { "is new since" };
            let what = counted(number, "indicator");
            (number > 0).then(|| {
                format!(
                    "the pack {} {since}: names, versions and start-up files of the report were held against its {what}, other files and texts were not; sweep the host again",
                    one.pack.id
                )
            })
        })
        .collect()
}
