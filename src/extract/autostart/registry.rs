//! What the registry of Windows has started, from the hives of a disk: keys of logins (`Run` and its like), what the login
//! and the boot run, services.
//!
//! ```text
//! Software\Microsoft\Windows\CurrentVersion\Run      NTUSER.DAT; without `Software` in SOFTWARE
//!     Updater = "C:\Python312\pythonw.exe" "%APPDATA%\u\u.py"
//! ControlSet001\Services\x                           SYSTEM; which control set is in force, `Select\Current` says
//!     ImagePath = …    Start = 2    ObjectName = LocalSystem
//! ```

mod services;
mod tables;

use self::tables::{KEYS, SUBKEYS, VALUES};
use super::command::windows;
use super::{Entry, MOST, gap, place_of, push};
use crate::extract::Extractor;
use crate::extract::format::hive::{Data, Fault, Hive, Key, Value};
use crate::extract::format::read_at::ReadAt;
use crate::extract::input::{Content, Input};
use crate::model::autostart::AutostartKind;
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Interest};
use crate::model::time::Time;

pub use self::services::of_system;
pub use self::tables::Of;

/// The row. Hives are read here and there.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "autostart-registry",
        sentence: "What the registry of a Windows disk has started: Run keys, logon, boot, services. Hives only, no live registry.",
        ask: Ask::Starts("registry"),
    },
    cap: 0,
    read,
};

/// Most keys below one key that are looked at.
const MOST_KEYS: usize = 5000;

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    if place_of(input, "registry").is_none() {
        return harvest;
    }
    let file = match input.open_candidate() {
        Ok(file) => file,
        Err(why) => return Harvest::missed(gap(input, why)),
    };
    let bytes = input.at_will(&file);
    let hive = match Hive::open(&bytes) {
        Ok(hive) => hive,
        Err(fault) => return Harvest::missed(gap(input, fault.reason).because(fault.to_string())),
    };
    let found = match input.candidate.name.to_ascii_lowercase().as_slice() {
        b"system" => of_system(&hive),
        b"software" => of_hive(&hive, Of::Machine),
        _ => of_hive(&hive, Of::Account),
    };
    harvest.gaps.extend(found.fault.map(|fault| gap(input, fault.reason).because(fault.to_string())));
    if hive.is_dirty() {
        let gap = input.gap(GapReason::Malformed).harmless();
        harvest.gaps.push(gap.because("it was in use when the disk was taken: its last changes may be missing"));
    }
    let content = Content { bytes: Vec::new(), stat: file.stat, whole: true, is_elsewhere: file.is_elsewhere };
    for entry in found.entries {
        push(input, &content, entry, &mut harvest);
    }
    harvest
}

/// What a hive has started, and what could not be read.
#[derive(Default)]
pub struct Found {
    /// In the order of the tables.
    pub entries: Vec<Entry>,
    /// The first thing that could not be read.
    pub fault: Option<Fault>,
}

/// What an account's hive or that of the machine's software has started.
#[must_use]
pub fn of_hive<F: ReadAt + ?Sized>(hive: &Hive<'_, F>, of: Of) -> Found {
    let mut out = Found::default();
    for table in KEYS.iter().filter(|table| table.of.fits(of)) {
        out.keys(hive, of, table.path, |out, path, key| out.all_values(path, key, table.trigger));
    }
    for table in VALUES.iter().filter(|table| table.of.fits(of)) {
        out.keys(hive, of, table.path, |out, path, key| {
            let values = out.values(key);
            for name in table.names {
                let value = values.iter().find(|value| value.name.eq_ignore_ascii_case(name));
                if let Some(text) = value.map(text_of).filter(|text| !text.is_empty() && !table.is_usual(text)) {
                    out.add(path, name, &text, table.trigger, key.written());
                }
            }
        });
    }
    for table in SUBKEYS.iter().filter(|table| table.of.fits(of)) {
        out.keys(hive, of, table.path, |out, path, key| out.below(path, key, table.names, table.trigger));
    }
    out
}

/// A text, or several in a line.
fn text_of(value: &Value) -> String {
    match &value.data {
        Data::Text(text) => text.trim().to_owned(),
        Data::Texts(texts) => texts.join("; "),
        Data::Number(_) | Data::Other => String::new(),
    }
}

impl Found {
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

