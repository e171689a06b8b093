//! Loose objects, and packs with their index of version 2 (gitformat-pack(5)). Objects are inflated up to a bound; deltas,
//! on a base by offset or by id, are followed up to a depth.

use std::io::{self, Read};

use flate2::read::ZlibDecoder;

use super::object::{Kind, Object, ObjectId, apply};
use crate::extract::format::read_at::ReadAt;

/// Most bytes of one object: trees and workflows have some kilobytes.
pub const MOST: usize = 4 << 20;

/// Most bytes that the deltas of one object have together.
const MOST_DELTAS: usize = 16 << 20;

/// Most deltas of one object; git makes 50, and 4095 if told to.
const DEEPEST: usize = 512;

/// Where the ids begin in an index: behind its mark, its version and the table of first bytes.
const IDS: u64 = 8 + 256 * 4;

/// Why an object was not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Miss {
    /// It is not there.
    Missing,
    /// It is not what it should be.
    Faulty,
    /// It is larger than is read, or too many deltas deep.
    TooLarge,
    /// The disk failed.
    Disk,
}

/// Inflates exactly `size` bytes.
fn inflate(stream: impl Read, size: u64) -> Result<Vec<u8>, Miss> {
    let most = usize::try_from(size).ok().filter(|size| *size <= MOST).ok_or(Miss::TooLarge)?;
    let mut out = Vec::with_capacity(most.min(64 << 10));
    ZlibDecoder::new(stream).take(size.saturating_add(1)).read_to_end(&mut out).map_err(|_| Miss::Faulty)?;
    if out.len() == most { Ok(out) } else { Err(Miss::Faulty) }
}

/// A loose object: `KIND SIZE`, a zero, the content.
///
/// # Errors
/// Why not.
pub fn loose(stream: impl Read) -> Result<Object, Miss> {
    let mut bytes = Vec::new();
    let most = MOST as u64 + 64;
    ZlibDecoder::new(stream).take(most).read_to_end(&mut bytes).map_err(|_| Miss::Faulty)?;
    let end = bytes.iter().take(64).position(|byte| *byte == 0).ok_or(Miss::Faulty)?;
    let head = bytes.get(..end).unwrap_or_default();
    let space = memchr::memchr(b' ', head).ok_or(Miss::Faulty)?;
    let (word, size) = head.split_at(space);
    let kind = Kind::of_word(word).ok_or(Miss::Faulty)?;
    let size: usize = std::str::from_utf8(size).ok().and_then(|text| text.trim().parse().ok()).ok_or(Miss::Faulty)?;
    if size > MOST {
        return Err(Miss::TooLarge);
    }
    bytes.drain(..=end);
    if bytes.len() == size { Ok(Object { kind, bytes }) } else { Err(Miss::Faulty) }
}

fn be32<F: ReadAt + ?Sized>(file: &F, at: u64) -> Result<u32, Miss> {
    let mut bytes = [0; 4];
    let got = file.read_at(at, &mut bytes).map_err(|_| Miss::Disk)?;
    if got == 4 { Ok(u32::from_be_bytes(bytes)) } else { Err(Miss::Faulty) }
}

