//! The commands of a text that a shell, a CI service or a builder of images runs: lines that go on in the next one are joined,
//! texts that YAML folds as well, and what the signs of a shell part comes one by one.

use std::rc::Rc;

/// Most bytes of one line, with those that it goes on in.
const LONGEST: usize = 64 << 10;

/// A word of a line, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'t> {
    /// With quotes and whatever else stands at it.
    pub(super) text: &'t str,
    /// In bytes from the beginning of the line.
    pub(super) at: usize,
}

/// A line that is being put together.
#[derive(Default)]
struct Joined {
    text: String,
    /// Where it begins, counted from 1.
    begun: u32,
    is_cut: bool,
}

impl Joined {
    fn push(&mut self, part: &str, number: u32) {
        if self.text.is_empty() {
            self.begun = number;
        }
        let room = LONGEST.saturating_sub(self.text.len());
        let mut end = part.len().min(room);
        while !part.is_char_boundary(end) {
            end -= 1;
        }
        self.is_cut |= end < part.len();
        self.text.push_str(part.get(..end).unwrap_or_default());
    }
}

/// Shows every command with the number and the text of its line. Comments are no commands. Returns whether a line was longer
/// than is looked at.
pub(super) fn each(bytes: &[u8], mut show: impl FnMut(u32, &Rc<str>, &[Word<'_>])) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let goes_on = continuation(&text);
    let mut joined = Joined::default();
    let mut folded: Option<usize> = None;
    for (line, number) in text.lines().zip(1_u32..) {
        let trimmed = line.trim();
        let indent = line.len() - line.trim_start().len();
        if folded.is_some_and(|above| trimmed.is_empty() || indent > above) {
            joined.push(if joined.text.is_empty() { "" } else { " " }, number);
            joined.push(trimmed, number);
            continue;
        }
        if folded.take().is_some() {
            flush(&mut joined, &mut show);
        }
        // In a Dockerfile comments and empty lines may stand between the lines of one command.
        if trimmed.starts_with('#') || (trimmed.is_empty() && !joined.text.is_empty()) {
            continue;
        }
        if is_fold(trimmed) {
            flush(&mut joined, &mut show);
            folded = Some(indent);
            continue;
        }
        // The blanks in front of a line that goes on are part of the command.
        let part = if joined.text.is_empty() { trimmed } else { line.trim_end() };
        match part.strip_suffix(goes_on) {
            Some(part) => joined.push(part, number),
            None => {
                joined.push(part, number);
                flush(&mut joined, &mut show);
            }
        }
    }
    flush(&mut joined, &mut show);
    joined.is_cut
}

/// What a line ends in that goes on: a backslash, unless a Dockerfile says that it is another sign.
fn continuation(text: &str) -> char {
    let directives = text.lines().take(5).map(str::trim).take_while(|line| line.starts_with('#'));
    let is_other = |line: &str| line.trim_start_matches(['#', ' ']).replace(' ', "").eq_ignore_ascii_case("escape=`");
    if directives.into_iter().any(is_other) { '`' } else { '\\' }
}

/// Whether YAML folds the lines below into one: `run: >-`.
fn is_fold(line: &str) -> bool {
    let Some((before, mark)) = line.rsplit_once(' ') else { return false };
    matches!(mark, ">" | ">-" | ">+") && (before.ends_with(':') || before.trim() == "-")
}

fn flush(joined: &mut Joined, show: &mut impl FnMut(u32, &Rc<str>, &[Word<'_>])) {
    let text = std::mem::take(&mut joined.text);
    if text.trim().is_empty() {
        return;
    }
    // The list form of a Dockerfile needs no blanks between its words.
    let text: Rc<str> = text.replace("\",\"", "\" \"").replace("','", "' '").into();
    let mut command: Vec<Word<'_>> = Vec::new();
    for word in words(&text) {
        if word.text.starts_with('#') {
            break;
        }
        match ends(word.text) {
            None => command.push(word),
            Some((before, behind)) => {
                command.extend((!before.is_empty()).then_some(Word { text: before, at: word.at }));
                show(joined.begun, &text, &command);
                command.clear();
                let at = word.at + word.text.len() - behind.len();
                command.extend((!behind.is_empty()).then_some(Word { text: behind, at }));
            }
        }
    }
    show(joined.begun, &text, &command);
}

fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = text.get(from..)?;
        let begin = from + rest.find(|at: char| !at.is_whitespace())?;
        let rest = text.get(begin..)?;
        let end = begin + rest.find(char::is_whitespace).unwrap_or(rest.len());
        from = end;
        Some(Word { text: text.get(begin..end)?, at: begin })
    })
}

/// A word in which a command ends, and what of it stands before and behind the sign. Addresses hold such signs too.
fn ends(word: &str) -> Option<(&str, &str)> {
    if word.contains("://") {
        return word.strip_suffix([';', '&', '|']).map(|before| (before, ""));
    }
    let at = word.find(['&', ';', '|'])?;
    let (before, behind) = word.split_at_checked(at)?;
    Some((before, behind.trim_start_matches(['&', ';', '|'])))
}

/// Where a command ends that begins at a word: a quote that opens there and goes on over several words closes it.
pub(super) fn closed(words: &[Word<'_>], at: usize) -> usize {
    let first = words.get(at).map(|word| word.text.trim_start_matches(['[', '{', '('])).unwrap_or_default();
    let quote = first.chars().next().filter(|quote| matches!(quote, '"' | '\'') && first.matches(*quote).count() == 1);
    let Some(quote) = quote else { return words.len() };
    let is_end = |word: &Word<'_>| word.text.trim_end_matches([',', ']', '}', ')']).ends_with(quote);
    let found = words.iter().skip(at).position(is_end);
    found.map_or(words.len(), |found| at + found + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        each(text.as_bytes(), |line, _, words| {
            let words: Vec<&str> = words.iter().map(|word| word.text).collect();
            out.push(format!("{line} {}", words.join("_")));
        });
        out
    }

    #[test]
    fn commands_come_one_by_one() {
        assert_eq!(told("a b && c;d\n# x\ne # f"), ["1 a_b", "1 c", "1 d", "3 e"]);
        assert_eq!(told("a \\\n  # why\n\n  b\nc"), ["1 a_b", "5 c"]);
        assert_eq!(told("a https://x/?b&c d"), ["1 a_https://x/?b&c_d"]);
        assert_eq!(told("run: >\n  a\n  b\nc"), ["2 a_b", "4 c"]);
    }

    proptest! {
        #[test]
        fn words_lie_where_they_say(text in "[a-zü \\\\\n#>:&;|'\",]{0,80}") {
            each(text.as_bytes(), |_, line, words| {
                for word in words {
                    assert_eq!(line.get(word.at..word.at + word.text.len()), Some(word.text));
                }
            });
        }
    }
}
