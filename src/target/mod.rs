//! What are we looking at: the only door to the swept disk, and whose system it is.

pub mod accounts;
pub mod detect;
pub mod dir;
pub mod host;
pub mod mounts;
pub mod places;
pub mod root;
mod spelling;
pub mod starts;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::model::coverage::{Gap, GapReason};
use crate::model::glob::TEMPORARY;
use crate::model::host::{Account, Homes, Host, Platform};
use crate::model::path::TargetPath;
use mounts::Mounts;
use root::Root;
use starts::{StartPlace, StartPlaces, StartRule};

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
    /// Whose home a path lies in.
    homes: Homes,
    /// What is mounted below the root.
    pub mounts: Mounts,
    /// Where systems and accounts keep what starts by itself.
    pub starts: StartPlaces,
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
    let mut mounts =
        if platform == Platform::Windows { Mounts::read(&root, wanted.root).unwrap_or(mounts) } else { mounts };
    mounts.find_layers(&root);
    let (accounts, missed) = accounts::of(&root);
    gaps.extend(missed);
    let host = host::of(&root, platform, wanted.live);
    Ok(Target {
        root,
        at: wanted.root.to_path_buf(),
        live: wanted.live,
        host,
        homes: Homes::of(&accounts),
        accounts,
        mounts,
        starts: StartPlaces::built_in(),
        gaps,
    })
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
        self.homes.holding(path).and_then(|at| self.accounts.get(at))
    }

    /// Whether a folder is the home of an account, by its path or by the one that people use.
    #[must_use]
    pub fn is_home(&self, folder: &TargetPath) -> bool {
        self.home_of(folder).is_some_and(|account| account.home == *folder || account.real_home == *folder)
    }

    /// What a file is among the places of what starts by itself, by the rules that this system has and `wanted` takes.
    pub fn start_place(&self, path: &TargetPath, wanted: impl Fn(&StartRule) -> bool) -> Option<StartPlace<'_>> {
        let platform = self.root.platform();
        let is_wanted = |rule: &StartRule| rule.systems.contains(&platform) && wanted(rule);
        self.starts.find(path, is_wanted, |folder| self.is_home(folder))
    }

    /// Where the places that packs name really lie, if a link leads there: `/home`, `/tmp` and `~/.config` may be links.
    /// Real path → path as the pattern has it.
    #[must_use]
    pub fn other_names<'p>(&self, patterns: impl Iterator<Item = &'p str>) -> HashMap<TargetPath, TargetPath> {
        let homes: Vec<&TargetPath> =
            self.accounts.iter().map(|account| &account.home).filter(|home| self.root.resolve(home).is_ok()).collect();
        let mut out = HashMap::new();
        for pattern in patterns.filter(|pattern| !pattern.contains('*')) {
            let Some((start, rest)) = pattern.split_once('/') else { continue };
            let tops: Vec<TargetPath> = match start {
                "{home}" => homes.iter().map(|home| (*home).clone()).collect(),
                "{tmp}" => TEMPORARY.iter().map(|top| self.root.target_path(top.as_bytes())).collect(),
                "" => vec![self.root.path()],
                _ => Vec::new(),
            };
            for named in tops.into_iter().map(|top| rest.split('/').fold(top, |path, name| path.join(name.as_bytes())))
            {
                let real = self.root.resolve(&named).map(|place| self.root.path_of(&place));
                out.extend(real.ok().filter(|real| *real != named).map(|real| (real, named)));
            }
        }
        out
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
