//! Holds a run against what its host expects, and tells every difference at once.

use std::collections::BTreeSet;

use serde_json::Value;

use super::expect::{Expected, Says, Wanted, describe, path_of, shown};
use super::json;
use super::program::{Run, rows};
use super::tree::Host;

/// Sections that are always compared whole: a false alarm is a fault as well.
const COMPLETE: &[&str] = &["findings", "coverage.gaps", "coverage.skipped"];

/// Which lines show a check: those of the section, and findings about a path with that end.
const SHOWN_BY: &[(&str, &str, &str)] = &[
    ("site-dirs", "environments", ""),
    ("pyvenv", "environments", ""),
    ("interpreters", "interpreters", ""),
    ("dist-info", "distributions", ".dist-info"),
    ("egg-info", "distributions", ".egg-info"),
    ("startup-hooks", "startup_hooks", ".pth"),
    ("known-files", "findings", ""),
];

/// Every difference between what a host expects and what a run said.
pub(crate) fn differences(host: &Host, run: &Run) -> Vec<String> {
    let mut report = run.report.clone();
    name_interpreters(&mut report);
    let mut out = Vec::new();
    for expected in &host.expected {
        match &expected.says {
            Says::Verdict(wants) => {
                out.extend(
                    wants
                        .iter()
                        .filter_map(|want| want.fault(&run.report["verdict"]))
                        .map(|fault| format!("{}: {fault} ({})", expected.line, run.report["verdict"]["sentence"])),
                );
                if run.report["verdict"]["exit_code"] != run.code {
                    out.push(format!("the program exits with {}, the report says otherwise", run.code));
                }
            }
            Says::Quiet(path) => out.extend(noises(host, expected, path, &run.report)),
            Says::Unsaid(text) if run.text.contains(text) => {
                out.push(format!("{}: {}", expected.line, json::around(&run.text, text)));
            }
            Says::Check(id) => out.extend(unshown(host, id, &run.report)),
            Says::Row(_) | Says::Only(_) | Says::Unsaid(_) => {}
        }
    }
    if !host.expected.iter().any(|expected| matches!(expected.says, Says::Verdict(_))) {
        out.push("it expects no verdict".to_owned());
    }
    for section in sections(host) {
        out.extend(compare_section(host, &section, &report));
    }
    out
}

/// Who runs a hook stands there as ids; a host expects the paths of the programs.
fn name_interpreters(report: &mut Value) {
    let all = report["interpreters"].as_array().cloned().unwrap_or_default();
    let path = |id: &Value| all.iter().find(|one| one["id"] == *id).map(|one| one["path"].clone());
    for hook in report["startup_hooks"].as_array_mut().into_iter().flatten() {
        for id in hook["run_by"].as_array_mut().into_iter().flatten() {
            if let Some(path) = path(id) {
                *id = path;
            }
        }
    }
}

fn wanted<'h>(host: &'h Host, section: &'h str) -> impl Iterator<Item = (&'h Expected, &'h Wanted)> {
    host.expected.iter().filter_map(move |expected| match &expected.says {
        Says::Row(row) if row.section == section => Some((expected, row)),
        _ => None,
    })
}

/// Every section that an expectation speaks of.
fn sections(host: &Host) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = COMPLETE.iter().map(|name| (*name).to_owned()).collect();
    for expected in &host.expected {
        match &expected.says {
            Says::Row(row) => all.extend([row.section.clone()]),
            Says::Only(names) => all.extend(names.iter().cloned()),
            _ => {}
        }
    }
    all
}

