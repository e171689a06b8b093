#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "plants a host of its own and runs the built program on it"
)]
//! A clean-up, step by step: a host is swept, one artefact after the other is removed, and after each step the verdict and
//! `pysweep diff` are what a responder would expect. The expectations were written by hand, before the first run.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use pysweep::compare::makers::makers;
use pysweep::extract;
use pysweep::model::autostart::AutostartKind;
use pysweep::model::interest::{Ask, Interest};
use pysweep::target::starts::StartPlaces;
use serde_json::Value;
use support::plant::Planted;
use support::program::{output, sweep};
use support::tree::Host;

const PROGRAM: &str = env!("CARGO_BIN_EXE_pysweep");

/// A package with its launcher, and what it left behind: a unit of an account that is armed by a link, its payload, and a
/// line of a crontab.
const HOST: &str = "# A host that was hit and is cleaned up step by step.

let S = /home/mia/app/.venv/lib/python3.11/site-packages
let U = /home/mia/.config/systemd/user

files:

/etc/hostname
| build7
/etc/passwd
| root:x:0:0:root:/root:/bin/sh
| mia:x:1000:1000:Mia:/home/mia:/bin/sh
/home/mia/app/.venv/pyvenv.cfg
| home = /usr/bin
| version = 3.11.2
$S/litellm-1.82.8.dist-info/    metadata litellm 1.82.8
$S/litellm_init.pth
| import os; os.environ.get('AV_TEST')  # inert
/opt/agent/run.sh
| true
/usr/bin/true
/usr/bin/false
$U/agent.service
| [Service]
| ExecStart=/opt/agent/run.sh
| [Install]
| WantedBy=default.target
$U/default.target.wants/agent.service -> ../agent.service
/etc/cron.d/agent
| 0 3 * * * root /usr/bin/true
| */5 * * * * root /opt/agent/run.sh
";

struct Clean {
    planted: Planted,
    reports: PathBuf,
    step: usize,
}

impl Clean {
    fn new() -> (Self, tempfile::TempDir) {
        let holder = tempfile::tempdir().unwrap();
        let host = Host::parse("cleaned", &format!("{HOST}\nexpect:\n\nverdict compromised complete 1\n"));
        let planted = Planted::new(&host, "root");
        let one = Self { planted, reports: holder.path().to_owned(), step: 0 };
        one.store();
        (one, holder)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.planted.root.join(path)
    }

    fn report(&self, step: usize) -> PathBuf {
        self.reports.join(format!("{step}.json"))
    }

    fn store(&self) {
        std::fs::write(self.report(self.step), sweep(&self.planted.root, &[]).text).unwrap();
    }

    /// Sweeps again, and tells what differs from the sweep before: exit code, and `section word path` of every row.
    fn next(&mut self) -> (i32, Vec<String>) {
        self.step += 1;
        self.store();
        let (code, text, said) = diff(&self.report(self.step - 1), &self.report(self.step), &["--format", "json"]);
        assert_eq!(said, "");
        (code, told(&serde_json::from_str(&text).unwrap()))
    }
}

fn diff(before: &Path, after: &Path, options: &[&str]) -> (i32, String, String) {
    output(Command::new(PROGRAM).arg("diff").args(options).args([before, after]))
}

/// In the order in which they are told.
const SECTIONS: [&str; 7] =
    ["findings", "autostarts", "startup_hooks", "distributions", "environments", "interpreters", "accounts"];

const WORDS: [&str; 5] = ["new", "gone", "changed", "not_looked_at", "not_looked_at_before"];

fn told(found: &Value) -> Vec<String> {
    let mut out = Vec::new();
    for section in SECTIONS {
        let rows = &found[section];
        assert!(rows.is_object(), "{section} is missing");
        for word in WORDS {
            for row in rows[word].as_array().into_iter().flatten() {
                let what: Vec<&str> =
                    row["changes"].as_array().into_iter().flatten().map(|one| one["what"].as_str().unwrap()).collect();
                let line = format!("{section} {word} {} {}", row["path"].as_str().unwrap(), what.join(" "));
                out.push(line.trim_end().to_owned());
            }
        }
    }
    out
}

const SITE: &str = "home/mia/app/.venv/lib/python3.11/site-packages";
const UNITS: &str = "home/mia/.config/systemd/user";

