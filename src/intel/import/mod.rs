//! Feeds in the formats of others, made into a pack: OSV, STIX 2.1, and the lists that scanners and vendors publish. What
//! cannot be used is named, line by line: an import that drops something in silence would blind a sweep.

mod archive;
pub mod gather;
pub mod hosts;
pub mod osv;
pub mod report;
mod things;

use gather::Gather;
pub use things::sha256_text;

use crate::model::fault::Fault;

/// Reads one of the many files of a folder: a record of OSV that is broken is a row that cannot be used, and the others
/// still count.
///
/// # Errors
/// As for a single file, for every other format.
pub fn read_of_folder(origin: &str, bytes: &[u8], into: &mut Gather) -> Result<(), Fault> {
    match bytes {
        [b'P', b'K', ..] => archive::read(origin, bytes, into),
        _ => {
            osv::read_of_dump(origin, bytes, into);
            Ok(())
        }
    }
}

/// Reads one file of a feed, whatever its format.
///
/// # Errors
/// When it is of no format that is known, or not what its beginning says.
pub fn read(origin: &str, bytes: &[u8], into: &mut Gather) -> Result<(), Fault> {
    match bytes {
        [b'P', b'K', ..] => archive::read(origin, bytes, into),
        _ => osv::read(origin, bytes, into),
    }
}
