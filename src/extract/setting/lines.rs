//! Files of `NAME=value` lines, and crontabs.
//!
//! ```text
//! PYTHONPATH="/opt/lib"                          environment.d(5), /etc/environment, files that units name
//! PYTHONPATH DEFAULT=@{HOME}/lib                 pam_env.conf(5)
//! */5 * * * * mia PYTHONPATH=/x python y         crontab(5)
//! ```

use memchr::memmem;

use super::found::{Found, assignment, may_set};
use super::shell;
use crate::extract::format::unit_lines::logical;

/// Files of assignments; `export` may stand in front, since some are read by shells too.
#[must_use]
pub fn parse_environment(bytes: &[u8]) -> Vec<Found> {
    logical(bytes, b"").iter().filter_map(|line| environment_line(&line.text, line.number)).collect()
}

fn environment_line(text: &[u8], number: u32) -> Option<Found> {
    let text = text.trim_ascii();
    let text = text.strip_prefix(b"export ").map_or(text, <[u8]>::trim_ascii_start);
    let (name, value) = split(text)?;
    Found::exported(name, &unquoted(value), number)
}

/// `pam_env.conf` and `.pam_environment`, which takes plain assignments as well.
#[must_use]
pub fn parse_pam(bytes: &[u8]) -> Vec<Found> {
    let mut out = Vec::new();
    for line in logical(bytes, b"").iter().filter(|line| may_set(&line.text)) {
        let text = line.text.trim_ascii();
        let name = text.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        let plain = out.len();
        for key in [b"DEFAULT=".as_slice(), b"OVERRIDE="] {
            let value = memmem::find(text, key).and_then(|at| text.get(at + key.len()..));
            out.extend(value.and_then(|value| Found::exported(name, &first_part(value), line.number)));
        }
        if out.len() == plain {
            out.extend(environment_line(text, line.number));
        }
    }
    out
}

/// Crontabs: assignments, and those in front of commands.
#[must_use]
pub fn parse_crontab(bytes: &[u8]) -> Vec<Found> {
    let mut out = Vec::new();
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let text = line.trim_ascii();
        if text.starts_with(b"#") || !may_set(text) {
            continue;
        }
        match split(text) {
            Some((name, value)) => out.extend(Found::exported(name, &unquoted(value), number)),
            None => out.extend(scheduled(text).into_iter().map(|found| Found { line: number, ..found })),
        }
    }
    out
}

/// The command behind five fields of time, or one (`@reboot`); in a crontab of the system the account stands in between.
fn scheduled(text: &[u8]) -> Vec<Found> {
    let fields = if text.starts_with(b"@") { 1 } else { 5 };
    let command = (0..fields).fold(text, |rest, _| behind_word(rest));
    let found = shell::parse(command);
    if found.is_empty() { shell::parse(behind_word(command)) } else { found }
}

fn behind_word(text: &[u8]) -> &[u8] {
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    text.get(end..).unwrap_or_default().trim_ascii_start()
}

/// `NAME = value`; the name may be quoted in crontabs.
fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == b'=')?;
    let (name, value) = text.split_at(at);
    let name = name.trim_ascii();
    let bare = |quote: u8| name.strip_prefix(&[quote])?.strip_suffix(&[quote]);
    let name = bare(b'"').or_else(|| bare(b'\'')).unwrap_or(name);
    let (is_name, value) = (name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'), value.get(1..)?);
    (is_name && !name.is_empty()).then(|| (name, value.trim_ascii()))
}

/// The value that begins a line's rest, quoted or up to a blank.
fn first_part(text: &[u8]) -> Vec<u8> {
    let inner = text.strip_prefix(b"\"");
    let (text, ends): (&[u8], fn(&u8) -> bool) = match inner {
        Some(inner) => (inner, |byte| *byte == b'"'),
        None => (text, u8::is_ascii_whitespace),
    };
    text.iter().take_while(|byte| !ends(byte)).copied().collect()
}

/// A value without its quotes; a comment behind a blank is none of it.
fn unquoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut quote = None;
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match (first, quote) {
            (b'\'' | b'"', None) if tail.contains(first) => quote = Some(*first),
            (byte, Some(open)) if *byte == open => quote = None,
            (b'\\', None | Some(b'"')) => {
                out.extend(tail.first());
                rest = tail.get(1..).unwrap_or_default();
            }
            (b'#', None) if out.last().is_some_and(u8::is_ascii_whitespace) => break,
            (byte, _) => out.push(*byte),
        }
    }
    out.truncate(out.trim_ascii_end().len());
    out
}

/// An assignment that is one word.
pub(super) fn of_word(word: &[u8], number: u32) -> Option<Found> {
    assignment(word).and_then(|(name, value)| Found::exported(name, value, number))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(found: Vec<Found>) -> Vec<String> {
        let tell = |one: &Found| format!("{}:{}={}", one.line, one.variable, String::from_utf8_lossy(&one.value));
        found.iter().map(tell).collect()
    }

    #[test]
    fn files_of_assignments() {
        let of = |text: &str| told(parse_environment(text.as_bytes()));
        assert_eq!(of("# x\nA=1\nPYTHONPATH=\"/a b\":/c # why\n"), ["3:PYTHONPATH=/a b:/c"]);
        assert_eq!(of("export PYTHONPATH = '/a'\r\n"), ["1:PYTHONPATH=/a"]);
        assert_eq!(of("PYTHONPATH=/a:\\\n/b\nPYTHONHOME=/c#d\n"), ["1:PYTHONPATH=/a:/b", "3:PYTHONHOME=/c#d"]);
        assert_eq!(of("PYTHONPATH='/a\n#PYTHONPATH=/b\n;PYTHONPATH=/c\nXPYTHONPATH=/d\n"), ["1:PYTHONPATH='/a"]);
    }

    #[test]
    fn pam_has_two_values() {
        let of = |text: &str| told(parse_pam(text.as_bytes()));
        assert_eq!(
            of("PYTHONPATH DEFAULT=/a OVERRIDE=\"@{HOME}/b c\"\n"),
            ["1:PYTHONPATH=/a", "1:PYTHONPATH=@{HOME}/b c"]
        );
        assert_eq!(of("X DEFAULT=PYTHONPATH=/a\nPYTHONPATH=/b\n"), ["2:PYTHONPATH=/b"]);
    }

    #[test]
    fn crontabs_have_commands_too() {
        let of = |text: &str| told(parse_crontab(text.as_bytes()));
        assert_eq!(of("PYTHONPATH = \"/a\"\n\"PYTHONHOME\"=/b\n"), ["1:PYTHONPATH=/a", "2:PYTHONHOME=/b"]);
        assert_eq!(of("# PYTHONPATH=/a\n*/5 * * * * PYTHONPATH=/b python x\n"), ["2:PYTHONPATH=/b"]);
        assert_eq!(of("@reboot root cd /x && PYTHONPATH=/c python x\n"), ["1:PYTHONPATH=/c"]);
        assert_eq!(of("17 * * * * root PYTHONPATH=/d python x\n"), ["1:PYTHONPATH=/d"]);
        assert!(of("17 * * * * root echo PYTHONPATH=/d\n").is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for found in [parse_environment(&bytes), parse_pam(&bytes), parse_crontab(&bytes)].concat() {
                prop_assert!(found.value.len() <= bytes.len());
            }
        }
    }
}
