//! Zip archives (PKWARE's APPNOTE 6.3.10), looked through without unpacking anything: eggs, wheels, zipapps, pex files.
//!
//! What counts is what Python would import, so the directory is found the way CPython's `zipfile` and `zipimport` find it:
//! it ends where the end record begins and is as long as that says. The offset that the record names only tells how much
//! was put in front of the archive. A reader that goes to the offset itself can be shown another directory.
//!
//! Nothing is held in memory but a window of the directory, and the bytes that were asked for.

use std::io::{self, Read};
use std::ops::ControlFlow;

use flate2::read::DeflateDecoder;
use memchr::memmem;

use super::read_at::ReadAt;
use crate::model::coverage::GapReason;

/// Most entries that are shown.
pub const MOST_ENTRIES: u64 = 1_000_000;

/// Most bytes of a directory that are read.
pub const MOST_DIRECTORY: u64 = 64 << 20;

/// Longest name that is shown.
pub const LONGEST_NAME: usize = 4 << 10;

/// The end record without its comment, and the longest comment.
const END: usize = 22;
const LONGEST_COMMENT: usize = 0xffff;

/// The zip64 end record and its locator: they lie in front of the end record.
const END64: usize = 56;
const LOCATOR64: usize = 20;

/// The fixed part of a row of the directory, and of the header in front of an entry's content.
const ROW: usize = 46;
const HEADER: usize = 30;

/// How much of the directory is held at a time: more than any one field takes.
const WINDOW: usize = 64 << 10;

/// What stands in place of a number that does not fit; the number itself is in the row's zip64 field.
const ELSEWHERE: u64 = 0xffff_ffff;

/// Why an archive or an entry could not be read, or not wholly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// `Malformed`, `TooLarge` or `Unreadable`.
    pub reason: GapReason,
    /// The same in words.
    pub says: &'static str,
}

/// The file is none.
pub const NO_ARCHIVE: Fault = malformed("it is no zip archive");
const CUT_SHORT: Fault = malformed("it begins like a zip archive and lacks its end");
const MISPLACED: Fault = malformed("the directory of the archive does not lie in the file");
const BROKEN: Fault = malformed("the directory of the archive is damaged");
const TWOFOLD: Fault = malformed("the archive has two directories, and it depends on the reader which one counts");
const ENCRYPTED: Fault = malformed("the entry is encrypted");
const UNKNOWN_METHOD: Fault = malformed("the entry is compressed in a way that is not read");
const NO_HEADER: Fault = malformed("the entry is not where the directory says");
const DAMAGED: Fault = malformed("the entry's content is damaged");
const OTHER_SIZE: Fault = malformed("the entry's content is not as long as the directory says");
const TOO_MANY: Fault = too_large("the directory of the archive is longer than is read");
const LONG_NAME: Fault = too_large("an entry's name is longer than 4 KiB");
const DISK: Fault = Fault { reason: GapReason::Unreadable, says: "the disk failed" };

const fn malformed(says: &'static str) -> Fault {
    Fault { reason: GapReason::Malformed, says }
}

const fn too_large(says: &'static str) -> Fault {
    Fault { reason: GapReason::TooLarge, says }
}

/// What the directory says of one entry, beside its name. None of it needs to be true.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// How long its content claims to be.
    pub size: u64,
    /// How many bytes of the archive that takes.
    pub compressed_size: u64,
    /// How it is compressed: 0 not at all, 8 deflate.
    pub method: u16,
    /// Whether it is encrypted.
    pub is_encrypted: bool,
    /// Whether its name says that it is a folder.
    pub is_dir: bool,
    /// Where in the file its header lies.
    header: u64,
}

/// The content of an entry, as far as it was asked for and could be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether that is all of it.
    pub whole: bool,
    /// What is wrong with the rest; none where there is just more than was asked for.
    pub fault: Option<Fault>,
}

