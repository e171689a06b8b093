//! RECORD: which files a distribution owns, one CSV row `path,sha256=…,size` each (recording installed distributions
//! specification; PEP 376, PEP 627). Streamed; nothing that a row names is opened here.

use std::io::{BufRead, BufReader, Read};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::extract::format::csv_row;
use crate::model::id::hex;
use crate::model::python::OwnedHook;

/// Most bytes of one RECORD: hundreds of thousands of rows as installers write them.
pub const CAP: u64 = 64 << 20;

/// Longest row; the longest path that systems give is 4 KiB.
const LONGEST_ROW: u64 = 64 << 10;

/// Most start-up files of one distribution; honest ones have one or two.
const MOST_HOOKS: usize = 1000;

/// What the rows say.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Record {
    /// Start-up files at the top of the site directory.
    pub hooks: Vec<OwnedHook>,
    /// Rows in all.
    pub rows: u64,
    /// Rows with an absolute path: no installer writes them, and nothing follows them.
    pub absolute: u64,
    /// What made the rest unreadable.
    pub fault: Option<&'static str>,
}

/// Reads rows until the end, the cap of the stream, or the first row that is none.
pub fn parse(stream: impl Read) -> Record {
    let mut reader = BufReader::with_capacity(64 << 10, stream);
    let mut out = Record::default();
    let mut row = Vec::new();
    loop {
        row.clear();
        match (&mut reader).take(LONGEST_ROW).read_until(b'\n', &mut row) {
            Ok(0) => return out,
            Ok(_) if out.fault.is_some() => return out,
            Ok(_) => {}
            Err(_) => {
                out.fault = Some("the disk did not deliver all of it");
                return out;
            }
        }
        if row.contains(&0) || row.len() as u64 == LONGEST_ROW {
            out.fault = Some("a row is no text of a reasonable length; the rows after it were not read");
            return out;
        }
        out.take(row.trim_ascii());
    }
}

impl Record {
    fn take(&mut self, row: &[u8]) {
        if row.is_empty() {
            return;
        }
        self.rows += 1;
        // Most rows name something in a folder: only the first field's shape matters for them.
        let fields = csv_row::fields(row);
        let mut fields = fields.into_iter();
        let path = fields.next().unwrap_or_default();
        if path.starts_with(b"/") || path.starts_with(b"\\") || path.get(1) == Some(&b':') {
            self.absolute += 1;
            return;
        }
        let name = path.strip_prefix(b"./").unwrap_or(&path);
        if name.contains(&b'/') || name.contains(&b'\\') || !is_hook(name) {
            return;
        }
        if self.hooks.len() == MOST_HOOKS {
            self.fault = Some("it lists more start-up files than any honest one; the rows after them were not read");
            return;
        }
        let sha256 = fields.next().and_then(|hash| sha256_of(&hash));
        self.hooks.push(OwnedHook { name: name.to_vec(), sha256 });
    }
}

fn is_hook(name: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.ends_with(b".pth") || lower.ends_with(b".start")
}

/// `sha256=` and URL-safe base64 without padding → lower-case hex. Other algorithms give nothing to compare with.
fn sha256_of(field: &[u8]) -> Option<String> {
    let digest = field.strip_prefix(b"sha256=")?;
    let digest = URL_SAFE_NO_PAD.decode(digest.trim_ascii_end().strip_suffix(b"=").unwrap_or(digest)).ok()?;
    (digest.len() == 32).then(|| hex(&digest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn start_up_files_are_listed_with_their_hash_in_hex() {
        let text = "litellm/__init__.py,sha256=x,3\r\n\
            litellm_init.pth,sha256=ceNa7wMJnNHy1kRnNCcwJaFjWX3pORLfMh7xGL8TUjg,34628\n\
            ../../../bin/litellm,,\n\"a,b.pth\",,\nsub/inner.pth,,\n/etc/shadow,,\n";
        let out = parse(text.as_bytes());
        assert_eq!(out.rows, 6);
        assert_eq!(out.absolute, 1);
        let names: Vec<&[u8]> = out.hooks.iter().map(|hook| hook.name.as_slice()).collect();
        assert_eq!(names, [b"litellm_init.pth".as_slice(), b"a,b.pth"]);
        let hash = "71e35aef03099cd1f2d6446734273025a163597de93912df321ef118bf135238";
        assert_eq!(out.hooks[0].sha256.as_deref(), Some(hash));
    }

    #[test]
    fn zeros_without_end_stop_the_reader_at_once() {
        let out = parse([b"a.pth,,\n".as_slice(), &[0; 200_000]].concat().as_slice());
        assert_eq!(out.hooks.len(), 1);
        assert!(out.fault.is_some());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let out = parse(bytes.as_slice());
            prop_assert!(out.hooks.len() as u64 <= out.rows);
        }
    }
}
