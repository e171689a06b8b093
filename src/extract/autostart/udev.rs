//! Rules of udev that run something (`udev(7)`).
//!
//! ```text
//! ACTION=="add", SUBSYSTEM=="usb", RUN+="/usr/local/bin/x %k"
//! IMPORT{program}="ata_id --export $devnode"        without a path: below /usr/lib/udev
//! PROGRAM=="/bin/sh -c 'x'", RUN{builtin}+="kmod load"
//! ```

use super::command::{self, Told};
use super::{CAP, Entry, content, is_void, place_of, push};
use crate::extract::Extractor;
use crate::extract::format::shell_words;
use crate::extract::format::unit_lines;
use crate::extract::input::Input;
use crate::model::autostart::{AutostartKind, Role};
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Interest};

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "autostart-udev",
        sentence: "Rules of udev that run a program when a device appears.",
        ask: Ask::Starts("udev"),
    },
    cap: CAP,
    read,
};

/// What is tested in front of a program says when it runs; this much of it is kept, in bytes.
const LONGEST_TRIGGER: usize = 400;

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    if place_of(input, "udev").is_none() || is_void(input) {
        return harvest;
    }
    let Some(content) = content(input, &mut harvest) else { return harvest };
    for run in parse(&content.bytes) {
        let entry = Entry {
            line: Some(run.line),
            told: of_command(&run.command).at(run.line),
            command: run.command,
            trigger: run.trigger,
            runs_as: Some(b"root".to_vec()),
            is_whole_file: false,
            ..Entry::new(AutostartKind::UdevRule, input.candidate.name)
        };
        push(input, &content, entry, &mut harvest);
    }
    harvest
}

/// One thing that a rule runs.
#[derive(PartialEq, Eq, Debug)]
pub struct Run {
    /// Counted from 1.
    pub line: u32,
    /// What.
    pub command: Vec<u8>,
    /// What the rule tests, as written.
    pub trigger: Vec<u8>,
}

/// What the rules run.
#[must_use]
pub fn parse(bytes: &[u8]) -> Vec<Run> {
    let mut out = Vec::new();
    for line in unit_lines::logical(bytes, b"") {
        let pairs = pairs(&line.text);
        let tests = pairs.iter().filter(|pair| pair.operator == b"==" && pair.key != b"PROGRAM");
        let tests: Vec<Vec<u8>> = tests.map(|pair| [pair.key, b"==", pair.value].concat()).collect();
        let mut trigger = tests.join(b", ".as_slice());
        trigger.truncate(LONGEST_TRIGGER);
        for pair in pairs.iter().filter(|pair| runs(pair)) {
            out.push(Run { line: line.number, command: pair.value.to_vec(), trigger: trigger.clone() });
        }
    }
    out
}

fn runs(pair: &Pair<'_>) -> bool {
    let is_one = matches!(pair.key, b"RUN" | b"RUN{program}" | b"PROGRAM" | b"IMPORT{program}");
    // `RUN+="socket:/x"` wrote to a socket, long ago.
    is_one && !pair.value.is_empty() && !pair.value.starts_with(b"socket:")
}

/// `KEY{attribute} operator "value"`.
struct Pair<'a> {
    key: &'a [u8],
    operator: &'a [u8],
    value: &'a [u8],
}

fn pairs(text: &[u8]) -> Vec<Pair<'_>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'"') {
        let (head, tail) = rest.split_at(at);
        let tail = tail.get(1..).unwrap_or_default();
        let end = closing(tail);
        let head = head.trim_ascii_start();
        let head = head.strip_prefix(b",").unwrap_or(head).trim_ascii();
        // `e"…"` has escapes in it.
        let head = head.strip_suffix(b"e").filter(|head| head.ends_with(b"=")).unwrap_or(head);
        let operator = head.iter().position(|byte| b"=!+-:".contains(byte)).unwrap_or(head.len());
        let (key, operator) = head.split_at(operator);
        out.push(Pair {
            key: key.trim_ascii(),
            operator: operator.trim_ascii(),
            value: tail.get(..end).unwrap_or(tail),
        });
        rest = tail.get(end.saturating_add(1)..).unwrap_or_default();
    }
    out
}

/// Where a value ends: at a quote that no backslash stands in front of.
fn closing(text: &[u8]) -> usize {
    let mut before = 0;
    for (at, byte) in text.iter().enumerate() {
        if *byte == b'"' && before != b'\\' {
            return at;
        }
        before = *byte;
    }
    text.len()
}

/// What is started. A name without a path lies in udev's own folder, which is none of an attacker's.
fn of_command(value: &[u8]) -> Told {
    let words = shell_words::commands(value).into_iter().next().unwrap_or_default();
    let mut told = command::of_words(&words);
    told.programs.retain(|(path, role, _)| *role != Role::Program || path.contains(&b'/'));
    told
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::autostart::planted::Tree;
    use crate::model::host::Platform;

    #[test]
    fn rules_run_programs() {
        let text = "# RUN+=\"/no\"\nACTION==\"add\", ENV{ID_X}==\"?*\", \\\n  RUN+=\"/bin/sh -c 'nohup /tmp/.x/y &'\"\n\
            KERNEL==\"sd*\", IMPORT{program}=\"ata_id --export $devnode\", RUN{builtin}+=\"kmod load\"\n\
            PROGRAM==\"/usr/bin/python3 /opt/x.py %k\", SYMLINK+=\"x\"\nENV{X}=\"RUN\"\n";
        let path = "/etc/udev/rules.d/99-x.rules";
        let told = Tree::with(&[(path, text.as_bytes())]).told(&EXTRACTOR, Platform::Linux, path);
        assert_eq!(
            told,
            [
                "UdevRule 99-x.rules | runs /bin/sh -c 'nohup /tmp/.x/y &' | when ACTION==add, ENV{ID_X}==?* | as root \
                 | Program /bin/sh | Program /tmp/.x/y Temporary Hidden | RunsUnseen",
                "UdevRule 99-x.rules | runs ata_id --export $devnode | when KERNEL==sd* | as root",
                "UdevRule 99-x.rules | runs /usr/bin/python3 /opt/x.py %k | as root | Program /usr/bin/python3 \
                 | Script /opt/x.py",
            ]
        );
        assert!(
            Tree::with(&[("/srv/udev/rules.d/x.rules", b"RUN+=\"/x\"")])
                .told(&EXTRACTOR, Platform::Linux, "/srv/udev/rules.d/x.rules")
                .is_empty()
        );
    }

    #[test]
    fn values_have_escapes() {
        let told = parse(b"RUN+=e\"/x \\\"y\\\"\", RUN=\"\", RUN+=\"open");
        assert_eq!(
            told.iter().map(|run| run.command.as_slice()).collect::<Vec<_>>(),
            [b"/x \\\"y\\\"".as_slice(), b"open"]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for run in parse(&[b"RUN+=\"".as_slice(), &bytes].concat()) {
                let _ = of_command(&run.command);
            }
        }
    }
}
