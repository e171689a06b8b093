//! What a stored report (`pysweep.report/1`) tells for a comparison: its rows as they were written, and how far its sweep
//! looked. What a later version adds is passed over; what an earlier one did not have is empty, and its checks say so.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::model::fault::Fault;
use crate::model::host::Platform;
use crate::model::path::TargetPath;
use crate::model::time::Time;
use crate::model::verdict::{Completeness, Level, Scope};
use crate::recheck::stored;

/// A stored report, as far as it can be compared.
#[derive(Debug, Deserialize)]
pub struct Told {
    /// Of which host.
    pub host: ToldHost,
    /// When and how.
    pub sweep: ToldSweep,
    /// With which packs.
    pub packs: Vec<stored::StoredPack>,
    /// The answer.
    pub verdict: ToldVerdict,
    #[serde(default)]
    pub(super) accounts: Vec<ToldAccount>,
    #[serde(default)]
    pub(super) interpreters: Vec<ToldInterpreter>,
    #[serde(default)]
    pub(super) environments: Vec<ToldEnvironment>,
    #[serde(default)]
    pub(super) distributions: Vec<ToldDistribution>,
    #[serde(default)]
    pub(super) startup_hooks: Vec<ToldHook>,
    #[serde(default)]
    pub(super) autostarts: Vec<ToldAutostart>,
    pub(super) findings: Vec<ToldFinding>,
    pub(super) coverage: ToldCoverage,
}

/// The host.
#[derive(Debug, Deserialize)]
pub struct ToldHost {
    /// Its name.
    pub name: String,
    /// Its system.
    pub os: Platform,
    /// What tells it from others, where it could be read.
    #[serde(default)]
    pub machine_id: Option<String>,
}

/// The run.
#[derive(Debug, Deserialize)]
pub struct ToldSweep {
    /// Names it.
    pub id: String,
    /// When it began.
    pub started: Time,
    /// Where the root lay.
    #[serde(default)]
    pub root: String,
    /// Whether that was the running host.
    #[serde(default)]
    pub live: bool,
    /// Who ran it.
    #[serde(default)]
    pub user: String,
    #[serde(default)]
    pub(super) options: BTreeMap<String, String>,
}

/// The answer.
#[derive(Debug, Deserialize)]
pub struct ToldVerdict {
    /// The level.
    pub level: Level,
    /// Whether everything was looked at.
    pub coverage: Completeness,
    /// What the sweep set out to cover.
    pub scope: Scope,
    /// The same in words.
    #[serde(default)]
    pub sentence: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ToldAccount {
    pub(super) name: String,
    pub(super) uid: Option<u32>,
    #[serde(default)]
    pub(super) groups: Vec<String>,
    pub(super) home: String,
    pub(super) shell: Option<String>,
    #[serde(default)]
    pub(super) privileged: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct ToldInterpreter {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) path: TargetPath,
    pub(super) version: Option<String>,
    pub(super) real_path: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ToldEnvironment {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) path: TargetPath,
    pub(super) kind: String,
    pub(super) python_version: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ToldDistribution {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) path: TargetPath,
    pub(super) environment: Option<String>,
    pub(super) name: String,
    pub(super) normalized: String,
    pub(super) version: String,
    pub(super) state: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ToldHook {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) path: TargetPath,
    pub(super) kind: String,
    #[serde(default)]
    pub(super) judgement: String,
    pub(super) sha256: Option<String>,
    #[serde(default)]
    pub(super) size: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct ToldAutostart {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) path: TargetPath,
    pub(super) kind: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) line: Option<u32>,
    pub(super) runs_as: Option<String>,
    pub(super) runs: Option<String>,
    pub(super) trigger: Option<String>,
    pub(super) enabled: Option<bool>,
    pub(super) modified: Option<String>,
    pub(super) size: Option<u64>,
    #[serde(default)]
    pub(super) programs: Vec<ToldStarted>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ToldStarted {
    #[serde(flatten)]
    pub(super) path: TargetPath,
    #[serde(default)]
    pub(super) present: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ToldFinding {
    pub(super) id: String,
    pub(super) rule: String,
    pub(super) incident: Option<String>,
    pub(super) level: Level,
    pub(super) title: String,
    pub(super) stage: String,
    pub(super) subject: ToldSubject,
    #[serde(default)]
    pub(super) evidence: Vec<ToldEvidence>,
    #[serde(default)]
    pub(super) accepted: Value,
}

#[derive(Debug, Deserialize)]
pub(super) struct ToldSubject {
    #[serde(default)]
    pub(super) kind: String,
    #[serde(flatten)]
    pub(super) path: TargetPath,
    #[serde(default)]
    pub(super) name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ToldEvidence {
    #[serde(flatten)]
    pub(super) path: TargetPath,
    #[serde(default)]
    pub(super) line: Option<u32>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ToldCoverage {
    #[serde(default)]
    pub(super) checks: Vec<ToldCheck>,
    pub(super) gaps: Vec<ToldGap>,
    #[serde(default)]
    pub(super) skipped: Vec<ToldSkipped>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ToldCheck {
    pub(super) id: String,
    pub(super) state: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ToldGap {
    #[serde(flatten)]
    pub(super) path: TargetPath,
    #[serde(default)]
    pub(super) check: String,
    /// Why, and whether something could hide there.
    #[serde(flatten)]
    pub(super) miss: stored::StoredGap,
}

#[derive(Debug, Deserialize)]
pub(super) struct ToldSkipped {
    #[serde(flatten)]
    pub(super) path: TargetPath,
    #[serde(default)]
    pub(super) why: String,
}

impl Told {
    /// Reads a report.
    ///
    /// # Errors
    /// When it is none, is cut short, or is of another schema.
    pub fn parse(origin: &str, bytes: &[u8]) -> Result<Self, Fault> {
        stored::parse(origin, bytes)
    }

    /// The level: what its verdict says, and no less than its findings that nobody accepted.
    #[must_use]
    pub fn level(&self) -> Level {
        let counted = self.findings.iter().filter(|one| one.accepted.is_null()).map(|one| one.level);
        counted.max().unwrap_or(Level::None).max(self.verdict.level)
    }

    /// Whether everything was looked at: what its verdict says, unless its gaps say otherwise.
    #[must_use]
    pub fn coverage(&self) -> Completeness {
        match self.coverage.gaps.iter().any(|gap| gap.miss.is_material()) {
            true => Completeness::Incomplete,
            false => self.verdict.coverage,
        }
    }

    /// The last change of its newest pack.
    #[must_use]
    pub fn newest_pack(&self) -> Option<Time> {
        self.packs.iter().map(|one| one.modified).max()
    }
}
