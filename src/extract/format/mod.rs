//! Readers without opinions, used by several artefacts.

pub mod csv_row;
pub mod headers;
pub mod hive;
pub mod marshal;
pub mod names;
pub mod placed;
pub mod read_at;
pub mod record;
pub mod tar;
pub mod texts;
pub mod toml;
pub mod zip;

#[cfg(test)]
#[path = "../../../tests/support/hive.rs"]
pub(crate) mod made_hive;
