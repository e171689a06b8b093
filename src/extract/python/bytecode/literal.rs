//! The texts of a source, without quotes and escapes, and whether a constant can have come from them.
//!
//! A compiler joins neighbours, cuts at braces and percent signs, repeats, and takes indentation out of docstrings. So texts
//! are kept as one, one behind the other, with white space squeezed, and of a constant it is asked how many of its windows
//! occur anywhere there.

/// Length of a window.
const WINDOW: usize = 5;

/// So many windows that the source does not have make a constant foreign, or so few where it has none of the others either.
const MANY: usize = 12;
const FEW: usize = 8;

/// Bits of the table for each window of the source: one in so many is taken for known by chance, more where the table would
/// be too large.
const SPARSE: usize = 32;
const MOST_BITS: usize = 1 << 26;

/// Longest name of a letter, with what is around it.
const LONGEST_NAME: usize = 120;

/// What stands before the quotes.
#[derive(Clone, Copy, Default)]
pub(super) struct Prefix {
    pub(super) is_raw: bool,
    pub(super) is_format: bool,
}

impl Prefix {
    /// Of a word in front of quotes, if it is one.
    pub(super) fn of(word: &[u8]) -> Option<Self> {
        let is = |letter: u8| word.iter().any(|at| at.to_ascii_lowercase() == letter);
        let is_prefix = word.len() <= 2 && word.iter().all(|at| b"rbuft".contains(&at.to_ascii_lowercase()));
        is_prefix.then(|| Self { is_raw: is(b'r'), is_format: is(b'f') || is(b't') })
    }
}

/// What the strings of a source hold.
#[derive(Default)]
pub(super) struct Literals {
    /// All of them; `\xe9` is the letter.
    letters: Squeezed,
    /// The same; `\xe9` is the byte, and `\u` means nothing. None as long as that makes no difference.
    bytes: Option<Squeezed>,
    /// Whether some letters are only given by their names.
    has_named: bool,
}

#[derive(Clone, Default)]
struct Squeezed(Vec<u8>);

impl Squeezed {
    fn push(&mut self, byte: u8) {
        if !is_space(byte) {
            self.0.push(byte);
        } else if self.0.last() != Some(&b' ') {
            self.0.push(b' ');
        }
    }

    fn extend(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.push(*byte));
    }
}

fn is_space(byte: u8) -> bool {
    byte == b' ' || (9..=13).contains(&byte)
}

impl Literals {
    /// Adds what stands between quotes.
    pub(super) fn add(&mut self, prefix: Prefix, body: &[u8]) {
        let mut rest = body;
        if prefix.is_raw {
            self.add_plain(body);
            // Python 2 resolves `\u` in raw strings too.
            if memchr::memmem::find(body, b"\\u").is_none() {
                return;
            }
        }
        while let Some(at) = memchr::memchr(b'\\', rest) {
            let (plain, escape) = rest.split_at(at);
            self.add_plain(plain);
            let used = self.escape(escape);
            rest = escape.get(used..).unwrap_or_default();
        }
        self.add_plain(rest);
    }

    /// Adds what holds no escapes.
    pub(super) fn add_plain(&mut self, text: &[u8]) {
        self.letters.extend(text);
        if let Some(bytes) = &mut self.bytes {
            bytes.extend(text);
        }
    }

    /// From here on, bytes and letters are two things.
    fn bytes(&mut self) -> &mut Squeezed {
        self.bytes.get_or_insert_with(|| self.letters.clone())
    }

    /// Adds what an escape at the beginning of `text` means; tells how long it is.
    fn escape(&mut self, text: &[u8]) -> usize {
        let kind = text.get(1).copied().unwrap_or_default();
        let digits = |from: usize, most: usize, base: u32| {
            let rest = text.get(from..).unwrap_or_default();
            let all: Vec<u32> = rest.iter().take(most).map_while(|byte| char::from(*byte).to_digit(base)).collect();
            (all.len(), all.iter().fold(0_u32, |number, digit| number.wrapping_mul(base).wrapping_add(*digit)))
        };
        let simple = match kind {
            b'\n' => return 2,
            b'\\' | b'\'' | b'"' => Some(kind),
            b'n' | b't' | b'r' | b'v' | b'f' => Some(b' '),
            b'a' => Some(7),
            b'b' => Some(8),
            _ => None,
        };
        if let Some(byte) = simple {
            self.add_plain(&[byte]);
            return 2;
        }
        let (start, (length, number)) = match kind {
            b'0'..=b'7' => (1, digits(1, 3, 8)),
            b'x' => (2, digits(2, 2, 16)),
            b'u' => (2, digits(2, 4, 16)),
            b'U' => (2, digits(2, 8, 16)),
            b'N' => {
                self.has_named = true;
                let name = end_of_name(text).unwrap_or(1);
                // In bytes it is none.
                self.bytes().extend(text.get(..=name).unwrap_or_default());
                return name + 1;
            }
            _ => (1, (0, 0)),
        };
        if length == 0 {
            // No escape: the backslash stands for itself.
            self.add_plain(b"\\");
            return 1;
        }
        let used = text.get(..start + length).unwrap_or_default();
        let bytes = self.bytes();
        match kind {
            b'u' | b'U' => bytes.extend(used),
            #[allow(clippy::cast_possible_truncation, reason = "octal escapes of bytes are cut")]
            _ => bytes.push(number as u8),
        }
        self.letters.extend(&encoded(number));
        start + length
    }

