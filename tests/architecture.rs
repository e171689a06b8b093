#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "reads our own source, not a target"
)]
//! The floor plan, kept by a machine: who may use whom, how large a file may grow, where the operating system may be
//! asked for, and that every row of the two tables has a fixture host.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Who may use whom. `command` may use everything, `main` and `build` stand outside.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("target", &["model"]),
    ("survey", &["model", "target"]),
    ("extract", &["model", "target"]),
    ("intel", &["model"]),
    ("detect", &["model", "intel"]),
    ("assess", &["model"]),
    ("recheck", &["model", "intel", "detect"]),
    ("compare", &["model", "recheck"]),
    ("report", &["model"]),
    ("sandbox", &["model"]),
    ("cli", &[]),
    ("config", &["cli", "model"]),
    ("error", &["model"]),
];

/// Where an operating system may be named.
const KNOWS_SYSTEMS: &[&str] = &["src/target/", "src/sandbox/"];

/// Longest file, its test module aside.
const LONGEST: usize = 400;

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    collect(Path::new("src"), &mut found);
    assert!(found.len() > 50, "only {} files under src", found.len());
    found
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

/// The text without comments, so that prose neither trips a rule nor hides a breach.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// Everything in front of the test module.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap()
}

fn room(path: &Path) -> String {
    let below = path.strip_prefix("src").unwrap();
    let first = below.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The rooms that a text uses, by `crate::room`, `pysweep::room` and `super` chains that leave the room.
fn used(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    for start in ["crate::", "pysweep::"] {
        for tail in text.split(start).skip(1) {
            out.push(tail.split(|at: char| !at.is_alphanumeric() && at != '_').next().unwrap().to_owned());
        }
    }
    out
}

fn breaches(sources: &[(PathBuf, String)]) -> Vec<String> {
    let rules: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut out = Vec::new();
    for (path, text) in sources {
        let room = room(path);
        let Some(may) = rules.get(room.as_str()) else { continue };
        let text = code(text);
        for one in used(&text) {
            if one != room && !may.contains(&one.as_str()) {
                out.push(format!("{}: {room} may not use {one}", path.display()));
            }
        }
        if text.contains("super::super") {
            out.push(format!("{}: super::super hides which room is used", path.display()));
        }
        if text.contains("use crate::{") {
            out.push(format!("{}: each room is imported on a line of its own", path.display()));
        }
    }
    out
}

#[test]
fn rooms_use_only_what_the_plan_permits() {
    assert_eq!(breaches(&sources()), Vec::<String>::new());
}

#[test]
fn every_room_is_in_the_plan() {
    let known: Vec<&str> = MAY_USE.iter().map(|(room, _)| *room).chain(["command", "main", "lib", "build"]).collect();
    for (path, _) in sources() {
        assert!(known.contains(&room(&path).as_str()), "{} is a room without a rule", path.display());
    }
}

#[test]
fn a_broken_wall_is_seen() {
    let plant = |path: &str, text: &str| breaches(&[(PathBuf::from(path), text.to_owned())]).len();
    assert_eq!(plant("src/model/x.rs", "use crate::target::root::Root;"), 1);
    assert_eq!(plant("src/detect/x.rs", "fn f() { crate::extract::extract() }"), 1);
    assert_eq!(plant("src/extract/python/x.rs", "use super::super::super::detect;"), 1);
    assert_eq!(plant("src/extract/x.rs", "// crate::detect is prose\nuse crate::model::id::Id;"), 0);
}

#[test]
fn every_file_says_what_it_is_for_and_stays_small() {
    for (path, text) in sources() {
        let first = text.lines().find(|line| line.starts_with("//!"));
        assert!(first.is_some(), "{} does not say what it is for", path.display());
        let length = without_tests(&text).lines().count();
        assert!(length <= LONGEST, "{} has {length} lines", path.display());
    }
}

#[test]
fn only_the_outer_rooms_know_operating_systems() {
    for (path, text) in sources() {
        let shown = path.display().to_string();
        let outer = KNOWS_SYSTEMS.iter().any(|start| shown.starts_with(start));
        for switch in [
            "cfg(target_os",
            "cfg(not(target_os",
            "cfg(windows",
            "cfg(unix",
            "cfg!(target_os",
            "cfg!(windows",
            "cfg!(unix",
        ] {
            assert!(outer || !code(without_tests(&text)).contains(switch), "{shown} asks for the operating system");
        }
    }
}

#[test]
fn every_check_and_every_rule_has_a_host() {
    let hosts: String = std::fs::read_dir("tests/hosts")
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    for (id, _) in pysweep::extract::checks() {
        assert!(hosts.contains(&format!("check {id}")), "no host shows the check {id}");
    }
    for rule in pysweep::detect::RULES {
        assert!(hosts.contains(&format!("finding {}", rule.id)), "no host shows the rule {}", rule.id);
    }
}

#[test]
fn nothing_is_ever_executed() {
    for (path, text) in sources() {
        let text = code(&text);
        for word in ["process::Command", "Command::new(", "libc::", "execve"] {
            assert!(!without_tests(&text).contains(word), "{} names {word}", path.display());
        }
    }
}
