//! pysweep's rules of versions beside those of the `packaging` library, which pip goes by: ten thousand versions and
//! specifiers, and as many pairs of versions, asked through one pack and one requirements file each. Where the answers
//! differ, the reason is listed here, and nothing else may differ.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use pysweep::intel::version::{is_valid, is_valid_specifier};
use serde_json::{Value, json};

use crate::locks::check;
use crate::stage::{folder, line, shown, write};

fn made() -> Value {
    let python = std::env::var_os("PYSWEEP_PACKAGING");
    let python = python.expect("PYSWEEP_PACKAGING names no Python that has packaging. `.ci/run` installs it.");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/make_versions.py");
    serde_json::from_str(&line(Command::new(python).arg("-I").arg(script))).unwrap()
}

/// Asks a pack of its own about each version: one package for each indicator, one line for each version. Which are bad?
fn asked(indicators: &[(&str, Value)], lines: &[(usize, &str)]) -> Vec<bool> {
    let (_keep, home) = folder();
    let rows = indicators.iter().enumerate().map(|(at, (key, value))| {
        let mut row = json!({
            "id": format!("versions-p{at}"), "type": "package", "ecosystem": "pypi", "name": format!("p{at}"),
            "meaning": "A sample.", "stage": "installed", "level": "compromised", "confidence": "confirmed",
            "references": ["one", "two"],
        });
        row[*key] = value.clone();
        row
    });
    let pack = json!({
        "id": "versions", "title": "A sample", "summary": "A sample.",
        "published": "2026-01-01", "modified": "2026-01-01", "status": "confirmed", "references": ["one", "two"],
        "indicators": rows.collect::<Vec<_>>(),
    });
    let (pack_file, file) = (home.join("pack.json"), home.join("requirements.txt"));
    // A pack says at its beginning that it is one.
    write(&pack_file, pack.to_string().replacen('{', "{\"schema\": \"pysweep.pack/1\", ", 1));
    write(&file, lines.iter().map(|(at, version)| format!("p{at}=={version}\n")).collect::<String>());
    let (_, rows, said) = check(&["--no-builtin-iocs", "--iocs", shown(&pack_file), "-r", shown(&file)]);
    assert_eq!((rows.len(), said.as_str()), (lines.len(), ""));
    for (row, (at, version)) in rows.iter().zip(lines) {
        assert_eq!((row.name.as_str(), row.version.as_str()), (format!("p{at}").as_str(), *version));
    }
    rows.iter().map(|row| row.answer == "BAD").collect()
}

/// One question, what `packaging` says, and what the answer would be without the version's local part.
struct Asked<'a> {
    found: &'a str,
    /// Whether `packaging` takes it for a version.
    is_version: bool,
    bad: &'a str,
    theirs: bool,
    without_local: bool,
}

/// Why pysweep answers another way, and how often it did.
type Reasons = BTreeMap<&'static str, usize>;

/// Numbers that do not fit into 64 bits. pysweep takes no such text for a version, and refuses a pack that holds one.
fn is_huge(text: &str) -> bool {
    text.split(|at: char| !at.is_ascii_digit()).any(|digits| !digits.is_empty() && digits.parse::<u64>().is_err())
}

