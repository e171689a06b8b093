//! `.start` files (PEP 829): functions that Python 3.15 and later call at every start, one `package.module:function` in a
//! line. From 3.15 to 3.17 a `.start` also keeps the lines of code of the `.pth` of the same stem from running.
//!
//! ```text
//! # comments and empty lines are passed over
//! mytool.startup:begin
//! ```

use sha2::{Digest, Sha256};

use super::pth;
use super::pth_text;
use crate::model::code::{Code, Imported, When};
use crate::model::id::hex;
use crate::model::path::TargetPath;
use crate::model::startup::{Feature, HookKind, HookLine, LineClass, StartupHook};
use crate::model::text::Excerpt;

/// Most entries that are kept.
const MOST: usize = 1000;

/// Which versions read such a file: hidden ones none.
#[must_use]
pub fn versions(path: &TargetPath) -> Vec<&'static str> {
    if path.file_name().starts_with(b".") { Vec::new() } else { vec![">=3.15"] }
}

/// Takes apart; `whole` says that `bytes` is all of it.
#[must_use]
pub fn parse(path: TargetPath, bytes: &[u8], whole: bool) -> StartupHook {
    let mut hook = pth::named(path, HookKind::Start, pth_text::NEW);
    hook.size = bytes.len() as u64;
    hook.sha256 = whole.then(|| hex(&Sha256::digest(bytes)));
    // What is not UTF-8 is passed over as a whole.
    let Ok(text) = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)) else {
        hook.features.push(Feature::Undecodable);
        hook.versions.clear();
        return hook;
    };
    // As `str.splitlines` cuts.
    let ends = ['\n', '\x0b', '\x0c', '\x1c', '\x1d', '\x1e', '\u{85}', '\u{2028}', '\u{2029}'];
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines =
        (1..).zip(text.split(ends).map(str::trim)).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let mut code = Code::default();
    for (number, line) in lines {
        if hook.lines.len() == MOST {
            hook.features.push(Feature::Oversized);
            break;
        }
        let Some((module, function)) = entry(line) else { continue };
        code.imports.push(Imported { module: module.to_owned(), line: number, when: When::Start, is_optional: false });
        code.calls.push((format!("{module}.{function}"), When::Start));
        let (run_by, text) = (hook.versions.clone(), Excerpt::of(line.as_bytes()));
        let features: Vec<_> = super::code::of_call(&format!("{module}.{function}"));
        hook.lines.push(HookLine { number, class: LineClass::ImportCall, run_by, text, features, only_if: Vec::new() });
    }
    if !whole {
        hook.features.push(Feature::Oversized);
    }
    hook.code = code;
    hook
}

/// `package.module:object.attribute`, as an entry point is written.
fn entry(line: &str) -> Option<(&str, &str)> {
    let (module, function) = line.split_once(':')?;
    let is_dotted = |name: &str| {
        !name.is_empty()
            && name.split('.').all(|part| !part.is_empty() && part.chars().all(|at| at.is_alphanumeric() || at == '_'))
    };
    let (module, function) = (module.trim(), function.trim());
    (is_dotted(module) && is_dotted(function)).then_some((module, function))
}

/// Whether it calls nothing: all that such a file does is to silence its `.pth`.
#[must_use]
pub fn is_silent(hook: &StartupHook) -> bool {
    hook.kind == HookKind::Start && hook.lines.is_empty() && !hook.versions.is_empty()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(bytes: &[u8]) -> StartupHook {
        parse(TargetPath::new(b"/s/x.start"), bytes, true)
    }

    #[test]
    fn entries_are_functions_of_modules() {
        let hook = of(b"# note\n\n  a.b:run \nnot an entry\nc:D.e\n");
        assert_eq!(hook.code.calls.iter().map(|call| call.0.as_str()).collect::<Vec<_>>(), ["a.b.run", "c.D.e"]);
        assert_eq!(hook.lines.iter().map(|line| line.number).collect::<Vec<_>>(), [3, 5]);
        assert_eq!(hook.versions, [">=3.15"]);
        assert!(!is_silent(&hook) && is_silent(&of(b"")));
    }

    #[test]
    fn hidden_and_undecodable_files_are_not_read_by_python() {
        assert!(parse(TargetPath::new(b"/s/.x.start"), b"a:b", true).versions.is_empty());
        assert!(of(b"a:b\n\xff").versions.is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(of(&bytes).size, bytes.len() as u64);
        }
    }
}
