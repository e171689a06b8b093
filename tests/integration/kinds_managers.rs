//! What the managers of projects, applications and checks make: pipx, poetry, pdm, hatch, tox, nox, pre-commit.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::kinds::{asked, home, is_editable, is_listed, is_listed_as};
use crate::stage::{done, line, python, shown, tool, tool_with_wheels, wheels, write};

#[test]
fn pipx_through_uv() {
    let (_keep, home) = home();
    done(tool_with_wheels("pipx", &home).args(["install", "--backend", "uv", "--python", &python(), "sample"]));
    is_listed(&home, &home.join(".local/share/pipx/venvs/sample"), "pipx");
}

#[test]
fn pipx_through_pip() {
    let (_keep, home) = home();
    done(tool_with_wheels("pipx", &home).args(["install", "--backend", "pip", "--python", &python(), "sample"]));
    let swept = is_listed(&home, &home.join(".local/share/pipx/venvs/sample"), "pipx");
    // One pip serves all of them, by a start-up file in each.
    assert_eq!(swept.at("environments", &home.join(".local/share/pipx/shared"))["kind"], "pipx");
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
    let swept = is_listed(&home, &prefix, "poetry");
    is_editable(&swept, &prefix, "poem", &project);
}

/// A project that needs the sample, and knows only the wheels of this machine.
fn pdm_project(home: &Path, name: &str) -> PathBuf {
    let project = home.join("projects").join(name);
    let source = |name: &str, folder: &Path| {
        format!("[[tool.pdm.source]]\nname = \"{name}\"\ntype = \"find_links\"\nurl = \"file://{}\"\n\n", shown(folder))
    };
    let head = format!(
        "[project]\nname = \"{name}\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\ndependencies = [\"sample\"]\n\n"
    );
    let build = "[build-system]\nrequires = [\"pdm-backend\"]\nbuild-backend = \"pdm.backend\"\n\n";
    // A source called `pypi` stands in for the one that pdm would add.
    let text = format!("{head}{build}{}{}", source("pypi", &wheels()), source("home", home));
    write(&project.join("pyproject.toml"), text);
    write(&project.join("src").join(name).join("__init__.py"), "");
    project
}

fn pdm(home: &Path, project: &Path, setting: (&str, &str), args: &[&str]) {
    let mut pdm = tool("pdm", home);
    done(pdm.env("PDM_CHECK_UPDATE", "false").env(setting.0, setting.1).args(args).current_dir(project));
}

#[test]
fn pdm_keeps_an_environment_in_the_project() {
    let (_keep, home) = home();
    let project = pdm_project(&home, "inside");
    pdm(&home, &project, ("PDM_VENV_IN_PROJECT", "1"), &["use", "--first", &python()]);
    pdm(&home, &project, ("PDM_VENV_IN_PROJECT", "1"), &["install"]);
    assert!(project.join(".pdm-python").is_file());
    let swept = is_listed(&home, &project.join(".venv"), "pdm");
    is_editable(&swept, &project.join(".venv"), "inside", &project);
}

#[test]
fn pdm_keeps_an_environment_in_its_own_folder() {
    let (_keep, home) = home();
    let project = pdm_project(&home, "outside");
    pdm(&home, &project, ("PDM_VENV_IN_PROJECT", "0"), &["use", "--first", &python()]);
    pdm(&home, &project, ("PDM_VENV_IN_PROJECT", "0"), &["install"]);
    let prefix = only_folder(&home.join(".local/share/pdm/venvs"));
    let swept = is_listed(&home, &prefix, "pdm");
    is_editable(&swept, &prefix, "outside", &project);
}

#[test]
fn pdm_keeps_local_packages() {
    let (_keep, home) = home();
    let project = pdm_project(&home, "local");
    std::fs::create_dir(project.join("__pypackages__")).unwrap();
    pdm(&home, &project, ("PDM_USE_VENV", "0"), &["use", "--first", &python()]);
    pdm(&home, &project, ("PDM_USE_VENV", "0"), &["install"]);
    let prefix = only_folder(&project.join("__pypackages__"));
    let wanted = asked(Path::new(&python()), &home, &[&prefix.join("lib")]);
    let swept = is_listed_as(&home, &prefix.join("lib"), "pdm-pep582", &wanted);
    is_editable(&swept, &prefix.join("lib"), "local", &project);
}

