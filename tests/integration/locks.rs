//! Lock files as uv, poetry, pdm, pipenv, pip-tools and the library behind pixi write them, of a project that needs two inert
//! wheels: `check -r` asks about both and about nothing else, and a sweep finds the bad one pinned. No tool that writes
//! conda-lock.yml or explicit lists works without a channel of its own; those are written by hand (`tests/hosts`).

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use pysweep::extract::lock::{self, Lock};

use crate::stage::{PROGRAM, done, folder, line, python, shown, started, sweep, tool, tool_with_wheels, wheel, write};

/// What `check` says of one package.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Row {
    /// `BAD`, `PERHAPS` or `unknown`.
    pub(crate) answer: String,
    pub(crate) name: String,
    pub(crate) version: String,
}

/// Asks, and reads the answers: exit code, a row for each package, standard error.
pub(crate) fn check(args: &[&str]) -> (i32, Vec<Row>, String) {
    let out = started(Command::new(PROGRAM).arg("check").args(args));
    let text = String::from_utf8(out.stdout).unwrap();
    let row = |line: &str| {
        let mut words = line.split_whitespace().map(|word| word.trim_end_matches(':').to_owned());
        let answer = words.next().filter(|word| ["BAD", "PERHAPS", "unknown"].contains(&word.as_str()))?;
        let name = words.next().unwrap();
        let version = words.next().filter(|word| !word.starts_with('(')).unwrap_or_default();
        Some(Row { answer, name, version })
    };
    (out.status.code().unwrap(), text.lines().filter_map(row).collect(), String::from_utf8(out.stderr).unwrap())
}

/// A home with the two wheels and a project that needs them.
fn project(more: &str) -> (tempfile::TempDir, PathBuf, PathBuf) {
    let (keep, home) = folder();
    wheel(&home, "litellm", "1.82.7", None);
    wheel(&home, "sample", "1.0", None);
    let project = home.join("demo");
    let head = "[project]\nname = \"demo\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\n";
    let needs = "dependencies = [\"litellm==1.82.7\", \"sample!=1.82.7\"]\n";
    write(&project.join("pyproject.toml"), format!("{head}{needs}{more}"));
    (keep, home, project)
}

fn asks_about_both(file: &Path) -> String {
    let row = |answer: &str, name: &str, version: &str| Row {
        answer: answer.to_owned(),
        name: name.to_owned(),
        version: version.to_owned(),
    };
    let (code, rows, said) = check(&["-r", shown(file)]);
    let text = std::fs::read_to_string(file).unwrap();
    assert_eq!(code, 1, "{said}\n{text}");
    assert_eq!(rows, [row("BAD", "litellm", "1.82.7"), row("unknown", "sample", "1.0")], "{said}\n{text}");
    is_swept(file);
    said
}

/// A sweep of the folder finds both pins, and that one of them is bad.
fn is_swept(file: &Path) {
    let swept = sweep(["--root", shown(file.parent().unwrap())]);
    let path = format!("/{}", file.file_name().unwrap().to_str().unwrap());
    let pins = |section: &str| {
        let rows = swept.report[section].as_array().unwrap().iter();
        let here = rows.filter(|row| row["path"] == path.as_str() || row["subject"]["path"] == path.as_str());
        here.cloned().collect::<Vec<_>>()
    };
    if ["/some.lock", "/hashed.txt"].contains(&path.as_str()) {
        assert!(pins("distributions").is_empty(), "a name that says nothing is not asked for");
        return;
    }
    let row = |row: &serde_json::Value| format!("{} {}", row["name"].as_str().unwrap(), row["state"].as_str().unwrap());
    let mut named: Vec<String> = pins("distributions").iter().map(row).collect();
    named.sort_unstable();
    assert_eq!(named, ["litellm pinned", "sample pinned"], "{}", swept.json);
    let found = pins("findings");
    assert_eq!(found.len(), 1, "{}", swept.json);
    assert_eq!([&found[0]["level"], &found[0]["stage"]], ["exposed", "pinned"], "{}", swept.json);
}

fn read(file: &Path) -> Lock {
    lock::read(file.file_name().unwrap().to_str().unwrap(), &std::fs::read(file).unwrap()).unwrap()
}

