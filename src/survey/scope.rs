//! Which trees the walk enters: where it starts, which mounts it crosses, what the user left out.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::model::coverage::{Gap, GapReason, Skipped};
use crate::model::path::TargetPath;
use crate::target::mounts::{Mount, MountKind, Mounts};

/// What the user chose.
#[derive(Clone, Default, Debug)]
pub struct Choice {
    /// Network, FUSE and automount trees are entered.
    pub include_network: bool,
    /// No other file system is entered.
    pub one_file_system: bool,
    /// Paths that match one of these are left out.
    pub exclude: Vec<String>,
    /// Only paths that were named are walked, not the whole target.
    pub only_named: bool,
}

/// The compiled choice.
pub struct Scope {
    mounts: Mounts,
    choice: Choice,
    exclude: Option<GlobSet>,
}

/// Whether a mount is entered.
#[derive(Debug, PartialEq, Eq)]
pub enum Entry {
    /// It is.
    Walk,
    /// It is left out, which hides nothing.
    Skip(String),
    /// It is left out, and something could lie there.
    Miss(String),
}

impl Scope {
    /// Compiles the choice.
    ///
    /// # Errors
    /// A sentence when a pattern of `exclude` is none.
    pub fn of(mounts: Mounts, choice: Choice) -> Result<Self, String> {
        let mut set = GlobSetBuilder::new();
        for pattern in &choice.exclude {
            // `/x/` means the folder /x; a bare name would match no absolute path, silently.
            let trimmed = pattern.trim_end_matches(['/', '\\']);
            let is_placed =
                ["/", "**", "\\"].iter().any(|start| trimmed.starts_with(start)) || trimmed.get(1..2) == Some(":");
            if !is_placed {
                return Err(format!("--exclude {pattern}: begin it with / (a path of the target) or with **/"));
            }
            let glob = GlobBuilder::new(trimmed).literal_separator(true).build();
            set.add(glob.map_err(|why| format!("--exclude {pattern}: {why}"))?);
        }
        let exclude = set.build().map_err(|why| format!("--exclude: {why}"))?;
        Ok(Self { mounts, exclude: (!choice.exclude.is_empty()).then_some(exclude), choice })
    }

    /// Whether the user left this path out.
    #[must_use]
    pub fn excludes(&self, path: &TargetPath) -> bool {
        self.exclude.as_ref().is_some_and(|set| set.is_match(path.to_text().as_ref()))
    }

    /// Whether anything is excluded at all: then every folder's path must be built.
    #[must_use]
    pub fn has_excludes(&self) -> bool {
        self.exclude.is_some()
    }

    /// What to do with the mount at `path`, if there is one.
    #[must_use]
    pub fn mount_at(&self, name: &[u8], path: impl FnOnce() -> TargetPath) -> Option<(&Mount, Entry)> {
        if !self.mounts.may_be_at(name) {
            return None;
        }
        self.mounts.at(&path()).map(|mount| (mount, self.entry(mount)))
    }

    /// Whether a mount is entered.
    #[must_use]
    pub fn entry(&self, mount: &Mount) -> Entry {
        let fs_type = &mount.fs_type;
        match mount.kind {
            MountKind::Pseudo => Entry::Skip(format!("{fs_type}: the kernel's own view, nothing is stored there")),
            _ if self.choice.one_file_system => {
                Entry::Skip(format!("{fs_type}: another file system (--one-file-system)"))
            }
            MountKind::Network if self.choice.include_network => Entry::Walk,
            MountKind::Network => {
                Entry::Miss(format!("{fs_type}: a network, FUSE or automount tree; --include-network enters it"))
            }
            MountKind::Storage if self.is_walked_in_parts(mount) => {
                Entry::Skip(format!("{fs_type}: the merged view of layers that are walked where they lie"))
            }
            MountKind::Storage => Entry::Walk,
        }
    }

    /// Whether a mount shows nothing but what is walked elsewhere: an overlay, all layers of which are on the way. Inside
    /// of another overlay, or of what is not entered, they may not be.
    fn is_walked_in_parts(&self, mount: &Mount) -> bool {
        let is_on_the_way = |layer: &TargetPath| {
            let count = layer.components().count();
            (1..=count).map(|depth| layer.ancestor(depth)).all(|folder| {
                let over = self.mounts.at(&folder);
                !self.excludes(&folder)
                    && over.is_none_or(|over| over.kind == MountKind::Storage && over.fs_type != "overlay")
            })
        };
        !self.choice.only_named && !mount.layers.is_empty() && mount.layers.iter().all(is_on_the_way)
    }

    /// Storage that is mounted below something that is not entered: walked as a start of its own, since hiding under
    /// `/proc` or an automount point must not work.
    #[must_use]
    pub fn shadowed(&self, below: &TargetPath) -> Vec<TargetPath> {
        let all = self.mounts.sorted();
        let shut: Vec<&&Mount> = all.iter().filter(|mount| self.entry(mount) != Entry::Walk).collect();
        all.iter()
            .filter(|mount| mount.path.is_under(below) && self.entry(mount) == Entry::Walk)
            .filter(|mount| shut.iter().any(|over| over.path != mount.path && mount.path.is_under(&over.path)))
            .map(|mount| mount.path.clone())
            .collect()
    }

    /// Every mount below the root with what happens to it, for `plan`.
    #[must_use]
    pub fn mounts(&self) -> Vec<(&Mount, Entry)> {
        self.mounts.sorted().into_iter().map(|mount| (mount, self.entry(mount))).collect()
    }
}

/// The gap or row that a mount which is not entered leaves in the report.
#[must_use]
pub fn left_out(path: TargetPath, entry: Entry) -> (Option<Gap>, Option<Skipped>) {
    match entry {
        Entry::Walk => (None, None),
        Entry::Skip(why) => (None, Some(Skipped { path, why })),
        Entry::Miss(why) => {
            let gap = Gap::new("walk", path.clone(), GapReason::Network).because(why.clone());
            (Some(gap), Some(Skipped { path, why }))
        }
    }
}
