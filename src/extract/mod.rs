//! What it says. One artefact, one file: the row, the reader, the pure parser, the tests.
//!
//! | area | reads |
//! |---|---|
//! | [`python`] | environments, metadata, start-up files, bytecode |
//! | [`setting`] | variables that steer Python's start |
//! | [`cache`] | what package managers keep of downloads |
//! | [`archive`] | wheels, sources, zip applications, frozen programs, backups |
//! | [`lock`] | lock and requirement files, heads of scripts |
//! | [`container`] | stores of container engines |
//! | [`pipeline`] | pipelines and recipes of images |
//! | [`autostart`] | what starts by itself |
//! | [`known_file`] | files under names that packs watch |
//! | [`system_package`] | databases of the system's package managers |
//! | [`git`] | repositories: age, logs, workflows that are not checked out |
//! | [`runner`] | actions that runners fetched |
//! | [`kubernetes`] | pods by logs, kubelet and manifests |
//! | [`format`](mod@format) | formats that several of these need |
//! | [`link`] | joins all of it; [`startup`], [`verify`] and [`program_version`] look again after that |
//!
//! THE TABLE below is the register of checks: it feeds the walk, the coverage list, `plan`, `explain` and the tests.

pub mod archive;
pub mod autostart;
pub mod cache;
pub mod container;
pub mod format;
pub mod git;
pub mod input;
pub mod known_file;
pub mod kubernetes;
pub mod layout;
pub mod link;
pub mod lock;
pub mod pipeline;
pub mod program_version;
pub mod python;
pub mod runner;
pub mod setting;
pub mod startup;
pub mod system_package;
pub mod verify;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::model::coverage::{Gap, GapReason};
use crate::model::facts::Harvest;
use crate::model::interest::{Candidate, Interest};
use crate::model::watch::Watch;
use crate::target::Target;
use crate::target::dir::Dir;
use input::Input;

