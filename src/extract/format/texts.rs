//! Many texts at once, in a stream of any length: where each of them stands first.

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;

use crate::model::known_file::FoundText;
use crate::model::text::Excerpt;
use crate::model::watch::{FileWatch, Needle};

/// Longest line of which an excerpt is made, in bytes.
const LONGEST_LINE: usize = 4096;

/// Bytes around a text that decide whether it stands alone: one in front, two behind.
const MARGIN: usize = 3;

/// Looks for texts in what it is given part by part.
pub struct Finder<'n> {
    needles: Vec<&'n Needle>,
    machine: Option<&'n AhoCorasick>,
    found: BTreeMap<usize, FoundText>,
    /// The part at hand, with the end of the one before it.
    window: Vec<u8>,
    /// Line ends in front of the window.
    lines: u32,
    longest: usize,
}

impl<'n> Finder<'n> {
    /// For the texts of a watch, none of which is empty.
    #[must_use]
    pub fn of(watch: &'n FileWatch) -> Self {
        let needles: Vec<&Needle> = watch.needles.iter().collect();
        // Where the set is beyond the limits of memory, each is looked for alone.
        let machine = if needles.is_empty() { None } else { watch.machine() };
        let longest = needles.iter().map(|needle| needle.text.len()).max().unwrap_or(0);
        Self { found: BTreeMap::new(), needles, machine, window: Vec::new(), lines: 0, longest }
    }

    /// What was found, sorted.
    #[must_use]
    pub fn finish(mut self) -> Vec<FoundText> {
        self.take(&[], true);
        let mut found: Vec<FoundText> = self.found.into_values().collect();
        found.sort_unstable();
        found
    }

    /// Takes the next part.
    pub fn next(&mut self, part: &[u8]) {
        self.take(part, false);
    }

    fn take(&mut self, part: &[u8], is_end: bool) {
        let kept = self.window.len().min(self.longest + LONGEST_LINE + MARGIN);
        let gone = self.window.len() - kept;
        let left = self.window.get(..gone).unwrap_or_default();
        self.lines = self.lines.saturating_add(line_ends(left));
        self.window.drain(..gone);
        self.window.extend_from_slice(part);
        // What stands at the very end is looked at again with what comes behind it.
        let decided = if is_end { self.window.len() } else { self.window.len().saturating_sub(MARGIN - 1) };
        let mut hits: Vec<(usize, usize, usize)> = Vec::new();
        match self.machine {
            Some(machine) => {
                let all = machine.find_overlapping_iter(&self.window);
                hits.extend(all.map(|hit| (hit.pattern().as_usize(), hit.start(), hit.end())));
            }
            None => {
                for (at, needle) in self.needles.iter().enumerate() {
                    let all = memchr::memmem::find_iter(&self.window, needle.text.as_bytes());
                    hits.extend(all.map(|from| (at, from, from + needle.text.len())));
                }
            }
        }
        for (at, from, to) in hits.into_iter().filter(|(_, _, to)| *to <= decided) {
            self.note(at, from, to);
        }
    }

    fn note(&mut self, at: usize, from: usize, to: usize) {
        let Some(needle) = self.needles.get(at).filter(|_| !self.found.contains_key(&at)) else { return };
        let is_it = self.window.get(from..to).is_some_and(|found| needle.is(found));
        if !is_it || !needle.stands_alone(&self.window, from, to) {
            return;
        }
        let before = self.window.get(..from).unwrap_or_default();
        let line = self.lines.saturating_add(line_ends(before)).saturating_add(1);
        let hit = FoundText { needle: (*needle).clone(), line, excerpt: self.line(from, to) };
        self.found.insert(at, hit);
    }

    /// The line around a place, if it is whole in the window: of one that is cut, the beginning of a secret could be missing
    /// by which it is known.
    fn line(&self, from: usize, to: usize) -> Option<Excerpt> {
        let start = self.window.get(..from)?.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1);
        let start = start.or((self.lines == 0 && from <= LONGEST_LINE).then_some(0))?;
        let behind = self.window.get(to..)?;
        let end = behind.iter().position(|byte| *byte == b'\n').unwrap_or(behind.len()) + to;
        let line = self.window.get(start..end).filter(|line| line.len() <= LONGEST_LINE)?;
        let text = String::from_utf8_lossy(line);
        let lead = String::from_utf8_lossy(self.window.get(start..from)?).len();
        Some(Excerpt::around(&text, lead..(lead + to - from).min(text.len())).0)
    }
}

fn line_ends(bytes: &[u8]) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', bytes).count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::watch::Edges;

    fn needle(text: &str, edges: Edges) -> Needle {
        Needle { text: text.to_owned(), edges }
    }

    fn find(needles: &[Needle], bytes: &[u8]) -> Vec<FoundText> {
        let watch = FileWatch { needles: needles.iter().cloned().collect(), ..FileWatch::default() };
        let mut finder = Finder::of(&watch);
        finder.next(bytes);
        finder.finish()
    }

    fn places(needles: &[Needle], parts: &[&[u8]]) -> Vec<(String, u32)> {
        let watch = FileWatch { needles: needles.iter().cloned().collect(), ..FileWatch::default() };
        let mut finder = Finder::of(&watch);
        parts.iter().for_each(|part| finder.next(part));
        finder.finish().into_iter().map(|one| (one.needle.text, one.line)).collect()
    }

    #[test]
    fn each_is_found_where_it_stands_alone_first() {
        let all = [needle("litellm.cloud", Edges::Host), needle("models.litellm.cloud", Edges::Host)];
        let text = b"curl notlitellm.cloud\ncurl https://models.LiteLLM.cloud/\n";
        assert_eq!(places(&all, &[text]), [("litellm.cloud".to_owned(), 2), ("models.litellm.cloud".to_owned(), 2)]);
        let found = find(&all, text);
        assert_eq!(found[0].excerpt.as_ref().unwrap().as_str(), "curl https://models.LiteLLM.cloud/");
    }

    #[test]
    fn a_line_that_is_cut_shows_nothing() {
        let long = format!("{} evil.cloud {}", "a".repeat(LONGEST_LINE), "b".repeat(LONGEST_LINE));
        let all = [needle("evil.cloud", Edges::Host)];
        assert!(find(&all, long.as_bytes())[0].excerpt.is_none());
    }

    #[test]
    fn secrets_in_the_line_are_not_shown() {
        let all = [needle("evil.cloud", Edges::Host)];
        let found = find(&all, b"curl -H 'Authorization: Bearer abcdefghijklmnop' evil.cloud");
        assert!(!found[0].excerpt.as_ref().unwrap().as_str().contains("abcdefgh"));
    }

    proptest! {
        #[test]
        fn parts_of_any_length_give_the_same(text in "[ab.\n]{0,60}", cut in 0usize..60, again in 0usize..60) {
            let all = [needle("ab", Edges::Word), needle("a.b", Edges::Host), needle("b", Edges::Any)];
            let bytes = text.as_bytes();
            let (first, second) = (cut.min(bytes.len()), (cut + again).min(bytes.len()));
            let parts = [&bytes[..first], &bytes[first..second], &bytes[second..]];
            prop_assert_eq!(places(&all, &parts), places(&all, &[bytes]));
        }
    }
}
