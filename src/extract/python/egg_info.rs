//! `.egg-info` in its three forms (setuptools and distutils): a folder `NAME-VERSION[-pyX.Y].egg-info/` with PKG-INFO,
//! a plain file of that name that is PKG-INFO itself, and `NAME.egg-info/` beside a source tree.

use super::dist_info::strip_suffix;
use super::metadata::{self, Around};
use super::site_dir;
use crate::extract::Extractor;
use crate::extract::format::headers::Headers;
use crate::extract::input::Input;
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, EntryKind, Interest, NamePattern};
use crate::model::python::MetadataForm;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "egg-info",
        sentence: "The older metadata folders and files of distributions (NAME-VERSION.egg-info).",
        ask: Ask::Names(&[NamePattern::Suffix(".egg-info")]),
    },
    cap: metadata::HEADER_CAP,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let candidate = input.candidate;
    let folder = metadata::parse_folder_name(strip_suffix(candidate.name, b".egg-info"));
    if folder.name.is_empty() || candidate.kind == EntryKind::Other {
        return Harvest::default();
    }
    let mut harvest = Harvest::default();
    harvest.facts.site_dirs.extend(site_dir::holding(input.folder(), candidate.dir));
    let (form, headers, gap, changed) = match input.open_dir() {
        Ok(dir) => {
            let (headers, gap) = metadata::read_headers(input, &dir, &candidate.path, b"PKG-INFO");
            (MetadataForm::EggInfoDir, headers, gap, dir.stat().map(|stat| stat.modified))
        }
        Err(GapReason::NotRegular | GapReason::Missing | GapReason::Vanished) => {
            let (headers, gap) = metadata::read_headers(input, candidate.dir, &input.folder(), candidate.name);
            let changed = candidate.dir.stat_entry(candidate.name).ok().map(|stat| stat.modified);
            (MetadataForm::EggInfoFile, headers, gap, changed)
        }
        Err(why) => {
            let gap = input.gap(why).because("the folder's name was used");
            (MetadataForm::EggInfoDir, Headers::default(), Some(gap), None)
        }
    };
    harvest.gaps.extend(gap.map(|gap| metadata::settle(gap, &headers, &folder)));
    let around = Around { path: candidate.path.clone(), form, changed };
    harvest.facts.distributions.push(metadata::distribution(around, &headers, folder));
    harvest
}
