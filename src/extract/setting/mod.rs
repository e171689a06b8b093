//! Environment variables that steer how Python starts, from the files in which systems and accounts keep them
//! (`iocs/places/autostart.json`). A folder in `PYTHONPATH` has its `sitecustomize.py` run at every start, and no site directory shows it.

pub mod found;
pub mod lines;
pub mod plist;
pub mod registry;
pub mod shell;
pub mod unit;

use self::found::{Found, may_set, may_set_pythons};
use super::Extractor;
use super::format::hive::Hive;
use super::input::{Content, Input};
use crate::model::coverage::{Gap, GapReason};
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, EntryKind, Interest};
use crate::model::path::TargetPath;
use crate::model::setting::{self as model, LONGEST_VALUE, PythonSetting, SettingForm};
use crate::model::text::Excerpt;
use crate::model::variable::VariableSetting;
use crate::target::dir::Stat;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "python-settings",
        sentence: "Environment variables that steer how Python starts, wherever a system keeps them.",
        ask: Ask::Variables,
    },
    cap: 256 << 10,
    read,
};

/// What a file is by its path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    /// How it sets variables.
    form: SettingForm,
    /// Whether the swept system or one of its accounts reads it there; else it is a copy, a template, or part of a
    /// container.
    is_in_place: bool,
}

/// Most settings of one file; honest ones have a handful.
const MOST: usize = 1000;

/// Most files that one unit may name.
const MOST_FILES: usize = 16;

fn read(input: &Input<'_>) -> Harvest {
    let Some(place) = place_of(input, &input.candidate.path).filter(|place| !is_read_elsewhere(input, *place)) else {
        return Harvest::default();
    };
    if place.form == SettingForm::Registry {
        return read_hive(input, place);
    }
    let content = match input.open_candidate_to_judge().and_then(|file| input.read_open(file, input.cap)) {
        Ok(content) => content,
        Err(why) => return Harvest::missed(gap(input, place, why)),
    };
    let mut harvest = Harvest::default();
    if !content.whole {
        harvest.gaps.push(gap(input, place, GapReason::TooLarge).because("only its first 256 KiB were read"));
    }
    let mut files = Vec::new();
    let found = match place.form {
        SettingForm::Unit => {
            let unit = unit::parse(&content.bytes);
            files = unit.files;
            unit.found
        }
        SettingForm::Plist => {
            let settings = plist::parse(&content.bytes);
            if let Some(fault) = settings.fault {
                let gap = gap(input, place, fault.reason).because(fault.what);
                let is_list = fault.reason != GapReason::Malformed;
                // What is no property list sets nothing.
                harvest.gaps.extend(
                    (is_list || may_set_pythons(&content.bytes)).then(|| if is_list { gap } else { gap.harmless() }),
                );
            }
            settings.found
        }
        form => parse(form, input.candidate.name, &content.bytes),
    };
    if found.len() > MOST {
        harvest.gaps.push(gap(input, place, GapReason::TooLarge).because("only its first 1,000 settings were taken"));
    }
    add(&input.candidate.path, place, &content, found, &mut harvest);
    if files.len() > MOST_FILES {
        harvest.gaps.push(gap(input, place, GapReason::TooLarge).because("only the first 16 files it names were read"));
    }
    // What a unit in a container names lies there too.
    for path in files.iter().take(MOST_FILES).filter(|_| place.is_in_place) {
        follow(input, path, content.stat, &mut harvest);
    }
    harvest
}

/// What a file of that form and name sets.
fn parse(form: SettingForm, name: &[u8], bytes: &[u8]) -> Vec<Found> {
    if !may_set(bytes) {
        return Vec::new();
    }
    match form {
        SettingForm::Shell if name == b"fish_variables" => shell::parse_fish_variables(bytes),
        SettingForm::Shell => shell::parse(bytes),
        SettingForm::Unit => unit::parse(bytes).found,
        SettingForm::EnvironmentFile if matches!(name, b"pam_env.conf" | b".pam_environment") => {
            lines::parse_pam(bytes)
        }
        SettingForm::EnvironmentFile => lines::parse_environment(bytes),
        SettingForm::Crontab => lines::parse_crontab(bytes),
        SettingForm::Plist => plist::parse(bytes).found,
        SettingForm::Registry => Vec::new(),
    }
}

