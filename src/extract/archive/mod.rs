//! Distributions in archives, none of which is ever unpacked: wheels, archives of sources, zip archives that Python runs,
//! programs of PyInstaller, and, where the user asks for it, backups and saved images.
//!
//! Everything is read in memory, within bounds of count, ratio and size; what lies beyond a bound is a gap.

pub mod backup;
pub mod carchive;
pub mod held;
pub mod image;
pub mod inflated;
pub mod program;
pub mod pyinstaller;
pub mod sdist;
pub mod wheel;
pub mod zipapp;
pub mod zipped;

use crate::extract::format::part;
use crate::extract::input::Input;
use crate::model::coverage::{Gap, GapReason};
use crate::model::interest::{Candidate, EntryKind};
use crate::target::dir::{Dir, OpenFile};

/// From this size on, a file that is mostly a hole is not hashed.
const HOLE: u64 = 16 << 20;

/// Most bytes of METADATA that are looked at: its headers, which come first.
const HEADER_CAP: u64 = 64 << 10;

/// The SHA-256 of an archive, lower-case hex, or what kept it from being worked out. Nothing is lost by that but the hash:
/// the name says which distribution it is.
fn sha256(input: &Input<'_>, file: &OpenFile) -> Result<String, Gap> {
    if file.is_elsewhere {
        return Err(input.gap(GapReason::LinkElsewhere).because("its hash is not shown").harmless());
    }
    // Zeros that take no room are no archive, and many names may lead to the same of them.
    if file.stat.size > HOLE && file.stat.allocated < file.stat.size / 2 {
        return Err(input.gap(GapReason::TooLarge).because("it is mostly a hole; no hash is worked out").harmless());
    }
    part::sha256(&input.at_will(file)).map_err(|fault| input.gap(fault.reason).because(fault.says).harmless())
}

/// Whether a name ends in one of these, whatever the case.
fn ends_in(name: &[u8], ends: &[&str]) -> bool {
    ends.iter().any(|end| {
        let tail = name.len().checked_sub(end.len()).and_then(|at| name.get(at..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
    })
}

/// The name in a path of an archive.
fn file_name(member: &[u8]) -> &[u8] {
    member.rsplit(|byte| matches!(byte, b'/' | b'\\')).next().unwrap_or_default()
}

/// Whether a candidate is a link to a file that the same check is shown where it lies.
fn is_shown_elsewhere(candidate: &Candidate<'_, Dir>, is_asked_for: impl Fn(&[u8]) -> bool) -> bool {
    candidate.kind == EntryKind::Link && candidate.dir.read_link(candidate.name).is_ok_and(|leads| is_asked_for(&leads))
}
