//! RECORD compared with the disk: what a real tool has just installed is as its RECORD says.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::kinds::{home, of};
use crate::stage::{Swept, done, python, shown, sweep, tool, tool_with_wheels};

const PACKAGES: &[&str] = &["pip", "setuptools", "sample"];

/// The distributions of an environment that have a RECORD, `packages` among them.
fn with_record<'a>(swept: &'a Swept, prefix: &Path, packages: &[&str]) -> Vec<&'a Value> {
    let rows: Vec<&Value> = of(swept, prefix).into_iter().filter(|row| row["record"]["state"] != "absent").collect();
    for name in packages {
        assert!(rows.iter().any(|row| row["normalized"] == *name), "{} has no {name}: {rows:?}", prefix.display());
    }
    rows
}

fn is_verified(home: &Path, prefix: &Path) {
    let swept = sweep(["--verify", shown(home)]);
    assert_eq!(swept.verdict(), ("none", "complete", 0), "{:?}\n{:?}", swept.rows("findings"), swept.gaps());
    for row in with_record(&swept, prefix, PACKAGES) {
        let record = &row["record"];
        assert_eq!(record["state"], "verified", "{row}");
        assert_eq!([&record["modified"], &record["missing"]], [0, 0], "{row}");
        assert!(record["checked"].as_u64().unwrap() > 0, "{row}");
    }
}

fn pip(home: &Path, python: impl AsRef<Path>, args: &[&str]) {
    let install = ["-m", "pip", "install", "--upgrade", "--break-system-packages"];
    done(tool_with_wheels(python.as_ref(), home).args(install).args(args).args(PACKAGES));
}

fn made_by_venv(home: &Path) -> PathBuf {
    let prefix = home.join("venv");
    done(tool(python(), home).args(["-m", "venv"]).arg(&prefix));
    pip(home, prefix.join("bin/python"), &[]);
    prefix
}

#[test]
fn without_verify_a_clean_record_is_not_compared() {
    let (_keep, home) = home();
    let prefix = made_by_venv(&home);
    let swept = sweep([&home]);
    for row in with_record(&swept, &prefix, PACKAGES) {
        assert_eq!(
            [&row["record"]["state"], &row["record"]["checked"]],
            [&Value::from("unverified"), &0.into()],
            "{row}"
        );
    }
}

#[test]
fn what_pip_put_into_a_venv_is_verified() {
    let (_keep, home) = home();
    let prefix = made_by_venv(&home);
    is_verified(&home, &prefix);
}

#[test]
fn what_virtualenv_and_pip_installed_is_verified() {
    // virtualenv unpacks pip and setuptools itself, and lists in their RECORD hundreds of compiled files, without hash,
    // in places where it does not put them.
    let (_keep, home) = home();
    let prefix = home.join("virtualenv");
    done(tool("virtualenv", &home).args(["--no-download", "-p", &python()]).arg(&prefix));
    pip(&home, prefix.join("bin/python"), &[]);
    is_verified(&home, &prefix);
}

#[test]
fn what_uv_installed_is_verified() {
    let (_keep, home) = home();
    let prefix = home.join("uv");
    done(tool("uv", &home).args(["venv", "--python", &python()]).arg(&prefix));
    done(tool_with_wheels("uv", &home).args(["pip", "install", "--python", shown(&prefix)]).args(PACKAGES));
    is_verified(&home, &prefix);
}

#[test]
fn what_pip_put_into_a_target_folder_is_verified() {
    // pip writes `../../bin/pip` into RECORD, and the script to TARGET/bin/pip: such a row leads out of the target.
    let (_keep, home) = home();
    let target = home.join("srv/deploy");
    pip(&home, python(), &["--target", shown(&target)]);
    is_verified(&home, &target);
}

#[test]
fn what_pip_put_into_a_user_site_is_verified() {
    let (_keep, home) = home();
    pip(&home, python(), &["--user", "--ignore-installed"]);
    is_verified(&home, &home.join(".local"));
}

#[test]
fn what_pipx_installed_is_verified_but_for_its_script() {
    let (_keep, home) = home();
    done(tool_with_wheels("pipx", &home).args(["install", "--python", &python(), "sample"]));
    // It does not put pip into environments that it makes with uv.
    done(tool_with_wheels("pipx", &home).args(["inject", "sample", "setuptools"]));
    let prefix = home.join(".local/share/pipx/venvs/sample");
    let swept = sweep(["--verify", shown(&home)]);
    assert_eq!(swept.verdict(), ("none", "complete", 0), "{:?}\n{:?}", swept.rows("findings"), swept.gaps());
    for row in with_record(&swept, &prefix, &["setuptools", "sample"]) {
        let record = &row["record"];
        if row["normalized"] == "sample" {
            // Afterwards it writes `-E` into the first line of the script, and leaves RECORD as it was.
            let changes = record["changes"].as_array().unwrap();
            assert_eq!(changes.len(), 1, "{row}");
            assert_eq!(changes[0]["path"], shown(&prefix.join("bin/sample")), "{row}");
            assert_eq!([&changes[0]["what"], &record["state"]], ["changed", "modified"], "{row}");
        } else {
            assert_eq!(record["state"], "verified", "{row}");
        }
    }
}
