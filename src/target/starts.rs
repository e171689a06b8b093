//! Where systems, sessions and tools keep what they start by themselves, and variables: `iocs/places/autostart.json`, as
//! data. How such a file is read is for the readers.

use serde::Deserialize;

use crate::model::autostart::AutostartKind;
use crate::model::glob;
use crate::model::host::Platform;
use crate::model::path::TargetPath;
use crate::model::setting::SettingForm;

static AUTOSTART: &str = include_str!("../../iocs/places/autostart.json");

/// Below which folders a system has what others have below its root. On macOS `/etc` and `/var` really lie in `/private`.
const TOPS: &[&[&str]] = &[
    &[],
    &["usr"],
    &["usr", "local"],
    &["private"],
    &["System"],
    &["System", "Volumes", "Data"],
    &["System", "Volumes", "Data", "private"],
    &["opt", "homebrew"],
    &["opt", "local"],
];

/// What new accounts begin with.
const SKELETON: &[&str] = &["etc", "skel"];

/// The places.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartPlaces {
    #[serde(rename = "schema")]
    _schema: String,
    #[serde(rename = "about")]
    _about: String,
    /// Hidden folders and files below a home in which well-known tools keep programs.
    programs: Vec<String>,
    rules: Vec<StartRule>,
}

/// Files of one kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartRule {
    /// Its id.
    pub id: String,
    /// The systems that have it.
    pub systems: Vec<Platform>,
    /// What such a file is.
    pub kind: AutostartKind,
    /// The reader that says how to read it; none where only its variables are read.
    #[serde(default)]
    pub family: Option<String>,
    /// How it may set variables.
    #[serde(default)]
    pub variables: Option<SettingForm>,
    /// Patterns over paths.
    pub paths: Vec<String>,
    /// Why it matters.
    pub why: String,
    /// Where it is described.
    pub references: Vec<String>,
}

/// What a file is by its path.
#[derive(Clone, Copy)]
pub struct StartPlace<'a> {
    /// The rule that fits.
    pub rule: &'a StartRule,
    /// Whether the swept system or one of its accounts reads it there; else it is a copy, a template, or part of a
    /// container.
    pub is_in_place: bool,
}

impl StartPlaces {
    /// The built-in places.
    #[must_use]
    pub fn built_in() -> Self {
        // The file is part of the program: the test below reads it the same way, so it cannot be wrong here.
        serde_json::from_str(AUTOSTART).unwrap_or_else(|_| Self {
            _schema: String::new(),
            _about: String::new(),
            programs: Vec::new(),
            rules: Vec::new(),
        })
    }

    /// The folders below which a system has what others have below its root.
    pub fn tops(&self, root: &TargetPath) -> impl Iterator<Item = TargetPath> {
        let root = root.clone();
        TOPS.iter().map(move |names| names.iter().fold(root.clone(), |path, name| path.join(name.as_bytes())))
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &[StartRule] {
        &self.rules
    }

    /// What a file is, among the rules that `wanted` takes; `is_home` tells the homes of accounts. None for those that only
    /// share a name.
    pub fn find(
        &self,
        path: &TargetPath,
        wanted: impl Fn(&StartRule) -> bool,
        is_home: impl Fn(&TargetPath) -> bool,
    ) -> Option<StartPlace<'_>> {
        let mut loose = None;
        for rule in self.rules.iter().filter(|rule| wanted(rule)) {
            for pattern in &rule.paths {
                let Some(above) = fit(pattern, path) else { continue };
                let is_in_place = pattern.starts_with("**/") || {
                    let top = path.ancestor(above);
                    if pattern.starts_with("{home}/") {
                        is(&top, SKELETON) || is_home(&top)
                    } else {
                        TOPS.iter().any(|names| is(&top, names))
                    }
                };
                let place = StartPlace { rule, is_in_place };
                if is_in_place {
                    return Some(place);
                }
                loose = loose.or(Some(place));
            }
        }
        loose
    }

    /// How many names of a path below a home lead to where a well-known tool keeps programs: 1 of `.cargo/bin/x` for
    /// `.cargo`; 0 where none does.
    #[must_use]
    pub fn known_program(&self, below_home: &[&[u8]]) -> usize {
        let fits = |known: &&String| {
            known.split('/').enumerate().all(|(at, name)| below_home.get(at).is_some_and(|own| *own == name.as_bytes()))
        };
        self.programs.iter().filter(fits).map(|known| known.split('/').count()).max().unwrap_or(0)
    }
}

