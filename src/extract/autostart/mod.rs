//! What the system, a session or a tool starts by itself. `iocs/places/autostart.json` says where, one file for each family
//! of formats says how to read it, [`command`] what it starts, and [`settle`](mod@settle) looks at that after the join.
//!
//! A row is made for everything that is found where the swept system or an account of it reads it, whether it is odd or
//! not: only so can two reports be told apart. What the rows mean is for `detect`.

pub mod agents;
mod arm;
pub mod at;
pub mod command;
pub mod cron;
pub mod editors;
pub mod environment;
pub mod event;
pub mod git;
pub mod launchd;
pub mod linked;
pub mod macos;
pub mod named;
pub mod pam;
pub mod preload;
pub mod registry;
pub mod script;
pub mod settle;
pub mod ssh;
pub mod startup_folder;
pub mod systemd;
pub mod tasks;
pub mod udev;
pub mod variable;
pub mod words;
pub mod xdg;

use self::command::{Place, Told};
use super::input::{Content, Input};
use crate::model::autostart::{Autostart, AutostartKind, LONGEST_COMMAND, Started};
use crate::model::coverage::{Gap, GapReason};
use crate::model::facts::Harvest;
use crate::model::glob;
use crate::model::host::Account;
use crate::model::id::Id;
use crate::model::interest::EntryKind;
use crate::model::path::TargetPath;
use crate::model::text::Excerpt;
use crate::model::time::Time;
use crate::target::dir::Stat;
use crate::target::starts::{StartPlace, StartRule};

/// Most bytes that are read of one such file.
pub const CAP: u64 = 1 << 20;

/// Most entries that are kept of one file; honest ones have a handful.
pub const MOST: usize = 2000;

/// How engines lay out what containers and images consist of: Docker's and Podman's drivers, the volumes of both, containerd's
/// snapshots.
const STORES: &[&[&str]] = &[
    &["overlay2", "*", "diff"],
    &["overlay2", "*", "merged"],
    &["overlay", "*", "diff"],
    &["overlay", "*", "merged"],
    &["fuse-overlayfs", "*", "diff"],
    &["vfs", "dir", "*"],
    &["btrfs", "subvolumes", "*"],
    &["devicemapper", "mnt", "*", "rootfs"],
    &["aufs", "diff", "*"],
    &["aufs", "mnt", "*"],
    &["zfs", "graph", "*"],
    &["io.containerd.snapshotter.v1.*", "snapshots", "*"],
    &["io.containerd.runtime.v2.task", "*", "*", "rootfs"],
    &["lib", "docker"],
    &["lib", "containerd"],
    &["containers", "storage"],
];

/// One entry, as its reader understands it.
pub struct Entry {
    /// By which means it is started.
    pub kind: AutostartKind,
    /// What it is called.
    pub name: Vec<u8>,
    /// On which line, counted from 1; none where lines mean nothing.
    pub line: Option<u32>,
    /// What it runs, as written; empty for files that are run whole.
    pub command: Vec<u8>,
    /// What that starts.
    pub told: Told,
    /// When.
    pub trigger: Vec<u8>,
    /// The account that the entry names.
    pub runs_as: Option<Vec<u8>>,
    /// Whether it is armed, as far as the entry says.
    pub enabled: Option<bool>,
    /// The last change of what holds it, where that is not the file.
    pub modified: Option<Time>,
    /// Whether the file holds this entry alone.
    pub is_whole_file: bool,
}

impl Entry {
    /// An entry of which no more is known yet.
    #[must_use]
    pub fn new(kind: AutostartKind, name: &[u8]) -> Self {
        Self {
            kind,
            name: name.to_vec(),
            line: None,
            command: Vec::new(),
            told: Told::default(),
            trigger: Vec::new(),
            runs_as: None,
            enabled: None,
            modified: None,
            is_whole_file: true,
        }
    }
}

/// What a file holds that starts by itself, as far as a bound lets it be read.
#[derive(Default)]
pub struct Held {
    /// The entries, in the order of the file.
    pub entries: Vec<Entry>,
    /// Whether a bound left some out.
    pub is_cut: bool,
}

