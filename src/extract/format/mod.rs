//! Readers without opinions, used by several artefacts.

pub mod csv_row;
pub mod headers;
pub mod read_at;
pub mod zip;
