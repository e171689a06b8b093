//! Source trees that are linked into an environment: by pip with five back ends, and by the setuptools of old, which
//! also installed eggs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::kinds::{Row, asked, home, is_editable, is_listed, is_listed_as, pip_installs_sample};
use crate::kinds_pyenv::pyenv_python;
use crate::stage::{done, python, shown, tool, tool_with_wheels, write};

/// Name of the project, what it needs to be built, the back end, and the folder of its package.
const PROJECTS: [[&str; 4]; 6] = [
    ["by-path", "setuptools", "setuptools.build_meta", "src"],
    // With the package beside pyproject.toml, it lists modules instead of putting the whole folder on the path.
    ["by-finder", "setuptools", "setuptools.build_meta", ""],
    ["by-hatchling", "hatchling", "hatchling.build", "src"],
    ["by-flit", "flit_core", "flit_core.buildapi", "src"],
    ["by-poetry", "poetry-core", "poetry.core.masonry.api", "src"],
    ["by-pdm", "pdm-backend", "pdm.backend", "src"],
];

#[test]
fn pip_links_source_trees_by_five_back_ends() {
    let (_keep, home) = home();
    let prefix = home.join("venv");
    done(tool(python(), &home).args(["-m", "venv"]).arg(&prefix));
    for [name, requires, backend, folder] in PROJECTS {
        let project = home.join("projects").join(name);
        let head = format!("[project]\nname = \"{name}\"\nversion = \"0.1.0\"\ndescription = \"{name}\"\n");
        let build = format!("[build-system]\nrequires = [\"{requires}\"]\nbuild-backend = \"{backend}\"\n");
        write(&project.join("pyproject.toml"), format!("{head}dependencies = [\"sample\"]\n\n{build}"));
        write(&project.join(folder).join(name.replace('-', "_")).join("__init__.py"), "");
        let pip = ["-m", "pip", "install", "--editable", shown(&project)];
        // pip makes an environment for each back end; compiling what is in there would take most of the time.
        done(tool_with_wheels(prefix.join("bin/python"), &home).env("PIP_NO_COMPILE", "1").args(pip));
    }
    let swept = is_listed(&home, &prefix, "venv");
    for [name, ..] in PROJECTS {
        let row = is_editable(&swept, &prefix, name, &home.join("projects").join(name));
        assert_eq!(row["metadata"], "dist-info", "{row}");
    }
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

/// The one entry of the site directory that starts and ends so.
fn in_site(prefix: &Path, start: &str, ending: &str) -> PathBuf {
    let site = std::fs::read_dir(prefix.join("lib")).unwrap().next().unwrap().unwrap().path().join("site-packages");
    let is_it = |name: &str| name.starts_with(start) && name.ends_with(ending);
    let entries = std::fs::read_dir(site).unwrap().map(|entry| entry.unwrap().path());
    let found: Vec<PathBuf> = entries.filter(|path| is_it(path.file_name().unwrap().to_str().unwrap())).collect();
    assert_eq!(found.len(), 1, "{start}…{ending}: {found:?}");
    found.into_iter().next().unwrap()
}

/// `setup.py install` and `setup.py develop`, as one did before 2021.
#[test]
fn eggs_and_links_of_old_are_listed() {
    let (_keep, home) = home();
    let prefix = old_setuptools(&home);
    setup(&home, &prefix, "eggfolder", "False", "install");
    let folder = in_site(&prefix, "eggfolder-1.2.3-py", ".egg");
    assert!(folder.is_dir(), "{}", folder.display());
    setup(&home, &prefix, "eggzip", "True", "install");
    let zip = in_site(&prefix, "eggzip-1.2.3-py", ".egg");
    assert!(zip.is_file(), "{}", zip.display());
    let project = setup(&home, &prefix, "eggedlink", "False", "develop");
    let link = in_site(&prefix, "eggedlink", ".egg-link");

    let mut wanted = asked(&prefix.join("bin/python"), &home, &[]);
    // What its Python finds in an egg, or at the end of the link, the report has under the thing in the site directory.
    let things = [(&folder, &folder, "egg-dir"), (&zip, &zip, "egg-zip"), (&project, &link, "egg-link")];
    wanted.extend(things.map(|(place, row, _)| {
        let (name, version) = sees(&home, &prefix, place);
        (name, version, shown(row).to_owned())
    }));
    let swept = is_listed_as(&home, &prefix, "venv", &wanted);
    for (_, row, form) in things {
        assert_eq!(swept.at("distributions", row)["metadata"], form);
    }
    assert_eq!(swept.at("distributions", &folder)["state"], "installed");
    assert_eq!(swept.at("distributions", &zip)["state"], "installed");
    is_editable(&swept, &prefix, "eggedlink", &project);
}
