//! What PyInstaller appends to its loader (`CArchive`): the contents one after the other, a table of them, and a cookie of
//! 88 bytes that says where both begin. Described by PyInstaller's own reader and writer
//! (`PyInstaller/archive/{readers,writers}.py`, `bootloader/src/pyi_archive.h`) only; all numbers are big-endian.
//!
//! Modules lie in an archive within it (`PYZ`), whose table is a marshalled list of names with places.

use std::io::Read as _;

use flate2::read::ZlibDecoder;
use memchr::memmem;

use crate::extract::format::read_at::ReadAt;
use crate::extract::format::zip::Fault;
use crate::model::coverage::GapReason;

/// How the cookie begins.
const MAGIC: &[u8] = b"MEI\x0c\x0b\x0a\x0b\x0e";

/// Its length, and that of its beginning which says where the table lies; up to 2.0 there was no more of it.
const COOKIE: u64 = 88;
const OLD_COOKIE: u64 = 24;

/// Most bytes of a table; that of the largest programs is a few hundred thousand.
const MOST_TABLE: u64 = 16 << 20;

/// The fixed part of a row.
const ROW: usize = 18;

const BROKEN: Fault = Fault { reason: GapReason::Malformed, says: "the table of contents of the program is damaged" };
const MISPLACED: Fault =
    Fault { reason: GapReason::Malformed, says: "the table of contents does not lie in the program" };
const TOO_LARGE: Fault =
    Fault { reason: GapReason::TooLarge, says: "the table of contents of the program is longer than is read" };
const DISK: Fault = Fault { reason: GapReason::Unreadable, says: "the disk failed" };

/// Where things lie in the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cookie {
    /// Where what was appended begins.
    start: u64,
    /// Where the table lies, and its length.
    table: u64,
    length: u64,
}

/// A row of the table, beside its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Where its content lies in the file.
    pub at: u64,
    /// How long it is there.
    pub length: u64,
    /// Whether it is compressed (zlib).
    pub is_compressed: bool,
    /// What it is: `z` an archive of modules, `x` a file of data, `b` a library.
    pub kind: u8,
}

/// Finds the last cookie in the last `tail` bytes; none in what is no program of PyInstaller.
///
/// # Errors
/// Why what it says cannot be.
pub fn cookie<F: ReadAt + ?Sized>(file: &F, tail: u64) -> Result<Option<Cookie>, Fault> {
    let from = file.size().saturating_sub(tail);
    let mut bytes = vec![0; usize::try_from(file.size().min(tail)).unwrap_or(0)];
    let got = file.read_at(from, &mut bytes).map_err(|_| DISK)?;
    bytes.truncate(got);
    let Some(at) = memmem::rfind(&bytes, MAGIC) else { return Ok(None) };
    let field = |number: usize| big(&bytes, at + MAGIC.len() + 4 * number);
    let (Some(package), Some(table), Some(length)) = (field(0), field(1), field(2)) else { return Ok(None) };
    let cookie_at = from.saturating_add(at as u64);
    // The length counts the cookie as well, of which there are two.
    let start = |cookie: u64| cookie_at.saturating_add(cookie).checked_sub(package);
    let fits = |start: &u64| start.saturating_add(table).saturating_add(length) <= cookie_at;
    let found = [COOKIE, OLD_COOKIE].into_iter().filter_map(start).find(fits).ok_or(MISPLACED)?;
    Ok(Some(Cookie { start: found, table: found.saturating_add(table), length }))
}

