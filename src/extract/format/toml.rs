//! TOML, as far as readers of files ask for it: tables, arrays of tables, texts, numbers and flags, each with its line.
//!
//! The parser is the `toml` package's. In front of it stands a bound on nesting: what it builds is dropped value in value,
//! and one crafted line would overflow the stack, which nothing catches. A key with dots nests as brackets do.

use memchr::{memchr, memchr3};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::placed::{self, Fault, Lines};

/// Deepest nesting of one statement: brackets, and the dots of keys.
pub const DEEPEST: usize = 100;

/// Most of what is built, in units of a hundred bytes or so: a table takes a dozen of them, whatever little is in it, and a
/// file of nothing but `{a=1}` would fill the memory. Fifty thousand packages with their hashes take less than this, and
/// nothing that is let through takes much more than a gigabyte.
const MOST: usize = 8_000_000;

/// A document.
pub struct Document<'a> {
    root: DeTable<'a>,
    lines: Lines<'a>,
}

/// A table and where it begins.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    table: &'a DeTable<'a>,
    at: usize,
    lines: &'a Lines<'a>,
}

/// A text and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Text<'a> {
    /// Without quotes and escapes.
    pub text: &'a str,
    /// Counted from 1.
    pub line: u32,
}

/// Parses a document.
///
/// # Errors
/// When it is no TOML or nests too deep.
pub fn parse(bytes: &[u8]) -> Result<Document<'_>, Fault> {
    let text = placed::utf8(bytes)?;
    if let Some((at, why)) = too_much(text.as_bytes()) {
        return Err(Lines::of(text).fault(at, why));
    }
    match DeTable::parse(text) {
        Ok(root) => Ok(Document { root: root.into_inner(), lines: Lines::of(text) }),
        Err(why) => {
            let at = why.span().map_or(text.len(), |span| span.start);
            Err(Lines::of(text).fault(at, format!("is no TOML: {}", why.message())))
        }
    }
}

impl Document<'_> {
    /// Its topmost table.
    #[must_use]
    pub fn root(&self) -> Table<'_> {
        Table { table: &self.root, at: 0, lines: &self.lines }
    }
}

impl<'a> Table<'a> {
    /// The line that it begins on.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.lines.line(self.at)
    }

    /// A fault of all of it.
    pub fn fault(&self, why: impl Into<String>) -> Fault {
        self.lines.fault(self.at, why)
    }

    /// A fault of one of its values, or of all of it where there is no such value.
    pub fn fault_at(&self, key: &str, why: impl Into<String>) -> Fault {
        self.lines.fault(self.table.get(key).map_or(self.at, |value| value.span().start), why)
    }

    /// Whether it has a value of this name.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The names of its values.
    pub fn keys(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.table.keys().map(|key| &**key.get_ref())
    }

    /// A text; none if it is not there.
    ///
    /// # Errors
    /// When it is something else. So with all of these.
    pub fn text(&self, key: &str) -> Result<Option<Text<'a>>, Fault> {
        self.get(key, "text", |value, line| value.as_str().map(|text| Text { text, line }))
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// When it is not.
    pub fn needed(&self, key: &str) -> Result<Text<'a>, Fault> {
        self.text(key)?.ok_or_else(|| self.fault(format!("has no `{key}`")))
    }

    /// A whole number.
    ///
    /// # Errors
    /// When it is something else, or larger than anything that is counted here.
    pub fn number(&self, key: &str) -> Result<Option<i64>, Fault> {
        self.get(key, "number", |value, _| {
            value.as_integer().and_then(|one| i64::from_str_radix(one.as_str(), one.radix()).ok())
        })
    }

    /// True or false; false if it is not there.
    ///
    /// # Errors
    /// When it is something else.
    pub fn flag(&self, key: &str) -> Result<bool, Fault> {
        self.get(key, "true or false", |value, _| value.as_bool()).map(Option::unwrap_or_default)
    }

    /// A table in this one.
    ///
    /// # Errors
    /// When it is something else.
    pub fn table(&self, key: &str) -> Result<Option<Table<'a>>, Fault> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        self.as_table(value).map(Some).ok_or_else(|| self.wrong(key, value, "table"))
    }

    /// All tables of an array; none if it is not there.
    ///
    /// # Errors
    /// When it is something else, or holds something else.
    pub fn tables(&self, key: &str) -> Result<Vec<Table<'a>>, Fault> {
        self.array(key, "table", |value| self.as_table(value))
    }

    /// All texts of an array; none if it is not there.
    ///
    /// # Errors
    /// When it is something else, or holds something else.
    pub fn texts(&self, key: &str) -> Result<Vec<Text<'a>>, Fault> {
        self.array(key, "text", |value| {
            Some(Text { text: value.get_ref().as_str()?, line: self.lines.line(value.span().start) })
        })
    }

    fn as_table(&self, value: &'a Spanned<DeValue<'a>>) -> Option<Table<'a>> {
        Some(Table { table: value.get_ref().as_table()?, at: value.span().start, lines: self.lines })
    }

    fn get<T>(
        &self,
        key: &str,
        wanted: &str,
        take: impl FnOnce(&'a DeValue<'a>, u32) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let taken = take(value.get_ref(), self.lines.line(value.span().start));
        taken.map(Some).ok_or_else(|| self.wrong(key, value, wanted))
    }

    fn array<T>(
        &self,
        key: &str,
        wanted: &str,
        take: impl Fn(&'a Spanned<DeValue<'a>>) -> Option<T>,
    ) -> Result<Vec<T>, Fault> {
        let Some(value) = self.table.get(key) else { return Ok(Vec::new()) };
        let array = value.get_ref().as_array().ok_or_else(|| self.wrong(key, value, "array"))?;
        array.iter().map(|one| take(one).ok_or_else(|| self.wrong(key, one, wanted))).collect()
    }

    fn wrong(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) -> Fault {
        let is = value.get_ref().type_str();
        self.lines.fault(value.span().start, format!("has a value of type {is} in `{key}`, where {wanted} is wanted"))
    }
}

