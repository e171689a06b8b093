//! What RECORD gives away: a row with the hash of a known payload, and files that are not what their rows say.

use std::collections::{BTreeMap, HashSet};

use super::{Rule, Run, Scene, file, layer, package, settle};
use crate::intel::index::Known;
use crate::model::distribution::Distribution;
use crate::model::finding::{Confidence, Evidence, Finding, HookVerdict};
use crate::model::path::TargetPath;
use crate::model::record::{Change, ChangeKind};
use crate::model::text::{Excerpt, counted};
use crate::model::time::Time;
use crate::model::verdict::Level;

/// A row with the hash of a known payload.
pub const KNOWN: Rule = Rule {
    id: "record-known-bad",
    sentence: "A distribution whose RECORD lists a file with the hash of a known payload, whatever name or version it gives itself. Installed, it is compromised; stored, it is exposed.",
    run: Run::OnFacts(run_known),
};

/// An archive with the hash of a known one.
pub const ARCHIVE: Rule = Rule {
    id: "archive-known-bad",
    sentence: "A distribution that comes from an archive with the hash of a known payload, or a lock file that lets such an archive be taken, whatever name or version is given to it.",
    run: Run::OnFacts(run_archives),
};

/// Files that are not what their rows say.
pub const CHANGED: Rule = Rule {
    id: "record-changed",
    sentence: "Code of a distribution that is not what its RECORD says, or that Python takes instead of what RECORD lists: of a package that a pack names, or changed while an incident's code could be fetched.",
    run: Run::OnFacts(run_changed),
};

/// Most files that one finding shows.
const SHOWN: usize = 10;

/// What packs know of these SHA-256. Most sweeps ask for none.
fn by_hash<'a>(scene: &Scene<'a>, wanted: &HashSet<&str>) -> BTreeMap<&'a str, Vec<Known<'a>>> {
    let mut by_hash: BTreeMap<&str, Vec<Known<'_>>> = BTreeMap::new();
    if wanted.is_empty() {
        return by_hash;
    }
    for known in scene.intel.all().filter(|known| known.indicator.kind.has_hashed_files()) {
        for hash in known.indicator.sha256.iter().filter(|hash| wanted.contains(hash.as_str())) {
            by_hash.entry(hash).or_default().push(known);
        }
    }
    by_hash
}

fn run_known(scene: &Scene<'_>, _hooks: &[HookVerdict]) -> Vec<Finding> {
    let rows = scene.facts.distributions.iter().flat_map(|found| found.known_rows.iter().map(move |row| (found, row)));
    let by_hash = by_hash(scene, &rows.clone().map(|(_, row)| row.sha256.as_str()).collect());
    let hits = rows.flat_map(|(found, row)| {
        let known = by_hash.get(row.sha256.as_str()).into_iter().flatten();
        known.map(move |known| (found, row, known))
    });
    hits.map(|(found, row, known)| {
        let name = String::from_utf8_lossy(row.path.file_name()).into_owned();
        let title = format!(
            "{} is {} and lists {name}, a known payload, in its RECORD",
            named(found),
            layer::words(scene, found)
        );
        let mut one = of_hash(scene, found, known, KNOWN.id, title);
        let record = if found.member.is_some() { found.path.clone() } else { found.path.join(b"RECORD") };
        one.evidence.push(Evidence {
            line: Some(row.line),
            sha256: Some(row.sha256.clone()),
            excerpt: Some(Excerpt::of(row.path.as_bytes())),
            ..Evidence::at("record-row", record)
        });
        one
    })
    .collect()
}

/// A finding about a distribution that a hash gives away. It was installed here, or would be, which for a payload is what
/// its place would say.
fn of_hash(scene: &Scene<'_>, found: &Distribution, known: &Known<'_>, rule: &'static str, title: String) -> Finding {
    let most = if found.state.is_importable() { Level::Compromised } else { Level::Exposed };
    let indicator = known.indicator;
    let mut one = package::about(scene, found, rule, &indicator.id, title);
    one.incident = Some(known.pack.id.clone());
    one.indicator = Some(indicator.id.clone());
    one.indicators.push(indicator.id.clone());
    settle(&mut one, indicator.level.max(Level::Exposed).min(most), indicator.confidence);
    one
}

