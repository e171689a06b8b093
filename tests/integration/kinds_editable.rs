//! Source trees that are linked into an environment: by pip with five back ends, and by the setuptools of old, which
//! also installed eggs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::kinds::{Row, asked, clean_sweep, home, is_editable, is_listed, listed, of, pip_installs_sample};
use crate::kinds_pyenv::pyenv_python;
use crate::stage::{done, python, shown, tool, tool_with_wheels, write};

/// Links a project into a venv with `pip install -e`, and returns venv and project.
fn linked(home: &Path, backend: (&str, &str), layout: &str) -> (PathBuf, PathBuf) {
    let project = home.join("projects/linked");
    let (requires, module) = backend;
    let text = format!(
        "[project]\nname = \"linked\"\nversion = \"0.1.0\"\ndescription = \"linked\"\ndependencies = [\"sample\"]\n\n[build-system]\nrequires = [\"{requires}\"]\nbuild-backend = \"{module}\"\n"
    );
    write(&project.join("pyproject.toml"), text);
    write(&project.join(layout).join("linked/__init__.py"), "");
    let prefix = home.join("venv");
    done(tool(python(), home).args(["-m", "venv"]).arg(&prefix));
    let pip = ["-m", "pip", "install", "--editable", shown(&project)];
    done(tool_with_wheels(prefix.join("bin/python"), home).args(pip));
    (prefix, project)
}

fn is_linked(backend: (&str, &str), layout: &str) {
    let (_keep, home) = home();
    let (prefix, project) = linked(&home, backend, layout);
    let swept = is_listed(&home, &prefix, "venv");
    let row = is_editable(&swept, &prefix, "linked", &project);
    assert_eq!(row["metadata"], "dist-info");
}

#[test]
fn setuptools_links_a_folder_by_a_path() {
    is_linked(("setuptools", "setuptools.build_meta"), "src");
}

#[test]
fn setuptools_links_a_folder_by_a_finder() {
    // With other folders beside the package, it lists modules instead of putting the whole folder on the path.
    is_linked(("setuptools", "setuptools.build_meta"), "");
}

#[test]
fn hatchling_links_a_folder() {
    is_linked(("hatchling", "hatchling.build"), "src");
}

#[test]
fn flit_links_a_folder() {
    is_linked(("flit_core", "flit_core.buildapi"), "src");
}

#[test]
fn poetry_links_a_folder() {
    is_linked(("poetry-core", "poetry.core.masonry.api"), "src");
}

#[test]
fn pdm_links_a_folder() {
    is_linked(("pdm-backend", "pdm.backend"), "src");
}

/// A venv with setuptools 57, the last line but one that still has a use for `setup.py`, and a project beside it.
fn old_setuptools(home: &Path) -> PathBuf {
    let prefix = home.join("old");
    let python = pyenv_python("3.8").unwrap_or_else(python);
    done(tool(python, home).args(["-m", "venv"]).arg(&prefix));
    let pip = ["-m", "pip", "install", "setuptools==57.5.0"];
    done(tool_with_wheels(prefix.join("bin/python"), home).args(pip));
    pip_installs_sample(home, &prefix);
    prefix
}

/// Runs `setup.py` in a new project, and returns the project.
fn setup(home: &Path, prefix: &Path, name: &str, is_zip: &str, command: &str) -> PathBuf {
    let project = home.join("projects").join(name);
    let text = format!(
        "from setuptools import setup\n\nsetup(name='{name}', version='1.2.3', packages=['{name}'], zip_safe={is_zip})\n"
    );
    write(&project.join("setup.py"), text);
    write(&project.join(name).join("__init__.py"), "");
    done(tool(prefix.join("bin/python"), home).args(["setup.py", "--quiet", command]).current_dir(&project));
    project
}

/// What the old venv's Python says of one thing on its path, by name and version.
fn sees(home: &Path, prefix: &Path, place: &Path) -> (String, String) {
    let seen: BTreeSet<Row> = asked(&prefix.join("bin/python"), home, &[place]);
    let seen: Vec<Row> = seen.into_iter().collect();
    assert_eq!(seen.len(), 1, "{seen:?}");
    (seen[0].0.clone(), seen[0].1.clone())
}

/// The file or folder of that ending in the site directory.
fn with_ending(prefix: &Path, ending: &str) -> PathBuf {
    let site = std::fs::read_dir(prefix.join("lib")).unwrap().next().unwrap().unwrap().path().join("site-packages");
    let entries = std::fs::read_dir(site).unwrap().map(|entry| entry.unwrap().path());
    let found: Vec<PathBuf> = entries.filter(|path| shown(path).ends_with(ending)).collect();
    assert_eq!(found.len(), 1, "{ending}: {found:?}");
    found.into_iter().next().unwrap()
}

#[test]
fn an_egg_of_old_is_listed() {
    let (_keep, home) = home();
    let prefix = old_setuptools(&home);
    setup(&home, &prefix, "eggfolder", "False", "install");
    let egg = with_ending(&prefix, ".egg");
    assert!(egg.is_dir(), "{}", egg.display());
    has_egg(&home, &prefix, &egg, "egg-dir");
}

#[test]
fn a_zipped_egg_of_old_is_listed() {
    let (_keep, home) = home();
    let prefix = old_setuptools(&home);
    setup(&home, &prefix, "eggzip", "True", "install");
    let egg = with_ending(&prefix, ".egg");
    assert!(egg.is_file(), "{}", egg.display());
    has_egg(&home, &prefix, &egg, "egg-zip");
}

fn has_egg(home: &Path, prefix: &Path, egg: &Path, form: &str) {
    let (name, version) = sees(home, prefix, egg);
    let swept = clean_sweep(home);
    assert_eq!(swept.at("environments", prefix)["kind"], "venv");
    let mut wanted = asked(&prefix.join("bin/python"), home, &[]);
    wanted.insert((name.clone(), version, shown(egg).to_owned()));
    assert_eq!(listed(&swept, prefix), wanted);
    let rows = of(&swept, prefix);
    let row = rows.iter().find(|row| row["normalized"] == *name).unwrap();
    assert_eq!([&row["metadata"], &row["state"]], [form, "installed"], "{row}");
}

#[test]
fn a_link_of_old_is_followed_to_its_source() {
    let (_keep, home) = home();
    let prefix = old_setuptools(&home);
    let project = setup(&home, &prefix, "eggedlink", "False", "develop");
    let link = with_ending(&prefix, ".egg-link");
    let (name, version) = sees(&home, &prefix, &project);
    let swept = clean_sweep(&home);
    assert_eq!(swept.at("environments", &prefix)["kind"], "venv");
    let mut wanted = asked(&prefix.join("bin/python"), &home, &[]);
    wanted.insert((name.clone(), version, shown(&link).to_owned()));
    assert_eq!(listed(&swept, &prefix), wanted);
    let row = is_editable(&swept, &prefix, &name, &project);
    assert_eq!(row["metadata"], "egg-link");
}
