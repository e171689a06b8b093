//! What it means: facts held against what is known. Pure: no disk, no clock, so a stored report can be judged again.
//!
//! THE TABLE below is the register of rules.

pub mod autostart;
pub mod container;
pub mod file;
mod hard_links;
mod layer;
pub mod package;
pub mod package_code;
pub mod pipeline;
pub mod place;
pub mod record;
pub mod reference;
mod sieve;
pub mod startup_explain;
pub mod startup_hook;
pub mod startup_score;
pub mod startup_words;
pub mod system_package;
mod within;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::intel::index::Intel;
use crate::model::facts::Facts;
use crate::model::finding::{Confidence, Finding, HookVerdict, Severity};
use crate::model::glob;
use crate::model::host::{Account, Homes, Platform};
use crate::model::id::Id;
use crate::model::path::TargetPath;
use crate::model::python::Environment;
use crate::model::verdict::Level;
use place::Places;

/// A rule: its id, and a sentence for people.
pub struct Rule {
    /// The id in findings.
    pub id: &'static str,
    /// What it finds.
    pub sentence: &'static str,
    /// What it works on.
    pub run: Run,
}

/// What a rule works on; matches come out.
#[derive(Clone, Copy)]
pub enum Run {
    /// The facts, and how the start-up hooks were judged.
    OnFacts(fn(&Scene<'_>, &[HookVerdict]) -> Vec<Finding>),
    /// The facts, and what the rules before it found.
    OnFindings(fn(&Scene<'_>, &[Finding]) -> Vec<Finding>),
}

impl Rule {
    /// What it finds; `so_far` is what the rules before it found.
    #[must_use]
    pub fn find(&self, scene: &Scene<'_>, hooks: &[HookVerdict], so_far: &[Finding]) -> Vec<Finding> {
        match self.run {
            Run::OnFacts(run) => run(scene, hooks),
            Run::OnFindings(run) => run(scene, so_far),
        }
    }
}

/// Every rule.
pub static RULES: &[Rule] = &[
    package::RULE,
    package_code::RULE,
    record::KNOWN,
    record::ARCHIVE,
    record::CHANGED,
    startup_hook::KNOWN,
    startup_hook::SHAPE,
    file::RULE,
    reference::RULE,
    pipeline::RULE,
    system_package::RULE,
    container::RULE,
    autostart::known::RULE,
    autostart::shape::RULE,
    autostart::python::RULE,
    autostart::window::RULE,
];

/// What the rules look at.
pub struct Scene<'a> {
    /// The facts.
    pub facts: &'a Facts,
    /// What is known.
    pub intel: &'a Intel,
    /// The target's accounts, for path patterns.
    pub accounts: &'a [Account],
    /// The target's system, which decides how its names are compared.
    platform: Platform,
    /// Whose home a path lies in.
    homes: Homes,
    /// The environment of each site directory.
    sites: HashMap<&'a TargetPath, &'a Environment>,
    /// The environments by id.
    environments: HashMap<Id, &'a Environment>,
    /// The start-up hooks.
    hooks: HashSet<&'a TargetPath>,
    /// Real path → the path by which people know it, where links make them differ.
    other_names: &'a HashMap<TargetPath, TargetPath>,
    /// Where the indicators that others depend on are present: worked out once, asked for every candidate.
    present: HashMap<&'a str, HashSet<Option<Id>>>,
}

impl<'a> Scene<'a> {
    /// Sets the scene.
    #[must_use]
    pub fn of(
        facts: &'a Facts,
        intel: &'a Intel,
        accounts: &'a [Account],
        other_names: &'a HashMap<TargetPath, TargetPath>,
        platform: Platform,
    ) -> Self {
        let environments = &facts.environments;
        let mut scene = Self {
            facts,
            intel,
            accounts,
            platform,
            homes: Homes::of(accounts),
            other_names,
            sites: environments.iter().flat_map(|env| env.site_dirs.iter().map(move |site| (site, env))).collect(),
            environments: environments.iter().map(|env| (env.id, env)).collect(),
            present: HashMap::new(),
            hooks: facts.startup_hooks.iter().map(|hook| &hook.path).collect(),
        };
        let asked: HashSet<&str> = intel
            .all()
            .flat_map(|known| known.indicator.all_of.iter().chain(&known.indicator.any_of))
            .map(String::as_str)
            .collect();
        for known in intel.all().filter(|known| asked.contains(known.indicator.id.as_str())) {
            let places = file::places_of(&scene, known.indicator);
            scene.present.insert(&known.indicator.id, places);
        }
        scene
    }

    /// What path patterns stand for.
    fn places(&self) -> Places<'a> {
        let (accounts, environments) = (self.accounts, self.facts.environments.as_slice());
        Places { accounts, environments, is_case_blind: self.platform.is_case_blind() }
    }

    /// Whether a file has a name, which may hold stars, by the rules of its system.
    fn is_called(&self, path: &TargetPath, wanted: &str) -> bool {
        let same = if self.platform.is_case_blind() { glob::caseless } else { glob::exact };
        glob::fits(wanted.as_bytes(), path.file_name(), same)
    }

    /// Whether a file is a start-up hook.
    fn is_hook(&self, path: &TargetPath) -> bool {
        self.hooks.contains(path)
    }

    /// The environment of that id.
    fn environment(&self, id: Option<Id>) -> Option<&'a Environment> {
        self.environments.get(&id?).copied()
    }

    /// The account in whose home `path` lies, by its path or by the one that people use; the longest home wins.
    fn owner_of(&self, path: &TargetPath) -> Option<&'a Account> {
        self.homes.holding(path).and_then(|at| self.accounts.get(at))
    }

