//! OSV records (<https://ossf.github.io/osv-schema/>): malicious packages as ossf/malicious-packages, the PyPA and GitHub
//! publish them. Records of vulnerabilities are passed over: a vulnerable package is not a malicious one.
//!
//! What the field has learned about these records: `versions` is what was seen bad, while a range from 0 on covers every
//! honest release of a hijacked project; `origins` are those of the report, not of the package, and their hashes are those
//! of the report; a record that was withdrawn says so, or lies in a folder of that name; addresses may be those of shared
//! services.

use serde::Deserialize;
use serde_json::Value;

use super::gather::{At, Gather, Listed, Thing};
use crate::intel::projects;
use crate::model::distribution::normalize_name;
use crate::model::fault::Fault;
use crate::model::time::Time;

/// Most versions of a living project that a record may list beside a range from the first release on: an honest project
/// has more releases than an attacker makes.
const FEW: usize = 5;

/// Weaknesses that are malice: embedded malicious code, and its kinds.
const MALICE: [&str; 3] = ["CWE-506", "CWE-507", "CWE-912"];

/// A record, as far as it is read.
#[derive(Deserialize)]
struct Record {
    id: String,
    #[serde(default)]
    modified: Option<String>,
    #[serde(default)]
    withdrawn: Option<Value>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    details: Option<String>,
    #[serde(default)]
    affected: Vec<Affected>,
    #[serde(default)]
    database_specific: Value,
}

#[derive(Deserialize)]
struct Affected {
    #[serde(default)]
    package: Option<Package>,
    #[serde(default)]
    versions: Vec<String>,
    #[serde(default)]
    ranges: Vec<Range>,
    #[serde(default)]
    database_specific: Value,
}

#[derive(Deserialize)]
struct Package {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct Range {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    introduced: Option<String>,
    #[serde(default)]
    fixed: Option<String>,
    #[serde(default)]
    last_affected: Option<String>,
}

/// Reads a file that holds a record or a list of them.
///
/// # Errors
/// When it is no such file.
pub fn read(origin: &str, bytes: &[u8], into: &mut Gather) -> Result<(), Fault> {
    let fault = |why: &serde_json::Error| Fault::of_json(origin, why);
    // Tried one after the other, and not as one, so that the fault names its place.
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') => {
            let all: Vec<Record> = serde_json::from_slice(bytes).map_err(|why| fault(&why))?;
            all.iter().for_each(|one| take(origin, one, into));
        }
        _ => take(origin, &serde_json::from_slice(bytes).map_err(|why| fault(&why))?, into),
    }
    Ok(())
}

/// Reads one of the many files of a dump: one that is no record is a row that cannot be used, and the others still count.
pub fn read_of_dump(origin: &str, bytes: &[u8], into: &mut Gather) {
    if let Err(fault) = read(origin, bytes, into) {
        into.record(None);
        let (line, _) = fault.place.unwrap_or_default();
        into.unused(At { origin, line: (line > 0).then_some(line), record: "" }, fault.why);
    }
}

fn take(origin: &str, one: &Record, into: &mut Gather) {
    let stem = || origin.rsplit(['/', '\\']).next().unwrap_or(origin).trim_end_matches(".json");
    // A record that waits for its id is known by its file.
    let record = if one.id.trim().is_empty() { stem() } else { one.id.trim() };
    let at = At { origin, line: None, record };
    let modified = one.modified.as_deref().and_then(|text| Time::parse(text).ok());
    into.record(modified);
    let is_withdrawn = one.withdrawn.as_ref().is_some_and(|value| !value.is_null());
    if is_withdrawn || origin.split(['/', '\\', '!']).any(|folder| folder == "withdrawn") {
        return into.passed(at, "it was withdrawn");
    }
    if !is_malicious(record, one) {
        return into.passed(at, "it is a vulnerability, not a malicious package");
    }
    if one.affected.is_empty() {
        return into.unused(at, "it names no package");
    }
    let is_doubtful = one.details.as_deref().is_some_and(|text| text.contains("PROBABLY_PENTEST"));
    for affected in &one.affected {
        take_affected(at, affected, modified, is_doubtful, into);
        take_inspected(at, &affected.database_specific, into);
    }
    take_addresses(at, one.database_specific.get("iocs"), into);
}

