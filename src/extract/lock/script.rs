//! Heads of scripts (PEP 723, the PyPA specification of inline script metadata): a block of comments that begins with
//! `# /// script` and ends with `# ///`, in between lines `#` or `# …` with TOML, of which `dependencies` says what is needed.
//!
//! Of the lines that follow each other the last `# ///` ends the block, as the regular expression of the PEP has it.

use super::{Fault, Lock, requirements};
use crate::extract::format::placed::{self, Lines};
use crate::extract::format::toml;

/// How a block begins.
pub(super) const BEGIN: &str = "# /// script";

/// How it ends.
const END: &str = "# ///";

/// Reads the head of a script; of one without it, nothing.
///
/// # Errors
/// When it has two heads, or one that is no TOML.
pub fn parse(bytes: &[u8]) -> Result<Lock, Fault> {
    let text = placed::lenient(bytes)?;
    let mut lock = Lock::default();
    let Some(head) = head(&text)? else { return Ok(lock) };
    let in_file = |line: u32| line.saturating_add(head.line);
    let placed = |fault: Fault| Fault { line: in_file(fault.line), ..fault };
    let document = toml::parse(head.toml.as_bytes()).map_err(placed)?;
    for text in document.root().texts("dependencies").map_err(placed)? {
        requirements::line_of(&mut lock, in_file(text.line), text.text);
    }
    Ok(lock)
}

/// Whether a text has the line that begins a head.
#[must_use]
pub fn is_one(text: &str) -> bool {
    memchr::memmem::find_iter(text.as_bytes(), BEGIN).any(|at| {
        let is_start = at == 0 || text.as_bytes().get(at - 1).is_some_and(|byte| matches!(byte, b'\n' | b'\r'));
        let rest = text.get(at + BEGIN.len()..).unwrap_or_default();
        is_start && rest.lines().next().unwrap_or_default().trim().is_empty()
    })
}

/// Whether a head is begun and not ended, so that more of the file must be read.
#[must_use]
pub fn is_cut(text: &str) -> bool {
    is_one(text)
        && (matches!(head(text), Ok(None)) || text.lines().next_back().is_some_and(|line| line.starts_with('#')))
}

/// The TOML of a head, and the line that it begins behind.
struct Head {
    toml: String,
    line: u32,
}

fn head(text: &str) -> Result<Option<Head>, Fault> {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut found = None;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        if *line != BEGIN {
            at += 1;
            continue;
        }
        let rest = lines.get(at + 1..).unwrap_or_default();
        let run = rest.iter().take_while(|line| **line == "#" || line.starts_with("# ")).count();
        let rest = rest.get(..run).unwrap_or_default();
        let end = match rest.iter().rposition(|line| *line == END) {
            Some(end) if end > 0 => end,
            // The block must hold a line at least.
            Some(_) => {
                at += 1;
                continue;
            }
            // Nor has any other beginning in these lines an end.
            None => {
                at += run + 1;
                continue;
            }
        };
        if found.is_some() {
            let lines = Lines::of(text);
            let start = text.lines().take(at).map(|line| line.len() + 1).sum();
            return Err(lines.fault(start, "begins a second head of the script: which of the two counts, nobody says"));
        }
        let inner = rest.iter().take(end).map(|line| line.strip_prefix("# ").unwrap_or_default());
        found =
            Some(Head { toml: inner.collect::<Vec<_>>().join("\n"), line: u32::try_from(at + 1).unwrap_or(u32::MAX) });
        at += end + 2;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::lock::tests::{shown, unread};

    const SCRIPT: &str = "#!/usr/bin/env -S uv run --script\n# /// script\n# requires-python = \">=3.12\"\n# dependencies = [\n#   \"litellm==1.82.7\",\n#   \"requests<3; python_version > '3'\",\n#\n#   \"../near\",\n# ]\n# ///\nimport litellm\n";

    fn names(text: &str) -> Vec<String> {
        parse(text.as_bytes()).unwrap().pins.into_iter().map(|pin| pin.name).collect()
    }

    #[test]
    fn a_head_is_read_with_its_lines() {
        for text in [SCRIPT.to_owned(), SCRIPT.replace('\n', "\r\n")] {
            let lock = parse(text.as_bytes()).unwrap();
            assert_eq!(shown(&lock.pins), [("litellm", Some("1.82.7"), 5, None), ("requests", None, 6, None)]);
            assert_eq!(unread(&lock), ["8 is no NAME==VERSION"]);
        }
    }

    #[test]
    fn the_rules_of_the_pep_hold() {
        let dep = "# dependencies = ['x==1']\n";
        assert_eq!(names(&format!("# /// script\n{dep}# ///\n")), ["x"]);
        assert_eq!(names(&format!("import x\n# /// other\n# a\n# ///\n\n# /// script\n{dep}# ///\n")), ["x"]);
        assert_eq!(
            names(&format!("# /// script\n{dep}# s = '''\n# ///\n# '''\n# ///\n")),
            ["x"],
            "the last one ends it"
        );
        for none in [
            format!("# /// script\n{dep}\n# ///\n"),
            "# /// script\n#dependencies = ['x==1']\n# ///\n".to_owned(),
            format!("# /// script\n{dep}"),
            format!(" # /// script\n{dep}# ///\n"),
            format!("#/// script\n{dep}# ///\n"),
            "# /// script\n# ///\n".to_owned(),
            "import os\n".to_owned(),
            String::new(),
        ] {
            assert_eq!(names(&none), Vec::<String>::new(), "{none}");
        }
        let why = |text: &str| parse(text.as_bytes()).unwrap_err().to_string();
        let two = format!("# /// script\n{dep}# ///\n\n# /// script\n{dep}# ///\n");
        assert!(why(&two).starts_with("line 5, column 1 begins a second head"), "{}", why(&two));
        assert!(
            why("\n# /// script\n# dependencies = [\n# ///\n").starts_with("line 3"),
            "{}",
            why("\n# /// script\n# dependencies = [\n# ///\n")
        );
        assert!(why("# /// script\n# dependencies = 1\n# ///\n").contains("array is wanted"));
    }

    #[test]
    fn what_is_cut_is_told() {
        assert!(is_one(SCRIPT) && !is_one("x = '# /// script'\n") && !is_one("# /// scripts\n"));
        assert!(is_cut("# /// script\n# a = 1\n") && !is_cut(SCRIPT) && !is_cut("import os\n"));
        assert!(is_cut("# /// script\n# a = '''\n# ///\n"), "another end may follow");
    }

    #[test]
    fn hostile_forms_end_well() {
        for one in ["# /// script\n", "# ///\n", "# /// script\n# a\n# ///\n", "# /// script\n# a\n", "#\n", "# [\n"] {
            let _any = parse(one.repeat(20_000).as_bytes());
            let _any = parse(format!("# /// script\n{}# ///\n", one.repeat(20_000)).as_bytes());
        }
        let deep = format!("# /// script\n# dependencies = {}\n# ///\n", "[".repeat(100_000));
        assert!(parse(deep.as_bytes()).unwrap_err().why.contains("nests deeper"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "(# /// script\n|# ///\n|# |#\n|\\PC|[\\[\\]='\n]){0,40}") {
            let _any = (parse(text.as_bytes()), is_cut(&text));
        }
    }
}
