//! What pip, venv, virtualenv and uv make.

use std::path::{Path, PathBuf};

use crate::kinds::{agrees_with_pip, asked, home, is_listed, is_listed_as, pip_installs_sample};
use crate::stage::{Swept, done, line, python, shown, sweep, tool, write};

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

/// `pip install` of the interpreter that belongs to no environment.
fn pip(home: &Path, args: &[&str]) {
    let install = ["-m", "pip", "install", "--break-system-packages", "--find-links"];
    done(tool(python(), home).args(install).arg(home).args(args).arg("sample"));
}

#[test]
fn pip_user() {
    let (_keep, home) = home();
    pip(&home, &["--user"]);
    let site = line(tool(python(), &home).args(["-c", "import site; print(site.getusersitepackages())"]));
    let wanted = asked(Path::new(&python()), &home, &[Path::new(&site)]);
    is_listed_as(&home, &home.join(".local"), "user-site", &wanted);
}

#[test]
fn pip_target() {
    let (_keep, home) = home();
    let target = home.join("srv/deploy");
    pip(&home, &["--target", shown(&target)]);
    is_listed_as(&home, &target, "pip-target", &asked(Path::new(&python()), &home, &[&target]));
}

#[test]
fn pip_prefix() {
    let (_keep, home) = home();
    let prefix = home.join("opt/app");
    pip(&home, &["--prefix", shown(&prefix)]);
    let site = prefix.join(line(
        tool(python(), &home).args(["-c", "import sys; print('lib/python%d.%d/site-packages' % sys.version_info[:2])"]),
    ));
    is_listed_as(&home, &prefix, "pip-prefix", &asked(Path::new(&python()), &home, &[&site]));
}

/// uv with the sample's folder as its only index.
fn uv(home: &Path, args: &[&str]) -> String {
    let mut uv = tool("uv", home);
    uv.envs([("UV_NO_INDEX", "1"), ("UV_FIND_LINKS", shown(home)), ("UV_PYTHON", &python())]);
    line(uv.args(args))
}

#[test]
fn uv_venv() {
    let (_keep, home) = home();
    let prefix = home.join("projects/web/.venv");
    uv(&home, &["venv", shown(&prefix)]);
    uv(&home, &["pip", "install", "--python", shown(&prefix), "sample"]);
    is_listed(&home, &prefix, "uv-venv");
    has_cached(&home);
}

/// uv's cache holds the unpacked wheel: stored, not installed.
fn has_cached(home: &Path) -> Swept {
    let report = sweep([home]);
    let cached = report.rows("distributions").iter().filter(|row| row["state"] == "cached");
    assert!(cached.clone().count() > 0, "the cache of uv is not listed");
    assert!(cached.clone().all(|row| row["path"].as_str().unwrap().starts_with(shown(&home.join(".cache/uv")))));
    report
}

#[test]
fn uv_tool() {
    let (_keep, home) = home();
    uv(&home, &["tool", "install", "sample"]);
    is_listed(&home, &home.join(".local/share/uv/tools/sample"), "uv-tool");
}

#[test]
fn uv_run_with() {
    let (_keep, home) = home();
    let code = "import sample; print(sample.__file__)";
    let module = uv(&home, &["run", "--no-project", "--with", "sample", "python", "-c", code]);
    // Its environment lies in the cache: PREFIX/lib/pythonX.Y/site-packages/sample/__init__.py
    let prefix = PathBuf::from(module).ancestors().nth(5).unwrap().to_path_buf();
    assert!(prefix.starts_with(home.join(".cache/uv")), "{}", prefix.display());
    is_listed(&home, &prefix, "uv-venv");
    has_cached(&home);
}

#[test]
fn uv_run_script() {
    let (_keep, home) = home();
    let script = home.join("notes.py");
    write(
        &script,
        "# /// script\n# dependencies = [\"sample\"]\n# ///\nimport sys\nimport sample\nprint(sys.prefix)\n",
    );
    let prefix = PathBuf::from(uv(&home, &["run", "--script", shown(&script)]));
    assert!(prefix.starts_with(home.join(".cache/uv")), "{}", prefix.display());
    is_listed(&home, &prefix, "uv-venv");
    has_cached(&home);
}