fn run_archives(scene: &Scene<'_>, _hooks: &[HookVerdict]) -> Vec<Finding> {
    let here = scene.facts.distributions.iter().filter(|found| found.state.is_evidence());
    let hashes = here.flat_map(|found| found.hashes.iter().map(move |hash| (found, hash)));
    let by_hash = by_hash(scene, &hashes.clone().map(|(_, hash)| hash.as_str()).collect());
    hashes
        .flat_map(|(found, hash)| {
            by_hash.get(hash.as_str()).into_iter().flatten().map(move |known| (found, hash, known))
        })
        .map(|(found, hash, known)| {
            let title = format!("{} is {}, by the hash of a known archive", named(found), layer::words(scene, found));
            let mut one = of_hash(scene, found, known, ARCHIVE.id, title);
            one.evidence.push(Evidence {
                line: found.version_line,
                sha256: Some(hash.clone()),
                modified: found.installed_at,
                ..Evidence::at("archive", found.path.clone())
            });
            one
        })
        .collect()
}

fn run_changed(scene: &Scene<'_>, _hooks: &[HookVerdict]) -> Vec<Finding> {
    let windows = scene.intel.closed_windows();
    let installed = scene.facts.distributions.iter().filter(|found| found.state.is_importable());
    installed.filter_map(|found| changed(scene, found, &windows)).collect()
}

fn changed(scene: &Scene<'_>, found: &Distribution, windows: &[(Time, Time)]) -> Option<Finding> {
    let is_named = scene.intel.package(&found.normalized).next().is_some();
    let is_in_window = |change: &Change| {
        change.modified.is_some_and(|at| windows.iter().any(|(from, until)| (*from..=*until).contains(&at)))
    };
    let counts = |change: &&Change| change.runs && change.is_other() && (is_named || is_in_window(change));
    let changes: Vec<&Change> = found.record.changes.iter().filter(counts).collect();
    let first = changes.first()?;
    let files = counted(changes.len(), "file");
    let verb = if changes.len() == 1 { "is" } else { "are" };
    let title = format!("{}: {files} of code {verb} not what RECORD says ({})", named(found), words(first));
    // With the content in the id: what was accepted and then changed again is another finding.
    let judged: Vec<_> = changes.iter().map(|change| (&change.path, &change.sha256)).collect();
    let mut one = package::about(scene, found, CHANGED.id, &format!("{judged:?}"), title);
    settle(&mut one, Level::Suspicious, Confidence::Probable);
    one.attack = vec!["T1554"];
    one.first_seen = changes.iter().filter_map(|change| change.modified).min();
    one.evidence = changes
        .iter()
        .take(SHOWN)
        .map(|change| Evidence {
            sha256: change.sha256.clone(),
            modified: change.modified,
            excerpt: Some(Excerpt::of(words(change).as_bytes())),
            ..Evidence::at("file", change.path.clone())
        })
        .collect();
    Some(one)
}

fn words(change: &Change) -> String {
    let name = String::from_utf8_lossy(change.path.file_name()).into_owned();
    match change.what {
        ChangeKind::Changed => format!("{name}: its content is not what its row says"),
        ChangeKind::Missing => format!("{name}: it is not there"),
        ChangeKind::Added => format!("{name}: no row lists it"),
        ChangeKind::Shadows => format!("{name}: no row lists it, and Python takes it instead of a file that one does"),
        ChangeKind::UncheckedBytecode => format!("{name}: bytecode that Python runs without a look at the source"),
        ChangeKind::ForeignBytecode => {
            format!("{name}: bytecode that Python runs, made of another source than the one beside it")
        }
    }
}

fn named(found: &Distribution) -> String {
    [found.name.as_str(), &found.version].join(" ").trim().to_owned()
}

/// A known row, archive or file says nothing new of a distribution whose name and version are known to be bad already: it
/// becomes evidence of that finding.
pub(super) fn folded(findings: Vec<Finding>) -> Vec<Finding> {
    let says_less = |one: &Finding| [KNOWN.id, ARCHIVE.id, file::RULE.id].contains(&one.rule);
    let (rows, mut rest): (Vec<Finding>, Vec<Finding>) = findings.into_iter().partition(says_less);
    let mut known: BTreeMap<(TargetPath, Option<String>), usize> = BTreeMap::new();
    for (at, one) in rest.iter().enumerate().filter(|(_, one)| one.rule == package::RULE.id) {
        known.insert((one.subject.path.clone(), one.incident.clone()), at);
    }
    for row in rows {
        let same = known.get(&(row.subject.path.clone(), row.incident.clone())).and_then(|at| rest.get_mut(*at));
        match same.filter(|same| same.level >= row.level && same.confidence >= row.confidence) {
            Some(same) => same.take_in(row),
            None => rest.push(row),
        }
    }
    rest
}
