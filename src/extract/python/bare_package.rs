//! Packages without metadata, of names that packs watch: what a removed METADATA, an interrupted removal or a copy by
//! hand leaves in a site directory. The folder `NAME/` itself, pip's stash `~AME/`, and bytecode in `__pycache__` whose
//! source is gone.

use super::metadata::{self, Around};
use super::site_dir::is_absent;
use crate::extract::Extractor;
use crate::extract::format::headers::Headers;
use crate::extract::input::Input;
use crate::model::coverage::{Gap, GapReason};
use crate::model::distribution::{DistState, Distribution, FolderSays, MetadataForm, normalize_name};
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, EntryKind, Interest, NamePattern};
use crate::model::path::TargetPath;
use crate::model::watch::Watch;
use crate::target::dir::Dir;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "bare-packages",
        sentence: "Packages without metadata, of names that indicator packs watch.",
        ask: Ask::Names(&[NamePattern::Exact("site-packages"), NamePattern::Exact("dist-packages")]),
    },
    cap: 64 << 10,
    read,
};

/// Most folders and entries of a package that are looked at to find a module in it.
const MOST_FOLDERS: usize = 64;
const MOST_ENTRIES: usize = 4096;

/// Where packages keep their version, the most usual place first.
const VERSION_FILES: [&[u8]; 5] = [b"_version.py", b"version.py", b"__version__.py", b"__about__.py", b"__init__.py"];

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    if matches!(input.candidate.kind, EntryKind::File | EntryKind::Other) {
        return harvest;
    }
    let Ok((dir, path)) = open(input) else {
        // The walk and the check of site directories say why.
        return harvest;
    };
    let mut found = Vec::new();
    let listed = dir.list(|name, kind| found.extend(watched(input.watch, name, kind).map(|own| (own, name.to_vec()))));
    if let Err(why) = listed {
        harvest.gaps.push(input.gap_at(path.clone(), why));
    }
    found.sort_unstable();
    for (own, name) in found {
        if let Some((one, gap)) = package(input, &dir, &path, own, &name) {
            harvest.gaps.extend(gap);
            harvest.facts.distributions.push(one);
        }
    }
    add_bytecode(input, &dir, &path, &mut harvest);
    harvest
}

fn open(input: &Input<'_>) -> Result<(Dir, TargetPath), GapReason> {
    let candidate = input.candidate;
    match candidate.kind {
        EntryKind::Link => {
            let root = &input.target.root;
            let (place, path) = root.follow_link(&input.folder(), candidate.dir, candidate.name)?;
            Ok((root.open_dir(&place)?, path))
        }
        _ => Ok((candidate.dir.open_dir(candidate.name)?, candidate.path.clone())),
    }
}

/// A watched name, and whether the entry is what a removal left of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Own {
    name: String,
    is_stash: bool,
}

fn watched(watch: &Watch, entry: &[u8], kind: EntryKind) -> Option<Own> {
    let is_dir = matches!(kind, EntryKind::Dir | EntryKind::Link);
    if entry.starts_with(b"~") {
        let name = watch.packages.iter().find(|name| is_dir && is_stash_of(entry, name))?;
        return Some(Own { name: name.clone(), is_stash: true });
    }
    // A single module of that name is as likely somebody's own.
    let name = normalize_name(std::str::from_utf8(entry).ok().filter(|_| is_dir)?);
    watch.packages.contains(&name).then_some(Own { name, is_stash: false })
}

