//! The system that is swept: which, whose, live or an image.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::path::{self, TargetPath};
use super::time::Time;

/// The systems whose layouts pysweep knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// Linux and whatever looks like it.
    Linux,
    /// macOS.
    Macos,
    /// Windows.
    Windows,
}

impl Platform {
    /// Whether names that differ only in case are the same file there.
    #[must_use]
    pub fn is_case_blind(self) -> bool {
        matches!(self, Self::Macos | Self::Windows)
    }
}

/// What the report says of the swept system.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Host {
    /// The host's name from its own files; `unknown` when they do not say.
    pub name: String,
    /// linux, macos or windows.
    pub os: Platform,
    /// As the system names itself, such as `Debian GNU/Linux 12 (bookworm)`.
    pub os_version: Option<String>,
    /// The running kernel's release; none for an image.
    pub kernel: Option<String>,
    /// The machine's architecture; none for an image.
    pub arch: Option<String>,
    /// An HMAC of the machine's own id, so that reports of one host can be joined without revealing that id.
    pub machine_id: Option<String>,
    /// When the running system started; none for an image.
    pub boot_time: Option<Time>,
}

/// One account of the target.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Account {
    /// Its name; for a home that no user database lists, the folder's name.
    pub name: String,
    /// Its numeric id; none where only a home was found and its owner is not known.
    pub uid: Option<u32>,
    /// Its primary group.
    pub gid: Option<u32>,
    /// The names of its groups.
    pub groups: Vec<String>,
    /// Its home.
    #[serde(serialize_with = "path::as_text")]
    pub home: TargetPath,
    /// The same with links followed as the target follows them; for look-ups, not for the report.
    #[serde(skip)]
    pub real_home: TargetPath,
    /// Its login shell.
    pub shell: Option<String>,
    /// Whether it is root or is a member of a group that can become root.
    pub privileged: bool,
}

/// Whose home a path lies in: places in a list of accounts by home, homes behind links under both their paths. The root
/// itself is the home of daemons, and says nothing.
#[derive(Clone, Default, Debug)]
pub struct Homes(HashMap<TargetPath, usize>);

impl Homes {
    /// The homes of `accounts`; of two accounts with one home, the first.
    #[must_use]
    pub fn of(accounts: &[Account]) -> Self {
        let mut homes = HashMap::new();
        for (at, account) in accounts.iter().enumerate() {
            for home in [&account.home, &account.real_home] {
                if home.components().next().is_some() {
                    homes.entry(home.clone()).or_insert(at);
                }
            }
        }
        Self(homes)
    }

    /// The place in the list of the account whose home holds `path`; the longest home wins.
    #[must_use]
    pub fn holding(&self, path: &TargetPath) -> Option<usize> {
        let mut above = Some(path.clone());
        while let Some(folder) = above {
            if let Some(at) = self.0.get(&folder) {
                return Some(*at);
            }
            above = folder.parent();
        }
        None
    }
}