/// Shows every entry with its name, in the order of the directory, until `visit` breaks off. A name that occurs more than
/// once is shown as often: Python's `zipfile` and `zipimport` take the last.
///
/// # Errors
/// Why not all of the directory was shown; what came before the fault was.
pub fn entries<F: ReadAt + ?Sized>(
    file: &F,
    mut visit: impl FnMut(&[u8], &Entry) -> ControlFlow<()>,
) -> Result<(), Fault> {
    let found = directories(file)?;
    let mut window = Window { file, bytes: Vec::new(), start: 0 };
    let mut left = MOST_ENTRIES;
    let mut fault = (found.len() > 1).then_some(TWOFOLD);
    for directory in &found {
        match walk(&mut window, directory, &mut left, &mut visit) {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) => return Ok(()),
            Err(why) => fault = fault.or(Some(why)),
        }
    }
    fault.map_or(Ok(()), Err)
}

/// Whether the file ends as archives do: a test that is cheaper than a look at the directory.
pub fn has_end<F: ReadAt + ?Sized>(file: &F) -> bool {
    end_record(file).is_ok()
}

/// Reads at most `cap` bytes of an entry's content, whatever its headers claim; as much is held in memory. Checksums are
/// not compared, and a false length is no hindrance, since `zipimport` minds neither.
///
/// # Errors
/// Why nothing can be read of it.
pub fn read_entry<F: ReadAt + ?Sized>(file: &F, entry: &Entry, cap: u64) -> Result<Content, Fault> {
    // Blocks that hold nothing may go on forever; no honest content is compressed to more than it was.
    let most = cap.saturating_mul(2).saturating_add(WINDOW as u64);
    Ok(content(stream(file, entry, most)?, entry, cap))
}

/// An entry's content as a stream that reads at most `most` bytes of the archive. How much comes out of them is for the
/// caller to bound.
///
/// # Errors
/// Why nothing can be read of it.
pub fn stream<'a, F: ReadAt + ?Sized>(file: &'a F, entry: &Entry, most: u64) -> Result<impl Read + use<'a, F>, Fault> {
    if entry.is_encrypted {
        return Err(ENCRYPTED);
    }
    let mut header = [0; HEADER];
    let got = file.read_at(entry.header, &mut header).map_err(|_| DISK)?;
    if got < HEADER || !header.starts_with(b"PK\x03\x04") {
        return Err(NO_HEADER);
    }
    let start = entry.header.saturating_add(HEADER as u64 + number(&header, 26, 2) + number(&header, 28, 2));
    let stored = Stored { file, at: start, left: entry.compressed_size.min(most) };
    match entry.method {
        0 => Ok(Unpacked::Stored(stored)),
        8 => Ok(Unpacked::Deflated(DeflateDecoder::new(stored))),
        _ => Err(UNKNOWN_METHOD),
    }
}

/// The content of an entry, however it is compressed.
enum Unpacked<'a, F: ReadAt + ?Sized> {
    Stored(Stored<'a, F>),
    Deflated(DeflateDecoder<Stored<'a, F>>),
}

impl<F: ReadAt + ?Sized> Read for Unpacked<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stored(from) => from.read(buffer),
            Self::Deflated(from) => from.read(buffer),
        }
    }
}

fn content(mut from: impl Read, entry: &Entry, cap: u64) -> Content {
    let mut bytes = Vec::new();
    let ended = from.by_ref().take(cap.saturating_add(1)).read_to_end(&mut bytes);
    let is_more = bytes.len() as u64 > cap;
    bytes.truncate(usize::try_from(cap).unwrap_or(usize::MAX));
    let fault = match ended {
        _ if is_more => None,
        Err(why) if why.raw_os_error().is_some() => Some(DISK),
        Err(_) => Some(DAMAGED),
        Ok(_) => (bytes.len() as u64 != entry.size).then_some(OTHER_SIZE),
    };
    Content { bytes, whole: !is_more && fault.is_none(), fault }
}

/// Where a directory lies.
struct Directory {
    start: u64,
    end: u64,
    /// What must be added to its offsets, modulo 2^64: the length of what was put in front of the archive.
    shift: u64,
}

impl Directory {
    fn new(end: u64, size: u64, offset: u64) -> Option<Self> {
        let start = end.checked_sub(size)?;
        Some(Self { start, end, shift: start.wrapping_sub(offset) })
    }
}

