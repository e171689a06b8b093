//! Files, paths, hosts and addresses of feeds: each value checked and brought into the form of packs, and the indicators
//! made of them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::gather::Thing;
use super::hosts::is_shared;
use crate::intel::pack::{Indicator, Kind};
use crate::intel::watching::EVERYWHERE;
use crate::model::finding::{Confidence, Stage};
use crate::model::id::{hex, sha256_of_hex};
use crate::model::verdict::Level;

/// How an archive's name ends: what is stored, not what runs.
const ARCHIVES: &[&str] = &[".whl", ".tar.gz", ".zip", ".tgz", ".egg", ".tar.bz2", ".gem", ".deb", ".rpm"];

/// SHA-256 of files without content, or of a line end: lists hold them by mistake, and every host has such files.
const EMPTY: &[&str] = &[
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b",
    "7eb70257593da06f682a3ddda54a9d260d4fc514f645237f5ca74b08f8da61a6",
];

/// The value in the form of packs, or why it cannot be used.
pub(super) fn settled(thing: Thing) -> Result<Thing, String> {
    match thing {
        Thing::File { sha256, name } => {
            let digest = sha256_text(&sha256)?;
            if EMPTY.contains(&digest.as_str()) {
                return Err(format!("`{digest}` is the hash of a file with nothing in it"));
            }
            Ok(Thing::File { sha256: digest, name: name.as_deref().and_then(plain_name) })
        }
        Thing::Path(path) => path_pattern(&path).map(Thing::Path),
        Thing::Domain(name) => domain(&name).map(Thing::Domain),
        Thing::Ip(text) => address(&text).map(Thing::Ip),
        Thing::Url(text) => url(&text),
    }
}

/// A SHA-256 as packs write it, from hex or from the base64 of RECORD and of lock files.
///
/// # Errors
/// Why it is none.
pub fn sha256_text(text: &str) -> Result<String, String> {
    let bare = text.trim();
    let bare =
        ["sha256:", "sha256=", "sha256-", "SHA256:"].iter().find_map(|start| bare.strip_prefix(start)).unwrap_or(bare);
    if let Some(digest) = sha256_of_hex(bare) {
        return Ok(hex(&digest));
    }
    let unpadded = bare.trim_end_matches('=');
    let decoded = URL_SAFE_NO_PAD.decode(unpadded).or_else(|_| STANDARD_NO_PAD.decode(unpadded));
    if let (43, Ok(digest)) = (unpadded.len(), decoded) {
        return Ok(hex(&digest));
    }
    let is_hex = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
    Err(match (is_hex, bare.len()) {
        (true, 32) => format!("`{bare}` is an MD5; only SHA-256 is compared"),
        (true, 40) => format!("`{bare}` is a SHA-1; only SHA-256 is compared"),
        (true, 128) => format!("`{}…` is a SHA-512; only SHA-256 is compared", bare.get(..16).unwrap_or(bare)),
        _ => format!("`{}` is no SHA-256", bare.chars().take(80).collect::<String>()),
    })
}

/// The file name of a path, if files of that name are few.
fn plain_name(path: &str) -> Option<String> {
    let name = path.rsplit(['/', '\\']).next()?.trim();
    let is_plain =
        !name.is_empty() && name.len() <= 200 && !name.contains(['*', '?', '{']) && !name.chars().any(char::is_control);
    (is_plain && !EVERYWHERE.contains(&name.to_lowercase().as_str())).then(|| name.to_owned())
}

fn path_pattern(path: &str) -> Result<String, String> {
    let path = path.trim().replace('\\', "/");
    let shown = || path.chars().take(120).collect::<String>();
    let rest = ["~/", "$HOME/", "${HOME}/", "%USERPROFILE%/"].iter().find_map(|start| path.strip_prefix(start));
    let path_ = match rest {
        Some(rest) => format!("{{home}}/{rest}"),
        None => match path.strip_prefix("/root/") {
            Some(rest) => format!("{{home}}/{rest}"),
            None => match path.strip_prefix("/tmp/") {
                Some(rest) => format!("{{tmp}}/{rest}"),
                None => path.clone(),
            },
        },
    };
    let starts = ["{home}/", "{site}/", "{tmp}/", "**/", "/"];
    if !starts.iter().any(|start| path_.starts_with(start)) {
        return Err(format!("`{}` says nothing of where it lies", shown()));
    }
    let names: Vec<&str> = path_.split('/').skip(1).collect();
    if names.iter().any(|name| matches!(*name, "" | "." | "..") || name.contains(['?', '[', '(', '%', '$', '<'])) {
        return Err(format!("`{}` is no path that can be looked for", shown()));
    }
    match names.last() {
        Some(name) if !name.contains('*') => Ok(path_),
        _ => Err(format!("the last name of `{}` is a pattern, which without content is that of many files", shown())),
    }
}

