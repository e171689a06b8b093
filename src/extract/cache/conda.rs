//! conda's package cache (conda's documentation, "Package cache"): `pkgs/NAME-VERSION-BUILD/info/index.json` of what is
//! unpacked, with `repodata_record.json` beside it, which has the address and the hash; the archives
//! `NAME-VERSION-BUILD.conda` and `.tar.bz2`; and `urls.txt`, the list of all downloads.

use serde::Deserialize;

use super::{Opened, folders, open};
use crate::extract::Extractor;
use crate::extract::format::part;
use crate::extract::input::Input;
use crate::model::coverage::GapReason;
use crate::model::distribution::{Basics, DistState, Distribution, FolderSays, MetadataForm, normalize_name};
use crate::model::facts::{CacheNote, Harvest};
use crate::model::id::sha256_of_hex;
use crate::model::interest::{Ask, Interest, NamePattern};
use crate::model::path::TargetPath;
use crate::model::text::Excerpt;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "conda-packages",
        sentence: "Packages that conda downloaded: unpacked, as archives, or only named in its list of downloads.",
        ask: Ask::FileNames(&[
            NamePattern::Exact("index.json"),
            NamePattern::Suffix(".conda"),
            NamePattern::Suffix(".tar.bz2"),
            NamePattern::Exact("urls.txt"),
        ]),
    },
    cap: 8 << 20,
    read,
};

/// How archives of conda end.
const ENDS: &[&str] = &[".conda", ".tar.bz2"];

fn read(input: &Input<'_>) -> Harvest {
    let above = folders(&input.candidate.path);
    let is_below = |folder: &str| above.first().is_some_and(|name| name.eq_ignore_ascii_case(folder));
    match input.candidate.name.to_ascii_lowercase().as_slice() {
        b"index.json" if is_below("info") => unpacked(input),
        b"index.json" => Harvest::default(),
        b"urls.txt" if is_below("pkgs") => list(input),
        b"urls.txt" => Harvest::default(),
        name if name.ends_with(b".conda") || is_below("pkgs") => archive(input, is_below("pkgs")),
        _ => Harvest::default(),
    }
}

/// `info/index.json` and `info/repodata_record.json`, as far as it matters here.
#[derive(Deserialize)]
struct Index {
    name: String,
    version: String,
    /// What tells it from other files of the name.
    build: String,
}

#[derive(Deserialize, Default)]
struct Record {
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    sha256: Option<String>,
}

fn unpacked(input: &Input<'_>) -> Harvest {
    let content = match input.open_candidate().and_then(|file| input.read_open(file, input.cap)) {
        Ok(content) => content,
        Err(why) => return Harvest::missed(input.gap(why)),
    };
    // Many things have a folder `info` with an `index.json` in it.
    let Some(index) = parse_index(&content.bytes) else { return Harvest::default() };
    let record = input.read(input.candidate.dir, &input.folder(), b"repodata_record.json", input.cap).ok();
    let record = record.and_then(|content| parse_record(&content.bytes)).unwrap_or_default();
    let mut found = distribution(input.candidate.path.clone(), &index.name, &index.version);
    found.installed_at = Some(content.stat.modified);
    found.hashes = record.sha256.filter(|hash| sha256_of_hex(hash).is_some()).into_iter().collect();
    found.source_url = record.url.map(|url| Excerpt::address(&url));
    let mut harvest = Harvest::default();
    harvest.facts.distributions.push(found);
    harvest
}

fn parse_index(bytes: &[u8]) -> Option<Index> {
    serde_json::from_slice::<Index>(bytes).ok().filter(|index| !index.name.is_empty() && !index.build.is_empty())
}

fn parse_record(bytes: &[u8]) -> Option<Record> {
    serde_json::from_slice(bytes).ok()
}

fn distribution(path: TargetPath, name: &str, version: &str) -> Distribution {
    let (form, state) = (MetadataForm::CondaPackage, DistState::Cached);
    Distribution::new(Basics { path, member: None, form, state, name, version })
}

/// The name of an archive without its ending, whatever the case of that.
fn stem(file: &str) -> Option<&str> {
    ENDS.iter().find_map(|end| {
        let (stem, tail) = file.split_at_checked(file.len().checked_sub(end.len())?)?;
        tail.eq_ignore_ascii_case(end).then_some(stem)
    })
}

/// Name and version of `NAME-VERSION-BUILD.conda`: of three parts from the right the first, which may hold more dashes, and
/// the second.
fn of_archive(file: &str) -> Option<FolderSays> {
    let stem = stem(file)?;
    let mut parts = stem.rsplitn(3, '-').skip(1);
    let (version, name) = (parts.next()?, parts.next()?);
    let is_version = version.starts_with(|one: char| one.is_ascii_digit());
    (is_version && !name.is_empty()).then(|| FolderSays { name: name.to_owned(), version: version.to_owned() })
}