/// A check: a row, not an object. It has no state, so there is nothing to share, reset or synchronise.
pub struct Extractor {
    /// Its id, a sentence for people, and what it asks to be shown.
    pub interest: Interest,
    /// Most bytes of one file that it reads. Crossing it is a gap only if the answer could lie beyond.
    pub cap: u64,
    /// One candidate in, facts and gaps out.
    pub read: fn(&Input<'_>) -> Harvest,
}

/// Every check.
pub static EXTRACTORS: &[Extractor] = &[
    python::site_dir::EXTRACTOR,
    python::pyvenv::EXTRACTOR,
    python::marks::EXTRACTOR,
    python::stdlib::EXTRACTOR,
    python::embeddable::EXTRACTOR,
    python::kernel::EXTRACTOR,
    python::interpreter::EXTRACTOR,
    python::version_marks::EXTRACTOR,
    python::registered::EXTRACTOR,
    python::dist_info::EXTRACTOR,
    python::egg_info::EXTRACTOR,
    python::egg_link::EXTRACTOR,
    python::conda_meta::EXTRACTOR,
    python::bare_package::EXTRACTOR,
    python::pth::EXTRACTOR,
    python::customize::EXTRACTOR,
    setting::EXTRACTOR,
    autostart::systemd::EXTRACTOR,
    autostart::systemd::LINKS,
    autostart::environment::EXTRACTOR,
    autostart::cron::EXTRACTOR,
    autostart::script::EXTRACTOR,
    autostart::xdg::EXTRACTOR,
    autostart::preload::EXTRACTOR,
    autostart::udev::EXTRACTOR,
    autostart::pam::EXTRACTOR,
    autostart::ssh::EXTRACTOR,
    autostart::at::EXTRACTOR,
    autostart::event::EXTRACTOR,
    autostart::git::EXTRACTOR,
    autostart::launchd::EXTRACTOR,
    autostart::macos::EXTRACTOR,
    autostart::registry::EXTRACTOR,
    autostart::startup_folder::EXTRACTOR,
    autostart::startup_folder::PROFILES,
    autostart::tasks::EXTRACTOR,
    autostart::editors::EXTRACTOR,
    autostart::agents::EXTRACTOR,
    autostart::agents::INSTRUCTIONS,
    cache::pip::EXTRACTOR,
    cache::uv::EXTRACTOR,
    cache::pdm::EXTRACTOR,
    cache::conda::EXTRACTOR,
    archive::wheel::EXTRACTOR,
    archive::sdist::EXTRACTOR,
    archive::zipapp::EXTRACTOR,
    archive::pyinstaller::EXTRACTOR,
    archive::program::EXTRACTOR,
    archive::backup::EXTRACTOR,
    lock::sweep::EXTRACTOR,
    lock::scripts::EXTRACTOR,
    container::EXTRACTOR,
    pipeline::PIPELINES,
    pipeline::RECIPES,
    known_file::EXTRACTOR,
    system_package::EXTRACTOR,
    git::EXTRACTOR,
    runner::EXTRACTOR,
    kubernetes::EXTRACTOR,
];

/// A check that comes after the join, because it needs to know what belongs to what.
pub struct Later {
    /// Its id in `coverage.checks` and in gaps.
    pub id: &'static str,
    /// What it looks at, for people.
    pub sentence: &'static str,
}

/// Every check that comes after the join.
pub static LATER: &[Later] = &[
    container::STAGE,
    autostart::settle::STAGE,
    program_version::STAGE,
    startup::STAGE,
    verify::STAGE,
    startup::packages::STAGE,
    lock::scripts::STAGE,
];

/// The id and the sentence of every check.
pub fn checks() -> impl Iterator<Item = (&'static str, &'static str)> {
    let first = EXTRACTORS.iter().map(|row| (row.interest.id, row.interest.sentence));
    first.chain(LATER.iter().map(|row| (row.id, row.sentence)))
}

/// Runs the row that asked for this candidate. A crash in a reader costs one candidate, not the sweep.
#[must_use]
pub fn extract(target: &Target, watch: &Watch, candidate: &Candidate<'_, Dir>) -> Harvest {
    match EXTRACTORS.get(candidate.check) {
        Some(row) => guarded(row, target, watch, candidate),
        None => Harvest::default(),
    }
}

fn guarded(row: &Extractor, target: &Target, watch: &Watch, candidate: &Candidate<'_, Dir>) -> Harvest {
    let input = Input::new(row, target, watch, candidate);
    // Safe to go on after a crash: a reader shares nothing with others but what it borrows unchanged.
    match catch_unwind(AssertUnwindSafe(|| (row.read)(&input))) {
        Ok(mut harvest) => {
            harvest.counts.add(input.counts());
            harvest
        }
        Err(_) => Harvest::missed(Gap::new(row.interest.id, candidate.path.clone(), GapReason::Crashed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::host::Platform;
    use crate::model::interest::{Ask, EntryKind};
    use crate::model::path::TargetPath;

    #[test]
    fn a_reader_that_crashes_costs_one_candidate() {
        let dir = tempfile::tempdir().unwrap();
        let wanted = crate::target::Wanted {
            root: dir.path(),
            live: false,
            platform: Some(Platform::Linux),
            include_network: false,
        };
        let target = crate::target::open(&wanted).unwrap();
        let row = Extractor {
            interest: Interest { id: "broken", sentence: "", ask: Ask::Names(&[]) },
            cap: 0,
            read: |_| panic!("a bug in a reader"),
        };
        let candidate = Candidate {
            check: 0,
            dir: target.root.dir(),
            name: b"x",
            kind: EntryKind::File,
            path: TargetPath::new(b"/x"),
        };
        let harvest = guarded(&row, &target, &Watch::default(), &candidate);
        assert_eq!(harvest.gaps[0].reason, GapReason::Crashed);
        assert!(harvest.gaps[0].material);
    }

    #[test]
    fn check_ids_are_unique_and_explained() {
        let mut ids: Vec<&str> = checks().map(|(id, _)| id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), EXTRACTORS.len() + LATER.len());
        assert!(checks().all(|(_, sentence)| sentence.ends_with('.')));
    }
}
