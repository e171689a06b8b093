//! Entries outside of packages that were made or changed while an incident ran that this host shows: keys that were let in,
//! schedules, units. Nothing says that they belong to it, and nothing says that they do not.

use super::{ADVICE, base, named};
use crate::detect::{Rule, Run, Scene, settle};
use crate::intel::pack::Window;
use crate::model::autostart::{Autostart, AutostartKind};
use crate::model::finding::{Confidence, Finding};
use crate::model::verdict::Level;

/// The rule.
pub const RULE: Rule = Rule {
    id: "autostart-in-window",
    sentence: "A key that may log in, or another thing that starts by itself, whose file was last changed while an incident ran that this host is compromised by. It may be honest; somebody who knows the host has to say so.",
    run: Run::OnFindings(run),
};

fn run(scene: &Scene<'_>, findings: &[Finding]) -> Vec<Finding> {
    let hit =
        |id: &str| findings.iter().any(|one| one.level == Level::Compromised && one.incident.as_deref() == Some(id));
    let packs = scene.intel.packs().iter().map(|one| &one.pack);
    let windows: Vec<(&str, &Window)> =
        packs.filter_map(|pack| Some((pack.id.as_str(), pack.window.as_ref()?))).filter(|(id, _)| hit(id)).collect();
    if windows.is_empty() {
        return Vec::new();
    }
    let rows = scene.facts.autostarts.iter().filter(|row| is_made_by_hand(row));
    rows.flat_map(|row| windows.iter().filter_map(move |(incident, window)| finding(scene, row, incident, window)))
        .collect()
}

/// What people and payloads make; packages bring the rest, with times of their own.
fn is_made_by_hand(row: &Autostart) -> bool {
    let is_below = |top: &str| row.path.as_bytes().starts_with(top.as_bytes());
    let is_of_package = (is_below("/usr/") && !is_below("/usr/local/")) || is_below("/lib/");
    !is_of_package
        && matches!(
            row.kind,
            AutostartKind::AuthorizedKey
                | AutostartKind::Cron
                | AutostartKind::At
                | AutostartKind::SystemdService
                | AutostartKind::SystemdTimer
                | AutostartKind::SystemdDropIn
                | AutostartKind::XdgAutostart
                | AutostartKind::Preload
                | AutostartKind::LaunchAgent
                | AutostartKind::LaunchDaemon
                | AutostartKind::RunKey
                | AutostartKind::StartupFolder
                | AutostartKind::ScheduledTask
                | AutostartKind::SshRc
        )
}

fn finding(scene: &Scene<'_>, row: &Autostart, incident: &str, window: &Window) -> Option<Finding> {
    let modified = row.modified?;
    let until = window.until?;
    if modified < window.from || until < modified {
        return None;
    }
    let mut one = base(scene, row, RULE.id, incident);
    one.incident = Some(incident.to_owned());
    one.title = format!(
        "{} was last changed at {modified}, while {incident} could be fetched, and this host is compromised by it",
        named(row)
    );
    settle(&mut one, Level::Suspicious, Confidence::Possible);
    ADVICE.clone_into(&mut one.advice);
    Some(one)
}
