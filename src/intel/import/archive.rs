//! Zipped feeds: the dump of an ecosystem, or any zip of records. Read in memory, within bounds, and nothing is unpacked
//! to disk.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;

use super::gather::{At, Gather};
use super::osv;
use crate::model::fault::Fault;

/// Most entries of an archive.
const MOST: usize = 2_000_000;

/// Largest entry, in bytes; a record has some kilobytes.
const LARGEST: u64 = 16 << 20;

/// Most bytes of all entries together.
const ALTOGETHER: u64 = 4 << 30;

/// Reads every record of a zip.
///
/// # Errors
/// When it is no zip, or larger than anything honest. An entry that cannot be read is a row that cannot be used.
pub(super) fn read(origin: &str, bytes: &[u8], into: &mut Gather) -> Result<(), Fault> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|why| Fault::of(origin, format!("it is no zip that can be read ({why}): fetch it again")))?;
    if archive.len() > MOST {
        return Err(Fault::of(origin, format!("it has {} entries, more than the {MOST} that are read", archive.len())));
    }
    let mut left = ALTOGETHER;
    let mut content = Vec::new();
    for at in 0..archive.len() {
        let mut entry = match archive.by_index(at) {
            Ok(entry) => entry,
            Err(why) => {
                let place = format!("{origin}!entry {at}");
                into.record(None);
                into.unused(At { origin: &place, line: None, record: "" }, why.to_string());
                continue;
            }
        };
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        if entry.is_dir() {
            continue;
        }
        let place = format!("{origin}!{name}");
        if !name.to_ascii_lowercase().ends_with(".json") {
            into.unused(
                At { origin: &place, line: None, record: "" },
                "it is no .json: only records of OSV are read from a zip",
            );
            continue;
        }
        content.clear();
        let got = entry.by_ref().take(LARGEST.min(left) + 1).read_to_end(&mut content);
        let size = content.len() as u64;
        if size > left {
            return Err(Fault::of(origin, "its entries have more than 4 GiB together: it is no dump of records"));
        }
        left -= size;
        let at = At { origin: &place, line: None, record: "" };
        match got {
            Err(why) => {
                into.record(None);
                into.unused(at, format!("it cannot be unpacked ({why})"));
            }
            Ok(_) if size > LARGEST => {
                into.record(None);
                into.unused(at, "it is larger than 16 MiB, which no record is");
            }
            Ok(_) => osv::read_of_dump(&place, &content, into),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;
    use crate::intel::import::testing;

    const RECORD: &str =
        r#"{"id": "MAL-1", "affected": [{"package": {"ecosystem": "PyPI", "name": "evil"}, "versions": ["1"]}]}"#;

    fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            archive.start_file(*name, SimpleFileOptions::default()).unwrap();
            archive.write_all(content).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    fn read_all(bytes: &[u8]) -> (usize, Vec<String>) {
        let mut into = Gather::default();
        read("all.zip", bytes, &mut into).unwrap();
        let made = into.finish(&testing::label()).unwrap();
        (made.pack.packages.len(), made.notes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_entry_is_a_record_or_a_note() {
        let vast = vec![b' '; (LARGEST + 1) as usize];
        let inner = zipped(&[("a.json", RECORD.as_bytes())]);
        let files: [(&str, &[u8]); 6] = [
            ("../../etc/a.json", RECORD.as_bytes()),
            ("withdrawn/pypi/b.json", &RECORD.replace("evil", "good").into_bytes()),
            ("broken.json", b"{\"id\": "),
            ("vast.json", &vast),
            ("inner.zip", &inner),
            ("readme.txt", b"hello"),
        ];
        let (rows, notes) = read_all(&zipped(&files));
        assert_eq!((rows, notes.len()), (1, 5), "{notes:?}");
        for (name, why) in [
            ("b.json", "withdrawn"),
            ("broken.json", "ends too early"),
            ("vast.json", "larger than 16 MiB"),
            ("inner.zip", "no .json"),
            ("readme.txt", "no .json"),
        ] {
            assert!(notes.iter().any(|note| note.contains(name) && note.contains(why)), "{name}: {notes:?}");
        }
    }

    #[test]
    fn a_zip_that_is_cut_short_is_a_fault() {
        let whole = zipped(&[("a.json", RECORD.as_bytes())]);
        for end in [0, 4, whole.len() / 2, whole.len() - 1] {
            assert!(testing::fault(read, &whole[..end]).why.contains("no zip"), "{end}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(at in 0usize..200, byte: u8) {
            let mut bytes = zipped(&[("a.json", RECORD.as_bytes())]);
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            testing::survives(read, &bytes);
        }
    }
}
