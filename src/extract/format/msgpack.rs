//! MessagePack (the format's specification at msgpack.org), looked through item by item: what caches keep of a download.
//!
//! Nothing is built and nothing recurses: a text or a block of bytes is the place where it lies, and what is passed over is
//! counted, not entered. A length that is not true ends the reading.

use std::ops::Range;

use super::read_at::ReadAt;

/// Most items that are passed over at once; the headers of a response are a few dozen.
const MOST_PASSED: u64 = 100_000;

/// One item. Maps and arrays are only announced: their items follow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// A map of so many pairs.
    Map(u32),
    /// An array of so many items.
    Array(u32),
    /// A text; where it lies, in bytes from the beginning of the file.
    Text(Range<u64>),
    /// A block of bytes; where it lies.
    Bytes(Range<u64>),
    /// A number, a flag, nothing, or something of an application's own.
    Other,
}

/// Reads items one after another.
pub struct Items<'a, F: ?Sized> {
    file: &'a F,
    at: u64,
}

impl<'a, F: ReadAt + ?Sized> Items<'a, F> {
    /// Begins at a place of a file.
    #[must_use]
    pub fn at(file: &'a F, at: u64) -> Self {
        Self { file, at }
    }

    /// The next item; none at the end of the file, and where what stands there is no item or claims to be longer than the
    /// file.
    pub fn take(&mut self) -> Option<Item> {
        let kind = u8::try_from(self.number(1)?).ok()?;
        Some(match kind {
            0x80..=0x8f => Item::Map(u32::from(kind & 0x0f)),
            0x90..=0x9f => Item::Array(u32::from(kind & 0x0f)),
            0xa0..=0xbf => Item::Text(self.block(u64::from(kind & 0x1f))?),
            0xc4..=0xc6 => Item::Bytes(self.sized(1 << (kind - 0xc4), 0)?),
            // An application's own items have a byte more that says which.
            0xc7..=0xc9 => self.other(1 << (kind - 0xc7), 1)?,
            0xca | 0xce | 0xd2 => self.passed(4)?,
            0xcb | 0xcf | 0xd3 => self.passed(8)?,
            0xcc | 0xd0 => self.passed(1)?,
            0xcd | 0xd1 => self.passed(2)?,
            0xd4..=0xd8 => self.passed(1 + (1 << (kind - 0xd4)))?,
            0xd9..=0xdb => Item::Text(self.sized(1 << (kind - 0xd9), 0)?),
            0xdc => Item::Array(u32::try_from(self.number(2)?).ok()?),
            0xdd => Item::Array(u32::try_from(self.number(4)?).ok()?),
            0xde => Item::Map(u32::try_from(self.number(2)?).ok()?),
            0xdf => Item::Map(u32::try_from(self.number(4)?).ok()?),
            0xc1 => return None,
            0x00..=0x7f | 0xc0 | 0xc2 | 0xc3 | 0xe0..=0xff => Item::Other,
        })
    }

    /// Passes over one item with all that is in it. None where that is more than is looked at, or does not end.
    pub fn pass(&mut self) -> Option<()> {
        let mut left = 1_u64;
        for _ in 0..MOST_PASSED {
            left = left.checked_sub(1)?;
            left = left.saturating_add(match self.take()? {
                Item::Map(pairs) => u64::from(pairs) * 2,
                Item::Array(items) => u64::from(items),
                _ => 0,
            });
            if left == 0 {
                return Some(());
            }
        }
        None
    }

    /// The text of a place, as far as it is one of at most `most` bytes.
    #[must_use]
    pub fn text(&self, place: &Range<u64>, most: usize) -> Option<String> {
        let length = usize::try_from(place.end.checked_sub(place.start)?).ok().filter(|length| *length <= most)?;
        let mut bytes = vec![0; length];
        let got = self.file.read_at(place.start, &mut bytes).ok()?;
        (got == length).then(|| String::from_utf8(bytes).ok()).flatten()
    }

