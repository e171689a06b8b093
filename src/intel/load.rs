//! Built-in packs, and the files and folders that the user named: packs, or feeds in the formats of others, which are
//! imported on the way. Whatever is unreadable or wrong stops the run: a sweep with fewer indicators than asked for must
//! be impossible.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::ZlibDecoder;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::import;
use super::import::gather::{Gather, Label};
use super::import::report::{Fate, Note};
use super::pack::Pack;
use super::pack_check;
use super::signature::{Signed, Trust};
use super::source::{self, Source};
use crate::model::fault::Fault;
use crate::model::id::hex;
use crate::model::text::counted;
use crate::model::time::Time;

static BUILT_IN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/packs.z"));

static KEYS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/keys.z"));

/// Which packs to load, and whom to trust.
pub struct Wanted<'a> {
    /// Whether the built-in packs are among them.
    pub built_in: bool,
    /// Files and folders.
    pub named: &'a [PathBuf],
    /// Who may sign.
    pub trust: &'a Trust,
    /// The day of feeds whose records have no dates.
    pub today: Time,
}

/// A pack and where it came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The pack.
    pub pack: Pack,
    /// `built-in` or the file's path.
    pub origin: String,
    /// Lower-case hex of the file; of a folder of records, of all of them.
    pub sha256: String,
    /// Who signed it.
    pub signed: Signed,
    /// What of a feed could not be used as it was; empty for a pack.
    pub notes: Vec<Note>,
}

impl Loaded {
    /// Whether it is part of this program.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        self.origin == "built-in"
    }

    /// How many rows of its feed are not looked for.
    #[must_use]
    pub fn unused(&self) -> usize {
        self.notes.iter().filter(|note| note.fate == Fate::Unused).count()
    }
}

/// Whom the keys in `iocs/keys` and those of `named` make trustworthy.
///
/// # Errors
/// A file that holds no key.
pub fn trust(named: &[PathBuf], is_required: bool) -> Result<Trust, Fault> {
    let built_in = blocks(KEYS)?;
    let built_in: Vec<(String, String)> =
        built_in.into_iter().map(|(name, text)| (name, String::from_utf8_lossy(&text).into_owned())).collect();
    Trust::of(&built_in, named, is_required)
}

/// Loads what is wanted. Sorted by id.
///
/// # Errors
/// The first fault; also when there is no pack at all, or an id is used twice.
pub fn load(wanted: &Wanted<'_>) -> Result<Vec<Loaded>, Fault> {
    let mut all = if wanted.built_in { built_in()? } else { Vec::new() };
    for path in wanted.named {
        all.extend(load_path(path, wanted.trust, wanted.today)?);
    }
    if all.is_empty() {
        let why = "there is no pack at all: name one with --iocs or leave --no-builtin-iocs out";
        return Err(Fault::of("list", why));
    }
    check_ids(&all)?;
    all.sort_by(|a, b| a.pack.id.cmp(&b.pack.id));
    Ok(all)
}

/// The packs that are part of this program.
///
/// # Errors
/// When this program is damaged.
pub fn built_in() -> Result<Vec<Loaded>, Fault> {
    blocks(BUILT_IN)?
        .into_iter()
        .map(|(_, content)| Ok(loaded(parse("built-in", &content)?, "built-in", &content, Signed::Not)))
        .collect()
}

fn check_ids(all: &[Loaded]) -> Result<(), Fault> {
    let mut ids: HashMap<&str, &str> = HashMap::new();
    for one in all {
        let own = std::iter::once(one.pack.id.as_str()).chain(one.pack.indicators.iter().map(|row| row.id.as_str()));
        for id in own {
            if let Some(other) = ids.insert(id, &one.origin) {
                return Err(Fault::of(
                    &one.origin,
                    format!("the id `{id}` is also used in {other}: leave one of the two out"),
                ));
            }
        }
    }
    Ok(())
}

