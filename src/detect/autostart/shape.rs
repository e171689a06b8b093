//! Entries that have no honest explanation: they run something from a place that is temporary, hidden, thrown away or open
//! to everybody, or decode or fetch what they run.

use super::{ADVICE, base, named};
use crate::detect::{Rule, Run, Scene, settle};
use crate::model::autostart::{Autostart, AutostartKind, PlaceMark, Role, SignKind, Started};
use crate::model::finding::{Confidence, Finding, HookVerdict};
use crate::model::verdict::Level;

/// The rule.
pub const RULE: Rule = Rule {
    id: "autostart-shape",
    sentence: "Something that starts by itself and runs a program from a temporary, hidden, deleted or world-writable place, or decodes or fetches what it runs. No indicator knows it, and no honest reason is known for it.",
    run: Run::OnFacts(run),
};

fn run(scene: &Scene<'_>, _hooks: &[HookVerdict]) -> Vec<Finding> {
    scene.facts.autostarts.iter().filter_map(|row| finding(scene, row)).collect()
}

fn finding(scene: &Scene<'_>, row: &Autostart) -> Option<Finding> {
    let reasons = reasons(row);
    if reasons.is_empty() {
        return None;
    }
    let shown = row.runs.as_ref().map(|text| text.as_str()).unwrap_or_default();
    let mut one = base(scene, row, RULE.id, &format!("{reasons:?} {shown}"));
    one.title = format!("{} has no honest explanation: {}", named(row), reasons.join("; "));
    settle(&mut one, Level::Suspicious, Confidence::Probable);
    ADVICE.clone_into(&mut one.advice);
    Some(one)
}

/// Why an entry has no honest explanation, each a sentence without its "it".
#[must_use]
pub fn reasons(row: &Autostart) -> Vec<String> {
    let mut out: Vec<String> = row
        .signs
        .iter()
        .filter(|sign| counts(row.kind, sign.what))
        .map(|sign| sign.what.sentence().to_owned())
        .collect();
    for one in &row.programs {
        let mut marks = one.place.iter().filter(|mark| is_odd(row, one, **mark));
        if let Some(mark) = marks.next() {
            let gone = if one.present == Some(false) { ", which is not there any more" } else { "" };
            out.push(format!("runs {} from {}{gone}", one.path.to_text(), mark.sentence()));
        }
    }
    out.sort_unstable();
    out.dedup();
    out.truncate(4);
    out
}

fn counts(kind: AutostartKind, sign: SignKind) -> bool {
    match sign {
        SignKind::DecodesAndRuns | SignKind::RemoteShell => true,
        // Functions of shells and containers of editors install things that way when somebody asks for it.
        SignKind::FetchesAndRuns => {
            !matches!(kind, AutostartKind::ShellRc | AutostartKind::EditorTask | AutostartKind::PowershellProfile)
        }
        SignKind::RunsUnseen => false,
    }
}

/// Whether a place is odd for what such an entry does there.
fn is_odd(row: &Autostart, one: &Started, mark: PlaceMark) -> bool {
    match mark {
        PlaceMark::Temporary | PlaceMark::Trash => true,
        PlaceMark::WorldWritable => one.role != Role::Sourced,
        PlaceMark::Hidden => one.role != Role::Sourced && is_oddly_hidden(row, one),
    }
}

/// Files that shells read, and the hooks of tools, live beside hidden files: there only what is hidden twice, or hidden and
/// unseen, stands out.
fn is_oddly_hidden(row: &Autostart, one: &Started) -> bool {
    let names = one.path.components().filter(|name| name.len() > 1 && name.starts_with(b".")).count();
    match row.kind {
        AutostartKind::ShellRc | AutostartKind::Variable | AutostartKind::PowershellProfile => {
            1 < names || row.signs.iter().any(|sign| sign.what == SignKind::RunsUnseen && sign.line == one.line)
        }
        AutostartKind::GitHook
        | AutostartKind::GitConfig
        | AutostartKind::EditorTask
        | AutostartKind::AgentHook
        | AutostartKind::AgentInstructions => false,
        _ => true,
    }
}
