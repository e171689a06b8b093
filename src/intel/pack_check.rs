//! What the types of a pack cannot express: ids used twice, matchers without meaning, values that are none. The first
//! fault stops the run.

use std::collections::HashSet;
use std::net::IpAddr;

use super::import::sha256_text;
use super::pack::{Indicator, Kind, Pack, SCHEMA};
use super::table::{Row, Versions};
use super::version;
use crate::model::finding::Confidence;
use crate::model::system_package::{ECOSYSTEMS, upstream};
use crate::model::time::Time;
use crate::model::verdict::Level;

/// A fault that serde cannot see: which id it concerns, and what is wrong.
#[derive(Debug)]
pub struct Fault {
    /// Text to find the line by, such as the indicator's id.
    pub near: String,
    /// What is wrong.
    pub why: String,
}

/// Holds a pack against the rules that its types cannot express. The first fault stops the run.
///
/// # Errors
/// The fault.
pub fn check(pack: &Pack) -> Result<(), Fault> {
    let fault = |near: &str, why: String| Err(Fault { near: near.to_owned(), why });
    if pack.schema != SCHEMA {
        return fault(&pack.schema, format!("schema is `{}`, this version reads `{SCHEMA}`", pack.schema));
    }
    let is_plain = |id: &str| {
        !id.is_empty() && id.len() <= 200 && id.bytes().all(|at| at.is_ascii_alphanumeric() || b"-._".contains(&at))
    };
    if let Some(bad) =
        std::iter::once(&pack.id).chain(pack.indicators.iter().map(|one| &one.id)).find(|id| !is_plain(id))
    {
        return fault(
            bad,
            format!("the id {bad:?} has more in it than letters, digits, `-`, `.` and `_`, or is too long"),
        );
    }
    if pack.count() == 0 {
        return fault("indicators", "a pack without indicators finds nothing".to_owned());
    }
    let ids: HashSet<&str> = pack.indicators.iter().map(|one| one.id.as_str()).collect();
    let mut seen = HashSet::new();
    for one in &pack.indicators {
        if !seen.insert(one.id.as_str()) {
            return fault(&one.id, format!("the indicator id `{}` is used twice", one.id));
        }
        check_matchers(one)?;
        check_values(one)?;
        check_paths(one)?;
        check_sense(pack, one)?;
        if let Some(unknown) = one.all_of.iter().chain(&one.any_of).find(|id| !ids.contains(id.as_str())) {
            return fault(unknown, format!("`{}` depends on `{unknown}`, which this pack does not have", one.id));
        }
    }
    check_table(&pack.packages)
}

/// The lines of a table: sorted, each once, names normalised, versions by PEP 440 or marked.
fn check_table(rows: &[Row]) -> Result<(), Fault> {
    let fault = |row: &Row, why: String| Err(Fault { near: row.record.to_string(), why });
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    for row in rows {
        if row.name.is_empty() || !row.name.bytes().all(is_plain) || row.name.contains("--") {
            return fault(row, format!("`{}` is no normalised name (PEP 503)", row.name));
        }
        if row.record.is_empty() || row.record.chars().any(|at| at.is_control() || at.is_whitespace()) {
            return fault(row, format!("the line of `{}` has no record id without blanks", row.name));
        }
        if let Some(day) = row.modified.as_deref().filter(|day| Time::parse(day).is_err()) {
            return fault(row, format!("`{day}` in the line of `{}` is no date", row.name));
        }
        let Versions::These(these) = &row.versions else { continue };
        if these.is_empty() {
            return fault(row, format!("the line of `{}` names no version; `\"*\"` is all of them", row.name));
        }
        if let Some(bad) = these.iter().find(|text| !version::is_valid(text)) {
            let why = "is not a version by PEP 440; mark a text that is none with ===";
            return fault(row, format!("`{bad}` in the line of `{}` {why}", row.name));
        }
    }
    let unordered = rows.iter().zip(rows.iter().skip(1)).find(|(a, b)| a.key() >= b.key());
    match unordered {
        Some((_, row)) => {
            fault(row, format!("the line of `{}` and `{}` is not in order or there twice", row.name, row.record))
        }
        None => Ok(()),
    }
}

