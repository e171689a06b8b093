//! Values of a key and their data.

use super::cell::{Record, name, same, utf16};
use super::key::List;
use super::{Fault, Hive, ReadAt};

/// The fixed part of a value; its name follows.
const FIXED: usize = 20;

/// Longest name that is compared, in bytes; whoever asks knows shorter ones.
const LONGEST_NAME: usize = 512;

/// Most values of one key that are looked at.
const MOST_VALUES: usize = 10_000;

/// Most data of a value, in bytes: a path of Windows has no more than 32,767 characters.
const MOST_DATA: usize = 64 << 10;

/// Most data of one part of big data.
const PART: usize = 16_344;

/// The data lie in the field that is their offset otherwise.
const RESIDENT: u32 = 1 << 31;

/// The name is in Latin-1.
const NARROW: u16 = 1;

const SZ: u32 = 1;
const EXPAND_SZ: u32 = 2;
const DWORD: u32 = 4;
const MULTI_SZ: u32 = 7;

/// A value, as far as readers ask for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Value {
    /// Its name; empty for the unnamed one.
    pub name: String,
    /// What it says.
    pub data: Data,
}

/// What a value says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Data {
    /// `REG_SZ` or `REG_EXPAND_SZ`, in which nothing is expanded, up to its first NUL.
    Text(String),
    /// The texts of a `REG_MULTI_SZ`.
    Texts(Vec<String>),
    /// A `REG_DWORD`.
    Number(u32),
    /// Of another kind.
    Other,
}

/// All values of the list, one after the other; what could not be read is a fault in its place, or behind them.
pub(super) fn all<F: ReadAt + ?Sized>(hive: &Hive<'_, F>, values: List) -> Vec<Result<Value, Fault>> {
    if values.count == 0 {
        return Vec::new();
    }
    let claimed = usize::try_from(values.count).unwrap_or(usize::MAX);
    let list = match hive.cell(values.offset, 4 * claimed.min(MOST_VALUES)) {
        Ok(list) => list,
        Err(why) => return vec![Err(why)],
    };
    let offsets = list.bytes.chunks_exact(4).filter_map(|entry| super::field_u32(entry, 0));
    let mut out: Vec<Result<Value, Fault>> = offsets.map(|offset| one(hive, offset)).collect();
    if claimed > MOST_VALUES {
        out.push(Err(Fault::too_large("a key has more than 10,000 values", list.at)));
    } else if out.len() < claimed {
        out.push(Err(list.cut()));
    }
    out
}

/// The value at `offset`.
fn one<F: ReadAt + ?Sized>(hive: &Hive<'_, F>, offset: u32) -> Result<Value, Fault> {
    let record = hive.cell(offset, FIXED + LONGEST_NAME)?;
    if record.signature() != b"vk" {
        return Err(record.is_not("a value is expected and something else is there"));
    }
    // Windows has no longer names here; of one that claims to be, what is there is taken.
    let length = usize::from(record.u16(2)?).min(LONGEST_NAME);
    let name = name(record.slice(FIXED, length)?, record.u16(16)? & NARROW != 0);
    let data = match record.u32(12)? {
        SZ | EXPAND_SZ => {
            let text = utf16(&data(hive, &record)?);
            Data::Text(text.split('\0').next().unwrap_or_default().to_owned())
        }
        MULTI_SZ => {
            let text = utf16(&data(hive, &record)?);
            Data::Texts(text.split('\0').filter(|part| !part.is_empty()).map(str::to_owned).collect())
        }
        DWORD => super::field_u32(&data(hive, &record)?, 0).map_or(Data::Other, Data::Number),
        _ => Data::Other,
    };
    Ok(Value { name, data })
}

/// The text of the value called `wanted` in the list `values`.
pub(super) fn text<F: ReadAt + ?Sized>(
    hive: &Hive<'_, F>,
    values: List,
    wanted: &str,
) -> Result<Option<String>, Fault> {
    if values.count == 0 {
        return Ok(None);
    }
    let claimed = usize::try_from(values.count).unwrap_or(usize::MAX);
    let list = hive.cell(values.offset, 4 * claimed.min(MOST_VALUES))?;
    let offsets: Vec<u32> = list.bytes.chunks_exact(4).filter_map(|entry| super::field_u32(entry, 0)).collect();
    let mut fault = None;
    for offset in &offsets {
        match named(hive, *offset, wanted) {
            Ok(Some(value)) => return content(hive, &value),
            Ok(None) => {}
            Err(why) => fault = fault.or(Some(why)),
        }
    }
    if claimed > MOST_VALUES {
        fault = fault.or(Some(Fault::too_large("a key has more than 10,000 values", list.at)));
    } else if offsets.len() < claimed {
        fault = fault.or(Some(list.cut()));
    }
    fault.map_or(Ok(None), Err)
}

/// The value at `offset`, if that is its name.
fn named<F: ReadAt + ?Sized>(hive: &Hive<'_, F>, offset: u32, wanted: &str) -> Result<Option<Record>, Fault> {
    let record = hive.cell(offset, FIXED + LONGEST_NAME)?;
    if record.signature() != b"vk" {
        return Err(record.is_not("a value is expected and something else is there"));
    }
    let length = usize::from(record.u16(2)?);
    if length > LONGEST_NAME {
        return Ok(None);
    }
    let bytes = record.slice(FIXED, length)?;
    Ok(same(&name(bytes, record.u16(16)? & NARROW != 0), wanted).then_some(record))
}

/// What the value says, if it is text.
fn content<F: ReadAt + ?Sized>(hive: &Hive<'_, F>, value: &Record) -> Result<Option<String>, Fault> {
    if !matches!(value.u32(12)?, SZ | EXPAND_SZ) {
        return Ok(None);
    }
    let text = utf16(&data(hive, value)?);
    Ok(Some(text.split('\0').next().unwrap_or_default().to_owned()))
}

/// The value's data, from wherever they lie.
fn data<F: ReadAt + ?Sized>(hive: &Hive<'_, F>, value: &Record) -> Result<Vec<u8>, Fault> {
    let field = value.u32(4)?;
    let size = usize::try_from(field & !RESIDENT).unwrap_or(usize::MAX);
    if field & RESIDENT != 0 {
        let within = value.slice(8, 4)?.get(..size);
        return within.map(<[u8]>::to_vec).ok_or_else(|| value.is_not("a value has no room for the data in it"));
    }
    if size > MOST_DATA {
        return Err(Fault::too_large("a value has more than 64 KiB of data", value.at));
    }
    if size == 0 {
        return Ok(Vec::new());
    }
    let cell = hive.cell(value.u32(8)?, size)?;
    // Older hives have data of any size in one cell. A cell that is too small leads to the parts.
    if size > PART && cell.size < size && cell.signature() == b"db" {
        return big(hive, &cell, size);
    }
    Ok(cell.slice(0, size)?.to_vec())
}

/// `size` bytes that lie in several cells, each but the last full.
fn big<F: ReadAt + ?Sized>(hive: &Hive<'_, F>, head: &Record, size: usize) -> Result<Vec<u8>, Fault> {
    let needed = size.div_ceil(PART);
    if usize::from(head.u16(2)?) < needed {
        return Err(head.cut());
    }
    let list = hive.cell(head.u32(4)?, 4 * needed)?;
    let mut out = Vec::with_capacity(size);
    for part in 0..needed {
        let length = PART.min(size - out.len());
        let cell = hive.cell(list.u32(4 * part)?, length)?;
        out.extend_from_slice(cell.slice(0, length)?);
    }
    Ok(out)
}
