//! What every case needs: tools that must be there, folders, Python environments, the program under test and its report.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_pysweep");

/// Longest that one sweep may take. Not a measure of speed, only a way out of a hang.
const PATIENCE: &str = "300";

/// Runs a tool to its good end; anything else fails the case, with what the tool said.
pub(crate) fn done(command: &mut Command) -> Output {
    let out = started(command);
    let said = || format!("{}\n{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{command:?} ended with {}:\n{}", out.status, said());
    out
}

/// Runs a tool to whatever end. That it is there at all is required.
pub(crate) fn started(command: &mut Command) -> Output {
    let program = command.get_program().to_owned();
    command
        .output()
        .unwrap_or_else(|why| panic!("cannot run {}: {why}. `.ci/run` installs what is needed.", program.display()))
}

/// One line that a tool prints.
pub(crate) fn line(command: &mut Command) -> String {
    String::from_utf8(done(command).stdout).unwrap().trim_end().to_owned()
}

/// Whether this lane runs as root: only root can take other users' rights, and see all of the host.
pub(crate) fn is_root() -> bool {
    line(Command::new("id").arg("-u")) == "0"
}

/// A temporary folder and its real path, links resolved: reports name real paths.
pub(crate) fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = std::fs::canonicalize(folder.path()).unwrap();
    (folder, path)
}

/// Writes a file and the folders above it.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// The text of METADATA.
pub(crate) fn metadata(name: &str, version: &str) -> String {
    format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n")
}

/// Makes the skeleton of a virtual environment by hand and returns its site directory.
pub(crate) fn bare_venv(prefix: &Path) -> PathBuf {
    write(&prefix.join("pyvenv.cfg"), "home = /usr/bin\nversion = 3.11.2\n");
    let site = prefix.join("lib/python3.11/site-packages");
    std::fs::create_dir_all(&site).unwrap();
    site
}

/// The interpreter behind `python3`: neither a shim that needs its user's home, nor a virtual environment.
pub(crate) fn python() -> String {
    line(Command::new("python3").args([
        "-I",
        "-c",
        "import sys; print(getattr(sys, '_base_executable', sys.executable))",
    ]))
}

/// A tool in an environment of its own: a home that is ours, no settings of the user, nothing fetched from anywhere.
pub(crate) fn tool(program: impl AsRef<OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", home).current_dir(home);
    command.envs([("PIP_NO_INDEX", "1"), ("PIP_CONFIG_FILE", "/dev/null"), ("PIP_DISABLE_PIP_VERSION_CHECK", "1")]);
    command.envs([("UV_OFFLINE", "1"), ("UV_NO_CONFIG", "1"), ("UV_PYTHON_DOWNLOADS", "never"), ("LC_ALL", "C.UTF-8")]);
    command
}

/// Builds a wheel of inert text, with a start-up file if `pth` names one.
pub(crate) fn wheel(folder: &Path, name: &str, version: &str, pth: Option<&str>) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/make_wheel.py");
    done(Command::new(python()).arg(script).arg(folder).args([name, version]).args(pth));
}

/// The folder of wheels that `.ci/run` downloads: what tools need to build and to install with.
pub(crate) fn wheels() -> PathBuf {
    let folder = std::env::var_os("PYSWEEP_WHEELS");
    PathBuf::from(folder.expect("PYSWEEP_WHEELS names no folder of wheels. `.ci/run` downloads them."))
}

/// A tool that finds the wheels of two folders, and nothing else: those that cases build, and those of `.ci/run`.
pub(crate) fn tool_with_wheels(program: impl AsRef<OsStr>, home: &Path) -> Command {
    let mut command = tool(program, home);
    let wheels = wheels();
    command.env("PIP_FIND_LINKS", format!("{} {}", shown(home), shown(&wheels)));
    command.env("UV_FIND_LINKS", format!("{},{}", shown(home), shown(&wheels))).env("UV_NO_INDEX", "1");
    command
}

/// What a sweep said.
pub(crate) struct Swept {
    /// The exit code.
    pub(crate) code: i32,
    /// The JSON report.
    pub(crate) report: Value,
    /// The same as written.
    pub(crate) json: String,
}

/// Sweeps, with the JSON report on standard output.
pub(crate) fn sweep<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Swept {
    swept(Command::new("timeout").args([PATIENCE, PROGRAM, "--format", "json"]).args(args))
}

/// Sweeps with at most 2 GB of address space, so that reading without a bound ends badly at once.
pub(crate) fn sweep_bounded<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Swept {
    let script = format!("ulimit -v 2000000 && exec timeout {PATIENCE} \"$0\" --format json \"$@\"");
    swept(Command::new("sh").args(["-c", &script, PROGRAM]).args(args))
}

/// Reads what a sweep wrote, whatever program started it.
pub(crate) fn swept(command: &mut Command) -> Swept {
    let out = started(command);
    let code = out.status.code().unwrap_or_else(|| panic!("{command:?} ended with {}", out.status));
    let json = String::from_utf8(out.stdout).unwrap();
    let report = serde_json::from_str(&json).unwrap_or_else(|why| {
        panic!("{command:?} ended with {code}, no report ({why}):\n{}", String::from_utf8_lossy(&out.stderr))
    });
    Swept { code, report, json }
}

impl Swept {
    /// The rows of a list of the report.
    pub(crate) fn rows(&self, key: &str) -> &[Value] {
        self.report[key].as_array().unwrap_or_else(|| panic!("the report has no list {key}"))
    }

    /// What was missed.
    pub(crate) fn gaps(&self) -> &[Value] {
        self.report["coverage"]["gaps"].as_array().unwrap()
    }

    /// The row of a list that lies at `path`.
    pub(crate) fn at(&self, key: &str, path: &Path) -> &Value {
        let rows = self.rows(key);
        let found = rows.iter().find(|row| row["path"] == shown(path));
        found.unwrap_or_else(|| panic!("{key} has nothing at {}, only {:?}", path.display(), paths(rows)))
    }

    /// Whether a finding is about the thing at `path`.
    pub(crate) fn finds(&self, path: &Path) -> bool {
        self.rows("findings").iter().any(|row| row["subject"]["path"] == shown(path))
    }

    /// Level, coverage and exit code, which must agree with what the process returned.
    pub(crate) fn verdict(&self) -> (&str, &str, i32) {
        let verdict = &self.report["verdict"];
        assert_eq!(verdict["exit_code"], self.code);
        (verdict["level"].as_str().unwrap(), verdict["coverage"].as_str().unwrap(), self.code)
    }
}

/// The paths of rows, for a message.
pub(crate) fn paths(rows: &[Value]) -> Vec<&str> {
    rows.iter().filter_map(|row| row["path"].as_str()).collect()
}

/// A path as reports write it.
pub(crate) fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}
