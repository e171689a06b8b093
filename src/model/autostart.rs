//! What the system, a session or a tool starts by itself, and from which file: units, schedules, start-up files of shells,
//! keys of the registry, hooks of editors.

use serde::{Deserialize, Serialize};

use super::id::Id;
use super::path::{self, TargetPath};
use super::text::Excerpt;
use super::time::Time;

/// By which means it is started. The names are those of the report.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AutostartKind {
    /// A service of systemd.
    SystemdService,
    /// A timer of systemd.
    SystemdTimer,
    /// A path that systemd watches.
    SystemdPath,
    /// A socket that systemd listens on.
    SystemdSocket,
    /// A unit of systemd of another kind that starts something.
    SystemdUnit,
    /// What is dropped in beside a unit.
    SystemdDropIn,
    /// A program that makes units when the system starts.
    SystemdGenerator,
    /// Variables for the services of systemd (`environment.d`).
    SystemdEnvironment,
    /// A line of a crontab.
    Cron,
    /// A script in a folder that cron runs.
    CronScript,
    /// A line of the anacrontab.
    Anacron,
    /// A job of at.
    At,
    /// A desktop entry that sessions start.
    XdgAutostart,
    /// A program that the message bus starts when it is asked for.
    DbusService,
    /// A file that shells read when they start.
    ShellRc,
    /// `ld.so.preload` and its like: code that every program loads.
    Preload,
    /// A variable that has other code loaded or run, wherever it is set.
    Variable,
    /// A rule of udev that runs something.
    UdevRule,
    /// `rc.local`.
    RcLocal,
    /// A script of System V init.
    InitScript,
    /// A script that tells the message of the day.
    Motd,
    /// A program that PAM runs.
    PamExec,
    /// A script that sshd runs at each login.
    SshRc,
    /// A key that may log in.
    AuthorizedKey,
    /// A hook of a git repository.
    GitHook,
    /// A setting of git that runs something.
    GitConfig,
    /// A script that the network's manager, the package manager or a device's event runs.
    EventScript,
    /// An agent of launchd.
    LaunchAgent,
    /// A daemon of launchd.
    LaunchDaemon,
    /// A login item of macOS.
    LoginItem,
    /// A script of macOS's `periodic`.
    Periodic,
    /// A rule of macOS's event monitor.
    Emond,
    /// A configuration profile of macOS.
    ConfigurationProfile,
    /// A value of the registry that starts a program.
    RunKey,
    /// A service of Windows.
    WindowsService,
    /// A file in a start-up folder of Windows.
    StartupFolder,
    /// A task of the Windows scheduler.
    ScheduledTask,
    /// A profile of PowerShell.
    PowershellProfile,
    /// A task that an editor starts.
    EditorTask,
    /// A hook of a coding agent.
    AgentHook,
    /// Instructions that a coding agent follows.
    AgentInstructions,
}

impl AutostartKind {
    /// The word the report uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SystemdService => "systemd-service",
            Self::SystemdTimer => "systemd-timer",
            Self::SystemdPath => "systemd-path",
            Self::SystemdSocket => "systemd-socket",
            Self::SystemdUnit => "systemd-unit",
            Self::SystemdDropIn => "systemd-drop-in",
            Self::SystemdGenerator => "systemd-generator",
            Self::SystemdEnvironment => "systemd-environment",
            Self::Cron => "cron",
            Self::CronScript => "cron-script",
            Self::Anacron => "anacron",
            Self::At => "at",
            Self::XdgAutostart => "xdg-autostart",
            Self::DbusService => "dbus-service",
            Self::ShellRc => "shell-rc",
            Self::Preload => "preload",
            Self::Variable => "variable",
            Self::UdevRule => "udev-rule",
            Self::RcLocal => "rc-local",
            Self::InitScript => "init-script",
            Self::Motd => "motd",
            Self::PamExec => "pam-exec",
            Self::SshRc => "ssh-rc",
            Self::AuthorizedKey => "authorized-key",
            Self::GitHook => "git-hook",
            Self::GitConfig => "git-config",
            Self::EventScript => "event-script",
            Self::LaunchAgent => "launch-agent",
            Self::LaunchDaemon => "launch-daemon",
            Self::LoginItem => "login-item",
            Self::Periodic => "periodic",
            Self::Emond => "emond",
            Self::ConfigurationProfile => "configuration-profile",
            Self::RunKey => "run-key",
            Self::WindowsService => "windows-service",
            Self::StartupFolder => "startup-folder",
            Self::ScheduledTask => "scheduled-task",
            Self::PowershellProfile => "powershell-profile",
            Self::EditorTask => "editor-task",
            Self::AgentHook => "agent-hook",
            Self::AgentInstructions => "agent-instructions",
        }
    }
}

