//! Files in the folders of a distribution that no row lists, and among them those that Python would import instead of one
//! that is listed: `x.cpython-311-x86_64-linux-gnu.so` or `x/__init__.py` beside `x.py` (importlib, `FileFinder`).

use std::collections::{BTreeMap, BTreeSet};

use super::disk::Disk;
use super::rows::{Listed, is_code};
use crate::model::interest::EntryKind;
use crate::model::record::ChangeKind;
use crate::target::dir::Dir;

/// Most files of one distribution that are kept as unlisted: tools that generate code leave many.
const MOST: usize = 10_000;

/// What no row lists, by path from the site directory.
pub(super) fn find(environment: &Disk<'_>, listed: &Listed) -> BTreeMap<Vec<u8>, ChangeKind> {
    let mut out = BTreeMap::new();
    let folders: BTreeSet<&[u8]> = listed.keys().map(Vec::as_slice).collect();
    for (folder, names) in listed {
        let modules = modules(names);
        let is_top = folder.is_empty();
        // The metadata folder gains files for good reasons: INSTALLER, direct_url.json, licences.
        if is_metadata(folder) || (is_top && modules.is_empty()) {
            continue;
        }
        let parts: Vec<&[u8]> = if is_top { Vec::new() } else { folder.split(|byte| *byte == b'/').collect() };
        let dir = if is_top {
            environment.dir()
        } else {
            match environment.folder(&parts) {
                Ok(dir) => dir,
                // Missing rows say so already.
                Err(_) => continue,
            }
        };
        let mut entries = Vec::new();
        let _listed = dir.list(|name, kind| {
            let key = environment.key(name);
            if !names.contains(&key) && key != b"__pycache__" && !key.ends_with(b".pyc") {
                entries.push((key, kind));
            }
        });
        for (name, kind) in entries {
            let path = if is_top { name.clone() } else { [folder.as_slice(), b"/", &name].concat() };
            // A folder with rows of its own is known.
            let is_known = kind == EntryKind::Dir && has_rows_below(&folders, &path);
            let what = match kind {
                _ if is_known && !is_shadowing_package(&dir, &name, &modules) => continue,
                EntryKind::Dir if is_shadowing_package(&dir, &name, &modules) && !is_known => ChangeKind::Shadows,
                EntryKind::File | EntryKind::Link if is_shadowing_extension(&name, &modules) => ChangeKind::Shadows,
                // Where it leads may be a package.
                EntryKind::Link if modules.contains(name.as_slice()) => ChangeKind::Shadows,
                // At the top, everything else belongs to others.
                _ if is_top || is_known => continue,
                EntryKind::Dir | EntryKind::File | EntryKind::Link => ChangeKind::Added,
                EntryKind::Other => continue,
            };
            if out.len() < MOST {
                out.insert(path, what);
            }
        }
    }
    out
}

fn is_metadata(folder: &[u8]) -> bool {
    folder.split(|byte| *byte == b'/').next().is_some_and(|top| top.ends_with(b".dist-info") || top.ends_with(b".data"))
}

fn has_rows_below(folders: &BTreeSet<&[u8]>, path: &[u8]) -> bool {
    let inside = [path, b"/"].concat();
    folders.contains(path) || folders.range(inside.as_slice()..).next().is_some_and(|next| next.starts_with(&inside))
}

/// The modules that rows list as source: `x` for `x.py`, also `__init__`.
fn modules(names: &BTreeSet<Vec<u8>>) -> BTreeSet<&[u8]> {
    names.iter().filter_map(|name| name.strip_suffix(b".py")).collect()
}

fn is_shadowing_extension(name: &[u8], modules: &BTreeSet<&[u8]>) -> bool {
    let is_extension = name.ends_with(b".so") || name.to_ascii_lowercase().ends_with(b".pyd");
    is_extension && name.split(|byte| *byte == b'.').next().is_some_and(|stem| modules.contains(stem))
}

/// A folder of a module's name with anything in it that makes it a package. What cannot be opened counts as one.
fn is_shadowing_package(dir: &Dir, name: &[u8], modules: &BTreeSet<&[u8]>) -> bool {
    let has_init = |inner: &Dir| {
        let mut found = false;
        let listed = inner.list(|entry, _| found |= entry.starts_with(b"__init__.") && is_code(entry));
        found || listed.is_err()
    };
    modules.contains(name) && dir.open_dir(name).map_or(true, |inner| has_init(&inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extension_modules_come_before_source() {
        let names: BTreeSet<Vec<u8>> = [b"a.py".to_vec(), b"__init__.py".to_vec(), b"b.txt".to_vec()].into();
        let modules = modules(&names);
        assert!(is_shadowing_extension(b"a.cpython-311-x86_64-linux-gnu.so", &modules));
        assert!(is_shadowing_extension(b"a.PYD", &modules));
        assert!(!is_shadowing_extension(b"b.so", &modules));
        assert!(!is_shadowing_extension(b"a.txt", &modules));
    }

    #[test]
    fn folders_with_rows_are_known() {
        let folders: BTreeSet<&[u8]> = [b"a".as_slice(), b"a/b/c"].into();
        assert!(has_rows_below(&folders, b"a/b"));
        assert!(!has_rows_below(&folders, b"a/bb"));
    }
}
