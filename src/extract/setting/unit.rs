//! Unit files of systemd, what is dropped in beside them, and the configuration of its managers (`systemd.exec(5)`,
//! `systemd-system.conf(5)`).
//!
//! ```text
//! [Service]
//! Environment="PYTHONPATH=/opt/a b" LANG=C
//! EnvironmentFile=-/opt/app/env
//! ExecStart=/usr/bin/env PYTHONSTARTUP=/x python app.py
//! ```

use super::found::Found;
use super::lines;
use super::shell;
use crate::extract::format::unit_lines::{self, Line};

/// Keys whose values are assignments.
const ASSIGNING: &[&[u8]] = &[b"Environment", b"DefaultEnvironment", b"ManagerEnvironment"];

/// What a unit says.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Unit {
    /// What it sets.
    pub found: Vec<Found>,
    /// The files of assignments that it names, as written.
    pub files: Vec<Vec<u8>>,
}

/// Reads a unit. An empty assignment, which takes back earlier ones, is not heeded: which file comes last is not known here.
#[must_use]
pub fn parse(bytes: &[u8]) -> Unit {
    let mut unit = Unit::default();
    for Line { number, text } in unit_lines::logical(bytes, b" ") {
        let Some(at) = text.iter().position(|byte| *byte == b'=') else { continue };
        let (key, value) = text.split_at(at);
        let (key, value) = (key.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii());
        if ASSIGNING.contains(&key) {
            let words = unit_lines::words(value);
            unit.found.extend(words.iter().filter_map(|word| lines::of_word(word, number)));
        } else if key == b"EnvironmentFile" {
            let path = value.strip_prefix(b"-").unwrap_or(value);
            let path = path.strip_prefix(b"\"").and_then(|path| path.strip_suffix(b"\"")).unwrap_or(path);
            unit.files.extend((!path.is_empty()).then(|| path.to_vec()));
        } else if key.starts_with(b"Exec") {
            let marks = value.iter().take_while(|byte| b"@-:+!|".contains(byte)).count();
            let found = shell::parse(value.get(marks..).unwrap_or_default());
            unit.found.extend(found.into_iter().map(|found| Found { line: number, ..found }));
        }
    }
    unit
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(text: &str) -> Vec<String> {
        let tell = |one: &Found| format!("{}:{}={}", one.line, one.variable, String::from_utf8_lossy(&one.value));
        parse(text.as_bytes()).found.iter().map(tell).collect()
    }

    #[test]
    fn units_set_variables_in_three_ways() {
        assert_eq!(
            told("[Service]\nEnvironment=\"PYTHONPATH=/a b\" LANG=C 'PYTHONHOME=/c'\n"),
            ["2:PYTHONPATH=/a b", "2:PYTHONHOME=/c"]
        );
        assert_eq!(
            told("Environment=A=1 \\\n# PYTHONPATH=/x\n  PYTHONPATH=%h/a\nDefaultEnvironment=PYTHONHOME=/b\n"),
            ["1:PYTHONPATH=%h/a", "4:PYTHONHOME=/b"]
        );
        assert_eq!(told("ExecStart=-/usr/bin/env PYTHONPATH=/a python x\n"), ["1:PYTHONPATH=/a"]);
        assert_eq!(told("ExecStartPre=@/bin/sh sh -c 'PYTHONPATH=/a python x'\n"), ["1:PYTHONPATH=/a"]);
        assert_eq!(
            told("Description=PYTHONPATH=/a\n#Environment=PYTHONPATH=/a\nPassEnvironment=PYTHONPATH\n").len(),
            0
        );
    }

    #[test]
    fn units_name_files() {
        let unit = parse(b"EnvironmentFile=-/opt/app/env\nEnvironmentFile=\nEnvironmentFile=\"/x y\"\n");
        assert_eq!(unit.files, [b"/opt/app/env".as_slice(), b"/x y"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let unit = parse(&[b"Environment=".as_slice(), &bytes].concat());
            prop_assert!(unit.files.iter().all(|path| !path.is_empty()));
        }
    }
}
