//! Start-up files for the comparison with real interpreters: names, encodings, line ends and lines, thrown together by a
//! seeded generator. What a line prints when it runs is its mark, and no more.

use std::collections::BTreeMap;

use memchr::memmem;

/// How many files.
const FILES: usize = 420;

/// Numbers that look random and are the same on every run.
struct Dice(u64);

impl Dice {
    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut at = self.0;
        at = (at ^ (at >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        at = (at ^ (at >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        at ^ (at >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// Where the name of the file in the site directory leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    File,
    Link,
}

/// One file.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) form: Form,
    pub(crate) bytes: Vec<u8>,
    /// The marks that its lines print, and the number of the line that each stands in, by LF and CR.
    pub(crate) marks: BTreeMap<String, u64>,
}

impl Sample {
    pub(crate) fn is_text(&self) -> bool {
        std::str::from_utf8(&self.bytes).is_ok()
    }

    /// For a message.
    pub(crate) fn shown(&self) -> String {
        self.bytes.iter().take(700).map(|byte| byte.escape_ascii().to_string()).collect()
    }
}

/// Names, with a number instead of `@`.
const NAMES: [(&str, Form); 12] = [
    ("@.pth", Form::File),
    ("@.pth", Form::File),
    ("@.pth", Form::File),
    ("@.pth", Form::File),
    ("@.pth", Form::File),
    ("@.pth", Form::File),
    ("@.pth", Form::File),
    ("@.pth", Form::Link),
    (".@.pth", Form::File),
    (".pth", Form::File),
    ("@.PTH", Form::File),
    ("@.pth.bak", Form::File),
];

/// The line ends of all Pythons, and those of the newer ones.
const PLAIN: [&str; 3] = ["\n", "\r", "\r\n"];
const EXOTIC: [&str; 8] = ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\u{85}", "\u{2028}", "\u{2029}"];

/// What is done to the bytes of the lines in the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Coding {
    AsIs,
    ByteOrderMark,
    TwoMarks,
    /// A line with a byte that is no UTF-8.
    Latin(u8),
    Utf16,
    /// The last character is cut in two.
    CutShort,
}

const CODINGS: [Coding; 15] = [
    Coding::AsIs,
    Coding::AsIs,
    Coding::AsIs,
    Coding::AsIs,
    Coding::AsIs,
    Coding::AsIs,
    Coding::AsIs,
    Coding::AsIs,
    Coding::ByteOrderMark,
    Coding::ByteOrderMark,
    Coding::TwoMarks,
    Coding::Latin(0xe9),
    Coding::Latin(0x85),
    Coding::Latin(0xa0),
    Coding::Utf16,
];

/// All of them, the same on every run.
pub(crate) fn samples() -> Vec<Sample> {
    let mut dice = Dice(829);
    (0..FILES).map(|number| sample(&mut dice, number)).collect()
}

fn sample(dice: &mut Dice, number: usize) -> Sample {
    let (name, form) = dice.one_of(&NAMES);
    let coding = if number % 60 == 59 { Coding::CutShort } else { dice.one_of(&CODINGS) };
    let plain = dice.one_of(&PLAIN);
    let count = if number % 70 == 69 { 0 } else { 1 + dice.below(7) };
    let mut marks = Marks { file: number, made: Vec::new() };
    let mut bytes = Vec::new();
    for at in 0..count {
        bytes.extend(part(dice, &mut marks));
        let end = match dice.below(10) {
            0 => dice.one_of(&EXOTIC),
            1 => dice.one_of(&PLAIN),
            _ => plain,
        };
        if at + 1 < count || dice.below(3) > 0 {
            bytes.extend(end.as_bytes());
        }
    }
    let bytes = coded(dice, &mut marks, coding, plain, bytes);
    let marks =
        marks.made.into_iter().map(|mark| (number_of(&bytes, &mark), mark)).map(|(at, mark)| (mark, at)).collect();
    Sample { name: name.replace('@', &format!("{number:03}")), form, bytes, marks }
}

fn coded(dice: &mut Dice, marks: &mut Marks, coding: Coding, plain: &str, bytes: Vec<u8>) -> Vec<u8> {
    let plain = plain.as_bytes();
    match coding {
        Coding::AsIs => bytes,
        Coding::ByteOrderMark => [b"\xef\xbb\xbf".as_slice(), &bytes].concat(),
        Coding::TwoMarks => [b"\xef\xbb\xbf\xef\xbb\xbf".as_slice(), &bytes].concat(),
        Coding::Latin(byte) => {
            let odd = latin_line(dice, marks, byte, plain);
            let bytes = single_byte_ends(bytes);
            match dice.below(3) {
                0 => [&odd, plain, &bytes].concat(),
                1 => [b"\xef\xbb\xbf".as_slice(), &bytes, plain, &odd].concat(),
                _ => [&bytes, plain, &odd, plain, marks.line().as_bytes(), b"\n"].concat(),
            }
        }
        Coding::Utf16 => {
            let text = String::from_utf8(bytes).unwrap();
            let units = text.encode_utf16();
            match dice.below(3) {
                0 => [0xfeff].into_iter().chain(units).flat_map(u16::to_le_bytes).collect(),
                1 => [0xfeff].into_iter().chain(units).flat_map(u16::to_be_bytes).collect(),
                _ => units.flat_map(u16::to_le_bytes).collect(),
            }
        }
        Coding::CutShort => [&single_byte_ends(bytes), plain, b"# caf\xc3"].concat(),
    }
}

/// The byte in a comment, a path, a string, in front of code, in a comment before code, beyond the first 8 KiB (which is
/// what Pythons up to 3.12 decode at a time).
fn latin_line(dice: &mut Dice, marks: &mut Marks, byte: u8, plain: &[u8]) -> Vec<u8> {
    let code = marks.statement();
    match dice.below(6) {
        0 => [b"# caf".as_slice(), &[byte], b" #"].concat(),
        1 => [b"./caf".as_slice(), &[byte]].concat(),
        2 => [b"import os; x = '".as_slice(), &[byte], b"'; ", code.as_bytes()].concat(),
        3 => [&[byte], b"import os; ".as_slice(), code.as_bytes()].concat(),
        4 => [b"# ".as_slice(), &[byte], b"import os; ", code.as_bytes()].concat(),
        _ => [b"# ".as_slice(), &[b'-'; 9000], plain, b"# ", &[byte]].concat(),
    }
}

/// With U+0085 as the one byte that it is in ISO-8859-1, also in the place of U+2028 and U+2029: what their UTF-8 means to
/// code is up to the locale.
fn single_byte_ends(bytes: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(bytes).unwrap().replace(['\u{2028}', '\u{2029}'], "\u{85}");
    let parts: Vec<&[u8]> = text.split('\u{85}').map(str::as_bytes).collect();
    parts.join(&0x85)
}

/// The marks of one file: each is a word of its own, and none is the beginning of another.
struct Marks {
    file: usize,
    made: Vec<String>,
}

impl Marks {
    fn statement(&mut self) -> String {
        let mark = format!("F{:03}M{:02}", self.file, self.made.len());
        let code = format!("os.write(1, b'{mark} ')");
        self.made.push(mark);
        code
    }

    fn line(&mut self) -> String {
        format!("import os; {}", self.statement())
    }
}

/// A line, or what some Pythons take for several.
fn part(dice: &mut Dice, marks: &mut Marks) -> Vec<u8> {
    let exotic = dice.one_of(&EXOTIC);
    let text = match dice.below(26) {
        0..6 => marks.line(),
        6..8 => {
            let blanks =
                [" ", "\t", "   ", "\u{a0}", "\u{3000}", "\u{2003}", "\x1f", " \x1f\u{a0}", "\u{200b}", "\u{1680}"];
            format!("{}{}", dice.one_of(&blanks), marks.line())
        }
        8 => format!("{}{}", " ".repeat(45), marks.line()),
        9 => format!("import\tos;{}", marks.statement()),
        10 => format!("import  os  ; {};", marks.statement()),
        11 | 12 => not_code(dice, marks),
        13..15 => format!("# note{exotic}{}", marks.line()),
        15 => format!("{}{exotic}{}", marks.line(), marks.line()),
        16 => format!("./folder{exotic}{}", marks.line()),
        17 => format!("{} # note{exotic}{}", marks.line(), marks.line()),
        18 => format!("import os; x = 'a{exotic}b'; {}", marks.statement()),
        19 => dice.one_of(&["\0", "./a\0b", " # \0", "\0import os", "\x0c# \0"]).to_owned(),
        20 => dice.one_of(&["import os; x = '\0'", "import\tos # \0", "# \0", "import \0"]).to_owned(),
        21 => dice.one_of(&FAILS).to_owned(),
        22 | 23 => dice.one_of(&DOES_NOT_COMPILE).to_owned(),
        24 => several(dice, marks),
        _ => dice
            .one_of(&["./folder", "/nowhere", "", "   ", "~", "C:\\x", "\u{e9}t\u{e9}", "import", "a # b"])
            .to_owned(),
    };
    text.into_bytes()
}

/// Looks like code, and no Python runs it, or only later ones.
fn not_code(dice: &mut Dice, marks: &mut Marks) -> String {
    let code = marks.statement();
    match dice.below(9) {
        0 => format!("IMPORT os; {code}"),
        1 => format!("import(os); {code}"),
        2 => format!("from os import write; import os; {code}"),
        3 => format!("importos; {code}"),
        4 => format!("#import os; {code}"),
        5 => format!(" # import os; {code}"),
        6 => format!("import\u{a0}os; {code}"),
        7 => format!("import\\os; {code}"),
        _ => format!("exec('import os; ' + {code})"),
    }
}

fn several(dice: &mut Dice, marks: &mut Marks) -> String {
    let code = marks.statement();
    match dice.below(7) {
        0 => format!("import os; {code}; {}", marks.statement()),
        1 => format!("import os, sys; {code} if sys else None"),
        2 => format!("import os; exec(\"{code}\")"),
        3 => format!("import os; {code} # {}", "x".repeat(6000)),
        4 => format!("import os; x = '{}'; {code}", "x".repeat(9000)),
        5 => format!("import os; x = (1, [2, {{3: '#('}}]); y = \"\"\"a'b\"\"\"; {code}"),
        _ => format!("import os; x = r'\\'\\''; y = '\\\\'; {code}"),
    }
}

/// Lines that no text tells to fail: what follows them is left out of the comparison, but for 3.15, which goes on.
const FAILS: [&str; 5] =
    ["import no_such_module", "import os; 1/0", "import os; os.no_such_name", "import os; for", "import os; print 1 1"];

/// Lines that no Python compiles, by their text alone.
const DOES_NOT_COMPILE: [&str; 16] = [
    "import ",
    "import\t  ",
    "import (os)",
    "import 1",
    "import .os",
    "import ; x = 1",
    "import # os",
    "import os; x = (1",
    "import os; x = [1)",
    "import os; x = 1)",
    "import os; x = 'a",
    "import os; x = \"a'",
    "import os; x = '''a'",
    "import os; x = 'a\\'",
    "import os; \x01",
    "import os; x = ? # '",
];

/// The number of the line that holds a mark, counted from 1 by LF and CR; 0 if the file does not hold it.
fn number_of(bytes: &[u8], mark: &str) -> u64 {
    let is_here = |line: &[u8]| memmem::find(line, mark.as_bytes()).is_some();
    let at = plain_lines(bytes).iter().position(|line| is_here(line));
    at.map_or(0, |at| u64::try_from(at).unwrap() + 1)
}

fn plain_lines(bytes: &[u8]) -> Vec<&[u8]> {
    let mut out: Vec<&[u8]> = Vec::new();
    for lines in bytes.split(|byte| *byte == b'\n') {
        let lines = lines.strip_suffix(b"\r").unwrap_or(lines);
        out.extend(lines.split(|byte| *byte == b'\r'));
    }
    out
}

/// From which line on a Python up to 3.14 may have given the file up for reasons that are not sought in its text: a line that
/// fails, or one that up to 3.12 has a form feed between two statements, or bytes beyond ASCII in its code.
pub(crate) fn unsure_from(bytes: &[u8]) -> u64 {
    let fails = |line: &&[u8]| FAILS.iter().any(|fail| memmem::find(line, fail.as_bytes()).is_some());
    let joined = |line: &&[u8]| {
        let text = String::from_utf8_lossy(line);
        // What stands in the strings of ours is no matter.
        let in_strings =
            EXOTIC.iter().map(|end| format!("'a{end}b'")).chain(["'\u{fffd}'".into(), "'a\u{fffd}b'".into()]);
        let code = in_strings.fold(before_comment(&text).to_owned(), |code, string| code.replace(&string, ""));
        code.starts_with("import") && (code.contains('\x0c') || !code.is_ascii())
    };
    let at = plain_lines(bytes).iter().position(|line| fails(line) || joined(line));
    at.map_or(u64::MAX, |at| u64::try_from(at).unwrap() + 1)
}

/// The code in front of a comment: no string of ours has `#` but right behind a quote.
pub(crate) fn before_comment(line: &str) -> &str {
    let is_start = |at: &(usize, &str)| !line.get(..at.0).unwrap().ends_with('\'');
    line.get(..line.match_indices('#').find(is_start).map_or(line.len(), |at| at.0)).unwrap()
}
