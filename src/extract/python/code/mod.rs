//! Python source, followed without running it: what it starts, connects to, decodes, reads, and which modules it brings
//! in. Lines of start-up files and modules go the same way.
//!
//! `guard` parses on a known stack, `machine` follows the tree (`statement`, `function`, `expression`, `sequence`, `call`), `fold` and `decode`
//! see through names that are put together from pieces, `names` and `strings` say what a name or a text means. What does
//! not parse is judged by its words (`tokens`).

mod call;
mod decode;
mod expression;
mod fold;
mod function;
pub mod guard;
mod inner;
mod known;
mod machine;
mod names;
mod sequence;
mod statement;
mod strings;
pub mod tokens;
mod value;

use ruff_python_ast::Stmt;
use ruff_text_size::Ranged;

use crate::model::code::{Code, Imported, Sign, Spot, When};
use crate::model::startup::Feature;
use crate::model::text::Excerpt;
use guard::Refusal;
use machine::{Found, Machine, Run, Signs};

/// Most signs of one feature that are kept: the first lines say where to look.
const MOST_OF_ONE: usize = 5;

/// Follows the lines of a start-up file that run, in one scope as Python does. The lines are counted from 1.
#[must_use]
pub fn of_lines(lines: &[&str]) -> Code {
    let joined: Vec<String> = lines.iter().map(|line| line.replace(['\n', '\r'], " ")).collect();
    let found = match follow(&joined.join("\n"), Run::Line, "", &[]) {
        Ok((found, true)) => found,
        // One that does not parse must not hide the others.
        _ => one_by_one(&joined),
    };
    settled(found, Run::Line, |line| lines.get(line as usize - 1).map(|text| Excerpt::of(text.as_bytes())))
}

/// What a call of a function from outside does, by its dotted name.
#[must_use]
pub fn of_call(path: &str) -> Vec<Feature> {
    names::of_call(&names::canonical(path)).collect()
}

fn one_by_one(lines: &[String]) -> Found {
    let mut all = Found::default();
    for (number, text) in (1..).zip(lines) {
        let found = whole(text, Run::Line, "", &[]);
        let moved = |signs: Signs| signs.into_iter().map(move |((feature, _), when)| ((feature, number), when));
        all.signs.extend(moved(found.signs));
        all.texts.extend(moved(found.texts));
        all.spots.extend(found.spots.into_iter().map(|spot| Spot { line: number, ..spot }));
        all.imports.extend(found.imports.into_iter().map(|(module, (when, _))| (module, (when, number))));
        all.optional.extend(found.optional);
        all.calls.extend(found.calls);
        all.folders.extend(found.folders.into_iter().map(|one| crate::model::code::Added { line: number, ..one }));
        all.touches_files |= found.touches_files;
    }
    all
}

/// Follows a module as its import runs it, then the functions of it that `entries` name. `package` is the package that
/// its relative imports begin at.
#[must_use]
pub fn of_module(text: &str, package: &str, entries: &[(String, When)]) -> Code {
    let found = whole(text, Run::Module, package, entries);
    let lines: Vec<&str> = text.lines().collect();
    settled(found, Run::Module, |line| lines.get(line as usize - 1).map(|text| Excerpt::of(text.trim().as_bytes())))
}

/// What is found in source, whether it can be parsed or not.
fn whole(text: &str, run: Run, package: &str, entries: &[(String, When)]) -> Found {
    match follow(text, run, package, entries) {
        Ok((found, true)) => found,
        Ok((found, false)) => with_words(text, found),
        Err(Refusal::Beyond) => {
            let mut found = Found::default();
            found.signs.insert((Feature::Beyond, 1), When::Start);
            found
        }
    }
}

/// The flag says whether it is Python 3.
fn follow(text: &str, run: Run, package: &str, entries: &[(String, When)]) -> Result<(Found, bool), Refusal> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut starts: Vec<u32> = vec![0];
    starts.extend(text.bytes().zip(1..).filter(|(byte, _)| *byte == b'\n').map(|(_, at)| at));
    guard::parse(text, |parsed| {
        let mut machine = Machine::new(run, package, &starts);
        let body = &parsed.syntax().body;
        machine.body(body);
        // A module may answer for names that it does not have.
        machine.enter("__getattr__", &When::Later, body.first().map_or_else(Default::default, Stmt::start));
        for (entry, when) in entries {
            machine.enter(entry, when, body.first().map_or_else(Default::default, Stmt::start));
        }
        machine.finish()
    })
}

