//! Property lists of macOS, as XML and in the binary form (`plist(5)`, `CFBinaryPList.c`), bounded in depth, values and
//! bytes.
//!
//! A binary list is a table of objects that name each other by number. Lists may name one object many times, or themselves:
//! every naming counts as a value of its own, so that circles and lists that would unfold to gigabytes end at the bounds.
//!
//! ```text
//! bplist00  objects …  offsets …  trailer of 32 bytes: widths, number of objects, the top one, where the offsets begin
//! ```

use super::unicode;
use super::xml::{self, Element, Fault};

/// Deepest nesting that is read.
pub const DEEPEST: usize = 64;

/// Most values that are read of one list.
pub const MOST: usize = 100_000;

/// Most bytes of texts and data that one binary list may make.
const MOST_BYTES: usize = 16 << 20;

/// Length of the trailer.
const TRAILER: usize = 32;

/// A value and where it stands.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Its line, counted from 1; 0 in binary lists.
    pub line: u32,
}

/// A value.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Value {
    /// Keys and values, in their order; a key may come twice.
    Dict(Vec<(String, Node)>),
    /// Values.
    Array(Vec<Node>),
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// Bytes; those of XML are still in base64.
    Data(Vec<u8>),
    /// The number of an object, in archives of objects.
    Object(u64),
    /// A date, a number with a fraction, or what could not be read.
    #[default]
    Other,
}

/// A property list, as far as it could be read.
#[derive(Debug, Default)]
pub struct List {
    /// The top value.
    pub top: Node,
    /// Why not all of it could be read.
    pub fault: Option<Fault>,
}

impl Node {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.pairs().iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// Keys and values; none where it is no dictionary.
    #[must_use]
    pub fn pairs(&self) -> &[(String, Self)] {
        if let Value::Dict(pairs) = &self.value { pairs } else { &[] }
    }

    /// The members; none where it is no array.
    #[must_use]
    pub fn members(&self) -> &[Self] {
        if let Value::Array(members) = &self.value { members } else { &[] }
    }

    /// Its text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The text of a key.
    #[must_use]
    pub fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// The whole number of a key.
    #[must_use]
    pub fn number_of(&self, key: &str) -> Option<i64> {
        match self.get(key)?.value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The flag of a key. Numbers and `YES` are taken as the system takes them.
    #[must_use]
    pub fn flag_of(&self, key: &str) -> Option<bool> {
        match &self.get(key)?.value {
            Value::Flag(flag) => Some(*flag),
            Value::Number(number) => Some(*number != 0),
            Value::Text(text) => Some(matches!(text.to_ascii_lowercase().as_str(), "1" | "yes" | "true")),
            _ => None,
        }
    }
}

/// Whether it is the binary form.
#[must_use]
pub fn is_binary(bytes: &[u8]) -> bool {
    bytes.starts_with(b"bplist")
}

/// Reads a property list of either form.
#[must_use]
pub fn parse(bytes: &[u8]) -> List {
    if is_binary(bytes) {
        return parse_binary(bytes);
    }
    let document = xml::parse(bytes);
    List { top: of_element(&document.root), fault: document.fault }
}

/// The value that an element of XML stands for. What holds keys is a dictionary, whatever it is called.
fn of_element(element: &Element) -> Node {
    let text = || element.text.clone();
    let value = match element.name.as_str() {
        "string" => Value::Text(text()),
        "integer" => whole(element.text.trim()).map_or(Value::Other, Value::Number),
        "true" => Value::Flag(true),
        "false" => Value::Flag(false),
        "data" => Value::Data(element.text.clone().into_bytes()),
        "array" => Value::Array(element.children.iter().map(of_element).collect()),
        _ if element.child("key").is_some() => Value::Dict(pairs(&element.children)),
        "dict" => Value::Dict(Vec::new()),
        // The document and its `plist`, which hold one value.
        "" | "plist" => return element.children.first().map(of_element).unwrap_or_default(),
        _ => Value::Other,
    };
    Node { value, line: element.line }
}

fn whole(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

fn pairs(elements: &[Element]) -> Vec<(String, Node)> {
    let mut out = Vec::new();
    let mut key = None;
    for element in elements {
        if element.name == "key" {
            key = Some(element.text.trim().to_owned());
        } else if let Some(key) = key.take() {
            out.push((key, of_element(element)));
        }
    }
    out
}

/// Reads the binary form.
fn parse_binary(bytes: &[u8]) -> List {
    let Some(mut reader) = Binary::of(bytes) else {
        return List { fault: Some(Fault::malformed("its trailer is cut or wrong")), ..List::default() };
    };
    let top = reader.object(reader.top, 0);
    List { top, fault: reader.fault }
}

struct Binary<'a> {
    bytes: &'a [u8],
    offset_width: usize,
    number_width: usize,
    objects: u64,
    top: u64,
    table: usize,
    /// How many more values and bytes may be made.
    values: usize,
    room: usize,
    fault: Option<Fault>,
}

/// A number of up to eight bytes, the largest first.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte))
}

