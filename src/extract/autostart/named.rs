//! Files that a file of settings names, one by one or by a pattern, and that lie where no place leads: `Include` of sshd,
//! `include` of the loader, files of keys.

use std::collections::HashSet;

use super::{content, cut, gap_at, is_void, place_of};
use crate::extract::input::{Content, Input};
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::glob;
use crate::model::interest::{Candidate, EntryKind};
use crate::model::path::TargetPath;
use crate::target::dir::Dir;

/// Most files that are followed from one file.
pub const MOST: usize = 256;

/// What was followed already, so that files that name each other end.
#[derive(Default)]
pub struct Seen(HashSet<TargetPath>);

/// How such a file is read.
pub type Reader<'r> = &'r dyn Fn(&Input<'_>, &Content, &mut Seen, &mut Harvest);

/// Reads the files that a path names, the last part of which may hold stars, unless they lie where `family` is read anyway.
/// One that is not there is none; what could not be looked at is a gap.
pub fn read(
    input: &Input<'_>,
    family: &str,
    pattern: &TargetPath,
    seen: &mut Seen,
    harvest: &mut Harvest,
    reader: Reader<'_>,
) {
    let Some(folder) = pattern.parent() else { return };
    let wanted = pattern.file_name();
    if has_any(folder.as_bytes(), b"*?[") || has_any(wanted, b"?[") {
        let says = "it is named by a pattern that is not followed";
        return harvest.gaps.push(gap_at(input, pattern, GapReason::Unchecked).because(says));
    }
    let root = &input.target.root;
    let dir = match root.resolve(&folder).and_then(|place| root.open_dir(&place)) {
        Ok(dir) => dir,
        Err(GapReason::Missing | GapReason::DanglingLink) => return,
        Err(why) => return harvest.gaps.push(gap_at(input, &folder, why)),
    };
    let names = if wanted.contains(&b'*') { fitting(input, &dir, pattern, harvest) } else { vec![wanted.to_vec()] };
    for name in names {
        let path = folder.join(&name);
        if seen.0.len() >= MOST && !seen.0.contains(&path) {
            return cut(input, format!("only the first {MOST} files that it names were read"), harvest);
        }
        if seen.0.insert(path.clone()) {
            one(input, family, &Found { dir: &dir, name: &name, path }, seen, harvest, reader);
        }
    }
}

fn has_any(text: &[u8], bytes: &[u8]) -> bool {
    text.iter().any(|byte| bytes.contains(byte))
}

/// The names in a folder that fit, sorted; those that begin with a dot have to be named.
fn fitting(input: &Input<'_>, dir: &Dir, pattern: &TargetPath, harvest: &mut Harvest) -> Vec<Vec<u8>> {
    let wanted = pattern.file_name();
    let mut out = Vec::new();
    let listed = dir.list(|name, _| {
        let is_shown = !name.starts_with(b".") || wanted.starts_with(b".");
        if out.len() <= MOST && is_shown && glob::fits(wanted, name, glob::exact) {
            out.push(name.to_vec());
        }
    });
    if let Err(why) = listed {
        harvest.gaps.push(gap_at(input, pattern, why));
    }
    out.sort_unstable();
    out
}

/// An entry of a folder.
struct Found<'d> {
    dir: &'d Dir,
    name: &'d [u8],
    path: TargetPath,
}

fn one(input: &Input<'_>, family: &str, found: &Found<'_>, seen: &mut Seen, harvest: &mut Harvest, reader: Reader<'_>) {
    let stat = match found.dir.stat_entry(found.name) {
        Ok(stat) => stat,
        Err(GapReason::Missing) => return,
        Err(why) => return harvest.gaps.push(gap_at(input, &found.path, why)),
    };
    let candidate =
        Candidate::<'_, Dir> { check: 0, dir: found.dir, name: found.name, kind: stat.kind, path: found.path.clone() };
    let other = input.instead(&candidate);
    if stat.kind == EntryKind::Dir || place_of(&other, family).is_some() || is_void(&other) {
        return;
    }
    if let Some(content) = content(&other, harvest) {
        reader(&other, &content, seen, harvest);
    }
    harvest.counts.add(other.counts());
}
