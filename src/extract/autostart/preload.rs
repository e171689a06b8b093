//! Libraries that every program loads, and folders in which libraries are looked for (`ld.so(8)`, `ldconfig(8)`).
//!
//! ```text
//! /opt/x/libx.so /lib/liby.so        /etc/ld.so.preload: blanks, colons and line ends part them
//! /opt/x/lib                         /etc/ld.so.conf.d/x.conf: a row only for an odd place
//! ```

use super::command::Told;
use super::named::{self, Seen};
use super::script::Odd;
use super::{CAP, Entry, content, is_void, place_of, push};
use crate::extract::Extractor;
use crate::extract::input::{Content, Input};
use crate::model::autostart::{AutostartKind, Role};
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Interest};

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "autostart-preload",
        sentence: "Libraries that every program loads, and folders in which libraries are looked for.",
        ask: Ask::Starts("preload"),
    },
    cap: CAP,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    if place_of(input, "preload").is_none() || is_void(input) {
        return harvest;
    }
    let Some(content) = content(input, &mut harvest) else { return harvest };
    entries(input, &content, &mut Seen::default(), &mut harvest);
    harvest
}

fn entries(input: &Input<'_>, content: &Content, seen: &mut Seen, harvest: &mut Harvest) {
    let is_preload = input.candidate.name == b"ld.so.preload";
    for (line, path) in parse(&content.bytes) {
        let told = Told::one(&path, Role::Library, line);
        // Any library that every program loads is worth a row; a folder is only where it lies oddly.
        if !is_preload && !Odd::of(input, content).is_any(&told) {
            continue;
        }
        let entry = Entry {
            line: Some(line),
            told,
            trigger: if is_preload { b"every program".to_vec() } else { b"every library".to_vec() },
            command: path,
            is_whole_file: false,
            ..Entry::new(AutostartKind::Preload, input.candidate.name)
        };
        push(input, content, entry, harvest);
    }
    for written in included(&content.bytes).iter().filter(|_| !is_preload) {
        let path = if written.starts_with(b"/") {
            input.target.root.target_path(written)
        } else {
            input.folder().join(written)
        };
        named::read(input, "preload", &path, seen, harvest, &entries);
    }
}

/// What the `include` lines of `ld.so.conf` name: files, or patterns of them, any of which may lie outside of
/// `ld.so.conf.d`.
fn included(bytes: &[u8]) -> Vec<Vec<u8>> {
    let lines = bytes.split(|byte| *byte == b'\n').map(words);
    let named = lines.filter_map(|line| line.strip_prefix(b"include").map(<[u8]>::to_vec));
    let parts = |line: Vec<u8>| line.split(u8::is_ascii_whitespace).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let is_one = |line: &Vec<u8>| line.first().is_some_and(u8::is_ascii_whitespace);
    named.filter(is_one).flat_map(parts).filter(|part| !part.is_empty()).collect()
}

/// A line without its comment and the blanks around it.
fn words(line: &[u8]) -> &[u8] {
    line.split(|byte| *byte == b'#').next().unwrap_or_default().trim_ascii()
}

/// The paths of a file, and in which line; what `include` lines name is none.
#[must_use]
pub fn parse(bytes: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let mut out = Vec::new();
    for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let text = words(text);
        if text.starts_with(b"include ") || text.starts_with(b"include\t") || text.starts_with(b"hwcap ") {
            continue;
        }
        let parts = text.split(|byte| byte.is_ascii_whitespace() || matches!(byte, b':' | b','));
        out.extend(parts.filter(|part| !part.is_empty()).map(|part| (line, part.to_vec())));
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::autostart::planted::Tree;
    use crate::model::host::Platform;

    fn told(path: &str, text: &str) -> Vec<String> {
        Tree::with(&[(path, text.as_bytes())]).told(&EXTRACTOR, Platform::Linux, path)
    }

    #[test]
    fn libraries_are_told() {
        assert_eq!(
            told("/etc/ld.so.preload", "# c\n/usr/lib/a.so /dev/shm/b.so\nlibc.so:/opt/d.so\n"),
            [
                "Preload ld.so.preload | runs /usr/lib/a.so | when every program | Library /usr/lib/a.so",
                "Preload ld.so.preload | runs /dev/shm/b.so | when every program | Library /dev/shm/b.so Temporary",
                "Preload ld.so.preload | runs libc.so | when every program",
                "Preload ld.so.preload | runs /opt/d.so | when every program | Library /opt/d.so",
            ]
        );
        assert_eq!(
            told("/etc/ld.so.conf.d/x.conf", "/usr/local/lib\ninclude /tmp/x\n/tmp/.x/lib\n"),
            ["Preload x.conf | runs /tmp/.x/lib | when every library | Library /tmp/.x/lib Temporary Hidden"]
        );
        assert!(told("/srv/etc/ld.so.preload", "/x.so").is_empty());
    }

    #[test]
    fn what_the_loader_includes_is_read() {
        let path = "/etc/ld.so.conf";
        let tree = Tree::with(&[
            (path, b"include ld.so.conf.d/*.conf\ninclude\t/opt/l/*.conf x/y # c\ninclude /opt/*/z.conf\n"),
            ("/etc/ld.so.conf.d/a.conf", b"/tmp/read-where-it-lies\n"),
            ("/opt/l/b.conf", b"/tmp/b\ninclude /etc/ld.so.conf\ninclude b.conf\n"),
            ("/etc/x/y", b"/tmp/y\n"),
        ]);
        assert_eq!(
            tree.told(&EXTRACTOR, Platform::Linux, path),
            [
                "Preload b.conf | runs /tmp/b | when every library | Library /tmp/b Temporary",
                "Preload y | runs /tmp/y | when every library | Library /tmp/y Temporary",
            ]
        );
        assert_eq!(tree.read(&EXTRACTOR, Platform::Linux, path).gaps.len(), 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(parse(&bytes).len() <= bytes.len());
        }
    }
}
