//! Which checks show which kind of what starts by itself: a row is gone only where all of those that may have shown it were
//! made again.

use crate::model::autostart::AutostartKind;

/// The ids of the checks that make rows of a kind; empty where no check of this version does. What only adds to rows that
/// are there, such as whether a unit is armed, is none of them.
#[must_use]
pub fn makers(kind: AutostartKind) -> &'static [&'static str] {
    use AutostartKind as Kind;
    match kind {
        Kind::SystemdService
        | Kind::SystemdTimer
        | Kind::SystemdPath
        | Kind::SystemdSocket
        | Kind::SystemdUnit
        | Kind::SystemdDropIn => &["autostart-systemd"],
        Kind::SystemdEnvironment => &["autostart-environment"],
        Kind::Cron | Kind::Anacron => &["autostart-cron"],
        Kind::At => &["autostart-at"],
        Kind::SystemdGenerator | Kind::CronScript | Kind::ShellRc | Kind::RcLocal | Kind::Motd => {
            &["autostart-scripts"]
        }
        Kind::XdgAutostart => &["autostart-desktop", "autostart-scripts"],
        Kind::InitScript | Kind::EventScript => &["autostart-events", "autostart-scripts"],
        Kind::SshRc => &["autostart-scripts", "autostart-ssh"],
        Kind::AuthorizedKey => &["autostart-ssh"],
        Kind::DbusService => &["autostart-desktop"],
        Kind::Preload => &["autostart-preload"],
        // One reads the settings, the other makes rows of them.
        Kind::Variable => &["autostart-programs", "python-settings"],
        Kind::UdevRule => &["autostart-udev"],
        Kind::PamExec => &["autostart-pam"],
        Kind::GitHook | Kind::GitConfig => &["autostart-git"],
        Kind::LaunchAgent | Kind::LaunchDaemon => &["autostart-launchd"],
        Kind::LoginItem | Kind::Periodic | Kind::Emond | Kind::ConfigurationProfile => &["autostart-macos"],
        Kind::RunKey | Kind::WindowsService => &["autostart-registry"],
        Kind::StartupFolder => &["autostart-startup-folders"],
        Kind::ScheduledTask => &["autostart-tasks"],
        Kind::PowershellProfile => &["autostart-powershell"],
        Kind::EditorTask => &["autostart-editors"],
        Kind::AgentHook => &["autostart-agents"],
        Kind::AgentInstructions => &["autostart-agent-instructions"],
    }
}

/// The same by the word that a report uses; none for a word that this version does not know.
pub(super) fn of_word(kind: &str) -> Option<&'static [&'static str]> {
    let kind: AutostartKind = serde_json::from_value(kind.into()).ok()?;
    Some(makers(kind)).filter(|all| !all.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_of_cron_is_not_made_by_who_reads_crontabs() {
        assert_eq!(of_word("cron-script"), Some(["autostart-scripts"].as_slice()));
        assert_eq!(of_word("systemd-generator"), Some(["autostart-scripts"].as_slice()));
        assert_eq!(of_word("systemd-socket"), Some(["autostart-systemd"].as_slice()));
        assert_eq!(of_word("of a later version"), None);
    }
}
