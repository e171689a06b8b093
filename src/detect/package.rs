//! A distribution whose name and version a pack names. Where metadata and folder name disagree, either may match.

use std::collections::{HashMap, HashSet};

use super::{Rule, Scene, layer, settle, severity};
use crate::intel::index::{Applies, Known};
use crate::model::distribution::{DistState, Distribution, MetadataForm};
use crate::model::finding::{Confidence, Evidence, Finding, HookVerdict, Stage, Subject};
use crate::model::id::Id;
use crate::model::text::Excerpt;
use crate::model::verdict::Level;

/// The rule.
pub const RULE: Rule = Rule {
    id: "package-known-bad",
    sentence: "A distribution whose name and version an indicator pack names. Installed, it is compromised: its code ran or would run. Stored in a cache or left over, it is exposed.",
    run,
};

fn run(scene: &Scene<'_>, _hooks: &[HookVerdict]) -> Vec<Finding> {
    let twins = Twins::of(&scene.facts.distributions);
    let rows = scene.facts.distributions.iter().filter(|found| !twins.is_told_by_another(found));
    rows.flat_map(|found| matches(scene, found).map(move |hit| (found, hit)))
        .map(|(found, hit)| {
            let mut one = finding(scene, found, &hit);
            one.evidence.extend(twins.of_conda(found).map(|conda| evidence(conda, &conda.version)));
            one
        })
        .collect()
}

/// Packages that two kinds of metadata name: conda keeps a list of its own beside what the package brings with it. They
/// are one thing installed once.
struct Twins<'a> {
    by_conda: HashMap<Key<'a>, &'a Distribution>,
    by_package: HashSet<Key<'a>>,
}

type Key<'a> = (Option<Id>, &'a str, &'a str);

impl<'a> Twins<'a> {
    fn of(all: &'a [Distribution]) -> Self {
        let by_conda = all.iter().filter(|found| found.metadata == MetadataForm::CondaMeta);
        let by_conda: HashMap<Key<'a>, &Distribution> = by_conda.map(|found| (key(found), found)).collect();
        let others =
            all.iter().filter(|found| found.metadata != MetadataForm::CondaMeta && found.state.is_importable());
        let by_package = if by_conda.is_empty() { HashSet::new() } else { others.map(key).collect() };
        Self { by_conda, by_package }
    }

    fn is_told_by_another(&self, found: &Distribution) -> bool {
        found.metadata == MetadataForm::CondaMeta && self.by_package.contains(&key(found))
    }

    fn of_conda(&self, found: &Distribution) -> Option<&'a Distribution> {
        self.by_conda.get(&key(found)).copied().filter(|conda| conda.path != found.path)
    }
}

fn key(found: &Distribution) -> Key<'_> {
    (found.environment, &found.normalized, &found.version)
}

/// One indicator that applies to one distribution.
pub struct Hit<'a> {
    /// The indicator.
    pub known: Known<'a>,
    /// Name and version that matched.
    pub matched: (String, String),
    /// How.
    pub applies: Applies,
}

/// The package indicators that apply to a distribution.
pub fn matches<'a>(scene: &Scene<'a>, found: &'a Distribution) -> impl Iterator<Item = Hit<'a>> {
    let own = (found.name.clone(), found.version.clone());
    let folder = found.folder_says.as_ref().map(|says| {
        // A folder's name without a version says nothing of the version.
        let version = if says.version.is_empty() { &found.version } else { &says.version };
        (says.name.clone(), version.clone())
    });
    let mut seen = Vec::new();
    [Some(own), folder]
        .into_iter()
        .flatten()
        .flat_map(move |(name, version)| {
            let hits = scene.intel.judge(&name, &version).into_iter();
            hits.map(|(known, applies)| Hit { known, matched: (name.clone(), version.clone()), applies })
                .collect::<Vec<_>>()
        })
        .filter(|hit| !(hit.applies == Applies::Perhaps && is_accounted_for(found)))
        .filter(move |hit| {
            let is_new = !seen.contains(&hit.known.indicator.id);
            seen.push(hit.known.indicator.id.clone());
            is_new
        })
}

/// A folder of a watched name and of no version: one whose files another distribution lists, or that holds nothing to be
/// imported, is no lead. One whose own version is bad stays one, whatever a RECORD says.
fn is_accounted_for(found: &Distribution) -> bool {
    let is_residue = found.state == DistState::Leftover && !found.path.file_name().starts_with(b"~");
    found.metadata == MetadataForm::Directory && (found.is_claimed || is_residue)
}