/// Adds what the words of a source say that is not Python 3.
fn with_words(text: &str, mut found: Found) -> Found {
    found.signs.insert((Feature::Unparsed, 1), When::Start);
    for (number, line) in (1..).zip(text.lines()) {
        found.signs.extend(tokens::features(line).into_iter().map(|feature| ((feature, number), When::Start)));
    }
    found
}

/// Texts mean something only beside what uses them: a path that is only printed reads nothing.
fn settled(found: Found, run: Run, line: impl Fn(u32) -> Option<Excerpt>) -> Code {
    let has = |feature: Feature| found.signs.keys().any(|(one, _)| *one == feature);
    let acts = has(Feature::Process) || has(Feature::Network);
    let means = |feature: Feature| match feature {
        Feature::CredentialPath => found.touches_files,
        Feature::Persistence => has(Feature::Writes) || has(Feature::Process),
        Feature::Address => run == Run::Line || acts,
        Feature::Blob => run == Run::Line || has(Feature::Decoder) || has(Feature::ComputedExec),
        _ => true,
    };
    let meant = found.texts.iter().filter(|(key, _)| means(key.0)).map(|(key, when)| (*key, when.clone()));
    let mut signs: Signs = meant.collect();
    signs.extend(found.signs);
    // Of many lines with one feature those are kept that run first.
    let mut all: Vec<(Feature, When, u32)> = signs.into_iter().map(|((one, line), when)| (one, when, line)).collect();
    all.sort_unstable();
    let mut kept: Vec<Sign> = Vec::new();
    for (feature, when, number) in all {
        let of_one = kept.iter().rev().take_while(|sign| sign.feature == feature).count();
        if run == Run::Line || of_one < MOST_OF_ONE {
            kept.push(Sign { feature, line: number, when, text: line(number).unwrap_or_else(|| Excerpt::of(b"")) });
        }
    }
    let imported = |(module, (when, line)): (String, (When, u32))| Imported {
        is_optional: found.optional.contains(&module),
        module,
        line,
        when,
    };
    Code {
        signs: kept,
        spots: found.spots.into_iter().collect(),
        imports: found.imports.into_iter().map(imported).collect(),
        calls: found.calls.into_iter().collect(),
        folders: found.folders.into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(line: &str) -> Vec<Feature> {
        let signs = of_lines(&[line]).signs;
        let mut all: Vec<Feature> = signs.into_iter().map(|sign| sign.feature).collect();
        all.dedup();
        all
    }

    fn module(text: &str) -> Vec<Feature> {
        let mut all: Vec<Feature> = of_module(text, "", &[]).signs.into_iter().map(|sign| sign.feature).collect();
        all.dedup();
        all
    }

    #[test]
    fn hostile_lines_show_their_features() {
        let has = |line: &str, feature: Feature| of(line).contains(&feature);
        assert!(has("import os; exec(__import__('base64').b64decode('cGFzcw=='))", Feature::Decoder));
        assert!(has("import os; exec(__import__('base64').b64decode('cGFzcw=='))", Feature::ComputedExec));
        assert!(has("import sys; __import__('subprocess').Popen([])", Feature::Process));
        assert!(has("import os, subprocess, sys; 1", Feature::Process));
        assert!(has("import os; os.system('x')", Feature::Process));
        assert!(has("import urllib.request", Feature::Network));
        assert!(has("import x; x.f('http://example.org')", Feature::Address));
        assert!(has("import x; exec('import subprocess')", Feature::Process));
        assert!(!has("import sys; exec('print(\"subprocess failed\")')", Feature::Process));
    }

    #[test]
    fn a_process_is_seen_behind_other_names() {
        for line in [
            "import os as o; o.system('x')",
            "import os; getattr(os, 'system')('x')",
            "import a; from os import system; system('x')",
            "import posix; posix.system('x')",
            "import os; os.__dict__['system']('x')",
            "import os; f\"{os.system('id')}\"",
            "import asyncio; asyncio.create_subprocess_shell('x')",
            "import sys; sys.modules['os'].system('x')",
            "import os; x = os.system; x('y')",
            "import os; (lambda f=os.system: f('x'))()",
            "import os; [f('x') for f in [os.system]]",
            "import os; list(map(os.system, ['x']))",
            "import shutil; shutil.os.system('x')",
            "import operator, os; operator.methodcaller('system', 'x')(os)",
            "import os; getattr(os, 'sys' + 'tem')('x')",
            "import os; getattr(os, 'metsys'[::-1])('x')",
            "import os; getattr(os, ''.join(map(chr, [115, 121, 115, 116, 101, 109])))('x')",
            "import os; getattr(os, ''.join(chr(c ^ 1) for c in [114, 120, 114, 117, 100, 108]))('x')",
            "import os; exec('o' + 's.system(\"x\")')",
            "import codecs; exec(codecs.decode('vzcbeg bf; bf.flfgrz(\"k\")', 'rot13'))",
            "import x; exec(__import__('base64').b64decode('aW1wb3J0IG9zOyBvcy5zeXN0ZW0oJ3gnKQ=='))",
        ] {
            assert!(of(line).contains(&Feature::Process), "{line}: {:?}", of(line));
        }
    }

    #[test]
    fn hidden_names_are_told_from_plain_ones() {
        assert!(of("import x; getattr(__builtins__, 'ev' + 'al')").contains(&Feature::StringBuilding));
        assert!(of("import x; __builtins__['exec']").contains(&Feature::Reflection));
        assert!(of("import x; ().__class__.__base__.__subclasses__()").contains(&Feature::Reflection));
        assert_eq!(of("import x; x.encoding = 'utf' + '-8'"), []);
        assert_eq!(of("import sys; getattr(sys, 'frozen', False)"), []);
        assert_eq!(of("import os; print('~/.ssh/id_rsa')"), []);
    }

    #[test]
    fn lines_share_their_names() {
        let signs = of_lines(&["import os; a = 'sys' + 'tem'", "import os; getattr(os, a)('x')"]).signs;
        assert!(signs.iter().any(|sign| sign.feature == Feature::Process && sign.line == 2));
        // One that does not parse hides nothing.
        let signs = of_lines(&["import os; print 'x'", "import os; os.system('x')"]).signs;
        assert!(signs.iter().any(|sign| sign.feature == Feature::Process && sign.line == 2));
        assert!(signs.iter().any(|sign| sign.feature == Feature::Unparsed && sign.line == 1));
    }

    #[test]
    fn of_a_module_only_what_runs_counts() {
        assert_eq!(module("import subprocess\ndef f():\n    subprocess.run(['x'])\n"), []);
        assert_eq!(module("import subprocess\ndef f():\n    subprocess.run(['x'])\nf()\n"), [Feature::Process]);
        assert_eq!(module("import os\nif __name__ == '__main__':\n    os.system('x')\n"), []);
        assert_eq!(
            module("import os\nclass A:\n    def run(self):\n        os.system('x')\nA().run()\n"),
            [Feature::Process]
        );
        assert_eq!(module("'''os.system, ~/.ssh/id_rsa'''\nimport os\n"), []);
        let text = "import os\ndef go():\n    os.system('x')\n";
        let entered = of_module(text, "", &[("go".to_owned(), When::Start)]).signs;
        assert_eq!(entered.iter().map(|sign| sign.line).collect::<Vec<_>>(), [3]);
        assert_eq!(
            module("from os.path import expanduser\nopen(expanduser('~/.aws/credentials')).read()\n"),
            [Feature::CredentialPath, Feature::Files]
        );
    }

    #[test]
    fn relative_imports_begin_at_the_package() {
        let imports = |text: &str, package: &str| {
            of_module(text, package, &[]).imports.into_iter().map(|one| one.module).collect::<Vec<_>>()
        };
        assert_eq!(imports("from . import b\n", "a"), ["a", "a.b"]);
        assert_eq!(imports("from .c import d\n", "a.b"), ["a.b.c", "a.b.c.d"]);
        assert_eq!(imports("from ..c import d\n", "a.b"), ["a.c", "a.c.d"]);
        assert_eq!(imports("import site\nsite.addsitedir('/x')\n", ""), ["site"]);
    }

    #[test]
    fn what_cannot_be_followed_is_said() {
        assert_eq!(of(&format!("import x; y = {}1", "-".repeat(100_000))), [Feature::Beyond]);
        assert!(of("import x; print x").contains(&Feature::Unparsed));
        let long = format!("import x; y = [{}]", "f(), ".repeat(300_000));
        assert!(of(&long).contains(&Feature::Oversized));
    }

    proptest! {
        #[test]
        fn any_text_is_followed(text in "[a-z0-9_ .()\\[\\]{}'\"+=:,;\\n*%-]{0,300}") {
            let code = of_module(&text, "p", &[("a".to_owned(), When::Start)]);
            let lines = text.lines().count().max(1) as u32;
            prop_assert!(code.signs.iter().all(|sign| sign.line <= lines));
        }
    }
}
