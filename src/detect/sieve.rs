//! Which indicators a file could fit at all: by a text that was found in it, by its hash, or by its name. Packs may hold
//! thousands of indicators and a host hundreds of files, and few of the pairs have anything in common.

use std::collections::HashMap;

use crate::intel::index::{Intel, Known};
use crate::intel::sought::{self, Sought, Wanted};
use crate::model::known_file::WatchedFile;
use crate::model::watch::Needle;

/// The indicators that are looked for in files, by what gives them away.
pub(super) struct Sieve<'a> {
    rows: Vec<(Known<'a>, Sought<'a>)>,
    by_text: HashMap<Needle, Vec<usize>>,
    by_hash: HashMap<&'a str, Vec<usize>>,
    /// By the last name of a path, lower case.
    by_name: HashMap<String, Vec<usize>>,
    /// Those with stars in it.
    by_pattern: Vec<usize>,
}

impl<'a> Sieve<'a> {
    /// Of all indicators of which a file is part, or, with `is_named`, of those that it can only name.
    pub(super) fn of(intel: &'a Intel, is_named: bool) -> Self {
        let mut all = Self {
            rows: Vec::new(),
            by_text: HashMap::new(),
            by_hash: HashMap::new(),
            by_name: HashMap::new(),
            by_pattern: Vec::new(),
        };
        for known in intel.all().filter(|known| sought::named_in(known.indicator).is_some() == is_named) {
            if let Some(sought) = Sought::of(known.indicator) {
                all.add(known, sought);
            }
        }
        all
    }

    fn add(&mut self, known: Known<'a>, sought: Sought<'a>) {
        let at = self.rows.len();
        if !sought.texts.is_empty() {
            // Where each of them must be there, one gives the others away.
            let telling = if sought.wanted == Wanted::All { 1 } else { sought.texts.len() };
            for needle in sought.texts.iter().take(telling) {
                self.by_text.entry(needle.clone()).or_default().push(at);
            }
        } else if !known.indicator.sha256.is_empty() {
            for hash in &known.indicator.sha256 {
                self.by_hash.entry(hash).or_default().push(at);
            }
        } else {
            let of_paths = sought.paths.iter().filter_map(|path| path.rsplit('/').next());
            for name in of_paths.chain(sought.names.iter().map(String::as_str)) {
                if name.contains('*') {
                    self.by_pattern.push(at);
                } else {
                    self.by_name.entry(name.to_lowercase()).or_default().push(at);
                }
            }
        }
        self.rows.push((known, sought));
    }

    /// What `file` could fit, in the order of the packs.
    pub(super) fn candidates(&self, file: &WatchedFile) -> Vec<&(Known<'a>, Sought<'a>)> {
        let name = String::from_utf8_lossy(file.path.file_name()).to_lowercase();
        let texts = file.texts.iter().filter_map(|text| self.by_text.get(&text.needle));
        let hash = file.sha256.as_deref().and_then(|hash| self.by_hash.get(hash));
        let all = texts.chain(hash).chain(self.by_name.get(&name)).flatten().chain(&self.by_pattern);
        let mut places: Vec<usize> = all.copied().collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter_map(|at| self.rows.get(at)).collect()
    }
}