/// What the candidate is among the places of `family`, if the swept system or one of its accounts reads it there. Copies,
/// templates and parts of containers start nothing here.
#[must_use]
pub fn place_of<'a>(input: &'a Input<'_>, family: &str) -> Option<StartPlace<'a>> {
    let target = input.target;
    let is_wanted = |rule: &StartRule| rule.family.as_deref() == Some(family);
    let place = target.start_place(&input.candidate.path, is_wanted).filter(|place| place.is_in_place)?;
    (!is_in_layer(&input.candidate.path) && !target.mounts.has_in_layer(&input.candidate.path)).then_some(place)
}

/// Whether a path lies in what container engines store, by the shape of their stores: nothing there starts on this host, and
/// nothing in a copy of them. Places that may lie in any folder would be found there too.
fn is_in_layer(path: &TargetPath) -> bool {
    let names: Vec<&[u8]> = path.components().collect();
    STORES.iter().any(|store| {
        names
            .windows(store.len())
            .any(|part| part.iter().zip(*store).all(|(name, wanted)| glob::fits(wanted.as_bytes(), name, glob::exact)))
    })
}

/// Whether the candidate is a link by which nothing is started: to `/dev/null`, which masks, or to what is not there.
#[must_use]
pub fn is_void(input: &Input<'_>) -> bool {
    let candidate = input.candidate;
    if candidate.kind != EntryKind::Link {
        return false;
    }
    if candidate.dir.read_link(candidate.name).is_ok_and(|to| to == b"/dev/null") {
        return true;
    }
    let real = input.target.root.follow_link(&input.folder(), candidate.dir, candidate.name);
    matches!(real, Err(GapReason::DanglingLink | GapReason::LinkLoop | GapReason::Missing))
}

/// Reads the candidate up to the cap of its check. What could not be read, and what lies beyond, is a gap in `harvest`.
pub fn content(input: &Input<'_>, harvest: &mut Harvest) -> Option<Content> {
    match input.open_candidate_to_judge().and_then(|file| input.read_open(file, input.cap)) {
        Ok(content) => {
            if !content.whole {
                let says = format!("only its first {} KiB were read", input.cap >> 10);
                harvest.gaps.push(gap(input, GapReason::TooLarge).because(says));
            }
            Some(content)
        }
        Err(why) => {
            harvest.gaps.push(gap(input, why));
            None
        }
    }
}

/// The candidate without its bytes, for rows that need none.
pub fn unread(input: &Input<'_>, harvest: &mut Harvest) -> Option<Content> {
    match input.open_candidate_to_judge() {
        Ok(file) => Some(Content { bytes: Vec::new(), stat: file.stat, whole: true, is_elsewhere: file.is_elsewhere }),
        Err(why) => {
            harvest.gaps.push(gap(input, why));
            None
        }
    }
}

/// A gap at the candidate; of what was refused, the owner tells whose it is.
#[must_use]
pub fn gap(input: &Input<'_>, why: GapReason) -> Gap {
    let mut gap = input.gap(why);
    if why == GapReason::PermissionDenied {
        gap.owner_uid = input.candidate.dir.stat_entry(input.candidate.name).ok().map(|stat| stat.uid);
    }
    gap
}

/// A gap at another file of the host that the candidate names; of what was refused, the owner tells whose it is.
#[must_use]
pub fn gap_at(input: &Input<'_>, path: &TargetPath, why: GapReason) -> Gap {
    let root = &input.target.root;
    let owner = || root.resolve(path).ok().or_else(|| root.resolve(&path.parent()?).ok()).map(|place| place.stat.uid);
    let mut gap = input.gap_at(path.clone(), why);
    if why == GapReason::PermissionDenied {
        gap.owner_uid = owner();
    }
    gap
}

/// A gap for a bound that left out some of what the candidate holds.
pub fn cut(input: &Input<'_>, says: String, harvest: &mut Harvest) {
    harvest.gaps.push(gap(input, GapReason::TooLarge).because(says));
}

