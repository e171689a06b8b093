//! pip's cache (pip's documentation, "Caching"; CacheControl's serialisation): responses under the SHA-224 of their URL in
//! five folders of one letter, `http-v2/a/b/c/d/e/HASH` with the body beside it as `HASH.body`, and before pip 23.3
//! `http/a/b/c/d/e/HASH` with the body inside: `cc=4,` and MessagePack. Wheels that pip built lie under `wheels/` and are
//! read as every wheel; `origin.json` beside them says of which sources they were made.

use std::ops::Range;

use serde::Deserialize;

use super::body::{self, Body};
use super::{Opened, folders, head, open};
use crate::extract::Extractor;
use crate::extract::format::msgpack::{Item, Items};
use crate::extract::format::part::Part;
use crate::extract::format::read_at::ReadAt;
use crate::extract::format::zip::Fault;
use crate::extract::input::Input;
use crate::model::coverage::GapReason;
use crate::model::distribution::Distribution;
use crate::model::facts::{CacheNote, Harvest};
use crate::model::id::lower_sha256;
use crate::model::interest::{Ask, Interest, NamePattern};
use crate::model::path::TargetPath;
use crate::model::text::Excerpt;
use crate::model::watch::Watch;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "pip-cache",
        sentence: "Downloads that pip keeps (http, http-v2), and where the wheels came from that it built.",
        ask: Ask::FileNames(&[
            NamePattern::HexDigits(56),
            NamePattern::Suffix(".body"),
            NamePattern::Exact("origin.json"),
        ]),
    },
    // Bodies are archives of any size: only their ends and beginnings are read.
    cap: 1 << 20,
    read,
};

/// In front of the MessagePack of a response.
const MARK: &[u8] = b"cc=4,";

fn read(input: &Input<'_>) -> Harvest {
    let above = folders(&input.candidate.path);
    let name = input.candidate.name;
    let is_in = |folder: &str| above.iter().any(|name| name.eq_ignore_ascii_case(folder));
    if name.eq_ignore_ascii_case(b"origin.json") {
        return if is_in("wheels") { origin(input) } else { Harvest::default() };
    }
    let is_read = match is_body(name) {
        true => is_in("http-v2") || is_in("http"),
        // What `http-v2` keeps in such a file is the headers alone.
        false => is_in("http") && !is_in("http-v2"),
    };
    if is_read { response(input) } else { Harvest::default() }
}

/// Whether a file is a body, and no record that holds one.
fn is_body(name: &[u8]) -> bool {
    name.to_ascii_lowercase().ends_with(b".body")
}

fn response(input: &Input<'_>) -> Harvest {
    let Opened { file, modified } = match open(input) {
        Ok(opened) => opened,
        Err(why) => return Harvest::missed(input.gap(why)),
    };
    let path = input.candidate.path.clone();
    match look(&input.at_will(&file), path, input.watch) {
        Ok(None) => Harvest::default(),
        Ok(Some((found, fault))) => {
            let mut harvest = Harvest::default();
            harvest.facts.distributions.push(Distribution { installed_at: Some(modified), ..found });
            let gap = |fault: Fault| input.gap(fault.reason).because(fault.says).harmless();
            harvest.gaps.extend(fault.map(gap));
            harvest
        }
        Err(fault) => Harvest::missed(input.gap(fault.reason).because(format!("a download: {}", fault.says))),
    }
}

/// What a body holds, or the record of a response; and why its hash is not known, if so.
fn look<F: ReadAt + ?Sized>(
    file: &F,
    path: TargetPath,
    watch: &Watch,
) -> Result<Option<(Distribution, Option<Fault>)>, Fault> {
    let place = if is_body(path.file_name()) { Some(0..file.size()) } else { body_of(file)? };
    let Some(place) = place else { return Ok(None) };
    let body = Part::of(file, place);
    match body::of(&body) {
        Body::Of(found) => Ok(Some(found.distribution(path, &body, watch))),
        Body::Nothing => Ok(None),
        Body::Broken(fault) => Err(fault),
    }
}

/// The same for a fuzz target.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Distribution> {
    look(bytes, TargetPath::new(b"/http/x"), &Watch::default()).ok().flatten().map(|(found, _)| found)
}

const OLD: Fault =
    Fault { reason: GapReason::Malformed, says: "a response in the form of pip before 10, which is not read" };
