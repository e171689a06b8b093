//! A dump of OSV as large as the public one of malicious packages of PyPI, made up here: it is imported, linted and used
//! whole, every row that cannot be used is named, and nothing honest is called bad. Figures are printed, never judged.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};

use crate::stage::started;

/// The program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_pysweep");

/// Records of malicious packages in the dump.
const RECORDS: usize = 30_000;

/// A record as ossf/malicious-packages has them, and the file it lies in. Every kind of the public data comes again and
/// again; what is wrong with some of them is what is wrong with some of the public ones.
fn record(at: usize) -> (String, Value) {
    let name = format!("evil-package-{at}");
    let id = format!("MAL-2026-{at}");
    let all = json!([{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]);
    let affected = match at % 10 {
        // Look-alikes: every version is bad.
        0..=4 => json!({"package": {"ecosystem": "PyPI", "name": name}, "ranges": all}),
        5 => {
            json!({"package": {"ecosystem": "PyPI", "name": name}, "versions": ["1.0", "1.0.1", "2.0rc1"], "ranges": all})
        }
        6 => json!({"package": {"ecosystem": "PyPI", "name": name}, "versions": ["0.1", "0.1-final-x"]}),
        7 => json!({
            "package": {"ecosystem": "PyPI", "name": name.replace('-', "_")},
            "versions": ["0.0.1"],
            "database_specific": {"indicators": {
                "evidence_files": [{"path": "x/setup.py", "sha256": format!("{at:064x}")}],
                "package_integrity": [{"filename": format!("{name}-0.0.1.tar.gz"), "hashes": {"sha256": format!("{:064x}", at + 1)}}],
                "domains": [format!("c2-{at}.example"), "github.com"]
            }}
        }),
        8 => json!({
            "package": {"ecosystem": "PyPI", "name": name},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1.0"}, {"fixed": "1.4"}]}]
        }),
        _ => json!({"package": {"ecosystem": "PyPI", "name": name}, "versions": ["3.1"]}),
    };
    let value = json!({
        "schema_version": "1.7.4",
        "id": id,
        "modified": "2026-11-17T10:00:00Z",
        "published": "2026-11-16T10:00:00Z",
        "summary": format!("Malicious code in {name} (PyPI)"),
        "details": "A made-up record of the length that these have. ".repeat(8),
        "affected": [affected],
        "credits": [{"name": "somebody", "type": "FINDER"}],
        "database_specific": {"malicious-packages-origins": [{"source": "x", "sha256": "f".repeat(64), "versions": ["9.9"]}]}
    });
    (format!("pypi/{name}/{id}.json"), value)
}

/// What lies beside them in a dump and must not be taken for malware.
fn others() -> Vec<(String, String)> {
    let package = |name: &str| json!([{"package": {"ecosystem": "PyPI", "name": name}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]);
    let row = |path: &str, value: Value| (path.to_owned(), value.to_string());
    vec![
        row("PYSEC-2026-9.json", json!({"id": "PYSEC-2026-9", "affected": package("django")})),
        row(
            "npm/MAL-1-npm.json",
            json!({"id": "MAL-1-npm", "affected": [{"package": {"ecosystem": "npm", "name": "left-pad"}, "versions": ["1.0"]}]}),
        ),
        row(
            "MAL-2026-4750.json",
            json!({"id": "MAL-2026-4750", "withdrawn": "2026-06-01T00:00:00Z", "affected": package("fastapi")}),
        ),
        row("withdrawn/pypi/numpy/MAL-1-numpy.json", json!({"id": "MAL-1-numpy", "affected": package("numpy")})),
        // A stale copy of a withdrawn record, which does not say so.
        row("MAL-2026-4750-stale.json", json!({"id": "MAL-2026-4750-stale", "affected": package("fastapi")})),
        row("MAL-1-empty.json", json!({"id": "MAL-1-empty", "affected": []})),
        ("broken.json".to_owned(), "{\"id\": \"MAL-1".to_owned()),
        ("twice.json".to_owned(), "{\"id\": \"MAL-1-a\", \"id\": \"MAL-1-b\", \"affected\": []}".to_owned()),
    ]
}

fn zipped(at: &Path) -> PathBuf {
    let path = at.join("all.zip");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    let made = (0..RECORDS).map(record).map(|(name, value)| (name, value.to_string()));
    for (name, text) in made.chain(others()) {
        archive.start_file(name, options).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap();
    path
}

/// Runs the program; its output, and how long it took.
fn timed(what: &str, command: &mut Command) -> (i32, String) {
    let begun = Instant::now();
    let out = started(command);
    println!("feeds: {what}: {} ms", begun.elapsed().as_millis());
    let said = String::from_utf8(out.stderr).unwrap();
    (out.status.code().unwrap(), String::from_utf8(out.stdout).unwrap() + &said)
}

#[test]
fn a_dump_of_thirty_thousand_records_is_imported_and_used_whole() {
    let at = tempfile::tempdir().unwrap();
    let dump = zipped(at.path());
    let (pack, report) = (at.path().join("feed.json"), at.path().join("report.txt"));
    let mut import = Command::new(PROGRAM);
    import.args(["iocs", "import", "-o"]).arg(&pack).arg("--report").arg(&report).arg(&dump);
    let (code, told) = timed("import", &mut import);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains(&format!("{} records read", RECORDS + others().len())), "{told}");
    println!("feeds: the dump has {} KB, the pack {} KB", size(&dump) >> 10, size(&pack) >> 10);

    let read: Value = serde_json::from_slice(&std::fs::read(&pack).unwrap()).unwrap();
    let names: BTreeSet<&str> =
        read["packages"].as_array().unwrap().iter().map(|row| row[0].as_str().unwrap()).collect();
    assert_eq!(names.len(), RECORDS + 1, "every made-up name, and fastapi, which is listed only");
    let notes = std::fs::read_to_string(&report).unwrap();
    for (name, what) in [
        ("MAL-1-empty", "names no package"),
        ("broken.json", "ends too early"),
        ("twice.json", "duplicate field"),
        ("MAL-2026-4750-stale", "living project"),
        ("MAL-2026-4750:", "withdrawn"),
        ("MAL-1-numpy", "withdrawn"),
        ("PYSEC-2026-9", "a vulnerability"),
        ("left-pad", "ecosystem `npm`"),
        ("MAL-2026-7:", "serves everybody"),
    ] {
        assert!(notes.lines().any(|line| line.contains(name) && line.contains(what)), "{name}: {what}");
    }

    let (code, told) = timed("lint", Command::new(PROGRAM).args(["iocs", "lint"]).arg(&pack));
    assert_eq!(code, 0, "{told}");
    check(&["--iocs", pack.to_str().unwrap()]);
    check(&["--iocs", dump.to_str().unwrap()]);
}

/// What is bad is called bad, and what is honest is not, whether from the pack or from the dump itself.
fn check(packs: &[&str]) {
    let ask = |what: &str| {
        let (code, told) = timed(&format!("check {what}"), Command::new(PROGRAM).args(["check", what]).args(packs));
        (code, told)
    };
    for bad in [
        "evil-package-0",
        "Evil_Package.7==0.0.1",
        "evil-package-5==7",
        "evil-package-6==0.1-final-x",
        "evil-package-8==1.3",
        "evil-package-9==3.1",
    ] {
        let (code, told) = ask(bad);
        assert_eq!(code, 1, "{bad}: {told}");
        assert!(told.contains("MAL-2026-"), "{bad}: {told}");
    }
    for good in [
        "fastapi==0.120.0",
        "numpy==2.0",
        "django==5.0",
        "left-pad==1.0",
        "evil-package-9==3.2",
        "evil-package-8==1.4",
        "evil-package-9==9.9",
    ] {
        let (code, told) = ask(good);
        assert_eq!(code, 0, "{good}: {told}");
    }
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}
