//! `python312._pth` or `python._pth` beside a Windows interpreter: the embeddable package, which applications carry with
//! them ("Using Python on Windows"). The file replaces the import path; its lines are read with the start-up files.

use sha2::{Digest, Sha256};

use super::hook_file;
use crate::extract::Extractor;
use crate::extract::input::{Input, listed};
use crate::model::code::{Added, AddedBy};
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::id::hex;
use crate::model::interest::{Ask, Interest, NamePattern};
use crate::model::python::{Prefix, PrefixMark};
use crate::model::startup::{HookKind, HookLine, LineClass, StartupHook};
use crate::model::text::Excerpt;

/// Such files exist since 3.6.
const ANY: &str = ">=3.6";

/// Most lines that are kept.
const MOST: usize = 1000;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "embeddable",
        sentence: "Pythons that Windows applications bring with them (python312._pth).",
        ask: Ask::FileNames(&[NamePattern::Suffix("._pth")]),
    },
    cap: 256 << 10,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let candidate = input.candidate;
    let mut harvest = Harvest::default();
    if !is_path_file(candidate.name) {
        return harvest;
    }
    match candidate.dir.stat_entry(candidate.name) {
        Ok(stat) => {
            add_hook(input, &mut harvest);
            harvest.facts.prefixes.push(Prefix {
                path: input.folder(),
                shown_by: PrefixMark::Embeddable,
                folder: input.folder(),
                identity: candidate.dir.stat().map(|stat| stat.identity),
                base: None,
                modified: Some(stat.modified),
                owner_uid: Some(stat.uid),
            });
        }
        Err(why) => harvest.gaps.push(input.gap(listed(why))),
    }
    harvest
}

/// The file as a start-up hook: it replaces the import path, so whoever writes it chooses what is imported.
fn add_hook(input: &Input<'_>, harvest: &mut Harvest) {
    let mut hook = StartupHook::at(input.candidate.path.clone(), HookKind::UnderscorePth);
    hook.versions = vec![ANY];
    match input.open_candidate_to_judge().and_then(|file| input.read_open(file, input.cap)) {
        Ok(content) => {
            fill(&mut hook, &content.bytes);
            hook.sha256 = content.whole.then(|| hex(&Sha256::digest(&content.bytes)));
            hook_file::settle(input, &mut hook, &content);
            if !content.whole {
                harvest.gaps.push(input.gap(GapReason::TooLarge).because("only its first 256 KiB were judged"));
            }
            harvest.facts.startup_hooks.push(hook);
        }
        Err(why) => harvest.merge(hook_file::unread(input, why, hook)),
    }
}

/// Every line is a folder, but for comments and `import site`.
fn fill(hook: &mut StartupHook, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let lines = (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    for (number, line) in lines.take(MOST) {
        let is_site = line == "import site";
        let (class, features) = match is_site {
            true => (LineClass::Known, Vec::new()),
            false => (LineClass::Path, hook_file::folder_features(line)),
        };
        if !is_site {
            hook.code.folders.push(Added { folder: line.to_owned(), by: AddedBy::PathLine, line: number });
        }
        let (run_by, text) = (vec![ANY], Excerpt::of(line.as_bytes()));
        hook.lines.push(HookLine { number, class, run_by, text, features, only_if: Vec::new() });
    }
}

/// `python._pth`, `python312._pth`, `python3._pth`; also of a renamed interpreter's library, which must begin the same.
fn is_path_file(name: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    let digits = lower.strip_prefix(b"python").and_then(|rest| rest.strip_suffix(b"._pth"));
    digits.is_some_and(|digits| digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b't' || *byte == b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_interpreters_path_file_counts() {
        assert!(is_path_file(b"python312._pth") && is_path_file(b"Python._PTH") && is_path_file(b"python313t._pth"));
        assert!(!is_path_file(b"notes._pth") && !is_path_file(b"python312.pth") && !is_path_file(b"python-x._pth"));
    }
}
