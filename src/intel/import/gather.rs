//! Where every format brings what it read: checks each value, converts what can be converted, merges what is said twice,
//! and makes one pack of it. The formats know their own shape and nothing of packs.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};

use super::report::{Fate, Note};
use super::things::{self, settled, slug};
use crate::intel::pack::{Pack, SCHEMA, Status};
use crate::intel::projects;
use crate::intel::table::{Row, Versions, Weight};
use crate::intel::version;
use crate::model::distribution::normalize_name;
use crate::model::text::counted;
use crate::model::time::Time;

/// Where something was read.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// The file.
    pub origin: &'a str,
    /// The line, counted from 1, where the format has lines.
    pub line: Option<usize>,
    /// The record it belongs to: an OSV or STIX id, a campaign.
    pub record: &'a str,
}

/// A package that a feed calls malicious.
#[derive(Clone, Debug)]
pub struct Listed<'a> {
    /// The ecosystem as the feed spells it: `PyPI`, `pypi`, `npm`.
    pub ecosystem: &'a str,
    /// The name as the feed spells it.
    pub name: &'a str,
    /// The bad versions; none for all of them. An empty list is a row that cannot be used.
    pub versions: Option<Vec<String>>,
    /// When the record was last changed.
    pub modified: Option<Time>,
    /// Whether the feed itself is in doubt.
    pub is_doubtful: bool,
}

/// Something to look for on disk or in texts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Thing {
    /// A file by its SHA-256, hex or base64, and by its name where the feed gives one. Without a name it is found where
    /// a RECORD lists it, and among files that are read for another reason.
    File {
        /// The SHA-256 as the feed spells it.
        sha256: String,
        /// File name or path as the feed spells it.
        name: Option<String>,
    },
    /// A path of the host, as packs write patterns (`{home}/.config/sysmon/sysmon.py`) or absolute.
    Path(String),
    /// A host name, with or without `*.` in front.
    Domain(String),
    /// An address.
    Ip(String),
    /// A URL: its host is used, or all of it as text where the host serves others too.
    Url(String),
}

/// What a feed is called.
#[derive(Clone, Debug)]
pub struct Label {
    /// The id of the pack.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What the pack rests on, for its references.
    pub source: String,
    /// Its date, where no record gives one.
    pub today: Time,
}

/// What has been read so far.
#[derive(Default, Debug)]
pub struct Gather {
    /// By normalised name, then by record and weight.
    packages: BTreeMap<String, BTreeMap<(String, Weight), Draft>>,
    /// By record.
    things: BTreeMap<String, BTreeSet<Thing>>,
    /// What was taken, and by which record and line first.
    taken: BTreeMap<Thing, (String, Option<usize>)>,
    newest: Option<Time>,
    notes: Vec<Note>,
    records: usize,
    /// What day it is, where that matters.
    today: Option<Time>,
}

/// A package as one record lists it.
#[derive(Debug)]
struct Draft {
    origin: String,
    line: Option<usize>,
    record: String,
    modified: Option<Time>,
    versions: Option<BTreeSet<String>>,
    weight: Weight,
}

/// A pack made of feeds, and what was left out of it.
#[derive(Debug)]
pub struct Imported {
    /// The pack.
    pub pack: Pack,
    /// What could not be used as it was, sorted.
    pub notes: Vec<Note>,
    /// Records or rows that were read.
    pub records: usize,
}

impl Gather {
    /// One that knows what day it is, so that what has run out is passed over.
    #[must_use]
    pub fn on(today: Time) -> Self {
        Self { today: Some(today), ..Self::default() }
    }

    /// Whether what was to hold until then holds no longer.
    #[must_use]
    pub fn is_over(&self, until: Time) -> bool {
        self.today.is_some_and(|today| until <= today)
    }

    /// Counts a record or row.
    pub fn record(&mut self, modified: Option<Time>) {
        self.records += 1;
        self.newest = self.newest.max(modified);
    }

