//! Cuts a script into commands and words, as shells of all kinds do it roughly alike: quotes, backslashes, comments,
//! continued lines, here-documents. Nothing is filled in, and what a quote that never ends would swallow is read as if the
//! quote were not there.

/// A word, quotes removed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Word {
    /// Its text.
    pub text: Vec<u8>,
    /// The line that it begins in, counted from 1.
    pub line: u32,
}

/// Longest `$(…)` or `${…}` that is kept as part of a word. Of a longer one the inner commands are read as such.
const LONGEST_SUBSTITUTION: usize = 1024;

/// Most `$(` without an end that are looked for; behind these, one is read as if it were text.
const MOST_ENDLESS: u32 = 1000;

/// Most here-documents without an end that are looked for; each look goes through the rest of the script.
const MOST_OPEN_DOCUMENTS: u32 = 16;

/// What stands between a command and the one before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Joint {
    /// A line end, `;`, `&&` and their like.
    #[default]
    Next,
    /// `|`: it reads what the one before puts out.
    Pipe,
    /// `<(`: the one before reads what it puts out.
    Input,
}

/// The commands of a script, in its order.
#[must_use]
pub fn commands(script: &[u8]) -> Vec<Vec<Word>> {
    joined(script).into_iter().map(|(_, command)| command).collect()
}

/// The same, each with what stands in front of it.
#[must_use]
pub fn joined(script: &[u8]) -> Vec<(Joint, Vec<Word>)> {
    let mut reader = Reader {
        rest: script,
        line: 1,
        word: None,
        command: Vec::new(),
        done: Vec::new(),
        documents: Vec::new(),
        open: 0,
        drops: false,
        joint: Joint::Next,
        endless: 0,
        depth: 0,
        pipeline: 0,
    };
    while let Some(byte) = reader.rest.first() {
        reader.step(*byte);
    }
    reader.end_command();
    reader.done
}

struct Reader<'a> {
    rest: &'a [u8],
    line: u32,
    word: Option<Word>,
    command: Vec<Word>,
    done: Vec<(Joint, Vec<Word>)>,
    /// The ends of the here-documents that begin at the next line.
    documents: Vec<Document>,
    open: u32,
    /// Whether the next word is where output goes, which is no word of the command.
    drops: bool,
    /// What stands in front of the next command.
    joint: Joint,
    /// How many `$(` had no end so far; each look for one goes through what follows.
    endless: u32,
    /// How many `(` are open.
    depth: u32,
    /// How many commands were done where this pipeline began.
    pipeline: usize,
}

struct Document {
    end: Vec<u8>,
    may_be_indented: bool,
}

