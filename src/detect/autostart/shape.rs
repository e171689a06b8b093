//! Entries that have no honest explanation: they run something from a place that is temporary, hidden, thrown away or open
//! to everybody, or decode or fetch what they run.

use super::{ADVICE, base, named};
use crate::detect::{Rule, Run, Scene, settle};
use crate::model::autostart::{Autostart, AutostartKind, PlaceMark, Role, Sign, SignKind, Started};
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

/// Most reasons that a title names.
const SHOWN: usize = 3;

fn finding(scene: &Scene<'_>, row: &Autostart) -> Option<Finding> {
    let reasons = reasons(row);
    if reasons.is_empty() {
        return None;
    }
    let codes: Vec<&str> = reasons.iter().map(|reason| reason.code).collect();
    let mut one = base(scene, row, RULE.id, &codes.join(" "));
    // People hide programs of their own, too.
    let is_only_hidden = codes.iter().all(|code| *code == PlaceMark::Hidden.name());
    let (words, confidence) = match is_only_hidden {
        true => ("stands out", Confidence::Possible),
        false => ("has no honest explanation", Confidence::Probable),
    };
    let texts: Vec<&str> = reasons.iter().take(SHOWN).map(|reason| reason.text.as_str()).collect();
    let more = reasons.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    one.title = format!("{} {words}: {}{more}", named(row), texts.join("; "));
    settle(&mut one, Level::Suspicious, confidence);
    ADVICE.clone_into(&mut one.advice);
    Some(one)
}

/// Why an entry stands out.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Reason {
    /// The sign or mark, as the report names it: part of the finding's id.
    pub code: &'static str,
    /// A sentence without its "it".
    pub text: String,
}

/// Why an entry has no honest explanation; sorted.
#[must_use]
pub fn reasons(row: &Autostart) -> Vec<Reason> {
    // What a shell's file fetches in the background is no function that somebody calls.
    let unseen = |line: u32| row.signs.iter().any(|sign| sign.what == SignKind::RunsUnseen && sign.line == line);
    let is_counted =
        |sign: &&Sign| counts(row, sign.what) || (sign.what == SignKind::FetchesAndRuns && unseen(sign.line));
    let signs = row.signs.iter().filter(is_counted).map(|sign| sign.what);
    let mut out: Vec<Reason> =
        signs.map(|what| Reason { code: what.name(), text: what.sentence().to_owned() }).collect();
    for one in &row.programs {
        if let Some(mark) = one.place.iter().find(|mark| is_odd(row, one, **mark)) {
            let gone = if one.present == Some(false) { ", which is not there any more" } else { "" };
            let text = format!("runs {} from {}{gone}", one.path.to_text(), mark.sentence());
            out.push(Reason { code: mark.name(), text });
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// Whether it is run in a container that an editor makes, where installing things so is usual.
fn is_in_container(row: &Autostart) -> bool {
    row.kind == AutostartKind::EditorTask
        && row.trigger.as_ref().is_some_and(|when| when.as_str() == "in the container")
}

fn counts(row: &Autostart, sign: SignKind) -> bool {
    match sign {
        SignKind::DecodesAndRuns | SignKind::RemoteShell => true,
        // Functions in the files of shells install things that way when somebody asks for it.
        SignKind::FetchesAndRuns => {
            !matches!(row.kind, AutostartKind::ShellRc | AutostartKind::PowershellProfile) && !is_in_container(row)
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
        AutostartKind::Variable if one.role == Role::Library => true,
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