fn check_matchers(one: &Indicator) -> Result<(), Fault> {
    let fault = |why: String| Err(Fault { near: one.id.clone(), why });
    let (set, may) = (given(one), permitted(one.kind));
    let kind = one.kind.name();
    if let Some(stray) = set.iter().find(|field| !may.contains(field)) {
        return fault(format!("`{}`: `{stray}` has no meaning for type `{kind}`", one.id));
    }
    if set.is_empty() || set == ["ecosystem"] {
        return fault(format!("`{}` matches nothing: give one of {}", one.id, may.join(", ")));
    }
    if one.kind == Kind::Package {
        let ways = [!one.versions.is_empty(), one.specifier.is_some(), one.all_versions];
        if one.name.is_none() || !(one.ecosystem.as_deref() == Some("pypi") || one.is_of_system()) {
            let others = ECOSYSTEMS.join(", ");
            return fault(format!("`{}` needs `name` and `ecosystem` \"pypi\" or one of {others}", one.id));
        }
        if one.is_of_system() && one.specifier.is_some() {
            return fault(format!("`{}`: `specifier` is for packages of Python only", one.id));
        }
        if ways.iter().filter(|way| **way).count() != 1 {
            return fault(format!("`{}` needs exactly one of `versions`, `specifier` and `all_versions`", one.id));
        }
    }
    check_needed(one)
}

/// What a kind cannot do without, so that it is found at all and means something when it is.
fn check_needed(one: &Indicator) -> Result<(), Fault> {
    let fault = |why: &str| Err(Fault { near: one.id.clone(), why: format!("`{}` needs {why}", one.id) });
    let has_content = !one.sha256.is_empty() || one.size.is_some() || !one.contains.is_empty();
    let is_telling = !one.sha256.is_empty() || !one.contains.is_empty();
    let has_star = |text: &String| text.rsplit('/').next().is_some_and(|name| name.contains('*'));
    match one.kind {
        Kind::File if one.paths.is_empty() && one.names.is_empty() && one.sha256.is_empty() => {
            fault("`paths`, `names` or `sha256`: files are found by name before their content is read")
        }
        Kind::File if one.paths.is_empty() && !has_content => {
            fault("`sha256`, `size` or `contains`: a name anywhere means nothing")
        }
        Kind::Startup if one.names.is_empty() => fault("`names`"),
        Kind::Persistence if one.paths.is_empty() == one.starts.is_none() => {
            fault("either `paths`, the files that hold it, or `kind`, the means by which it is started")
        }
        Kind::Persistence if one.starts.is_some() && one.contains.is_empty() && one.name.is_none() => {
            fault("`name` or `contains`: its kind alone is that of many honest things")
        }
        Kind::Workflow if one.paths.is_empty() || one.contains.is_empty() => {
            fault("`paths` and `contains`: the file name of a pipeline alone means nothing")
        }
        Kind::Network if one.domains.is_empty() && one.ips.is_empty() => {
            fault("`domains` or `ips`: the path of a URL alone means nothing")
        }
        Kind::Container if one.images.is_empty() && one.digests.is_empty() && one.pods.is_empty() => {
            fault("`images`, `digests` or `pods`: the name of a container alone means nothing")
        }
        _ if !is_telling && one.paths.iter().chain(&one.names).any(has_star) => {
            fault("`sha256` or `contains`: a name with stars is that of many honest files")
        }
        _ => Ok(()),
    }
}

/// Whether a text is the name of a host with a dot in it, as packs write it.
fn is_host(text: &str) -> bool {
    let bare = text.strip_prefix("*.").unwrap_or(text);
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|at| at.is_ascii_alphanumeric() || matches!(at, b'-' | b'_'))
    };
    bare.len() <= 253 && bare.contains('.') && bare.split('.').all(is_label)
}