/// Where a text nests too deep, or holds too much. Reads only what decides that: strings and comments are passed over, and of text that is no
/// TOML any answer will do.
fn too_much(text: &[u8]) -> Option<(usize, &'static str)> {
    // For each bracket that is open, and for what stands outside of all: the dots of the key that is being read.
    let mut open: Vec<usize> = vec![0];
    let mut dots = 0;
    let mut built = 0;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        built += weight(*byte);
        match byte {
            b'#' => at = memchr(b'\n', rest(text, at)).map_or(text.len(), |end| at + end - 1),
            b'"' | b'\'' => at = end_of_string(text, at) - 1,
            b'[' | b'{' => open.push(0),
            b']' | b'}' if open.len() > 1 => dots -= open.pop().unwrap_or_default(),
            b'.' => {
                dots += 1;
                open.last_mut().into_iter().for_each(|one| *one += 1);
            }
            b',' => dots -= open.last_mut().map(std::mem::take).unwrap_or_default(),
            b'\n' if open.len() == 1 => dots -= open.last_mut().map(std::mem::take).unwrap_or_default(),
            _ => {}
        }
        if open.len() - 1 + dots > DEEPEST {
            return Some((at, "nests deeper than 100, and so deep is not read"));
        }
        if built > MOST {
            return Some((at, "comes behind more values than are read"));
        }
        at += 1;
    }
    None
}

/// What a sign outside of strings leads to, in units of `MOST`.
fn weight(sign: u8) -> usize {
    match sign {
        b'{' | b'.' => 12,
        b'[' => 8,
        b'=' => 3,
        b',' => 2,
        b'\n' => 1,
        _ => 0,
    }
}

/// The place behind a string that begins at `at`; it is always behind `at`.
fn end_of_string(text: &[u8], at: usize) -> usize {
    let quote = text.get(at).copied().unwrap_or_default();
    let is_long = rest(text, at).starts_with(&[quote; 3]);
    let mut from = at + if is_long { 3 } else { 1 };
    while let Some(found) = memchr3(quote, b'\\', b'\n', rest(text, from)) {
        let here = from + found;
        match text.get(here) {
            // Literal strings know no escapes.
            Some(b'\\') => from = here + if quote == b'"' { 2 } else { 1 },
            Some(b'\n') if is_long => from = here + 1,
            // The end of a line is no part of a string that was never closed.
            Some(b'\n') => return here,
            _ if !is_long => return here + 1,
            _ => {
                // Up to two quotes in front of the last three belong to the string.
                let run = rest(text, here).iter().take(5).take_while(|byte| **byte == quote).count();
                if run >= 3 {
                    return here + run;
                }
                from = here + run;
            }
        }
    }
    text.len()
}

