//! Lines that install packages: in pipelines and recipes of images, and what they name.

use super::path::TargetPath;
use super::text::Excerpt;
use super::time::Time;

/// One thing that one line of a file has installed whenever that is run.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Install {
    /// The file.
    pub path: TargetPath,
    /// The line, counted from 1.
    pub line: u32,
    /// What kind of line it is.
    pub said_by: SaidBy,
    /// The file's last change.
    pub modified: Option<Time>,
    /// What is installed.
    pub wants: Wanted,
    /// The line itself, redacted.
    pub excerpt: Excerpt,
}

/// What a line has installed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Wanted {
    /// A package.
    Package {
        /// By PEP 503.
        normalized: String,
        /// Which versions will do, as PEP 440 writes it; empty for any.
        specifier: String,
    },
    /// What a requirements file names.
    File(TargetPath),
}

/// What kind of line has something installed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum SaidBy {
    /// A command of a pipeline or a recipe: whenever that is run.
    Command,
    /// A row of a requirements file: when a command names the file.
    Requirement,
}
