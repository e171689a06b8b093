//! Readers without opinions, used by several artefacts.

pub mod bolt;
pub mod csv_row;
pub mod headers;
pub mod hive;
pub mod jsonc;
pub mod marshal;
pub mod msgpack;
pub mod names;
pub mod part;
pub mod placed;
pub mod plist;
pub mod read_at;
pub mod record;
pub mod shell_words;
pub mod tar;
pub mod texts;
pub mod toml;
pub mod unicode;
pub mod unit_lines;
pub mod xml;
pub mod yaml;
pub mod zip;

#[cfg(test)]
#[path = "../../../tests/support/bolt.rs"]
pub(crate) mod made_bolt;

#[cfg(test)]
#[path = "../../../tests/support/hive.rs"]
pub(crate) mod made_hive;
