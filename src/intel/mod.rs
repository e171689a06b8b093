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

/// The versions that a package indicator calls bad, in words.
#[must_use]
pub fn versions_words(one: &Indicator) -> String {
    match (one.all_versions, &one.specifier) {
        (true, _) => "every version".to_owned(),
        (false, Some(specifier)) => specifier.clone(),
        (false, None) => one.versions.join(", "),
    }
}
