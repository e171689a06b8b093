//! Bundles of STIX 2.1 (and 2.0), and what TAXII servers answer: `{objects: […]}`. Indicators are read, with patterns of
//! STIX's own language; what stands around them, such as malware and reports, says nothing to look for.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::fault;
use super::gather::{At, Gather};
use super::json::Object;
use super::text::{Allowance, Lines, named_after, record_name, shown, utf8};
use super::{stix_pattern, stix_reduce};
use crate::model::fault::Fault;
use crate::model::text::counted;
use crate::model::time::Time;

/// Objects that give indicators their surroundings.
const AROUND: &[&str] = &[
    "attack-pattern",
    "campaign",
    "course-of-action",
    "extension-definition",
    "grouping",
    "identity",
    "incident",
    "infrastructure",
    "intrusion-set",
    "language-content",
    "location",
    "malware",
    "malware-analysis",
    "marking-definition",
    "note",
    "opinion",
    "relationship",
    "report",
    "sighting",
    "threat-actor",
    "tool",
    "vulnerability",
];

/// Reads a bundle.
///
/// # Errors
/// When it is none.
pub fn read(origin: &str, bytes: &[u8], into: &mut Gather) -> Result<(), Fault> {
    let text = utf8(origin, bytes)?;
    let stop = |why: String| fault(origin, Some((1, 1)), why);
    let objects: Option<Vec<&RawValue>> = Object::whole(origin, text)?.get("objects").map_err(stop)?;
    let objects =
        objects.ok_or_else(|| stop("it has no `objects`: a bundle of STIX 2.1 (JSON) is wanted".to_owned()))?;
    let otherwise = named_after(origin);
    let mut lines = Lines::of(text);
    let mut allowance = Allowance::of(origin);
    let mut others: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for raw in objects {
        let line = lines.line(raw.get());
        allowance.take(line)?;
        let at = At { origin, line: Some(line), record: &otherwise };
        let object = Object::part(raw).and_then(|object| Ok((object.get::<String>("type")?, object)));
        match object {
            Ok((Some(kind), object)) if kind == "indicator" => indicator(&object, at, &mut allowance, into)?,
            Ok((Some(kind), _)) if AROUND.contains(&kind.as_str()) => {}
            Ok((kind, _)) => others.entry(shown(&kind.unwrap_or_default())).or_insert((0, line)).0 += 1,
            Err(why) => {
                into.record(None);
                into.unused(at, format!("an object cannot be read: {why}"));
            }
        }
    }
    for (kind, (count, line)) in others {
        let why = format!("{} of the type `{kind}`: only indicators say what to look for", counted(count, "object"));
        into.unused(At { origin, line: Some(line), record: "" }, why);
    }
    Ok(())
}

/// What an indicator says of itself.
struct Indicator {
    record: String,
    modified: Option<Time>,
    is_revoked: bool,
    is_benign: bool,
    valid_until: Option<String>,
    language: Option<String>,
    pattern: String,
}

fn indicator(object: &Object<'_>, at: At<'_>, allowance: &mut Allowance<'_>, into: &mut Gather) -> Result<(), Fault> {
    let found = match facts(object, at.record) {
        Ok(found) => found,
        Err(why) => {
            into.record(None);
            into.unused(at, format!("an indicator cannot be read: {why}"));
            return Ok(());
        }
    };
    into.record(found.modified);
    let at = At { record: &found.record, ..at };
    if let Some(why) = passed(&found, into) {
        into.passed(at, why);
        return Ok(());
    }
    if let Some(language) = found.language.filter(|language| !language.eq_ignore_ascii_case("stix")) {
        into.unused(at, format!("its pattern is of the type `{}`; only those of STIX are read", shown(&language)));
        return Ok(());
    }
    let expr = match stix_pattern::parse(&found.pattern) {
        Ok(expr) => expr,
        Err(misread) => {
            into.unused(at, format!("its pattern is not understood at character {}: {}", misread.at, misread.why));
            return Ok(());
        }
    };
    for one in stix_reduce::things(&expr) {
        allowance.take(at.line.unwrap_or_default())?;
        match one {
            Ok(thing) => into.thing(at, thing),
            Err(why) => into.unused(at, why),
        }
    }
    Ok(())
}