    /// How many bytes they take.
    pub(super) fn len(&self) -> usize {
        self.letters.0.len()
    }

    /// Whether a word occurs anywhere in them.
    pub(super) fn contains(&self, word: &[u8]) -> bool {
        memchr::memmem::find(&self.letters.0, word).is_some()
    }

    /// What is needed to recognise constants.
    pub(super) fn known(&self, is_exact: bool) -> Known {
        let size = (self.letters.0.len() + 2).saturating_mul(SPARSE).min(MOST_BITS).next_power_of_two();
        let mut known = Known { table: vec![0; size / 64], is_exact: is_exact && !self.has_named };
        for all in [Some(&self.letters), self.bytes.as_ref()].into_iter().flatten() {
            for window in all.0.windows(WINDOW) {
                let (word, bit) = known.place(window);
                if let Some(word) = known.table.get_mut(word) {
                    *word |= bit;
                }
            }
        }
        known
    }
}

/// Where the name of a letter ends, behind `\N{`; names are short.
pub(super) fn end_of_name(text: &[u8]) -> Option<usize> {
    memchr::memchr(b'}', text.get(..LONGEST_NAME).unwrap_or(text))
}

/// UTF-8, also of single surrogates.
fn encoded(number: u32) -> Vec<u8> {
    match char::from_u32(number) {
        Some(letter) => letter.encode_utf8(&mut [0; 4]).as_bytes().to_vec(),
        None if number < 0x1_0000 => [0xe0 | number >> 12, 0x80 | number >> 6 & 0x3f, 0x80 | number & 0x3f]
            .map(|byte| byte.to_le_bytes()[0])
            .to_vec(),
        None => Vec::new(),
    }
}

/// The windows of a source's texts.
pub(super) struct Known {
    table: Vec<u64>,
    /// Whether letters beyond ASCII can be compared.
    is_exact: bool,
}

impl Known {
    fn place(&self, window: &[u8]) -> (usize, u64) {
        let word = window.iter().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
        let hash = word.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let hash = (hash ^ hash >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        #[allow(clippy::cast_possible_truncation, reason = "taken modulo the size of the table")]
        let at = (hash >> 12) as usize & (self.table.len() * 64 - 1);
        (at / 64, 1 << (at % 64))
    }

    fn has(&self, window: &[u8]) -> bool {
        let (word, bit) = self.place(window);
        self.table.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Whether a constant says something that the source does not. Honest ones are put together of its texts: where these
    /// meet, a few windows are new. Over 100,000 files, no constant had more than eight such.
    pub(super) fn is_foreign(&self, constant: &[u8]) -> bool {
        if constant.len() < WINDOW + FEW {
            return false;
        }
        let mut squeezed = Squeezed::default();
        squeezed.extend(constant);
        let is_asked = |window: &&[u8]| is_varied(window) && (self.is_exact || window.is_ascii());
        let (mut has_known, mut new) = (false, Vec::with_capacity(MANY));
        for window in squeezed.0.windows(WINDOW).filter(is_asked) {
            if self.has(window) {
                has_known = true;
            } else if !new.contains(&window) {
                // Repetition brings the same ones again.
                new.push(window);
            }
            if new.len() == MANY {
                return true;
            }
        }
        new.len() >= FEW && !has_known
    }
}

/// Whether there are more than two different bytes: lines of dashes are made by repetition.
fn is_varied(window: &[u8]) -> bool {
    let Some(first) = window.first() else { return false };
    let mut others = window.iter().filter(|byte| *byte != first);
    others.next().is_some_and(|second| others.any(|byte| byte != second))
}
