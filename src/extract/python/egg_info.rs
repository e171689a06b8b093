//! The older forms of metadata (setuptools and distutils): a folder `NAME-VERSION[-pyX.Y].egg-info/` with PKG-INFO, a
//! plain file of that name that is PKG-INFO itself, `NAME.egg-info/` beside a source tree, and an egg
//! `NAME-VERSION-pyX.Y.egg` with `EGG-INFO/PKG-INFO`, unpacked or a zip archive.

use std::ops::ControlFlow;

use super::dist_info::strip_suffix;
use super::metadata::{self, Around, Told};
use super::site_dir;
use crate::extract::Extractor;
use crate::extract::format::headers::{self, Headers};
use crate::extract::format::names;
use crate::extract::format::read_at::ReadAt;
use crate::extract::format::zip::{self, Fault};
use crate::extract::input::Input;
use crate::model::coverage::{Gap, GapReason};
use crate::model::distribution::{FolderSays, MetadataForm};
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, EntryKind, Interest, NamePattern};
use crate::target::dir::Dir;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "egg-info",
        sentence: "The older metadata of distributions (NAME-VERSION.egg-info, eggs).",
        ask: Ask::Names(&[NamePattern::Suffix(".egg-info"), NamePattern::Suffix(".egg")]),
    },
    cap: metadata::HEADER_CAP,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    if input.candidate.kind == EntryKind::Other {
        return Harvest::missed(input.gap(GapReason::NotRegular));
    }
    if input.candidate.name.to_ascii_lowercase().ends_with(b".egg") { egg(input) } else { egg_info(input) }
}

/// An egg is itself on the import path, as a folder or as an archive.
fn egg(input: &Input<'_>) -> Harvest {
    match input.open_dir() {
        Ok(dir) => egg_dir(input, &dir),
        Err(GapReason::NotRegular | GapReason::Missing | GapReason::Vanished) => egg_zip(input),
        Err(_) => Harvest::default(),
    }
}

fn egg_dir(input: &Input<'_>, egg: &Dir) -> Harvest {
    let mut harvest = Harvest::default();
    let candidate = input.candidate;
    let Ok(metadata) = egg.open_dir(b"EGG-INFO") else { return harvest };
    let folder = names::parse_folder_name(strip_suffix(candidate.name, b".egg"));
    let place = candidate.path.join(b"EGG-INFO");
    let told = metadata::read_headers(input, &metadata, &place, b"PKG-INFO");
    harvest.facts.site_dirs.extend(site_dir::holding(input.folder(), candidate.dir));
    harvest.gaps.extend(told.gap.map(|gap| metadata::settle(gap, &told.headers, &folder)));
    let changed = metadata.stat().map(|stat| stat.modified);
    let around = Around { path: candidate.path.clone(), form: MetadataForm::EggDir, changed };
    let mut found = metadata::distribution(around, &told.headers, folder);
    found.linked = told.linked;
    metadata::keep(input, found, &mut harvest);
    harvest
}

/// A zipped egg. Other things are called `.egg` as well: what is no archive, or has no metadata, is an egg only if it is
/// called one in full.
fn egg_zip(input: &Input<'_>) -> Harvest {
    let candidate = input.candidate;
    let stem = strip_suffix(candidate.name, b".egg");
    let is_named = names::is_egg_name(stem);
    let mut changed = None;
    let (headers, miss) = match input.open_candidate_to_judge() {
        Ok(file) => {
            changed = Some(file.stat.modified);
            pkg_info(&input.at_will(&file))
        }
        Err(why) if is_named => (Headers::default(), Some(Miss { why, says: None, hides: false })),
        Err(why) => return Harvest::missed(input.gap(why)),
    };
    if !is_named && miss.as_ref().is_some_and(Miss::is_no_egg) {
        return Harvest::default();
    }
    let folder = names::parse_folder_name(stem);
    let mut harvest = Harvest::default();
    harvest.facts.site_dirs.extend(site_dir::holding(input.folder(), candidate.dir));
    harvest.gaps.extend(miss.map(|miss| miss.gap(input, &headers, &folder)));
    let around = Around { path: candidate.path.clone(), form: MetadataForm::EggZip, changed };
    metadata::keep(input, metadata::distribution(around, &headers, folder), &mut harvest);
    harvest
}

/// Why the headers of a zipped egg are missing, incomplete or in doubt.
#[derive(PartialEq, Eq)]
struct Miss {
    why: GapReason,
    says: Option<&'static str>,
    /// Whether the archive may say otherwise in what was not read of it, even where the headers are complete.
    hides: bool,
}

