//! Pipelines that may have pulled a bad version on a machine that is gone: they ask for one by its number, or they install a
//! package of an incident without a version and stood there while a bad one could be fetched.

use std::collections::HashMap;

use super::{Rule, Run, Scene, settle};
use crate::intel::index::Known;
use crate::intel::pack::Indicator;
use crate::intel::version;
use crate::intel::versions_words;
use crate::model::finding::{Confidence, Evidence, Finding, HookVerdict, Stage, Subject};
use crate::model::install::{Install, SaidBy, Wanted};
use crate::model::path::TargetPath;
use crate::model::text::Excerpt;
use crate::model::verdict::Level;

/// The rule.
pub const RULE: Rule = Rule {
    id: "pipeline-install",
    sentence: "A pipeline or recipe of an image that installs a bad version by its number, or that is older than the end of an incident and leaves the version of its package open: whoever ran it then may have got the bad release. It is a lead; the machine that ran it has to be asked.",
    run: Run::OnFacts(run),
};

/// A line that installs, in which of the versions, and by way of which file.
struct Lead<'a> {
    pipeline: &'a Install,
    /// The line that names the package: in the pipeline itself, or in a file of requirements.
    named: &'a Install,
    specifier: &'a str,
    normalized: &'a str,
}

fn run(scene: &Scene<'_>, _hooks: &[HookVerdict]) -> Vec<Finding> {
    let leads = leads(&scene.facts.installs);
    let known = |lead: &Lead<'_>| scene.intel.package(lead.normalized).collect::<Vec<_>>();
    leads.iter().flat_map(|lead| known(lead).into_iter().filter_map(move |known| judge(scene, lead, &known))).collect()
}

/// What each pipeline installs, itself and by the files of requirements that it names.
fn leads(all: &[Install]) -> Vec<Lead<'_>> {
    let mut by_file: HashMap<&TargetPath, Vec<&Install>> = HashMap::new();
    for one in all.iter().filter(|one| one.said_by == SaidBy::Requirement) {
        by_file.entry(&one.path).or_default().push(one);
    }
    let mut out = Vec::new();
    for pipeline in all.iter().filter(|one| one.said_by == SaidBy::Command) {
        let named: Vec<&Install> = match &pipeline.wants {
            Wanted::Package { .. } => vec![pipeline],
            Wanted::File(path) => by_file.get(path).into_iter().flatten().copied().collect(),
        };
        for named in named {
            if let Wanted::Package { normalized, specifier } = &named.wants {
                out.push(Lead { pipeline, named, specifier, normalized });
            }
        }
    }
    out
}

fn judge(scene: &Scene<'_>, lead: &Lead<'_>, known: &Known<'_>) -> Option<Finding> {
    let indicator = known.indicator;
    let how = admits(lead.specifier, indicator).filter(|_| indicator.level > Level::None)?;
    let window = known.pack.window.as_ref();
    let is_older = |one: &Install| match (one.modified, window.map(|window| window.until)) {
        (Some(modified), Some(until)) => until.is_none_or(|until| modified <= until),
        _ => false,
    };
    let age = if is_older(lead.pipeline) && is_older(lead.named) { Age::Older } else { Age::Unknown };
    // A bad version that is asked for by its number is one on any day; what leaves it open says nothing later.
    let confidence = match (how, age) {
        (How::Pinned, _) => indicator.confidence,
        (_, Age::Older) => Confidence::Possible,
        (_, Age::Unknown) => return None,
    };
    let mut one = finding(scene, lead, known, (how, age));
    settle(&mut one, Level::Exposed.min(indicator.level), confidence);
    one.advice = "Where a pipeline installs it: find out which machines ran it between the dates of the incident, from the service's own logs, and sweep \
                  those that still exist. What those that are gone could read has to be rotated. Pin a good version before it runs again."
        .to_owned();
    Some(one)
}

/// Whether the files stood there when a bad version could be fetched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    Older,
    Unknown,
}

/// How a requirement lets a bad version in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Pinned,
    Range,
    Any,
}

fn admits(specifier: &str, indicator: &Indicator) -> Option<How> {
    if specifier.is_empty() {
        return Some(How::Any);
    }
    let is_pin = specifier.starts_with("==") && !specifier.contains(['*', ',']);
    let how = if is_pin { How::Pinned } else { How::Range };
    // A range that is bad cannot be held against a range here: it may well meet it.
    let is_open = indicator.specifier.is_some() || indicator.versions.iter().any(|bad| version::is_range(bad));
    let of_pin = specifier.trim_start_matches('=').trim();
    let is_bad = match how {
        How::Pinned => {
            let is_within = indicator.specifier.as_deref().is_some_and(|bad| version::is_within(of_pin, bad));
            indicator.all_versions
                || is_within
                || indicator.versions.iter().any(|bad| version::compare(of_pin, bad) != version::Match::No)
        }
        _ => {
            indicator.all_versions || is_open || indicator.versions.iter().any(|bad| version::is_within(bad, specifier))
        }
    };
    is_bad.then_some(how)
}

fn finding(scene: &Scene<'_>, lead: &Lead<'_>, known: &Known<'_>, (how, age): (How, Age)) -> Finding {
    let Known { pack, indicator } = known;
    let Lead { pipeline, named, specifier, normalized } = lead;
    let name = indicator.name.as_deref().unwrap_or(normalized);
    let file = Excerpt::of(pipeline.path.file_name());
    let which = match how {
        How::Pinned => format!("{name}{specifier}"),
        How::Range => format!("{name}{specifier}, which lets a bad version in"),
        How::Any => format!("{name} in any version"),
    };
    let until = pack.window.as_ref().and_then(|window| window.until);
    let age_words = match (age, until) {
        (Age::Older, Some(until)) => format!(", and is older than the end of the incident ({})", until.day()),
        (Age::Older, None) => ", and the incident has no known end".to_owned(),
        (Age::Unknown, _) => String::new(),
    };
    let title = format!("{file} installs {which} (bad: {}){age_words}", versions_words(indicator));
    let evidence = |one: &Install| Evidence {
        line: Some(one.line),
        modified: one.modified,
        excerpt: Some(one.excerpt.clone()),
        ..Evidence::at("install-line", one.path.clone())
    };
    let mut all = vec![evidence(pipeline)];
    if named.path != pipeline.path {
        all.push(evidence(named));
    }
    let subject = Subject { kind: "file", path: pipeline.path.clone(), name: Some(name.to_owned()), version: None };
    Finding {
        incident: Some(pack.id.clone()),
        indicator: Some(indicator.id.clone()),
        indicators: vec![indicator.id.clone()],
        title,
        accounts: scene.owner_of(&pipeline.path).map(|account| account.name.clone()).into_iter().collect(),
        evidence: all,
        attack: vec!["T1195.002"],
        first_seen: pipeline.modified,
        ..Finding::unjudged(RULE.id, &[indicator.id.as_bytes(), pipeline.path.as_bytes()], subject, Stage::Referenced)
    }
}
