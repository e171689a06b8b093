//! The CPythons that pyenv has put on this machine, however many those are.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::kinds::{Row, listed};
use crate::stage::{folder, line, shown, sweep, tool};

/// Prints the version, then the distributions of the folders of `sys.path` in the interpreter's own prefix, one JSON list
/// a line. Older ones have no importlib.metadata, but pkg_resources.
const ASK: &str = "
import json, os, platform, re, sys
print(json.dumps(platform.python_version()))
own = [place for place in sys.path if place.startswith(sys.prefix + os.sep)]
try:
    from importlib.metadata import distributions
    found = [(one.metadata['Name'], one.version, str(one._path)) for one in distributions(path=own)]
except ImportError:
    from pkg_resources import find_distributions
    found = []
    for place in own:
        for one in find_distributions(place, only=True):
            path = one.egg_info or one._provider.path
            found.append((one.project_name, one.version, path))
for name, version, path in found:
    print(json.dumps([re.sub(r'[-_.]+', '-', name).lower(), version, path]))
";

fn versions_folder() -> Option<PathBuf> {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".pyenv")))?;
    std::fs::canonicalize(root.join("versions")).ok()
}

/// The prefixes of pyenv's CPythons: folders, not links to them.
pub(crate) fn prefixes() -> Vec<PathBuf> {
    let Some(versions) = versions_folder() else { return Vec::new() };
    let entries = std::fs::read_dir(versions).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir()).map(|entry| entry.path());
    let mut found: Vec<PathBuf> = folders.filter(|prefix| prefix.join("bin/python").exists()).collect();
    found.sort();
    found
}

/// The interpreter of one of them, such as 3.8.
pub(crate) fn pyenv_python(minor: &str) -> Option<String> {
    let start = format!("{minor}.");
    let is_it = |prefix: &PathBuf| prefix.file_name().unwrap().to_str().unwrap().starts_with(&start);
    Some(shown(&prefixes().into_iter().find(is_it)?.join("bin/python")).to_owned())
}

fn ask(prefix: &Path) -> (String, BTreeSet<Row>) {
    let (_keep, home) = folder();
    let mut python = tool(prefix.join("bin/python"), &home);
    let said = line(python.args(["-B", "-E", "-s", "-W", "ignore", "-c", ASK]));
    let mut lines = said.lines();
    let version = serde_json::from_str(lines.next().unwrap()).unwrap();
    (version, lines.map(|row| serde_json::from_str(row).unwrap()).collect())
}

#[test]
fn every_cpython_of_pyenv_is_listed_with_what_it_sees() {
    let prefixes = prefixes();
    // Where a number is promised, fewer are a fault of the machine.
    if let Ok(wanted) = std::env::var("PYSWEEP_EXPECT_PYENV") {
        assert_eq!(prefixes.len().to_string(), wanted, "{prefixes:?}");
    }
    if prefixes.is_empty() {
        println!("SKIPPED: no CPython of pyenv on this machine");
        return;
    }
    let swept = sweep([versions_folder().unwrap()]);
    assert_eq!(swept.verdict().1, "complete", "{:?}", swept.gaps());
    for prefix in &prefixes {
        let (version, wanted) = ask(prefix);
        println!("{}: CPython {version}, {} distributions", prefix.display(), wanted.len());
        assert!(wanted.iter().any(|row| row.0 == "pip"), "{wanted:?}");
        let environment = swept.at("environments", prefix);
        assert_eq!(environment["kind"], "pyenv", "{}", prefix.display());
        assert_eq!(listed(&swept, prefix), wanted, "{}", prefix.display());
    }
}

#[test]
fn every_cpython_of_pyenv_tells_its_full_version() {
    let prefixes = prefixes();
    if prefixes.is_empty() {
        println!("SKIPPED: no CPython of pyenv on this machine");
        return;
    }
    let swept = sweep([versions_folder().unwrap()]);
    for prefix in &prefixes {
        let (version, _) = ask(prefix);
        assert_eq!(swept.at("environments", prefix)["python_version"], *version, "{}", prefix.display());
        let own = shown(&prefix.join("bin/")).to_owned();
        let is_own = |path: &str| path.strip_prefix(&own).is_some_and(|name| !name.contains('/'));
        let rows = swept.rows("interpreters").iter().filter(|row| row["path"].as_str().is_some_and(is_own));
        let rows: Vec<_> = rows.collect();
        assert!(rows.len() >= 2, "{}: {rows:?}", prefix.display());
        for row in rows {
            assert_eq!([&row["version"], &row["kind"]], [&version, "pyenv"], "{row}");
            let source = row["version_source"].as_str().unwrap();
            assert!(["patchlevel", "build-details"].contains(&source), "{row}");
        }
    }
}
