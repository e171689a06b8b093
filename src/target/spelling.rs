//! How names are spelled on a disk whose system takes them in any case, while the system that sweeps it does not. A folder
//! is listed once for all look-ups in it: with thousands of names that are not there, anything else takes minutes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::dir::Dir;
use crate::model::coverage::GapReason;
use crate::model::python::DirIdentity;

/// Most names that are kept before all are forgotten.
const MOST_NAMES: usize = 200_000;

/// Name in lower case → as it is spelled.
type Names = HashMap<String, Vec<u8>>;

/// The folders that were asked about last.
#[derive(Default)]
pub(super) struct Spellings {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    folders: HashMap<DirIdentity, Arc<Names>>,
    names: usize,
}

impl Spellings {
    /// How `name` is spelled in `folder`; none where nothing there has that name.
    pub(super) fn spelled(&self, folder: &Dir, name: &[u8]) -> Result<Option<Vec<u8>>, GapReason> {
        let names = self.names(folder)?;
        Ok(names.get(&lower(name)).cloned())
    }

    fn names(&self, folder: &Dir) -> Result<Arc<Names>, GapReason> {
        let identity = folder.stat().map(|stat| stat.identity);
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(names) = identity.and_then(|identity| known().folders.get(&identity).cloned()) {
            return Ok(names);
        }
        let mut names = Names::new();
        folder.list(|entry, _| {
            names.insert(lower(entry), entry.to_vec());
        })?;
        let names = Arc::new(names);
        if let Some(identity) = identity {
            let mut known = known();
            if known.names + names.len() > MOST_NAMES {
                *known = Known::default();
            }
            known.names += names.len() + 1;
            known.folders.insert(identity, Arc::clone(&names));
        }
        Ok(names)
    }
}

fn lower(name: &[u8]) -> String {
    String::from_utf8_lossy(name).to_lowercase()
}