/// Whether pip would call its stash of `NAME/` so: it puts `~` and then characters of a short list in place of the first
/// ones of the name, or in front of it (pip, `AdjacentTempDirectory`).
fn is_stash_of(entry: &[u8], name: &str) -> bool {
    let Some(rest) = entry.strip_prefix(b"~") else { return false };
    let same = |one: u8, other: u8| one.eq_ignore_ascii_case(&other) || (other == b'-' && matches!(one, b'_' | b'.'));
    let wanted = name.as_bytes();
    (0..=rest.len()).any(|filler| {
        let (front, tail) = rest.split_at(filler);
        let is_filled = front.iter().all(|byte| b"-~.=%0123456789".contains(byte));
        let kept = wanted.len().saturating_sub(tail.len());
        // What is left must still say which name it was.
        let is_telling = tail.len() >= 3 && tail.len() * 2 >= wanted.len();
        let replaces = kept == filler + 1 || (kept == 0 && tail.len() == wanted.len());
        let fits = wanted.get(kept..).is_some_and(|end| end.iter().zip(tail).all(|(other, one)| same(*one, *other)));
        is_filled && is_telling && replaces && fits
    })
}

fn package(
    input: &Input<'_>,
    site: &Dir,
    path: &TargetPath,
    own: Own,
    name: &[u8],
) -> Option<(Distribution, Option<Gap>)> {
    let place = path.join(name);
    let (version, is_importable, gap) = match open_folder(input, site, path, name) {
        Ok(dir) => {
            let version = VERSION_FILES.iter().find_map(|file| {
                let content = input.read(&dir, &place, file, input.cap).ok()?;
                parse_version(&content.bytes)
            });
            let (importable, gap) = holds_modules(input, dir, &place);
            (version, importable, gap)
        }
        // A link of that name may lead to anything.
        Err(GapReason::NotRegular) => return None,
        // A link that leads to nothing holds nothing; what is refused may well hold modules.
        Err(why) if is_absent(why) => (None, false, Some(input.gap_at(place.clone(), why))),
        Err(why) => (None, true, Some(input.gap_at(place.clone(), why))),
    };
    let says = FolderSays { name: own.name, version: version.unwrap_or_default() };
    let changed = site.stat_entry(name).ok().map(|stat| stat.modified);
    let around = Around { path: place, form: MetadataForm::Directory, changed };
    let mut found = metadata::distribution(around, &Headers::default(), says);
    found.state = if own.is_stash || !is_importable { DistState::Leftover } else { DistState::Installed };
    Some((found, gap))
}

/// Opens a package's folder, through a link if it is one.
fn open_folder(input: &Input<'_>, site: &Dir, path: &TargetPath, name: &[u8]) -> Result<Dir, GapReason> {
    if site.stat_entry(name)?.kind != EntryKind::Link {
        return site.open_dir(name);
    }
    let (place, _) = input.target.root.follow_link(path, site, name)?;
    input.target.root.open_dir(&place)
}

/// Whether a folder holds anything that Python could import. Bytecode in `__pycache__` is not imported without its source.
fn holds_modules(input: &Input<'_>, top: Dir, path: &TargetPath) -> (bool, Option<Gap>) {
    let mut todo = vec![(top, path.clone())];
    let (mut folders, mut entries) = (0, 0);
    while let Some((dir, path)) = todo.pop() {
        folders += 1;
        let mut has_module = false;
        let mut inner = Vec::new();
        let listed = dir.list(|name, kind| {
            entries += 1;
            has_module |= kind != EntryKind::Dir && is_module(name);
            if kind == EntryKind::Dir && name != b"__pycache__" {
                inner.push(name.to_vec());
            }
        });
        if let Err(why) = listed {
            return (true, Some(input.gap_at(path, why)));
        }
        if has_module || folders >= MOST_FOLDERS || entries >= MOST_ENTRIES {
            return (true, None);
        }
        for name in inner.into_iter().take(MOST_FOLDERS) {
            match dir.open_dir(&name) {
                Ok(dir) => todo.push((dir, path.join(&name))),
                Err(why) => return (true, Some(input.gap_at(path.join(&name), why))),
            }
        }
    }
    (false, None)
}

fn is_module(name: &[u8]) -> bool {
    [b".py".as_slice(), b".pyc", b".so", b".pyd", b".pyw"].iter().any(|end| name.ends_with(end))
}

