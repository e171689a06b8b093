//! The pattern language of STIX 2.0 and 2.1 (stix-v2.1, chapter 9), as far as it can come down to single values: `=` and
//! `IN`, `AND` and `OR`, inside of observations and between them. All of it is understood; what no import can use becomes
//! a reason. Lenient where feeds are: names of hashes without their quotes, double quotes, keywords in any case.

use super::text::shown;

/// Longest pattern, in bytes.
const LONGEST: usize = 1 << 20;

/// Deepest nesting of parentheses.
const DEEPEST: usize = 50;

/// A pattern, or a part of one.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Expr {
    /// A value is this.
    Is(Test),
    /// Something that cannot be used, and why.
    Unfit(String),
    /// Each of these.
    All(Vec<Self>),
    /// One of these.
    Any(Vec<Self>),
}

/// One comparison.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Test {
    /// What is compared: lower case without quotes, names of hashes without `-` and `_`: `file:hashes.sha256`.
    pub path: String,
    /// With what.
    pub value: String,
}

/// Why a pattern cannot be understood.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Misread {
    /// In characters, counted from 1.
    pub at: usize,
    /// What is wrong there.
    pub why: String,
}

/// Reads a pattern.
pub(super) fn parse(text: &str) -> Result<Expr, Misread> {
    if text.len() > LONGEST {
        return Err(Misread { at: 1, why: "it is longer than 1 MiB".to_owned() });
    }
    let mut parser = Parser { text, start: 0, end: 0, token: Token::End };
    let read = parser.advance().and_then(|()| {
        let expr = parser.observations(0)?;
        if parser.token == Token::End { Ok(expr) } else { Err(parser.wanted("AND, OR or the end")) }
    });
    read.map_err(|why| {
        let before = text.get(..parser.start).unwrap_or_default();
        Misread { at: before.chars().count() + 1, why }
    })
}

#[derive(PartialEq, Eq, Debug)]
enum Token<'a> {
    /// A keyword, a type, a part of a path.
    Word(&'a str),
    /// Between quotes.
    Text(String),
    /// A number, or a literal with a letter in front: `t'2026-03-24T10:39:00Z'`.
    Literal(&'a str),
    /// A bracket, a comma, an operator.
    Sign(&'a str),
    End,
}

struct Parser<'a> {
    text: &'a str,
    /// Where the token begins.
    start: usize,
    /// Where what follows it begins.
    end: usize,
    token: Token<'a>,
}

type Part<'a, T> = fn(&mut Parser<'a>, usize) -> Result<T, String>;

impl<'a> Parser<'a> {
    /// Observations in an order; the loosest tie.
    fn observations(&mut self, depth: usize) -> Result<Expr, String> {
        let mut all = self.chain("FOLLOWEDBY", depth, |this, depth| {
            let all = this.chain("OR", depth, |this, depth| {
                let all = this.chain("AND", depth, Self::observation)?;
                Ok(joined(all, Expr::All))
            })?;
            Ok(joined(all, Expr::Any))
        })?;
        if all.len() > 1 {
            return Ok(Expr::Unfit("it asks for one thing after another (FOLLOWEDBY)".to_owned()));
        }
        all.pop().ok_or_else(String::new)
    }

    fn observation(&mut self, depth: usize) -> Result<Expr, String> {
        let mut expr = if self.takes("[")? {
            let expr = self.comparisons(depth)?;
            self.expect("]")?;
            expr
        } else if self.takes("(")? {
            let expr = self.observations(deeper(depth)?)?;
            self.expect(")")?;
            expr
        } else {
            return Err(self.wanted("`[` or `(`"));
        };
        while let Some(name) = self.qualifier()? {
            expr = Expr::Unfit(format!("it has the qualifier {name}: times and numbers of times are not compared"));
        }
        Ok(expr)
    }