/// The file says the hash of the wheel that is there.
fn knows_the_hash(home: &Path, file: &Path) {
    let said = line(Command::new("sha256sum").arg(home.join("litellm-1.82.7-py3-none-any.whl")));
    assert_eq!(read(file).pins[0].hashes, [said.split(' ').next().unwrap()], "{}", file.display());
}

fn uv(home: &Path, project: &Path, args: &[&str]) {
    done(tool_with_wheels("uv", home).args(args).args(["--python", &python()]).current_dir(project));
}

#[test]
fn uv_lock_and_what_uv_makes_of_it() {
    let (_keep, home, project) = project("");
    uv(&home, &project, &["lock"]);
    assert_eq!(asks_about_both(&project.join("uv.lock")), "");
    assert_eq!(read(&project.join("uv.lock")).own[0].name, "demo");
    for (format, name) in [("pylock.toml", "pylock.toml"), ("requirements-txt", "requirements.txt")] {
        uv(&home, &project, &["export", "--quiet", "--format", format, "--output-file", name]);
        assert_eq!(asks_about_both(&project.join(name)), "");
    }
    knows_the_hash(&home, &project.join("pylock.toml"));
    let compile = ["pip", "compile", "--quiet", "--generate-hashes", "--output-file", "hashed.txt", "pyproject.toml"];
    uv(&home, &project, &compile);
    assert_eq!(asks_about_both(&project.join("hashed.txt")), "");
    knows_the_hash(&home, &project.join("hashed.txt"));
}

#[test]
fn uv_lock_of_a_script() {
    let (_keep, home, project) = project("");
    let head =
        "# /// script\n# requires-python = \">=3.9\"\n# dependencies = [\"litellm==1.82.7\", \"sample==1.0\"]\n# ///\n";
    let script = project.join("tool.py");
    write(&script, head);
    uv(&home, &project, &["lock", "--script", "tool.py"]);
    assert_eq!(asks_about_both(&script), "");
    assert_eq!(asks_about_both(&project.join("tool.py.lock")), "");
}

/// pipenv and pip-tools are not on every machine of the lane: their names say which Python has them.
fn tools_python(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} names no Python. `.ci/run` installs it."))
}

#[test]
fn pipenv_lock() {
    let (_keep, home, project) = project("");
    let index = Index::of(&home);
    let source = format!("[[source]]\nname = \"here\"\nurl = \"{}\"\nverify_ssl = false\n\n", index.1);
    write(&project.join("Pipfile"), format!("{source}[packages]\nlitellm = \"==1.82.7\"\nsample = \"!=1.82.7\"\n"));
    let mut pipenv = tool(tools_python("PYSWEEP_PIPENV"), &home);
    pipenv.args(["-m", "pipenv", "lock", "--python", &python()]).env_remove("PIP_NO_INDEX");
    done(pipenv.env("PIPENV_VENV_IN_PROJECT", "1").env("PIPENV_NOSPIN", "1").current_dir(&project));
    assert_eq!(asks_about_both(&project.join("Pipfile.lock")), "");
    knows_the_hash(&home, &project.join("Pipfile.lock"));
}

#[test]
fn pip_tools_compile() {
    let (_keep, home, project) = project("");
    write(&project.join("deps/base.in"), "litellm==1.82.7\n");
    write(&project.join("all.in"), "-r deps/base.in\nsample!=1.82.7\n");
    let mut compile = tool_with_wheels(tools_python("PYSWEEP_PIPENV"), &home);
    compile.args(["-m", "piptools", "compile", "--quiet", "--strip-extras", "--generate-hashes", "--no-index"]);
    done(compile.args(["--output-file", "requirements.txt", "all.in"]).current_dir(&project));
    assert_eq!(asks_about_both(&project.join("requirements.txt")), "");
    knows_the_hash(&home, &project.join("requirements.txt"));
    let (code, rows, said) = check(&["-r", shown(&project.join("all.in"))]);
    assert_eq!((code, rows.len(), &*said), (1, 2, ""), "what it was made of names both as well");
}

