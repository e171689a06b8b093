#![allow(clippy::disallowed_methods, reason = "this is the door that the fences lead to")]
//! The root of the target: links are followed as the target itself would, and nothing outside is ever opened.
//!
//! A path is walked component by component over directory handles. An absolute link starts again at *this* root, `..`
//! stops at it, and more than 40 links give up, as the kernel does. `canonicalize` and plain `open` do neither: on an
//! image, `/etc/x -> /lib/x` would read the `/lib/x` of the machine we run on.

use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::dir::{Dir, OpenFile, Stat, no_access_time};
use super::mounts::{MountKind, Mounts};
use super::spelling::Spellings;
use crate::model::coverage::GapReason;
use crate::model::host::Platform;
use crate::model::interest::EntryKind;
use crate::model::path::TargetPath;

/// Most links that one look-up follows.
const MOST_LINKS: usize = 40;

/// The opened root of the target.
pub struct Root {
    dir: Dir,
    platform: Platform,
    /// How names are spelled, on systems that take them in any case.
    spellings: Spellings,
    /// Where other machines, user programs or an automounter answer: nothing is followed into them.
    shut: Mounts,
}

/// Where a look-up ended: the folder that holds the thing, what the thing is called there, and what it is.
pub struct Place {
    /// The handles from the root down to the folder, the last one nearest.
    trail: Vec<(Dir, Vec<u8>)>,
    /// The last component; empty for the root itself.
    name: Vec<u8>,
    /// What it is, links followed.
    pub stat: Stat,
}