/// Adds a row for an entry of the candidate. Where a link of another name led to the file, nothing of it is shown.
pub fn push(input: &Input<'_>, content: &Content, entry: Entry, harvest: &mut Harvest) {
    let rows = harvest.facts.autostarts.len();
    if rows == MOST {
        let says = format!("only its first {MOST} entries were taken");
        harvest.gaps.push(input.gap(GapReason::TooLarge).because(says));
    }
    if rows >= MOST {
        return;
    }
    let same = |row: &Autostart, one: &Autostart| (row.kind, &row.name, &row.runs) == (one.kind, &one.name, &one.runs);
    let row = row(input, content.stat, content.is_elsewhere, entry);
    // Two lines that look alike are two entries.
    let alike = harvest.facts.autostarts.iter().filter(|other| same(other, &row)).count();
    harvest.facts.autostarts.push(identified(row, alike));
}

fn row(input: &Input<'_>, stat: Stat, is_elsewhere: bool, entry: Entry) -> Autostart {
    let path = &input.candidate.path;
    let target = input.target;
    let shown = |text: &[u8]| match (text.is_empty(), is_elsewhere) {
        (true, _) => None,
        (false, true) => Some(Excerpt::of(b"(not shown: a link to a file of another name)")),
        (false, false) => Some(Excerpt::of(text)),
    };
    let place = Place { target, home: runner(input, stat, entry.runs_as.as_deref()) };
    let mut programs: Vec<Started> = Vec::new();
    for (written, role, line) in &entry.told.programs {
        let Some(path) = place.path(written) else { continue };
        let marks = place.marks(&path);
        programs.push(Started { place: marks, ..Started::new(path, *role, *line) });
    }
    programs.dedup();
    let mut command = entry.command.clone();
    command.truncate(LONGEST_COMMAND);
    Autostart {
        id: Id::new("start", &[]),
        path: path.clone(),
        line: entry.line,
        kind: entry.kind,
        name: if is_elsewhere { Excerpt::of(input.candidate.name) } else { Excerpt::of(&entry.name) },
        account: target.account_of(path, Some(stat.uid)),
        owner_uid: Some(stat.uid),
        runs_as: entry.runs_as.as_deref().and_then(shown),
        runs: if is_elsewhere { shown(&entry.command) } else { shown_command(&entry.command) },
        trigger: shown(&entry.trigger),
        enabled: entry.enabled,
        modified: entry.modified.or(Some(stat.modified)),
        size: entry.is_whole_file.then_some(stat.size),
        programs,
        signs: entry.told.signs,
        command,
    }
}

/// The same row with its id; `alike` tells how many rows before it look the same.
fn identified(row: Autostart, alike: usize) -> Autostart {
    Autostart { id: id(&row, alike), ..row }
}

fn shown_command(text: &[u8]) -> Option<Excerpt> {
    (!text.is_empty()).then(|| Excerpt::command(text))
}

/// Over what is shown, never over the text itself: that may hold a secret, and those that are short can be guessed.
fn id(row: &Autostart, alike: usize) -> Id {
    let kind = row.kind.name();
    let runs = row.runs.as_ref().map(Excerpt::as_str).unwrap_or_default();
    let alike = alike.to_string();
    let parts = [row.path.as_bytes(), kind.as_bytes(), row.name.as_str().as_bytes(), runs.as_bytes(), alike.as_bytes()];
    Id::new("start", &parts)
}

/// The home of the account that runs it: the one that is named, else the one whose home or file it is.
fn runner<'a>(input: &'a Input<'_>, stat: Stat, named: Option<&[u8]>) -> Option<&'a TargetPath> {
    let accounts = &input.target.accounts;
    let by_name = named.and_then(|name| accounts.iter().find(|account| account.name.as_bytes() == name));
    let by_uid = || accounts.iter().find(|account| account.uid == Some(stat.uid));
    let account: Option<&Account> = by_name.or_else(|| input.target.home_of(&input.candidate.path)).or_else(by_uid);
    account.map(|account| &account.home)
}

#[cfg(test)]
mod tests {
    use super::planted::Tree;
    use super::*;
    use crate::model::host::Platform;

