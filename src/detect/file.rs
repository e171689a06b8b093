//! Files that a pack names by their place: payloads, start-up files other than `.pth`, persistence, pipelines. A pack says
//! which content and which company make a name mean something.

use std::collections::HashSet;

use super::autostart::known;
use super::sieve::Sieve;
use super::{Rule, Run, Scene, advice, package, severity, startup_hook, within};
use crate::intel::index::{Applies, Known};
use crate::intel::pack::{Indicator, Kind};
use crate::intel::sought::{self, Sought, Wanted};
use crate::model::distribution::Distribution;
use crate::model::finding::{Confidence, Evidence, Finding, HookVerdict, Subject};
use crate::model::id::Id;
use crate::model::known_file::{Origin, WatchedFile};
use crate::model::path::TargetPath;
use crate::model::startup::StartupHook;
use crate::model::verdict::Level;
use crate::model::watch::Needle;

/// The rule.
pub const RULE: Rule = Rule {
    id: "file-known-bad",
    sentence: "A file at a place that an indicator pack names. Its place alone is a lead; with the content or the company that the pack asks for, it is the indicator.",
    run: Run::OnFacts(run),
};

fn run(scene: &Scene<'_>, _hooks: &[HookVerdict]) -> Vec<Finding> {
    hits(scene, false).into_iter().map(|(file, known, fit)| finding(scene, file, &known, fit)).collect()
}

/// The files that fit an indicator: those that are part of its matter or, with `is_named`, those that only name it.
pub(super) fn hits<'a>(scene: &'a Scene<'a>, is_named: bool) -> Vec<(&'a WatchedFile, Known<'a>, Fit)> {
    let files = &scene.facts.watched_files;
    if files.is_empty() {
        return Vec::new();
    }
    let sieve = Sieve::of(scene.intel, is_named);
    let mut out = Vec::new();
    for file in files {
        let home = scene.environment_of(&file.path).map(|env| env.id);
        for (known, sought) in sieve.candidates(file) {
            let fit = fit(scene, known.indicator, sought, file);
            out.extend(fit.filter(|_| conditions_hold(scene, known, home)).map(|fit| (file, *known, fit)));
        }
    }
    out
}

/// How a file fits an indicator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// Where the pack says, or wherever it says nothing of places.
    InPlace,
    /// Somewhere else: its content is beyond doubt, but nothing runs it there.
    Elsewhere,
}

/// Place, hash, size and content; conditions aside.
fn fit(scene: &Scene<'_>, one: &Indicator, sought: &Sought<'_>, file: &WatchedFile) -> Option<Fit> {
    let has = |needle: &Needle| file.text(needle).is_some();
    let has_texts = match sought.wanted {
        Wanted::All => sought.texts.iter().all(has),
        Wanted::Any => sought.texts.is_empty() || sought.texts.iter().any(has),
    };
    if !has_texts || !hash_and_size_fit(one, file.sha256.as_ref(), file.size) {
        return None;
    }
    if file.origin != Origin::File {
        return fits_origin(scene, one, sought, file).then_some(Fit::InPlace);
    }
    // Hooks have been judged as what they are.
    if one.kind == Kind::Startup && (is_lines(&file.path) || scene.is_hook(&file.path)) {
        return None;
    }
    let places = scene.places();
    let fits = |path: &TargetPath| sought.paths.iter().any(|pattern| places.fits(pattern, path));
    let is_named = || sought.names.iter().any(|name| scene.is_called(&file.path, name));
    // A hash names the file wherever it lies; so do a name and a size together.
    let is_telling =
        matches!(one.kind, Kind::File | Kind::Persistence) && (!one.sha256.is_empty() || one.size.is_some());
    let last_names = || sought.paths.iter().filter_map(|path| path.rsplit('/').next());
    let is_copy = || is_telling && last_names().any(|name| scene.is_called(&file.path, name));
    if is_named() || fits(&file.path) || scene.other_names.get(&file.path).is_some_and(fits) {
        Some(Fit::InPlace)
    } else {
        (sought.is_anywhere || is_copy()).then_some(Fit::Elsewhere)
    }
}

/// What is no file of its own: where it stands says of what it can be a part.
fn fits_origin(scene: &Scene<'_>, one: &Indicator, sought: &Sought<'_>, file: &WatchedFile) -> bool {
    let places = scene.places();
    match &file.origin {
        Origin::File => false,
        Origin::Commit { inside, .. } => {
            one.kind == Kind::Workflow && sought.paths.iter().any(|pattern| places.fits(pattern, inside))
        }
        Origin::History { .. } => one.kind == Kind::Git,
        Origin::FetchedAction => one.kind == Kind::Workflow,
    }
}

fn is_lines(path: &TargetPath) -> bool {
    path.file_name().to_ascii_lowercase().ends_with(b".pth")
}

