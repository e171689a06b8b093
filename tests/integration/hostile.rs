//! Bad input at full size: each under a bound on memory, none hangs, and each is judged or named as missed.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::stage::{Swept, bare_venv, done, folder, metadata, shown, sweep_bounded, write};

/// Ten gibibytes that take no room on the disk.
const SPARSE: u64 = 10 << 30;

struct Scene {
    _keep: tempfile::TempDir,
    root: PathBuf,
    site: PathBuf,
}

fn scene() -> Scene {
    let (keep, root) = folder();
    let site = bare_venv(&root.join("app"));
    Scene { _keep: keep, root, site }
}

impl Scene {
    /// Plants a metadata folder and returns its path.
    fn dist(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let info = self.site.join(format!("{name}.dist-info"));
        write(&info.join("METADATA"), content);
        info
    }

    fn sweep(&self) -> Swept {
        sweep_bounded([&self.root])
    }
}

fn grow(path: &Path, size: u64) {
    OpenOptions::new().create(true).append(true).open(path).unwrap().set_len(size).unwrap();
}

fn has_gap(swept: &Swept, path: &Path) -> bool {
    swept.gaps().iter().any(|gap| gap["path"] == shown(path))
}

/// The distribution is known and its finding is the whole answer.
fn is_found(swept: &Swept, info: &Path) {
    assert_eq!((swept.code, swept.report["verdict"]["level"].as_str()), (1, Some("compromised")));
    assert!(swept.finds(info), "no finding about {}", info.display());
    let row = swept.at("distributions", info);
    assert_eq!((&row["name"], &row["version"]), (&"litellm".into(), &"1.82.8".into()));
}

#[test]
fn metadata_of_100_mb() {
    let scene = scene();
    // The folder's name tells nothing, so the name can only come from the file.
    let info = scene.dist("renamed-0", metadata("litellm", "1.82.8"));
    let mut file = OpenOptions::new().append(true).open(info.join("METADATA")).unwrap();
    let line = [b'x'; 99].into_iter().chain([b'\n']).collect::<Vec<u8>>().repeat(10_000);
    (0..100).for_each(|_| file.write_all(&line).unwrap());
    is_found(&scene.sweep(), &info);
}

#[test]
fn metadata_of_100_mb_without_an_end_of_its_headers() {
    let scene = scene();
    let info = scene.dist("litellm-1.82.8", "Metadata-Version: 2.1\n");
    let mut file = OpenOptions::new().append(true).open(info.join("METADATA")).unwrap();
    let line =
        b"Classifier: Programming Language :: Python :: 3 :: Only and nothing else at all, whatever\n".repeat(10_000);
    (0..115).for_each(|_| file.write_all(&line).unwrap());
    let swept = scene.sweep();
    is_found(&swept, &info);
    assert!(has_gap(&swept, &info.join("METADATA")));
}

#[test]
fn sparse_metadata() {
    let scene = scene();
    let info = scene.dist("renamed-0", metadata("litellm", "1.82.8"));
    grow(&info.join("METADATA"), SPARSE);
    is_found(&scene.sweep(), &info);
}

#[test]
fn sparse_metadata_without_a_word_in_it() {
    let scene = scene();
    let info = scene.dist("litellm-1.82.8", "");
    grow(&info.join("METADATA"), SPARSE);
    let swept = scene.sweep();
    // The folder's name gave name and version; that the file did not is said.
    is_found(&swept, &info);
    assert!(has_gap(&swept, &info.join("METADATA")));
}

#[test]
fn sparse_record() {
    let scene = scene();
    let info = scene.dist("litellm-1.82.8", metadata("litellm", "1.82.8"));
    write(&info.join("RECORD"), "litellm/__init__.py,,\n");
    grow(&info.join("RECORD"), SPARSE);
    let swept = scene.sweep();
    is_found(&swept, &info);
    assert!(has_gap(&swept, &info.join("RECORD")));
}

