//! Packs signed with the real minisign: who signed is named, and what does not fit stops the run.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::stage::{done, started};

/// The program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_pysweep");

/// Key pairs and a pack in `at`.
fn stage(at: &Path) {
    for name in ["one", "other"] {
        let mut make = Command::new("minisign");
        done(make.current_dir(at).args(["-G", "-W", "-p", &format!("{name}.pub"), "-s", &format!("{name}.key")]));
    }
    let shown = started(Command::new(PROGRAM).args(["iocs", "show", "litellm-2026-03"]));
    std::fs::write(at.join("pack.json"), shown.stdout).unwrap();
    std::fs::create_dir(at.join("root")).unwrap();
}

fn sign(at: &Path, key: &str) {
    done(Command::new("minisign").current_dir(at).args([
        "-S",
        "-m",
        "pack.json",
        "-s",
        key,
        "-t",
        "a pack of this test",
    ]));
}

/// Exit code, standard output, standard error.
fn run(at: &Path, args: &[&str]) -> (i32, String, String) {
    let out = started(Command::new(PROGRAM).current_dir(at).args(args));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (out.status.code().unwrap(), text(out.stdout), text(out.stderr))
}

#[test]
fn real_signatures_are_verified() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    stage(at);
    let sweep = |more: &[&str]| {
        let mut args = vec!["--root", "root", "--no-builtin-iocs", "--iocs", "pack.json", "--format", "json"];
        args.extend(more);
        run(at, &args)
    };
    let signed_by = |text: &str| serde_json::from_str::<Value>(text).unwrap()["packs"][0]["signed_by"].clone();

    let (code, told, _) = sweep(&[]);
    assert_eq!((code, signed_by(&told)), (0, Value::Null), "unsigned is used, and named so");
    let (code, told, said) = sweep(&["--require-signed"]);
    assert!(code == 2 && told.is_empty() && said.contains("not signed"), "{said}");

    sign(at, "one.key");
    let (code, told, _) = sweep(&["--require-signed", "--trust-key", "one.pub"]);
    assert_eq!(code, 0);
    assert!(signed_by(&told).as_str().unwrap().ends_with("(one.pub): a pack of this test"), "{}", signed_by(&told));
    assert_eq!(run(at, &["iocs", "verify", "pack.json", "--trust-key", "one.pub"]).0, 0);
    assert_eq!(run(at, &["iocs", "verify", "pack.json"]).0, 2, "nobody is trusted");
    assert_eq!(run(at, &["iocs", "verify", "pack.json", "--trust-key", "other.pub"]).0, 2);
    assert_eq!(sweep(&["--require-signed", "--trust-key", "other.pub"]).0, 2);
    let (code, told, _) = sweep(&["--trust-key", "other.pub"]);
    assert_eq!((code, signed_by(&told)), (0, Value::Null), "a key that nobody trusts signs for nobody");

    let pack = std::fs::read_to_string(at.join("pack.json")).unwrap();
    std::fs::write(at.join("pack.json"), pack.replacen("1.82.8", "1.82.9", 1)).unwrap();
    let (code, told, said) = sweep(&["--trust-key", "one.pub"]);
    assert!(code == 2 && told.is_empty() && said.contains("not that of pack.json"), "{said}");
}