#[test]
fn a_clean_up_is_told_step_by_step() {
    let (mut host, _holder) = Clean::new();
    // Nothing was done.
    assert_eq!(host.next(), (1, vec![]));
    // The payload: what starts it is still there, and starts nothing.
    std::fs::remove_file(host.at("opt/agent/run.sh")).unwrap();
    let unit = format!("autostarts changed /{UNITS}/agent.service");
    let cron = "autostarts changed /etc/cron.d/agent".to_owned();
    assert_eq!(host.next(), (1, vec![format!("{cron} not there"), format!("{unit} not there")]));
    // The link that arms the unit.
    std::fs::remove_file(host.at(&format!("{UNITS}/default.target.wants/agent.service"))).unwrap();
    assert_eq!(host.next(), (1, vec![format!("{unit} enabled")]));
    let (_, text, _) = diff(&host.report(host.step - 1), &host.report(host.step), &[]);
    assert!(text.contains("      armed: yes, now no\n") && !text.contains("enabled"), "{text}");
    // The unit itself.
    std::fs::remove_file(host.at(&format!("{UNITS}/agent.service"))).unwrap();
    assert_eq!(host.next(), (1, vec![format!("autostarts gone /{UNITS}/agent.service")]));
    // One line of the crontab: the other one stays, though its file was changed.
    std::fs::write(host.at("etc/cron.d/agent"), "0 3 * * * root /usr/bin/true\n").unwrap();
    assert_eq!(host.next(), (1, vec!["autostarts gone /etc/cron.d/agent".to_owned()]));
    // The other line is edited.
    std::fs::write(host.at("etc/cron.d/agent"), "0 3 * * * root /usr/bin/false\n").unwrap();
    assert_eq!(host.next(), (1, vec![format!("{cron} runs")]));
    // The launcher: the package is still bad.
    std::fs::remove_file(host.at(&format!("{SITE}/litellm_init.pth"))).unwrap();
    let hook = format!("/{SITE}/litellm_init.pth");
    assert_eq!(host.next(), (1, vec![format!("findings gone {hook}"), format!("startup_hooks gone {hook}")]));
    // The package: the host is clean.
    std::fs::remove_dir_all(host.at(&format!("{SITE}/litellm-1.82.8.dist-info"))).unwrap();
    let dist = format!("/{SITE}/litellm-1.82.8.dist-info");
    assert_eq!(host.next(), (0, vec![format!("findings gone {dist}"), format!("distributions gone {dist}")]));

    // From the first to the last in one sentence, and back again.
    let (code, text, _) = diff(&host.report(0), &host.report(host.step), &["-q"]);
    assert_eq!(code, 0);
    assert!(
        text.starts_with("Findings: 0 new, 2 gone, 0 still there; what starts by itself: 2 gone, 1 changed;"),
        "{text}"
    );
    let (code, text, said) = diff(&host.report(host.step), &host.report(0), &["-q"]);
    assert_eq!(code, 1);
    assert!(
        text.starts_with("Findings: 2 new, 0 gone, 0 still there; what starts by itself: 2 new, 1 changed;"),
        "{text}"
    );
    assert!(said.is_empty() || said.contains("the wrong way round"), "{said}");
}

/// A folder that the later sweep could not enter hides what was there.
#[test]
fn what_is_shut_is_not_gone() {
    let (host, _holder) = Clean::new();
    let text = std::fs::read_to_string(host.report(0)).unwrap();
    let mut after: Value = serde_json::from_str(&text).unwrap();
    let gap = serde_json::json!({
        "path": "/home/mia", "check": "walk", "reason": "permission-denied", "detail": null, "material": true, "owner_uid": 1000
    });
    after["coverage"]["gaps"].as_array_mut().unwrap().push(gap);
    let is_of_mia = |row: &Value| row["path"].as_str().is_some_and(|path| path.starts_with("/home/mia/"));
    for section in ["autostarts", "startup_hooks", "distributions", "environments"] {
        after[section].as_array_mut().unwrap().retain(|row| !is_of_mia(row));
    }
    after["findings"].as_array_mut().unwrap().clear();
    after["verdict"]["level"] = "none".into();
    after["verdict"]["coverage"] = "incomplete".into();
    let shut = host.reports.join("shut.json");
    std::fs::write(&shut, after.to_string()).unwrap();
    let (code, text, _) = diff(&host.report(0), &shut, &["--format", "json"]);
    let told = told(&serde_json::from_str(&text).unwrap());
    assert_eq!(code, 3);
    // Two findings, a unit, a hook, a distribution and an environment.
    assert_eq!(told.len(), 6, "{told:#?}");
    assert!(told.iter().all(|line| line.contains(" not_looked_at ")), "{told:#?}");
}

