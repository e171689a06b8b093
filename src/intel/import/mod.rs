//! Feeds in the formats of others, made into a pack: OSV, STIX 2.1, and the lists that scanners and vendors publish. What
//! cannot be used is named, line by line: an import that drops something in silence would blind a sweep.

use super::load::Fault;

pub mod bumblebee;
mod csv_text;
pub mod datadog;
pub mod gather;
pub mod hosts;
mod json;
pub mod loki;
mod loki_regex;
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
pub use things::sha256_text;

/// What reads a feed: its origin, its bytes, and where to.
pub type Reader = fn(&str, &[u8], &mut gather::Gather) -> Result<(), Fault>;

/// What makes a feed unreadable as a whole. The one place that makes faults of imports.
fn fault(origin: &str, place: Option<(usize, usize)>, why: impl Into<String>) -> Fault {
    let why = match place {
        Some((_, column)) => format!("column {column}: {}", why.into()),
        None => why.into(),
    };
    Fault { origin: origin.to_owned(), line: place.map(|(line, _)| line), why }
}