/// How far from the end the cookie of a program of Windows lies at most: in front of its signature, where it has one (PE
/// format, entry 4 of the data directories), else of nothing but a filling. None of what is no such program.
pub fn behind_pe<F: ReadAt + ?Sized>(file: &F) -> Option<u64> {
    let mut head = [0; 1024];
    let got = file.read_at(0, &mut head).ok()?;
    let head = head.get(..got).filter(|head| head.starts_with(b"MZ"))?;
    let pe = usize::try_from(little(head, 0x3c, 4)?).ok()?;
    // Headers that lie further on are those of old linkers, or made up.
    let Some(magic) = little(head, pe.checked_add(24)?, 2) else { return Some(MOST_SIGNATURE) };
    let directories = pe.checked_add(if magic == 0x20b { 136 } else { 120 })?;
    let (at, length) = (little(head, directories.checked_add(32)?, 4)?, little(head, directories.checked_add(36)?, 4)?);
    let behind = if length == 0 { 0 } else { file.size().saturating_sub(at) };
    Some(behind.saturating_add(FILLING).min(MOST_SIGNATURE))
}

/// Most bytes of a signature that are looked at, and what may stand between it and the cookie.
const MOST_SIGNATURE: u64 = 256 << 10;
const FILLING: u64 = 8 << 10;

