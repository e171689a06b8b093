//! A report as it was stored: the part of `pysweep.report/1` that can be judged again, read into facts. What a later
//! version adds is passed over; what an earlier one did not have is empty.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model::container::{self, Container};
use crate::model::coverage::GapReason;
use crate::model::distribution::{Basics, DistState, Distribution, FolderSays, MetadataForm};
use crate::model::facts::Facts;
use crate::model::fault::Fault;
use crate::model::finding::{Confidence, Stage};
use crate::model::host::{Account, Platform};
use crate::model::id::Id;
use crate::model::path::TargetPath;
use crate::model::python::Environment;
use crate::model::record::{RecordState, RecordSummary};
use crate::model::report::SCHEMA;
use crate::model::startup::{HookKind, StartupHook};
use crate::model::text::Excerpt;
use crate::model::time::Time;
use crate::model::verdict::{Completeness, Level, Scope};

/// A stored report.
#[derive(Debug, Deserialize)]
pub struct Stored {
    /// Of which host.
    pub host: StoredHost,
    /// When and how.
    pub sweep: StoredSweep,
    /// With which packs.
    pub packs: Vec<StoredPack>,
    /// The answer of then.
    pub verdict: StoredVerdict,
    accounts: Vec<StoredAccount>,
    environments: Vec<StoredEnvironment>,
    distributions: Vec<StoredDistribution>,
    startup_hooks: Vec<StoredHook>,
    /// What was found then.
    pub findings: Vec<StoredFinding>,
    /// What was missed then.
    pub coverage: StoredCoverage,
}

/// What says which kind of file it is.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    schema: Option<String>,
}

/// The host.
#[derive(Debug, Deserialize)]
pub struct StoredHost {
    /// Its name.
    pub name: String,
    /// Its system.
    pub os: Platform,
}

/// The run.
#[derive(Debug, Deserialize)]
pub struct StoredSweep {
    /// When it began.
    pub started: Time,
    /// Who ran it.
    #[serde(default)]
    pub user: String,
    #[serde(default)]
    options: BTreeMap<String, String>,
}

/// A pack that was in use.
#[derive(Debug, Deserialize)]
pub struct StoredPack {
    /// Its id.
    pub id: String,
    /// Lower-case hex of its file.
    pub sha256: String,
    /// Its last change.
    pub modified: Time,
}

/// The answer.
#[derive(Debug, Deserialize)]
pub struct StoredVerdict {
    /// The level.
    pub level: Level,
    /// Whether everything was looked at.
    pub coverage: Completeness,
    /// What the sweep set out to cover.
    pub scope: Scope,
}

#[derive(Debug, Deserialize)]
struct StoredAccount {
    name: String,
    uid: Option<u32>,
    home: String,
}

#[derive(Debug, Deserialize)]
struct StoredEnvironment {
    id: Id,
    #[serde(flatten)]
    path: TargetPath,
    #[serde(default)]
    site_dirs: Vec<TargetPath>,
    account: Option<String>,
    owner_uid: Option<u32>,
    created: Option<Time>,
    container: Option<StoredContainer>,
}

#[derive(Debug, Deserialize)]
struct StoredContainer {
    engine: String,
    id: String,
    #[serde(default)]
    images: Vec<String>,
    #[serde(default)]
    image_count: usize,
    #[serde(default)]
    containers: Vec<String>,
    #[serde(default)]
    container_count: usize,
}

impl StoredContainer {
    /// As far as a judgement asks for it.
    fn told(&self) -> Container {
        let texts = |all: &[String]| all.iter().map(|one| Excerpt::of(one.as_bytes())).collect::<Vec<_>>();
        let mut one = Container::unknown(container::engine(&self.engine).unwrap_or("unknown"), self.id.clone());
        (one.images, one.containers) = (texts(&self.images), texts(&self.containers));
        (one.image_count, one.container_count) = (self.image_count, self.container_count);
        (one.image, one.name) = (one.images.first().cloned(), one.containers.first().cloned());
        one
    }
}

#[derive(Debug, Deserialize)]
struct StoredDistribution {
    id: Id,
    environment: Option<Id>,
    name: String,
    normalized: String,
    version: String,
    #[serde(flatten)]
    path: TargetPath,
    #[serde(default)]
    member: Option<String>,
    metadata: MetadataForm,
    state: DistState,
    #[serde(default)]
    hashes: Vec<String>,
    installed_at: Option<Time>,
    folder_says: Option<Box<FolderSays>>,
    #[serde(default)]
    hidden_by: Option<String>,
    shown_by: Option<StoredContainer>,
}

#[derive(Debug, Deserialize)]
struct StoredHook {
    #[serde(flatten)]
    path: TargetPath,
    kind: HookKind,
    environment: Option<Id>,
    distribution: Option<Id>,
    #[serde(default)]
    run_by: Vec<String>,
    sha256: Option<String>,
    #[serde(default)]
    size: u64,
    modified: Option<Time>,
}

/// A finding of then.
#[derive(Clone, Debug, Deserialize)]
pub struct StoredFinding {
    /// Its id.
    pub id: String,
    /// The rule.
    pub rule: String,
    /// The pack.
    pub incident: Option<String>,
    /// The indicator that said the most.
    pub indicator: Option<String>,
    /// Every indicator that fitted.
    #[serde(default)]
    pub indicators: Vec<String>,
    /// What it meant.
    pub level: Level,
    /// How sure it was.
    pub confidence: Confidence,
    /// For people.
    pub title: String,
    /// In which form it was there.
    pub stage: Stage,
    /// What it was about.
    pub subject: StoredSubject,
    /// Who lived with it, and how long.
    #[serde(default)]
    pub accepted: Value,
}