/// Whether hash and size are those that an indicator asks for, as far as it asks.
#[must_use]
pub fn hash_and_size_fit(one: &Indicator, sha256: Option<&String>, size: u64) -> bool {
    (one.sha256.is_empty() || sha256.is_some_and(|hash| one.sha256.contains(hash)))
        && one.size.is_none_or(|wanted| wanted == size)
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
            let is_hit = |found: &&Distribution| {
                package::matches(scene, found)
                    .any(|hit| hit.applies == Applies::Yes && hit.known.indicator.id == one.id)
            };
            installed.filter(is_hit).map(|found| found.environment).collect()
        }
        Kind::Startup => {
            let fits = |hook: &&StartupHook| hook.in_site_dir && startup_hook::fits(scene, one, hook);
            let hooks = scene.facts.startup_hooks.iter().filter(fits);
            hooks.map(|hook| hook.environment).collect()
        }
        Kind::Persistence if one.starts.is_some() => {
            let is_there = scene.facts.autostarts.iter().any(|row| known::fits(one, row));
            is_there.then_some(None).into_iter().collect()
        }
        _ => {
            let Some(sought) = Sought::of(one) else { return HashSet::new() };
            let files = scene.facts.watched_files.iter();
            let present = files.filter(|file| fit(scene, one, &sought, file) == Some(Fit::InPlace));
            let homes = present.map(|file| scene.environment_of(&file.path).map(|env| env.id));
            // What a RECORD lists was put there with the distribution.
            let installed = scene.facts.distributions.iter().filter(|found| found.state.is_importable());
            let listed = installed.filter(|found| found.known_rows.iter().any(|row| one.sha256.contains(&row.sha256)));
            homes.chain(listed.map(|found| found.environment)).collect()
        }
    }
}

pub(super) fn finding(scene: &Scene<'_>, file: &WatchedFile, known: &Known<'_>, fit: Fit) -> Finding {
    let Known { pack, indicator } = *known;
    let level = if fit == Fit::InPlace { indicator.level } else { indicator.level.min(Level::Exposed) };
    let note = if fit == Fit::InPlace { "" } else { " (a copy, not in the place where it runs)" };
    let doubt = within::doubt(scene, file, known);
    let (level, confidence) = match doubt {
        Some(_) => (level.min(Level::Exposed), Confidence::Possible),
        None => (level, indicator.confidence),
    };
    let environment = scene.environment_of(&file.path);
    let account = match environment {
        Some(env) => env.account.clone(),
        None => owner(scene, file),
    };
    let name = within::name(file);
    let subject = Subject { kind: "file", path: file.path.clone(), name: Some(name.clone()), version: None };
    Finding {
        id: id(RULE.id, file, &indicator.id),
        incident: Some(pack.id.clone()),
        indicator: Some(indicator.id.clone()),
        indicators: vec![indicator.id.clone()],
        level,
        severity: severity(level, confidence),
        confidence,
        title: format!("{name}: {}{note}{}", indicator.meaning, doubt.unwrap_or_default()),
        environment: environment.map(|env| env.id),
        accounts: account.into_iter().collect(),
        evidence: evidence(file, indicator),
        attack: vec![technique(indicator.kind)],
        first_seen: file.modified,
        advice: advice(level),
        ..Finding::unjudged(RULE.id, &[], subject, indicator.stage)
    }
}

/// The id of a finding about a file, or about what it holds.
pub(super) fn id(rule: &str, file: &WatchedFile, indicator: &str) -> Id {
    let mut parts = vec![rule.as_bytes(), indicator.as_bytes(), file.path.as_bytes()];
    let name = within::name(file);
    if file.origin != Origin::File {
        parts.push(name.as_bytes());
    }
    Id::new("find", &parts)
}

/// The file, or the places in it where the texts of the indicator stand.
fn evidence(file: &WatchedFile, indicator: &Indicator) -> Vec<Evidence> {
    let whole = Evidence {
        sha256: file.sha256.clone(),
        size: Some(file.size),
        modified: file.modified,
        ..Evidence::at("file", file.path.clone())
    };
    let texts = sought::texts(indicator);
    let found = texts.iter().filter_map(|needle| file.text(needle));
    let lines: Vec<Evidence> =
        found.map(|text| Evidence { line: Some(text.line), excerpt: text.excerpt.clone(), ..whole.clone() }).collect();
    if lines.is_empty() { vec![whole] } else { lines }
}

fn technique(kind: Kind) -> &'static str {
    match kind {
        Kind::Persistence => "T1547",
        _ => "T1195.002",
    }
}

fn owner(scene: &Scene<'_>, file: &WatchedFile) -> Option<String> {
    let by_name = || scene.other_names.get(&file.path).and_then(|named| scene.owner_of(named));
    let by_uid = || scene.accounts.iter().find(|account| account.uid.is_some() && account.uid == file.owner_uid);
    scene.owner_of(&file.path).or_else(by_name).or_else(by_uid).map(|account| account.name.clone())
}
