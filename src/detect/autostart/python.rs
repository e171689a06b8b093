//! Entries that start the Python of an environment in which something known bad is installed: at the next boot, login or
//! full hour it runs.

use std::collections::HashMap;

use super::{ADVICE, base, named};
use crate::detect::{Rule, Run, Scene, settle};
use crate::model::autostart::Autostart;
use crate::model::finding::{Evidence, Finding, Stage};
use crate::model::id::Id;
use crate::model::verdict::Level;

/// The rule.
pub const RULE: Rule = Rule {
    id: "autostart-bad-python",
    sentence: "Something that starts by itself and runs the Python of an environment in which a known-bad thing is installed.",
    run: Run::OnFindings(run),
};

fn run(scene: &Scene<'_>, findings: &[Finding]) -> Vec<Finding> {
    let mut bad: HashMap<Id, Vec<&Finding>> = HashMap::new();
    for one in findings.iter().filter(|one| one.level == Level::Compromised && one.stage.distance() == 0) {
        if let Some(environment) = one.environment {
            bad.entry(environment).or_default().push(one);
        }
    }
    if bad.is_empty() {
        return Vec::new();
    }
    let rows = scene.facts.autostarts.iter();
    rows.flat_map(|row| {
        let mut environments: Vec<Id> = row.programs.iter().filter_map(|one| one.environment).collect();
        environments.sort_unstable();
        environments.dedup();
        let bad = &bad;
        environments
            .into_iter()
            .flat_map(move |id| of_environment(scene, row, id, bad.get(&id).map_or(&[], Vec::as_slice)))
    })
    .collect()
}

/// One finding for each incident of the environment: the one that is surest.
fn of_environment(scene: &Scene<'_>, row: &Autostart, environment: Id, bad: &[&Finding]) -> Vec<Finding> {
    let mut by_incident: HashMap<Option<&str>, &Finding> = HashMap::new();
    for one in bad {
        let best = by_incident.entry(one.incident.as_deref()).or_insert(one);
        if (best.confidence, &one.id) < (one.confidence, &best.id) {
            *best = one;
        }
    }
    by_incident.into_values().filter_map(|cause| finding(scene, row, environment, cause)).collect()
}

fn finding(scene: &Scene<'_>, row: &Autostart, environment: Id, cause: &Finding) -> Option<Finding> {
    let root = scene.environment(Some(environment))?;
    let program = row.programs.iter().find(|one| one.environment == Some(environment))?;
    let mut one =
        base(scene, row, RULE.id, &format!("{environment} {}", cause.incident.as_deref().unwrap_or_default()));
    one.incident.clone_from(&cause.incident);
    one.indicator.clone_from(&cause.indicator);
    one.indicators.clone_from(&cause.indicators);
    one.environment = Some(environment);
    let what = match (&cause.subject.name, &cause.subject.version) {
        (Some(name), Some(version)) => format!("{name} {version}"),
        (Some(name), None) => name.clone(),
        _ => cause.subject.path.to_text().into_owned(),
    };
    one.title = format!(
        "{} starts {} of {}, in which {what} is present",
        named(row),
        program.path.to_text(),
        root.path.to_text()
    );
    one.stage = Stage::Persisted;
    one.evidence.push(Evidence::at("file", cause.subject.path.clone()));
    settle(&mut one, Level::Compromised, cause.confidence);
    ADVICE.clone_into(&mut one.advice);
    Some(one)
}
