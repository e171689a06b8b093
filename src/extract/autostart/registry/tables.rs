//! Which keys and values of the registry start something.

/// Whose hive it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Of {
    /// An account's, `NTUSER.DAT`.
    Account,
    /// That of the machine's software.
    Machine,
    /// In a table: of either.
    Both,
}

impl Of {
    /// Whether a line of a table speaks of such a hive.
    #[must_use]
    pub fn fits(self, hive: Self) -> bool {
        self == Self::Both || self == hive
    }
}

/// A key, the values in it that matter, and when they are started.
pub(super) struct Place {
    pub(super) of: Of,
    pub(super) path: &'static str,
    /// None of them where all are commands.
    pub(super) names: &'static [&'static str],
    pub(super) trigger: &'static str,
    /// What every Windows has there.
    usual: &'static [&'static str],
}

impl Place {
    /// Whether it is what every Windows has there.
    pub(super) fn is_usual(&self, text: &str) -> bool {
        let text = text.trim_end_matches(',').to_ascii_lowercase();
        let name = text.rsplit('\\').next().unwrap_or_default();
        let is_own =
            name.len() == text.len() || text.contains("\\windows\\system32\\") || text.starts_with("%systemroot%");
        is_own && !text.contains(',') && self.usual.contains(&name)
    }
}

const fn place(of: Of, path: &'static str, names: &'static [&'static str], trigger: &'static str) -> Place {
    Place { of, path, names, trigger, usual: &[] }
}

/// Keys in which every value is a command.
pub(super) const KEYS: &[Place] = &[
    place(Of::Both, r"Microsoft\Windows\CurrentVersion\Run", &[], "login"),
    place(Of::Both, r"Microsoft\Windows\CurrentVersion\RunOnce", &[], "login, once"),
    place(Of::Both, r"Microsoft\Windows\CurrentVersion\RunOnceEx", &[], "login, once"),
    place(Of::Both, r"Microsoft\Windows\CurrentVersion\RunServices", &[], "login"),
    place(Of::Both, r"Microsoft\Windows\CurrentVersion\RunServicesOnce", &[], "login, once"),
    place(Of::Both, r"Microsoft\Windows\CurrentVersion\Policies\Explorer\Run", &[], "login"),
    place(
        Of::Machine,
        r"Microsoft\Windows NT\CurrentVersion\Terminal Server\Install\Software\Microsoft\Windows\CurrentVersion\Run",
        &[],
        "login",
    ),
];

/// Keys of which some values are commands.
pub(super) const VALUES: &[Place] = &[
    Place {
        usual: &["explorer.exe", "userinit.exe", "systempropertiesperformance.exe"],
        ..place(
            Of::Both,
            r"Microsoft\Windows NT\CurrentVersion\Winlogon",
            &["Shell", "Userinit", "Taskman", "VmApplet", "GinaDLL", "AppSetup"],
            "login",
        )
    },
    place(Of::Both, r"Microsoft\Windows NT\CurrentVersion\Windows", &["Load", "Run"], "login"),
    place(Of::Machine, r"Microsoft\Windows NT\CurrentVersion\Windows", &["AppInit_DLLs"], "every program with windows"),
    place(Of::Both, r"Microsoft\Command Processor", &["AutoRun"], "every cmd.exe"),
    place(Of::Account, "Environment", &["UserInitMprLogonScript"], "login"),
];

/// Keys below which every key has such values.
pub(super) const SUBKEYS: &[Place] = &[
    place(
        Of::Machine,
        r"Microsoft\Windows NT\CurrentVersion\Image File Execution Options",
        &["Debugger"],
        "instead of it",
    ),
    place(Of::Machine, r"Microsoft\Windows NT\CurrentVersion\SilentProcessExit", &["MonitorProcess"], "its end"),
    place(Of::Machine, r"Microsoft\Windows NT\CurrentVersion\Winlogon\Notify", &["DLLName"], "login"),
    place(Of::Machine, r"Microsoft\Active Setup\Installed Components", &["StubPath"], "first login of each account"),
];
