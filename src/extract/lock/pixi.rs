//! `pixi.lock`: YAML, `version`, `environments` and `packages`. Up to format 5 an entry has `kind: conda|pypi`, `name`, `version`
//! and `url`; from 6 on it begins with `conda: URL` or `pypi: URL`, and a package of conda is named by its archive
//! (`NAME-VERSION-BUILD.conda`). Up to format 3 the entries are those of conda-lock. Defined by pixi alone (crate
//! `rattler_lock`).

use super::conda_lock::{self, Row};
use super::{Fault, Lock, conda_explicit, is_here};
use crate::extract::format::names;
use crate::extract::format::yaml::{self, Node, Value};

/// The newest format that this knows.
const NEWEST: u32 = 7;

/// Reads a pixi.lock.
///
/// # Errors
/// When it is none.
pub fn parse(bytes: &[u8]) -> Result<Lock, Fault> {
    read(&yaml::parse(bytes)?)
}

pub(super) fn read(root: &Node) -> Result<Lock, Fault> {
    let Some(version) = root.text_of("version").and_then(|version| version.parse::<u32>().ok()) else {
        return Err(root.fault("begins no pixi.lock: it has no `version`"));
    };
    if root.get("package").is_some() {
        return conda_lock::read(root);
    }
    let Some(Node { value: Value::List(all), .. }) = root.get("packages") else {
        return Err(root.fault("begins no pixi.lock: it has no list `packages`"));
    };
    let mut lock = Lock::default();
    if version > NEWEST {
        lock.unread.push((root.line, format!("says a newer format than {NEWEST}: what is new in it is not read")));
    }
    for entry in all {
        add(&mut lock, entry);
    }
    Ok(lock)
}

fn add(lock: &mut Lock, entry: &Node) {
    let kind = entry.text_of("kind");
    let (conda, pypi) = (entry.text_of("conda"), entry.text_of("pypi"));
    let is_pip = pypi.is_some() || (conda.is_none() && kind == Some("pypi"));
    let url = conda.or(pypi).or_else(|| entry.text_of("url").or_else(|| entry.text_of("path")));
    // The project itself, which it locks as an editable package.
    if is_pip && url.is_some_and(is_here) {
        return;
    }
    if entry.get("conda_source").is_some() {
        lock.unread.push((entry.line, "is built from a source tree, which this version does not follow".to_owned()));
        return;
    }
    let by_archive = url.and_then(|url| if is_pip { of_wheel(url) } else { conda_explicit::named(url) });
    let by_archive = by_archive.as_ref().map(|(name, version)| (name.as_str(), version.as_str()));
    let name = entry.text_of("name").or(by_archive.map(|(name, _)| name));
    let version = entry.text_of("version").or(by_archive.map(|(_, version)| version));
    Row { name, version, url, digits: entry.text_of("sha256"), is_pip }.add(lock, entry.line);
}

/// Name and version by the address of a wheel.
fn of_wheel(url: &str) -> Option<(String, String)> {
    let file = url.split(['?', '#']).next()?.rsplit(['/', '\\']).next()?;
    names::of_wheel(file.as_bytes()).map(|says| (says.name, says.version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::lock::tests::{Shown, hash, hostile_yaml, shown, unread};

    const SIX: &str = r#"version: 6
environments:
  default:
    channels:
    - url: https://conda.anaconda.org/conda-forge/
    packages:
      linux-64:
      - conda: https://conda.anaconda.org/conda-forge/noarch/litellm-1.82.7-pyhd8ed1ab_0.conda
packages:
- conda: https://conda.anaconda.org/conda-forge/noarch/litellm-1.82.7-pyhd8ed1ab_0.conda
  sha256: AAAA
  md5: 00
  depends:
  - httpx >=0.23.0
- pypi: https://files.pythonhosted.org/packages/litellm-1.82.8-py3-none-any.whl
  name: litellm
  version: 1.82.8
  sha256: BBBB
  requires_dist: [httpx]
- pypi: ./
  name: demo
  version: 0.1.0
- conda: https://conda.anaconda.org/odd
- {}
"#;

    const FIVE: &str = r#"version: 5
environments: {}
packages:
- kind: conda
  name: litellm
  version: 1.82.7
  build: pyhd8ed1ab_0
  url: https://conda.anaconda.org/conda-forge/noarch/litellm-1.82.7-pyhd8ed1ab_0.conda
  sha256: AAAA
- kind: pypi
  name: litellm
  version: 1.82.8
  url: https://files.pythonhosted.org/packages/litellm-1.82.8-py3-none-any.whl
  sha256: BBBB
"#;

    const URL: &str = "https://conda.anaconda.org/conda-forge/noarch/litellm-1.82.7-pyhd8ed1ab_0.conda";

    #[test]
    fn both_forms_are_read() {
        for (text, lines, faults) in [
            (SIX, (10, 15), vec!["23 has no name of a package".to_owned(), "24 has no name of a package".to_owned()]),
            (FIVE, (4, 10), vec![]),
        ] {
            let lock = parse(text.replace("AAAA", &hash('a')).replace("BBBB", &hash('B')).as_bytes()).unwrap();
            let pins: &[Shown] =
                &[("litellm", Some("1.82.7"), lines.0, Some(URL)), ("litellm", Some("1.82.8"), lines.1, None)];
            assert_eq!(shown(&lock.pins), pins);
            assert_eq!((&lock.pins[0].hashes[..], &lock.pins[1].hashes[..]), (&[hash('a')][..], &[hash('b')][..]));
            assert_eq!(unread(&lock), faults);
        }
    }

    #[test]
    fn other_formats_are_told() {
        let why = |text: &str| parse(text.as_bytes()).unwrap_err().why;
        assert!(why("packages: []\n").contains("no `version`"));
        assert!(why("version: 6\n").contains("no list `packages`"));
        let newer = parse(b"version: 9\npackages:\n- pypi: https://h/x.whl\n  name: x\n  version: '1'\n").unwrap();
        assert_eq!((newer.pins.len(), newer.unread.len()), (1, 1));
        let seven = b"version: 7\npackages:\n- conda_source: x[0123] @ .\n- pypi: https://h/y-1.0-py3-none-any.whl\n";
        let seven = parse(seven).unwrap();
        assert_eq!(shown(&seven.pins), [("y", Some("1.0"), 4, None)]);
        assert_eq!(unread(&seven), ["3 is built from a source tree, which this version does not follow"]);
        let old = parse(b"version: 3\npackage:\n- {name: x, version: '1', manager: pip}\n").unwrap();
        assert_eq!(shown(&old.pins), [("x", Some("1"), 3, None)]);
    }

    #[test]
    fn hostile_forms_end_well() {
        hostile_yaml(parse, "version: 6\npackages:\n", SIX, "- pypi: u\n  name: p#\n  version: 1.#\n");
    }
}
