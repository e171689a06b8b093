//! The CPythons of this machine, as the cases start them that compare what really runs with what the report says:
//! Debian's, those of pyenv, and those that `PYSWEEP_PYTHONS` names (programs, with colons between).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::kinds_pyenv::prefixes;
use crate::stage::{done, line, python};

/// A minor version such as (3, 11).
pub(crate) type Version = (u32, u32);

/// One CPython.
#[derive(Clone, Debug)]
pub(crate) struct Interpreter {
    pub(crate) version: Version,
    /// The program, outside of any environment.
    pub(crate) program: PathBuf,
    /// The folder of its standard library.
    pub(crate) library: PathBuf,
    /// Whether it is patched as Debian's is: its site directories have other names.
    pub(crate) is_debian: bool,
    /// Whether it passes over files of a hidden name: later releases of 3.8 to 3.12 do so, too.
    pub(crate) skips_hidden: bool,
}

impl Interpreter {
    fn new(program: &Path) -> Self {
        let ask = "import os, sys; print('%d %d %s' % (sys.version_info[0], sys.version_info[1], os.__file__))";
        let told = line(Command::new(program).args(["-E", "-s", "-c", ask]));
        let words: Vec<&str> = told.splitn(3, ' ').collect();
        let library = Path::new(words[2]).parent().unwrap().to_owned();
        let site = std::fs::read_to_string(library.join("site.py")).unwrap();
        Self {
            version: (words[0].parse().unwrap(), words[1].parse().unwrap()),
            program: program.to_owned(),
            library,
            is_debian: site.contains("dist-packages"),
            skips_hidden: site.contains("startswith(\".\")"),
        }
    }

    /// Such as `python3.11`.
    pub(crate) fn name(&self) -> String {
        format!("python{}.{}", self.version.0, self.version.1)
    }

    /// For a message.
    pub(crate) fn shown(&self) -> String {
        format!("{}.{}{}", self.version.0, self.version.1, if self.is_debian { " (Debian)" } else { "" })
    }

    /// Makes a virtual environment without pip.
    pub(crate) fn make_venv(&self, prefix: &Path, option: Option<&str>) {
        done(Command::new(&self.program).args(["-m", "venv", "--without-pip"]).args(option).arg(prefix));
    }
}

/// All that this machine has, one of each minor version and flavour, sorted.
pub(crate) fn interpreters() -> Vec<Interpreter> {
    let mut programs = vec![PathBuf::from(python())];
    programs.extend((6..30).map(|minor| PathBuf::from(format!("/usr/bin/python3.{minor}"))));
    programs.extend(prefixes().iter().map(|prefix| prefix.join("bin/python")));
    programs.extend(std::env::split_paths(&std::env::var_os("PYSWEEP_PYTHONS").unwrap_or_default()));
    programs.retain(|program| program.exists());
    let mut found = BTreeMap::new();
    for one in programs.iter().map(|program| Interpreter::new(program)) {
        found.entry((one.version, one.is_debian)).or_insert(one);
    }
    found.into_values().collect()
}

/// Does something with each of them, two at a time, and returns the results in their order.
pub(crate) fn with_each<T: Send>(all: &[Interpreter], work: impl Fn(&Interpreter) -> T + Sync) -> Vec<T> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let one_by_one = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(interpreter) = all.get(at) else { return };
            let result = work(interpreter);
            results.lock().unwrap().insert(at, result);
        }
    };
    std::thread::scope(|scope| [scope.spawn(one_by_one), scope.spawn(one_by_one)].map(|thread| thread.join().unwrap()));
    results.into_inner().unwrap().into_values().collect()
}

/// Whether a range of versions in a report, such as `<=3.12`, `3.13-3.14`, `>=3.15` or `2.7`, holds a version.
pub(crate) fn holds(range: &str, version: Version) -> bool {
    let parse = |text: &str| -> Version {
        let (major, minor) = text.split_once('.').unwrap_or_else(|| panic!("{range} is no range of versions"));
        (major.parse().unwrap(), minor.parse().unwrap())
    };
    if let Some(end) = range.strip_prefix("<=") {
        return version <= parse(end);
    }
    if let Some(start) = range.strip_prefix(">=") {
        return version >= parse(start);
    }
    let (start, end) = range.split_once('-').unwrap_or((range, range));
    (parse(start)..=parse(end)).contains(&version)
}
