//! JSON as editors read it: with comments and with commas behind the last member. Those are blanked, and the rest is for
//! `serde_json`, which bounds the depth.

use std::borrow::Cow;

use serde_json::Value;

use super::unicode;

/// The value of a text, or why there is none, in words of ours.
///
/// # Errors
/// It is no JSON, even without comments, or nests too deep.
pub fn parse(bytes: &[u8]) -> Result<Value, &'static str> {
    let text = unicode::decoded(bytes);
    let parsed = serde_json::from_str(&text).or_else(|_| serde_json::from_str(&blanked(&text)));
    parsed.map_err(|why| if why.is_eof() { "it ends in the middle" } else { "it is no JSON" })
}

/// The same text with blanks in place of comments and of commas in front of a bracket that closes.
fn blanked(text: &str) -> Cow<'_, str> {
    let mut out = text.as_bytes().to_vec();
    let mut at = 0;
    let mut comma: Option<usize> = None;
    while let Some(byte) = out.get(at).copied() {
        let rest = text.as_bytes().get(at..).unwrap_or_default();
        let length = match byte {
            b'"' => string(rest),
            b'/' if rest.starts_with(b"//") => memchr::memchr(b'\n', rest).unwrap_or(rest.len()),
            b'/' if rest.starts_with(b"/*") => memchr::memmem::find(rest, b"*/").map_or(rest.len(), |end| end + 2),
            _ => 1,
        };
        if byte == b'/' && length > 1 {
            blank(&mut out, at, length);
        } else if byte == b',' {
            comma = Some(at);
        } else if !byte.is_ascii_whitespace() {
            if let Some(comma) = comma.take().filter(|_| matches!(byte, b']' | b'}')) {
                blank(&mut out, comma, 1);
            }
        }
        at += length.max(1);
    }
    String::from_utf8(out).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn blank(text: &mut [u8], at: usize, length: usize) {
    if let Some(part) = text.get_mut(at..at + length) {
        part.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
    }
}

/// How long the string is that begins the text, quotes included.
fn string(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn comments_and_last_commas_mean_nothing() {
        let text = "\u{feff}// a\n{\"a\": [1, 2, /* , */ ], \"b\": \"// no \\\" , ]\", // c\n}";
        let value = parse(text.as_bytes()).unwrap();
        assert_eq!(value["a"].as_array().unwrap().len(), 2);
        assert_eq!(value["b"], "// no \" , ]");
        assert_eq!(parse(b"{\"a\": 1"), Err("it ends in the middle"));
        assert_eq!(parse(b"{a: 1}"), Err("it is no JSON"));
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
        assert!(parse(b"/* ").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "([\\[\\]{}\",/*\\\\: \n1]|\\PC){0,60}") {
            let _any = parse(text.as_bytes());
        }

        #[test]
        fn blanking_keeps_json(text in "[a-z/*, \\[]{0,20}") {
            let json = serde_json::json!({ "a": [text, 1] });
            prop_assert_eq!(parse(format!("{json} //").as_bytes()), Ok(json));
        }
    }
}
