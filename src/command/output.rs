#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
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

/// Writes a file through a temporary one beside it, so that nobody ever sees half a report. What is there and is no
/// regular file (a FIFO, `/dev/null`, a link to either) is written to as it is, never replaced.
///
/// # Errors
/// When the folder or the disk does not take it.
pub(super) fn to_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
    let failed = |why: io::Error| Error::Output { path: path.to_path_buf(), why: why.to_string() };
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    if std::fs::metadata(&real).is_ok_and(|there| !there.is_file()) {
        let file = std::fs::OpenOptions::new().write(true).open(&real).map_err(failed)?;
        let mut out = BufWriter::with_capacity(64 << 10, file);
        return write(&mut out).and_then(|()| out.flush()).map_err(failed);
    }
    let temporary = tempfile::NamedTempFile::new_in(folder(&real)).map_err(failed)?;
    let mut out = BufWriter::with_capacity(64 << 10, temporary);
    write(&mut out).map_err(failed)?;
    let temporary = out.into_inner().map_err(|why| failed(why.into_error()))?;
    temporary.persist(&real).map_err(|why| failed(why.error))?;
    Ok(())
}

/// Looks whether a file could be written, before a sweep is spent on it. Creates nothing.
///
/// # Errors
/// When its folder is not there, or the path is a folder.
pub(super) fn could_write(path: &Path) -> Result<(), Error> {
    let failed = |why: String| Err(Error::Output { path: path.to_path_buf(), why });
    match (std::fs::metadata(path), std::fs::metadata(folder(path))) {
        (Ok(there), _) if there.is_dir() => failed("it is a directory".to_owned()),
        (_, Err(why)) => failed(format!("its directory: {why}")),
        (_, Ok(above)) if !above.is_dir() => failed("its directory is none".to_owned()),
        _ => Ok(()),
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A message for the user, on standard error: one line, since it may quote a name that somebody else chose.
pub(super) fn complain(message: &str) {
    say(&format!("pysweep: {}\n", sanitize::line(message)));
}

/// Shows a status line on standard error, or clears it.
pub(super) fn status(text: &str) {
    say(&format!("\r\u{1b}[K{text}"));
}

/// Standard error may be closed or full: then nobody is there to hear, and the exit code still speaks.
fn say(text: &str) {
    let _unheard = io::stderr().write_all(text.as_bytes());
}
