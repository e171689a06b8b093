//! uv's cache (uv's storage reference): `wheels-v*/…/NAME/VERSION-TAGS.http` or `.rev` points to an unpacked wheel in
//! `archive-v*`, and keeps the name, the address and the hash of the wheel; `.msgpack` beside it, and nothing else, means
//! that only metadata was fetched. `sdists-v*/…/NAME/VERSION/revision.http` or `.rev` is a download of sources. The numbers
//! of the folders move with uv.

use std::collections::VecDeque;

use super::{Opened, folders, open};
use crate::extract::Extractor;
use crate::extract::format::msgpack::{Item, Items};
use crate::extract::format::names;
use crate::extract::input::Input;
use crate::model::coverage::{Gap, GapReason};
use crate::model::distribution::{Basics, DistState, Distribution, FolderSays, MetadataForm};
use crate::model::facts::{CacheNote, Harvest};
use crate::model::id::lower_sha256;
use crate::model::interest::{Ask, Interest, NamePattern};
use crate::model::path::TargetPath;
use crate::model::text::Excerpt;
use crate::model::time::Time;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "uv-cache",
        sentence: "What uv downloaded, and what its resolver only looked at.",
        ask: Ask::FileNames(&[
            NamePattern::Suffix(".http"),
            NamePattern::Suffix(".rev"),
            NamePattern::Suffix(".msgpack"),
        ]),
    },
    // A pointer has half a kilobyte.
    cap: 64 << 10,
    read,
};

/// Most items of a pointer that are looked at, and the longest text in one.
const MOST_ITEMS: usize = 64;
const LONGEST: usize = 1024;

/// How far uv may have counted its folders of archives; today's is the first.
const MOST_BUCKETS: u32 = 10;

fn read(input: &Input<'_>) -> Harvest {
    let above = folders(&input.candidate.path);
    let bucket = above.iter().position(|name| is_bucket(name, "wheels") || is_bucket(name, "sdists"));
    let Some((bucket, name)) = bucket.and_then(|at| Some((at, above.get(at)?))) else { return Harvest::default() };
    let is_metadata = input.candidate.name.ends_with(b".msgpack");
    match (is_bucket(name, "wheels"), is_metadata) {
        (true, true) => considered(input, &above),
        (true, false) => wheel(input, &above, bucket),
        (false, false) if input.candidate.name.starts_with(b"revision.") => sources(input, &above),
        (false, _) => Harvest::default(),
    }
}

