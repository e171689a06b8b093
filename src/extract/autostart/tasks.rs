//! Tasks of the Windows scheduler: XML in folders of any depth (MS-TSCH, section 2.5), and the old binary form, of which only
//! a row is made.
//!
//! ```text
//! <Task><Triggers><LogonTrigger/></Triggers><Principals><Principal><UserId>S-1-5-18</UserId></Principal></Principals>
//!   <Settings><Enabled>true</Enabled></Settings>
//!   <Actions><Exec><Command>pythonw.exe</Command><Arguments>C:\x.py</Arguments></Exec></Actions></Task>
//! ```

use super::command::{Told, windows};
use super::{CAP, Entry, MOST, content, cut, gap, place_of, push};
use crate::extract::Extractor;
use crate::extract::format::xml::{self, Element};
use crate::extract::input::Input;
use crate::model::autostart::AutostartKind;
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Candidate, EntryKind, Interest, NamePattern};
use crate::model::path::TargetPath;
use crate::target::dir::Dir;

/// The row. It asks for the top folder and goes down itself, as the names below it are of any depth and mean nothing.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "autostart-tasks",
        sentence: "Tasks of the Windows scheduler.",
        ask: Ask::Names(&[NamePattern::Exact("tasks")]),
    },
    cap: CAP,
    read,
};

/// Deepest nesting of folders that is entered; Microsoft's own tasks lie three deep.
const DEEPEST: u32 = 16;

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    if input.candidate.kind != EntryKind::Dir || place_of(input, "tasks").is_none() {
        return harvest;
    }
    let mut due = vec![];
    match input.open_dir() {
        Ok(dir) => due.push((dir, input.candidate.path.clone(), 0)),
        Err(why) => return Harvest::missed(gap(input, why)),
    }
    while let Some((dir, path, depth)) = due.pop() {
        if harvest.facts.autostarts.len() >= MOST {
            let says = format!("only its first {MOST} tasks were taken");
            harvest.gaps.push(input.gap(GapReason::TooLarge).because(says));
            break;
        }
        for (name, kind) in listed(input, &dir, &path, &mut harvest) {
            let below = path.join(&name);
            if kind == EntryKind::Dir && depth >= DEEPEST {
                harvest.gaps.push(input.gap_at(below, GapReason::TooLarge).because("nested deeper than is read"));
            } else if kind == EntryKind::Dir {
                // The walk tells of folders that it could not enter.
                if let Ok(folder) = dir.open_dir(&name) {
                    due.push((folder, below, depth + 1));
                }
            } else {
                one(input, &dir, &name, kind, below, &mut harvest);
            }
        }
    }
    harvest
}

/// What a folder holds, sorted, so that a bound always takes the same.
fn listed(input: &Input<'_>, dir: &Dir, path: &TargetPath, harvest: &mut Harvest) -> Vec<(Vec<u8>, EntryKind)> {
    let mut out = Vec::new();
    let all = dir.list(|name, kind| {
        if out.len() <= 10 * MOST {
            out.push((name.to_vec(), kind));
        }
    });
    if let Err(why) = all {
        harvest.gaps.push(input.gap_at(path.clone(), why));
    }
    if out.len() > 10 * MOST {
        harvest.gaps.push(input.gap_at(path.clone(), GapReason::TooLarge).because("more entries than are read"));
    }
    out.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    out
}

fn one(input: &Input<'_>, dir: &Dir, name: &[u8], kind: EntryKind, path: TargetPath, harvest: &mut Harvest) {
    let candidate = Candidate { check: input.candidate.check, dir, name, kind, path };
    let input = input.instead(&candidate);
    let is_old = name.to_ascii_lowercase().ends_with(b".job");
    let lies_old = !input.folder().components().any(|part| part.eq_ignore_ascii_case(b"System32"));
    // `SA.DAT` and what else the scheduler keeps beside the old jobs is none.
    if lies_old && !is_old {
        return;
    }
    let mut own = Harvest::default();
    if let Some(content) = content(&input, &mut own) {
        if is_old {
            push(&input, &content, Entry::new(AutostartKind::ScheduledTask, name), &mut own);
        } else {
            let document = xml::parse(&content.bytes);
            if let Some(fault) = document.fault.filter(|_| content.whole) {
                own.gaps.push(gap(&input, fault.reason).because(fault.what));
            }
            if let Some(task) = document.root.child("Task") {
                if actions(task).nth(MOST).is_some() {
                    cut(&input, format!("only its first {MOST} actions were taken"), &mut own);
                }
                push(&input, &content, entry(name, task), &mut own);
            }
        }
    }
    own.counts.add(input.counts());
    harvest.merge(own);
}

fn actions(task: &Element) -> impl Iterator<Item = &Element> {
    task.children.iter().filter(|child| child.name == "Actions").flat_map(|actions| &actions.children)
}