#[test]
fn hatch() {
    let (_keep, home) = home();
    let project = home.join("projects/hat");
    let text = "[project]\nname = \"hat\"\nversion = \"0.1.0\"\ndependencies = [\"sample\"]\n\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n";
    write(&project.join("pyproject.toml"), text);
    write(&project.join("src/hat/__init__.py"), "");
    let hatch = |args: &[&str]| {
        let mut command = tool_with_wheels("hatch", &home);
        line(command.env("HATCH_PYTHON", python()).args(args).current_dir(&project))
    };
    hatch(&["env", "create"]);
    let prefix = PathBuf::from(hatch(&["env", "find"]));
    assert!(prefix.starts_with(home.join(".local/share/hatch")), "{}", prefix.display());
    let swept = is_listed(&home, &prefix, "hatch");
    is_editable(&swept, &prefix, "hat", &project);
}

#[test]
fn tox() {
    let (_keep, home) = home();
    let project = home.join("projects/checked");
    let text = format!(
        "[tox]\nenvlist = unit\nskipsdist = true\n\n[testenv]\nbase_python = {}\ndeps = sample\ncommands = python -c \"import sample\"\n",
        python()
    );
    write(&project.join("tox.ini"), text);
    done(tool_with_wheels("tox", &home).arg("run").current_dir(&project));
    is_listed(&home, &project.join(".tox/unit"), "tox");
}

#[test]
fn nox() {
    let (_keep, home) = home();
    let project = home.join("projects/checked");
    let text = format!(
        "import nox\n\n\n@nox.session(python=\"{}\")\ndef unit(session):\n    session.install(\"sample\")\n",
        python()
    );
    write(&project.join("noxfile.py"), text);
    done(tool_with_wheels("nox", &home).current_dir(&project));
    is_listed(&home, &only_folder(&project.join(".nox")), "nox");
}

#[test]
fn pre_commit() {
    let (_keep, home) = home();
    let git = |folder: &Path, args: &[&str]| {
        let who = ["-c", "user.name=mia", "-c", "user.email=mia@example.invalid"];
        line(tool("git", &home).env("GIT_CONFIG_NOSYSTEM", "1").args(who).args(args).current_dir(folder))
    };
    let hooks = home.join("hooks");
    write(&hooks.join(".pre-commit-hooks.yaml"), "- id: sample\n  name: sample\n  entry: sample\n  language: python\n");
    let text = "from setuptools import setup\n\nsetup(name='hooks', version='0.1', py_modules=['hooks'], install_requires=['sample'])\n";
    write(&hooks.join("setup.py"), text);
    write(&hooks.join("hooks.py"), "");
    git(&hooks, &["init", "--quiet"]);
    git(&hooks, &["add", "."]);
    git(&hooks, &["commit", "--quiet", "-m", "one"]);
    let project = home.join("projects/checked");
    let text = format!(
        "repos:\n- repo: {}\n  rev: {}\n  hooks:\n  - id: sample\n",
        shown(&hooks),
        git(&hooks, &["rev-parse", "HEAD"])
    );
    write(&project.join(".pre-commit-config.yaml"), text);
    git(&project, &["init", "--quiet"]);
    done(tool_with_wheels("pre-commit", &home).arg("install-hooks").current_dir(&project));
    let find = [".cache/pre-commit", "-path", "*/repo*/py_env-*/pyvenv.cfg"];
    let mark = PathBuf::from(line(Command::new("find").args(find).current_dir(&home)));
    is_listed(&home, home.join(mark).parent().unwrap(), "pre-commit");
}

/// The one folder in a folder.
fn only_folder(folder: &Path) -> PathBuf {
    let inner = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found: Vec<PathBuf> = inner.filter(|path| path.is_dir()).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}