impl StoredFinding {
    /// Until when it is accepted.
    #[must_use]
    pub fn accepted_until(&self) -> Option<Time> {
        Time::parse(self.accepted.get("until")?.as_str()?).ok()
    }
}

/// What a finding was about.
#[derive(Clone, Debug, Deserialize)]
pub struct StoredSubject {
    /// Where.
    #[serde(flatten)]
    pub path: TargetPath,
}

/// What was missed.
#[derive(Debug, Deserialize)]
pub struct StoredCoverage {
    /// The misses.
    pub gaps: Vec<StoredGap>,
}

/// A miss.
#[derive(Debug, Deserialize)]
pub struct StoredGap {
    /// Why, by its id; a later version may know more of them.
    #[serde(default)]
    pub reason: String,
    #[serde(default)]
    material: Option<bool>,
}

impl StoredGap {
    /// Why; none for a reason that this version does not know.
    #[must_use]
    pub fn known(&self) -> Option<GapReason> {
        GapReason::ALL.into_iter().find(|reason| reason.id() == self.reason)
    }

    /// Whether something could hide there: what the report says, else what its reason means.
    #[must_use]
    pub fn is_material(&self) -> bool {
        self.material.unwrap_or_else(|| self.known().is_none_or(GapReason::is_material))
    }
}

/// Reads a report, or as much of it as `T` asks for.
///
/// # Errors
/// When it is none, is cut short, or is of another schema.
pub fn parse<T: DeserializeOwned>(origin: &str, bytes: &[u8]) -> Result<T, Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let head: Head = serde_json::from_slice(bytes).map_err(|why| Fault::of_json(origin, &why))?;
    if head.schema.as_deref() != Some(SCHEMA) {
        let schema = head.schema.map_or_else(|| "missing".to_owned(), |schema| format!("`{schema}`"));
        return Err(Fault::of(
            origin,
            format!("its schema is {schema}, a report of `pysweep scan --format json` has `{SCHEMA}`"),
        ));
    }
    serde_json::from_slice(bytes).map_err(|why| {
        let fault = Fault::of_json(origin, &why);
        Fault { why: format!("it is no JSON report of pysweep: {}", fault.why), ..fault }
    })
}

impl Stored {
    /// Reads a report.
    ///
    /// # Errors
    /// When it is none, is cut short, or is of another schema.
    pub fn parse(origin: &str, bytes: &[u8]) -> Result<Self, Fault> {
        parse(origin, bytes)
    }

    /// How many of its misses could hide something.
    #[must_use]
    pub fn missed(&self) -> usize {
        self.coverage.gaps.iter().filter(|gap| gap.is_material()).count()
    }

    /// What its sweep was told to leave out, in words; empty if nothing.
    #[must_use]
    pub fn narrowed(&self) -> String {
        let option = |name: &str| self.sweep.options.get(name);
        let excluded = option("exclude").map(|globs| globs.replace(' ', ", "));
        let others = option("one-file-system").map(|_| "other file systems".to_owned());
        let built_in = option("no-builtin-iocs").map(|_| "the built-in packs of then".to_owned());
        [excluded, others, built_in].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// What it says of the host, as facts.
    #[must_use]
    pub fn facts(&self) -> Facts {
        Facts {
            environments: self.environments.iter().map(environment).collect(),
            distributions: self.distributions.iter().map(distribution).collect(),
            startup_hooks: self.startup_hooks.iter().map(hook).collect(),
            ..Facts::default()
        }
    }

    /// The accounts.
    #[must_use]
    pub fn accounts(&self) -> Vec<Account> {
        let account = |one: &StoredAccount| {
            let home = TargetPath::new(one.home.as_bytes());
            Account {
                name: one.name.clone(),
                uid: one.uid,
                gid: None,
                groups: Vec::new(),
                real_home: home.clone(),
                home,
                shell: None,
                privileged: false,
            }
        };
        self.accounts.iter().map(account).collect()
    }
}

fn environment(one: &StoredEnvironment) -> Environment {
    Environment {
        id: one.id,
        path: one.path.clone(),
        // No judgement asks for it.
        kind: "unknown",
        python_version: None,
        site_dirs: one.site_dirs.clone(),
        base: None,
        account: one.account.clone(),
        owner_uid: one.owner_uid,
        created: one.created,
        container: one.container.as_ref().map(StoredContainer::told),
        tool: None,
        also_at: Vec::new(),
    }
}

fn distribution(one: &StoredDistribution) -> Distribution {
    let basics = Basics {
        path: one.path.clone(),
        member: None,
        form: one.metadata,
        state: one.state,
        name: &one.name,
        version: &one.version,
    };
    Distribution {
        id: one.id,
        environment: one.environment,
        normalized: one.normalized.clone(),
        member: one.member.as_ref().map(|member| Excerpt::of(member.as_bytes())),
        installed_at: one.installed_at,
        hashes: one.hashes.clone(),
        record: RecordSummary::of(RecordState::Unverified),
        folder_says: one.folder_says.clone(),
        hidden_by: one.hidden_by.as_ref().map(|path| TargetPath::new(path.as_bytes())),
        shown_by: one.shown_by.as_ref().map(|layer| Box::new(layer.told())),
        ..Distribution::new(basics)
    }
}

fn hook(one: &StoredHook) -> StartupHook {
    StartupHook {
        environment: one.environment,
        distribution: one.distribution,
        in_site_dir: !one.run_by.is_empty(),
        run_by: one.run_by.clone(),
        sha256: one.sha256.clone(),
        size: one.size,
        modified: one.modified,
        ..StartupHook::at(one.path.clone(), one.kind)
    }
}
