//! The forms of the databases: stanzas of dpkg (deb822(5), dpkg(1) for the states) and apk (apk-v2 installed database),
//! the `desc` files of pacman (libalpm).

use std::io::{BufRead as _, BufReader, Read};

use crate::model::coverage::GapReason;
use crate::model::distribution::DistState;
use crate::model::time::Time;

/// Longest line of which more than the beginning is looked at, in bytes: names and versions are short.
const LONGEST: usize = 4096;

/// One package of a database.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Its version as written.
    pub version: String,
    /// The line of the version, counted from 1.
    pub line: Option<u32>,
    /// Installed, or left over from a removal.
    pub state: DistState,
}

/// How the fields of a stanza are called, without the colon, lower case.
#[derive(Clone, Copy, Debug)]
pub struct Fields {
    name: &'static str,
    version: &'static str,
    status: Option<&'static str>,
}

/// Those of dpkg.
pub const DPKG: Fields = Fields { name: "package", version: "version", status: Some("status") };

/// Those of apk.
pub const APK: Fields = Fields { name: "p", version: "v", status: None };

/// Calls `show` for every stanza that has a name.
///
/// # Errors
/// `Unreadable` when the disk fails.
pub fn stanzas(stream: impl Read, fields: Fields, mut show: impl FnMut(Row)) -> Result<(), GapReason> {
    let mut stanza = Stanza::default();
    lines(stream, |number, line| {
        if line.iter().all(u8::is_ascii_whitespace) {
            std::mem::take(&mut stanza).show(&mut show);
        } else {
            stanza.take(number, line, fields);
        }
    })?;
    stanza.show(&mut show);
    Ok(())
}

#[derive(Default)]
struct Stanza {
    name: Option<String>,
    version: Option<(u32, String)>,
    status: Option<String>,
}

impl Stanza {
    fn take(&mut self, number: u32, line: &[u8], fields: Fields) {
        // What begins with a blank belongs to the field above.
        let Some(at) = line.iter().position(|byte| *byte == b':').filter(|at| *at <= 20) else { return };
        let (Some(key), Some(value)) = (line.get(..at), line.get(at + 1..)) else { return };
        let is = |name: &str| key.eq_ignore_ascii_case(name.as_bytes());
        let text = || String::from_utf8_lossy(value).trim().to_owned();
        if is(fields.name) {
            self.name.get_or_insert_with(text);
        } else if is(fields.version) {
            self.version.get_or_insert_with(|| (number, text()));
        } else if fields.status.is_some_and(is) {
            self.status.get_or_insert_with(text);
        }
    }

    fn show(self, show: &mut impl FnMut(Row)) {
        let Some(name) = self.name.filter(|name| !name.is_empty()) else { return };
        let state = match self.status.as_deref().map(state) {
            Some(None) => return,
            Some(Some(state)) => state,
            None => DistState::Installed,
        };
        let (line, version) = self.version.unzip();
        show(Row { name, version: version.unwrap_or_default(), line, state });
    }
}

/// `install ok installed`: the last word says what is there. One that was purged, or never arrived, is not.
fn state(status: &str) -> Option<DistState> {
    match status.split_ascii_whitespace().last() {
        Some("not-installed") => None,
        Some("config-files") => Some(DistState::Leftover),
        // Unpacked and not configured, half installed, waiting for triggers: its files are there.
        _ => Some(DistState::Installed),
    }
}

/// Calls `show` with the number and the beginning of every line.
fn lines(stream: impl Read, mut show: impl FnMut(u32, &[u8])) -> Result<(), GapReason> {
    let mut stream = BufReader::with_capacity(64 << 10, stream);
    let mut line = Vec::with_capacity(LONGEST);
    let mut number = 1_u32;
    loop {
        let part = stream.fill_buf().map_err(|_| GapReason::Unreadable)?;
        if part.is_empty() {
            break;
        }
        let end = memchr::memchr(b'\n', part);
        let used = end.unwrap_or(part.len());
        let wanted = used.min(LONGEST.saturating_sub(line.len()));
        line.extend_from_slice(part.get(..wanted).unwrap_or_default());
        stream.consume(end.map_or(used, |end| end + 1));
        if end.is_some() {
            show(number, &line);
            line.clear();
            number = number.saturating_add(1);
        }
    }
    if !line.is_empty() {
        show(number, &line);
    }
    Ok(())
}

