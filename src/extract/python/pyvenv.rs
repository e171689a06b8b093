//! `pyvenv.cfg`, the mark of a virtual environment (PEP 405): lines of `key = value`, keys without case.
//!
//! ```text
//! home = /usr/bin
//! include-system-site-packages = false
//! version = 3.11.2
//! ```

use crate::extract::Extractor;
use crate::extract::input::Input;
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, EntryKind, Interest, NamePattern};
use crate::model::python::VenvConfig;
use crate::model::text::Excerpt;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "pyvenv",
        sentence: "pyvenv.cfg files, which mark virtual environments.",
        ask: Ask::FileNames(&[NamePattern::Exact("pyvenv.cfg")]),
    },
    cap: 64 << 10,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    let prefix = input.folder();
    let (keys, modified) = match input.open_candidate().and_then(|file| input.read_open(file, input.cap)) {
        Ok(content) => {
            let fault = match () {
                () if !content.whole => Some((GapReason::TooLarge, "only its first 64 KiB were read")),
                // Python reads it as UTF-8 and would not start.
                () if is_wide(&content.bytes) => Some((GapReason::Malformed, "it is UTF-16")),
                () => None,
            };
            harvest.gaps.extend(fault.map(|(why, detail)| input.gap(why).because(detail).harmless()));
            (parse(&content.bytes), Some(content.stat.modified))
        }
        // That it is there makes the folder an environment, whatever it says (an empty one does on CPython 3.11).
        Err(why) => {
            harvest.gaps.push(input.gap(why).because("the folder is taken for an environment all the same").harmless());
            (Keys::default(), None)
        }
    };
    let dir = input.candidate.dir;
    let has = |name: &[u8]| input.target.root.find(dir, name.to_vec()).is_ok();
    let lib64 = dir.stat_entry(b"lib64").is_ok_and(|stat| stat.kind == EntryKind::Link);
    harvest.facts.venvs.push(VenvConfig {
        home: keys.home.map(|home| input.target.root.target_path(&home)),
        version: keys.version,
        kind: keys.kind,
        has_system_sites: keys.has_system_sites,
        has_layout: [b"bin".as_slice(), b"Scripts", b"lib", b"Lib"].into_iter().any(has),
        lib64_alias: lib64 && dir.read_link(b"lib64").is_ok_and(|to| to == b"lib"),
        prefix,
        modified,
        identity: dir.stat().map(|stat| stat.identity),
        also_at: Vec::new(),
    });
    harvest
}

fn is_wide(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff])
}

/// What the file says.
#[derive(PartialEq, Eq, Debug)]
pub struct Keys {
    /// Where the base interpreter lies, as written.
    pub home: Option<Vec<u8>>,
    /// The base's version, digits and dots.
    pub version: Option<String>,
    /// uv-venv, virtualenv or venv.
    pub kind: &'static str,
    /// Whether the base's site directories are taken as well: up to 3.14 whatever the key says but `false`, and without
    /// the key too.
    pub has_system_sites: bool,
}

impl Default for Keys {
    /// What an empty or unreadable file means: an environment, by nobody in particular.
    fn default() -> Self {
        Self { home: None, version: None, kind: "venv", has_system_sites: true }
    }
}

/// Reads the keys; of a repeated one the last counts, as in CPython's own reader.
#[must_use]
pub fn parse(bytes: &[u8]) -> Keys {
    let mut keys = Keys::default();
    let text = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    for line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let Some(at) = line.iter().position(|byte| *byte == b'=') else {
            continue;
        };
        let (key, value) = line.split_at(at);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        match key.trim_ascii().to_ascii_lowercase().as_slice() {
            b"home" if !value.is_empty() => keys.home = Some(value.to_vec()),
            b"version" | b"version_info" => keys.version = version(value).or(keys.version),
            b"include-system-site-packages" => keys.has_system_sites = !value.eq_ignore_ascii_case(b"false"),
            b"uv" => keys.kind = "uv-venv",
            b"virtualenv" => keys.kind = "virtualenv",
            _ => {}
        }
    }
    keys
}

/// `3.13.0`, `3.13.0.final.0` and `3.13.0+` all mean 3.13.0.
fn version(value: &[u8]) -> Option<String> {
    let text = Excerpt::of(value).to_string();
    let parts: Vec<&str> = text
        .split('.')
        .take(3)
        .map_while(|part| part.split(|at: char| !at.is_ascii_digit()).next().filter(|n| !n.is_empty()))
        .collect();
    (!parts.is_empty()).then(|| parts.join("."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn makers_are_told_by_their_keys() {
        let venv = parse(b"home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n");
        assert_eq!((venv.kind, venv.version.as_deref()), ("venv", Some("3.11.2")));
        assert_eq!(venv.home.as_deref(), Some(b"/usr/bin".as_slice()));
        let uv = parse(b"home = /opt/py/bin\r\nimplementation = CPython\r\nuv = 0.9.1\r\nversion_info = 3.12.1\r\n");
        assert_eq!((uv.kind, uv.version.as_deref()), ("uv-venv", Some("3.12.1")));
        let old = parse(b"HOME=/x\nvirtualenv = 21.0\nversion_info = 3.13.0.final.0\n");
        assert_eq!((old.kind, old.version.as_deref()), ("virtualenv", Some("3.13.0")));
        assert_eq!(parse(b""), Keys::default());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let keys = parse(&bytes);
            prop_assert!(keys.version.is_none_or(|text| text.chars().all(|at| at.is_ascii_digit() || at == '.')));
        }
    }
}