fn finding(scene: &Scene<'_>, found: &Distribution, hit: &Hit<'_>) -> Finding {
    let Known { pack, indicator } = hit.known;
    let (level, confidence) = weigh(found.state, hit);
    let (name, version) = &hit.matched;
    let note = match (hit.applies, &found.folder_says) {
        (Applies::Perhaps, _) => ", version unknown",
        (Applies::SameText, _) => ", which is no version by PEP 440, compared as text",
        (_, Some(_)) => ", though metadata and folder name disagree",
        _ if found.metadata == MetadataForm::Directory => ", though no metadata names it",
        _ => "",
    };
    let title = format!("{} is {}{note}", [name.as_str(), version].join(" ").trim(), layer::words(scene, found));
    let mut one = about(scene, found, RULE.id, &indicator.id, title);
    // Metadata and folder name may each match in their own way.
    let parts =
        [RULE.id.as_bytes(), indicator.id.as_bytes(), found.path.as_bytes(), name.as_bytes(), version.as_bytes()];
    one.id = Id::new("find", &parts);
    one.incident = Some(pack.id.clone());
    one.indicator = Some(indicator.id.clone());
    one.indicators.push(indicator.id.clone());
    one.subject.name = Some(name.clone());
    one.subject.version = Some(version.clone());
    one.evidence = vec![evidence(found, version)];
    settle(&mut one, level, confidence);
    one
}

/// A finding about a distribution, of which only the title says what it is.
pub(super) fn about(
    scene: &Scene<'_>,
    found: &Distribution,
    rule: &'static str,
    indicator: &str,
    title: String,
) -> Finding {
    let environment = scene.environment(found.environment);
    Finding {
        id: Id::new("find", &[rule.as_bytes(), indicator.as_bytes(), found.path.as_bytes()]),
        rule,
        incident: None,
        indicator: None,
        indicators: Vec::new(),
        level: Level::None,
        severity: severity(Level::None, Confidence::Possible),
        confidence: Confidence::Possible,
        title,
        stage: stage(found.state),
        subject: Subject {
            kind: "distribution",
            path: found.path.clone(),
            name: Some(found.name.clone()),
            version: Some(found.version.clone()),
        },
        environment: found.environment,
        accounts: environment.and_then(|env| env.account.clone()).into_iter().collect(),
        evidence: Vec::new(),
        also_at: found.also_at.clone(),
        attack: vec!["T1195.002"],
        accepted: None,
        first_seen: found.installed_at,
        advice: String::new(),
    }
}

/// The line that names the version, or the folder whose name does.
fn evidence(found: &Distribution, matched: &str) -> Evidence {
    let Some(line) = found.version_line.filter(|_| matched == found.version) else {
        return Evidence { modified: found.installed_at, ..Evidence::at("metadata", found.path.clone()) };
    };
    let path = match found.metadata {
        MetadataForm::DistInfo => found.path.join(b"METADATA"),
        MetadataForm::EggInfoDir => found.path.join(b"PKG-INFO"),
        // Of a zipped egg the path of the archive: the line is that of the EGG-INFO/PKG-INFO in it.
        MetadataForm::EggInfoFile
        | MetadataForm::EggZip
        | MetadataForm::CondaMeta
        | MetadataForm::Directory
        | MetadataForm::EggLink => found.path.clone(),
        MetadataForm::EggDir => found.path.join(b"EGG-INFO").join(b"PKG-INFO"),
    };
    let excerpt = Excerpt::of(format!("Version: {}", found.version).as_bytes());
    Evidence {
        line: Some(line),
        excerpt: Some(excerpt),
        modified: found.installed_at,
        ..Evidence::at("metadata", path)
    }
}

/// An indicator says the most it can mean; the state in which the thing lies here, and how well it matched, may make it less.
fn weigh(state: DistState, hit: &Hit<'_>) -> (Level, Confidence) {
    let most = match (state, hit.applies) {
        (state, Applies::Yes) if state.is_importable() => Level::Compromised,
        _ => Level::Exposed,
    };
    let indicator = hit.known.indicator;
    let confidence = if hit.applies == Applies::Yes { indicator.confidence } else { Confidence::Possible };
    (indicator.level.min(most), confidence)
}

pub(super) fn state_words(state: DistState) -> &'static str {
    match state {
        DistState::Installed => "installed",
        DistState::Editable => "installed from a source tree",
        DistState::Cached => "stored in a cache",
        DistState::Leftover => "left over from a removal",
    }
}

fn stage(state: DistState) -> Stage {
    match state {
        DistState::Installed => Stage::Installed,
        DistState::Editable => Stage::Editable,
        DistState::Cached => Stage::Cached,
        DistState::Leftover => Stage::Leftover,
    }
}
