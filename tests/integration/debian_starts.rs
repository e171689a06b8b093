//! What real Debian packages have the system start: units, schedules, session and shell files, init scripts. All of it is
//! honest, so nothing of it may raise an alarm. The packages are unpacked, never installed, and nothing of them is run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::stage::{Swept, done, folder, shown, sweep, tool, write};

/// Fewer packages than this means that they were not found.
const LEAST: usize = 150;

/// What is unpacked: where things lie that start by themselves, and the programs that they start.
const PARTS: [&str; 9] = [
    "./etc/*",
    "./lib/*",
    "./usr/bin/*",
    "./usr/sbin/*",
    "./usr/lib/systemd/*",
    "./usr/lib/udev/*",
    "./usr/lib/environment.d/*",
    "./usr/share/dbus-1/*",
    "./usr/share/gnome/autostart/*",
];

fn packages() -> Vec<PathBuf> {
    let folder =
        std::env::var_os("PYSWEEP_DEBIAN").expect("PYSWEEP_DEBIAN names the folder of packages; .ci/run fills it");
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.extension().is_some_and(|end| end == "deb"));
    all.sort();
    all
}

fn unpack(root: &Path, package: &Path) {
    let data = root.parent().unwrap().join("data.tar");
    done(tool("sh", root).args(["-c", "dpkg-deb --fsys-tarfile \"$1\" > \"$2\"", "sh"]).arg(package).arg(&data));
    // tar complains of each part that a package does not have.
    let listing = done(tool("tar", root).arg("-tf").arg(&data));
    let names = String::from_utf8_lossy(&listing.stdout).into_owned();
    let has = |part: &&&str| {
        let folder = part.trim_end_matches('*');
        names.lines().any(|name| name.strip_prefix(folder).is_some_and(|rest| !rest.is_empty()))
    };
    let here: Vec<&&str> = PARTS.iter().filter(has).collect();
    if !here.is_empty() {
        done(
            tool("tar", root)
                .arg("-xf")
                .arg(&data)
                .arg("-C")
                .arg(root)
                .args(["--no-same-owner", "--wildcards"])
                .args(here),
        );
    }
}

fn counts(swept: &Swept) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for row in swept.rows("autostarts") {
        *counts.entry(row["kind"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

#[test]
fn what_debian_packages_start_raises_no_alarm() {
    let (_keep, top) = folder();
    let root = top.join("root");
    write(&root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/bash\nmia:x:1000:1000::/home/mia:/bin/bash\n");
    let packages = packages();
    assert!(packages.len() >= LEAST, "only {} packages", packages.len());
    packages.iter().for_each(|package| unpack(&root, package));
    // New accounts begin with what the packages put there.
    done(tool("cp", &root).arg("-r").arg(root.join("etc/skel")).arg(root.join("home-mia")));
    std::fs::create_dir_all(root.join("home")).unwrap();
    std::fs::rename(root.join("home-mia"), root.join("home/mia")).unwrap();
    let swept = sweep(["--root", shown(&root)]);
    let counts = counts(&swept);
    println!("{} packages: {counts:?}", packages.len());
    assert_eq!(swept.rows("findings").len(), 0, "{:#?}", swept.rows("findings"));
    assert_eq!(swept.verdict(), ("none", "complete", 0), "{:#?}", swept.gaps());
    for (kind, least) in [("systemd-service", 200), ("systemd-timer", 20), ("systemd-socket", 20), ("cron", 10)] {
        assert!(counts.get(kind).copied().unwrap_or(0) >= least, "{kind} of {counts:?}");
    }
}