/// How many components lie above those that fit the end of `path`.
fn fit(pattern: &str, path: &TargetPath) -> Option<usize> {
    let mut names = path.components().rev();
    let wanted = pattern.split_once('/').map_or(pattern, |(_, wanted)| wanted);
    for wanted in wanted.rsplit('/') {
        let name = names.next()?;
        let fits = if wanted.contains('*') {
            glob::fits(wanted.as_bytes(), name, glob::caseless)
        } else {
            wanted.as_bytes().eq_ignore_ascii_case(name)
        };
        if !fits {
            return None;
        }
    }
    Some(names.count())
}

fn is(path: &TargetPath, names: &[&str]) -> bool {
    path.components().eq(names.iter().map(|name| name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn told(path: &str) -> Option<(SettingForm, bool)> {
        let homes = ["/home/mia", "/root", "C:\\Users\\mia"];
        let is_home = |top: &TargetPath| homes.contains(&top.to_text().as_ref());
        let places = StartPlaces::built_in();
        let found = places.find(&TargetPath::new(path.as_bytes()), |rule| rule.variables.is_some(), is_home);
        found.map(|place| (place.rule.variables.unwrap(), place.is_in_place))
    }

    #[test]
    fn files_are_what_their_place_says() {
        for (path, form) in [
            ("/home/mia/.bashrc", SettingForm::Shell),
            ("/etc/skel/.profile", SettingForm::Shell),
            ("/home/mia/.config/fish/conf.d/x.fish", SettingForm::Shell),
            ("/etc/profile.d/x.sh", SettingForm::Shell),
            ("/opt/homebrew/etc/profile.d/x.sh", SettingForm::Shell),
            ("/private/etc/zshenv", SettingForm::Shell),
            ("/usr/lib/systemd/system/x.service", SettingForm::Unit),
            ("/etc/systemd/system/x.service.d/10.conf", SettingForm::Unit),
            ("/home/mia/.config/systemd/user/x.service", SettingForm::Unit),
            ("/etc/environment", SettingForm::EnvironmentFile),
            ("/usr/lib/environment.d/x.conf", SettingForm::EnvironmentFile),
            ("/etc/default/x", SettingForm::EnvironmentFile),
            ("/root/.ssh/environment", SettingForm::EnvironmentFile),
            ("/var/spool/cron/crontabs/mia", SettingForm::Crontab),
            ("/private/var/at/tabs/mia", SettingForm::Crontab),
            ("/System/Library/LaunchDaemons/x.plist", SettingForm::Plist),
            ("C:\\Users\\mia\\ntuser.dat", SettingForm::Registry),
            ("C:\\Windows\\System32\\config\\SYSTEM", SettingForm::Registry),
        ] {
            assert_eq!(told(path), Some((form, true)), "{path}");
        }
    }

    #[test]
    fn copies_are_told_from_what_is_read() {
        assert_eq!(told("/srv/backup/mia/.bashrc"), Some((SettingForm::Shell, false)));
        assert_eq!(told("/home/mia/dotfiles/.bashrc"), Some((SettingForm::Shell, false)));
        assert_eq!(told("/var/lib/docker/overlay2/x/diff/etc/default/x"), Some((SettingForm::EnvironmentFile, false)));
        assert_eq!(told("/srv/app/profile"), None);
        assert_eq!(told("/etc/default/x/y"), None);
        assert_eq!(told("/etc/environment.d/x.bak"), None);
        assert_eq!(told("/srv/default/x"), None);
    }

    #[test]
    fn every_rule_says_why_and_where_from() {
        let file: StartPlaces = serde_json::from_str(AUTOSTART).unwrap();
        let ids: BTreeSet<&str> = file.rules.iter().map(|rule| rule.id.as_str()).collect();
        assert!(ids.len() == file.rules.len() && 10 < ids.len());
        for rule in &file.rules {
            assert!(rule.why.len() > 20 && !rule.references.is_empty() && !rule.systems.is_empty(), "{}", rule.id);
            assert!(rule.family.is_some() || rule.variables.is_some(), "{}", rule.id);
            for path in &rule.paths {
                assert!(["/", "{home}/", "**/"].iter().any(|start| path.starts_with(start)), "{path}");
            }
        }
    }

    #[test]
    fn tools_keep_programs_in_hidden_folders() {
        let places = StartPlaces::built_in();
        let known = |path: &str| places.known_program(&path.split('/').map(str::as_bytes).collect::<Vec<_>>());
        assert_eq!((known(".cargo/bin/x"), known(".local/bin/x"), known(".local/share/uv/x")), (1, 2, 3));
        assert_eq!((known(".cargo2/x"), known(".config/sysmon/sysmon.py"), known("x/.cargo/y")), (0, 0, 0));
    }
}
