//! Files that a pack names by their place, and start-up files other than `.pth`. A pack says which content and which
//! company make a name mean something.

use std::collections::HashSet;

use super::startup_hook::is_in_site;
use super::{Rule, Scene, advice, package, severity};
use crate::intel::index::{Applies, Known};
use crate::intel::pack::{Indicator, Kind};
use crate::model::finding::{Evidence, Finding, HookVerdict, Subject};
use crate::model::id::Id;
use crate::model::known_file::WatchedFile;
use crate::model::path::TargetPath;
use crate::model::verdict::Level;

/// The rule.
pub const RULE: Rule = Rule {
    id: "file-known-bad",
    sentence: "A file at a place that an indicator pack names. Its place alone is a lead; with the content or the company that the pack asks for, it is the indicator.",
    run,
};

fn run(scene: &Scene<'_>, _hooks: &[HookVerdict]) -> Vec<Finding> {
    let known = || scene.intel.of_kind(Kind::File).chain(scene.intel.of_kind(Kind::Startup));
    let pairs = scene.facts.watched_files.iter().flat_map(|file| known().map(move |known| (file, known)));
    pairs
        .filter_map(|(file, known)| Some((file, known, fit(scene, known.indicator, file)?)))
        .filter(|(file, known, _)| conditions_hold(scene, known, scene.environment_of(&file.path).map(|env| env.id)))
        .map(|(file, known, fit)| finding(scene, file, &known, fit))
        .collect()
}

/// How a file fits an indicator.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// Where the pack says, or wherever it says nothing of places.
    InPlace,
    /// Somewhere else: its content is beyond doubt, but nothing runs it there.
    Elsewhere,
}

fn fits(scene: &Scene<'_>, one: &Indicator, file: &WatchedFile) -> bool {
    fit(scene, one, file) == Some(Fit::InPlace)
}

/// Place, hash, size and content; conditions aside.
fn fit(scene: &Scene<'_>, one: &Indicator, file: &WatchedFile) -> Option<Fit> {
    let places = scene.places();
    let in_place = match one.kind {
        // Hooks have been judged as what they are.
        Kind::Startup => {
            let is_lines = file.path.file_name().to_ascii_lowercase().ends_with(b".pth");
            !is_lines && !scene.is_hook(&file.path) && is_in_site(scene, &file.path, &one.names)
        }
        _ => {
            let named = scene.other_names.get(&file.path);
            let fits = |path: &TargetPath| one.paths.iter().any(|pattern| places.fits(pattern, path));
            let is_named = one.names.iter().any(|name| scene.is_called(&file.path, name));
            is_named || fits(&file.path) || named.is_some_and(fits)
        }
    };
    // A hash names the file wherever it lies; so do a name and a size together.
    let is_telling = one.kind == Kind::File && (!one.sha256.is_empty() || one.size.is_some());
    let is_same_name =
        || one.paths.iter().filter_map(|path| path.rsplit('/').next()).any(|name| scene.is_called(&file.path, name));
    let fit = match in_place {
        true => Some(Fit::InPlace),
        false => (is_telling && is_same_name()).then_some(Fit::Elsewhere),
    };
    fit.filter(|_| content_fits(one, file.sha256.as_ref(), file.size, &file.needles))
}

/// Whether hash, size and texts are those that an indicator asks for, as far as it asks.
#[must_use]
pub fn content_fits(one: &Indicator, sha256: Option<&String>, size: u64, needles: &[String]) -> bool {
    (one.sha256.is_empty() || sha256.is_some_and(|hash| one.sha256.contains(hash)))
        && one.size.is_none_or(|wanted| wanted == size)
        && one.contains.iter().all(|needle| needles.contains(needle))
}

/// Whether the company holds that an indicator asks for. What lies in an environment needs company in that same
/// environment: what another one holds says nothing of it. What lies elsewhere needs company anywhere on the host.
#[must_use]
pub fn conditions_hold(scene: &Scene<'_>, known: &Known<'_>, home: Option<Id>) -> bool {
    let one = known.indicator;
    let holds = |id: &String| {
        let places = scene.present.get(id.as_str());
        places.is_some_and(|places| home.map_or(!places.is_empty(), |home| places.contains(&Some(home))))
    };
    one.all_of.iter().all(holds) && (one.any_of.is_empty() || one.any_of.iter().any(holds))
}

/// Where an indicator is present, conditions of its own aside: the environment, or none for elsewhere on the host. A
/// distribution counts only where it is installed.
pub(super) fn places_of(scene: &Scene<'_>, one: &Indicator) -> HashSet<Option<Id>> {
    match one.kind {
        Kind::Package => {
            let installed = scene.facts.distributions.iter().filter(|found| found.state.is_importable());
            let is_hit = |found: &&crate::model::distribution::Distribution| {
                package::matches(scene, found)
                    .any(|hit| hit.applies == Applies::Yes && hit.known.indicator.id == one.id)
            };
            installed.filter(is_hit).map(|found| found.environment).collect()
        }
        Kind::Startup => {
            let named = |path: &TargetPath| one.names.iter().any(|wanted| scene.is_called(path, wanted));
            let hooks = scene.facts.startup_hooks.iter().filter(|hook| hook.in_site_dir && named(&hook.path));
            hooks.map(|hook| hook.environment).collect()
        }
        Kind::File => {
            let files = scene.facts.watched_files.iter().filter(|file| fits(scene, one, file));
            files.map(|file| scene.environment_of(&file.path).map(|env| env.id)).collect()
        }
        _ => HashSet::new(),
    }
}

fn finding(scene: &Scene<'_>, file: &WatchedFile, known: &Known<'_>, fit: Fit) -> Finding {
    let Known { pack, indicator } = *known;
    let level = if fit == Fit::InPlace { indicator.level } else { indicator.level.min(Level::Exposed) };
    let note = if fit == Fit::InPlace { "" } else { " (a copy, not in the place where it runs)" };
    let environment = scene.environment_of(&file.path);
    let account = match environment {
        Some(env) => env.account.clone(),
        None => owner(scene, file),
    };
    let name = String::from_utf8_lossy(file.path.file_name()).into_owned();
    Finding {
        id: Id::new("find", &[RULE.id.as_bytes(), indicator.id.as_bytes(), file.path.as_bytes()]),
        rule: RULE.id,
        incident: Some(pack.id.clone()),
        indicator: Some(indicator.id.clone()),
        level,
        severity: severity(level, indicator.confidence),
        confidence: indicator.confidence,
        title: format!("{name}: {}{note}", indicator.meaning),
        stage: indicator.stage,
        subject: Subject { kind: "file", path: file.path.clone(), name: Some(name), version: None },
        environment: environment.map(|env| env.id),
        accounts: account.into_iter().collect(),
        evidence: vec![Evidence {
            sha256: file.sha256.clone(),
            size: Some(file.size),
            modified: file.modified,
            ..Evidence::at("file", file.path.clone())
        }],
        also_at: Vec::new(),
        attack: vec!["T1195.002"],
        accepted: false,
        first_seen: file.modified,
        advice: advice(level),
    }
}

fn owner(scene: &Scene<'_>, file: &WatchedFile) -> Option<String> {
    let by_name = || scene.other_names.get(&file.path).and_then(|named| scene.owner_of(named));
    let by_uid = || scene.accounts.iter().find(|account| account.uid.is_some() && account.uid == file.owner_uid);
    scene.owner_of(&file.path).or_else(by_name).or_else(by_uid).map(|account| account.name.clone())
}