    #[test]
    fn what_lies_in_a_layer_starts_nothing_here() {
        let text =
            br#"{"tasks": [{"label": "x", "command": "/opt/x", "runOptions": {"runOn": "folderOpen"}}]}"#.as_slice();
        let rows = |top: &str| {
            let path = format!("{top}/srv/w/.vscode/tasks.json");
            Tree::with(&[(&path, text)]).told(&editors::EXTRACTOR, Platform::Linux, &path).len()
        };
        for top in [
            "/var/lib/docker/overlay2/x/diff",
            "/mnt/overlay2/x/diff",
            "/home/mia/.local/share/containers/storage/overlay/x/diff",
            "/run/k3s/io.containerd.snapshotter.v1.overlayfs/snapshots/7/fs",
        ] {
            assert_eq!(rows(top), 0, "{top}");
        }
        for top in ["", "/mnt/backup", "/home/mia/overlay2/x"] {
            assert_eq!(rows(top), 1, "{top}");
        }
    }
}

#[cfg(test)]
pub(crate) mod planted {
    #![allow(clippy::disallowed_methods, reason = "plants a tree to look at")]
    //! A small tree and one check that is run on one of its files, for the tests of the families.

    use crate::extract::Extractor;
    use crate::extract::input::Input;
    use crate::model::autostart::Autostart;
    use crate::model::facts::Harvest;
    use crate::model::host::Platform;
    use crate::model::interest::Candidate;
    use crate::model::text::Excerpt;
    use crate::model::watch::Watch;
    use crate::target::{Target, Wanted, open};

    const PASSWD: &str = "root:x:0:0::/root:/bin/sh\nmia:x:1000:1000::/home/mia:/bin/sh\n";

    pub(crate) struct Tree(tempfile::TempDir);

    impl Tree {
        pub(crate) fn with(files: &[(&str, &[u8])]) -> Self {
            let tree = Self(tempfile::tempdir().unwrap());
            for (path, content) in files.iter().chain(&[("/etc/passwd", PASSWD.as_bytes())]) {
                std::fs::write(tree.at(path), content).unwrap();
            }
            std::fs::create_dir_all(tree.0.path().join("home/mia")).unwrap();
            std::fs::create_dir_all(tree.0.path().join("root")).unwrap();
            tree
        }

        /// Where a path lies, its folder made.
        pub(crate) fn at(&self, path: &str) -> std::path::PathBuf {
            let path = self.0.path().join(path.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            path
        }

        pub(crate) fn target(&self, platform: Platform) -> Target {
            let platform = Some(platform);
            open(&Wanted { root: self.0.path(), live: false, platform, include_network: false }).unwrap()
        }

        pub(crate) fn read(&self, row: &Extractor, platform: Platform, path: &str) -> Harvest {
            let target = self.target(platform);
            let path = target.root.target_path(path.as_bytes());
            let dir = target.root.resolve(&path.parent().unwrap()).and_then(|at| target.root.open_dir(&at)).unwrap();
            let name = path.file_name().to_vec();
            let kind = dir.stat_entry(&name).unwrap().kind;
            let candidate = Candidate { check: 0, dir: &dir, name: &name, kind, path: path.clone() };
            let watch = Watch::default();
            (row.read)(&Input::new(row, &target, &watch, &candidate))
        }

        /// The rows of a file, each in a line.
        pub(crate) fn told(&self, row: &Extractor, platform: Platform, path: &str) -> Vec<String> {
            self.read(row, platform, path).facts.autostarts.iter().map(tell).collect()
        }
    }

    /// `kind name | runs | trigger | as | programs | signs`, what is empty left out.
    pub(crate) fn tell(row: &Autostart) -> String {
        let mut out = format!("{:?} {}", row.kind, row.name.as_str());
        for (label, text) in [("runs", &row.runs), ("when", &row.trigger), ("as", &row.runs_as)] {
            if let Some(text) = text.as_ref().map(Excerpt::as_str) {
                out += &format!(" | {label} {text}");
            }
        }
        for one in &row.programs {
            out += &format!(" | {:?} {}", one.role, one.path.to_text());
            out += &one.place.iter().map(|mark| format!(" {mark:?}")).collect::<String>();
        }
        out + &row.signs.iter().map(|sign| format!(" | {:?}", sign.what)).collect::<String>()
    }
}
