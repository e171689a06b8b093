//! Makes Windows registry hives from a text, in the shape in which Windows writes them. It uses nothing else of this
//! project, so that unit tests, fixture hosts and fuzz targets can share it by its path.
//!
//! ```text
//! Software\Python\PythonCore\3.11
//!     DisplayName = Python 3.11 (64-bit)
//!     SysVersion:expand = 3.11
//!     Count:dword = 7
//! Software\Python\PythonCore\3.11\InstallPath
//!     @ = C:\Python311\
//!     Long = *20000 x
//! ```
//!
//! A line that is not indented is a key, made with those above it; `\` is the root. Indented lines are values of the key
//! above them; `@` is the unnamed one. Text is `REG_SZ` unless `:expand`, `:multi` (parts at `|`), `:dword` or `:hex`
//! says otherwise; `*20000 x` is 20,000 times what follows. Names with characters outside of Latin-1 become UTF-16, data
//! of at most four bytes lie in the value, and those of more than 16,344 bytes in several cells, all as Windows does it.

use std::collections::BTreeMap;

/// When everything in a hive was last written: 2024-01-02T03:04:05Z, in units of 100 ns since 1601.
pub(crate) const WRITTEN: u64 = (1_704_164_645 + 11_644_473_600) * 10_000_000;

/// Where the cells begin.
const BASE_BLOCK: usize = 4096;

/// Size of the header in front of each bin's cells.
const BIN_HEADER: usize = 32;

/// Most data of one part of big data.
const PART: usize = 16_344;

/// The form in which keys list their subkeys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lists {
    /// `lf`: offsets, and the beginning of each name.
    Fast,
    /// `lh`: offsets, and a hash of each name.
    Hash,
    /// `li`: offsets alone.
    Index,
    /// `ri`: a list of hash leaves with at most this many subkeys each.
    Root(usize),
}

/// A hive as Windows writes it today.
pub(crate) fn hive(text: &str) -> Vec<u8> {
    hive_with(text, Lists::Hash)
}

/// A hive whose subkeys are listed in that form.
pub(crate) fn hive_with(text: &str, lists: Lists) -> Vec<u8> {
    let mut top = Key { name: "ROOT".to_owned(), ..Key::default() };
    read(&mut top, text);
    let mut bins = Bins::default();
    let security = bins.cell(&security(top.count()));
    let root = write(&mut bins, &top, lists, security, true);
    let data = bins.finish();
    let mut out = base_block(root, data.len());
    out.extend(data);
    out
}

/// Corrects the checksum of a base block that was changed.
pub(crate) fn settle(hive: &mut [u8]) {
    let sum = hive[..508].chunks(4).fold(0, |sum, word| sum ^ u32::from_le_bytes(word.try_into().unwrap()));
    let sum = match sum {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        other => other,
    };
    put(hive, 508, &sum.to_le_bytes());
}

#[derive(Default)]
struct Key {
    name: String,
    values: Vec<Value>,
    /// By name in upper case, which is the order that Windows keeps.
    below: BTreeMap<String, Key>,
}

struct Value {
    name: String,
    kind: u32,
    data: Vec<u8>,
}

impl Key {
    fn count(&self) -> u32 {
        1 + self.below.values().map(Self::count).sum::<u32>()
    }

    fn at(&mut self, path: &str) -> &mut Self {
        path.split('\\').filter(|name| !name.is_empty()).fold(self, |key, name| {
            let fresh = || Self { name: name.to_owned(), ..Self::default() };
            key.below.entry(name.to_uppercase()).or_insert_with(fresh)
        })
    }
}

fn read(top: &mut Key, text: &str) {
    let mut path = String::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if line.starts_with(char::is_whitespace) {
            let (name, said) = line.trim().split_once('=').unwrap_or_else(|| panic!("no value: {line}"));
            top.at(&path).values.push(value(name.trim(), said.trim()));
        } else {
            line.trim().clone_into(&mut path);
            top.at(&path);
        }
    }
}

fn value(name: &str, said: &str) -> Value {
    let (name, kind) = name.split_once(':').unwrap_or((name, ""));
    let said = match said.strip_prefix('*').and_then(|rest| rest.split_once(' ')) {
        Some((count, what)) => what.repeat(count.parse().unwrap()),
        None => said.to_owned(),
    };
    let (kind, data) = match kind {
        "" => (1, utf16(&format!("{said}\0"))),
        "expand" => (2, utf16(&format!("{said}\0"))),
        "hex" => (3, said.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()),
        "dword" => (4, said.parse::<u32>().unwrap().to_le_bytes().to_vec()),
        "multi" => (7, utf16(&format!("{}\0\0", said.replace('|', "\0")))),
        other => panic!("{other} is no kind of value"),
    };
    Value { name: if name == "@" { String::new() } else { name.to_owned() }, kind, data }
}

