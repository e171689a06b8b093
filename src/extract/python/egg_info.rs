//! The older forms of metadata (setuptools and distutils): a folder `NAME-VERSION[-pyX.Y].egg-info/` with PKG-INFO, a
//! plain file of that name that is PKG-INFO itself, `NAME.egg-info/` beside a source tree, and an unpacked egg
//! `NAME-VERSION-pyX.Y.egg/` with `EGG-INFO/PKG-INFO`.

use super::dist_info::strip_suffix;
use super::metadata::{self, Around, Told};
use super::site_dir;
use crate::extract::Extractor;
use crate::extract::input::Input;
use crate::model::coverage::GapReason;
use crate::model::distribution::MetadataForm;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, EntryKind, Interest, NamePattern};

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "egg-info",
        sentence: "The older metadata of distributions (NAME-VERSION.egg-info, unpacked eggs).",
        ask: Ask::Names(&[NamePattern::Suffix(".egg-info"), NamePattern::Suffix(".egg")]),
    },
    cap: metadata::HEADER_CAP,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    if input.candidate.name.to_ascii_lowercase().ends_with(b".egg") { egg(input) } else { egg_info(input) }
}

/// An unpacked egg: a folder that is itself on the import path. A zipped one is a file, and not read.
fn egg(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    let candidate = input.candidate;
    let Ok(metadata) = input.open_dir().and_then(|egg| egg.open_dir(b"EGG-INFO")) else { return harvest };
    let folder = metadata::parse_folder_name(strip_suffix(candidate.name, b".egg"));
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

fn egg_info(input: &Input<'_>) -> Harvest {
    let candidate = input.candidate;
    let folder = metadata::parse_folder_name(strip_suffix(candidate.name, b".egg-info"));
    if candidate.kind == EntryKind::Other {
        return Harvest::missed(input.gap(GapReason::NotRegular));
    }
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
