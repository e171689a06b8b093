//! From the hives of a Windows disk, `NTUSER.DAT` of each account and `SOFTWARE` of the machine, to the Pythons that are
//! registered in them (`registry.rs`). Installers register what they install; what an attacker brings need not be there.

use super::registry::{self, Account, Registered};
use crate::extract::Extractor;
use crate::extract::format::hive::Hive;
use crate::extract::input::Input;
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::host::Platform;
use crate::model::interest::{Ask, Interest, NamePattern};
use crate::model::path::TargetPath;
use crate::model::python::{Prefix, PrefixMark, VersionMark, VersionSource};

/// The row. Hives are read here and there, a few kilobytes of each.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "registry",
        sentence: "Pythons that are registered in the hives of a Windows disk (NTUSER.DAT, SOFTWARE).",
        ask: Ask::FileNames(&[NamePattern::Exact("ntuser.dat"), NamePattern::Exact("software")]),
    },
    cap: 0,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let Some(account) = account(input) else { return Harvest::default() };
    let file = match input.open_candidate() {
        Ok(file) => file,
        // The walk finds what is installed without it.
        Err(why) => return Harvest::missed(input.gap(why).harmless()),
    };
    let bytes = input.at_will(&file);
    let mut harvest = Harvest::default();
    let hive = match Hive::open(&bytes) {
        Ok(hive) => hive,
        Err(fault) => return Harvest::missed(input.gap(fault.reason).because(fault.to_string()).harmless()),
    };
    let found = registry::read(&hive, account);
    harvest.gaps.extend(found.fault.map(|fault| input.gap(fault.reason).because(fault.to_string()).harmless()));
    if hive.is_dirty() {
        let gap = input.gap(GapReason::Malformed).harmless();
        harvest.gaps.push(gap.because("it was in use when the disk was taken: its last changes may be missing"));
    }
    for one in found.registered {
        add(input, &one, &mut harvest);
    }
    harvest
}

/// Whose hive a file of such a name is, by its place. Elsewhere such names mean nothing.
fn account(input: &Input<'_>) -> Option<Account> {
    if input.target.root.platform() != Platform::Windows {
        return None;
    }
    if input.candidate.name.eq_ignore_ascii_case(b"ntuser.dat") {
        return Some(Account::User);
    }
    let folder = input.folder();
    let names: Vec<&[u8]> = folder.components().rev().take(2).collect();
    let is_place = matches!(names.as_slice(), [config, system]
        if config.eq_ignore_ascii_case(b"config") && system.eq_ignore_ascii_case(b"System32"));
    is_place.then_some(Account::Machine)
}

fn add(input: &Input<'_>, one: &Registered, harvest: &mut Harvest) {
    let Some(written) = one.install_path.as_deref().map(|path| expand(path, &input.folder())) else { return };
    let root = &input.target.root;
    let named = root.target_path(written.as_bytes());
    let prefix = match root.resolve(&named) {
        Ok(place) => root.path_of(&place),
        Err(why) => {
            let gap = input.gap(why).because(format!("{} is registered, {written} was not reached", one.key));
            harvest.gaps.push(gap.harmless());
            return;
        }
    };
    if let Some(version) = one.version.as_deref().filter(|version| super::version_marks::is_version(version)) {
        let mark = VersionMark { prefix: prefix.clone(), source: VersionSource::Registry, version: version.to_owned() };
        harvest.facts.versions.push(mark);
    }
    let is_from_python_org = one.company.eq_ignore_ascii_case("PythonCore");
    harvest.facts.prefixes.push(Prefix {
        shown_by: if is_from_python_org { PrefixMark::Registry } else { PrefixMark::Stdlib },
        folder: prefix.clone(),
        identity: None,
        path: prefix,
        base: None,
        modified: one.written,
        owner_uid: None,
    });
}

/// The variables that installers write, as they are for the account whose folder holds the hive.
fn expand(path: &str, profile: &TargetPath) -> String {
    let profile = profile.to_text();
    let known = [
        ("%USERPROFILE%", profile.to_string()),
        ("%LOCALAPPDATA%", format!("{profile}\\AppData\\Local")),
        ("%APPDATA%", format!("{profile}\\AppData\\Roaming")),
        ("%PROGRAMFILES%", "C:\\Program Files".to_owned()),
        ("%SYSTEMDRIVE%", "C:".to_owned()),
    ];
    let start = known.into_iter().find_map(|(name, value)| {
        let head = path.get(..name.len())?;
        Some(format!("{value}{}", path.get(name.len()..)?)).filter(|_| head.eq_ignore_ascii_case(name))
    });
    start.unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_stand_for_the_accounts_own_folders() {
        let profile = TargetPath::new(b"C:\\Users\\mia");
        assert_eq!(expand("%UserProfile%\\py", &profile), "C:\\Users\\mia\\py");
        assert_eq!(expand("%LOCALAPPDATA%\\Programs", &profile), "C:\\Users\\mia\\AppData\\Local\\Programs");
        assert_eq!(expand("C:\\Python312\\", &profile), "C:\\Python312\\");
        assert_eq!(expand("%x", &profile), "%x");
    }
}