fn facts(object: &Object<'_>, otherwise: &str) -> Result<Indicator, String> {
    let time = |key: &str| Ok::<_, String>(object.get::<String>(key)?.and_then(|text| Time::parse(&text).ok()));
    // 2.0 has `labels` for what 2.1 calls `indicator_types`.
    let kinds = [object.get::<Vec<String>>("indicator_types")?, object.get::<Vec<String>>("labels")?];
    Ok(Indicator {
        record: record_name(&object.get::<String>("id")?.unwrap_or_default(), otherwise),
        modified: time("modified")?.or(time("created")?),
        is_revoked: object.get("revoked")?.unwrap_or_default(),
        is_benign: kinds.iter().flatten().flatten().any(|kind| kind == "benign"),
        valid_until: object.get("valid_until")?,
        language: object.get("pattern_type")?,
        pattern: object.get("pattern")?.ok_or("it has no `pattern`")?,
    })
}

/// Why an indicator no longer says, or never said, that something is bad.
fn passed(found: &Indicator, into: &Gather) -> Option<String> {
    if found.is_revoked {
        return Some("it was revoked".to_owned());
    }
    if found.is_benign {
        return Some("it is for what is benign".to_owned());
    }
    let until = found.valid_until.as_deref().and_then(|text| Time::parse(text).ok())?;
    into.is_over(until).then(|| format!("it was valid until {}", until.day()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::intel::import::testing;

    fn bundle(objects: &[&str]) -> String {
        format!("{{\"type\": \"bundle\", \"id\": \"bundle--1\", \"objects\": [\n{}\n]}}", objects.join(",\n"))
    }

    /// An indicator with this pattern, and more of what is in JSON.
    fn one(id: u32, pattern: &str, more: &str) -> String {
        let pattern = serde_json::to_string(pattern).unwrap();
        format!(
            r#"{{"type": "indicator", "spec_version": "2.1", "id": "indicator--{id}", "modified": "2026-03-2{id}T08:41:10.163Z", "pattern_type": "stix", "pattern": {pattern}{more}}}"#
        )
    }

    const HASH: &str = "71e35aef03099cd1f2d6446734273025a163597de93912df321ef118bf135238";

    #[test]
    fn every_indicator_is_used_or_named() {
        let objects = [
            one(1, &format!("[file:hashes.'SHA-256' = '{HASH}' AND file:name = 'litellm_init.pth']"), ""),
            one(2, "[domain-name:value='models.litellm.cloud' OR ipv4-addr:value='46.151.182.203']", ""),
            one(3, "[url:value = 'https://checkmarx.zone/raw']", r#", "valid_until": "2026-06-02T00:00:00Z""#),
            one(4, "[domain-name:value='old.example']", r#", "valid_until": "2026-05-01T00:00:00Z""#),
            one(5, "[domain-name:value='revoked.example']", r#", "revoked": true"#),
            one(6, "[domain-name:value='good.example']", r#", "indicator_types": ["benign"]"#),
            one(7, "rule x {}", r#", "pattern_type ": 1"#).replace("\"stix\"", "\"yara\""),
            one(8, "[domain-name:value='x.example'", ""),
            one(9, "[process:name = 'x']", ""),
            r#"{"type": "indicator", "id": "indicator--10"}"#.to_owned(),
            r#"{"type": "indicator", "pattern": "[url:value='a']", "pattern": "[url:value='b']"}"#.to_owned(),
            r#"{"type": "indicator", "pattern": 7}"#.to_owned(),
            r#"{"type": "malware", "id": "malware--1"}"#.to_owned(),
            r#"{"type": "relationship"}"#.to_owned(),
            r#"{"type": "domain-name", "value": "x.example"}"#.to_owned(),
            r#"{"type": "domain-name", "value": "y.example"}"#.to_owned(),
            "7".to_owned(),
        ];
        let all = testing::read(read, &bundle(&objects.each_ref().map(String::as_str)));
        assert_eq!(
            all.used,
            [
                format!("file litellm_init.pth {HASH}").as_str(),
                "host 46.151.182.203",
                "host checkmarx.zone",
                "host models.litellm.cloud",
            ]
        );
        // One indicator is two things; the two observations are one note; malware and relationship are around.
        assert_eq!((all.records, all.total()), (13, 13 + 1 + 1), "{:#?}", all.notes);
        for part in [
            "passed over: dir/feed.txt, line 5, indicator--4: it was valid until 2026-05-01",
            "passed over: dir/feed.txt, line 6, indicator--5: it was revoked",
            "passed over: dir/feed.txt, line 7, indicator--6: it is for what is benign",
            "line 8, indicator--7: its pattern is of the type `yara`",
            "line 9, indicator--8: its pattern is not understood at character 31: `]` is wanted there",
            "line 10, indicator--9: `process:name` is `x`",
            "line 11, dir-feed: an indicator cannot be read: it has no `pattern`",
            "line 12, dir-feed: an object cannot be read: the key `pattern` is there twice",
            "line 13, dir-feed: an indicator cannot be read: its `pattern` is not what it should be",
            "line 16: 2 objects of the type `domain-name`",
            "line 18, dir-feed: an object cannot be read: invalid type",
        ] {
            assert!(all.tells(part), "{part}: {:#?}", all.notes);
        }
    }

    #[test]
    fn bundles_of_2_0_and_answers_of_servers_are_read() {
        let text = r#"{"more": false, "objects": [{"type": "indicator", "id": "indicator--1", "labels": ["malicious-activity"],
            "pattern": "[file:hashes.\"SHA-256\" = '71e35aef03099cd1f2d6446734273025a163597de93912df321ef118bf135238']"}]}"#;
        assert_eq!(testing::read(read, &format!("\u{feff}{text}\r\n")).used, [format!("hash {HASH}")]);
    }

    #[test]
    fn what_is_no_bundle_is_a_fault() {
        for (text, why) in [
            ("[]", "expected an object"),
            ("{\"type\": \"bundle\"}", "it has no `objects`"),
            ("{\"objects\": 7}", "its `objects` is not what it should be"),
            ("{\"objects\": [{}", "is it whole?"),
            ("{\"objects\": [], \"objects\": []}", "is there twice"),
        ] {
            let found = testing::fault(read, text.as_bytes());
            assert!(found.line() == Some(1) && found.why.contains(why), "{found:?}");
        }
        assert!(testing::fault(read, format!("{{\"objects\": {}", "[".repeat(1_000_000)).as_bytes()).place.is_some());
    }

    #[test]
    fn what_one_bundle_says_is_bounded() {
        let many = vec!["a:b = 1"; 90_000].join(" OR ");
        let objects: Vec<String> = (1..=6).map(|id| one(id, &format!("[{many}]"), "")).collect();
        let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
        assert!(testing::fault(read, bundle(&objects).as_bytes()).why.contains("split it"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(
            text in r#"("(type|id|pattern|revoked|valid_until)":|"indicator"|true|"\[a:b='x'\]"|[{}\[\]",:*1]|\PC){0,40}"#,
            pattern in r#"(\[|\]|file:(name|hashes\.sha256)|'x/y'| = | AND | OR |domain-name:value|\PC){0,20}"#
        ) {
            testing::survives(read, bundle(&[&text]).as_bytes());
            testing::survives(read, bundle(&[&one(1, &pattern, "")]).as_bytes());
        }
    }
}
