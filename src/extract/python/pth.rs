//! `.pth` files: folders for the import path, and lines of code that Python runs at every start (the `site` module).
//!
//! ```text
//! ./vendored
//! import _virtualenv
//! ```
//!
//! PyTorch keeps weights under the same suffix; those are told by their content.

use memchr::memmem;
use sha2::{Digest, Sha256};

use super::pth_line;
use super::pth_text::{self, Line};
use super::pth_token;
use super::{code, hook_file, start_file};
use crate::extract::Extractor;
use crate::extract::input::Input;
use crate::extract::layout::is_site_name;
use crate::model::code::{Added, AddedBy, Code, Imported, When};
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::id::hex;
use crate::model::interest::{Ask, Interest, NamePattern};
use crate::model::path::TargetPath;
use crate::model::startup::{Feature, HookKind, HookLine, LineClass, StartupHook};
use crate::model::text::Excerpt;

/// The row. The longest honest file that is known has less than 2 KiB, so what lies beyond 1 MiB only makes a file stand out.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "startup-hooks",
        sentence: "Files whose lines Python runs at every start (.pth, .start).",
        ask: Ask::FileNames(&[NamePattern::Suffix(".pth"), NamePattern::Suffix(".start")]),
    },
    cap: 1 << 20,
    read,
};

/// Most lines that are judged: of code, and of folders. Honest files have a handful of the one and some hundred of the
/// other; a file with more code stands out by that alone.
const MOST_CODE: usize = 1000;
const MOST_FOLDERS: usize = 1000;

/// Longest list of folders outside a directory of packages that is taken for one: PyTorch writes checkpoints under this
/// suffix, many and large, and no tool writes such a list.
const LONGEST_LIST: usize = 64 << 10;

fn read(input: &Input<'_>) -> Harvest {
    let candidate = input.candidate;
    let kind = kind(candidate.name);
    let content = match input.open_candidate_to_judge().and_then(|file| input.read_open(file, input.cap)) {
        Ok(content) => content,
        Err(why) => return hook_file::unread(input, why, named(candidate.path.clone(), kind, pth_text::ALL)),
    };
    let parsed = match kind {
        HookKind::Start => Some(start_file::parse(candidate.path.clone(), &content.bytes, content.whole)),
        _ => parse(candidate.path.clone(), &content.bytes, content.whole),
    };
    let Some(mut hook) = parsed else { return Harvest::default() };
    hook_file::settle(input, &mut hook, &content);
    // Python asks for the suffix in lower case on every system: it does not see `X.PTH` at all.
    if !candidate.name.ends_with(b".pth") && !candidate.name.ends_with(b".start") {
        hook.versions.clear();
        hook.lines.iter_mut().for_each(|line| line.run_by.clear());
    }
    let mut harvest = Harvest::default();
    if hook.features.contains(&Feature::Oversized) {
        let gap = input.gap(GapReason::TooLarge);
        harvest.gaps.push(gap.because("only its first 1 MiB or first 1,000 lines of code were judged"));
    }
    harvest.facts.startup_hooks.push(hook);
    harvest
}

fn kind(name: &[u8]) -> HookKind {
    let is_start = name.len() > 6 && name.get(name.len() - 6..).is_some_and(|end| end.eq_ignore_ascii_case(b".start"));
    if is_start { HookKind::Start } else { HookKind::Pth }
}

/// A file of which only the name is known, and which `dialects` would run.
pub fn named(path: TargetPath, kind: HookKind, dialects: u8) -> StartupHook {
    let dialects = dialects & name_dialects(&path);
    let versions = if kind == HookKind::Start { start_file::versions(&path) } else { pth_text::versions(dialects) };
    StartupHook { versions, ..StartupHook::at(path, kind) }
}

/// Files of a hidden name are run up to 3.12 only.
fn name_dialects(path: &TargetPath) -> u8 {
    if path.file_name().starts_with(b".") { pth_text::OLD } else { pth_text::ALL }
}

