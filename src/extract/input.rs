//! What a reader gets: the candidate, and bounded ways to look at it and its neighbours without resolving its path anew.

use std::cell::Cell;
use std::io::{self, Read};

use super::Extractor;
use super::format::read_at::ReadAt;
use crate::model::coverage::{Counts, Gap, GapReason};
use crate::model::interest::{Candidate, EntryKind};
use crate::model::path::TargetPath;
use crate::model::watch::Watch;
use crate::target::Target;
use crate::target::dir::{Dir, OpenFile, Stat};

/// One candidate, as its reader sees it.
pub struct Input<'a> {
    /// The entry that was asked for.
    pub candidate: &'a Candidate<'a, Dir>,
    /// What the packs want looked at.
    pub watch: &'a Watch,
    /// The target it lies on.
    pub target: &'a Target,
    /// Most bytes to read of one file.
    pub cap: u64,
    check: &'static str,
    counts: Cell<Counts>,
}

/// A file's content up to the cap.
pub struct Content {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What the system said of the handle.
    pub stat: Stat,
    /// Whether that is all of it.
    pub whole: bool,
    /// Whether nothing of it may be shown.
    pub is_elsewhere: bool,
}

impl<'a> Input<'a> {
    pub(super) fn new(
        row: &Extractor,
        target: &'a Target,
        watch: &'a Watch,
        candidate: &'a Candidate<'a, Dir>,
    ) -> Self {
        Self { candidate, watch, target, cap: row.cap, check: row.interest.id, counts: Cell::default() }
    }

