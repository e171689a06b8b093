//! Archives of sources: `NAME-VERSION.tar.gz` and older forms (source distribution format). Such a name makes none of
//! what is called so, and hosts are full of archives: only those of packages that packs name are looked at.

use super::held;
use super::{HEADER_CAP, ends_in, file_name, is_shown_elsewhere, sha256};
use crate::extract::Extractor;
use crate::extract::format::names;
use crate::extract::input::Input;
use crate::model::coverage::GapReason;
use crate::model::distribution::{Basics, DistState, Distribution, MetadataForm, normalize_name};
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, EntryKind, Interest, NamePattern};

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "sdists",
        sentence: "Archives of sources (NAME-VERSION.tar.gz) of packages that packs name.",
        ask: Ask::FileNames(&[
            NamePattern::Suffix(".tar.gz"),
            NamePattern::Suffix(".tgz"),
            NamePattern::Suffix(".zip"),
            NamePattern::Suffix(".tar.bz2"),
            NamePattern::Suffix(".tar.xz"),
            NamePattern::Suffix(".tar"),
        ]),
    },
    cap: HEADER_CAP,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let candidate = input.candidate;
    let says = names::of_sdist(candidate.name);
    let Some(says) = says.filter(|says| input.watch.packages.contains(&normalize_name(&says.name))) else {
        return Harvest::default();
    };
    // conda's own packages are read as what they are.
    if input.folder().file_name().eq_ignore_ascii_case(b"pkgs") && ends_in(candidate.name, &[".tar.bz2"]) {
        return Harvest::default();
    }
    if is_shown_elsewhere(candidate, |leads| names::of_sdist(file_name(leads)).is_some()) {
        return Harvest::default();
    }
    if candidate.kind == EntryKind::Other {
        return Harvest::missed(input.gap(GapReason::NotRegular));
    }
    let mut harvest = Harvest::default();
    let mut found = Distribution::new(Basics {
        path: candidate.path.clone(),
        member: None,
        form: MetadataForm::Sdist,
        state: DistState::Embedded,
        name: &says.name,
        version: &says.version,
    });
    match input.open_candidate_to_judge() {
        Ok(file) if file.stat.size == 0 => {
            let gap = input.gap(GapReason::Malformed).because("it is empty: no archive").harmless();
            return Harvest::missed(gap);
        }
        Ok(file) => {
            found.installed_at = Some(file.stat.modified);
            found.linked = file.stat.linked();
            match sha256(input, &file) {
                Ok(hash) => found.hashes.push(hash),
                Err(gap) => harvest.gaps.push(gap),
            }
        }
        Err(why @ (GapReason::DanglingLink | GapReason::Missing | GapReason::Vanished)) => {
            return Harvest::missed(input.gap(why).because("there is no archive behind the name").harmless());
        }
        Err(why) => harvest.gaps.push(input.gap(why).because("the file's name was used").harmless()),
    }
    held::keep(input, found, &mut harvest);
    harvest
}
