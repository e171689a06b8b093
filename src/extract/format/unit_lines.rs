//! Lines of files that systemd and its like read: continued ones put together, comments left out, and the words of a value
//! (`systemd.syntax(7)`).

/// A line, continued ones put together, and where it begins.
pub struct Line {
    /// Counted from 1.
    pub number: u32,
    /// Its text, without blanks at its end.
    pub text: Vec<u8>,
}

/// The lines that say something. A backslash at the end continues a line, in front of which `joint` is put; lines of
/// comment in between are passed over.
#[must_use]
pub fn logical(bytes: &[u8], joint: &[u8]) -> Vec<Line> {
    let mut out: Vec<Line> = Vec::new();
    let mut goes_on = false;
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let text = line.trim_ascii_end();
        if text.trim_ascii_start().starts_with(b"#") || text.trim_ascii_start().starts_with(b";") {
            continue;
        }
        let (text, continues) = text.strip_suffix(b"\\").map_or((text, false), |text| (text, true));
        match out.last_mut().filter(|_| goes_on) {
            Some(last) => {
                last.text.extend_from_slice(joint);
                last.text.extend_from_slice(text);
            }
            None => out.push(Line { number, text: text.to_vec() }),
        }
        goes_on = continues;
    }
    out
}

/// The words of a line of a unit: blanks part them, quotes keep them together, `\x20` stands for a byte (`systemd.syntax(7)`).
#[must_use]
pub fn words(text: &[u8]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match (first, quote) {
            (byte, None) if byte.is_ascii_whitespace() => out.extend(word.take()),
            (b'\'' | b'"', None) if tail.contains(first) => {
                quote = Some(*first);
                word.get_or_insert_default();
            }
            (byte, Some(open)) if *byte == open => quote = None,
            (b'\\', _) => {
                let (byte, length) = escape(tail);
                word.get_or_insert_default().extend(byte);
                rest = tail.get(length..).unwrap_or_default();
            }
            (byte, _) => word.get_or_insert_default().push(*byte),
        }
    }
    out.extend(word);
    out
}

/// The byte that an escape stands for, and how many it takes behind the backslash.
fn escape(tail: &[u8]) -> (Option<u8>, usize) {
    let code = |from: usize, count: usize, radix: u32| {
        let digits = tail.get(from..from + count).and_then(|digits| std::str::from_utf8(digits).ok())?;
        u8::from_str_radix(digits, radix).ok().map(|byte| (Some(byte), from + count))
    };
    match tail.first() {
        Some(b'x') => code(1, 2, 16).unwrap_or((Some(b'x'), 1)),
        Some(b'0'..=b'3') => code(0, 3, 8).unwrap_or((tail.first().copied(), 1)),
        Some(b's') => (Some(b' '), 1),
        Some(b't') => (Some(b'\t'), 1),
        Some(b'n') => (Some(b'\n'), 1),
        Some(other) => (Some(*other), 1),
        None => (None, 0),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_of_units() {
        let of = |text: &str| -> Vec<String> {
            words(text.as_bytes()).iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect()
        };
        assert_eq!(
            of("A=1 \"B=2 3\"  'C=\"4\"' D=\\x41\\s\\102 E=\"5\"6"),
            ["A=1", "B=2 3", "C=\"4\"", "D=A B", "E=56"]
        );
        assert_eq!(of(" \"open x"), ["\"open", "x"]);
        assert_eq!(of("''"), [""]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(words(&bytes).concat().len() <= bytes.len());
            prop_assert!(logical(&bytes, b"").iter().all(|line| line.text.len() <= bytes.len()));
        }
    }
}
