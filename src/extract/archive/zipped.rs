//! The distributions in one zip archive, whatever it is called: folders of metadata, and wheels that lie in it as they are.
//!
//! `zipimport` and `zipfile` take the last of several entries of a name, so the last counts here too.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::ops::ControlFlow;

use serde::Deserialize;

use super::held::{Archive, Held, Holding, Miss};
use super::{HEADER_CAP, file_name};
use crate::extract::format::headers;
use crate::extract::format::names;
use crate::extract::format::read_at::ReadAt;
use crate::extract::format::zip::{self, Entry, Fault};
use crate::extract::input::Input;
use crate::model::coverage::GapReason;
use crate::model::distribution::MetadataForm;
use crate::model::facts::Harvest;
use crate::model::id::lower_sha256;
use crate::target::dir::OpenFile;

/// Most METADATA files of one archive that are read: those of packages that packs name.
const MOST_READ: usize = 1000;

/// Most bytes of a pex's own description.
const PEX_INFO_CAP: u64 = 1 << 20;

/// What to look at again once the directory is known.
#[derive(Default)]
struct Later {
    metadata: BTreeMap<Vec<u8>, Entry>,
    pex_info: Option<Entry>,
    is_too_many: bool,
}

/// How the things in an archive are called in the report.
pub struct Shown<'a> {
    /// What stands before their places: the archives around this one.
    pub before: &'a [u8],
    /// Their form; none for that which each has.
    pub form: Option<MetadataForm>,
}

impl Shown<'_> {
    fn member(&self, place: &[u8]) -> Vec<u8> {
        [self.before, place.strip_prefix(b"./").unwrap_or(place)].concat()
    }

    fn held(&self, says: crate::model::distribution::FolderSays, own: MetadataForm) -> Held {
        Held::new(says, self.form.unwrap_or(own))
    }
}

/// Adds what the archive `file` holds.
///
/// # Errors
/// Why not all of its directory was seen.
pub fn look<F: ReadAt + ?Sized>(file: &F, shown: &Shown<'_>, into: &mut Holding<'_>) -> Result<(), Fault> {
    let mut later = Later::default();
    let listed = zip::entries(file, |name, entry| {
        if !entry.is_dir {
            take(name, entry, shown, into, &mut later);
        }
        ControlFlow::Continue(())
    });
    if later.is_too_many {
        into.miss(Miss::material(GapReason::TooLarge, "it holds more METADATA of watched packages than is read"));
    }
    for (place, entry) in &later.metadata {
        match zip::read_entry(file, entry, HEADER_CAP) {
            Ok(content) => {
                let is_all = content.whole || content.fault.is_some();
                into.told(place, &headers::parse(&content.bytes, is_all));
            }
            Err(fault) => into.miss(Miss::from(fault)),
        }
    }
    if let Some(content) = later.pex_info.and_then(|entry| zip::read_entry(file, &entry, PEX_INFO_CAP).ok()) {
        add_hashes(&content.bytes, into);
    }
    listed
}

fn take(name: &[u8], entry: &Entry, shown: &Shown<'_>, into: &mut Holding<'_>, later: &mut Later) {
    if name == b"PEX-INFO" {
        later.pex_info = Some(*entry);
    } else if let Some((says, folder)) = names::of_member(name) {
        let place = shown.member(folder);
        if into.wants(&says) {
            if later.metadata.len() < MOST_READ || later.metadata.contains_key(&place) {
                later.metadata.insert(place.clone(), *entry);
            } else {
                later.is_too_many = true;
            }
        }
        into.add(&place, shown.held(says, form(name)));
    } else if let Some(says) = names::of_wheel(file_name(name)) {
        into.add(&shown.member(name), shown.held(says, MetadataForm::Wheel));
    }
}

/// The form of metadata whose main file this is.
#[must_use]
pub fn form(name: &[u8]) -> MetadataForm {
    if name.ends_with(b"METADATA") { MetadataForm::DistInfo } else { MetadataForm::EggInfoDir }
}

