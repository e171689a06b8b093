//! Never executes, never connects, never writes: seen from outside by strace.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use crate::stage::{PROGRAM, bare_venv, done, folder, metadata, shown, started, sweep, write};

/// What may not be called at all. A question mark passes over names that this machine's system does not have.
const NEVER: &[&str] = &[
    "fork",
    "vfork",
    "socket",
    "socketpair",
    "connect",
    "bind",
    "listen",
    "accept",
    "sendto",
    "sendmsg",
    "creat",
    "unlink",
    "unlinkat",
    "rename",
    "renameat",
    "renameat2",
    "mkdir",
    "mkdirat",
    "rmdir",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "mknod",
    "mknodat",
    "truncate",
    "ftruncate",
    "chmod",
    "fchmod",
    "fchmodat",
    "chown",
    "fchown",
    "fchownat",
    "utimensat",
    "setxattr",
    "fsetxattr",
    "mount",
    "ptrace",
    "io_uring_setup",
    "execveat",
];

/// What may be called in one way only.
const WATCHED: &[&str] = &["execve", "clone", "clone3", "open", "openat", "openat2"];

/// The calls of one sweep, one a line.
fn calls(args: &[&str], code: i32) -> Vec<String> {
    let (_keep, folder) = folder();
    let log = folder.join("calls");
    let names: Vec<String> = NEVER.iter().chain(WATCHED).map(|name| format!("?{name}")).collect();
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "signal=none", "-e"]).arg(format!("trace={}", names.join(","))).arg("-o").arg(&log);
    let out = started(strace.arg(PROGRAM).args(args));
    assert_eq!(out.status.code(), Some(code), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    // `PID call(…) = …`, or the second half of a call that another thread interrupted.
    text.lines().filter_map(|line| Some(line.split_once(' ')?.1.trim_start().to_owned())).collect()
}

fn is_quiet(calls: &[String]) {
    let of = |name: &str| calls.iter().filter(|call| call.starts_with(&format!("{name}("))).collect::<Vec<_>>();
    for name in NEVER {
        assert_eq!(of(name), Vec::<&String>::new(), "{name} was called");
    }
    assert_eq!(of("execve").len(), 1, "{:?}", of("execve"));
    for call in of("clone").into_iter().chain(of("clone3")) {
        assert!(call.contains("CLONE_THREAD"), "a process was started: {call}");
    }
    let opens = [of("open"), of("openat"), of("openat2")].concat();
    for call in &opens {
        let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND", "O_TMPFILE"];
        assert!(!writes.iter().any(|flag| call.contains(flag)), "opened for writing: {call}");
    }
    // That there is something to see shows that this test looks.
    assert!(opens.iter().any(|call| call.contains("METADATA")), "no METADATA among {} opens", opens.len());
    assert!(calls.iter().any(|call| call.contains("CLONE_THREAD")), "no thread was started");
}

fn plant(root: &Path) {
    let site = bare_venv(&root.join("home/mia/.venv"));
    write(&site.join("litellm-1.82.8.dist-info/METADATA"), metadata("litellm", "1.82.8"));
    write(&site.join("litellm-1.82.8.dist-info/RECORD"), "litellm_init.pth,,\n");
    write(&site.join("litellm_init.pth"), "import os; os.environ.get('AV_TEST')  # inert\n");
    // A program under the name of an interpreter: nobody may start it to ask for its version.
    let python = root.join("home/mia/.venv/bin/python3.11");
    write(&python, format!("#!/bin/sh\ntouch {}\n", shown(&root.join("it-ran"))));
    done(Command::new("chmod").arg("+x").arg(python));
}

#[test]
fn a_sweep_starts_nothing_connects_nowhere_and_writes_nothing() {
    let (_keep, root) = folder();
    plant(&root);
    for args in [vec![shown(&root)], vec!["--root", shown(&root), "-v"], vec!["--root", shown(&root), "--jobs", "4"]] {
        is_quiet(&calls(&args, 1));
    }
    assert!(!root.join("it-ran").exists());
}

#[test]
fn a_sweep_leaves_access_times_alone() {
    let (_keep, root) = folder();
    plant(&root);
    let long_ago = ["-exec", "touch", "-a", "-d", "2020-01-01T00:00:00Z", "{}", "+"];
    done(Command::new("find").arg(&root).args(["-type", "f"]).args(long_ago));
    assert_eq!(sweep([&root]).code, 1);
    let site = root.join("home/mia/.venv/lib/python3.11/site-packages");
    for name in ["litellm-1.82.8.dist-info/METADATA", "litellm-1.82.8.dist-info/RECORD", "litellm_init.pth"] {
        assert_eq!(std::fs::metadata(site.join(name)).unwrap().atime(), 1_577_836_800, "{name} was touched");
    }
}

#[test]
fn nothing_outside_the_root_is_opened() {
    let (_keep, root) = folder();
    let (_keep, outside) = folder();
    write(&outside.join("litellm-1.82.8.dist-info/METADATA"), metadata("litellm", "1.82.8"));
    write(&outside.join("litellm_init.pth"), "import os; os.environ.get('AV_TEST')  # inert\n");
    let site = bare_venv(&root.join("srv/app"));
    let climb = Path::new("../../../../../../../../../..").join(outside.strip_prefix("/").unwrap());
    for (name, top) in [("absolute", &outside), ("climbing", &climb)] {
        std::os::unix::fs::symlink(top.join("litellm-1.82.8.dist-info"), site.join(format!("{name}-1.0.dist-info")))
            .unwrap();
        std::os::unix::fs::symlink(top.join("litellm_init.pth"), site.join(format!("{name}.pth"))).unwrap();
        std::os::unix::fs::symlink(top, root.join(name)).unwrap();
    }
    let swept = sweep(["--root", shown(&root)]);
    // The links lead nowhere in the image: named as missed, which makes nothing incomplete.
    assert_eq!(swept.verdict(), ("none", "complete", 0), "{:?}", swept.rows("findings"));
    assert!(swept.rows("distributions").iter().all(|row| row["name"] != "litellm"));
    for name in ["absolute.pth", "climbing.pth"] {
        let path = format!("/srv/app/lib/python3.11/site-packages/{name}");
        assert!(swept.gaps().iter().any(|gap| gap["path"] == path.as_str()), "{path} is lost: {:?}", swept.gaps());
    }
    // The same links on the running system do lead there.
    assert_eq!(sweep([&root]).code, 1);
}
