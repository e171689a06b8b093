//! Runs the built program, with an end to waiting: a FIFO that is opened would wait for ever.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_pysweep");

/// Longest that any sweep of a fixture takes; the real ones are done in a fraction of a second.
const LONGEST: Duration = Duration::from_secs(60);

/// What a run said.
pub(crate) struct Run {
    /// The exit code.
    pub(crate) code: i32,
    /// The report as it was written.
    pub(crate) text: String,
    /// The report as data.
    pub(crate) report: Value,
    /// What it said to the user.
    pub(crate) stderr: String,
}

impl Run {
    /// The rows of a section of the report.
    pub(crate) fn rows(&self, section: &str) -> &[Value] {
        rows(&self.report, section)
    }

    /// What of a gap is easy to compare: reason, path, and whether it is material.
    pub(crate) fn gaps(&self) -> Vec<String> {
        let gap = |row: &Value| {
            let weight = if row["material"] == true { "material" } else { "harmless" };
            format!("{} {} {weight}", row["reason"].as_str().unwrap(), row["path"].as_str().unwrap())
        };
        self.rows("coverage.gaps").iter().map(gap).collect()
    }
}

/// The rows of `section`, a key of the report or of its `coverage`.
pub(crate) fn rows<'r>(report: &'r Value, section: &str) -> &'r [Value] {
    let value = match section.strip_prefix("coverage.") {
        Some(part) => &report["coverage"][part],
        None => &report[section],
    };
    value.as_array().map(Vec::as_slice).unwrap_or_else(|| panic!("the report has no list {section}"))
}

/// Sweeps `root` as whoever runs the tests.
pub(crate) fn sweep(root: &Path, options: &[String]) -> Run {
    let mut command = Command::new(PROGRAM);
    run(command.args(arguments(root)).args(options))
}

/// The arguments of a sweep of `root` for programs.
pub(crate) fn arguments(root: &Path) -> Vec<std::ffi::OsString> {
    let root = root.as_os_str().to_owned();
    let words = ["scan", "--progress", "never", "--format", "json", "--root"];
    words.into_iter().map(Into::into).chain([root]).collect()
}

/// Runs a command that writes a report.
pub(crate) fn run(command: &mut Command) -> Run {
    let (code, text, stderr) = output(command);
    let report = serde_json::from_str(&text).unwrap_or_else(|why| panic!("no report ({why}), exit {code}: {stderr}"));
    Run { code, text, report, stderr }
}

/// Exit code, standard output and standard error of a command.
pub(crate) fn output(command: &mut Command) -> (i32, String, String) {
    // Into files, so that a program that writes much never waits for us.
    let (told, said) = (tempfile::NamedTempFile::new().unwrap(), tempfile::NamedTempFile::new().unwrap());
    command.stdin(Stdio::null()).stdout(told.reopen().unwrap()).stderr(said.reopen().unwrap());
    let child = command.spawn().unwrap_or_else(|why| panic!("{command:?}: {why}"));
    let code = wait(child).unwrap_or_else(|| panic!("{command:?} is still at it after {LONGEST:?}"));
    let read = |file: &Path| String::from_utf8(std::fs::read(file).unwrap()).expect("output in UTF-8");
    (code, read(told.path()), read(said.path()))
}

/// The exit code; none for a program that had to be stopped.
fn wait(mut child: Child) -> Option<i32> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status.code().expect("an exit code, not a signal"));
        }
        if begun.elapsed() > LONGEST {
            child.kill().unwrap();
            child.wait().unwrap();
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A copy of the program that every account can run: the folder it was built in may be closed to others.
pub(crate) fn copy_for_everybody(folder: &Path) -> std::path::PathBuf {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;
    let copy = folder.join("pysweep");
    std::fs::copy(PROGRAM, &copy).unwrap();
    std::fs::set_permissions(&copy, Permissions::from_mode(0o755)).unwrap();
    copy
}
