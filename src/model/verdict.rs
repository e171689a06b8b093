//! The verdict: how bad, how much was seen, within which scope, and the exit code that says so.

use serde::{Deserialize, Serialize, Serializer};

/// What was found, from nothing to a known indicator that ran or would run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing of the others.
    None,
    /// A known-bad thing is named or stored, but nothing shows that it ran.
    Exposed,
    /// No known indicator, but something without an honest explanation.
    Suspicious,
    /// A known indicator in a form that ran or would run.
    Compromised,
}

impl Level {
    /// The word the report uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Exposed => "exposed",
            Self::Suspicious => "suspicious",
            Self::Compromised => "compromised",
        }
    }
}

/// Whether everything in scope was looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Completeness {
    /// No material gap.
    Complete,
    /// At least one material gap.
    Incomplete,
}

/// What the sweep set out to cover.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The whole running host, with the rights of root.
    Host,
    /// The running host as one account sees it.
    Account,
    /// A mounted image or container root (`--root`).
    Image,
    /// Only the paths that were named.
    Paths,
}

/// The program's exit codes. Nothing else in the crate decides one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExitCode {
    /// 0: nothing found, everything in scope was looked at.
    Clean,
    /// 1: a known indicator is present.
    Compromised,
    /// 2: could not run.
    Failed,
    /// 3: nothing found, but not everything could be looked at.
    Incomplete,
    /// 4: suspicious or exposed.
    Attention,
}

impl ExitCode {
    /// The number the process ends with.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Compromised => 1,
            Self::Failed => 2,
            Self::Incomplete => 3,
            Self::Attention => 4,
        }
    }

    /// The code for a sweep's level and coverage; the first that applies.
    #[must_use]
    pub fn of(level: Level, coverage: Completeness) -> Self {
        match (level, coverage) {
            (Level::Compromised, _) => Self::Compromised,
            (Level::Suspicious | Level::Exposed, _) => Self::Attention,
            (Level::None, Completeness::Incomplete) => Self::Incomplete,
            (Level::None, Completeness::Complete) => Self::Clean,
        }
    }
}

impl Serialize for ExitCode {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u8(self.number())
    }
}

/// The report's verdict.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// The worst finding's level.
    pub level: Level,
    /// Whether a material gap exists.
    pub coverage: Completeness,
    /// What the sweep set out to cover.
    pub scope: Scope,
    /// The exit code really returned, `--fail-on` and `--exit-zero` included; a number in the report.
    pub exit_code: ExitCode,
    /// One sentence with level, coverage, scope and the age of the packs.
    pub sentence: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worse_of_level_and_coverage_decides() {
        assert_eq!(ExitCode::of(Level::Compromised, Completeness::Incomplete).number(), 1);
        assert_eq!(ExitCode::of(Level::Exposed, Completeness::Incomplete).number(), 4);
        assert_eq!(ExitCode::of(Level::None, Completeness::Incomplete).number(), 3);
        assert_eq!(ExitCode::of(Level::None, Completeness::Complete).number(), 0);
    }
}
