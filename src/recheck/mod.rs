//! Stored reports judged with today's packs: what is new, what is no longer said, and what a stored report cannot answer.
//! Pure: the host is not needed, and may be gone.
//!
//! Names, versions and start-up files are in the report, so they are judged anew. Files were only looked for by the names
//! that the packs of then had, and texts were never kept: findings of that kind stay as long as their indicator does, and a
//! pack that is new since then is a gap for them.

pub mod stored;

use std::collections::{BTreeMap, HashMap};

use crate::detect::{self, Scene, package, startup_hook};
use crate::intel::index::Intel;
use crate::intel::load::Loaded;
use crate::intel::pack::{Indicator, Kind};
use crate::model::facts::Facts;
use crate::model::finding::{Confidence, Finding};
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
    let scene = Scene::of(&facts, intel, &accounts, &other_names, report.host.os);
    let found = detect::detect_only(&scene, &AGAIN);
    let mut by_id: BTreeMap<String, Finding> = found.into_iter().map(|one| (one.id.to_string(), one)).collect();
    let (mut same, mut gone) = (Vec::new(), Vec::new());
    for old in &report.findings {
        match by_id.remove(&old.id) {
            // A report holds less than the disk did: what it no longer shows does not lower a level.
            Some(now) => {
                let most =
                    now.indicator.as_deref().and_then(|id| intel.indicator(id)).map(|known| known.indicator.level);
                let level = old.level.min(most.unwrap_or(old.level)).max(now.level);
                same.push(Kept { stored: old.clone(), level, confidence: now.confidence });
            }
            None => match kept(old, intel, &by_id) {
                Ok(kept) => same.push(kept),
                Err(why) => gone.push((old.clone(), why)),
            },
        }
    }
    let new: Vec<Finding> = by_id.into_values().collect();
    let gaps = gaps(report, intel);
    let is_accepted = |one: &StoredFinding| one.accepted_until().is_some_and(|until| until >= now);
    let old_levels = same.iter().filter(|one| !is_accepted(&one.stored)).map(|one| one.level);
    let level = old_levels.chain(new.iter().map(|one| one.level)).max().unwrap_or(Level::None);
    let was_complete = report.verdict.coverage == Completeness::Complete;
    let coverage = if was_complete && gaps.is_empty() { Completeness::Complete } else { Completeness::Incomplete };
    drop(scene);
    Rechecked { new, same, gone, gaps, level, coverage, facts }
}

/// Whether a finding stays that is not found anew: one that no indicator knows, and one whose indicator is still there but
/// asks for what a report does not hold.
fn kept(old: &StoredFinding, intel: &Intel, now: &BTreeMap<String, Finding>) -> Result<Kept, String> {
    let Some(id) = &old.indicator else {
        return Ok(Kept { stored: old.clone(), level: old.level, confidence: old.confidence });
    };
    let Some(known) = intel.indicator(id) else {
        let pack = old.incident.as_deref().unwrap_or_default();
        let is_loaded = intel.packs().iter().any(|one| one.pack.id == pack);
        return Err(match is_loaded {
            true => format!("the pack {pack} no longer has the indicator {id}"),
            false => format!("the pack {pack} is not loaded"),
        });
    };
    let one = known.indicator;
    if AGAIN.contains(&old.rule.as_str()) && one.contains.is_empty() {
        let told = now.values().find(|other| other.subject.path == old.subject.path && other.incident == old.incident);
        return Err(match told {
            Some(other) => format!("it is told by {}", other.id),
            None => format!("the indicator {id} no longer fits it"),
        });
    }
    // The state in which the thing lay may have lowered its level; a pack can only lower it further.
    Ok(Kept { stored: old.clone(), level: old.level.min(one.level), confidence: one.confidence })
}

/// What a report of then cannot say to a pack of now.
fn gaps(report: &Stored, intel: &Intel) -> Vec<String> {
    let is_same = |one: &Loaded| report.packs.iter().any(|then| then.id == one.pack.id && then.sha256 == one.sha256);
    let changed = intel.packs().iter().filter(|one| !is_same(one));
    changed
        .filter_map(|one| {
            let asks = |row: &&Indicator| row.kind.is_looked_for() && row.kind != Kind::Package && needs_disk(row);
            let number = one.pack.indicators.iter().filter(asks).count();
            let was_there = report.packs.iter().any(|then| then.id == one.pack.id);
            let since = if was_there { "has changed since" } else { "is new since" };
            let what = counted(number, "indicator");
            (number > 0).then(|| {
                format!(
                    "the pack {} {since}: {what} of it ask for files and texts that this report does not hold; sweep the host again",
                    one.pack.id
                )
            })
        })
        .collect()
}

/// Whether an indicator asks for more than names, versions and the hashes of start-up files.
fn needs_disk(one: &Indicator) -> bool {
    one.kind != Kind::Startup || !one.contains.is_empty()
}