/// Judges nothing, only takes apart. None for weights and other data that run nothing.
#[must_use]
pub fn parse(path: TargetPath, bytes: &[u8], whole: bool) -> Option<StartupHook> {
    // Python reads every such file of a site directory to its end: there, what lies beyond the cap may run.
    let is_settled = whole || !lies_in_named_site(&path);
    let is_long = bytes.len() > LONGEST_LIST && !lies_in_named_site(&path);
    if is_settled && (is_long || is_data(bytes)) && memmem::find(bytes, b"import").is_none() {
        return None;
    }
    // The cap may have cut a character in two.
    let text = match std::str::from_utf8(bytes) {
        Err(why) if !whole && why.error_len().is_none() => bytes.get(..why.valid_up_to()).unwrap_or(bytes),
        _ => bytes,
    };
    let mut all = pth_text::lines(text);
    // Whether a line compiles that the cap has cut is not known.
    if let (false, Some(last)) = (whole, all.last_mut().filter(|last| last.is_code)) {
        last.run_by = pth_text::ALL;
    }
    let runs = all.iter().any(|line| line.run_by != 0);
    if is_settled && !runs && is_data(bytes) {
        return None;
    }
    // What runs is judged before what only names folders.
    let (code, folders): (Vec<&Line<'_>>, Vec<&Line<'_>>) = all.iter().partition(|line| line.is_code);
    let mut features = Vec::new();
    if !whole || code.len() > MOST_CODE {
        features.push(Feature::Oversized);
    }
    if std::str::from_utf8(text).is_err() {
        features.push(Feature::Undecodable);
    }
    let dialects = code.iter().map(|line| line.run_by).reduce(|all, one| all | one).unwrap_or(pth_text::ALL);
    let own = name_dialects(&path);
    let code: Vec<&Line<'_>> = code.into_iter().take(MOST_CODE).collect();
    let (mut lines, mut followed) = code_lines(&code, own);
    for line in folders.into_iter().take(MOST_FOLDERS) {
        let folder = String::from_utf8_lossy(line.text).into_owned();
        lines.push(folder_line(line, &folder));
        followed.folders.push(Added { folder, by: AddedBy::PathLine, line: line.number });
    }
    lines.sort_unstable();
    let sha256 = whole.then(|| hex(&Sha256::digest(bytes)));
    let known = named(path, HookKind::Pth, dialects);
    Some(StartupHook { size: bytes.len() as u64, sha256, lines, features, code: followed, ..known })
}

fn lies_in_named_site(path: &TargetPath) -> bool {
    path.parent().is_some_and(|folder| is_site_name(folder.file_name()))
}

/// Whether the beginning says that this is no list of folders: zip and pickle are what PyTorch writes, and no text has
/// NULs or undecodable bytes at its very start. UTF-16 does: it is text of a careless editor, and stops every Python.
fn is_data(bytes: &[u8]) -> bool {
    let head = bytes.get(..256).unwrap_or(bytes);
    let is_wide = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
    let is_text = std::str::from_utf8(head).is_ok_and(|_| !head.contains(&0))
        || std::str::from_utf8(head).is_err_and(|why| why.error_len().is_none());
    head.starts_with(b"PK\x03\x04") || (!is_wide && !is_text)
}

