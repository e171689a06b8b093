//! Modules of PAM that run a program, or that lie where no module should (`pam.conf(5)`, `pam_exec(8)`).
//!
//! ```text
//! auth  optional  pam_exec.so quiet expose_authtok /usr/local/bin/x     /etc/pam.d/sshd
//! login auth required pam_exec.so /x                                    /etc/pam.conf: the service stands in front
//! auth [success=1 default=ignore] /opt/x/pam_x.so
//! auth required pam_python.so /opt/x.py
//! ```

use super::command::{self, Told};
use super::{CAP, Entry, content, is_void, place_of, push};
use crate::extract::Extractor;
use crate::extract::format::shell_words::Word;
use crate::extract::format::unit_lines;
use crate::extract::input::Input;
use crate::model::autostart::{AutostartKind, Role};
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Interest};

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "autostart-pam",
        sentence: "Modules of PAM that run a program, and those that lie outside the folders of modules.",
        ask: Ask::Starts("pam"),
    },
    cap: CAP,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    if place_of(input, "pam").is_none() || is_void(input) {
        return harvest;
    }
    let Some(content) = content(input, &mut harvest) else { return harvest };
    let file = input.candidate.name;
    for rule in parse(&content.bytes, if file == b"pam.conf" { Form::Whole } else { Form::Service }) {
        let Some(told) = rule.told() else { continue };
        let entry = Entry {
            line: Some(rule.line),
            told: told.at(rule.line),
            trigger: rule.when.clone(),
            command: rule.words().join(&b' '),
            is_whole_file: false,
            ..Entry::new(AutostartKind::PamExec, rule.service.as_deref().unwrap_or(file))
        };
        push(input, &content, entry, &mut harvest);
    }
    harvest
}

/// Which fields the lines of a file have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// The file is of one service.
    Service,
    /// Each line names a service.
    Whole,
}

/// One line that names a module.
#[derive(PartialEq, Eq, Debug)]
pub struct Rule {
    /// Counted from 1.
    pub line: u32,
    /// The service, where the line names it.
    pub service: Option<Vec<u8>>,
    /// `auth`, `account`, `password` or `session`.
    pub when: Vec<u8>,
    /// The module, as written.
    pub module: Vec<u8>,
    /// Its arguments.
    pub arguments: Vec<Vec<u8>>,
}

/// The lines that name a module.
#[must_use]
pub fn parse(bytes: &[u8], form: Form) -> Vec<Rule> {
    unit_lines::logical(bytes, b" ").iter().filter_map(|line| rule(&line.text, line.number, form)).collect()
}

fn rule(text: &[u8], line: u32, form: Form) -> Option<Rule> {
    let mut fields = fields(text).into_iter();
    let service = if form == Form::Whole { Some(fields.next()?) } else { None };
    let when = fields.next()?;
    let when = when.strip_prefix(b"-").unwrap_or(&when).to_vec();
    let is_type = matches!(when.to_ascii_lowercase().as_slice(), b"auth" | b"account" | b"password" | b"session");
    let (_control, module) = (fields.next()?, fields.next()?);
    is_type.then(|| Rule { line, service, when, module, arguments: fields.collect() })
}

/// Blanks part fields, and `[…]` keeps them together.
fn fields(text: &[u8]) -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = Vec::new();
    let mut field: Vec<u8> = Vec::new();
    let mut is_open = false;
    for byte in text {
        match byte {
            b'#' if !is_open && field.is_empty() => break,
            b'[' if field.is_empty() => is_open = true,
            b']' if is_open => {
                is_open = false;
                out.push(std::mem::take(&mut field));
            }
            byte if byte.is_ascii_whitespace() && !is_open => {
                if !field.is_empty() {
                    out.push(std::mem::take(&mut field));
                }
            }
            byte => field.push(*byte),
        }
    }
    if !field.is_empty() {
        out.push(field);
    }
    out
}

impl Rule {
    fn words(&self) -> Vec<&[u8]> {
        std::iter::once(self.module.as_slice()).chain(self.arguments.iter().map(Vec::as_slice)).collect()
    }

    /// What it starts; none for modules that are neither programs' nor in an odd place.
    fn told(&self) -> Option<Told> {
        let name = self.module.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let mut told = match name {
            b"pam_exec.so" => Some(self.of_exec()),
            b"pam_script.so" => Some(self.folder().map_or_else(Told::default, |dir| Told::one(dir, Role::Script, 0))),
            b"pam_python.so" | b"pam_perl.so" | b"pam_lua.so" => {
                Some(self.arguments.first().map_or_else(Told::default, |path| Told::one(path, Role::Script, 0)))
            }
            _ => None,
        };
        if self.module.starts_with(b"/") && !is_usual(&self.module) {
            told.get_or_insert_default().programs.push((self.module.clone(), Role::Library, 0));
        }
        told
    }

    fn of_exec(&self) -> Told {
        const OPTIONS: [&[u8]; 6] = [b"debug", b"expose_authtok", b"seteuid", b"quiet", b"quiet_log", b"stdout"];
        let is_option = |word: &&Vec<u8>| {
            OPTIONS.contains(&word.as_slice()) || word.starts_with(b"log=") || word.starts_with(b"type=")
        };
        let words = self.arguments.iter().skip_while(is_option).cloned();
        let words: Vec<Word> = words.map(|text| Word { text, line: self.line }).collect();
        command::of_words(&words)
    }

    fn folder(&self) -> Option<&[u8]> {
        self.arguments.iter().find_map(|word| word.strip_prefix(b"dir="))
    }
}

/// Whether a module lies where systems keep theirs: `/lib/security`, `/usr/lib/x86_64-linux-gnu/security`.
fn is_usual(module: &[u8]) -> bool {
    let starts: [&[u8]; 5] = [b"/lib/", b"/lib64/", b"/usr/lib/", b"/usr/lib64/", b"/nix/store/"];
    starts.iter().any(|start| module.starts_with(start)) && !module.windows(4).any(|part| part == b"/../")
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
    fn modules_run_programs() {
        assert_eq!(
            told(
                "/etc/pam.d/sshd",
                "# c\nauth required pam_unix.so\n-auth [success=1 default=ignore] pam_exec.so quiet expose_authtok \
                 /bin/sh /tmp/.x.sh # y\nsession optional /opt/x/pam_x.so a\nauth required pam_python.so /opt/x.py\n\
                 auth required /usr/lib/security/pam_unix.so\n@include common-auth\n"
            ),
            [
                "PamExec sshd | runs pam_exec.so quiet expose_authtok /bin/sh /tmp/.x.sh | when auth | Program /bin/sh \
                 | Script /tmp/.x.sh Temporary Hidden",
                "PamExec sshd | runs /opt/x/pam_x.so a | when session | Library /opt/x/pam_x.so",
                "PamExec sshd | runs pam_python.so /opt/x.py | when auth | Script /opt/x.py",
            ]
        );
        assert_eq!(
            told("/etc/pam.conf", "login auth required pam_script.so dir=/opt/x\n"),
            ["PamExec login | runs pam_script.so dir=/opt/x | when auth | Script /opt/x"]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for rule in parse(&[b"auth required pam_exec.so ".as_slice(), &bytes].concat(), Form::Service) {
                let _ = rule.told();
            }
            prop_assert!(parse(&bytes, Form::Whole).len() <= bytes.len());
        }
    }
}
