//! Python's own artefacts on disk, one file each.

pub mod bare_package;
pub mod bytecode;
pub mod conda_meta;
pub mod dist_info;
pub mod egg_info;
pub mod egg_link;
pub mod embeddable;
pub mod interpreter;
pub mod kernel;
pub mod marks;
pub mod metadata;
pub mod pth;
pub mod pth_line;
pub mod pth_text;
pub mod pth_token;
pub mod pyvenv;
pub mod record;
pub mod record_facts;
pub mod registered;
pub mod registry;
pub mod site_dir;
pub mod stdlib;
pub mod version_marks;