    /// Says that something of a row cannot be used.
    pub fn unused(&mut self, at: At<'_>, why: impl Into<String>) {
        self.note(Fate::Unused, at, why.into());
    }

    /// Says that a row is no concern of ours.
    pub fn passed(&mut self, at: At<'_>, why: impl Into<String>) {
        self.note(Fate::Passed, at, why.into());
    }

    fn note(&mut self, fate: Fate, at: At<'_>, why: String) {
        let At { origin, line, record } = at;
        self.notes.push(Note { fate, origin: origin.to_owned(), line, what: record.to_owned(), why });
    }

    /// Takes a package.
    pub fn package(&mut self, at: At<'_>, one: Listed<'_>) {
        if !is_python(one.ecosystem) {
            return self.passed(at, format!("`{}` is of the ecosystem `{}`", one.name, one.ecosystem));
        }
        let name = normalize_name(one.name);
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if name.is_empty() || name.len() > 200 || !name.bytes().all(is_name) {
            return self.unused(at, format!("`{}` is no name of a package", one.name));
        }
        let mut weight = if one.is_doubtful { Weight::Possible } else { Weight::Probable };
        let versions = match one.versions {
            None => None,
            Some(texts) => {
                let good: BTreeSet<String> = texts.iter().filter_map(|text| version_text(text)).collect();
                if good.is_empty() {
                    return self.unused(at, format!("`{}` comes without versions", one.name));
                }
                Some(good)
            }
        };
        if versions.is_none() && projects::is_living(&name) {
            weight = Weight::Listed;
            let why = format!("it calls every version of `{name}` bad, which is a living project: listed only");
            self.note(Fate::Weakened, at, why);
        } else if one.is_doubtful {
            self.note(Fate::Weakened, at, format!("the feed itself is in doubt of `{name}`: possible"));
        }
        let At { origin, line, record } = at;
        let draft =
            Draft { origin: origin.to_owned(), line, record: slug(record), modified: one.modified, versions, weight };
        let says_more = match self.packages.entry(name).or_default().entry((draft.record.clone(), weight)) {
            Entry::Vacant(free) => {
                free.insert(draft);
                true
            }
            // A record that goes on in another row.
            Entry::Occupied(mut known) => match (&mut known.get_mut().versions, draft.versions) {
                (Some(known), Some(more)) => {
                    let before = known.len();
                    known.extend(more);
                    known.len() > before
                }
                (known @ Some(_), None) => {
                    *known = None;
                    true
                }
                (None, _) => false,
            },
        };
        if !says_more {
            self.note(Fate::Merged, at, format!("it says of `{}` what this record has said before", one.name));
        }
    }

    /// Takes something to look for.
    pub fn thing(&mut self, at: At<'_>, thing: Thing) {
        match settled(thing) {
            Ok(thing) => match self.taken.get(&thing) {
                Some((record, line)) if (record.as_str(), *line) == (at.record, at.line) => {}
                Some((record, line)) => {
                    let line = line.map_or_else(String::new, |line| format!(", line {line}"));
                    let why = format!("what it says is told by {record}{line}");
                    self.note(Fate::Merged, at, why);
                }
                None => {
                    self.taken.insert(thing.clone(), (at.record.to_owned(), at.line));
                    self.things.entry(at.record.to_owned()).or_default().insert(thing);
                }
            },
            Err(why) => self.unused(at, why),
        }
    }