/// The reasons for which answers differ on purpose, or for no harm.
fn reason(asked: &Asked<'_>, ours: bool) -> Option<&'static str> {
    let &Asked { found, is_version, bad, without_local, .. } = asked;
    Some(match ours {
        // Nothing is found by a version that nobody can write into a pack.
        false if is_huge(found) => "a number of more than 64 bits",
        // `1.0_1` is how a file name spells `1.0-1`.
        true if !is_version && found.contains('_') => "the spelling of file names",
        // The PEP compares texts here; the same version in other words is the same code.
        true if bad.contains("===") => "=== takes another spelling",
        // A rebuild of a bad version is bad, whatever its local part says.
        true if without_local && found.contains('+') && !bad.contains('+') => "the local part is left out",
        _ => return None,
    })
}

fn compared(questions: &[Asked<'_>], answers: &[bool]) -> Reasons {
    let mut reasons = Reasons::new();
    let mut unexplained = Vec::new();
    for (asked, ours) in questions.iter().zip(answers).filter(|(asked, ours)| asked.theirs != **ours) {
        match reason(asked, *ours) {
            Some(why) => *reasons.entry(why).or_default() += 1,
            None => unexplained.push(format!("{:?} with {:?}: {ours}", asked.found, asked.bad)),
        }
    }
    println!("of {} answers {reasons:?} differ", questions.len());
    assert!(
        unexplained.is_empty(),
        "{} answers differ for no reason that is known: {unexplained:#?}",
        unexplained.len()
    );
    reasons
}

fn all_occur(reasons: &Reasons, wanted: &[&str]) {
    assert_eq!(reasons.keys().copied().collect::<Vec<_>>(), wanted, "a reason that is gone goes from the list as well");
}

/// Why pysweep refuses a specifier that `packaging` takes. A pack with one stops the run, so nothing is missed in silence.
fn refused(specifier: &str) -> Option<&'static str> {
    let mut clauses = specifier.split(',').map(str::trim);
    Some(match () {
        () if is_huge(specifier) => "a number of more than 64 bits",
        () if clauses.clone().any(str::is_empty) => "a comma with nothing behind it",
        () if clauses.any(|one| one.strip_prefix("===").is_some_and(|text| !is_valid(text))) => "=== and no version",
        () => return None,
    })
}

#[test]
fn specifiers_are_taken_as_packaging_takes_them() {
    let made = made();
    let (mut indicators, mut lines, mut questions) = (Vec::new(), Vec::new(), Vec::new());
    let mut reasons = Reasons::new();
    for one in made["specifiers"].as_array().unwrap() {
        let specifier = one["specifier"].as_str().unwrap();
        if !is_valid_specifier(specifier) {
            if one["valid"] == true {
                let why =
                    refused(specifier).unwrap_or_else(|| panic!("{specifier:?} is refused, and nobody knows why"));
                *reasons.entry(why).or_default() += 1;
            }
            continue;
        }
        assert_eq!(one["valid"], true, "{specifier:?} is taken, and packaging refuses it");
        for row in one["versions"].as_array().unwrap() {
            let found = row[0].as_str().unwrap();
            lines.push((indicators.len(), found));
            let answers = [&row[1], &row[2], &row[3]].map(|answer| answer.as_bool().unwrap());
            let [is_version, theirs, without_local] = answers;
            questions.push(Asked { found, is_version, bad: specifier, theirs, without_local });
        }
        indicators.push(("specifier", one["specifier"].clone()));
    }
    println!("refused: {reasons:?}");
    all_occur(&reasons, &["=== and no version", "a comma with nothing behind it", "a number of more than 64 bits"]);
    assert!(questions.len() > 8000, "{}", questions.len());
    let reasons = compared(&questions, &asked(&indicators, &lines));
    let wanted = ["=== takes another spelling", "a number of more than 64 bits", "the spelling of file names"];
    all_occur(&reasons, &wanted);
}

#[test]
fn versions_are_the_same_where_packaging_says_so() {
    let made = made();
    let (mut indicators, mut lines, mut questions) = (Vec::new(), Vec::new(), Vec::new());
    let mut is_refused = false;
    for row in made["equal"].as_array().unwrap() {
        let (found, bad) = (row[0].as_str().unwrap(), row[2].as_str().unwrap());
        if !is_valid(bad) {
            assert!(is_huge(bad), "{bad:?} is refused, and nobody knows why");
            is_refused = true;
            continue;
        }
        let [is_version, theirs, without_local] = [&row[1], &row[3], &row[4]].map(|answer| answer.as_bool().unwrap());
        lines.push((indicators.len(), found));
        questions.push(Asked { found, is_version, bad, theirs, without_local });
        indicators.push(("versions", json!([bad])));
    }
    assert!(is_refused && questions.len() > 9000, "{}", questions.len());
    let reasons = compared(&questions, &asked(&indicators, &lines));
    all_occur(&reasons, &["the local part is left out"]);
}