/// A task and its actions, of which at most [`MOST`] are taken.
#[must_use]
pub fn entry(name: &[u8], task: &Element) -> Entry {
    let mut told = Told::default();
    let mut commands = Vec::new();
    for action in actions(task).take(MOST) {
        let command = match action.name.as_str() {
            "Exec" => {
                let program = action.text_of("Command");
                let is_open = program.contains(' ') && !program.starts_with('"');
                let program = if is_open { format!("\"{program}\"") } else { program.to_owned() };
                format!("{program} {}", action.text_of("Arguments")).trim().to_owned()
            }
            "ComHandler" => format!("class {} {}", action.text_of("ClassId"), action.text_of("Data")).trim().to_owned(),
            _ => continue,
        };
        if action.name == "Exec" {
            let one = windows::of_command_line(&command);
            told.programs.extend(one.programs);
            told.signs.extend(one.signs);
        }
        commands.push(command);
    }
    let settings = task.child("Settings");
    let is_off = settings.is_some_and(|settings| settings.text_of("Enabled").eq_ignore_ascii_case("false"));
    let principal = task.child("Principals").and_then(|all| all.child("Principal"));
    let account = principal.map(|one| [one.text_of("UserId"), one.text_of("GroupId")]).unwrap_or_default();
    Entry {
        command: commands.join("; ").into_bytes(),
        told,
        trigger: triggers(task).join(", ").into_bytes(),
        runs_as: account.iter().find(|name| !name.is_empty()).map(|name| name.as_bytes().to_vec()),
        enabled: Some(!is_off),
        ..Entry::new(AutostartKind::ScheduledTask, name)
    }
}

/// `login`, `boot`, a schedule or the trigger's own name; those that are turned off are left out.
fn triggers(task: &Element) -> Vec<String> {
    let all = task.child("Triggers").map(|all| all.children.as_slice()).unwrap_or_default();
    let on = all.iter().filter(|one| !one.text_of("Enabled").eq_ignore_ascii_case("false"));
    let told = on.map(|one| match one.name.as_str() {
        "LogonTrigger" => "login".to_owned(),
        "BootTrigger" => "boot".to_owned(),
        "TimeTrigger" | "CalendarTrigger" => {
            let every = one.child("Repetition").map(|one| one.text_of("Interval")).unwrap_or_default();
            let day =
                one.children.iter().find(|child| child.name.starts_with("Schedule")).map(|child| child.name.as_str());
            let start = one.text_of("StartBoundary");
            [start, day.unwrap_or_default(), every]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(" ")
        }
        other => other.strip_suffix("Trigger").unwrap_or(other).to_ascii_lowercase(),
    });
    told.take(8).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::autostart::planted::Tree;
    use crate::model::host::Platform;

    const TASK: &str = "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\n<Task xmlns=\"x\"><Triggers><LogonTrigger><Enabled>true\
        </Enabled></LogonTrigger><TimeTrigger><Repetition><Interval>PT5M</Interval></Repetition></TimeTrigger></Triggers>\
        <Principals><Principal><UserId>S-1-5-18</UserId></Principal></Principals><Settings><Enabled>true</Enabled></Settings>\
        <Actions><Exec><Command>C:\\Python312\\pythonw.exe</Command><Arguments>C:\\x\\y.py</Arguments></Exec></Actions></Task>";

    #[test]
    fn tasks_of_any_depth_are_read() {
        let wide: Vec<u8> = format!("\u{feff}{TASK}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let tree = Tree::with(&[
            ("/Windows/System32/Tasks/A/B/C/x", &wide),
            ("/Windows/System32/Tasks/cut", b"<Task><Actions>"),
            ("/Windows/Tasks/old.job", b"\0"),
            ("/Windows/Tasks/SA.DAT", b"\0"),
            ("/backup/Tasks/x", &wide),
        ]);
        assert_eq!(
            tree.told(&EXTRACTOR, Platform::Windows, "/Windows/System32/Tasks"),
            [
                "ScheduledTask cut",
                r"ScheduledTask x | runs C:\Python312\pythonw.exe C:\x\y.py | when login, PT5M | as S-1-5-18 | Program C:\Python312\pythonw.exe | Script C:\x\y.py",
            ]
        );
        assert_eq!(tree.read(&EXTRACTOR, Platform::Windows, "/Windows/System32/Tasks").gaps.len(), 1);
        assert_eq!(tree.told(&EXTRACTOR, Platform::Windows, "/Windows/Tasks"), ["ScheduledTask old.job"]);
        assert!(tree.told(&EXTRACTOR, Platform::Windows, "/backup/Tasks").is_empty());
    }

    #[test]
    fn actions_beyond_the_bound_are_a_gap() {
        let text = format!("<Task><Actions>{}</Actions></Task>", "<Exec/>".repeat(MOST + 1));
        let tree = Tree::with(&[("/Windows/System32/Tasks/x", text.as_bytes())]);
        let gaps = tree.read(&EXTRACTOR, Platform::Windows, "/Windows/System32/Tasks").gaps;
        assert!(gaps.iter().any(|gap| gap.material && gap.reason == GapReason::TooLarge), "{gaps:?}");
    }

    proptest! {
        #[test]
        fn any_document_is_read(text in "(<Task>|<Actions>|<Exec>|</Exec>|<Command>|</Command>|<Triggers>|a|\"){0,30}") {
            let document = xml::parse(text.as_bytes());
            document.root.children.iter().for_each(|task| drop(entry(b"x", task)));
        }
    }
}