/// Where the pack of an index holds an object.
///
/// # Errors
/// `Missing` where it does not.
pub fn offset<F: ReadAt + ?Sized>(index: &F, id: &ObjectId) -> Result<u64, Miss> {
    if (be32(index, 0)?, be32(index, 4)?) != (0xff74_4f63, 2) {
        return Err(Miss::Faulty);
    }
    let first = u64::from(id.first().copied().unwrap_or_default());
    let count = u64::from(be32(index, 8 + 255 * 4)?);
    let mut low = if first == 0 { 0 } else { u64::from(be32(index, 8 + (first - 1) * 4)?) };
    let mut high = u64::from(be32(index, 8 + first * 4)?).min(count);
    while low < high {
        let middle = low + (high - low) / 2;
        let mut own: ObjectId = [0; 20];
        let got = index.read_at(IDS + middle * 20, &mut own).map_err(|_| Miss::Disk)?;
        if got != own.len() {
            return Err(Miss::Faulty);
        }
        match own.cmp(id) {
            std::cmp::Ordering::Equal => return place(index, count, middle),
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    Err(Miss::Missing)
}

/// The place of the object of a number: behind ids and check sums a table of 31 bits, behind that one of 64.
fn place<F: ReadAt + ?Sized>(index: &F, count: u64, number: u64) -> Result<u64, Miss> {
    let short = be32(index, IDS + count * 24 + number * 4)?;
    if short >> 31 == 0 {
        return Ok(u64::from(short));
    }
    let at = IDS + count * 28 + u64::from(short & 0x7fff_ffff) * 8;
    Ok(u64::from(be32(index, at)?) << 32 | u64::from(be32(index, at + 4)?))
}

/// What stands in front of an object in a pack.
struct Head {
    number: u8,
    size: u64,
    base: Base,
    /// Where the deflated bytes begin.
    at: u64,
}

enum Base {
    None,
    Offset(u64),
    Id(ObjectId),
}

fn head<F: ReadAt + ?Sized>(pack: &F, at: u64) -> Result<Head, Miss> {
    let mut bytes = [0; 48];
    let got = pack.read_at(at, &mut bytes).map_err(|_| Miss::Disk)?;
    let whole = bytes.get(..got).unwrap_or_default();
    let mut rest = whole;
    let mut next = || {
        let (byte, tail) = rest.split_first().ok_or(Miss::Faulty)?;
        rest = tail;
        Ok::<u8, Miss>(*byte)
    };
    let mut byte = next()?;
    let number = byte >> 4 & 7;
    let (mut size, mut shift) = (u64::from(byte & 15), 4);
    while byte & 0x80 != 0 && shift < 57 {
        byte = next()?;
        size |= u64::from(byte & 0x7f) << shift;
        shift += 7;
    }
    let base = match number {
        6 => {
            byte = next()?;
            let mut back = u64::from(byte & 0x7f);
            for _ in 0..8 {
                if byte & 0x80 == 0 {
                    break;
                }
                byte = next()?;
                back = (back + 1) << 7 | u64::from(byte & 0x7f);
            }
            Base::Offset(at.checked_sub(back).filter(|_| back > 0).ok_or(Miss::Faulty)?)
        }
        7 => {
            let (own, tail) = rest.split_at_checked(20).ok_or(Miss::Faulty)?;
            rest = tail;
            Base::Id(own.try_into().map_err(|_| Miss::Faulty)?)
        }
        _ => Base::None,
    };
    let used = whole.len() - rest.len();
    Ok(Head { number, size, base, at: at + used as u64 })
}

/// Reads the object at a place of a pack, whose index is at hand for deltas on a base that is called by its id.
///
/// # Errors
/// Why not; `Missing` for a base that lies elsewhere.
pub fn object<F: ReadAt + ?Sized>(pack: &F, index: &F, at: u64) -> Result<Object, Miss> {
    let mut deltas: Vec<Vec<u8>> = Vec::new();
    let (mut at, mut left) = (at, MOST_DELTAS);
    let mut made = loop {
        let head = head(pack, at)?;
        let stream = Stream { file: pack, at: head.at };
        let next = match head.base {
            Base::None => {
                let kind = Kind::of_number(head.number).ok_or(Miss::Faulty)?;
                break Object { kind, bytes: inflate(stream, head.size)? };
            }
            Base::Offset(base) => base,
            Base::Id(id) => offset(index, &id)?,
        };
        let delta = inflate(stream, head.size)?;
        left = left.checked_sub(delta.len()).filter(|_| deltas.len() < DEEPEST).ok_or(Miss::TooLarge)?;
        deltas.push(delta);
        at = next;
    };
    for delta in deltas.iter().rev() {
        made.bytes = apply(&made.bytes, delta, MOST).ok_or(Miss::Faulty)?;
    }
    Ok(made)
}

/// The bytes of a file from a place on.
struct Stream<'a, F: ?Sized> {
    file: &'a F,
    at: u64,
}

impl<F: ReadAt + ?Sized> Read for Stream<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // The decoder asks for more than most objects have.
        let most = buffer.len().min(4096);
        let got = self.file.read_at(self.at, buffer.get_mut(..most).unwrap_or_default())?;
        self.at = self.at.saturating_add(got as u64);
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    /// A pack of a blob and a delta on it, by offset and by id, with its index.
    fn pack() -> (Vec<u8>, Vec<u8>) {
        let mut pack = b"PACK\0\0\0\x02\0\0\0\x03".to_vec();
        let mut places = vec![pack.len() as u32];
        pack.push(0x3a);
        pack.extend(deflate(b"0123456789"));
        let delta = deflate(&[10, 8, 0x91, 2, 4, 2, b'X', b'Y', 0x90, 2]);
        places.push(pack.len() as u32);
        let back = pack.len() as u32 - places[0];
        pack.extend([0x6a, u8::try_from(back).unwrap()]);
        pack.extend(&delta);
        places.push(pack.len() as u32);
        pack.push(0x7a);
        pack.extend([1; 20]);
        pack.extend(&delta);
        let mut index = vec![0xff, 0x74, 0x4f, 0x63, 0, 0, 0, 2];
        for first in 0..256_u32 {
            index.extend(first.min(3).to_be_bytes());
        }
        (1..=3_u8).for_each(|id| index.extend([id; 20]));
        index.extend([0; 12]);
        places.iter().for_each(|place| index.extend(place.to_be_bytes()));
        (pack, index)
    }

    #[test]
    fn objects_of_a_pack() {
        let (pack, index) = pack();
        let read = |id: u8| object(pack.as_slice(), index.as_slice(), offset(index.as_slice(), &[id; 20])?);
        assert_eq!(read(1).unwrap(), Object { kind: Kind::Blob, bytes: b"0123456789".to_vec() });
        assert_eq!(read(2).unwrap().bytes, b"2345XY01");
        assert_eq!(read(3).unwrap().bytes, b"2345XY01");
        assert_eq!(read(4), Err(Miss::Missing));
        assert_eq!(object(pack.as_slice(), index.as_slice(), 9999), Err(Miss::Faulty));
    }

    #[test]
    fn a_circle_of_deltas_ends() {
        let (mut pack, index) = pack();
        // The first object becomes a delta on itself, by its id.
        let delta = deflate(&[10, 8]);
        pack.truncate(12);
        pack.push(0x72);
        pack.extend([1; 20]);
        pack.extend(delta);
        assert_eq!(object(pack.as_slice(), index.as_slice(), 12), Err(Miss::TooLarge));
    }

    #[test]
    fn loose_objects() {
        assert_eq!(loose(deflate(b"blob 2\0hi").as_slice()).unwrap().bytes, b"hi");
        assert_eq!(loose(deflate(b"blob 3\0hi").as_slice()), Err(Miss::Faulty));
        assert_eq!(loose(deflate(b"blob 9999999999\0").as_slice()), Err(Miss::TooLarge));
        let bomb = deflate(&[b"blob 99\0".as_slice(), &vec![0; 64 << 20]].concat());
        assert_eq!(loose(bomb.as_slice()), Err(Miss::Faulty));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0..220_u64) {
            let bytes = bytes.as_slice();
            let _any = (loose(bytes), offset(bytes, &[1; 20]), object(bytes, bytes, at));
            let (pack, index) = pack();
            let damaged: Vec<u8> = pack.iter().zip(bytes.iter().chain(std::iter::repeat(&0))).map(|(a, b)| a ^ (b & 1)).collect();
            let _any = object(damaged.as_slice(), index.as_slice(), at);
        }
    }
}
