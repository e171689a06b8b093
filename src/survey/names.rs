//! Which names the checks ask for, compiled so that a name nobody asked for costs two look-ups in a bit map. The program is
//! built for size; what is asked of every entry is put in line all the same.

use std::collections::HashMap;

use super::folders::FolderTable;
use crate::model::interest::{Ask, Interest, NamePattern};
use crate::model::watch::Watch;
use crate::target::places::Places;
use crate::target::starts::{StartPlaces, StartRule};

/// The compiled question. Names are compared without ASCII case.
pub struct NameTable {
    exact_gate: Gate,
    suffix_gate: Gate,
    prefix_gate: Gate,
    exact: HashMap<Vec<u8>, Vec<Asker>>,
    suffixes: Vec<(Vec<u8>, Asker)>,
    prefixes: Vec<(Vec<u8>, Asker)>,
    hex_digits: Vec<(usize, Asker)>,
    folders: FolderTable,
}

/// A check that asks, and whether it wants directories too.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Asker {
    check: usize,
    dirs: bool,
}

/// 65,536 bits: a set that may say yes wrongly, never no.
pub(super) struct Gate(Vec<u64>);

impl Gate {
    pub(super) fn new() -> Self {
        Self(vec![0; 1024])
    }

    pub(super) fn add(&mut self, key: u16) {
        if let Some(word) = self.0.get_mut(usize::from(key >> 6)) {
            *word |= 1 << (key & 63);
        }
    }

    #[inline(always)]
    pub(super) fn has(&self, key: u16) -> bool {
        self.0.get(usize::from(key >> 6)).is_some_and(|word| word >> (key & 63) & 1 == 1)
    }
}

#[inline(always)]
fn pair(first: u8, second: u8) -> u16 {
    u16::from_be_bytes([first.to_ascii_lowercase(), second.to_ascii_lowercase()])
}

#[inline(always)]
pub(super) fn exact_key(name: &[u8]) -> u16 {
    let (first, last) = (name.first().copied().unwrap_or(0), name.last().copied().unwrap_or(0));
    pair(first, last) ^ (name.len() as u16).wrapping_mul(0x9e37)
}

#[inline(always)]
pub(super) fn suffix_key(name: &[u8]) -> u16 {
    match name {
        [.., before, last] => pair(*before, *last),
        _ => 0,
    }
}

#[inline(always)]
fn prefix_key(name: &[u8]) -> u16 {
    match name {
        [first, second, ..] => pair(*first, *second),
        _ => 0,
    }
}

