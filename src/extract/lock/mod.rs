//! Lock files: which packages, in which versions and from where, somebody decided to install. A file for each format, each
//! with a pure `parse`; `sweep` reads them on a target, `chain` what they name, `scripts` the heads of scripts.
//!
//! What is asked about later is what would be installed: no dependency lists inside of entries, no ranges, and not the
//! project itself. An entry that cannot be understood is a row of `unread`, and costs no other entry; a file that is not
//! what it says it is, is a fault.

pub mod chain;
pub mod conda_env;
pub mod conda_explicit;
pub mod conda_lock;
mod format;
mod lines;
pub mod pdm;
pub mod pipfile;
pub mod pixi;
pub mod poetry;
pub mod pylock;
pub mod requirements;
mod rows;
pub mod script;
pub mod scripts;
pub mod sweep;
pub mod uv;

pub use super::format::placed::Fault;
pub use format::read;

use super::format::names::is_name;
use super::format::toml::{Table, Text};
use crate::model::id::lower_sha256;
use crate::model::text::Excerpt;

/// What a lock file says.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Lock {
    /// What would be installed, in the order of the file.
    pub pins: Vec<Pin>,
    /// The project that the file belongs to, which is no pin of it.
    pub own: Vec<Pin>,
    /// Lines that were not understood, and what they do: `has no name`.
    pub unread: Vec<(u32, String)>,
    /// Other files that are part of it.
    pub includes: Vec<Include>,
    /// Whether what was not understood may name any package, such as a file at an address.
    pub hides: bool,
}

/// Another file that a requirements file names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Include {
    /// Where, counted from 1.
    pub line: u32,
    /// As written: relative to the folder of the file that names it.
    pub path: String,
}

/// One package in a lock file.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Pin {
    /// As written.
    pub name: String,
    /// The version; none where the file leaves it open.
    pub version: Option<String>,
    /// Which versions will do, where that is not one; empty where the file says nothing of it.
    pub range: String,
    /// Where its name stands, counted from 1; none for what stands in no file.
    pub line: Option<u32>,
    /// SHA-256 of the archives that may be taken for it, in lower-case hex.
    pub hashes: Vec<String>,
    /// Where it comes from if that is no index: a path, a repository, an address.
    pub source: Option<Excerpt>,
}

/// Where a package comes from.
#[derive(Default)]
enum Origin {
    /// An index, or a folder of archives.
    #[default]
    Index,
    /// A path, a repository, an address.
    Place(Excerpt),
    /// The project that the lock file belongs to.
    Own,
    /// Another source tree, which is used as it is at that time.
    Tree,
}

impl Lock {
    /// Takes a package in. A name or version that is none is told, and what remains is asked about all the same.
    fn take(&mut self, name: Text<'_>, version: Option<Text<'_>>, from: Origin, hashes: &[Text<'_>]) {
        if !is_name(name.text) {
            self.unread.push((name.line, "has a package name that is none".to_owned()));
            return;
        }
        let mut pin = Pin { name: name.text.to_owned(), line: Some(name.line), ..Pin::default() };
        if let Some(version) = version {
            if is_version(version.text) {
                pin.version = Some(version.text.to_owned());
            } else {
                let why = format!("has a version of {} that is no single version", shown(name.text));
                self.unread.push((version.line, why));
            }
        }
        for hash in hashes {
            match sha256(hash.text) {
                Some(hash) => pin.hashes.push(hash),
                // Other kinds of hash are as good for those who install, but no pack knows them.
                None if !hash.text.trim_start().to_ascii_lowercase().starts_with("sha256") => {}
                None => self.unread.push((hash.line, format!("has a SHA-256 of {} that is none", shown(name.text)))),
            }
        }
        match from {
            Origin::Index => self.pins.push(pin),
            Origin::Place(place) => self.pins.push(Pin { source: Some(place), ..pin }),
            Origin::Own => self.own.push(pin),
            Origin::Tree => {
                let why = format!("has {} from a source tree, which this version does not follow", shown(name.text));
                self.unread.push((name.line, why));
            }
        }
    }

    /// What a part of an entry says; a fault of it is told, and the entry goes on without that part.
    fn part<T: Default>(&mut self, part: Result<T, Fault>) -> T {
        part.unwrap_or_else(|fault| {
            self.unread.push((fault.line, fault.why));
            T::default()
        })
    }

    /// The hashes of an entry, one in each of these tables.
    fn hashes<'a>(&mut self, files: &[Table<'a>], key: &str) -> Vec<Text<'a>> {
        files.iter().filter_map(|file| self.part(file.text(key))).collect()
    }
}

