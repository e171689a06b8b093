#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "plants hosts of its own and runs the built program on them"
)]
//! Every host of `tests/hosts` is planted, swept, and compared with what it expects; the same disk gives the same bytes,
//! wherever it is mounted and however many workers sweep it; and the sweep changes nothing.
//!
//! `HOST=name cargo test --test sweep` looks at the hosts whose name contains `name` only.

mod support;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use pysweep::intel::load;
use support::plant::Planted;
use support::program::{Run, sweep};
use support::tree::Host;
use support::{compare, json, schema};

/// Fewer hosts than this means that they were not found, not that there are none.
const HOSTS: usize = 20;

#[test]
fn every_host_is_seen_as_it_is() {
    let all = support::hosts();
    assert!(all.len() >= HOSTS, "only {} hosts", all.len());
    let wanted = std::env::var("HOST").unwrap_or_default();
    let hosts: Vec<&Host> = all.iter().filter(|host| host.uid.is_none() && host.name.contains(&wanted)).collect();
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let hit = Mutex::new(BTreeSet::new());
    let work = || {
        while let Some(host) = hosts.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (faults, indicators) = look(host);
            hit.lock().unwrap().extend(indicators);
            if !faults.is_empty() {
                failed.lock().unwrap().push(format!("tests/hosts/{}.tree\n    {}", host.name, faults.join("\n    ")));
            }
        }
    };
    std::thread::scope(|threads| {
        let workers = std::thread::available_parallelism().map_or(2, usize::from);
        (0..workers).for_each(|_| drop(threads.spawn(work)));
    });
    let mut failed = failed.into_inner().unwrap();
    if wanted.is_empty() && rustix::process::geteuid().is_root() {
        failed.extend(missed(&hit.into_inner().unwrap()));
    }
    failed.sort();
    assert!(failed.is_empty(), "{} of {} hosts\n{}\n", failed.len(), hosts.len(), failed.join("\n"));
}

/// The indicators of the built-in packs that no host shows, of the kinds that are looked for: data that was never seen to
/// work is none.
fn missed(hit: &BTreeSet<String>) -> Vec<String> {
    let packs = load::built_in().unwrap();
    let all = packs.iter().flat_map(|one| &one.pack.indicators).filter(|one| one.kind.is_looked_for());
    let missed = all.filter(|one| !hit.contains(&one.id));
    missed.map(|one| format!("iocs/packs: no host shows {}", one.id)).collect()
}

/// Everything that is wrong with one host, and the indicators that it shows.
fn look(host: &Host) -> (Vec<String>, Vec<String>) {
    if host.needs_root() && !rustix::process::geteuid().is_root() {
        // Not silently: a host that was not looked at shows nothing.
        eprintln!("tests/hosts/{}.tree is left out: only root can plant it", host.name);
        return (Vec::new(), Vec::new());
    }
    let here = Planted::new(host, "root");
    let before = here.snapshot();
    let first = sweep(&here.root, &with_jobs(host, "1"));
    let again = sweep(&here.root, &with_jobs(host, "8"));
    let after = here.snapshot();
    let there = Planted::new(host, "another/place with a longer name/root of it all");
    let elsewhere = sweep(&there.root, &with_jobs(host, "2"));

    let mut faults = compare::differences(host, &first);
    faults.extend(schema::faults(&first, &here.mark()));
    faults.extend(parted("swept again, it differs", &first, &again));
    faults.extend(parted("planted elsewhere, it differs", &first, &elsewhere));
    let changed = before.iter().zip(&after).find(|(before, after)| before != after);
    faults.extend(changed.map(|(before, after)| format!("the sweep changed {before} to {after}")));
    faults.extend(here.strangers().iter().map(|path| format!("the sweep made {path:?}")));
    let indicators = first.rows("findings").iter().flat_map(|one| one["indicators"].as_array().unwrap());
    (faults, indicators.map(|id| id.as_str().unwrap().to_owned()).collect())
}

fn with_jobs(host: &Host, jobs: &str) -> Vec<String> {
    host.options.iter().cloned().chain(["--jobs".to_owned(), jobs.to_owned()]).collect()
}

/// Where two reports differ, `sweep` and `tool` aside.
fn parted(what: &str, one: &Run, other: &Run) -> Vec<String> {
    let (one, other) = (json::top_level(&one.text), json::top_level(&other.text));
    let pairs = one.iter().zip(&other).filter(|((key, _), _)| !matches!(*key, "sweep" | "tool"));
    let differ = pairs.filter(|(one, other)| one != other);
    differ.map(|((key, one), (_, other))| format!("{what} in {key}: {}", json::parting(one, other))).collect()
}

/// A small host whose right expectations are known, for looking at wrong ones.
const SMALL: &str = "# A host of one test.

let S = /opt/app/.venv/lib/python3.11/site-packages

files:

/etc/passwd
| mia:x:1000:1000::/home/mia:/bin/sh
$S/litellm-1.82.8.dist-info/    metadata litellm 1.82.8
$S/start.pth    fifo

expect:

";

/// The right expectations.
const RIGHT: &[&str] = &[
    "verdict compromised complete 1",
    "finding package-known-bad compromised $S/litellm-1.82.8.dist-info litellm 1.82.8 confidence=confirmed",
    "gap not-regular $S/start.pth harmless",
    "distribution litellm 1.82.8 installed $S/litellm-1.82.8.dist-info",
    "only distributions",
    "account mia home=/home/mia",
    "check dist-info",
];

fn small(lines: &[&str]) -> Host {
    Host::parse("small", &format!("{SMALL}{}\n", lines.join("\n")))
}

/// Tests that cannot fail are none: each right line is needed, and each wrong one is noticed.
#[test]
fn a_wrong_expectation_is_seen() {
    let planted = Planted::new(&small(RIGHT), "root");
    let run = sweep(&planted.root, &[]);
    let told = |lines: &[&str]| compare::differences(&small(lines), &run);
    assert_eq!(told(RIGHT), Vec::<String>::new());
    for needed in &RIGHT[..4] {
        let others: Vec<&str> = RIGHT.iter().copied().filter(|line| line != needed).collect();
        assert!(!told(&others).is_empty(), "it does not matter that this is missing: {needed}");
    }
    for wrong in [
        "verdict none complete 0",
        "finding package-known-bad exposed $S/litellm-1.82.8.dist-info litellm 1.82.8",
        "finding file-known-bad compromised /tmp/pglog",
        "environment venv /opt/app/.venv",
        "distribution litellm 1.82.8 installed $S/litellm-1.82.8.dist-info installer=pip",
        "hook plain $S/start.pth",
        "account mia uid=0",
        "exposure litellm-2026-10",
        "gap malformed $S/start.pth",
        "skipped /opt",
        "quiet /opt",
        "quiet /nothing/there",
        "unsaid litellm-2026-03",
        "only accounts environments",
        "check egg-info",
        "check no-such-check",
    ] {
        let all: Vec<&str> = RIGHT.iter().copied().chain([wrong]).collect();
        assert!(!told(&all).is_empty(), "nobody minds this: {wrong}");
    }
}
