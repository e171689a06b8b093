//! Findings: facts that mean something, and how sure that is.

use serde::{Deserialize, Serialize};

use super::id::Id;
use super::path::TargetPath;
use super::text::Excerpt;
use super::time::Time;
use super::verdict::Level;

/// How bad it is for the one who must act.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For the record.
    Info,
    /// A doubtful lead.
    Low,
    /// A lead.
    Medium,
    /// Look today.
    High,
    /// Act now.
    Critical,
}

/// How sure the indicator's sources make us.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// No independent source.
    Possible,
    /// One good source.
    Probable,
    /// Two or more independent ones.
    Confirmed,
}

impl Confidence {
    /// The word the report uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Probable => "probable",
            Self::Confirmed => "confirmed",
        }
    }
}

/// In which form the thing is present.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// A distribution where an interpreter imports from.
    Installed,
    /// Linked from a source tree.
    Editable,
    /// In a cache.
    Cached,
    /// In an archive.
    Embedded,
    /// In a lock file.
    Pinned,
    /// Left over from a removal.
    Leftover,
    /// Put there by a payload.
    Dropped,
    /// Shown to have run.
    Executed,
    /// Runs again by itself.
    Persisted,
    /// Runs now.
    Running,
    /// Only named.
    Referenced,
}

impl Stage {
    /// How far it is from code that ran, 0 the nearest: what runs or would run, what is left of that, what was downloaded,
    /// what is only named.
    #[must_use]
    pub fn distance(self) -> u8 {
        match self {
            Self::Running | Self::Executed | Self::Persisted | Self::Dropped | Self::Installed | Self::Editable => 0,
            Self::Leftover => 1,
            Self::Cached | Self::Embedded => 2,
            Self::Pinned | Self::Referenced => 3,
        }
    }
}

/// What a finding is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Subject {
    /// distribution, startup-hook or file.
    pub kind: &'static str,
    /// Where.
    #[serde(flatten)]
    pub path: TargetPath,
    /// A distribution's or file's name.
    pub name: Option<String>,
    /// A distribution's version.
    pub version: Option<String>,
}

/// One thing on disk that supports a finding.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Evidence {
    /// metadata, hook-line, file.
    pub kind: &'static str,
    /// Where.
    #[serde(flatten)]
    pub path: TargetPath,
    /// The line, counted from 1.
    pub line: Option<u32>,
    /// Lower-case hex.
    pub sha256: Option<String>,
    /// Bytes.
    pub size: Option<u64>,
    /// Last modification.
    pub modified: Option<Time>,
    /// Text from there, redacted.
    pub excerpt: Option<Excerpt>,
}

impl Evidence {
    /// Evidence that is just a place.
    #[must_use]
    pub fn at(kind: &'static str, path: TargetPath) -> Self {
        Self { kind, path, line: None, sha256: None, size: None, modified: None, excerpt: None }
    }
}

/// What the user wrote about a finding that is known and stays.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Accepted {
    /// Why it stays.
    pub reason: String,
    /// Until when it is accepted.
    pub until: Time,
}

/// One judged thing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// Stable id.
    pub id: Id,
    /// The rule that found it.
    pub rule: &'static str,
    /// The pack, where an indicator matched.
    pub incident: Option<String>,
    /// The indicator that says the most.
    pub indicator: Option<String>,
    /// Every indicator of the pack that fits, sorted.
    pub indicators: Vec<String>,
    /// What it means for the verdict.
    pub level: Level,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// One line for people.
    pub title: String,
    /// In which form.
    pub stage: Stage,
    /// What it is about.
    pub subject: Subject,
    /// Where it lives.
    pub environment: Option<Id>,
    /// Whose.
    pub accounts: Vec<String>,
    /// What supports it.
    pub evidence: Vec<Evidence>,
    /// Other paths of the same thing.
    pub also_at: Vec<TargetPath>,
    /// MITRE ATT&CK techniques.
    pub attack: Vec<&'static str>,
    /// Who lives with it, and how long; null unless the user accepted it.
    pub accepted: Option<Accepted>,
    /// The earliest sign of it on disk.
    pub first_seen: Option<Time>,
    /// What to do first, and where.
    pub advice: String,
}

impl Finding {
    /// A finding of a rule before it is judged: `parts` tell it from the others of that rule.
    #[must_use]
    pub fn unjudged(rule: &'static str, parts: &[&[u8]], subject: Subject, stage: Stage) -> Self {
        let parts: Vec<&[u8]> = std::iter::once(rule.as_bytes()).chain(parts.iter().copied()).collect();
        Self {
            id: Id::new("find", &parts),
            rule,
            incident: None,
            indicator: None,
            indicators: Vec::new(),
            level: Level::None,
            severity: Severity::Info,
            confidence: Confidence::Possible,
            title: String::new(),
            stage,
            subject,
            environment: None,
            accounts: Vec::new(),
            evidence: Vec::new(),
            also_at: Vec::new(),
            attack: Vec::new(),
            accepted: None,
            first_seen: None,
            advice: String::new(),
        }
    }

    /// Takes in another finding of the same thing that says no more than this one.
    pub fn take_in(&mut self, other: Self) {
        self.evidence.extend(other.evidence);
        self.indicators.extend(other.indicators);
        self.indicators.sort_unstable();
        self.indicators.dedup();
    }
}

/// How a start-up file was judged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// It runs nothing.
    Plain,
    /// It runs something that has an honest explanation.
    Explained,
    /// A person should look.
    Review,
    /// It has no honest explanation.
    MaliciousShape,
    /// A known indicator.
    KnownBad,
}

impl Judgement {
    /// The word the report uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Explained => "explained",
            Self::Review => "review",
            Self::MaliciousShape => "malicious-shape",
            Self::KnownBad => "known-bad",
        }
    }
}

/// A judgement with its reasons.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HookVerdict {
    /// The judgement.
    pub judgement: Judgement,
    /// Why, each a sentence.
    pub reasons: Vec<String>,
}