    /// The key of that path, for programs of both widths. Hives of accounts have `Software` in front.
    fn keys<F: ReadAt + ?Sized>(
        &mut self,
        hive: &Hive<'_, F>,
        of: Of,
        path: &str,
        mut take: impl FnMut(&mut Self, &str, &Key<'_, F>),
    ) {
        let narrow = path.strip_prefix("Microsoft\\").map(|rest| format!("WOW6432Node\\Microsoft\\{rest}"));
        for path in [Some(path.to_owned()), narrow].into_iter().flatten() {
            let is_rooted = path.starts_with("Environment");
            let whole = if of == Of::Account && !is_rooted { format!("Software\\{path}") } else { path };
            let names: Vec<&str> = whole.split('\\').collect();
            if let Some(key) = self.ask(hive.key(&names)).flatten() {
                take(self, &whole, &key);
            }
        }
    }

    /// The same of one of many; beyond those that are looked at, only that there are more is noted.
    fn bounded<T>(&mut self, (at, answer): (usize, Result<T, Fault>)) -> Option<T> {
        let beyond =
            Fault { reason: GapReason::TooLarge, what: "it has more keys below one key than are looked at", at: 0 };
        self.ask(if at < MOST_KEYS { answer } else { Err(beyond) })
    }

    fn values<F: ReadAt + ?Sized>(&mut self, key: &Key<'_, F>) -> Vec<Value> {
        key.values().into_iter().filter_map(|value| self.ask(value)).collect()
    }

    /// Every value is a command; keys below hold more of them (`RunOnceEx`).
    fn all_values<F: ReadAt + ?Sized>(&mut self, path: &str, key: &Key<'_, F>, trigger: &str) {
        for value in self.values(key) {
            let text = text_of(&value);
            if !text.is_empty() {
                self.add(path, &value.name, &text, trigger, key.written());
            }
        }
        if !path.ends_with("RunOnceEx") {
            return;
        }
        for below in key.subkeys().take(MOST_KEYS + 1).enumerate() {
            let Some(below) = self.bounded(below) else { continue };
            for value in self.values(&below).iter().filter(|value| !value.name.is_empty()) {
                let name = format!("{}\\{}", below.name(), value.name);
                self.add(path, &name, &text_of(value), trigger, below.written());
            }
        }
    }

    /// Those values of every key below.
    fn below<F: ReadAt + ?Sized>(&mut self, path: &str, key: &Key<'_, F>, names: &[&str], trigger: &str) {
        for below in key.subkeys().take(MOST_KEYS + 1).enumerate() {
            let Some(below) = self.bounded(below) else { continue };
            for value in self.values(&below) {
                let text = text_of(&value);
                if !text.is_empty() && names.iter().any(|name| value.name.eq_ignore_ascii_case(name)) {
                    let name = format!("{}\\{}", below.name(), value.name);
                    self.add(path, &name, &text, trigger, below.written());
                }
            }
        }
    }

    fn add(&mut self, path: &str, name: &str, command: &str, trigger: &str, written: Option<Time>) {
        // One more than are kept, so that the bound is told.
        if self.entries.len() > MOST {
            return;
        }
        let mut told = windows::of_command_line(command);
        // Several programs, one behind the other: `userinit.exe,C:\x.exe`.
        for part in command.split([',', ';']).skip(1).filter(|part| part.contains('\\')) {
            told.programs.extend(windows::of_command_line(part.trim()).programs);
        }
        told.programs.dedup();
        self.entries.push(Entry {
            command: command.as_bytes().to_vec(),
            told,
            trigger: trigger.as_bytes().to_vec(),
            enabled: Some(true),
            modified: written,
            is_whole_file: false,
            ..Entry::new(AutostartKind::RunKey, format!("{path}\\{name}").as_bytes())
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::autostart::planted::Tree;
    use crate::extract::format::made_hive::hive;
    use crate::model::host::Platform;

    const ACCOUNT: &str = r#"
Environment
    UserInitMprLogonScript = C:\x\logon.bat
Software\Microsoft\Windows\CurrentVersion\Run
    Updater = "C:\Python312\pythonw.exe" "C:\Users\mia\AppData\Roaming\u\u.py"
    N:dword = 7
Software\Microsoft\Windows\CurrentVersion\RunOnce
    Once:expand = %APPDATA%\x.exe
Software\Microsoft\Command Processor
    AutoRun = powershell -enc AAAA
"#;

    const MACHINE: &str = r"
Microsoft\Windows NT\CurrentVersion\Winlogon
    Shell = explorer.exe
    Userinit = C:\Windows\system32\userinit.exe,C:\x\y.exe
Microsoft\Windows NT\CurrentVersion\Image File Execution Options\sethc.exe
    Debugger = C:\x\cmd.exe
WOW6432Node\Microsoft\Windows\CurrentVersion\Run
    Old = C:\x\old.exe
Microsoft\Active Setup\Installed Components\{1}
    StubPath = C:\x\stub.exe
Microsoft\Windows\CurrentVersion\RunOnceEx\001
    1 = C:\x\ex.exe
";

    fn told(path: &str, text: &str) -> Vec<String> {
        let tree = Tree::with(&[(path, &hive(text))]);
        tree.told(&EXTRACTOR, Platform::Windows, path)
    }

    #[test]
    fn keys_of_accounts_and_of_the_machine_are_told() {
        let run = r"Software\Microsoft\Windows\CurrentVersion";
        let account = told("/Users/mia/NTUSER.DAT", ACCOUNT);
        assert_eq!(account.len(), 4, "{account:?}");
        assert_eq!(
            account[0],
            format!(
                r#"RunKey {run}\Run\Updater | runs "C:\Python312\pythonw.exe" "C:\Users\mia\AppData\Roaming\u\u.py" | when login | Program C:\Python312\pythonw.exe | Script C:\Users\mia\AppData\Roaming\u\u.py"#
            )
        );
        assert!(
            account[1].ends_with(r"| when login, once | Program C:\Users\mia\AppData\Roaming\x.exe"),
            "{account:?}"
        );
        assert!(
            account
                .iter()
                .any(|row| row.ends_with("AutoRun | runs powershell -enc AAAA | when every cmd.exe | DecodesAndRuns"))
        );
        assert!(account.iter().any(|row| row.contains(r"Environment\UserInitMprLogonScript | runs C:\x\logon.bat")));
        let machine = told("/Windows/System32/config/SOFTWARE", MACHINE);
        assert_eq!(machine.len(), 5, "{machine:?}");
        assert!(machine.iter().any(|row| row.contains(r"Winlogon\Userinit") && row.ends_with(r"| Program C:\x\y.exe")));
        assert!(machine.iter().any(|row| row.contains(r"sethc.exe\Debugger | runs C:\x\cmd.exe | when instead of it")));
        assert!(machine.iter().any(|row| row.contains(r"WOW6432Node\Microsoft\Windows\CurrentVersion\Run\Old")));
        assert!(machine.iter().any(|row| row.contains(r"RunOnceEx\001\1 | runs C:\x\ex.exe")));
    }

    #[test]
    fn keys_beyond_the_bound_are_a_gap() {
        let mut found = Found::default();
        assert_eq!(found.bounded((MOST_KEYS - 1, Ok(1))), Some(1));
        assert!(found.fault.is_none() && found.bounded((MOST_KEYS, Ok(1))).is_none());
        assert_eq!(found.fault.map(|fault| fault.reason), Some(GapReason::TooLarge));
        let many: String = (0..=MOST_KEYS)
            .map(|at| format!("Microsoft\\Windows\\CurrentVersion\\RunOnceEx\\{at:05}\n    N:dword = 7\n"))
            .collect();
        let path = "/Windows/System32/config/SOFTWARE";
        let gaps = Tree::with(&[(path, &hive(&many))]).read(&EXTRACTOR, Platform::Windows, path).gaps;
        assert!(gaps.iter().any(|gap| gap.material && gap.reason == GapReason::TooLarge), "{gaps:?}");
    }

    #[test]
    fn a_hive_that_is_none_is_a_gap() {
        let tree = Tree::with(&[("/Windows/System32/config/SOFTWARE", b"x")]);
        let harvest = tree.read(&EXTRACTOR, Platform::Windows, "/Windows/System32/config/SOFTWARE");
        assert!(harvest.gaps[0].material);
    }

    proptest! {
        #[test]
        fn a_damaged_hive_is_read(
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..40),
        ) {
            for (text, of) in [(ACCOUNT, Of::Account), (MACHINE, Of::Machine)] {
                let mut bytes = hive(text);
                for (at, byte) in &flips {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                }
                if let Ok(hive) = Hive::open(bytes.as_slice()) {
                    prop_assert!(of_hive(&hive, of).entries.len() < 100);
                    prop_assert!(of_system(&hive).entries.len() < 100);
                }
            }
        }
    }
}