fn is_malicious(record: &str, one: &Record) -> bool {
    let is_mal = |id: &str| id.starts_with("MAL-");
    let weaknesses =
        [&one.database_specific, one.affected.first().map_or(&Value::Null, |first| &first.database_specific)];
    let is_malice =
        weaknesses.iter().flat_map(|value| ["cwe_ids", "cwes"].map(|key| value.get(key))).flatten().any(|list| {
            let ids = list.as_array().into_iter().flatten();
            ids.filter_map(|id| id.as_str().or_else(|| id.get("cweId")?.as_str())).any(|id| MALICE.contains(&id))
        });
    is_mal(record) || one.aliases.iter().any(|id| is_mal(id)) || is_malice
}

fn take_affected(at: At<'_>, affected: &Affected, modified: Option<Time>, is_doubtful: bool, into: &mut Gather) {
    let Some(package) = &affected.package else {
        return into.unused(at, "it affects something without a package");
    };
    let Package { ecosystem, name } = package;
    let listed = |versions| Listed { ecosystem, name, versions, modified, is_doubtful };
    let ranges: Vec<&Range> = affected.ranges.iter().filter(|range| range.kind != "GIT").collect();
    let spans: Vec<Span> = ranges.iter().flat_map(|range| spans(&range.events)).collect();
    let from_first = spans.iter().any(|span| span.is_from_first());
    let is_living = projects::is_living(&normalize_name(name));
    let is_enumerated = from_first && is_living && affected.versions.len() > FEW;
    if !affected.versions.is_empty() && !is_enumerated {
        into.package(at, listed(Some(affected.versions.clone())));
    }
    // What is bad from the first release on is all of it, or wrong about a living project.
    if spans.iter().any(|span| span.is_all() || (span.is_from_first() && is_living)) {
        into.package(at, listed(None));
    }
    let limited: Vec<String> = spans
        .iter()
        .filter(|span| !(span.is_all() || (span.is_from_first() && is_living)))
        .map(Span::specifier)
        .collect();
    if !limited.is_empty() {
        into.package(at, listed(Some(limited)));
    }
    if affected.versions.is_empty() && spans.is_empty() {
        let why = if affected.ranges.is_empty() { "no versions" } else { "only ranges of commits" };
        into.unused(at, format!("`{name}` comes with {why}"));
    }
}

/// One stretch of bad versions.
struct Span {
    from: String,
    to: Option<(&'static str, String)>,
}

impl Span {
    fn is_from_first(&self) -> bool {
        self.from == "0"
    }

    fn is_all(&self) -> bool {
        self.is_from_first() && self.to.is_none()
    }

    fn specifier(&self) -> String {
        let from = (!self.is_from_first()).then(|| format!(">={}", self.from));
        let to = self.to.as_ref().map(|(sign, version)| format!("{sign}{version}"));
        from.into_iter().chain(to).collect::<Vec<_>>().join(",")
    }
}

fn spans(events: &[Event]) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::new();
    for event in events {
        if let Some(from) = &event.introduced {
            out.push(Span { from: from.trim().to_owned(), to: None });
        }
        let end = [("<", &event.fixed), ("<=", &event.last_affected)];
        for (sign, version) in end {
            if let (Some(version), Some(open)) = (version, out.last_mut().filter(|span| span.to.is_none())) {
                open.to = Some((sign, version.trim().to_owned()));
            }
        }
    }
    out
}

