//! Archives for hosts, made of lines `NAME KIND …`; what they mean is described in `mod.rs`.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::{escape, zip};

/// What is made of the lines.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A zip archive.
    Zip,
    /// A tar archive.
    Tar,
    /// The same with gzip.
    TarGz,
    /// A program of PyInstaller for Linux, whose loader is a few bytes.
    Frozen,
}

impl Form {
    /// By its name in a tree.
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "zip" => Some(Self::Zip),
            "tar" => Some(Self::Tar),
            "tar.gz" => Some(Self::TarGz),
            "frozen" => Some(Self::Frozen),
            _ => None,
        }
    }
}

/// A thing in an archive.
enum Content {
    Bytes(Vec<u8>),
    Zeros(u64),
    HardLink(Vec<u8>),
    Link(Vec<u8>),
}

/// Makes an archive; `planted` gives the content of other files of the host.
pub(crate) fn make(form: Form, lines: &str, planted: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let (mut front, mut entries) = (Vec::new(), Vec::new());
    for line in lines.lines() {
        if line.starts_with("#!") {
            front = format!("{line}\n").into_bytes();
            continue;
        }
        let (name, rest) = line.split_once(' ').unwrap_or_else(|| panic!("no entry: {line}"));
        entries.push((escape::percent(name), content(rest.trim_start(), &planted)));
    }
    match form {
        Form::Zip => zipped(&front, entries),
        Form::Tar => tar(entries),
        Form::TarGz => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&tar(entries)).unwrap();
            encoder.finish().unwrap()
        }
        Form::Frozen => frozen(entries),
    }
}

fn content(text: &str, planted: &impl Fn(&[u8]) -> Vec<u8>) -> Content {
    let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
    match kind {
        "metadata" => {
            let (name, version) = rest.split_once(' ').unwrap();
            let text = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nInert.\n");
            Content::Bytes(text.into_bytes())
        }
        "text" => Content::Bytes(format!("{rest}\n").into_bytes()),
        "zeros" => Content::Zeros(super::tree::bytes(rest)),
        "file" => Content::Bytes(planted(&escape::percent(rest.trim_start_matches('/')))),
        "hard-link" => Content::HardLink(escape::percent(rest)),
        "link" => Content::Link(escape::percent(rest)),
        _ => panic!("no kind of entry: {text}"),
    }
}

/// What is no link, as bytes.
fn plain(content: Content) -> Vec<u8> {
    match content {
        Content::Bytes(bytes) => bytes,
        Content::Zeros(size) => vec![0; usize::try_from(size).unwrap()],
        Content::HardLink(_) | Content::Link(_) => panic!("only tar has links"),
    }
}

fn zipped(front: &[u8], entries: Vec<(Vec<u8>, Content)>) -> Vec<u8> {
    let made = entries.into_iter().map(|(name, content)| match content {
        Content::Zeros(size) => zip::Entry::zeros(&name, size),
        other => {
            let stored = plain(other);
            let size = stored.len() as u64;
            zip::Entry { name, method: 0, stored, size }
        }
    });
    zip::whole(front, &made.collect::<Vec<_>>())
}

fn tar(entries: Vec<(Vec<u8>, Content)>) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, content) in entries {
        match content {
            Content::HardLink(target) => out.extend(tar_header(&name, 0, b'1', &target)),
            Content::Link(target) => out.extend(tar_header(&name, 0, b'2', &target)),
            other => {
                let bytes = plain(other);
                out.extend(tar_header(&name, bytes.len(), b'0', b""));
                out.extend_from_slice(&bytes);
                out.resize(out.len().next_multiple_of(512), 0);
            }
        }
    }
    out.resize(out.len() + 1024, 0);
    out
}

/// A header of GNU tar, behind one with the name where that is long.
fn tar_header(name: &[u8], size: usize, kind: u8, target: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    if name.len() > 100 {
        out.extend(tar_header(b"././@LongLink", name.len(), b'L', b""));
        out.extend_from_slice(name);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    let mut block = [0; 512];
    let name = &name[..name.len().min(100)];
    let target = &target[..target.len().min(100)];
    let size = format!("{size:011o}");
    for (at, field) in [(0, name), (100, b"0000644"), (124, size.as_bytes()), (157, target), (257, b"ustar  ")] {
        block[at..at + field.len()].copy_from_slice(field);
    }
    block[156] = kind;
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum::<u32>() + 8 * 32;
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block[155] = b' ';
    out.extend_from_slice(&block);
    out
}

/// A loader, contents, their table and the cookie, as PyInstaller 6 writes them; where the sections of a program follow,
/// zeros do. `PYZ` holds nothing but names of modules, given as text.
fn frozen(entries: Vec<(Vec<u8>, Content)>) -> Vec<u8> {
    let (mut package, mut table) = (Vec::new(), Vec::new());
    let long = |number: usize| u32::try_from(number).unwrap().to_be_bytes();
    for (name, content) in entries {
        let bytes = plain(content);
        let is_pyz = name == b"PYZ.pyz";
        let (stored, kind) = if is_pyz { (pyz(&bytes), b'z') } else { (packed(&bytes), b'x') };
        let row = [long(18 + name.len() + 1), long(package.len()), long(stored.len()), long(bytes.len())];
        table.extend([row.as_flattened(), &[u8::from(!is_pyz), kind], &name, b"\0"].concat());
        package.extend(stored);
    }
    let numbers = [package.len() + table.len() + 88, package.len(), table.len(), 311].map(long);
    [
        b"\x7fELF".as_slice(),
        &[0; 60],
        &package,
        &table,
        b"MEI\x0c\x0b\x0a\x0b\x0e",
        numbers.as_flattened(),
        &[0; 64],
        &[0; 2123],
    ]
    .concat()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An archive of modules whose names the text has, marshalled as Python 3 does.
fn pyz(text: &[u8]) -> Vec<u8> {
    let names: Vec<&[u8]> = text.split(u8::is_ascii_whitespace).filter(|name| !name.is_empty()).collect();
    let mut out = b"PYZ\0\xa7\x0d\x0d\x0a\0\0\0\x0c\xdb".to_vec();
    out.extend(u32::try_from(names.len()).unwrap().to_le_bytes());
    for name in names {
        let length = u8::try_from(name.len()).unwrap();
        out.extend([b")\x02\xfa", [length].as_slice(), name, b")\x03i\0\0\0\0i\x0c\0\0\0i\0\0\0\0"].concat());
    }
    out
}