/// Bytecode at the top of a site directory whose source is gone.
fn add_bytecode(input: &Input<'_>, site: &Dir, path: &TargetPath, harvest: &mut Harvest) {
    // The walk lists it as well, and says why where it cannot.
    let Ok(cache) = site.open_dir(b"__pycache__") else { return };
    let mut names = Vec::new();
    let _said_by_the_walk = cache.list(|name, _| {
        let module = name.split(|byte| *byte == b'.').next().and_then(|stem| std::str::from_utf8(stem).ok());
        let own =
            module.map(normalize_name).filter(|own| name.ends_with(b".pyc") && input.watch.packages.contains(own));
        names.extend(own.zip(module).map(|(own, module)| (name.to_vec(), own, format!("{module}.py"))));
    });
    names.sort_unstable();
    for (name, own, source) in names {
        if site.stat_entry(source.as_bytes()).is_ok() {
            continue;
        }
        let place = path.join(b"__pycache__").join(&name);
        let changed = cache.stat_entry(&name).ok().map(|stat| stat.modified);
        let around = Around { path: place, form: MetadataForm::Directory, changed };
        let says = FolderSays { name: own, version: String::new() };
        let mut found = metadata::distribution(around, &Headers::default(), says);
        found.state = DistState::Leftover;
        harvest.facts.distributions.push(found);
    }
}

/// The version that a module assigns as a plain text: `__version__ = "1.82.7"`, `version = '1.0'`, `VERSION: str = "2"`.
#[must_use]
pub fn parse_version(bytes: &[u8]) -> Option<String> {
    bytes.split(|byte| matches!(byte, b'\n' | b'\r')).find_map(|line| {
        let (names, value) = line.split_at(line.iter().position(|byte| *byte == b'=')?);
        // `__version__ = version = "1"` assigns several names at once.
        let value = value.rsplit(|byte| *byte == b'=').next()?.trim_ascii();
        let name = names.split(|byte| *byte == b':').next()?.trim_ascii();
        if !matches!(name, b"__version__" | b"version" | b"VERSION" | b"__VERSION__") {
            return None;
        }
        let quote = *value.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
        let text = value.get(1..)?.split(|byte| *byte == quote).next()?;
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".+!-_".contains(byte);
        let is_version = text.first().is_some_and(u8::is_ascii_digit) && text.len() <= 64 && text.iter().all(is_plain);
        is_version.then(|| String::from_utf8_lossy(text).into_owned())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn versions_are_read_from_plain_assignments() {
        assert_eq!(parse_version(b"import x\n__version__ = '1.82.7'\n").as_deref(), Some("1.82.7"));
        assert_eq!(parse_version(b"version: str = \"2.0rc1\"  # x\n").as_deref(), Some("2.0rc1"));
        assert_eq!(parse_version(b"__version__ = version = '3.1'\n").as_deref(), Some("3.1"));
        assert_eq!(parse_version(b"__version__ = get_version()\n"), None);
        assert_eq!(parse_version(b"conversion = '1.0'\n"), None);
    }

    #[test]
    fn the_stash_of_an_interrupted_removal_is_recognised() {
        for entry in ["~itellm", "~-tellm", "~~tellm", "~%0ellm", "~litellm", "~-litellm"] {
            assert!(is_stash_of(entry.as_bytes(), "litellm"), "{entry}");
        }
        for entry in ["~itell", "~xtellm", "~llm", "~", "litellm", "~itellm2"] {
            assert!(!is_stash_of(entry.as_bytes(), "litellm"), "{entry}");
        }
        assert!(is_stash_of(b"~idden_name", "hidden-name"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200), entry in prop::collection::vec(any::<u8>(), 0..20)) {
            prop_assert!(parse_version(&bytes).is_none_or(|version| version.len() <= 64));
            let _answer = is_stash_of(&entry, "litellm");
        }
    }
}
