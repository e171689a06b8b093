//! Who owns the files that run at a start: the RECORD of a distribution beside them, or the lists of dpkg. A listing says
//! whose a file is, not that it is harmless: malware brings lists of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead, BufReader};

use md5::Md5;
use rayon::prelude::*;
use sha2::Digest;

use crate::extract::format::record::{self, Hash};
use crate::extract::link::ownership;
use crate::model::distribution::{Distribution, MetadataForm};
use crate::model::facts::{Facts, Harvest};
use crate::model::id::{Id, hex};
use crate::model::path::TargetPath;
use crate::model::record::RecordState;
use crate::model::startup::Ownership;
use crate::target::Target;
use crate::target::dir::Dir;

/// Where dpkg keeps what each package brought (`dpkg-query`, files).
const DPKG: &[u8] = b"/var/lib/dpkg/info";

/// Largest list of a package that is read, in bytes: the longest of a distribution have some ten MiB.
const LONGEST_LIST: u64 = 64 << 20;

/// What is known of a file that somebody lists.
#[derive(Clone)]
struct Owner {
    distribution: Option<Id>,
    /// SHA-256 of the row.
    sha256: Option<String>,
    /// MD5 of dpkg's list.
    md5: Option<String>,
}

/// Fills in the owners of modules, and of hooks that no RECORD lists.
pub(super) fn settle(target: &Target, facts: &mut Facts) -> Harvest {
    let owners = in_records(target, facts);
    let left = orphans(facts, &owners);
    let listed = if left.is_empty() { HashMap::new() } else { in_dpkg(target, &left) };
    for hook in &mut facts.startup_hooks {
        if let (Ownership::Orphan, Some(owner)) = (hook.ownership, listed.get(&hook.path)) {
            hook.ownership = judged(target, &hook.path, hook.sha256.as_deref(), owner);
        }
        for module in &mut hook.modules {
            let Some(path) = &module.path else { continue };
            let Some(owner) = owners.get(path).or_else(|| listed.get(path)) else { continue };
            module.distribution = owner.distribution;
            module.ownership = judged(target, path, module.sha256.as_deref(), owner);
        }
    }
    Harvest::default()
}

fn judged(target: &Target, path: &TargetPath, sha256: Option<&str>, owner: &Owner) -> Ownership {
    if let Some(wanted) = &owner.md5 {
        let read = target.root.open_file(path).and_then(|mut file| file.read(8 << 20));
        let is = read.map(|bytes| hex(&Md5::digest(&bytes)));
        return if is.is_ok_and(|is| is != *wanted) { Ownership::Changed } else { Ownership::Owned };
    }
    ownership(sha256, owner.sha256.as_deref())
}

/// Looks for the modules of all hooks in the RECORDs beside them.
fn in_records(target: &Target, facts: &Facts) -> HashMap<TargetPath, Owner> {
    let mut by_site: BTreeMap<TargetPath, Vec<&Distribution>> = BTreeMap::new();
    let wanted: BTreeSet<&TargetPath> =
        facts.startup_hooks.iter().flat_map(|hook| &hook.modules).filter_map(|module| module.path.as_ref()).collect();
    if wanted.is_empty() {
        return HashMap::new();
    }
    let readable = |found: &&Distribution| {
        !matches!(found.metadata, MetadataForm::Directory | MetadataForm::CondaMeta)
            && !matches!(found.record.state, RecordState::Absent | RecordState::Unreadable)
    };
    for found in facts.distributions.iter().filter(readable) {
        if let Some(site) = found.site() {
            by_site.entry(site).or_default().push(found);
        }
    }
    let mut in_site: BTreeMap<&TargetPath, BTreeMap<Vec<u8>, &TargetPath>> = BTreeMap::new();
    for path in wanted {
        let mut above = path.parent();
        while let Some(folder) = above {
            if let Some((site, _)) = by_site.get_key_value(&folder) {
                let below: Vec<&[u8]> = path.components().skip(folder.components().count()).collect();
                in_site.entry(site).or_default().insert(below.join(&b'/'), path);
                break;
            }
            above = folder.parent();
        }
    }
    let sites: Vec<_> = in_site.into_iter().collect();
    let found = sites.par_iter().map(|(site, wanted)| {
        let all = by_site.get(*site).map_or(&[] as &[_], Vec::as_slice);
        in_site_records(target, all, wanted.clone())
    });
    found.flatten_iter().collect()
}

