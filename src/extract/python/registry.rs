//! Pythons that are registered with Windows (PEP 514): `Software\Python\<Company>\<Tag>`, in the hive of an account and
//! in that of the machine.
//!
//! ```text
//! Software\Python\PythonCore\3.11
//!     DisplayName = Python 3.11 (64-bit)
//!     Version = 3.11.4
//! Software\Python\PythonCore\3.11\InstallPath
//!     (Default) = C:\Python311\
//!     ExecutablePath = C:\Python311\python.exe
//! ```

use crate::extract::format::hive::{Fault, Hive, Key};
use crate::extract::format::read_at::ReadAt;
use crate::model::coverage::GapReason;
use crate::model::time::Time;

/// Most companies, and most registrations, that one hive is asked for.
pub const MOST: usize = 1_000;

/// Most bytes of text that the registrations of one hive may hold together.
const MOST_TEXT: usize = 4 << 20;

/// Whose hive it is; that decides where in it registrations lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Account {
    /// One account's, `NTUSER.DAT`.
    User,
    /// The machine's, `SOFTWARE`, whose root is `HKEY_LOCAL_MACHINE\Software`.
    Machine,
}

impl Account {
    /// The keys that companies lie below.
    fn places(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::User => &[&["Software", "Python"]],
            // Programs of 32 bits are shown the second one under the name of the first.
            Self::Machine => &[&["Python"], &["Wow6432Node", "Python"]],
        }
    }
}

/// One registration. Every text is as the hive has it: whoever can write the hive has chosen it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registered {
    /// The key in the hive, such as `Software\Python\PythonCore\3.11`.
    pub key: String,
    /// When that key last changed.
    pub written: Option<Time>,
    /// Who registered it; `PythonCore` for those of python.org.
    pub company: String,
    /// Which of the company's it is.
    pub tag: String,
    /// The folder in which it is installed.
    pub install_path: Option<String>,
    /// The interpreter. Where it is not said, it is `python.exe` in the folder (`PythonCore` alone may leave it out).
    pub executable: Option<String>,
    /// The version of Python, as exact as it is said.
    pub version: Option<String>,
    /// What people are shown.
    pub display_name: Option<String>,
}

/// What a hive says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Registrations {
    /// In the order of the hive.
    pub registered: Vec<Registered>,
    /// The first thing that could not be read. More may be registered than was found.
    pub fault: Option<Fault>,
}

/// Reads every registration in `hive`.
#[must_use]
pub fn read<F: ReadAt + ?Sized>(hive: &Hive<'_, F>, account: Account) -> Registrations {
    let mut out = Reader { found: Registrations::default(), companies: 0, text: 0 };
    for place in account.places() {
        if let Some(key) = out.ask(hive.key(place)).flatten() {
            out.companies(&key, &place.join("\\"));
        }
    }
    out.found
}

/// What was found, and how much.
struct Reader {
    found: Registrations,
    companies: usize,
    text: usize,
}

impl Reader {
    /// What an answer holds. A fault is noted, and the reading goes on.
    fn ask<T>(&mut self, answer: Result<T, Fault>) -> Option<T> {
        match answer {
            Ok(value) => Some(value),
            Err(why) => {
                self.found.fault = self.found.fault.or(Some(why));
                None
            }
        }
    }

    fn companies<F: ReadAt + ?Sized>(&mut self, python: &Key<'_, F>, path: &str) {
        for company in python.subkeys() {
            let Some(company) = self.ask(company) else { continue };
            // That is where the launcher keeps its own settings.
            if company.name().eq_ignore_ascii_case("PyLauncher") {
                continue;
            }
            if self.companies >= MOST {
                self.too_many("the hive names more than 1,000 makers of Python", &company);
                return;
            }
            self.companies += 1;
            self.tags(&company, &format!("{path}\\{}", company.name()));
        }
    }

    fn tags<F: ReadAt + ?Sized>(&mut self, company: &Key<'_, F>, path: &str) {
        for tag in company.subkeys() {
            let Some(tag) = self.ask(tag) else { continue };
            if self.found.registered.len() >= MOST {
                self.too_many("the hive registers more than 1,000 Pythons", &tag);
                return;
            }
            if self.text > MOST_TEXT {
                self.too_many("the hive's registrations hold more than 4 MiB of text", &tag);
                return;
            }
            let one = self.registration(company.name(), &tag, format!("{path}\\{}", tag.name()));
            self.text += one.length();
            self.found.registered.push(one);
        }
    }

