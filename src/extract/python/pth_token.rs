//! A line of Python, taken apart: strings and comments are told from code, so that a word in an error message or a
//! comment is no reason for anything (Python's lexical analysis, sections on comments and string literals).

/// A line, taken apart.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Code {
    /// The code without comments. A string stands as `"…"` with its text if that is a plain name, else as `""`.
    pub text: String,
    /// The texts of its strings, escapes resolved.
    pub strings: Vec<String>,
}

/// Takes a line apart by Python's rules for strings and comments.
#[must_use]
pub fn tokenize(line: &str) -> Code {
    let mut code = Code::default();
    let mut rest = line.chars().peekable();
    while let Some(at) = rest.next() {
        match at {
            '#' => break,
            '\'' | '"' => {
                let prefix = take_prefix(&mut code.text);
                let string = read_string(at, prefix.contains(['r', 'R']), &mut rest);
                let is_name =
                    !string.is_empty() && string.chars().all(|at| at.is_ascii_alphanumeric() || "_.".contains(at));
                code.text.push('"');
                code.text.push_str(if is_name { &string } else { "" });
                code.text.push('"');
                // What stands in the braces of an f-string is code.
                let inner: Vec<Code> = match prefix.contains(['f', 'F']) {
                    true => expressions(&string).map(tokenize).collect(),
                    false => Vec::new(),
                };
                code.strings.push(string);
                for one in inner {
                    code.text.push_str(&format!(" ({})", one.text));
                    code.strings.extend(one.strings);
                }
            }
            other => code.text.push(other),
        }
    }
    code
}

/// The pieces between braces, nesting aside: an f-string inside an f-string is a string of the inner code.
fn expressions(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter(|piece| !piece.is_empty()).map(|piece| piece.split('}').next().unwrap_or_default())
}

/// Takes away a string prefix (`r`, `b`, `rb`, `f`, `u`) that was taken for code.
fn take_prefix(text: &mut String) -> String {
    let tail: String = text.chars().rev().take_while(char::is_ascii_alphanumeric).collect();
    let is_prefix = !tail.is_empty() && tail.len() <= 2 && tail.chars().all(|at| "rRbBfFuU".contains(at));
    if is_prefix {
        text.truncate(text.len() - tail.len());
    }
    if is_prefix { tail } else { String::new() }
}

fn read_string(quote: char, raw: bool, rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let mut lookahead = rest.clone();
    let triple = lookahead.next() == Some(quote) && lookahead.next() == Some(quote);
    if triple {
        rest.nth(1);
    }
    let mut out = String::new();
    let mut run = 0;
    while let Some(at) = rest.next() {
        if at == quote {
            run += 1;
            if !triple || run == 3 {
                out.truncate(out.len() - if triple { 2 } else { 0 });
                return out;
            }
            out.push(at);
            continue;
        }
        run = 0;
        if at == '\\' && !raw {
            out.push(unescape(rest));
        } else {
            out.push(at);
        }
    }
    out
}

fn unescape(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> char {
    let digits = |count: usize, rest: &mut std::iter::Peekable<std::str::Chars<'_>>| {
        let text: String = rest.take(count).collect();
        u32::from_str_radix(&text, 16).ok().and_then(char::from_u32).unwrap_or('\u{fffd}')
    };
    match rest.next() {
        Some('n') => '\n',
        Some('t') => '\t',
        Some('r') => '\r',
        Some('x') => digits(2, rest),
        Some('u') => digits(4, rest),
        Some('U') => digits(8, rest),
        Some(other) => other,
        None => '\\',
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn strings_and_comments_are_told_from_code() {
        let code = tokenize(r#"import x; f('a # b', rb"\n", "na.me") # exec(1)"#);
        assert_eq!(code.text, r#"import x; f("", "", "na.me") "#);
        assert_eq!(code.strings, ["a # b", "\\n", "na.me"]);
        assert_eq!(tokenize("'''it''s''' + \"\\x41\"").strings, ["it''s", "A"]);
        assert_eq!(tokenize("'never ends").strings, ["never ends"]);
    }

    proptest! {
        #[test]
        fn any_text_is_taken_apart(line in "\\PC{0,200}") {
            let code = tokenize(&line);
            prop_assert!(code.strings.len() <= line.len());
        }
    }
}
