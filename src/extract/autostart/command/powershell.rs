//! What a script of PowerShell starts, and what stands out in it. No parser of the language: lines, the commands that begin
//! them, and the names of what decodes, fetches and runs.
//!
//! ```text
//! iex (irm https://…)                                     fetches and runs
//! $x = [Convert]::FromBase64String("…"); … iex $x         decodes and runs, also in a later line
//! & "$env:APPDATA\x\x.exe"                                the program is started
//! ```

use std::collections::BTreeMap;

use super::inline::Language;
use super::windows::words;
use super::{MOST, Told};
use crate::model::autostart::{Role, Sign, SignKind};

/// Most variables that are remembered.
const MOST_VARIABLES: usize = 64;

const RUNS: &[&str] = &[
    "iex ",
    "iex(",
    "|iex",
    "| iex",
    "&iex",
    "invoke-expression",
    "[scriptblock]::create",
    "executioncontext.invokecommand",
    "reflection.assembly]::load",
];

const DECODES: &[&str] =
    &["frombase64string", "gzipstream", "deflatestream", "-bxor", "convertto-securestring -key", "[char[]]"];

const FETCHES: &[&str] = &[
    "downloadstring",
    "downloadfile",
    "downloaddata",
    "invoke-webrequest",
    "invoke-restmethod",
    "iwr ",
    "irm ",
    "start-bitstransfer",
    "openread(",
    "msxml2.xmlhttp",
    "winhttp.winhttprequest",
];

/// What puts a file on disk, if something else then starts it.
const STARTS: &[&str] = &["start-process", "invoke-item", "saps ", "[diagnostics.process]::start"];

/// What a script or the text of a command starts.
#[must_use]
pub fn of_text(text: &str) -> Told {
    let mut told = Told::default();
    let mut tainted: BTreeMap<String, SignKind> = BTreeMap::new();
    let mut is_comment = false;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        is_comment |= line.starts_with("<#");
        if is_comment || line.starts_with('#') || line.is_empty() {
            is_comment &= !line.contains("#>");
            continue;
        }
        for what in signs(line, &mut tainted) {
            if told.signs.len() < MOST {
                told.signs.push(Sign { what, line: number });
            }
        }
        for part in line.split(';').take(MOST) {
            start(part.trim(), number, &mut told);
        }
    }
    told.signs.sort_unstable();
    told.signs.dedup();
    told
}

fn has(text: &str, any: &[&str]) -> bool {
    any.iter().any(|one| text.contains(one))
}

/// What one line does; `tainted` holds the variables that earlier ones filled with what they decoded or fetched.
fn signs(line: &str, tainted: &mut BTreeMap<String, SignKind>) -> Vec<SignKind> {
    let lower = line.to_ascii_lowercase();
    let runs = has(&lower, RUNS) || lower.ends_with("iex");
    let (decodes, fetches) = (has(&lower, DECODES), has(&lower, FETCHES));
    let mut out = Vec::new();
    out.extend((runs && decodes).then_some(SignKind::DecodesAndRuns));
    let starts = fetches && has(&lower, STARTS);
    out.extend(((runs && fetches) || starts).then_some(SignKind::FetchesAndRuns));
    let connects = has(&lower, &["net.sockets.tcpclient", "net.sockets.udpclient"]);
    out.extend((connects && (runs || has(&lower, &["cmd.exe", "powershell"]))).then_some(SignKind::RemoteShell));
    if runs {
        out.extend(tainted.iter().filter(|(name, _)| names(&lower, name)).map(|(_, what)| *what));
    }
    out.extend(has(&lower, &["-windowstyle hidden", "-w hidden", "start-job"]).then_some(SignKind::RunsUnseen));
    remember(&lower, decodes, fetches, tainted);
    out
}

/// `$x = …` with something decoded or fetched, or with another such variable, in it.
fn remember(lower: &str, decodes: bool, fetches: bool, tainted: &mut BTreeMap<String, SignKind>) {
    let Some((name, value)) = lower.split_once('=') else { return };
    let name = name.trim();
    let is_name =
        name.strip_prefix('$').is_some_and(|name| name.chars().all(|at| at.is_ascii_alphanumeric() || at == '_'));
    let of_other = tainted.iter().find(|(other, _)| names(value, other)).map(|(_, what)| *what);
    let what = match (decodes, fetches) {
        (true, _) => Some(SignKind::DecodesAndRuns),
        (_, true) => Some(SignKind::FetchesAndRuns),
        _ => of_other,
    };
    if let Some(what) = what.filter(|_| is_name && tainted.len() < MOST_VARIABLES) {
        tainted.insert(name.to_owned(), what);
    }
}