impl<'a> Binary<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let trailer = bytes.get(bytes.len().checked_sub(TRAILER)?..)?;
        let width =
            |at: usize| trailer.get(at).map(|width| usize::from(*width)).filter(|width| (1..=8).contains(width));
        let field = |at: usize| trailer.get(at..at + 8).map(number);
        Some(Self {
            bytes,
            offset_width: width(6)?,
            number_width: width(7)?,
            objects: field(8)?,
            top: field(16)?,
            table: usize::try_from(field(24)?).ok()?,
            values: MOST,
            room: MOST_BYTES,
            fault: None,
        })
    }

    fn fail(&mut self, why: Fault) -> Node {
        self.fault = self.fault.or(Some(why));
        Node::default()
    }

    fn object(&mut self, at: u64, depth: usize) -> Node {
        if depth > DEEPEST {
            return self.fail(Fault::too_large("it nests deeper than is read"));
        }
        if self.values == 0 || self.room == 0 {
            return self.fail(Fault::too_large("it holds more than is read"));
        }
        self.values -= 1;
        match self.read(at, depth) {
            Some(value) => Node { value, line: 0 },
            None => self.fail(Fault::malformed("an object lies outside of the list, or is cut")),
        }
    }

    fn read(&mut self, at: u64, depth: usize) -> Option<Value> {
        if at >= self.objects {
            return None;
        }
        let entry = usize::try_from(at).ok()?.checked_mul(self.offset_width)?.checked_add(self.table)?;
        let offset = usize::try_from(number(self.slice(entry, self.offset_width)?)).ok()?;
        let marker = *self.bytes.get(offset)?;
        let low = usize::from(marker & 15);
        Some(match marker >> 4 {
            0 => match marker {
                8 => Value::Flag(false),
                9 => Value::Flag(true),
                _ => Value::Other,
            },
            1 if low <= 3 => Value::Number(number(self.slice(offset + 1, 1 << low)?).cast_signed()),
            8 if low <= 7 => Value::Object(number(self.slice(offset + 1, low + 1)?)),
            4..=7 => self.bytes_of(marker >> 4, offset, low)?,
            10..=12 => {
                let (from, count) = self.length(offset, low)?;
                Value::Array(self.members(from, count, depth)?)
            }
            13 => self.dict(offset, low, depth)?,
            _ => Value::Other,
        })
    }

    /// Where the content of an object begins, and how long it is by its own account.
    fn length(&self, offset: usize, low: usize) -> Option<(usize, usize)> {
        if low < 15 {
            return Some((offset + 1, low));
        }
        let marker = *self.bytes.get(offset + 1)?;
        let width = 1_usize << (marker & 3);
        let count = (marker >> 4 == 1).then(|| self.slice(offset + 2, width)).flatten().map(number)?;
        Some((offset + 2 + width, usize::try_from(count).ok()?))
    }

    fn slice(&self, at: usize, length: usize) -> Option<&'a [u8]> {
        self.bytes.get(at..at.checked_add(length)?)
    }

    fn bytes_of(&mut self, kind: u8, offset: usize, low: usize) -> Option<Value> {
        let (from, count) = self.length(offset, low)?;
        let length = if kind == 6 { count.checked_mul(2)? } else { count };
        let part = self.slice(from, length)?;
        self.room = self.room.saturating_sub(length.max(1));
        Some(match kind {
            4 => Value::Data(part.to_vec()),
            6 => Value::Text(unicode::big_endian(part)),
            _ => Value::Text(String::from_utf8_lossy(part).into_owned()),
        })
    }

    /// The numbers of `count` objects. That many must be there, so a large number costs nothing.
    fn numbers(&self, from: usize, count: usize) -> Option<impl Iterator<Item = u64> + use<'a>> {
        let part = self.slice(from, count.checked_mul(self.number_width)?)?;
        Some(part.chunks_exact(self.number_width).map(number))
    }

    fn members(&mut self, from: usize, count: usize, depth: usize) -> Option<Vec<Node>> {
        let mut out = Vec::new();
        for at in self.numbers(from, count)? {
            if self.values == 0 || self.room == 0 {
                self.fail(Fault::too_large("it holds more than is read"));
                break;
            }
            out.push(self.object(at, depth + 1));
        }
        Some(out)
    }

    fn dict(&mut self, offset: usize, low: usize, depth: usize) -> Option<Value> {
        let (from, count) = self.length(offset, low)?;
        let keys = self.numbers(from, count)?;
        let values = self.numbers(from.checked_add(count.checked_mul(self.number_width)?)?, count)?;
        let mut out = Vec::new();
        for (key, value) in keys.zip(values) {
            if self.values == 0 || self.room == 0 {
                self.fail(Fault::too_large("it holds more than is read"));
                break;
            }
            if let Value::Text(key) = self.object(key, depth + 1).value {
                out.push((key, self.object(value, depth + 1)));
            }
        }
        Some(Value::Dict(out))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A binary list of objects that are given as bytes, the first on top.
    fn binary(objects: &[&[u8]]) -> Vec<u8> {
        let mut out = b"bplist00".to_vec();
        let mut offsets = Vec::new();
        for object in objects {
            offsets.extend(u16::try_from(out.len()).unwrap().to_be_bytes());
            out.extend_from_slice(object);
        }
        let table = out.len() as u64;
        out.extend(offsets);
        out.extend([0, 0, 0, 0, 0, 0, 2, 1]);
        out.extend((objects.len() as u64).to_be_bytes());
        out.extend(0_u64.to_be_bytes());
        out.extend(table.to_be_bytes());
        out
    }

    #[test]
    fn both_forms_say_the_same() {
        let text = "<?xml version='1.0'?>\n<plist><dict>\n<key>Label</key><string>a &amp; b</string>\n\
            <key>N</key><integer>300</integer><key>On</key><true/>\n<key>L</key><array><string>x</string></array></dict></plist>";
        let xml = parse(text.as_bytes());
        let made = binary(&[
            b"\xd4\x01\x02\x03\x04\x05\x06\x07\x08",
            b"\x55Label",
            b"\x51N",
            b"\x52On",
            b"\x51L",
            b"\x55a & b",
            b"\x11\x01\x2c",
            b"\x09",
            b"\xa1\x09",
            b"\x61\0x",
        ]);
        let binary = parse(&made);
        for list in [&xml, &binary] {
            assert_eq!(list.fault, None);
            assert_eq!(list.top.text_of("Label"), Some("a & b"));
            assert_eq!(list.top.number_of("N"), Some(300));
            assert_eq!(list.top.flag_of("On"), Some(true));
            assert_eq!(list.top.get("L").unwrap().members()[0].text(), Some("x"));
        }
        assert_eq!((xml.top.get("Label").unwrap().line, binary.top.get("Label").unwrap().line), (3, 0));
    }

    #[test]
    fn circles_and_bombs_end() {
        let why = |objects: &[&[u8]]| parse(&binary(objects)).fault.unwrap().what;
        assert!(why(&[b"\xa1\x00"]).contains("deeper"));
        assert!(why(&[b"\xa2\x00\x00"]).contains("more than is read") || why(&[b"\xa2\x00\x00"]).contains("deeper"));
        assert!(why(&[b"\xa1\x07"]).contains("outside"));
        assert!(why(&[b"\x5f\x13\xff\xff\xff\xff\xff\xff\xff\xff"]).contains("outside"));
        assert!(parse(b"bplist00").fault.is_some());
        let deep = format!("{}<string>x</string>", "<array>".repeat(10_000));
        assert!(parse(deep.as_bytes()).fault.is_some());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            let _any = parse(&bytes);
            let mut made = binary(&[&bytes]);
            let _any = parse(&made);
            made.truncate(bytes.len());
            let _any = parse(&made);
        }
    }
}
