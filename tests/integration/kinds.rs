//! Environments as five tools make them: each is listed with its kind, and with the distributions that its own Python
//! sees. They are clean, so here, and only here, their Python may be asked.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::stage::{done, folder, line, paths, python, shown, sweep, tool, wheel, write};

/// Name as PEP 503 normalises it, version, path of the metadata folder.
type Row = (String, String, String);

/// Prints the distributions of the site directory, one JSON list a line.
const ASK: &str = "
import importlib.metadata, json, re, sysconfig
for one in importlib.metadata.distributions(path=[sysconfig.get_path('purelib')]):
    name = re.sub(r'[-_.]+', '-', one.metadata['Name']).lower()
    print(json.dumps([name, one.version, str(one._path)]))
";

fn is_listed(home: &Path, prefix: &Path, kind: &str) {
    let python = prefix.join("bin/python");
    let asked = String::from_utf8(done(tool(&python, home).args(["-I", "-c", ASK])).stdout).unwrap();
    let wanted: BTreeSet<Row> = asked.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
    assert!(wanted.iter().any(|row| row.0 == "sample"), "the tool did not install the sample: {wanted:?}");

    let swept = sweep([home]);
    assert_eq!(swept.verdict(), ("none", "complete", 0), "{}", swept.report["coverage"]);
    let environment = swept.at("environments", prefix);
    assert_eq!(environment["kind"], kind);
    let version = line(tool(&python, home).args(["-I", "-c", "import platform; print(platform.python_version())"]));
    let told = environment["python_version"].as_str().unwrap();
    // Some tools write `3.11`, some `3.11.7`, some `3.11.7.final.0`.
    assert!(told.starts_with(&version) || version.starts_with(told), "{told} is not {version}");
    assert_eq!(of(swept.rows("distributions"), &environment["id"]), wanted);
    // The interpreter's link leads out of the environment; the report names it all the same.
    let own = paths(swept.rows("interpreters")).iter().any(|path| path.starts_with(shown(prefix)));
    assert!(own, "no interpreter of {} in {:?}", prefix.display(), paths(swept.rows("interpreters")));
}

fn of(distributions: &[Value], environment: &Value) -> BTreeSet<Row> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let own = distributions.iter().filter(|row| row["environment"] == *environment);
    own.map(|row| (text(row, "normalized"), text(row, "version"), text(row, "path"))).collect()
}

/// What `pip list` says is what the report says; for the tools that put pip into the environment.
fn agrees_with_pip(home: &Path, prefix: &Path) {
    let list = line(tool(prefix.join("bin/python"), home).args(["-m", "pip", "list", "--format", "json"]));
    let rows: Vec<Value> = serde_json::from_str(&list).unwrap();
    let normal = |name: &str| name.to_lowercase().replace(['_', '.'], "-");
    let pair = |row: &Value| (normal(row["name"].as_str().unwrap()), row["version"].as_str().unwrap().to_owned());
    let wanted: BTreeSet<(String, String)> = rows.iter().map(pair).collect();
    let swept = sweep([home]);
    let told = of(swept.rows("distributions"), &swept.at("environments", prefix)["id"]);
    assert_eq!(told.into_iter().map(|row| (row.0, row.1)).collect::<BTreeSet<_>>(), wanted);
}

fn home() -> (tempfile::TempDir, PathBuf) {
    let (keep, path) = folder();
    wheel(&path, "sample", "1.2.3", None);
    (keep, path)
}

fn pip_installs_sample(home: &Path, prefix: &Path) {
    let pip = ["-m", "pip", "install", "--find-links"];
    done(tool(prefix.join("bin/python"), home).args(pip).arg(home).arg("sample"));
}

#[test]
fn venv() {
    let (_keep, home) = home();
    let prefix = home.join("projects/web/.venv");
    done(tool(python(), &home).args(["-m", "venv"]).arg(&prefix));
    pip_installs_sample(&home, &prefix);
    is_listed(&home, &prefix, "venv");
    agrees_with_pip(&home, &prefix);
}

#[test]
fn virtualenv() {
    let (_keep, home) = home();
    let prefix = home.join("projects/web/env");
    done(tool("virtualenv", &home).args(["--no-download", "-p", &python()]).arg(&prefix));
    pip_installs_sample(&home, &prefix);
    is_listed(&home, &prefix, "virtualenv");
    agrees_with_pip(&home, &prefix);
}

#[test]
fn uv_venv() {
    let (_keep, home) = home();
    let prefix = home.join("projects/web/.venv");
    done(tool("uv", &home).args(["venv", "--python", &python()]).arg(&prefix));
    let install = ["pip", "install", "--no-index", "--find-links"];
    let target = ["--python", shown(&prefix), "sample"];
    done(tool("uv", &home).args(install).arg(&home).args(target));
    is_listed(&home, &prefix, "uv-venv");
    // uv's cache holds the unpacked wheel: stored, not installed.
    let report = sweep([&home]);
    let cached = report.rows("distributions").iter().filter(|row| row["state"] == "cached");
    assert!(cached.clone().count() > 0, "the cache of uv is not listed");
    assert!(cached.clone().all(|row| row["path"].as_str().unwrap().starts_with(shown(&home.join(".cache/uv")))));
}

#[test]
fn pipx() {
    let (_keep, home) = home();
    let mut pipx = tool("pipx", &home);
    // It works through uv where there is one, else through pip.
    pipx.envs([("UV_NO_INDEX", "1"), ("UV_FIND_LINKS", shown(&home)), ("PIP_FIND_LINKS", shown(&home))]);
    pipx.args(["install", "--python", &python(), "sample"]);
    done(&mut pipx);
    is_listed(&home, &home.join(".local/share/pipx/venvs/sample"), "pipx");
}

#[test]
fn poetry() {
    let (_keep, home) = home();
    let project = home.join("projects/poem");
    let text = "[project]\nname = \"poem\"\nversion = \"0.1.0\"\nrequires-python = \">=3.8\"\n\n[build-system]\nrequires = [\"poetry-core\"]\nbuild-backend = \"poetry.core.masonry.api\"\n";
    write(&project.join("pyproject.toml"), text);
    write(&project.join("poem/__init__.py"), "");
    let poetry = |args: &[&str]| {
        let mut command = tool("poetry", &home);
        command.env("POETRY_NO_INTERACTION", "1").args(args).current_dir(&project);
        line(&mut command)
    };
    poetry(&["env", "use", &python()]);
    poetry(&["install", "--only-root"]);
    let prefix = PathBuf::from(poetry(&["env", "info", "--path"]));
    let pip = ["-m", "pip", "--python", shown(&prefix), "install", "--find-links", shown(&home), "sample"];
    done(tool(python(), &home).args(pip));
    is_listed(&home, &prefix, "poetry");
}