    fn registration<F: ReadAt + ?Sized>(&mut self, company: &str, tag: &Key<'_, F>, key: String) -> Registered {
        let place = self.ask(tag.subkey("InstallPath")).flatten();
        let exact = self.text(tag, "Version");
        let short = self.text(tag, "SysVersion");
        Registered {
            install_path: place.as_ref().and_then(|place| self.text(place, "")),
            executable: place.as_ref().and_then(|place| self.text(place, "ExecutablePath")),
            version: version(company, tag.name(), exact, short),
            display_name: self.text(tag, "DisplayName"),
            written: tag.written(),
            company: company.to_owned(),
            tag: tag.name().to_owned(),
            key,
        }
    }

    /// A value that says something.
    fn text<F: ReadAt + ?Sized>(&mut self, key: &Key<'_, F>, name: &str) -> Option<String> {
        self.ask(key.value(name)).flatten().filter(|text| !text.is_empty())
    }

    fn too_many<F: ReadAt + ?Sized>(&mut self, what: &'static str, key: &Key<'_, F>) {
        let fault = Fault { reason: GapReason::TooLarge, what, at: key.at() };
        self.found.fault = self.found.fault.or(Some(fault));
    }
}

impl Registered {
    /// How many bytes of text it holds.
    fn length(&self) -> usize {
        let texts = [&self.install_path, &self.executable, &self.version, &self.display_name];
        self.key.len() + texts.into_iter().flatten().map(String::len).sum::<usize>()
    }
}

