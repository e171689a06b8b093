//! An indicator pack exactly as on disk (`pysweep.pack/1`, `iocs/README.md`): one JSON object per incident.
//!
//! The types are strict: an unknown field, a wrong type or a missing one stops the run. What serde cannot see, such as
//! ids used twice, `pack_check` sees.

use serde::{Deserialize, Serialize};

use super::table::Row;
use crate::model::autostart::AutostartKind;
use crate::model::finding::{Confidence, Stage};
use crate::model::system_package::ECOSYSTEMS;
use crate::model::time::Time;
use crate::model::verdict::Level;

/// The schema this version reads.
pub const SCHEMA: &str = "pysweep.pack/1";

/// One incident.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Unique among all packs, such as `litellm-2026-03`.
    pub id: String,
    /// One line.
    pub title: String,
    /// A few sentences: what happened, how it runs, what it takes.
    pub summary: String,
    /// When the incident became known.
    pub published: Time,
    /// When this pack was last changed: the age that verdicts name.
    pub modified: Time,
    /// Whether the sources agree that it happened.
    pub status: Status,
    /// Other ids of the same incident: CVE, GHSA, PYSEC, MAL.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Where this is known from.
    pub references: Vec<String>,
    /// When the bad thing could be fetched.
    #[serde(default)]
    pub window: Option<Window>,
    /// What to look for.
    #[serde(default)]
    pub indicators: Vec<Indicator>,
    /// The packages of a feed, one line each, sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<Row>,
    /// The credential stores it takes, by id of the credential catalogue.
    #[serde(default)]
    pub targets: Vec<String>,
    /// What to do, in order.
    #[serde(default)]
    pub remediation: Vec<Remediation>,
    /// What makes it worse when done wrong.
    #[serde(default)]
    pub cautions: Vec<String>,
}

/// How well an incident is attested.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Several independent sources.
    Confirmed,
    /// Sources disagree on what matters.
    Disputed,
    /// One source and nothing that supports it.
    Uncorroborated,
    /// A feed of many incidents, imported: each of its records stands for itself.
    Feed,
}

/// A span of time, UTC.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// First moment.
    pub from: Time,
    /// Last moment; none while it is open.
    pub until: Option<Time>,
}

/// One step of the way out.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Remediation {
    /// Position, counted from 1.
    pub order: u32,
    /// What to do.
    pub step: String,
    /// Where it is done.
    #[serde(rename = "where")]
    pub place: Place,
    /// Why.
    pub why: String,
}

/// Where a step is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// On a machine that was never touched.
    CleanMachine,
    /// In the web console of the service.
    Console,
    /// On the affected host itself.
    ThisHost,
}

/// One thing to look for: what it is, what it means, and how sure that is.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    /// Unique within all packs.
    pub id: String,
    /// What it is about, and with the fields below, what matches.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// `package`: the index, `pypi`, or the manager of the system, such as `deb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ecosystem: Option<String>,
    /// `package`, `process`, `persistence`, `container`: its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `startup`, `file`: file names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// `package`: bad versions, by PEP 440; of the system's packages the exact version of the software.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// `package`: bad versions as a PEP 440 specifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specifier: Option<String>,
    /// `package`: every version is bad.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all_versions: bool,
    /// `persistence`: by which means it is started, as `autostarts` of a report names it.
    #[serde(default, rename = "kind", skip_serializing_if = "Option::is_none")]
    pub starts: Option<AutostartKind>,
    /// `file`, `persistence`, `workflow`: path patterns with `{home}`, `{site}`, `{tmp}`, `*` within a component.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// `file`, `startup`, `process`: SHA-256, lower-case hex.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sha256: Vec<String>,
    /// `file`, `startup`: bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Texts of which each must be in the content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contains: Vec<String>,
    /// `process`: texts of which each must be in the command line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cmdline: Vec<String>,
    /// `network`: host names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// `network`: addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ips: Vec<String>,
    /// `network`: paths of URLs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub url_paths: Vec<String>,
    /// `container`: image names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// `container`: image digests or beginnings of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digests: Vec<String>,
    /// `container`: pod names, `*` allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pods: Vec<String>,
    /// `git`: commit ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<String>,
    /// `container`: namespaces of its pods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// `git`: repository names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<String>,
    /// `git`: texts in messages of commits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<String>,
    /// `workflow`: what it names was bad at times only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bad_within: Option<BadWithin>,
    /// Indicators of this pack that must all be present on the host as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub all_of: Vec<String>,
    /// Indicators of this pack of which one must be present on the host as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any_of: Vec<String>,
    /// One sentence: what its presence means.
    pub meaning: String,
    /// In which form it is then present.
    pub stage: Stage,
    /// The most it can mean for the verdict.
    pub level: Level,
    /// How sure its sources make us.
    pub confidence: Confidence,
    /// Where it is known from; part of the pack's references.
    pub references: Vec<String>,
}

