//! Programs in `bin` and `Scripts`: whatever they are called, they may be zip archives that Python runs, or programs of
//! PyInstaller. Folders of programs are large and nearly all of it is neither, so the first bytes decide.

use super::{HEADER_CAP, ends_in, is_shown_elsewhere, pyinstaller, zipapp};
use crate::extract::Extractor;
use crate::extract::format::read_at::ReadAt as _;
use crate::extract::format::zip;
use crate::extract::input::Input;
use crate::model::coverage::{Gap, GapReason};
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, EntryKind, Interest};
use crate::target::dir::OpenFile;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "programs",
        sentence: "Files in bin and Scripts that are zip archives for Python or programs of PyInstaller.",
        ask: Ask::Paths(&[&["bin/*", "Scripts/*"]]),
    },
    cap: HEADER_CAP,
    read,
};

/// What its first bytes say that a file may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Looks {
    /// A script, or an archive.
    Script,
    /// A program of Linux: sections follow what was added to it.
    Elf,
    /// A program of Windows or macOS.
    Other,
    /// Nothing of interest.
    Nothing,
}

/// What a file may be.
#[must_use]
pub fn looks(head: [u8; 4]) -> Looks {
    match head {
        [b'#', b'!', ..] | [b'P', b'K', ..] => Looks::Script,
        [0x7f, b'E', b'L', b'F'] => Looks::Elf,
        [b'M', b'Z', ..]
        | [0xca, 0xfe, 0xba, 0xbe]
        | [0xfe, 0xed, 0xfa, 0xce | 0xcf]
        | [0xce | 0xcf, 0xfa, 0xed, 0xfe] => Looks::Other,
        _ => Looks::Nothing,
    }
}

fn read(input: &Input<'_>) -> Harvest {
    let candidate = input.candidate;
    let folder = input.folder();
    let is_blind = input.target.root.platform().is_case_blind();
    let is_programs = is_blind || matches!(folder.file_name(), b"bin" | b"Scripts");
    // These have rows of their own.
    let is_asked_for = |name: &[u8]| ends_in(name, zipapp::ENDS) || ends_in(name, &[".exe"]);
    let is_shown = |leads: &[u8]| is_asked_for(leads) || leads_to_programs(leads);
    if !is_programs
        || matches!(candidate.kind, EntryKind::Dir | EntryKind::Other)
        || is_asked_for(candidate.name)
        || is_shown_elsewhere(candidate, is_shown)
    {
        return Harvest::default();
    }
    match input.open_candidate_to_judge() {
        Ok(file) => look(input, &file),
        // A link to a folder, to nothing, to a device: no program.
        Err(GapReason::NotRegular | GapReason::DanglingLink | GapReason::LinkLoop | GapReason::Vanished) => {
            Harvest::default()
        }
        Err(why) => {
            // Whose program it is decides whether it matters to an account.
            let owner_uid = candidate.dir.stat_entry(candidate.name).ok().map(|stat| stat.uid);
            Harvest::missed(Gap { owner_uid, ..input.gap(why) })
        }
    }
}

/// Whether a link leads to a file of a folder of programs, where it is looked at as well.
fn leads_to_programs(leads: &[u8]) -> bool {
    let mut parts = leads.rsplit(|byte| matches!(byte, b'/' | b'\\')).skip(1);
    parts.next().is_none_or(|folder| matches!(folder, b"bin" | b"Scripts" | b"."))
}

/// What a file holds, of whatever kind it is.
pub(super) fn look(input: &Input<'_>, file: &OpenFile) -> Harvest {
    let mut head = [0; 4];
    let at_will = input.at_will(file);
    if at_will.read_at(0, &mut head).is_err() {
        return Harvest::missed(input.gap(GapReason::Unreadable));
    }
    match looks(head) {
        // Scripts are many, and seldom longer than a block.
        Looks::Script if !zip::has_end(&at_will) => Harvest::default(),
        Looks::Script => zipapp::look(input, file),
        Looks::Elf => pyinstaller::look(input, file, pyinstaller::BEHIND_ELF),
        Looks::Other => pyinstaller::look(input, file, pyinstaller::BEHIND_OTHERS),
        Looks::Nothing => Harvest::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_programs_apart() {
        for (head, expected) in [
            (b"#!/u", Looks::Script),
            (b"PK\x03\x04", Looks::Script),
            (b"\x7fELF", Looks::Elf),
            (b"MZ\x90\x00", Looks::Other),
            (b"\xcf\xfa\xed\xfe", Looks::Other),
            (b"\0\0\0\0", Looks::Nothing),
            (b"impo", Looks::Nothing),
        ] {
            assert_eq!(looks(*head), expected, "{head:?}");
        }
    }

    #[test]
    fn links_between_programs_are_not_followed() {
        for (leads, expected) in [
            ("python3.11", true),
            ("/usr/bin/python3", true),
            ("../Scripts/x", true),
            ("/etc/alternatives/vi", false),
            ("../lib/tool", false),
        ] {
            assert_eq!(leads_to_programs(leads.as_bytes()), expected, "{leads}");
        }
    }
}
