//! What is known bad: packs as on disk, loaded strictly, indexed for look-ups.

pub mod index;
pub mod lint;
pub mod load;
pub mod pack;
pub mod pack_check;
pub mod sought;
pub mod version;
pub mod watching;
