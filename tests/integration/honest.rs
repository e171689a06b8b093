//! Start-up files of published packages, which are honest: none of them may raise an alarm. The wheels are unpacked, never
//! installed or imported, each into an environment of its own.

use std::path::{Path, PathBuf};

use crate::kinds::home;
use crate::stage::{done, shown, sweep, tool};

/// Fewer start-up files than this means that they were not found.
const LEAST: usize = 15;

fn wheels() -> Vec<PathBuf> {
    let folder =
        std::env::var_os("PYSWEEP_HONEST").expect("PYSWEEP_HONEST names the folder of wheels; .ci/run fills it");
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.extension().is_some_and(|end| end == "whl"));
    all.sort();
    all
}

/// Unpacks a wheel where an installer would.
fn unpack(home: &Path, wheel: &Path) {
    let root = home.join(wheel.file_stem().unwrap());
    let site = root.join("lib/python3.11/site-packages");
    std::fs::create_dir_all(&site).unwrap();
    std::fs::create_dir_all(root.join("bin")).unwrap();
    std::fs::write(root.join("bin/python3.11"), "\x7fELF stand-in").unwrap();
    std::fs::write(
        root.join("pyvenv.cfg"),
        "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.9\n",
    )
    .unwrap();
    done(tool("python3", home).args(["-I", "-S", "-m", "zipfile", "-e"]).arg(wheel).arg(&site));
    for part in ["purelib", "platlib"] {
        let data = std::fs::read_dir(&site).unwrap().map(|entry| entry.unwrap().path());
        for folder in data.filter(|path| path.extension().is_some_and(|end| end == "data")) {
            let from = folder.join(part);
            if from.is_dir() {
                done(tool("cp", home).arg("-r").arg(from.join(".")).arg(&site));
            }
        }
    }
}

#[test]
fn published_start_up_files_raise_no_alarm() {
    let (_keep, home) = home();
    let wheels = wheels();
    wheels.iter().for_each(|wheel| unpack(&home, wheel));
    let swept = sweep([shown(&home)]);
    let hooks = swept.rows("startup_hooks");
    assert!(hooks.len() >= LEAST, "only {} start-up files in {} wheels", hooks.len(), wheels.len());
    let of = |judgement: &str| hooks.iter().filter(|hook| hook["judgement"] == judgement).collect::<Vec<_>>();
    assert!(of("malicious-shape").is_empty(), "{:?}", of("malicious-shape"));
    assert!(of("review").is_empty(), "{:?}", of("review"));
    assert_eq!(swept.rows("findings").len(), 0, "{:?}", swept.rows("findings"));
    println!("{} start-up files of {} wheels: no alarm", hooks.len(), wheels.len());
}
