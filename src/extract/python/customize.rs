//! `sitecustomize` and `usercustomize`: modules that the `site` module imports at every start, from wherever the import
//! path has them first. Each is a module like any other: a source file, a package, machine code, or bytecode alone.

use sha2::{Digest, Sha256};

use super::bytecode::Match;
use super::bytecode::beside::foreign;
use super::code;
use super::hook_file;
use crate::extract::Extractor;
use crate::extract::input::{Content, Input};
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::id::hex;
use crate::model::interest::{Ask, EntryKind, Interest, NamePattern};
use crate::model::path::TargetPath;
use crate::model::startup::{Feature, HookKind, HookLine, LineClass, StartupHook};
use crate::target::dir::Dir;

/// The row. The longest honest ones have a few hundred lines.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "customize-modules",
        sentence: "The modules that Python imports at every start (sitecustomize, usercustomize).",
        ask: Ask::Names(&[NamePattern::Prefix("sitecustomize"), NamePattern::Prefix("usercustomize")]),
    },
    cap: code::guard::LONGEST as u64,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let candidate = input.candidate;
    let Some((kind, form)) = form(candidate.name, candidate.kind) else { return Harvest::default() };
    // Beside a source it is looked at together with that source.
    if input.folder().file_name() == b"__pycache__" {
        return Harvest::default();
    }
    let opened = match form {
        Form::Package => return package(input, kind),
        _ => input.open_candidate_to_judge().and_then(|file| input.read_open(file, input.cap)),
    };
    kept(input, candidate.dir, kind, form, candidate.path.clone(), opened)
}

/// Modules are the same to every Python.
pub const ANY: &str = ">=2.0";

/// In which form a module lies there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Source,
    Package,
    Native,
    Bytecode,
}

fn form(name: &[u8], kind: EntryKind) -> Option<(HookKind, Form)> {
    let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
    let of = [("sitecustomize", HookKind::Sitecustomize), ("usercustomize", HookKind::Usercustomize)];
    let (rest, hook) = of.into_iter().find_map(|(stem, hook)| Some((name.strip_prefix(stem)?.to_owned(), hook)))?;
    let form = match rest.as_str() {
        "" if matches!(kind, EntryKind::Dir | EntryKind::Link) => Form::Package,
        ".py" | ".pyw" => Form::Source,
        ".pyc" => Form::Bytecode,
        rest if rest.starts_with('.') && (rest.ends_with(".so") || rest.ends_with(".pyd")) => Form::Native,
        _ => return None,
    };
    Some((hook, form))
}

/// A package: what runs is its `__init__`.
fn package(input: &Input<'_>, kind: HookKind) -> Harvest {
    let Ok(dir) = input.open_dir() else { return Harvest::default() };
    let folder = input.candidate.path.clone();
    for (name, form) in [(b"__init__.py".as_slice(), Form::Source), (b"__init__.pyc", Form::Bytecode)] {
        if dir.stat_entry(name).is_ok() {
            let opened = input.open_to_judge(&dir, &folder, name).and_then(|file| input.read_open(file, input.cap));
            return kept(input, &dir, kind, form, folder.join(name), opened);
        }
    }
    Harvest::default()
}

/// Whether Python takes bytecode instead that is not of this source.
fn is_shadowed(dir: &Dir, hook: &StartupHook, content: &Content) -> bool {
    let beside = foreign(dir, hook.path.file_name(), &content.bytes, &content.stat);
    content.whole && beside.iter().any(|(_, one)| matches!(one, Match::No(_)))
}

