//! Puts a host on disk: everything with the modes and times that the tree says, folders last, so that planting their
//! content does not change their times again.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps};
use tempfile::TempDir;

use super::tree::{Entry, Host, Kind};

/// A planted host; gone when dropped.
pub(crate) struct Planted {
    holder: TempDir,
    /// The root of the host.
    pub(crate) root: PathBuf,
    /// Everything below the root, and the root.
    paths: Vec<PathBuf>,
    /// What has a mode of its own, and may have to be opened again before it can be removed.
    shut: Vec<PathBuf>,
}

impl Drop for Planted {
    fn drop(&mut self) {
        for path in &self.shut {
            let _gone = std::fs::set_permissions(path, Permissions::from_mode(0o755));
        }
    }
}

/// What no sweep may ever see, under names that it would report.
const OUTSIDE: &[(&str, &str)] = &[
    ("litellm-1.82.8.dist-info/METADATA", "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n\n"),
    ("hostile.pth", "import sys; sys.flags.quiet > 9 and __import__('subprocess').Popen([])\n"),
    ("passwd", "outsider:x:4711:4711::/home/outsider:/bin/sh\n"),
    ("venv/pyvenv.cfg", "home = /outside\n"),
    ("venv/lib/python3.11/site-packages/litellm-1.82.7.dist-info/METADATA", "Name: litellm\nVersion: 1.82.7\n\n"),
];

impl Planted {
    /// Plants `host` at `below` a new temporary folder that everybody may enter.
    pub(crate) fn new(host: &Host, below: &str) -> Self {
        let holder = tempfile::Builder::new().prefix("pysweep-host-").tempdir().unwrap();
        std::fs::set_permissions(holder.path(), Permissions::from_mode(0o755)).unwrap();
        let root = holder.path().join(below);
        let outside = root.with_file_name("outside");
        for (path, text) in OUTSIDE {
            let path = outside.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        std::fs::create_dir_all(&root).unwrap();
        for entry in &host.entries {
            plant(&root, &outside, entry);
        }
        let paths = tree(&root);
        open_modes(&paths);
        settle_times(&root, host, &paths);
        settle_modes(&root, host);
        let shut =
            host.entries.iter().filter(|entry| entry.mode.is_some()).map(|entry| at(&root, &entry.path)).collect();
        Self { holder, root, paths, shut }
    }

    /// Everything that a sweep could change about what was planted: times, sizes, modes. Nothing is listed here, since
    /// that alone changes when a folder was last read.
    pub(crate) fn snapshot(&self) -> Vec<String> {
        self.paths.iter().map(|path| state(path)).collect()
    }

    /// What lies there now and was not planted.
    pub(crate) fn strangers(&self) -> Vec<PathBuf> {
        tree(&self.root).into_iter().filter(|path| !self.paths.contains(path)).collect()
    }

    /// The name of the temporary folder, which must not appear in a report outside of `sweep`.
    pub(crate) fn mark(&self) -> String {
        self.holder.path().file_name().unwrap().to_str().unwrap().to_owned()
    }
}

/// Where a path of a tree lies on this disk.
pub(crate) fn at(root: &Path, path: &[u8]) -> PathBuf {
    root.join(OsStr::from_bytes(path))
}

fn plant(root: &Path, outside: &Path, entry: &Entry) {
    let path = at(root, &entry.path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap_or_else(|why| panic!("above {}: {why}", path.display()));
    let made = match &entry.kind {
        Kind::Dir => std::fs::create_dir_all(&path),
        Kind::File { content, size } => std::fs::write(&path, content).and_then(|()| match size {
            Some(size) => std::fs::OpenOptions::new().write(true).open(&path)?.set_len(*size),
            None => Ok(()),
        }),
        Kind::Link(target) => {
            let target = replaced(target, outside);
            symlink(OsStr::from_bytes(&target), &path)
        }
        Kind::HardLink(other) => std::fs::hard_link(at(root, other), &path),
        Kind::Fifo => {
            rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).map_err(Into::into)
        }
    };
    made.unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    if let Some(uid) = entry.owner {
        std::os::unix::fs::lchown(&path, Some(uid), Some(uid)).unwrap();
    }
}

/// A link's target with `{outside}` filled in.
fn replaced(target: &[u8], outside: &Path) -> Vec<u8> {
    match target.strip_prefix(b"{outside}") {
        Some(rest) => [outside.as_os_str().as_bytes(), rest].concat(),
        None => target.to_vec(),
    }
}

/// Modes that do not depend on the umask of whoever runs the tests.
fn open_modes(paths: &[PathBuf]) {
    for path in paths {
        let kind = std::fs::symlink_metadata(path).unwrap().file_type();
        if kind.is_dir() || kind.is_file() {
            let mode = if kind.is_dir() { 0o755 } else { 0o644 };
            std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        }
    }
}

/// The modes that the tree asks for, deepest first: a folder that shuts its owner out would hide what lies in it.
fn settle_modes(root: &Path, host: &Host) {
    let mut wanted: Vec<(&Entry, u32)> = host.entries.iter().filter_map(|entry| Some((entry, entry.mode?))).collect();
    wanted.sort_by_key(|(entry, _)| std::cmp::Reverse(entry.path.len()));
    for (entry, mode) in wanted {
        std::fs::set_permissions(at(root, &entry.path), Permissions::from_mode(mode)).unwrap();
    }
}

fn settle_times(root: &Path, host: &Host, paths: &[PathBuf]) {
    for path in paths {
        let own = host.entries.iter().rev().find(|entry| at(root, &entry.path) == *path);
        let seconds = own.and_then(|entry| entry.time).unwrap_or(host.time);
        let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
        let times = Timestamps { last_access: time, last_modification: time };
        rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    }
}

/// Everything below a root and the root itself, content before folders.
fn tree(root: &Path) -> Vec<PathBuf> {
    walkdir::WalkDir::new(root)
        .contents_first(true)
        .into_iter()
        .filter_map(|entry| entry.ok().map(walkdir::DirEntry::into_path))
        .collect()
}

fn state(path: &Path) -> String {
    let meta = std::fs::symlink_metadata(path).unwrap();
    // Nothing can be read from a link without its access time being touched.
    let accessed = if meta.file_type().is_symlink() { 0 } else { meta.atime() };
    format!("{path:?} mode {:o} size {} modified {} accessed {accessed}", meta.mode(), meta.size(), meta.mtime())
}
