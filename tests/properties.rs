#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "plants trees of its own and runs the built program on them"
)]
//! What holds for any tree and any bytes: results merge in any order, paths survive JSON, the walk sees what another walker
//! sees and also what lies deeper than a path can say, and no content of any file ends a sweep.

mod support;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::Config;
use pysweep::extract::python::pth;
use pysweep::model::coverage::{Counts, Gap, GapReason, Skipped};
use pysweep::model::facts::Harvest;
use pysweep::model::path::TargetPath;
use rustix::fd::OwnedFd;
use rustix::fs::{CWD, Mode, OFlags};
use serde_json::Value;

use support::content::content;
use support::expect::path_of;
use support::program::{Run, sweep};

/// Each case runs the program, so there are few of them, and each holds many things at once.
fn few(cases: u32) -> Config {
    Config { cases, failure_persistence: None, max_shrink_iters: 16, ..Config::default() }
}

// Results.

/// What a harvest is made of, by number; the same number gives the same thing.
fn harvest(pieces: &[u16]) -> Harvest {
    let mut all = Harvest::default();
    for piece in pieces {
        let path = TargetPath::new(format!("/s/{}.pth", piece / 4).as_bytes());
        match piece % 4 {
            0 => all.gaps.push(Gap::new("walk", path, GapReason::ALL[usize::from(piece / 4) % GapReason::ALL.len()])),
            1 => all.skipped.push(Skipped { path, why: "excluded".to_owned() }),
            2 => all.facts.startup_hooks.extend(pth::parse(path, format!("import m{piece}\n").as_bytes(), true)),
            _ => all.counts.add(Counts { entries: u64::from(*piece), directories: 1, files_read: 2, bytes_read: 3 }),
        }
    }
    all
}

fn merged(parts: Vec<Harvest>) -> Harvest {
    let mut all = Harvest::default();
    for part in parts {
        all.merge(part);
    }
    all
}

fn sorted(mut harvest: Harvest) -> Harvest {
    harvest.sort();
    harvest
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn harvests_merge_in_any_grouping_and_order(
        a in prop::collection::vec(0u16..200, 0..20),
        b in prop::collection::vec(0u16..200, 0..20),
        c in prop::collection::vec(0u16..200, 0..20),
    ) {
        let [one, two, three] = [&a, &b, &c].map(|pieces| harvest(pieces));
        let left = merged(vec![merged(vec![one, two]), three]);
        let [one, two, three] = [&a, &b, &c].map(|pieces| harvest(pieces));
        let right = merged(vec![one, merged(vec![two, three])]);
        prop_assert_eq!(&left, &right);
        let [one, two, three] = [&a, &b, &c].map(|pieces| harvest(pieces));
        prop_assert_eq!(sorted(left), sorted(merged(vec![three, one, two])));
    }

    #[test]
    fn a_path_survives_json(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let path = TargetPath::new(&[b"/".as_slice(), &bytes].concat());
        let text = serde_json::to_string(&path).unwrap();
        let row: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(path_of(&row).unwrap(), path.as_bytes());
        prop_assert_eq!(row.get("path_base64").is_some(), std::str::from_utf8(path.as_bytes()).is_err());
        prop_assert!(row["path"].is_string());
    }

    #[test]
    fn parents_and_names_put_together_are_the_path(
        names in prop::collection::vec("[^/\\\\:\0]{1,8}", 1..6),
        windows: bool,
    ) {
        let top = TargetPath::new(if windows { b"C:\\" } else { b"/" });
        let path = names.iter().fold(top.clone(), |path, name| path.join(name.as_bytes()));
        prop_assert_eq!(path.components().count(), names.len());
        prop_assert_eq!(&path.ancestor(0), &top);
        prop_assert!(path.is_under(&top));
        prop_assert_eq!(path.parent().unwrap().join(path.file_name()), path);
    }
}

// The walk.

/// Names that are easy, that interest a check, and that are hard to write down.
fn name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[a-c]{1,2}".prop_map(String::into_bytes),
        "[p-r][0-9]\\.pth".prop_map(String::into_bytes),
        "[d-f]-[1-3]\\.dist-info".prop_map(String::into_bytes),
        Just(b"site-packages".to_vec()),
        Just(b"lib".to_vec()),
        Just("näme with blank\n".as_bytes().to_vec()),
        Just(b"\xff\xfe".to_vec()),
        Just(vec![b'x'; 255]),
    ]
}

#[derive(Clone, Copy, Debug)]
enum Leaf {
    Dir,
    File,
    Link,
    Fifo,
}