/// When the thing that an indicator names was bad.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BadWithin {
    /// Within the window of the incident: a tag that was moved to bad code, and back.
    Window,
}

/// What an indicator is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A distribution.
    Package,
    /// A file at a place.
    File,
    /// A start-up file of Python.
    Startup,
    /// Something the system starts.
    Persistence,
    /// A running program.
    Process,
    /// A host or address it talks to.
    Network,
    /// A container or image.
    Container,
    /// A pipeline definition.
    Workflow,
    /// A commit or repository.
    Git,
    /// A text.
    String,
}

impl Pack {
    /// All of it but its table.
    #[must_use]
    pub fn without_table(&self) -> Self {
        Self {
            schema: self.schema.clone(),
            id: self.id.clone(),
            title: self.title.clone(),
            summary: self.summary.clone(),
            published: self.published,
            modified: self.modified,
            status: self.status,
            aliases: self.aliases.clone(),
            references: self.references.clone(),
            window: self.window.clone(),
            indicators: self.indicators.clone(),
            packages: Vec::new(),
            targets: self.targets.clone(),
            remediation: self.remediation.clone(),
            cautions: self.cautions.clone(),
        }
    }

    /// How many things it looks for.
    #[must_use]
    pub fn count(&self) -> usize {
        self.indicators.len() + self.packages.len()
    }
}

impl Indicator {
    /// One that matches nothing yet, to be filled in.
    #[must_use]
    pub fn empty(id: String, kind: Kind) -> Self {
        Self {
            id,
            kind,
            ecosystem: None,
            name: None,
            names: Vec::new(),
            versions: Vec::new(),
            specifier: None,
            all_versions: false,
            starts: None,
            paths: Vec::new(),
            sha256: Vec::new(),
            size: None,
            contains: Vec::new(),
            cmdline: Vec::new(),
            domains: Vec::new(),
            ips: Vec::new(),
            url_paths: Vec::new(),
            images: Vec::new(),
            digests: Vec::new(),
            pods: Vec::new(),
            commits: Vec::new(),
            namespaces: Vec::new(),
            repositories: Vec::new(),
            messages: Vec::new(),
            bad_within: None,
            all_of: Vec::new(),
            any_of: Vec::new(),
            meaning: String::new(),
            stage: Stage::Referenced,
            level: Level::Exposed,
            confidence: Confidence::Possible,
            references: Vec::new(),
        }
    }
}

impl Indicator {
    /// Whether it names a package of one of the system's managers, and none of Python's.
    #[must_use]
    pub fn is_of_system(&self) -> bool {
        self.ecosystem.as_deref().is_some_and(|word| ECOSYSTEMS.contains(&word))
    }
}

impl Kind {
    /// Whether this version of pysweep looks for such indicators. The others are loaded, listed, and named in the
    /// coverage of every report as not looked for.
    #[must_use]
    pub fn is_looked_for(self) -> bool {
        self != Self::Process
    }

    /// Whether its hashes are those of files, which a RECORD may list.
    #[must_use]
    pub fn has_hashed_files(self) -> bool {
        matches!(self, Self::File | Self::Startup | Self::Persistence)
    }

    /// The word in packs and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::File => "file",
            Self::Startup => "startup",
            Self::Persistence => "persistence",
            Self::Process => "process",
            Self::Network => "network",
            Self::Container => "container",
            Self::Workflow => "workflow",
            Self::Git => "git",
            Self::String => "string",
        }
    }
}