/// The directories, usually one. Python reads the zip64 record where there is one, up to 3.12 `zipimport` does not know
/// it: an archive may be made to show each another directory.
fn directories<F: ReadAt + ?Sized>(file: &F) -> Result<Vec<Directory>, Fault> {
    let (at, end) = end_record(file)?;
    let plain = Directory::new(at, number(&end, 12, 4), number(&end, 16, 4));
    let mut wide = [0; END64 + LOCATOR64];
    let Some(end64) = at.checked_sub(wide.len() as u64) else { return plain.map(|one| vec![one]).ok_or(MISPLACED) };
    let got = file.read_at(end64, &mut wide).map_err(|_| DISK)?;
    let (record, locator) = wide.split_at(END64);
    if got < wide.len() || !record.starts_with(b"PK\x06\x06") || !locator.starts_with(b"PK\x06\x07") {
        return plain.map(|one| vec![one]).ok_or(MISPLACED);
    }
    let mut found = Vec::from_iter(Directory::new(end64, number(record, 40, 8), number(record, 48, 8)));
    // Honest writers put the same size into both records, or one that is too large for any file into the plain one.
    let honest = found.first().map(|one| one.start.saturating_add(wide.len() as u64));
    if let Some(plain) = plain.filter(|plain| Some(plain.start) != honest) {
        let mut signature = [0; 4];
        file.read_at(plain.start, &mut signature).map_err(|_| DISK)?;
        found.extend((signature == *b"PK\x01\x02").then_some(plain));
    }
    if found.is_empty() { Err(MISPLACED) } else { Ok(found) }
}

/// The last end record that has room to be whole, and where it lies. Its comment need not be whole.
fn end_record<F: ReadAt + ?Sized>(file: &F) -> Result<(u64, Vec<u8>), Fault> {
    let size = file.size();
    let length = size.min((END + LONGEST_COMMENT) as u64);
    let start = size.saturating_sub(length);
    let mut tail = vec![0; usize::try_from(length).unwrap_or(0)];
    let got = file.read_at(start, &mut tail).map_err(|_| DISK)?;
    tail.truncate(got);
    let room = tail.len().saturating_sub(END - 4);
    match memmem::rfind(tail.get(..room).unwrap_or_default(), b"PK\x05\x06") {
        Some(at) => Ok((start.saturating_add(at as u64), tail.split_off(at))),
        None => {
            let mut signature = [0; 4];
            file.read_at(0, &mut signature).map_err(|_| DISK)?;
            Err(if signature == *b"PK\x03\x04" { CUT_SHORT } else { NO_ARCHIVE })
        }
    }
}

