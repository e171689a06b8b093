//! Zipped eggs with nothing in them but their metadata.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// The one entry that they have.
const NAME: &[u8] = b"EGG-INFO/PKG-INFO";

/// An egg of that name and version, not compressed.
pub(crate) fn egg(name: &str, version: &str) -> Vec<u8> {
    let content = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nInert.\n");
    archive(0, content.as_bytes(), content.len() as u64)
}

/// An egg whose metadata is `size` bytes of headers that name nothing, compressed to next to nothing.
pub(crate) fn nameless(size: u64) -> Vec<u8> {
    const LINE: &[u8] = b"X-Filler: and so on\n";
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    let mut left = usize::try_from(size).unwrap();
    while left > 0 {
        let line = &LINE[..left.min(LINE.len())];
        encoder.write_all(line).unwrap();
        left -= line.len();
    }
    archive(8, &encoder.finish().unwrap(), size)
}

/// An archive of one entry. Its checksum is left out: nothing here compares it.
fn archive(method: u16, stored: &[u8], size: u64) -> Vec<u8> {
    let short = |number: u16| number.to_le_bytes();
    let long = |number: u64| u32::try_from(number).unwrap().to_le_bytes();
    let name = short(u16::try_from(NAME.len()).unwrap());
    let about = [
        [short(20), short(0), short(method)].as_flattened(),
        &[0; 8],
        &long(stored.len() as u64),
        &long(size),
        &name,
        &short(0),
    ]
    .concat();
    let front = [b"PK\x03\x04", &*about, NAME, stored].concat();
    let row = [b"PK\x01\x02", short(20).as_slice(), &about, &[0; 14], NAME].concat();
    let lengths = [long(row.len() as u64), long(front.len() as u64)];
    let end = [b"PK\x05\x06", &[0; 4], short(1).as_slice(), &short(1), lengths.as_flattened(), &short(0)].concat();
    [front, row, end].concat()
}
