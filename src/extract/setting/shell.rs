//! Commands of shells that set environment variables, from files that shells read when they start.
//!
//! ```text
//! export PYTHONPATH=$HOME/lib:$PYTHONPATH        sh, bash, zsh, ksh
//! PYTHONSTARTUP=~/.start.py python               for one program
//! set -gx PYTHONPATH ~/lib                       fish
//! setenv PYTHONPATH ${HOME}/lib                  csh
//! ```
//!
//! This is no shell: nothing is filled in, and whether a branch is taken is not asked.

use memchr::memchr;

use super::found::{Found, assignment, known, may_set};
use crate::extract::format::shell_words::{self as words, Word};

/// Deepest nesting of `sh -c "eval '…'"` that is followed.
const DEEPEST: u32 = 3;

/// What may stand in front of a command.
const LEADS: &[&[u8]] = &[
    b"{", b"!", b"if", b"then", b"else", b"elif", b"while", b"until", b"do", b"and", b"or", b"not", b"begin", b"time",
    b"builtin", b"@",
];

/// Commands that start another one, with variables in front of it, or set them for a whole session.
const STARTERS: &[&[u8]] = &[
    b"env",
    b"exec",
    b"command",
    b"sudo",
    b"doas",
    b"nohup",
    b"nice",
    b"ionice",
    b"setsid",
    b"timeout",
    b"flock",
    b"systemd-run",
    b"systemctl",
    b"dbus-update-activation-environment",
    b"launchctl",
    b"open",
    b"su",
    b"runuser",
    b"chroot",
    b"sh",
    b"bash",
    b"dash",
    b"ash",
    b"zsh",
    b"ksh",
    b"mksh",
    b"csh",
    b"tcsh",
    b"fish",
    b"busybox",
];

/// What a script sets, in its order.
#[must_use]
pub fn parse(script: &[u8]) -> Vec<Found> {
    let mut reader = Reader::default();
    reader.script(script, None, 0);
    reader.finish()
}

/// What a single command sets, whose words were cut elsewhere.
#[must_use]
pub fn parse_command(words: &[Word]) -> Vec<Found> {
    let mut reader = Reader::default();
    reader.command(words, 0);
    reader.finish()
}

/// `fish_variables`, where fish keeps what was set for good: `SETUVAR --export PYTHONPATH:/x\x1e/y`.
#[must_use]
pub fn parse_fish_variables(bytes: &[u8]) -> Vec<Found> {
    let parse = |(line, text): (u32, &[u8])| {
        let mut words = text.trim_ascii().split(|byte| *byte == b' ');
        let is_setting = words.next() == Some(b"SETUVAR");
        let said = words.clone().find(|word| !word.starts_with(b"-")).filter(|_| is_setting)?;
        let (name, value) = said.split_at(memchr(b':', said)?);
        let value = unescape(value.get(1..).unwrap_or_default());
        let is_exported = words.any(|word| word == b"--export");
        Some(Found { is_exported, ..Found::exported(name, &value, line)? })
    };
    (1..).zip(bytes.split(|byte| *byte == b'\n')).filter_map(parse).collect()
}

/// `\x2f` stands for a byte; 0x1e, and `\x1d` in older files, stand between the parts of a list.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.strip_prefix(b"x").and_then(|hex| std::str::from_utf8(hex.get(..2)?).ok());
        let code = code.filter(|_| *first == b'\\').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(match code {
            Some(0x1d | 0x1e) => b':',
            Some(byte) => byte,
            None => *first,
        });
        rest = if code.is_some() { tail.get(3..).unwrap_or_default() } else { tail };
    }
    out
}

#[derive(Default)]
struct Reader {
    found: Vec<Found>,
    /// Variables that are exported somewhere in the script.
    exported: Vec<&'static str>,
    /// `set -a`: every variable is.
    exports_all: bool,
}

impl Reader {
    fn finish(mut self) -> Vec<Found> {
        for one in &mut self.found {
            one.is_exported |= self.exports_all || self.exported.contains(&one.variable);
        }
        self.found
    }

    /// A script; one that is an argument of a command lies in that one's line.
    fn script(&mut self, script: &[u8], line: Option<u32>, depth: u32) {
        if depth > DEEPEST || !may_set(script) {
            return;
        }
        for mut command in words::commands(script) {
            command.iter_mut().for_each(|word| word.line = line.unwrap_or(word.line));
            self.command(&command, depth);
        }
    }

