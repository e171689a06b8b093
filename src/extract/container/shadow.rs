//! What a layer takes away from those below it (kernel documentation, `overlayfs`; fuse-overlayfs; OCI image layers):
//!
//! * anything but a folder in place of a folder or a file, first of all the device 0/0, which is made for that;
//! * a folder marked as opaque: by `trusted.overlay.opaque`, on mounts of a user's own by `user.overlay.opaque`;
//! * for fuse-overlayfs also files named `.wh.NAME`, and `.wh..wh..opq` in an opaque folder.
//!
//! Only the marks that the driver of the store goes by count: in a container anybody can make a file named `.wh.NAME`,
//! and a kernel that does not know such names still shows what the file pretends to hide.

use std::collections::{HashMap, HashSet};

use crate::model::container::LayerForm;
use crate::model::coverage::GapReason;
use crate::model::interest::EntryKind;
use crate::model::path::TargetPath;
use crate::target::Target;
use crate::target::dir::Dir;

/// Most look-ups of one sweep. What lies beyond stays as it is: not hidden.
const MOST_LOOKS: usize = 200_000;

/// What a layer does to the entries of one folder of the layers below it.
pub(super) enum Shadow {
    /// Nothing.
    None,
    /// It hides all of them; here.
    All(TargetPath),
    /// It hides these, each here.
    Some(HashMap<Vec<u8>, TargetPath>),
}

impl Shadow {
    /// What hides an entry.
    pub(super) fn over(&self, name: &[u8]) -> Option<&TargetPath> {
        match self {
            Self::None => None,
            Self::All(path) => Some(path),
            Self::Some(all) => all.get(name),
        }
    }
}

/// A layer is the same for all that have it: its place in memory tells it, and is quick to compare.
pub(super) type LayerRef = *const TargetPath;

/// A layer above another one, and the driver that lays it there.
pub(super) type Above<'a> = (&'a TargetPath, LayerForm);

/// What each layer above does to what lies in one folder, as far as it does anything.
pub(super) type Cast = HashMap<LayerRef, Shadow>;

/// Looks at layers.
pub(super) struct Shadows<'a> {
    target: &'a Target,
    left: usize,
}

impl<'a> Shadows<'a> {
    pub(super) fn of(target: &'a Target) -> Self {
        Self { target, left: MOST_LOOKS }
    }

    /// Whether everything that was asked was looked at.
    pub(super) fn is_whole(&self) -> bool {
        self.left > 0
    }

    /// Counts look-ups that somebody else makes; tells whether they are within bounds.
    pub(super) fn spend(&mut self, looks: usize) -> bool {
        self.left = self.left.saturating_sub(looks.saturating_add(1));
        self.left > 0
    }

    /// A folder by its path; none where it cannot be opened, or enough was looked at.
    pub(super) fn open(&mut self, path: &TargetPath) -> Option<Dir> {
        if !self.spend(0) {
            return None;
        }
        let root = &self.target.root;
        root.resolve(path).and_then(|place| root.open_dir(&place)).ok()
    }

    /// Whether the layer at `upper` has a package of that name in that folder, with a start of its own.
    pub(super) fn begins_package(&mut self, upper: &TargetPath, below: &[&[u8]], name: &[u8]) -> bool {
        let Some(dir) = self.open(upper) else { return false };
        let package = below.iter().chain([&name]).try_fold(dir, |dir, name| dir.open_dir(name));
        let start = package.and_then(|package| package.stat_entry(b"__init__.py"));
        start.is_ok_and(|stat| stat.kind == EntryKind::File)
    }

    /// What each of these layers does to the entries `names` of the folder `below`.
    pub(super) fn cast_each(&mut self, above: &[Above<'_>], below: &[&[u8]], names: &[&[u8]]) -> Cast {
        let mut out = Cast::new();
        for (upper, form) in above {
            let shadow = self.cast(upper, *form, below, names);
            if !matches!(shadow, Shadow::None) {
                out.insert(std::ptr::from_ref(*upper), shadow);
            }
        }
        out
    }

    /// What the layer at `upper` does to the entries `names` of the folder `below`, which is relative to the layers.
    pub(super) fn cast(&mut self, upper: &TargetPath, form: LayerForm, below: &[&[u8]], names: &[&[u8]]) -> Shadow {
        // Counts one for the folder of the layer, so that looking ends even where there is nothing to see.
        let Some(mut dir) = self.open(upper) else { return Shadow::None };
        let mut path = upper.clone();
        for name in below {
            if let Some(by) = self.hider(&dir, &path, form, name) {
                return Shadow::All(by);
            }
            path = path.join(name);
            let Ok(inner) = dir.open_dir(name) else { return Shadow::None };
            if is_opaque(&inner, form) {
                return Shadow::All(path);
            }
            dir = inner;
        }
        let mut hidden = HashMap::new();
        for name in names {
            let by = self.hider(&dir, &path, form, name).or_else(|| {
                let own = dir.open_dir(name).ok()?;
                is_opaque(&own, form).then(|| path.join(name))
            });
            hidden.extend(by.map(|by| (name.to_vec(), by)));
        }
        if hidden.is_empty() { Shadow::None } else { Shadow::Some(hidden) }
    }

    /// What in a folder of an upper layer hides the entry of that name below it. A folder hides none: both are shown.
    fn hider(&mut self, dir: &Dir, path: &TargetPath, form: LayerForm, name: &[u8]) -> Option<TargetPath> {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            return None;
        }
        match dir.stat_entry(name) {
            Ok(stat) => (stat.kind != EntryKind::Dir).then(|| path.join(name)),
            Err(GapReason::Missing) if form == LayerForm::Fuse => {
                let mark = [b".wh.", name].concat();
                dir.stat_entry(&mark).ok().map(|_| path.join(&mark))
            }
            Err(_) => None,
        }
    }
}

