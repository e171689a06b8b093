#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this is the door that the fences lead to")]
//! A handle of one directory of the target. Everything below it is opened relative to the handle: that reaches paths
//! longer than any limit, and leaves no time between seeing an entry and opening it.

use std::fs::File;
use std::io::Read;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::model::coverage::GapReason;
use crate::model::interest::EntryKind;
use crate::model::python::{DirIdentity, FileIdentity};
use crate::model::time::Time;

/// What the system says of one entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat {
    /// What it is.
    pub kind: EntryKind,
    /// Bytes.
    pub size: u64,
    /// Owner.
    pub uid: u32,
    /// How many names it has.
    pub links: u64,
    /// Whether every account may read it, as far as its own permissions go.
    pub is_public: bool,
    /// Whether every account may change it, or put and take files in it: a folder with the sticky bit keeps those of
    /// others.
    pub is_world_writable: bool,
    /// Bytes that the disk holds for it: far fewer than its size where it is mostly a hole.
    pub allocated: u64,
    /// Last modification.
    pub modified: Time,
    /// Device, inode, last change.
    pub identity: DirIdentity,
}

impl Stat {
    /// Which file it is.
    #[must_use]
    pub fn file(&self) -> FileIdentity {
        FileIdentity { device: self.identity.device, inode: self.identity.inode }
    }

    /// The same, if it has more than one name.
    #[must_use]
    pub fn linked(&self) -> Option<FileIdentity> {
        (self.kind == EntryKind::File && self.links > 1).then(|| self.file())
    }
}

/// An open directory.
pub struct Dir {
    fd: OwnedFd,
    stat: OnceLock<Option<Stat>>,
    /// Whether somebody has begun to list it: a handle remembers how far its listing is.
    is_listed: AtomicBool,
}

/// An open regular file of known size.
pub struct OpenFile {
    file: File,
    /// What the system said of the handle.
    pub stat: Stat,
    /// Whether a link of another name led here: nothing of its content may be shown, since it may be anything.
    pub is_elsewhere: bool,
}

impl Dir {
    pub(super) fn from_fd(fd: OwnedFd) -> Self {
        Self { fd, stat: OnceLock::new(), is_listed: AtomicBool::new(false) }
    }

    /// Opens a subdirectory, never through a link.
    ///
    /// # Errors
    /// Why not.
    pub fn open_dir(&self, name: &[u8]) -> Result<Self, GapReason> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        self.open_quietly(name, flags).map(Self::from_fd)
    }

    /// Opens a regular file, never through a link, never waiting: a FIFO would block, a device could do anything.
    ///
    /// # Errors
    /// Why not; `NotRegular` for everything that is no regular file.
    pub fn open_file(&self, name: &[u8]) -> Result<OpenFile, GapReason> {
        let seen = self.stat_entry(name)?;
        if seen.kind != EntryKind::File {
            return Err(GapReason::NotRegular);
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        let file = File::from(self.open_quietly(name, flags)?);
        // What was seen and what was opened may be two things: the handle has the last word.
        let stat = rustix::fs::fstat(&file).map(|stat| read_stat(&stat)).map_err(reason)?;
        if stat.kind != EntryKind::File {
            return Err(GapReason::NotRegular);
        }
        Ok(OpenFile { file, stat, is_elsewhere: false })
    }

    /// What the system says of an entry, of a link itself.
    ///
    /// # Errors
    /// Why not.
    pub fn stat_entry(&self, name: &[u8]) -> Result<Stat, GapReason> {
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        rustix::fs::statat(&self.fd, name, flags).map(|stat| read_stat(&stat)).map_err(reason)
    }

    /// What the system says of this directory itself; asked once.
    #[must_use]
    pub fn stat(&self) -> Option<Stat> {
        *self.stat.get_or_init(|| rustix::fs::fstat(&self.fd).ok().map(|stat| read_stat(&stat)))
    }

    /// The value of an extended attribute of this directory, of at most 64 bytes; none where it has none or the system
    /// does not show it. Those named `trusted.` are shown to root only.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<Vec<u8>> {
        let mut value = vec![0; 64];
        let length = rustix::fs::fgetxattr(&self.fd, name, &mut value).ok()?;
        value.truncate(length);
        Some(value)
    }

    /// Where a link points, as it is written.
    ///
    /// # Errors
    /// Why not.
    pub fn read_link(&self, name: &[u8]) -> Result<Vec<u8>, GapReason> {
        rustix::fs::readlinkat(&self.fd, name, Vec::new()).map(std::ffi::CString::into_bytes).map_err(reason)
    }

    /// Calls `show` for every entry but `.` and `..`, as the listing gives them: no look at the entries themselves,
    /// except where the file system does not say what they are.
    ///
    /// # Errors
    /// Why the listing stopped; what came before it was shown.
    pub fn list(&self, mut show: impl FnMut(&[u8], EntryKind)) -> Result<(), GapReason> {
        let mut shown = |name: &[u8], kind: FileType| {
            if name == b"." || name == b".." {
                return;
            }
            let kind = match kind {
                FileType::Unknown => self.stat_entry(name).map_or(EntryKind::Other, |stat| stat.kind),
                known => entry_kind(known),
            };
            show(name, kind);
        };
        // The walk lists every directory once, and most are never listed again. Whoever comes second, perhaps while the
        // first is still at it, gets a handle of his own.
        if !self.is_listed.swap(true, Ordering::Relaxed) {
            return list_raw(&self.fd, &mut shown);
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        list_raw(&self.open_quietly(b".", flags)?, &mut shown)
    }

    /// `openat` that leaves access times alone where the system permits it.
    fn open_quietly(&self, name: &[u8], flags: OFlags) -> Result<OwnedFd, GapReason> {
        let opened = match rustix::fs::openat(&self.fd, name, flags | no_access_time(), Mode::empty()) {
            // Only the owner and root may ask for that.
            Err(Errno::PERM) => rustix::fs::openat(&self.fd, name, flags, Mode::empty()),
            other => other,
        };
        opened.map_err(reason)
    }
}

