//! Packages of the system's own managers whose name and version a pack names. Names and versions are compared as they are:
//! the version is that of the software, without what packagers put around it.

use super::{Rule, Run, Scene, settle};
use crate::intel::index::Known;
use crate::model::distribution::DistState;
use crate::model::finding::{Evidence, Finding, HookVerdict, Stage, Subject};
use crate::model::system_package::SystemPackage;
use crate::model::text::Excerpt;
use crate::model::verdict::Level;

/// The rule.
pub const RULE: Rule = Rule {
    id: "system-package-known-bad",
    sentence: "A package of dpkg, RPM, apk, pacman or Homebrew whose name and version an indicator pack names. Installed, it is compromised, in a container layer for that container. Removed but not purged, or only named in RPM's database, it is exposed.",
    run: Run::OnFacts(run),
};

fn run(scene: &Scene<'_>, _hooks: &[HookVerdict]) -> Vec<Finding> {
    let mut out = Vec::new();
    for found in &scene.facts.system_packages {
        let named = scene.intel.system_packages();
        let same = named.filter(|(_, ecosystem, name)| *ecosystem == found.ecosystem && *name == found.name);
        out.extend(same.filter_map(|(known, ..)| judge(scene, found, &known)));
    }
    out
}

fn judge(scene: &Scene<'_>, found: &SystemPackage, known: &Known<'_>) -> Option<Finding> {
    let indicator = known.indicator;
    if !indicator.all_versions && !indicator.versions.contains(&found.version) {
        return None;
    }
    let is_there = found.state == DistState::Installed && found.hidden_by.is_none();
    let mut one = finding(scene, found, known);
    one.stage = if is_there { Stage::Installed } else { Stage::Leftover };
    let most = if is_there { Level::Compromised } else { Level::Exposed };
    settle(&mut one, indicator.level.min(most), indicator.confidence);
    Some(one)
}

fn finding(scene: &Scene<'_>, found: &SystemPackage, known: &Known<'_>) -> Finding {
    let Known { pack, indicator } = *known;
    let environment = scene.environment(found.environment);
    let version = Excerpt::of(found.version.as_bytes()).to_string();
    let parts = [indicator.id.as_bytes(), found.path.as_bytes(), found.version.as_bytes()];
    let subject = Subject {
        kind: "system-package",
        path: found.path.clone(),
        name: Some(found.name.clone()),
        version: Some(version.clone()),
    };
    Finding {
        incident: Some(pack.id.clone()),
        indicator: Some(indicator.id.clone()),
        indicators: vec![indicator.id.clone()],
        title: format!("{} {version} is {}", found.name, words(scene, found)),
        environment: environment.map(|env| env.id),
        accounts: environment.and_then(|env| env.account.clone()).into_iter().collect(),
        evidence: vec![Evidence {
            line: found.line,
            modified: found.installed_at,
            excerpt: Some(found.written.clone()),
            ..Evidence::at("package-database", found.path.clone())
        }],
        attack: vec!["T1195.002"],
        first_seen: found.installed_at,
        ..Finding::unjudged(RULE.id, &parts, subject, Stage::Leftover)
    }
}

/// How it is there, as the end of a sentence.
fn words(scene: &Scene<'_>, found: &SystemPackage) -> String {
    let manager = match found.ecosystem {
        "deb" => "dpkg",
        "rpm" => "RPM",
        "brew" => "Homebrew",
        other => other,
    };
    let how = match (found.ecosystem, found.state) {
        ("rpm", DistState::Leftover) => {
            format!("named in the database of {manager}, which may name what was removed too")
        }
        (_, DistState::Leftover) => format!("removed but not purged, by the database of {manager}"),
        _ => format!("installed, by the database of {manager}"),
    };
    let layer = scene.environment(found.environment).and_then(|env| env.container.as_ref());
    match (layer, &found.hidden_by) {
        (None, _) => how,
        (Some(layer), None) => format!("{how}, in {}", layer.words()),
        (Some(layer), Some(_)) => format!("{how}, in a layer of {}, hidden in the merged view", layer.words()),
    }
}
