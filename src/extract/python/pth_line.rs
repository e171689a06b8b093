//! One line of start-up code: its class and what stands out in it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::code::tokens::regex;
use super::pth_token::Code;
use crate::model::startup::{Feature, LineClass};

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

/// Lines that setuptools, easy_install and pywin32 write, word for word.
const KNOWN: &[&str] = &[
    "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; enabled and __import__('_distutils_hack').add_shim();",
    "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'stdlib') == 'local'; enabled and __import__('_distutils_hack').add_shim();",
    "import pywin32_bootstrap",
    "import sys; sys.__plen = len(sys.path)",
    "import sys; new = sys.path[sys.__plen:]; del sys.path[sys.__plen:]; p = getattr(sys, '__egginsert', 0); sys.path[p:p] = new; sys.__egginsert = p + len(new)",
    "import sys; new=sys.path[sys.__plen:]; del sys.path[sys.__plen:]; p=getattr(sys,'__egginsert',0); sys.path[p:p]=new; sys.__egginsert = p+len(new)",
];

/// What a line brings in, where its class says so at sight.
pub struct AtSight {
    /// The modules that it imports.
    pub modules: Vec<String>,
    /// What it calls.
    pub calls: Vec<String>,
}

/// What a line of that class brings in; none for one that must be followed. Nearly every environment has one of these,
/// and nothing else.
#[must_use]
pub fn at_sight(line: &str, class: LineClass) -> Option<AtSight> {
    match class {
        LineClass::Known if line.contains("_distutils_hack") => Some(AtSight {
            modules: vec!["_distutils_hack".to_owned()],
            calls: vec!["_distutils_hack.add_shim".to_owned()],
        }),
        LineClass::Known if line.contains("pywin32_bootstrap") => {
            Some(AtSight { modules: vec!["pywin32_bootstrap".to_owned()], calls: Vec::new() })
        }
        LineClass::Known => Some(AtSight { modules: Vec::new(), calls: Vec::new() }),
        LineClass::Import if line.is_ascii() => {
            let names = line.trim().trim_end_matches(';').strip_prefix("import")?.split(',').map(str::trim);
            let modules: Vec<String> = names.map(str::to_owned).collect();
            let is_plain = |name: &String| is_dotted(name) && name.starts_with('_');
            modules.iter().all(is_plain).then_some(AtSight { modules, calls: Vec::new() })
        }
        _ => None,
    }
}

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

/// What stands out in the look of a line that runs. `raw` is the line as it is on disk.
#[must_use]
pub fn raw_features(raw: &str, code: &Code) -> BTreeSet<Feature> {
    let mut out = BTreeSet::new();
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

/// The bytes of a line in which such a feature shows.
#[must_use]
pub fn looks(raw: &str, feature: Feature) -> Option<Range<usize>> {
    let first = |wanted: fn(char) -> bool| {
        raw.char_indices().find(|(_, one)| wanted(*one)).map(|(at, one)| at..at + one.len_utf8())
    };
    match feature {
        Feature::HiddenCharacters => first(is_hidden),
        Feature::NonAscii => first(|one| !one.is_ascii()),
        Feature::Indented => PATTERNS.far_right.find(raw).map(|found| {
            let code = found.as_str().trim_start_matches([' ', '\t']).len();
            found.end() - code..found.end()
        }),
        Feature::StringBuilding => PATTERNS.hex_run.find(raw).map(|found| found.range()),
        _ => None,
    }
}

/// Control characters but the tab, zero-width and bidirectional marks, the byte-order mark inside a line.
fn is_hidden(at: char) -> bool {
    (at.is_control() && at != '\t')
        || matches!(at, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
}

/// Everything that is looked for, compiled once.
struct Patterns {
    exec: Regex,
    lone_exec: Regex,
    add_site_dir: Regex,
    dunder_import: Regex,
    strings: Regex,
    far_right: Regex,
    hex_run: Regex,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| Patterns {
    exec: regex(r"\b(?:exec|eval|compile)\s*\("),
    lone_exec: regex(r#"^import [\w, ]+;\s*exec\s*\(\s*"[\w.]*"\s*\)\s*;?$"#),
    add_site_dir: regex(
        r#"^import site\s*;(?:\s*site\.addsitedir\(\s*(?:"[^"]*"|__import__\(\s*"os"\s*\)\.fsdecode\(\s*"[^"]*"\s*\))\s*\)\s*;?)+$"#,
    ),
    dunder_import: regex(r#"__import__\s*\(\s*"?([\w.]*)"#),
    strings: regex(r#""[^"]*""#),
    far_right: regex(r"[ \t]{40,}\S"),
    hex_run: regex(r"(?:\\x[0-9a-fA-F]{2}){4,}"),
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::python::pth_token::tokenize;

    fn class_of(line: &str) -> LineClass {
        classify(line, &tokenize(line))
    }

    #[test]
    fn every_pattern_compiles() {
        for one in [&PATTERNS.exec, &PATTERNS.lone_exec, &PATTERNS.add_site_dir, &PATTERNS.far_right] {
            assert_ne!(one.as_str(), regex("(").as_str());
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
            assert_eq!(class_of(line), class, "{line}");
        }
        assert_eq!(class_of("import os; os.environ.get('X')  # base64 exec subprocess"), LineClass::Inline);
    }

    #[test]
    fn a_namespace_line_with_one_word_too_many_is_none() {
        let line = "import sys, types, os;p = os.path.join('x');os.system('id')";
        assert_ne!(class_of(line), LineClass::Namespace);
        let line = "import sys, types, os;m = __import__('evil');m";
        assert_ne!(class_of(line), LineClass::Namespace);
    }

    #[test]
    fn what_a_line_looks_like_shows() {
        let look = |line: &str| raw_features(line, &tokenize(line)).into_iter().collect::<Vec<_>>();
        assert_eq!(look("import x;                                          y()"), [Feature::Indented]);
        assert!(look("import x\u{202e}").contains(&Feature::HiddenCharacters));
        assert!(look(&format!("import x; y = '{}'", "z".repeat(1000))).contains(&Feature::LongLine));
        assert_eq!(look("import x; y()"), []);
    }

    proptest! {
        #[test]
        fn any_text_is_judged(line in "\\PC{0,200}") {
            let code = tokenize(&line);
            prop_assert!(classify(&line, &code) != LineClass::Path);
            let _all = raw_features(&line, &code);
        }
    }
}
