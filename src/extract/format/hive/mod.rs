//! Windows registry hives (`NTUSER.DAT`, `SOFTWARE` and their like), read one key at a time: a hive of 150 MB is never
//! read whole.
//!
//! The format is that of the "Windows registry file format specification" by Maxim Suhanov. In short: a base block of
//! 4,096 bytes, then cells. A cell begins with its size, negative while it is in use, and every offset counts from
//! behind the base block. A key (`nk`) leads to a list of subkeys (`lf`, `lh`, `li`, or `ri` for a list of lists) and
//! to a list of values (`vk`), whose data lie in the value itself, in a cell, or in several (`db`).
//!
//! Names are found by reading the lists from front to back. The hashes in them are left alone: they would save little,
//! and a wrong one hides a key from whoever trusts it.
//!
//! Every read has a limit, and so has the number of cells that one hive may make us read, so offsets that lead in
//! circles end. What cannot be read is a [`Fault`], and what else there is can still be read.
//!
//! Changes that Windows has only written to the logs beside a hive (`.LOG1`, `.LOG2`) are not seen. A hive with such
//! changes [is dirty](Hive::is_dirty).

mod cell;
mod key;
mod value;

use std::cell::Cell as Counter;
use std::fmt;

use self::cell::{Record, field_u32, field_u64};
use super::read_at::ReadAt;
use crate::model::coverage::GapReason;
use crate::model::time::Time;

pub use self::key::{Key, Subkeys};
pub use self::value::{Data, Value};

/// Where the cells begin.
const BASE_BLOCK: u64 = 4096;

/// The part of the base block that means anything to us: all that the checksum covers, and the checksum.
const BASE_BLOCK_READ: usize = 512;

/// Most cells of one hive that are read, each page of a large one counted; what is asked of an honest hive takes a few
/// hundred.
const MOST_CELLS: u32 = 100_000;

/// Bytes of content that are read for the price of one cell.
const PAGE: usize = 4096;

/// Why something in a hive could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Whether the hive, our limits or the disk are the reason.
    pub reason: GapReason,
    /// What is wrong, as the rest of a sentence.
    pub what: &'static str,
    /// Where in the file.
    pub at: u64,
}

impl Fault {
    fn malformed(what: &'static str, at: u64) -> Self {
        Self { reason: GapReason::Malformed, what, at }
    }

    fn too_large(what: &'static str, at: u64) -> Self {
        Self { reason: GapReason::TooLarge, what, at }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} (at byte {} of the hive)", self.what, self.at)
    }
}

/// An open hive.
#[derive(Debug)]
pub struct Hive<'file, F: ReadAt + ?Sized> {
    file: &'file F,
    root: u32,
    dirty: bool,
    written: Option<Time>,
    /// How many more cells may be read.
    left: Counter<u32>,
}

impl<'file, F: ReadAt + ?Sized> Hive<'file, F> {
    /// Reads the base block, and makes sure that the root key is there.
    ///
    /// # Errors
    /// It is no hive, or one that cannot be read.
    pub fn open(file: &'file F) -> Result<Self, Fault> {
        let mut block = [0; BASE_BLOCK_READ];
        let got = file.read_at(0, &mut block).map_err(|_why| cell::disk(0))?;
        let block = block.get(..got).unwrap_or_default();
        if !block.starts_with(b"regf") {
            return Err(Fault::malformed("this is no registry hive", 0));
        }
        let field = |at: usize| field_u32(block, at).ok_or(Fault::malformed("the base block is cut short", got as u64));
        let checksum = field(508)?;
        if field(20)? != 1 || !(3..=6).contains(&field(24)?) {
            return Err(Fault::malformed("the hive has a version that is not known", 20));
        }
        if field(28)? != 0 {
            return Err(Fault::malformed("this is a registry's log and no hive", 28));
        }
        let hive = Self {
            file,
            root: field(36)?,
            dirty: field(4)? != field(8)? || checksum != checksum_of(block),
            written: field_u64(block, 12).and_then(time),
            left: Counter::new(MOST_CELLS),
        };
        hive.root()?;
        Ok(hive)
    }

    /// Whether the last changes may be missing: the system had not finished writing them to this file, or the base
    /// block has a wrong checksum.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// When the hive was last written, by its own account.
    #[must_use]
    pub fn written(&self) -> Option<Time> {
        self.written
    }

