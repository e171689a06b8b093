//! Desktop entries that sessions start, and programs that the message bus starts (Desktop Entry Specification, Desktop
//! Application Autostart Specification, D-Bus Specification).
//!
//! ```text
//! [Desktop Entry]                              ~/.config/autostart/x.desktop
//! Exec=/usr/bin/python3 /opt/x/x.py %U
//! X-GNOME-Autostart-enabled=false
//!
//! [D-BUS Service]                              /usr/share/dbus-1/system-services/org.x.service
//! Name=org.x
//! Exec=/usr/libexec/x
//! User=root
//! ```

use super::command::{self, Told};
use super::{CAP, Entry, content, is_void, place_of, push};
use crate::extract::Extractor;
use crate::extract::format::shell_words::Word;
use crate::extract::format::unit_lines;
use crate::extract::input::Input;
use crate::model::autostart::AutostartKind;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Interest};

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "autostart-desktop",
        sentence: "Desktop entries that sessions start, and programs that the message bus starts.",
        ask: Ask::Starts("xdg"),
    },
    cap: CAP,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    let Some(place) = place_of(input, "xdg") else { return harvest };
    if is_void(input) {
        return harvest;
    }
    let Some(content) = content(input, &mut harvest) else { return harvest };
    let kind = place.rule.kind;
    let desktop = parse(&content.bytes);
    let mut told = Told::default();
    for (line, value) in desktop.runs.iter().chain(&desktop.tries) {
        let one = of_command(value, *line);
        told.programs.extend(one.programs);
        told.signs.extend(one.signs);
    }
    told.programs.dedup_by(|one, other| one.0 == other.0);
    let is_bus = kind == AutostartKind::DbusService;
    let sessions: Vec<u8> = desktop.sessions.unwrap_or_default();
    let entry = Entry {
        line: desktop.runs.as_ref().map(|(line, _)| *line),
        command: desktop.runs.map(|(_, value)| value).unwrap_or_default(),
        told,
        trigger: match (is_bus, sessions.is_empty()) {
            (true, _) => b"asked for on the message bus".to_vec(),
            (false, true) => b"session".to_vec(),
            (false, false) => [b"session of ".as_slice(), &sessions].concat(),
        },
        runs_as: desktop.user,
        enabled: if is_bus || (desktop.is_off_somewhere && !desktop.is_off) { None } else { Some(!desktop.is_off) },
        ..Entry::new(kind, if is_bus { desktop.name.as_deref() } else { None }.unwrap_or(input.candidate.name))
    };
    push(input, &content, entry, &mut harvest);
    harvest
}

/// What an entry says.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Desktop {
    /// `Name=`.
    pub name: Option<Vec<u8>>,
    /// `Exec=`, and in which line.
    pub runs: Option<(u32, Vec<u8>)>,
    /// `TryExec=`: only where this is there, the entry is heeded.
    pub tries: Option<(u32, Vec<u8>)>,
    /// `User=`.
    pub user: Option<Vec<u8>>,
    /// `OnlyShowIn=`.
    pub sessions: Option<Vec<u8>>,
    /// `Hidden=`: it is not started.
    pub is_off: bool,
    /// `X-GNOME-Autostart-enabled=false`: GNOME does not start it, others do.
    pub is_off_somewhere: bool,
}

/// Reads the group that counts of a desktop entry or of a file of the message bus.
#[must_use]
pub fn parse(bytes: &[u8]) -> Desktop {
    let mut out = Desktop::default();
    let mut is_ours = false;
    for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let text = text.trim_ascii();
        if text.starts_with(b"[") {
            is_ours = matches!(text, b"[Desktop Entry]" | b"[KDE Desktop Entry]" | b"[D-BUS Service]");
            continue;
        }
        let Some(at) = text.iter().position(|byte| *byte == b'=').filter(|_| is_ours && !text.starts_with(b"#")) else {
            continue;
        };
        let (key, value) = text.split_at(at);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let says = |word: &[u8]| value.eq_ignore_ascii_case(word);
        match key.trim_ascii() {
            b"Name" => out.name = Some(value.to_vec()),
            b"Exec" => out.runs = Some((line, value.to_vec())),
            b"TryExec" => out.tries = Some((line, value.to_vec())),
            b"User" => out.user = Some(value.to_vec()),
            b"OnlyShowIn" => out.sessions = Some(value.to_vec()),
            b"Hidden" => out.is_off |= says(b"true"),
            b"X-GNOME-Autostart-enabled" => out.is_off_somewhere |= says(b"false"),
            _ => {}
        }
    }
    out
}

fn of_command(value: &[u8], line: u32) -> Told {
    let words: Vec<Word> = unit_lines::words(value).into_iter().map(|text| Word { text, line }).collect();
    command::of_words(&words).at(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::autostart::planted::Tree;
    use crate::model::host::Platform;

    fn told(path: &str, text: &str) -> Vec<String> {
        Tree::with(&[(path, text.as_bytes())]).told(&EXTRACTOR, Platform::Linux, path)
    }

    #[test]
    fn sessions_start_entries() {
        let text = "[Desktop Entry]\nType=Application\nName=X\nExec=sh -c \"/home/mia/.cache/x/x --a %U\"\n\
                    [Desktop Action y]\nExec=/opt/y\n";
        assert_eq!(
            told("/home/mia/.config/autostart/x.desktop", text),
            ["XdgAutostart x.desktop | runs sh -c \"/home/mia/.cache/x/x --a %U\" | when session \
              | Program /home/mia/.cache/x/x Hidden"]
        );
        assert_eq!(
            told(
                "/etc/xdg/autostart/x.desktop",
                "[Desktop Entry]\nTryExec=/opt/x\nExec=/opt/x -a\nOnlyShowIn=GNOME;\n"
            ),
            ["XdgAutostart x.desktop | runs /opt/x -a | when session of GNOME; | Program /opt/x"]
        );
        for (line, is_on) in [
            ("", Some(true)),
            ("Hidden=true", Some(false)),
            ("X-GNOME-Autostart-enabled=false", None),
            ("X-GNOME-Autostart-enabled=false\nHidden=true", Some(false)),
        ] {
            let text = format!("[Desktop Entry]\nExec=x\n{line}\n");
            let path = "/etc/xdg/autostart/x.desktop";
            let harvest = Tree::with(&[(path, text.as_bytes())]).read(&EXTRACTOR, Platform::Linux, path);
            assert_eq!(harvest.facts.autostarts[0].enabled, is_on);
        }
    }

    #[test]
    fn the_bus_starts_programs() {
        assert_eq!(
            told(
                "/usr/share/dbus-1/system-services/org.x.service",
                "[D-BUS Service]\nName=org.x\nExec=/usr/libexec/x --y\nUser=root\nSystemdService=x.service\n"
            ),
            ["DbusService org.x | runs /usr/libexec/x --y | when asked for on the message bus | as root \
              | Program /usr/libexec/x"]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let desktop = parse(&[b"[Desktop Entry]\nExec=".as_slice(), &bytes].concat());
            let (line, value) = desktop.runs.unwrap();
            let _ = of_command(&value, line);
        }
    }
}
