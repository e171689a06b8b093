//! Start-up files: a pack knows the name or content, or the shape has no honest explanation.

use super::{Rule, Run, Scene, file, package, settle, startup_score};
use crate::intel::index::{Applies, Known};
use crate::intel::pack::{Indicator, Kind};
use crate::model::finding::{Confidence, Evidence, Finding, HookVerdict, Judgement, Stage, Subject};
use crate::model::startup::{LineClass, StartupHook};
use crate::model::verdict::Level;

/// A start-up file that a pack knows.
pub const KNOWN: Rule = Rule {
    id: "startup-known-bad",
    sentence: "A start-up file that an indicator pack knows by name, hash or content. Where Python runs it, it is compromised; elsewhere it is exposed.",
    run: Run::OnFacts(run_known),
};

/// A start-up file whose code has no honest explanation.
pub const SHAPE: Rule = Rule {
    id: "startup-malicious-shape",
    sentence: "A start-up file that no pack knows, whose code does what no honest one does: it starts processes, decodes and runs data, or hides.",
    run: Run::OnFacts(run_shape),
};

/// Judges every hook, in the order of the facts.
#[must_use]
pub fn judge_all(scene: &Scene<'_>) -> Vec<HookVerdict> {
    scene.facts.startup_hooks.iter().map(|hook| judge(scene, hook)).collect()
}

fn judge(scene: &Scene<'_>, hook: &StartupHook) -> HookVerdict {
    let mut verdict = startup_score::judge(hook);
    let strongest =
        known(scene, hook).into_iter().max_by_key(|known| (known.indicator.level, known.indicator.confidence));
    if let Some(known) = strongest.filter(|known| known.indicator.level > Level::None) {
        verdict.judgement = Judgement::KnownBad;
        verdict.reasons.insert(0, known.indicator.meaning.clone());
    }
    verdict
}

/// The indicators that a hook fits, conditions held.
fn known<'a>(scene: &Scene<'a>, hook: &StartupHook) -> Vec<Known<'a>> {
    // In a standard library without an environment it has no company.
    let own = hook.in_site_dir.then_some(hook.id);
    let home = || hook.environment.or_else(|| scene.environment_of(&hook.path).map(|env| env.id)).or(own);
    let held = |known: &Known<'_>| fits(scene, known.indicator, hook) && file::conditions_hold(scene, known, home());
    scene.intel.of_kind(Kind::Startup).filter(held).collect()
}

/// Name, content, hash and size; conditions aside.
pub(super) fn fits(scene: &Scene<'_>, one: &Indicator, hook: &StartupHook) -> bool {
    one.names.iter().any(|wanted| scene.is_called(&hook.path, wanted))
        && one.contains.iter().all(|text| hook.needles.contains(text))
        && file::hash_and_size_fit(one, hook.sha256.as_ref(), hook.size)
}

fn run_known(scene: &Scene<'_>, _hooks: &[HookVerdict]) -> Vec<Finding> {
    let hooks = scene.facts.startup_hooks.iter();
    hooks.flat_map(|hook| known(scene, hook).into_iter().map(|known| known_finding(scene, hook, &known))).collect()
}

fn known_finding(scene: &Scene<'_>, hook: &StartupHook, known: &Known<'_>) -> Finding {
    let Known { pack, indicator } = *known;
    let runs_here = (hook.in_site_dir && !hook.run_by.is_empty()) || lies_beside_its_package(scene, hook, &pack.id);
    let most = if runs_here { Level::Compromised } else { Level::Exposed };
    let level = indicator.level.min(most);
    let name = String::from_utf8_lossy(hook.path.file_name()).into_owned();
    let mut found = base(scene, hook, KNOWN.id, &indicator.id);
    found.incident = Some(pack.id.clone());
    found.indicator = Some(indicator.id.clone());
    found.indicators.push(indicator.id.clone());
    found.title = match runs_here {
        true => format!("the start-up file {name} of a known attack lies where Python runs it"),
        false => format!("the start-up file {name} of a known attack is stored here"),
    };
    found.stage = if runs_here { indicator.stage } else { Stage::Leftover };
    settle(&mut found, level, indicator.confidence);
    found
}

/// Some places run no start-up files, but what lies beside an installed bad distribution belongs to it.
fn lies_beside_its_package(scene: &Scene<'_>, hook: &StartupHook, incident: &str) -> bool {
    let site = hook.path.parent();
    let beside =
        scene.facts.distributions.iter().filter(|found| found.state.is_importable() && found.path.parent() == site);
    beside
        .flat_map(|found| package::matches(scene, found))
        .any(|hit| hit.applies == Applies::Yes && hit.known.pack.id == incident)
}

fn run_shape(scene: &Scene<'_>, hooks: &[HookVerdict]) -> Vec<Finding> {
    let judged = scene.facts.startup_hooks.iter().zip(hooks);
    let bad = judged.filter(|(_, verdict)| verdict.judgement == Judgement::MaliciousShape);
    bad.map(|(hook, verdict)| {
        let mut found = base(scene, hook, SHAPE.id, &content(hook, verdict));
        let name = String::from_utf8_lossy(hook.path.file_name()).into_owned();
        let shown: Vec<&str> = verdict.reasons.iter().take(3).map(String::as_str).collect();
        found.title = format!("the start-up file {name} has no honest explanation: {}", shown.join("; "));
        found.stage = Stage::Dropped;
        settle(&mut found, Level::Suspicious, Confidence::Probable);
        found
    })
    .collect()
}

/// What was judged, as part of the finding's id: what was accepted and then changed is another finding.
fn content(hook: &StartupHook, verdict: &HookVerdict) -> String {
    let modules = hook.modules.iter().map(|module| (module.name.as_str(), module.sha256.as_deref()));
    let lines = hook.lines.iter().map(|line| line.text.as_str());
    // Of a file beyond the cap only this much is known.
    let whole = (hook.sha256.as_deref(), hook.size, hook.sha256.is_none().then_some(hook.modified));
    format!("{whole:?} {:?} {:?} {:?}", modules.collect::<Vec<_>>(), lines.collect::<Vec<_>>(), verdict.reasons)
}

fn base(scene: &Scene<'_>, hook: &StartupHook, rule: &'static str, indicator: &str) -> Finding {
    let environment = scene.environment(hook.environment);
    let lines = hook.lines.iter().filter(|line| line.class != LineClass::Path).take(5);
    let mut evidence: Vec<Evidence> = lines
        .map(|line| Evidence {
            line: Some(line.number),
            sha256: hook.sha256.clone(),
            size: Some(hook.size),
            modified: hook.modified,
            excerpt: Some(line.text.clone()),
            ..Evidence::at("hook-line", hook.path.clone())
        })
        .collect();
    if evidence.is_empty() {
        evidence.push(Evidence {
            sha256: hook.sha256.clone(),
            size: Some(hook.size),
            modified: hook.modified,
            ..Evidence::at("file", hook.path.clone())
        });
    }
    let subject = Subject {
        kind: "startup-hook",
        path: hook.path.clone(),
        name: Some(String::from_utf8_lossy(hook.path.file_name()).into_owned()),
        version: None,
    };
    Finding {
        environment: hook.environment,
        accounts: match environment {
            Some(env) => env.account.clone().into_iter().collect(),
            None => scene.owner_of(&hook.path).map(|account| account.name.clone()).into_iter().collect(),
        },
        evidence,
        attack: vec!["T1546.018"],
        first_seen: hook.modified,
        ..Finding::unjudged(rule, &[indicator.as_bytes(), hook.path.as_bytes()], subject, Stage::Dropped)
    }
}
