//! `NAME-VERSION.dist-info/`, the metadata of an installed distribution (recording installed distributions
//! specification): METADATA names it, INSTALLER and direct_url.json say where it came from, RECORD what it owns. That of an
//! editable install (PEP 660) says in direct_url.json which source tree it is linked to.
//!
//! pip leaves `~ame-VERSION.dist-info` behind when a removal is interrupted; its METADATA still tells the truth.

use serde::Deserialize;

use super::metadata::{self, Around};
use super::{record_facts, site_dir};
use crate::extract::Extractor;
use crate::extract::format::headers::Headers;
use crate::extract::format::names;
use crate::extract::input::Input;
use crate::model::coverage::{Gap, GapReason};
use crate::model::distribution::{DistState, Distribution, MetadataForm};
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, EntryKind, Interest, NamePattern};
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
    let folder = names::parse_folder_name(strip_suffix(candidate.name, b".dist-info"));
    // A container layer says so that the folder below it is gone: no distribution, and nothing missed.
    if candidate.name.starts_with(b".wh.") {
        return Harvest::default();
    }
    let mut harvest = Harvest::default();
    harvest.facts.site_dirs.extend(site_dir::holding(input.folder(), candidate.dir));
    let around = |changed| Around { path: candidate.path.clone(), form: MetadataForm::DistInfo, changed };
    match input.open_dir() {
        Ok(dir) => {
            let told = metadata::read_headers(input, &dir, &candidate.path, b"METADATA");
            harvest.gaps.extend(told.gap.map(|gap| metadata::settle(gap, &told.headers, &folder)));
            let mut found = metadata::distribution(around(dir.stat().map(|stat| stat.modified)), &told.headers, folder);
            found.linked = told.linked;
            harvest.gaps.extend(add_origin(input, &dir, &mut found));
            harvest.gaps.extend(record_facts::add(input, &dir, &mut found));
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
    if let Some(path) =
        origin.as_ref().filter(|origin| origin.dir_info.editable).map(|origin| parse_file_url(&origin.url))
    {
        if found.state == DistState::Installed {
            found.state = DistState::Editable;
        }
        let root = &input.target.root;
        found.source = path.map(|path| {
            let written = root.target_path(&path);
            match root.resolve(&written) {
                Ok(place) => root.path_of(&place),
                Err(why) => {
                    let gap = input.gap(why).because(format!("the source tree {} was not reached", written.to_text()));
                    // What is not on this target cannot be imported here; what is refused can.
                    gaps.push(if why == GapReason::PermissionDenied { gap } else { gap.harmless() });
                    written
                }
            }
        });
    }
    found.source_url = origin.map(|origin| Excerpt::address(&origin.url));
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

/// The path of a `file:` URL, percent signs resolved: `file:///home/mia/src`, `file:///C:/src`.
fn parse_file_url(url: &str) -> Option<Vec<u8>> {
    let rest = url.strip_prefix("file://")?;
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        let escaped = tail
            .get(..2)
            .filter(|_| *byte == b'%')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        out.push(escaped.unwrap_or(*byte));
        rest = if escaped.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    (out.starts_with(b"/") && !out.contains(&0)).then_some(out)
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

    #[test]
    fn file_urls_name_paths() {
        assert_eq!(parse_file_url("file:///home/mia/my%20src").as_deref(), Some(b"/home/mia/my src".as_slice()));
        assert_eq!(parse_file_url("file:///C:/src").as_deref(), Some(b"/C:/src".as_slice()));
        assert_eq!(parse_file_url("file:///100%").as_deref(), Some(b"/100%".as_slice()));
        assert_eq!(parse_file_url("https://x/y"), None);
        assert_eq!(parse_file_url("file:///a%00b"), None);
    }
}