impl Reader<'_> {
    fn step(&mut self, byte: u8) {
        match byte {
            b'\n' => {
                self.end_pipeline(byte);
                self.skip_documents();
            }
            b' ' | b'\t' | b'\r' => {
                self.end_word();
                self.skip(1);
            }
            b'|' => {
                self.end_command();
                let is_or = self.rest.get(1) == Some(&b'|');
                self.joint = if is_or { Joint::Next } else { Joint::Pipe };
                // `|&` pipes errors too.
                self.skip(if matches!(self.rest.get(1), Some(b'|' | b'&')) { 2 } else { 1 });
            }
            b';' | b'&' | b'(' | b')' => self.end_pipeline(byte),
            b'<' | b'>' => self.redirection(),
            b'#' if self.word.is_none() => {
                let end = self.rest.iter().position(|byte| *byte == b'\n').unwrap_or(self.rest.len());
                self.skip(end);
            }
            b'\\' => self.backslash(),
            b'\'' => self.single(),
            b'"' => self.double(),
            b'$' | b'`' => self.dollar(),
            other => {
                self.push(&[other]);
                self.skip(1);
            }
        }
    }

    /// Goes on behind `count` bytes.
    fn skip(&mut self, count: usize) {
        let (head, tail) = self.rest.split_at(count.min(self.rest.len()));
        let lines = head.iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.rest = tail;
    }

    fn push(&mut self, text: &[u8]) {
        let line = self.line;
        self.word.get_or_insert_with(|| Word { text: Vec::new(), line }).text.extend_from_slice(text);
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        if !std::mem::take(&mut self.drops) {
            self.command.push(word);
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.drops = false;
        if !self.command.is_empty() {
            let joint = std::mem::take(&mut self.joint);
            self.done.push((joint, std::mem::take(&mut self.command)));
        }
    }

    fn end_pipeline(&mut self, byte: u8) {
        // A line may end, and a group begin, behind a `|` or in front of what it feeds.
        let goes_on = self.command.is_empty() && self.word.is_none() && matches!(byte, b'\n' | b'(');
        self.end_command();
        if !goes_on {
            self.joint = Joint::Next;
        }
        match byte {
            b'(' => self.depth = self.depth.saturating_add(1),
            // `a|/b)` of `case`: nothing was opened, so these are patterns, and no commands.
            b')' if self.depth == 0 => self.done.truncate(self.pipeline),
            b')' => self.depth -= 1,
            _ => {}
        }
        self.pipeline = self.done.len();
        self.skip(1);
    }

    fn backslash(&mut self) {
        match self.rest {
            [_, b'\n', ..] => self.skip(2),
            [_, b'\r', b'\n', ..] => self.skip(3),
            [_, next, ..] => {
                self.push(&[*next]);
                self.skip(2);
            }
            _ => self.skip(1),
        }
    }

    fn single(&mut self) {
        let inner = self.rest.get(1..).unwrap_or_default();
        match inner.iter().position(|byte| *byte == b'\'') {
            Some(end) => {
                self.push(inner.get(..end).unwrap_or_default());
                self.skip(end + 2);
            }
            None => self.literal(),
        }
    }

    fn double(&mut self) {
        match quoted(self.rest.get(1..).unwrap_or_default()) {
            Some((text, end)) => {
                self.push(&text);
                self.skip(end + 2);
            }
            None => self.literal(),
        }
    }

    fn literal(&mut self) {
        let first = self.rest.get(..1).unwrap_or_default().to_vec();
        self.push(&first);
        self.skip(1);
    }

    fn dollar(&mut self) {
        if let [b'$', b'\'', inner @ ..] = self.rest
            && let Some((text, end)) = escaped(inner)
        {
            self.push(&text);
            self.skip(end + 3);
            return;
        }
        if self.rest.starts_with(b"$\"") {
            self.skip(1);
            return self.double();
        }
        let found = if self.endless < MOST_ENDLESS { substitution(self.rest) } else { None };
        match found {
            Some(end) => {
                let whole = self.rest.get(..end).unwrap_or_default().to_vec();
                self.push(&whole);
                self.skip(end);
            }
            None => {
                self.endless += u32::from(self.endless < MOST_ENDLESS);
                self.literal();
            }
        }
    }

    /// `<`, `>` and here-documents. What input comes from is a word of its own, unless no command stands in front; where
    /// output goes is none.
    fn redirection(&mut self) {
        // `2>`.
        self.word = self.word.take().filter(|word| !word.text.iter().all(u8::is_ascii_digit));
        self.end_word();
        let rest = self.rest;
        let Some(after) = rest.strip_prefix(b"<<").filter(|after| !after.starts_with(b"<")) else {
            let count = rest.iter().take_while(|byte| matches!(byte, b'<' | b'>')).count();
            self.drops = rest.starts_with(b">") || self.command.is_empty();
            self.skip(count);
            if count == 1 && rest.starts_with(b"<") && self.rest.starts_with(b"(") {
                self.end_command();
                self.joint = Joint::Input;
            }
            return;
        };
        let may_be_indented = after.starts_with(b"-");
        let after = after.get(usize::from(may_be_indented)..).unwrap_or_default();
        let after = after.get(after.iter().take_while(|byte| **byte == b' ').count()..).unwrap_or_default();
        let length = after.iter().take_while(|byte| !b" \t\r\n;&|()<>".contains(byte)).count();
        let end: Vec<u8> =
            after.iter().take(length).copied().filter(|byte| !matches!(byte, b'\'' | b'"' | b'\\')).collect();
        if !end.is_empty() {
            self.documents.push(Document { end, may_be_indented });
        }
        self.skip(rest.len() - after.len() + length);
    }

    /// Passes over the bodies of here-documents. One without an end is none.
    fn skip_documents(&mut self) {
        for document in std::mem::take(&mut self.documents) {
            if self.open >= MOST_OPEN_DOCUMENTS {
                return;
            }
            let mut at = 0;
            let mut found = None;
            for line in self.rest.split_inclusive(|byte| *byte == b'\n') {
                at += line.len();
                let line = line.trim_ascii_end();
                let line = if document.may_be_indented { line.trim_ascii_start() } else { line };
                if line == document.end {
                    found = Some(at);
                    break;
                }
            }
            match found {
                Some(end) => self.skip(end),
                None => self.open += 1,
            }
        }
    }
}

