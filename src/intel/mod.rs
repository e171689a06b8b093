//! What is known bad: packs as on disk, loaded strictly, indexed for look-ups.

pub mod import;
pub mod index;
pub mod lint;
pub mod load;
pub mod pack;
pub mod pack_check;
pub mod projects;
pub mod sought;
pub mod table;
pub mod version;
pub mod watching;