fn little(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(width)?)?;
    Some(field.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

fn big(bytes: &[u8], at: usize) -> Option<u64> {
    let four: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(u64::from(u32::from_be_bytes(four)))
}

/// Shows every row of the table with its name.
///
/// # Errors
/// Why not all of it was shown.
pub fn entries<F: ReadAt + ?Sized>(
    file: &F,
    cookie: &Cookie,
    mut visit: impl FnMut(&[u8], Entry),
) -> Result<(), Fault> {
    let mut table = vec![0; usize::try_from(cookie.length.min(MOST_TABLE)).unwrap_or(0)];
    let got = file.read_at(cookie.table, &mut table).map_err(|_| DISK)?;
    table.truncate(got);
    let mut rest = table.as_slice();
    while !rest.is_empty() {
        let row = big(rest, 0).and_then(|row| usize::try_from(row).ok()).filter(|row| *row >= ROW);
        let Some((row, after)) = row.and_then(|row| rest.split_at_checked(row)) else {
            return Err(if cookie.length > MOST_TABLE { TOO_LARGE } else { BROKEN });
        };
        rest = after;
        let (Some(at), Some(length)) = (big(row, 4), big(row, 8)) else { return Err(BROKEN) };
        let name = row.get(ROW..).unwrap_or_default();
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        let entry = Entry {
            at: cookie.start.saturating_add(at),
            length,
            is_compressed: row.get(16).is_some_and(|flag| *flag != 0),
            kind: row.get(17).copied().unwrap_or(0),
        };
        visit(name, entry);
    }
    if cookie.length > MOST_TABLE { Err(TOO_LARGE) } else { Ok(()) }
}

/// At most `cap` bytes of what a row leads to, and whether that is all of it; less where it is damaged.
pub fn content<F: ReadAt + ?Sized>(file: &F, entry: &Entry, cap: u64) -> (Vec<u8>, bool) {
    let stored = |at: u64, most: u64| {
        let mut bytes = vec![0; usize::try_from(most.min(file.size().saturating_sub(at))).unwrap_or(0)];
        let got = file.read_at(at, &mut bytes).unwrap_or(0);
        bytes.truncate(got);
        bytes
    };
    if !entry.is_compressed {
        return (stored(entry.at, entry.length.min(cap)), entry.length <= cap);
    }
    let packed = stored(entry.at, entry.length.min(cap));
    let mut bytes = Vec::new();
    let ended = ZlibDecoder::new(packed.as_slice()).take(cap).read_to_end(&mut bytes).is_ok();
    let is_all = ended && (bytes.len() as u64) < cap;
    (bytes, is_all)
}

/// The marks of marshalled objects that a table of modules is made of. The highest bit only says that an object can be
/// referred to.
const REFERENCE: u8 = 0x80;

/// Shows the names in a table of modules, `PYZ` and all, until something stands there that such tables do not hold.
///
/// # Errors
/// Why not all of it was shown.
pub fn modules<F: ReadAt + ?Sized>(file: &F, pyz: &Entry, mut visit: impl FnMut(&[u8])) -> Result<(), Fault> {
    let mut head = [0; 12];
    let got = file.read_at(pyz.at, &mut head).map_err(|_| DISK)?;
    let offset = big(&head, 8).filter(|_| got == head.len() && head.starts_with(b"PYZ\0"));
    let length = offset.and_then(|offset| pyz.length.checked_sub(offset)).ok_or(BROKEN)?;
    let at = pyz.at.saturating_add(offset.unwrap_or(0));
    let most = length.min(MOST_TABLE).min(file.size().saturating_sub(at));
    let mut table = vec![0; usize::try_from(most).unwrap_or(0)];
    let got = file.read_at(at, &mut table).map_err(|_| DISK)?;
    table.truncate(got);
    let mut rest = table.as_slice();
    // What lies in what does not matter: the names are the only texts.
    while let Some((mark, after)) = rest.split_first() {
        let skip = |count: usize| after.get(count..);
        rest = match mark & !REFERENCE {
            b'[' | b'(' | b'i' | b'r' => skip(4),
            b')' => skip(1),
            b'{' | b'0' | b'N' | b'T' | b'F' => skip(0),
            b'z' | b'Z' => text(after, 1, &mut visit),
            b'a' | b'A' | b'u' | b't' | b's' => text(after, 4, &mut visit),
            _ => None,
        }
        .ok_or(BROKEN)?;
    }
    if length > MOST_TABLE { Err(TOO_LARGE) } else { Ok(()) }
}

/// Shows a text whose length stands in its first `width` bytes; what follows it.
fn text<'a>(bytes: &'a [u8], width: usize, visit: &mut impl FnMut(&[u8])) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_at_checked(width)?;
    let length = length.iter().rev().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte));
    let (text, rest) = rest.split_at_checked(length)?;
    visit(text);
    Some(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(name: &[u8], at: u32, content: &[u8], packed: u8, kind: u8) -> Vec<u8> {
        let size = u32::try_from(ROW + name.len() + 1).unwrap();
        let numbers = [size, at, content.len() as u32, 999].map(u32::to_be_bytes);
        [numbers.as_flattened(), &[packed, kind], name, b"\0"].concat()
    }

    /// A program with these contents, whose cookie is followed by `behind`.
    fn program(contents: &[(&[u8], &[u8], u8)], behind: usize) -> Vec<u8> {
        let (mut package, mut table) = (Vec::new(), Vec::new());
        for (name, content, kind) in contents {
            table.extend(row(name, package.len() as u32, content, 0, *kind));
            package.extend_from_slice(content);
        }
        let lengths = [package.len() + table.len() + 88, package.len(), table.len(), 311];
        let lengths = lengths.map(|one| (one as u32).to_be_bytes());
        [b"\x7fELFloader", &*package, &table, MAGIC, lengths.as_flattened(), &[0; 64], &vec![0; behind]].concat()
    }

    fn names(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
        let mut out = Vec::new();
        let cookie = cookie(bytes, 1 << 16).unwrap().unwrap();
        let seen = entries(bytes, &cookie, |name, entry| {
            out.push((String::from_utf8_lossy(name).into_owned(), content(bytes, &entry, 100).0));
        });
        seen.unwrap();
        out
    }

    #[test]
    fn the_table_is_found_from_the_end() {
        for behind in [0, 3000] {
            let bytes = program(&[(b"a-1.dist-info/METADATA", b"Name: a\n", b'x'), (b"b", b"!", b'b')], behind);
            let found = names(&bytes);
            assert_eq!(found[0], ("a-1.dist-info/METADATA".to_owned(), b"Name: a\n".to_vec()));
            assert_eq!(found[1], ("b".to_owned(), b"!".to_vec()));
        }
        assert_eq!(cookie(b"nothing of the kind".as_slice(), 100), Ok(None));
    }

    #[test]
    fn lies_are_faults() {
        let mut bytes = program(&[(b"a", b"", b'x')], 0);
        let at = memmem::rfind(&bytes, MAGIC).unwrap();
        bytes[at + 8..at + 12].copy_from_slice(&[0xff; 4]);
        assert_eq!(cookie(bytes.as_slice(), 1 << 16), Err(MISPLACED));
        let mut bytes = program(&[(b"a", b"", b'x')], 0);
        let table = memmem::rfind(&bytes, MAGIC).unwrap() - (ROW + 2);
        bytes[table + 3] = 1;
        let found = cookie(bytes.as_slice(), 1 << 16).unwrap().unwrap();
        assert_eq!(entries(bytes.as_slice(), &found, |_, _| {}), Err(BROKEN));
    }

    /// The headers of a program of Windows, with a signature of that length at that place.
    fn pe(at: u32, length: u32) -> Vec<u8> {
        let mut head = vec![0; 512];
        head[..2].copy_from_slice(b"MZ");
        head[0x3c] = 0x80;
        head[0x80 + 24..0x80 + 26].copy_from_slice(&[0x0b, 2]);
        head[0x80 + 168..0x80 + 172].copy_from_slice(&at.to_le_bytes());
        head[0x80 + 172..0x80 + 176].copy_from_slice(&length.to_le_bytes());
        head
    }

    #[test]
    fn a_signature_stands_behind_the_cookie() {
        let mut signed = [pe(100_000, 20_000), vec![0; 119_488]].concat();
        assert_eq!(behind_pe(signed.as_slice()), Some(20_000 + FILLING));
        signed[0x80 + 172..0x80 + 176].fill(0);
        assert_eq!(behind_pe(signed.as_slice()), Some(FILLING));
        assert_eq!(behind_pe(pe(0, u32::MAX).as_slice()), Some(512 + FILLING));
        assert_eq!(behind_pe(b"MZ".as_slice()), None);
        assert_eq!(behind_pe(b"\x7fELF".as_slice()), None);
    }

    #[test]
    fn modules_are_named_by_their_table() {
        let table = b"[\x02\0\0\0)\x02\xda\x07litellm)\x03i\x01\0\0\0i\x02\0\0\0r\0\0\0\0)\x02z\x01a)\x03iaaaaNT";
        let pyz = [b"PYZ\0abcd\0\0\0\x0c".as_slice(), table].concat();
        let entry = Entry { at: 0, length: pyz.len() as u64, is_compressed: false, kind: b'z' };
        let mut out = Vec::new();
        // `Z` is `z` that was interned, and \xda is that with the highest bit.
        modules(pyz.as_slice(), &entry, |name| out.push(name.to_vec())).unwrap();
        assert_eq!(out, [b"litellm".to_vec(), b"a".to_vec()]);
        let short = Entry { length: 4, ..entry };
        assert_eq!(modules(pyz.as_slice(), &short, |_| {}), Err(BROKEN));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300), numbers in any::<[u32; 3]>(), at in any::<u64>()) {
            let numbers = numbers.map(u32::to_be_bytes);
            let bytes = [&*bytes, MAGIC, numbers.as_flattened(), &bytes].concat();
            let _behind = behind_pe([b"MZ".as_slice(), &bytes].concat().as_slice());
            if let Ok(Some(found)) = cookie(bytes.as_slice(), 400) {
                let _seen = entries(bytes.as_slice(), &found, |_, entry| {
                    assert!(content(bytes.as_slice(), &entry, 50).0.len() <= 50);
                });
            }
            let entry = Entry { at, length: u64::from(numbers[0][0]), is_compressed: false, kind: b'z' };
            let _seen = modules(bytes.as_slice(), &entry, |_| {});
            let pyz = [b"PYZ\0abcd\0\0\0\x0c".as_slice(), &bytes].concat();
            let _seen = modules(pyz.as_slice(), &Entry { at: 0, length: pyz.len() as u64, ..entry }, |_| {});
        }
    }
}