/// Bins of cells, filled from front to back. No cell crosses the end of its bin.
#[derive(Default)]
struct Bins {
    data: Vec<u8>,
    /// Where the next cell goes, and where its bin ends.
    next: usize,
    end: usize,
}

impl Bins {
    /// Puts a record into a cell of its own and gives the cell's offset.
    fn cell(&mut self, record: &[u8]) -> u32 {
        let size = (4 + record.len()).next_multiple_of(8);
        if self.next + size > self.end {
            self.open(size);
        }
        let at = self.next;
        self.next += size;
        put(&mut self.data, at, &(-i32::try_from(size).unwrap()).to_le_bytes());
        put(&mut self.data, at + 4, record);
        u32::try_from(at).unwrap()
    }

    fn open(&mut self, room: usize) {
        self.close();
        let start = self.end;
        let size = (BIN_HEADER + room).next_multiple_of(4096);
        self.data.resize(start + size, 0);
        put(&mut self.data, start, b"hbin");
        put(&mut self.data, start + 4, &u32::try_from(start).unwrap().to_le_bytes());
        put(&mut self.data, start + 8, &u32::try_from(size).unwrap().to_le_bytes());
        put(&mut self.data, start + 20, &WRITTEN.to_le_bytes());
        self.next = start + BIN_HEADER;
        self.end = start + size;
    }