/// The packs of one path: each pack file is one; all files of other formats in a folder are one together.
///
/// # Errors
/// The first fault.
pub fn load_path(path: &Path, trust: &Trust, today: Time) -> Result<Vec<Loaded>, Fault> {
    let origin = path.display().to_string();
    let mut packs = Vec::new();
    let mut records: Vec<(Source, Signed)> = Vec::new();
    let (mut feed, mut digest) = (Gather::on(today), Sha256::new());
    for source in source::files_of(path)? {
        let bytes = source::read(&source)?;
        let signed = trust.signer(&source, &bytes)?;
        if is_pack(&bytes) {
            packs.push(loaded(parse(&source.origin, &bytes)?, &source.origin, &bytes, signed));
            continue;
        }
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(&bytes);
        import::read(&source.origin, &bytes, &mut feed)?;
        records.push((source, signed));
    }
    if records.is_empty() {
        return Ok(packs);
    }
    // Several files are signed by somebody if it is one and the same.
    let signed = match records.split_first() {
        Some(((_, first), rest)) if rest.iter().all(|(_, other)| other == first) => first.clone(),
        _ => Signed::Not,
    };
    let imported = feed.finish(&label(path, today)).map_err(|notes| empty(&origin, &notes))?;
    pack_check::check(&imported.pack).map_err(|found| Fault::of(&origin, found.why))?;
    let sha256 = hex(&digest.finalize());
    packs.push(Loaded { pack: imported.pack, origin, sha256, signed, notes: imported.notes });
    Ok(packs)
}

fn empty(origin: &str, notes: &[Note]) -> Fault {
    let first = notes.first().map(|note| format!(", the first: {note}")).unwrap_or_default();
    Fault::of(origin, format!("nothing of it can be looked for ({}{first})", counted(notes.len(), "row")))
}

/// What a feed is called, by its path.
#[must_use]
pub fn label(path: &Path, today: Time) -> Label {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    let plain: String =
        stem.chars().map(|at| if at.is_ascii_alphanumeric() { at.to_ascii_lowercase() } else { '-' }).collect();
    let plain = plain.trim_matches('-');
    let id = if plain.is_empty() { "feed".to_owned() } else { format!("feed-{plain}") };
    Label { id, title: format!("Imported from {name}"), source: name, today }
}

/// Whether a file is a pack of ours, wherever in it that is said. What says so and is none is a fault, never a feed.
#[must_use]
pub fn is_pack(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let Some(at) = memchr::memmem::find(bytes, b"\"pysweep.pack/") else { return false };
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return false;
    }
    // As packs are written, it is the first thing in them. Elsewhere it may be something that a feed quotes; what cannot be
    // read at all is not a feed that does.
    let begins = bytes.trim_ascii_start().get(1..).unwrap_or_default().trim_ascii_start().starts_with(b"\"schema\"");
    (begins && at < 64)
        || serde_json::from_slice::<Head>(bytes).map_or(true, |head| head.schema.starts_with("pysweep.pack/"))
}

/// What says which kind of file it is.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    schema: String,
}

fn loaded(pack: Pack, origin: &str, bytes: &[u8], signed: Signed) -> Loaded {
    let sha256 = hex(&Sha256::digest(bytes));
    Loaded { pack, origin: origin.to_owned(), sha256, signed, notes: Vec::new() }
}

/// Reads a pack from its bytes; `origin` says where they came from.
///
/// # Errors
/// What is wrong with it.
pub fn parse(origin: &str, bytes: &[u8]) -> Result<Pack, Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let pack: Pack = serde_json::from_slice(bytes).map_err(|why| Fault::of_json(origin, &why))?;
    pack_check::check(&pack).map_err(|found| place(Fault::of(origin, found.why), bytes, &found.near))?;
    Ok(pack)
}

/// Puts a fault where `near` is mentioned last: of an id that is used twice, the second use.
fn place(fault: Fault, bytes: &[u8], near: &str) -> Fault {
    let quoted = format!("\"{near}\"");
    let Some(at) = memchr::memmem::rfind(bytes, quoted.as_bytes()) else { return fault };
    let before = bytes.get(..at).unwrap_or_default();
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let column = at - memchr::memrchr(b'\n', before).map_or(0, |end| end + 1) + 1;
    fault.at(line, Some(column))
}

