//! Tar archives (POSIX.1-2001 `pax`, with the older ustar, GNU and v7 forms), read once from front to back. Names are only
//! names here: nothing is written anywhere, so links, absolute paths and `..` have no effect.

use std::io::{self, ErrorKind, Read};
use std::ops::ControlFlow;

use super::read_at::ReadAt;

/// A header, and what contents are filled up to.
const BLOCK: usize = 512;

/// Longest name that is shown.
pub const LONGEST_NAME: usize = 4 << 10;

/// Most bytes of one list of extended headers.
const MOST_EXTENDED: u64 = 1 << 20;

/// Most headers in front of one entry that only say more about it.
const MOST_PREFIXES: usize = 16;

/// Bytes that can be read and left out.
pub trait Flow: Read {
    /// Leaves out `count` bytes; says how many there were.
    ///
    /// # Errors
    /// Those of reading.
    fn pass(&mut self, count: u64) -> io::Result<u64> {
        let mut buffer = [0; 16 << 10];
        let mut left = count;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            match self.read(buffer.get_mut(..most).unwrap_or_default()) {
                Ok(0) => break,
                Ok(got) => left -= got as u64,
                Err(why) if why.kind() == ErrorKind::Interrupted => {}
                Err(why) => return Err(why),
            }
        }
        Ok(count - left)
    }
}

/// A file from front to back: what is left out is not read.
pub struct AtFile<'a, F: ?Sized> {
    file: &'a F,
    at: u64,
}

impl<'a, F: ReadAt + ?Sized> AtFile<'a, F> {
    /// From its beginning.
    pub fn new(file: &'a F) -> Self {
        Self { file, at: 0 }
    }
}

impl<F: ReadAt + ?Sized> Read for AtFile<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.file.read_at(self.at, buffer)?;
        self.at = self.at.saturating_add(got as u64);
        Ok(got)
    }
}

impl<F: ReadAt + ?Sized> Flow for AtFile<'_, F> {
    fn pass(&mut self, count: u64) -> io::Result<u64> {
        let there = self.file.size().saturating_sub(self.at).min(count);
        self.at = self.at.saturating_add(there);
        Ok(there)
    }
}

/// The content of an entry: no more than its length of what follows.
pub struct Part<'a> {
    flow: &'a mut dyn Flow,
    left: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let got = self.flow.read(buffer.get_mut(..most).unwrap_or_default())?;
        if got == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.left = self.left.saturating_sub(got as u64);
        Ok(got)
    }
}

impl Flow for Part<'_> {
    fn pass(&mut self, count: u64) -> io::Result<u64> {
        let passed = self.flow.pass(count.min(self.left))?;
        self.left -= passed;
        Ok(passed)
    }
}

/// What a header says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its path, as written, at most [`LONGEST_NAME`] bytes.
    pub name: Vec<u8>,
    /// Whether it was longer than that.
    pub is_cut: bool,
    /// How long its content is.
    pub size: u64,
    /// What it is.
    pub kind: Kind,
}

/// What an entry is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A regular file.
    File,
    /// Another name of a file that the archive holds elsewhere.
    Link,
    /// A folder, a symbolic link, a device, a file with holes.
    Other,
}

/// Whether a block is the header of an entry, by its checksum.
#[must_use]
pub fn is_header(block: &[u8]) -> bool {
    let Some(block) = block.get(..BLOCK) else { return false };
    let sums = |signed: bool| {
        let of = |byte: u8| if signed { i64::from(byte.cast_signed()) } else { i64::from(byte) };
        block.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { of(*byte) }).sum::<i64>()
    };
    let stated = block.get(148..156).and_then(number).and_then(|sum| i64::try_from(sum).ok());
    block.iter().any(|byte| *byte != 0) && stated.is_some_and(|sum| sum == sums(false) || sum == sums(true))
}