fn compare_section(host: &Host, section: &str, report: &Value) -> Vec<String> {
    let mut out = Vec::new();
    let rows = rows(report, section);
    let mut used = vec![false; rows.len()];
    for (expected, wanted) in wanted(host, section) {
        let fits = (0..rows.len()).find(|at| !used[*at] && wanted.faults(&rows[*at]).is_empty());
        match fits {
            Some(at) => used[at] = true,
            None => out.push(format!("missing: {}{}", expected.line, nearest(wanted, rows, &used))),
        }
    }
    let is_complete = COMPLETE.contains(&section) || only(host).contains(section);
    for (row, _) in rows.iter().zip(used).filter(|(_, used)| !used) {
        // Elsewhere a second row about the same thing is a fault: it was counted twice.
        let is_repeated = wanted(host, section).any(|(_, wanted)| wanted.is_here(row));
        if (is_complete || is_repeated) && !is_always_said(section, row) {
            out.push(format!("not expected: {}", describe(section, row)));
        }
    }
    out
}

/// What every sweep leaves out, whatever the host; `scripts.tree` expects it.
fn is_always_said(section: &str, row: &Value) -> bool {
    section == "coverage.skipped"
        && row["why"].as_str().is_some_and(|why| why.starts_with("heads of scripts (PEP 723)"))
}

fn only(host: &Host) -> BTreeSet<&str> {
    let lists = host.expected.iter().filter_map(|expected| match &expected.says {
        Says::Only(names) => Some(names),
        _ => None,
    });
    lists.flatten().map(String::as_str).collect()
}

/// What a row at the same place has instead.
fn nearest(wanted: &Wanted, rows: &[Value], used: &[bool]) -> String {
    let near = rows.iter().zip(used).find(|(row, used)| !**used && wanted.is_here(row));
    near.map(|(row, _)| format!(" (there, {})", wanted.faults(row).join("; "))).unwrap_or_default()
}

/// Findings at or below a path that is to stay quiet. That something was planted there keeps the line from being empty talk.
fn noises(host: &Host, expected: &Expected, path: &[u8], report: &Value) -> Vec<String> {
    let mut out = Vec::new();
    let on_disk = on_disk(path);
    if !host.entries.iter().any(|entry| is_under(&entry.path, &on_disk)) {
        out.push(format!("{}: nothing was planted there", expected.line));
    }
    let loud = rows(report, "findings")
        .iter()
        .filter(|row| path_of(row).is_some_and(|subject| is_under(&self::on_disk(&subject), &on_disk)));
    out.extend(loud.map(|row| format!("{}: {}", expected.line, describe("findings", row))));
    out
}

/// A path of the report as the tree writes it: without `/` or drive in front, `/` between.
fn on_disk(path: &[u8]) -> Vec<u8> {
    match path {
        [b'/', rest @ ..] => rest.to_vec(),
        [_, b':', b'\\', rest @ ..] => rest.iter().map(|at| if *at == b'\\' { b'/' } else { *at }).collect(),
        other => panic!("not absolute: {}", shown(other)),
    }
}

fn is_under(path: &[u8], top: &[u8]) -> bool {
    path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || top.is_empty() || rest.starts_with(b"/"))
}

/// Whether a check is missing from the report, or the host expects nothing of it.
fn unshown(host: &Host, id: &str, report: &Value) -> Vec<String> {
    let mut out = Vec::new();
    if !rows(report, "coverage.checks").iter().any(|row| row["id"] == id) {
        out.push(format!("the report has no check {id}"));
    }
    let names_it = |expected: &Expected| expected.line.split(' ').any(|word| word == format!("check={id}"));
    let known = SHOWN_BY.iter().find(|(name, ..)| *name == id);
    let is_shown = host.expected.iter().any(|expected| match (&expected.says, known) {
        (Says::Row(row), Some((_, section, end))) => {
            let has_end = || row.path.as_ref().is_some_and(|path| path.ends_with(end.as_bytes()));
            names_it(expected)
                || ((row.section == *section || (row.section == "findings" && !end.is_empty())) && has_end())
        }
        (Says::Row(row), None) => row.section != "coverage.gaps" || names_it(expected),
        _ => names_it(expected),
    });
    if !is_shown {
        out.push(format!("no line of this host shows the check {id}"));
    }
    out
}
