#![allow(clippy::disallowed_methods, reason = "reads this host's own mount table, not the target")]
//! What is mounted below the root, from this host's own table (`/proc/self/mountinfo`, proc(5)). It is read once and
//! before the walk, because even a look at a dead network mount can hang, and entering an automount point mounts it.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::root::Root;
use crate::model::interest::EntryKind;
use crate::model::path::TargetPath;

/// What kind of thing is mounted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MountKind {
    /// A disk, or memory used like one: files are files.
    Storage,
    /// The kernel's own view of itself: nothing on it was put there by anybody.
    Pseudo,
    /// Another machine, a user program or an automounter answers.
    Network,
}

/// One mount below the root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mount {
    /// Where, on the target.
    pub path: TargetPath,
    /// The file system's type, as the kernel names it.
    pub fs_type: String,
    /// What that means for a sweep.
    pub kind: MountKind,
    /// Device number as `major:minor`.
    pub device: String,
    /// Of an overlay: the folders that it lays over each other, as far as all of them lie on the target.
    pub layers: Vec<TargetPath>,
}

/// All mounts below the root, by path.
#[derive(Clone, Default, Debug)]
pub struct Mounts {
    by_path: HashMap<TargetPath, Mount>,
    last_names: HashSet<Vec<u8>>,
}

const PSEUDO: &[&str] = &[
    "proc",
    "sysfs",
    "devpts",
    "cgroup",
    "cgroup2",
    "securityfs",
    "debugfs",
    "tracefs",
    "configfs",
    "fusectl",
    "bpf",
    "pstore",
    "efivarfs",
    "mqueue",
    "hugetlbfs",
    "binfmt_misc",
    "rpc_pipefs",
    "nsfs",
    "selinuxfs",
    "smackfs",
    "resctrl",
    "nfsd",
    "fuse.lxcfs",
    "fuse.portal",
    "fuse.gvfsd-fuse",
];

const NETWORK: &[&str] = &[
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "ncpfs",
    "afs",
    "coda",
    "ceph",
    "glusterfs",
    "lustre",
    "beegfs",
    "orangefs",
    "gfs2",
    "ocfs2",
    "gpfs",
    "9p",
    "virtiofs",
    "davfs",
    "autofs",
    "macfuse",
    "webdav",
];

impl MountKind {
    /// By the file system's type. `fuseblk` is a local disk (NTFS); every other FUSE file system is a program that answers.
    #[must_use]
    pub fn of(fs_type: &str) -> Self {
        if PSEUDO.contains(&fs_type) {
            Self::Pseudo
        } else if NETWORK.contains(&fs_type) || fs_type == "fuse" || fs_type.starts_with("fuse.") {
            Self::Network
        } else {
            Self::Storage
        }
    }
}

impl Mounts {
    /// Reads the table; none where there is none (another system, `/proc` not mounted).
    #[must_use]
    pub fn read(root: &Root, at: &Path) -> Option<Self> {
        let table = std::fs::read("/proc/self/mountinfo").ok()?;
        let at = std::fs::canonicalize(at).unwrap_or_else(|_| at.to_path_buf());
        Some(Self::parse(root, at.as_os_str().as_encoded_bytes(), &table))
    }

    pub(super) fn parse(root: &Root, at: &[u8], table: &[u8]) -> Self {
        let at = at.strip_suffix(b"/").unwrap_or(at);
        let mut all = Self::default();
        for line in table.split(|byte| *byte == b'\n') {
            let Some((point, fs_type, device)) = parse_line(line) else {
                continue;
            };
            let Some(below) = below(at, &point) else { continue };
            let path = root.target_path(below);
            let layers = if fs_type == "overlay" { layers(root, at, &point, line) } else { Vec::new() };
            let kind = MountKind::of(&fs_type);
            all.last_names.insert(path.file_name().to_vec());
            // A later line covers an earlier one at the same place.
            all.by_path.insert(path.clone(), Mount { path, fs_type, kind, device, layers });
        }
        all
    }

