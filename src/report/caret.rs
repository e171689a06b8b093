//! A line of the target with carets below a place in it, for a terminal: what acts on it is spelled out, wide characters
//! count twice, and of a long line only what is around the place is shown.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use super::sanitize;
use crate::model::text::Excerpt;

/// Most columns of a line that are shown.
const WIDEST: usize = 160;

/// Most columns before the place.
const LEAD: usize = 50;

/// The line and the carets below `place`, which counts characters of the excerpt.
#[must_use]
pub fn pointed(text: &Excerpt, place: Range<usize>) -> (String, String) {
    let cells: Vec<(String, usize)> = text.as_str().chars().map(cell).collect();
    let shown = window(&cells, place.start.min(cells.len()));
    let width = |range: Range<usize>| cells.get(range).unwrap_or_default().iter().map(|cell| cell.1).sum::<usize>();
    let mut line = String::from(if shown.start > 0 { "…" } else { "" });
    let lead = usize::from(shown.start > 0) + width(shown.start..place.start.max(shown.start));
    cells.get(shown.clone()).unwrap_or_default().iter().for_each(|cell| line.push_str(&cell.0));
    line.push_str(if shown.end < cells.len() { "…" } else { "" });
    let carets = width(place.start..place.end.clamp(place.start, shown.end.max(place.start))).max(1);
    (line, format!("{}{}", " ".repeat(lead), "^".repeat(carets)))
}

/// The whole line, where nothing in it is pointed at.
#[must_use]
pub fn plain(text: &Excerpt) -> String {
    pointed(text, 0..0).0
}

/// What is shown of a character, and how many columns that takes.
fn cell(one: char) -> (String, usize) {
    if one == '\t' {
        return (" ".to_owned(), 1);
    }
    let shown = sanitize::line(one.encode_utf8(&mut [0; 4]));
    let width = shown.chars().map(|one| one.width().unwrap_or(0)).sum();
    (shown, width)
}

/// The cells around `start` that fit.
fn window(cells: &[(String, usize)], start: usize) -> Range<usize> {
    let all: usize = cells.iter().map(|cell| cell.1).sum();
    if all <= WIDEST {
        return 0..cells.len();
    }
    let fitting = |cells: &mut dyn Iterator<Item = &(String, usize)>, most: usize| {
        let mut left = most;
        let fits = |cell: &&(String, usize)| left.checked_sub(cell.1).map(|rest| left = rest).is_some();
        let count = cells.take_while(fits).count();
        (count, left)
    };
    // Room for the signs of what was cut.
    let room = WIDEST - 2;
    let (before, after) = cells.split_at(start);
    let (lead, _) = fitting(&mut before.iter().rev(), LEAD);
    let from = start - lead;
    let (_, left) = fitting(&mut before.iter().skip(from), room);
    let (tail, left) = fitting(&mut after.iter(), left);
    // At the end of a line there is more to see before the place.
    let (more, _) = if tail == after.len() { fitting(&mut before.iter().take(from).rev(), left) } else { (0, 0) };
    from - more..start + tail
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The line, and the columns of its carets.
    fn shown(text: &str, word: &str) -> (String, String, Range<usize>) {
        let start = text.find(word).unwrap();
        let (excerpt, place) = Excerpt::around(text, start..start + word.len());
        let (line, carets) = pointed(&excerpt, place);
        let lead = carets.len() - carets.trim_start().len();
        (line, carets.clone(), lead..carets.len())
    }

    #[test]
    fn carets_stand_below_the_place() {
        let (line, carets, _) = shown("import os; os.system('x')", "os.system");
        assert_eq!(format!("{line}\n{carets}"), "import os; os.system('x')\n           ^^^^^^^^^");
        // Wide characters take two columns, combining ones none, a tab one; what is spelled out as many as it has.
        assert_eq!(shown("漢字 f()", "f").2, 5..6);
        assert_eq!(shown("🐍; f('漢')", "'漢'").2, 6..10);
        assert_eq!(shown("e\u{301}; f()", "f").2, 3..4);
        assert_eq!(shown("\t\tf()", "f").2, 2..3);
        let (line, _, place) = shown("a\u{202e}; f()", "f");
        assert_eq!((line.as_str(), place), ("a\\u{202e}; f()", 11..12));
        assert_eq!(shown("x\u{1b}y", "\u{1b}").2, 1..7);
    }

    #[test]
    fn long_lines_are_shown_around_the_place() {
        for text in [
            format!("{} f('x') {}", "漢 ".repeat(500), "z ".repeat(500)),
            format!("{} f('x')", "\u{202e}".repeat(150)),
            format!("f('x') {}", "z ".repeat(500)),
            format!("{}; f('x')", " ".repeat(900)),
        ] {
            let (line, _, place) = shown(&text, "f('x')");
            let columns: Vec<char> =
                line.chars().flat_map(|one| [one].into_iter().chain((one == '漢').then_some(' '))).collect();
            assert!(columns.len() <= WIDEST, "{line}");
            assert_eq!(columns[place].iter().collect::<String>(), "f('x')", "{line}");
            assert!(line.starts_with('…') || line.ends_with('…'));
        }
    }

    proptest! {
        #[test]
        fn any_line_fits(text in "\\PC{0,300}|.{0,300}", start in 0_usize..400, length in 0_usize..400) {
            let start = text.char_indices().map(|one| one.0).nth(start).unwrap_or(text.len());
            let (excerpt, place) = Excerpt::around(&text, start..(start + length).min(text.len()));
            let (line, carets) = pointed(&excerpt, place);
            let width: usize = line.chars().map(|one| one.width().unwrap_or(0)).sum();
            prop_assert!(width <= WIDEST && carets.len() <= WIDEST + 1, "{} {}", width, carets.len());
        }
    }
}
