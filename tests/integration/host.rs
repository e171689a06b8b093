//! The host that this runs on: every folder that `find` calls site-packages or dist-packages is part of an environment,
//! each holds the distributions that Python's own library sees in it, and the sweep ends as one of a clean host does.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::stage::{Swept, done, python, started, sweep};

/// Prints the metadata folders and files that each site directory holds, as JSON lists of folder and name. It lists
/// folders, it starts none of their Pythons.
const ASK: &str = "
import importlib.metadata, json, sys
for folder in sys.argv[1:]:
    for one in importlib.metadata.distributions(path=[folder]):
        print(json.dumps([folder, one._path.name]))
";

fn find(tests: &[&str]) -> Vec<PathBuf> {
    // Without root, find complains of what it may not enter; what it prints is right all the same.
    let out = started(Command::new("find").args(["/", "-xdev"]).args(tests).arg("-print0"));
    let all = out.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty());
    all.map(|path| PathBuf::from(String::from_utf8_lossy(path).into_owned())).collect()
}

/// What comes and goes while tests run, and every corpus: those are full of samples.
fn left_out() -> Vec<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    let corpora = find(&["-name", "*.truth.json", "-type", "f"]);
    let corpora = corpora.into_iter().filter_map(|truth| Some(truth.parent()?.to_owned()));
    let all = [std::env::temp_dir(), PathBuf::from("/tmp"), target, own].into_iter().chain(corpora);
    let all: BTreeSet<PathBuf> = all.map(|path| std::fs::canonicalize(&path).unwrap_or(path)).collect();
    all.into_iter().collect()
}

fn site_directories(left_out: &[PathBuf]) -> BTreeSet<PathBuf> {
    let all = find(&["(", "-name", "site-packages", "-o", "-name", "dist-packages", ")", "-type", "d"]);
    all.into_iter().filter(|path| !left_out.iter().any(|out| path.starts_with(out))).collect()
}

/// The paths of a list of places.
fn places<'r>(row: &'r Value, key: &str) -> impl Iterator<Item = &'r str> {
    row[key].as_array().into_iter().flatten().filter_map(|place| place["path"].as_str())
}

#[test]
fn every_python_of_this_host_is_listed() {
    let left_out = left_out();
    let before = site_directories(&left_out);
    let swept = sweep(left_out.iter().flat_map(|path| ["--exclude".to_owned(), path.display().to_string()]));
    // What was there before and after was there in between.
    let wanted: Vec<PathBuf> = site_directories(&left_out).intersection(&before).cloned().collect();
    assert!(!wanted.is_empty(), "find sees no Python on this host");
    let environments = swept.rows("environments").iter();
    let listed: BTreeSet<&str> =
        environments.flat_map(|row| places(row, "site_dirs").chain(places(row, "also_at"))).collect();
    let missed: Vec<&PathBuf> = wanted.iter().filter(|path| !listed.contains(path.to_str().unwrap())).collect();
    assert!(missed.is_empty(), "{} of {} site directories are not listed: {missed:#?}", missed.len(), wanted.len());

    let (seen, told) = (seen_by_python(&wanted), told(&swept, &wanted));
    let lost: Vec<_> = seen.difference(&told).collect();
    let made_up: Vec<_> = told.difference(&seen).collect();
    assert!(lost.is_empty() && made_up.is_empty(), "lost: {lost:#?}\nnot seen by Python: {made_up:#?}");
    println!("host: {} site directories, {} distributions, all listed", wanted.len(), seen.len());

    let findings: Vec<_> = swept.rows("findings").iter().map(|row| (&row["title"], &row["subject"]["path"])).collect();
    assert!(matches!(swept.code, 0 | 3), "exit {} on a host that is meant to be clean: {findings:#?}", swept.code);
}

fn seen_by_python(folders: &[PathBuf]) -> BTreeSet<(String, String)> {
    let out = done(Command::new(python()).args(["-I", "-c", ASK]).args(folders));
    let text = String::from_utf8(out.stdout).unwrap();
    text.lines().map(|row| serde_json::from_str(row).unwrap()).collect()
}

/// The same by the report. Forms that Python's library does not see by listing the folder do not count.
fn told(swept: &Swept, folders: &[PathBuf]) -> BTreeSet<(String, String)> {
    let forms = ["dist-info", "egg-info-dir", "egg-info-file"];
    let rows = swept.rows("distributions").iter().filter(|row| forms.iter().any(|form| row["metadata"] == *form));
    let paths = rows.flat_map(|row| row["path"].as_str().into_iter().chain(places(row, "also_at")));
    let split = |path: &str| {
        let path = Path::new(path);
        let folder = path.parent().filter(|folder| folders.iter().any(|one| one == folder))?;
        Some((folder.to_str()?.to_owned(), path.file_name()?.to_str()?.to_owned()))
    };
    paths.filter_map(split).collect()
}
