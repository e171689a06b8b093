//! Libraries that every program loads, and folders in which libraries are looked for (`ld.so(8)`, `ldconfig(8)`).
//!
//! ```text
//! /opt/x/libx.so /lib/liby.so        /etc/ld.so.preload: blanks, colons and line ends part them
//! /opt/x/lib                         /etc/ld.so.conf.d/x.conf: a row only for an odd place
//! ```

use super::command::Told;
use super::script::Odd;
use super::{CAP, Entry, content, is_void, place_of, push};
use crate::extract::Extractor;
use crate::extract::input::Input;
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
    let is_preload = input.candidate.name == b"ld.so.preload";
    for (line, path) in parse(&content.bytes) {
        let told = Told::one(&path, Role::Library, line);
        // Any library that every program loads is worth a row; a folder is only where it lies oddly.
        if !is_preload && !Odd::of(input, &content).is_any(&told) {
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
        push(input, &content, entry, &mut harvest);
    }
    harvest
}

/// The paths of a file, and in which line. `include` lines of `ld.so.conf` name files that are read anyway.
#[must_use]
pub fn parse(bytes: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let mut out = Vec::new();
    for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let text = text.split(|byte| *byte == b'#').next().unwrap_or_default().trim_ascii();
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

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(parse(&bytes).len() <= bytes.len());
        }
    }
}
