//! Bytecode that would run instead of the source beside it, whatever that source says: an "unchecked hash" file is never
//! compared with its source (PEP 552). Installers and Python itself do not write such files; build systems can.
//!
//! ```text
//! 4 bytes  magic number, ending in CR LF
//! 4 bytes  flags: bit 0 hash-based, bit 1 compared with the source
//! 8 bytes  hash, or time and size of the source
//! ```

use std::collections::BTreeSet;

use super::disk::{Disk, is_gone};
use super::rows::Listed;
use crate::model::coverage::GapReason;
use crate::model::interest::EntryKind;
use crate::model::path::TargetPath;
use crate::model::time::Time;

/// Bytecode that stands in for a listed source without being compared with it, or may.
pub(super) struct Stale {
    /// The file, or the folder where that is a link.
    pub(super) path: TargetPath,
    /// Its last modification.
    pub(super) modified: Option<Time>,
    /// Why it was not looked at.
    pub(super) missed: Option<GapReason>,
}

/// What lies in the `__pycache__` of listed sources and is never compared with them. Python writes folders and files
/// there: a link is somebody else's, and may lead to anything.
pub(super) fn unchecked(environment: &Disk<'_>, listed: &Listed) -> Vec<Stale> {
    let sources = listed.iter().filter(|(_, names)| names.iter().any(|name| name.ends_with(b".py")));
    sources.flat_map(|(folder, names)| in_folder(environment, folder, names)).collect()
}

fn in_folder(environment: &Disk<'_>, folder: &[u8], names: &BTreeSet<Vec<u8>>) -> Vec<Stale> {
    let mut parts: Vec<&[u8]> = folder.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).collect();
    // Behind a link that leads out, the rows themselves could not be compared: that has been said.
    if environment.folder(&parts).is_err() {
        return Vec::new();
    }
    parts.push(b"__pycache__");
    let path = parts.iter().fold(environment.site.clone(), |path, part| path.join(part));
    let whole = |missed| vec![Stale { path: path.clone(), modified: None, missed }];
    let dir = match environment.folder(&parts) {
        Ok(dir) => dir,
        Err(why) if is_gone(why) => return Vec::new(),
        Err(GapReason::LinkElsewhere) => return whole(None),
        Err(why) => return whole(Some(why)),
    };
    let mut found = Vec::new();
    let all = dir.list(|name, kind| {
        let stem = environment.key(name.split(|byte| *byte == b'.').next().unwrap_or_default());
        if name.ends_with(b".pyc") && names.contains(&[&stem, b".py".as_slice()].concat()) {
            found.push((name.to_vec(), kind));
        }
    });
    if let Err(why) = all {
        return whole(Some(why));
    }
    found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let stale = found.into_iter().filter_map(|(name, kind)| {
        let missed = match (kind, environment.head(&dir, &name, 16)) {
            (EntryKind::Link, _) => None,
            (_, Ok(head)) if is_unchecked(&head) => None,
            (_, Ok(_)) => return None,
            (_, Err(why)) => Some(why),
        };
        let modified = dir.stat_entry(&name).ok().map(|stat| stat.modified);
        Some(Stale { path: path.join(&name), modified, missed })
    });
    stale.collect()
}

/// Whether the header says: hash-based, and never compared.
fn is_unchecked(head: &[u8]) -> bool {
    let flags = head.get(4..8).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()).map(u32::from_le_bytes);
    // Before 3.7 the second word is a time, and the header has 12 bytes; those magics end below 3390.
    let magic = head.get(..2).and_then(|bytes| <[u8; 2]>::try_from(bytes).ok()).map(u16::from_le_bytes);
    let has_flags = magic.is_some_and(|magic| (3390..20_000).contains(&magic)) && head.get(2..4) == Some(b"\r\n");
    has_flags && head.len() == 16 && flags == Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_never_compared_counts() {
        let head =
            |magic: u16, flags: u32| [magic.to_le_bytes().as_slice(), b"\r\n", &flags.to_le_bytes(), &[7; 8]].concat();
        assert!(is_unchecked(&head(3495, 1)));
        assert!(!is_unchecked(&head(3495, 3)));
        assert!(!is_unchecked(&head(3495, 0)));
        // A time of 1 second in a file of Python 3.6.
        assert!(!is_unchecked(&head(3379, 1)));
        assert!(!is_unchecked(b"\xa7\r\r\n\x01"));
    }
}
