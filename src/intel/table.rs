//! The table of packages of a pack: one short line for each record of a feed, because a feed has tens of thousands of them
//! and an indicator of its own for each would cost a sweep its start. A line becomes an indicator when somebody asks.
//!
//! On disk a line is `[NAME, RECORD, DAY, VERSIONS]` or `[NAME, RECORD, DAY, VERSIONS, WEIGHT]`: the normalised name
//! (PEP 503); the id of the record that says so; the day of its last change, or null; the bad versions, or `"*"` for all;
//! and `"possible"` or `"listed"` for what counts less. Lines are sorted by
//! name, record and weight.

use std::fmt;
use std::sync::OnceLock;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::ser::SerializeSeq as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::pack::{Indicator, Kind};
use crate::model::finding::{Confidence, Stage};
use crate::model::verdict::Level;

/// One line.
#[derive(Clone, Debug)]
pub struct Row {
    /// The normalised name.
    pub name: Box<str>,
    /// The id of the record.
    pub record: Box<str>,
    /// When the record was last changed, such as `2026-03-24`.
    pub modified: Option<Box<str>>,
    /// Which versions are bad.
    pub versions: Versions,
    /// How much it counts.
    pub weight: Weight,
    indicator: OnceLock<Box<Indicator>>,
}

/// The bad versions of a line.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Versions {
    /// Every version.
    All,
    /// These.
    These(Box<[Box<str>]>),
}

/// How much a line counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// It covers every release of a living project, honest ones too: listed, and no more.
    Listed,
    /// The feed itself is in doubt: a lead.
    Possible,
    /// One good source.
    Probable,
}

impl Row {
    /// A line of these values.
    #[must_use]
    pub fn new(name: &str, record: &str, modified: Option<&str>, versions: Versions, weight: Weight) -> Self {
        let modified = modified.map(Box::from);
        Self { name: name.into(), record: record.into(), modified, versions, weight, indicator: OnceLock::new() }
    }

    /// The id of the indicator that the line stands for.
    #[must_use]
    pub fn id(&self, pack: &str) -> String {
        let weight = match self.weight {
            Weight::Probable => "",
            Weight::Possible => "-possible",
            Weight::Listed => "-listed",
        };
        format!("{pack}-{}-{}{weight}", self.record, self.name)
    }

    /// By what lines are sorted, and told apart.
    #[must_use]
    pub fn key(&self) -> (&str, &str, Weight) {
        (&self.name, &self.record, self.weight)
    }

    /// The indicator that the line of the pack `pack` stands for.
    pub fn indicator(&self, pack: &str) -> &Indicator {
        self.indicator.get_or_init(|| Box::new(self.make(pack)))
    }

    fn make(&self, pack: &str) -> Indicator {
        let (versions, all_versions) = match &self.versions {
            Versions::All => (Vec::new(), true),
            Versions::These(these) => (these.iter().map(ToString::to_string).collect(), false),
        };
        let which = if all_versions { "every version of it" } else { "this version" };
        let (doubt, level, confidence) = match self.weight {
            Weight::Probable => ("", Level::Compromised, Confidence::Probable),
            Weight::Possible => {
                ("; the feed itself is in doubt, so it is a lead only", Level::Exposed, Confidence::Possible)
            }
            Weight::Listed => {
                let doubt =
                    "; but this is a living project whose honest releases that covers too, so it is listed only";
                (doubt, Level::None, Confidence::Possible)
            }
        };
        Indicator {
            ecosystem: Some("pypi".to_owned()),
            name: Some(self.name.to_string()),
            versions,
            all_versions,
            meaning: format!("The record {} of an imported feed says that {which} is malicious{doubt}.", self.record),
            stage: Stage::Installed,
            level,
            confidence,
            references: vec![self.record.to_string()],
            ..Indicator::empty(self.id(pack), Kind::Package)
        }
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut row = to.serialize_seq(None)?;
        row.serialize_element(&self.name)?;
        row.serialize_element(&self.record)?;
        row.serialize_element(&self.modified)?;
        match &self.versions {
            Versions::All => row.serialize_element("*")?,
            Versions::These(these) => row.serialize_element(these)?,
        }
        if self.weight != Weight::Probable {
            row.serialize_element(&self.weight)?;
        }
        row.end()
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(RowVisitor)
    }
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = Row;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(
            "a line [name, record, day or null, versions or \"*\"], and \"possible\", \"listed\" or nothing behind it",
        )
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Row, A::Error> {
        let short = |at: usize| A::Error::invalid_length(at, &self);
        let name: Box<str> = from.next_element()?.ok_or_else(|| short(0))?;
        let record: Box<str> = from.next_element()?.ok_or_else(|| short(1))?;
        let modified: Option<Box<str>> = from.next_element()?.ok_or_else(|| short(2))?;
        let versions: Versions = from.next_element()?.ok_or_else(|| short(3))?;
        let weight = from.next_element::<Weight>()?.unwrap_or(Weight::Probable);
        if from.next_element::<serde::de::IgnoredAny>()?.is_some() {
            return Err(short(6));
        }
        Ok(Row { name, record, modified, versions, weight, indicator: OnceLock::new() })
    }
}

