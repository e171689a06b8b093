//! Which format a lock or requirements file has: by its name, or by its content where the name says nothing.

use super::{
    Fault, Lock, conda_env, conda_explicit, conda_lock, pdm, pipfile, pixi, poetry, pylock, requirements, script, uv,
};
use crate::extract::format::placed;
use crate::extract::format::toml::{self, Table};
use crate::extract::format::yaml::{self, Node};

/// The formats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Format {
    Uv,
    Poetry,
    Pdm,
    Pylock,
    Pipfile,
    Requirements,
    CondaEnv,
    CondaLock,
    CondaExplicit,
    Pixi,
    Script,
}

/// Reads a file by its name, or by its content where the name says nothing (`-` is standard input).
///
/// # Errors
/// When it is none of the formats, or not what its name says.
pub fn read(name: &str, bytes: &[u8]) -> Result<Lock, Fault> {
    let name = name.to_ascii_lowercase();
    match by_name(&name) {
        Some(Format::Uv) => uv::parse(bytes),
        Some(Format::Poetry) => poetry::parse(bytes),
        Some(Format::Pdm) => pdm::parse(bytes),
        Some(Format::Pylock) => pylock::parse(bytes),
        Some(Format::Pipfile) => pipfile::parse(bytes),
        Some(Format::Requirements) => requirements::parse(bytes),
        Some(Format::CondaEnv) => conda_env::parse(bytes),
        Some(Format::CondaLock) => conda_lock::parse(bytes),
        Some(Format::CondaExplicit) => conda_explicit::parse(bytes),
        Some(Format::Pixi) => pixi::parse(bytes),
        Some(Format::Script) => script::parse(bytes),
        None => by_content(&name, bytes),
    }
}

/// The format that a name in lower case says.
pub(super) fn by_name(name: &str) -> Option<Format> {
    Some(match name {
        "uv.lock" => Format::Uv,
        "poetry.lock" => Format::Poetry,
        "pdm.lock" => Format::Pdm,
        "pipfile.lock" => Format::Pipfile,
        "pixi.lock" => Format::Pixi,
        "environment.yml" | "environment.yaml" => Format::CondaEnv,
        _ if ["conda-lock.yml", "conda-lock.yaml"].iter().any(|end| name.ends_with(end)) => Format::CondaLock,
        _ if name.starts_with("conda-") && name.ends_with(".lock") => Format::CondaExplicit,
        _ if name.ends_with(".py") => Format::Script,
        _ if name.starts_with("pylock") && name.ends_with(".toml") => Format::Pylock,
        _ if name.ends_with(".txt") || name.ends_with(".in") => Format::Requirements,
        _ => return None,
    })
}

fn by_content(name: &str, bytes: &[u8]) -> Result<Lock, Fault> {
    let none = || Fault::of_all("begins none of the lock files that this version reads");
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    if ends(&[".yml", ".yaml"]) {
        let document = yaml::parse(bytes)?;
        return of_yaml(&document).unwrap_or_else(|| Err(none()));
    }
    let text = placed::lenient(bytes)?;
    if script::is_one(&text) {
        return script::parse(bytes);
    }
    if conda_explicit::is_one(&text) {
        return conda_explicit::read(&text);
    }
    if text.lines().take(MOST_HEAD).any(is_yaml) {
        let document = yaml::parse(bytes)?;
        return of_yaml(&document).unwrap_or_else(|| Err(none()));
    }
    if text.trim_start().starts_with('{') || ends(&[".json"]) {
        return pipfile::parse(bytes);
    }
    if text.lines().any(is_toml) || ends(&[".toml"]) {
        let document = toml::parse(bytes)?;
        return of_toml(document.root())?.ok_or_else(none);
    }
    let lock = requirements::parse(bytes)?;
    // Any text has lines; that one of them is a requirement is the only sign that they all are.
    if lock.pins.is_empty() && !lock.unread.is_empty() || ends(&[".lock"]) { Err(none()) } else { Ok(lock) }
}

/// Whether a line stands in a lock file that is TOML, and in no requirements file.
fn is_toml(line: &str) -> bool {
    let line = line.trim_start();
    let keys =
        ["version", "lock-version", "lock_version", "content-hash", "content_hash", "created-by", "requires-python"];
    let is_value = |rest: &str| rest.trim_start().strip_prefix('=').is_some_and(|rest| !rest.starts_with('='));
    line.starts_with("[[package") || keys.iter().any(|key| line.strip_prefix(key).is_some_and(is_value))
}

/// Lines that are looked at for a key of YAML.
const MOST_HEAD: usize = 200;

/// Whether a line stands in a lock file that is YAML, and in no requirements file.
fn is_yaml(line: &str) -> bool {
    ["package:", "packages:", "dependencies:"].iter().any(|key| line.trim_end() == *key)
}

