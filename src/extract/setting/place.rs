//! Where systems and accounts keep environment variables, and in which form.
//!
//! Sources: the manual pages of the shells, `environment.d(5)`, `systemd.unit(5)`, `pam_env(8)`, `sshd(8)`, `crontab(5)`,
//! `launchd.plist(5)`, and what distributions add to them.

use crate::model::glob;
use crate::model::path::TargetPath;
use crate::model::setting::SettingForm;

/// `~/` is the home of an account, `/` the root or another top that systems have ([`TOPS`]).
static SHELL: &[&str] = &[
    "~/.bashrc",
    "~/.bash_profile",
    "~/.bash_login",
    "~/.bash_aliases",
    "~/.bashrc.d/*",
    "~/.profile",
    "~/.zshrc",
    "~/.zshenv",
    "~/.zprofile",
    "~/.zlogin",
    "~/.config/zsh/.zshrc",
    "~/.config/zsh/.zshenv",
    "~/.config/zsh/.zprofile",
    "~/.config/zsh/.zlogin",
    "~/.kshrc",
    "~/.mkshrc",
    "~/.shrc",
    "~/.cshrc",
    "~/.tcshrc",
    "~/.login",
    "~/.xprofile",
    "~/.xsessionrc",
    "~/.xsession",
    "~/.xinitrc",
    "~/.envrc",
    "~/.config/plasma-workspace/env/*",
    "~/.config/fish/config.fish",
    "~/.config/fish/conf.d/*.fish",
    "~/.config/fish/fish_variables",
    "/etc/profile",
    "/etc/profile.d/*",
    "/etc/bash.bashrc",
    "/etc/bashrc",
    "/etc/bash_completion.d/*",
    "/etc/zshrc",
    "/etc/zshenv",
    "/etc/zprofile",
    "/etc/zlogin",
    "/etc/zsh/*",
    "/etc/ksh.kshrc",
    "/etc/mkshrc",
    "/etc/csh.cshrc",
    "/etc/csh.login",
    "/etc/fish/config.fish",
    "/etc/fish/conf.d/*.fish",
    "/share/fish/vendor_conf.d/*.fish",
    "/etc/X11/Xsession.d/*",
    "/etc/X11/xinit/xinitrc.d/*",
    "/etc/rc.local",
    "/etc/rc.d/rc.local",
    "/etc/init.d/*",
    "/etc/rc.d/init.d/*",
    "/etc/cron.hourly/*",
    "/etc/cron.daily/*",
    "/etc/cron.weekly/*",
    "/etc/cron.monthly/*",
    "/etc/launchd.conf",
];

static UNIT: &[&str] = &[
    "/etc/systemd/system/*",
    "/etc/systemd/user/*",
    "/etc/systemd/system/*.d/*.conf",
    "/etc/systemd/user/*.d/*.conf",
    "/etc/systemd/system.conf",
    "/etc/systemd/user.conf",
    "/etc/systemd/system.conf.d/*.conf",
    "/etc/systemd/user.conf.d/*.conf",
    "/etc/systemd/system.control/*",
    "/etc/systemd/system.attached/*",
    "/lib/systemd/system/*",
    "/lib/systemd/user/*",
    "/lib/systemd/system/*.d/*.conf",
    "/lib/systemd/user/*.d/*.conf",
    "/lib/systemd/system.conf",
    "/lib/systemd/user.conf",
    "/lib/systemd/system.conf.d/*.conf",
    "/lib/systemd/user.conf.d/*.conf",
    "/share/systemd/user/*",
    "/run/systemd/system/*",
    "/run/systemd/user/*",
    "/run/systemd/system/*.d/*.conf",
    "/run/systemd/user/*.d/*.conf",
    "/run/systemd/system.conf.d/*.conf",
    "/run/systemd/user.conf.d/*.conf",
    "/run/systemd/transient/*",
    "/run/systemd/generator/*",
    "/run/systemd/generator.early/*",
    "/run/systemd/generator.late/*",
    "~/.config/systemd/user/*",
    "~/.config/systemd/user/*.d/*.conf",
    "~/.config/systemd/user.conf",
    "~/.config/systemd/user.conf.d/*.conf",
    "~/.config/systemd/user.control/*",
    "~/.local/share/systemd/user/*",
    "~/.local/share/systemd/user/*.d/*.conf",
];