/// A report of a version that did not look for what starts by itself.
#[test]
fn what_an_older_version_did_not_look_for_is_neither_new_nor_gone() {
    let (host, _holder) = Clean::new();
    let text = std::fs::read_to_string(host.report(0)).unwrap();
    let mut old: Value = serde_json::from_str(&text).unwrap();
    old.as_object_mut().unwrap().remove("autostarts");
    let is_of_starts = |row: &Value| row["id"].as_str().is_some_and(|id| id.starts_with("autostart-"));
    old["coverage"]["checks"].as_array_mut().unwrap().retain(|row| !is_of_starts(row));
    let older = host.reports.join("old.json");
    std::fs::write(&older, old.to_string()).unwrap();
    for (before, after, word) in
        [(&older, &host.report(0), "not_looked_at_before"), (&host.report(0), &older, "not_looked_at")]
    {
        let (_, text, _) = diff(before, after, &["--format", "json"]);
        let told = told(&serde_json::from_str(&text).unwrap());
        assert_eq!(told.len(), 3, "{told:#?}");
        assert!(told.iter().all(|line| line.starts_with(&format!("autostarts {word} /"))), "{told:#?}");
    }
}

/// Every kind, as the reader of reports names them to who asks for one that is none.
fn kinds() -> Vec<AutostartKind> {
    let why = serde_json::from_str::<AutostartKind>("\"none of them\"").unwrap_err().to_string();
    let words = why.split('`').skip(3).step_by(2).map(|word| format!("\"{word}\""));
    words.map(|word| serde_json::from_str(&word).unwrap()).collect()
}

/// What makes the rows of a kind is what asks for its places, so that none is called gone where nobody looked.
#[test]
fn the_checks_of_every_kind_are_those_that_make_it() {
    let kinds = kinds();
    assert!(kinds.len() > 40, "{kinds:?}");
    let known: Vec<&str> = extract::checks().map(|(id, _)| id).collect();
    for kind in &kinds {
        let made_by = makers(*kind);
        assert!(!made_by.is_empty(), "{kind:?}");
        assert!(made_by.iter().all(|id| known.contains(id)), "{kind:?}: {made_by:?}");
    }
    let places = StartPlaces::built_in();
    // Links arm units; they are no rows.
    for rule in places.rules().iter().filter(|rule| rule.family.as_deref() != Some("systemd-links")) {
        let Some(family) = rule.family.as_deref() else { continue };
        // The tasks of Windows are asked for by the name of their folder.
        let asks = |one: &Interest| {
            matches!(one.ask, Ask::Starts(of) if of == family) || (family, one.id) == ("tasks", "autostart-tasks")
        };
        let readers = extract::EXTRACTORS.iter().map(|row| row.interest).filter(asks);
        let readers: Vec<&str> = readers.map(|one| one.id).collect();
        assert!(!readers.is_empty(), "{}: nobody reads {family}", rule.id);
        let made_by = makers(rule.kind);
        assert!(
            readers.iter().all(|id| made_by.contains(id)),
            "{}: {readers:?} are not all among {made_by:?}",
            rule.id
        );
    }
    for id in known.iter().filter(|id| id.starts_with("autostart-") && **id != "autostart-systemd-links") {
        assert!(kinds.iter().any(|kind| makers(*kind).contains(id)), "{id} makes nothing");
    }
}

/// Fifty thousand distributions, all of them replaced: in the time of maps, not of nested loops.
#[test]
fn large_reports_take_no_longer_than_their_rows() {
    let (host, _holder) = Clean::new();
    let text = std::fs::read_to_string(host.report(0)).unwrap();
    let large = |name: &str, version: &str| {
        let mut report: Value = serde_json::from_str(&text).unwrap();
        let one = report["distributions"][0].clone();
        let all = (0..50_000).map(|at| {
            let mut row = one.clone();
            row["id"] = format!("dist-{at:08x}{}", if version == "1" { "00000001" } else { "00000002" }).into();
            row["normalized"] = format!("p{at}").into();
            row["version"] = version.into();
            row
        });
        report["distributions"] = all.collect::<Vec<_>>().into();
        let path = host.reports.join(name);
        std::fs::write(&path, report.to_string()).unwrap();
        path
    };
    let (before, after) = (large("a.json", "1"), large("b.json", "2"));
    let begun = std::time::Instant::now();
    let (_, text, _) = diff(&before, &after, &[]);
    assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
    assert!(text.contains("  changed: and 49980 more, which -v shows\n"), "{}", text.lines().last().unwrap());
}
