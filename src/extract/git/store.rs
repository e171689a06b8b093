//! The objects of one repository: loose ones, and those of its packs.

use super::object::{Object, ObjectId};
use super::pack::{self, Miss};
use crate::extract::input::Input;
use crate::model::coverage::GapReason;
use crate::model::id::hex;
use crate::model::path::TargetPath;
use crate::target::dir::{Dir, OpenFile};

/// Most packs of one repository.
const MOST_PACKS: usize = 100;

/// Most bytes of objects of one repository.
const MOST_BYTES: usize = 256 << 20;

/// Where the objects lie.
pub(super) struct Store<'a> {
    input: &'a Input<'a>,
    objects: Option<(Dir, TargetPath)>,
    packs: Vec<(OpenFile, OpenFile)>,
    is_whole: bool,
    left: usize,
}

impl<'a> Store<'a> {
    /// Opens the packs.
    pub(super) fn of(input: &'a Input<'a>, dir: &Dir, path: &TargetPath) -> Self {
        let objects = dir.open_dir(b"objects").ok().map(|objects| (objects, path.join(b"objects")));
        let mut out = Self { input, objects, packs: Vec::new(), is_whole: true, left: MOST_BYTES };
        let Some((objects, at)) = &out.objects else { return out };
        let Ok(packs) = objects.open_dir(b"pack") else { return out };
        let at = at.join(b"pack");
        let mut names = Vec::new();
        let listed = packs.list(|name, _| {
            if name.ends_with(b".idx") && names.len() <= MOST_PACKS {
                names.push(name.to_vec());
            }
        });
        names.sort_unstable();
        out.is_whole = listed.is_ok() && names.len() <= MOST_PACKS;
        names.truncate(MOST_PACKS);
        for name in names {
            let stem = name.strip_suffix(b".idx").unwrap_or(&name);
            let own = [stem, b".pack"].concat();
            match (input.open(&packs, &at, &name), input.open(&packs, &at, &own)) {
                (Ok(index), Ok(pack)) => out.packs.push((index, pack)),
                _ => out.is_whole = false,
            }
        }
        out
    }

    /// Whether objects may lie in another repository, which is not looked into.
    pub(super) fn has_alternates(&self) -> bool {
        let info = self.objects.as_ref().and_then(|(objects, _)| objects.open_dir(b"info").ok());
        info.is_some_and(|info| info.stat_entry(b"alternates").is_ok())
    }

    /// Reads an object.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn read(&mut self, id: &ObjectId) -> Result<Object, Miss> {
        if self.left == 0 {
            return Err(Miss::TooLarge);
        }
        let found = match self.loose(id) {
            Err(Miss::Missing) => self.packed(id),
            other => other,
        }?;
        self.left = self.left.saturating_sub(found.bytes.len());
        Ok(found)
    }

    fn loose(&self, id: &ObjectId) -> Result<Object, Miss> {
        let Some((objects, at)) = &self.objects else { return Err(Miss::Missing) };
        let name = hex(id);
        let (first, rest) = name.split_at(2);
        let folder = objects.open_dir(first.as_bytes()).map_err(|_| Miss::Missing)?;
        let file = self.input.open(&folder, &at.join(first.as_bytes()), rest.as_bytes()).map_err(|why| match why {
            GapReason::Missing => Miss::Missing,
            _ => Miss::Disk,
        })?;
        pack::loose(self.input.stream_open(file, 2 * pack::MOST as u64))
    }

    fn packed(&self, id: &ObjectId) -> Result<Object, Miss> {
        let mut first = if self.is_whole { Miss::Missing } else { Miss::TooLarge };
        for (index, own) in &self.packs {
            let (index, own) = (self.input.at_will(index), self.input.at_will(own));
            match pack::offset(&index, id).and_then(|at| pack::object(&own, &index, at)) {
                Err(Miss::Missing) => {}
                Err(why) => first = why,
                found => return found,
            }
        }
        Err(first)
    }
}
