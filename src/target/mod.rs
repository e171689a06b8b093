//! What are we looking at: the only door to the swept disk, and whose system it is.

pub mod accounts;
pub mod detect;
pub mod dir;
pub mod host;
pub mod mounts;
pub mod places;
pub mod root;

use std::path::{Path, PathBuf};

use crate::model::coverage::{Gap, GapReason};
use crate::model::host::{Account, Host, Platform};
use crate::model::path::TargetPath;
use mounts::Mounts;
use root::Root;

/// How a target is opened.
pub struct Wanted<'a> {
    /// Where its root lies on this host.
    pub root: &'a Path,
    /// Whether that is the running system itself.
    pub live: bool,
    /// Its system, where the user says so; else its content decides.
    pub platform: Option<Platform>,
    /// Whether network, FUSE and automount trees may be entered.
    pub include_network: bool,
}

/// The opened target.
pub struct Target {
    /// The door.
    pub root: Root,
    /// Where the root lies on this host, for `sweep.root` only.
    pub at: PathBuf,
    /// Whether it is the running system.
    pub live: bool,
    /// What it says of itself.
    pub host: Host,
    /// Its accounts, sorted by name.
    pub accounts: Vec<Account>,
    /// What is mounted below the root.
    pub mounts: Mounts,
    /// What could not be read while finding that out.
    pub gaps: Vec<Gap>,
}

/// Opens the root and learns whose system it is.
///
/// # Errors
/// The system's answer, when the root cannot be opened.
pub fn open(wanted: &Wanted<'_>) -> Result<Target, String> {
    let mut root = Root::open(wanted.root)?;
    // Before anything is looked up: the first step into an automount point would mount it.
    let table = Mounts::read(&root, wanted.root);
    let mut gaps = Vec::new();
    if table.is_none() {
        let gap = Gap::new("walk", root.path(), GapReason::Unreadable).harmless();
        gaps.push(gap.because("this system's mount table could not be read: network trees are not told from disks"));
    }
    let mounts = table.unwrap_or_default();
    if !wanted.include_network {
        root.shut_out(mounts.clone());
    }
    let platform = wanted.platform.unwrap_or_else(|| detect::platform(&root, wanted.live));
    root.settle(platform);
    // Paths of a Windows target are written another way.
    let mounts =
        if platform == Platform::Windows { Mounts::read(&root, wanted.root).unwrap_or(mounts) } else { mounts };
    let (accounts, missed) = accounts::of(&root);
    gaps.extend(missed);
    let host = host::of(&root, platform, wanted.live);
    Ok(Target { root, at: wanted.root.to_path_buf(), live: wanted.live, host, accounts, mounts, gaps })
}

impl Target {
    /// The account whose home holds `path`, else the name of its owner.
    #[must_use]
    pub fn account_of(&self, path: &TargetPath, owner_uid: Option<u32>) -> Option<String> {
        self.home_of(path).map(|account| account.name.clone()).or_else(|| owner_uid.map(|uid| self.owner_name(uid)))
    }

    /// The account in whose home `path` lies; the longest home wins.
    #[must_use]
    pub fn home_of(&self, path: &TargetPath) -> Option<&Account> {
        self.accounts
            .iter()
            .filter(|account| account.home.components().next().is_some() && path.is_under(&account.home))
            .max_by_key(|account| account.home.as_bytes().len())
    }

    fn owner_name(&self, uid: u32) -> String {
        match self.accounts.iter().find(|account| account.uid == Some(uid)) {
            Some(account) => account.name.clone(),
            None if uid == 0 => "root".to_owned(),
            None => format!("uid {uid}"),
        }
    }
}

/// A pool of `workers` threads for a sweep, and room for the directories that they hold open.
///
/// # Errors
/// The system's answer, when it does not give that many threads.
pub fn pool(workers: usize) -> Result<rayon::ThreadPool, String> {
    raise_open_files();
    rayon::ThreadPoolBuilder::new()
        .num_threads(workers)
        .thread_name(|number| format!("sweep-{number}"))
        // Readers keep buffers of 64 KiB on the stack; deep recursion there is none.
        .stack_size(4 << 20)
        .build()
        .map_err(|why| why.to_string())
}

/// Takes as many open files as the system grants. Where it grants none, a deep tree ends as a gap, not as a failure.
fn raise_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _refused = setrlimit(Resource::Nofile, limit);
}