/// One thing that starts by itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Autostart {
    /// Stable id.
    pub id: Id,
    /// The file that says so.
    #[serde(flatten)]
    pub path: TargetPath,
    /// On which line, counted from 1; none where lines mean nothing.
    pub line: Option<u32>,
    /// By which means.
    pub kind: AutostartKind,
    /// What it is called: a unit, a label, a value, else the file.
    pub name: Excerpt,
    /// The account whose home holds the file, else its owner.
    pub account: Option<String>,
    /// The file's owner.
    pub owner_uid: Option<u32>,
    /// The account as which it runs, where the entry names one.
    pub runs_as: Option<Excerpt>,
    /// What it runs, redacted; none for files that are run whole.
    pub runs: Option<Excerpt>,
    /// When: a schedule, `boot`, `login`, an event.
    pub trigger: Option<Excerpt>,
    /// Whether it is armed; none where that cannot be told, or where something else decides.
    pub enabled: Option<bool>,
    /// The last change of the file, or of the key that holds it.
    pub modified: Option<Time>,
    /// Bytes of the file; none where it holds many entries.
    pub size: Option<u64>,
    /// The programs and scripts that it starts, as far as its text says.
    pub programs: Vec<Started>,
    /// What stands out in what it runs.
    pub signs: Vec<Sign>,
    /// What it runs as it is written, for look-ups, never for the report. At most [`LONGEST_COMMAND`] bytes.
    #[serde(skip)]
    pub command: Vec<u8>,
}

/// Longest command that is kept for look-ups, in bytes.
pub const LONGEST_COMMAND: usize = 4096;

/// A file that something starts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Started {
    /// Where; absolute, homes filled in.
    #[serde(flatten)]
    pub path: TargetPath,
    /// Where it really lies, if a link leads elsewhere.
    #[serde(serialize_with = "path::as_text_option")]
    pub real_path: Option<TargetPath>,
    /// What it is to the entry.
    pub role: Role,
    /// On which line it is named, counted from 1; 0 where lines mean nothing.
    pub line: u32,
    /// Whether it is there; none where that could not be told.
    pub present: Option<bool>,
    /// What is odd about the place.
    pub place: Vec<PlaceMark>,
    /// The Python environment whose interpreter or command it is.
    pub environment: Option<Id>,
}

impl Started {
    /// A file of which nothing is known yet but where it is.
    #[must_use]
    pub fn new(path: TargetPath, role: Role, line: u32) -> Self {
        Self { path, real_path: None, role, line, present: None, place: Vec::new(), environment: None }
    }
}

/// What a started file is to the entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The program itself.
    Program,
    /// A file that an interpreter is told to run.
    Script,
    /// A file that the shell reads as if it stood there.
    Sourced,
    /// A library that programs load.
    Library,
}

/// What is odd about the place that something is started from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlaceMark {
    /// A folder that everybody may write and that is emptied now and then.
    Temporary,
    /// A name that begins with a dot, and is not one of those in which tools are known to keep programs.
    Hidden,
    /// A trash folder.
    Trash,
    /// The file, or a folder on the way to it, may be changed by every account.
    WorldWritable,
}

/// Something in a command that stands out, and where.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct Sign {
    /// What.
    pub what: SignKind,
    /// On which line of the file, counted from 1; 0 where lines mean nothing.
    pub line: u32,
}

/// What stands out in a command.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignKind {
    /// A text is decoded, decrypted or unpacked and then run.
    DecodesAndRuns,
    /// Something is fetched from the network and run at once.
    FetchesAndRuns,
    /// A shell is connected to the network.
    RemoteShell,
    /// Something is started in the background, where nobody sees it.
    RunsUnseen,
}

impl SignKind {
    /// The word the report uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DecodesAndRuns => "decodes-and-runs",
            Self::FetchesAndRuns => "fetches-and-runs",
            Self::RemoteShell => "remote-shell",
            Self::RunsUnseen => "runs-unseen",
        }
    }

    /// The same in words, behind "it".
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::DecodesAndRuns => "decodes a text and runs what comes out",
            Self::FetchesAndRuns => "fetches something from the network and runs it at once",
            Self::RemoteShell => "connects a shell to the network",
            Self::RunsUnseen => "starts something in the background",
        }
    }
}

impl PlaceMark {
    /// The word the report uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Temporary => "temporary",
            Self::Hidden => "hidden",
            Self::Trash => "trash",
            Self::WorldWritable => "world-writable",
        }
    }

    /// The same in words, behind "it runs something from".
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Temporary => "a temporary folder",
            Self::Hidden => "a hidden folder",
            Self::Trash => "the trash",
            Self::WorldWritable => "a place that every account may change",
        }
    }
}

/// A link by which a unit of systemd is armed or masked, for the join.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct UnitLink {
    /// Where the link lies.
    pub path: TargetPath,
    /// What it says, as written.
    pub to: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_are_written() {
        for kind in
            [AutostartKind::Cron, AutostartKind::SystemdDropIn, AutostartKind::RcLocal, AutostartKind::XdgAutostart]
        {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{}\"", kind.name()));
        }
    }
}
