//! `environment.yml` of conda: YAML, `dependencies` with match specifications (`name=version=build`, `name==version`,
//! `channel::name=version`) and a map `pip` with lines of a requirements file. Defined by conda ("Managing environments" and
//! the class `MatchSpec`).
//!
//! `name=1.82.7` also fits `1.82.7.1`; it is read as the version that it names. Ranges and stars pin nothing.

use super::{Fault, Lock, is_conda_name, is_version, of_conda, requirements};
use crate::extract::format::yaml::{self, Node, Value};

/// Reads an environment.yml.
///
/// # Errors
/// When it is none: other tools have files of this name too.
pub fn parse(bytes: &[u8]) -> Result<Lock, Fault> {
    read(&yaml::parse(bytes)?)
}

pub(super) fn read(root: &Node) -> Result<Lock, Fault> {
    let Some(Node { value: Value::List(all), .. }) = root.get("dependencies") else {
        return Err(root.fault("begins no environment.yml of conda: it has no list `dependencies`"));
    };
    let mut lock = Lock::default();
    for one in all {
        match &one.value {
            Value::Text(text) => spec(&mut lock, one.line, text),
            Value::Map(pairs) => {
                for (key, node) in pairs {
                    nested(&mut lock, key, node);
                }
            }
            Value::List(_) | Value::Alias => {
                lock.unread.push((one.line, "is no specification of a package".to_owned()))
            }
        }
    }
    Ok(lock)
}

fn nested(lock: &mut Lock, key: &str, node: &Node) {
    if key != "pip" {
        lock.unread.push((node.line, "holds packages of a kind that this version does not know".to_owned()));
        return;
    }
    for line in node.members() {
        match line.text() {
            Some(text) => requirements::line_of(lock, line.line, text),
            None => lock.unread.push((line.line, "is no NAME==VERSION".to_owned())),
        }
    }
}

/// One match specification.
fn spec(lock: &mut Lock, line: u32, text: &str) {
    let text = text.split(" #").next().unwrap_or_default();
    let text = text.rsplit_once("::").map_or(text, |(_, text)| text).trim();
    let end = text.find(|at: char| !(at.is_ascii_alphanumeric() || "-_.".contains(at))).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let rest = rest.trim_start();
    if !is_conda_name(name)
        || !(rest.is_empty() || rest.starts_with(['=', '<', '>', '!', '~', '[', '*']) || text.contains(' '))
    {
        lock.unread.push((line, "is no specification of a package".to_owned()));
        return;
    }
    let mut pin = of_conda(name, version(rest));
    pin.line = Some(line);
    if pin.version.is_none() && rest.starts_with(['<', '>', '!', '~', '=']) && !rest.contains('|') {
        // One `=` of conda means whatever begins so.
        let range = rest.split_whitespace().next().unwrap_or_default();
        let is_loose = range.starts_with('=') && !range.starts_with("==");
        pin.range = if is_loose { format!("={range}") } else { range.to_owned() };
    }
    lock.pins.push(pin);
}

/// The version of `=V`, `==V`, `=V=BUILD`, ` V`, ` V BUILD` and `[version='V']`.
fn version(rest: &str) -> Option<&str> {
    let bracket = rest.strip_prefix('[').map(|inner| {
        let inner = inner.split_once("version").map_or("", |(_, inner)| inner);
        inner.trim_start_matches(['=', ' ', '\'', '"']).split(['\'', '"', ',', ']']).next().unwrap_or_default()
    });
    let rest = bracket.unwrap_or_else(|| rest.trim_start_matches('=').split(['[']).next().unwrap_or_default());
    let version = rest.trim().split(['=', ' ']).next().unwrap_or_default();
    let is_one = is_version(version) && version.starts_with(|at: char| at.is_ascii_digit());
    (is_one && !rest.contains(['*', ',', '|', '<', '>', '!', '~'])).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::lock::tests::{hash, hostile_yaml, shown, unread};

    const ENV: &str = r#"name: demo
channels: [conda-forge, defaults]
dependencies:
  - python=3.12
  - litellm=1.82.7=pyhd8ed1ab_0
  - conda-forge::requests==2.32.0
  - conda-forge/noarch::six=1.16.0
  - numpy>=1.26,<2
  - scipy=1.11.*
  - flask 3.0.0 py_0
  - "httpx[version='0.27.0']"
  - idna
  - _libgcc_mutex=0.1=main
  - pip:
      - litellm==1.82.8 --hash=sha256:AAAA
      - anyio!=4.0
      - -r more.txt
      - {a: b}
variables: {A: b}
"#;

    #[test]
    fn an_environment_is_read() {
        let lock = parse(ENV.replace("AAAA", &hash('a')).as_bytes()).unwrap();
        let conda = Some("conda");
        assert_eq!(
            shown(&lock.pins),
            [
                ("python", Some("3.12"), 4, conda),
                ("litellm", Some("1.82.7"), 5, conda),
                ("requests", Some("2.32.0"), 6, conda),
                ("six", Some("1.16.0"), 7, conda),
                ("numpy", None, 8, conda),
                ("scipy", None, 9, conda),
                ("flask", Some("3.0.0"), 10, conda),
                ("httpx", Some("0.27.0"), 11, conda),
                ("idna", None, 12, conda),
                ("_libgcc_mutex", Some("0.1"), 13, conda),
                ("litellm", Some("1.82.8"), 15, None),
                ("anyio", None, 16, None),
            ]
        );
        assert_eq!(lock.pins[10].hashes, [hash('a')]);
        assert_eq!((lock.includes[0].line, &*lock.includes[0].path), (17, "more.txt"));
        assert_eq!(unread(&lock), ["18 is no NAME==VERSION"]);
    }

    #[test]
    fn what_is_none_is_told() {
        let why = |text: &str| parse(text.as_bytes()).unwrap_err().why;
        assert!(why("apiVersion: v1\nkind: ConfigMap\n").contains("no list `dependencies`"));
        assert!(why("dependencies: litellm\n").contains("no list `dependencies`"));
        assert!(why("dependencies: [a\n").contains("is no YAML"));
        let odd = parse(b"dependencies:\n - ''\n - ../x\n - [a]\n - npm: [b]\n - &a c\n - *a\n - d@1\n").unwrap();
        assert_eq!((shown(&odd.pins), odd.unread.len()), (vec![("c", None, 6, Some("conda"))], 6));
    }

    #[test]
    fn hostile_forms_end_well() {
        hostile_yaml(parse, "dependencies:\n", ENV, " - p#=1.#=0\n");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "[-a1=:*<>,|'\\[\\] \n]{0,60}") {
            let _any = (parse(text.as_bytes()), parse(format!("dependencies:\n - {text}").as_bytes()));
        }
    }
}