    fn command(&mut self, words: &[Word], depth: u32) {
        let mut words = words;
        while let Some((first, rest)) = words.split_first() {
            match first.text.as_slice() {
                b"function" => words = rest.get(1..).unwrap_or_default(),
                lead if LEADS.contains(&lead) => words = rest,
                _ => break,
            }
        }
        let count = words.iter().take_while(|word| assignment(&word.text).is_some()).count();
        let (assignments, rest) = words.split_at(count);
        // With no command behind it, it is the shell's own until it is exported.
        assignments.iter().for_each(|word| self.assign(word, !rest.is_empty()));
        let Some((name, arguments)) = rest.split_first() else { return };
        let name = name.text.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        match name {
            b"export" => self.declare(arguments, true),
            b"declare" | b"typeset" | b"local" | b"readonly" | b"integer" => self.declare(arguments, false),
            b"set" => self.set(arguments),
            b"setopt" => self.exports_all |= arguments.iter().any(|word| is_allexport(&word.text)),
            b"setenv" => self.pairs(arguments),
            b"path_add" => self.list(arguments, true),
            b":" => arguments.iter().for_each(|word| self.fallback(word)),
            b"eval" => {
                let texts: Vec<&[u8]> = arguments.iter().map(|word| word.text.as_slice()).collect();
                self.script(&texts.join(&b' '), arguments.first().map(|word| word.line), depth + 1);
            }
            b"alias" => {
                for word in arguments {
                    let script = assignment(&word.text).map_or(word.text.as_slice(), |(_, value)| value);
                    self.script(script, Some(word.line), depth + 1);
                }
            }
            name if STARTERS.contains(&name) => self.starter(arguments, depth),
            _ => {}
        }
    }

    fn assign(&mut self, word: &Word, is_exported: bool) {
        let found = assignment(&word.text).and_then(|(name, value)| Found::exported(name, value, word.line));
        self.found.extend(found.map(|found| Found { is_exported, ..found }));
    }

    /// `export`, `declare -x` and their like: assignments, and names of what was or will be assigned.
    fn declare(&mut self, arguments: &[Word], always: bool) {
        let options = || arguments.iter().filter(|word| is_option(word));
        let is_exported =
            if always { !options().any(|word| has(word, b'n')) } else { options().any(|word| has(word, b'x')) };
        for word in arguments.iter().filter(|word| !is_option(word)) {
            self.assign(word, is_exported);
            self.exported.extend(known(&word.text).filter(|_| is_exported));
        }
    }

    /// `set` of fish (`-gx NAME value…`), of csh (`NAME=value`) and of the others (`-a`).
    fn set(&mut self, arguments: &[Word]) {
        let count = arguments.iter().take_while(|word| is_option(word)).count();
        let (options, rest) = arguments.split_at(count);
        let is = |letter: u8, long: &[u8]| options.iter().any(|word| has(word, letter) || word.text == long);
        match rest.split_first() {
            None => self.exports_all |= is(b'a', b""),
            Some((name, _)) if is_allexport(&name.text) => self.exports_all = true,
            Some(_) if is(b'e', b"--erase") || is(b'q', b"--query") || is(b'S', b"--show") => {}
            Some((first, _)) if assignment(&first.text).is_some() => {
                rest.iter().for_each(|word| self.assign(word, false));
            }
            Some(_) => self.list(rest, is(b'x', b"--export")),
        }
    }

    /// `NAME part…`, joined as the shell joins it.
    fn list(&mut self, words: &[Word], is_exported: bool) {
        let Some((name, parts)) = words.split_first().filter(|(_, parts)| !parts.is_empty()) else { return };
        let texts: Vec<&[u8]> = parts.iter().map(|word| word.text.as_slice()).collect();
        let value = texts.join(if name.text.ends_with(b"PATH") { &b':' } else { &b' ' });
        let found = Found::exported(&name.text, &value, name.line);
        self.found.extend(found.map(|found| Found { is_exported, ..found }));
    }

    /// `setenv NAME value`, of which launchctl takes several.
    fn pairs(&mut self, words: &[Word]) {
        for pair in words.chunks_exact(2) {
            if let [name, value] = pair {
                self.found.extend(Found::exported(&name.text, &value.text, name.line));
            }
        }
    }

