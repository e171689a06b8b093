//! Lock and requirement files on a target: each pin is a row of the report, named and not installed.
//!
//! They are found by their names, wherever they lie: `uv.lock`, `poetry.lock`, `pdm.lock`, `Pipfile.lock`, `pylock.toml`,
//! `environment.yml`, `conda-lock.yml`, `conda-PLATFORM.lock`, `pixi.lock`, `requirements*.txt`, `requirements*.in`, `*requirements.txt`,
//! `constraints*.txt`, all `.txt` of a folder `requirements`, and `SCRIPT.py.lock`. Those in installed packages are test data
//! most of the time; they only name, and are read as well.

use super::format;
use super::rows::{self, Source};
use crate::extract::Extractor;
use crate::extract::input::{Input, listed};
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, EntryKind, Interest, NamePattern};
use crate::model::path::TargetPath;
use crate::target::dir::Dir;

/// The row. The largest known lock files have some ten megabytes.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "lock-files",
        sentence: "Packages that lock and requirement files name, with their versions and hashes: uv, poetry, pdm, pipenv, pip, conda, pixi.",
        ask: Ask::Names(&[
            NamePattern::Exact("uv.lock"),
            NamePattern::Exact("poetry.lock"),
            NamePattern::Exact("pdm.lock"),
            NamePattern::Exact("pipfile.lock"),
            NamePattern::Exact("pixi.lock"),
            NamePattern::Exact("environment.yml"),
            NamePattern::Exact("environment.yaml"),
            NamePattern::Exact("requirements"),
            NamePattern::Prefix("pylock."),
            NamePattern::Prefix("requirements"),
            NamePattern::Prefix("constraints"),
            NamePattern::Prefix("conda-"),
            NamePattern::Suffix("requirements.txt"),
            NamePattern::Suffix("conda-lock.yml"),
            NamePattern::Suffix(".py.lock"),
        ]),
    },
    cap: 64 << 20,
    read,
};

/// Most files of a folder `requirements`.
const MOST_FILES: usize = 1000;

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    let (name, folder) = (input.candidate.name, input.folder());
    match input.candidate.kind {
        EntryKind::Dir if name.eq_ignore_ascii_case(b"requirements") => read_folder(input, &mut harvest),
        EntryKind::File | EntryKind::Link if is_asked(name) => {
            read_file(input, input.candidate.dir, &folder, name, &mut harvest);
        }
        EntryKind::Other if is_asked(name) => harvest.gaps.push(input.gap(GapReason::NotRegular)),
        EntryKind::Dir | EntryKind::File | EntryKind::Link | EntryKind::Other => {}
    }
    harvest
}

/// Whether a file of this name is read wherever it lies.
fn is_asked(name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else { return false };
    let name = name.to_ascii_lowercase();
    let is_text = name.ends_with(".txt")
        && (name.starts_with("requirements") || name.starts_with("constraints") || name.ends_with("requirements.txt"));
    let is_plain = name.ends_with(".txt") || name.ends_with(".in") || name.ends_with(".py");
    let is_source = name.starts_with("requirements") && name.ends_with(".in");
    is_text || is_source || name.ends_with(".py.lock") || (!is_plain && format::by_name(&name).is_some())
}

fn read_folder(input: &Input<'_>, harvest: &mut Harvest) {
    let path = &input.candidate.path;
    let dir = match input.open_dir() {
        Ok(dir) => dir,
        Err(why) => return harvest.gaps.push(input.gap(why)),
    };
    let mut names = Vec::new();
    let listed = dir.list(|name, kind| {
        let is_text = name.len() > 4 && name.to_ascii_lowercase().ends_with(b".txt");
        // The others are asked for by their own names.
        if is_text && matches!(kind, EntryKind::File | EntryKind::Link) && !is_asked(name) {
            names.push(name.to_vec());
        }
    });
    harvest.gaps.extend(listed.err().map(|why| input.gap(why)));
    names.sort_unstable();
    if names.len() > MOST_FILES {
        let gap = input.gap(GapReason::TooLarge);
        harvest.gaps.push(gap.because(format!("it holds {} lists, {MOST_FILES} were read", names.len())));
        names.truncate(MOST_FILES);
    }
    for name in names {
        read_file(input, &dir, path, &name, harvest);
    }
}

fn read_file(input: &Input<'_>, dir: &Dir, folder: &TargetPath, name: &[u8], harvest: &mut Harvest) {
    let path = folder.join(name);
    let opened = match input.open_to_judge(dir, folder, name).map_err(listed) {
        Ok(opened) => opened,
        Err(why) => return harvest.gaps.push(input.gap_at(path, why)),
    };
    // Lines say something without those that follow; the other formats do not.
    let lower = name.to_ascii_lowercase();
    let is_lines = lower.ends_with(b".txt") || lower.ends_with(b".in");
    if opened.stat.size > input.cap && !is_lines {
        let gap = input.gap_at(path, GapReason::TooLarge);
        return harvest.gaps.push(gap.because("it is larger than any lock file, and was not read"));
    }
    match input.read_open(opened, input.cap) {
        Ok(content) => {
            let lock = format::read(&String::from_utf8_lossy(name), &content.bytes);
            let source = Source { check: EXTRACTOR.interest.id, path, content: &content, watch: input.watch };
            rows::add(&source, lock, harvest);
        }
        Err(why) => harvest.gaps.push(input.gap_at(path, why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_asked_for_by_their_names() {
        #[rustfmt::skip]
        let asked = [
            "uv.lock",
            "Pipfile.lock",
            "pylock.toml",
            "pylock.dev.toml",
            "environment.yaml",
            "conda-lock.yml",
            "dev.conda-lock.yml",
            "conda-linux-64.lock",
            "pixi.lock",
            "requirements.txt",
            "requirements.in",
            "requirements-dev.txt",
            "Requirements_dev.txt",
            "dev-requirements.txt",
            "test_requirements.txt",
            "constraints.txt",
            "constraints-3.12.txt",
            "tool.py.lock",
        ];
        for name in asked {
            assert!(is_asked(name.as_bytes()), "{name}");
        }
        for name in [
            "requirements.yml",
            "dev.in",
            "requirements.md",
            "base.txt",
            "x.py",
            "cargo.lock",
            "conda-4.8.json",
            "pylock",
            "requirements",
            "",
        ] {
            assert!(!is_asked(name.as_bytes()), "{name}");
        }
        assert!(!is_asked(b"requirements\xff.txt"), "told by no tool");
    }
}
