#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stderr,
    reason = "the writer of outputs and of messages: it creates the files that the user named, nothing else"
)]
//! Writing what the user asked for: standard output, or a file that appears whole or not at all.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;

use crate::error::Error;
use crate::report::sanitize;

/// Writes to standard output. A reader that closed the pipe has seen enough: that is no error.
///
/// # Errors
/// When standard output takes no more.
pub(super) fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
    let mut out = BufWriter::with_capacity(64 << 10, io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(why) if why.kind() != ErrorKind::BrokenPipe => {
            Err(Error::Output { path: "standard output".into(), why: why.to_string() })
        }
        _ => Ok(()),
    }
}

/// Writes a file through a temporary one beside it, so that nobody ever sees half a report.
///
/// # Errors
/// When the folder or the disk does not take it.
pub(super) fn to_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
    let failed = |why: io::Error| Error::Output { path: path.to_path_buf(), why: why.to_string() };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temporary = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let mut out = BufWriter::with_capacity(64 << 10, temporary);
    write(&mut out).map_err(failed)?;
    let temporary = out.into_inner().map_err(|why| failed(why.into_error()))?;
    temporary.persist(path).map_err(|why| failed(why.error))?;
    Ok(())
}

/// A message for the user, on standard error: one line, since it may quote a name that somebody else chose.
pub(super) fn complain(message: &str) {
    eprintln!("pysweep: {}", sanitize::line(message));
}

/// Shows a status line on standard error, or clears it.
pub(super) fn status(text: &str) {
    eprint!("\r\u{1b}[K{text}");
}