    /// What is left of a bin is one free cell.
    fn close(&mut self) {
        let free = i32::try_from(self.end - self.next).unwrap();
        if free > 0 {
            put(&mut self.data, self.next, &free.to_le_bytes());
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.close();
        self.data
    }
}

/// Writes a key and all below it; gives its offset.
fn write(bins: &mut Bins, key: &Key, lists: Lists, security: u32, top: bool) -> u32 {
    let below: Vec<(u32, &str)> =
        key.below.values().map(|one| (write(bins, one, lists, security, false), one.name.as_str())).collect();
    let subkeys = if below.is_empty() { u32::MAX } else { list(bins, &below, lists) };
    let values: Vec<u8> = key.values.iter().flat_map(|value| write_value(bins, value).to_le_bytes()).collect();
    let values = if values.is_empty() { u32::MAX } else { bins.cell(&values) };
    let (name, narrow) = name_bytes(&key.name);
    let flags = if narrow { 0x20 } else { 0 } | if top { 0x0c } else { 0 };
    let longest = |lengths: &mut dyn Iterator<Item = usize>| u32::try_from(lengths.max().unwrap_or(0)).unwrap();
    let mut record = vec![0; 76];
    put(&mut record, 0, b"nk");
    put(&mut record, 2, &u16::to_le_bytes(flags));
    put(&mut record, 4, &WRITTEN.to_le_bytes());
    put(&mut record, 20, &count(below.len()));
    put(&mut record, 28, &subkeys.to_le_bytes());
    put(&mut record, 32, &u32::MAX.to_le_bytes());
    put(&mut record, 36, &count(key.values.len()));
    put(&mut record, 40, &values.to_le_bytes());
    put(&mut record, 44, &security.to_le_bytes());
    put(&mut record, 48, &u32::MAX.to_le_bytes());
    put(&mut record, 52, &longest(&mut below.iter().map(|(_, name)| utf16(name).len())).to_le_bytes());
    put(&mut record, 60, &longest(&mut key.values.iter().map(|one| utf16(&one.name).len())).to_le_bytes());
    put(&mut record, 64, &longest(&mut key.values.iter().map(|one| one.data.len())).to_le_bytes());
    put(&mut record, 72, &u16::try_from(name.len()).unwrap().to_le_bytes());
    record.extend(name);
    let at = bins.cell(&record);
    for (child, _) in &below {
        put(&mut bins.data, *child as usize + 4 + 16, &at.to_le_bytes());
    }
    at
}

fn list(bins: &mut Bins, below: &[(u32, &str)], lists: Lists) -> u32 {
    if let Lists::Root(each) = lists {
        let leaves: Vec<u32> = below.chunks(each).map(|some| list(bins, some, Lists::Hash)).collect();
        let mut record = [b"ri".as_slice(), &u16::try_from(leaves.len()).unwrap().to_le_bytes()].concat();
        record.extend(leaves.iter().flat_map(|leaf| leaf.to_le_bytes()));
        return bins.cell(&record);
    }
    let signature: &[u8] = match lists {
        Lists::Fast => b"lf",
        Lists::Index => b"li",
        Lists::Hash | Lists::Root(_) => b"lh",
    };
    let mut record = [signature, &u16::try_from(below.len()).unwrap().to_le_bytes()].concat();
    for (offset, name) in below {
        record.extend(offset.to_le_bytes());
        let units = name.to_uppercase().encode_utf16().collect::<Vec<u16>>();
        match lists {
            Lists::Fast => {
                let mut hint = name_bytes(name).0;
                hint.resize(4, 0);
                record.extend(hint);
            }
            Lists::Index => {}
            Lists::Hash | Lists::Root(_) => {
                let hash = units.iter().fold(0_u32, |sum, unit| sum.wrapping_mul(37).wrapping_add((*unit).into()));
                record.extend(hash.to_le_bytes());
            }
        }
    }
    bins.cell(&record)
}

fn write_value(bins: &mut Bins, value: &Value) -> u32 {
    let size = u32::try_from(value.data.len()).unwrap();
    let (size, field) = match value.data.len() {
        0..=4 => {
            let mut field = value.data.clone();
            field.resize(4, 0);
            (size | 1 << 31, field)
        }
        5..=PART => (size, bins.cell(&value.data).to_le_bytes().to_vec()),
        _ => (size, big(bins, &value.data).to_le_bytes().to_vec()),
    };
    let (name, narrow) = name_bytes(&value.name);
    let mut record = vec![0; 20];
    put(&mut record, 0, b"vk");
    put(&mut record, 2, &u16::try_from(name.len()).unwrap().to_le_bytes());
    put(&mut record, 4, &size.to_le_bytes());
    put(&mut record, 8, &field);
    put(&mut record, 12, &value.kind.to_le_bytes());
    put(&mut record, 16, &u16::from(narrow && !name.is_empty()).to_le_bytes());
    record.extend(name);
    bins.cell(&record)
}

fn big(bins: &mut Bins, data: &[u8]) -> u32 {
    // Windows leaves four bytes behind each part.
    let parts: Vec<u8> =
        data.chunks(PART).flat_map(|part| bins.cell(&[part, &[0; 4]].concat()).to_le_bytes()).collect();
    let list = bins.cell(&parts);
    let mut record = [b"db".as_slice(), &u16::try_from(parts.len() / 4).unwrap().to_le_bytes()].concat();
    record.extend(list.to_le_bytes());
    bins.cell(&record)
}

/// The one security descriptor, that all keys share: owned by the administrators, open to everyone.
fn security(keys: u32) -> Vec<u8> {
    const ADMINISTRATORS: [u8; 16] = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
    let mut descriptor = vec![0; 20];
    put(&mut descriptor, 0, &[1, 0, 0x04, 0x80]);
    put(&mut descriptor, 4, &20_u32.to_le_bytes());
    put(&mut descriptor, 8, &36_u32.to_le_bytes());
    descriptor.extend(ADMINISTRATORS);
    descriptor.extend(ADMINISTRATORS);
    // It is the first cell, and the only one of its list, which leads back to itself.
    let at = u32::try_from(BIN_HEADER).unwrap().to_le_bytes();
    let mut record = [b"sk\0\0".as_slice(), &at, &at, &keys.to_le_bytes()].concat();
    record.extend(count(descriptor.len()));
    record.extend(descriptor);
    record
}

fn base_block(root: u32, size: usize) -> Vec<u8> {
    let mut block = vec![0; BASE_BLOCK];
    put(&mut block, 0, b"regf");
    put(&mut block, 4, &7_u32.to_le_bytes());
    put(&mut block, 8, &7_u32.to_le_bytes());
    put(&mut block, 12, &WRITTEN.to_le_bytes());
    put(&mut block, 20, &1_u32.to_le_bytes());
    put(&mut block, 24, &5_u32.to_le_bytes());
    put(&mut block, 32, &1_u32.to_le_bytes());
    put(&mut block, 36, &root.to_le_bytes());
    put(&mut block, 40, &count(size));
    put(&mut block, 44, &1_u32.to_le_bytes());
    put(&mut block, 48, &utf16("fixture"));
    settle(&mut block);
    block
}

/// A name as the records hold it, and whether it is in Latin-1.
fn name_bytes(name: &str) -> (Vec<u8>, bool) {
    let narrow: Option<Vec<u8>> = name.chars().map(|at| u8::try_from(at).ok()).collect();
    narrow.map_or_else(|| (utf16(name), false), |bytes| (bytes, true))
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn count(size: usize) -> [u8; 4] {
    u32::try_from(size).unwrap().to_le_bytes()
}

fn put(to: &mut [u8], at: usize, bytes: &[u8]) {
    to[at..at + bytes.len()].copy_from_slice(bytes);
}