/// `wheels-v7`, whatever the number.
fn is_bucket(name: &str, kind: &str) -> bool {
    let number = name.strip_prefix(kind).and_then(|rest| rest.strip_prefix("-v"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The candidate's name without its ending.
fn stem(input: &Input<'_>) -> Vec<u8> {
    let name = input.candidate.name;
    name.iter().rposition(|byte| *byte == b'.').and_then(|at| name.get(..at)).unwrap_or(name).to_vec()
}

/// The name by the folder, and the version by the file: `VERSION-TAGS`, or `VERSION-` and a digest where the tags are long.
fn named(input: &Input<'_>, above: &[String]) -> FolderSays {
    let stem = String::from_utf8_lossy(&stem(input)).into_owned();
    let version = stem.split('-').next().unwrap_or_default().to_owned();
    FolderSays { name: above.first().cloned().unwrap_or_default(), version }
}

fn distribution(path: TargetPath, says: &FolderSays, form: MetadataForm, state: DistState) -> Distribution {
    Distribution::new(Basics { path, member: None, form, state, name: &says.name, version: &says.version })
}

/// A resolver's look: metadata, and none of what a download leaves beside it.
fn considered(input: &Input<'_>, above: &[String]) -> Harvest {
    let mut harvest = Harvest::default();
    let stem = stem(input);
    let says = named(input, above);
    let beside = |end: &[u8]| input.candidate.dir.stat_entry(&[stem.as_slice(), end].concat()).is_ok();
    if beside(b"") || beside(b".http") || beside(b".rev") || !names::is_name(&says.name) {
        return harvest;
    }
    let stat = input.candidate.dir.stat_entry(input.candidate.name).ok();
    let found = distribution(input.candidate.path.clone(), &says, MetadataForm::Wheel, DistState::Considered);
    harvest.facts.distributions.push(Distribution { installed_at: stat.map(|stat| stat.modified), ..found });
    harvest
}

/// A wheel that was fetched: its content lies in the archive that the pointer names.
fn wheel(input: &Input<'_>, above: &[String], bucket: usize) -> Harvest {
    let mut harvest = Harvest::default();
    let (pointer, modified) = pointer(input, &mut harvest);
    let stem = stem(input);
    let linked = input.target.root.follow_link(&input.folder(), input.candidate.dir, &stem);
    // Without links, as on Windows, the archive is found by its id.
    let cache = input.candidate.path.ancestor(above.len().saturating_sub(bucket + 1));
    let about = match linked {
        Ok((_, path)) => path,
        Err(_) => archive(input, &cache, pointer.id.as_bytes()),
    };
    let says = pointer.file.as_deref().and_then(|file| names::of_wheel(file.as_bytes()));
    let says = says.unwrap_or_else(|| named(input, above));
    let gone = distribution(input.candidate.path.clone(), &says, MetadataForm::Wheel, DistState::Cached);
    let gone = Distribution { installed_at: modified, ..gone };
    harvest.facts.cache_notes.push(CacheNote {
        sha256: pointer.sha256,
        source_url: pointer.url.map(|url| Excerpt::address(&url)),
        names: names::is_name(&says.name).then(|| Box::new(gone)),
        ..CacheNote::about(about)
    });
    harvest
}

/// Where an archive of that id lies: uv has counted its folders on before.
fn archive(input: &Input<'_>, cache: &TargetPath, id: &[u8]) -> TargetPath {
    let place = |number: u32| cache.join(format!("archive-v{number}").as_bytes()).join(id);
    (0..MOST_BUCKETS).map(place).find(|path| input.target.root.resolve(path).is_ok()).unwrap_or_else(|| place(0))
}

/// `…/pypi/NAME/VERSION/revision.http`, `…/index/DIGEST/NAME/VERSION/…`; of what came from an address, the name is there.
fn sources(input: &Input<'_>, above: &[String]) -> Harvest {
    let mut harvest = Harvest::default();
    let (pointer, modified) = pointer(input, &mut harvest);
    let of_index = match above {
        [version, name, index, ..] if index == "pypi" => Some((name, version)),
        [version, name, _, index, ..] if index == "index" => Some((name, version)),
        _ => None,
    };
    let of_url = || {
        let url = pointer.url.as_deref()?.split(['?', '#']).next()?;
        names::of_sdist(url.rsplit('/').next()?.as_bytes())
    };
    let says = of_index.map(|(name, version)| FolderSays { name: name.clone(), version: version.clone() });
    if let Some(says) = says.or_else(of_url) {
        let found = distribution(input.candidate.path.clone(), &says, MetadataForm::Sdist, DistState::Cached);
        harvest.facts.distributions.push(Distribution {
            installed_at: modified,
            hashes: pointer.sha256.into_iter().collect(),
            source_url: pointer.url.map(|url| Excerpt::address(&url)),
            ..found
        });
    }
    harvest
}

/// What the candidate says, and when it was written. One that says nothing is told, and its name says which download it
/// is about all the same.
fn pointer(input: &Input<'_>, harvest: &mut Harvest) -> (Pointer, Option<Time>) {
    match read_pointer(input) {
        Ok((pointer, modified)) => (pointer, Some(modified)),
        Err(gap) => {
            harvest.gaps.push(gap.harmless());
            (Pointer::default(), None)
        }
    }
}

fn read_pointer(input: &Input<'_>) -> Result<(Pointer, Time), Gap> {
    let missed = |why| input.gap(why);
    let Opened { file, modified } = open(input).map_err(missed)?;
    let content = input.read_open(file, input.cap).map_err(missed)?;
    let says = "it is no pointer to a download of uv; its name was used";
    let pointer = parse(&content.bytes).ok_or_else(|| input.gap(GapReason::Malformed).because(says))?;
    Ok((pointer, modified))
}

/// What a pointer says.
#[derive(Default, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// The archive's id.
    pub id: String,
    /// Lower-case hex.
    pub sha256: Option<String>,
    /// The wheel's file name.
    pub file: Option<String>,
    /// Where it was fetched.
    pub url: Option<String>,
}

/// Reads a pointer: MessagePack of nested arrays, whose texts in their order are the id of the archive, hashes, each behind
/// its kind, and the wheel's name; in an `.http` file the address of the response follows, among other things.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Pointer> {
    let mut items = Items::at(bytes, 0);
    let mut texts = VecDeque::new();
    for _ in 0..MOST_ITEMS {
        match items.take() {
            Some(Item::Text(place)) => texts.push_back(items.text(&place, LONGEST)?),
            Some(_) => {}
            None => break,
        }
    }
    let id =
        texts.pop_front().filter(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)))?;
    let kind = texts.iter().position(|text| text.eq_ignore_ascii_case("sha256"));
    let sha256 = kind.and_then(|at| texts.get(at + 1)).and_then(|hash| lower_sha256(hash));
    let file = texts.iter().find(|text| text.ends_with(".whl")).cloned();
    Some(Pointer { id, sha256, file, url: url(bytes) })
}

