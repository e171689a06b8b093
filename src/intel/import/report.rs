//! What an import says of the rows that it could not take as they are.

use std::fmt;

/// One thing worth a line.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Note {
    /// What became of the row.
    pub fate: Fate,
    /// The file.
    pub origin: String,
    /// The line, counted from 1, where it is known.
    pub line: Option<usize>,
    /// The record, package or value.
    pub what: String,
    /// Why.
    pub why: String,
}

/// What became of a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fate {
    /// Nothing of it is looked for.
    Unused,
    /// It counts for less than its feed says.
    Weakened,
    /// It says what another row says.
    Merged,
    /// It concerns another ecosystem, or was withdrawn: as it should be.
    Passed,
}

impl Fate {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unused => "unused",
            Self::Weakened => "weakened",
            Self::Merged => "merged",
            Self::Passed => "passed over",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.fate.name(), self.origin)?;
        if let Some(line) = self.line {
            write!(out, ", line {line}")?;
        }
        if !self.what.is_empty() {
            write!(out, ", {}", self.what)?;
        }
        write!(out, ": {}", self.why)
    }
}