impl From<Fault> for Miss {
    fn from(fault: Fault) -> Self {
        Self { why: fault.reason, says: Some(fault.says), hides: false }
    }
}

impl Miss {
    fn malformed(says: &'static str) -> Self {
        Self { why: GapReason::Malformed, says: Some(says), hides: false }
    }

    fn is_no_egg(&self) -> bool {
        self.why == GapReason::Missing || *self == Self::from(zip::NO_ARCHIVE)
    }

    fn gap(self, input: &Input<'_>, headers: &Headers, folder: &FolderSays) -> Gap {
        let is_complete = headers.name.is_some() && headers.version.is_some();
        let used = (!is_complete).then_some("the file's name was used");
        let says: Vec<&str> = self.says.into_iter().chain(used).collect();
        let gap = input.gap(self.why).because(says.join("; "));
        if self.hides { gap } else { metadata::settle(gap, headers, folder) }
    }
}

/// The headers of `EGG-INFO/PKG-INFO` in an archive: of the last of that name, as Python takes it.
fn pkg_info(file: &impl ReadAt) -> (Headers, Option<Miss>) {
    let mut last = None;
    let listed = zip::entries(file, |name, entry| {
        if name == b"EGG-INFO/PKG-INFO" {
            last = Some(*entry);
        }
        ControlFlow::Continue(())
    });
    let Some(entry) = last else {
        let lacks = Miss { why: GapReason::Missing, says: Some("it has no EGG-INFO/PKG-INFO"), hides: false };
        return (Headers::default(), Some(listed.map_or_else(Miss::from, |()| lacks)));
    };
    // Another entry of that name may stand in what was not read of the directory.
    let doubt = listed.err().map(|fault| Miss { hides: true, ..Miss::from(fault) });
    match zip::read_entry(file, &entry, metadata::HEADER_CAP) {
        Ok(content) => {
            let headers = headers::parse(&content.bytes, content.whole || content.fault.is_some());
            let miss = doubt.or_else(|| lacking(&headers, content.fault));
            (headers, miss)
        }
        Err(fault) => (Headers::default(), Some(doubt.unwrap_or_else(|| fault.into()))),
    }
}

/// What is missing from the headers, and why.
fn lacking(headers: &Headers, fault: Option<Fault>) -> Option<Miss> {
    if headers.name.is_some() && headers.version.is_some() {
        return None;
    }
    Some(match (fault, headers.fault) {
        (Some(fault), _) => fault.into(),
        (None, Some(says)) => Miss::malformed(says),
        (None, None) if headers.ended => Miss::malformed("its PKG-INFO does not name both a name and a version"),
        (None, None) => Miss {
            why: GapReason::TooLarge,
            says: Some("the headers of its PKG-INFO do not end within 1 MiB"),
            hides: false,
        },
    })
}

fn egg_info(input: &Input<'_>) -> Harvest {
    let candidate = input.candidate;
    let folder = names::parse_folder_name(strip_suffix(candidate.name, b".egg-info"));
    let mut harvest = Harvest::default();
    harvest.facts.site_dirs.extend(site_dir::holding(input.folder(), candidate.dir));
    let (form, told, changed) = match input.open_dir() {
        Ok(dir) => {
            let told = metadata::read_headers(input, &dir, &candidate.path, b"PKG-INFO");
            (MetadataForm::EggInfoDir, told, dir.stat().map(|stat| stat.modified))
        }
        Err(GapReason::NotRegular | GapReason::Missing | GapReason::Vanished) => {
            let told = metadata::read_headers(input, candidate.dir, &input.folder(), candidate.name);
            let changed = candidate.dir.stat_entry(candidate.name).ok().map(|stat| stat.modified);
            (MetadataForm::EggInfoFile, told, changed)
        }
        Err(why) => {
            let gap = input.gap(why).because("the folder's name was used");
            (MetadataForm::EggInfoDir, Told { gap: Some(gap), ..Told::default() }, None)
        }
    };
    harvest.gaps.extend(told.gap.map(|gap| metadata::settle(gap, &told.headers, &folder)));
    let around = Around { path: candidate.path.clone(), form, changed };
    let mut found = metadata::distribution(around, &told.headers, folder);
    found.linked = told.linked;
    metadata::keep(input, found, &mut harvest);
    harvest
}