    /// Makes the pack. A feed of which nothing can be used makes none: then the notes say why.
    ///
    /// # Errors
    /// The notes.
    pub fn finish(mut self, label: &Label) -> Result<Imported, Vec<Note>> {
        let modified = self.newest.unwrap_or(label.today);
        let packages = std::mem::take(&mut self.packages);
        let mut rows = Vec::new();
        for (name, drafts) in packages {
            self.settle(&name, drafts.into_values().collect(), &mut rows);
        }
        rows.sort_by(|a, b| a.key().cmp(&b.key()));
        let indicators = things::indicators(&label.id, std::mem::take(&mut self.things), &label.source);
        self.notes.sort_unstable();
        self.notes.dedup();
        if rows.is_empty() && indicators.is_empty() {
            return Err(self.notes);
        }
        let mut references: BTreeSet<String> = indicators.iter().flat_map(|one| one.references.clone()).collect();
        references.insert(label.source.clone());
        let summary = format!(
            "Imported: {} of packages and {} of other kinds, from {}. Each record stands for itself; what could not be used is in the report of the import.",
            counted(rows.len(), "row"),
            counted(indicators.len(), "indicator"),
            label.source
        );
        let pack = Pack {
            schema: SCHEMA.to_owned(),
            id: label.id.clone(),
            title: label.title.clone(),
            summary,
            published: modified,
            modified,
            status: Status::Feed,
            aliases: Vec::new(),
            references: references.into_iter().collect(),
            window: None,
            indicators,
            packages: rows,
            targets: Vec::new(),
            remediation: Vec::new(),
            cautions: Vec::new(),
        };
        Ok(Imported { pack, notes: self.notes, records: self.records })
    }

    /// The lines of one name: a version that several records name is told once, by the first of them.
    fn settle(&mut self, name: &str, mut drafts: Vec<Draft>, rows: &mut Vec<Row>) {
        // The surest first, what covers every version before single ones, then by record.
        drafts.sort_by(|a, b| {
            let rank = |one: &Draft| (std::cmp::Reverse(one.weight), one.versions.is_some());
            rank(a).cmp(&rank(b)).then_with(|| a.record.cmp(&b.record))
        });
        let mut told: BTreeSet<String> = BTreeSet::new();
        let mut all_by: Option<String> = None;
        for draft in drafts {
            let left: Option<BTreeSet<String>> =
                draft.versions.as_ref().map(|these| these.difference(&told).cloned().collect());
            let by = all_by
                .clone()
                .or_else(|| rows.last().filter(|row| *row.name == *name).map(|row| row.record.to_string()));
            let is_told = all_by.is_some() || left.as_ref().is_some_and(BTreeSet::is_empty);
            if let (true, Some(by)) = (is_told, by) {
                let at = At { origin: &draft.origin, line: draft.line, record: &draft.record };
                self.note(Fate::Merged, at, format!("`{name}` and these versions are told by {by}"));
                continue;
            }
            let versions = match left {
                None => {
                    all_by = Some(draft.record.clone());
                    Versions::All
                }
                Some(left) => {
                    told.extend(left.iter().cloned());
                    Versions::These(left.into_iter().map(String::into_boxed_str).collect())
                }
            };
            let day = draft.modified.map(Time::day);
            rows.push(Row::new(name, &draft.record, day.as_deref(), versions, draft.weight));
        }
    }
}

/// Whether a feed means the packages of Python.
pub(super) fn is_python(ecosystem: &str) -> bool {
    let ecosystem = ecosystem.trim().to_ascii_lowercase();
    matches!(ecosystem.split(':').next(), Some("pypi" | "pip" | "python"))
}

