//! Feeds in the formats of others, made into a pack: OSV, STIX 2.1, and the lists that scanners and vendors publish. What
//! cannot be used is named, line by line: an import that drops something in silence would blind a sweep.

mod archive;
pub mod bumblebee;
mod csv_text;
pub mod datadog;
pub mod gather;
pub mod hosts;
mod json;
pub mod loki;
mod loki_regex;
pub mod osv;
pub mod redhat;
pub mod report;
pub mod scan_supply_chain;
pub mod sniff;
pub mod stix;
mod stix_pattern;
mod stix_reduce;
#[cfg(test)]
mod testing;
mod text;
mod things;
mod toml_text;
mod values;

use gather::Gather;
use sniff::Format;
pub use things::sha256_text;

use crate::model::fault::Fault;

/// What reads a feed: its origin, its bytes, and where to.
pub type Reader = fn(&str, &[u8], &mut Gather) -> Result<(), Fault>;

/// Reads one file of a feed, whatever its format.
///
/// # Errors
/// When it is of no format that is known, or not what its beginning says.
pub fn read(origin: &str, bytes: &[u8], into: &mut Gather) -> Result<(), Fault> {
    match sniff::format_of(origin, bytes) {
        Some(format) => match format.reader() {
            Some(read) => read(origin, bytes, into),
            None => Err(Fault::of(origin, "it is a pack already: name it with --iocs")),
        },
        None => Err(unknown(origin, bytes)),
    }
}

/// Reads one of the many files of a folder that is imported, where a report names what could not be used: a record of OSV
/// that is broken is such a row, and the others still count.
///
/// # Errors
/// As for a single file, for every other format.
pub fn read_of_folder(origin: &str, bytes: &[u8], into: &mut Gather) -> Result<(), Fault> {
    match sniff::format_of(origin, bytes) {
        Some(Format::Osv) => osv::read_of_dump(origin, bytes, into),
        // In a dump, a file of records that is cut short or empty costs no other.
        None if origin.ends_with(".json") => osv::read_of_dump(origin, bytes, into),
        _ => return read(origin, bytes, into),
    }
    Ok(())
}

/// Why a file is of no format: where it is no JSON although it looks like it, that.
fn unknown(origin: &str, bytes: &[u8]) -> Fault {
    let is_json = bytes.trim_ascii_start().first().is_some_and(|byte| matches!(byte, b'{' | b'['));
    let broken = is_json.then(|| serde_json::from_slice::<serde::de::IgnoredAny>(bytes).err()).flatten();
    match broken {
        Some(why) => Fault::of_json(origin, &why),
        None => Fault::of(
            origin,
            "it is neither a pack nor a feed of a format that is known: OSV, STIX 2.1, the CSV of DataDog or Red Hat, catalogues of bumblebee, profiles of scan-supply-chain, Loki's lists with `hash` or `filename` in their names",
        ),
    }
}

/// What makes a feed unreadable as a whole.
fn fault(origin: &str, place: Option<(usize, usize)>, why: impl Into<String>) -> Fault {
    let fault = Fault::of(origin, why);
    match place {
        Some((line, column)) => fault.at(line, Some(column)),
        None => fault,
    }
}