    /// Of the map that comes next the value of a key; the items stand in front of it then. None without one.
    pub fn enter(&mut self, key: &str) -> Option<()> {
        let Item::Map(pairs) = self.take()? else { return None };
        for _ in 0..pairs {
            let is_it = match self.take()? {
                Item::Text(place) => self.text(&place, key.len()).as_deref() == Some(key),
                _ => return None,
            };
            if is_it {
                return Some(());
            }
            self.pass()?;
        }
        None
    }

    fn sized(&mut self, width: usize, more: u64) -> Option<Range<u64>> {
        let length = self.number(width)?;
        self.block(length.checked_add(more)?)
    }

    fn other(&mut self, width: usize, more: u64) -> Option<Item> {
        self.sized(width, more).map(|_| Item::Other)
    }

    fn passed(&mut self, length: u64) -> Option<Item> {
        self.block(length).map(|_| Item::Other)
    }

    fn block(&mut self, length: u64) -> Option<Range<u64>> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.file.size())?;
        let place = self.at..end;
        self.at = end;
        Some(place)
    }

    /// A number of `width` bytes, the highest first.
    fn number(&mut self, width: usize) -> Option<u64> {
        let mut bytes = [0; 8];
        let buffer = bytes.get_mut(..width)?;
        let got = self.file.read_at(self.at, buffer).ok()?;
        if got < width {
            return None;
        }
        self.at += width as u64;
        Some(bytes.iter().take(width).fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_is_found_by_its_keys() {
        // {"a": [1, "xy"], "b": {"c": bin 03 "PK!"}}
        let bytes = b"\x82\xa1a\x92\x01\xa2xy\xa1b\x81\xa1c\xc4\x03PK!";
        let mut items = Items::at(bytes.as_slice(), 0);
        items.enter("b").unwrap();
        items.enter("c").unwrap();
        assert_eq!(items.take(), Some(Item::Bytes(15..18)));
        assert_eq!(items.take(), None);
        assert_eq!(Items::at(bytes.as_slice(), 0).enter("x"), None);
    }

    #[test]
    fn every_width_is_read() {
        for (bytes, item) in [
            (b"\xd9\x01x".as_slice(), Item::Text(2..3)),
            (b"\xda\x00\x01x", Item::Text(3..4)),
            (b"\xdb\x00\x00\x00\x01x", Item::Text(5..6)),
            (b"\xc5\x00\x01x", Item::Bytes(3..4)),
            (b"\xc6\x00\x00\x00\x01x", Item::Bytes(5..6)),
            (b"\xdc\x01\x00", Item::Array(256)),
            (b"\xdf\x00\x01\x00\x00", Item::Map(65536)),
            (b"\xcb12345678", Item::Other),
            (b"\xc7\x01\x05x", Item::Other),
            (b"\xd8\x051234567890123456", Item::Other),
        ] {
            let mut items = Items::at(bytes, 0);
            assert_eq!(items.take(), Some(item), "{bytes:x?}");
            assert_eq!(items.take(), None, "{bytes:x?} is not read to its end");
        }
    }

    #[test]
    fn lies_end_the_reading() {
        for bytes in [b"\xc6\xff\xff\xff\xffx".as_slice(), b"\xdb\x00", b"\xc1", b""] {
            assert_eq!(Items::at(bytes, 0).take(), None, "{bytes:x?}");
        }
        // A map of four billion pairs, and brackets in brackets, are counted and not entered.
        assert_eq!(Items::at(b"\xdf\xff\xff\xff\xff".as_slice(), 0).pass(), None);
        let deep = vec![0x91; 1_000_000];
        assert_eq!(Items::at(deep.as_slice(), 0).pass(), None);
        assert_eq!(Items::at([vec![0x91; 50_000], vec![0xc0]].concat().as_slice(), 0).pass(), Some(()));
    }

    proptest! {
        #[test]
        fn no_bytes_stop_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut items = Items::at(bytes.as_slice(), 0);
            let _ = items.pass();
            let mut items = Items::at(bytes.as_slice(), 0);
            while let Some(item) = items.take() {
                if let Item::Text(place) | Item::Bytes(place) = item {
                    prop_assert!(place.end <= bytes.len() as u64);
                }
            }
            let _ = Items::at(bytes.as_slice(), 0).enter("response");
        }
    }
}
