//! `conda-meta/`, conda's list of what is installed in an environment: one `NAME-VERSION-BUILD.json` per package, with
//! name, version, channel, URL and files (conda documentation, package specification). micromamba and pixi write the
//! same. Packages of other languages are listed too: conda does not tell them apart.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};

use super::metadata::{self, Around};
use crate::extract::Extractor;
use crate::extract::format::headers::Headers;
use crate::extract::input::Input;
use crate::model::coverage::GapReason;
use crate::model::distribution::{FolderSays, MetadataForm};
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, EntryKind, Interest, NamePattern};
use crate::model::python::{Prefix, PrefixMark, VersionMark, VersionSource};
use crate::model::record::OwnedHook;
use crate::model::text::Excerpt;
use crate::target::dir::Dir;

/// The row. The record of a package lists all its files: the largest known ones have some megabytes.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "conda-meta",
        sentence: "conda's own lists of what is installed in an environment (conda-meta).",
        ask: Ask::Names(&[NamePattern::Exact("conda-meta")]),
    },
    cap: 16 << 20,
    read,
};

/// Most records of one environment. The largest known ones have about a thousand.
const MOST_RECORDS: usize = 50_000;

/// Most start-up files of one package that are kept.
const MOST_HOOKS: usize = 1000;

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    if matches!(input.candidate.kind, EntryKind::File | EntryKind::Other) {
        return harvest;
    }
    let dir = match input.open_dir() {
        Ok(dir) => dir,
        Err(why) => {
            harvest.gaps.push(input.gap(why));
            return harvest;
        }
    };
    harvest.facts.prefixes.push(Prefix {
        path: input.folder(),
        shown_by: PrefixMark::Conda,
        folder: input.candidate.path.clone(),
        identity: dir.stat().map(|stat| stat.identity),
        base: None,
        modified: dir.stat().map(|stat| stat.modified),
        owner_uid: dir.stat().map(|stat| stat.uid),
    });
    let mut names = Vec::new();
    let listed = dir.list(|name, kind| {
        if name.ends_with(b".json") && kind != EntryKind::Dir {
            names.push(name.to_vec());
        }
    });
    if let Err(why) = listed {
        harvest.gaps.push(input.gap(why));
    }
    if names.len() > MOST_RECORDS {
        let gap = input.gap(GapReason::TooLarge);
        harvest.gaps.push(gap.because(format!("it holds {} records, {MOST_RECORDS} were read", names.len())));
        names.sort_unstable();
        names.truncate(MOST_RECORDS);
    }
    for name in names {
        add_package(input, &dir, &name, &mut harvest);
    }
    harvest
}

fn add_package(input: &Input<'_>, dir: &Dir, name: &[u8], harvest: &mut Harvest) {
    let path = input.candidate.path.join(name);
    let file_says = parse_file_name(name);
    let content = match input.read(dir, &input.candidate.path, name, input.cap) {
        Ok(content) => content,
        Err(why) => {
            let gap = input.gap_at(path.clone(), why).because("the record's name was used");
            harvest.gaps.push(metadata::settle(gap, &Headers::default(), &file_says));
            let around = Around { path, form: MetadataForm::CondaMeta, changed: None };
            metadata::keep(input, metadata::distribution(around, &Headers::default(), file_says), harvest);
            return;
        }
    };
    let record = record(&content.bytes);
    let headers = match &record {
        Some(record) => Headers { name: filled(&record.name), version: filled(&record.version), ..Headers::default() },
        None => Headers::default(),
    };
    if headers.name.is_none() || headers.version.is_none() {
        let why = if content.whole { GapReason::Malformed } else { GapReason::TooLarge };
        let gap = input.gap_at(path.clone(), why).because("the record's name was used");
        harvest.gaps.push(metadata::settle(gap, &headers, &file_says));
    }
    let prefix = input.folder();
    let around = Around { path, form: MetadataForm::CondaMeta, changed: Some(content.stat.modified) };
    let mut found = metadata::distribution(around, &headers, file_says);
    found.installer = Some(Excerpt::of(b"conda"));
    found.linked = content.stat.linked();
    if let Some(record) = record {
        found.source_url = filled(&record.url).map(|url| Excerpt::address(&url));
        let owned = record.files.0.iter().map(|file| OwnedHook {
            path: file
                .split('/')
                .filter(|part| is_plain(part))
                .fold(prefix.clone(), |path, part| path.join(part.as_bytes())),
            sha256: None,
        });
        found.hooks = owned.collect();
    }
    if found.normalized == "python" {
        let version = found.version.clone();
        harvest.facts.versions.push(VersionMark { prefix, source: VersionSource::CondaMeta, version });
    }
    metadata::keep(input, found, harvest);
}

