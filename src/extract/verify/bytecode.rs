//! Bytecode that runs instead of the source beside it and says something else, or may: a file with the right time and size
//! is taken for the source's, and an "unchecked hash" file is never compared with it (PEP 552). Installers and Python itself
//! do not write the latter; build systems can. RECORD has no hash of either.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use sha2::{Digest, Sha256};

use super::disk::{Disk, is_gone};
use super::rows::Listed;
use crate::extract::python::bytecode::beside::{CACHE, CAP, is_taken, stem_of};
use crate::extract::python::bytecode::header::{self, LONGEST, StandsIn};
use crate::extract::python::bytecode::{Match, belongs};
use crate::model::coverage::GapReason;
use crate::model::id::hex;
use crate::model::interest::EntryKind;
use crate::model::path::TargetPath;
use crate::model::record::ChangeKind;
use crate::model::time::Time;
use crate::target::dir::{Dir, OpenFile, Stat};

/// Bytecode that stands in for a listed source and is not made of it, or may not be.
pub(super) struct Found {
    /// The file, or the folder where that is a link.
    pub(super) path: TargetPath,
    /// Its last modification.
    pub(super) modified: Option<Time>,
    /// The hash of what was compared, lower-case hex.
    pub(super) sha256: Option<String>,
    /// What it is, or why it was not looked at.
    pub(super) what: Result<ChangeKind, GapReason>,
}

/// What lies beside listed sources. Python writes `__pycache__` and the files in it: a link is somebody else's, and may lead
/// to anything.
pub(super) fn find(environment: &Disk<'_>, listed: &Listed) -> Vec<Found> {
    let sources = listed.iter().filter(|(_, names)| names.iter().any(|name| name.ends_with(b".py")));
    sources.flat_map(|(folder, names)| in_folder(environment, folder, names)).collect()
}

fn in_folder(environment: &Disk<'_>, folder: &[u8], names: &BTreeSet<Vec<u8>>) -> Vec<Found> {
    let mut parts: Vec<&[u8]> = folder.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).collect();
    // Behind a link that leads out, the rows themselves could not be compared: that has been said.
    let Ok(sources) = environment.folder(&parts) else { return Vec::new() };
    let path = parts.iter().fold(environment.site.clone(), |path, part| path.join(part));
    let is_listed = |stem: &[u8]| names.contains(&[stem, b".py".as_slice()].concat());
    let mut found =
        Place { environment, sources: &sources, above: &path, dir: &sources, path: path.clone(), is_old: true }
            .look(&|name| name.strip_suffix(b".pyc").or(name.strip_suffix(b".pyo")).is_some_and(is_listed));
    parts.push(CACHE);
    let cache = path.join(CACHE);
    match environment.folder(&parts) {
        Ok(dir) => {
            let place = Place { environment, sources: &sources, above: &path, dir: &dir, path: cache, is_old: false };
            let is_of_row = |name: &[u8]| {
                name.ends_with(b".pyc") && is_listed(name.split(|byte| *byte == b'.').next().unwrap_or_default())
            };
            found.extend(place.look(&is_of_row));
        }
        Err(why) if is_gone(why) => {}
        Err(GapReason::LinkElsewhere) => found.push(Found::of(cache, Ok(ChangeKind::UncheckedBytecode))),
        Err(why) => found.push(Found::of(cache, Err(why))),
    }
    found
}

impl Found {
    fn of(path: TargetPath, what: Result<ChangeKind, GapReason>) -> Self {
        Self { path, modified: None, sha256: None, what }
    }
}

/// A folder of bytecode and that of its sources.
struct Place<'a, 'b> {
    environment: &'a Disk<'b>,
    sources: &'a Rc<Dir>,
    above: &'a TargetPath,
    dir: &'a Rc<Dir>,
    path: TargetPath,
    /// Whether it lies beside the sources, where Python 2 takes it, and Python 3 only without them.
    is_old: bool,
}

/// The source that the bytecode at hand is beside.
struct Source {
    stem: Vec<u8>,
    /// None where it cannot be looked at: the rows say so.
    stat: Option<Stat>,
    /// Read when it is needed.
    text: OnceCell<Result<Vec<u8>, GapReason>>,
}

