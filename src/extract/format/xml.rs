//! XML as a tree of elements and their text, bounded in depth and number. The events are the `quick-xml` package's, which
//! does not recurse; nothing but the five built-in entities and numbers is filled in, so that no definition of a document
//! can make it grow. Attributes are left out: no reader asks for them.
//!
//! What stands in front of a fault is kept, as the readers of these formats are given files that were cut.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::unicode;
use crate::model::coverage::GapReason;

/// Deepest nesting that is read. What is built is dropped by recursion, which this bounds.
pub const DEEPEST: usize = 64;

/// Most elements that are read.
pub const MOST: usize = 100_000;

/// Why not all of a text could be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Whether the text or our limits are the reason.
    pub reason: GapReason,
    /// What is wrong, as the rest of a sentence.
    pub what: &'static str,
}

impl Fault {
    /// The text is not what it should be.
    #[must_use]
    pub fn malformed(what: &'static str) -> Self {
        Self { reason: GapReason::Malformed, what }
    }

    /// It holds more than is read.
    #[must_use]
    pub fn too_large(what: &'static str) -> Self {
        Self { reason: GapReason::TooLarge, what }
    }
}

/// An element.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Element {
    /// Its name, without the namespace's prefix.
    pub name: String,
    /// The line in which it begins, counted from 1.
    pub line: u32,
    /// The text directly in it, all parts of it together.
    pub text: String,
    /// The elements directly in it.
    pub children: Vec<Element>,
}

/// A document, as far as it could be read.
#[derive(PartialEq, Eq, Debug)]
pub struct Document {
    /// An element without a name that holds everything.
    pub root: Element,
    /// Why the rest could not be read.
    pub fault: Option<Fault>,
}

impl Element {
    /// The first child of that name.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of that name, without blanks around it; empty where there is none.
    #[must_use]
    pub fn text_of(&self, name: &str) -> &str {
        self.child(name).map(|child| child.text.trim()).unwrap_or_default()
    }
}

/// Reads a document in UTF-8 or UTF-16.
#[must_use]
pub fn parse(bytes: &[u8]) -> Document {
    let text = unicode::decoded(bytes);
    let mut tree = Tree { open: vec![Element { line: 1, ..Element::default() }], elements: 0 };
    let mut reader = Reader::from_str(&text);
    reader.config_mut().allow_dangling_amp = true;
    let (mut at, mut line) = (0, 1);
    let fault = loop {
        let event = reader.read_event();
        let here = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let starts = line;
        line = lines(&text, at, here, line);
        at = here;
        match event {
            Ok(Event::Eof) => break tree.is_open().then(|| Fault::malformed("it ends in the middle")),
            Ok(event) => {
                if let Err(fault) = tree.take(event, starts) {
                    break Some(fault);
                }
            }
            Err(why) => break Some(Fault::malformed(kind(&why))),
        }
    };
    Document { root: tree.close(), fault }
}

/// The library's own words may quote the document.
fn kind(why: &quick_xml::Error) -> &'static str {
    match why {
        quick_xml::Error::Syntax(_) => "a tag, comment or section does not end",
        quick_xml::Error::IllFormed(_) => "a tag is closed by another, or by none",
        quick_xml::Error::Escape(_) => "a reference does not end",
        _ => "it is no XML",
    }
}

fn lines(text: &str, from: usize, to: usize, line: u32) -> u32 {
    let part = text.as_bytes().get(from..to).unwrap_or_default();
    line.saturating_add(u32::try_from(memchr::memchr_iter(b'\n', part).count()).unwrap_or(u32::MAX))
}

struct Tree {
    /// From the root to the one that is open.
    open: Vec<Element>,
    elements: usize,
}

impl Tree {
    fn is_open(&self) -> bool {
        self.open.len() > 1
    }

    fn take(&mut self, event: Event<'_>, line: u32) -> Result<(), Fault> {
        match event {
            Event::Start(start) => self.start(start.local_name().as_ref(), line)?,
            Event::Empty(start) => {
                self.start(start.local_name().as_ref(), line)?;
                self.end();
            }
            Event::End(_) => self.end(),
            Event::Text(text) => self.text(&text),
            Event::CData(text) => self.text(&text),
            Event::GeneralRef(name) => match name.resolve_char_ref() {
                Ok(Some(letter)) => self.text(letter.encode_utf8(&mut [0; 4])),
                _ => self.text(built_in(&name)),
            },
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Eof => {}
        }
        Ok(())
    }

    fn start(&mut self, name: &str, line: u32) -> Result<(), Fault> {
        self.elements += 1;
        if self.elements > MOST {
            return Err(Fault::too_large("it has more elements than are read"));
        }
        if self.open.len() > DEEPEST {
            return Err(Fault::too_large("it nests deeper than is read"));
        }
        self.open.push(Element { name: name.to_owned(), line, ..Element::default() });
        Ok(())
    }

    fn end(&mut self) {
        if !self.is_open() {
            return;
        }
        if let (Some(done), Some(above)) = (self.open.pop(), self.open.last_mut()) {
            above.children.push(done);
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(element) = self.open.last_mut() {
            element.text.push_str(text);
        }
    }

    fn close(mut self) -> Element {
        while self.is_open() {
            self.end();
        }
        self.open.pop().unwrap_or_default()
    }
}

fn built_in(name: &str) -> &'static str {
    match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn why(text: &str) -> String {
        parse(text.as_bytes()).fault.map(|fault| fault.what.to_owned()).unwrap_or_default()
    }

    #[test]
    fn elements_have_text_and_lines() {
        let text = "<?xml version=\"1.0\"?>\n<!DOCTYPE a>\n<x:a k='v'>\n <b>1 &lt; 2 &#x41;<![CDATA[<&]]></b><!-- c -->\n <c/></x:a>";
        let document = parse(text.as_bytes());
        assert_eq!(document.fault, None);
        let a = document.root.child("a").unwrap();
        assert_eq!((a.line, a.text_of("b"), a.text_of("c"), a.text_of("d")), (3, "1 < 2 A<&", "", ""));
        assert_eq!(a.child("c").unwrap().line, 5);
        let wide: Vec<u8> = "\u{feff}<a>ä</a>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(parse(&wide).root.text_of("a"), "ä");
    }

    #[test]
    fn entities_of_a_document_are_not_filled_in() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"xx\"><!ENTITY c \"&b;&b;\">]><a>&c;&nothing;y</a>";
        let document = parse(bomb.as_bytes());
        assert_eq!((document.root.text_of("a"), document.fault), ("y", None));
    }

    #[test]
    fn what_stands_before_a_fault_is_kept() {
        let cut = parse(b"<a><b>x</b>\n<c>y");
        assert_eq!(cut.root.child("a").unwrap().text_of("b"), "x");
        assert_eq!(cut.root.child("a").unwrap().text_of("c"), "y");
        assert_eq!(why("<a><b>x</b>\n<c>y"), "it ends in the middle");
        assert!(why("<a></b>").contains("closed by another"));
        assert!(why("<a").contains("does not end"));
    }

    #[test]
    fn depth_and_number_are_bounded() {
        assert!(why(&"<a>".repeat(100_000)).contains("deeper"));
        assert!(why(&"<a/>".repeat(MOST + 1)).contains("more elements"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(text in "[<>/ab&;#!\\[\\]x?\"= -]{0,80}") {
            let _any = parse(text.as_bytes());
        }

        #[test]
        fn no_bytes_stop_it(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _any = parse(&bytes);
        }
    }
}
