//! Stored reports that the user names.

use std::path::Path;

use crate::error::Error;
use crate::intel::source::{self, Source};
use crate::model::fault::Fault;
use crate::recheck::stored::Stored;

/// Reads a report to judge it again.
///
/// # Errors
/// When it cannot be read, or is no report.
pub(super) fn read(path: &Path) -> Result<Stored, Error> {
    read_as(path, Stored::parse)
}

/// Reads a report as `parse` understands it.
///
/// # Errors
/// When it cannot be read, or is no report.
pub(super) fn read_as<T>(path: &Path, parse: impl Fn(&str, &[u8]) -> Result<T, Fault>) -> Result<T, Error> {
    let origin = path.display().to_string();
    let fault = |why: String| Error::Input { path: path.to_path_buf(), why };
    let source = Source { path: path.to_path_buf(), origin: origin.clone(), is_of_folder: false };
    let bytes = source::read(&source).map_err(|found| fault(found.why))?;
    parse(&origin, &bytes).map_err(|found| {
        let place = found.place.map(|(line, column)| match column {
            Some(column) => format!("line {line}, column {column}: "),
            None => format!("line {line}: "),
        });
        fault(format!("{}{}", place.unwrap_or_default(), found.why))
    })
}
