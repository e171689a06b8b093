//! Databases of RPM (SQLite, Berkeley DB or its own `ndb`): not read row by row. A header begins with the package's name
//! and version, one behind the other and each with a zero at its end (rpm documentation, header format); those of watched
//! names are looked for in the bytes. What was removed may still stand in unused parts of the file, so that a hit is a lead,
//! and a row that was split between pages may be missed, so that silence proves nothing: `coverage.skipped` names the file.

use std::io::Read as _;

use super::rows::Row;
use super::{MOST, package};
use crate::extract::input::Input;
use crate::model::coverage::{GapReason, Skipped};
use crate::model::distribution::DistState;
use crate::model::facts::Harvest;
use crate::model::system_package::SystemPackage;

/// Bytes that are looked at at a time.
const PART: usize = 256 << 10;

/// Most bytes of a name and a version together.
const LONGEST: usize = 256;

pub(super) fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    let names: Vec<&str> = input.watch.packages_of("rpm").collect();
    if names.is_empty() {
        return harvest;
    }
    // What SQLite has not yet put into the database lies beside it.
    if !input.candidate.name.ends_with(b"-wal") {
        harvest.skipped.push(Skipped {
            path: input.candidate.path.clone(),
            why: "a database of RPM: searched for the names that packs watch, not read row by row; a clean machine can ask it with rpm --root".to_owned(),
        });
    }
    let file = match input.open_candidate() {
        Ok(file) => file,
        Err(why) => return Harvest::missed(input.gap(why)),
    };
    let modified = file.stat.modified;
    if file.stat.size > input.cap {
        harvest.gaps.push(input.gap(GapReason::TooLarge));
    }
    let mut stream = input.stream_open(file, input.cap);
    let (mut window, mut part) = (Vec::new(), vec![0; PART]);
    loop {
        let Ok(got) = stream.read(&mut part) else {
            harvest.gaps.push(input.gap(GapReason::Unreadable));
            break;
        };
        window.extend_from_slice(part.get(..got).unwrap_or_default());
        for row in names.iter().flat_map(|name| find(&window, name)) {
            let found = package(input.candidate.path.clone(), "rpm", &row, Some(modified));
            keep(input, found, &mut harvest);
        }
        if got == 0 {
            break;
        }
        let gone = window.len().saturating_sub(LONGEST);
        window.drain(..gone);
    }
    harvest
}

fn keep(input: &Input<'_>, found: SystemPackage, harvest: &mut Harvest) {
    if harvest.facts.system_packages.contains(&found) {
        return;
    }
    if harvest.facts.system_packages.len() < MOST {
        harvest.facts.system_packages.push(found);
    } else if !harvest.gaps.iter().any(|gap| gap.reason == GapReason::TooLarge) {
        let says = format!("only its first {MOST} rows of watched names were taken");
        harvest.gaps.push(input.gap(GapReason::TooLarge).because(says));
    }
}

/// The versions that stand behind a name.
#[must_use]
pub fn find(bytes: &[u8], name: &str) -> Vec<Row> {
    let needle = [b"\0", name.as_bytes(), b"\0"].concat();
    let mut out: Vec<Row> = Vec::new();
    for at in memchr::memmem::find_iter(bytes, &needle) {
        let rest = bytes.get(at + needle.len()..).unwrap_or_default();
        let Some(end) = rest.iter().take(LONGEST - needle.len().min(LONGEST)).position(|byte| *byte == 0) else {
            continue;
        };
        let version = rest.get(..end).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default();
        let is_version = version.starts_with(|at: char| at.is_ascii_digit())
            && version.bytes().all(|at| at.is_ascii_alphanumeric() || b".+~^_".contains(&at));
        if is_version && !out.iter().any(|row| row.version == version) {
            let version = version.to_owned();
            out.push(Row { name: name.to_owned(), version, line: None, state: DistState::Leftover });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_followed_by_its_version() {
        let found = find(b"\x00\x01C\0trivy\x000.69.4\x001\0x\0trivy\0scans\0trivy\x000.70", "trivy");
        assert_eq!(found.iter().map(|row| row.version.as_str()).collect::<Vec<_>>(), ["0.69.4"]);
        assert!(find(b"\0trivy-db\x001\0", "trivy").is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200), name in "[a-z]{0,300}") {
            let _any = find(&bytes, &name);
        }
    }
}
