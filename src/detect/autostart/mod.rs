//! What starts by itself: entries that an indicator pack knows, that have no honest explanation, that start the Python of a
//! bad environment, or that were made while an incident ran.

pub mod known;
pub mod python;
pub mod shape;
pub mod window;

use std::collections::{HashMap, HashSet};

use super::Scene;
use crate::model::autostart::{Autostart, AutostartKind};
use crate::model::finding::{Evidence, Finding, Stage, Subject};
use crate::model::path::TargetPath;
use crate::model::text::Excerpt;
use crate::model::verdict::Level;

/// What findings about entries are about, as `subject.kind`.
pub(super) const SUBJECT: &str = "autostart";

/// A finding about an entry, still without a judgement. Lines of a file that run the same are one entry here.
fn base(scene: &Scene<'_>, row: &Autostart, rule: &'static str, about: &str) -> Finding {
    let by_name = row.runs_as.as_ref().map(|name| name.as_str().to_owned());
    let owner = scene.owner_of(&row.path).map(|account| account.name.clone());
    let account = by_name.filter(|name| scene.accounts.iter().any(|account| account.name == *name));
    let name = row.name.as_str();
    let subject = Subject { kind: SUBJECT, path: row.path.clone(), name: Some(name.to_owned()), version: None };
    let runs = row.runs.as_ref().map(Excerpt::as_str).unwrap_or_default();
    let parts = [about, row.kind.name(), name, runs].map(str::as_bytes);
    let parts = [parts.as_slice(), &[row.path.as_bytes()]].concat();
    Finding {
        accounts: account.or(owner).or_else(|| row.account.clone()).into_iter().collect(),
        evidence: vec![Evidence {
            line: row.line,
            size: row.size,
            modified: row.modified,
            excerpt: row.runs.clone(),
            ..Evidence::at("autostart", row.path.clone())
        }],
        attack: vec![technique(row.kind)],
        first_seen: row.modified,
        ..Finding::unjudged(rule, &parts, subject, Stage::Persisted)
    }
}

/// The findings without those about an entry that say no more than another one of the same entry: what an indicator knows
/// by the file needs to be told only once, what an indicator knows needs no guess, and what stands out by itself need not
/// be told for its time.
pub(super) fn told_once(findings: Vec<Finding>) -> Vec<Finding> {
    let rank = |one: &Finding| match one.rule {
        rule if rule == window::RULE.id => 1,
        rule if rule == shape::RULE.id => 2,
        rule if rule == known::RULE.id => 3,
        _ => 4,
    };
    let mut told: HashMap<TargetPath, Vec<Entry>> = HashMap::new();
    for one in findings.iter().filter(|one| Level::Suspicious <= one.level) {
        told.entry(one.subject.path.clone()).or_default().push(Entry::of(one, rank(one)));
    }
    let is_told = |one: &Finding| {
        let own = Entry::of(one, rank(one));
        let others = told.get(&one.subject.path).into_iter().flatten();
        // An entry that is known gives way to the same incident only, a guess to any.
        let says_more = |other: &&Entry| {
            own.rank < other.rank
                && (other.is_known || other.rank == 2)
                && (own.rank < 3 || own.incident == other.incident)
        };
        own.rank < 4 && others.filter(says_more).any(|other| own.is_part_of(other))
    };
    let keeps: Vec<bool> = findings.iter().map(|one| !is_told(one)).collect();
    findings.into_iter().zip(keeps).filter(|(_, keeps)| *keeps).map(|(one, _)| one).collect()
}

/// Which part of a file a finding speaks of, and how much it says.
struct Entry {
    rank: u8,
    is_known: bool,
    incident: Option<String>,
    is_whole_file: bool,
    lines: HashSet<u32>,
    name: Option<String>,
}

impl Entry {
    fn of(one: &Finding, rank: u8) -> Self {
        Self {
            rank,
            is_known: one.indicator.is_some(),
            incident: one.incident.clone(),
            is_whole_file: one.evidence.iter().any(|at| at.size.is_some()),
            lines: one.evidence.iter().filter_map(|at| at.line).collect(),
            name: one.subject.name.clone(),
        }
    }

    /// Whether the other one speaks of this entry too: of all of a file that holds nothing else, of its lines, or, where
    /// lines mean nothing, of its name.
    fn is_part_of(&self, other: &Self) -> bool {
        if self.is_whole_file {
            return true;
        }
        if self.lines.is_empty() { self.name == other.name } else { self.lines.is_subset(&other.lines) }
    }
}

/// What to do first about something that starts by itself.
const ADVICE: &str = "On this host: stop it before anything else is revoked or deleted, by its own means (systemctl disable --now, crontab -e, launchctl \
                      bootout …), after a copy of the named file and of what it starts was kept with its times. Start no Python to look at them.";

/// An entry with what is said of it: `systemd-service sysmon.service (not armed)`. Its line is part of the evidence only: it
/// moves when another one is put above, and the entry is still the same.
fn named(row: &Autostart) -> String {
    let state = if row.enabled == Some(false) { " (not armed)" } else { "" };
    format!("{} {}{state}", row.kind.name(), row.name.as_str())
}

/// The technique of MITRE ATT&CK.
fn technique(kind: AutostartKind) -> &'static str {
    match kind {
        AutostartKind::SystemdService
        | AutostartKind::SystemdPath
        | AutostartKind::SystemdSocket
        | AutostartKind::SystemdUnit
        | AutostartKind::SystemdDropIn
        | AutostartKind::SystemdEnvironment
        | AutostartKind::SystemdGenerator => "T1543.002",
        AutostartKind::SystemdTimer => "T1053.006",
        AutostartKind::Cron | AutostartKind::CronScript | AutostartKind::Anacron => "T1053.003",
        AutostartKind::At => "T1053.002",
        AutostartKind::XdgAutostart => "T1547.013",
        AutostartKind::ShellRc => "T1546.004",
        AutostartKind::Preload | AutostartKind::Variable => "T1574.006",
        AutostartKind::UdevRule => "T1546.017",
        AutostartKind::RcLocal | AutostartKind::InitScript => "T1037.004",
        AutostartKind::AuthorizedKey | AutostartKind::SshRc => "T1098.004",
        AutostartKind::PamExec => "T1556.003",
        AutostartKind::LaunchAgent => "T1543.001",
        AutostartKind::LaunchDaemon => "T1543.004",
        AutostartKind::LoginItem => "T1547.015",
        AutostartKind::Emond => "T1546.014",
        AutostartKind::RunKey | AutostartKind::StartupFolder => "T1547.001",
        AutostartKind::WindowsService => "T1543.003",
        AutostartKind::ScheduledTask => "T1053.005",
        AutostartKind::PowershellProfile => "T1546.013",
        _ => "T1546",
    }
}