/// What amazon-inspector attaches to a package: hashes of files and archives, second stages, addresses.
fn take_inspected(at: At<'_>, specific: &Value, into: &mut Gather) {
    let Some(found) = specific.get("indicators") else { return };
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let list = |key: &str| found.get(key).and_then(Value::as_array).into_iter().flatten();
    for file in list("evidence_files").chain(list("second_stage")) {
        match text(file, "sha256") {
            // They lie in a package, so its RECORD lists them; their names are those of honest files.
            Some(sha256) => into.thing(at, Thing::File { sha256, name: None }),
            None if file.get("url").is_none() => into.unused(at, "a file without a SHA-256"),
            None => {}
        }
        if let Some(url) = text(file, "url") {
            into.thing(at, Thing::Url(url));
        }
    }
    for archive in list("package_integrity") {
        let hashes = archive.get("hashes");
        match hashes.and_then(|all| text(all, "sha256")).or_else(|| text(archive, "sha256")) {
            Some(sha256) => into.thing(at, Thing::File { sha256, name: text(archive, "filename") }),
            None => into.unused(at, "an archive without a SHA-256"),
        }
    }
    take_addresses(at, Some(found), into);
}

fn take_addresses(at: At<'_>, found: Option<&Value>, into: &mut Gather) {
    let texts = |key: &str| found.and_then(|all| all.get(key)?.as_array()).into_iter().flatten();
    for key in ["domains", "urls", "ips", "ip_addresses", "files"] {
        for value in texts(key) {
            let Some(text) = value.as_str().map(str::to_owned) else {
                into.unused(at, format!("a value among its {key} that is no text"));
                continue;
            };
            let thing = match key {
                "domains" => Thing::Domain(text),
                "urls" => Thing::Url(text),
                "files" => Thing::Path(text),
                // The schema's document and its validator differ in this word.
                _ => Thing::Ip(text),
            };
            into.thing(at, thing);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::intel::import::testing;

    const ALL: &str = r#"[{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]"#;

    /// A record of this package with these further members.
    fn record(name: &str, affected: &str, more: &str) -> String {
        let package = format!(r#"{{"ecosystem": "PyPI", "name": "{name}"}}"#);
        format!(
            r#"{{"id": "MAL-1", "modified": "2026-01-02T00:00:00Z", "affected": [{{"package": {package}, {affected}}}]{more}}}"#
        )
    }

    fn used(text: &str) -> Vec<String> {
        testing::read(read, text).used
    }

    fn all(name: &str, more: &str) -> testing::Outcome {
        testing::read(read, &record(name, &format!(r#""ranges": {ALL}"#), more))
    }

    #[test]
    fn versions_and_ranges_are_taken_as_they_are_meant() {
        assert_eq!(all("evil", "").used, [r#"["evil","MAL-1","2026-01-02","*"]"#]);
        let listed = record("evil", r#""versions": ["0.1.2-1", "1.0"]"#, "");
        assert_eq!(used(&listed), [r#"["evil","MAL-1","2026-01-02",["0.1.2-1","1.0"]]"#]);
        let range = r#""ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1.0"}, {"last_affected": "1.4"}]}, {"type": "GIT", "events": [{"introduced": "0"}]}]"#;
        assert_eq!(used(&record("evil", range, "")), [r#"["evil","MAL-1","2026-01-02",[">=1.0,<=1.4"]]"#]);
        assert!(testing::read(read, &record("evil", r#""versions": []"#, "")).tells("no versions"));
    }

    #[test]
    fn a_living_project_is_bad_in_the_versions_that_were_seen_bad() {
        let listed = r#"["fastapi","MAL-1","2026-01-02","*","listed"]"#;
        assert_eq!(all("fastapi", "").used, [listed]);
        let until = r#""ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "0.9"}]}]"#;
        assert_eq!(used(&record("fastapi", until, "")), [listed]);
        let few = format!(r#""versions": ["0.1"], "ranges": {ALL}"#);
        assert_eq!(used(&record("fastapi", &few, "")), [listed, r#"["fastapi","MAL-1","2026-01-02",["0.1"]]"#]);
        // Every release of it, written out.
        let many = format!(r#""versions": ["1", "2", "3", "4", "5", "6"], "ranges": {ALL}"#);
        assert_eq!(used(&record("fastapi", &many, "")), [listed]);
    }

    #[test]
    fn what_is_withdrawn_or_no_malice_is_passed_over() {
        let passed = |text: &str, why: &str| {
            let outcome = testing::read(read, text);
            assert!(outcome.used.is_empty() && outcome.tells(why), "{why}: {outcome:?}");
        };
        passed(&record("evil", r#""versions": ["1"]"#, r#", "withdrawn": "2026-02-01T00:00:00Z""#), "withdrawn");
        let vulnerability = record("django", r#""versions": ["1"]"#, "").replace("MAL-1", "PYSEC-2026-9");
        passed(&vulnerability, "a vulnerability");
        passed(&record("left-pad", r#""versions": ["1"]"#, "").replace("PyPI", "npm"), "ecosystem `npm`");
        assert_eq!(
            used(&vulnerability.replace("\"modified\"", "\"aliases\": [\"MAL-2026-9\"], \"modified\"")).len(),
            1
        );
        let weakness = r#", "database_specific": {"cwe_ids": ["CWE-506"]}"#;
        assert_eq!(used(&record("evil", r#""versions": ["1"]"#, weakness).replace("MAL-1", "GHSA-x")).len(), 1);
        let test = all("deepseek", r#", "details": "Category: PROBABLY_PENTEST""#);
        assert_eq!(test.used, [r#"["deepseek","MAL-1","2026-01-02","*","possible"]"#]);
    }

    #[test]
    fn what_belongs_to_the_report_is_not_taken_for_malware() {
        let origins = r#", "database_specific": {"malicious-packages-origins": [{"sha256": "HASH", "versions": ["9.9"], "ranges": []}]}"#;
        let text = record("evil", r#""versions": ["1"]"#, &origins.replace("HASH", &"a".repeat(64)));
        assert_eq!(used(&text), [r#"["evil","MAL-1","2026-01-02",["1"]]"#]);
    }

    #[test]
    fn hashes_and_addresses_are_taken_under_both_names() {
        let (one, two) = ("1".repeat(64), "2".repeat(64));
        let inspected = format!(
            r#""versions": ["1"], "database_specific": {{"indicators": {{"evidence_files": [{{"path": "x/setup.py", "sha256": "{one}"}}], "package_integrity": [{{"filename": "evil-1.tar.gz", "hashes": {{"sha256": "{two}"}}}}], "second_stage": [{{"url": "https://evil.example/a"}}]}}}}"#
        );
        let more = r#", "database_specific": {"iocs": {"domains": ["c2.example", "github.com", 7], "ips": ["203.0.113.7"], "ip_addresses": ["203.0.113.8", "203.0.113.0/24"]}}"#;
        let outcome = testing::read(read, &record("evil", &inspected, more));
        let file = format!("file evil-1.tar.gz {two}");
        let hash = format!("hash {one}");
        for wanted in [&file, &hash, "host evil.example", "host c2.example", "host 203.0.113.7", "host 203.0.113.8"] {
            assert!(outcome.used.iter().any(|one| one == wanted), "{wanted}: {outcome:?}");
        }
        assert!(outcome.tells("serves everybody") && outcome.tells("no text") && outcome.tells("a range of addresses"));
    }

    #[test]
    fn a_record_that_is_none_is_a_fault_alone_and_a_row_in_a_dump() {
        let twice = r#"{"id": "MAL-1", "id": "MAL-2", "affected": []}"#;
        assert!(testing::fault(read, twice.as_bytes()).why.contains("duplicate field"));
        let deep = format!(r#"{{"id": "MAL-1", "affected": {}"#, "[".repeat(100_000));
        assert!(testing::fault(read, deep.as_bytes()).place.is_some());
        let dump: crate::intel::import::Reader = |origin, bytes, into| {
            read_of_dump(origin, bytes, into);
            Ok(())
        };
        assert!(testing::read(dump, twice).tells("duplicate field"));
        let list = format!(
            "[{}, {}]",
            record("evil", r#""versions": ["1"]"#, ""),
            record("worse", r#""versions": ["1"]"#, "")
        );
        assert_eq!(used(&list).len(), 2);
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[\\[\\]{}\":,a-z0-9 ]{0,80}") {
            testing::survives(read, text.as_bytes());
            testing::survives(read, record("evil", &format!("\"versions\": {text}"), "").as_bytes());
        }
    }
}