/// Whether the variable stands in the text as a whole word.
fn names(text: &str, variable: &str) -> bool {
    text.match_indices(variable).any(|(at, _)| {
        let behind = text.as_bytes().get(at + variable.len());
        behind.is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
    })
}

/// The program or script that a command begins with.
fn start(part: &str, line: u32, told: &mut Told) {
    let (part, role) = match part.split_at_checked(2) {
        Some(("& ", rest)) => (rest, Role::Program),
        Some((". ", rest)) => (rest, Role::Sourced),
        _ => (part, Role::Program),
    };
    let words = words(&part.replace('\'', "\""));
    let lower = words.first().map(|word| word.to_ascii_lowercase()).unwrap_or_default();
    let words = if matches!(lower.as_str(), "start-process" | "saps" | "invoke-item" | "ii") {
        let is_value = |word: &&String| !word.starts_with('-');
        words.iter().skip(1).skip_while(|word| !is_value(word)).cloned().collect()
    } else {
        words
    };
    let Some((program, arguments)) = words.split_first() else { return };
    let is_python = Language::of(program.as_bytes()) == Some(Language::Python);
    let is_path = program.contains(['\\', '/']) && !program.contains(['(', '=', '[', '{', '|']);
    let mut add = |text: &str, role: Role| {
        if told.programs.len() < MOST {
            told.programs.push((written(text), role, line));
        }
    };
    if is_path || is_python {
        add(program, role);
    }
    let script = arguments.iter().find(|word| !word.starts_with('-'));
    if let Some(script) = script.filter(|_| is_python && !arguments.iter().any(|word| word == "-m" || word == "-c")) {
        add(script, Role::Script);
    }
}

/// `$env:APPDATA\x` as `cmd` would write it.
fn written(text: &str) -> Vec<u8> {
    let lower = text.to_ascii_lowercase();
    for (open, close) in [("$env:", ""), ("${env:", "}")] {
        if !lower.starts_with(open) {
            continue;
        }
        let rest = text.get(open.len()..).unwrap_or_default();
        let end = rest.find(|at: char| !at.is_ascii_alphanumeric() && !"_()".contains(at)).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        return format!("%{name}%{}", rest.strip_prefix(close).unwrap_or(rest)).into_bytes();
    }
    text.as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(text: &str) -> Vec<String> {
        let told = of_text(text);
        let programs =
            told.programs.iter().map(|(path, role, line)| format!("{line}:{} {role:?}", String::from_utf8_lossy(path)));
        programs.chain(told.signs.iter().map(|sign| format!("{}:{:?}", sign.line, sign.what))).collect()
    }

    #[test]
    fn programs_are_named() {
        assert_eq!(told("# x\n& \"$env:APPDATA\\x\\x.exe\" -a"), ["2:%APPDATA%\\x\\x.exe Program"]);
        assert_eq!(told(". C:\\x\\y.ps1"), ["1:C:\\x\\y.ps1 Sourced"]);
        assert_eq!(told("Start-Process -FilePath 'C:\\x\\y.exe'"), ["1:C:\\x\\y.exe Program"]);
        assert_eq!(told("python C:\\x\\y.py"), ["1:python Program", "1:C:\\x\\y.py Script"]);
        assert_eq!(told("<#\n& C:\\x.exe\n#>\nSet-Alias ll Get-ChildItem"), [""; 0]);
    }

    #[test]
    fn what_runs_what_was_decoded_or_fetched() {
        assert_eq!(told("iex (irm https://x.example)"), ["1:FetchesAndRuns"]);
        assert_eq!(
            told("$x = [Convert]::FromBase64String('aGk=')\n$y = d $x\nInvoke-Expression $y"),
            ["3:DecodesAndRuns"]
        );
        assert_eq!(told("iwr http://x -OutFile a.exe; Start-Process a.exe"), ["1:FetchesAndRuns"]);
        for honest in [
            "Invoke-Expression (&starship init powershell)",
            "oh-my-posh init pwsh | Invoke-Expression",
            "function weather { Invoke-RestMethod https://wttr.in }\n(& zoxide init powershell) | Out-String | iex",
            "$x = 'a'\n$xs = irm https://x.example\niex $x",
        ] {
            assert_eq!(told(honest), [""; 0], "{honest}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(iex|\\$x|=|irm|\"|'|;|\n|\\$env:|\\\\|\\PC){0,40}") {
            prop_assert!(of_text(&text).programs.len() <= MOST);
        }
    }
}
