//! Keys and the lists of their subkeys.

use std::vec::IntoIter;

use super::cell::{Record, name, same};
use super::value::{self, Value};
use super::{Fault, Hive, ReadAt, time};
use crate::model::time::Time;

/// The fixed part of a key; its name follows.
const FIXED: usize = 76;

/// Longest name of a key, in bytes. Windows allows 255 characters.
const LONGEST_NAME: usize = 512;

/// Most subkeys of one key that are looked at.
const MOST_SUBKEYS: usize = 10_000;

/// The name is in Latin-1.
const NARROW: u16 = 0x20;

/// A key.
#[derive(Debug)]
pub struct Key<'hive, F: ReadAt + ?Sized> {
    hive: &'hive Hive<'hive, F>,
    at: u64,
    name: String,
    written: Option<Time>,
    subkeys: List,
    values: List,
}

/// How many entries a list claims, and where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    pub(super) count: u32,
    pub(super) offset: u32,
}

impl<'hive, F: ReadAt + ?Sized> Key<'hive, F> {
    pub(super) fn read(hive: &'hive Hive<'hive, F>, offset: u32) -> Result<Self, Fault> {
        let record = hive.cell(offset, FIXED + LONGEST_NAME)?;
        if record.signature() != b"nk" {
            return Err(record.is_not("a key is expected and something else is there"));
        }
        let length = usize::from(record.u16(72)?);
        if length > LONGEST_NAME {
            return Err(record.is_not("the name of a key is longer than Windows allows"));
        }
        Ok(Self {
            hive,
            at: record.at,
            name: name(record.slice(FIXED, length)?, record.u16(2)? & NARROW != 0),
            written: time(record.u64(4)?),
            subkeys: List { count: record.u32(20)?, offset: record.u32(28)? },
            values: List { count: record.u32(36)?, offset: record.u32(40)? },
        })
    }

    /// Its name, as written. What is no text in it is replaced.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where in the file it lies.
    #[must_use]
    pub fn at(&self) -> u64 {
        self.at
    }

    /// When it, its values or the list of its subkeys last changed.
    #[must_use]
    pub fn written(&self) -> Option<Time> {
        self.written
    }

    /// Its subkeys in the order of the list; in between and behind them what could not be read.
    #[must_use]
    pub fn subkeys(&self) -> Subkeys<'hive, F> {
        let mut gathered = Gathered::default();
        let fault = if self.subkeys.count == 0 { None } else { gathered.all(self).err() };
        Subkeys { hive: self.hive, offsets: gathered.offsets.into_iter(), fault }
    }

    /// The subkey of that name, compared without case.
    ///
    /// # Errors
    /// It was not found, and it may be in what could not be read.
    pub fn subkey(&self, name: &str) -> Result<Option<Self>, Fault> {
        let mut fault = None;
        for key in self.subkeys() {
            match key {
                Ok(key) if same(&key.name, name) => return Ok(Some(key)),
                Ok(_) => {}
                Err(why) => fault = fault.or(Some(why)),
            }
        }
        fault.map_or(Ok(None), Err)
    }

    /// The value of that name, compared without case, if it is text (`REG_SZ` or `REG_EXPAND_SZ`, in which nothing is
    /// expanded), up to its first NUL. The empty name is that of the key's unnamed value, which `regedit` shows as
    /// `(Default)`.
    ///
    /// # Errors
    /// It was not found, and it may be in what could not be read; or it is there and has no readable content.
    pub fn value(&self, name: &str) -> Result<Option<String>, Fault> {
        value::text(self.hive, self.values, name)
    }

    /// All of its values in the order of the list; in between and behind them what could not be read.
    #[must_use]
    pub fn values(&self) -> Vec<Result<Value, Fault>> {
        value::all(self.hive, self.values)
    }
}

/// The subkeys of a key, one after the other.
#[derive(Debug)]
pub struct Subkeys<'hive, F: ReadAt + ?Sized> {
    hive: &'hive Hive<'hive, F>,
    offsets: IntoIter<u32>,
    /// What is wrong with the list itself, told last.
    fault: Option<Fault>,
}

impl<'hive, F: ReadAt + ?Sized> Iterator for Subkeys<'hive, F> {
    type Item = Result<Key<'hive, F>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.offsets.next() {
            Some(offset) => Some(Key::read(self.hive, offset)),
            None => self.fault.take().map(Err),
        }
    }
}

/// The offsets of subkeys, as far as the lists of them can be read.
#[derive(Default)]
struct Gathered {
    offsets: Vec<u32>,
}

impl Gathered {
    /// Everything that the list of `key` leads to, which is a leaf or a list of leaves. Windows knows no deeper ones.
    fn all<F: ReadAt + ?Sized>(&mut self, key: &Key<'_, F>) -> Result<(), Fault> {
        let top = list(key.hive, key.subkeys.offset)?;
        let mut first_fault = None;
        if top.signature() == b"ri" {
            for leaf in entries(&top, 4, MOST_SUBKEYS, &mut first_fault)? {
                let added = list(key.hive, leaf).and_then(|leaf| self.leaf(&leaf, &mut first_fault));
                first_fault = first_fault.or(added.err());
                if self.offsets.len() >= MOST_SUBKEYS {
                    break;
                }
            }
        } else {
            self.leaf(&top, &mut first_fault)?;
        }
        let claimed = usize::try_from(key.subkeys.count).unwrap_or(usize::MAX);
        if claimed > MOST_SUBKEYS && self.offsets.len() >= MOST_SUBKEYS {
            first_fault = first_fault.or(Some(Fault::too_large("a key has more than 10,000 subkeys", key.at)));
        } else if claimed > self.offsets.len() {
            first_fault = first_fault.or(Some(Fault::malformed("a key lists fewer subkeys than it has", key.at)));
        }
        first_fault.map_or(Ok(()), Err)
    }

    fn leaf(&mut self, leaf: &Record, fault: &mut Option<Fault>) -> Result<(), Fault> {
        let width = match leaf.signature() {
            b"lf" | b"lh" => 8,
            b"li" => 4,
            _ => return Err(leaf.is_not("a list of subkeys is expected and something else is there")),
        };
        let room = MOST_SUBKEYS.saturating_sub(self.offsets.len());
        self.offsets.extend(entries(leaf, width, room, fault)?);
        Ok(())
    }
}

/// Reads one list, as much of it as can be of use.
fn list<F: ReadAt + ?Sized>(hive: &Hive<'_, F>, offset: u32) -> Result<Record, Fault> {
    hive.cell(offset, 4 + 8 * MOST_SUBKEYS)
}

/// The offsets in a list whose entries are `width` bytes wide, `most` of them; `fault` tells what is missing.
fn entries(list: &Record, width: usize, most: usize, fault: &mut Option<Fault>) -> Result<Vec<u32>, Fault> {
    let claimed = usize::from(list.u16(2)?);
    let wanted = claimed.min(most);
    let rest = list.bytes.get(4..).unwrap_or_default();
    let found: Vec<u32> =
        rest.chunks_exact(width).take(wanted).filter_map(|entry| super::field_u32(entry, 0)).collect();
    if found.len() < wanted {
        *fault = fault.or(Some(list.cut()));
    } else if wanted < claimed {
        *fault = fault.or(Some(Fault::too_large("a list has more than 10,000 subkeys", list.at)));
    }
    Ok(found)
}
