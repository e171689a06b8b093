//! Names on a compromised host were chosen by somebody. Before a terminal sees them, everything that could act on it is
//! spelled out: control and escape characters, line ends, bidirectional and zero-width characters.

use std::fmt::Write as _;

/// Spells out what must not reach a terminal.
#[must_use]
pub fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for at in text.chars() {
        if is_safe(at) {
            out.push(at);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(at));
        }
    }
    out
}

fn is_safe(at: char) -> bool {
    !at.is_control()
        && !matches!(at,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_spelled_out() {
        assert_eq!(line("new\nline \u{1b}[31mred \u{202e}x"), "new\\u{a}line \\u{1b}[31mred \\u{202e}x");
        assert_eq!(line("日本語 🐍 café"), "日本語 🐍 café");
    }

    proptest! {
        #[test]
        fn no_control_character_gets_through(text in any::<String>()) {
            prop_assert!(!line(&text).chars().any(char::is_control));
        }
    }
}
