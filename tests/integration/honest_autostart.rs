//! What the Debian packages that this machine has installed have started: units, timers, crontabs, desktop entries, rules,
//! scripts. They are honest, so none of it may raise an alarm. It is copied into a tree, and nothing of it is run. Needs no
//! network; `debian_starts.rs` looks at more packages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::stage::{done, folder, shown, started, sweep, write};

/// Fewer packages than this means that they were not found.
const LEAST: usize = 20;

/// What of a package is copied.
const PARTS: &[&str] = &[
    "etc",
    "lib/systemd",
    "usr/lib/systemd",
    "usr/share/dbus-1",
    "lib/udev",
    "usr/lib/udev",
    "usr/lib/environment.d",
    "usr/lib/profile.d",
    "usr/share/gnome",
    "var/spool/cron",
];

/// Where something that starts by itself lies: a package that has none of it shows nothing here.
const STARTS: &[&str] = &[
    "/systemd/system/",
    "/systemd/user/",
    "/systemd/system-generators/",
    "/systemd/user-generators/",
    "/etc/cron",
    "/etc/anacrontab",
    "/etc/init.d/",
    "/etc/xdg/autostart/",
    "/udev/rules.d/",
    "/profile.d/",
    "/environment.d/",
    "/etc/X11/Xsession.d/",
    "/etc/update-motd.d/",
    "/etc/pam.d/",
    "/etc/network/if-",
    "/etc/ppp/ip-",
    "/dbus-1/services/",
    "/dbus-1/system-services/",
];

/// Kinds that any such set of packages has, and the fewest rows of each.
const KINDS: &[(&str, usize)] = &[("systemd-service", 50), ("systemd-timer", 5), ("systemd-socket", 5), ("cron", 1)];

/// A root with the merged `/usr` of Debian, and nothing else.
fn root(home: &Path) -> PathBuf {
    let root = home.join("root");
    write(&root.join("etc/hostname"), "honest\n");
    write(&root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/bash\n");
    std::fs::create_dir_all(root.join("usr/lib")).unwrap();
    std::os::unix::fs::symlink("usr/lib", root.join("lib")).unwrap();
    root
}

/// Whether a path of a package, with a leading `/`, is something that starts by itself.
fn starts(path: &str) -> bool {
    !path.ends_with('/') && STARTS.iter().any(|part| path.contains(part))
}

/// The packages of this machine that have something to start, copied as they lie here.
fn copy_installed(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let listed = done(Command::new("dpkg-query").args(["-W", "-f", "${binary:Package}\\n"]));
    for package in String::from_utf8_lossy(&listed.stdout).lines() {
        // A package that is only half there has no list.
        let files = started(Command::new("dpkg-query").args(["-L", package]));
        let files = String::from_utf8_lossy(&files.stdout).into_owned();
        if !files
            .lines()
            .any(|path| starts(path) && Path::new(path).symlink_metadata().is_ok_and(|meta| !meta.is_dir()))
        {
            continue;
        }
        let is_wanted =
            |path: &&str| PARTS.iter().any(|part| path.trim_start_matches('/').starts_with(&format!("{part}/")));
        files
            .lines()
            .filter(is_wanted)
            .for_each(|path| copy(Path::new(path), &root.join(path.trim_start_matches('/'))));
        found.insert(package.to_owned());
    }
    found
}

/// Copies a file or link of a package, if it is there.
fn copy(from: &Path, to: &Path) {
    let Ok(meta) = from.symlink_metadata() else { return };
    if meta.is_dir() || to.symlink_metadata().is_ok() {
        return;
    }
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    if meta.is_symlink() {
        std::os::unix::fs::symlink(std::fs::read_link(from).unwrap(), to).unwrap();
    } else if meta.is_file() {
        // What only root may read stays out for others.
        let _left_out = std::fs::copy(from, to);
    }
}

/// Rows with something that stands out, for a look by a person: path, line, and what.
fn odd(row: &Value) -> Option<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let signs: Vec<Value> =
        list(&row["signs"]).into_iter().map(|sign| sign["what"].clone()).filter(|what| what != "runs-unseen").collect();
    let places: Vec<String> = list(&row["programs"])
        .iter()
        .filter(|program| !list(&program["place"]).is_empty())
        .map(|program| format!("{} {}", program["path"], program["place"]))
        .collect();
    let is_odd = !signs.is_empty() || !places.is_empty();
    is_odd.then(|| format!("{}:{} {} {signs:?} {places:?}", row["path"], row["line"], row["kind"]))
}

#[test]
fn what_packages_have_started_raises_no_alarm() {
    let (_keep, home) = folder();
    let root = root(&home);
    let packages = copy_installed(&root);
    assert!(packages.len() >= LEAST, "only {} packages start something: {packages:?}", packages.len());
    let swept = sweep(["--root", shown(&root)]);
    assert_eq!(swept.rows("findings").len(), 0, "{:#?}", swept.rows("findings"));
    assert_eq!(swept.verdict(), ("none", "complete", 0), "{:#?}", swept.gaps());
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for row in swept.rows("autostarts") {
        *kinds.entry(row["kind"].as_str().unwrap()).or_default() += 1;
    }
    for (kind, least) in KINDS {
        assert!(kinds.get(kind).is_some_and(|count| count >= least), "fewer than {least} rows of {kind}: {kinds:?}");
    }
    let odd: Vec<String> = swept.rows("autostarts").iter().filter_map(odd).collect();
    println!("{} packages, rows by kind {kinds:?}, no alarm; rows that stand out: {odd:#?}", packages.len());
}