fn domain(name: &str) -> Result<String, String> {
    let bare = name.trim().trim_start_matches("*.").trim_end_matches('.').replace("[.]", ".").to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if bare.len() > 253
        || bare.split('.').count() < 2
        || !bare.split('.').all(is_label)
        || bare.parse::<IpAddr>().is_ok()
    {
        return Err(format!("`{}` is no host name", name.chars().take(120).collect::<String>()));
    }
    if is_shared(&bare) {
        return Err(format!("`{bare}` serves everybody: its name alone says nothing"));
    }
    Ok(bare)
}

fn address(text: &str) -> Result<String, String> {
    let bare = text.trim().replace("[.]", ".");
    if bare.contains('/') {
        return Err(format!("`{bare}` is a range of addresses; only single ones are compared"));
    }
    let parsed: IpAddr =
        bare.parse().map_err(|_| format!("`{}` is no address", bare.chars().take(80).collect::<String>()))?;
    let is_own = match parsed {
        IpAddr::V4(at) => {
            at.is_private() || at.is_loopback() || at.is_link_local() || at.is_unspecified() || at.is_broadcast()
        }
        IpAddr::V6(at) => at.is_loopback() || at.is_unspecified(),
    };
    let is_resolver = matches!(bare.as_str(), "8.8.8.8" | "8.8.4.4" | "1.1.1.1" | "1.0.0.1" | "9.9.9.9");
    if is_own || is_resolver {
        return Err(format!("`{bare}` is an address that every host uses"));
    }
    Ok(bare)
}

fn url(text: &str) -> Result<Thing, String> {
    let text = text.trim().replace("[.]", ".").replace("hxxp", "http");
    let rest = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if !text.contains("://") && authority.contains('@') {
        return Err(format!("`{}` is an address of mail", text.chars().take(120).collect::<String>()));
    }
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
    if host.parse::<IpAddr>().is_ok() {
        return address(&host).map(Thing::Ip);
    }
    let path = rest.get(authority.len()..).unwrap_or_default();
    if is_shared(&host) && path.len() > 4 && !text.chars().any(char::is_whitespace) && text.len() <= 500 {
        return Ok(Thing::Url(rest.to_owned()));
    }
    domain(&host).map(Thing::Domain)
}

/// The indicators of every record.
pub(super) fn indicators(pack: &str, things: BTreeMap<String, BTreeSet<Thing>>, source: &str) -> Vec<Indicator> {
    let mut out = Vec::new();
    let mut seen: BTreeSet<Thing> = BTreeSet::new();
    for (record, things) in things {
        let fresh: Vec<Thing> = things.into_iter().filter(|thing| seen.insert(thing.clone())).collect();
        let mut made = of_record(pack, &record, fresh);
        for (number, one) in made.iter_mut().enumerate() {
            one.id = format!("{pack}-{}-{}", slug(&record), number + 1);
            one.confidence = Confidence::Probable;
            one.references = vec![if record.is_empty() { source.to_owned() } else { record.clone() }];
        }
        out.append(&mut made);
    }
    let mut ids = BTreeSet::new();
    for (at, one) in out.iter_mut().enumerate() {
        if !ids.insert(one.id.clone()) {
            // Two records whose ids differ only in what an id cannot hold.
            one.id = format!("{}-{at}", one.id);
            ids.insert(one.id.clone());
        }
    }
    out
}