fn rest(text: &[u8], from: usize) -> &[u8] {
    text.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(text: &str) -> String {
        parse(text.as_bytes()).err().map(|fault| fault.to_string()).unwrap_or_default()
    }

    fn is_deep(text: &str) -> bool {
        too_much(text.as_bytes()).is_some()
    }

    #[test]
    fn values_are_of_the_type_that_is_wanted() {
        let text = "n = 0x1_0\nt = 'x'\nf = true\n[a]\nb = [{c = 'd'}, {}]\ne = ['g',\n 'h']\n";
        let document = parse(text.as_bytes()).unwrap();
        let root = document.root();
        assert_eq!(root.number("n"), Ok(Some(16)));
        assert_eq!(root.text("t"), Ok(Some(Text { text: "x", line: 2 })));
        assert_eq!((root.flag("f"), root.flag("g"), root.text("g")), (Ok(true), Ok(false), Ok(None)));
        let a = root.table("a").unwrap().unwrap();
        assert_eq!((a.line(), a.tables("b").unwrap().len(), a.texts("e").unwrap()[1].line), (4, 2, 7));
        assert_eq!(a.keys().collect::<Vec<_>>(), ["b", "e"]);
        for wrong in [root.text("n").err(), root.number("t").err(), root.table("f").err(), a.texts("b").err()] {
            assert!(wrong.unwrap().why.starts_with("has a value of type "));
        }
        assert_eq!(a.needed("z").unwrap_err().to_string(), "line 4, column 1 has no `z`");
        assert_eq!(
            root.text("f").unwrap_err().to_string(),
            "line 3, column 5 has a value of type boolean in `f`, where text is wanted"
        );
    }

    #[test]
    fn what_is_no_toml_is_told_where() {
        assert_eq!(fault("a = 1\nb = \"x"), "line 2, column 7 is no TOML: invalid basic string, expected `\"`");
        assert_eq!(fault("a = 1\na = 2"), "line 2, column 1 is no TOML: duplicate key");
        assert!(fault("[[a]]\n[a]\n").contains("duplicate key"));
        assert!(fault("a = 'x").starts_with("line 1, column "));
    }

    #[test]
    fn nesting_is_bounded_in_front_of_the_parser() {
        for one in ["[", "{a=", "[{a=", "a.", "'a' . ", "[a.", "{a.b."] {
            let bomb = format!("x = {}", one.repeat(100_000));
            assert!(fault(&bomb).contains("nests deeper than 100"), "{one}");
            assert!(fault(&one.repeat(100_000)).contains("nests deeper than 100"), "{one}");
        }
        let dotted = format!("x = {}1{}", "{a.a.a.a.a.a.a.a.a.a = ".repeat(60), "}".repeat(60));
        assert!(fault(&dotted).contains("nests deeper"), "each bracket is fine, and each key; together they are not");
        let deep = format!("x = {}{}", "[".repeat(70), "]".repeat(70));
        assert_eq!(fault(&deep), "");
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_nest() {
        let many = "[".repeat(101);
        for text in [
            format!("# {many}\na = 1"),
            format!("a = \"{many}\""),
            format!("a = '{many}'"),
            format!("a = \"\\\"{many}\""),
            format!("a = \"\"\"\n\"\" \\\"\"\" {many}\"\"\"\"\""),
            format!("a = '''\n'' \\{many}'''"),
            format!("a = [{}]", "1.5, ".repeat(200)),
            "a.b = 1.5\n".repeat(200),
        ] {
            assert!(!is_deep(&text), "{text}");
            assert!(is_deep(&format!("{text}\nb = {many}")), "{text}");
        }
        assert!(is_deep(&format!("a = \"\"\"x\"\"\"\"\nb = {many}")), "four quotes end a string as well");
        assert!(is_deep(&format!("a = 'x\\'{many}")) && is_deep(&format!("a = \"x\nb = {many}")));
    }

    #[test]
    fn values_are_counted_in_front_of_the_parser() {
        for (one, times) in
            [("a=1\n", 2_100_000), ("[],", 900_000), ("{},", 600_000), ("a.a=1\n", 600_000), ("1,", 4_100_000)]
        {
            let why = fault(&one.repeat(times));
            assert!(why.contains("comes behind more values than are read"), "{one}: {why}");
        }
        assert!(!is_deep(&format!("x = '{}'", "{".repeat(MOST))));
    }

    /// Escapes and quotes to the end of a large text, each of which could be looked at again.
    #[test]
    fn time_grows_with_the_text_only() {
        for one in ["\\\\", "\"", "\"\"", "'", "\\\"", "#", "\n"] {
            for before in ["", "\"", "\"\"\"", "'''"] {
                assert!(!is_deep(&format!("{before}{}", one.repeat(500_000))));
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_toml_or_not(text in r##"([\[\]{}"'=.,a1# \\\n]|\PC){0,60}"##) {
            if let Ok(document) = parse(text.as_bytes()) {
                for key in document.root().keys() {
                    let _one = (document.root().text(key), document.root().tables(key));
                }
            }
        }
    }
}