/// Each layer once.
pub(super) fn distinct<'a>(all: impl Iterator<Item = Above<'a>>) -> Vec<Above<'a>> {
    let mut seen: HashSet<LayerRef> = HashSet::new();
    all.filter(|(upper, _)| seen.insert(std::ptr::from_ref(*upper))).collect()
}

fn is_opaque(dir: &Dir, form: LayerForm) -> bool {
    let says = |name: &str| dir.attribute(name).is_some_and(|value| value == b"y");
    match form {
        LayerForm::Kernel => says("trusted.overlay.opaque"),
        LayerForm::KernelOfUser => says("user.overlay.opaque"),
        LayerForm::Fuse => {
            ["trusted.overlay.opaque", "user.overlay.opaque", "user.fuseoverlayfs.opaque"].into_iter().any(says)
                || dir.stat_entry(b".wh..wh..opq").is_ok()
        }
        LayerForm::Copy => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "plants layers of its own")]

    use super::*;
    use crate::model::host::Platform;

    fn target(dir: &tempfile::TempDir) -> Target {
        let wanted = crate::target::Wanted {
            root: dir.path(),
            live: false,
            platform: Some(Platform::Linux),
            include_network: false,
        };
        crate::target::open(&wanted).unwrap()
    }

    fn over(target: &Target, form: LayerForm, name: &str) -> Option<String> {
        let mut shadows = Shadows::of(target);
        let upper = TargetPath::new(b"/up");
        let shadow = shadows.cast(&upper, form, &[b"lib", b"site"], &[name.as_bytes()]);
        shadow.over(name.as_bytes()).map(|path| path.to_text().into_owned())
    }

    #[test]
    fn what_is_in_the_way_hides() {
        let dir = tempfile::tempdir().unwrap();
        let site = dir.path().join("up/lib/site");
        std::fs::create_dir_all(site.join("both")).unwrap();
        std::fs::write(site.join("file"), "").unwrap();
        std::fs::write(site.join(".wh.marked"), "").unwrap();
        let target = target(&dir);
        assert_eq!(over(&target, LayerForm::Kernel, "both"), None);
        assert_eq!(over(&target, LayerForm::Kernel, "none"), None);
        assert_eq!(over(&target, LayerForm::Kernel, "file").unwrap(), "/up/lib/site/file");
        // The kernel does not know such names.
        assert_eq!(over(&target, LayerForm::Kernel, "marked"), None);
        assert_eq!(over(&target, LayerForm::KernelOfUser, "marked"), None);
        assert_eq!(over(&target, LayerForm::Fuse, "marked").unwrap(), "/up/lib/site/.wh.marked");
    }

    #[test]
    fn an_opaque_or_replaced_folder_hides_all_below() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("up/lib/site")).unwrap();
        std::fs::write(dir.path().join("up/lib/.wh..wh..opq"), "").unwrap();
        let opened = target(&dir);
        assert_eq!(over(&opened, LayerForm::Fuse, "x").unwrap(), "/up/lib");
        assert_eq!(over(&opened, LayerForm::Kernel, "x"), None);
        let other = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(other.path().join("up")).unwrap();
        std::os::unix::fs::symlink("/elsewhere", other.path().join("up/lib")).unwrap();
        assert_eq!(over(&target(&other), LayerForm::Kernel, "x").unwrap(), "/up/lib");
    }

    #[test]
    fn attributes_count_where_the_driver_goes_by_them() {
        let dir = tempfile::tempdir().unwrap();
        let lib = dir.path().join("up/lib");
        std::fs::create_dir_all(lib.join("site")).unwrap();
        let set = |name: &str| rustix::fs::setxattr(&lib, name, b"y", rustix::fs::XattrFlags::empty());
        if set("user.overlay.opaque").is_err() {
            println!("left out: this file system has no attributes of users");
            return;
        }
        let target = target(&dir);
        assert_eq!(over(&target, LayerForm::KernelOfUser, "x").unwrap(), "/up/lib");
        // A container's root may set this one, and the host's kernel does not go by it.
        assert_eq!(over(&target, LayerForm::Kernel, "x"), None);
        if set("trusted.overlay.opaque").is_ok() {
            assert_eq!(over(&target, LayerForm::Kernel, "x").unwrap(), "/up/lib");
        }
    }
}
