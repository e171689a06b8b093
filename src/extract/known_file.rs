//! Files under a name that a pack watches, wherever they lie: payloads, loaders, lock files. A name alone means little;
//! the packs say which content makes it mean something.

use std::io::Read as _;

use memchr::memmem;
use sha2::{Digest, Sha256};

use super::Extractor;
use super::format::texts::Finder;
use super::input::{Input, listed};
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::id::{hex, sha256_of_hex};
use crate::model::interest::{Ask, Interest};
use crate::model::known_file::{Origin, WatchedFile};
use crate::model::watch::FileWatch;

/// Bytes that are read at a time.
const PART: usize = 256 << 10;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "known-files",
        sentence: "Files under a name that an indicator pack watches.",
        ask: Ask::WatchedNames,
    },
    cap: 256 << 20,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    let lower = |name: &[u8]| String::from_utf8_lossy(name).to_lowercase();
    let mut folders = input.candidate.path.components().rev().skip(1);
    let (folder, above) = (folders.next().unwrap_or_default(), folders.next().unwrap_or_default());
    let name = lower(input.candidate.name);
    let wanted = input.watch.wants(&name, &lower(folder), &lower(above));
    if wanted.is_empty() {
        return harvest;
    }
    let stat = match input.candidate.dir.stat_entry(input.candidate.name) {
        Ok(stat) => stat,
        Err(why) => {
            harvest.gaps.push(input.gap(listed(why)));
            return harvest;
        }
    };
    let mut file = WatchedFile {
        path: input.candidate.path.clone(),
        size: stat.size,
        modified: Some(stat.modified),
        owner_uid: Some(stat.uid),
        sha256: None,
        linked: stat.linked(),
        texts: Vec::new(),
        origin: Origin::File,
    };
    let is_read = wanted.iter().any(|one| one.hash || !one.needles.is_empty());
    let added = if is_read { add_content(input, &wanted, &mut file) } else { Ok(()) };
    if let Err(why) = added {
        let gap = input.gap(why).because("what it contains is not known, only that it is there");
        // A start-up file is judged, and missed, as what it is.
        let is_judged = name.ends_with(".pth") && why == GapReason::TooLarge;
        harvest.gaps.push(if is_judged { gap.harmless() } else { gap });
    }
    // A name with stars is that of many honest files.
    let is_named = wanted.iter().any(|one| one.name_alone) || input.watch.file_names.contains_key(&name);
    if is_named || !file.texts.is_empty() || is_known(input, &file) {
        harvest.facts.watched_files.push(file);
    }
    harvest
}

fn is_known(input: &Input<'_>, file: &WatchedFile) -> bool {
    let digest = file.sha256.as_deref().and_then(sha256_of_hex);
    digest.is_some_and(|digest| input.watch.sha256.contains(&digest))
}

fn add_content(input: &Input<'_>, wanted: &[&FileWatch], file: &mut WatchedFile) -> Result<(), GapReason> {
    if file.size > input.cap {
        return Err(GapReason::TooLarge);
    }
    let opened = input.open_candidate_to_judge()?;
    let is_elsewhere = opened.is_elsewhere;
    let mut stream = input.stream_open(opened, input.cap);
    let mut hash = Sha256::new();
    let mut finders: Vec<Finder<'_>> = wanted.iter().map(|one| Finder::of(one)).collect();
    let mut buffer = vec![0; PART];
    loop {
        let got = stream.read(&mut buffer).map_err(|_| GapReason::Unreadable)?;
        let Some(part) = buffer.get(..got).filter(|part| !part.is_empty()) else { break };
        hash.update(part);
        finders.iter_mut().for_each(|finder| finder.next(part));
    }
    file.texts = finders.into_iter().flat_map(Finder::finish).collect();
    file.texts.sort_unstable();
    file.texts.dedup_by(|one, other| one.needle == other.needle);
    let digest: [u8; 32] = hash.finalize().into();
    // Behind a link of another name may lie anything, a secret too; a known payload is none.
    if is_elsewhere {
        file.texts.iter_mut().for_each(|text| text.excerpt = None);
    }
    let is_shown = !is_elsewhere || input.watch.sha256.contains(&digest);
    let is_hashed = wanted.iter().any(|one| one.hash);
    file.sha256 = (is_hashed && is_shown).then(|| hex(&digest));
    Ok(())
}

/// Whether `text` contains `needle`, byte for byte.
#[must_use]
pub fn contains(text: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && memmem::find(text, needle).is_some()
}