impl<'de> Deserialize<'de> for Versions {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(VersionsVisitor)
    }
}

struct VersionsVisitor;

impl<'de> Visitor<'de> for VersionsVisitor {
    type Value = Versions;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of versions, or \"*\" for all")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Versions, E> {
        if text == "*" { Ok(Versions::All) } else { Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Versions, A::Error> {
        let mut all: Vec<Box<str>> = Vec::new();
        while let Some(one) = from.next_element()? {
            all.push(one);
        }
        Ok(Versions::These(all.into()))
    }
}

/// The lines of a name, of a table that is sorted by name.
#[must_use]
pub fn of_name<'t>(table: &'t [Row], name: &str) -> &'t [Row] {
    let from = table.partition_point(|row| *row.name < *name);
    let rest = table.get(from..).unwrap_or_default();
    rest.get(..rest.partition_point(|row| *row.name == *name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Row, String> {
        serde_json::from_str(text).map_err(|why| why.to_string())
    }

    #[test]
    fn a_line_is_read_and_written_alike() {
        for line in [
            r#"["evil","MAL-2025-1","2025-01-02",["1.0","===1.0-x"]]"#,
            r#"["evil","MAL-2025-1",null,"*"]"#,
            r#"["fastapi","MAL-2025-1","2025-01-02","*","listed"]"#,
            r#"["deepseek","MAL-2025-1","2025-01-02","*","possible"]"#,
        ] {
            assert_eq!(serde_json::to_string(&read(line).unwrap()).unwrap(), line);
        }
    }

    #[test]
    fn a_line_of_another_shape_is_refused() {
        for line in [
            "[]",
            r#"["evil"]"#,
            r#"["evil","MAL-1",null]"#,
            r#"["evil","MAL-1",null,"all"]"#,
            r#"["evil","MAL-1",null,["1"],"sure"]"#,
            r#"["evil","MAL-1",null,["1"],"possible",1]"#,
            r#"["evil",1,null,["1"]]"#,
            r#"{"name":"evil"}"#,
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_lines_of_a_name_are_found() {
        let row = |name: &str, record: &str| Row::new(name, record, None, Versions::All, Weight::Probable);
        let table = [row("a", "1"), row("b", "2"), row("b", "3"), row("c", "4")];
        let records = |name: &str| of_name(&table, name).iter().map(|row| row.record.to_string()).collect::<String>();
        assert_eq!([records("a"), records("b"), records("bb"), records("c")], ["1", "23", "", "4"]);
    }

    #[test]
    fn a_line_stands_for_an_indicator() {
        let sure = Row::new("evil", "MAL-1", None, Versions::These(["1.0".into()].into()), Weight::Probable);
        let one = sure.indicator("feed");
        assert_eq!(
            (one.id.as_str(), one.level, one.confidence),
            ("feed-MAL-1-evil", Level::Compromised, Confidence::Probable)
        );
        let doubtful = Row::new("deepseek", "MAL-2", None, Versions::All, Weight::Possible);
        assert_eq!(doubtful.indicator("feed").level, Level::Exposed);
        assert!(doubtful.indicator("feed").all_versions);
        assert_eq!(
            Row::new("fastapi", "MAL-3", None, Versions::All, Weight::Listed).indicator("feed").level,
            Level::None
        );
    }
}