impl Place<'_, '_> {
    fn look(&self, is_of_row: &dyn Fn(&[u8]) -> bool) -> Vec<Found> {
        let mut names = Vec::new();
        let all = self.dir.list(|name, kind| {
            if is_of_row(&self.environment.key(name)) {
                names.push((name.to_vec(), kind));
            }
        });
        if let Err(why) = all {
            return vec![Found::of(self.path.clone(), Err(why))];
        }
        names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        // Files of one module follow each other.
        let mut source = None;
        names.iter().filter_map(|(name, kind)| self.judge(name, *kind, &mut source)).collect()
    }

    fn judge(&self, name: &[u8], kind: EntryKind, source: &mut Option<Source>) -> Option<Found> {
        let mut found = Found::of(self.path.join(name), Ok(ChangeKind::UncheckedBytecode));
        let what = match kind {
            EntryKind::Link if self.is_old => return None,
            EntryKind::Link => Ok(ChangeKind::UncheckedBytecode),
            _ => match self.compare(name, source, &mut found.sha256) {
                Ok(what) => Ok(what?),
                Err(why) => Err(why),
            },
        };
        found.modified = self.dir.stat_entry(name).ok().map(|stat| stat.modified);
        Some(Found { what, ..found })
    }

    /// What is wrong with a file, if anything.
    fn compare(
        &self,
        name: &[u8],
        source: &mut Option<Source>,
        sha256: &mut Option<String>,
    ) -> Result<Option<ChangeKind>, GapReason> {
        let head = self.environment.head(self.dir, name, LONGEST as u64)?;
        let unchecked = is_unchecked(&head).then_some(ChangeKind::UncheckedBytecode);
        let stem = match self.is_old {
            true => name.split(|byte| *byte == b'.').next(),
            false => stem_of(name),
        };
        let (Some(header), Some(stem)) = (header::header(&head), stem) else { return Ok(unchecked) };
        if self.is_old && header.python.0 > 2 {
            return Ok(None);
        }
        let source = match source {
            Some(source) if source.stem == stem => source,
            other => other.insert(self.source(stem)),
        };
        let Some(stat) = source.stat else { return Ok(unchecked) };
        if header::stands_in(&header, stat.modified.unix(), stat.size) == StandsIn::Stale {
            return Ok(None);
        }
        let read = || self.environment.whole(self.open_source(stem)?, CAP);
        let text = source.text.get_or_init(read).as_ref().map_err(|why| *why)?;
        if !is_taken(&header, text, &stat) {
            return Ok(None);
        }
        let pyc = self.environment.whole(self.dir.open_file(name)?, CAP)?;
        match belongs(&pyc, text) {
            Match::No(_) => {
                *sha256 = Some(hex(&Sha256::digest(&pyc)));
                Ok(Some(ChangeKind::ForeignBytecode))
            }
            Match::Unknown(why) => why.missed().filter(|_| unchecked.is_none()).map_or(Ok(unchecked), Err),
            Match::Yes => Ok(unchecked),
        }
    }

    fn source(&self, stem: &[u8]) -> Source {
        let stat = self.open_source(stem).ok().map(|file| file.stat);
        Source { stem: stem.to_vec(), stat, text: OnceCell::new() }
    }

    fn open_source(&self, stem: &[u8]) -> Result<OpenFile, GapReason> {
        let name = self.environment.spelled(self.sources, &[stem, b".py"].concat())?;
        self.environment.open_file(self.sources, self.above, &name)
    }
}

/// Whether the header says: hash-based, and never compared. Also of versions that are not known yet.
fn is_unchecked(head: &[u8]) -> bool {
    let flags = head.get(4..8).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()).map(u32::from_le_bytes);
    // Before 3.7 the second word is a time, and the header has 12 bytes; those magics end below 3390.
    let magic = head.get(..2).and_then(|bytes| <[u8; 2]>::try_from(bytes).ok()).map(u16::from_le_bytes);
    let has_flags = magic.is_some_and(|magic| (3390..20_000).contains(&magic)) && head.get(2..4) == Some(b"\r\n");
    has_flags && head.len() == 16 && flags == Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_never_compared_counts() {
        let head =
            |magic: u16, flags: u32| [magic.to_le_bytes().as_slice(), b"\r\n", &flags.to_le_bytes(), &[7; 8]].concat();
        assert!(is_unchecked(&head(3495, 1)));
        assert!(!is_unchecked(&head(3495, 3)));
        assert!(!is_unchecked(&head(3495, 0)));
        // A time of 1 second in a file of Python 3.6.
        assert!(!is_unchecked(&head(3379, 1)));
        assert!(!is_unchecked(b"\xa7\r\r\n\x01"));
    }
}
