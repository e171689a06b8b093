//! Packages whose own code does, when it is imported, what no honest package does: of those that a pack names, and of
//! those that were changed after their install.

use std::collections::BTreeSet;

use super::startup_words::sentence;
use super::{Rule, Run, Scene, package, settle};
use crate::model::code::{Sign, When};
use crate::model::facts::PackageCode;
use crate::model::finding::{Confidence, Evidence, Finding, HookVerdict};
use crate::model::startup::Feature;
use crate::model::verdict::Level;

/// The rule.
pub const RULE: Rule = Rule {
    id: "package-code-shape",
    sentence: "A package that a pack names, or that was changed after its install, whose code decodes and runs text, starts hidden processes or takes credentials when it is imported.",
    run: Run::OnFacts(run),
};

/// Most lines that one finding shows.
const SHOWN: usize = 10;

fn run(scene: &Scene<'_>, _hooks: &[HookVerdict]) -> Vec<Finding> {
    let bad = scene.facts.package_code.iter().filter(|code| is_bad(code));
    bad.filter_map(|code| finding(scene, code)).collect()
}

/// Packages do start processes and fetch things when they are imported, and say so. Doing it in hiding they do not.
fn is_bad(code: &PackageCode) -> bool {
    let at_import = code.module.signs.iter().filter(|sign| sign.when == When::Start);
    let features: BTreeSet<Feature> = at_import.map(|sign| sign.feature).collect();
    let has = |all: &[Feature]| all.iter().all(|one| features.contains(one));
    has(&[Feature::ComputedExec, Feature::Decoder])
        || has(&[Feature::ComputedExec, Feature::Blob])
        || has(&[Feature::ComputedExec, Feature::Network])
        || has(&[Feature::Process, Feature::Decoder])
        || has(&[Feature::Process, Feature::SelfStart, Feature::Blob])
        || has(&[Feature::Process, Feature::SelfStart, Feature::Detached])
        || has(&[Feature::CredentialPath, Feature::Network])
        || has(&[Feature::CredentialPath, Feature::Process])
        || has(&[Feature::Persistence, Feature::Process])
}

fn finding(scene: &Scene<'_>, code: &PackageCode) -> Option<Finding> {
    let found = scene.facts.distributions.iter().find(|found| found.id == code.distribution)?;
    let path = code.module.path.clone()?;
    let shown: Vec<&Sign> = code.module.signs.iter().filter(|sign| sign.when == When::Start).collect();
    let mut what: Vec<&str> = shown.iter().map(|sign| sentence(sign.feature)).collect();
    what.dedup();
    let name = [found.name.as_str(), &found.version].join(" ");
    let title = format!("{}: {} {} when it is imported", name.trim(), code.module.name, what.join(", "));
    // With the content in the id: what was accepted and then changed is another finding.
    let judged = format!("{} {:?}", path.to_text(), code.module.sha256);
    let mut one = package::about(scene, found, RULE.id, &judged, title);
    settle(&mut one, Level::Suspicious, Confidence::Probable);
    one.attack = vec!["T1195.002"];
    one.evidence = shown
        .iter()
        .take(SHOWN)
        .map(|sign| Evidence {
            line: Some(sign.line),
            sha256: code.module.sha256.clone(),
            excerpt: Some(sign.text.clone()),
            ..Evidence::at("code", path.clone())
        })
        .collect();
    Some(one)
}
