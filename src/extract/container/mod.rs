//! Stores of container engines at rest: which layer belongs to which image and container, by the engines' own metadata.
//! No engine is asked, and nothing is mounted.
//!
//! One file for each engine's form; `attribute` and `merged` come after the join, when the layers that hold a Python are
//! known. Metadata that is missing or broken costs the names of a layer, never what lies in it.

mod attribute;
mod brought;
mod chain;
pub mod containerd;
mod databases;
pub mod docker;
mod files;
mod merged;
pub mod oci;
mod pods;
mod shadow;
pub mod storage;

use crate::extract::{Extractor, Later};
use crate::model::facts::{Facts, Harvest};
use crate::model::interest::{Ask, EntryKind, Interest, NamePattern};
use crate::target::Target;

use super::input::Input;

/// The row. Lists of layers, images and containers are one file each: one of ten thousand containers has some 10 MB.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "containers",
        sentence: "Stores of Docker, containerd, Podman and CRI-O at rest: the images and containers that a layer belongs to.",
        ask: Ask::Names(&[
            NamePattern::Exact("layerdb"),
            NamePattern::Exact("config.v2.json"),
            NamePattern::Exact("overlay-layers"),
            NamePattern::Exact("vfs-layers"),
            NamePattern::Prefix("io.containerd.snapshotter.v1."),
        ]),
    },
    cap: 32 << 20,
    read,
};

/// The row of coverage.
pub const STAGE: Later = Later {
    id: "container-layers",
    sentence: "What lies in container layers, held against the layers above: whether an image or a container still shows it.",
};

fn read(input: &Input<'_>) -> Harvest {
    let name = input.candidate.name;
    match (name, input.candidate.kind) {
        (b"config.v2.json", EntryKind::File) => docker::read_container(input),
        (b"layerdb", EntryKind::Dir) => docker::read_store(input),
        (b"overlay-layers" | b"vfs-layers", EntryKind::Dir) => storage::read_store(input),
        (name, EntryKind::Dir) if name.starts_with(b"io.containerd.snapshotter") => containerd::read_store(input),
        _ => Harvest::default(),
    }
}

/// Names the layers that hold an environment, and marks what no known image or container shows any more.
#[must_use]
pub fn settle(target: &Target, facts: &mut Facts) -> Harvest {
    let mut harvest = Harvest::default();
    pods::collect(facts);
    let shown = merged::settle(facts, &mut harvest);
    attribute::settle(target, facts, &shown, &mut harvest);
    harvest
}
