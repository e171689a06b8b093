//! What the contract (section 5) says of every report, whatever was swept.

use std::collections::BTreeMap;

use serde_json::Value;

use super::json;
use super::program::{Run, rows};

/// The top-level keys, in the contract's order.
const TOP: &[&str] = &[
    "schema",
    "tool",
    "host",
    "sweep",
    "packs",
    "verdict",
    "summary",
    "accounts",
    "interpreters",
    "environments",
    "distributions",
    "startup_hooks",
    "autostarts",
    "processes",
    "connections",
    "traces",
    "credentials",
    "findings",
    "exposures",
    "rotation",
    "timeline",
    "coverage",
];

/// The keys that a row of each section has at least.
const ROWS: &[(&str, &str)] = &[
    ("packs", "id version modified indicators sha256 signed_by origin"),
    ("accounts", "name uid gid groups home shell privileged"),
    ("interpreters", "id path real_path implementation version version_source kind account environments"),
    ("environments", "id path kind python_version site_dirs base account owner_uid created container tool"),
    (
        "distributions",
        "id environment name normalized version path metadata state installer installed_at source_url record",
    ),
    ("startup_hooks", "id path kind environment distribution run_by judgement reasons sha256 lines"),
    (
        "findings",
        "id rule incident indicator level severity confidence title stage subject environment accounts evidence also_at \
         attack accepted first_seen advice",
    ),
    ("exposures", "id incident environment accounts from until ran because reach"),
    ("timeline", "at kind what path ref"),
    ("coverage.checks", "id state reason"),
    ("coverage.gaps", "check path reason detail material"),
    ("coverage.skipped", "path why"),
];

/// The keys of the objects that are no lists of rows.
const OBJECTS: &[(&str, &str)] = &[
    ("tool", "name version build sha256"),
    ("host", "name os os_version kernel arch machine_id boot_time"),
    ("sweep", "id started finished duration_ms root platform live user privileged options sandbox"),
    ("verdict", "level coverage scope exit_code sentence"),
    ("coverage", "entries directories files_read bytes_read checks gaps skipped"),
];

/// The prefixes that the contract names; the other sections have one of their own.
const PREFIXES: &[(&str, &str)] =
    &[("environments", "env"), ("distributions", "dist"), ("findings", "find"), ("credentials", "cred")];

/// Words of closed lists.
const WORDS: &[(&str, &str, &str)] = &[
    ("distributions", "state", "installed editable cached embedded pinned leftover considered"),
    (
        "distributions",
        "metadata",
        "dist-info egg-info-dir egg-info-file egg-dir egg-zip egg-link conda-meta wheel sdist lockfile zipapp frozen vendored \
         directory",
    ),
    ("startup_hooks", "kind", "pth start sitecustomize usercustomize ._pth environment pyc"),
    ("startup_hooks", "judgement", "known-bad malicious-shape review explained plain"),
    ("findings", "level", "compromised suspicious exposed none"),
    ("findings", "severity", "critical high medium low info"),
    ("findings", "confidence", "confirmed probable possible"),
    (
        "findings",
        "stage",
        "installed editable cached embedded pinned leftover dropped executed persisted running referenced",
    ),
    ("exposures", "ran", "yes likely no-sign unknown"),
    ("coverage.checks", "state", "complete gaps not-applicable off"),
    ("environments", "kind", KINDS),
];

/// The contract's list of environment kinds, by hand.
const KINDS: &str = "system homebrew framework xcode macports windows-installer windows-store pymanager embeddable \
    winpython scoop chocolatey nuget pyenv pyenv-virtualenv asdf mise uv-python uv-venv uv-tool uv-cache rye hatch pdm \
    pdm-pep582 poetry pipenv virtualenvwrapper virtualenv venv pipx conda-base conda-env conda-pkgs-cache pixi pypy \
    graalpy jython ironpython user-site pip-target pip-prefix pip-cache lambda-layer jupyter bundled app-bundle snap \
    flatpak nix-store guix-store tox nox pre-commit pex-root shiv-root zip-dir pyinstaller gh-runner container-layer \
    trash unknown";

/// Everything about a report that breaks the contract. `mark` is a name that only the path of the root has.
pub(crate) fn faults(run: &Run, mark: &str) -> Vec<String> {
    let mut out = Vec::new();
    let top = json::top_level(&run.text);
    let keys: Vec<&str> = top.iter().map(|(key, _)| *key).collect();
    if keys != TOP {
        out.push(format!("top-level keys are {keys:?}"));
    }
    if run.report["schema"] != "pysweep.report/1" {
        out.push(format!("the schema is {}", run.report["schema"]));
    }
    for (key, text) in top.iter().filter(|(key, text)| *key != "sweep" && text.contains(mark)) {
        out.push(format!("the mount point appears in {key}: {}", json::around(text, mark)));
    }
    for (name, keys) in OBJECTS {
        out.extend(lacking(name, &run.report[*name], keys));
    }
    for (section, keys) in ROWS {
        // What one row lacks, all of its kind lack: one example is enough.
        out.extend(rows(&run.report, section).iter().find_map(|row| lacking(section, row, keys)));
    }
    out.extend(bad_words(&run.report));
    out.extend(bad_ids(&run.report));
    out.extend(bad_references(&run.report));
    bad_values("", &run.report, &mut out);
    out
}