/// Shows the entries of one directory.
fn walk<F: ReadAt + ?Sized>(
    window: &mut Window<'_, F>,
    directory: &Directory,
    left: &mut u64,
    visit: &mut impl FnMut(&[u8], &Entry) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Fault> {
    let mut at = directory.start;
    let mut fault = None;
    while at < directory.end {
        if *left == 0 || at - directory.start > MOST_DIRECTORY {
            return Err(TOO_MANY);
        }
        *left -= 1;
        let row: [u8; ROW] = window.get(at, ROW)?.try_into().map_err(|_| BROKEN)?;
        let [name, extra, comment] = [28, 30, 32].map(|field| number(&row, field, 2));
        let next = at.saturating_add(ROW as u64 + name + extra + comment);
        if !row.starts_with(b"PK\x01\x02") || next > directory.end {
            return Err(BROKEN);
        }
        let name_at = at + ROW as u64;
        let mut entry = entry(&row, directory);
        if [entry.size, entry.compressed_size, number(&row, 42, 4)].contains(&ELSEWHERE) {
            let extra = window.get(name_at + name, usize::try_from(extra).unwrap_or(0))?;
            entry = entry.widened(&row, extra, directory);
        }
        match usize::try_from(name) {
            Ok(name) if name <= LONGEST_NAME => {
                let name = window.get(name_at, name)?;
                entry.is_dir = name.ends_with(b"/");
                if visit(name, &entry).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            _ => fault = Some(LONG_NAME),
        }
        at = next;
    }
    fault.map_or(Ok(ControlFlow::Continue(())), Err)
}

fn entry(row: &[u8; ROW], directory: &Directory) -> Entry {
    Entry {
        size: number(row, 24, 4),
        compressed_size: number(row, 20, 4),
        method: u16::try_from(number(row, 10, 2)).unwrap_or(u16::MAX),
        is_encrypted: number(row, 8, 2) & 1 != 0,
        is_dir: false,
        header: number(row, 42, 4).wrapping_add(directory.shift),
    }
}

impl Entry {
    /// The same with the numbers that did not fit into the row: its zip64 field has them, and only them, in this order.
    fn widened(mut self, row: &[u8; ROW], mut extra: &[u8], directory: &Directory) -> Self {
        while let Some((head, rest)) = extra.split_at_checked(4) {
            let length = usize::try_from(number(head, 2, 2)).unwrap_or(usize::MAX);
            let field = rest.get(..length).unwrap_or(rest);
            if head.starts_with(&[1, 0]) {
                let mut wide = field.chunks_exact(8).map(|eight| number(eight, 0, 8));
                let mut widen = |narrow: u64| if narrow == ELSEWHERE { wide.next() } else { None };
                self.size = widen(self.size).unwrap_or(self.size);
                self.compressed_size = widen(self.compressed_size).unwrap_or(self.compressed_size);
                let header = widen(number(row, 42, 4)).map(|header| header.wrapping_add(directory.shift));
                self.header = header.unwrap_or(self.header);
                break;
            }
            extra = rest.get(length..).unwrap_or_default();
        }
        self
    }
}

/// The little-endian number of `width` bytes at `at`.
fn number(bytes: &[u8], at: usize, width: usize) -> u64 {
    let field = bytes.get(at..at.saturating_add(width)).unwrap_or_default();
    field.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The part of a file that is being looked at.
struct Window<'a, F: ?Sized> {
    file: &'a F,
    bytes: Vec<u8>,
    start: u64,
}

impl<F: ReadAt + ?Sized> Window<'_, F> {
    /// `count` bytes from `at` on, at most a window; fewer where the file ends.
    fn get(&mut self, at: u64, count: usize) -> Result<&[u8], Fault> {
        let skip = at.checked_sub(self.start).and_then(|skip| usize::try_from(skip).ok());
        let held = skip.is_some_and(|skip| skip.saturating_add(count) <= self.bytes.len());
        if !held {
            self.bytes.resize(WINDOW, 0);
            self.start = at;
            let got = self.file.read_at(at, &mut self.bytes).map_err(|_| DISK)?;
            self.bytes.truncate(got);
        }
        let rest = skip.filter(|_| held).map_or(&*self.bytes, |skip| self.bytes.get(skip..).unwrap_or_default());
        Ok(rest.get(..count).unwrap_or(rest))
    }
}

/// The bytes of an entry as they lie in the archive.
struct Stored<'a, F: ?Sized> {
    file: &'a F,
    at: u64,
    left: u64,
}

