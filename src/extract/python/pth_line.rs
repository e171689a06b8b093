//! One line of start-up code: its class and what stands out in it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::pth_token::{Code, tokenize};
use crate::model::startup::{Feature, LineClass};

/// How deep code inside strings inside code is looked into.
const DEEPEST: u32 = 3;

/// The class of a line that runs (first that fits), by its code.
#[must_use]
pub fn classify(line: &str, code: &Code) -> LineClass {
    let text = code.text.trim().trim_end_matches(';').trim();
    if KNOWN.contains(&line.trim()) {
        LineClass::Known
    } else if is_plain_import(text) {
        LineClass::Import
    } else if is_namespace(code) {
        LineClass::Namespace
    } else if is_import_call(text) {
        LineClass::ImportCall
    } else if PATTERNS.add_site_dir.is_match(text) {
        LineClass::AddSiteDir
    } else if PATTERNS.exec.is_match(text) {
        if is_guarded_import(code) { LineClass::ImportCall } else { LineClass::Exec }
    } else {
        LineClass::Inline
    }
}

/// Lines that setuptools and easy_install write, word for word.
const KNOWN: &[&str] = &[
    "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; enabled and __import__('_distutils_hack').add_shim();",
    "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'stdlib') == 'local'; enabled and __import__('_distutils_hack').add_shim();",
    "import sys; sys.__plen = len(sys.path)",
    "import sys; new=sys.path[sys.__plen:]; del sys.path[sys.__plen:]; p=getattr(sys,'__egginsert',0); sys.path[p:p]=new; sys.__egginsert = p+len(new)",
];

fn is_plain_import(text: &str) -> bool {
    text.strip_prefix("import").is_some_and(|names| {
        names.split(',').all(|one| match one.split_once(" as ") {
            Some((name, alias)) => is_dotted(name.trim()) && is_dotted(alias.trim()) && !alias.contains('.'),
            None => is_dotted(one.trim()),
        })
    })
}

fn is_dotted(name: &str) -> bool {
    !name.is_empty()
        && name.split('.').all(|part| !part.is_empty() && part.chars().all(|at| at.is_alphanumeric() || at == '_'))
}

/// `import M; M.f()`: every call is of an imported name and has no argument.
fn is_import_call(text: &str) -> bool {
    let mut statements = text.split(';').map(str::trim).filter(|one| !one.is_empty());
    let Some(names) = statements.next().and_then(|first| first.strip_prefix("import ")) else {
        return false;
    };
    let tops: Vec<&str> = names.split(',').map(|name| name.trim().split('.').next().unwrap_or_default()).collect();
    let calls: Vec<&str> = statements.collect();
    let is_call = |call: &&str| {
        call.strip_suffix("()")
            .is_some_and(|name| is_dotted(name) && tops.contains(&name.split('.').next().unwrap_or_default()))
    };
    is_plain_import(&format!("import {names}")) && !calls.is_empty() && calls.iter().all(is_call)
}

/// The sentence that setuptools writes for namespace packages: only its own words, and strings that are plain names.
fn is_namespace(code: &Code) -> bool {
    const WORDS: &[&str] = &[
        "import",
        "sys",
        "types",
        "os",
        "has_mfs",
        "version_info",
        "p",
        "path",
        "join",
        "_getframe",
        "f_locals",
        "importlib",
        "__import__",
        "util",
        "machinery",
        "m",
        "modules",
        "setdefault",
        "module_from_spec",
        "PathFinder",
        "find_spec",
        "dirname",
        "ModuleType",
        "mp",
        "setattr",
        "__dict__",
        "append",
        "not",
        "in",
        "and",
        "or",
        "ie",
        "exists",
        "1",
        "3",
        "5",
        "insert",
        "0",
        "__path__",
    ];
    let starts = code.text.starts_with("import sys, types, os;") || code.text.starts_with("import sys,types,os;");
    let loads = |name: &str| matches!(name, "importlib.util" | "importlib.machinery");
    let words_fit = PATTERNS
        .strings
        .replace_all(&code.text, "")
        .split(|at: char| !at.is_alphanumeric() && at != '_')
        .filter(|word| !word.is_empty())
        .all(|word| WORDS.contains(&word));
    let imports_fit = PATTERNS
        .dunder_import
        .captures_iter(&code.text)
        .all(|found| found.get(1).is_some_and(|name| loads(name.as_str())));
    let strings_fit =
        code.strings.iter().all(|text| text.chars().all(|at| at.is_ascii_alphanumeric() || "_.-".contains(at)));
    starts && words_fit && imports_fit && strings_fit
}

/// `exec` of one literal that only imports, perhaps inside `try`, and calls without arguments: as harmless, or not, as
/// the module it names, like a plain import and call.
fn is_guarded_import(code: &Code) -> bool {
    let [text] = code.strings.as_slice() else { return false };
    PATTERNS.lone_exec.is_match(code.text.trim())
        && text.split(['\n', ';']).all(|line| is_harmless_statement(line.trim()))
}