#[test]
fn pixi_lock() {
    let (_keep, home) = folder();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/make_pixi_lock.py");
    let file = home.join("pixi.lock");
    done(tool(tools_python("PYSWEEP_RATTLER"), &home).arg(script).arg(&file));
    let (code, rows, said) = check(&["-r", shown(&file)]);
    let row = |row: &Row| format!("{} {} {}", row.answer, row.name, row.version);
    let rows: Vec<String> = rows.iter().map(row).collect();
    assert_eq!(rows, ["BAD litellm 1.82.7", "unknown sample 1.0", "BAD litellm 1.82.8"], "{said}");
    assert_eq!((code, &*said), (1, ""));
    assert_eq!(read(&file).pins[0].hashes, ["ab".repeat(32)]);
}

#[test]
fn uv_lock_of_a_workspace() {
    let build = "[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n";
    let needs = "[dependency-groups]\ndev = [\"part\", \"near\"]\n";
    let sources = "[tool.uv.sources]\npart = { workspace = true }\nnear = { path = \"../near\", editable = true }\n";
    let (_keep, home, project) =
        project(&format!("{needs}{build}{sources}[tool.uv.workspace]\nmembers = [\"part\"]\n"));
    for name in ["demo/part", "near"] {
        let head = format!("[project]\nname = \"{}\"\nversion = \"0.1.0\"\n", name.rsplit('/').next().unwrap());
        write(&home.join(name).join("pyproject.toml"), format!("{head}requires-python = \">=3.9\"\n{build}"));
    }
    uv(&home, &project, &["lock"]);
    let said = asks_about_both(&project.join("uv.lock"));
    assert!(said.contains("has near from a source tree") && said.lines().count() == 1, "{said}");
    let own: Vec<String> = read(&project.join("uv.lock")).own.into_iter().map(|pin| pin.name).collect();
    assert_eq!(own, ["demo", "part"]);
}

#[test]
fn pdm_lock_and_what_pdm_makes_of_it() {
    let source = "[[tool.pdm.source]]\nname = \"pypi\"\ntype = \"find_links\"\nurl = \"file:///${PROJECT_ROOT}/..\"\n";
    let (_keep, home, project) = project(source);
    let pdm = |args: &[&str]| {
        let mut pdm = tool("pdm", &home);
        done(pdm.env("PDM_CHECK_UPDATE", "false").env("PDM_USE_VENV", "0").args(args).current_dir(&project));
    };
    pdm(&["use", "--first", &python()]);
    pdm(&["lock"]);
    assert_eq!(asks_about_both(&project.join("pdm.lock")), "");
    knows_the_hash(&home, &project.join("pdm.lock"));
    for (format, name) in [("pylock", "pylock.toml"), ("requirements", "requirements.txt")] {
        pdm(&["export", "--format", format, "--output", name]);
        assert_eq!(asks_about_both(&project.join(name)), "");
        knows_the_hash(&home, &project.join(name));
    }
}

/// An index on this machine, until it is dropped: poetry takes packages from nothing less.
struct Index(Child, String);

impl Index {
    fn of(home: &Path) -> Self {
        for name in ["litellm-1.82.7", "sample-1.0"] {
            let wheel = format!("{name}-py3-none-any.whl");
            let page = home.join("index/simple").join(name.split('-').next().unwrap());
            write(&page.join(&wheel), std::fs::read(home.join(&wheel)).unwrap());
        }
        let mut server = Command::new(python());
        server.args(["-I", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"]);
        server.arg(home.join("index")).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = server.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let port = said.split(" port ").nth(1).and_then(|rest| rest.split(' ').next());
        let url = format!("http://127.0.0.1:{}/simple/", port.unwrap_or_else(|| panic!("no port in {said:?}")));
        Self(child, url)
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn poetry_lock() {
    let (_keep, home, project) = project("");
    let index = Index::of(&home);
    let manifest = project.join("pyproject.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    write(&manifest, format!("{text}\n[[tool.poetry.source]]\nname = \"here\"\nurl = \"{}\"\n", index.1));
    done(tool("poetry", &home).env("POETRY_NO_INTERACTION", "1").arg("lock").current_dir(&project));
    assert_eq!(asks_about_both(&project.join("poetry.lock")), "");
    knows_the_hash(&home, &project.join("poetry.lock"));
    // The same under a name that says nothing.
    std::fs::rename(project.join("poetry.lock"), project.join("some.lock")).unwrap();
    asks_about_both(&project.join("some.lock"));
}
