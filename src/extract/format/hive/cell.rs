//! Cells, the pieces that a hive is made of, and the fields in them.

use super::Fault;
use crate::extract::format::read_at::ReadAt;
use crate::model::coverage::GapReason;

/// The content of a cell, or the beginning of it.
#[derive(Debug)]
pub(super) struct Record {
    /// Where the cell lies in the file.
    pub(super) at: u64,
    /// How much content the cell claims to have; the file may be shorter.
    pub(super) size: usize,
    /// As much of it as was asked for and is there.
    pub(super) bytes: Vec<u8>,
}

impl Record {
    /// Reads the cell at byte `at` of `file`, `most` bytes of its content at most.
    pub(super) fn read<F: ReadAt + ?Sized>(file: &F, at: u64, most: usize) -> Result<Self, Fault> {
        let mut head = [0; 4];
        if file.read_at(at, &mut head).map_err(|_why| disk(at))? < head.len() {
            return Err(Fault::malformed("an offset leads beyond the hive's end", at));
        }
        let claimed = i32::from_le_bytes(head);
        if claimed >= 0 {
            return Err(Fault::malformed("an offset leads to a cell that is not in use", at));
        }
        // The content comes behind the size, which counts itself.
        let size = usize::try_from(claimed.unsigned_abs()).unwrap_or(usize::MAX).saturating_sub(head.len());
        let mut bytes = vec![0; size.min(most)];
        let got = file.read_at(at + head.len() as u64, &mut bytes).map_err(|_why| disk(at))?;
        bytes.truncate(got);
        Ok(Self { at, size, bytes })
    }

    /// What this cell is, by its first two bytes.
    pub(super) fn signature(&self) -> &[u8] {
        self.bytes.get(..2).unwrap_or_default()
    }

    /// The 16 bits at `at`.
    pub(super) fn u16(&self, at: usize) -> Result<u16, Fault> {
        let bytes = self.bytes.get(at..).and_then(<[u8]>::first_chunk);
        bytes.map(|bytes| u16::from_le_bytes(*bytes)).ok_or_else(|| self.cut())
    }

    /// The 32 bits at `at`.
    pub(super) fn u32(&self, at: usize) -> Result<u32, Fault> {
        field_u32(&self.bytes, at).ok_or_else(|| self.cut())
    }

    /// The 64 bits at `at`.
    pub(super) fn u64(&self, at: usize) -> Result<u64, Fault> {
        field_u64(&self.bytes, at).ok_or_else(|| self.cut())
    }

    /// `count` bytes from `at` on.
    pub(super) fn slice(&self, at: usize, count: usize) -> Result<&[u8], Fault> {
        self.bytes.get(at..).and_then(|rest| rest.get(..count)).ok_or_else(|| self.cut())
    }

    /// The record ends too early, because its cell does or because the file does.
    pub(super) fn cut(&self) -> Fault {
        Fault::malformed("a record is cut short", self.at)
    }

    /// The record is not what the one that leads here says.
    pub(super) fn is_not(&self, what: &'static str) -> Fault {
        Fault::malformed(what, self.at)
    }
}

/// The 32 bits at `at` of `bytes`.
pub(super) fn field_u32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map(|bytes| u32::from_le_bytes(*bytes))
}

/// The 64 bits at `at` of `bytes`.
pub(super) fn field_u64(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map(|bytes| u64::from_le_bytes(*bytes))
}

/// The fault of a disk that does not give what the file has.
pub(super) fn disk(at: u64) -> Fault {
    Fault { reason: GapReason::Unreadable, what: "the disk does not give the hive's content", at }
}

/// A name as the record holds it: one byte for each character (Latin-1), or UTF-16.
pub(super) fn name(bytes: &[u8], narrow: bool) -> String {
    if narrow { bytes.iter().map(|byte| char::from(*byte)).collect() } else { utf16(bytes) }
}

/// UTF-16 as text. What is none is replaced, and half a character at the end is dropped.
pub(super) fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).filter_map(|pair| pair.first_chunk()).map(|pair| u16::from_le_bytes(*pair));
    char::decode_utf16(units).map(|at| at.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Whether two names are the same to Windows, which compares them character by character in upper case.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.chars().map(upper).eq(other.chars().map(upper))
}

/// Upper case where that is one character; `ß` stays itself. So do the few that would turn into plain letters, such as
/// the dotless i: Windows tells them apart, and they could pass for the name that is looked for.
fn upper(at: char) -> char {
    let mut all = at.to_uppercase();
    match (all.next(), all.next()) {
        (Some(only), None) if at.is_ascii() || !only.is_ascii() => only,
        _ => at,
    }
}
