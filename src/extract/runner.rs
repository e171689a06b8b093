//! What runners of CI services keep of the actions that they fetched: `_work/_actions/OWNER/REPOSITORY/REFERENCE`, made by
//! the runner of GitHub, which marks each with a file `REFERENCE.completed` (actions/runner, `ActionManager`).

use super::Extractor;
use super::format::texts::Finder;
use super::input::Input;
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, EntryKind, Interest, NamePattern};
use crate::model::known_file::{FoundText, Origin, WatchedFile};
use crate::model::path::TargetPath;
use crate::target::dir::Dir;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "runner-actions",
        sentence: "The actions that runners of CI services have fetched, by owner, repository and reference.",
        ask: Ask::Names(&[NamePattern::Exact("_actions")]),
    },
    cap: 0,
    read,
};

/// Most folders that are listed of one cache.
const MOST: usize = 20_000;

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    if input.candidate.kind != EntryKind::Dir {
        return harvest;
    }
    match input.open_dir() {
        Ok(dir) => {
            let mut left = MOST;
            let whole = walk(input, &dir, &input.candidate.path, &mut Vec::new(), &mut left, &mut harvest);
            if !whole {
                let says = format!("not all of its folders were listed: at most {MOST}");
                harvest.gaps.push(input.gap(GapReason::TooLarge).because(says));
            }
        }
        Err(why) => harvest.gaps.push(input.gap(why)),
    }
    harvest
}

/// Goes down to the references; tells whether it saw all.
fn walk(
    input: &Input<'_>,
    dir: &Dir,
    path: &TargetPath,
    names: &mut Vec<String>,
    left: &mut usize,
    harvest: &mut Harvest,
) -> bool {
    let mut folders = Vec::new();
    let listed = dir.list(|name, kind| {
        if kind == EntryKind::Dir && folders.len() <= *left {
            folders.push(name.to_vec());
        }
    });
    let mut is_whole = listed.is_ok() && folders.len() <= *left;
    *left = left.saturating_sub(folders.len());
    folders.sort_unstable();
    for folder in folders {
        let own = path.join(&folder);
        names.push(String::from_utf8_lossy(&folder).into_owned());
        if names.len() < 3 {
            match dir.open_dir(&folder) {
                Ok(below) => is_whole &= walk(input, &below, &own, names, left, harvest),
                Err(why) => harvest.gaps.push(input.gap_at(own, why)),
            }
        } else {
            note(input, dir, own, names, harvest);
        }
        names.pop();
    }
    is_whole
}

/// One action, held against what packs look for in workflows.
fn note(input: &Input<'_>, dir: &Dir, path: TargetPath, names: &[String], harvest: &mut Harvest) {
    let texts = texts(input, &uses(names));
    if texts.is_empty() {
        return;
    }
    let mark = [path.file_name(), b".completed"].concat();
    let stat = dir.stat_entry(&mark).or_else(|_| dir.stat_entry(path.file_name())).ok();
    harvest.facts.watched_files.push(WatchedFile {
        path,
        size: 0,
        modified: stat.map(|stat| stat.modified),
        owner_uid: stat.map(|stat| stat.uid),
        sha256: None,
        linked: None,
        texts,
        origin: Origin::FetchedAction,
    });
}

/// As a workflow would write it: `OWNER/REPOSITORY@REFERENCE`.
fn uses(names: &[String]) -> String {
    match names {
        [owner, repository, reference] => format!("{owner}/{repository}@{reference}"),
        _ => String::new(),
    }
}

fn texts(input: &Input<'_>, text: &str) -> Vec<FoundText> {
    let wanted = input.watch.wants("x.yml", "workflows", ".github");
    let mut out: Vec<FoundText> = wanted
        .into_iter()
        .flat_map(|one| {
            let mut finder = Finder::of(one);
            finder.next(text.as_bytes());
            finder.finish()
        })
        .collect();
    out.sort_unstable();
    out.dedup_by(|one, other| one.needle == other.needle);
    out
}