/// Lines that run: each by its class and what stands out in it, and what all of them bring in.
fn code_lines(code: &[&Line<'_>], own: u8) -> (Vec<HookLine>, Code) {
    let texts: Vec<_> = code.iter().map(|line| String::from_utf8_lossy(line.text)).collect();
    let taken: Vec<pth_token::Code> = texts.iter().map(|text| pth_token::tokenize(text)).collect();
    let classes: Vec<LineClass> = texts.iter().zip(&taken).map(|(text, code)| pth_line::classify(text, code)).collect();
    let mut followed = match texts.iter().zip(&classes).map(|(text, class)| pth_line::at_sight(text, *class)).collect()
    {
        Some(all) => merged(all),
        None => code::of_lines(&texts.iter().map(AsRef::as_ref).collect::<Vec<&str>>()),
    };
    let mut lines: Vec<HookLine> = Vec::with_capacity(code.len());
    for (place, line) in code.iter().enumerate() {
        let (Some(text), Some(class), Some(words)) = (texts.get(place), classes.get(place), taken.get(place)) else {
            continue;
        };
        let signs = followed.signs.iter().filter(|sign| sign.line as usize == place + 1).map(|sign| sign.feature);
        // The sentence of a namespace package does nothing that stands out; what has its words and does is none.
        let stands_out = *class == LineClass::Namespace && signs.clone().next().is_some();
        let class = if stands_out { &LineClass::Inline } else { class };
        // A plain text that only imports and calls is what its class says, and no more.
        let counts = |feature: &Feature| *class != LineClass::ImportCall || *feature != Feature::LiteralExec;
        let mut features: Vec<Feature> = match class.runs_code() {
            true => signs.chain(pth_line::raw_features(text, words)).filter(counts).collect(),
            false => Vec::new(),
        };
        let added = followed.folders.iter().filter(|one| one.line as usize == place + 1);
        features.extend(added.flat_map(|one| hook_file::folder_features(&one.folder)));
        features.extend(look(line, own));
        features.sort_unstable();
        features.dedup();
        let only_if =
            followed.signs.iter().filter(|sign| sign.line as usize == place + 1).filter_map(|sign| match &sign.when {
                When::IfSet(name) => Some((sign.feature, name.clone())),
                _ => None,
            });
        lines.push(HookLine {
            only_if: only_if.collect(),
            number: line.number,
            class: *class,
            run_by: pth_text::versions(line.run_by & own),
            text: Excerpt::of(line.text),
            features,
        });
    }
    let number = |place: u32| code.get(place as usize - 1).map_or(place, |line| line.number);
    followed.signs.clear();
    followed.spots.iter_mut().for_each(|one| one.line = number(one.line));
    followed.imports.iter_mut().for_each(|one| one.line = number(one.line));
    followed.folders.iter_mut().for_each(|one| one.line = number(one.line));
    (lines, followed)
}

/// What lines bring in that are understood at sight.
fn merged(all: Vec<pth_line::AtSight>) -> Code {
    let mut code = Code::default();
    for (line, one) in (1..).zip(all) {
        code.imports.extend(one.modules.into_iter().map(|module| Imported {
            module,
            line,
            when: When::Start,
            is_optional: false,
        }));
        code.calls.extend(one.calls.into_iter().map(|path| (path, When::Start)));
    }
    code
}

/// What stands out in where a line stands.
fn look(line: &Line<'_>, own: u8) -> Vec<Feature> {
    let mut features = Vec::new();
    if line.has_exotic_end {
        features.push(Feature::ExoticLineEnd);
    }
    if line.indent >= 40 {
        features.push(Feature::Indented);
    }
    let run_by = line.run_by & own;
    if run_by != 0 && run_by != pth_text::ALL {
        features.push(Feature::OneDialect);
    }
    features
}

fn folder_line(line: &Line<'_>, folder: &str) -> HookLine {
    let features = hook_file::folder_features(folder);
    HookLine {
        number: line.number,
        class: LineClass::Path,
        run_by: Vec::new(),
        text: Excerpt::of(line.text),
        features,
        only_if: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(name: &str, bytes: &[u8]) -> Option<StartupHook> {
        parse(TargetPath::new(format!("/s/{name}").as_bytes()), bytes, true)
    }

    #[test]
    fn weights_are_left_alone_unless_they_run_something() {
        assert!(of("model.pth", b"PK\x03\x04\0\0rest").is_none());
        assert!(of("model.pth", &[0x80, 2, 0x8a, 10]).is_none());
        assert!(of("model.pth", b"PK\x03\x04\nimport os; os.system('x')\n").is_some());
    }

    #[test]
    fn names_and_lines_say_who_runs_it() {
        assert_eq!(of("a.pth", b"import x\n").unwrap().versions, ["<=3.12", "3.13-3.14", "3.15-3.17"]);
        assert_eq!(of(".a.pth", b"import x\n").unwrap().versions, ["<=3.12"]);
        assert_eq!(of("a.pth", b"  import x\n").unwrap().versions, ["3.15-3.17"]);
        let hook = of("a.pth", b"/tmp/x\n./y\n").unwrap();
        assert_eq!(hook.lines[0].features, [Feature::TemporaryPath]);
        assert_eq!(hook.lines[1].class, LineClass::Path);
    }

    #[test]
    fn a_line_that_the_cap_has_cut_is_taken_to_run() {
        let path = || TargetPath::new(b"/lib/python3/site-packages/a.pth");
        let hook = parse(path(), b"import os; os.system('x'); y = 'zzz", false).unwrap();
        assert!(!hook.versions.is_empty() && hook.lines[0].features.contains(&Feature::Process));
        assert!(parse(path(), b"import os; os.system('x'); y = 'zzz", true).unwrap().lines[0].run_by.is_empty());
    }

    #[test]
    fn what_cannot_be_decoded_stands_out() {
        assert!(of("a.pth", b"import caf\xe9\n").unwrap().features.contains(&Feature::Undecodable));
        assert!(of("a.pth", b"\xff\xfei\0m\0").unwrap().features.contains(&Feature::Undecodable));
        assert!(!of("a.pth", "café\n".as_bytes()).unwrap().features.contains(&Feature::Undecodable));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            if let Some(hook) = of("a.pth", &bytes) {
                prop_assert_eq!(hook.size, bytes.len() as u64);
            }
        }
    }
}
