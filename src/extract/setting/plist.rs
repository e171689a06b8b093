//! Property lists of launchd, as XML (`launchd.plist(5)`). A bounded look, not a reader of XML: a key and the text behind
//! it, and the words of a command.
//!
//! ```text
//! <key>EnvironmentVariables</key>
//! <dict><key>PYTHONPATH</key><string>/opt/lib</string></dict>
//! <key>ProgramArguments</key>
//! <array><string>launchctl</string><string>setenv</string><string>PYTHONPATH</string><string>/x</string></array>
//! ```

use memchr::{memchr, memmem};

use super::found::Found;
use super::shell;
use crate::extract::format::shell_words::Word;

/// Whether it is the binary form, which is not read.
#[must_use]
pub fn is_binary(bytes: &[u8]) -> bool {
    bytes.starts_with(b"bplist")
}

/// What a property list sets.
#[must_use]
pub fn parse(bytes: &[u8]) -> Vec<Found> {
    let mut out = Vec::new();
    let mut key: Option<Vec<u8>> = None;
    let mut command: Option<Vec<Word>> = None;
    let mut rest = bytes;
    let mut line = 1;
    while let Some(at) = memchr(b'<', rest) {
        let (head, tag) = rest.split_at(at);
        line += newlines(head);
        let (kind, text, length) = element(tag);
        match kind {
            Kind::Key => key = Some(unescape(text)),
            Kind::Text => match (&mut command, key.take()) {
                (Some(words), _) => words.push(Word { text: unescape(text), line }),
                (None, Some(name)) => out.extend(Found::exported(name.trim_ascii(), &unescape(text), line)),
                (None, None) => {}
            },
            Kind::Array => command = key.take().filter(|key| key == b"ProgramArguments").map(|_| Vec::new()),
            Kind::ArrayEnd => out.extend(command.take().iter().flat_map(|words| shell::parse_command(words))),
            Kind::Other => {}
        }
        let (whole, behind) = tag.split_at(length.clamp(1, tag.len()));
        line += newlines(whole);
        rest = behind;
    }
    out
}

enum Kind {
    Key,
    Text,
    Array,
    ArrayEnd,
    Other,
}

/// What begins at a `<`, the text in it, and how long it is.
fn element(tag: &[u8]) -> (Kind, &[u8], usize) {
    let until = |open: &[u8], close: &[u8]| {
        let inner = tag.strip_prefix(open)?;
        let end = memmem::find(inner, close)?;
        Some((inner.get(..end)?, open.len() + end + close.len()))
    };
    if let Some((_, length)) = until(b"<!--", b"-->") {
        (Kind::Other, b"", length)
    } else if let Some((text, length)) = until(b"<key>", b"</key>") {
        (Kind::Key, text, length)
    } else if let Some((text, length)) = until(b"<string>", b"</string>") {
        (Kind::Text, text, length)
    } else if tag.starts_with(b"<array>") {
        (Kind::Array, b"", b"<array>".len())
    } else if tag.starts_with(b"</array>") {
        (Kind::ArrayEnd, b"", b"</array>".len())
    } else {
        (Kind::Other, b"", 1)
    }
}

fn newlines(text: &[u8]) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', text).count()).unwrap_or(u32::MAX)
}

/// Text without `&amp;` and its like.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let end = memchr(b';', tail.get(..10).unwrap_or(tail)).filter(|_| *first == b'&');
        let said = end.and_then(|end| Some((entity(tail.get(..end)?)?, end)));
        rest = match said {
            Some((letter, end)) => {
                out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                tail.get(end + 1..).unwrap_or_default()
            }
            None => {
                out.push(*first);
                tail
            }
        };
    }
    out
}

fn entity(name: &[u8]) -> Option<char> {
    match name {
        b"amp" => Some('&'),
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        name => {
            let digits = std::str::from_utf8(name.strip_prefix(b"#")?).ok()?;
            let code = match digits.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => digits.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(text: &str) -> Vec<String> {
        let tell = |one: &Found| format!("{}:{}={}", one.line, one.variable, String::from_utf8_lossy(&one.value));
        parse(text.as_bytes()).iter().map(tell).collect()
    }

    #[test]
    fn launchd_sets_variables() {
        let text = "<plist>\n<key>EnvironmentVariables</key>\n<dict>\n <key>A</key> <string>b</string>\n \
            <key>PYTHONPATH</key>\n <string>/a &amp; b/&#x63;</string>\n</dict></plist>";
        assert_eq!(told(text), ["6:PYTHONPATH=/a & b/c"]);
        let program = "<key>ProgramArguments</key><array>\n<string>/bin/launchctl</string><string>setenv</string>\n\
            <string>PYTHONPATH</string><string>/x y</string></array>";
        assert_eq!(told(program), ["3:PYTHONPATH=/x y"]);
        let shell = "<key>ProgramArguments</key><array><string>/bin/sh</string><string>-c</string>\
            <string>PYTHONHOME=&quot;/x&quot; python</string></array>";
        assert_eq!(told(shell), ["1:PYTHONHOME=/x"]);
    }

    #[test]
    fn comments_and_other_keys_set_nothing() {
        assert_eq!(told("<!-- <key>PYTHONPATH</key><string>/a</string> -->").len(), 0);
        assert_eq!(told("<key>PYTHONPATH</key><true/><key>X</key><string>/a</string>").len(), 0);
        assert_eq!(told("<array><string>PYTHONPATH=/a</string><string>x</string></array>").len(), 0);
        assert!(is_binary(b"bplist00"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(text in "[<>/a-z&#;!-]{0,80}") {
            let text = format!("<key>PYTHONPATH</key>{text}<string>/a</string>");
            prop_assert!(parse(text.as_bytes()).len() <= 2);
        }
    }
}