/// Nothing, `pass`, an import, a call without arguments; perhaps behind `try:`, `else:` or `except NAME:`.
fn is_harmless_statement(line: &str) -> bool {
    let body = match line.split_once(':') {
        Some((head, body)) => {
            let caught = head.strip_prefix("except").map(str::trim);
            let is_header =
                matches!(head, "try" | "else") || caught.is_some_and(|name| name.is_empty() || is_dotted(name));
            if !is_header {
                return false;
            }
            body.trim()
        }
        None => line,
    };
    matches!(body, "" | "pass")
        || (body.starts_with("import ") && is_plain_import(body))
        || body.strip_suffix("()").is_some_and(is_dotted)
}

/// What stands out in a line that runs. `raw` is the line as it is on disk.
#[must_use]
pub fn features(raw: &str, code: &Code) -> BTreeSet<Feature> {
    let mut out = BTreeSet::new();
    code_features(code, 0, &mut out);
    if raw.chars().any(is_hidden) {
        out.insert(Feature::HiddenCharacters);
    }
    if PATTERNS.far_right.is_match(&code.text) {
        out.insert(Feature::Indented);
    }
    if !raw.is_ascii() {
        out.insert(Feature::NonAscii);
    }
    match raw.chars().count() {
        4001.. => out.extend([Feature::LongLine, Feature::VeryLongLine]),
        1001.. => {
            out.insert(Feature::LongLine);
        }
        _ => {}
    }
    if PATTERNS.hex_run.is_match(raw) {
        out.insert(Feature::StringBuilding);
    }
    out
}