/// The version of Python, which `SysVersion` says in short (`3.7`). `Version` is that of the product: of python.org's it
/// is the same in full, while Anaconda 5.3.0 says `5.3.0` there and is Python 3.7.
fn version(company: &str, tag: &str, exact: Option<String>, short: Option<String>) -> Option<String> {
    let core = company.eq_ignore_ascii_case("PythonCore");
    let is_python = |exact: &str| match &short {
        Some(short) => exact.strip_prefix(short.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
        None => false,
    };
    exact.filter(|exact| core || is_python(exact)).or(short).or_else(|| if core { digits(tag) } else { None })
}

/// The version in a tag of python.org's, which is all that its older installers say: `2.7`, `3.6-32`, `3.13t`.
fn digits(tag: &str) -> Option<String> {
    let end = tag.find(|at: char| !at.is_ascii_digit() && at != '.').unwrap_or(tag.len());
    let version = tag.get(..end)?.trim_end_matches('.');
    version.starts_with(|at: char| at.is_ascii_digit()).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::format::made_hive::{Lists, hive, hive_with};

    const USER: &str = r"
Software\Python\PythonCore
    DisplayName = Python Software Foundation
Software\Python\PythonCore\3.11
    DisplayName = Python 3.11 (64-bit)
    Version = 3.11.4
    SysVersion = 3.11
Software\Python\PythonCore\3.11\InstallPath
    @ = C:\Users\u\AppData\Local\Programs\Python\Python311\
    ExecutablePath = C:\Users\u\AppData\Local\Programs\Python\Python311\python.exe
Software\Python\ContinuumAnalytics\Anaconda310-64
    SysVersion = 3.10
    DisplayName:dword = 7
Software\Python\ContinuumAnalytics\Anaconda310-64\installpath
    @:expand = %USERPROFILE%\anaconda3
    executablepath =
Software\Python\PyLauncher\X
    @ = no
Software\Python\Компания\Тег
Python\PythonCore\9.9
";

    fn registered(bytes: &[u8], account: Account) -> Registrations {
        read(&Hive::open(bytes).unwrap(), account)
    }

    fn tags(out: &Registrations) -> Vec<&str> {
        out.registered.iter().map(|one| one.tag.as_str()).collect()
    }

    #[test]
    fn an_account_registers_its_own() {
        let out = registered(&hive(USER), Account::User);
        assert_eq!((tags(&out).as_slice(), out.fault), (["Anaconda310-64", "3.11", "Тег"].as_slice(), None));
        let [conda, core, bare] = out.registered.as_slice() else { panic!() };
        assert_eq!(conda.install_path.as_deref(), Some(r"%USERPROFILE%\anaconda3"));
        assert_eq!((conda.executable.as_ref(), conda.display_name.as_ref()), (None, None));
        assert_eq!(conda.version.as_deref(), Some("3.10"));
        assert_eq!(core.key, r"Software\Python\PythonCore\3.11");
        assert_eq!((core.company.as_str(), core.version.as_deref()), ("PythonCore", Some("3.11.4")));
        assert_eq!(core.install_path.as_deref(), Some(r"C:\Users\u\AppData\Local\Programs\Python\Python311\"));
        let executable = r"C:\Users\u\AppData\Local\Programs\Python\Python311\python.exe";
        assert_eq!(core.executable.as_deref(), Some(executable));
        assert_eq!(core.display_name.as_deref(), Some("Python 3.11 (64-bit)"));
        assert_eq!(core.written.unwrap().to_string(), "2024-01-02T03:04:05Z");
        assert_eq!((bare.company.as_str(), &bare.install_path, &bare.version), ("Компания", &None, &None));
    }

    #[test]
    fn a_machine_registers_for_both_widths() {
        let text =
            "Python\\PythonCore\\2.7\nWow6432Node\\Python\\PythonCore\\3.6-32\nSoftware\\Python\\PythonCore\\9.9\n";
        let out = registered(&hive(text), Account::Machine);
        let found: Vec<_> = out.registered.iter().map(|one| (one.key.as_str(), one.version.as_deref())).collect();
        let expected =
            [(r"Python\PythonCore\2.7", Some("2.7")), (r"Wow6432Node\Python\PythonCore\3.6-32", Some("3.6"))];
        assert_eq!((found.as_slice(), out.fault), (expected.as_slice(), None));
        assert_eq!(registered(&hive("Other\n"), Account::Machine), Registrations::default());
    }

    #[test]
    fn the_version_is_that_of_python_and_not_of_the_product() {
        let told = |company: &str, tag: &str, exact: &str, short: &str| {
            let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            version(company, tag, said(exact), said(short)).unwrap_or_default()
        };
        assert_eq!(told("ContinuumAnalytics", "Anaconda37-64", "5.3.0", "3.7"), "3.7");
        assert_eq!(told("Astral", "CPython3.12.1", "3.12.1", "3.12"), "3.12.1");
        assert_eq!(told("Other", "x", "3.12.1", "3.1"), "3.1");
        assert_eq!(told("Other", "3.1", "2026.1", ""), "");
        assert_eq!(told("PythonCore", "3.8", "3.8.8", "3.8"), "3.8.8");
        assert_eq!(told("PythonCore", "3.8", "3.8.8", ""), "3.8.8");
        assert_eq!(told("PythonCore", "3.8", "", "3.8"), "3.8");
        assert_eq!(told("pythoncore", "3.13t", "", ""), "3.13");
        assert_eq!(told("PythonCore", "3.14-arm64", "", ""), "3.14");
        assert_eq!(told("PythonCore", "x3", "", "").as_str(), told("PythonCore", ".", "", ""));
    }

    #[test]
    fn what_is_broken_costs_only_itself() {
        let mut bytes = hive(USER);
        let record = |bytes: &[u8], signature: &[u8], fixed: usize, name: &[u8]| {
            let is = |at: &usize| bytes[*at..].starts_with(signature) && bytes[at + fixed..].starts_with(name);
            (0..bytes.len() - fixed).find(is).unwrap()
        };
        let version = record(&bytes, b"vk", 20, b"Version");
        bytes[version] = b'x';
        let out = registered(&bytes, Account::User);
        assert_eq!(tags(&out), ["Anaconda310-64", "3.11", "Тег"]);
        assert_eq!(out.fault.unwrap().what, "a value is expected and something else is there");
        // Every name that was not found may be the broken one; those that were found are told.
        assert_eq!(out.registered[1].display_name.as_deref(), Some("Python 3.11 (64-bit)"));
        assert_eq!(out.registered[1].version.as_deref(), Some("3.11"));
        let company = record(&bytes, b"nk", 76, b"ContinuumAnalytics");
        bytes[company] = b'x';
        assert_eq!(tags(&registered(&bytes, Account::User)), ["3.11", "Тег"]);
    }

    #[test]
    fn endless_registrations_end() {
        let tag = |at: u32| format!("Python\\A\\{at}\n");
        let many: String = (0..1_001).map(tag).collect();
        let out = registered(&hive_with(&many, Lists::Root(100)), Account::Machine);
        assert_eq!((out.registered.len(), out.fault.unwrap().reason), (MOST, GapReason::TooLarge));
        let many: String = (0..1_001).map(|at| format!("Python\\{at}\\x\n")).collect();
        let out = registered(&hive(&many), Account::Machine);
        assert_eq!(out.fault.unwrap().what, "the hive names more than 1,000 makers of Python");
        let long = (0..150).map(|at| format!("{}\\InstallPath\n    @ = *32000 x\n", tag(at).trim_end()));
        let out = registered(&hive(&long.collect::<String>()), Account::Machine);
        assert_eq!((out.registered.len(), out.fault.unwrap().reason), (132, GapReason::TooLarge));
    }

    proptest! {
        #[test]
        fn a_damaged_hive_is_read(
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..40),
            end in any::<prop::sample::Index>(),
        ) {
            let mut bytes = hive(USER);
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(end.index(bytes.len() * 2));
            if let Ok(hive) = Hive::open(bytes.as_slice()) {
                let out = read(&hive, Account::User);
                prop_assert!(out.registered.iter().all(|one| one.key.ends_with(&one.tag)));
            }
        }
    }
}
