//! What the packs want looked at while reading, as plain data: readers attach facts where it asks, and never judge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

use super::glob;
use super::pod::Pod;

/// Compiled from the packs by `intel`.
#[derive(Clone, Default, Debug)]
pub struct Watch {
    /// Normalised names of distributions that some pack names.
    pub packages: BTreeSet<String>,
    /// The same of packages of the system's own managers: the manager, as packs call it, and the name.
    pub system_packages: BTreeSet<(String, String)>,
    /// File names to look for anywhere, lower case.
    pub file_names: BTreeMap<String, FileWatch>,
    /// Files to look for by a name with stars, in folders of a name.
    pub file_patterns: Vec<PatternWatch>,
    /// Names of pods that some pack names, with stars.
    pub pods: BTreeSet<String>,
    /// SHA-256 of known payloads, to be looked for in the rows of RECORD.
    pub sha256: BTreeSet<[u8; 32]>,
    /// Texts to look for in start-up files.
    pub hook_needles: BTreeSet<String>,
    /// What the user wants done with backups and saved images.
    pub archives: Archives,
}

/// Whether archives that may hold anything are opened: it takes as long as they are large.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Archives {
    /// They are not.
    #[default]
    Closed,
    /// They are.
    Opened,
}

/// What to find out about a file of a watched name.
#[derive(Clone, Default, Debug)]
pub struct FileWatch {
    /// Whether its SHA-256 is wanted.
    pub hash: bool,
    /// Whether the name alone says something, whatever is in the file.
    pub name_alone: bool,
    /// Texts to look for in it.
    pub needles: BTreeSet<Needle>,
    /// What finds them, whatever their case; made when the first file is read.
    pub machine: OnceLock<Option<AhoCorasick>>,
}

/// Files of a name with stars in a folder of a plain name.
#[derive(Clone, Debug)]
pub struct PatternWatch {
    /// The name, with `*` for any part of it; lower case.
    pub name: String,
    /// The folder's name, lower case.
    pub folder: String,
    /// The name of the folder above that, where the pack says it; lower case.
    pub above: Option<String>,
    /// What to find out.
    pub wants: FileWatch,
}

/// A text to look for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Needle {
    /// The text, compared byte for byte.
    pub text: String,
    /// What may stand beside it.
    pub edges: Edges,
}

/// What may stand beside a text for it to count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Edges {
    /// Anything.
    Any,
    /// Nothing that continues a word: letters, digits, `_`, `-`.
    Word,
    /// Nothing that makes another host of it: what continues a word, a dot and more behind, and for an address a dot in
    /// front. The names of hosts below it count.
    Host,
}

impl Watch {
    /// Whether some pack names a package of a manager.
    #[must_use]
    pub fn has_package(&self, ecosystem: &str, name: &str) -> bool {
        self.packages_of(ecosystem).any(|one| one == name)
    }

    /// Whether some pack names a pod.
    #[must_use]
    pub fn has_pod(&self, pod: &Pod) -> bool {
        self.pods.iter().any(|pattern| pod.is_called(pattern))
    }

    /// The names of a manager's packages that packs name.
    pub fn packages_of<'w>(&'w self, ecosystem: &'w str) -> impl Iterator<Item = &'w str> {
        self.system_packages.iter().filter(move |(of, _)| of == ecosystem).map(|(_, name)| name.as_str())
    }

    /// What is wanted of the file `name` in `folder`, which lies in `above`; names in lower case.
    #[must_use]
    pub fn wants(&self, name: &str, folder: &str, above: &str) -> Vec<&FileWatch> {
        let fits = |one: &&PatternWatch| {
            one.folder == folder
                && one.above.as_ref().is_none_or(|wanted| wanted == above)
                && glob::fits(one.name.as_bytes(), name.as_bytes(), glob::exact)
        };
        self.file_names
            .get(name)
            .into_iter()
            .chain(self.file_patterns.iter().filter(fits).map(|one| &one.wants))
            .collect()
    }
}

impl FileWatch {
    /// Asks for what the other one asks for as well.
    pub fn add(&mut self, other: &Self) {
        self.machine = OnceLock::new();
        self.hash |= other.hash;
        self.name_alone |= other.name_alone;
        self.needles.extend(other.needles.iter().cloned());
    }
}

