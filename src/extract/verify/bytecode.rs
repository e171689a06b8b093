//! Bytecode that would run instead of the source beside it, whatever that source says: an "unchecked hash" file is never
//! compared with its source (PEP 552). Installers and Python itself do not write such files; build systems can.
//!
//! ```text
//! 4 bytes  magic number, ending in CR LF
//! 4 bytes  flags: bit 0 hash-based, bit 1 compared with the source
//! 8 bytes  hash, or time and size of the source
//! ```

use super::disk::Environment;
use super::rows::Listed;
use crate::model::path::TargetPath;
use crate::model::time::Time;

/// Files in `__pycache__` that stand in for a listed source without being compared with it, and when they were made.
pub(super) fn unchecked(environment: &Environment<'_>, listed: &Listed) -> Vec<(TargetPath, Option<Time>)> {
    let mut out = Vec::new();
    for (folder, names) in listed {
        let mut parts: Vec<&[u8]> = folder.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).collect();
        if !names.iter().any(|name| name.ends_with(b".py")) {
            continue;
        }
        parts.push(b"__pycache__");
        let Ok(dir) = environment.folder(&parts) else { continue };
        let mut found = Vec::new();
        let _listed = dir.list(|name, _| {
            let stem = environment.key(name.split(|byte| *byte == b'.').next().unwrap_or_default());
            if name.ends_with(b".pyc") && names.contains(&[&stem, b".py".as_slice()].concat()) {
                found.push(name.to_vec());
            }
        });
        found.sort_unstable();
        for name in found {
            let head = environment.head(&dir, &name, 16).unwrap_or_default();
            if is_unchecked(&head) {
                let path = parts.iter().fold(environment.site.clone(), |path, part| path.join(part)).join(&name);
                out.push((path, dir.stat_entry(&name).ok().map(|stat| stat.modified)));
            }
        }
    }
    out
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
