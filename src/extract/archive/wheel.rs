//! Wheels: `NAME-VERSION-PYTHON-ABI-PLATFORM.whl`, zip archives with `NAME-VERSION.dist-info/` at their top (binary
//! distribution format). The name says which distribution it is; of those that packs name the content is looked at too.

use std::collections::BTreeSet;
use std::io::Read;
use std::ops::ControlFlow;

use super::held::{self, Miss};
use super::zipped;
use super::{HEADER_CAP, ends_in, is_shown_elsewhere, sha256};
use crate::extract::Extractor;
use crate::extract::format::headers::{self, Headers};
use crate::extract::format::names;
use crate::extract::format::read_at::ReadAt;
use crate::extract::format::record::{self, Hash, Place};
use crate::extract::format::zip::{self, Entry, Fault};
use crate::extract::input::Input;
use crate::model::coverage::{Gap, GapReason};
use crate::model::distribution::{Basics, DistState, Distribution, FolderSays, MetadataForm, normalize_name};
use crate::model::facts::Harvest;
use crate::model::id::hex;
use crate::model::interest::{Ask, EntryKind, Interest, NamePattern};
use crate::model::path::TargetPath;
use crate::model::record::{KnownRow, RecordState};
use crate::model::watch::Watch;

/// Most rows with known hashes that are kept: each says the same.
const MOST_KNOWN: usize = 100;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "wheels",
        sentence: "Wheels (.whl) outside of environments: by their names, and of packages that packs name by their content.",
        ask: Ask::FileNames(&[NamePattern::Suffix(".whl")]),
    },
    cap: HEADER_CAP,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let candidate = input.candidate;
    if candidate.kind == EntryKind::Other {
        return Harvest::missed(input.gap(GapReason::NotRegular));
    }
    if is_shown_elsewhere(candidate, |leads| ends_in(leads, &[".whl"])) {
        return Harvest::default();
    }
    match names::of_wheel(candidate.name) {
        Some(says) if !input.watch.packages.contains(&normalize_name(&says.name)) => by_name(input, says),
        Some(says) => watched(input, says),
        None => nameless(input),
    }
}

/// One that no pack names: its name is enough.
fn by_name(input: &Input<'_>, says: FolderSays) -> Harvest {
    let mut harvest = Harvest::default();
    let mut found = distribution(input, &says);
    found.installed_at = input.candidate.dir.stat_entry(input.candidate.name).ok().map(|stat| stat.modified);
    held::keep(input, found, &mut harvest);
    harvest
}

fn distribution(input: &Input<'_>, says: &FolderSays) -> Distribution {
    Distribution::new(Basics {
        path: input.candidate.path.clone(),
        member: None,
        form: MetadataForm::Wheel,
        state: DistState::Embedded,
        name: &says.name,
        version: &says.version,
    })
}

/// One that a pack names. What cannot be read of it takes nothing from what its name says.
fn watched(input: &Input<'_>, file_says: FolderSays) -> Harvest {
    let mut harvest = Harvest::default();
    let file = match input.open_candidate_to_judge() {
        Ok(file) => file,
        Err(why) => {
            // A name that leads to nothing stores nothing.
            let is_nothing = matches!(why, GapReason::DanglingLink | GapReason::Missing | GapReason::Vanished);
            let says = if is_nothing { "there is no wheel behind the name" } else { "the file's name was used" };
            harvest.gaps.push(input.gap(why).because(says).harmless());
            if !is_nothing {
                held::keep(input, distribution(input, &file_says), &mut harvest);
            }
            return harvest;
        }
    };
    if file.stat.size == 0 {
        return Harvest::missed(input.gap(GapReason::Malformed).because("it is empty: no wheel").harmless());
    }
    let content = content(&input.at_will(&file), input.watch, &file_says);
    let (says, folder_says) = match file.is_elsewhere {
        true => (file_says, None),
        false => held::both(&content.headers, file_says),
    };
    let mut found = distribution(input, &says);
    found.installed_at = Some(file.stat.modified);
    found.linked = file.stat.linked();
    found.folder_says = folder_says.map(|says| Box::new(says.bounded()));
    found.record.state = content.record.unwrap_or(found.record.state);
    found.known_rows = content.known.into_iter().map(|row| row.below(&input.candidate.path)).collect();
    harvest.gaps.extend(content.misses.into_iter().map(|miss| gap(input, miss)));
    match sha256(input, &file) {
        Ok(hash) => found.hashes.push(hash),
        Err(gap) => harvest.gaps.push(gap),
    }
    held::keep(input, found, &mut harvest);
    harvest
}

fn gap(input: &Input<'_>, miss: Miss) -> Gap {
    let material = miss.material;
    Gap { material, ..input.gap(miss.reason).because(miss.says) }
}

/// One whose name does not say what it is: the folders of metadata in it do.
fn nameless(input: &Input<'_>) -> Harvest {
    match input.open_candidate_to_judge() {
        Ok(file) => zipped::held_by(input, &file, MetadataForm::Wheel),
        Err(why) => Harvest::missed(input.gap(why)),
    }
}