const DAMAGED: Fault = Fault { reason: GapReason::Malformed, says: "the record of a response is damaged" };

/// Where the body of a response lies in its record; none for a file that is no record.
fn body_of<F: ReadAt + ?Sized>(file: &F) -> Result<Option<Range<u64>>, Fault> {
    let mut buffer = [0; MARK.len()];
    match head(file, &mut buffer) {
        Ok(mark) if mark == MARK => {}
        Ok(mark) if mark.starts_with(b"cc=") => {
            return Err(OLD);
        }
        _ => return Ok(None),
    }
    let mut items = Items::at(file, MARK.len() as u64);
    let found = items.enter("response").and_then(|()| items.enter("body")).and_then(|()| items.take());
    match found {
        Some(Item::Bytes(place) | Item::Text(place)) => Ok(Some(place)),
        _ => Err(DAMAGED),
    }
}

/// `origin.json` (PEP 610's form): the archive of sources that a wheel was built from.
#[derive(Deserialize)]
struct Origin {
    url: String,
    #[serde(default)]
    archive_info: ArchiveInfo,
}

#[derive(Deserialize, Default)]
struct ArchiveInfo {
    #[serde(default)]
    hash: Option<String>,
    #[serde(default)]
    hashes: Hashes,
}

#[derive(Deserialize, Default)]
struct Hashes {
    #[serde(default)]
    sha256: Option<String>,
}

fn origin(input: &Input<'_>) -> Harvest {
    let content = match input.open_candidate().and_then(|file| input.read_open(file, input.cap)) {
        Ok(content) => content,
        Err(why) => return Harvest::missed(input.gap(why).harmless()),
    };
    let Some(origin) = parse_origin(&content.bytes) else {
        // The wheel beside it is read by itself.
        return Harvest::missed(input.gap(GapReason::Malformed).because("it is no origin of a wheel").harmless());
    };
    let mut harvest = Harvest::default();
    let note = CacheNote { source_url: Some(Excerpt::address(&origin.url)), ..CacheNote::about(input.folder()) };
    harvest.facts.cache_notes.push(CacheNote { sha256: origin.sha256(), ..note });
    harvest
}

fn parse_origin(bytes: &[u8]) -> Option<Origin> {
    serde_json::from_slice(bytes).ok()
}

impl Origin {
    fn sha256(&self) -> Option<String> {
        let info = &self.archive_info;
        let old = info.hash.as_deref().and_then(|hash| hash.strip_prefix("sha256="));
        lower_sha256(info.hashes.sha256.as_deref().or(old)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(body: &[u8]) -> Vec<u8> {
        let size = u8::try_from(body.len()).unwrap();
        [b"cc=4,\x82\xa8response\x82\xa4body\xc4".as_slice(), &[size], body, b"\xa6status\xcc\xc8\xa4vary\x80"].concat()
    }

    #[test]
    fn the_body_lies_in_the_record() {
        let metadata = b"Metadata-Version: 2.1\nName: six\nVersion: 1.0\n\n";
        let found = parse(&record(metadata)).unwrap();
        assert_eq!((found.name.as_str(), found.version.as_str()), ("six", "1.0"));
        assert_eq!(parse(&record(b"<html>six-1.0-py3-none-any.whl")), None);
        assert_eq!(body_of(b"PK\x03\x04".as_slice()), Ok(None));
        assert!(body_of(b"cc=4,\x82\xa8response\x81\xa4body\xc6\xff\xff\xff\xff".as_slice()).is_err());
        assert!(body_of(b"cc=2,xx".as_slice()).is_err());
    }

    #[test]
    fn origins_name_the_sources() {
        let hash = "a".repeat(64);
        for json in [
            format!(r#"{{"url": "https://x/a.tar.gz", "archive_info": {{"hashes": {{"sha256": "{hash}"}}}}}}"#),
            format!(r#"{{"url": "https://x/a.tar.gz", "archive_info": {{"hash": "sha256={hash}"}}}}"#),
        ] {
            assert_eq!(parse_origin(json.as_bytes()).unwrap().sha256().unwrap(), hash);
        }
        let bad = parse_origin(br#"{"url": "x", "archive_info": {"hash": "sha256=zz"}}"#).unwrap();
        assert_eq!(bad.sha256(), None);
        assert!(parse_origin(b"[]").is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_stop_it(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&[MARK, &bytes].concat());
            let _ = parse_origin(&bytes);
        }
    }
}
