//! The rows of reports in one form, whatever section they are of: what identifies them, what is told of them, and what may
//! change while they stay the same.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::told::{Told, ToldAccount, ToldAutostart, ToldDistribution, ToldFinding, ToldHook};
use crate::model::path::TargetPath;
use crate::model::verdict::Level;

/// The sections that are compared, in the order in which they are told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Section {
    /// What the facts meant.
    Findings,
    /// What starts by itself.
    Autostarts,
    /// What runs when Python starts.
    StartupHooks,
    /// What is installed.
    Distributions,
    /// Where it is installed.
    Environments,
    /// Python programs.
    Interpreters,
    /// Accounts.
    Accounts,
}

impl Section {
    /// Every section.
    pub const ALL: [Self; 7] = [
        Self::Findings,
        Self::Autostarts,
        Self::StartupHooks,
        Self::Distributions,
        Self::Environments,
        Self::Interpreters,
        Self::Accounts,
    ];

    /// Its key in reports.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Findings => "findings",
            Self::Autostarts => "autostarts",
            Self::StartupHooks => "startup_hooks",
            Self::Distributions => "distributions",
            Self::Environments => "environments",
            Self::Interpreters => "interpreters",
            Self::Accounts => "accounts",
        }
    }

    /// The same for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Findings => "Findings",
            Self::Autostarts => "What starts by itself",
            Self::StartupHooks => "What runs when Python starts",
            Self::Distributions => "Installed distributions",
            Self::Environments => "Environments",
            Self::Interpreters => "Interpreters",
            Self::Accounts => "Accounts",
        }
    }
}

/// One row.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its id; of an account, its name.
    pub id: String,
    /// Where.
    pub path: TargetPath,
    /// What it is, for people.
    pub what: String,
    /// Of a finding, how bad.
    pub level: Option<Level>,
    /// Of a finding, the pack.
    pub incident: Option<String>,
    /// What the checks go by that could have missed it: of a finding the kind of its subject, else its own kind.
    pub kind: String,
    /// What it is called; none where its path says all.
    pub name: Option<String>,
    /// The line of the file, counted from 1.
    pub line: Option<u32>,
    /// Of a finding, the rule and the form in which it was there.
    pub(super) found: Option<(String, String)>,
    /// What may change while it stays the same; none where it is not known.
    pub(super) facts: Vec<(&'static str, Option<String>)>,
    /// What it shares with the row that takes its place when it is edited, the surest first; empty where none does.
    pub(super) like: Vec<String>,
    /// Whether it is held by git, below whose references it was found.
    pub(super) is_of_git: bool,
    /// Size and last change of its file, where these say something.
    pub(super) file: Option<String>,
}

impl Row {
    fn new(id: &str, path: &TargetPath, what: String) -> Self {
        Self {
            id: id.to_owned(),
            path: path.clone(),
            what,
            level: None,
            incident: None,
            kind: String::new(),
            name: None,
            line: None,
            found: None,
            facts: Vec::new(),
            like: Vec::new(),
            is_of_git: false,
            file: None,
        }
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut row = to.serialize_map(None)?;
        row.serialize_entry("id", &self.id)?;
        row.serialize_entry("path", &self.path.to_text())?;
        if let Some(bytes) = self.path.base64() {
            row.serialize_entry("path_base64", &bytes)?;
        }
        row.serialize_entry("kind", &Some(&self.kind).filter(|kind| !kind.is_empty()))?;
        row.serialize_entry("name", &self.name)?;
        row.serialize_entry("line", &self.line)?;
        row.serialize_entry("what", &self.what)?;
        if let Some(level) = self.level {
            row.serialize_entry("level", &level)?;
            row.serialize_entry("incident", &self.incident)?;
        }
        row.end()
    }
}

/// What the facts of two rows differ in: what, before, after. What one of them does not know is no difference.
pub(super) fn differences(before: &Row, after: &Row) -> Vec<(&'static str, String, String)> {
    let pairs = before.facts.iter().zip(&after.facts);
    let differ = pairs.filter_map(|((name, before), (_, after))| {
        let (before, after) = (before.as_ref()?, after.as_ref()?);
        (before != after).then(|| (*name, before.clone(), after.clone()))
    });
    differ.collect()
}

/// The rows of a section.
pub(super) fn rows(report: &Told, section: Section) -> Vec<Row> {
    match section {
        Section::Findings => report.findings.iter().map(finding).collect(),
        Section::Autostarts => report.autostarts.iter().map(autostart).collect(),
        Section::StartupHooks => report.startup_hooks.iter().map(hook).collect(),
        Section::Distributions => report.distributions.iter().filter(|one| is_installed(one)).map(installed).collect(),
        Section::Environments => report
            .environments
            .iter()
            .map(|one| {
                let facts = vec![("kind", Some(one.kind.clone())), ("version", one.python_version.clone())];
                let what = format!("environment ({})", one.kind);
                Row { kind: one.kind.clone(), facts, ..Row::new(&one.id, &one.path, what) }
            })
            .collect(),
        Section::Interpreters => report
            .interpreters
            .iter()
            .map(|one| {
                let what = format!("Python {}", one.version.as_deref().unwrap_or("of an unknown version"));
                let facts = vec![("version", one.version.clone()), ("real path", one.real_path.clone())];
                Row { facts, ..Row::new(&one.id, &one.path, what) }
            })
            .collect(),
        Section::Accounts => report.accounts.iter().map(account).collect(),
    }
}