/// Shows every entry with its content, in the order of the archive, until `visit` breaks off.
///
/// # Errors
/// Why not all of it was shown: those of reading, `UnexpectedEof` where it is cut short, `InvalidData` where it is none.
pub fn entries(flow: &mut dyn Flow, mut visit: impl FnMut(&Entry, &mut Part<'_>) -> ControlFlow<()>) -> io::Result<()> {
    let mut said = Said::default();
    loop {
        let mut block = [0; BLOCK];
        match fill(flow, &mut block)? {
            0 => return Ok(()),
            BLOCK => {}
            _ => return Err(ErrorKind::UnexpectedEof.into()),
        }
        if block.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        if !is_header(&block) {
            return Err(ErrorKind::InvalidData.into());
        }
        let kind = block.get(156).copied().unwrap_or(0);
        let size = block.get(124..136).and_then(number).ok_or(ErrorKind::InvalidData)?;
        if matches!(kind, b'x' | b'X' | b'g' | b'L' | b'K') {
            said.take(flow, kind, size)?;
            continue;
        }
        let entry = said.entry(&block, kind, size);
        said = Said::default();
        if kind == b'S' {
            pass_holes(flow, &block)?;
        }
        // Links and folders have no content, whatever they say.
        let length = if matches!(kind, b'1'..=b'6') { 0 } else { entry.size };
        let mut part = Part { flow: &mut *flow, left: length };
        let went_on = visit(&entry, &mut part);
        let left = part.left.saturating_add(length.wrapping_neg() % BLOCK as u64);
        if went_on.is_break() {
            return Ok(());
        }
        if flow.pass(left)? < left {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Reads until `buffer` is full or nothing is left; says how much that is.
fn fill(flow: &mut dyn Flow, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match flow.read(rest) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(why) if why.kind() == ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
        }
    }
    Ok(filled)
}

/// The maps of a GNU sparse file that do not fit into its header.
fn pass_holes(flow: &mut dyn Flow, header: &[u8; BLOCK]) -> io::Result<()> {
    let mut goes_on = header.get(482).is_some_and(|byte| *byte != 0);
    while goes_on {
        let mut block = [0; BLOCK];
        if fill(flow, &mut block)? < BLOCK {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        goes_on = block.get(504).is_some_and(|byte| *byte != 0);
    }
    Ok(())
}

/// What headers in front of an entry say about it.
#[derive(Default)]
struct Said {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    count: usize,
}

impl Said {
    fn take(&mut self, flow: &mut dyn Flow, kind: u8, size: u64) -> io::Result<()> {
        self.count += 1;
        if self.count > MOST_PREFIXES {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut part = Part { flow: &mut *flow, left: size };
        if matches!(kind, b'x' | b'X' | b'L') {
            let mut bytes = Vec::new();
            (&mut part).take(MOST_EXTENDED).read_to_end(&mut bytes)?;
            if kind == b'L' {
                let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
                self.name = Some(name.to_vec());
            } else {
                self.take_pax(&bytes);
            }
        }
        let left = part.left.saturating_add(size.wrapping_neg() % BLOCK as u64);
        if flow.pass(left)? < left { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Rows `LENGTH KEY=VALUE\n`, of which the length counts all.
    fn take_pax(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(space) = rest.iter().position(|byte| *byte == b' ') {
            let length = rest.get(..space).and_then(|text| std::str::from_utf8(text).ok()?.parse::<usize>().ok());
            let Some((row, after)) = length.and_then(|length| rest.split_at_checked(length)) else { return };
            let row = row.get(space + 1..).unwrap_or_default();
            let row = row.strip_suffix(b"\n").unwrap_or(row);
            if let Some(path) = row.strip_prefix(b"path=").or_else(|| row.strip_prefix(b"GNU.sparse.name=")) {
                self.name = Some(path.to_vec());
            } else if let Some(size) = row.strip_prefix(b"size=") {
                self.size = std::str::from_utf8(size).ok().and_then(|size| size.parse().ok());
            }
            rest = after;
        }
    }

    fn entry(&mut self, block: &[u8; BLOCK], kind: u8, size: u64) -> Entry {
        let mut name = self.name.take().unwrap_or_else(|| name(block));
        let is_cut = name.len() > LONGEST_NAME;
        name.truncate(LONGEST_NAME);
        let kind = match kind {
            b'0' | 0 | b'7' if !name.ends_with(b"/") => Kind::File,
            b'1' => Kind::Link,
            _ => Kind::Other,
        };
        Entry { name, is_cut, size: self.size.unwrap_or(size), kind }
    }
}

/// The name in a header; behind the mark of ustar, what stands in front of it too.
fn name(block: &[u8; BLOCK]) -> Vec<u8> {
    let field = |from: usize, to: usize| {
        let all = block.get(from..to).unwrap_or_default();
        all.split(|byte| *byte == 0).next().unwrap_or_default()
    };
    let (name, before) = (field(0, 100), field(345, 500));
    let is_ustar = block.get(257..263) == Some(b"ustar\0");
    if is_ustar && !before.is_empty() { [before, b"/", name].concat() } else { name.to_vec() }
}

/// A number in octal digits, or in bytes where the highest bit of the first is set.
fn number(field: &[u8]) -> Option<u64> {
    if let Some(0x80) = field.first() {
        let bytes = field.get(1..)?;
        let (high, low) = bytes.split_at(bytes.len().checked_sub(8)?);
        return high.iter().all(|byte| *byte == 0).then(|| low.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)));
    }
    let text = field.split(|byte| *byte == 0).next().unwrap_or_default().trim_ascii();
    if text.is_empty() {
        return Some(0);
    }
    u64::from_str_radix(std::str::from_utf8(text).ok()?, 8).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A header with its checksum.
    fn header(name: &[u8], size: &[u8], kind: u8, mark: &[u8], before: &[u8]) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        for (at, field) in [(0, name), (100, b"0000644\0".as_slice()), (124, size), (257, mark), (345, before)] {
            block[at..at + field.len()].copy_from_slice(field);
        }
        block[156] = kind;
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum::<u32>() + 8 * 32;
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    }

    fn entry(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
        let size = format!("{:011o}\0", content.len());
        let fill = vec![0; content.len().wrapping_neg() % BLOCK];
        [header(name.as_bytes(), size.as_bytes(), kind, b"ustar\x0000", b""), content.to_vec(), fill].concat()
    }

    type Seen = Vec<(String, Kind, Vec<u8>)>;

    fn seen(archive: &[u8]) -> (Seen, Option<ErrorKind>) {
        let mut out = Vec::new();
        let ended = entries(&mut AtFile::new(archive), |entry, part| {
            let mut bytes = Vec::new();
            let _got = part.take(100).read_to_end(&mut bytes);
            out.push((String::from_utf8_lossy(&entry.name).into_owned(), entry.kind, bytes));
            ControlFlow::Continue(())
        });
        (out, ended.err().map(|why| why.kind()))
    }

    #[test]
    fn entries_are_shown_with_their_content() {
        let archive = [
            entry("./a/METADATA", b'0', b"Name: a\n"),
            entry("b/", b'5', b""),
            entry("c", b'1', b""),
            entry("d", 0, &[7; 1000]),
            vec![0; 2 * BLOCK],
            b"whatever follows".to_vec(),
        ];
        let (found, fault) = seen(&archive.concat());
        let names: Vec<(&str, Kind)> = found.iter().map(|(name, kind, _)| (name.as_str(), *kind)).collect();
        let expected = [("./a/METADATA", Kind::File), ("b/", Kind::Other), ("c", Kind::Link), ("d", Kind::File)];
        assert_eq!((names.as_slice(), fault), (expected.as_slice(), None));
        assert_eq!((found[0].2.as_slice(), found[3].2.len()), (b"Name: a\n".as_slice(), 100));
    }

    #[test]
    fn long_names_come_in_front() {
        let pax = |row: &str| entry("pax", b'x', format!("{} {row}\n", row.len() + 4).as_bytes());
        let archive = [
            entry("././@LongLink", b'L', b"gnu/long\0"),
            entry("short", b'0', b"x"),
            pax("path=pax/long"),
            entry("short", b'0', b"y"),
            pax("size=000003"),
            header(b"sized", b"00000000000\0", b'0', b"ustar\x0000", b"in/front"),
            b"abc".to_vec(),
            vec![0; BLOCK - 3],
            header(b"gnu", b"\x80\0\0\0\0\0\0\0\0\0\0\x01", b'0', b"ustar  \0", b"not in front"),
            vec![b'z'; 1],
            vec![0; BLOCK - 1],
        ];
        let (found, fault) = seen(&archive.concat());
        let found: Vec<(&str, &[u8])> =
            found.iter().map(|(name, _, bytes)| (name.as_str(), bytes.as_slice())).collect();
        let expected: [(&str, &[u8]); 4] =
            [("gnu/long", b"x"), ("pax/long", b"y"), ("in/front/sized", b"abc"), ("gnu", b"z")];
        assert_eq!((found.as_slice(), fault), (expected.as_slice(), None));
    }

    #[test]
    fn what_is_cut_short_or_no_archive_is_a_fault() {
        let archive = entry("a", b'0', &[1; 2000]);
        assert_eq!(seen(&archive[..700]).1, Some(ErrorKind::UnexpectedEof));
        assert_eq!(seen(&archive[..100]).1, Some(ErrorKind::UnexpectedEof));
        let mut broken = archive;
        broken[5] = 1;
        assert_eq!(seen(&broken).1, Some(ErrorKind::InvalidData));
        assert_eq!(seen(&entry("x", b'x', b"").repeat(20)).1, Some(ErrorKind::InvalidData));
        let huge = header(b"a", b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", b'0', b"", b"");
        assert_eq!(seen(&huge).1, Some(ErrorKind::UnexpectedEof));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(
            parts in prop::collection::vec((0usize..9, prop::collection::vec(any::<u8>(), 0..700)), 0..8)
        ) {
            let kinds = *b"0\x0015xgLKS";
            let archive: Vec<u8> = parts
                .iter()
                .flat_map(|(kind, content)| if content.len() % 7 == 0 { content.clone() } else { entry("n", kinds[*kind], content) })
                .collect();
            let (found, _) = seen(&archive);
            prop_assert!(found.len() <= archive.len() / BLOCK);
        }
    }
}
