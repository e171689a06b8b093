//! Python's own artefacts on disk, one file each.

pub mod dist_info;
pub mod egg_info;
pub mod interpreter;
pub mod metadata;
pub mod pth;
pub mod pth_line;
pub mod pth_text;
pub mod pth_token;
pub mod pyvenv;
pub mod record;
pub mod registry;
pub mod site_dir;