    /// `: ${NAME:=value}`.
    fn fallback(&mut self, word: &Word) {
        let inner = word.text.strip_prefix(b"${").and_then(|rest| rest.strip_suffix(b"}"));
        let said = inner.and_then(|inner| Some((inner, memchr(b'=', inner)?)));
        let found = said.and_then(|(inner, at)| {
            let (name, value) = inner.split_at(at);
            let name = name.strip_suffix(b":").unwrap_or(name);
            Found::exported(name, value.get(1..).unwrap_or_default(), word.line)
        });
        self.found.extend(found.map(|found| Found { is_exported: false, ..found }));
    }

    /// `env NAME=value command`, `sh -c '…'`, `systemd-run --setenv=NAME=value`, and one behind the other.
    fn starter(&mut self, arguments: &[Word], depth: u32) {
        let mut rest = arguments;
        while let Some((word, behind)) = rest.split_first() {
            let text = word.text.as_slice();
            let text = text.strip_prefix(b"--setenv=").unwrap_or(text);
            if assignment(text).is_some() {
                self.assign(&Word { text: text.to_vec(), line: word.line }, true);
            } else if is_option(word) && (has(word, b'c') || text == b"--command") {
                if let Some((script, others)) = behind.split_first() {
                    self.script(&script.text, Some(script.line), depth + 1);
                    rest = others;
                    continue;
                }
            } else {
                let name = text.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
                if name == b"setenv" {
                    return self.pairs(behind);
                }
            }
            rest = behind;
        }
    }
}

fn is_option(word: &Word) -> bool {
    word.text.len() > 1 && word.text.starts_with(b"-")
}

/// Whether an option of single letters has this one.
fn has(word: &Word, letter: u8) -> bool {
    word.text.strip_prefix(b"-").is_some_and(|rest| !rest.starts_with(b"-") && rest.contains(&letter))
}

