//! Programs of PyInstaller: one file that holds an interpreter and packages, of which some keep their metadata; beside
//! `_internal` a program whose packages lie there, and whose own archive holds only modules.
//!
//! Where no metadata names it, a package that packs name is known by its module, without a version.

use std::collections::{BTreeMap, BTreeSet};

use super::carchive::{self, Entry};
use super::held::{Archive, Held, Holding, Miss};
use super::{HEADER_CAP, is_shown_elsewhere, program};
use crate::extract::Extractor;
use crate::extract::format::headers;
use crate::extract::format::names;
use crate::extract::format::read_at::ReadAt;
use crate::extract::format::zip::Fault;
use crate::extract::input::Input;
use crate::model::coverage::{Gap, GapReason};
use crate::model::distribution::{FolderSays, MetadataForm, normalize_name};
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Candidate, EntryKind, Interest, NamePattern};
use crate::model::path::TargetPath;
use crate::model::watch::Watch;
use crate::target::dir::OpenFile;

/// How far from the end the cookie is sought: in programs of Linux the table of sections follows it (2.1 KiB with
/// PyInstaller 6.22).
pub const BEHIND_ELF: u64 = 16 << 10;
/// The same of programs of macOS, and of Windows where their headers do not say it: a signature follows.
pub const BEHIND_OTHERS: u64 = 64 << 10;

/// Most METADATA files of one program that are read.
const MOST_READ: usize = 1000;

/// Most files beside a folder `_internal` that are looked at.
const MOST_BESIDE: usize = 200;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "frozen-programs",
        sentence: "Programs of PyInstaller: every .exe, and what lies beside a folder _internal.",
        ask: Ask::Names(&[NamePattern::Suffix(".exe"), NamePattern::Exact("_internal")]),
    },
    cap: HEADER_CAP,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let candidate = input.candidate;
    match candidate.kind {
        EntryKind::Dir if candidate.name == b"_internal" => beside(input),
        EntryKind::File | EntryKind::Link if candidate.name != b"_internal" => {
            if is_shown_elsewhere(candidate, |leads| super::ends_in(leads, &[".exe"])) {
                return Harvest::default();
            }
            match input.open_candidate_to_judge() {
                Ok(file) => look(input, &file, BEHIND_OTHERS),
                // A link to nothing, as the store's folder of Windows has them.
                Err(GapReason::NotRegular | GapReason::DanglingLink) => Harvest::default(),
                Err(why) => {
                    let owner_uid = candidate.dir.stat_entry(candidate.name).ok().map(|stat| stat.uid);
                    Harvest::missed(Gap { owner_uid, ..input.gap(why) })
                }
            }
        }
        _ => Harvest::default(),
    }
}

/// The program that a folder `_internal` belongs to: a file without an ending beside it. pip has such a folder too, with
/// nothing but modules beside it.
fn beside(input: &Input<'_>) -> Harvest {
    let mut names = Vec::new();
    let mut harvest = Harvest::default();
    let listed = input.candidate.dir.list(|name, kind| {
        if kind == EntryKind::File && !name.contains(&b'.') && names.len() <= MOST_BESIDE {
            names.push(name.to_vec());
        }
    });
    if let Err(why) = listed {
        harvest.gaps.push(input.gap(why));
    }
    if names.len() > MOST_BESIDE {
        harvest.gaps.push(input.gap(GapReason::TooLarge).because("only 200 of the files beside it were looked at"));
    }
    let folder = input.folder();
    // In `bin` every file is looked at anyhow.
    if matches!(folder.file_name(), b"bin" | b"Scripts") {
        return harvest;
    }
    names.truncate(MOST_BESIDE);
    names.sort_unstable();
    if names.is_empty() {
        return harvest;
    }
    for name in names {
        harvest.merge(one_beside(input, &folder, &name));
    }
    drop_named(input, &mut harvest);
    harvest
}

/// What has metadata in `_internal` is not said once more by its modules, without a version.
fn drop_named(input: &Input<'_>, harvest: &mut Harvest) {
    let mut named = BTreeSet::new();
    if let Ok(internal) = input.open_dir() {
        // Where it cannot be listed, the walk says so.
        let _listed = internal.list(|name, _| {
            if let Some(stem) = name.strip_suffix(b".dist-info") {
                named.insert(normalize_name(&names::parse_folder_name(stem).name));
            }
        });
    }
    harvest.facts.distributions.retain(|found| !found.version.is_empty() || !named.contains(&found.normalized));
}