fn place_of(input: &Input<'_>, path: &TargetPath) -> Option<Place> {
    let place = input.target.start_place(path, |rule| rule.variables.is_some())?;
    Some(Place { form: place.rule.variables?, is_in_place: place.is_in_place })
}

/// Whether it is a link that needs no reading: to nothing, which is how a unit is masked, or to a file that is read where
/// it lies, as another name of a unit is.
fn is_read_elsewhere(input: &Input<'_>, place: Place) -> bool {
    let candidate = input.candidate;
    if candidate.kind != EntryKind::Link {
        return false;
    }
    if candidate.dir.read_link(candidate.name).is_ok_and(|to| to == b"/dev/null") {
        return true;
    }
    let real = input.target.root.follow_link(&input.folder(), candidate.dir, candidate.name);
    let its = real.ok().and_then(|(_, path)| place_of(input, &path));
    its.is_some_and(|its| its.is_in_place && its.form == place.form)
}

/// A gap at the candidate. What no system reads there hides nothing; of what was refused, the owner tells whose it is.
fn gap(input: &Input<'_>, place: Place, why: GapReason) -> Gap {
    let mut gap = input.gap(why);
    if why == GapReason::PermissionDenied {
        gap.owner_uid = input.candidate.dir.stat_entry(input.candidate.name).ok().map(|stat| stat.uid);
    }
    if place.is_in_place { gap } else { gap.harmless() }
}

fn add(path: &TargetPath, place: Place, content: &Content, found: Vec<Found>, harvest: &mut Harvest) {
    if found.is_empty() {
        return;
    }
    for one in found.into_iter().take(MOST) {
        let text = match content.is_elsewhere {
            true => Excerpt::of(b"(not shown: a link to a file of another name)"),
            false => shown(&one),
        };
        if place.is_in_place {
            harvest.facts.variables.push(variable(path, content, &one));
        }
        if model::variable(one.variable.as_bytes()).is_some() {
            harvest.facts.settings.push(setting(path, place, content.stat, one, text));
        }
    }
}

/// The same for what comes after the join: whatever has code loaded or run starts by itself.
fn variable(path: &TargetPath, content: &Content, found: &Found) -> VariableSetting {
    let mut value = found.value.clone();
    value.truncate(LONGEST_VALUE);
    let text = match content.is_elsewhere {
        true => Excerpt::of(b"(not shown: a link to a file of another name)"),
        // What stands behind a path of Python's is none of ours.
        false if model::variable(found.variable.as_bytes()).is_some() => {
            Excerpt::of(value.split(u8::is_ascii_whitespace).next().unwrap_or_default())
        }
        false => Excerpt::of(&value),
    };
    VariableSetting {
        path: path.clone(),
        line: found.line,
        variable: found.variable,
        value,
        text,
        is_exported: found.is_exported,
        modified: Some(content.stat.modified),
        owner_uid: Some(content.stat.uid),
    }
}

/// The variable and its value up to the first blank: what else stands in the line is none of ours, and may be a secret.
fn shown(found: &Found) -> Excerpt {
    let word = found.value.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    Excerpt::of(&[found.variable.as_bytes(), b"=", word].concat())
}

fn setting(path: &TargetPath, place: Place, stat: Stat, found: Found, text: Excerpt) -> PythonSetting {
    let Found { line, variable, mut value, is_exported } = found;
    let is_cut = value.len() > LONGEST_VALUE;
    value.truncate(LONGEST_VALUE);
    PythonSetting {
        path: path.clone(),
        line,
        variable,
        value,
        is_cut,
        text,
        form: place.form,
        is_exported,
        is_in_place: place.is_in_place,
        sha256: None,
        modified: Some(stat.modified),
        owner_uid: Some(stat.uid),
    }
}

