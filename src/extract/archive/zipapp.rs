//! Zip archives that Python runs (PEP 441): those of `zipapp`, pex (`PEX-INFO`, wheels unpacked or as they are in `.deps`)
//! and shiv (`environment.json`, `site-packages`). Anything may stand in front of the archive, usually a `#!` line.

use super::zipped;
use super::{HEADER_CAP, ends_in, is_shown_elsewhere};
use crate::extract::Extractor;
use crate::extract::input::Input;
use crate::model::coverage::GapReason;
use crate::model::distribution::MetadataForm;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, EntryKind, Interest, NamePattern};
use crate::target::dir::OpenFile;

/// How their names end.
pub const ENDS: &[&str] = &[".pyz", ".pyzw", ".pex"];

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "zipapps",
        sentence: "Zip archives that Python runs (.pyz, .pyzw, .pex): zipapp, pex, shiv.",
        ask: Ask::FileNames(&[NamePattern::Suffix(".pyz"), NamePattern::Suffix(".pyzw"), NamePattern::Suffix(".pex")]),
    },
    cap: HEADER_CAP,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let candidate = input.candidate;
    if candidate.kind == EntryKind::Other {
        return Harvest::missed(input.gap(GapReason::NotRegular));
    }
    if is_shown_elsewhere(candidate, |leads| ends_in(leads, ENDS)) {
        return Harvest::default();
    }
    match input.open_candidate_to_judge() {
        Ok(file) => look(input, &file),
        Err(why) => Harvest::missed(input.gap(why)),
    }
}

/// What the archive `file` holds.
pub(super) fn look(input: &Input<'_>, file: &OpenFile) -> Harvest {
    zipped::held_by(input, file, MetadataForm::Zipapp)
}