static ENVIRONMENT: &[&str] = &[
    "/etc/environment",
    "/etc/environment.d/*.conf",
    "/lib/environment.d/*.conf",
    "/run/environment.d/*.conf",
    "~/.config/environment.d/*.conf",
    "~/.pam_environment",
    "/etc/security/pam_env.conf",
    "~/.ssh/environment",
    "/etc/default/*",
    "/etc/sysconfig/*",
    "/etc/conf.d/*",
    "/etc/env.d/*",
    "/etc/rc.conf",
];

static CRONTAB: &[&str] = &[
    "/etc/crontab",
    "/etc/anacrontab",
    "/etc/cron.d/*",
    "/etc/crontabs/*",
    "/var/spool/cron/*",
    "/var/spool/cron/crontabs/*",
    "/var/spool/cron/tabs/*",
    "/var/at/tabs/*",
    "/lib/cron/tabs/*",
];

static PLIST: &[&str] = &[
    "/Library/LaunchAgents/*.plist",
    "/Library/LaunchDaemons/*.plist",
    "~/Library/LaunchAgents/*.plist",
    "~/.MacOSX/environment.plist",
];

static HIVE: &[&str] = &["~/NTUSER.DAT", "/Windows/System32/config/SYSTEM"];

/// Everything that is asked for.
pub(super) static ASKED: &[&[&str]] = &[SHELL, UNIT, ENVIRONMENT, CRONTAB, PLIST, HIVE];

const FORMS: [(SettingForm, &[&str]); 6] = [
    (SettingForm::Shell, SHELL),
    (SettingForm::Unit, UNIT),
    (SettingForm::EnvironmentFile, ENVIRONMENT),
    (SettingForm::Crontab, CRONTAB),
    (SettingForm::Plist, PLIST),
    (SettingForm::Registry, HIVE),
];

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

/// What a file is by its path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// How it sets variables.
    pub form: SettingForm,
    /// Whether the swept system or one of its accounts reads it there; else it is a copy, a template, or part of a
    /// container.
    pub is_in_place: bool,
}

/// What a file is; `is_home` tells the homes of accounts. None for those that only share a name.
pub fn of(path: &TargetPath, is_home: impl Fn(&TargetPath) -> bool) -> Option<Place> {
    let mut loose = None;
    for (form, patterns) in FORMS {
        for pattern in patterns {
            let Some(above) = fit(pattern, path) else { continue };
            let top = path.ancestor(above);
            let is_in_place = if pattern.starts_with('~') {
                is(&top, SKELETON) || is_home(&top)
            } else {
                TOPS.iter().any(|names| is(&top, names))
            };
            let place = Place { form, is_in_place };
            if is_in_place {
                return Some(place);
            }
            loose = loose.or(Some(place));
        }
    }
    loose
}

/// How many components lie above those that fit the end of `path`.
fn fit(pattern: &str, path: &TargetPath) -> Option<usize> {
    let mut names = path.components().rev();
    for wanted in pattern.trim_start_matches(['~', '/']).rsplit('/') {
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
    use super::*;

    fn told(path: &str) -> Option<(SettingForm, bool)> {
        let homes = ["/home/mia", "/root", "C:\\Users\\mia"];
        let is_home = |top: &TargetPath| homes.contains(&top.to_text().as_ref());
        of(&TargetPath::new(path.as_bytes()), is_home).map(|place| (place.form, place.is_in_place))
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
}
