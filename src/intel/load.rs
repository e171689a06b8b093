#![allow(clippy::disallowed_methods, reason = "reads packs that the user named, never the target")]
//! Built-in packs and the files and folders that the user named. A pack that is unreadable or wrong stops the run: a
//! sweep with fewer indicators than asked for must be impossible.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::ZlibDecoder;
use sha2::{Digest, Sha256};

use super::pack::Pack;
use super::pack_check;
use crate::model::id::hex;

static BUILT_IN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/packs.z"));

/// Largest pack that is read, in bytes.
const LARGEST: u64 = 256 << 20;

/// A pack and where it came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The pack.
    pub pack: Pack,
    /// `built-in` or the file's path.
    pub origin: String,
    /// Lower-case hex of the file.
    pub sha256: String,
}

/// What is wrong with a pack, and where.
#[derive(Debug)]
pub struct Fault {
    /// The file, or the name of a built-in pack.
    pub origin: String,
    /// The line, counted from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub why: String,
}

/// Loads the built-in packs (unless switched off) and all of `named`. Sorted by id.
///
/// # Errors
/// The first fault; also when there is no pack at all, or an id is used twice.
pub fn load(built_in: bool, named: &[PathBuf]) -> Result<Vec<Loaded>, Fault> {
    let mut all = if built_in { load_built_in()? } else { Vec::new() };
    for path in named {
        for file in files_of(path)? {
            all.push(load_file(&file)?);
        }
    }
    let mut ids: BTreeMap<&str, &str> = BTreeMap::new();
    for one in &all {
        let own = std::iter::once(one.pack.id.as_str()).chain(one.pack.indicators.iter().map(|row| row.id.as_str()));
        for id in own {
            if let Some(other) = ids.insert(id, &one.origin) {
                let why = format!("the id `{id}` is also used in {other}");
                return Err(Fault { origin: one.origin.clone(), line: None, why });
            }
        }
    }
    if all.is_empty() {
        let why = "there is no pack at all: name one with --iocs or leave --no-builtin-iocs out".to_owned();
        return Err(Fault { origin: "list".to_owned(), line: None, why });
    }
    all.sort_by(|a, b| a.pack.id.cmp(&b.pack.id));
    Ok(all)
}

/// Reads one pack file.
///
/// # Errors
/// What is wrong with it.
pub fn load_file(path: &Path) -> Result<Loaded, Fault> {
    let origin = path.display().to_string();
    let fault = |why: String| Fault { origin: origin.clone(), line: None, why };
    let meta = std::fs::metadata(path).map_err(|why| fault(why.to_string()))?;
    if !meta.is_file() || meta.len() > LARGEST {
        return Err(fault("it is no regular file of at most 256 MiB".to_owned()));
    }
    let bytes = std::fs::read(path).map_err(|why| fault(why.to_string()))?;
    parse(&origin, &bytes)
}

/// The files that a path names: itself, or every `.json` of a folder.
///
/// # Errors
/// When the folder cannot be read, or holds no pack.
pub fn files_of(path: &Path) -> Result<Vec<PathBuf>, Fault> {
    let fault = |why: String| Fault { origin: path.display().to_string(), line: None, why };
    let meta = std::fs::metadata(path).map_err(|why| fault(why.to_string()))?;
    if !meta.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|why| fault(why.to_string()))? {
        let file = entry.map_err(|why| fault(why.to_string()))?.path();
        if file.extension().is_some_and(|end| end == "json") {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() { Err(fault("the folder holds no .json file".to_owned())) } else { Ok(files) }
}

/// Reads a pack from its bytes; `origin` says where they came from.
///
/// # Errors
/// What is wrong with it.
pub fn parse(origin: &str, bytes: &[u8]) -> Result<Loaded, Fault> {
    let fault = |line, why| Fault { origin: origin.to_owned(), line, why };
    let pack: Pack = serde_json::from_slice(bytes).map_err(|why| {
        let text = why.to_string();
        // serde_json ends its sentence with the place, which we print in front.
        let sentence = text.split(" at line ").next().unwrap_or(&text).to_owned();
        fault((why.line() > 0).then(|| why.line()), sentence)
    })?;
    pack_check::check(&pack).map_err(|found| fault(line_of(bytes, &found.near), found.why))?;
    Ok(Loaded { pack, origin: origin.to_owned(), sha256: hex(&Sha256::digest(bytes)) })
}

/// The last line that mentions `near`: of an id that is used twice, the second use.
fn line_of(bytes: &[u8], near: &str) -> Option<usize> {
    let text = String::from_utf8_lossy(bytes);
    let quoted = format!("\"{near}\"");
    let at = text.lines().enumerate().filter(|(_, line)| line.contains(&quoted)).last();
    at.map(|(number, _)| number + 1)
}

/// The packs of the binary: name, NUL, length as eight bytes, content; again and again, compressed.
fn load_built_in() -> Result<Vec<Loaded>, Fault> {
    let broken = || Fault { origin: "built-in".to_owned(), line: None, why: "this binary is damaged".to_owned() };
    let mut block = Vec::new();
    ZlibDecoder::new(BUILT_IN).read_to_end(&mut block).map_err(|_| broken())?;
    let mut rest = block.as_slice();
    let mut all = Vec::new();
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == 0).ok_or_else(broken)?;
        let (_name, tail) = rest.split_at_checked(end).ok_or_else(broken)?;
        let (length, tail) = tail.get(1..).and_then(|tail| tail.split_first_chunk::<8>()).ok_or_else(broken)?;
        let length = usize::try_from(u64::from_be_bytes(*length)).map_err(|_| broken())?;
        let (content, tail) = tail.split_at_checked(length).ok_or_else(broken)?;
        all.push(parse("built-in", content)?);
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
    fn a_pack_is_read_and_every_fault_is_named_with_its_line() {
        assert_eq!(parse("x.json", PACK.as_bytes()).unwrap().pack.indicators.len(), 1);
        let typo = fault("\"versions\"", "\"verions\"");
        assert!(typo.why.contains("verions") && typo.line == Some(5), "{typo:?}");
        assert!(fault("\"1.0\"", "\"one\"").why.contains("not a version"));
        assert_eq!(fault("\"1.0\"", "\"one\"").line, Some(5));
        assert!(fault("pysweep.pack/1", "pysweep.pack/9").why.contains("this version reads"));
        assert!(fault("\"confidence\": \"confirmed\"", "\"confidence\": \"possible\"").why.contains("exposed"));
        assert!(fault("\"versions\": [\"1.0\"]", "\"paths\": [\"/x\"]").why.contains("no meaning"));
        assert!(fault(", \"versions\": [\"1.0\"]", "").why.contains("exactly one of"));
        assert!(fault("2026-01-02", "yesterday").why.contains("yesterday"));
    }

    #[test]
    fn the_built_in_packs_load() {
        let all = load(true, &[]).unwrap();
        assert!(all.iter().any(|one| one.pack.id == "litellm-2026-03"));
    }

    #[test]
    fn no_pack_at_all_stops_the_run() {
        assert!(load(false, &[]).is_err());
    }
}