    /// The key that all others lie below. Its name means nothing.
    ///
    /// # Errors
    /// The disk failed since the hive was opened, or more was asked of the hive than it may cost.
    pub fn root(&self) -> Result<Key<'_, F>, Fault> {
        Key::read(self, self.root)
    }

    /// The key at `path`, whose names are compared without case; nothing if there is none.
    ///
    /// # Errors
    /// The key was not found, and it may be in what could not be read.
    pub fn key(&self, path: &[&str]) -> Result<Option<Key<'_, F>>, Fault> {
        let mut key = self.root()?;
        for name in path {
            let Some(below) = key.subkey(name)? else {
                return Ok(None);
            };
            key = below;
        }
        Ok(Some(key))
    }

    /// Reads the cell at `offset`, of its content `most` bytes at most.
    fn cell(&self, offset: u32, most: usize) -> Result<Record, Fault> {
        let at = BASE_BLOCK + u64::from(offset);
        let left = self.left.get();
        if left == 0 {
            return Err(Fault::too_large("more of the hive would have to be read than is sensible", at));
        }
        self.left.set(left - 1);
        let record = Record::read(self.file, at, most)?;
        let more = u32::try_from(record.bytes.len() / PAGE).unwrap_or(u32::MAX);
        self.left.set(left.saturating_sub(1).saturating_sub(more));
        Ok(record)
    }
}

/// XOR of the words in front of the checksum. Two results would be mistaken for marks, and give way to their neighbours.
fn checksum_of(block: &[u8]) -> u32 {
    let sum = (0..508).step_by(4).filter_map(|at| field_u32(block, at)).fold(0, |sum, word| sum ^ word);
    match sum {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        other => other,
    }
}