fn leaves() -> impl Strategy<Value = Vec<(Vec<Vec<u8>>, Leaf)>> {
    let leaf = prop_oneof![4 => Just(Leaf::Dir), 4 => Just(Leaf::File), 1 => Just(Leaf::Link), 1 => Just(Leaf::Fifo)];
    prop::collection::vec((prop::collection::vec(name(), 1..7), leaf), 1..150)
}

/// Plants what fits: a file in the way of a folder, or something that is there already, is passed over.
fn plant(root: &Path, leaves: &[(Vec<Vec<u8>>, Leaf)]) {
    for (names, leaf) in leaves {
        let path = names.iter().fold(root.to_path_buf(), |path, name| path.join(OsStr::from_bytes(name)));
        if std::fs::create_dir_all(path.parent().unwrap()).is_err() || path.symlink_metadata().is_ok() {
            continue;
        }
        match leaf {
            Leaf::Dir => std::fs::create_dir(&path).unwrap(),
            Leaf::File => std::fs::write(&path, "import nothing_of_this_name\n").unwrap(),
            Leaf::Link => std::os::unix::fs::symlink("..", &path).unwrap(),
            Leaf::Fifo => {
                rustix::fs::mknodat(CWD, &path, rustix::fs::FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
            }
        }
    }
}

/// What another walker sees.
struct Seen {
    entries: u64,
    directories: u64,
    hooks: BTreeSet<String>,
    metadata: BTreeSet<String>,
}

fn walkdir(root: &Path) -> Seen {
    let mut seen = Seen { entries: 0, directories: 1, hooks: BTreeSet::new(), metadata: BTreeSet::new() };
    for entry in walkdir::WalkDir::new(root).min_depth(1) {
        let entry = entry.unwrap();
        let path = [b"/", entry.path().strip_prefix(root).unwrap().as_os_str().as_bytes()].concat();
        seen.entries += 1;
        seen.directories += u64::from(entry.file_type().is_dir());
        // The links here lead to folders; Python takes metadata through them, and start-up files from none.
        if path.ends_with(b".dist-info") && entry.path().is_dir() {
            seen.metadata.insert(path.escape_ascii().to_string());
        } else if path.ends_with(b".pth") && entry.file_type().is_file() {
            seen.hooks.insert(path.escape_ascii().to_string());
        }
    }
    seen
}

fn paths(run: &Run, section: &str) -> BTreeSet<String> {
    run.rows(section).iter().map(|row| path_of(row).unwrap().escape_ascii().to_string()).collect()
}

/// Compares large sets without printing them whole.
fn assert_same(found: &BTreeSet<String>, there: &BTreeSet<String>) {
    let (missed, invented): (Vec<_>, Vec<_>) = (there.difference(found).collect(), found.difference(there).collect());
    assert!(missed.is_empty() && invented.is_empty(), "missed {missed:?}, invented {invented:?}");
}

fn assert_sees_the_same(root: &Path) {
    let (run, seen) = (sweep(root, &[]), walkdir(root));
    assert_eq!(run.report["coverage"]["entries"], seen.entries);
    assert_eq!(run.report["coverage"]["directories"], seen.directories);
    assert_same(&paths(&run, "startup_hooks"), &seen.hooks);
    assert_same(&paths(&run, "distributions"), &seen.metadata);
}

proptest! {
    #![proptest_config(few(12))]

    #[test]
    fn the_walk_sees_what_another_walker_sees(leaves in leaves()) {
        let root = tempfile::tempdir().unwrap();
        plant(root.path(), &leaves);
        assert_sees_the_same(root.path());
    }
}

#[test]
fn five_thousand_entries_in_one_folder_are_seen() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..5000 {
        let name = format!("{number:04}-{}", "x".repeat(number % 200));
        match number % 5 {
            0 => std::fs::create_dir(root.path().join(format!("{name}-1.dist-info"))).unwrap(),
            1 => std::fs::write(root.path().join(format!("{name}.pth")), "import nothing\n").unwrap(),
            _ => std::fs::write(root.path().join(name), "").unwrap(),
        }
    }
    assert_sees_the_same(root.path());
}

#[test]
fn three_hundred_folders_in_each_other_are_seen() {
    let root = tempfile::tempdir().unwrap();
    let bottom = (0..300).fold(root.path().to_path_buf(), |path, number| path.join(format!("{}", number % 10)));
    std::fs::create_dir_all(bottom.join("idna-3.7.dist-info")).unwrap();
    std::fs::write(bottom.join("start.pth"), "import nothing\n").unwrap();
    assert_sees_the_same(root.path());
}

