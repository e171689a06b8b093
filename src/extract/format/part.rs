//! A part of a file that is read like a file of its own: an archive in the middle of a cache's record; and its SHA-256.

use std::io;
use std::ops::Range;

use sha2::{Digest, Sha256};

use super::read_at::ReadAt;
use crate::model::id::hex;

/// Bytes that are hashed at a time.
const STEP: usize = 256 << 10;

/// The part.
pub struct Part<'a, F: ?Sized> {
    file: &'a F,
    start: u64,
    size: u64,
}

impl<'a, F: ReadAt + ?Sized> Part<'a, F> {
    /// The bytes of a place, as far as the file goes.
    #[must_use]
    pub fn of(file: &'a F, place: Range<u64>) -> Self {
        let end = place.end.min(file.size());
        Self { file, start: place.start, size: end.saturating_sub(place.start) }
    }

    /// All of a file.
    #[must_use]
    pub fn whole(file: &'a F) -> Self {
        Self::of(file, 0..file.size())
    }
}

impl<F: ReadAt + ?Sized> ReadAt for Part<'_, F> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let most = left.min(buffer.len());
        let Some(at) = self.start.checked_add(offset) else { return Ok(0) };
        self.file.read_at(at, buffer.get_mut(..most).unwrap_or_default())
    }
}

/// The SHA-256 of all bytes, lower-case hex; none where there are more than `cap`, or where the disk fails.
pub fn sha256<F: ReadAt + ?Sized>(file: &F, cap: u64) -> Option<String> {
    if file.size() > cap {
        return None;
    }
    let mut hash = Sha256::new();
    let mut buffer = vec![0; STEP];
    let mut at = 0;
    loop {
        let got = file.read_at(at, &mut buffer).ok()?;
        let Some(part) = buffer.get(..got).filter(|part| !part.is_empty()) else { break };
        hash.update(part);
        at += got as u64;
        // A file that grows while it is read is none that has a hash.
        if at > cap {
            return None;
        }
    }
    Some(hex(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_ends_where_it_ends() {
        let bytes = b"0123456789".as_slice();
        let part = Part::of(bytes, 2..5);
        let mut buffer = [0; 8];
        assert_eq!((part.size(), part.read_at(1, &mut buffer).unwrap()), (3, 2));
        assert_eq!(&buffer[..2], b"34");
        assert_eq!(Part::of(bytes, 8..100).size(), 2);
        assert_eq!(Part::of(bytes, 50..100).size(), 0);
        assert_eq!(part.read_at(u64::MAX, &mut buffer).unwrap(), 0);
    }

    #[test]
    fn hashes_are_of_all_or_nothing() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc".as_slice(), 3).as_deref(), Some(known));
        assert_eq!(sha256(&Part::of(b"xabcx".as_slice(), 1..4), 3).as_deref(), Some(known));
        assert_eq!(sha256(b"abc".as_slice(), 2), None);
    }
}