impl FileWatch {
    /// What finds the texts, in their order; none for a set beyond its limits of memory.
    pub fn machine(&self) -> Option<&AhoCorasick> {
        let make =
            || AhoCorasick::builder().ascii_case_insensitive(true).build(self.needles.iter().map(|one| &one.text)).ok();
        self.machine.get_or_init(make).as_ref()
    }
}

impl Needle {
    /// Whether what was found is the text: case counts, except in the names of hosts.
    #[must_use]
    pub fn is(&self, found: &[u8]) -> bool {
        match self.edges {
            Edges::Host => found.eq_ignore_ascii_case(self.text.as_bytes()),
            Edges::Any | Edges::Word => found == self.text.as_bytes(),
        }
    }

    /// Whether the text at `from..to` of `line` stands alone as its edges ask.
    #[must_use]
    pub fn stands_alone(&self, line: &[u8], from: usize, to: usize) -> bool {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || byte >= 0x80;
        let before = from.checked_sub(1).and_then(|at| line.get(at).copied());
        let (after, next) = (line.get(to).copied(), line.get(to + 1).copied());
        let is_closed = !before.is_some_and(is_word) && !after.is_some_and(is_word);
        match self.edges {
            Edges::Any => true,
            Edges::Word => is_closed,
            Edges::Host => {
                let is_address = self.text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
                let goes_on = after == Some(b'.') && next.is_some_and(is_word);
                is_closed && !goes_on && !(is_address && before == Some(b'.'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone(text: &str, edges: Edges, line: &str) -> bool {
        let from = line.find(text).unwrap();
        Needle { text: text.to_owned(), edges }.stands_alone(line.as_bytes(), from, from + text.len())
    }

    #[test]
    fn a_host_is_itself_or_above_what_is_named() {
        for line in ["evil.cloud", "x.evil.cloud", "https://evil.cloud/a", "at evil.cloud.", "u@evil.cloud:80"] {
            assert!(alone("evil.cloud", Edges::Host, line), "{line}");
        }
        for line in ["notevil.cloud", "evil.cloud.example.org", "evil.cloudy", "my-evil.cloud"] {
            assert!(!alone("evil.cloud", Edges::Host, line), "{line}");
        }
        assert!(alone("1.2.3.4", Edges::Host, "http://1.2.3.4:80/"));
        assert!(!alone("1.2.3.4", Edges::Host, "11.2.3.4") && !alone("1.2.3.4", Edges::Host, "0.1.2.3.4"));
        assert!(!alone("1.2.3.4", Edges::Host, "1.2.3.45") && !alone("1.2.3.4", Edges::Host, "1.2.3.4.5"));
    }

    #[test]
    fn a_word_is_not_part_of_another() {
        assert!(alone("tpcp-docs", Edges::Word, "git@github.com:mia/tpcp-docs.git"));
        assert!(!alone("tpcp-docs", Edges::Word, "mia/tpcp-docs-2") && !alone("tpcp-docs", Edges::Word, "xtpcp-docs"));
        assert!(alone("tpcp", Edges::Any, "xtpcp-docs"));
    }

    #[test]
    fn names_and_patterns_add_up() {
        let needle = |text: &str| BTreeSet::from([Needle { text: text.to_owned(), edges: Edges::Any }]);
        let mut watch = Watch::default();
        watch
            .file_names
            .insert("a.yml".to_owned(), FileWatch { hash: true, needles: needle("one"), ..FileWatch::default() });
        watch.file_patterns.push(PatternWatch {
            name: "*.yml".to_owned(),
            folder: "workflows".to_owned(),
            above: Some(".github".to_owned()),
            wants: FileWatch { needles: needle("two"), ..FileWatch::default() },
        });
        let wants = watch.wants("a.yml", "workflows", ".github");
        assert!(wants.len() == 2 && wants[0].hash && !wants[1].hash);
        assert_eq!(watch.wants("b.yml", "workflows", ".github").len(), 1);
        assert!(watch.wants("b.yml", "workflows", "x").is_empty());
    }
}
