#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "plants hosts of its own and runs the built program on them"
)]
//! What a sweep says of what it may not read. Root reads everything, so these hosts are swept by another account; where
//! that cannot be set up the tests fail, since a test of permissions that runs as root proves nothing.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::plant::Planted;
use support::program::{arguments, copy_for_everybody, output, run};
use support::tree::Host;
use support::{compare, schema};

/// Who sweeps where a test does not say: nobody's usual number.
const NOBODY: u32 = 65534;

/// Fewer hosts than this means that they were not found.
const HOSTS: usize = 6;

#[test]
fn every_closed_host_is_seen_as_far_as_it_is_open() {
    let hosts: Vec<Host> = support::hosts().into_iter().filter(|host| host.uid.is_some()).collect();
    assert!(hosts.len() >= HOSTS, "only {} hosts", hosts.len());
    let (program, mut failed) = (Program::new(), Vec::new());
    for host in &hosts {
        let planted = Planted::new(host, "root");
        let told = run(program.as_account(host.uid.unwrap()).args(arguments(&planted.root)).args(&host.options));
        let mut faults = compare::differences(host, &told);
        faults.extend(schema::faults(&told, &planted.mark()));
        if !faults.is_empty() {
            failed.push(format!("tests/hosts/{}.tree\n    {}", host.name, faults.join("\n    ")));
        }
    }
    assert!(failed.is_empty(), "{} of {} hosts\n{}\n", failed.len(), hosts.len(), failed.join("\n"));
}

#[test]
fn a_root_that_may_not_be_entered_is_no_sweep() {
    let planted = planted("/etc/hostname\n");
    let shut = Shut::new(&planted.root);
    let (code, told, said) = output(Program::new().as_account(NOBODY).args(arguments(&planted.root)));
    drop(shut);
    assert_eq!(code, 2, "{said}");
    assert!(told.is_empty(), "a report of nothing: {told}");
    assert!(said.contains("ermission denied"), "{said}");
}

#[test]
fn a_named_path_that_is_partly_closed_is_not_complete() {
    let planted = planted("/open/idna-3.7.dist-info/    metadata idna 3.7\n/open/closed/x/    mode 0000\n");
    let words = ["scan", "--progress", "never", "--format", "json"];
    let told = run(Program::new().as_account(NOBODY).args(words).arg(planted.root.join("open")));
    assert_eq!(told.report["verdict"]["scope"], "paths");
    assert_eq!(told.report["verdict"]["coverage"], "incomplete");
    assert_eq!(told.code, 3);
    let closed = planted.root.join("open/closed/x");
    assert_eq!(told.gaps(), [format!("permission-denied {} material", closed.display())]);
}

fn planted(files: &str) -> Planted {
    let text = format!("# A host of one test.\n\nfiles:\n\n{files}\nexpect:\n\nverdict * * *\n");
    Planted::new(&Host::parse("inline", &text), "root")
}

/// A folder that nobody may enter, until this is dropped.
struct Shut(PathBuf);

impl Shut {
    fn new(path: &Path) -> Self {
        set_mode(path, 0o000);
        Self(path.to_path_buf())
    }
}

impl Drop for Shut {
    fn drop(&mut self) {
        set_mode(&self.0, 0o755);
    }
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// The program in a folder that every account may enter, since that of the build may be closed to others.
struct Program {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Program {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("pysweep-program-").tempdir().unwrap();
        set_mode(folder.path(), 0o755);
        Self { path: copy_for_everybody(folder.path()), _folder: folder }
    }

    /// The program, run without rights: as whoever runs the tests, or, where that is root, as another account.
    fn as_account(&self, uid: u32) -> Command {
        if !rustix::process::geteuid().is_root() {
            return Command::new(&self.path);
        }
        let is_there = Command::new("setpriv").arg("--version").output().is_ok();
        assert!(is_there, "these tests run as root and need setpriv (util-linux) to sweep as somebody else");
        let mut command = Command::new("setpriv");
        let id = uid.to_string();
        command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"]).arg(&self.path);
        command
    }
}