/// Windows counts in units of 100 ns since 1601; 0 is a time that nobody set.
fn time(filetime: u64) -> Option<Time> {
    const TO_1970: i64 = 11_644_473_600;
    let seconds = i64::try_from(filetime / 10_000_000).ok()?;
    (filetime > 0).then(|| Time::from_unix(seconds - TO_1970))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::format::made_hive::{Lists, WRITTEN, hive, hive_with, settle};

    const TEXT: &str = r"
\
    @ = top
Software\Python\PythonCore\3.11
    DisplayName = Python 3.11 (64-bit)
    @ = unnamed
    Short = x
    Empty:hex = 00
    Count:dword = 7
    Many:multi = one|two
    Raw:hex = 01 02 03 04 05 06
    Home:expand = %USERPROFILE%\py
    Straße = ä
    Имя = значение
    Long = *20000 x
    Exact = *8171 y
    Widest = *32767 z
    Wider = *32768 z
Software\Python\Компания\Тег
    @ = D:\Питон
Software\Zope
Software\Ärger
";

    fn open(bytes: &[u8]) -> Hive<'_, [u8]> {
        Hive::open(bytes).unwrap()
    }

    fn value(bytes: &[u8], path: &[&str], name: &str) -> Result<Option<String>, Fault> {
        open(bytes).key(path).unwrap().unwrap().value(name)
    }

    /// Where `what` first stands.
    fn find(bytes: &[u8], what: &[u8]) -> usize {
        bytes.windows(what.len()).position(|here| here == what).unwrap()
    }

    fn names<F: ReadAt + ?Sized>(key: &Key<'_, F>) -> Vec<String> {
        key.subkeys().map(|key| key.map_or_else(|why| why.to_string(), |key| key.name().to_owned())).collect()
    }

    /// A hive whose file holds only that root key and whatever comes behind it, at offset 32.
    fn sole_key(subkeys: u32, list: u32, rest: &[u8]) -> Vec<u8> {
        let mut bytes = hive("");
        bytes.truncate(4096 + 32);
        bytes[36..40].copy_from_slice(&32_u32.to_le_bytes());
        let mut record = vec![0; 76 + 4];
        record[..6].copy_from_slice(b"\xb0\xff\xff\xffnk");
        record[24..28].copy_from_slice(&subkeys.to_le_bytes());
        record[32..36].copy_from_slice(&list.to_le_bytes());
        bytes.extend(record);
        bytes.extend(rest);
        bytes
    }

    #[test]
    fn keys_are_found_without_case_in_every_kind_of_list() {
        for lists in [Lists::Fast, Lists::Hash, Lists::Index, Lists::Root(1), Lists::Root(2)] {
            let bytes = hive_with(TEXT, lists);
            let hive = open(&bytes);
            assert_eq!(names(&hive.root().unwrap()), ["Software"]);
            assert_eq!(names(&hive.key(&["sOFTWARE"]).unwrap().unwrap()), ["Python", "Zope", "Ärger"]);
            assert_eq!(names(&hive.key(&["Software", "python"]).unwrap().unwrap()), ["PythonCore", "Компания"]);
            let key = hive.key(&["SOFTWARE", "PYTHON", "КОМПАНИЯ", "тег"]).unwrap().unwrap();
            assert_eq!(key.value("").unwrap().as_deref(), Some(r"D:\Питон"));
            assert!(hive.key(&["Software", "ärger"]).unwrap().is_some());
            assert!(hive.key(&["Software", "Pytho"]).unwrap().is_none());
            assert!(hive.key(&["Software", "Zope", "X"]).unwrap().is_none());
        }
    }

    #[test]
    fn values_are_text_wherever_their_data_lie() {
        let bytes = hive(TEXT);
        let hive = open(&bytes);
        let key = hive.key(&["Software", "Python", "PythonCore", "3.11"]).unwrap().unwrap();
        let text = |name: &str| key.value(name).unwrap();
        assert_eq!(text("displayname").as_deref(), Some("Python 3.11 (64-bit)"));
        assert_eq!(text("").as_deref(), Some("unnamed"));
        assert_eq!(text("Short").as_deref(), Some("x"));
        assert_eq!(text("Home").as_deref(), Some(r"%USERPROFILE%\py"));
        assert_eq!(text("STRAßE").as_deref(), Some("ä"));
        assert_eq!(text("имя").as_deref(), Some("значение"));
        assert_eq!(text("Long").unwrap(), "x".repeat(20_000));
        assert_eq!(text("Exact").unwrap(), "y".repeat(8171));
        assert_eq!(text("Widest").unwrap(), "z".repeat(32_767));
        assert_eq!(hive.root().unwrap().value("").unwrap().as_deref(), Some("top"));
        assert_eq!(["Count", "Many", "Raw", "Empty", "Nothing"].map(text), [const { None }; 5]);
        let why = key.value("Wider").unwrap_err();
        assert_eq!((why.reason, why.what), (GapReason::TooLarge, "a value has more than 64 KiB of data"));
    }

    #[test]
    fn all_values_are_listed() {
        let bytes = hive("A\n    @ = top\n    Many:multi = one|two\n    N:dword = 7\n    Raw:hex = 01 02\nB\n");
        let hive = open(&bytes);
        let values = hive.key(&["A"]).unwrap().unwrap().values();
        let data = |name: &str| {
            values.iter().flatten().find(|value| value.name == name).map(|value| value.data.clone()).unwrap()
        };
        assert_eq!(values.len(), 4);
        assert_eq!((data(""), data("N")), (Data::Text("top".to_owned()), Data::Number(7)));
        assert_eq!(data("Many"), Data::Texts(vec!["one".to_owned(), "two".to_owned()]));
        assert_eq!(data("Raw"), Data::Other);
        assert!(hive.key(&["B"]).unwrap().unwrap().values().is_empty());
    }

    #[test]
    fn older_hives_have_long_data_in_one_cell() {
        let mut bytes = hive("A\n    Long = *20000 x\n    Short = 123456\n");
        let cell = find(&bytes, b"1\x002\x003\x004\0") - 4;
        let vk = find(&bytes, b"Long") - 20;
        let at = bytes.len();
        let record = [(-40_016_i32).to_le_bytes().as_slice(), &b"y\0".repeat(20_004)].concat();
        bytes.extend(record);
        bytes[vk + 8..vk + 12].copy_from_slice(&u32::try_from(at - 4096).unwrap().to_le_bytes());
        assert_eq!(value(&bytes, &["a"], "long").unwrap(), Some("y".repeat(20_001)));
        // A value that claims more than its cell has is not filled up from the next one.
        let vk = find(&bytes, b"Short") - 20;
        bytes[vk + 4..vk + 8].copy_from_slice(&32_u32.to_le_bytes());
        let why = value(&bytes, &["a"], "short").unwrap_err();
        assert_eq!((why.what, why.at), ("a record is cut short", cell as u64));
    }

    #[test]
    fn text_ends_at_its_nul_and_need_not_have_one() {
        let bytes = hive(
            "A\n    Ends:hex = 61 00 00 00 62 00\n    Open:hex = 61 00 62 00 63\n    Lone:hex = 00 d8 61 00 62 00\n",
        );
        let as_text = |name: &str| {
            let mut bytes = bytes.clone();
            let vk = find(&bytes, name.as_bytes()) - 20;
            bytes[vk + 12] = 1;
            value(&bytes, &["A"], name).unwrap().unwrap()
        };
        assert_eq!(as_text("Ends"), "a");
        assert_eq!(as_text("Open"), "ab");
        assert_eq!(as_text("Lone"), "\u{fffd}ab");
    }

    #[test]
    fn letters_that_turn_into_plain_ones_are_not_the_plain_ones() {
        let bytes = hive("Inſtall\n    @ = no\nınstall\n    @ = no\n");
        assert!(open(&bytes).key(&["Install"]).unwrap().is_none());
    }

    #[test]
    fn times_are_those_of_the_hive() {
        let mut bytes = hive("A\n");
        assert_eq!(open(&bytes).written().unwrap().to_string(), "2024-01-02T03:04:05Z");
        assert_eq!(open(&bytes).root().unwrap().written(), time(WRITTEN));
        assert_eq!([time(0), time(1).map(Time::unix).map(|_| time(0)).unwrap()], [None, None]);
        bytes[12..20].fill(0xff);
        assert!(open(&bytes).written().is_some());
    }

    #[test]
    fn an_unfinished_write_is_told() {
        let mut bytes = hive("A\n");
        assert!(!open(&bytes).is_dirty());
        bytes[200] = 1;
        assert!(open(&bytes).is_dirty());
        settle(&mut bytes);
        assert!(!open(&bytes).is_dirty());
        bytes[4] += 1;
        settle(&mut bytes);
        assert!(open(&bytes).is_dirty());
    }

    #[test]
    fn what_is_no_hive_says_so() {
        let refused = |at: usize, byte: u8| {
            let mut bytes = hive("A\n");
            bytes[at] = byte;
            Hive::open(bytes.as_slice()).unwrap_err().what
        };
        assert_eq!(refused(0, b'R'), "this is no registry hive");
        assert_eq!(refused(20, 2), "the hive has a version that is not known");
        assert_eq!(refused(24, 2), "the hive has a version that is not known");
        assert_eq!(refused(28, 6), "this is a registry's log and no hive");
        assert_eq!(refused(39, 0x80), "an offset leads beyond the hive's end");
        assert_eq!(refused(36, 0x20), "a key is expected and something else is there");
        assert_eq!(Hive::open(b"".as_slice()).unwrap_err().what, "this is no registry hive");
        let why = Hive::open(b"regf but short".as_slice()).unwrap_err();
        assert_eq!(why.to_string(), "the base block is cut short (at byte 14 of the hive)");
    }

    #[test]
    fn one_broken_key_does_not_hide_its_neighbours() {
        let mut bytes = hive("A\nB\nC\n");
        let broken = find(&bytes, b"B\0\0\0") - 76;
        bytes[broken] = b'x';
        let hive = open(&bytes);
        let told = format!("a key is expected and something else is there (at byte {} of the hive)", broken - 4);
        assert_eq!(names(&hive.root().unwrap()), ["A", &told, "C"]);
        assert!(hive.key(&["c"]).unwrap().is_some());
        // It may be the one that is broken.
        assert_eq!(hive.key(&["b"]).unwrap_err().to_string(), told);
    }

    #[test]
    fn cells_that_are_not_in_use_lead_nowhere() {
        let mut bytes = hive("A\n    One = 123456\n");
        let vk = find(&bytes, b"vk") - 4;
        let size = i32::from_le_bytes(bytes[vk..vk + 4].try_into().unwrap());
        bytes[vk..vk + 4].copy_from_slice(&(-size).to_le_bytes());
        assert_eq!(value(&bytes, &["A"], "One").unwrap_err().what, "an offset leads to a cell that is not in use");
    }

    #[test]
    fn lists_that_say_less_than_their_key_are_faults() {
        let few = sole_key(3, 32 + 80, b"\xf0\xff\xff\xffli\x01\0\x20\0\0\0\0\0\0\0");
        let hive = open(&few);
        let found: Vec<_> = hive.root().unwrap().subkeys().map(|key| key.map(drop).map_err(|why| why.what)).collect();
        assert_eq!(found, [Ok(()), Err("a key lists fewer subkeys than it has")]);
        let cut = sole_key(3, 32 + 80, b"\xf0\xff\xff\xffli\xff\xff\x20\0\0\0\x20\0\0\0");
        let hive = open(&cut);
        assert_eq!(hive.key(&["x"]).unwrap_err().what, "a record is cut short");
        // A list that a key without subkeys leaves behind means nothing.
        assert!(open(&sole_key(0, u32::MAX - 1, b"")).key(&["x"]).unwrap().is_none());
    }

    #[test]
    fn circles_end() {
        // A list of lists that leads to itself.
        let itself = sole_key(1, 32 + 80, b"\xf0\xff\xff\xffri\x01\0\x70\0\0\0\0\0\0\0");
        let why = open(&itself).key(&["x"]).unwrap_err();
        assert_eq!(why.what, "a list of subkeys is expected and something else is there");
        // A key that is its own subkey, and whose name is empty, goes as deep as it is asked for.
        let nested = sole_key(1, 32 + 80, b"\xf0\xff\xff\xffli\x01\0\x20\0\0\0");
        assert!(open(&nested).key(&[""; 100]).unwrap().is_some());
        let why = open(&nested).key(&vec![""; 100_000]).unwrap_err();
        assert_eq!(why.what, "more of the hive would have to be read than is sensible");
    }

    #[test]
    fn what_a_hive_claims_costs_no_more_than_the_limits() {
        // 65,535 leaves, each the same one with 65,535 times the root key.
        let many = |count: usize, offset: u32| offset.to_le_bytes().repeat(count);
        let leaf = [(-262_144_i32).to_le_bytes().as_slice(), b"li\xff\xff", &many(65_535, 32)].concat();
        let at = 112 + u32::try_from(leaf.len()).unwrap();
        let lists = [(-262_144_i32).to_le_bytes().as_slice(), b"ri\xff\xff", &many(65_535, 112)].concat();
        let bytes = sole_key(u32::MAX, at, &[leaf, lists].concat());
        let hive = open(&bytes);
        let found: Vec<_> = hive.root().unwrap().subkeys().map(|key| key.map(drop).map_err(|why| why.reason)).collect();
        assert_eq!(found.len(), 10_001);
        assert_eq!(found.last(), Some(&Err(GapReason::TooLarge)));
        for _ in 0..20 {
            assert!(hive.key(&["x"]).is_err());
        }
        assert_eq!(hive.left.get(), 0);
    }

    /// Everything that can be asked of a hive, two levels deep.
    fn explore(bytes: &[u8]) {
        let Ok(hive) = Hive::open(bytes) else { return };
        for name in ["Software", "Python", "PythonCore", "3.11"] {
            let _found = hive.key(&["Software", "Python", name]);
        }
        for key in hive.root().into_iter().flat_map(|root| root.subkeys()).flatten() {
            for below in key.subkeys().flatten().flat_map(|key| key.subkeys()).flatten().take(100) {
                let _texts = ["", "Long", "DisplayName", "Widest"].map(|name| below.value(name));
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            explore(&bytes);
            let mut with_base = hive("");
            with_base.truncate(4096);
            with_base.extend(bytes);
            with_base[36..40].copy_from_slice(&0_u32.to_le_bytes());
            explore(&with_base);
        }

        #[test]
        fn a_damaged_hive_is_read(
            lists in prop::sample::select(vec![Lists::Fast, Lists::Hash, Lists::Index, Lists::Root(2)]),
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..40),
            end in any::<prop::sample::Index>(),
            cut in any::<bool>(),
        ) {
            // One text of two parts is enough; damage inside of text shows nothing.
            let text: String = TEXT.lines().filter(|line| !line.contains('*')).map(|line| format!("{line}\n")).collect();
            let mut bytes = hive_with(&format!("{text}Z\n    Long = *8180 x\n"), lists);
            let fixed: Vec<usize> = (0..bytes.len()).filter(|at| !matches!(bytes[*at], 0 | b'x')).collect();
            for (at, byte) in flips {
                bytes[*at.get(&fixed)] = byte;
            }
            if cut {
                bytes.truncate(end.index(bytes.len()));
            }
            explore(&bytes);
        }
    }
}