/// A version as packs write it: as it is by PEP 440, or marked as a text that is none.
fn version_text(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches(version::RAW).trim_start_matches("==").trim();
    let is_text = !text.is_empty() && text.len() <= 100 && !text.chars().any(char::is_control);
    if version::is_range(text) {
        return version::is_valid(text).then(|| text.to_owned());
    }
    is_text.then(|| if version::is_valid(text) { text.to_owned() } else { format!("{}{text}", version::RAW) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label() -> Label {
        Label { id: "feed".into(), title: "t".into(), source: "a list".into(), today: Time::from_unix(0) }
    }

    fn listed<'a>(name: &'a str, versions: Option<&[&str]>) -> Listed<'a> {
        let versions = versions.map(|all| all.iter().map(ToString::to_string).collect());
        Listed { ecosystem: "PyPI", name, versions, modified: None, is_doubtful: false }
    }

    fn made(rows: &[(&str, Listed<'_>)]) -> Imported {
        let mut all = Gather::default();
        for (record, one) in rows {
            all.package(At { origin: "f", line: None, record }, one.clone());
        }
        all.finish(&label()).unwrap()
    }

    fn lines(all: &Imported) -> Vec<String> {
        all.pack.packages.iter().map(|row| serde_json::to_string(row).unwrap()).collect()
    }

    #[test]
    fn what_is_said_twice_is_told_once() {
        let all = made(&[
            ("MAL-2", listed("Lite_LLM", Some(&["1.82.8", "1.82.7"]))),
            ("MAL-1", listed("lite-llm", Some(&["1.82.7"]))),
            ("MAL-3", listed("lite.llm", Some(&["1.82.7", "1.82.8"]))),
            ("MAL-2", listed("lite.llm", Some(&["1.82.8"]))),
        ]);
        assert_eq!(lines(&all), [r#"["lite-llm","MAL-1",null,["1.82.7"]]"#, r#"["lite-llm","MAL-2",null,["1.82.8"]]"#]);
        let merged: Vec<(Fate, &str)> = all.notes.iter().map(|note| (note.fate, note.what.as_str())).collect();
        assert_eq!(merged, [(Fate::Merged, "MAL-2"), (Fate::Merged, "MAL-3")]);
    }

    #[test]
    fn every_version_of_a_living_project_is_listed_only() {
        let all = made(&[
            ("MAL-1", listed("fastapi", None)),
            ("MAL-2", listed("evil", None)),
            ("MAL-3", listed("fastapi", Some(&["9"]))),
        ]);
        assert_eq!(
            lines(&all),
            [
                r#"["evil","MAL-2",null,"*"]"#,
                r#"["fastapi","MAL-1",null,"*","listed"]"#,
                r#"["fastapi","MAL-3",null,["9"]]"#
            ]
        );
        assert!(all.notes.iter().any(|note| note.fate == Fate::Weakened && note.what == "MAL-1"));
    }

    #[test]
    fn versions_that_no_parser_takes_are_marked() {
        let all = made(&[("MAL-1", listed("evil", Some(&["1.0-beta-x", " 1.0 ", "==2.0", ""])))]);
        assert_eq!(lines(&all), [r#"["evil","MAL-1",null,["1.0","2.0","===1.0-beta-x"]]"#]);
    }

    #[test]
    fn things_that_are_said_twice_are_told_once() {
        let mut all = Gather::default();
        for (line, record) in [(1, "a"), (1, "a"), (2, "a"), (3, "b")] {
            all.thing(At { origin: "f", line: Some(line), record }, Thing::Domain("evil.example".into()));
        }
        let made = all.finish(&label()).unwrap();
        assert_eq!(made.pack.indicators.len(), 1);
        let notes: Vec<String> = made.notes.iter().map(ToString::to_string).collect();
        assert_eq!(
            notes,
            [
                "merged: f, line 2, a: what it says is told by a, line 1",
                "merged: f, line 3, b: what it says is told by a, line 1"
            ]
        );
    }

    #[test]
    fn many_records_of_one_package_take_no_longer_each() {
        let mut all = Gather::default();
        for number in 0..50_000 {
            let record = format!("MAL-{number}");
            all.package(At { origin: "f", line: None, record: &record }, listed("evil", Some(&["1.0"])));
        }
        let made = all.finish(&label()).unwrap();
        assert_eq!((made.pack.packages.len(), made.notes.len()), (1, 49_999));
    }

    #[test]
    fn what_is_not_ours_or_nothing_is_named() {
        let mut all = Gather::default();
        let at = At { origin: "f", line: Some(3), record: "MAL-1" };
        all.package(at, Listed { ecosystem: "npm", ..listed("left-pad", None) });
        all.package(at, listed("no such/name", None));
        all.package(at, listed("evil", Some(&[])));
        let notes = all.finish(&label()).unwrap_err();
        assert_eq!(notes.len(), 3);
        assert!(notes[0].to_string().starts_with("unused: f, line 3, MAL-1: "), "{}", notes[0]);
    }
}
