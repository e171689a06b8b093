//! The header of a `.pyc`, and whether Python takes the file instead of the source beside it.
//!
//! ```text
//! 2.7          magic, time of the source
//! 3.3 to 3.6   magic, time and size of the source
//! from 3.7 on  magic, flags, then either that or a hash of the source (PEP 552)
//! ```

use crate::extract::format::marshal::Layout;

/// How a file is held against its source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Check {
    /// By time and size; 2.7 knows no size.
    Time {
        /// Last change of the source, in seconds, modulo 2^32.
        time: u32,
        /// Its size, modulo 2^32.
        size: Option<u32>,
    },
    /// By a hash of the source.
    Hash(u64),
    /// Not at all: the hash is never looked at.
    Never,
}

/// What the first bytes say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Which form of bytecode.
    pub magic: u16,
    /// The CPython that wrote it: 3.11 is (3, 11).
    pub python: (u8, u8),
    /// How its code objects are laid out.
    pub layout: Layout,
    /// How it is held against its source.
    pub check: Check,
    /// Where the code begins.
    pub length: usize,
}

/// Whether Python runs it instead of the source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StandsIn {
    /// Time and size are those of the source.
    Taken,
    /// It is of an older state of the source: Python compiles anew.
    Stale,
    /// It is taken without a look at the source.
    Unchecked,
    /// It is taken if its hash is that of the source's content: see `is_hash_of`.
    CheckedHash,
}

/// First and last magic number of a version with its pre-releases, as far as these write the same layout.
#[rustfmt::skip]
const VERSIONS: &[(u16, u16, (u8, u8), Layout)] = &[
    (62171, 62211, (2, 7), Layout::Two),
    (3210, 3230, (3, 3), Layout::Three),
    (3250, 3310, (3, 4), Layout::Three),
    (3320, 3351, (3, 5), Layout::Three),
    (3360, 3379, (3, 6), Layout::Three),
    (3390, 3399, (3, 7), Layout::Three),
    (3400, 3409, (3, 8), Layout::Three),
    (3410, 3419, (3, 8), Layout::Positional),
    (3420, 3429, (3, 9), Layout::Positional),
    (3430, 3449, (3, 10), Layout::Positional),
    (3460, 3499, (3, 11), Layout::Together),
    (3500, 3549, (3, 12), Layout::Together),
    (3550, 3599, (3, 13), Layout::Together),
    (3600, 3649, (3, 14), Layout::Together),
    (3650, 3699, (3, 15), Layout::Together),
];

/// The first magic number that is followed by flags.
const WITH_FLAGS: u16 = 3392;

/// Longest header.
pub const LONGEST: usize = 16;

/// Reads the header of a form that is known. None as well where Python itself would refuse the file.
#[must_use]
pub fn header(file: &[u8]) -> Option<Header> {
    let word = |at: usize| {
        let bytes = file.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let magic = u16::from_le_bytes(file.get(..2)?.try_into().ok()?);
    if file.get(2..4)? != b"\r\n" {
        return None;
    }
    let (_, _, python, layout) =
        VERSIONS.iter().find(|(first, last, ..)| (*first..=*last).contains(&magic)).copied()?;
    let (check, length) = if python.0 == 2 {
        (Check::Time { time: word(4)?, size: None }, 8)
    } else if magic < WITH_FLAGS {
        (Check::Time { time: word(4)?, size: Some(word(8)?) }, 12)
    } else {
        let (low, high) = (word(8)?, word(12)?);
        let check = match word(4)? {
            0 => Check::Time { time: low, size: Some(high) },
            1 => Check::Never,
            3 => Check::Hash(u64::from(high) << 32 | u64::from(low)),
            // 2 is a time that a newer Python may mean otherwise; the rest is refused.
            2 => Check::Time { time: low, size: Some(high) },
            _ => return None,
        };
        (check, 16)
    };
    Some(Header { magic, python, layout, check, length })
}

/// Whether Python takes the file instead of a source of that last change and size.
#[must_use]
pub fn stands_in(header: &Header, source_modified: i64, source_size: u64) -> StandsIn {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "both are compared modulo 2^32")]
    let (source_modified, source_size) = (source_modified as u32, source_size as u32);
    match header.check {
        Check::Never => StandsIn::Unchecked,
        Check::Hash(_) => StandsIn::CheckedHash,
        Check::Time { time, size } => {
            let is_same = time == source_modified && size.is_none_or(|size| size == source_size);
            if is_same { StandsIn::Taken } else { StandsIn::Stale }
        }
    }
}

/// Whether the header holds the hash of this source: SipHash, keyed with the magic number; 2-4 up to 3.10, then 1-3.
#[must_use]
pub fn is_hash_of(header: &Header, source: &[u8]) -> bool {
    let key = u64::from(header.magic) | u64::from(u32::from_le_bytes(*b"\0\0\r\n"));
    let rounds = if header.python < (3, 11) { (2, 4) } else { (1, 3) };
    header.check == Check::Hash(siphash(key, rounds, source))
}

