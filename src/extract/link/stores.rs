//! What lies in caches and archives: which store holds it, and what the store's own notes say of it.

use std::collections::{HashMap, HashSet};

use super::environments::Builder;
use crate::model::distribution::{DistState, Distribution, MetadataForm};
use crate::model::facts::{CacheNote, Facts};
use crate::model::id::{Id, sha256_of_hex};
use crate::model::path::TargetPath;

/// Gives what is only stored its environment, the cache or layer that it lies in, and with it its state.
pub(super) fn settle(facts: &mut Facts, builder: &mut Builder<'_>) {
    // A lock file has thousands of rows and one folder.
    let mut stores = HashMap::new();
    for found in &mut facts.distributions {
        if !is_file_of_its_own(found) {
            continue;
        }
        // A cache of conda is known by what is unpacked in it.
        let folder = match found.metadata {
            MetadataForm::CondaPackage => place(found),
            _ => found.path.parent(),
        };
        let Some(folder) = folder else { continue };
        let store = *stores.entry(folder).or_insert_with_key(|folder| builder.store(folder));
        let Some((environment, state)) = store else { continue };
        found.environment = Some(environment);
        if let (DistState::Embedded, Some(state)) = (found.state, state) {
            found.state = state;
        }
    }
    for found in &mut facts.system_packages {
        let store = found.path.parent().and_then(|folder| builder.store(&folder));
        if let Some((environment, _)) = store {
            found.environment = Some(environment);
        }
    }
}

/// Whether it is a file, or a row of one, and no folder of a site directory.
fn is_file_of_its_own(found: &Distribution) -> bool {
    found.site().is_none() && found.metadata != MetadataForm::CondaMeta
}

/// Hands the notes of caches to what they speak of. What only a note knows any more was downloaded once.
pub(super) fn take_notes(facts: &mut Facts) {
    hashes_of_pex(facts);
    let notes = std::mem::take(&mut facts.cache_notes);
    if notes.is_empty() {
        return;
    }
    let mut by_place: HashMap<TargetPath, Vec<usize>> = HashMap::new();
    for (at, found) in facts.distributions.iter().enumerate() {
        if let Some(place) = place(found) {
            by_place.entry(place).or_default().push(at);
        }
    }
    // A list of downloads may name one of them again and again.
    let mut told: HashSet<Id> = HashSet::new();
    for note in notes {
        let known = by_place.get(&note.about);
        for at in known.into_iter().flatten() {
            if let Some(found) = facts.distributions.get_mut(*at) {
                tell(found, &note);
            }
        }
        if let (None, Some(gone)) = (known, note.names.as_ref().filter(|gone| told.insert(gone.id))) {
            let mut gone = Distribution { state: DistState::Leftover, ..(**gone).clone() };
            tell(&mut gone, &note);
            facts.distributions.push(gone);
        }
    }
}

/// The folder that a note would call it by.
fn place(found: &Distribution) -> Option<TargetPath> {
    let folder = || found.path.parent();
    match found.metadata {
        // Beside a wheel that pip built.
        MetadataForm::Wheel | MetadataForm::Sdist => folder(),
        MetadataForm::CondaPackage if found.path.file_name() == b"index.json" => folder()?.parent(),
        MetadataForm::CondaPackage => {
            let name = found.path.file_name();
            let stem = name.strip_suffix(b".conda").or_else(|| name.strip_suffix(b".tar.bz2"))?;
            Some(folder()?.join(stem))
        }
        _ => found.site(),
    }
}

fn tell(found: &mut Distribution, note: &CacheNote) {
    found.hashes.extend(note.sha256.iter().filter(|hash| !found.hashes.contains(hash)).cloned().collect::<Vec<_>>());
    found.source_url = found.source_url.take().or_else(|| note.source_url.clone());
    // A cache of a place of its own: only its note says what the folder is.
    if note.names.is_some() && found.state == DistState::Installed {
        found.state = DistState::Cached;
    }
}

/// pex unpacks a wheel into a folder of the wheel's name, in one that is called after its SHA-256.
fn hashes_of_pex(facts: &mut Facts) {
    for found in facts.distributions.iter_mut().filter(|found| found.state == DistState::Cached) {
        let folder = found.site().filter(|site| site.file_name().ends_with(b".whl")).and_then(|site| site.parent());
        let name = folder.as_ref().and_then(|folder| std::str::from_utf8(folder.file_name()).ok());
        let hash = name.filter(|name| sha256_of_hex(name).is_some()).map(str::to_owned);
        found.hashes.extend(hash);
    }
}