impl Root {
    /// Opens the root.
    ///
    /// # Errors
    /// The system's answer as text.
    pub fn open(path: &Path) -> Result<Self, String> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = match rustix::fs::open(path, flags | no_access_time(), Mode::empty()) {
            // Only the owner and root may ask for that.
            Err(Errno::PERM) => rustix::fs::open(path, flags, Mode::empty()),
            other => other,
        };
        let fd = opened.map_err(|errno| std::io::Error::from(errno).to_string())?;
        let dir = Dir::from_fd(fd);
        Ok(Self { dir, platform: Platform::Linux, spellings: Spellings::default(), shut: Mounts::default() })
    }

    /// Takes note of the mounts that no look-up may enter: even a look at a dead network mount can hang, and a step into
    /// an automount point mounts it.
    pub(super) fn shut_out(&mut self, mounts: Mounts) {
        self.shut = mounts;
    }

    /// Takes note of the target's system, which decides how its names are compared and its paths written.
    pub(super) fn settle(&mut self, platform: Platform) {
        self.platform = platform;
    }

    /// The handle of the root itself.
    #[must_use]
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// The target's system.
    #[must_use]
    pub fn platform(&self) -> Platform {
        self.platform
    }

    /// The target path of the root.
    #[must_use]
    pub fn path(&self) -> TargetPath {
        TargetPath::new(if self.platform == Platform::Windows { b"C:\\" } else { b"/" })
    }

    /// A path of the target from what a user, a link or a file of the target wrote: `/` and, on Windows, `\` separate.
    #[must_use]
    pub fn target_path(&self, written: &[u8]) -> TargetPath {
        self.split(written).into_iter().fold(self.path(), |path, part| match part {
            b".." => path.parent().unwrap_or(path),
            part => path.join(part),
        })
    }

    /// Follows `path` to what it finally names.
    ///
    /// # Errors
    /// Why it names nothing that can be looked at.
    pub fn resolve(&self, path: &TargetPath) -> Result<Place, GapReason> {
        self.follow(Vec::new(), path.as_bytes())
    }

    /// Follows the link `name` in the folder `at`; its target is re-rooted and followed to the end. Returns where it
    /// ends, and the path of that.
    ///
    /// # Errors
    /// Why it leads nowhere.
    pub fn follow_link(&self, at: &TargetPath, dir: &Dir, name: &[u8]) -> Result<(Place, TargetPath), GapReason> {
        let link = dir.read_link(name)?;
        let written = if self.is_absolute(&link) { link } else { [at.as_bytes(), b"/", &link].concat() };
        let place = self.follow(Vec::new(), &written)?;
        let path = self.path_of(&place);
        Ok((place, path))
    }

    /// Opens a regular file by its path.
    ///
    /// # Errors
    /// Why not.
    pub fn open_file(&self, path: &TargetPath) -> Result<OpenFile, GapReason> {
        self.open_place(&self.resolve(path)?)
    }

    /// Opens the regular file that a look-up ended at.
    ///
    /// # Errors
    /// Why not.
    pub fn open_place(&self, place: &Place) -> Result<OpenFile, GapReason> {
        self.folder_of(place).open_file(&place.name)
    }

    /// Opens the regular file behind the link `name` in the folder `at`. Whoever plants a link chooses what is read, and
    /// with it what a report shows: so only a file that the owner of the link could read himself is opened, and one of
    /// another name, unless it lies in a site directory, is marked as `is_elsewhere`.
    ///
    /// # Errors
    /// Why not; `LinkElsewhere` for what the owner of the link may not read.
    pub fn open_linked(&self, at: &TargetPath, dir: &Dir, name: &[u8]) -> Result<OpenFile, GapReason> {
        let link = dir.stat_entry(name)?;
        let (place, real) = self.follow_link(at, dir, name)?;
        let is_same =
            real.file_name() == name || (self.platform.is_case_blind() && real.file_name().eq_ignore_ascii_case(name));
        let is_in_site = real.components().any(|part| matches!(part, b"site-packages" | b"dist-packages"));
        let may_read = link.uid == 0 || link.uid == place.stat.uid || place.stat.is_public;
        if place.stat.kind == EntryKind::File && !may_read {
            return Err(GapReason::LinkElsewhere);
        }
        let mut file = self.open_place(&place)?;
        file.is_elsewhere = !is_same && !is_in_site;
        Ok(file)
    }

    /// Opens the directory that a look-up ended at.
    ///
    /// # Errors
    /// Why not.
    pub fn open_dir(&self, place: &Place) -> Result<Dir, GapReason> {
        let name: &[u8] = if place.name.is_empty() { b"." } else { &place.name };
        self.folder_of(place).open_dir(name)
    }

    /// Reads a small text file whole: at most 16 MiB.
    ///
    /// # Errors
    /// Why not; `TooLarge` beyond that.
    pub fn read_small(&self, path: &TargetPath) -> Result<Vec<u8>, GapReason> {
        const CAP: u64 = 16 << 20;
        let mut file = self.open_file(path)?;
        if file.stat.size > CAP {
            return Err(GapReason::TooLarge);
        }
        file.read(CAP)
    }

    /// The path of where a look-up ended, links gone.
    #[must_use]
    pub fn path_of(&self, place: &Place) -> TargetPath {
        let names = place.trail.iter().map(|(_, name)| name.as_slice()).chain([place.name.as_slice()]);
        names.filter(|name| !name.is_empty()).fold(self.path(), |path, name| path.join(name))
    }

    /// The folder that holds what a look-up ended at.
    #[must_use]
    pub fn folder_of<'a>(&'a self, place: &'a Place) -> &'a Dir {
        place.trail.last().map_or(&self.dir, |(dir, _)| dir)
    }

    fn is_absolute(&self, written: &[u8]) -> bool {
        let drive = self.platform == Platform::Windows && written.get(1) == Some(&b':');
        drive || written.first().is_some_and(|at| self.separates(*at))
    }

    fn separates(&self, byte: u8) -> bool {
        byte == b'/' || (byte == b'\\' && self.platform == Platform::Windows)
    }

    /// The components of a written path; a drive or `\\?\` in front is dropped, since a target has one root.
    fn split<'a>(&self, written: &'a [u8]) -> Vec<&'a [u8]> {
        let windows = self.platform == Platform::Windows;
        let is_drive = |part: &[u8]| windows && matches!(part, [letter, b':'] if letter.is_ascii_alphabetic());
        written
            .split(|byte| self.separates(*byte))
            .filter(|part| !part.is_empty() && *part != b"." && !is_drive(part))
            .filter(|part| !windows || *part != b"?")
            .collect()
    }

    fn follow(&self, mut trail: Vec<(Dir, Vec<u8>)>, written: &[u8]) -> Result<Place, GapReason> {
        let mut todo: Vec<Vec<u8>> = self.split(written).into_iter().rev().map(<[u8]>::to_vec).collect();
        let mut links = 0;
        while let Some(part) = todo.pop() {
            if part == b".." {
                trail.pop();
                continue;
            }
            if self.is_shut(&trail, &part) {
                return Err(GapReason::Network);
            }
            let folder = trail.last().map_or(&self.dir, |(dir, _)| dir);
            let (name, stat) = self.find(folder, part)?;
            if stat.kind == EntryKind::Link {
                links += 1;
                if links > MOST_LINKS {
                    return Err(GapReason::LinkLoop);
                }
                let link = folder.read_link(&name)?;
                if self.is_absolute(&link) {
                    trail.clear();
                }
                todo.extend(self.split(&link).into_iter().rev().map(<[u8]>::to_vec));
            } else if todo.is_empty() {
                return Ok(Place { trail, name, stat });
            } else {
                let dir = folder.open_dir(&name).map_err(dangling)?;
                trail.push((dir, name));
            }
        }
        // The path ended in `..` or names the root: the last folder of the trail is the thing itself.
        let last = trail.pop();
        let stat = match &last {
            Some((dir, _)) => dir.stat(),
            None => self.dir.stat(),
        };
        let name = last.map(|(_, name)| name).unwrap_or_default();
        Ok(Place { trail, name, stat: stat.ok_or(GapReason::Unreadable)? })
    }

    fn is_shut(&self, trail: &[(Dir, Vec<u8>)], name: &[u8]) -> bool {
        let path = || trail.iter().fold(self.path(), |path, (_, name)| path.join(name)).join(name);
        self.shut.may_be_at(name) && self.shut.at(&path()).is_some_and(|mount| mount.kind == MountKind::Network)
    }

    /// Looks `name` up in `folder`; on case-blind systems also under another case. Tells how it is spelled.
    ///
    /// # Errors
    /// Why it is not there; `DanglingLink` where nothing has that name.
    pub fn find(&self, folder: &Dir, name: Vec<u8>) -> Result<(Vec<u8>, Stat), GapReason> {
        match folder.stat_entry(&name).map_err(dangling) {
            Ok(stat) => Ok((name, stat)),
            Err(GapReason::DanglingLink) if self.platform.is_case_blind() => {
                let name = self.spellings.spelled(folder, &name)?.ok_or(GapReason::DanglingLink)?;
                folder.stat_entry(&name).map(|stat| (name, stat))
            }
            Err(why) => Err(why),
        }
    }
}

