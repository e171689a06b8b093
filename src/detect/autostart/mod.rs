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
use crate::model::verdict::Level;

/// A finding about an entry, still without a judgement.
fn base(scene: &Scene<'_>, row: &Autostart, rule: &'static str, about: &str) -> Finding {
    let id = row.id.to_string();
    let by_name = row.runs_as.as_ref().map(|name| name.as_str().to_owned());
    let owner = scene.owner_of(&row.path).map(|account| account.name.clone());
    let account = by_name.filter(|name| scene.accounts.iter().any(|account| account.name == *name));
    let subject =
        Subject { kind: "autostart", path: row.path.clone(), name: Some(row.name.as_str().to_owned()), version: None };
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
        ..Finding::unjudged(rule, &[about.as_bytes(), id.as_bytes()], subject, Stage::Persisted)
    }
}

/// The findings without those about an entry that say no more than another one of the same entry: what an indicator knows
/// by the file needs to be told only once, and what an indicator knows needs no guess. Of a file with many entries that is
/// the same line.
pub(super) fn told_once(findings: Vec<Finding>) -> Vec<Finding> {
    let is_entry = |one: &Finding| [known::RULE.id, shape::RULE.id, window::RULE.id].contains(&one.rule);
    let is_guess = |one: &Finding| one.indicator.is_none();
    let mut lines: HashMap<(TargetPath, Option<String>), HashSet<Option<u32>>> = HashMap::new();
    for one in findings.iter().filter(|one| Level::Suspicious <= one.level && one.indicator.is_some()) {
        let at = one.evidence.iter().map(|at| at.line);
        // A guess gives way to any incident, an entry that is known to the same one only.
        lines.entry((one.subject.path.clone(), None)).or_default().extend(at.clone());
        if !is_entry(one) {
            lines.entry((one.subject.path.clone(), one.incident.clone())).or_default().extend(at);
        }
    }
    let is_told = |one: &Finding| {
        let incident = if is_guess(one) { None } else { one.incident.clone() };
        let Some(lines) = lines.get(&(one.subject.path.clone(), incident)) else { return false };
        one.evidence.iter().all(|at| at.size.is_some() || lines.contains(&at.line))
    };
    findings.into_iter().filter(|one| !is_entry(one) || !is_told(one)).collect()
}

/// What to do first about something that starts by itself.
const ADVICE: &str = "On this host: stop it before anything else is revoked or deleted, by its own means (systemctl disable --now, crontab -r, launchctl \
                      bootout …), after a copy of the named file and of what it starts was kept with its times. Start no Python to look at them.";

/// An entry with what is said of it: `sysmon.service (not armed)`.
fn named(row: &Autostart) -> String {
    let state = if row.enabled == Some(false) { " (not armed)" } else { "" };
    format!("{}{state}", row.name.as_str())
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