/// Longer than any path that the system takes in one piece: only handles reach it.
#[test]
fn what_lies_deeper_than_a_path_can_say_is_found() {
    const DEPTH: usize = 30;
    let root = tempfile::tempdir().unwrap();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let name = "d".repeat(200);
    let mut path = String::new();
    let mut at: OwnedFd = rustix::fs::open(root.path(), flags, Mode::empty()).unwrap();
    for part in std::iter::repeat_n(name.as_str(), DEPTH).chain(["litellm-1.82.8.dist-info"]) {
        rustix::fs::mkdirat(&at, part, Mode::from_raw_mode(0o755)).unwrap();
        at = rustix::fs::openat(&at, part, flags, Mode::empty()).unwrap();
        path = format!("{path}/{part}");
    }
    let create = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
    let file = rustix::fs::openat(&at, "METADATA", create, Mode::from_raw_mode(0o644)).unwrap();
    rustix::io::write(&file, b"Name: LiteLLM\nVersion: 1.82.8\n\n").unwrap();
    drop((at, file));
    assert!(path.len() > 4096);

    let run = sweep(root.path(), &[]);
    assert_eq!(run.code, 1);
    assert_eq!(run.report["coverage"]["entries"], DEPTH as u64 + 2);
    assert_eq!(paths(&run, "findings"), BTreeSet::from([path]));
    assert_eq!(run.report["findings"][0]["subject"]["name"], "LiteLLM");
    assert_eq!(run.gaps(), Vec::<String>::new());
}

/// A fleet's build machine has hundreds of environments, and a file in all of them that a pack watches: each is seen, in
/// its own environment.
#[test]
fn many_environments_with_watched_names_are_all_seen() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..500 {
        let site = root.path().join(format!("srv/{number}/lib/python3.11/site-packages"));
        std::fs::create_dir_all(&site).unwrap();
        std::fs::write(root.path().join(format!("srv/{number}/pyvenv.cfg")), "home = /usr/bin\n").unwrap();
        std::fs::write(site.join("cook.py"), "# honest\n").unwrap();
    }
    let run = sweep(root.path(), &[]);
    assert_eq!(run.rows("environments").len(), 500);
    // A file named cook.py in a site directory is a lead by its place alone, and no more than that.
    let leads = run.rows("findings");
    assert_eq!(leads.len(), 500);
    assert!(leads.iter().all(|row| row["level"] == "exposed"), "{:?}", leads.first());
}

// Contents.

/// Where such content is read from.
const READ: &[&str] = &[
    "etc/passwd",
    "etc/group",
    "etc/hostname",
    "etc/os-release",
    "etc/machine-id",
    "s/x-1.0.dist-info/METADATA",
    "s/x-1.0.dist-info/RECORD",
    "s/x-1.0.dist-info/INSTALLER",
    "s/x-1.0.dist-info/direct_url.json",
    "s/y-1.0.egg-info/PKG-INFO",
    "s/z-1.0.egg-info",
    "s/z-1.0-py3.11.egg",
    "s/x.pth",
    "s/litellm_init.pth",
    "v/pyvenv.cfg",
    "v/bin/python3",
    "p/uv.lock",
    "p/requirements.txt",
    "p/environment.yml",
    "p/pixi.lock",
    "p/bin/x.py",
    "root/.config/sysmon/sysmon.py",
];

proptest! {
    #![proptest_config(few(10))]

    #[test]
    fn no_content_ends_a_sweep(contents in prop::collection::vec(content(), 12 * READ.len())) {
        let root = tempfile::tempdir().unwrap();
        for (number, content) in contents.iter().enumerate() {
            let (copy, name) = (number / READ.len(), READ[number % READ.len()]);
            // The host's own files exist once, what lies in environments as often as there is content for it.
            let below = if name.starts_with("etc/") || name.starts_with("root/") {
                name.to_owned()
            } else {
                format!("srv/{copy}/{}", name.replacen("s/", "lib/python3.11/site-packages/", 1))
            };
            let path = root.path().join(below);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &content.0).unwrap();
        }
        let run = sweep(root.path(), &[]);
        prop_assert!([0, 1, 3, 4].contains(&run.code), "exit {}: {}", run.code, run.stderr);
        prop_assert!(run.stderr.is_empty(), "{}", run.stderr);
        let crashes: Vec<String> = run.gaps().into_iter().filter(|gap| gap.starts_with("crashed")).collect();
        prop_assert!(crashes.is_empty(), "{crashes:?}");
        let faults = support::schema::faults(&run, root.path().file_name().unwrap().to_str().unwrap());
        prop_assert!(faults.is_empty(), "{faults:?}");
    }
}
