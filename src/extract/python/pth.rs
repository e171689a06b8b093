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
use crate::extract::Extractor;
use crate::extract::input::Input;
use crate::extract::known_file::contains;
use crate::extract::layout::is_site_name;
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::id::{Id, hex};
use crate::model::interest::{Ask, Interest, NamePattern};
use crate::model::path::TargetPath;
use crate::model::startup::{Feature, HookLine, LineClass, Ownership, StartupHook};
use crate::model::text::Excerpt;

/// The row. The longest honest file that is known has less than 2 KiB, so what lies beyond 1 MiB only makes a file stand out.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "startup-hooks",
        sentence: "Files whose lines Python runs at every start (.pth).",
        ask: Ask::FileNames(&[NamePattern::Suffix(".pth")]),
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
    let content = match input.open_candidate_to_judge().and_then(|file| input.read_open(file, input.cap)) {
        Ok(content) => content,
        Err(why) => {
            let mut harvest = Harvest::missed(input.gap(why));
            // What is there and was refused may run, and its name alone may be what a pack knows. What is no file, or a
            // link that leads to none, runs nothing.
            if why.is_material() {
                let known = named(candidate.path.clone(), pth_text::ALL);
                harvest.facts.startup_hooks.push(StartupHook { features: vec![Feature::Unread], ..known });
            }
            return harvest;
        }
    };
    let Some(mut hook) = parse(candidate.path.clone(), &content.bytes, content.whole) else {
        return Harvest::default();
    };
    hook.size = content.stat.size;
    hook.modified = Some(content.stat.modified);
    hook.linked = content.stat.linked();
    if content.is_elsewhere {
        hide(input, &mut hook);
    }
    hook.needles =
        input.watch.hook_needles.iter().filter(|needle| contains(&content.bytes, needle.as_bytes())).cloned().collect();
    // Python asks for the suffix in lower case on every system: it does not see `X.PTH` at all.
    if !candidate.name.ends_with(b".pth") {
        hook.run_by.clear();
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

/// Takes out what shows the content of a file that a link of another name leads to: Python runs it, but it may be a
/// secret. A known payload is none.
fn hide(input: &Input<'_>, hook: &mut StartupHook) {
    let is_known = |hash: &String| input.watch.sha256.iter().any(|known| hex(known) == *hash);
    hook.sha256 = hook.sha256.take().filter(is_known);
    for line in &mut hook.lines {
        line.text = Excerpt::of(b"(not shown: a link to a file of another name)");
    }
}

/// A file of which only the name is known, and which `dialects` would run.
fn named(path: TargetPath, dialects: u8) -> StartupHook {
    StartupHook {
        id: Id::new("hook", &[path.as_bytes()]),
        environment: None,
        distribution: None,
        ownership: Ownership::Orphan,
        in_site_dir: false,
        run_by: pth_text::versions(dialects & name_dialects(&path)),
        size: 0,
        modified: None,
        sha256: None,
        linked: None,
        lines: Vec::new(),
        features: Vec::new(),
        needles: Vec::new(),
        path,
    }
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
    let all = pth_text::lines(text);
    let runs = all.iter().any(|line| line.run_by != 0);
    if is_settled && !runs && is_data(bytes) {
        return None;
    }
    // What runs is judged before what only names folders.
    let (code, folders): (Vec<&Line<'_>>, Vec<&Line<'_>>) = all.iter().partition(|line| line.is_code);
    let judged = code.iter().take(MOST_CODE).chain(folders.iter().take(MOST_FOLDERS));
    let mut features = Vec::new();
    if !whole || code.len() > MOST_CODE {
        features.push(Feature::Oversized);
    }
    if std::str::from_utf8(text).is_err() {
        features.push(Feature::Undecodable);
    }
    let dialects = code.iter().map(|line| line.run_by).reduce(|all, one| all | one).unwrap_or(pth_text::ALL);
    let by_name = name_dialects(&path);
    let mut lines: Vec<HookLine> = judged.map(|line| hook_line(line, by_name)).collect();
    lines.sort_unstable();
    let sha256 = whole.then(|| hex(&Sha256::digest(bytes)));
    Some(StartupHook { size: bytes.len() as u64, sha256, lines, features, ..named(path, dialects) })
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

fn hook_line(line: &Line<'_>, by_name: u8) -> HookLine {
    let text = String::from_utf8_lossy(line.text);
    let (class, mut features) = if !line.is_code {
        (LineClass::Path, if is_temporary(&text) { vec![Feature::TemporaryPath] } else { Vec::new() })
    } else {
        let code = pth_token::tokenize(&text);
        let class = pth_line::classify(&text, &code);
        // A plain text that only imports and calls is what its class says, and no more.
        let counts = |feature: &Feature| class != LineClass::ImportCall || *feature != Feature::LiteralExec;
        let features = match class.runs_code() {
            true => pth_line::features(&text, &code).into_iter().filter(counts).collect(),
            false => Vec::new(),
        };
        (class, features)
    };
    if line.is_code {
        if line.has_exotic_end {
            features.push(Feature::ExoticLineEnd);
        }
        if line.indent >= 40 {
            features.push(Feature::Indented);
        }
        let run_by = line.run_by & by_name;
        if run_by != 0 && run_by != pth_text::ALL {
            features.push(Feature::OneDialect);
        }
    }
    features.sort_unstable();
    features.dedup();
    let run_by = pth_text::versions(line.run_by & by_name);
    HookLine { number: line.number, class, text: Excerpt::of(line.text), features, run_by }
}

/// Whether a path line names a folder that anybody may write.
fn is_temporary(text: &str) -> bool {
    let lower = text.to_lowercase().replace('\\', "/");
    ["/tmp", "/var/tmp", "/dev/shm", "/private/tmp"]
        .iter()
        .any(|place| lower == *place || lower.starts_with(&format!("{place}/")))
        || lower.contains("/appdata/local/temp/")
        || lower.starts_with("%temp%")
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
        assert_eq!(of("a.pth", b"import x\n").unwrap().run_by, ["<=3.12", "3.13-3.14", ">=3.15"]);
        assert_eq!(of(".a.pth", b"import x\n").unwrap().run_by, ["<=3.12"]);
        assert_eq!(of("a.pth", b"  import x\n").unwrap().run_by, [">=3.15"]);
        let hook = of("a.pth", b"/tmp/x\n./y\n").unwrap();
        assert_eq!(hook.lines[0].features, [Feature::TemporaryPath]);
        assert_eq!(hook.lines[1].class, LineClass::Path);
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
