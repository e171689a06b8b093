//! `python312._pth` or `python._pth` beside a Windows interpreter: the embeddable package, which applications carry with
//! them ("Using Python on Windows"). The file replaces the import path; its lines are read with the start-up files.

use crate::extract::Extractor;
use crate::extract::input::{Input, listed};
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Interest, NamePattern};
use crate::model::python::{Prefix, PrefixMark};

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "embeddable",
        sentence: "Pythons that Windows applications bring with them (python312._pth).",
        ask: Ask::FileNames(&[NamePattern::Suffix("._pth")]),
    },
    cap: 0,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let candidate = input.candidate;
    let mut harvest = Harvest::default();
    if !is_path_file(candidate.name) {
        return harvest;
    }
    match candidate.dir.stat_entry(candidate.name) {
        Ok(stat) => harvest.facts.prefixes.push(Prefix {
            path: input.folder(),
            shown_by: PrefixMark::Embeddable,
            folder: input.folder(),
            identity: candidate.dir.stat().map(|stat| stat.identity),
            base: None,
            modified: Some(stat.modified),
            owner_uid: Some(stat.uid),
        }),
        Err(why) => harvest.gaps.push(input.gap(listed(why))),
    }
    harvest
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