fn one_beside(input: &Input<'_>, folder: &TargetPath, name: &[u8]) -> Harvest {
    let own = input.candidate;
    let candidate = Candidate { check: own.check, dir: own.dir, name, kind: EntryKind::File, path: folder.join(name) };
    let input = input.instead(&candidate);
    let mut harvest = match input.open_candidate() {
        Ok(file) => program::look(&input, &file),
        Err(GapReason::NotRegular | GapReason::Vanished) => Harvest::default(),
        Err(why) => Harvest::missed(input.gap(why)),
    };
    harvest.counts.add(input.counts());
    harvest
}

/// What the program `file` holds, whose cookie lies in its last `tail` bytes.
pub(super) fn look(input: &Input<'_>, file: &OpenFile, tail: u64) -> Harvest {
    let mut harvest = Harvest::default();
    let mut holding = Holding::new(input.watch);
    let at_will = input.at_will(file);
    let tail = carchive::behind_pe(&at_will).unwrap_or(tail);
    if let Err(fault) = add(&at_will, tail, input.watch, &mut holding) {
        holding.miss(fault.into());
    }
    let from = Archive { changed: file.stat.modified, is_elsewhere: file.is_elsewhere };
    holding.finish(input, &from, &mut harvest);
    harvest
}

/// Adds what a program of PyInstaller holds; nothing of other files.
///
/// # Errors
/// Why its table of contents could not be read.
pub fn add<F: ReadAt + ?Sized>(file: &F, tail: u64, watch: &Watch, into: &mut Holding<'_>) -> Result<(), Fault> {
    let Some(cookie) = carchive::cookie(file, tail)? else { return Ok(()) };
    let mut metadata: BTreeMap<Vec<u8>, Entry> = BTreeMap::new();
    let mut archives = Vec::new();
    let mut is_too_many = false;
    let listed = carchive::entries(file, &cookie, |name, entry| {
        if matches!(entry.kind, b'z' | b'Z') && archives.len() < 4 {
            archives.push(entry);
        } else if let Some((says, place)) = names::of_member(name) {
            if into.wants(&says) {
                is_too_many |= metadata.len() == MOST_READ;
                if metadata.len() < MOST_READ {
                    metadata.insert(place.to_vec(), entry);
                }
            }
            into.add(place, Held::new(says, MetadataForm::Frozen));
        }
    });
    if is_too_many {
        into.miss(Miss::material(GapReason::TooLarge, "it holds more METADATA of watched packages than is read"));
    }
    for (place, entry) in metadata {
        let (bytes, is_all) = carchive::content(file, &entry, HEADER_CAP);
        into.told(&place, &headers::parse(&bytes, is_all));
    }
    for pyz in archives {
        add_modules(file, &pyz, watch, into)?;
    }
    listed
}

/// Packages that packs name, by their modules. What metadata names already is not said twice.
fn add_modules<F: ReadAt + ?Sized>(file: &F, pyz: &Entry, watch: &Watch, into: &mut Holding<'_>) -> Result<(), Fault> {
    let mut found = BTreeSet::new();
    let seen = carchive::modules(file, pyz, |module| {
        let top = module.split(|byte| *byte == b'.').next().unwrap_or_default();
        let name = std::str::from_utf8(top).unwrap_or_default();
        if watch.packages.contains(&normalize_name(name)) {
            found.insert(name.to_owned());
        }
    });
    for name in found {
        if !into.has(&normalize_name(&name)) {
            let place = [b"PYZ!/", name.as_bytes()].concat();
            let says = FolderSays { name, version: String::new() };
            into.add(&place, Held::new(says, MetadataForm::Frozen));
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_program_is_looked_into(bytes in prop::collection::vec(any::<u8>(), 0..400), numbers in any::<[u8; 3]>()) {
            let watch = Watch::default();
            let mut holding = Holding::new(&watch);
            let numbers = numbers.map(|number| u32::from(number).to_be_bytes());
            let program = [&*bytes, b"MEI\x0c\x0b\x0a\x0b\x0e", numbers.as_flattened(), &[0; 68]].concat();
            let _fault = add(program.as_slice(), BEHIND_ELF, &watch, &mut holding);
        }
    }
}