/// Whether the format of a file, such as `4.5.0`, is one that is read.
fn is_known(what: &str, version: Text<'_>, newest: u32) -> Result<(), String> {
    let major = version.text.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major <= newest) {
        return Ok(());
    }
    Err(format!("says format {} of {what}; this version reads {newest} at most", excerpt(version.text).as_str()))
}

/// The `sha256:…` of a lock file, in lower case.
fn sha256(text: &str) -> Option<String> {
    let (kind, hex) = text.trim().split_once(':')?;
    if kind.eq_ignore_ascii_case("sha256") { lower_sha256(hex) } else { None }
}

/// Whether a text is one version: no range, no pattern. What is no version by PEP 440 but could once be published is one.
fn is_version(text: &str) -> bool {
    let text = text.trim();
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".!+-_".contains(&byte))
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Whether a path is the folder of the lock file itself.
fn is_here(path: &str) -> bool {
    path.trim_end_matches('/').split('/').all(|part| part == ".")
}

/// Whether a text is the name of a package of conda, whose own may begin with `_`.
fn is_conda_name(text: &str) -> bool {
    is_name(text.trim_start_matches('_'))
}

/// A package that conda would install.
fn of_conda(name: &str, version: Option<&str>) -> Pin {
    Pin { name: name.to_owned(), version: version.map(str::to_owned), source: Some(excerpt("conda")), ..Pin::default() }
}

fn excerpt(text: &str) -> Excerpt {
    Excerpt::of(text.as_bytes())
}