/// The text up to a closing `"`, and where that is.
fn quoted(inner: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut text = Vec::new();
    let mut at = 0;
    let mut endless = 0;
    loop {
        let rest = inner.get(at..)?;
        at += match rest {
            [b'"', ..] => return Some((text, at)),
            [b'\\', b'\n', ..] => 2,
            [b'\\', next @ (b'$' | b'`' | b'"' | b'\\'), ..] => {
                text.push(*next);
                2
            }
            [first, ..] => {
                let is_looked_for = endless < MOST_ENDLESS && matches!(first, b'$' | b'`');
                let length = if is_looked_for { substitution(rest).unwrap_or(0) } else { 0 };
                endless += u32::from(is_looked_for && length == 0);
                match rest.get(..length).filter(|whole| !whole.is_empty()) {
                    Some(whole) => text.extend_from_slice(whole),
                    None => text.push(*first),
                }
                length.max(1)
            }
            [] => return None,
        };
    }
}

/// How long the `$(…)`, `${…}` or `` `…` `` is that `text` begins with.
fn substitution(text: &[u8]) -> Option<usize> {
    let window = text.get(..LONGEST_SUBSTITUTION).unwrap_or(text);
    let (opens, closes) = match window {
        [b'`', inner @ ..] => return inner.iter().position(|byte| *byte == b'`').map(|end| end + 2),
        [b'$', b'(', ..] => (b'(', b')'),
        [b'$', b'{', ..] => (b'{', b'}'),
        _ => return None,
    };
    let mut depth = 0_u32;
    let mut at = 1;
    while let Some(byte) = window.get(at) {
        match *byte {
            b'\\' => at += 1,
            quote @ (b'\'' | b'"') => {
                let behind = window.get(at + 1..).unwrap_or_default();
                at += behind.iter().position(|byte| *byte == quote).map_or(0, |end| end + 1);
            }
            byte if byte == opens => depth += 1,
            byte if byte == closes => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The text of `$'…'` up to its closing quote, and where that is.
fn escaped(inner: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut text = Vec::new();
    let mut at = 0;
    loop {
        let rest = inner.get(at..)?;
        at += match rest {
            [b'\'', ..] => return Some((text, at)),
            [b'\\', b'x', ..] => number(rest.get(2..)?, 16, 2, &mut text) + 2,
            [b'\\', b'0'..=b'7', ..] => number(rest.get(1..)?, 8, 3, &mut text) + 1,
            [b'\\', next, ..] => {
                text.push(match next {
                    b'n' => b'\n',
                    b't' => b'\t',
                    other => *other,
                });
                2
            }
            [first, ..] => {
                text.push(*first);
                1
            }
            [] => return None,
        };
    }
}

/// Adds the byte that at most `most` digits say; tells how many there are.
fn number(text: &[u8], radix: u32, most: usize, to: &mut Vec<u8>) -> usize {
    let digits = text.iter().take(most).map_while(|byte| char::from(*byte).to_digit(radix));
    let (count, value) = digits.fold((0, 0), |(count, value), digit| (count + 1, value * radix + digit));
    to.extend((count > 0).then_some(value as u8));
    count
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(script: &str) -> Vec<Vec<String>> {
        let text = |word: &Word| String::from_utf8_lossy(&word.text).into_owned();
        commands(script.as_bytes()).iter().map(|words| words.iter().map(text).collect()).collect()
    }

    #[test]
    fn commands_and_words() {
        assert_eq!(
            cut("a b; c && d|e\n\nf # g\nh#i"),
            [vec!["a", "b"], vec!["c"], vec!["d"], vec!["e"], vec!["f"], vec!["h#i"]]
        );
        assert_eq!(cut("a \\\n  b\\ c\r\nd"), [vec!["a", "b c"], vec!["d"]]);
        assert_eq!(cut("a=(b c) (d)"), [vec!["a="], vec!["b", "c"], vec!["d"]]);
        assert_eq!(cut("a >b 2>>c <d e"), [vec!["a", "d", "e"]]);
        assert_eq!(
            cut(">b a 2 >c; (d) > e; <f g; h <(i)"),
            [vec!["a", "2"], vec!["d"], vec!["g"], vec!["h"], vec!["i"]]
        );
    }

    #[test]
    fn quotes_are_removed() {
        assert_eq!(cut("a='b c'\"d \\\"e\\x\"f"), [vec!["a=b cd \"e\\xf"]]);
        assert_eq!(cut("$'a\\x41\\102\\n\\'' $\"b\""), [vec!["aAB\n'", "b"]]);
        assert_eq!(cut("x=\"$(dirname \"$0\")/a b\" y"), [vec!["x=$(dirname \"$0\")/a b", "y"]]);
        assert_eq!(cut("x=${A:-b c}/$(d | e)`f g` y"), [vec!["x=${A:-b c}/$(d | e)`f g`", "y"]]);
        assert_eq!(cut("x=\"a\nb\"\nc"), [vec!["x=a\nb"], vec!["c"]]);
    }

    #[test]
    fn what_never_ends_swallows_nothing() {
        assert_eq!(cut("echo don't\nexport A=b"), [vec!["echo", "don't"], vec!["export", "A=b"]]);
        assert_eq!(cut("echo \"x\nexport A=b"), [vec!["echo", "\"x"], vec!["export", "A=b"]]);
        assert_eq!(cut("x=$(y\nexport A=b"), [vec!["x=$"], vec!["y"], vec!["export", "A=b"]]);
        assert_eq!(cut("cat <<END\nexport A=b"), [vec!["cat"], vec!["export", "A=b"]]);
    }

    #[test]
    fn patterns_are_no_commands() {
        assert_eq!(
            cut("case $x in\n a|/b) c;; (d) e | f;; esac"),
            [vec!["case", "$x", "in"], vec!["c"], vec!["d"], vec!["e"], vec!["f"], vec!["esac"]]
        );
        assert_eq!(
            cut("(a | b) | c; d() { e; }"),
            [vec!["a"], vec!["b"], vec!["c"], vec!["d"], vec!["{", "e"], vec!["}"]]
        );
    }

    #[test]
    fn here_documents_are_no_commands() {
        assert_eq!(cut("cat <<'END' >x\ndon't\nEND\nb"), [vec!["cat"], vec!["b"]]);
        assert_eq!(cut("cat <<-END\n\tx\n\tEND\nb <<<c"), [vec!["cat"], vec!["b", "c"]]);
    }

    #[test]
    fn lines_are_counted() {
        let lines =
            |script: &str| -> Vec<u32> { commands(script.as_bytes()).iter().flatten().map(|word| word.line).collect() };
        assert_eq!(lines("a\n\nb 'c\nd' e\\\nf\n# g\nh"), [1, 3, 3, 4, 7]);
        assert_eq!(lines("cat <<E\nx\nE\nb"), [1, 4]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_cut(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
            prop_assert!(commands(&bytes).iter().flatten().all(|word| (1..=lines).contains(&word.line)));
        }

        #[test]
        fn any_script_is_cut(script in "[a$`(){}'\"\\\\<#; \n-]{0,80}") {
            let total: usize = commands(script.as_bytes()).iter().flatten().map(|word| word.text.len()).sum();
            prop_assert!(total <= script.len());
        }
    }
}
