//! A distribution whose name and version a pack names. Where metadata and folder name disagree, either may match.

use std::collections::{HashMap, HashSet};

use super::{Rule, Run, Scene, layer, settle};
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
    run: Run::OnFacts(run),
};

fn run(scene: &Scene<'_>, _hooks: &[HookVerdict]) -> Vec<Finding> {
    let twins = Twins::of(&scene.facts.distributions);
    // What a resolver only looked at was never here.
    let known = scene.facts.distributions.iter().filter(|found| found.state.is_evidence());
    let rows = known.filter(|found| !twins.is_told_by_another(found));
    rows.flat_map(|found| matches(scene, found).map(move |hit| (found, hit)))
        .map(|(found, hit)| {
            let mut one = finding(scene, found, &hit);
            one.evidence.extend(twins.of_conda(found).map(|conda| evidence(conda, &conda.version)));
            one
        })
        .collect()
}

/// Packages that several things in one environment name: conda keeps a list of its own beside what the package brings with
/// it, and in its cache an archive beside what is unpacked. They are one thing.
struct Twins<'a> {
    by_conda: HashMap<Key<'a>, Vec<&'a Distribution>>,
    by_package: HashSet<Key<'a>>,
}

type Key<'a> = (Option<Id>, &'a str, &'a str);

impl<'a> Twins<'a> {
    fn of(all: &'a [Distribution]) -> Self {
        let mut by_conda: HashMap<Key<'a>, Vec<&'a Distribution>> = HashMap::new();
        for found in all.iter().filter(|found| is_of_conda(found)) {
            by_conda.entry(key(found)).or_default().push(found);
        }
        let tells = |found: &&Distribution| !is_of_conda(found) && found.state != DistState::Leftover;
        let by_package = if by_conda.is_empty() { HashSet::new() } else { all.iter().filter(tells).map(key).collect() };
        Self { by_conda, by_package }
    }

    /// What the package brings with it tells the most; of conda's own files the first one does.
    fn is_told_by_another(&self, found: &Distribution) -> bool {
        let first = self.by_conda.get(&key(found)).and_then(|twins| twins.first());
        let is_first = first.is_none_or(|first| first.id == found.id);
        is_of_conda(found) && (self.by_package.contains(&key(found)) || !is_first)
    }

    fn of_conda(&self, found: &'a Distribution) -> impl Iterator<Item = &'a Distribution> {
        self.by_conda.get(&key(found)).into_iter().flatten().copied().filter(|conda| conda.id != found.id)
    }
}

/// Without an environment nothing says that two files are about one thing.
fn is_of_conda(found: &Distribution) -> bool {
    found.environment.is_some() && matches!(found.metadata, MetadataForm::CondaMeta | MetadataForm::CondaPackage)
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
        .filter(|hit| hit.applies != Applies::Perhaps || (!is_accounted_for(found) && found.state != DistState::Pinned))
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
    if found.state == DistState::Pinned {
        one.advice =
            "Where a bad version is pinned: pin a good one before anybody installs from that file again, and find \
                      out from logs and environments whether this one was ever installed."
                .to_owned();
    }
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
    let subject = Subject {
        kind: "distribution",
        path: found.path.clone(),
        name: Some(found.name.clone()),
        version: Some(found.version.clone()),
    };
    Finding {
        title,
        environment: found.environment,
        accounts: match environment {
            Some(environment) => environment.account.clone(),
            None => scene.owner_of(&found.path).map(|account| account.name.clone()),
        }
        .into_iter()
        .collect(),
        also_at: found.also_at.clone(),
        attack: vec!["T1195.002"],
        first_seen: found.installed_at,
        ..Finding::unjudged(rule, &[indicator.as_bytes(), found.path.as_bytes()], subject, stage(found.state))
    }
}

/// The line that names the version, or the folder whose name does.
fn evidence(found: &Distribution, matched: &str) -> Evidence {
    let place = |kind, path| Evidence {
        modified: found.installed_at,
        sha256: found.hashes.first().filter(|_| found.state != DistState::Pinned).cloned(),
        ..Evidence::at(kind, path)
    };
    let Some(line) = found.version_line.filter(|_| matched == found.version) else {
        // Of what an archive holds the folder in it says which.
        return Evidence { excerpt: found.member.clone(), ..place(evidence_kind(found), found.path.clone()) };
    };
    let path = match found.metadata {
        MetadataForm::DistInfo => found.path.join(b"METADATA"),
        MetadataForm::EggInfoDir => found.path.join(b"PKG-INFO"),
        MetadataForm::EggDir => found.path.join(b"EGG-INFO").join(b"PKG-INFO"),
        // Of a zipped egg the path of the archive: the line is that of the EGG-INFO/PKG-INFO in it.
        _ => found.path.clone(),
    };
    let excerpt = match found.metadata {
        MetadataForm::Lockfile => format!("{} {}", found.name, found.version),
        _ => format!("Version: {}", found.version),
    };
    let excerpt = Excerpt::of(excerpt.as_bytes());
    Evidence { line: Some(line), excerpt: Some(excerpt), ..place(evidence_kind(found), path) }
}

fn evidence_kind(found: &Distribution) -> &'static str {
    match found.metadata {
        MetadataForm::Lockfile => "lock-row",
        MetadataForm::Wheel | MetadataForm::Sdist | MetadataForm::Zipapp | MetadataForm::Frozen => "archive",
        _ => "metadata",
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

/// Whether a cache's own note is all that there is of it: a pointer of uv, a line of conda's list.
fn is_note(found: &Distribution) -> bool {
    let name = found.path.file_name();
    name == b"urls.txt" || name.ends_with(b".http") || name.ends_with(b".rev")
}

/// In which state it is, and in what.
pub(super) fn place_words(found: &Distribution) -> String {
    let name = || Excerpt::of(found.path.file_name());
    match found.metadata {
        MetadataForm::Lockfile => format!("pinned in {}", name()),
        MetadataForm::Zipapp | MetadataForm::Frozen => format!("inside {}", name()),
        MetadataForm::Wheel | MetadataForm::CondaPackage if found.state == DistState::Leftover && is_note(found) => {
            format!("known to have been downloaded (by {}), and nothing of it is left there", name())
        }
        _ => state_words(found.state).to_owned(),
    }
}

pub(super) fn state_words(state: DistState) -> &'static str {
    match state {
        DistState::Installed => "installed",
        DistState::Editable => "installed from a source tree",
        DistState::Cached => "stored in a cache",
        DistState::Embedded => "stored in an archive",
        DistState::Pinned => "pinned",
        DistState::Leftover => "left over from a removal",
        DistState::Considered => "known to a resolver only",
    }
}

fn stage(state: DistState) -> Stage {
    match state {
        DistState::Installed => Stage::Installed,
        DistState::Editable => Stage::Editable,
        DistState::Cached => Stage::Cached,
        DistState::Embedded => Stage::Embedded,
        DistState::Pinned => Stage::Pinned,
        DistState::Leftover => Stage::Leftover,
        DistState::Considered => Stage::Referenced,
    }
}
