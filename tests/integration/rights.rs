//! What another account may not read. Root reads through any mode, so the program runs as an account without rights.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::stage::{PROGRAM, Swept, bare_venv, folder, is_root, metadata, shown, sweep, swept, write};

/// `nobody` on most systems; that the account has a name does not matter.
const UID: &str = "65534";

struct Scene {
    _keep: tempfile::TempDir,
    program: PathBuf,
    root: PathBuf,
    site: PathBuf,
}

/// A tree that everybody may read, and a copy of the program where everybody may start it.
fn scene() -> Scene {
    assert!(is_root(), "these cases give up rights, so they must begin as root");
    let (keep, folder) = folder();
    mode(&folder, 0o755);
    let program = folder.join("pysweep");
    std::fs::copy(PROGRAM, &program).unwrap();
    mode(&program, 0o755);
    let root = folder.join("root");
    let site = bare_venv(&root.join("app"));
    write(&site.join("idna-3.7.dist-info/METADATA"), metadata("idna", "3.7"));
    Scene { _keep: keep, program, root, site }
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

impl Scene {
    fn sweep(&self) -> Swept {
        let mut setpriv = Command::new("setpriv");
        setpriv.args(["--reuid", UID, "--regid", UID, "--clear-groups", "timeout", "300"]);
        swept(setpriv.arg(&self.program).args(["--format", "json"]).arg(&self.root))
    }
}

/// The gap at a path: its reason, and whether it makes the coverage incomplete.
fn gap<'s>(swept: &'s Swept, path: &Path) -> Option<(&'s str, bool)> {
    let gap = swept.gaps().iter().find(|gap| gap["path"] == shown(path))?;
    Some((gap["reason"].as_str().unwrap(), gap["material"].as_bool().unwrap()))
}

#[test]
fn with_nothing_shut_nothing_is_missed() {
    // The control: without it, the other cases could fail to see for another reason.
    assert_eq!(scene().sweep().verdict(), ("none", "complete", 0));
}

#[test]
fn an_unreadable_folder_makes_the_answer_incomplete() {
    let scene = scene();
    let shut = scene.root.join("srv/lib/python3.11/site-packages");
    write(&shut.join("litellm-1.82.8.dist-info/METADATA"), metadata("litellm", "1.82.8"));
    mode(&shut, 0o000);
    let told = scene.sweep();
    assert_eq!(told.verdict(), ("none", "incomplete", 3));
    assert_eq!(gap(&told, &shut), Some(("permission-denied", true)));
    assert!(told.report["verdict"]["sentence"].as_str().unwrap().contains("incomplete"));
    // Root sees what lies in it.
    assert_eq!(sweep([&scene.root]).verdict(), ("compromised", "complete", 1));
}

#[test]
fn a_folder_that_may_be_listed_but_not_entered_is_a_miss() {
    let scene = scene();
    let shut = scene.site.join("idna-3.7.dist-info");
    mode(&shut, 0o444);
    let told = scene.sweep();
    // Name and version stand in the folder's name, so nothing that matters is hidden.
    assert_eq!(told.at("distributions", &shut)["version"], "3.7");
    assert_eq!(told.verdict(), ("none", "complete", 0));
    assert!(told.gaps().iter().any(|gap| gap["path"].as_str().unwrap().starts_with(shown(&shut))));
}

#[test]
fn an_unreadable_start_up_file_makes_the_answer_incomplete() {
    let scene = scene();
    let shut = scene.site.join("sample.pth");
    write(&shut, "import os; os.environ.get('AV_TEST')  # inert\n");
    mode(&shut, 0o000);
    let told = scene.sweep();
    assert_eq!(told.verdict(), ("none", "incomplete", 3));
    assert_eq!(gap(&told, &shut), Some(("permission-denied", true)));
}

#[test]
fn unreadable_metadata_is_no_loss_where_the_folder_names_it() {
    let scene = scene();
    let shut = scene.site.join("litellm-1.82.6.dist-info/METADATA");
    write(&shut, metadata("litellm", "1.82.6"));
    mode(&shut, 0o000);
    let told = scene.sweep();
    assert_eq!(told.verdict(), ("none", "complete", 0));
    assert_eq!(gap(&told, &shut), Some(("permission-denied", false)));
    assert_eq!(told.at("distributions", shut.parent().unwrap())["version"], "1.82.6");
}

#[test]
fn unreadable_metadata_is_a_loss_where_nothing_else_names_it() {
    let scene = scene();
    let shut = scene.site.join("litellm.dist-info/METADATA");
    write(&shut, metadata("litellm", "1.82.6"));
    mode(&shut, 0o000);
    let told = scene.sweep();
    // Some versions of it are bad and this one is unknown.
    assert_eq!(gap(&told, &shut), Some(("permission-denied", true)));
    assert_eq!(told.verdict().1, "incomplete");
    assert_ne!(told.code, 0);
}
