//! The code of packages that indicator packs name, and of those that were changed after their install, as far as it runs
//! when somebody imports them: their `__init__` modules, the modules of their commands, and what a pack names. LiteLLM
//! 1.82.7 hid in one of these, without any start-up file.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::finder::Finder;
use super::follow;
use crate::extract::Later;
use crate::extract::format::record;
use crate::model::coverage::{Counts, Gap};
use crate::model::distribution::{Distribution, MetadataForm};
use crate::model::facts::{Facts, Harvest, PackageCode};
use crate::model::record::RecordState;
use crate::model::watch::Watch;
use crate::target::Target;

/// The row of coverage.
pub const STAGE: Later = Later {
    id: "package-code",
    sentence: "The code of packages that packs name, or that were changed after their install, as far as an import runs it.",
};

/// Most modules of one distribution.
const MOST: usize = 300;

/// Largest list of entry points that is read, in bytes.
const LONGEST_LIST: u64 = 1 << 20;

/// Follows what is to be followed.
#[must_use]
pub fn settle(target: &Target, watch: &Watch, facts: &mut Facts) -> Harvest {
    let wanted: Vec<&Distribution> = facts.distributions.iter().filter(|found| is_wanted(found, watch)).collect();
    let done: Vec<(Vec<PackageCode>, Vec<Gap>, Counts)> =
        wanted.par_iter().map(|found| of_one(target, watch, found)).collect();
    let mut harvest = Harvest::default();
    for (code, gaps, counts) in done {
        facts.package_code.extend(code);
        harvest.gaps.extend(gaps);
        harvest.counts.add(counts);
    }
    harvest
}

fn is_wanted(found: &Distribution, watch: &Watch) -> bool {
    let has_files = !matches!(found.metadata, MetadataForm::Directory | MetadataForm::CondaMeta)
        && !matches!(found.record.state, RecordState::Absent | RecordState::Unreadable);
    let is_changed = found.record.changes.iter().any(|change| change.runs && change.is_other());
    found.state.is_importable() && has_files && (watch.packages.contains(&found.normalized) || is_changed)
}

fn of_one(target: &Target, watch: &Watch, found: &Distribution) -> (Vec<PackageCode>, Vec<Gap>, Counts) {
    let mut finder = Finder::of(target);
    let mut gaps = Vec::new();
    let mut code = Vec::new();
    for path in paths(target, watch, found) {
        let file = target.root.target_path(&[site(found).as_slice(), b"/", &path].concat());
        let Some(folder) = file.parent().and_then(|folder| finder.folder(&folder)) else { continue };
        if let Some(module) = follow::one_file(&mut finder, &folder, file.file_name(), &mut gaps)
            && !module.signs.is_empty()
        {
            code.push(PackageCode { distribution: found.id, module });
        }
    }
    let gaps = gaps.into_iter().map(|gap| Gap { check: STAGE.id, ..gap }).collect();
    (code, gaps, finder.counts())
}

fn site(found: &Distribution) -> Vec<u8> {
    found.site().map(|site| site.as_bytes().to_vec()).unwrap_or_default()
}

/// The modules that are followed, by their path from the site directory.
fn paths(target: &Target, watch: &Watch, found: &Distribution) -> BTreeSet<Vec<u8>> {
    let mut all = BTreeSet::new();
    let entries = entry_modules(target, found);
    let Ok(file) = target.root.open_file(&found.path.join(b"RECORD")) else { return all };
    record::rows(file.stream(record::CAP), |row| {
        let path = row.path.as_ref();
        let depth = path.iter().filter(|byte| **byte == b'/').count();
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let is_top = (depth == 0 && !path.starts_with(b".")) || (depth == 1 && name == b"__init__.py");
        let is_named = std::str::from_utf8(name).is_ok_and(|name| watch.file_names.contains_key(&name.to_lowercase()));
        let is_inside = !record::is_absolute(path) && !path.starts_with(b"..");
        if path.ends_with(b".py") && is_inside && all.len() < MOST && (is_top || is_named || entries.contains(path)) {
            all.insert(path.to_vec());
        }
    });
    let depth = found.site().map_or(0, |site| site.components().count());
    let changed = found.record.changes.iter().filter(|change| change.runs && change.is_other());
    for change in changed.filter(|change| change.path.file_name().ends_with(b".py")).take(MOST) {
        let below: Vec<&[u8]> = change.path.components().skip(depth).collect();
        all.insert(below.join(&b'/'));
    }
    all
}

/// The modules that the commands of a distribution begin in (`entry_points.txt`).
fn entry_modules(target: &Target, found: &Distribution) -> BTreeSet<Vec<u8>> {
    let list = target.root.open_file(&found.path.join(b"entry_points.txt"));
    let Ok(bytes) = list.and_then(|mut file| file.read(LONGEST_LIST)) else { return BTreeSet::new() };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let modules = text.lines().filter_map(|line| line.split_once('=')).filter_map(|(_, value)| value.split(':').next());
    modules
        .map(|module| module.trim().replace('.', "/"))
        .flat_map(|path| [format!("{path}.py").into_bytes(), format!("{path}/__init__.py").into_bytes()])
        .collect()
}
