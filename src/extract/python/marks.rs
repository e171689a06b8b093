//! The files and folders that tools leave in the environments they make: `uv-receipt.toml`, `pipx_metadata.json`,
//! `.tox-info.json`. Which ones, and what they mean, is data (`iocs/places/python.json`); here only their presence counts.

use crate::extract::Extractor;
use crate::extract::input::Input;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Interest};

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "environment-marks",
        sentence: "Files by which tools mark the environments that they make.",
        ask: Ask::Marks,
    },
    cap: 0,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    harvest.facts.marks.push(input.candidate.path.clone());
    harvest
}