/// What a wheel says of itself.
#[derive(Default)]
pub struct Content {
    /// Its METADATA.
    pub headers: Headers,
    /// How far its RECORD was read; none where it has none.
    pub record: Option<RecordState>,
    /// Rows with the hash of a known payload.
    pub known: Vec<Known>,
    /// What was missed.
    pub misses: BTreeSet<Miss>,
}

/// A row of RECORD with the hash of a known payload.
pub struct Known {
    /// The file, as written.
    path: Vec<u8>,
    digest: [u8; 32],
    line: u32,
}

impl Known {
    /// The row, its file taken for one below the wheel.
    fn below(self, wheel: &TargetPath) -> KnownRow {
        let names = match record::place(&self.path) {
            Place::Inside(names) => names,
            Place::Above(..) | Place::Absolute => Vec::new(),
        };
        let path = names.into_iter().fold(wheel.clone(), |path, name| path.join(name));
        KnownRow { path, sha256: hex(&self.digest), line: self.line }
    }
}

/// Looks into a wheel that is called `file_says`. Only folders at its top are metadata of the wheel; of several the one
/// that fits the name is read, else the last.
pub fn content<F: ReadAt + ?Sized>(file: &F, watch: &Watch, file_says: &FolderSays) -> Content {
    let mut out = Content::default();
    let mut parts = Parts::default();
    let listed = zip::entries(file, |name, entry| {
        parts.take(name, entry, file_says);
        ControlFlow::Continue(())
    });
    if let Err(fault) = listed {
        out.misses.insert(Miss { material: fault != zip::NO_ARCHIVE && parts.metadata.is_some(), ..fault.into() });
    } else if parts.metadata.is_none() {
        out.misses.insert(Miss::harmless(GapReason::Missing, "it has no METADATA; the file's name was used"));
    }
    match parts.metadata.map(|(_, entry)| zip::read_entry(file, &entry, HEADER_CAP)) {
        Some(Ok(read)) => out.headers = headers::parse(&read.bytes, read.whole || read.fault.is_some()),
        Some(Err(fault)) => {
            out.misses.insert(Miss::harmless(fault.reason, fault.says));
        }
        None => {}
    }
    if let Some(entry) = parts.record {
        out.record = Some(RecordState::Unverified);
        if let Err(fault) = known_rows(file, &entry, watch, &mut out) {
            out.record = Some(RecordState::Unreadable);
            out.misses.insert(fault.into());
        }
    }
    out
}

/// The entries that matter.
#[derive(Default)]
struct Parts {
    metadata: Option<(bool, Entry)>,
    record: Option<Entry>,
}

impl Parts {
    fn take(&mut self, name: &[u8], entry: &Entry, file_says: &FolderSays) {
        let mut parts = name.splitn(2, |byte| *byte == b'/');
        let (Some(top), Some(file)) = (parts.next(), parts.next()) else { return };
        if file == b"RECORD" && ends_in(top, &[".dist-info"]) {
            self.record = Some(*entry);
        } else if let Some((says, folder)) = names::of_member(name)
            && folder == top
        {
            let fits = normalize_name(&says.name) == normalize_name(&file_says.name);
            if fits || !self.metadata.as_ref().is_some_and(|(fits, _)| *fits) {
                self.metadata = Some((fits, *entry));
            }
        }
    }
}

/// Notes the rows of RECORD whose hash is that of a known payload.
fn known_rows<F: ReadAt + ?Sized>(file: &F, entry: &Entry, watch: &Watch, out: &mut Content) -> Result<(), Fault> {
    let stream = zip::stream(file, entry, record::CAP)?.take(record::CAP);
    let end = record::rows(stream, |row| match row.hash {
        Hash::Sha256(digest) if watch.sha256.contains(&digest) && out.known.len() < MOST_KNOWN => {
            out.known.push(Known { path: row.path.to_vec(), digest, line: row.line });
        }
        _ => {}
    });
    match end.fault {
        Some(says) => Err(Fault { reason: GapReason::Malformed, says }),
        None if entry.size > record::CAP => {
            Err(Fault { reason: GapReason::TooLarge, says: "rows of its RECORD beyond 64 MiB were not read" })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_payload_is_a_file_of_the_wheel_or_the_wheel() {
        let below = |path: &[u8]| {
            let known = Known { path: path.to_vec(), digest: [1; 32], line: 7 };
            known.below(&TargetPath::new(b"/a/x.whl")).path.to_text().into_owned()
        };
        assert_eq!(below(b"x/init.pth"), "/a/x.whl/x/init.pth");
        assert_eq!(below(b"../../etc/passwd"), "/a/x.whl");
        assert_eq!(below(b"/etc/passwd"), "/a/x.whl");
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_into(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            let says = FolderSays { name: "a".to_owned(), version: "1".to_owned() };
            let content = content(bytes.as_slice(), &Watch::default(), &says);
            prop_assert!(content.known.is_empty());
        }
    }
}
