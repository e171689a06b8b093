//! Exposure catalogues of bumblebee (`threat_intel/*.json`): `{schema_version, entries: [{id, ecosystem, package, versions}]}`,
//! by its schemas 0.1.0 and 0.2.0. Versions are exact; `["*"]` is all of them, from 0.2.0 on.

use serde_json::value::RawValue;

use super::fault;
use super::gather::{At, Gather, is_python};
use super::json::Object;
use super::text::{Allowance, Lines, named_after, record_name, shown, utf8};
use super::values::{Named, package};
use crate::model::fault::Fault;

/// The schemas that are read.
const SCHEMAS: &[&str] = &["0.1.0", "0.2.0"];

/// Reads a catalogue.
///
/// # Errors
/// When it is none, or of another schema.
pub fn read(origin: &str, bytes: &[u8], into: &mut Gather) -> Result<(), Fault> {
    let text = utf8(origin, bytes)?;
    let top = Object::whole(origin, text)?;
    let stop = |why: String| fault(origin, Some((1, 1)), why);
    let schema: String = top.get("schema_version").map_err(stop)?.unwrap_or_default();
    if !SCHEMAS.contains(&schema.as_str()) {
        let known = SCHEMAS.join(" and ");
        return Err(stop(format!("its schema_version is `{}`; those that are read are {known}", shown(&schema))));
    }
    let entries: Option<Vec<&RawValue>> = top.get("entries").map_err(stop)?;
    let entries = entries.ok_or_else(|| stop("it has no `entries`: a catalogue of bumblebee is wanted".to_owned()))?;
    for key in top.keys().filter(|key| !matches!(*key, "schema_version" | "entries" | "_comment" | "$schema")) {
        into.unused(At { origin, line: None, record: "" }, format!("`{}` is free text, in no fixed shape", shown(key)));
    }
    let otherwise = named_after(origin);
    let mut lines = Lines::of(text);
    let mut allowance = Allowance::of(origin);
    for raw in entries {
        let line = lines.line(raw.get());
        allowance.take(line)?;
        into.record(None);
        let at = At { origin, line: Some(line), record: &otherwise };
        if let Err(why) = entry(raw, at, &schema, into) {
            into.unused(at, format!("an entry cannot be read: {why}"));
        }
    }
    Ok(())
}

fn entry(raw: &RawValue, at: At<'_>, schema: &str, into: &mut Gather) -> Result<(), String> {
    let entry = Object::part(raw)?;
    let text = |key: &str| entry.get::<String>(key)?.ok_or_else(|| format!("it has no `{key}`"));
    let (id, ecosystem, name) = (text("id")?, text("ecosystem")?, text("package")?);
    let versions: Vec<String> = entry.get("versions")?.ok_or("it has no `versions`")?;
    let record = record_name(&id, at.record);
    let at = At { record: &record, ..at };
    let is_all = versions.iter().any(|one| one.trim() == "*");
    if is_python(&ecosystem) && is_all && (versions.len() > 1 || schema == "0.1.0") {
        let why = "says `*` beside versions, or by a schema that does not know it: that is all versions or none";
        into.unused(at, format!("`{}` {why}", shown(&name)));
        return Ok(());
    }
    if is_python(&ecosystem) && entry.keys().any(|key| key == "indicators") {
        into.unused(at, format!("the `indicators` of `{}` are free text, in no fixed shape", shown(&name)));
    }
    let versions = versions.iter().map(String::as_str).collect();
    package(into, at, &Named { ecosystem: &ecosystem, name: &name, versions, modified: None });
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::intel::import::testing;

    fn catalogue(entries: &str) -> String {
        format!("{{\"schema_version\": \"0.2.0\", \"_comment\": \"x\",\n\"entries\": [\n{entries}\n]}}")
    }

    #[test]
    fn every_entry_is_used_or_named() {
        let text = catalogue(
            r#"{"id": "x-1", "name": "n", "ecosystem": "pypi", "package": "Env_Loader-cli", "versions": ["0.1.1", "0.1.0"]},
{"id": "x-2", "ecosystem": "pypi", "package": "typo", "versions": ["*"], "severity": "critical"},
{"id": "x-3", "ecosystem": "pypi", "package": "both", "versions": ["*", "1.0"]},
{"id": "x-4", "ecosystem": "npm", "package": "left", "versions": ["1.0"]},
{"id": "x-5", "ecosystem": "pypi", "package": "twice", "versions": ["1"], "versions": ["2"]},
{"id": "x-6", "ecosystem": "pypi", "versions": ["1"]},
{"id": "x-7", "ecosystem": "pypi", "package": "none", "versions": []},
{"id": "x-8", "ecosystem": "pypi", "package": "wrong", "versions": "1.0"},
{"id": "", "ecosystem": "PyPI", "package": "nameless", "versions": ["1.0"]},
[1], "text""#,
        );
        let all = testing::read(read, &text);
        assert_eq!(
            all.used,
            [
                r#"["env-loader-cli","x-1",null,["0.1.0","0.1.1"]]"#,
                r#"["nameless","dir-feed",null,["1.0"]]"#,
                r#"["typo","x-2",null,"*"]"#
            ]
        );
        assert_eq!((all.records, all.total()), (11, 11), "{:#?}", all.notes);
        for part in [
            "line 5, x-3: `both` says `*` beside versions",
            "passed over: dir/feed.txt, line 6, x-4",
            "line 7, dir-feed: an entry cannot be read: the key `versions` is there twice",
            "line 8, dir-feed: an entry cannot be read: it has no `package`",
            "line 10, dir-feed: an entry cannot be read: its `versions` is not what it should be: invalid type: string",
        ] {
            assert!(all.tells(part), "{part}: {:#?}", all.notes);
        }
    }

    #[test]
    fn what_has_no_fixed_shape_is_named() {
        let text = r#"{"schema_version": "0.1.0", "_indicators": {"x": 1}, "entries": [
            {"id": "a", "ecosystem": "pypi", "package": "p", "versions": ["1"], "indicators": {}},
            {"id": "b", "ecosystem": "pypi", "package": "q", "versions": ["*"]}]}"#;
        let all = testing::read(read, text);
        assert_eq!((all.used.len(), all.notes.len()), (1, 3), "{:#?}", all.notes);
    }

    #[test]
    fn what_is_no_catalogue_is_a_fault() {
        for (text, why) in [
            ("", "is it whole?"),
            ("{\"schema_version\": \"0.2.0\", \"entries\": [", "is it whole?"),
            ("{\"schema_version\": \"9\", \"entries\": []}", "its schema_version is `9`"),
            ("{\"schema_version\": \"0.2.0\"}", "it has no `entries`"),
            ("{\"schema_version\": \"0.2.0\", \"entries\": [], \"entries\": []}", "there twice"),
        ] {
            let found = testing::fault(read, text.as_bytes());
            assert!(found.line().is_some() && found.why.contains(why), "{found:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(text in r#"("(id|ecosystem|package|versions)":|"pypi"|[{}\[\]",:*1]|\PC){0,60}"#) {
            testing::survives(read, catalogue(&text).as_bytes());
            testing::survives(read, text.as_bytes());
        }
    }
}