fn of_yaml(root: &Node) -> Option<Result<Lock, Fault>> {
    let has = |key: &str| root.get(key).is_some();
    Some(match () {
        () if has("packages") || has("environments") => pixi::read(root),
        () if has("package") => conda_lock::read(root),
        () if has("dependencies") => conda_env::read(root),
        () => return None,
    })
}

fn of_toml(root: Table<'_>) -> Result<Option<Lock>, Fault> {
    let metadata = root.table("metadata").ok().flatten();
    let has = |keys: &[&str]| metadata.is_some_and(|table| keys.iter().any(|key| table.has(key)));
    Ok(Some(match () {
        () if root.has("packages") || root.has("lock-version") => pylock::read(root)?,
        () if has(&["lock_version", "content_hash"]) => pdm::read(root)?,
        () if has(&["lock-version", "content-hash", "python-versions"]) => poetry::read(root)?,
        () if root.has("version") && !root.has("project") => uv::read(root)?,
        () => return Ok(None),
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::lock::tests::pieces;

    /// What a lock file is found to be: a name of the only pin shows that it was read as it should.
    fn pins(name: &str, text: &str) -> Vec<String> {
        read(name, text.as_bytes()).unwrap().pins.into_iter().map(|pin| pin.name).collect()
    }

    #[test]
    fn formats_are_told_by_name_or_else_by_content() {
        let package = "[[package]]\nname = \"x\"\nversion = \"1\"\nsource.registry = \"r\"\n";
        let pylock = "lock-version = \"1.0\"\n[[packages]]\nname = \"x\"\nwheels = []\n".to_owned();
        let pipfile = "{\"_meta\": {\"pipfile-spec\": 6}, \"default\": {\"x\": {}}}".to_owned();
        for (name, text) in [
            ("uv.lock", format!("version = 1\n{package}")),
            ("poetry.lock", format!("{package}[metadata]\nlock-version = \"2.1\"\n")),
            ("pdm.lock", format!("{package}[metadata]\nlock_version = \"4.5.0\"\n")),
            ("pylock.toml", pylock.clone()),
            ("PyLock.dev.toml", pylock),
            ("Pipfile.lock", pipfile),
            ("requirements-dev.txt", "x==1 --hash=sha256:ab\n".to_owned()),
            ("requirements.in", "x\n".to_owned()),
            ("environment.yml", "dependencies:\n- x=1\n".to_owned()),
            ("dev.conda-lock.yml", "version: 1\npackage:\n- name: x\n  manager: pip\n".to_owned()),
            ("pixi.lock", "version: 6\npackages:\n- pypi: https://h/x.whl\n  name: x\n".to_owned()),
            ("conda-linux-64.lock", "@EXPLICIT\nhttps://h/x-1-0.conda\n".to_owned()),
            ("tool.py", "# /// script\n# dependencies = ['x']\n# ///\n".to_owned()),
        ] {
            assert_eq!(pins(name, &text), ["x"], "{name}");
            assert_eq!(pins("-", &text), ["x"], "{name} from standard input");
            if !name.starts_with("requirements") {
                assert_eq!(pins("script.py.lock", &text), ["x"], "{name} under another name");
            }
            if name.to_ascii_lowercase().ends_with("lock") && !name.starts_with("conda") {
                assert!(read("constraints.txt", text.as_bytes()).unwrap().pins.is_empty(), "{name}");
            }
        }
    }

    #[test]
    fn what_is_none_of_them_is_a_fault() {
        for (name, text) in [
            ("pyproject.toml", "[project]\nname = \"x\"\nversion = \"1\"\ndependencies = [\"litellm==1.82.7\"]\n"),
            ("-", "[project]\nname = \"x\"\nversion = \"1\"\n"),
            ("environment.yml", "apiVersion: v1\n"),
            ("values.yaml", "a: b\n"),
            ("conda-lock.yml", "version: 2\npackage: []\n"),
            ("conda-linux-64.lock", "litellm==1.82.7\n"),
            ("cargo.lock", "litellm==1.82.7\n"),
            ("Cargo.lock", "version = 4\n[[package]]\nname = \"x\"\nversion = \"1\"\n"),
            ("package.json", "{}"),
            ("uv.lock", "[metadata]\nlock-version = \"2.1\"\n"),
            ("x.whl", "PK\u{3}\u{4}\0\0"),
        ] {
            assert!(read(name, text.as_bytes()).is_err(), "{name}: {text}");
        }
        assert!(read("-", b"").unwrap().pins.is_empty(), "an empty list is a list");
        assert!(read("-", b"# nothing\n").unwrap().unread.is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_of_some_format(name in "-|uv.lock|x.lock|x.toml|x.json|x.txt|x.yml|pixi.lock|x.py", text in pieces()) {
            match read(&name, text.as_bytes()) {
                Ok(lock) => prop_assert!(lock.pins.iter().all(|pin| pin.line.is_some() && !pin.name.is_empty())),
                Err(fault) => prop_assert!(fault.line >= 1 && fault.column >= 1),
            }
        }
    }
}