/// During a look-up, what is not there is where a link leads to nothing.
fn dangling(why: GapReason) -> GapReason {
    if why == GapReason::Missing { GapReason::DanglingLink } else { why }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree() -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir_all(at("etc/deep")).unwrap();
        std::fs::write(at("etc/name"), "inside").unwrap();
        symlink("/etc/name", at("absolute")).unwrap();
        symlink("../../../../../../etc/name", at("etc/climbing")).unwrap();
        symlink("loop-b", at("loop-a")).unwrap();
        symlink("loop-a", at("loop-b")).unwrap();
        symlink("/nowhere", at("dangling")).unwrap();
        symlink("etc", at("folder")).unwrap();
        let root = Root::open(dir.path()).unwrap();
        (dir, root)
    }

    fn read(root: &Root, path: &str) -> Result<Vec<u8>, GapReason> {
        root.read_small(&TargetPath::new(path.as_bytes()))
    }

    #[test]
    fn links_are_followed_as_the_target_would() {
        let (_dir, root) = tree();
        for path in ["/etc/name", "/absolute", "/etc/climbing", "/folder/name", "/../../etc/name", "/etc/deep/../name"]
        {
            assert_eq!(read(&root, path).unwrap(), b"inside", "{path}");
        }
        let place = root.resolve(&TargetPath::new(b"/folder/deep/../climbing")).unwrap();
        assert_eq!(root.path_of(&place).as_bytes(), b"/etc/name");
    }

    #[test]
    fn what_leads_nowhere_says_so() {
        let (_dir, root) = tree();
        assert_eq!(read(&root, "/loop-a"), Err(GapReason::LinkLoop));
        assert_eq!(read(&root, "/dangling"), Err(GapReason::DanglingLink));
        assert_eq!(read(&root, "/etc"), Err(GapReason::NotRegular));
    }

    #[test]
    fn nothing_is_followed_into_a_network_mount() {
        let (dir, mut root) = tree();
        symlink("/folder/deep", dir.path().join("into")).unwrap();
        let table = b"31 22 0:40 / /etc/deep rw - nfs4 host:/x rw\n32 22 0:41 / /etc/disk rw - ext4 /dev/x rw\n";
        let mounts = Mounts::parse(&root, b"/", table);
        root.shut_out(mounts);
        let answer = |path: &str| root.resolve(&TargetPath::new(path.as_bytes())).map(|_| ()).unwrap_err();
        for path in ["/etc/deep", "/etc/deep/x", "/folder/deep", "/into"] {
            assert_eq!(answer(path), GapReason::Network, "{path}");
        }
        assert_eq!(answer("/etc/disk"), GapReason::DanglingLink);
        assert_eq!(read(&root, "/etc/name").unwrap(), b"inside");
    }

    #[test]
    fn a_fifo_is_never_opened() {
        let (dir, root) = tree();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            dir.path().join("etc/fifo"),
            rustix::fs::FileType::Fifo,
            Mode::RUSR | Mode::WUSR,
            0,
        )
        .unwrap();
        assert_eq!(read(&root, "/etc/fifo"), Err(GapReason::NotRegular));
    }

    #[test]
    fn case_is_ignored_only_where_the_system_ignores_it() {
        let (_dir, mut root) = tree();
        assert_eq!(read(&root, "/ETC/Name"), Err(GapReason::DanglingLink));
        root.settle(Platform::Windows);
        assert_eq!(read(&root, "C:\\ETC\\Name").unwrap(), b"inside");
        assert_eq!(root.target_path(b"C:\\Users\\mia/x").as_bytes(), b"C:\\Users\\mia\\x");
    }
}