#[cfg(target_os = "linux")]
fn list_raw(fd: &OwnedFd, shown: &mut impl FnMut(&[u8], FileType)) -> Result<(), GapReason> {
    // Large enough that most directories are one call, small enough for a worker's stack.
    let mut buffer = [std::mem::MaybeUninit::<u8>::uninit(); 64 * 1024];
    let mut listing = rustix::fs::RawDir::new(fd, &mut buffer);
    while let Some(entry) = listing.next() {
        let entry = entry.map_err(reason)?;
        shown(entry.file_name().to_bytes(), entry.file_type());
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn list_raw(fd: &OwnedFd, shown: &mut impl FnMut(&[u8], FileType)) -> Result<(), GapReason> {
    for entry in rustix::fs::Dir::read_from(fd).map_err(reason)? {
        let entry = entry.map_err(reason)?;
        shown(entry.file_name().to_bytes(), entry.file_type());
    }
    Ok(())
}

impl OpenFile {
    /// Reads at most `cap` bytes from where it stands.
    ///
    /// # Errors
    /// `Unreadable` when the disk does not give what it promised.
    pub fn read(&mut self, cap: u64) -> Result<Vec<u8>, GapReason> {
        let mut bytes = Vec::with_capacity(usize::try_from(cap.min(self.stat.size)).unwrap_or(0).min(1 << 20));
        (&mut self.file).take(cap).read_to_end(&mut bytes).map_err(|_| GapReason::Unreadable)?;
        Ok(bytes)
    }

    /// Fills `buffer` from `offset` on, as far as there are bytes; tells how many.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match rustix::io::pread(&self.file, rest, offset.saturating_add(filled as u64)) {
                Ok(0) => break,
                Ok(got) => filled += got,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(filled)
    }

    /// The file as a stream of at most `cap` bytes.
    pub fn stream(self, cap: u64) -> impl Read {
        self.file.take(cap)
    }
}

/// Asks that a directory's access time stays as it is, where the system knows how.
#[cfg(target_os = "linux")]
pub(super) fn no_access_time() -> OFlags {
    OFlags::NOATIME
}

/// The same where the system does not.
#[cfg(not(target_os = "linux"))]
pub(super) fn no_access_time() -> OFlags {
    OFlags::empty()
}

fn entry_kind(kind: FileType) -> EntryKind {
    match kind {
        FileType::Directory => EntryKind::Dir,
        FileType::RegularFile => EntryKind::File,
        FileType::Symlink => EntryKind::Link,
        _ => EntryKind::Other,
    }
}

fn read_stat(stat: &rustix::fs::Stat) -> Stat {
    let changed = i128::from(stat.st_mtime) * 1_000_000_000 + i128::from(stat.st_mtime_nsec);
    #[allow(clippy::unnecessary_cast, reason = "the fields' widths differ between systems")]
    Stat {
        kind: entry_kind(FileType::from_raw_mode(stat.st_mode as _)),
        size: u64::try_from(stat.st_size).unwrap_or(0),
        uid: stat.st_uid,
        links: stat.st_nlink as u64,
        is_public: Mode::from_raw_mode(stat.st_mode as _).contains(Mode::ROTH),
        is_world_writable: {
            let mode = Mode::from_raw_mode(stat.st_mode as _);
            mode.contains(Mode::WOTH) && !mode.contains(Mode::SVTX)
        },
        allocated: u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512),
        modified: Time::from_unix(stat.st_mtime as i64),
        identity: DirIdentity { device: stat.st_dev as u64, inode: stat.st_ino as u64, changed },
    }
}

/// The system's answer in the report's words.
pub(super) fn reason(errno: Errno) -> GapReason {
    match errno {
        Errno::ACCESS | Errno::PERM => GapReason::PermissionDenied,
        Errno::NOENT | Errno::STALE | Errno::NOTDIR => GapReason::Missing,
        // With NOFOLLOW this says that the entry became a link after it was listed.
        Errno::LOOP => GapReason::LinkLoop,
        Errno::MFILE | Errno::NFILE | Errno::NOMEM => GapReason::Exhausted,
        Errno::NXIO | Errno::NODEV => GapReason::NotRegular,
        _ => GapReason::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_can_be_listed_again() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("one"), "").unwrap();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let dir = Dir::from_fd(rustix::fs::open(folder.path(), flags, Mode::empty()).unwrap());
        let count = || {
            let mut count = 0;
            dir.list(|_, _| count += 1).unwrap();
            count
        };
        assert_eq!([count(), count(), count()], [1, 1, 1]);
        // One that begins while another is at it sees all of it too.
        let mut inner = 0;
        dir.list(|_, _| inner = count()).unwrap();
        assert_eq!(inner, 1);
    }
}
