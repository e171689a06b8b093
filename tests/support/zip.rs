//! Zip archives, and zipped eggs with nothing in them but their metadata.

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

/// An archive of one entry.
fn archive(method: u16, stored: &[u8], size: u64) -> Vec<u8> {
    let entry = Entry { name: NAME.to_vec(), method, stored: stored.to_vec(), size };
    whole(b"", &[entry])
}

/// An entry.
pub(crate) struct Entry {
    /// Its name.
    pub(crate) name: Vec<u8>,
    /// How it is compressed: 0 not at all, 8 deflate.
    pub(crate) method: u16,
    /// Its bytes in the archive.
    pub(crate) stored: Vec<u8>,
    /// How long its content is.
    pub(crate) size: u64,
}

impl Entry {
    /// One of so many zeros, compressed.
    pub(crate) fn zeros(name: &[u8], size: u64) -> Self {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        let part = vec![0; 1 << 20];
        let mut left = size;
        while left > 0 {
            let most = left.min(part.len() as u64);
            encoder.write_all(&part[..usize::try_from(most).unwrap()]).unwrap();
            left -= most;
        }
        Self { name: name.to_vec(), method: 8, stored: encoder.finish().unwrap(), size }
    }
}

/// An archive with these entries behind `front`. Checksums are left out: nothing here compares them.
pub(crate) fn whole(front: &[u8], entries: &[Entry]) -> Vec<u8> {
    let short = |number: u16| number.to_le_bytes();
    let long = |number: u64| u32::try_from(number).unwrap().to_le_bytes();
    let (mut out, mut rows) = (front.to_vec(), Vec::new());
    for entry in entries {
        let name = short(u16::try_from(entry.name.len()).unwrap());
        let about = [
            [short(20), short(0), short(entry.method)].as_flattened(),
            &[0; 8],
            &long(entry.stored.len() as u64),
            &long(entry.size),
            &name,
            &short(0),
        ]
        .concat();
        let at = long((out.len() - front.len()) as u64);
        rows.extend([b"PK\x01\x02", short(20).as_slice(), &about, &[0; 10], &at, &entry.name].concat());
        out.extend([b"PK\x03\x04", &*about, &entry.name, &entry.stored].concat());
    }
    let count = short(u16::try_from(entries.len()).unwrap());
    let lengths = [long(rows.len() as u64), long((out.len() - front.len()) as u64)];
    let end = [b"PK\x05\x06", &[0; 4], count.as_slice(), &count, lengths.as_flattened(), &short(0)].concat();
    [out, rows, end].concat()
}
