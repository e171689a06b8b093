//! YAML, as far as readers of files ask for it: lists, maps and texts, each with its line (YAML 1.2, yaml.org/spec).
//!
//! The events are the `saphyr-parser` package's, which does not recurse; what is built of them is bounded in depth and
//! number. An alias is kept as what it is and never expanded, so nothing multiplies.

use saphyr_parser::{Event, Parser, ScanError};

use super::placed::{self, Fault};

/// Deepest nesting. Lock files need eight.
const DEEPEST: usize = 64;

/// Most nodes: a lock file of ten thousand packages has two hundred thousand.
const MOST: usize = 2_000_000;

/// Most flow brackets that are open at once, by a count that knows nothing of strings: the scanner's work grows with their
/// square. The files that are read here have two.
const MOST_BRACKETS: usize = 1000;

/// A value and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Counted from 1.
    pub line: u32,
}

/// What a value is. Numbers and flags are texts: whoever asks knows what it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// A text; empty for nothing at all.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Pairs in their order, repeated keys too. A key that is no text is an empty one.
    Map(Vec<(String, Node)>),
    /// Another value by its name.
    Alias,
}

/// Parses the first document of a file.
///
/// # Errors
/// When it is no YAML, nests too deep or holds too much.
pub fn parse(bytes: &[u8]) -> Result<Node, Fault> {
    let text = placed::utf8(bytes)?;
    if let Some(line) = too_many_brackets(bytes) {
        return Err(Fault { line, column: 1, why: "nests deeper than is read".to_owned() });
    }
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|why| no_yaml(&why))?;
        if matches!(event, Event::DocumentEnd) {
            break;
        }
        builder.take(event, u32::try_from(span.start.line()).unwrap_or(u32::MAX).max(1))?;
    }
    builder.top.ok_or_else(|| Fault::of_all("begins no YAML: nothing is in it"))
}

fn no_yaml(why: &ScanError) -> Fault {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).max(1);
    let at = why.marker();
    Fault {
        line: count(at.line()),
        column: count(at.col().saturating_add(1)),
        why: format!("is no YAML: {}", why.info()),
    }
}

/// The line on which more brackets are open than any file has.
fn too_many_brackets(text: &[u8]) -> Option<u32> {
    let (mut open, mut line) = (0_usize, 1_u32);
    for byte in text {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            b'\n' => line = line.saturating_add(1),
            _ => {}
        }
        if open > MOST_BRACKETS {
            return Some(line);
        }
    }
    None
}

/// What is being built.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    top: Option<Node>,
    nodes: usize,
}