/// Whether an interpreter imports it; what only lies in a cache or lock file comes and goes.
pub(super) fn is_installed(one: &ToldDistribution) -> bool {
    matches!(one.state.as_str(), "installed" | "editable")
}

fn yes_or_no(is: bool) -> Option<String> {
    Some(if is { "yes" } else { "no" }.to_owned())
}

fn finding(one: &ToldFinding) -> Row {
    let subject = &one.subject;
    let line = one.evidence.iter().find(|row| row.path == subject.path).and_then(|row| row.line);
    let mut paths = one.evidence.iter().map(|row| &row.path).chain([&subject.path]);
    Row {
        name: subject.name.clone(),
        line,
        is_of_git: one.rule.starts_with("git-") || paths.any(|path| path.file_name().ends_with(b".git")),
        level: Some(one.level),
        incident: one.incident.clone(),
        kind: one.subject.kind.clone(),
        found: Some((one.rule.clone(), one.stage.clone())),
        facts: vec![
            ("title", Some(one.title.clone())),
            ("level", Some(one.level.name().to_owned())),
            ("stage", Some(one.stage.clone())),
            ("accepted", yes_or_no(!one.accepted.is_null())),
        ],
        ..Row::new(&one.id, &one.subject.path, one.title.clone())
    }
}

fn autostart(one: &ToldAutostart) -> Row {
    let runs = one.runs.as_deref().unwrap_or_default();
    let text = |text: &Option<String>| Some(text.clone().unwrap_or_default());
    let enabled = one.enabled.map_or_else(|| Some("unknown".to_owned()), yes_or_no);
    let is_known = one.programs.iter().all(|program| program.present.is_some());
    let missing = one.programs.iter().filter(|program| program.present == Some(false));
    let missing = missing.map(|program| program.path.to_text().into_owned()).collect::<Vec<_>>().join(", ");
    let size = one.size.map(|size| format!("{size} bytes, ")).unwrap_or_default();
    Row {
        kind: one.kind.clone(),
        facts: vec![
            ("runs", Some(runs.to_owned())),
            ("when", text(&one.trigger)),
            ("as", text(&one.runs_as)),
            ("enabled", enabled),
            ("not there", is_known.then_some(missing)),
        ],
        name: Some(one.name.clone()),
        line: one.line,
        like: like(one),
        file: one.modified.as_ref().map(|modified| format!("{size}last changed {modified}")),
        ..Row::new(
            &one.id,
            &one.path,
            match runs {
                "" => format!("{} {}", one.kind, one.name),
                runs => format!("{} {}: {runs}", one.kind, one.name),
            },
        )
    }
}

/// Where one file holds many entries of one name, such as the lines of a crontab, only those that run the same program or
/// run at the same time are one.
fn like(one: &ToldAutostart) -> Vec<String> {
    let path = one.path.base64().unwrap_or_else(|| one.path.to_text().into_owned());
    let entry = format!("{path}\0{}\0{}", one.kind, one.name);
    let is_of_many = ["cron", "anacron", "udev-rule", "pam-exec", "preload", "event-script", "init-script"];
    if one.line.is_none() || !is_of_many.contains(&one.kind.as_str()) {
        return vec![entry];
    }
    let program = one.programs.first().map(|program| program.path.to_text().into_owned());
    let when = one.trigger.clone().filter(|when| !when.is_empty());
    let both = program.as_ref().zip(when.as_ref()).map(|(program, when)| format!("both\0{entry}\0{program}\0{when}"));
    let program = program.map(|program| format!("program\0{entry}\0{program}"));
    let when = when.map(|when| format!("when\0{entry}\0{when}"));
    [both, program, when].into_iter().flatten().collect()
}

fn hook(one: &ToldHook) -> Row {
    let size = one.sha256.is_none().then(|| one.size.to_string());
    Row {
        kind: one.kind.clone(),
        facts: vec![
            ("sha256", one.sha256.clone()),
            ("size", size),
            ("judgement", Some(one.judgement.clone()).filter(|text| !text.is_empty())),
        ],
        ..Row::new(&one.id, &one.path, format!("start-up file ({}, {})", one.kind, one.judgement))
    }
}

fn installed(one: &ToldDistribution) -> Row {
    Row {
        name: Some(one.name.clone()),
        facts: vec![("version", Some(one.version.clone())), ("state", Some(one.state.clone()))],
        like: one.environment.iter().map(|home| format!("{home}\0{}", one.normalized)).collect(),
        ..Row::new(&one.id, &one.path, format!("{} {}", one.name, one.version))
    }
}

fn account(one: &ToldAccount) -> Row {
    let mut groups = one.groups.clone();
    groups.sort_unstable();
    Row {
        name: Some(one.name.clone()),
        facts: vec![
            ("uid", one.uid.map(|uid| uid.to_string())),
            ("groups", Some(groups.join(", "))),
            ("home", Some(one.home.clone())),
            ("shell", Some(one.shell.clone().unwrap_or_default())),
            ("can become root", yes_or_no(one.privileged)),
        ],
        ..Row::new(
            &one.name,
            &TargetPath::new(one.home.as_bytes()),
            match one.privileged {
                true => format!("account {}, which can become root", one.name),
                false => format!("account {}", one.name),
            },
        )
    }
}
