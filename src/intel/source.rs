#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "reads packs, feeds and keys that the user named, never the target"
)]
//! The files of packs and feeds: which of them a path names, and their bytes. A link must not decide which knowledge a
//! sweep has, and nothing is read without an end.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::model::fault::Fault;

/// Largest pack or feed that is read, in bytes.
const LARGEST: u64 = 256 << 20;

/// Most files of a folder.
const MOST_FILES: usize = 1_000_000;

/// Deepest folder below one that is named.
const DEEPEST: usize = 16;

/// How the names of packs, feeds and their archives end.
const FEEDS: &[&str] = &["json", "zip", "csv", "toml", "txt"];

/// One file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Source {
    /// Where it lies.
    pub path: PathBuf,
    /// As the user knows it.
    pub origin: String,
    /// Whether the user named the folder and not the file.
    pub is_of_folder: bool,
}

/// The files that a path names: itself, or what a folder holds, sorted.
///
/// # Errors
/// When it cannot be read, when the path is a link to a folder, or when the folder holds none.
pub fn files_of(path: &Path) -> Result<Vec<Source>, Fault> {
    let origin = path.display().to_string();
    let fault = |why: String| Fault::of(&origin, why);
    let is_link = std::fs::symlink_metadata(path).map_err(|why| fault(why.to_string()))?.is_symlink();
    let meta = std::fs::metadata(path).map_err(|why| fault(why.to_string()))?;
    if !meta.is_dir() {
        return Ok(vec![Source { path: path.to_path_buf(), origin, is_of_folder: false }]);
    }
    if is_link {
        return Err(fault(
            "it is a symbolic link to a folder, and whoever moves the link chooses the packs: name the folder itself"
                .to_owned(),
        ));
    }
    let mut files = Vec::new();
    collect(path, path, 0, &mut files)?;
    files.sort_unstable();
    if files.is_empty() {
        return Err(fault(
            "the folder holds no pack and no feed (.json, .zip, .csv, .toml, Loki's .txt lists)".to_owned(),
        ));
    }
    Ok(files)
}

fn collect(top: &Path, folder: &Path, depth: usize, files: &mut Vec<Source>) -> Result<(), Fault> {
    let fault = |path: &Path, why: String| Fault::of(&path.display().to_string(), why);
    if depth > DEEPEST {
        return Err(fault(folder, format!("it lies more than {DEEPEST} folders below the one that was named")));
    }
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).map_err(|why| fault(folder, why.to_string()))? {
        let entry = entry.map_err(|why| fault(folder, why.to_string()))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(|why| fault(&path, why.to_string()))?;
        seen += 1;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if kind.is_dir() {
            collect(top, &path, depth + 1, files)?;
        } else if is_feed(&path) {
            if kind.is_symlink() {
                stays_inside(top, &path)?;
            }
            let origin = path.display().to_string();
            files.push(Source { path, origin, is_of_folder: true });
        }
        if files.len() > MOST_FILES || seen > MOST_FILES {
            return Err(fault(top, format!("it holds more than {MOST_FILES} files")));
        }
    }
    Ok(())
}

/// A link between the files of one folder is how some systems mount settings; one that leads out of it chooses packs from
/// elsewhere.
fn stays_inside(top: &Path, link: &Path) -> Result<(), Fault> {
    let fault = |why: String| Fault::of(&link.display().to_string(), why);
    let own = std::fs::canonicalize(top).map_err(|why| fault(why.to_string()))?;
    let real = std::fs::canonicalize(link).map_err(|why| fault(format!("the link leads nowhere ({why})")))?;
    if real.starts_with(&own) {
        return Ok(());
    }
    Err(fault("the link leads out of the folder that was named: copy the file, or name it by itself".to_owned()))
}

fn is_feed(path: &Path) -> bool {
    let end = path.extension().map(|end| end.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    // Other texts beside packs are for people.
    let is_list = end != "txt" || name.contains("hash") || name.contains("filename");
    is_list && FEEDS.contains(&end.as_str())
}

/// The bytes of a pack or feed.
///
/// # Errors
/// When it is no regular file, larger than 256 MiB, or cannot be read.
pub fn read(source: &Source) -> Result<Vec<u8>, Fault> {
    let fault = |why: String| Fault::of(&source.origin, why);
    let meta = std::fs::metadata(&source.path).map_err(|why| fault(why.to_string()))?;
    if !meta.is_file() {
        return Err(fault("it is no regular file".to_owned()));
    }
    if meta.len() > LARGEST {
        let size = meta.len() >> 20;
        return Err(fault(format!(
            "it has {size} MiB, more than the 256 MiB that are read: split it, or take the .zip of the feed"
        )));
    }
    let file = File::open(&source.path).map_err(|why| fault(why.to_string()))?;
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0));
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|why| fault(why.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(fault("it grew beyond 256 MiB while it was read".to_owned()));
    }
    Ok(bytes)
}

/// The bytes of the file beside `source` whose name has `end` behind it; none where there is no such file.
///
/// # Errors
/// When it is there and cannot be read.
pub fn read_beside(source: &Source, end: &str) -> Result<Option<(String, Vec<u8>)>, Fault> {
    let mut name = source.path.clone().into_os_string();
    name.push(end);
    let path = PathBuf::from(name);
    let origin = path.display().to_string();
    match std::fs::symlink_metadata(&path) {
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(Fault::of(&origin, why.to_string())),
        Ok(_) => read(&Source { path, origin: origin.clone(), is_of_folder: false }).map(|bytes| Some((origin, bytes))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_do_not_choose_packs() {
        let top = tempfile::tempdir().unwrap();
        let (packs, other) = (top.path().join("packs"), top.path().join("other"));
        std::fs::create_dir_all(packs.join("data")).unwrap();
        std::fs::create_dir(&other).unwrap();
        std::fs::write(packs.join("data/a.json"), "{}").unwrap();
        std::fs::write(packs.join("notes.txt"), "").unwrap();
        std::fs::write(other.join("b.json"), "{}").unwrap();
        std::os::unix::fs::symlink("data/a.json", packs.join("a.json")).unwrap();
        assert_eq!(files_of(&packs).unwrap().len(), 2);
        std::os::unix::fs::symlink(other.join("b.json"), packs.join("b.json")).unwrap();
        assert!(files_of(&packs).unwrap_err().why.contains("leads out"));
        std::os::unix::fs::symlink(&other, top.path().join("link")).unwrap();
        assert!(files_of(&top.path().join("link")).unwrap_err().why.contains("symbolic link"));
    }

    #[test]
    fn what_is_no_file_or_too_large_is_named() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("big.json");
        File::create(&path).unwrap().set_len(1 << 30).unwrap();
        let source = &files_of(&path).unwrap()[0];
        assert!(read(source).unwrap_err().why.contains("1024 MiB"));
        let folder = Source { path: top.path().to_path_buf(), origin: String::new(), is_of_folder: false };
        assert!(read(&folder).unwrap_err().why.contains("no regular file"));
        assert_eq!(read_beside(source, ".minisig"), Ok(None));
    }
}