fn archive(input: &Input<'_>, is_in_cache: bool) -> Harvest {
    let name = String::from_utf8_lossy(input.candidate.name);
    let Some(says) = of_archive(&name) else { return Harvest::default() };
    let mut harvest = Harvest::default();
    let mut found = distribution(input.candidate.path.clone(), &says.name, &says.version);
    if !is_in_cache {
        found.state = DistState::Embedded;
    }
    let is_watched = input.watch.packages.contains(&normalize_name(&says.name));
    match open(input) {
        Ok(Opened { file, modified }) => {
            found.installed_at = Some(modified);
            match is_watched.then(|| part::sha256(&input.at_will(&file))) {
                Some(Ok(hash)) => found.hashes.push(hash),
                Some(Err(fault)) => harvest.gaps.push(input.gap(fault.reason).because(fault.says).harmless()),
                None => {}
            }
        }
        // The name says what it is.
        Err(why) => harvest.gaps.push(input.gap(why).because("the file's name was used").harmless()),
    }
    harvest.facts.distributions.push(found);
    harvest
}

/// The list of downloads: what of a watched package is in it and lies nowhere any more was here all the same.
fn list(input: &Input<'_>) -> Harvest {
    let content = match input.open_candidate().and_then(|file| input.read_open(file, input.cap)) {
        Ok(content) => content,
        Err(why) => return Harvest::missed(input.gap(why)),
    };
    let mut harvest = Harvest::default();
    if !content.whole {
        harvest.gaps.push(input.gap(GapReason::TooLarge).because("downloads listed beyond 8 MiB were not read"));
    }
    let text = String::from_utf8_lossy(&content.bytes);
    for (line, number) in text.lines().zip(1..) {
        let Some((stem, says)) = of_line(line) else { continue };
        if input.watch.packages.contains(&normalize_name(&says.name)) {
            let mut gone = distribution(input.candidate.path.clone(), &says.name, &says.version);
            gone.installed_at = Some(content.stat.modified);
            gone.version_line = Some(number);
            let note = CacheNote::about(input.folder().join(stem.as_bytes()));
            harvest.facts.cache_notes.push(CacheNote {
                source_url: Some(Excerpt::address(line)),
                names: Some(Box::new(gone)),
                ..note
            });
        }
    }
    harvest
}

/// The folder that a download is unpacked to, and what it is.
fn of_line(line: &str) -> Option<(String, FolderSays)> {
    let url = line.trim().split('#').next()?;
    let file = url.rsplit('/').next().filter(|_| url.contains("://"))?;
    let stem = stem(file)?;
    Some((stem.to_owned(), of_archive(file)?))
}

/// All that is read of these files, for a fuzz target.
pub fn parse(bytes: &[u8]) {
    let _ = (parse_index(bytes), parse_record(bytes));
    let text = String::from_utf8_lossy(bytes);
    text.lines().for_each(|line| drop(of_line(line)));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn both(file: &str) -> Option<(String, String)> {
        of_archive(file).map(|says| (says.name, says.version))
    }

    #[test]
    fn archives_are_split_from_the_right() {
        let pair = |name: &str, version: &str| Some((name.to_owned(), version.to_owned()));
        assert_eq!(both("litellm-1.82.7-pyhd8ed1ab_0.conda"), pair("litellm", "1.82.7"));
        assert_eq!(both("ca-certificates-2025.1.31-hbcca054_0.tar.bz2"), pair("ca-certificates", "2025.1.31"));
        for file in ["litellm-1.82.7.tar.bz2", "a-b-c.conda", "x.conda", "-1-0.conda", "litellm-1.82.7-py_0.zip"] {
            assert_eq!(both(file), None, "{file}");
        }
    }

    #[test]
    fn only_records_of_conda_are_taken() {
        let index =
            parse_index(br#"{"name": "litellm", "version": "1.82.7", "build": "py_0", "depends": []}"#).unwrap();
        assert_eq!((index.name.as_str(), index.version.as_str()), ("litellm", "1.82.7"));
        assert!(parse_index(br#"{"name": "x", "version": "1"}"#).is_none());
        assert!(parse_index(b"[]").is_none());
        assert_eq!(parse_record(br#"{"url": "https://x/y.conda"}"#).unwrap().url.as_deref(), Some("https://x/y.conda"));
    }

    #[test]
    fn downloads_are_listed_by_address() {
        let (stem, says) = of_line("https://conda.example.org/noarch/litellm-1.82.7-py_0.conda#0123").unwrap();
        assert_eq!((stem.as_str(), says.version.as_str()), ("litellm-1.82.7-py_0", "1.82.7"));
        assert!(of_line("litellm-1.82.7-py_0.conda").is_none() && of_line("").is_none());
    }

    proptest! {
        #[test]
        fn no_text_stops_it(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            parse(&bytes);
        }
    }
}
