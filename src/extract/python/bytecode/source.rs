//! What a Python source says, as far as it shows in its bytecode: identifiers, texts, and where functions and classes
//! begin. Any version's source is read, also Python 2's, and any text at all: what no Python would compile has no bytecode
//! to be compared with.

use std::collections::HashSet;

use super::literal::{Literals, Prefix, end_of_name};

/// How deep expressions in f-strings may lie in each other.
const DEEPEST: u32 = 40;

/// In place of a line: a type parameter may be bound by what stands in any.
pub(super) const ANYWHERE: u32 = 0;

/// What a source says.
#[derive(Default)]
pub(super) struct Source<'a> {
    /// Every identifier outside of comments and plain strings.
    pub(super) names: HashSet<&'a [u8]>,
    /// What its strings hold.
    pub(super) literals: Literals,
    /// Functions and classes: the name, and the line of `def` or `class`, or of the first decorator above it.
    pub(super) definitions: HashSet<(&'a [u8], u32)>,
    /// What stands at the left edge: functions and classes that are defined, modules that are imported.
    pub(super) tops: Vec<Vec<u8>>,
    /// How many lines it has.
    pub(super) lines: u32,
    /// How many of the identifiers have letters beyond ASCII: Python may spell them otherwise (NFKC).
    pub(super) foreign: usize,
}

/// Reads a text; `nests` says whether f-strings may hold any string inside (from 3.12 on).
pub(super) fn read(text: &[u8], nests: bool) -> Source<'_> {
    let mut lexer = Lexer {
        text,
        at: 0,
        end: text.len(),
        nests,
        line_ends: memchr::memchr_iter(b'\n', text).collect(),
        depth: 0,
        brackets: 0,
        is_fresh: true,
        decorator: None,
        parameters: None,
        out: Source::default(),
    };
    while lexer.at < lexer.end {
        lexer.token();
    }
    let mut out = lexer.out;
    out.lines = u32::try_from(lexer.line_ends.len()).unwrap_or(u32::MAX).saturating_add(1);
    out.foreign = out.names.iter().filter(|name| !name.is_ascii()).count();
    out
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    end: usize,
    nests: bool,
    line_ends: Vec<usize>,
    /// How many f-strings are open.
    depth: u32,
    /// How many brackets are open.
    brackets: u32,
    /// Whether a statement begins here.
    is_fresh: bool,
    /// Where the decorators of the next definition begin.
    decorator: Option<u32>,
    /// How many brackets are open within those that hold the type parameters of a definition.
    parameters: Option<u32>,
    out: Source<'a>,
}

/// The quotes that a string ends with.
#[derive(Clone, Copy)]
struct Quotes {
    quote: u8,
    is_triple: bool,
}

impl<'a> Lexer<'a> {
    fn peek(&self, ahead: usize) -> u8 {
        let at = self.at + ahead;
        if at < self.end { self.text.get(at).copied().unwrap_or_default() } else { 0 }
    }