#[test]
fn a_sparse_start_up_file() {
    let scene = scene();
    scene.dist("idna-3.7", metadata("idna", "3.7"));
    let pth = scene.site.join("sparse.pth");
    grow(&pth, SPARSE);
    is_missed(&scene.sweep(), &pth);
    // The same with an honest beginning: Python would run whatever stands behind it.
    write(&pth, "./vendored\n");
    grow(&pth, SPARSE);
    is_missed(&scene.sweep(), &pth);
}

/// The cap was reached and the answer could lie beyond it: listed, and the coverage is incomplete.
fn is_missed(swept: &Swept, pth: &Path) {
    assert!(has_gap(swept, pth), "the file is lost in silence: {:?}", swept.gaps());
    assert_eq!(swept.verdict(), ("none", "incomplete", 3));
}

#[test]
fn a_start_up_file_that_says_it_all_before_the_cap() {
    let scene = scene();
    let pth = scene.site.join("litellm_init.pth");
    write(&pth, "import os; os.environ.get('AV_TEST')  # inert\n");
    grow(&pth, SPARSE);
    let swept = scene.sweep();
    assert_eq!(swept.code, 1);
    assert!(swept.finds(&pth));
}

#[test]
fn fifos_under_the_names_of_files() {
    let scene = scene();
    let info = scene.site.join("litellm-1.82.8.dist-info");
    std::fs::create_dir(&info).unwrap();
    let pth = scene.site.join("waits.pth");
    for path in [info.join("METADATA"), info.join("RECORD"), pth.clone(), scene.root.join("app/bin/python3.11")] {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        done(Command::new("mkfifo").arg(path));
    }
    let swept = scene.sweep();
    is_found(&swept, &info);
    assert!(has_gap(&swept, &info.join("METADATA")) && has_gap(&swept, &pth), "{:?}", swept.gaps());
}

#[test]
fn a_link_to_an_endless_device() {
    let scene = scene();
    let info = scene.site.join("litellm-1.82.8.dist-info");
    std::fs::create_dir(&info).unwrap();
    let pth = scene.site.join("endless.pth");
    for path in [info.join("METADATA"), info.join("RECORD"), pth.clone()] {
        std::os::unix::fs::symlink("/dev/zero", path).unwrap();
    }
    let swept = scene.sweep();
    is_found(&swept, &info);
    assert!(has_gap(&swept, &info.join("METADATA")) && has_gap(&swept, &pth), "{:?}", swept.gaps());
}

#[test]
fn a_folder_of_100_000_entries() {
    let scene = scene();
    for number in 0..100_000 {
        std::fs::write(scene.site.join(format!("module{number}.py")), "").unwrap();
    }
    let info = scene.dist("litellm-1.82.8", metadata("litellm", "1.82.8"));
    let swept = scene.sweep();
    is_found(&swept, &info);
    assert_eq!(swept.verdict(), ("compromised", "complete", 1));
    assert!(swept.report["coverage"]["entries"].as_u64().unwrap() > 100_000);
}

#[test]
fn a_chain_of_300_folders() {
    let scene = scene();
    let deep = (0..300).fold(scene.root.clone(), |path, _| path.join("d"));
    std::fs::create_dir_all(&deep).unwrap();
    let info = bare_venv(&deep.join("venv")).join("litellm-1.82.8.dist-info");
    write(&info.join("METADATA"), metadata("litellm", "1.82.8"));
    let swept = scene.sweep();
    is_found(&swept, &info);
    assert_eq!(swept.verdict().1, "complete");
}

#[test]
fn links_that_lead_in_circles() {
    let scene = scene();
    let info = scene.dist("litellm-1.82.8", metadata("litellm", "1.82.8"));
    for (name, to) in
        [("up", ".."), ("here", "."), ("ping", "pong"), ("pong", "ping"), ("loop-1.0.dist-info", "loop-1.0.dist-info")]
    {
        std::os::unix::fs::symlink(to, scene.site.join(name)).unwrap();
    }
    let swept = scene.sweep();
    is_found(&swept, &info);
    assert!(has_gap(&swept, &scene.site.join("loop-1.0.dist-info")), "{:?}", swept.gaps());
    assert_eq!(swept.rows("findings").len(), 1);
}