fn kept(
    input: &Input<'_>,
    dir: &Dir,
    kind: HookKind,
    form: Form,
    path: TargetPath,
    opened: Result<Content, GapReason>,
) -> Harvest {
    let mut hook = StartupHook { versions: vec![ANY], ..StartupHook::at(path, kind) };
    let content = match opened {
        Ok(content) => content,
        Err(why) => return hook_file::unread(input, why, hook),
    };
    let mut harvest = Harvest::default();
    match form {
        Form::Source | Form::Package => {
            fill(&mut hook, &content.bytes, content.whole);
            if is_shadowed(dir, &hook, &content) {
                hook.features.push(Feature::ForeignBytecode);
            }
            if !content.whole {
                let gap = input.gap_at(hook.path.clone(), GapReason::TooLarge);
                harvest.gaps.push(gap.because("longer than any such module: it was not judged by its code"));
            }
        }
        Form::Native | Form::Bytecode => {
            hook.features.push(Feature::Opaque);
            hook.sha256 = content.whole.then(|| hex(&Sha256::digest(&content.bytes)));
        }
    }
    hook_file::settle(input, &mut hook, &content);
    harvest.facts.startup_hooks.push(hook);
    harvest
}

/// Follows the source of a module that Python imports at its start.
pub fn fill(hook: &mut StartupHook, bytes: &[u8], whole: bool) {
    let package = match (hook.kind, hook.path.file_name().starts_with(b"__init__.")) {
        (HookKind::Sitecustomize, true) => "sitecustomize",
        (HookKind::Usercustomize, true) => "usercustomize",
        _ => "",
    };
    hook.size = bytes.len() as u64;
    hook.sha256 = whole.then(|| hex(&Sha256::digest(bytes)));
    if !whole {
        hook.features.push(Feature::Beyond);
        return;
    }
    let text = String::from_utf8_lossy(bytes);
    let mut code = code::of_module(&text, package, &[]);
    hook.lines = module_lines(&code);
    if hook.lines.is_empty() && runs(&text) {
        let line = text.lines().map(str::trim).zip(1..).find(|(line, _)| !line.is_empty() && !line.starts_with('#'));
        hook.lines.extend(line.map(|(line, number)| HookLine {
            number,
            class: LineClass::Module,
            run_by: vec![ANY],
            text: crate::model::text::Excerpt::of(line.as_bytes()),
            features: Vec::new(),
            only_if: Vec::new(),
        }));
    }
    code.signs.clear();
    hook.code = code;
}

/// The lines of a module that stand out, each with all that stands out in it.
fn module_lines(code: &crate::model::code::Code) -> Vec<HookLine> {
    let mut lines: Vec<HookLine> = Vec::new();
    for sign in &code.signs {
        match lines.iter_mut().find(|line| line.number == sign.line) {
            Some(line) => line.features.push(sign.feature),
            None => lines.push(HookLine {
                number: sign.line,
                class: LineClass::Module,
                run_by: vec![ANY],
                text: sign.text.clone(),
                features: vec![sign.feature],
                only_if: Vec::new(),
            }),
        }
    }
    lines.sort_unstable();
    lines
}

/// Whether a source holds anything but comments.
fn runs(text: &str) -> bool {
    text.lines().map(str::trim).any(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_modules_is_told() {
        let of = |name: &str, kind| form(name.as_bytes(), kind);
        assert_eq!(of("sitecustomize.py", EntryKind::File), Some((HookKind::Sitecustomize, Form::Source)));
        assert_eq!(of("usercustomize", EntryKind::Dir), Some((HookKind::Usercustomize, Form::Package)));
        let native = "sitecustomize.cpython-311-x86_64-linux-gnu.so";
        assert_eq!(of(native, EntryKind::File), Some((HookKind::Sitecustomize, Form::Native)));
        assert_eq!(of("sitecustomize.pyc", EntryKind::File), Some((HookKind::Sitecustomize, Form::Bytecode)));
        assert_eq!(of("sitecustomize.py.bak", EntryKind::File), None);
        assert_eq!(of("sitecustomize", EntryKind::File), None);
        assert_eq!(of("sitecustomizer.py", EntryKind::File), None);
    }

    #[test]
    fn a_module_of_comments_runs_nothing() {
        let mut hook = StartupHook::at(TargetPath::new(b"/s/sitecustomize.py"), HookKind::Sitecustomize);
        fill(&mut hook, b"# nothing here\n\n", true);
        assert!(hook.lines.is_empty());
        fill(&mut hook, b"# a\nimport os\nos.system('true')\n", true);
        assert_eq!(hook.lines.iter().map(|line| line.number).collect::<Vec<_>>(), [3]);
    }
}
