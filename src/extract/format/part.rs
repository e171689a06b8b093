//! A part of a file that is read like a file of its own: an archive in the middle of a cache's record; and its SHA-256.

use std::io;
use std::ops::Range;

use sha2::{Digest, Sha256};

use super::read_at::ReadAt;
use super::zip::Fault;
use crate::model::coverage::GapReason;
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

/// Most bytes of an archive that are hashed.
pub const MOST_HASHED: u64 = 512 << 20;

const TOO_LARGE: Fault =
    Fault { reason: GapReason::TooLarge, says: "beyond 512 MiB no hash is worked out; the name says what it is" };
const DISK: Fault = Fault { reason: GapReason::Unreadable, says: "its hash is not known: the disk failed" };

/// The SHA-256 of all bytes, lower-case hex.
///
/// # Errors
/// Where there are more than [`MOST_HASHED`], or where the disk fails.
pub fn sha256<F: ReadAt + ?Sized>(file: &F) -> Result<String, Fault> {
    if file.size() > MOST_HASHED {
        return Err(TOO_LARGE);
    }
    let mut hash = Sha256::new();
    let mut buffer = vec![0; STEP];
    let mut at = 0;
    loop {
        let got = file.read_at(at, &mut buffer).map_err(|_| DISK)?;
        let Some(part) = buffer.get(..got).filter(|part| !part.is_empty()) else { break };
        hash.update(part);
        at += got as u64;
        // A file that grows while it is read is none that has a hash.
        if at > MOST_HASHED {
            return Err(TOO_LARGE);
        }
    }
    Ok(hex(&hash.finalize()))
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

    /// A file that says nothing of its size and never ends.
    struct Endless;

    impl ReadAt for Endless {
        fn size(&self) -> u64 {
            u64::MAX
        }

        fn read_at(&self, _: u64, buffer: &mut [u8]) -> io::Result<usize> {
            Ok(buffer.len())
        }
    }

    #[test]
    fn hashes_are_of_all_or_nothing() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc".as_slice()).as_deref(), Ok(known));
        assert_eq!(sha256(&Part::of(b"xabcx".as_slice(), 1..4)).as_deref(), Ok(known));
        assert_eq!(sha256(&Endless), Err(TOO_LARGE));
    }
}
