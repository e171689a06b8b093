//! The parser behind a guard. A parser, whatever walks its tree, and what frees that tree all go as deep as the source is
//! nested: one line of 100,000 minus signs overflows a stack, and that ends the process. So the tokens are counted first.

use std::thread;

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{ModModule, PySourceType};
use ruff_python_parser::{Mode, Parsed, lexer, parse_unchecked_source};

/// Longest source that is parsed, in bytes. The longest modules that packages load at their start are a tenth of it.
pub const LONGEST: usize = 2 << 20;

/// Deepest nesting that is parsed: brackets, operators and indentation above each other. Hand-written code has some
/// twenty levels, sums that programs write some hundreds.
const DEEPEST: u32 = 1000;

/// The stack that source of that depth is parsed and walked on, in bytes: some thirty KiB for each level.
const STACK: usize = 64 << 20;

/// Why source was not parsed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Longer or deeper than any honest source.
    Beyond,
}

/// Parses a module and shows its tree to `look`, both on a stack that is known to suffice. Of what is not Python 3 the
/// tree is what the parser makes of it; the flag says whether it is.
///
/// # Errors
/// Why there is no tree.
pub fn parse<T: Send>(source: &str, look: impl FnOnce(&Parsed<ModModule>) -> T + Send) -> Result<(T, bool), Refusal> {
    if source.len() > LONGEST || depth(source) > DEEPEST {
        return Err(Refusal::Beyond);
    }
    let work = || {
        let mut parsed = parse_unchecked_source(source, PySourceType::Python);
        if parsed.has_invalid_syntax() {
            // The parser refuses a semicolon behind a bare `raise`; Python does not.
            let plain = without_last_semicolons(source);
            let again = parse_unchecked_source(&plain, PySourceType::Python);
            if !again.has_invalid_syntax() {
                parsed = again;
            }
        }
        Ok((look(&parsed), !parsed.has_invalid_syntax()))
    };
    thread::scope(|scope| {
        let worker = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        match worker.map(thread::ScopedJoinHandle::join) {
            Ok(Ok(done)) => done,
            // A crash on that thread is a crash here, where it becomes a gap.
            Ok(Err(crash)) => std::panic::resume_unwind(crash),
            Err(_) => Err(Refusal::Beyond),
        }
    })
}

/// The same with blanks instead of the semicolons at the ends of its lines, so that nothing moves.
fn without_last_semicolons(source: &str) -> String {
    let plain = |line: &str| match line.trim_end().strip_suffix(';') {
        Some(code) => format!("{code} {}", " ".repeat(line.len() - line.trim_end().len())),
        None => line.to_owned(),
    };
    source.split('\n').map(plain).collect::<Vec<_>>().join("\n")
}

/// An upper bound of how deep the tree of a source is: what may nest, counted since the last comma or end of statement
/// of each open bracket, and summed over the open brackets.
fn depth(source: &str) -> u32 {
    let mut tokens = lexer::lex(source, Mode::Module);
    let mut open: Vec<u32> = vec![0];
    let (mut sum, mut indents, mut deepest) = (0_u32, 0_u32, 0_u32);
    loop {
        let kind = tokens.next_token();
        match kind {
            TokenKind::EndOfFile => return deepest,
            TokenKind::Indent => indents += 1,
            TokenKind::Dedent => indents = indents.saturating_sub(1),
            TokenKind::Comma | TokenKind::Newline | TokenKind::Semi => {
                if let Some(last) = open.last_mut() {
                    sum -= std::mem::take(last);
                }
            }
            TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart => {
                open.push(1);
                sum += 1;
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace | TokenKind::FStringEnd | TokenKind::TStringEnd => {
                // The call or subscript that ends here is one more level for what follows it: `f()()()`.
                let inner = if open.len() > 1 { open.pop().unwrap_or(0) } else { 0 };
                sum = sum - inner + 1;
                if let Some(last) = open.last_mut() {
                    *last += 1;
                }
            }
            _ if nests(kind) => {
                sum += 1;
                if let Some(last) = open.last_mut() {
                    *last += 1;
                }
            }
            _ => {}
        }
        deepest = deepest.max(sum + indents);
        if deepest > DEEPEST {
            return deepest;
        }
    }
}

/// Whether what follows such a token may stand a level below what came before it.
fn nests(kind: TokenKind) -> bool {
    let is_plain = matches!(
        kind,
        TokenKind::Name
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Complex
            | TokenKind::String
            | TokenKind::FStringMiddle
            | TokenKind::TStringMiddle
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline
            | TokenKind::Unknown
    );
    !is_plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn length(source: &str) -> Result<usize, Refusal> {
        parse(source, |parsed| parsed.syntax().body.len()).map(|(length, _)| length)
    }

    fn is_valid(source: &str) -> bool {
        parse(source, |_| ()).is_ok_and(|(_, is_valid)| is_valid)
    }

    #[test]
    fn plain_source_is_parsed() {
        assert_eq!(length("import os; os.getcwd()\nx = [1, (2, 3)]\n"), Ok(3));
        assert!(is_valid("x = 1") && !is_valid("print 'two'"));
        assert!(is_valid("try: f()\nexcept: raise;") && is_valid("x = 1;  \n"));
        let table = format!("x = {{{}}}", "'a': [1, 2, -3],\n".repeat(20_000));
        assert_eq!(length(&table), Ok(1));
        let chain = format!("x = {}1", "1 + ".repeat(400));
        assert_eq!(length(&chain), Ok(1));
    }

    #[test]
    fn what_would_overflow_a_stack_is_refused() {
        for (start, end) in
            [("-", "1"), ("(", ")"), ("not ", "1"), ("x.", "y"), ("a+", "b"), ("f(", ""), ("lambda:", "0")]
        {
            let source = format!("x = {}{end}", start.repeat(100_000));
            assert_eq!(length(&source), Err(Refusal::Beyond), "{start}");
        }
        assert_eq!(length(&format!("f{}", "()".repeat(100_000))), Err(Refusal::Beyond));
        assert_eq!(length(&format!("x = {}1", "a if b else ".repeat(50_000))), Err(Refusal::Beyond));
        let mut stairs = String::new();
        (0..2000).for_each(|at| stairs.push_str(&format!("{}if x:\n", " ".repeat(at))));
        assert_eq!(length(&stairs), Err(Refusal::Beyond));
        assert_eq!(length(&" ".repeat(LONGEST + 1)), Err(Refusal::Beyond));
    }

    #[test]
    fn the_deepest_source_that_is_parsed_fits_its_stack() {
        for (start, middle, end) in [
            ("-", "1", ""),
            ("(", "1", ")"),
            ("[", "", "]"),
            ("not ", "1", ""),
            ("a+", "b", ""),
            ("f(", "", ")"),
            ("lambda:", "0", ""),
            ("a**", "1", ""),
            ("a if b else ", "c", ""),
        ] {
            let most = (1..=1000).rev().find_map(|count| {
                let source = format!("x = {}{middle}{}", start.repeat(count), end.repeat(count));
                length(&source).ok()
            });
            assert_eq!(most, Some(1), "{start}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_bounded(source in "[-+~(){}\\[\\]a-z :,;\\n'\"#=.*@|]{0,300}") {
            let _one = length(&source);
        }
    }
}
