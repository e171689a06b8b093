//! Entries that a pack knows by what they are and run, whatever the file is called that holds them.

use super::{ADVICE, base, named};
use crate::detect::file::conditions_hold;
use crate::detect::{Rule, Run, Scene, settle};
use crate::intel::index::Known;
use crate::intel::pack::{Indicator, Kind};
use crate::model::autostart::Autostart;
use crate::model::finding::{Finding, HookVerdict};
use crate::model::glob;

/// The rule.
pub const RULE: Rule = Rule {
    id: "autostart-known-bad",
    sentence: "Something that starts by itself and that an indicator pack knows by its kind and what it runs.",
    run: Run::OnFacts(run),
};

fn run(scene: &Scene<'_>, _hooks: &[HookVerdict]) -> Vec<Finding> {
    let wanted: Vec<Known<'_>> =
        scene.intel.of_kind(Kind::Persistence).filter(|known| known.indicator.starts.is_some()).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let rows = scene.facts.autostarts.iter();
    rows.flat_map(|row| wanted.iter().filter_map(move |known| finding(scene, row, known))).collect()
}

fn finding(scene: &Scene<'_>, row: &Autostart, known: &Known<'_>) -> Option<Finding> {
    let indicator = known.indicator;
    if !fits(indicator, row) || !conditions_hold(scene, known, None) {
        return None;
    }
    let mut one = base(scene, row, RULE.id, &indicator.id);
    one.incident = Some(known.pack.id.clone());
    one.indicator = Some(indicator.id.clone());
    one.indicators = vec![indicator.id.clone()];
    one.title = format!("{}: {}", named(row), indicator.meaning);
    one.stage = indicator.stage;
    settle(&mut one, indicator.level, indicator.confidence);
    ADVICE.clone_into(&mut one.advice);
    Some(one)
}

/// Whether an entry is what an indicator speaks of: its kind, its name and every text. Where names have no case, commands
/// have none either.
pub(in crate::detect) fn fits(one: &Indicator, row: &Autostart) -> bool {
    if one.starts != Some(row.kind) {
        return false;
    }
    let is_named = |name: &String| glob::fits(name.as_bytes(), row.name.as_str().as_bytes(), glob::caseless);
    let command = row.command.to_ascii_lowercase();
    let has = |text: &String| memchr::memmem::find(&command, text.to_ascii_lowercase().as_bytes()).is_some();
    one.name.as_ref().is_none_or(is_named) && one.contains.iter().all(has)
}