/// Reads a file of assignments that a unit names, unless it is read where it lies. Whoever writes the unit chooses it, so
/// it must be one that he could read himself.
fn follow(input: &Input<'_>, written: &[u8], unit: Stat, harvest: &mut Harvest) {
    let home = input.target.home_of(&input.candidate.path).map(|account| account.home.as_bytes().to_vec());
    let written = match (written.strip_prefix(b"%h"), home) {
        (Some(rest), Some(home)) => [home.as_slice(), rest].concat(),
        _ => written.to_vec(),
    };
    let path = input.target.root.target_path(&written);
    if place_of(input, &path).is_some_and(|its| its.is_in_place) {
        return;
    }
    let missed = |why: GapReason| {
        let mut gap = input.gap_at(path.clone(), why);
        // A file whose folder is closed too is taken for the unit's owner's.
        let owner = input.target.root.resolve(&path).map_or(unit.uid, |place| place.stat.uid);
        gap.owner_uid = (why == GapReason::PermissionDenied).then_some(owner);
        gap.because(format!("{} names it for variables", input.candidate.path.to_text()))
    };
    if !written.starts_with(b"/") || written.iter().any(|byte| b"*?[%".contains(byte)) {
        harvest.gaps.push(missed(GapReason::Unchecked).harmless());
        return;
    }
    let opened = input.open_named(&path).and_then(|file| {
        let may_read = unit.uid == 0 || unit.uid == file.stat.uid || file.stat.is_public;
        if may_read { input.read_open(file, input.cap) } else { Err(GapReason::LinkElsewhere) }
    });
    match opened {
        Ok(content) => {
            if !content.whole {
                harvest.gaps.push(missed(GapReason::TooLarge));
            }
            let found = parse(SettingForm::EnvironmentFile, path.file_name(), &content.bytes);
            let place = Place { form: SettingForm::EnvironmentFile, is_in_place: true };
            add(&path, place, &content, found, harvest);
        }
        // Where it is not there, nothing is set.
        Err(GapReason::Missing | GapReason::Vanished | GapReason::DanglingLink) => {}
        Err(why) => harvest.gaps.push(missed(why)),
    }
}

