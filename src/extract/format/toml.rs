//! TOML, as far as readers of files ask for it: tables, arrays of tables, texts, numbers and flags, each with its line.
//!
//! The parser is the `toml` package's. In front of it stands a bound on nesting and size.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::placed::{self, Fault, Lines};
use crate::model::toml_bound::{self, Excess};

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
    if let Some((at, excess)) = toml_bound::too_much(text.as_bytes()) {
        let why = match excess {
            Excess::Depth => "nests deeper than 100, and so deep is not read",
            Excess::Values => "comes behind more values than are read",
        };
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(text: &str) -> String {
        parse(text.as_bytes()).err().map(|fault| fault.to_string()).unwrap_or_default()
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
        assert!(fault(&format!("x = {}", "[".repeat(100_000))).contains("nests deeper than 100"));
        assert_eq!(fault(&format!("x = {}{}", "[".repeat(70), "]".repeat(70))), "");
    }

    #[test]
    fn values_are_counted_in_front_of_the_parser() {
        assert!(fault(&"{},".repeat(600_000)).contains("comes behind more values than are read"));
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