fn is_allexport(text: &[u8]) -> bool {
    let plain: Vec<u8> = text.iter().filter(|byte| **byte != b'_').map(u8::to_ascii_lowercase).collect();
    plain == b"allexport"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `*` in front of those that are not exported.
    fn told(found: Vec<Found>) -> Vec<String> {
        let tell = |one: &Found| {
            let mark = if one.is_exported { "" } else { "*" };
            format!("{mark}{}:{}={}", one.line, one.variable, String::from_utf8_lossy(&one.value))
        };
        found.iter().map(tell).collect()
    }

    fn of(script: &str) -> Vec<String> {
        told(parse(script.as_bytes()))
    }

    #[test]
    fn shells_of_the_bourne_kind() {
        assert_eq!(of("export A=1 PYTHONPATH=/a:$PYTHONPATH B=2"), ["1:PYTHONPATH=/a:$PYTHONPATH"]);
        assert_eq!(of("PYTHONPATH='/a b'\nexport PYTHONPATH"), ["1:PYTHONPATH=/a b"]);
        assert_eq!(of("export PYTHONPATH; PYTHONPATH=/a"), ["1:PYTHONPATH=/a"]);
        assert_eq!(of("PYTHONPATH=/a"), ["*1:PYTHONPATH=/a"]);
        assert_eq!(of("set -a\nPYTHONPATH=/a\nset +a"), ["2:PYTHONPATH=/a"]);
        assert_eq!(of("set -o allexport; PYTHONPATH=/a"), ["1:PYTHONPATH=/a"]);
        assert_eq!(of("setopt ALL_EXPORT; PYTHONPATH=/a"), ["1:PYTHONPATH=/a"]);
        assert_eq!(of("declare -gx PYTHONHOME=\"/a\""), ["1:PYTHONHOME=/a"]);
        assert_eq!(of("typeset PYTHONHOME=/a; typeset -x PYTHONHOME"), ["1:PYTHONHOME=/a"]);
        assert_eq!(of("local PYTHONHOME=/a"), ["*1:PYTHONHOME=/a"]);
        assert_eq!(of("PYTHONPATH+=:/b; export -n PYTHONPATH"), ["*1:PYTHONPATH=:/b"]);
        assert_eq!(of("export PYTHON\"STARTUP\"=$'/t\\x6dp/x'"), ["1:PYTHONSTARTUP=/tmp/x"]);
        assert_eq!(of(": \"${PYTHONPATH:=/a}\"\nexport PYTHONPATH"), ["1:PYTHONPATH=/a"]);
    }

    #[test]
    fn wherever_a_command_may_stand() {
        assert_eq!(of("[ -d /a ] && export PYTHONPATH=/a || :"), ["1:PYTHONPATH=/a"]);
        assert_eq!(of("if true; then export PYTHONPATH=/a; fi"), ["1:PYTHONPATH=/a"]);
        assert_eq!(of("f() {\n  export PYTHONPATH=/a\n}"), ["2:PYTHONPATH=/a"]);
        assert_eq!(of("function f { export PYTHONPATH=/a; }"), ["1:PYTHONPATH=/a"]);
        assert_eq!(of("case $x in a) export PYTHONPATH=/a;; esac"), ["1:PYTHONPATH=/a"]);
        assert_eq!(of("export \\\n  PYTHONPATH=/a"), ["2:PYTHONPATH=/a"]);
    }

    #[test]
    fn for_one_program() {
        assert_eq!(of("X=1 PYTHONPATH=/a python x"), ["1:PYTHONPATH=/a"]);
        assert_eq!(of("exec /usr/bin/env -i PYTHONPATH=/a python x"), ["1:PYTHONPATH=/a"]);
        assert_eq!(of("sudo -u mia PYTHONPATH=/a python"), ["1:PYTHONPATH=/a"]);
        assert_eq!(of("alias py='PYTHONPATH=/a python'"), ["1:PYTHONPATH=/a"]);
        assert_eq!(of("eval \"export PYTHONPATH=/a\""), ["1:PYTHONPATH=/a"]);
        assert_eq!(of("su - mia -c 'sh -c \"PYTHONPATH=/a x\"'"), ["1:PYTHONPATH=/a"]);
        assert_eq!(of("systemd-run --setenv=PYTHONPATH=/a x"), ["1:PYTHONPATH=/a"]);
        assert_eq!(of("systemctl --user set-environment PYTHONPATH=/a"), ["1:PYTHONPATH=/a"]);
        assert_eq!(of("launchctl setenv X 1 PYTHONPATH /a"), ["1:PYTHONPATH=/a"]);
    }

    #[test]
    fn fish_and_csh() {
        assert_eq!(of("set -gx PYTHONPATH /a $PYTHONPATH"), ["1:PYTHONPATH=/a:$PYTHONPATH"]);
        assert_eq!(of("set -U --export PYTHONSTARTUP /a"), ["1:PYTHONSTARTUP=/a"]);
        assert_eq!(of("set -g PYTHONPATH /a; set -e PYTHONPATH; set -q PYTHONPATH"), ["*1:PYTHONPATH=/a"]);
        assert_eq!(of("setenv PYTHONPATH \"${HOME}/a\""), ["1:PYTHONPATH=${HOME}/a"]);
        assert_eq!(of("if ( $?x ) setenv PYTHONPATH /a"), ["1:PYTHONPATH=/a"]);
        assert_eq!(of("set PYTHONPATH=/a"), ["*1:PYTHONPATH=/a"]);
        assert_eq!(of("path_add PYTHONPATH src lib"), ["1:PYTHONPATH=src:lib"]);
        let kept = b"# x\nSETUVAR --export PYTHONPATH:/a\\x2fb\\x1e/c\nSETUVAR PYTHONHOME:/d\nSETUVAR X:/e\n";
        assert_eq!(told(parse_fish_variables(kept)), ["2:PYTHONPATH=/a/b:/c", "*3:PYTHONHOME=/d"]);
    }

    #[test]
    fn what_sets_nothing() {
        for script in [
            "# export PYTHONPATH=/a",
            "echo PYTHONPATH=/a",
            "echo 'x\nexport PYTHONPATH=/a\n'",
            "export MYPYTHONPATH=/a",
            "unset PYTHONPATH",
            "grep x <<END\nexport PYTHONPATH=/a\nEND",
            "export PYTHONUNBUFFERED=1",
            "test $PYTHONPATH = /a",
        ] {
            assert!(of(script).is_empty(), "{script}");
        }
    }

    #[test]
    fn nesting_ends() {
        let script =
            (0..6).fold("PYTHONPATH=/a x".to_owned(), |inner, _| format!("eval {}", inner.replace(' ', "\\ ")));
        assert_eq!(of(&script).len(), 0);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            // The empty line keeps a backslash at the end from joining what follows.
            let all = [b"export PYTHONPATH=".as_slice(), &bytes, b"\n\nPYTHONHOME=x y\n"].concat();
            prop_assert!(!parse(&all).is_empty());
            prop_assert!(parse_fish_variables(&bytes).is_empty());
        }
    }
}
