//! The report: everything the sweep knows, in the order of the contract (`pysweep.report/1`). Rows are borrowed from
//! the facts and written straight out, so a report needs no second copy in memory.

use std::collections::BTreeMap;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::autostart::Autostart;
use super::coverage::{CheckRow, CheckState, Counts, Gap, Skipped};
use super::distribution::Distribution;
use super::finding::{Finding, HookVerdict, Judgement};
use super::host::{Account, Host, Platform};
use super::id::Id;
use super::path::TargetPath;
use super::python::{Environment, Interpreter};
use super::startup::{HookKind, HookLine, Module, Ownership, StartupHook};
use super::time::Time;
use super::verdict::{Level, Verdict};

/// The schema of the JSON report.
pub const SCHEMA: &str = "pysweep.report/1";

/// One sweep, told.
#[derive(Serialize)]
pub struct Report<'a> {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// Who made this report.
    pub tool: Tool,
    /// Of what.
    pub host: &'a Host,
    /// When and how.
    pub sweep: Sweep,
    /// With which knowledge.
    pub packs: &'a [PackRow],
    /// The answer.
    pub verdict: &'a Verdict,
    /// The answer in numbers.
    pub summary: Summary,
    /// The target's accounts.
    pub accounts: &'a [Account],
    /// Its Python programs.
    pub interpreters: &'a [Interpreter],
    /// Its environments.
    pub environments: &'a [Environment],
    /// Their distributions.
    pub distributions: &'a [Distribution],
    /// What runs when Python starts.
    pub startup_hooks: Vec<HookRow<'a>>,
    /// What starts by itself.
    pub autostarts: &'a [Autostart],
    /// What runs. Not looked for by this version.
    pub processes: [(); 0],
    /// What talks. Not looked for by this version.
    pub connections: [(); 0],
    /// Dated signs of installs. Not looked for by this version.
    pub traces: [(); 0],
    /// Credential stores. Not looked for by this version.
    pub credentials: [(); 0],
    /// What the facts mean.
    pub findings: &'a [Finding],
    /// From when to when it mattered.
    pub exposures: &'a [Exposure],
    /// What to rotate. Not planned by this version.
    pub rotation: [(); 0],
    /// What happened when.
    pub timeline: &'a [TimelineRow],
    /// What was seen and what was missed.
    pub coverage: Coverage<'a>,
}

/// The program that made the report.
#[derive(Clone, Serialize)]
pub struct Tool {
    /// `pysweep`.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Target triple and profile.
    pub build: &'static str,
    /// Lower-case hex of the running binary; none where it could not be read.
    pub sha256: Option<String>,
}

/// One run.
#[derive(Clone, Serialize)]
pub struct Sweep {
    /// Names this run.
    pub id: Id,
    /// When it began.
    pub started: Time,
    /// When it ended.
    pub finished: Time,
    /// How long it took, by a clock that nobody sets.
    pub duration_ms: u64,
    /// Where the target's root lies on this host: the only place where a mount point appears.
    pub root: String,
    /// Whose layouts the target has.
    pub platform: Platform,
    /// Whether the target is the running host.
    pub live: bool,
    /// Who ran it.
    pub user: String,
    /// Whether with the rights of root.
    pub privileged: bool,
    /// The options that change what is seen or judged.
    pub options: BTreeMap<&'static str, String>,
    /// What pysweep took away from itself before it looked; `none` in this version.
    pub sandbox: &'static str,
}

/// One pack in use.
#[derive(Clone, Serialize)]
pub struct PackRow {
    /// Its id.
    pub id: String,
    /// The schema it was read by.
    pub version: &'static str,
    /// Its last change.
    pub modified: Time,
    /// How many indicators.
    pub indicators: usize,
    /// Lower-case hex of the file.
    pub sha256: String,
    /// The trusted key that signed it; null for one that is unsigned, and for those that are part of this program.
    pub signed_by: Option<String>,
    /// `built-in` or the file.
    pub origin: String,
}

/// Counts for a first look.
#[derive(Clone, Default, Serialize)]
pub struct Summary {
    /// Findings by level; those that are accepted apart.
    pub by_level: BTreeMap<&'static str, usize>,
    /// Distributions by state.
    pub by_state: BTreeMap<&'static str, usize>,
    /// Environments by kind.
    pub by_kind: BTreeMap<&'static str, usize>,
    /// Start-up hooks by judgement.
    pub by_judgement: BTreeMap<&'static str, usize>,
    /// What starts by itself, by kind.
    pub by_autostart: BTreeMap<&'static str, usize>,
}