fn check_values(one: &Indicator) -> Result<(), Fault> {
    let fault = |near: &str, why: String| Err(Fault { near: near.to_owned(), why });
    let is_hash = |hash: &&String| hash.len() == 64 && hash.bytes().all(|at| matches!(at, b'0'..=b'9' | b'a'..=b'f'));
    if let Some(bad) = one.sha256.iter().find(|hash| !is_hash(hash)) {
        let hint = match sha256_text(bad) {
            Ok(hex) => format!(": it is one in another spelling, write `{hex}`"),
            Err(_) => String::new(),
        };
        return fault(bad, format!("`{}`: `{bad}` is not a SHA-256 in lower-case hex{hint}", one.id));
    }
    if one.is_of_system() {
        let ecosystem = one.ecosystem.as_deref().unwrap_or_default();
        let is_bare = |text: &&String| !text.is_empty() && upstream(ecosystem, text) == text.as_str();
        if let Some(bad) = one.versions.iter().find(|text| !is_bare(text)) {
            let why = "has an epoch or a packager's count in it; write the version of the software alone";
            return fault(bad, format!("`{}`: `{bad}` {why}", one.id));
        }
    } else if let Some(bad) = one.versions.iter().find(|text| !version::is_valid(text)) {
        return fault(
            bad,
            format!("`{}`: `{bad}` is not a version by PEP 440; mark a text that is none with ===", one.id),
        );
    }
    if let Some(bad) = one.specifier.as_deref().filter(|text| !version::is_valid_specifier(text)) {
        return fault(bad, format!("`{}`: `{bad}` is not a version specifier by PEP 440", one.id));
    }
    if let Some(bad) = one.ips.iter().find(|text| text.parse::<IpAddr>().is_err()) {
        return fault(bad, format!("`{}`: `{bad}` is no single address", one.id));
    }
    if let Some(bad) = one.domains.iter().find(|text| !is_host(text)) {
        return fault(
            bad,
            format!("`{}`: `{bad}` is no host name; only `*.` in front may stand for the hosts below", one.id),
        );
    }
    let is_commit = |text: &&String| {
        (7..=64).contains(&text.len()) && text.bytes().all(|at| matches!(at, b'0'..=b'9' | b'a'..=b'f'))
    };
    if let Some(bad) = one.commits.iter().find(|text| !is_commit(text)) {
        return fault(bad, format!("`{}`: `{bad}` is no commit id of 7 to 64 digits in lower-case hex", one.id));
    }
    let places = one.paths.iter().chain(&one.names).chain(&one.pods);
    if let Some(bad) = places.clone().find(|text| text.chars().any(char::is_control)) {
        return fault(&one.id, format!("`{}`: {bad:?} has a control character in it", one.id));
    }
    if one.confidence == Confidence::Possible && one.level > Level::Exposed {
        return fault(&one.id, format!("`{}`: what is only possible cannot be more than `exposed`", one.id));
    }
    Ok(())
}

/// Empty texts match everything or nothing, and a condition on what is not looked for never holds.
fn check_sense(pack: &Pack, one: &Indicator) -> Result<(), Fault> {
    let fault = |why: String| Err(Fault { near: one.id.clone(), why });
    let lists = [
        &one.names,
        &one.paths,
        &one.contains,
        &one.cmdline,
        &one.domains,
        &one.ips,
        &one.url_paths,
        &one.images,
        &one.digests,
        &one.pods,
        &one.commits,
        &one.namespaces,
        &one.repositories,
        &one.messages,
    ];
    let has_empty = lists.into_iter().flatten().any(|text| text.trim().is_empty());
    if has_empty || one.name.as_ref().is_some_and(|name| name.trim().is_empty()) {
        return fault(format!("`{}` has an empty text", one.id));
    }
    let asked = one.all_of.iter().chain(&one.any_of);
    let known = |id: &&String| pack.indicators.iter().find(|other| other.id == **id);
    if let Some(deaf) = asked.clone().find(|id| known(id).is_some_and(|other| !other.kind.is_looked_for())) {
        return fault(format!("`{}` depends on `{deaf}`, which this version does not look for", one.id));
    }
    let is_closed = pack.window.as_ref().is_some_and(|window| window.until.is_some());
    if one.bad_within.is_some() && !is_closed {
        return fault(format!("`{}` was bad within a window, and the pack has none with an end", one.id));
    }
    if asked.clone().any(|id| *id == one.id) {
        return fault(format!("`{}` depends on itself", one.id));
    }
    Ok(())
}

