//! The JSON report, `pysweep.report/1`: one object, streamed, with a line end after it.

use std::io::{self, Write};

use crate::model::report::Report;

/// Writes the whole report.
///
/// # Errors
/// Those of the writer.
pub fn write(report: &Report<'_>, mut to: impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut to, report)?;
    to.write_all(b"\n")
}