impl Summary {
    /// Counts what there is; levels that have no finding are shown with zero.
    #[must_use]
    pub fn of(
        findings: &[Finding],
        distributions: &[Distribution],
        environments: &[Environment],
        hooks: &[HookVerdict],
        autostarts: &[Autostart],
    ) -> Self {
        let mut all = Self::default();
        for level in [Level::Compromised, Level::Suspicious, Level::Exposed] {
            let counts = |row: &&Finding| row.level == level && row.accepted.is_none();
            all.by_level.insert(level.name(), findings.iter().filter(counts).count());
        }
        all.by_level.insert("accepted", findings.iter().filter(|row| row.accepted.is_some()).count());
        for row in distributions {
            *all.by_state.entry(row.state.name()).or_default() += 1;
        }
        for row in environments {
            *all.by_kind.entry(row.kind).or_default() += 1;
        }
        for row in hooks {
            *all.by_judgement.entry(row.judgement.name()).or_default() += 1;
        }
        for row in autostarts {
            *all.by_autostart.entry(row.kind.name()).or_default() += 1;
        }
        all
    }
}

/// A start-up hook with its judgement.
#[derive(Serialize)]
pub struct HookRow<'a> {
    id: Id,
    #[serde(flatten)]
    path: &'a TargetPath,
    kind: HookKind,
    environment: Option<Id>,
    distribution: Option<Id>,
    ownership: Ownership,
    run_by: &'a [String],
    judgement: Judgement,
    reasons: &'a [String],
    sha256: Option<&'a str>,
    size: u64,
    modified: Option<Time>,
    lines: &'a [HookLine],
    modules: &'a [Module],
}

impl<'a> HookRow<'a> {
    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &'a TargetPath {
        self.path
    }

    /// Joins a fact and its judgement.
    #[must_use]
    pub fn of(hook: &'a StartupHook, verdict: &'a HookVerdict) -> Self {
        Self {
            id: hook.id,
            path: &hook.path,
            kind: hook.kind,
            environment: hook.environment,
            distribution: hook.distribution,
            ownership: hook.ownership,
            run_by: &hook.run_by,
            judgement: verdict.judgement,
            reasons: &verdict.reasons,
            sha256: hook.sha256.as_deref(),
            size: hook.size,
            modified: hook.modified,
            lines: &hook.lines,
            modules: &hook.modules,
        }
    }
}

/// From when to when an incident's code was within reach of whom.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Exposure {
    /// Stable id.
    pub id: Id,
    /// The pack.
    pub incident: String,
    /// Where.
    pub environment: Option<Id>,
    /// Whose.
    pub accounts: Vec<String>,
    /// The earliest evidence, else the beginning of the publication window.
    pub from: Option<Time>,
    /// Null while it is still there.
    pub until: Option<Time>,
    /// yes, likely, no-sign or unknown. This version does not look for signs of execution.
    pub ran: &'static str,
    /// Why, each a sentence.
    pub because: Vec<String>,
    /// Of a container layer: what of the host its containers are given. Else not worked out by this version.
    pub reach: Option<String>,
}

/// One dated event.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TimelineRow {
    /// When.
    pub at: Time,
    /// installed, modified or published.
    pub kind: &'static str,
    /// What, for people.
    pub what: String,
    /// Where; none for what happened elsewhere.
    pub path: Option<TargetPath>,
    /// The finding or pack it belongs to; `ref` in the report.
    pub reference: Option<String>,
}

impl Serialize for TimelineRow {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut row = to.serialize_map(None)?;
        row.serialize_entry("at", &self.at)?;
        row.serialize_entry("kind", self.kind)?;
        row.serialize_entry("what", &self.what)?;
        row.serialize_entry("path", &self.path.as_ref().map(TargetPath::to_text))?;
        if let Some(bytes) = self.path.as_ref().and_then(TargetPath::base64) {
            row.serialize_entry("path_base64", &bytes)?;
        }
        row.serialize_entry("ref", &self.reference)?;
        row.end()
    }
}

/// What was seen and what was missed.
#[derive(Serialize)]
pub struct Coverage<'a> {
    entries: u64,
    directories: u64,
    files_read: u64,
    bytes_read: u64,
    checks: &'a [CheckRow],
    gaps: &'a [Gap],
    skipped: &'a [Skipped],
}

impl<'a> Coverage<'a> {
    /// The section as the report writes it.
    #[must_use]
    pub fn of(counts: Counts, checks: &'a [CheckRow], gaps: &'a [Gap], skipped: &'a [Skipped]) -> Self {
        Self {
            entries: counts.entries,
            directories: counts.directories,
            files_read: counts.files_read,
            bytes_read: counts.bytes_read,
            checks,
            gaps,
            skipped,
        }
    }

    /// The counts in words.
    #[must_use]
    pub fn numbers(&self) -> String {
        format!(
            "{} entries in {} directories, {} files read ({} bytes)",
            self.entries, self.directories, self.files_read, self.bytes_read
        )
    }

    /// What was missed.
    #[must_use]
    pub fn gaps(&self) -> &'a [Gap] {
        self.gaps
    }

    /// What was left out on purpose.
    #[must_use]
    pub fn skipped(&self) -> &'a [Skipped] {
        self.skipped
    }

    /// The checks that this run does not have.
    pub fn off(&self) -> impl Iterator<Item = &'a CheckRow> + use<'a> {
        self.checks.iter().filter(|row| row.state == CheckState::Off)
    }
}