    /// The environment whose site directory holds `path`, at whatever depth.
    fn environment_of(&self, path: &TargetPath) -> Option<&'a Environment> {
        let mut above = path.parent();
        while let Some(folder) = above {
            if let Some(found) = self.sites.get(&folder) {
                return Some(found);
            }
            above = folder.parent();
        }
        None
    }
}

/// The judgement of everything.
pub struct Judged {
    /// Sorted: the worst first, then what is nearest to code that ran, then by path.
    pub findings: Vec<Finding>,
    /// One for each start-up hook, in the order of the facts.
    pub hooks: Vec<HookVerdict>,
}

/// Runs every rule.
#[must_use]
pub fn detect(scene: &Scene<'_>) -> Judged {
    let hooks = startup_hook::judge_all(scene);
    let mut findings = found(scene, &hooks, RULES.iter());
    hard_links::name_others(scene.facts, &mut findings);
    Judged { findings: sorted(findings), hooks }
}

/// Runs the rules of these ids only, on facts that hold no more than they ask for.
#[must_use]
pub fn detect_only(scene: &Scene<'_>, rules: &[&str]) -> Vec<Finding> {
    let hooks = startup_hook::judge_all(scene);
    sorted(found(scene, &hooks, RULES.iter().filter(|rule| rules.contains(&rule.id))))
}

/// What the rules find, one after the other, told once.
fn found<'r>(scene: &Scene<'_>, hooks: &[HookVerdict], rules: impl Iterator<Item = &'r Rule>) -> Vec<Finding> {
    let mut all = Vec::new();
    for rule in rules {
        let more = rule.find(scene, hooks, &all);
        all.extend(more);
    }
    autostart::told_once(record::folded(merged(all)))
}

/// Several indicators of one incident that speak of one thing are one finding: the strongest, with all evidence.
fn merged(found: Vec<Finding>) -> Vec<Finding> {
    let mut by_subject: BTreeMap<_, Finding> = BTreeMap::new();
    for one in found {
        // Entries of one file are told apart by what they run: who accepts one has not accepted the next.
        let own = (one.subject.kind == autostart::SUBJECT).then_some(one.id);
        let key = (one.subject.clone(), one.incident.clone(), one.rule, own);
        match by_subject.remove(&key) {
            None => {
                by_subject.insert(key, one);
            }
            Some(other) => {
                let rank = |finding: &Finding| (finding.level, finding.confidence);
                let (mut best, rest) = if rank(&one) > rank(&other) { (one, other) } else { (other, one) };
                best.take_in(rest);
                best.evidence.sort_unstable();
                best.evidence.dedup();
                by_subject.insert(key, best);
            }
        }
    }
    by_subject.into_values().collect()
}

fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| {
        let worst = |one: &Finding| Reverse((one.level, one.confidence));
        let place = |one: &Finding| (one.stage.distance(), one.subject.clone(), one.id);
        worst(a).cmp(&worst(b)).then_with(|| place(a).cmp(&place(b)))
    });
    findings
}

/// How bad, by what it means for the verdict and how sure that is.
#[must_use]
pub fn severity(level: Level, confidence: Confidence) -> Severity {
    match (level, confidence) {
        (Level::Compromised, _) => Severity::Critical,
        (Level::Suspicious, _) => Severity::High,
        (Level::Exposed, Confidence::Possible) => Severity::Low,
        (Level::Exposed, _) => Severity::Medium,
        (Level::None, _) => Severity::Info,
    }
}

/// Says how bad a finding is and how sure that is, and what follows from both.
fn settle(finding: &mut Finding, level: Level, confidence: Confidence) {
    finding.level = level;
    finding.confidence = confidence;
    finding.severity = severity(level, confidence);
    finding.advice = advice(level);
}

/// What to do first about something that may run: the same for all of them, and nothing that starts Python.
#[must_use]
pub fn advice(level: Level) -> String {
    match level {
        Level::Compromised => {
            "On this host: start no Python, pip or Python-based tool. Take it off the network, keep the disk as it is, then follow the steps of the incident."
        }
        Level::Suspicious => {
            "On this host: start no Python before somebody has read the named file with a plain viewer. Keep a copy of it with its times."
        }
        Level::Exposed | Level::None => {
            "On this host: find out who put it there and whether it was ever installed. Do not install from it."
        }
    }
    .to_owned()
}
