//! Code that does not parse, such as that of Python 2, judged by its words: what the parser would say more exactly.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::strings;
use crate::extract::python::pth_token::{Code, tokenize};
use crate::model::startup::Feature;

/// How deep code inside strings inside code is looked into.
const DEEPEST: u32 = 3;

/// What stands out in code, by its words alone.
#[must_use]
pub fn features(text: &str) -> BTreeSet<Feature> {
    let mut out = BTreeSet::new();
    text.lines().for_each(|line| code_features(&tokenize(line), 0, &mut out));
    out
}

/// Whether one of the first two lines names an encoding in which other code stands than what one sees (PEP 263).
#[must_use]
pub fn names_odd_coding(text: &str) -> bool {
    let comments = text.lines().take(2).filter_map(|line| line.trim_start().strip_prefix('#'));
    let named =
        comments.filter_map(|line| line.split_once("coding").map(|(_, name)| name.trim_start_matches([':', '=', ' '])));
    let plain = ["utf-8", "utf8", "utf_8", "ascii", "us-ascii", "latin", "iso-8859", "iso8859", "cp125"];
    named.into_iter().any(|name| {
        let lower = name.to_lowercase();
        !plain.iter().any(|start| lower.starts_with(start))
    })
}

fn code_features(code: &Code, depth: u32, out: &mut BTreeSet<Feature>) {
    let text = &unaliased(&code.text);
    out.extend(PATTERNS.code.iter().filter(|(_, find)| find.is_match(text)).map(|(feature, _)| *feature));
    out.extend(code.strings.iter().flat_map(|one| strings::features(one)));
    let (all, literal) = (PATTERNS.exec.find_iter(text).count(), PATTERNS.literal_exec.find_iter(text).count());
    if all > literal {
        out.insert(Feature::ComputedExec);
    } else if all > 0 {
        out.insert(Feature::LiteralExec);
    }
    if all > 0 && depth < DEEPEST {
        for line in code.strings.iter().flat_map(|text| text.lines()) {
            code_features(&tokenize(line), depth + 1, out);
        }
    }
}

/// The code with `import os as o; o.f()` written as `os.f()`.
fn unaliased(text: &str) -> String {
    PATTERNS.alias.captures_iter(text).fold(text.to_owned(), |out, found| match (found.get(1), found.get(2)) {
        (Some(name), Some(alias)) => out.replace(&format!("{}.", alias.as_str()), &format!("{}.", name.as_str())),
        _ => out,
    })
}

/// Everything that is looked for, compiled once.
struct Patterns {
    code: Vec<(Feature, Regex)>,
    exec: Regex,
    literal_exec: Regex,
    alias: Regex,
}

const NETWORK: &str = r"socket|urllib[23]?|requests|httpx|aiohttp|ftplib|smtplib|telnetlib|paramiko|websockets?|http";

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| Patterns {
    code: code_sources().into_iter().map(|(feature, source)| (feature, regex(&source))).collect(),
    // A statement of Python 2 needs no brackets.
    exec: regex(r#"\b(?:exec|eval|compile|execfile)\s*\(|\bexec\s+[\w"']"#),
    literal_exec: regex(
        r#"\b(?:exec|eval|compile)\s*\(\s*(?:compile\s*\(\s*)?"[\w.]*"\s*[,)]|\bexec\s+"[\w.]*"\s*(?:$|;)"#,
    ),
    alias: regex(r"\b([\w.]+)\s+as\s+(\w{1,64})\b"),
});

/// A pattern of ours that does not compile matches nothing; tests keep that from happening.
#[must_use]
pub fn regex(source: &str) -> Regex {
    Regex::new(source).unwrap_or_else(|_| NOTHING.clone())
}

#[allow(clippy::unwrap_used, reason = "a constant pattern")]
static NOTHING: LazyLock<Regex> = LazyLock::new(|| Regex::new("[^\\s\\S]").unwrap());

fn code_sources() -> Vec<(Feature, String)> {
    let imports = |names: &str| {
        format!(
            r#"\b(?:import|from)\s[^;]*\b(?:{names})\b|\b(?:{names})\s*\.|(?:__import__|import_module)\s*\(\s*"(?:{names})\b"#
        )
    };
    let plain = [
        (
            Feature::Decoder,
            r"\b(?:base64|zlib|bz2|lzma|gzip|marshal|pickle|codecs|binascii|fromhex|rot13|rot_13|b64decode|b32decode|b85decode|a85decode|decompress)\b",
        ),
        (Feature::Native, r"\b(?:ctypes|cffi|windll|_ctypes)\b"),
        (Feature::StringBuilding, r#"\bchr\s*\(|\bbytes\s*\(\s*\[|\[\s*::\s*-1\s*\]|"\s*\+\s*""#),
        (
            Feature::Dynamic,
            r#"__builtins__|\bbuiltins\b|__import__\s*\(\s*[^"\s]|import_module\s*\(\s*[^"\s]|\brunpy\b|spec_from_file_location|exec_module|globals\s*\(\s*\)\s*\[|__import__\s*\(\s*"[\w.]*"\s*\+|\bgetattr\s*\(\s*(?:os|posix|nt|sys|importlib|subprocess|__import__)\b|\bsys\s*\.\s*modules\s*\[|\b__dict__\s*\[|\bvars\s*\("#,
        ),
        (
            Feature::Files,
            r"\bopen\s*\(|\b(?:read|write)_(?:text|bytes)\b|\bos\s*\.\s*(?:remove|unlink|rename|replace|chmod|makedirs)\b|\b(?:shutil|tempfile)\b",
        ),
        (Feature::Detached, r"\b(?:threading|_thread|DEVNULL|start_new_session|creationflags)\b"),
        (Feature::SelfStart, r"\bsys\s*\.\s*executable\b"),
    ];
    let mut all: Vec<(Feature, String)> =
        plain.into_iter().map(|(feature, source)| (feature, source.to_owned())).collect();
    let process = r#"\bos\s*\.\s*(?:system|popen|spawn\w*|exec\w*|fork\w*|posix_spawn\w*|startfile)\b|\bPopen\b|\bfrom\s+(?:os|posix|nt)\s+import\b[^;]*\b(?:system|popen|spawn\w*|exec\w*|fork\w*)\b|\b(?:posix|nt)\s*\.|\bcreate_subprocess_\w+|"(?:system|popen)""#;
    all.push((Feature::Process, format!("{}|{process}", imports("subprocess|pty|multiprocessing|pexpect"))));
    all.push((Feature::Network, imports(NETWORK)));
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for (_, source) in code_sources() {
            assert!(Regex::new(&source).is_ok(), "{source}");
        }
        for one in [&PATTERNS.exec, &PATTERNS.literal_exec, &PATTERNS.alias] {
            assert_ne!(one.as_str(), NOTHING.as_str());
        }
    }

    #[test]
    fn the_words_of_python_2_are_known() {
        let of = |text: &str| features(text).into_iter().collect::<Vec<_>>();
        assert_eq!(of("print 'x'; exec 'aWQ='.decode('base64')"), [Feature::Decoder, Feature::ComputedExec]);
        assert_eq!(of("import os; print os.system('true')"), [Feature::Process]);
        assert_eq!(of("print 'exec(base64)' # os.system"), []);
        assert_eq!(of("import os as o; print o.system('x')"), [Feature::Process]);
    }

    proptest! {
        #[test]
        fn any_text_is_judged(text in "\\PC{0,200}") {
            let _all = features(&text);
        }
    }
}