impl NameTable {
    /// Compiles what the rows ask for; the index of a row is the check's number.
    pub fn of<'a>(
        interests: impl Iterator<Item = &'a Interest>,
        watch: &Watch,
        places: &Places,
        starts: &StartPlaces,
    ) -> Self {
        let mut table = Self {
            exact_gate: Gate::new(),
            suffix_gate: Gate::new(),
            prefix_gate: Gate::new(),
            exact: HashMap::new(),
            suffixes: Vec::new(),
            prefixes: Vec::new(),
            hex_digits: Vec::new(),
            folders: FolderTable::new(),
        };
        for (check, interest) in interests.enumerate() {
            match interest.ask {
                Ask::Names(patterns) => patterns.iter().for_each(|one| table.add(*one, Asker { check, dirs: true })),
                Ask::FileNames(patterns) => {
                    patterns.iter().for_each(|one| table.add(*one, Asker { check, dirs: false }));
                }
                Ask::Paths(lists) => {
                    lists.iter().copied().flatten().for_each(|path| table.add_path(path, check));
                }
                Ask::WatchedNames => {
                    watch.file_names.keys().for_each(|name| table.add_exact(name, Asker { check, dirs: false }));
                    let patterns = watch.file_patterns.iter();
                    patterns.for_each(|one| table.folders.add(&one.folder, one.above.as_deref(), check));
                }
                Ask::Starts(family) => table.add_rules(starts, |rule| rule.family.as_deref() == Some(family), check),
                Ask::Variables => table.add_rules(starts, |rule| rule.variables.is_some(), check),
                Ask::Marks => {
                    places.mark_names().for_each(|name| table.add_exact(name, Asker { check, dirs: true }));
                }
            }
        }
        table
    }

    fn add(&mut self, pattern: NamePattern, asker: Asker) {
        match pattern {
            NamePattern::Exact(name) => self.add_exact(name, asker),
            NamePattern::Suffix(end) => {
                self.suffix_gate.add(suffix_key(end.as_bytes()));
                self.suffixes.push((end.to_ascii_lowercase().into_bytes(), asker));
            }
            NamePattern::Prefix(start) => {
                self.prefix_gate.add(prefix_key(start.as_bytes()));
                self.prefixes.push((start.to_ascii_lowercase().into_bytes(), asker));
            }
            NamePattern::HexDigits(count) => self.hex_digits.push((count, asker)),
        }
    }

    fn add_exact(&mut self, name: &str, asker: Asker) {
        self.exact_gate.add(exact_key(name.as_bytes()));
        let askers = self.exact.entry(name.to_ascii_lowercase().into_bytes()).or_default();
        if !askers.contains(&asker) {
            askers.push(asker);
        }
    }

    fn add_rules(&mut self, starts: &StartPlaces, wanted: impl Fn(&StartRule) -> bool, check: usize) {
        let rules = starts.rules().iter().filter(|rule| wanted(rule));
        rules.flat_map(|rule| &rule.paths).for_each(|path| self.add_path(path, check));
    }

    fn add_path(&mut self, path: &str, check: usize) {
        // `**/*.x`: a name that may lie in any folder, by its end.
        if let Some(end) = path.strip_prefix("**/*").filter(|end| !end.contains(['/', '*'])) {
            self.suffix_gate.add(suffix_key(end.as_bytes()));
            return self.suffixes.push((end.to_ascii_lowercase().into_bytes(), Asker { check, dirs: false }));
        }
        let mut names = path.rsplit('/');
        let name = names.next().unwrap_or_default();
        if name.contains('*') {
            let folder = names.next().unwrap_or_default();
            self.folders.add(folder, names.next().filter(|above| !matches!(*above, "" | "~" | "{home}" | "**")), check);
        } else {
            self.add_exact(name, Asker { check, dirs: false });
        }
    }

    /// Calls `ask` with the number of every check that wants the files of the folder `name`, which lies in `above`. It may
    /// hear of a check twice.
    #[inline(always)]
    pub fn folder_askers(&self, name: &[u8], above: &[u8], ask: impl FnMut(usize)) {
        self.folders.askers(name, above, ask);
    }

    /// Calls `ask` with the number of every check that wants an entry of this name.
    #[inline(always)]
    pub fn askers(&self, name: &[u8], is_dir: bool, mut ask: impl FnMut(usize)) {
        let wants = |asker: &Asker| asker.dirs || !is_dir;
        if self.suffix_gate.has(suffix_key(name)) {
            let ends = |end: &[u8]| {
                name.len()
                    .checked_sub(end.len())
                    .and_then(|at| name.get(at..))
                    .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
            };
            self.suffixes
                .iter()
                .filter(|(end, asker)| wants(asker) && ends(end))
                .for_each(|(_, asker)| ask(asker.check));
        }
        if self.prefix_gate.has(prefix_key(name)) {
            let starts = |start: &[u8]| name.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
            self.prefixes
                .iter()
                .filter(|(start, asker)| wants(asker) && starts(start))
                .for_each(|(_, asker)| ask(asker.check));
        }
        for (count, asker) in &self.hex_digits {
            if name.len() == *count && wants(asker) && name.iter().all(u8::is_ascii_hexdigit) {
                ask(asker.check);
            }
        }
        if self.exact_gate.has(exact_key(name)) {
            let found = self.exact.get(&name.to_ascii_lowercase());
            found.into_iter().flatten().filter(|asker| wants(asker)).for_each(|asker| ask(asker.check));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::watch::FileWatch;

    const ROWS: [Interest; 4] = [
        Interest {
            id: "a",
            sentence: "",
            ask: Ask::Names(&[NamePattern::Suffix(".dist-info"), NamePattern::Exact("site-packages")]),
        },
        Interest {
            id: "b",
            sentence: "",
            ask: Ask::FileNames(&[
                NamePattern::Suffix(".pth"),
                NamePattern::Prefix("python"),
                NamePattern::Exact("pyvenv.cfg"),
            ]),
        },
        Interest { id: "c", sentence: "", ask: Ask::WatchedNames },
        Interest {
            id: "d",
            sentence: "",
            ask: Ask::Paths(&[&["~/.bashrc", "~/x/.bashrc", "/etc/default/*"], &["~/.bashrc.d/*.sh"]]),
        },
    ];

    fn table() -> NameTable {
        let mut watch = Watch::default();
        watch.file_names.insert("cook.py".to_owned(), FileWatch::default());
        NameTable::of(ROWS.iter(), &watch, &Places::built_in(), &StartPlaces::built_in())
    }

    fn asked(name: &str, is_dir: bool) -> Vec<usize> {
        let mut out = Vec::new();
        table().askers(name.as_bytes(), is_dir, |check| out.push(check));
        out
    }

    #[test]
    fn patterns_find_their_names_in_any_case() {
        assert_eq!(asked("x-1.dist-info", true), [0]);
        assert_eq!(asked("X-1.DIST-INFO", true), [0]);
        assert_eq!(asked("site-packages", true), [0]);
        assert_eq!(asked("a.pth", false), [1]);
        assert_eq!(asked("a.pth", true), Vec::<usize>::new());
        assert_eq!(asked("python3.11", false), [1]);
        assert_eq!(asked("Cook.py", false), [2]);
        assert_eq!(asked("look.py", false), Vec::<usize>::new());
        assert_eq!(asked("", false), Vec::<usize>::new());
    }

    #[test]
    fn paths_are_asked_for_by_name_or_by_folder() {
        assert_eq!(asked(".bashrc", false), [3]);
        assert_eq!(asked(".bashrc", true), Vec::<usize>::new());
        let in_folder = |name: &str, above: &str| {
            let mut out = Vec::new();
            table().folder_askers(name.as_bytes(), above.as_bytes(), |check| out.push(check));
            out
        };
        assert_eq!(in_folder("default", "etc"), [3]);
        assert_eq!(in_folder(".bashrc.d", "mia"), [3]);
        assert_eq!(in_folder("default", "mia"), Vec::<usize>::new());
    }

    proptest! {
        #[test]
        fn the_gates_never_hide_a_match(name in "[a-zA-Z.0-9-]{0,20}", end in prop::sample::select(vec!["", ".pth", ".dist-info"])) {
            let full = format!("{name}{end}");
            let lower = full.to_ascii_lowercase();
            let b = lower.ends_with(".pth") || lower.starts_with("python") || lower == "pyvenv.cfg";
            prop_assert_eq!(asked(&full, false).contains(&1), b);
            prop_assert_eq!(asked(&full, true).contains(&0), lower.ends_with(".dist-info") || lower == "site-packages");
        }
    }
}