fn check_paths(one: &Indicator) -> Result<(), Fault> {
    let fault = |near: &str, why: String| Err(Fault { near: near.to_owned(), why });
    let is_findable = |path: &&String| {
        let mut names = path.rsplit('/');
        let (name, folder) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
        !name.is_empty() && (!name.contains('*') || !(folder.is_empty() || folder.contains(['*', '{'])))
    };
    let has_files = one.kind != Kind::Process;
    if let Some(bad) = one.paths.iter().find(|path| has_files && !is_findable(path)) {
        let why = "must be a plain file name, or one with stars in a folder of a plain name";
        return fault(bad, format!("`{}`: the last name of `{bad}` {why}", one.id));
    }
    let is_module = |name: &&String| name.contains('/') || (name.contains('*') && !name.ends_with(".pth"));
    if let Some(bad) = one.names.iter().find(|name| one.kind == Kind::Startup && is_module(name)) {
        let why = "is no plain name of a site directory's file, or has stars and is no .pth";
        return fault(bad, format!("`{}`: `{bad}` {why}", one.id));
    }
    if let Some(bad) = one.names.iter().find(|name| one.kind == Kind::File && name.contains(['/', '*'])) {
        return fault(bad, format!("`{}`: `{bad}` is no plain file name; patterns belong into `paths`", one.id));
    }
    let is_clean = |path: &&String| path.split('/').skip(1).all(|name| !matches!(name, "" | "." | ".."));
    if let Some(bad) = one.paths.iter().find(|path| !is_clean(path)) {
        return fault(bad, format!("`{}`: `{bad}` has an empty name or a dot name in it", one.id));
    }
    let is_placed =
        |path: &&String| ["{home}/", "{site}/", "{tmp}/", "**/", "/"].iter().any(|start| path.starts_with(start));
    if let Some(bad) = one.paths.iter().find(|path| !is_placed(path)) {
        return fault(bad, format!("`{}`: `{bad}` must begin with {{home}}/, {{site}}/, {{tmp}}/, **/ or /", one.id));
    }
    Ok(())
}

/// The matchers that a kind may carry, by field name.
fn permitted(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Package => &["ecosystem", "name", "versions", "specifier", "all_versions"],
        Kind::File => &["paths", "names", "sha256", "size", "contains"],
        Kind::Startup => &["names", "sha256", "size", "contains"],
        Kind::Persistence => &["name", "kind", "paths", "contains", "sha256"],
        Kind::Process => &["name", "cmdline", "paths", "sha256"],
        Kind::Network => &["domains", "ips", "url_paths"],
        Kind::Container => &["name", "images", "digests", "pods", "namespaces"],
        Kind::Workflow => &["paths", "contains", "bad_within"],
        Kind::Git => &["commits", "repositories", "messages"],
        Kind::String => &["contains"],
    }
}

/// The matchers that an indicator gives, by field name.
fn given(one: &Indicator) -> Vec<&'static str> {
    let lists: [(&'static str, bool); 23] = [
        ("ecosystem", one.ecosystem.is_some()),
        ("kind", one.starts.is_some()),
        ("name", one.name.is_some()),
        ("names", !one.names.is_empty()),
        ("versions", !one.versions.is_empty()),
        ("specifier", one.specifier.is_some()),
        ("all_versions", one.all_versions),
        ("paths", !one.paths.is_empty()),
        ("sha256", !one.sha256.is_empty()),
        ("size", one.size.is_some()),
        ("contains", !one.contains.is_empty()),
        ("cmdline", !one.cmdline.is_empty()),
        ("domains", !one.domains.is_empty()),
        ("ips", !one.ips.is_empty()),
        ("url_paths", !one.url_paths.is_empty()),
        ("images", !one.images.is_empty()),
        ("digests", !one.digests.is_empty()),
        ("pods", !one.pods.is_empty()),
        ("commits", !one.commits.is_empty()),
        ("namespaces", !one.namespaces.is_empty()),
        ("repositories", !one.repositories.is_empty()),
        ("messages", !one.messages.is_empty()),
        ("bad_within", one.bad_within.is_some()),
    ];
    lists.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect()
}
