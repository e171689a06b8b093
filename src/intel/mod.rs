//! What is known bad: packs as on disk, loaded strictly, indexed for look-ups.

pub mod import;
pub mod index;
pub mod lint;
pub mod load;
pub mod pack;
pub mod pack_check;
pub mod projects;
pub mod signature;
pub mod sought;
pub mod source;
pub mod stores;
pub mod table;
pub mod version;
pub mod watching;
pub mod write;

use pack::Indicator;

/// Most versions that are named in words.
const SHOWN: usize = 20;

/// The versions that a package indicator calls bad, in words.
#[must_use]
pub fn versions_words(one: &Indicator) -> String {
    match (one.all_versions, &one.specifier) {
        (true, _) => "every version".to_owned(),
        (false, Some(specifier)) => specifier.clone(),
        (false, None) => match one.versions.split_at_checked(SHOWN) {
            Some((first, rest)) if !rest.is_empty() => format!("{} and {} more", first.join(", "), rest.len()),
            _ => one.versions.join(", "),
        },
    }
}