fn is_plain(part: &str) -> bool {
    !matches!(part, "" | "." | "..")
}

fn filled(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// `NAME-VERSION-BUILD.json`, split from the right: names may hold `-`, versions and builds do not.
#[must_use]
pub fn parse_file_name(name: &[u8]) -> FolderSays {
    let text = String::from_utf8_lossy(name.strip_suffix(b".json").unwrap_or(name)).into_owned();
    let mut parts = text.rsplitn(3, '-');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(_build), Some(version), Some(name)) => FolderSays { name: name.to_owned(), version: version.to_owned() },
        _ => FolderSays { name: text.clone(), version: String::new() },
    }
}

/// A record, as far as it matters here.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Record {
    name: String,
    version: String,
    url: String,
    files: StartupFiles,
}

/// Of the files of a package, those that Python may run at its start.
#[derive(Default)]
struct StartupFiles(Vec<String>);

impl<'de> Deserialize<'de> for StartupFiles {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(StartupFilesVisitor)
    }
}

struct StartupFilesVisitor;

impl<'de> Visitor<'de> for StartupFilesVisitor {
    type Value = StartupFiles;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of paths")
    }

    fn visit_unit<E>(self) -> Result<StartupFiles, E> {
        Ok(StartupFiles::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<StartupFiles, A::Error> {
        let mut kept = Vec::new();
        while let Some(one) = all.next_element::<Entry>()? {
            if let Entry::Path(path) = one
                && is_startup_file(&path)
                && kept.len() < MOST_HOOKS
            {
                kept.push(path);
            }
        }
        Ok(StartupFiles(kept))
    }
}

fn is_startup_file(path: &str) -> bool {
    path.ends_with(".pth") || path.ends_with(".start")
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Path(String),
    Other(IgnoredAny),
}

/// Reads a record; none where it is no JSON object: a list of texts would pass for one.
fn record(bytes: &[u8]) -> Option<Record> {
    let is_object = bytes.trim_ascii_start().starts_with(b"{");
    serde_json::from_slice(bytes).ok().filter(|_| is_object)
}

/// Name, version and start-up files of a record, for the fuzzer and the tests.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<(String, String, Vec<String>)> {
    record(bytes).map(|record| (record.name, record.version, record.files.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_record_names_its_package() {
        let text = br#"{"arch": null, "files": ["lib/python3.11/site-packages/x.pth", "bin/x", 7, {"a": []}],
            "name": "litellm", "paths_data": {"paths": [{"_path": "x"}]}, "url": "https://u:p@host/x", "version": "1.82.7"}"#;
        let (name, version, files) = parse(text).unwrap();
        assert_eq!((name.as_str(), version.as_str()), ("litellm", "1.82.7"));
        assert_eq!(files, ["lib/python3.11/site-packages/x.pth"]);
        assert_eq!(parse(b"{\"name\": \"x\", \"files\": null}").unwrap().0, "x");
        assert!(parse(b"[]").is_none() && parse(b"{\"name\": 7}").is_none() && parse(b"{\"name\": \"x\"").is_none());
    }

    #[test]
    fn file_names_are_split_from_the_right() {
        let says = parse_file_name(b"ruamel-yaml-0.17.21-py311_0.json");
        assert_eq!((says.name.as_str(), says.version.as_str()), ("ruamel-yaml", "0.17.21"));
        assert_eq!(parse_file_name(b"history.json").version, "");
    }

    #[test]
    fn nesting_without_end_is_refused() {
        let deep = format!("{{\"name\": \"x\", \"depends\": {}", "[".repeat(100_000));
        assert!(parse(deep.as_bytes()).is_none());
        let closed = format!("{{\"name\": \"x\", \"files\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(parse(closed.as_bytes()).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300), name in prop::collection::vec(any::<u8>(), 0..40)) {
            let _record = parse(&bytes);
            let says = parse_file_name(&name);
            prop_assert!(says.version.is_empty() || !says.version.contains('-'));
        }
    }
}