fn read_hive(input: &Input<'_>, place: Place) -> Harvest {
    let file = match input.open_candidate() {
        Ok(file) => file,
        Err(why) => return Harvest::missed(gap(input, place, why)),
    };
    let bytes = input.at_will(&file);
    let hive = match Hive::open(&bytes) {
        Ok(hive) => hive,
        Err(fault) => return Harvest::missed(gap(input, place, fault.reason).because(fault.to_string())),
    };
    let is_account = input.candidate.name.eq_ignore_ascii_case(b"ntuser.dat");
    let settings = if is_account { registry::of_account(&hive) } else { registry::of_machine(&hive) };
    let mut harvest = Harvest::default();
    let fault = settings.fault.map(|fault| gap(input, place, fault.reason).because(fault.to_string()));
    harvest.gaps.extend(fault);
    if hive.is_dirty() {
        let gap = input.gap(GapReason::Malformed).harmless();
        harvest.gaps.push(gap.because("it was in use when the disk was taken: its last changes may be missing"));
    }
    for one in settings.found {
        let text = Excerpt::of(format!("{}: {}={}", one.key, one.variable, one.value).as_bytes());
        let found = Found::exported(one.variable.as_bytes(), one.value.as_bytes(), 0);
        let row = found.map(|found| setting(&input.candidate.path, place, file.stat, found, text));
        harvest.facts.settings.extend(row.map(|row| PythonSetting { modified: one.written, ..row }));
    }
    harvest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "plants a tree to look at")]
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::extract::format::made_hive::hive;
    use crate::model::coverage::GapReason;
    use crate::model::host::Platform;
    use crate::model::interest::Candidate;
    use crate::model::watch::Watch;
    use crate::target::{Target, Wanted, open};

    struct Tree(tempfile::TempDir);

    impl Tree {
        fn with(files: &[(&str, &[u8])]) -> Self {
            let tree = Self(tempfile::tempdir().unwrap());
            for (path, content) in files {
                std::fs::write(tree.at(path), content).unwrap();
            }
            tree
        }

        /// Where a path lies, its folder made.
        fn at(&self, path: &str) -> std::path::PathBuf {
            let path = self.0.path().join(path.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            path
        }

        fn target(&self, platform: Platform) -> Target {
            let platform = Some(platform);
            open(&Wanted { root: self.0.path(), live: false, platform, include_network: false }).unwrap()
        }

        fn read(&self, platform: Platform, path: &str) -> Harvest {
            let target = self.target(platform);
            let path = target.root.target_path(path.as_bytes());
            let folder = path.parent().unwrap();
            let dir = target.root.resolve(&folder).and_then(|place| target.root.open_dir(&place)).unwrap();
            let name = path.file_name().to_vec();
            let kind = dir.stat_entry(&name).unwrap().kind;
            let candidate = Candidate { check: 0, dir: &dir, name: &name, kind, path: path.clone() };
            let watch = Watch::default();
            let input = Input::new(&EXTRACTOR, &target, &watch, &candidate);
            read(&input)
        }

        fn told(&self, path: &str) -> Vec<String> {
            let settings = self.read(Platform::Linux, path).facts.settings;
            let tell = |one: &PythonSetting| {
                let value = String::from_utf8_lossy(&one.value);
                format!("{}:{} {}={value} {:?}", one.path.to_text(), one.line, one.variable, one.form)
            };
            settings.iter().map(tell).collect()
        }
    }

    const PASSWD: (&str, &[u8]) = ("/etc/passwd", b"mia:x:1000:1000::/home/mia:/bin/sh\n");

    #[test]
    fn each_form_is_read_in_its_place() {
        let tree = Tree::with(&[
            PASSWD,
            ("/home/mia/.bashrc", b"# x\nexport PYTHONPATH=/a API_TOKEN=secret\n"),
            ("/home/mia/.config/fish/fish_variables", b"SETUVAR --export PYTHONPATH:/a\n"),
            ("/etc/environment", b"PYTHONHOME=/a\n"),
            ("/etc/security/pam_env.conf", b"PYTHONPATH DEFAULT=/a\n"),
            ("/etc/systemd/system/x.service", b"[Service]\nEnvironment=PYTHONPATH=/a\n"),
            ("/etc/cron.d/x", b"PYTHONPATH=/a\n"),
            ("/Library/LaunchDaemons/x.plist", b"<key>PYTHONPATH</key><string>/a</string>"),
            ("/srv/profile", b"export PYTHONPATH=/a"),
        ]);
        assert_eq!(tree.told("/home/mia/.bashrc"), ["/home/mia/.bashrc:2 PYTHONPATH=/a Shell"]);
        assert_eq!(tree.told("/home/mia/.config/fish/fish_variables").len(), 1);
        assert_eq!(tree.told("/etc/environment"), ["/etc/environment:1 PYTHONHOME=/a EnvironmentFile"]);
        assert_eq!(tree.told("/etc/security/pam_env.conf").len(), 1);
        assert_eq!(tree.told("/etc/systemd/system/x.service"), ["/etc/systemd/system/x.service:2 PYTHONPATH=/a Unit"]);
        assert_eq!(tree.told("/etc/cron.d/x"), ["/etc/cron.d/x:1 PYTHONPATH=/a Crontab"]);
        let daemon = "/Library/LaunchDaemons/x.plist";
        assert_eq!(tree.read(Platform::Macos, daemon).facts.settings.len(), 1);
        assert_eq!(tree.told(daemon).len(), 0);
        assert_eq!(tree.told("/srv/profile").len(), 0);
        let harvest = tree.read(Platform::Linux, "/home/mia/.bashrc");
        let [one] = harvest.facts.settings.as_slice() else { panic!() };
        assert_eq!(one.text.as_str(), "PYTHONPATH=/a");
        assert!(one.is_exported && one.is_in_place && one.modified.is_some() && !one.is_cut);
    }

    #[test]
    fn units_name_files_of_variables() {
        let unit = b"EnvironmentFile=-/opt/app/env\nEnvironmentFile=/etc/default/x\nEnvironmentFile=/gone\n\
            EnvironmentFile=/opt/*.env\n";
        let tree = Tree::with(&[
            ("/etc/systemd/system/x.service", unit),
            ("/srv/layer/etc/systemd/system/x.service", unit),
            ("/opt/app/env", b"PYTHONPATH=/a\n"),
            ("/etc/default/x", b"PYTHONPATH=/b\n"),
        ]);
        assert_eq!(tree.told("/etc/systemd/system/x.service"), ["/opt/app/env:1 PYTHONPATH=/a EnvironmentFile"]);
        assert_eq!(tree.told("/srv/layer/etc/systemd/system/x.service").len(), 0);
        assert_eq!(tree.told("/etc/default/x"), ["/etc/default/x:1 PYTHONPATH=/b EnvironmentFile"]);
        let gaps = tree.read(Platform::Linux, "/etc/systemd/system/x.service").gaps;
        assert_eq!(gaps.len(), 1);
        assert_eq!((gaps[0].reason, gaps[0].material), (GapReason::Unchecked, false));
    }

    #[test]
    fn links_are_read_once() {
        let tree = Tree::with(&[
            PASSWD,
            ("/usr/lib/systemd/system/x.service", b"Environment=PYTHONPATH=/a\n"),
            ("/opt/x.service", b"Environment=PYTHONPATH=/b\n"),
            ("/home/mia/dotfiles/bashrc", b"export PYTHONPATH=/c\n"),
        ]);
        let link = |to: &str, at: &str| symlink(to, tree.at(at)).unwrap();
        link("/usr/lib/systemd/system/x.service", "/etc/systemd/system/alias.service");
        link("/dev/null", "/etc/systemd/system/masked.service");
        link("/gone", "/etc/systemd/system/gone.service");
        link("/opt/x.service", "/etc/systemd/system/x.service");
        link("dotfiles/bashrc", "/home/mia/.bashrc");
        let read = |path: &str| tree.read(Platform::Linux, path);
        assert_eq!(read("/etc/systemd/system/alias.service"), Harvest::default());
        assert_eq!(read("/etc/systemd/system/masked.service"), Harvest::default());
        assert!(!read("/etc/systemd/system/gone.service").gaps[0].material);
        assert_eq!(tree.told("/etc/systemd/system/x.service"), ["/etc/systemd/system/x.service:1 PYTHONPATH=/b Unit"]);
        let harvest = read("/home/mia/.bashrc");
        assert_eq!(harvest.facts.settings[0].value, b"/c");
        assert_eq!(harvest.facts.settings[0].text.as_str(), "(not shown: a link to a file of another name)");
    }

    #[test]
    fn what_lies_beyond_a_bound_is_told() {
        let long = [b"export PYTHONPATH=".as_slice(), &b"x".repeat(5000), b"\n", &b"# \n".repeat(100_000)].concat();
        let many = b"PYTHONPATH=/a\n".repeat(1001);
        let tree =
            Tree::with(&[PASSWD, ("/home/mia/.bashrc", &long), ("/srv/.bashrc", &long), ("/etc/environment", &many)]);
        let harvest = tree.read(Platform::Linux, "/home/mia/.bashrc");
        assert_eq!((harvest.gaps[0].reason, harvest.gaps[0].material), (GapReason::TooLarge, true));
        let [one] = harvest.facts.settings.as_slice() else { panic!() };
        assert!(one.is_cut && one.value.len() == LONGEST_VALUE);
        let copy = tree.read(Platform::Linux, "/srv/.bashrc");
        assert!(!copy.gaps[0].material && !copy.facts.settings[0].is_in_place);
        let harvest = tree.read(Platform::Linux, "/etc/environment");
        assert_eq!((harvest.facts.settings.len(), harvest.gaps.len()), (MOST, 1));
    }

    #[test]
    fn hives_are_read_on_windows_only() {
        let account = hive("Environment\n    PYTHONPATH:expand = %USERPROFILE%\\lib\n");
        let tree = Tree::with(&[("/Users/mia/NTUSER.DAT", &account), ("/Users/ben/NTUSER.DAT", b"no hive")]);
        let harvest = tree.read(Platform::Windows, "/Users/mia/NTUSER.DAT");
        let [one] = harvest.facts.settings.as_slice() else { panic!() };
        assert_eq!((one.line, one.form, one.is_in_place), (0, SettingForm::Registry, true));
        assert_eq!(one.text.as_str(), "Environment: PYTHONPATH=%USERPROFILE%\\lib");
        assert_eq!(one.modified.unwrap().to_string(), "2024-01-02T03:04:05Z");
        let harvest = tree.read(Platform::Windows, "/Users/ben/NTUSER.DAT");
        assert_eq!((harvest.gaps[0].reason, harvest.gaps[0].material), (GapReason::Malformed, true));
        assert_eq!(tree.read(Platform::Linux, "/Users/mia/NTUSER.DAT"), Harvest::default());
    }

    #[test]
    fn a_binary_property_list_is_told() {
        let tree = Tree::with(&[
            ("/Library/LaunchAgents/x.plist", b"bplist00\xd1\x01\x02ZPYTHONPATH"),
            ("/Library/LaunchAgents/y.plist", b"bplist00"),
        ]);
        let gaps = tree.read(Platform::Macos, "/Library/LaunchAgents/x.plist").gaps;
        assert_eq!((gaps[0].reason, gaps[0].material), (GapReason::Malformed, false));
        assert_eq!(tree.read(Platform::Macos, "/Library/LaunchAgents/y.plist"), Harvest::default());
    }
}