    /// Looks where the folders of overlays really lie; an overlay of which one cannot be looked at has none.
    pub(super) fn find_layers(&mut self, root: &Root) {
        for mount in self.by_path.values_mut() {
            let real = |layer: &TargetPath| {
                let place = root.resolve(layer).ok().filter(|place| place.stat.kind == EntryKind::Dir)?;
                Some(root.path_of(&place))
            };
            let found: Option<Vec<TargetPath>> = mount.layers.iter().map(real).collect();
            mount.layers = found.unwrap_or_default();
        }
    }

    /// Whether a path lies in a folder that an overlay lays over others.
    #[must_use]
    pub fn has_in_layer(&self, path: &TargetPath) -> bool {
        let is_above =
            |layer: &TargetPath| below(layer.as_bytes(), path.as_bytes()).is_some_and(|rest| !rest.is_empty());
        self.by_path.values().flat_map(|mount| &mount.layers).any(is_above)
    }

    /// Whether anything at all is mounted on a folder of this name: a cheap first question.
    #[must_use]
    pub fn may_be_at(&self, name: &[u8]) -> bool {
        self.last_names.contains(name)
    }

    /// What is mounted exactly there.
    #[must_use]
    pub fn at(&self, path: &TargetPath) -> Option<&Mount> {
        self.by_path.get(path)
    }

    /// All mounts, sorted by path.
    #[must_use]
    pub fn sorted(&self) -> Vec<&Mount> {
        let mut all: Vec<&Mount> = self.by_path.values().collect();
        all.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        all
    }
}

/// `36 35 98:0 /root /mount/point options optional - type source options` → mount point, type, device.
fn parse_line(line: &[u8]) -> Option<(Vec<u8>, String, String)> {
    let mut fields = line.split(|byte| *byte == b' ');
    let device = String::from_utf8_lossy(fields.nth(2)?).into_owned();
    let point = unescape(fields.nth(1)?);
    let fs_type = fields.skip_while(|field| *field != b"-").nth(1)?;
    Some((point, String::from_utf8_lossy(fs_type).into_owned(), device))
}

/// What of a path of this host lies below the root, with a `/` in front.
fn below<'p>(at: &[u8], path: &'p [u8]) -> Option<&'p [u8]> {
    path.strip_prefix(at).filter(|rest| rest.len() > 1 && rest.first() == Some(&b'/'))
}