    fn qualifier(&mut self) -> Result<Option<&'static str>, String> {
        Ok(if self.takes_word("WITHIN")? {
            self.value()?;
            self.expect_word("SECONDS")?;
            Some("WITHIN")
        } else if self.takes_word("REPEATS")? {
            self.value()?;
            self.expect_word("TIMES")?;
            Some("REPEATS")
        } else if self.takes_word("START")? {
            self.value()?;
            self.expect_word("STOP")?;
            self.value()?;
            Some("START … STOP")
        } else {
            None
        })
    }

    fn comparisons(&mut self, depth: usize) -> Result<Expr, String> {
        let all = self.chain("OR", depth, |this, depth| {
            let all = this.chain("AND", depth, Self::comparison)?;
            Ok(joined(all, Expr::All))
        })?;
        Ok(joined(all, Expr::Any))
    }

    fn comparison(&mut self, depth: usize) -> Result<Expr, String> {
        if self.takes("(")? {
            let expr = self.comparisons(deeper(depth)?)?;
            self.expect(")")?;
            return Ok(expr);
        }
        if self.takes_word("EXISTS")? {
            return Ok(Expr::Unfit(format!("it asks only whether there is a `{}`", self.path()?)));
        }
        let is_negated = self.takes_word("NOT")?;
        let path = self.path()?;
        let is_negated = self.takes_word("NOT")? || is_negated;
        if self.takes_word("IN")? {
            return self.set(&path, is_negated);
        }
        let operator = self.operator()?;
        let value = self.value()?;
        Ok(match operator {
            "=" | "==" if !is_negated => Expr::Is(Test { path, value }),
            _ => {
                let not = if is_negated { "NOT " } else { "" };
                let value = shown(&value);
                Expr::Unfit(format!(
                    "it compares `{path}` with `{value}` by {not}{operator}; only `=` and IN can be used"
                ))
            }
        })
    }

    fn set(&mut self, path: &str, is_negated: bool) -> Result<Expr, String> {
        self.expect("(")?;
        let mut all = Vec::new();
        loop {
            all.push(Expr::Is(Test { path: path.to_owned(), value: self.value()? }));
            if !self.takes(",")? {
                break;
            }
        }
        self.expect(")")?;
        let why = || format!("it compares `{path}` by NOT IN; only `=` and IN can be used");
        Ok(if is_negated { Expr::Unfit(why()) } else { joined(all, Expr::Any) })
    }

    fn operator(&mut self) -> Result<&'static str, String> {
        const SIGNS: &[&str] = &["=", "==", "!=", "<>", "<", "<=", ">", ">="];
        const WORDS: &[&str] = &["LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"];
        let found = match &self.token {
            Token::Sign(sign) => SIGNS.iter().find(|known| *known == sign),
            Token::Word(word) => WORDS.iter().find(|known| known.eq_ignore_ascii_case(word)),
            _ => None,
        };
        let found = *found.ok_or_else(|| self.wanted("a comparison"))?;
        self.advance()?;
        Ok(found)
    }

    /// `file:hashes.'SHA-256'`, `email-message:body_multipart[*].body_raw_ref.name`.
    fn path(&mut self) -> Result<String, String> {
        let Token::Word(kind) = self.token else { return Err(self.wanted("the type of an object")) };
        let mut path = kind.to_ascii_lowercase();
        self.advance()?;
        self.expect(":")?;
        let mut mark = ':';
        loop {
            let step = match &self.token {
                Token::Word(step) => step.to_ascii_lowercase(),
                Token::Text(step) => shown(step).to_ascii_lowercase(),
                _ => return Err(self.wanted("the name of a property")),
            };
            self.advance()?;
            let is_hash = path.ends_with("hashes");
            path.push(mark);
            path.extend(step.chars().filter(|at| !(is_hash && matches!(at, '-' | '_'))));
            while self.takes("[")? {
                self.advance()?;
                self.expect("]")?;
                path.push_str("[*]");
            }
            if path.len() > 200 {
                return Err("its path is too long".to_owned());
            }
            if !self.takes(".")? {
                return Ok(path);
            }
            mark = '.';
        }
    }

    fn value(&mut self) -> Result<String, String> {
        let value = match &mut self.token {
            Token::Text(text) => std::mem::take(text),
            Token::Literal(text) => (*text).to_owned(),
            Token::Word(word) if ["true", "false"].iter().any(|known| known.eq_ignore_ascii_case(word)) => {
                word.to_ascii_lowercase()
            }
            _ => return Err(self.wanted("a value")),
        };
        self.advance()?;
        Ok(value)
    }

    fn chain<T>(&mut self, word: &str, depth: usize, part: Part<'a, T>) -> Result<Vec<T>, String> {
        let mut all = vec![part(self, depth)?];
        while self.takes_word(word)? {
            all.push(part(self, depth)?);
        }
        Ok(all)
    }

    fn takes(&mut self, sign: &str) -> Result<bool, String> {
        let is_it = matches!(self.token, Token::Sign(found) if found == sign);
        if is_it {
            self.advance()?;
        }
        Ok(is_it)
    }

    fn takes_word(&mut self, word: &str) -> Result<bool, String> {
        let is_it = matches!(self.token, Token::Word(found) if found.eq_ignore_ascii_case(word));
        if is_it {
            self.advance()?;
        }
        Ok(is_it)
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.takes(sign)? { Ok(()) } else { Err(self.wanted(&format!("`{sign}`"))) }
    }

    fn expect_word(&mut self, word: &str) -> Result<(), String> {
        if self.takes_word(word)? { Ok(()) } else { Err(self.wanted(word)) }
    }

    fn wanted(&self, what: &str) -> String {
        format!("{what} is wanted there")
    }

    /// To the next token.
    fn advance(&mut self) -> Result<(), String> {
        let rest = self.text.get(self.end..).unwrap_or_default();
        let rest = rest.trim_start();
        self.start = self.text.len() - rest.len();
        let Some(first) = rest.bytes().next() else {
            (self.token, self.end) = (Token::End, self.text.len());
            return Ok(());
        };
        let run = |is_part: fn(u8) -> bool| rest.bytes().take_while(|byte| is_part(*byte)).count();
        let (token, length) = match first {
            b'\'' | b'"' => {
                let (text, length) = quoted(rest)?;
                (Token::Text(text), length)
            }
            b't' | b'h' | b'b' if rest.as_bytes().get(1) == Some(&b'\'') => {
                let (_, length) = quoted(rest.get(1..).unwrap_or_default())?;
                (Token::Literal(rest.get(..=length).unwrap_or_default()), length + 1)
            }
            b'0'..=b'9' | b'-' | b'+' => {
                let length = run(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-'));
                (Token::Literal(rest.get(..length).unwrap_or_default()), length)
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => {
                let length = run(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
                (Token::Word(rest.get(..length).unwrap_or_default()), length)
            }
            _ => {
                const SIGNS: &[&str] =
                    &["==", "!=", "<>", "<=", ">=", "=", "<", ">", "[", "]", "(", ")", ",", ".", ":", "*"];
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                let sign = sign.ok_or_else(|| "no sign of patterns is there".to_owned())?;
                (Token::Sign(sign), sign.len())
            }
        };
        (self.token, self.end) = (token, self.start + length);
        Ok(())
    }
}

/// The text between the quotes at the beginning of `rest`, and how long it is with them.
fn quoted(rest: &str) -> Result<(String, usize), String> {
    let mut out = String::new();
    let mut chars = rest.char_indices();
    let quote = chars.next().map(|(_, quote)| quote);
    while let Some((at, one)) = chars.next() {
        match one {
            '\\' => out.extend(chars.next().map(|(_, escaped)| escaped)),
            one if Some(one) == quote => return Ok((out, at + 1)),
            one => out.push(one),
        }
    }
    Err("the text that begins there has no end".to_owned())
}

/// One part for itself; several of them by `tie`.
fn joined(mut all: Vec<Expr>, tie: fn(Vec<Expr>) -> Expr) -> Expr {
    match (all.len(), all.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            all.extend(last);
            tie(all)
        }
    }
}

fn deeper(depth: usize) -> Result<usize, String> {
    if depth < DEEPEST { Ok(depth + 1) } else { Err(format!("it nests deeper than {DEEPEST}")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As a text with all parentheses.
    fn told(expr: &Expr) -> String {
        let all = |all: &[Expr], tie: &str| format!("({})", all.iter().map(told).collect::<Vec<_>>().join(tie));
        match expr {
            Expr::Is(Test { path, value }) => format!("{path}={value}"),
            Expr::Unfit(why) => format!("!{}", why.split(' ').next_back().unwrap()),
            Expr::All(parts) => all(parts, "&"),
            Expr::Any(parts) => all(parts, "|"),
        }
    }

    fn read(text: &str) -> String {
        match parse(text) {
            Ok(expr) => told(&expr),
            Err(Misread { at, why }) => format!("{at}: {why}"),
        }
    }

    #[test]
    fn hashes_are_spelt_in_many_ways() {
        for path in [
            "hashes.'SHA-256'",
            "hashes.\"SHA-256\"",
            "hashes.sha256",
            "hashes.SHA256",
            "hashes.SHA-256",
            "hashes.SHA_256",
        ] {
            assert_eq!(read(&format!("[file:{path} = 'ab']")), "file:hashes.sha256=ab", "{path}");
        }
        assert_eq!(read("[ file:hashes.MD5='x' ]"), "file:hashes.md5=x");
    }

    #[test]
    fn and_ties_before_or_and_parentheses_before_both() {
        assert_eq!(read("[a:b = 1 OR a:c = 2 AND a:d = true]"), "(a:b=1|(a:c=2&a:d=true))");
        assert_eq!(read("[(a:b = 1 OR a:c = 2) and a:d = 3]"), "((a:b=1|a:c=2)&a:d=3)");
        assert_eq!(read("[a:b = 1] OR [a:c = 2] AND [a:d = 3]"), "(a:b=1|(a:c=2&a:d=3))");
        assert_eq!(read("([a:b = 1] OR ([a:c = 2])) AND [a:d = 3]"), "((a:b=1|a:c=2)&a:d=3)");
        assert_eq!(read("[a:b IN ('x', 'y','z')]"), "(a:b=x|a:b=y|a:b=z)");
        assert_eq!(read("[a:b IN ('x')]"), "a:b=x");
    }

    #[test]
    fn texts_have_escapes_and_paths_have_indices() {
        assert_eq!(read(r"[file:name = 'it\'s \\ \x']"), r"file:name=it's \ x");
        assert_eq!(read("[a:b.'c d'[*].e_f[0] = h'ffd8']"), "a:b.c d[*].e_f[*]=h'ffd8'");
        assert_eq!(read("[a:created = t'2014-01-13T07:03:17Z']"), "a:created=t'2014-01-13T07:03:17Z'");
        assert_eq!(read("[a:b = -1.5]"), "a:b=-1.5");
    }

    #[test]
    fn what_cannot_be_used_is_understood_all_the_same() {
        for (text, is) in [
            ("[a:b = 1] FOLLOWEDBY [a:c = 2]", "!(FOLLOWEDBY)"),
            ("([a:b = 1] FOLLOWEDBY [a:c = 2]) WITHIN 300 SECONDS", "!compared"),
            ("[a:b = 1] REPEATS 5 TIMES WITHIN 1.5 SECONDS", "!compared"),
            ("[a:b = 1] START t'2016-06-01T01:30:00Z' STOP t'2016-06-01T02:20:00Z' OR [a:c = 2]", "(!compared|a:c=2)"),
            ("[a:b != 1 OR a:c LIKE 'x%' OR a:d > 7 OR a:e NOT = 'x']", "(!used|!used|!used|!used)"),
            ("[a:b MATCHES '^x$' AND a:c ISSUBSET '1.2.3.0/24']", "(!used&!used)"),
            ("[NOT a:b = 1 OR a:b NOT IN ('x')]", "(!used|!used)"),
            ("[EXISTS a:b]", "!`a:b`"),
        ] {
            assert_eq!(read(text), is, "{text}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_told_with_its_place() {
        for (text, why) in [
            ("", "1: `[` or `(` is wanted there"),
            ("file:name = 'x'", "1: `[` or `(` is wanted there"),
            ("[file:name = 'x'", "17: `]` is wanted there"),
            ("[file:name = 'ä", "14: the text that begins there has no end"),
            ("[file:name = ]", "14: a value is wanted there"),
            ("[file:name = abc]", "14: a value is wanted there"),
            ("[file.name = 1]", "6: `:` is wanted there"),
            ("[file:name =? 'x']", "13: no sign of patterns is there"),
            ("['ä':b = é]", "2: the type of an object is wanted there"),
            ("[a:b = 1] WITHIN 5 HOURS", "20: SECONDS is wanted there"),
            ("[a:b = 1] [a:c = 2]", "11: AND, OR or the end is wanted there"),
            ("[a:b IN ()]", "10: a value is wanted there"),
            ("[a:b = 1]]", "10: AND, OR or the end is wanted there"),
        ] {
            assert_eq!(read(text), why, "{text}");
        }
    }

    #[test]
    fn nesting_and_length_are_bounded() {
        assert!(read(&format!("{}[a:b = 1]{}", "(".repeat(50), ")".repeat(50))).starts_with("a:b"));
        assert!(read(&"(".repeat(100_000)).contains("nests deeper than 50"));
        assert!(read(&format!("[{}", "(".repeat(100_000))).contains("nests deeper than 50"));
        assert!(read(&format!("{}[{}a:b = 1", "(".repeat(40), "(".repeat(40))).contains("nests deeper than 50"));
        assert!(read(&" ".repeat(LONGEST + 1)).contains("longer than 1 MiB"));
        assert!(read(&format!("[a{}", ":b".repeat(1000))).contains("is wanted there"));
        assert!(read(&format!("[a:b{}", ".b".repeat(1000))).contains("too long"));
        let many = vec!["a:b = 'x'"; 50_000].join(" OR ");
        assert!(read(&format!("[{many}]")).len() > 50_000);
    }

    proptest! {
        #[test]
        fn any_text_is_a_pattern_or_not(text in r#"(\[|\]|\(|\)|a:b|file:name|'x'| = | AND | OR | NOT | IN |,|\.|WITHIN 1 SECONDS|\\|'|\PC){0,40}"#) {
            if let Err(Misread { at, .. }) = parse(&text) {
                prop_assert!((1..=text.chars().count() + 1).contains(&at));
            }
        }
    }
}
