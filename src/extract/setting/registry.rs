//! Environment variables in the hives of a Windows disk: `Environment` in that of an account, and
//! `ControlSet001\Control\Session Manager\Environment` in that of the machine, `SYSTEM`.

use crate::extract::format::hive::{Fault, Hive, Key};
use crate::extract::format::read_at::ReadAt;
use crate::model::coverage::GapReason;
use crate::model::setting;
use crate::model::time::Time;

/// What one hive sets.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Settings {
    /// In the order of the hive.
    pub found: Vec<Entry>,
    /// The first thing that could not be read. More may be set than was found.
    pub fault: Option<Fault>,
}

/// One variable.
#[derive(PartialEq, Eq, Debug)]
pub struct Entry {
    /// The key that holds it.
    pub key: String,
    /// The variable.
    pub variable: &'static str,
    /// Its value, nothing expanded.
    pub value: String,
    /// When the key last changed.
    pub written: Option<Time>,
}

/// Most control sets of one hive; Windows keeps a handful.
const MOST_SETS: usize = 20;

/// Reads what an account's hive (`NTUSER.DAT`) sets.
#[must_use]
pub fn of_account<F: ReadAt + ?Sized>(hive: &Hive<'_, F>) -> Settings {
    let mut out = Settings::default();
    if let Some(key) = out.ask(hive.key(&["Environment"])).flatten() {
        out.environment(&key, "Environment");
    }
    out
}

/// Reads what the machine's hive sets.
#[must_use]
pub fn of_machine<F: ReadAt + ?Sized>(hive: &Hive<'_, F>) -> Settings {
    let mut out = Settings::default();
    let Some(root) = out.ask(hive.root()) else { return out };
    let mut sets = 0;
    for set in root.subkeys() {
        let Some(set) = out.ask(set) else { continue };
        let is_set = set.name().get(..10).is_some_and(|start| start.eq_ignore_ascii_case("ControlSet"));
        if !is_set {
            continue;
        }
        sets += 1;
        if sets > MOST_SETS {
            let what = "the hive has more than 20 control sets";
            out.fault = out.fault.or(Some(Fault { reason: GapReason::TooLarge, what, at: set.at() }));
            break;
        }
        let path = [set.name(), "Control", "Session Manager", "Environment"];
        if let Some(key) = out.ask(hive.key(&path)).flatten() {
            out.environment(&key, &path.join("\\"));
        }
    }
    out
}

impl Settings {
    /// What an answer holds. A fault is noted, and the reading goes on.
    fn ask<T>(&mut self, answer: Result<T, Fault>) -> Option<T> {
        match answer {
            Ok(value) => Some(value),
            Err(why) => {
                self.fault = self.fault.or(Some(why));
                None
            }
        }
    }

    fn environment<F: ReadAt + ?Sized>(&mut self, key: &Key<'_, F>, path: &str) {
        for variable in setting::variables() {
            if let Some(value) = self.ask(key.value(variable)).flatten() {
                self.found.push(Entry { key: path.to_owned(), variable, value, written: key.written() });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::format::made_hive::hive;

    const ACCOUNT: &str = r"
Environment
    Path:expand = %USERPROFILE%\bin
    PythonPath:expand = %USERPROFILE%\lib;C:\x
    PYTHONSTARTUP = C:\start.py
Software\Environment
    PYTHONHOME = C:\no
";

    const MACHINE: &str = r"
ControlSet001\Control\Session Manager\Environment
    PYTHONHOME = C:\py
controlset002\Control\Session Manager\Environment
    PYTHONPATH = C:\lib
Select
    Current:dword = 1
";

    fn told(settings: &Settings) -> Vec<String> {
        settings.found.iter().map(|one| format!("{}: {}={}", one.key, one.variable, one.value)).collect()
    }

    #[test]
    fn accounts_and_the_machine_have_variables() {
        let bytes = hive(ACCOUNT);
        let out = of_account(&Hive::open(bytes.as_slice()).unwrap());
        assert_eq!(
            told(&out),
            ["Environment: PYTHONPATH=%USERPROFILE%\\lib;C:\\x", "Environment: PYTHONSTARTUP=C:\\start.py"]
        );
        assert!(out.fault.is_none() && out.found[0].written.is_some());
        let bytes = hive(MACHINE);
        let out = of_machine(&Hive::open(bytes.as_slice()).unwrap());
        assert_eq!(
            told(&out),
            [
                "ControlSet001\\Control\\Session Manager\\Environment: PYTHONHOME=C:\\py",
                "controlset002\\Control\\Session Manager\\Environment: PYTHONPATH=C:\\lib"
            ]
        );
        let bytes = hive("Other\n");
        let hive = Hive::open(bytes.as_slice()).unwrap();
        assert_eq!((of_account(&hive), of_machine(&hive)), (Settings::default(), Settings::default()));
    }

    proptest! {
        #[test]
        fn a_damaged_hive_is_read(
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..40),
            of_an_account in any::<bool>(),
        ) {
            let mut bytes = hive(if of_an_account { ACCOUNT } else { MACHINE });
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Ok(hive) = Hive::open(bytes.as_slice()) {
                let all = [of_account(&hive), of_machine(&hive)];
                prop_assert!(all.iter().all(|out| out.found.len() < 100));
            }
        }
    }
}
