//! RECORD: which files a distribution owns, one CSV row `path,sha256=…,size` each (recording installed distributions
//! specification; PEP 376, PEP 627). Streamed, one row at a time; nothing that a row names is opened here.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::extract::format::csv_row;

/// Most bytes of one RECORD: hundreds of thousands of rows as installers write them.
pub const CAP: u64 = 64 << 20;

/// Longest row; the longest path that systems give is 4 KiB.
const LONGEST_ROW: u64 = 64 << 10;

/// One row.
#[derive(PartialEq, Eq, Debug)]
pub struct Row<'a> {
    /// The file, as written: relative to the folder that holds the metadata folder.
    pub path: Cow<'a, [u8]>,
    /// What it should contain.
    pub hash: Hash,
    /// Its size in bytes, where the row says.
    pub size: Option<u64>,
    /// Counted from 1.
    pub line: u32,
}

/// What a row says of a file's content.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hash {
    /// Nothing, as for RECORD itself and for bytecode.
    None,
    /// Its SHA-256.
    Sha256([u8; 32]),
    /// A hash of another kind, or one that cannot be read.
    Other,
}

/// How reading ended.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct End {
    /// Rows in all.
    pub rows: u32,
    /// What made the rest unreadable.
    pub fault: Option<&'static str>,
}

/// Shows rows until the end, the cap of the stream, or the first row that is none.
pub fn rows(stream: impl Read, mut show: impl FnMut(Row<'_>)) -> End {
    let mut reader = BufReader::with_capacity(64 << 10, stream);
    let mut end = End::default();
    let mut text = Vec::new();
    loop {
        text.clear();
        match (&mut reader).take(LONGEST_ROW).read_until(b'\n', &mut text) {
            Ok(0) => return end,
            Ok(_) => {}
            Err(_) => {
                end.fault = Some("the disk did not deliver all of it");
                return end;
            }
        }
        if text.contains(&0) || text.len() as u64 == LONGEST_ROW {
            end.fault = Some("a row is no text of a reasonable length; the rows after it were not read");
            return end;
        }
        let line = text.trim_ascii();
        end.rows = end.rows.saturating_add(1);
        if !line.is_empty() {
            show(row(line, end.rows));
        }
    }
}

fn row(text: &[u8], line: u32) -> Row<'_> {
    // Quotes are rare: they only hold paths with commas or quotes.
    if text.contains(&b'"') {
        let mut fields = csv_row::fields(text).into_iter();
        let path = Cow::Owned(fields.next().unwrap_or_default());
        let hash = hash(&fields.next().unwrap_or_default());
        return Row { path, hash, size: fields.next().as_deref().and_then(size), line };
    }
    let mut fields = text.split(|byte| *byte == b',');
    let path = Cow::Borrowed(fields.next().unwrap_or_default());
    let hash = hash(fields.next().unwrap_or_default());
    Row { path, hash, size: fields.next().and_then(size), line }
}

/// `sha256=` and URL-safe base64 without padding.
fn hash(field: &[u8]) -> Hash {
    let field = field.trim_ascii();
    if field.is_empty() {
        return Hash::None;
    }
    let digest = field.strip_prefix(b"sha256=").map(|digest| digest.strip_suffix(b"=").unwrap_or(digest));
    let mut out = [0; 32];
    if let Some(sha256) = digest.and_then(hex) {
        return Hash::Sha256(sha256);
    }
    match digest.map(|digest| URL_SAFE_NO_PAD.decode_slice(digest, &mut out)) {
        Some(Ok(32)) => Hash::Sha256(out),
        _ => Hash::Other,
    }
}

/// The same in hex, as an early flit wrote it and Debian packages still have it.
fn hex(digest: &[u8]) -> Option<[u8; 32]> {
    let text = std::str::from_utf8(digest).ok().filter(|text| text.len() == 64 && text.is_ascii())?;
    let bytes = (0..32).map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok());
    bytes.collect::<Option<Vec<u8>>>()?.try_into().ok()
}

fn size(field: &[u8]) -> Option<u64> {
    std::str::from_utf8(field).ok()?.trim().parse().ok()
}

