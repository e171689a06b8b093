//! Property lists of launchd, XML or binary (`launchd.plist(5)`): a variable wherever it is a key with a text behind it, and
//! the words of a command.
//!
//! ```text
//! <key>EnvironmentVariables</key>
//! <dict><key>PYTHONPATH</key><string>/opt/lib</string></dict>
//! <key>ProgramArguments</key>
//! <array><string>launchctl</string><string>setenv</string><string>PYTHONPATH</string><string>/x</string></array>
//! ```

use super::found::Found;
use super::shell;
use crate::extract::format::plist::{self, Node};
use crate::extract::format::shell_words::Word;
use crate::extract::format::xml::Fault;

/// What a property list sets, and why not all of it could be read.
#[derive(Debug)]
pub struct Settings {
    /// In the order of the list.
    pub found: Vec<Found>,
    /// More may be set than was found.
    pub fault: Option<Fault>,
}

/// What a property list sets.
#[must_use]
pub fn parse(bytes: &[u8]) -> Settings {
    let list = plist::parse(bytes);
    let mut found = Vec::new();
    gather(&list.top, &mut found);
    Settings { found, fault: list.fault }
}

/// The depth is that of the list, which has a bound.
fn gather(node: &Node, out: &mut Vec<Found>) {
    for (key, value) in node.pairs() {
        if let Some(text) = value.text() {
            out.extend(Found::exported(key.as_bytes(), text.as_bytes(), value.line));
        } else if key == "ProgramArguments" {
            let texts = value.members().iter().filter_map(|member| Some((member.text()?, member.line)));
            let words: Vec<Word> = texts.map(|(text, line)| Word { text: text.as_bytes().to_vec(), line }).collect();
            out.extend(shell::parse_command(&words));
        } else {
            gather(value, out);
        }
    }
    node.members().iter().for_each(|member| gather(member, out));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(text: &str) -> Vec<String> {
        let tell = |one: &Found| format!("{}:{}={}", one.line, one.variable, String::from_utf8_lossy(&one.value));
        parse(text.as_bytes()).found.iter().map(tell).collect()
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
        assert!(parse(b"bplist00").fault.is_some());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(text in "[<>/a-z&#;!-]{0,80}") {
            let text = format!("<key>PYTHONPATH</key>{text}<string>/a</string>");
            prop_assert!(parse(text.as_bytes()).found.len() <= 2);
        }
    }
}