/// Files in one compressed block: name, NUL, length as eight bytes, content; again and again.
fn blocks(block: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Fault> {
    let broken = || Fault::of("built-in", "this binary is damaged: install it again");
    let mut plain = Vec::new();
    ZlibDecoder::new(block).read_to_end(&mut plain).map_err(|_| broken())?;
    let mut rest = plain.as_slice();
    let mut all = Vec::new();
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == 0).ok_or_else(broken)?;
        let (name, tail) = rest.split_at_checked(end).ok_or_else(broken)?;
        let (length, tail) = tail.get(1..).and_then(|tail| tail.split_first_chunk::<8>()).ok_or_else(broken)?;
        let length = usize::try_from(u64::from_be_bytes(*length)).map_err(|_| broken())?;
        let (content, tail) = tail.split_at_checked(length).ok_or_else(broken)?;
        all.push((String::from_utf8_lossy(name).into_owned(), content.to_vec()));
        rest = tail;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACK: &str = r#"{
  "schema": "pysweep.pack/1", "id": "x", "title": "t", "summary": "s", "published": "2026-01-01",
  "modified": "2026-01-02", "status": "confirmed", "references": ["r"],
  "indicators": [
    { "id": "x-1", "type": "package", "ecosystem": "pypi", "name": "evil", "versions": ["1.0"],
      "meaning": "m", "stage": "installed", "level": "compromised", "confidence": "confirmed", "references": ["r"] }
  ]
}"#;

    fn fault(from: &str, to: &str) -> Fault {
        assert!(PACK.contains(from));
        parse("x.json", PACK.replacen(from, to, 1).as_bytes()).unwrap_err()
    }

    #[test]
    fn a_pack_is_read_and_every_fault_is_named_with_its_place() {
        assert_eq!(parse("x.json", PACK.as_bytes()).unwrap().indicators.len(), 1);
        let typo = fault("\"versions\"", "\"verions\"");
        assert!(typo.why.contains("verions") && typo.place == Some((5, Some(84))), "{typo:?}");
        assert!(fault("\"1.0\"", "\"one\"").why.contains("not a version"));
        assert_eq!(fault("\"1.0\"", "\"one\"").place, Some((5, Some(89))));
        assert!(fault("pysweep.pack/1", "pysweep.pack/9").why.contains("this version reads"));
        assert!(fault("\"confidence\": \"confirmed\"", "\"confidence\": \"possible\"").why.contains("exposed"));
        assert!(fault("\"versions\": [\"1.0\"]", "\"paths\": [\"/x\"]").why.contains("no meaning"));
        assert!(fault(", \"versions\": [\"1.0\"]", "").why.contains("exactly one of"));
        assert!(fault("2026-01-02", "yesterday").why.contains("yesterday"));
        assert!(fault("\"id\": \"x\",", "\"id\": \"x\", \"id\": \"y\",").why.contains("duplicate field"));
        assert!(fault("\"title\": \"t\"", "\"title\": 7").why.contains("invalid type"));
    }

    #[test]
    fn a_pack_is_one_wherever_it_says_so() {
        let late = PACK.replacen("\"schema\": \"pysweep.pack/1\", ", "", 1).replacen(
            "\n  ]\n}",
            "\n  ],\n  \"schema\": \"pysweep.pack/1\"\n}",
            1,
        );
        assert!(late.contains("pysweep.pack/1") && is_pack(late.as_bytes()));
        assert_eq!(parse("x.json", late.as_bytes()).unwrap().indicators.len(), 1);
        assert!(is_pack(&late.as_bytes()[..late.len() - 2]), "one that is cut short is no feed");
        assert!(!is_pack(br#"{"id": "MAL-1", "affected": [], "details": ["pysweep.pack/1"], "more": "............................................"}"#));
    }

    #[test]
    fn a_mark_at_the_beginning_and_other_line_ends_are_no_fault() {
        let text = format!("\u{feff}{}", PACK.replace('\n', "\r\n"));
        assert!(is_pack(text.as_bytes()));
        assert_eq!(parse("x.json", text.as_bytes()).unwrap().indicators.len(), 1);
    }

    #[test]
    fn what_is_nested_without_end_or_cut_short_is_named() {
        let deep = format!("{{\"schema\": \"pysweep.pack/1\", \"id\": {}", "[".repeat(100_000));
        assert!(parse("x.json", deep.as_bytes()).is_err());
        let references = PACK.replacen("[\"r\"],\n  \"ind", &format!("{},\n  \"ind", "[".repeat(100_000)), 1);
        assert!(parse("x.json", references.as_bytes()).is_err());
        assert!(parse("x.json", &PACK.as_bytes()[..200]).unwrap_err().why.contains("ends too early"));
    }

    #[test]
    fn the_built_in_packs_load() {
        assert!(built_in().unwrap().iter().any(|one| one.pack.id == "litellm-2026-03"));
    }

    #[test]
    fn no_pack_at_all_stops_the_run() {
        let trust = Trust::default();
        let wanted = Wanted { built_in: false, named: &[], trust: &trust, today: Time::from_unix(0) };
        assert!(load(&wanted).unwrap_err().why.contains("no pack at all"));
    }

    #[test]
    fn a_feed_is_called_by_its_file() {
        let id = |path: &str| label(Path::new(path), Time::from_unix(0)).id;
        assert_eq!([id("/x/all.zip"), id("PyPI Dump.json"), id("/")], ["feed-all", "feed-pypi-dump", "feed"]);
    }
}
