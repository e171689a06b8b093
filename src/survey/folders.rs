//! Which folders have checks that ask for every file in them, compiled so that a folder nobody asked for costs two
//! look-ups in a bit map, and an entry nothing.

use std::collections::HashMap;

use super::names::{Gate, exact_key, suffix_key};

/// The compiled question. Names are compared without ASCII case.
pub(super) struct FolderTable {
    exact_gate: Gate,
    suffix_gate: Gate,
    exact: HashMap<Vec<u8>, Vec<Asker>>,
    suffixes: Vec<(Vec<u8>, Asker)>,
}

/// A check that asks for a folder.
#[derive(PartialEq, Eq)]
struct Asker {
    check: usize,
    /// What the folder above it is called, where that matters.
    above: Option<Vec<u8>>,
}

impl FolderTable {
    pub(super) fn new() -> Self {
        Self { exact_gate: Gate::new(), suffix_gate: Gate::new(), exact: HashMap::new(), suffixes: Vec::new() }
    }

    /// A folder of that name, which may begin with a star, below one that is called `above`.
    pub(super) fn add(&mut self, name: &str, above: Option<&str>, check: usize) {
        let lower = |text: &str| text.to_ascii_lowercase().into_bytes();
        let asker = Asker { check, above: above.map(lower) };
        match name.strip_prefix('*') {
            Some(end) => {
                self.suffix_gate.add(suffix_key(end.as_bytes()));
                self.suffixes.push((lower(end), asker));
            }
            None => {
                self.exact_gate.add(exact_key(name.as_bytes()));
                let askers = self.exact.entry(lower(name)).or_default();
                if !askers.contains(&asker) {
                    askers.push(asker);
                }
            }
        }
    }

    /// Calls `ask` with the number of every check that wants the files of the folder `name`, which lies in `above`. It may
    /// hear of a check twice.
    #[inline(always)]
    pub(super) fn askers(&self, name: &[u8], above: &[u8], mut ask: impl FnMut(usize)) {
        let wants = |asker: &&Asker| asker.above.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(above));
        if self.exact_gate.has(exact_key(name)) {
            let found = self.exact.get(&name.to_ascii_lowercase());
            found.into_iter().flatten().filter(wants).for_each(|asker| ask(asker.check));
        }
        if self.suffix_gate.has(suffix_key(name)) {
            let ends = |end: &[u8]| name.get(name.len().saturating_sub(end.len())..).unwrap_or_default();
            let fitting = self.suffixes.iter().filter(|(end, _)| ends(end).eq_ignore_ascii_case(end));
            fitting.map(|(_, asker)| asker).filter(wants).for_each(|asker| ask(asker.check));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_known_by_its_name_and_the_one_above() {
        let mut table = FolderTable::new();
        table.add("default", Some("etc"), 1);
        table.add(".bashrc.d", None, 2);
        table.add("*.d", Some("system"), 3);
        let asked = |name: &str, above: &str| {
            let mut out = Vec::new();
            table.askers(name.as_bytes(), above.as_bytes(), |check| out.push(check));
            out
        };
        assert_eq!(asked("default", "etc"), [1]);
        assert_eq!(asked("Default", "ETC"), [1]);
        assert_eq!(asked("default", "icons"), [0; 0]);
        assert_eq!(asked(".bashrc.d", "mia"), [2]);
        assert_eq!(asked("ssh.service.d", "system"), [3]);
        assert_eq!(asked("ssh.service.d", "user"), [0; 0]);
        assert_eq!(asked("d", "system"), [0; 0]);
        assert_eq!(asked("", ""), [0; 0]);
    }
}
