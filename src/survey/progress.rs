//! How far the walk is, for a person who watches. Workers add to counters; only when the watcher asks does one of them
//! write down where it is.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::model::path::TargetPath;

/// Shared between the walk and whoever shows it.
#[derive(Default)]
pub struct Progress {
    entries: AtomicU64,
    place_wanted: AtomicBool,
    place: Mutex<String>,
}

impl Progress {
    /// Counts entries of one directory; notes the place if somebody asked for it since the last time.
    pub fn add(&self, entries: u64, place: impl FnOnce() -> TargetPath) {
        self.entries.fetch_add(entries, Ordering::Relaxed);
        if self.place_wanted.load(Ordering::Relaxed) && self.place_wanted.swap(false, Ordering::Relaxed) {
            // A poisoned lock means that a worker crashed while it noted a place: the text is still a text.
            let mut slot = self.place.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *slot = place().to_text().into_owned();
        }
    }

    /// Entries so far, and the place last noted. Asks for a newer one.
    pub fn look(&self) -> (u64, String) {
        self.place_wanted.store(true, Ordering::Relaxed);
        let place = self.place.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        (self.entries.load(Ordering::Relaxed), place)
    }
}