/// A list or map that is not closed yet.
struct Open {
    node: Node,
    /// Of a map: the key whose value comes next.
    key: Option<String>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, line: u32) -> Result<(), Fault> {
        let fault = |why: &str| Err(Fault { line, column: 1, why: why.to_owned() });
        self.nodes += 1;
        if self.nodes > MOST {
            return fault("comes behind more values than are read");
        }
        match event {
            Event::Scalar(text, ..) => self.place(Node { value: Value::Text(text.into_owned()), line }),
            Event::Alias(_) => self.place(Node { value: Value::Alias, line }),
            Event::SequenceStart(..) => {
                self.open.push(Open { node: Node { value: Value::List(Vec::new()), line }, key: None })
            }
            Event::MappingStart(..) => {
                self.open.push(Open { node: Node { value: Value::Map(Vec::new()), line }, key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(done) = self.open.pop() {
                    self.place(done.node);
                }
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
        }
        if self.open.len() > DEEPEST { fault("nests deeper than is read") } else { Ok(()) }
    }

    fn place(&mut self, node: Node) {
        let Some(last) = self.open.last_mut() else {
            self.top = Some(node);
            return;
        };
        match &mut last.node.value {
            Value::List(all) => all.push(node),
            Value::Map(pairs) => match last.key.take() {
                Some(key) => pairs.push((key, node)),
                None => last.key = Some(if let Value::Text(text) = node.value { text } else { String::new() }),
            },
            Value::Text(_) | Value::Alias => {}
        }
    }
}

impl Node {
    /// The value of a key of a map; the first, where it stands twice.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.pairs().iter().find(|(one, _)| one == key).map(|(_, node)| node)
    }

    /// The pairs of a map; none of anything else.
    #[must_use]
    pub fn pairs(&self) -> &[(String, Self)] {
        if let Value::Map(pairs) = &self.value { pairs } else { &[] }
    }

    /// The members of a list; none of anything else.
    #[must_use]
    pub fn members(&self) -> &[Self] {
        if let Value::List(all) = &self.value { all } else { &[] }
    }

    /// The text; none of anything else.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The text of a key of a map.
    #[must_use]
    pub fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Self::text)
    }

    /// A fault of it.
    pub fn fault(&self, why: impl Into<String>) -> Fault {
        Fault { line: self.line, column: 1, why: why.into() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn why(text: &str) -> String {
        parse(text.as_bytes()).err().map(|fault| fault.to_string()).unwrap_or_default()
    }

    #[test]
    fn values_have_their_lines() {
        let text = "# c\nname: x\nlist:\n  - a=1\n  - 'b'\n  - pip: [c, \"d\"]\nempty:\nlong: |\n  e\n  f\nn: 1.10\n";
        let node = parse(text.as_bytes()).unwrap();
        assert_eq!(
            (node.text_of("name"), node.text_of("n"), node.text_of("empty")),
            (Some("x"), Some("1.10"), Some(""))
        );
        assert_eq!(node.text_of("long"), Some("e\nf\n"));
        let list = node.get("list").unwrap().members();
        let shown: Vec<_> = list.iter().map(|one| (one.line, one.text())).collect();
        assert_eq!(shown, [(4, Some("a=1")), (5, Some("b")), (6, None)]);
        let pip = list[2].get("pip").unwrap();
        assert_eq!((pip.members().len(), pip.members()[1].text(), pip.line), (2, Some("d"), 6));
        assert!(node.get("none").is_none() && node.members().is_empty() && list[0].pairs().is_empty());
    }

    #[test]
    fn only_the_first_document_counts() {
        assert_eq!(parse(b"---\na: 1\n---\na: 2\n").unwrap().text_of("a"), Some("1"));
        assert!(why("").contains("nothing is in it"));
        assert!(why("a: [1\nb: 2\n").contains("is no YAML"));
        assert!(why("a:\n\t- b\n").starts_with("line 2, column "));
    }

    #[test]
    fn aliases_are_not_expanded() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for at in 1..40 {
            let before = at - 1;
            bomb.push_str(&format!("a{at}: &a{at} [{}]\n", vec![format!("*a{before}"); 9].join(", ")));
        }
        let node = parse(bomb.as_bytes()).unwrap();
        assert_eq!(node.get("a39").unwrap().members()[8].value, Value::Alias);
        assert!(why("a: &a [*a]\n").is_empty() && why("a: *b\n").contains("is no YAML"));
    }

    #[test]
    fn nesting_and_number_are_bounded() {
        let deep: String = (0..2000).map(|at| format!("{}a:\n", " ".repeat(at))).collect();
        for bomb in ["[", "{a: ", "- ", "? ", "[{a: ", "a: [", "{[", "!t [", "&a [", "- - "] {
            let told = why(&bomb.repeat(100_000));
            assert!(told.contains("deeper than is read") || told.contains("is no YAML"), "{bomb}: {told}");
        }
        assert!(why(&deep).contains("deeper than is read"));
        assert!(why(&"- a\n".repeat(MOST + 1)).contains("more values than are read"));
        assert!(why(&format!("{}1{}", "[".repeat(60), "]".repeat(60))).is_empty());
    }

    /// Signs that could be looked at again and again.
    #[test]
    fn time_grows_with_the_text_only() {
        #[rustfmt::skip]
        let signs = ["a", " ", "\n", "#", "'", "\"", ":", ": ", "a: ", "a: b\n", "- ", "|", "|\n", ">\n ", "&a ", "*a ", "!a ", ",", "%", "%a\n", "---\n", "a\n ", "[]", "[],", "{},", "\\", "\t", "? a\n"];
        for one in signs {
            for before in ["", "[", "\"", "a: |\n ", "- [", "{"] {
                let _any = parse(format!("{before}{}", one.repeat(20_000)).as_bytes());
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_yaml_or_not(text in r##"([\[\]{}"'=.,a1# \n&*!|>%?:-]|\PC){0,80}"##) {
            if let Ok(node) = parse(text.as_bytes()) {
                prop_assert!(node.line >= 1);
            }
        }

        #[test]
        fn no_bytes_stop_it(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _any = parse(&bytes);
        }
    }
}