fn code_features(code: &Code, depth: u32, out: &mut BTreeSet<Feature>) {
    let text = &unaliased(&code.text);
    out.extend(PATTERNS.code.iter().filter(|(_, find)| find.is_match(text)).map(|(feature, _)| *feature));
    out.extend(
        PATTERNS
            .string
            .iter()
            .filter(|(_, find)| code.strings.iter().any(|one| find.is_match(one)))
            .map(|(feature, _)| *feature),
    );
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

/// Control characters but the tab, zero-width and bidirectional marks, the byte-order mark inside a line.
fn is_hidden(at: char) -> bool {
    (at.is_control() && at != '\t')
        || matches!(at, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
}

/// Everything that is looked for, compiled once.
struct Patterns {
    code: Vec<(Feature, Regex)>,
    string: Vec<(Feature, Regex)>,
    exec: Regex,
    literal_exec: Regex,
    lone_exec: Regex,
    add_site_dir: Regex,
    dunder_import: Regex,
    strings: Regex,
    far_right: Regex,
    alias: Regex,
    hex_run: Regex,
}

const NETWORK: &str = r"socket|urllib[23]?|requests|httpx|aiohttp|ftplib|smtplib|telnetlib|paramiko|websockets?|http";

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| Patterns {
    code: code_sources().into_iter().map(|(feature, source)| (feature, regex(&source))).collect(),
    string: STRING_SOURCES.iter().map(|(feature, source)| (*feature, regex(source))).collect(),
    exec: regex(r"\b(?:exec|eval|compile)\s*\("),
    literal_exec: regex(r#"\b(?:exec|eval|compile)\s*\(\s*(?:compile\s*\(\s*)?"[\w.]*"\s*[,)]"#),
    lone_exec: regex(r#"^import [\w, ]+;\s*exec\s*\(\s*"[\w.]*"\s*\)\s*;?$"#),
    add_site_dir: regex(r#"^import site\s*;(?:\s*site\.addsitedir\(\s*"[^"]*"\s*\)\s*;?)+$"#),
    dunder_import: regex(r#"__import__\s*\(\s*"?([\w.]*)"#),
    strings: regex(r#""[^"]*""#),
    alias: regex(r"\b([\w.]+)\s+as\s+(\w{1,64})\b"),
    far_right: regex(r"[ \t]{40,}\S"),
    hex_run: regex(r"(?:\\x[0-9a-fA-F]{2}){4,}"),
});

/// A pattern of ours that does not compile matches nothing; the test below keeps that from happening.
fn regex(source: &str) -> Regex {
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

const STRING_SOURCES: &[(Feature, &str)] = &[
    (Feature::Blob, r"[A-Za-z0-9+/=_-]{120,}"),
    (Feature::Address, r"(?i)\b(?:https?|ftp|wss?)://|\b(?:\d{1,3}\.){3}\d{1,3}\b"),
    (
        Feature::CredentialPath,
        r"\.ssh[/\\]|\bid_(?:rsa|ed25519|ecdsa)\b|\.aws[/\\]|\.kube[/\\]|\.netrc|\.pypirc|\.git-credentials|\.docker[/\\]config|/etc/shadow|169\.254\.169\.254|^\.env$",
    ),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judged(line: &str) -> (LineClass, Vec<Feature>) {
        let code = tokenize(line);
        (classify(line, &code), features(line, &code).into_iter().collect())
    }

    #[test]
    fn every_pattern_compiles() {
        let all = code_sources().into_iter().map(|(_, source)| source);
        for source in all.chain(STRING_SOURCES.iter().map(|(_, source)| (*source).to_owned())) {
            assert!(Regex::new(&source).is_ok(), "{source}");
        }
        for one in
            [&PATTERNS.exec, &PATTERNS.literal_exec, &PATTERNS.lone_exec, &PATTERNS.add_site_dir, &PATTERNS.far_right]
        {
            assert_ne!(one.as_str(), NOTHING.as_str());
        }
    }

    #[test]
    fn honest_lines_have_their_classes() {
        let nspkg = "import sys, types, os;has_mfs = sys.version_info > (3, 5);p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('google',));importlib = has_mfs and __import__('importlib.util');has_mfs and __import__('importlib.machinery');m = has_mfs and sys.modules.setdefault('google', importlib.util.module_from_spec(importlib.machinery.PathFinder.find_spec('google', [os.path.dirname(p)])));m = m or sys.modules.setdefault('google', types.ModuleType('google'));mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)";
        let cases = [
            ("import _virtualenv", LineClass::Import),
            ("import a.b, c as d;", LineClass::Import),
            (nspkg, LineClass::Namespace),
            ("import hunter; hunter.load()", LineClass::ImportCall),
            (KNOWN[0], LineClass::Known),
            ("import site; site.addsitedir('/opt/x')", LineClass::AddSiteDir),
            (
                "import sys; exec('try:\\n import coverage; coverage.process_startup()\\nexcept ImportError: pass')",
                LineClass::ImportCall,
            ),
        ];
        for (line, class) in cases {
            assert_eq!(judged(line).0, class, "{line}");
        }
        assert_eq!(judged("import os; os.environ.get('X')  # base64 exec subprocess"), (LineClass::Inline, vec![]));
    }

    #[test]
    fn a_namespace_line_with_one_word_too_many_is_none() {
        let line = "import sys, types, os;p = os.path.join('x');os.system('id')";
        assert_ne!(judged(line).0, LineClass::Namespace);
        let line = "import sys, types, os;m = __import__('evil');m";
        assert_ne!(judged(line).0, LineClass::Namespace);
    }

    #[test]
    fn hostile_lines_show_their_features() {
        let has = |line: &str, feature: Feature| judged(line).1.contains(&feature);
        assert!(has("import os; exec(__import__('base64').b64decode('cGFzcw=='))", Feature::Decoder));
        assert!(has("import os; exec(__import__('base64').b64decode('cGFzcw=='))", Feature::ComputedExec));
        assert!(has("import sys; __import__('subprocess').Popen([])", Feature::Process));
        assert!(has("import os, subprocess, sys; 1", Feature::Process));
        assert!(has("import os; os.system('x')", Feature::Process));
        assert!(has("import sys; sys.modules['x'].y()", Feature::Dynamic));
        assert!(has("import urllib.request", Feature::Network));
    }

    #[test]
    fn a_process_is_seen_behind_other_names() {
        for process in [
            "import os as o; o.system('x')",
            "import os; getattr(os, 'system')('x')",
            "import a; from os import system; system('x')",
            "import posix; posix.system('x')",
            "import os; os.__dict__['system']('x')",
            "import os; f\"{os.system('id')}\"",
            "import asyncio; asyncio.create_subprocess_shell('x')",
        ] {
            assert_ne!(judged(process).0, LineClass::Import, "{process}");
            assert!(judged(process).1.contains(&Feature::Process), "{process}");
        }
    }

    #[test]
    fn what_hides_or_reaches_out_shows() {
        let has = |line: &str, feature: Feature| judged(line).1.contains(&feature);
        assert!(has("import x; x.f('http://example.org')", Feature::Address));
        assert!(has("import x; getattr(__builtins__, 'ev'+'al')", Feature::Dynamic));
        assert!(has("import x; exec('import subprocess')", Feature::Process));
        assert!(has("import x;                                          y()", Feature::Indented));
        assert!(has("import x\u{202e}", Feature::HiddenCharacters));
        assert!(!has("import sys; exec('print(\"subprocess failed\")')", Feature::Process));
    }

    proptest! {
        #[test]
        fn any_text_is_judged(line in "\\PC{0,200}") {
            let code = tokenize(&line);
            let class = classify(&line, &code);
            prop_assert!(class != LineClass::Path);
            let _all = features(&line, &code);
        }
    }
}