impl<F: ReadAt + ?Sized> Read for Stored<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let got = self.file.read_at(self.at, buffer.get_mut(..most).unwrap_or_default())?;
        self.at = self.at.saturating_add(got as u64);
        self.left = self.left.saturating_sub(got as u64);
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;
    use proptest::prelude::*;

    use super::*;

    /// An entry of an archive that is made here.
    #[derive(Clone)]
    struct Made {
        name: Vec<u8>,
        stored: Vec<u8>,
        size: u64,
        method: u16,
        flags: u16,
        wide: bool,
    }

    fn plain(name: &[u8], content: &[u8]) -> Made {
        let size = content.len() as u64;
        Made { name: name.to_vec(), stored: content.to_vec(), size, method: 0, flags: 0, wide: false }
    }

    fn deflated(name: &[u8], content: &[u8]) -> Made {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        Made { stored: encoder.finish().unwrap(), method: 8, ..plain(name, content) }
    }

    fn le(parts: &[(u64, usize)]) -> Vec<u8> {
        parts.iter().flat_map(|(number, width)| number.to_le_bytes().into_iter().take(*width)).collect()
    }

    /// Local parts and directory.
    fn halves(entries: &[Made]) -> (Vec<u8>, Vec<u8>) {
        let (mut front, mut directory) = (Vec::new(), Vec::new());
        for one in entries {
            let (at, length) = (front.len() as u64, one.stored.len() as u64);
            let [size, packed, offset] = if one.wide { [ELSEWHERE; 3] } else { [one.size, length, at] };
            let extra = if one.wide {
                le(&[(0x9999, 2), (1, 2), (7, 1), (1, 2), (24, 2), (one.size, 8), (length, 8), (at, 8)])
            } else {
                Vec::new()
            };
            let common = [(20, 2), (one.flags.into(), 2), (one.method.into(), 2), (0, 8)];
            let lengths = [(packed, 4), (size, 4), (one.name.len() as u64, 2)];
            front
                .extend([b"PK\x03\x04", &*le(&common), &le(&lengths), &le(&[(0, 2)]), &one.name, &one.stored].concat());
            let tail = le(&[(extra.len() as u64, 2), (0, 8), (0, 2), (offset, 4)]);
            directory.extend(
                [b"PK\x01\x02", &*le(&[(20, 2)]), &le(&common), &le(&lengths), &tail, &one.name, &extra].concat(),
            );
        }
        (front, directory)
    }

    fn end(size: u64, offset: u64, comment: &[u8]) -> Vec<u8> {
        let fields = le(&[(0, 4), (1, 2), (1, 2), (size, 4), (offset, 4), (comment.len() as u64, 2)]);
        [b"PK\x05\x06", &*fields, comment].concat()
    }

    fn archive(entries: &[Made]) -> Vec<u8> {
        let (front, directory) = halves(entries);
        let end = end(directory.len() as u64, front.len() as u64, b"a comment");
        [front, directory, end].concat()
    }

    fn end64(size: u64, offset: u64) -> Vec<u8> {
        let record = le(&[(44, 8), (45, 2), (45, 2), (0, 8), (1, 8), (1, 8), (size, 8), (offset, 8)]);
        [b"PK\x06\x06", &*record, b"PK\x06\x07", &le(&[(0, 4), (offset + size, 8), (1, 4)])].concat()
    }

    fn all(file: &[u8]) -> (Vec<(Vec<u8>, Entry)>, Option<Fault>) {
        let mut found = Vec::new();
        let ended = entries(file, |name, entry| {
            found.push((name.to_vec(), *entry));
            ControlFlow::Continue(())
        });
        (found, ended.err())
    }

    /// Names and contents, all of which must be whole.
    fn texts(file: &[u8]) -> Vec<(String, String)> {
        let (found, fault) = all(file);
        assert_eq!(fault, None);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let read = |entry| read_entry(file, &entry, 1 << 20).unwrap();
        found
            .iter()
            .map(|(name, entry)| (text(name), read(*entry)))
            .map(|(name, content)| {
                assert!(content.whole && content.fault.is_none(), "{name}: {:?}", content.fault);
                (name, text(&content.bytes))
            })
            .collect()
    }

    fn sample() -> Vec<Made> {
        vec![
            plain(b"a/", b""),
            plain(b"a/stored", b"as it is"),
            deflated(b"deflated", "again and ".repeat(500).as_bytes()),
        ]
    }

    #[test]
    fn stored_and_deflated_entries_are_read() {
        let file = archive(&sample());
        let found = texts(&file);
        assert_eq!(found[1], ("a/stored".to_owned(), "as it is".to_owned()));
        assert_eq!(found[2], ("deflated".to_owned(), "again and ".repeat(500)));
        let (rows, _) = all(&file);
        assert_eq!(rows.iter().map(|(_, entry)| entry.is_dir).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!((rows[2].1.size, rows[2].1.method), (5000, 8));
        assert!(rows[2].1.compressed_size < 100);
    }

    #[test]
    fn what_lies_in_front_and_behind_does_not_matter() {
        let file = archive(&sample());
        let wanted = texts(&file);
        assert_eq!(texts(&[b"#!/usr/bin/env python3\n", &*file].concat()), wanted);
        assert_eq!(texts(&[&*file, b"junk behind the comment"].concat()), wanted);
        // The comment is cut short.
        assert_eq!(texts(&file[..file.len() - 3]), wanted);
        assert_eq!(texts(&end(0, 0, b"")), []);
    }

    #[test]
    fn large_archives_are_read() {
        let made = [Made { wide: true, ..deflated(b"far", b"text") }, plain(b"near", b"more")];
        let (front, directory) = halves(&made);
        let [size, offset] = [directory.len(), front.len()].map(|length| length as u64);
        let wanted = [("far".to_owned(), "text".to_owned()), ("near".to_owned(), "more".to_owned())];
        let file = [&*front, &directory, &end64(size, offset), &end(ELSEWHERE, ELSEWHERE, b"")].concat();
        assert_eq!(texts(&file), wanted);
        assert_eq!(texts(&[b"#!python\n", &*file].concat()), wanted);
        // As Python writes it when only the number of entries is too large.
        let file = [&*front, &directory, &end64(size, offset), &end(size, offset, b"")].concat();
        assert_eq!(texts(&file), wanted);
    }

    #[test]
    fn the_same_size_in_both_end_records_is_one_directory() {
        // With a first row as long as the zip64 records, the plain one points at the second row.
        let made = [plain(b"a-name-of-just-thirty-bytes.py", b"x"), plain(b"b", b"y")];
        let (front, directory) = halves(&made);
        let [size, offset] = [directory.len(), front.len()].map(|length| length as u64);
        let file = [&*front, &directory, &end64(size, offset), &end(size, offset, b"")].concat();
        assert_eq!(texts(&file).len(), 2);
    }

    #[test]
    fn a_directory_that_python_does_not_read_is_not_believed() {
        let (decoy, decoy_rows) = halves(&[plain(b"EGG-INFO/PKG-INFO", b"Name: honest\n")]);
        let (real, real_rows) = halves(&[plain(b"EGG-INFO/PKG-INFO", b"Name: litellm\n")]);
        // The end record's offset leads to the decoy; its place leads to the real one. Offsets are shifted by what lies
        // between the two.
        let signature = [b"PK\x05\x05".as_slice(), &le(&[(real_rows.len() as u64, 2)])].concat();
        let shift = decoy_rows.len() + signature.len();
        let front = [vec![b'#'; shift], real, decoy].concat();
        let end = end(real_rows.len() as u64, front.len() as u64, b"");
        let file = [front, decoy_rows, signature, real_rows, end].concat();
        assert_eq!(texts(&file), [("EGG-INFO/PKG-INFO".to_owned(), "Name: litellm\n".to_owned())]);
    }

    #[test]
    fn two_directories_are_both_shown_and_called_a_fault() {
        let (front, one) = halves(&[plain(b"old", b"1")]);
        let (_, other) = halves(&[plain(b"new", b"2")]);
        let wide = end64(other.len() as u64, 0);
        let plain = (one.len() + other.len() + wide.len()) as u64;
        let (found, fault) = all(&[&*front, &one, &other, &wide, &end(plain, front.len() as u64, b"")].concat());
        let names: Vec<&[u8]> = found.iter().map(|(name, _)| name.as_slice()).collect();
        assert_eq!((names, fault), ([b"new", b"old", b"new"].map(|name| name.as_slice()).to_vec(), Some(TWOFOLD)));
    }

    #[test]
    fn a_repeated_name_is_shown_as_often() {
        let file = archive(&[plain(b"x", b"first"), plain(b"x", b"last")]);
        let found = texts(&file);
        assert_eq!(found.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), ["first", "last"]);
        let mut seen = 0;
        let ended = entries(file.as_slice(), |_, _| {
            seen += 1;
            ControlFlow::Break(())
        });
        assert_eq!((seen, ended), (1, Ok(())));
    }

    #[test]
    fn no_more_is_unpacked_than_was_asked_for() {
        let bomb = deflated(b"bomb", &vec![0; 64 << 20]);
        // Claims of any kind change nothing.
        for size in [0, 64 << 20, 0xffff_fffe] {
            let file = archive(&[Made { size, ..bomb.clone() }]);
            let content = read_entry(file.as_slice(), &all(&file).0[0].1, 1000).unwrap();
            assert_eq!((content.bytes.len(), content.whole, content.fault), (1000, false, None));
        }
        let stored = archive(&[plain(b"stored", &[7; 1001])]);
        let entry = all(&stored).0[0].1;
        assert!(!read_entry(stored.as_slice(), &entry, 1000).unwrap().whole);
        assert!(read_entry(stored.as_slice(), &entry, 1001).unwrap().whole);
        // Blocks without content, without an end.
        let file = archive(&[Made { stored: b"\0\0\0\xff\xff".repeat(1 << 20), ..deflated(b"idle", b"") }]);
        let content = read_entry(file.as_slice(), &all(&file).0[0].1, 1000).unwrap();
        assert_eq!((content.bytes.len(), content.fault), (0, Some(DAMAGED)));
    }

    #[test]
    fn what_cannot_be_read_is_a_fault() {
        let read = |made: Made| {
            let file = archive(&[made]);
            read_entry(file.as_slice(), &all(&file).0[0].1, 1000)
        };
        assert_eq!(read(Made { flags: 1, ..plain(b"x", b"x") }), Err(ENCRYPTED));
        assert_eq!(read(Made { method: 14, ..plain(b"x", b"x") }), Err(UNKNOWN_METHOD));
        assert_eq!(read(Made { size: 5, ..plain(b"x", b"x") }).unwrap().fault, Some(OTHER_SIZE));
        let broken = read(Made { stored: b"\xff\xff\xff".to_vec(), ..deflated(b"x", b"x") }).unwrap();
        assert_eq!((broken.whole, broken.fault), (false, Some(DAMAGED)));
        let mut file = archive(&sample());
        file[0] = b'?';
        assert_eq!(read_entry(file.as_slice(), &all(&file).0[0].1, 1000), Err(NO_HEADER));
    }

    #[test]
    fn broken_archives_show_what_comes_before_the_fault() {
        let file = archive(&sample());
        assert_eq!(all(b""), (vec![], Some(NO_ARCHIVE)));
        assert_eq!(all(b"plain text").1, Some(NO_ARCHIVE));
        assert_eq!(all(&file[..60]).1, Some(CUT_SHORT));
        assert_eq!(all(&file[20..]).1, None);
        assert_eq!(all(&end(100, 0, b"")).1, Some(MISPLACED));
        let (front, mut directory) = halves(&sample());
        let second = ROW + 2;
        directory[second] = b'?';
        let (found, fault) = all(&[&*front, &directory, &end(directory.len() as u64, 0, b"")].concat());
        assert_eq!((found.len(), fault), (1, Some(BROKEN)));
        let long = [plain(&[b'n'; LONGEST_NAME + 1], b""), plain(&[b'n'; LONGEST_NAME], b"")];
        let (found, fault) = all(&archive(&long));
        assert_eq!((found.len(), fault), (1, Some(LONG_NAME)));
    }

    #[test]
    fn endless_directories_are_left_off() {
        let (_, row) = halves(&[plain(b"", b"")]);
        let rows = row.repeat(usize::try_from(MOST_ENTRIES).unwrap() + 1);
        let mut count = 0;
        let ended = entries([&*rows, &end(rows.len() as u64, 0, b"")].concat().as_slice(), |_, _| {
            count += 1;
            ControlFlow::Continue(())
        });
        assert_eq!((count, ended), (MOST_ENTRIES, Err(TOO_MANY)));
    }

    /// Reads all there is to read.
    fn read_all(file: &[u8]) {
        for (name, entry) in all(file).0 {
            assert!(name.len() <= LONGEST_NAME);
            if let Ok(content) = read_entry(file, &entry, 4096) {
                assert!(content.bytes.len() <= 4096);
                assert!(!content.whole || content.bytes.len() as u64 == entry.size);
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            read_all(&bytes);
            read_all(&[&*bytes, &end(bytes.len() as u64, 0, b"")].concat());
        }

        #[test]
        fn damaged_archives_are_read(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            from in 0usize..40,
            until in any::<prop::sample::Index>(),
            wide in any::<bool>(),
        ) {
            let made: Vec<Made> = sample().into_iter().map(|one| Made { wide, ..one }).collect();
            let (front, directory) = halves(&made);
            let [size, offset] = [directory.len(), front.len()].map(|length| length as u64);
            let wide = if wide { end64(size, offset) } else { Vec::new() };
            let mut file = [&*front, &directory, &wide, &end(size, offset, b"text")].concat();
            for (at, byte) in changes {
                let at = at.index(file.len());
                file[at] = byte;
            }
            read_all(&file);
            read_all(&file[from.min(file.len())..]);
            read_all(&file[..until.index(file.len())]);
        }
    }
}