/// Where a row's path leads.
#[derive(PartialEq, Eq, Debug)]
pub enum Place<'a> {
    /// Into the folder that holds the metadata folder, or below it: its components.
    Inside(Vec<&'a [u8]>),
    /// Up from there by so many folders, then down: scripts in `bin`, data in `share`.
    Above(usize, Vec<&'a [u8]>),
    /// An absolute path: poetry writes them for the project itself, no other installer does.
    Absolute,
}

/// Whether a row's path begins at the root or at a drive.
#[must_use]
pub fn is_absolute(path: &[u8]) -> bool {
    matches!(path.first(), Some(b'/' | b'\\')) || path.get(1) == Some(&b':')
}

/// Takes a row's path apart. Windows tools wrote `\`.
#[must_use]
pub fn place(path: &[u8]) -> Place<'_> {
    if is_absolute(path) {
        return Place::Absolute;
    }
    let (mut up, mut down) = (0, Vec::new());
    for part in path.split(|byte| matches!(byte, b'/' | b'\\')) {
        match part {
            b"" | b"." => {}
            b".." => {
                if down.pop().is_none() {
                    up += 1;
                }
            }
            name => down.push(name),
        }
    }
    if up == 0 { Place::Inside(down) } else { Place::Above(up, down) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(text: &[u8]) -> (Vec<(String, Hash, Option<u64>)>, End) {
        let mut out = Vec::new();
        let end = rows(text, |row| out.push((String::from_utf8_lossy(&row.path).into_owned(), row.hash, row.size)));
        (out, end)
    }

    #[test]
    fn rows_have_a_path_a_hash_and_a_size() {
        let text = "litellm/__init__.py,sha512=x,3\r\n\
            litellm_init.pth,sha256=ceNa7wMJnNHy1kRnNCcwJaFjWX3pORLfMh7xGL8TUjg,34628\n\
            ../../../bin/litellm,,\n\"a,b.pth\",,\n\nx.py,sha256=short,1\n";
        let (found, end) = all(text.as_bytes());
        assert_eq!((end.rows, end.fault), (6, None));
        assert_eq!(found[0], ("litellm/__init__.py".to_owned(), Hash::Other, Some(3)));
        let Hash::Sha256(digest) = found[1].1 else { panic!("no hash") };
        assert_eq!(crate::model::id::hex(&digest), "71e35aef03099cd1f2d6446734273025a163597de93912df321ef118bf135238");
        assert_eq!(found[1].2, Some(34628));
        assert_eq!(found[2], ("../../../bin/litellm".to_owned(), Hash::None, None));
        assert_eq!(found[3].0, "a,b.pth");
        assert_eq!(found[4].1, Hash::Other);
        let (found, _) = all(format!("a.py,sha256={},300", "0a".repeat(32)).as_bytes());
        assert_eq!(found[0].1, Hash::Sha256([10; 32]));
    }

    #[test]
    fn paths_are_told_apart_by_where_they_lead() {
        assert_eq!(place(b"a/./b.py"), Place::Inside(vec![b"a", b"b.py"]));
        assert_eq!(place(b"a\\b.py"), Place::Inside(vec![b"a", b"b.py"]));
        assert_eq!(place(b"a/../b.pth"), Place::Inside(vec![b"b.pth"]));
        assert_eq!(place(b"../../../bin/x"), Place::Above(3, vec![b"bin", b"x"]));
        assert_eq!(place(b"a/../../x"), Place::Above(1, vec![b"x"]));
        for path in [b"/etc/shadow".as_slice(), b"\\x", b"C:\\x"] {
            assert_eq!(place(path), Place::Absolute);
        }
    }

    #[test]
    fn zeros_without_end_stop_the_reader_at_once() {
        let (found, end) = all(&[b"a.pth,,\n".as_slice(), &[0; 200_000]].concat());
        assert_eq!(found.len(), 1);
        assert!(end.fault.is_some());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let (found, end) = all(&bytes);
            prop_assert!(found.len() as u32 <= end.rows);
            for (path, ..) in found {
                if let Place::Inside(parts) = place(path.as_bytes()) {
                    prop_assert!(parts.iter().all(|part| !matches!(*part, b"" | b"." | b"..")));
                }
            }
        }

        #[test]
        fn a_row_reads_the_same_with_and_without_quotes(path in "[a-z/]{1,20}", size in 0u64..1000) {
            let plain = format!("{path},sha256=ceNa7wMJnNHy1kRnNCcwJaFjWX3pORLfMh7xGL8TUjg,{size}");
            let quoted = format!("\"{path}\",\"sha256=ceNa7wMJnNHy1kRnNCcwJaFjWX3pORLfMh7xGL8TUjg\",\"{size}\"");
            prop_assert_eq!(all(plain.as_bytes()), all(quoted.as_bytes()));
        }
    }
}