/// Asks the likely ones first: nearly always that is the one whose name the module has.
fn in_site_records(
    target: &Target,
    all: &[&Distribution],
    mut wanted: BTreeMap<Vec<u8>, &TargetPath>,
) -> Vec<(TargetPath, Owner)> {
    let tops: BTreeSet<String> = wanted
        .keys()
        .filter_map(|path| path.split(|byte| *byte == b'/').next())
        .map(|top| String::from_utf8_lossy(top).trim_end_matches(".py").replace('_', "-").to_lowercase())
        .collect();
    let is_likely = |found: &&&Distribution| {
        !found.hooks.is_empty() || tops.iter().any(|top| found.normalized.contains(top.trim_matches('-')))
    };
    let (likely, others): (Vec<&&Distribution>, Vec<&&Distribution>) = all.iter().partition(is_likely);
    let mut owners: BTreeMap<TargetPath, Owner> = BTreeMap::new();
    for found in likely.into_iter().chain(others) {
        if wanted.is_empty() {
            break;
        }
        let Ok(file) = target.root.open_file(&found.path.join(b"RECORD")) else { continue };
        let mut answered = Vec::new();
        record::rows(file.stream(record::CAP), |row| {
            let Some(path) = wanted.get(row.path.as_ref()) else { return };
            let sha256 = match row.hash {
                Hash::Sha256(digest) => Some(hex(&digest)),
                Hash::None | Hash::Other => None,
            };
            answered.push(row.path.to_vec());
            owners.insert((*path).clone(), Owner { distribution: Some(found.id), sha256, md5: None });
        });
        answered.iter().for_each(|path| {
            wanted.remove(path);
        });
    }
    owners.into_iter().collect()
}

/// Files that run at a start, that no RECORD lists, and that lie where a distribution's packages put theirs.
fn orphans(facts: &Facts, owners: &HashMap<TargetPath, Owner>) -> BTreeSet<TargetPath> {
    let of_system = |path: &TargetPath| {
        let mut parts = path.components();
        let first = parts.next();
        matches!(first, Some(b"usr" | b"lib" | b"etc")) && parts.next() != Some(b"local")
    };
    let hooks = facts.startup_hooks.iter();
    let files = hooks.filter(|hook| hook.ownership == Ownership::Orphan).map(|hook| &hook.path);
    let modules = facts.startup_hooks.iter().flat_map(|hook| &hook.modules).filter_map(|module| module.path.as_ref());
    let all = files.chain(modules.filter(|path| !owners.contains_key(*path)));
    all.filter(|path| of_system(path)).cloned().collect()
}

/// Looks for files in the lists of dpkg; a file that a package brought has its MD5 beside the list.
fn in_dpkg(target: &Target, wanted: &BTreeSet<TargetPath>) -> HashMap<TargetPath, Owner> {
    let mut found = HashMap::new();
    let folder = target.root.resolve(&target.root.target_path(DPKG)).and_then(|place| target.root.open_dir(&place));
    let Ok(dir) = folder else { return found };
    let mut lists: Vec<Vec<u8>> = Vec::new();
    let listed = dir.list(|name, _| {
        if name.ends_with(b".list") {
            lists.push(name.to_vec());
        }
    });
    if listed.is_err() {
        return found;
    }
    lists.sort_unstable();
    for list in &lists {
        let mut own: Vec<TargetPath> = Vec::new();
        each_line(&dir, list, |line| {
            let path = target.root.target_path(line);
            if wanted.contains(&path) {
                own.push(path);
            }
        });
        if own.is_empty() {
            continue;
        }
        let sums = [list.strip_suffix(b".list").unwrap_or(list), b".md5sums"].concat();
        let mut known: HashMap<TargetPath, String> = HashMap::new();
        each_line(&dir, &sums, |line| {
            if let Some((sum, file)) = line.split_at_checked(34) {
                let path = target.root.target_path(file);
                if own.contains(&path) {
                    known.insert(path, String::from_utf8_lossy(sum).trim().to_owned());
                }
            }
        });
        for path in own {
            let md5 = known.remove(&path);
            found.insert(path, Owner { distribution: None, sha256: None, md5 });
        }
    }
    found
}

fn each_line(dir: &Dir, name: &[u8], mut show: impl FnMut(&[u8])) {
    let Ok(file) = dir.open_file(name) else { return };
    let mut reader = BufReader::new(file.stream(LONGEST_LIST));
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        show(line.trim_ascii());
        line.clear();
    }
}