/// A checked name, as far as a message has room for it.
fn shown(name: &str) -> &str {
    name.get(..60).unwrap_or(name)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::format::placed;

    /// Name, version, line and source of a pin.
    pub(crate) type Shown<'a> = (&'a str, Option<&'a str>, u32, Option<&'a str>);

    pub(crate) fn shown(pins: &[Pin]) -> Vec<Shown<'_>> {
        let row = |pin| {
            let Pin { name, version, line, source, .. }: &Pin = pin;
            (name.as_str(), version.as_deref(), line.unwrap(), source.as_ref().map(Excerpt::as_str))
        };
        pins.iter().map(row).collect()
    }

    pub(crate) fn unread(lock: &Lock) -> Vec<String> {
        lock.unread.iter().map(|(line, why)| format!("{line} {why}")).collect()
    }

    /// Sixty-four times the same digit.
    pub(crate) fn hash(digit: char) -> String {
        digit.to_string().repeat(64)
    }

    /// What is true of every parser: no prefix of a file and no mutilation crashes it, bombs are refused, and a hundred
    /// thousand entries are read, each with its line. `#` in the entry is its number.
    pub(crate) fn hostile(parse: fn(&[u8]) -> Result<Lock, Fault>, head: &str, whole: &str, entry: &str) {
        for end in (0..whole.len()).step_by(3) {
            let _any = parse(&whole.as_bytes()[..end]);
            let mut bytes = whole.as_bytes().to_vec();
            bytes[end] = [b'[', b'"', b'\n', 0xff, b'.', b'0'][end / 3 % 6];
            let _any = parse(&bytes);
        }
        assert!(parse(b"\xff\xff").is_err() && parse(b"\x7fELF\0").is_err());
        assert!(parse(&vec![b'\n'; placed::MOST + 1]).is_err());
        if entry.is_empty() {
            return;
        }
        for bomb in ["[", "{a=", "a."] {
            let why = parse(format!("{head}x = {}", bomb.repeat(100_000)).as_bytes()).unwrap_err().why;
            assert!(why.contains("nests deeper"), "{why}");
        }
        let twice = format!("{head}{entry}version = \"2\"\n");
        assert!(parse(twice.as_bytes()).unwrap_err().why.contains("duplicate key"));
        assert!(parse(format!("{head}{head}").as_bytes()).unwrap_err().why.contains("duplicate key"));
        let many: String = (0..100_000).map(|one| entry.replace('#', &one.to_string())).collect();
        let lock = parse(format!("{head}{many}").as_bytes()).unwrap();
        assert_eq!((lock.pins.len(), unread(&lock)), (100_000, Vec::new()));
        let lines = u32::try_from(entry.lines().count()).unwrap();
        assert_eq!((&*lock.pins[99_999].name, lock.pins[99_999].line), ("p99999", Some(99_999 * lines + 3)));
    }

    /// The same of a parser of YAML: `entry` is one member of a list.
    pub(crate) fn hostile_yaml(parse: fn(&[u8]) -> Result<Lock, Fault>, head: &str, whole: &str, entry: &str) {
        for end in (0..whole.len()).step_by(3) {
            let _any = parse(&whole.as_bytes()[..end]);
            let mut bytes = whole.as_bytes().to_vec();
            bytes[end] = [b'[', b'"', b'\n', 0xff, b':', b'0'][end / 3 % 6];
            let _any = parse(&bytes);
        }
        assert!(parse(b"\xff\xff").is_err() && parse(b"\x7fELF\0").is_err());
        for bomb in ["[", "{a: ", "- ", "? "] {
            assert!(parse(format!("{head}- {}", bomb.repeat(100_000)).as_bytes()).is_err(), "{bomb}");
        }
        let many: String = (0..20_000).map(|one| entry.replace('#', &one.to_string())).collect();
        let lock = parse(format!("{head}{many}").as_bytes()).unwrap();
        assert_eq!((lock.pins.len(), unread(&lock)), (20_000, Vec::new()));
        let lines = u32::try_from(entry.lines().count()).unwrap();
        let begins = u32::try_from(head.lines().count()).unwrap() + 1;
        assert_eq!((&*lock.pins[19_999].name, lock.pins[19_999].line), ("p19999", Some(19_999 * lines + begins)));
    }

    /// Texts from words of all formats.
    pub(crate) fn pieces() -> impl Strategy<Value = String> {
        #[rustfmt::skip]
        const PIECES: &[&str] = &[
            "[[package]]\n", "[[packages]]\n", "[metadata]\n", "[package.source]\n", "name = \"a\"\n", "version = \"1\"\n", "name = ",
            "version = ", "source = ", "{ registry = \"r\" }\n", "{ editable = \".\" }\n", "files = [{hash = \"sha256:ab\"}]\n", "wheels = ",
            "hashes = ", "\"a\": ", "\"version\": ", "\"==1\"", "{", "}", "[", "]", ",", "\n", "\"", "'", "\"\"\"", "=", ".", ":", "#", " ", "\\", "1",
            "true", "a", "lock-version", "lock_version", "==", "1.82.7", " --hash=sha256:", " \\\n", "-r x\n", "@ https://h/a-1.zip#egg=b", "ä",
            "package:\n", "packages:\n", "dependencies:\n", "- ", "version: 6\n", "name: a\n", "# /// script\n", "# ///\n", "@EXPLICIT\n",
        ];
        let pieces = prop::collection::vec(prop::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat());
        prop_oneof![4 => pieces, 1 => "\\PC{0,80}"]
    }

    #[test]
    fn names_and_versions_are_told_from_other_text() {
        assert!(["a", "A1", "zope.interface", "a_b-c"].into_iter().all(is_name));
        assert!(["", "-a", "a-", "a b", "a/b", "ä", "a\n"].into_iter().all(|text| !is_name(text)));
        assert!(["1", "1!2.0rc1.post1.dev2+corp.1", "v1", "1.82.7-custom", " 1"].into_iter().all(is_version));
        assert!(["", "*", "1.*", ">=1", "==1", "1,2", "1 2", "latest"].into_iter().all(|text| !is_version(text)));
        assert!([".", "./", "./."].into_iter().all(is_here) && !is_here("..") && !is_here("") && !is_here("./a"));
        assert_eq!(sha256(&format!("SHA256:{}", hash('A'))), Some(hash('a')));
        assert_eq!(
            (sha256(&hash('a')), sha256("sha256:ab"), sha256(&format!("md5:{}", hash('a')))),
            (None, None, None)
        );
    }
}
