//! `conda-lock.yml` (conda-lock, `version: 1`): YAML, `package` with one entry for each package and platform, each with
//! `name`, `version`, `manager` (`conda` or `pip`), `url` and `hash`. The first pixi.lock files have the same entries.

use super::{Fault, Lock, Pin, excerpt, is_conda_name, is_version, shown};
use crate::extract::format::yaml::{self, Node, Value};
use crate::model::id::lower_sha256;

/// The newest format that this reads.
const NEWEST: u32 = 1;

/// Reads a conda-lock.yml.
///
/// # Errors
/// When it is none, or of a format that is not known.
pub fn parse(bytes: &[u8]) -> Result<Lock, Fault> {
    let root = yaml::parse(bytes)?;
    let version = root.text_of("version").and_then(|version| version.parse::<u32>().ok());
    if version.is_none_or(|version| version > NEWEST) {
        return Err(root.fault(format!("begins no conda-lock.yml of format {NEWEST}")));
    }
    read(&root)
}

pub(super) fn read(root: &Node) -> Result<Lock, Fault> {
    let Some(Node { value: Value::List(all), .. }) = root.get("package") else {
        return Err(root.fault("begins no conda-lock.yml: it has no list `package`"));
    };
    let mut lock = Lock::default();
    for entry in all {
        let is_pip = entry.text_of("manager") == Some("pip");
        let url = entry.text_of("url");
        let digits = entry.get("hash").and_then(|hash| hash.text_of("sha256"));
        let row = Row { name: entry.text_of("name"), version: entry.text_of("version"), url, digits, is_pip };
        row.add(&mut lock, entry.line);
    }
    Ok(lock)
}

/// What an entry says, here and in pixi.lock.
pub(super) struct Row<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) version: Option<&'a str>,
    pub(super) url: Option<&'a str>,
    /// The SHA-256 of the archive.
    pub(super) digits: Option<&'a str>,
    /// Whether it comes from the Python index and not from conda.
    pub(super) is_pip: bool,
}

impl Row<'_> {
    /// Takes it in; what of it is no value is told.
    pub(super) fn add(self, lock: &mut Lock, line: u32) {
        let Some(name) = self.name.filter(|name| is_conda_name(name)) else {
            lock.unread.push((line, "has no name of a package".to_owned()));
            return;
        };
        let version = self.version.filter(|version| is_version(version));
        if version.is_none() && self.version.is_some() {
            lock.unread.push((line, format!("has a version of {} that is no single version", shown(name))));
        }
        let hash = self.digits.and_then(lower_sha256);
        if self.digits.is_some() && hash.is_none() {
            lock.unread.push((line, format!("has a SHA-256 of {} that is none", shown(name))));
        }
        lock.pins.push(Pin {
            name: name.to_owned(),
            version: version.map(str::to_owned),
            range: String::new(),
            line: Some(line),
            hashes: hash.into_iter().collect(),
            source: if self.is_pip { None } else { Some(excerpt(self.url.unwrap_or("conda"))) },
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::lock::tests::{Shown, hash, hostile_yaml, shown, unread};

    const LOCK: &str = r#"version: 1
metadata:
  content_hash: {linux-64: 0}
  channels:
    - url: conda-forge
package:
- name: litellm
  version: 1.82.7
  manager: conda
  platform: linux-64
  dependencies: {httpx: '>=0.23'}
  url: https://mia:Zq7Zq7Zq7@conda.anaconda.org/conda-forge/noarch/litellm-1.82.7-pyhd8ed1ab_0.conda
  hash:
    md5: 00
    sha256: AAAA
  category: main
  optional: false
- name: litellm
  version: '1.82.8'
  manager: pip
  platform: linux-64
  url: https://files.pythonhosted.org/litellm-1.82.8-py3-none-any.whl
  hash: {sha256: BBBB}
- version: '1'
- {name: six, version: '>=1', manager: conda, hash: {sha256: short}}
- text
"#;

    #[test]
    fn a_lock_file_is_read() {
        let lock = parse(LOCK.replace("AAAA", &hash('A')).replace("BBBB", &hash('b')).as_bytes()).unwrap();
        let url = "https://[redacted]@conda.anaconda.org/conda-forge/noarch/litellm-1.82.7-pyhd8ed1ab_0.conda";
        let pins: &[Shown] = &[
            ("litellm", Some("1.82.7"), 7, Some(url)),
            ("litellm", Some("1.82.8"), 18, None),
            ("six", None, 25, Some("conda")),
        ];
        assert_eq!(shown(&lock.pins), pins);
        assert_eq!((&lock.pins[0].hashes[..], &lock.pins[1].hashes[..]), (&[hash('a')][..], &[hash('b')][..]));
        assert_eq!(
            unread(&lock),
            [
                "24 has no name of a package",
                "25 has a version of six that is no single version",
                "25 has a SHA-256 of six that is none",
                "26 has no name of a package",
            ]
        );
    }

    #[test]
    fn what_is_none_is_told() {
        let why = |text: &str| parse(text.as_bytes()).unwrap_err().why;
        assert!(why("version: 2\npackage: []\n").contains("no conda-lock.yml of format 1"));
        assert!(why("package: []\n").contains("no conda-lock.yml"));
        assert!(why("version: 1\npackage: x\n").contains("no list `package`"));
    }

    #[test]
    fn hostile_forms_end_well() {
        hostile_yaml(parse, "version: 1\npackage:\n", LOCK, "- name: p#\n  version: 1.#\n");
    }
}