/// The first address in a file.
fn url(bytes: &[u8]) -> Option<String> {
    let starts = [b"https://".as_slice(), b"http://"].into_iter();
    let at = starts.filter_map(|start| memchr::memmem::find(bytes, start)).min()?;
    let rest = bytes.get(at..)?;
    let length = rest.iter().position(|byte| !byte.is_ascii_graphic()).unwrap_or(rest.len()).min(LONGEST);
    rest.get(..length).map(|url| String::from_utf8_lossy(url).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn http() -> Vec<u8> {
        let hash = "a".repeat(64);
        [
            b"\x95\xb07xp7ajOoXksRee8r\x91\x81\xa6Sha256\xd9\x40".as_slice(),
            hash.as_bytes(),
            b"\xb9idna-3.20-py3-none-any.whl\x00\xce\x00\x01\x0f\xcf\0\0https://files.example.org/x/idna-3.20-py3-none-any.whl\0\0",
        ]
        .concat()
    }

    #[test]
    fn pointers_name_archive_hash_file_and_address() {
        let found = parse(&http()).unwrap();
        assert_eq!(found.id, "7xp7ajOoXksRee8r");
        assert_eq!(found.sha256, Some("a".repeat(64)));
        assert_eq!(found.url.as_deref(), Some("https://files.example.org/x/idna-3.20-py3-none-any.whl"));
        // One for a wheel from a folder: a time in front, no hash, no address.
        let rev = b"\x92\x92\xcek\x01\x96\xaf\xce*\x19n\\\x95\xb0PujBCxudhFGWDQ9z\x90\xbcmdurl-0.1.2-py3-none-any.whl\x00\xc0";
        let found = parse(rev).unwrap();
        assert_eq!(
            (found.id.as_str(), found.file.as_deref()),
            ("PujBCxudhFGWDQ9z", Some("mdurl-0.1.2-py3-none-any.whl"))
        );
        assert_eq!((found.sha256, found.url), (None, None));
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b"\x01abc"), None);
        assert_eq!(parse(b"\xaa../../etc/"), None);
    }

    #[test]
    fn buckets_carry_any_number() {
        assert!(is_bucket("wheels-v7", "wheels") && is_bucket("sdists-v10", "sdists"));
        assert!(
            !is_bucket("wheels-v", "wheels") && !is_bucket("wheels", "wheels") && !is_bucket("wheels-vx", "wheels")
        );
    }

    proptest! {
        #[test]
        fn no_bytes_stop_it(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }
    }
}