fn lacking(name: &str, row: &Value, keys: &str) -> Option<String> {
    let missing: Vec<&str> = keys.split_whitespace().filter(|key| row.get(key).is_none()).collect();
    (!missing.is_empty()).then(|| format!("a row of {name} has no {}: {row}", missing.join(", ")))
}

fn bad_words(report: &Value) -> Vec<String> {
    let mut out = Vec::new();
    for (section, field, words) in WORDS {
        let said = rows(report, section).iter().filter_map(|row| row[*field].as_str());
        let strange = said.filter(|said| !words.split_whitespace().any(|word| word == *said));
        out.extend(strange.map(|said| format!("{section} has the {field} {said}, which the contract does not know")));
    }
    out
}

/// Ids are a prefix and 16 hex digits, unique in their section.
fn bad_ids(report: &Value) -> Vec<String> {
    let mut out = Vec::new();
    let sections = TOP.iter().filter(|name| **name != "packs" && report[**name].is_array());
    for section in sections {
        let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
        for id in rows(report, section).iter().filter_map(|row| row["id"].as_str()) {
            *seen.entry(id).or_default() += 1;
            let (prefix, digits) = id.split_once('-').unwrap_or_default();
            let wanted = PREFIXES.iter().find(|(name, _)| name == section).map_or(prefix, |(_, prefix)| *prefix);
            if prefix != wanted || prefix.is_empty() || digits.len() != 16 || !is_hex(digits) {
                out.push(format!("{section} has the id {id}"));
            }
        }
        let repeated = seen.into_iter().filter(|(_, count)| *count > 1);
        out.extend(repeated.map(|(id, count)| format!("{section} has the id {id} {count} times")));
    }
    out
}

/// A field named after a row kind holds the id of a row that is there.
fn bad_references(report: &Value) -> Vec<String> {
    let ids =
        |section: &str| -> Vec<&str> { rows(report, section).iter().filter_map(|row| row["id"].as_str()).collect() };
    let (environments, distributions) = (ids("environments"), ids("distributions"));
    let mut out = Vec::new();
    for section in ["distributions", "startup_hooks", "findings", "exposures"] {
        for row in rows(report, section) {
            for (field, known) in [("environment", &environments), ("distribution", &distributions)] {
                if row[field].as_str().is_some_and(|id| !known.contains(&id)) {
                    out.push(format!("{section} names {} as {field}, which is not there", row[field]));
                }
            }
        }
    }
    for row in rows(report, "interpreters") {
        let named = row["environments"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let strange = named.filter(|id| !environments.contains(id));
        out.extend(strange.map(|id| format!("an interpreter names the environment {id}, which is not there")));
    }
    out
}

/// Values whose form the contract settles wherever they stand: hashes, times, excerpts, lists of paths.
fn bad_values(at: &str, value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                if at != "/packs" && is_bad(key, inner) {
                    out.push(format!("{at}/{key} is {inner}"));
                }
                bad_values(&format!("{at}/{key}"), inner, out);
            }
        }
        // One place for all rows of a list: what is wrong with one is wrong with all.
        Value::Array(all) => all.iter().for_each(|inner| bad_values(at, inner, out)),
        _ => {}
    }
}

fn is_bad(key: &str, value: &Value) -> bool {
    match (key, value) {
        ("sha256", Value::String(text)) => text.len() != 64 || !is_hex(text),
        ("excerpt" | "text", Value::String(text)) => text.chars().count() > 200,
        ("created" | "installed_at" | "first_seen" | "from" | "until" | "at" | "started" | "finished", value)
        | ("modified", value @ Value::String(_)) => value.as_str().is_some_and(|text| !is_time(text)),
        ("site_dirs" | "also_at", Value::Array(all)) => all.iter().any(|path| !path["path"].is_string()),
        ("path", Value::String(text)) => !(text.starts_with('/') || text.get(1..3) == Some(":\\")),
        _ => false,
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|at| at.is_ascii_digit() || (b'a'..=b'f').contains(&at))
}

/// `2026-03-24T11:02:17Z`.
fn is_time(text: &str) -> bool {
    let form = "0000-00-00T00:00:00Z";
    text.len() == form.len()
        && form.bytes().zip(text.bytes()).all(|(form, at)| form == at || (form == b'0' && at.is_ascii_digit()))
}
