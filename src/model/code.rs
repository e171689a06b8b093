//! What following a piece of Python code, without running it, says about it.

use serde::Serialize;

use super::startup::Feature;
use super::text::Excerpt;

/// When code runs, seen from the start of Python.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// At every start.
    #[default]
    Start,
    /// Only if this environment variable is set.
    IfSet(String),
    /// When something outside calls it, such as the import system or a handler of exceptions.
    Later,
}

/// Something that stands out, and the line that has it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Sign {
    /// What.
    pub feature: Feature,
    /// Counted from 1.
    pub line: u32,
    /// When it happens.
    pub when: When,
    /// The line, redacted.
    pub text: Excerpt,
}

/// Where something stands out, for whoever shows the line itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Spot {
    /// Counted from 1.
    pub line: u32,
    /// Bytes of the line before it.
    pub column: u32,
    /// What.
    pub feature: Feature,
    /// It stands in a text that is run as code there; so many bytes has that text.
    pub inside: Option<u32>,
}

/// A module that code imports.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Imported {
    /// Its dotted name from the top.
    pub module: String,
    /// The line that does it.
    pub line: u32,
    /// When.
    pub when: When,
    /// Whether the code provides for its being absent.
    pub is_optional: bool,
}

/// How a folder gets onto the import path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AddedBy {
    /// A line of a `.pth` that is a path: modules are found there, start-up files are not run.
    PathLine,
    /// `sys.path`: the same.
    SysPath,
    /// `site.addsitedir`: its start-up files run too.
    SiteDir,
}

/// A folder that code adds to the import path, as it is written there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Added {
    /// As written; what is not known of it is U+FFFC.
    pub folder: String,
    /// How.
    pub by: AddedBy,
    /// The line that does it.
    pub line: u32,
}

/// A piece of code, followed.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Code {
    /// What stands out.
    pub signs: Vec<Sign>,
    /// Where in their lines.
    pub spots: Vec<Spot>,
    /// What it imports.
    pub imports: Vec<Imported>,
    /// What it calls from outside, by dotted name, and when.
    pub calls: Vec<(String, When)>,
    /// Folders that it adds to the import path.
    pub folders: Vec<Added>,
}
