//! `site-packages` and `dist-packages`: directories that Python imports from, even when they are empty.
//! Layouts: the `site` module's documentation; Debian's Python policy for `dist-packages`.

use crate::extract::Extractor;
use crate::extract::input::{Input, listed};
use crate::extract::layout::is_site_name;
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, EntryKind, Interest, NamePattern};
use crate::model::path::TargetPath;
use crate::model::python::SiteDir;
use crate::target::dir::{Dir, Stat};

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "site-dirs",
        sentence: "Directories that Python imports packages from.",
        ask: Ask::Names(&[NamePattern::Exact("site-packages"), NamePattern::Exact("dist-packages")]),
    },
    cap: 0,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let candidate = input.candidate;
    let mut harvest = Harvest::default();
    match candidate.kind {
        EntryKind::File | EntryKind::Other => {}
        // What it leads to may be called anything; Python imports from it, and runs its hooks, all the same.
        EntryKind::Link => match input.target.root.follow_link(&input.folder(), candidate.dir, candidate.name) {
            Ok((place, real)) if place.stat.kind == EntryKind::Dir => {
                let mut found = site_dir(real, Some(place.stat), false);
                found.known_as = Some(candidate.path.clone());
                harvest.facts.site_dirs.push(found);
            }
            Ok(_) => {}
            Err(why) => harvest.gaps.push(input.gap(why)),
        },
        EntryKind::Dir => match candidate.dir.stat_entry(candidate.name) {
            Ok(stat) => {
                let has_stdlib = candidate.dir.stat_entry(b"os.py").is_ok();
                harvest.facts.site_dirs.push(site_dir(candidate.path.clone(), Some(stat), has_stdlib));
            }
            Err(why) => harvest.gaps.push(input.gap(listed(why))),
        },
    }
    harvest
}

/// The folder `dir` at `path` as a place that packages are imported from, because metadata lies in it. None for a folder
/// whose name says so already: the walk has shown it by itself.
#[must_use]
pub fn holding(path: TargetPath, dir: &Dir) -> Option<SiteDir> {
    (!is_site_name(path.file_name())).then(|| site_dir(path, dir.stat(), false))
}

fn site_dir(path: TargetPath, stat: Option<Stat>, has_stdlib: bool) -> SiteDir {
    SiteDir {
        path,
        identity: stat.map(|stat| stat.identity),
        owner_uid: stat.map(|stat| stat.uid),
        has_stdlib,
        known_as: None,
    }
}

/// Whether a reader's failure means that the thing is simply not there.
#[must_use]
pub fn is_absent(why: GapReason) -> bool {
    matches!(why, GapReason::Missing | GapReason::Vanished | GapReason::DanglingLink)
}
