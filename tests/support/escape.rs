//! Escapes of `.tree` files: `%XX` in paths and words, backslashes in contents.

/// Cuts a line into words at blanks; a word may stand, or go on, in double quotes.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut all = Vec::new();
    let (mut word, mut quoted, mut begun) = (String::new(), false, false);
    for at in line.chars() {
        match at {
            '"' => {
                quoted = !quoted;
                begun = true;
            }
            ' ' if !quoted => {
                if begun {
                    all.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            other => {
                word.push(other);
                begun = true;
            }
        }
    }
    assert!(!quoted, "a quote is not closed: {line}");
    if begun {
        all.push(word);
    }
    all
}

/// `%XX` → that byte.
pub(crate) fn percent(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let digits = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
            let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
            out.push(byte.unwrap_or_else(|| panic!("% without two hex digits (write %25): {text}")));
            rest = &tail[2..];
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    out
}

/// The escapes of an `escaped` content.
pub(crate) fn content(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let tail = &rest[at + 1..];
        let kind = tail.chars().next().unwrap_or_else(|| panic!("a lone backslash in {text}"));
        let mut used = 1;
        match kind {
            'n' => out.push(b'\n'),
            'r' => out.push(b'\r'),
            't' => out.push(b'\t'),
            '\\' => out.push(b'\\'),
            '\n' => {}
            'x' => {
                out.push(u8::from_str_radix(&tail[1..3], 16).unwrap());
                used = 3;
            }
            'u' => {
                let (digits, _) = tail[1..].strip_prefix('{').and_then(|tail| tail.split_once('}')).unwrap();
                let letter = char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap();
                out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                used = 3 + digits.len();
            }
            '*' => {
                let (count, tail) = tail[1..].split_once('{').unwrap();
                let (part, _) = tail.split_once('}').unwrap();
                out.extend(part.as_bytes().repeat(count.parse().unwrap()));
                used = 3 + count.len() + part.len();
            }
            other => panic!("\\{other} is no escape of a .tree file"),
        }
        rest = &tail[used..];
    }
    out.extend_from_slice(rest.as_bytes());
    out
}