    /// The work done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts.get()
    }

    /// The same for another entry, which the check found itself.
    #[must_use]
    pub fn instead<'b>(&'b self, candidate: &'b Candidate<'b, Dir>) -> Input<'b> {
        Input {
            candidate,
            watch: self.watch,
            target: self.target,
            cap: self.cap,
            check: self.check,
            counts: Cell::default(),
        }
    }

    /// A gap of this check at the candidate.
    #[must_use]
    pub fn gap(&self, why: GapReason) -> Gap {
        self.gap_at(self.candidate.path.clone(), why)
    }

    /// A gap of this check elsewhere.
    #[must_use]
    pub fn gap_at(&self, path: TargetPath, why: GapReason) -> Gap {
        Gap::new(self.check, path, why)
    }

    /// Opens the candidate as a directory, through a link if it is one.
    ///
    /// # Errors
    /// Why not.
    pub fn open_dir(&self) -> Result<Dir, GapReason> {
        let Candidate { dir, name, kind, path, .. } = self.candidate;
        match kind {
            EntryKind::Dir => dir.open_dir(name).map_err(listed),
            EntryKind::Link => {
                let folder = path.parent().unwrap_or_else(|| path.clone());
                let (place, _) = self.target.root.follow_link(&folder, dir, name)?;
                self.target.root.open_dir(&place)
            }
            EntryKind::File | EntryKind::Other => Err(GapReason::NotRegular),
        }
    }

    /// Opens a regular file in `dir`, whose path is `folder`, through a link if it is one and leads to a file of the same
    /// name.
    ///
    /// # Errors
    /// Why not.
    pub fn open(&self, dir: &Dir, folder: &TargetPath, name: &[u8]) -> Result<OpenFile, GapReason> {
        let file = self.open_to_judge(dir, folder, name)?;
        if file.is_elsewhere { Err(GapReason::LinkElsewhere) } else { Ok(file) }
    }

    /// The same for a file of any name that the owner of a link could read: what Python takes from there must be judged.
    /// Of one that `is_elsewhere` nothing is shown.
    ///
    /// # Errors
    /// Why not.
    pub fn open_to_judge(&self, dir: &Dir, folder: &TargetPath, name: &[u8]) -> Result<OpenFile, GapReason> {
        let spelled = match dir.stat_entry(name) {
            // On a case-blind target METADATA may be called metadata.
            Err(GapReason::Missing) if self.target.root.platform().is_case_blind() => {
                let found = self.target.root.find(dir, name.to_vec());
                found.map(|(name, _)| name).map_err(|_| GapReason::Missing)?
            }
            _ => name.to_vec(),
        };
        let name = spelled.as_slice();
        let file = match dir.open_file(name) {
            Err(GapReason::NotRegular) if dir.stat_entry(name)?.kind == EntryKind::Link => {
                self.target.root.open_linked(folder, dir, name)
            }
            other => other,
        }?;
        self.count(1, 0);
        Ok(file)
    }

    /// Opens the candidate itself as a regular file.
    ///
    /// # Errors
    /// Why not.
    pub fn open_candidate(&self) -> Result<OpenFile, GapReason> {
        let folder = self.folder();
        self.open(self.candidate.dir, &folder, self.candidate.name).map_err(listed)
    }

    /// The same to be judged, whatever a link calls it.
    ///
    /// # Errors
    /// Why not.
    pub fn open_candidate_to_judge(&self) -> Result<OpenFile, GapReason> {
        self.open_to_judge(self.candidate.dir, &self.folder(), self.candidate.name).map_err(listed)
    }

    /// Opens a regular file elsewhere on the target, which the candidate names.
    ///
    /// # Errors
    /// Why not.
    pub fn open_named(&self, path: &TargetPath) -> Result<OpenFile, GapReason> {
        let file = self.target.root.open_file(path)?;
        self.count(1, 0);
        Ok(file)
    }

    /// Reads at most `cap` bytes of a file in `dir`.
    ///
    /// # Errors
    /// Why not.
    pub fn read(&self, dir: &Dir, folder: &TargetPath, name: &[u8], cap: u64) -> Result<Content, GapReason> {
        let file = self.open(dir, folder, name)?;
        self.read_open(file, cap)
    }

    /// Reads at most `cap` bytes of an open file. The size that the system promised does not bind what it delivers.
    ///
    /// # Errors
    /// `Unreadable` when the disk fails.
    pub fn read_open(&self, mut file: OpenFile, cap: u64) -> Result<Content, GapReason> {
        let mut bytes = file.read(cap.saturating_add(1))?;
        let whole = bytes.len() as u64 <= cap;
        bytes.truncate(usize::try_from(cap).unwrap_or(usize::MAX));
        self.count(0, bytes.len() as u64);
        Ok(Content { bytes, stat: file.stat, whole, is_elsewhere: file.is_elsewhere })
    }

    /// A file of `dir` as a stream of at most `cap` bytes.
    ///
    /// # Errors
    /// Why not.
    pub fn stream(
        &'a self,
        dir: &Dir,
        folder: &TargetPath,
        name: &[u8],
        cap: u64,
    ) -> Result<impl Read + 'a, GapReason> {
        Ok(self.stream_open(self.open(dir, folder, name)?, cap))
    }

    /// An open file as a stream of at most `cap` bytes.
    pub fn stream_open(&'a self, file: OpenFile, cap: u64) -> impl Read + 'a {
        Counted { input: self, inner: file.stream(cap) }
    }

    /// An open file to be read here and there.
    #[must_use]
    pub fn at_will(&'a self, file: &'a OpenFile) -> impl ReadAt + 'a {
        Counted { input: self, inner: file }
    }

    /// The folder that holds the candidate.
    #[must_use]
    pub fn folder(&self) -> TargetPath {
        self.candidate.path.parent().unwrap_or_else(|| self.candidate.path.clone())
    }

    fn count(&self, files_read: u64, bytes_read: u64) {
        let mut counts = self.counts.get();
        counts.add(Counts { files_read, bytes_read, ..Counts::default() });
        self.counts.set(counts);
    }
}

/// What the walk has just seen in a listing and is not there any more was not missing from the start.
#[must_use]
pub fn listed(why: GapReason) -> GapReason {
    if why == GapReason::Missing { GapReason::Vanished } else { why }
}

/// Something to read from that adds what it delivers to the counts.
struct Counted<'a, R> {
    input: &'a Input<'a>,
    inner: R,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.input.count(0, got as u64);
        Ok(got)
    }
}

impl ReadAt for Counted<'_, &OpenFile> {
    fn size(&self) -> u64 {
        self.inner.stat.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read_at(offset, buffer)?;
        self.input.count(0, got as u64);
        Ok(got)
    }
}
