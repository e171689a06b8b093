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
