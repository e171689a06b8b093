//! What the cases about kinds of environments share: each environment is made by its real tool, is listed with its kind,
//! and with the distributions that its own Python sees. They are clean, so here, and only here, their Python may be
//! asked.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::stage::{Swept, done, folder, line, paths, shown, sweep, tool, wheel};

/// Name as PEP 503 normalises it, version, path of the metadata.
pub(crate) type Row = (String, String, String);

/// Prints the distributions of the folders it is given, or else of the site directory, one JSON list a line.
const ASK: &str = "
import importlib.metadata, json, re, sys, sysconfig
for one in importlib.metadata.distributions(path=sys.argv[1:] or [sysconfig.get_path('purelib')]):
    name = re.sub(r'[-_.]+', '-', one.metadata['Name']).lower()
    print(json.dumps([name, one.version, str(one._path)]))
";

/// What a Python says of the folders, or else of its own site directory.
pub(crate) fn asked(python: &Path, home: &Path, folders: &[&Path]) -> BTreeSet<Row> {
    let said = line(tool(python, home).args(["-I", "-c", ASK]).args(folders));
    said.lines().map(|row| serde_json::from_str(row).unwrap()).collect()
}

/// The same of the distributions of one environment in a report.
pub(crate) fn listed(swept: &Swept, prefix: &Path) -> BTreeSet<Row> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let own = of(swept, prefix);
    own.iter().map(|row| (text(row, "normalized"), text(row, "version"), text(row, "path"))).collect()
}

/// The rows of the distributions of one environment.
pub(crate) fn of<'a>(swept: &'a Swept, prefix: &Path) -> Vec<&'a Value> {
    let environment = &swept.at("environments", prefix)["id"];
    swept.rows("distributions").iter().filter(|row| row["environment"] == *environment).collect()
}

/// Sweeps a home in which everything is clean: no finding, and nothing missed.
pub(crate) fn clean_sweep(home: &Path) -> Swept {
    let swept = sweep([home]);
    let said = || format!("{:?}\n{}", swept.rows("findings"), swept.report["coverage"]);
    assert_eq!(swept.verdict(), ("none", "complete", 0), "{}", said());
    swept
}

/// An environment with a Python of its own: kind, version, distributions, interpreter.
pub(crate) fn is_listed(home: &Path, prefix: &Path, kind: &str) -> Swept {
    let python = prefix.join("bin/python");
    let wanted = asked(&python, home, &[]);
    let swept = is_listed_as(home, prefix, kind, &wanted);
    let version = line(tool(&python, home).args(["-I", "-c", "import platform; print(platform.python_version())"]));
    let told = swept.at("environments", prefix)["python_version"].as_str().unwrap();
    // Some tools write `3.11`, some `3.11.7`, some `3.11.7.final.0`.
    assert!(told.starts_with(&version) || version.starts_with(told), "{told} is not {version}");
    // The interpreter's link leads out of the environment; the report names it all the same.
    let own = paths(swept.rows("interpreters")).iter().any(|path| path.starts_with(shown(prefix)));
    assert!(own, "no interpreter of {} in {:?}", prefix.display(), paths(swept.rows("interpreters")));
    swept
}

/// An environment that holds `wanted`, the sample among it.
pub(crate) fn is_listed_as(home: &Path, prefix: &Path, kind: &str, wanted: &BTreeSet<Row>) -> Swept {
    assert!(wanted.iter().any(|row| row.0 == "sample"), "the tool did not install the sample: {wanted:?}");
    let swept = clean_sweep(home);
    assert_eq!(swept.at("environments", prefix)["kind"], kind, "{}", prefix.display());
    assert_eq!(listed(&swept, prefix), *wanted, "{}", prefix.display());
    swept
}

/// What `pip list` says is what the report says; for the tools that put pip into the environment.
pub(crate) fn agrees_with_pip(home: &Path, prefix: &Path) {
    let list = line(tool(prefix.join("bin/python"), home).args(["-m", "pip", "list", "--format", "json"]));
    let rows: Vec<Value> = serde_json::from_str(&list).unwrap();
    let normal = |name: &str| name.to_lowercase().replace(['_', '.'], "-");
    let pair = |row: &Value| (normal(row["name"].as_str().unwrap()), row["version"].as_str().unwrap().to_owned());
    let wanted: BTreeSet<(String, String)> = rows.iter().map(pair).collect();
    let told = listed(&sweep([home]), prefix);
    assert_eq!(told.into_iter().map(|row| (row.0, row.1)).collect::<BTreeSet<_>>(), wanted);
}

/// The row of a distribution that is linked to its source tree.
pub(crate) fn is_editable<'a>(swept: &'a Swept, prefix: &Path, name: &str, source: &Path) -> &'a Value {
    let rows = of(swept, prefix);
    let row = rows.iter().find(|row| row["normalized"] == name);
    let row = row.unwrap_or_else(|| panic!("{} has no {name}", prefix.display()));
    assert_eq!(row["state"], "editable", "{row}");
    assert_eq!(row["source"]["path"], shown(source), "{row}");
    // What is installed from a wheel has no source tree.
    for other in rows.iter().filter(|row| row["state"] == "installed") {
        assert_eq!(other.get("source"), Some(&Value::Null), "{other}");
    }
    row
}

/// A home with the wheel of the sample in it.
pub(crate) fn home() -> (tempfile::TempDir, PathBuf) {
    let (keep, path) = folder();
    wheel(&path, "sample", "1.2.3", None);
    (keep, path)
}

/// The sample by the pip of an environment.
pub(crate) fn pip_installs_sample(home: &Path, prefix: &Path) {
    let pip = ["-m", "pip", "install", "--find-links"];
    done(tool(prefix.join("bin/python"), home).args(pip).arg(home).arg("sample"));
}