    fn slice(&self, from: usize, until: usize) -> &'a [u8] {
        self.text.get(from..until.min(self.end)).unwrap_or_default()
    }

    fn line(&self, at: usize) -> u32 {
        u32::try_from(self.line_ends.partition_point(|end| *end < at)).unwrap_or(u32::MAX).saturating_add(1)
    }

    fn is_at_edge(&self, at: usize) -> bool {
        at == 0 || self.text.get(at - 1) == Some(&b'\n')
    }

    /// One token, or a piece of white space.
    fn token(&mut self) {
        match self.peek(0) {
            b'#' => {
                self.at = memchr::memchr(b'\n', self.slice(self.at, self.end)).map_or(self.end, |end| self.at + end)
            }
            b'\\' if self.peek(1) == b'\n' => self.at += 2,
            b'\n' => {
                self.at += 1;
                self.is_fresh |= self.brackets == 0;
            }
            b' ' | b'\t' | b'\x0c' => self.at += 1,
            b'"' | b'\'' => self.string(Prefix::default()),
            b'0'..=b'9' => {
                self.word();
                self.is_fresh = false;
            }
            byte if is_letter(byte) => self.identifier(),
            byte => {
                match byte {
                    b'(' | b'[' | b'{' => self.brackets += 1,
                    b')' | b']' | b'}' => {
                        self.brackets = self.brackets.saturating_sub(1);
                        self.parameters = self.parameters.filter(|brackets| self.brackets >= *brackets);
                    }
                    b'@' if self.is_fresh && self.decorator.is_none() => self.decorator = Some(self.line(self.at)),
                    _ => {}
                }
                self.is_fresh = false;
                self.at += 1;
            }
        }
    }

    /// The letters and digits from here on.
    fn word(&mut self) -> &'a [u8] {
        let rest = self.slice(self.at, self.end);
        let length = rest.iter().position(|byte| !is_letter(*byte) && !byte.is_ascii_digit()).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn identifier(&mut self) {
        let start = self.at;
        let word = self.word();
        if matches!(self.peek(0), b'"' | b'\'')
            && let Some(prefix) = Prefix::of(word)
        {
            return self.string(prefix);
        }
        let is_fresh = std::mem::replace(&mut self.is_fresh, false);
        let is_top = is_fresh && self.depth == 0 && self.is_at_edge(start);
        match word {
            b"def" | b"class" if self.depth == 0 => self.definition(start, is_top),
            b"async" if is_top => {
                self.blanks();
                // Where the line begins, `def` stands for its coroutine.
                if self.slice(self.at, self.at + 4) == b"def " {
                    self.word();
                    self.definition(start, true);
                }
            }
            b"import" | b"from" if is_top => self.import(word == b"import"),
            // A statement from 3.12 on: `type Name = ...`.
            b"type" if is_fresh && self.depth == 0 => self.definition(start, false),
            // In brackets behind the name, a parameter: what bounds it is a function of its name.
            _ if self.parameters.is_some_and(|brackets| self.brackets >= brackets) => {
                self.out.definitions.insert((word, ANYWHERE));
            }
            _ => {}
        }
        self.out.names.insert(word);
    }

    fn blanks(&mut self) {
        loop {
            match self.peek(0) {
                b' ' | b'\t' | b'\x0c' => self.at += 1,
                b'\\' if self.peek(1) == b'\n' => self.at += 2,
                _ => return,
            }
        }
    }

    /// What follows `def` or `class`.
    fn definition(&mut self, start: usize, is_top: bool) {
        self.blanks();
        let name = self.word();
        if name.is_empty() {
            return;
        }
        let line = self.line(start);
        let first = self.decorator.take().unwrap_or(line);
        self.out.definitions.extend([(name, line), (name, first)]);
        self.out.names.insert(name);
        if is_top && name.is_ascii() {
            self.out.tops.push(name.to_vec());
        }
        self.parameters = (self.peek(0) == b'[').then_some(self.brackets + 1);
    }

    /// The first module that a line imports; one relative to its package without its dots.
    fn import(&mut self, is_plain: bool) {
        let mut module = Vec::new();
        self.blanks();
        while !is_plain && self.peek(0) == b'.' {
            self.at += 1;
            self.blanks();
        }
        loop {
            let part = self.word();
            self.out.names.insert(part);
            module.extend_from_slice(part);
            self.blanks();
            if part.is_empty() || self.peek(0) != b'.' {
                break;
            }
            module.push(b'.');
            self.at += 1;
            self.blanks();
        }
        // `from . import x` names no module.
        if module.is_ascii() && module != b"import" && !module.is_empty() {
            self.out.tops.push(module);
        }
    }

    fn string(&mut self, prefix: Prefix) {
        let quote = self.peek(0);
        let is_triple = self.peek(1) == quote && self.peek(2) == quote;
        let quotes = Quotes { quote, is_triple };
        self.is_fresh = false;
        self.at += if is_triple { 3 } else { 1 };
        let start = self.at;
        if prefix.is_format && self.nests && self.depth < DEEPEST {
            self.depth += 1;
            self.format(prefix, Some(quotes));
            self.depth -= 1;
            return;
        }
        let end = self.end_of(start, quotes);
        if prefix.is_format && self.depth < DEEPEST {
            let outer = std::mem::replace(&mut self.end, end);
            self.depth += 1;
            self.format(prefix, None);
            self.depth -= 1;
            self.end = outer;
        } else {
            self.out.literals.add(prefix, self.slice(start, end));
        }
        let is_closed = self.slice(end, end + 1) == [quote];
        self.at = end
            + if !is_closed {
                0
            } else if is_triple {
                3
            } else {
                1
            };
    }

    /// Where the quotes are that close a string.
    fn end_of(&self, start: usize, Quotes { quote, is_triple }: Quotes) -> usize {
        let mut at = start;
        while at < self.end {
            let rest = self.slice(at, self.end);
            let Some(next) = memchr::memchr3(quote, b'\\', b'\n', rest) else { return self.end };
            at += next;
            match self.text.get(at) {
                Some(b'\\') => at += 2,
                Some(b'\n') if is_triple => at += 1,
                Some(b'\n') => return at,
                _ if !is_triple || self.slice(at, at + 3) == [quote; 3] => return at,
                _ => at += 1,
            }
        }
        self.end
    }

    /// The inside of an f-string, up to its quotes or, where they have been found already, to the end.
    fn format(&mut self, prefix: Prefix, quotes: Option<Quotes>) {
        let mut start = self.at;
        while self.at < self.end {
            let byte = self.peek(0);
            if let Some(quotes) = quotes
                && self.closes(quotes)
            {
                self.out.literals.add(prefix, self.slice(start, self.at));
                self.at += if !is_quote(byte) {
                    0
                } else if quotes.is_triple {
                    3
                } else {
                    1
                };
                return;
            }
            match byte {
                b'\\' if !prefix.is_raw && self.slice(self.at, self.at + 3) == b"\\N{" => {
                    let rest = self.slice(self.at, self.end);
                    self.at += end_of_name(rest).unwrap_or(3) + 1;
                }
                b'\\' if self.peek(1) == b'{' => self.at += 1,
                b'\\' => self.at += 2,
                // Two are one.
                b'{' | b'}' if self.peek(1) == byte => {
                    self.out.literals.add(prefix, self.slice(start, self.at + 1));
                    self.at += 2;
                    start = self.at;
                }
                b'{' => {
                    self.out.literals.add(prefix, self.slice(start, self.at));
                    self.at += 1;
                    self.expression(prefix, quotes);
                    start = self.at;
                }
                _ => self.at += 1,
            }
        }
        self.out.literals.add(prefix, self.slice(start, self.end));
        self.at = self.end;
    }

    /// Whether the string ends here, by its quotes or for want of them.
    fn closes(&self, Quotes { quote, is_triple }: Quotes) -> bool {
        let byte = self.peek(0);
        match is_triple {
            true => byte == quote && self.slice(self.at, self.at + 3) == [quote; 3],
            false => byte == quote || byte == b'\n',
        }
    }

    /// What stands in the braces of an f-string, behind the first.
    fn expression(&mut self, prefix: Prefix, quotes: Option<Quotes>) {
        let (start, outer) = (self.at, std::mem::replace(&mut self.brackets, 0));
        let mut is_code = true;
        while self.at < self.end {
            let byte = self.peek(0);
            // Its text is a constant where it is followed by `=`, and always in a template.
            let is_end = is_code && self.brackets == 0 && (byte == b'}' || byte == b':');
            if is_end {
                self.out.literals.add_plain(self.slice(start, self.at));
            }
            match byte {
                b'}' if !is_code || self.brackets == 0 => {
                    self.at += 1;
                    break;
                }
                b':' if is_end => {
                    is_code = false;
                    self.at += 1;
                }
                _ if is_code => self.token(),
                b'{' if self.depth < DEEPEST => {
                    self.at += 1;
                    self.depth += 1;
                    self.expression(prefix, quotes);
                    self.depth -= 1;
                }
                _ if quotes.is_some_and(|quotes| self.closes(quotes)) => break,
                _ => {
                    self.out.literals.add(prefix, self.slice(self.at, self.at + 1));
                    self.at += 1;
                }
            }
        }
        self.brackets = outer;
    }
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(text: &str, nests: bool) -> Vec<String> {
        let source = read(text.as_bytes(), nests);
        let mut all: Vec<_> = source.names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        all.sort();
        all
    }

    #[test]
    fn identifiers_are_told_from_texts_and_comments() {
        assert_eq!(names("a = 'b' + \"\"\"c\nd\"\"\" # e\nf(rb'g\\'h')", false), ["a", "f"]);
        assert_eq!(names("x = 1if y else 0xff", false), ["else", "x", "y"]);
        // The string is not closed: the next line is code again.
        assert_eq!(names("a = 'b\nc", false), ["a", "c"]);
    }

    #[test]
    fn braces_of_f_strings_hold_code() {
        assert_eq!(names("f'a{b!r:>{c}}{{d}}{e[\"g\"]=}' h", false), ["b", "c", "e", "h", "r"]);
        assert_eq!(names("f'{a['b']:{f'{c}'}}' d", true), ["a", "c", "d"]);
        assert_eq!(names("f'\\N{DASH}{a}' rf'\\{b}'", true), ["a", "b"]);
        // Before 3.12 the string ends at the first quote of its kind.
        assert_eq!(names("f'{a['k']}' # c'", false), ["a", "k"]);
    }

    #[test]
    fn definitions_begin_at_their_decorators() {
        let text =
            b"import a.b\nfrom .c import d\n@e(\n1)\n@f\nasync def g():\n  class h: pass\n\ndef i[j: o](): pass\nk @ l";
        let source = read(text, true);
        let mut found: Vec<_> = source.definitions.iter().map(|(name, line)| (name[0], *line)).collect();
        found.sort_unstable();
        assert_eq!(found, [(b'g', 3), (b'g', 6), (b'h', 7), (b'i', 9), (b'j', 0), (b'o', 0)]);
        assert_eq!(source.tops, [b"a.b".to_vec(), b"c".to_vec(), b"g".to_vec(), b"i".to_vec()]);
        assert_eq!(source.lines, 10);
    }

    proptest! {
        #[test]
        fn any_text_is_read(bytes in prop::collection::vec(any::<u8>(), 0..300), nests: bool) {
            let _source = read(&bytes, nests);
        }

        #[test]
        fn any_mix_of_marks_is_read(text in "[fr'\"{}:\\\\\n#a(\\[@=\\]) ]{0,80}", nests: bool) {
            let _source = read(text.as_bytes(), nests);
        }
    }

    #[test]
    fn no_depth_is_too_deep() {
        for piece in ["f'{", "f\"{'", "(", "f'{x:{", "def a["] {
            let _source = read(piece.repeat(20_000).as_bytes(), true);
            let _source = read(piece.repeat(20_000).as_bytes(), false);
        }
    }
}