/// A `desc` of pacman: a name in percent signs, then values, then an empty line. None where it names no package.
#[must_use]
pub fn pacman(bytes: &[u8]) -> Option<(Row, Option<Time>)> {
    let text = String::from_utf8_lossy(bytes);
    let all: Vec<&str> = text.lines().map(str::trim).collect();
    let value = |key: &str| {
        let at = all.iter().position(|line| *line == key)?;
        let value = all.get(at + 1).filter(|value| !value.is_empty())?;
        Some((at + 2, (*value).to_owned()))
    };
    let (_, name) = value("%NAME%")?;
    let (line, version) = value("%VERSION%")?;
    let at = value("%INSTALLDATE%").and_then(|(_, seconds)| seconds.parse().ok()).map(Time::from_unix);
    Some((Row { name, version, line: u32::try_from(line).ok(), state: DistState::Installed }, at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(text: &[u8], fields: Fields) -> Vec<String> {
        let mut out = Vec::new();
        stanzas(text, fields, |row| {
            out.push(format!("{} {} {:?} {:?}", row.name, row.version, row.line, row.state));
        })
        .unwrap();
        out
    }

    #[test]
    fn stanzas_of_dpkg() {
        let text = b"Package: trivy\nStatus: install ok installed\nDescription: scans\n Version: 9\n .\nVersion: 0.69.4\n\n\
            package: old\nStatus: deinstall ok config-files\nVersion: 1:2-3\n\n\
            Package: gone\nStatus: purge ok not-installed\n\nPackage: half\nStatus: install reinstreq half-installed\nVersion: 1";
        assert_eq!(
            told(text, DPKG),
            ["trivy 0.69.4 Some(6) Installed", "old 1:2-3 Some(10) Leftover", "half 1 Some(17) Installed"]
        );
        // Distroless images have no status.
        assert_eq!(told(b"Package: x\nVersion: 1\n", DPKG), ["x 1 Some(2) Installed"]);
    }

    #[test]
    fn stanzas_of_apk() {
        let text = b"C:Q1x=\nP:trivy\nV:0.69.4-r0\nA:x86_64\n\nP:musl\nV:1.2.5-r1\n";
        assert_eq!(told(text, APK), ["trivy 0.69.4-r0 Some(3) Installed", "musl 1.2.5-r1 Some(7) Installed"]);
    }

    #[test]
    fn descriptions_of_pacman() {
        let (row, at) = pacman(b"%NAME%\ntrivy\n\n%VERSION%\n0.69.4-1\n\n%INSTALLDATE%\n1774000000\n").unwrap();
        assert_eq!((row.name.as_str(), row.version.as_str(), row.line), ("trivy", "0.69.4-1", Some(5)));
        assert_eq!(at.map(Time::unix), Some(1_774_000_000));
        assert!(pacman(b"%NAME%\n\n%VERSION%\n1\n").is_none() && pacman(b"").is_none());
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let mut text = b"Package: trivy\nDescription: ".to_vec();
        text.extend(std::iter::repeat_n(b'x', 1 << 20));
        text.extend(b"\nVersion: 1\n");
        assert_eq!(told(&text, DPKG), ["trivy 1 Some(3) Installed"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "(Package:|Version:|Status:|P:|V:|%NAME%|[ \n:a1])*") {
            for one in [bytes.as_slice(), text.as_bytes()] {
                let _any = (told(one, DPKG), told(one, APK), pacman(one));
            }
        }
    }
}
