//! Files under a name that a pack watches, wherever they lie: payloads, loaders, lock files. A name alone means little;
//! the packs say which content makes it mean something.

use std::io::Read;

use memchr::memmem;
use sha2::{Digest, Sha256};

use super::Extractor;
use super::input::{Input, listed};
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::id::hex;
use crate::model::interest::{Ask, Interest};
use crate::model::known_file::WatchedFile;
use crate::model::watch::FileWatch;

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
    let name = String::from_utf8_lossy(input.candidate.name).to_lowercase();
    let Some(wanted) = input.watch.file_names.get(&name) else {
        return harvest;
    };
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
        needles: Vec::new(),
    };
    let is_read = wanted.hash || !wanted.needles.is_empty();
    let added = if is_read { add_content(input, wanted, &mut file) } else { Ok(()) };
    if let Err(why) = added {
        let gap = input.gap(why).because("what it contains is not known, only that it is there");
        // A start-up file is judged, and missed, as what it is.
        let is_judged = name.ends_with(".pth") && why == GapReason::TooLarge;
        harvest.gaps.push(if is_judged { gap.harmless() } else { gap });
    }
    harvest.facts.watched_files.push(file);
    harvest
}

fn add_content(input: &Input<'_>, wanted: &FileWatch, file: &mut WatchedFile) -> Result<(), GapReason> {
    if file.size > input.cap {
        return Err(GapReason::TooLarge);
    }
    let opened = input.open_candidate_to_judge()?;
    let is_elsewhere = opened.is_elsewhere;
    let mut stream = input.stream_open(opened, input.cap);
    let longest = wanted.needles.iter().map(String::len).max().unwrap_or(0);
    let mut missing: Vec<&String> = wanted.needles.iter().collect();
    let mut hash = Sha256::new();
    let mut window: Vec<u8> = Vec::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let got = stream.read(&mut buffer).map_err(|_| GapReason::Unreadable)?;
        let Some(part) = buffer.get(..got).filter(|part| !part.is_empty()) else { break };
        hash.update(part);
        // The end of the part before stays, so that a text across the border is found.
        window.drain(..window.len().saturating_sub(longest));
        window.extend_from_slice(part);
        missing.retain(|needle| !contains(&window, needle.as_bytes()));
    }
    file.needles = wanted.needles.iter().filter(|needle| !missing.contains(needle)).cloned().collect();
    let digest: [u8; 32] = hash.finalize().into();
    // Behind a link of another name may lie anything, a secret too; a known payload is none.
    let is_shown = !is_elsewhere || input.watch.sha256.contains(&digest);
    file.sha256 = (wanted.hash && is_shown).then(|| hex(&digest));
    Ok(())
}

/// Whether `text` contains `needle`, byte for byte.
#[must_use]
pub fn contains(text: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && memmem::find(text, needle).is_some()
}