fn of_record(pack: &str, record: &str, things: Vec<Thing>) -> Vec<Indicator> {
    let mut network = Indicator::empty(String::new(), Kind::Network);
    network.meaning = format!("A host or address of {record} in the feed {pack}; notes and block lists name it too.");
    let mut nameless = Indicator::empty(String::new(), Kind::File);
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut out = Vec::new();
    for thing in things {
        match thing {
            Thing::File { sha256, name: Some(name) } => files.entry(name).or_default().push(sha256),
            Thing::File { sha256, name: None } => nameless.sha256.push(sha256),
            Thing::Path(path) => {
                let mut one = Indicator::empty(String::new(), Kind::File);
                one.meaning =
                    format!("A file at a place that {record} in the feed {pack} names; its content was not compared.");
                one.paths = vec![path];
                one.stage = Stage::Dropped;
                out.push(one);
            }
            Thing::Domain(name) => network.domains.push(name),
            Thing::Ip(address) => network.ips.push(address),
            Thing::Url(text) => {
                let mut one = Indicator::empty(String::new(), Kind::String);
                one.meaning = format!("An address on a shared service that {record} in the feed {pack} names.");
                one.contains = vec![text];
                out.push(one);
            }
        }
    }
    for (name, sha256) in files {
        let lower = name.to_lowercase();
        let is_archive = ARCHIVES.iter().any(|end| lower.ends_with(end));
        let (stage, level) =
            if is_archive { (Stage::Cached, Level::Exposed) } else { (Stage::Dropped, Level::Compromised) };
        let mut one = Indicator::empty(String::new(), Kind::File);
        one.meaning = format!("The file {name} with a hash that {record} in the feed {pack} calls malicious.");
        (one.names, one.sha256, one.stage, one.level) = (vec![name], sha256, stage, level);
        out.push(one);
    }
    if !nameless.sha256.is_empty() {
        nameless.meaning = format!("A file with a hash that {record} in the feed {pack} calls malicious.");
        (nameless.stage, nameless.level) = (Stage::Dropped, Level::Compromised);
        out.push(nameless);
    }
    if !network.domains.is_empty() || !network.ips.is_empty() {
        out.push(network);
    }
    out
}

/// A record's id as part of ours.
pub(super) fn slug(record: &str) -> String {
    let plain = |at: char| if at.is_ascii_alphanumeric() || matches!(at, '-' | '_' | '.') { at } else { '-' };
    record.chars().take(80).map(plain).collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_read_in_every_spelling_and_others_are_named() {
        let hex = "71e35aef03099cd1f2d6446734273025a163597de93912df321ef118bf135238";
        for text in [
            hex,
            &hex.to_uppercase(),
            &format!("sha256:{hex}"),
            "ceNa7wMJnNHy1kRnNCcwJaFjWX3pORLfMh7xGL8TUjg",
            "sha256=ceNa7wMJnNHy1kRnNCcwJaFjWX3pORLfMh7xGL8TUjg=",
        ] {
            assert_eq!(sha256_text(text).unwrap(), hex, "{text}");
        }
        assert!(sha256_text("85ED77A21B88CAE721F369FA6B7BBBA3").unwrap_err().contains("MD5"));
        assert!(sha256_text("665bb8add8c21d28a961fe3f93c12b249df10787").unwrap_err().contains("SHA-1"));
        assert!(sha256_text("").is_err() && sha256_text("sha256:zz").is_err());
    }

    #[test]
    fn what_names_many_honest_things_is_not_taken() {
        assert!(settled(Thing::Domain("github.com".into())).is_err());
        assert!(settled(Thing::Ip("10.0.0.1".into())).is_err() && settled(Thing::Ip("1.2.3.0/24".into())).is_err());
        assert!(settled(Thing::Path("evil.py".into())).is_err() && settled(Thing::Path("/tmp/*".into())).is_err());
        let file = Thing::File { sha256: "0".repeat(64), name: Some("x/__init__.py".into()) };
        assert_eq!(settled(file).unwrap(), Thing::File { sha256: "0".repeat(64), name: None });
        assert!(EMPTY.iter().all(|hash| settled(Thing::File { sha256: hash.to_string(), name: None }).is_err()));
    }

    #[test]
    fn addresses_are_taken_apart() {
        let is = |text: &str| settled(Thing::Url(text.into())).unwrap();
        assert_eq!(is("hxxps://models.litellm[.]cloud/x"), Thing::Domain("models.litellm.cloud".into()));
        assert_eq!(is("http://u:p@83.142.209.11:8080/raw"), Thing::Ip("83.142.209.11".into()));
        assert_eq!(is("https://litter.catbox.moe/abc.sh"), Thing::Url("litter.catbox.moe/abc.sh".into()));
        assert!(settled(Thing::Url("https://github.com/".into())).is_err());
        assert!(settled(Thing::Url("mailto:x@proton.example".into())).unwrap_err().contains("mail"));
        assert_eq!(
            settled(Thing::Path("~/.config/x/y.py".into())).unwrap(),
            Thing::Path("{home}/.config/x/y.py".into())
        );
    }
}
