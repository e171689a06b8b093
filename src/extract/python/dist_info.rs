//! `NAME-VERSION.dist-info/`, the metadata of an installed distribution (recording installed distributions
//! specification): METADATA names it, INSTALLER and direct_url.json say where it came from, RECORD what it owns.
//!
//! pip leaves `~ame-VERSION.dist-info` behind when a removal is interrupted; its METADATA still tells the truth.

use serde::Deserialize;

use super::metadata::{self, Around};
use super::{record, site_dir};
use crate::extract::Extractor;
use crate::extract::format::headers::Headers;
use crate::extract::input::Input;
use crate::model::coverage::{Gap, GapReason};
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, EntryKind, Interest, NamePattern};
use crate::model::path::TargetPath;
use crate::model::python::{DistState, Distribution, MetadataForm, RecordState};
use crate::model::text::Excerpt;
use crate::target::dir::Dir;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "dist-info",
        sentence: "The metadata folders of distributions (NAME-VERSION.dist-info).",
        ask: Ask::Names(&[NamePattern::Suffix(".dist-info")]),
    },
    cap: metadata::HEADER_CAP,
    read,
};

/// INSTALLER holds one word, direct_url.json one small object.
const SMALL: u64 = 64 << 10;

fn read(input: &Input<'_>) -> Harvest {
    let candidate = input.candidate;
    let folder = metadata::parse_folder_name(strip_suffix(candidate.name, b".dist-info"));
    // A container layer says so that the folder below it is gone: no distribution, and nothing missed.
    if candidate.name.starts_with(b".wh.") {
        return Harvest::default();
    }
    let mut harvest = Harvest::default();
    harvest.facts.site_dirs.extend(site_dir::holding(input.folder(), candidate.dir));
    let around = |changed| Around { path: candidate.path.clone(), form: MetadataForm::DistInfo, changed };
    match input.open_dir() {
        Ok(dir) => {
            let (headers, gap) = metadata::read_headers(input, &dir, &candidate.path, b"METADATA");
            harvest.gaps.extend(gap.map(|gap| metadata::settle(gap, &headers, &folder)));
            let mut found = metadata::distribution(around(dir.stat().map(|stat| stat.modified)), &headers, folder);
            harvest.gaps.extend(add_origin(input, &dir, &mut found));
            harvest.gaps.extend(add_record(input, &dir, &mut found));
            metadata::keep(input, found, &mut harvest);
        }
        Err(why) => {
            let gap = input.gap(why).because("the folder's name was used");
            harvest.gaps.push(if why == GapReason::Exhausted { gap } else { gap.harmless() });
            // A whiteout of a container layer, a FIFO: there is no distribution behind the name. A refused folder or a
            // link that cannot be followed may well have one.
            if candidate.kind != EntryKind::Other && candidate.kind != EntryKind::File {
                let found = metadata::distribution(around(None), &Headers::default(), folder);
                metadata::keep(input, found, &mut harvest);
            }
        }
    }
    harvest
}

fn add_origin(input: &Input<'_>, dir: &Dir, found: &mut Distribution) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut small = |name: &[u8]| match input.read(dir, &found.path, name, SMALL) {
        Ok(content) => Some(content.bytes),
        Err(why) if site_dir::is_absent(why) => None,
        Err(why) => {
            gaps.push(input.gap_at(found.path.join(name), why).harmless());
            None
        }
    };
    let installer = small(b"INSTALLER");
    let direct_url = small(b"direct_url.json");
    found.installer = installer.map(|bytes| Excerpt::of(bytes.trim_ascii()));
    let origin = direct_url.and_then(|bytes| parse_direct_url(&bytes));
    if origin.as_ref().is_some_and(|origin| origin.dir_info.editable) && found.state == DistState::Installed {
        found.state = DistState::Editable;
    }
    found.source_url = origin.map(|origin| Excerpt::of(origin.url.as_bytes()));
    gaps
}

/// direct_url.json (PEP 610), as far as it matters here.
#[derive(Deserialize)]
struct DirectUrl {
    url: String,
    #[serde(default)]
    dir_info: DirInfo,
}

#[derive(Deserialize, Default)]
struct DirInfo {
    #[serde(default)]
    editable: bool,
}

fn parse_direct_url(bytes: &[u8]) -> Option<DirectUrl> {
    serde_json::from_slice(bytes).ok()
}

fn add_record(input: &Input<'_>, dir: &Dir, found: &mut Distribution) -> Option<Gap> {
    let path: TargetPath = found.path.join(b"RECORD");
    let size = match input.stream(dir, &found.path, b"RECORD", record::CAP) {
        Ok(stream) => {
            let rows = record::parse(stream);
            found.hooks = rows.hooks;
            found.record.state = if rows.fault.is_some() { RecordState::Unreadable } else { RecordState::Unverified };
            if let Some(fault) = rows.fault {
                return Some(input.gap_at(path, GapReason::Malformed).because(fault).harmless());
            }
            if rows.absolute > 0 {
                let detail = format!("{} rows name absolute paths; they are not followed", rows.absolute);
                return Some(input.gap_at(path, GapReason::Malformed).because(detail).harmless());
            }
            dir.stat_entry(b"RECORD").map_or(0, |stat| stat.size)
        }
        Err(why) if site_dir::is_absent(why) => return None,
        Err(why) => {
            found.record.state = RecordState::Unreadable;
            return Some(input.gap_at(path, why).harmless());
        }
    };
    (size > record::CAP)
        .then(|| input.gap_at(path, GapReason::TooLarge).because("rows beyond 64 MiB were not read").harmless())
}

/// `name` without `suffix`, whatever its case.
pub(super) fn strip_suffix<'n>(name: &'n [u8], suffix: &[u8]) -> &'n [u8] {
    name.len().checked_sub(suffix.len()).and_then(|at| name.get(..at)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn direct_urls_are_read_and_junk_is_not() {
        let json = br#"{"url": "https://example.org/x.whl", "archive_info": {}}"#;
        assert_eq!(parse_direct_url(json).unwrap().url, "https://example.org/x.whl");
        assert!(
            parse_direct_url(br#"{"url": "file:///x", "dir_info": {"editable": true}}"#).unwrap().dir_info.editable
        );
        assert!(parse_direct_url(b"{\"url\": 7}").is_none());
        assert!(parse_direct_url(b"\0\0").is_none());
    }
}