/// What matters of PEX-INFO: the wheels that a pex was made of, and a hash of each.
#[derive(Deserialize, Default)]
#[serde(default)]
struct PexInfo {
    distributions: BTreeMap<String, String>,
    /// Where pex unpacks wheels while it builds, which is the rule, the hash is one of the unpacked tree.
    deps_are_wheel_files: bool,
}

/// The hashes of wheels by the description of a pex; nothing where it is none.
#[must_use]
pub fn hashes(pex_info: &[u8]) -> BTreeMap<String, String> {
    let info: PexInfo = serde_json::from_slice(pex_info).unwrap_or_default();
    let all = info.distributions.into_iter().filter(|_| info.deps_are_wheel_files);
    all.filter_map(|(name, hash)| Some((name, lower_sha256(&hash)?))).collect()
}

fn add_hashes(pex_info: &[u8], into: &mut Holding<'_>) {
    let hashes = hashes(pex_info);
    for (member, held) in into.each() {
        let wheel = member.split(|byte| *byte == b'/').find(|part| part.ends_with(b".whl"));
        let hash = wheel.and_then(|wheel| hashes.get(&*String::from_utf8_lossy(wheel)));
        held.sha256 = hash.cloned().or(held.sha256.take());
    }
}

/// Reads a zip archive that is no file of its own, as far as it fits: its directory lies at the end.
///
/// # Errors
/// Why not.
pub fn held_whole(stream: &mut dyn std::io::Read, cap: u64) -> Result<Vec<u8>, Miss> {
    let mut bytes = Vec::new();
    match stream.take(cap.saturating_add(1)).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() as u64 > cap => {
            Err(Miss::material(GapReason::TooLarge, "a zip archive in it is larger than 8 MiB and was not opened"))
        }
        Ok(_) => Ok(bytes),
        Err(why) => Err(Miss::from(super::inflated::fault(&why))),
    }
}

/// What the zip archive `file` holds, each of this form.
pub(super) fn held_by(input: &Input<'_>, file: &OpenFile, form: MetadataForm) -> Harvest {
    let mut harvest = Harvest::default();
    let mut holding = Holding::new(input.watch);
    match look(&input.at_will(file), &Shown { before: b"", form: Some(form) }, &mut holding) {
        Ok(()) => {}
        // In what is no archive there is nothing to be found.
        Err(fault) if fault == zip::NO_ARCHIVE => holding.miss(Miss::harmless(fault.reason, fault.says)),
        Err(fault) => holding.miss(fault.into()),
    }
    let from = Archive { changed: file.stat.modified, is_elsewhere: file.is_elsewhere };
    holding.finish(input, &from, &mut harvest);
    harvest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::watch::Watch;

    #[test]
    fn a_pex_says_the_hash_of_a_wheel_only_where_it_has_the_wheel() {
        let info = |whole: bool, hash: &str| {
            hashes(
                format!("{{\"deps_are_wheel_files\":{whole},\"distributions\":{{\"a-1.whl\":\"{hash}\"}}}}").as_bytes(),
            )
        };
        let hash = "AB".repeat(32);
        assert_eq!(info(true, &hash).get("a-1.whl"), Some(&hash.to_ascii_lowercase()));
        assert!(info(false, &hash).is_empty() && info(true, "abc").is_empty());
        assert!(hashes(b"[]").is_empty() && hashes(b"{\"distributions\": 7}").is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_at(bytes in prop::collection::vec(any::<u8>(), 0..500), row in prop::collection::vec(any::<u8>(), 0..60)) {
            let watch = Watch::default();
            let mut holding = Holding::new(&watch);
            let directory = [b"PK\x01\x02", row.as_slice()].concat();
            let end = [b"PK\x05\x06\0\0\0\0\x01\0\x01\0".as_slice(), &(directory.len() as u32).to_le_bytes(), &[0; 6]];
            let archive = [bytes.as_slice(), &directory, &end.concat()].concat();
            let _fault = look(archive.as_slice(), &Shown { before: b"", form: None }, &mut holding);
            let _info = hashes(&bytes);
        }
    }
}
