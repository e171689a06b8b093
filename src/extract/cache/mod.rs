//! What package managers keep after a removal: downloads, wheels that were built, metadata that a resolver fetched. Each
//! tool's layout in a file of its own.
//!
//! What counts as downloaded is an archive or its unpacked content. Metadata alone was only considered; an index page lists
//! every version of a project and says nothing at all.

mod body;
pub mod conda;
pub mod pdm;
pub mod pip;
pub mod uv;

use std::io;

use crate::extract::format::read_at::ReadAt;
use crate::extract::input::Input;
use crate::model::coverage::GapReason;
use crate::model::path::TargetPath;
use crate::model::time::Time;
use crate::target::dir::OpenFile;

/// The candidate, opened, and when it was last changed: for a cache the time of the download.
struct Opened {
    file: OpenFile,
    modified: Time,
}

fn open(input: &Input<'_>) -> Result<Opened, GapReason> {
    let file = input.open_candidate()?;
    let modified = file.stat.modified;
    Ok(Opened { file, modified })
}

/// The folders above the candidate, the nearest first, as text.
fn folders(path: &TargetPath) -> Vec<String> {
    path.components().rev().skip(1).map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}

/// The first bytes of a file, at most as many as the buffer takes.
fn head<'b, F: ReadAt + ?Sized>(file: &F, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
    let got = file.read_at(0, buffer)?;
    Ok(buffer.get(..got).unwrap_or_default())
}
