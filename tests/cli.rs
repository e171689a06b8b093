#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "runs the built program on folders that this test plants itself"
)]
//! The command line: options, exit codes, messages. Every `cmd/*.trycmd` is one case: prose, the files it needs, and
//! commands with what they must print.
//!
//! A case gets a temporary folder of its own as current folder. In it lie the trees of `cmd/trees.md`, and what the
//! case itself holds in blocks that begin with ```` ```file NAME ````. Nothing of it is a real file of this repository:
//! a sweep of a machine that holds a checkout must not find the samples of our tests.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_pysweep");

/// Fewer cases than this means that they were not found, not that there are none.
const CASES: usize = 50;

#[test]
fn every_case_prints_what_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd");
    let trees = std::fs::read_to_string(folder.join("trees.md")).unwrap();
    let cases = cases(&folder);
    assert!(cases.len() >= CASES, "only {} cases in {}", cases.len(), folder.display());
    let mut failed = Vec::new();
    for case in cases {
        let sandbox = tempfile::tempdir().unwrap();
        plant(sandbox.path(), &trees);
        plant(sandbox.path(), &std::fs::read_to_string(&case).unwrap());
        // The only way to give trycmd a folder that is made at run time; no other test here relies on the current one.
        std::env::set_current_dir(sandbox.path()).unwrap();
        if catch_unwind(AssertUnwindSafe(|| run(&case))).is_err() {
            failed.push(case.file_name().unwrap().to_owned());
        }
    }
    std::env::set_current_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
    assert!(failed.is_empty(), "failed: {failed:?}");
}

fn cases(folder: &Path) -> Vec<PathBuf> {
    let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = all.filter(|path| path.extension().is_some_and(|end| end == "trycmd")).collect();
    cases.sort();
    cases
}

fn run(case: &Path) {
    let programs = Path::new(PROGRAM).parent().unwrap().display();
    trycmd::TestCases::new()
        // Without this, a program that is not found is a case that is passed over in silence.
        .register_bin("pysweep", trycmd::schema::Bin::Path(PROGRAM.into()))
        .register_bin("sh", trycmd::schema::Bin::Path("/bin/sh".into()))
        .env("PATH", format!("{programs}:/usr/bin:/bin"))
        // Help is wrapped at the terminal's width.
        .env("COLUMNS", "100")
        .case(case)
        .run();
}

/// Writes every ```` ```file NAME ```` block of `text` below `folder`.
fn plant(folder: &Path, text: &str) {
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(name) = line.strip_prefix("```file ") else { continue };
        let mut content = String::new();
        for line in lines.by_ref().take_while(|line| *line != "```") {
            content.push_str(line);
            content.push('\n');
        }
        write(&folder.join(name), &content);
    }
}

fn write(path: &Path, content: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn pysweep(args: &[&str], folder: &Path) -> Output {
    Command::new(PROGRAM).args(args).current_dir(folder).output().unwrap()
}

/// A folder whose name would colour the screen, forge a line of the report, and turn the rest of a line around.
const HOSTILE: &str = "esc\u{1b}[31mred\nVERDICT: all is well\u{202e}txt.\u{200b}\u{7f}\u{9b}2J";

#[test]
fn a_name_chosen_by_an_attacker_never_reaches_the_terminal() {
    let sandbox = tempfile::tempdir().unwrap();
    let venv = sandbox.path().join(HOSTILE).join(".venv");
    write(&venv.join("pyvenv.cfg"), "home = /usr/bin\nversion = 3.11.2\n");
    let site = venv.join("lib/python3.11/site-packages");
    write(&site.join("litellm-1.82.8.dist-info/METADATA"), "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n\n");
    write(&site.join("litellm_init.pth"), "import os; os.environ.get('AV_TEST')  # \u{1b}[2J\u{202e}inert\n");
    // A name that cannot be judged brings the path into the list of gaps as well.
    std::os::unix::fs::symlink("loop", site.join("loop-1.0.dist-info")).unwrap();
    std::os::unix::fs::symlink("loop-1.0.dist-info", site.join("loop")).unwrap();

    for args in
        [vec!["."], vec!["-v", "."], vec!["--root", "."], vec!["-v", "--progress", "always", "."], vec!["plan", "."]]
    {
        let out = pysweep(&args, sandbox.path());
        assert_eq!(out.status.code(), Some(i32::from(args[0] != "plan")), "{args:?}");
        assert_eq!(unsafe_text(&out.stdout), None, "{args:?}");
        // Only the status line of the progress may move the cursor, and it writes over nothing but itself.
        let messages = String::from_utf8(out.stderr).unwrap().replace("\r\u{1b}[K", "");
        assert_eq!(unsafe_text(messages.as_bytes()), None, "{args:?}");
    }
}

#[test]
fn a_name_given_on_the_command_line_never_reaches_the_terminal() {
    let sandbox = tempfile::tempdir().unwrap();
    let folder = sandbox.path().join(HOSTILE);
    write(&folder.join("requirements.txt"), "litellm==1.82.7\nwhat \u{1b}[31mis this\n");
    write(&folder.join("x.pth"), "import os; os.environ.get('\u{1b}[31m')\n");
    write(&folder.join("pack.json"), "{ \"\u{1b}[31m\u{202e}\": 1 }\n");
    std::fs::create_dir(folder.join("empty")).unwrap();
    let name = |file: &str| format!("{HOSTILE}/{file}");
    let cases: [(&[&str], i32); 11] = [
        (&["check", "-r", &name("requirements.txt")], 1),
        (&["pth", &name("x.pth")], 4),
        (&["iocs", "lint", &name("pack.json")], 1),
        (&["--iocs", &name("pack.json")], 2),
        (&["--root", &name("missing")], 2),
        (&["--root", &name("empty")], 0),
        (&["plan", "--root", &name("empty"), "--exclude", "/\u{1b}c\nVERDICT: all is well"], 0),
        // Its bracket is never closed, so it is no pattern.
        (&["--root", &name("empty"), "--exclude", &format!("/{HOSTILE}")], 2),
        (&["explain", HOSTILE], 2),
        (&["--format", HOSTILE], 2),
        // `pysweep pth *` where somebody made a file whose name begins with a dash.
        (&["pth", "--esc\u{1b}[31m\nVERDICT: all is well"], 2),
    ];
    let mut unsafe_texts = Vec::new();
    for (args, code) in cases {
        let out = pysweep(args, sandbox.path());
        assert_eq!(out.status.code(), Some(code), "{args:?}");
        unsafe_texts.extend([out.stdout, out.stderr].into_iter().filter_map(|bytes| unsafe_text(&bytes)));
    }
    assert!(unsafe_texts.is_empty(), "{unsafe_texts:#?}");
}

/// The text, unless it is harmless: line ends are ours, nothing else that acts on a terminal may be there, and no line
/// may begin with a forged verdict.
fn unsafe_text(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).unwrap();
    let acts = |at: char| {
        at.is_control() && at != '\n'
            || matches!(at, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let is_forged = text.lines().any(|line| line.trim_start().starts_with("VERDICT: all is well"));
    (text.contains(acts) || is_forged).then(|| text.to_owned())
}

#[test]
fn colour_comes_only_when_it_is_wanted() {
    let sandbox = tempfile::tempdir().unwrap();
    write(&sandbox.path().join("root/etc/hostname"), "sample\n");
    let has_colour =
        |color: &str| pysweep(&["--root", "root", "--color", color], sandbox.path()).stdout.contains(&0x1b);
    assert_eq!(["auto", "always", "never"].map(has_colour), [false, true, false]);
}