/// SipHash with a key of which the second half is 0 (Aumasson and Bernstein, 2012).
fn siphash(key: u64, (per_word, at_end): (u32, u32), data: &[u8]) -> u64 {
    let start = *b"somepseudorandomlygeneratedbytes";
    let mut state = [0_u64; 4];
    for (word, bytes) in state.iter_mut().zip(start.chunks_exact(8)) {
        *word = bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    let [a, b, c, d] = state;
    let mut state = [a ^ key, b, c ^ key, d];
    let little = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let words = data.chunks_exact(8);
    let tail = little(words.remainder()) | (data.len() as u64) << 56;
    for word in words.map(little).chain([tail]) {
        state[3] ^= word;
        state = (0..per_word).fold(state, |state, _| round(state));
        state[0] ^= word;
    }
    state[2] ^= 0xff;
    let [a, b, c, d] = (0..at_end).fold(state, |state, _| round(state));
    a ^ b ^ c ^ d
}

fn round([mut a, mut b, mut c, mut d]: [u64; 4]) -> [u64; 4] {
    a = a.wrapping_add(b);
    c = c.wrapping_add(d);
    b = b.rotate_left(13) ^ a;
    d = d.rotate_left(16) ^ c;
    a = a.rotate_left(32);
    c = c.wrapping_add(b);
    a = a.wrapping_add(d);
    b = b.rotate_left(17) ^ c;
    d = d.rotate_left(21) ^ a;
    c = c.rotate_left(32);
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(magic: u16, words: &[u32]) -> Vec<u8> {
        let words = words.iter().flat_map(|word| word.to_le_bytes());
        magic.to_le_bytes().into_iter().chain(*b"\r\n").chain(words).collect()
    }

    #[test]
    fn each_version_has_its_header() {
        let of = |magic, words: &[u32]| header(&made(magic, words)).map(|one| (one.python, one.length, one.check));
        assert_eq!(of(62211, &[5]), Some(((2, 7), 8, Check::Time { time: 5, size: None })));
        assert_eq!(of(3379, &[5, 6]), Some(((3, 6), 12, Check::Time { time: 5, size: Some(6) })));
        assert_eq!(of(3394, &[0, 5, 6]), Some(((3, 7), 16, Check::Time { time: 5, size: Some(6) })));
        assert_eq!(of(3627, &[1, 5, 6]), Some(((3, 14), 16, Check::Never)));
        assert_eq!(of(3495, &[3, 5, 6]), Some(((3, 11), 16, Check::Hash(6 << 32 | 5))));
        assert_eq!(of(3495, &[4, 5, 6]), None);
        assert_eq!(of(3495, &[0, 5]), None);
        // Between 3.10 and the layout of 3.11; of the future; no magic at all.
        assert_eq!(of(3455, &[0, 5, 6]), None);
        assert_eq!(of(3700, &[0, 5, 6]), None);
        assert_eq!(header(b"\xa7\r\n\n\0\0\0\0\0\0\0\0\0\0\0\0"), None);
    }

    #[test]
    fn time_and_size_make_it_stand_in() {
        let by_time = header(&made(3495, &[0, 5, 6])).unwrap();
        assert_eq!(stands_in(&by_time, 5, 6), StandsIn::Taken);
        assert_eq!(stands_in(&by_time, 5 + (1 << 32), 6 + (1 << 32)), StandsIn::Taken);
        assert_eq!(stands_in(&by_time, 5, 7), StandsIn::Stale);
        assert_eq!(stands_in(&by_time, 4, 6), StandsIn::Stale);
        assert_eq!(stands_in(&header(&made(62211, &[5])).unwrap(), 5, 999), StandsIn::Taken);
        assert_eq!(stands_in(&header(&made(3495, &[1, 5, 6])).unwrap(), 1, 1), StandsIn::Unchecked);
        assert_eq!(stands_in(&header(&made(3495, &[3, 5, 6])).unwrap(), 5, 6), StandsIn::CheckedHash);
    }

    #[test]
    fn hashes_are_those_of_cpython() {
        // What `_imp.source_hash` of each version gives.
        let all: Vec<u8> = (0..64).collect();
        for (magic, source, hash) in [
            (3394, b"VALUE = 1\n".as_slice(), [0xfc, 0x3b, 0xea, 0x6e, 0x6b, 0x73, 0x44, 0xdb]),
            (3439, b"", [0x8c, 0xc0, 0xcd, 0x25, 0x25, 0xe7, 0xfd, 0x27]),
            (3495, b"VALUE = 1\n", [0xe3, 0x40, 0x11, 0xfd, 0xf0, 0xb6, 0xfe, 0xd7]),
            (3571, &all, [0x8d, 0xf0, 0xf4, 0x4b, 0x7f, 0xd0, 0xb1, 0xf6]),
        ] {
            let (low, high) = hash.split_at(4);
            let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
            let header = header(&made(magic, &[3, word(low), word(high)])).unwrap();
            assert!(is_hash_of(&header, source), "{magic}");
            assert!(!is_hash_of(&header, b"VALUE = 2\n"), "{magic}");
        }
    }
}
