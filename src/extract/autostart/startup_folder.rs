//! Files in the start-up folders of Windows, which are opened at each login: shortcuts, scripts, programs.

use super::command::{Told, powershell, windows};
use super::{CAP, Entry, content, gap, place_of, push};
use crate::extract::Extractor;
use crate::extract::format::{shell_link, unicode};
use crate::extract::input::Input;
use crate::model::autostart::{AutostartKind, Role, Sign};
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Interest};

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "autostart-startup-folders",
        sentence: "Files in the start-up folders of Windows: shortcuts, scripts, programs.",
        ask: Ask::Starts("startup-folders"),
    },
    cap: CAP,
    read,
};

/// The row for profiles of PowerShell.
pub const PROFILES: Extractor = Extractor {
    interest: Interest {
        id: "autostart-powershell",
        sentence: "Profiles of PowerShell, which run whenever it starts.",
        ask: Ask::Starts("powershell"),
    },
    cap: CAP,
    read: read_profile,
};

/// What the shell keeps in its folders for itself.
const OWN: &[u8] = b"desktop.ini";

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    let name = input.candidate.name;
    if place_of(input, "startup-folders").is_none() || name.eq_ignore_ascii_case(OWN) {
        return harvest;
    }
    let lower = name.to_ascii_lowercase();
    let is_text = [b".lnk".as_slice(), b".url", b".bat", b".cmd", b".ps1", b".vbs", b".js"]
        .iter()
        .any(|end| lower.ends_with(end));
    // A program of 100 MB is not read for its row.
    let content = match is_text {
        true => content(input, &mut harvest),
        false => super::unread(input, &mut harvest),
    };
    let Some(content) = content else { return harvest };
    let (told, command) = match lower.rsplit(|byte| *byte == b'.').next().unwrap_or_default() {
        b"lnk" => match shell_link::parse(&content.bytes) {
            Some(link) => {
                if link.is_cut && content.whole {
                    harvest.gaps.push(gap(input, GapReason::Malformed).because("the shortcut ends in the middle"));
                }
                let target = if link.target.contains(' ') { format!("\"{}\"", link.target) } else { link.target };
                let command = format!("{target} {}", link.arguments).trim().to_owned();
                (windows::of_command_line(&command), command)
            }
            None => {
                harvest.gaps.push(gap(input, GapReason::Malformed).because("this is no shortcut").harmless());
                (Told::default(), String::new())
            }
        },
        b"url" => {
            let address = address(&unicode::decoded(&content.bytes)).unwrap_or_default();
            (file_of(&address), address)
        }
        b"bat" | b"cmd" => (windows::of_batch(&unicode::decoded(&content.bytes)), String::new()),
        b"ps1" => (powershell::of_text(&unicode::decoded(&content.bytes)), String::new()),
        b"vbs" | b"js" => (of_script(&unicode::decoded(&content.bytes)), String::new()),
        _ => (Told::default(), String::new()),
    };
    let entry = Entry {
        told,
        command: command.into_bytes(),
        trigger: b"login".to_vec(),
        enabled: Some(true),
        ..Entry::new(AutostartKind::StartupFolder, name)
    };
    push(input, &content, entry, &mut harvest);
    harvest
}

fn read_profile(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    if place_of(input, "powershell").is_none() {
        return harvest;
    }
    let Some(content) = content(input, &mut harvest) else { return harvest };
    let entry = Entry {
        told: powershell::of_text(&unicode::decoded(&content.bytes)),
        trigger: b"every PowerShell".to_vec(),
        enabled: Some(true),
        ..Entry::new(AutostartKind::PowershellProfile, input.candidate.name)
    };
    push(input, &content, entry, &mut harvest);
    harvest
}

/// The address of an internet shortcut.
fn address(text: &str) -> Option<String> {
    text.lines().find_map(|line| Some(line.trim().strip_prefix("URL=")?.to_owned()))
}

fn file_of(address: &str) -> Told {
    let path = address.strip_prefix("file:///").map(|path| path.replace('/', "\\").replace("%20", " "));
    let mut told = Told::default();
    told.programs.extend(path.map(|path| (path.into_bytes(), Role::Program, 0)));
    told
}

/// What a script of the Windows Script Host runs: the texts that it hands to the shell.
#[must_use]
pub fn of_script(text: &str) -> Told {
    let mut out = Told::default();
    for (number, line) in (1..).zip(text.lines()) {
        let lower = line.to_ascii_lowercase();
        let is_comment = lower.trim_start().starts_with('\'') || lower.trim_start().starts_with("//");
        if is_comment || ![".run", "shellexecute", ".exec"].iter().any(|word| lower.contains(word)) {
            continue;
        }
        let told = windows::of_command_line(&first_text(line));
        out.programs.extend(told.programs.into_iter().map(|(path, role, _)| (path, role, number)));
        out.signs.extend(told.signs.into_iter().map(|sign| Sign { line: number, ..sign }));
        if out.programs.len() > super::MOST {
            break;
        }
    }
    out
}

/// The first text in quotes; two quotes stand for one in it, as in VBScript.
fn first_text(line: &str) -> String {
    let mut out = String::new();
    let mut letters = line.split_once('"').map(|(_, rest)| rest).unwrap_or_default().chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '"' && letters.next_if_eq(&'"').is_none() {
            break;
        }
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::autostart::planted::Tree;
    use crate::model::host::Platform;

    const COMMON: &str = "/ProgramData/Microsoft/Windows/Start Menu/Programs/Startup";

    fn told(name: &str, content: &[u8]) -> Vec<String> {
        let path = format!("{COMMON}/{name}");
        Tree::with(&[(&path, content)]).told(&EXTRACTOR, Platform::Windows, &path)
    }

    #[test]
    fn each_kind_of_file_is_a_row() {
        assert_eq!(
            told("a.bat", b"@echo off\r\nstart /b C:\\x\\y.exe\r\n"),
            [r"StartupFolder a.bat | when login | Program C:\x\y.exe | RunsUnseen"]
        );
        assert_eq!(
            told("a.vbs", b"CreateObject(\"WScript.Shell\").Run \"x\"\r\ns.Run \"\"\"C:\\x y\\z.exe\"\" -a\", 0\r\n"),
            [r"StartupFolder a.vbs | when login | Program C:\x y\z.exe"]
        );
        assert_eq!(
            told("a.url", b"[InternetShortcut]\r\nURL=file:///C:/x/y.exe\r\n"),
            [r"StartupFolder a.url | runs file:///C:/x/y.exe | when login | Program C:\x\y.exe"]
        );
        assert_eq!(told("a.exe", b"MZ"), ["StartupFolder a.exe | when login"]);
        assert_eq!(told("desktop.ini", b"[x]"), [""; 0]);
        assert_eq!(told("a.ps1", b"iex (irm http://x)"), ["StartupFolder a.ps1 | when login | FetchesAndRuns"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(\\.Run|\"|\n| |'|\\PC){0,40}") {
            let _any = of_script(&text);
        }
    }
}