/// The folders that an overlay lays over each other (kernel documentation, overlayfs): `lowerdir`, with colons between, or
/// `lowerdir+` once for each, and `upperdir`. Engines that mount many layers write them relative to the folder above that of
/// the mount. None of them where one does not lie below the root.
fn layers(root: &Root, at: &[u8], point: &[u8], line: &[u8]) -> Vec<TargetPath> {
    let options = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    let home = TargetPath::new(point).parent().and_then(|folder| folder.parent());
    let mut written: Vec<Vec<u8>> = Vec::new();
    for option in options.split(|byte| *byte == b',') {
        let Some(equals) = option.iter().position(|byte| *byte == b'=') else { continue };
        let (name, value) = (option.get(..equals).unwrap_or_default(), option.get(equals + 1..).unwrap_or_default());
        match name {
            b"lowerdir" => written.extend(unescape(value).split(|byte| *byte == b':').map(<[u8]>::to_vec)),
            b"lowerdir+" | b"datadir+" | b"upperdir" => written.push(unescape(value)),
            _ => {}
        }
    }
    let placed = |path: Vec<u8>| match (path.first(), &home) {
        (Some(b'/'), _) => Some(path),
        (Some(_), Some(home)) => Some(home.join(&path).as_bytes().to_vec()),
        _ => None,
    };
    let own = |path| placed(path).and_then(|path| below(at, &path).map(|rest| root.target_path(rest)));
    written.into_iter().map(own).collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// Blanks, tabs, line ends and backslashes stand as three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, tail)) = rest.split_first() {
        let code = (*first == b'\\').then(|| tail.get(..3)).flatten().and_then(octal);
        match code {
            Some(byte) => {
                out.push(byte);
                rest = tail.get(3..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

fn octal(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] = b"22 1 254:0 / / rw - ext4 /dev/vda rw\n\
        30 22 0:24 / /proc rw shared:5 - proc proc rw\n\
        31 22 0:40 / /mnt/my\\040share rw,relatime shared:1 master:2 - nfs4 host:/x rw\n\
        32 22 0:41 / /mnt/image/var rw - fuse.sshfs host: rw\n\
        broken\n";

    #[test]
    fn the_table_is_read_relative_to_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap();
        let live = Mounts::parse(&root, b"/", TABLE);
        let kind = |path: &[u8]| live.at(&TargetPath::new(path)).map(|mount| mount.kind);
        assert_eq!(kind(b"/proc"), Some(MountKind::Pseudo));
        assert_eq!(kind(b"/mnt/my share"), Some(MountKind::Network));
        assert_eq!(kind(b"/mnt/image"), None);
        assert!(live.may_be_at(b"proc") && !live.may_be_at(b"etc"));
        let image = Mounts::parse(&root, b"/mnt/image", TABLE);
        let paths: Vec<_> = image.sorted().iter().map(|mount| mount.path.to_text().into_owned()).collect();
        assert_eq!(paths, ["/var"]);
    }

    #[test]
    fn an_overlay_names_its_layers() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["s/o/1/diff", "s/o/2/diff", "s/o/2/merged"] {
            std::fs::create_dir_all(dir.path().join(name)).unwrap();
        }
        std::fs::create_dir_all(dir.path().join("s/o/l")).unwrap();
        std::os::unix::fs::symlink("../1/diff", dir.path().join("s/o/l/SHORT")).unwrap();
        let root = Root::open(dir.path()).unwrap();
        let layers = |options: &str| {
            let line = format!("46 43 0:39 / /x/s/o/2/merged rw - overlay overlay rw,{options},workdir=/x/s/o/2/work");
            let mut mounts = Mounts::parse(&root, b"/x", line.as_bytes());
            mounts.find_layers(&root);
            let mount = mounts.at(&TargetPath::new(b"/s/o/2/merged")).unwrap().clone();
            mount.layers.iter().map(|path| path.to_text().into_owned()).collect::<Vec<_>>()
        };
        let both = ["/s/o/1/diff", "/s/o/2/diff"];
        assert_eq!(layers("lowerdir=/x/s/o/l/SHORT,upperdir=/x/s/o/2/diff"), both);
        assert_eq!(layers("lowerdir=l/SHORT,upperdir=2/diff"), both);
        assert_eq!(layers("lowerdir+=/x/s/o/1/diff,upperdir=/x/s/o/2/diff"), both);
        let line =
            b"46 43 0:39 / /x/s/o/2/merged rw - overlay overlay rw,lowerdir=/x/s/o/1/diff,upperdir=/x/s/o/2/diff";
        let mut mounts = Mounts::parse(&root, b"/x", line);
        mounts.find_layers(&root);
        let is_in = |path: &str| mounts.has_in_layer(&TargetPath::new(path.as_bytes()));
        assert!(is_in("/s/o/1/diff/a/b") && is_in("/s/o/2/diff/a") && !is_in("/s/o/1/diffs/a") && !is_in("/s/o/a"));
        // Of another host's disk, and of one that is gone, nothing can be said.
        assert_eq!(layers("lowerdir=/s/o/1/diff,upperdir=/x/s/o/2/diff"), Vec::<String>::new());
        assert_eq!(layers("lowerdir=/x/s/o/1/diff:/x/s/o/9/diff"), Vec::<String>::new());
    }

    #[test]
    fn types_are_told_apart() {
        assert_eq!(MountKind::of("ext4"), MountKind::Storage);
        assert_eq!(MountKind::of("fuseblk"), MountKind::Storage);
        assert_eq!(MountKind::of("fuse.rclone"), MountKind::Network);
        assert_eq!(MountKind::of("autofs"), MountKind::Network);
        assert_eq!(MountKind::of("cgroup2"), MountKind::Pseudo);
    }
}
