//! The files that `pysweep check -r` asks about, and those that they name (`-r base.txt`), each once.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::check::Asked;
use super::output;
use crate::config;
use crate::error::Error;
use crate::extract::lock::chain::{DEEPEST, MOST};
use crate::extract::lock::{self, Lock};

/// A file, and how many others lead to it.
struct Step {
    path: PathBuf,
    depth: usize,
    /// Which line of which file names it.
    named: String,
}

/// The packages that a lock or requirements file names, and the files that are part of it. A file of the command line that
/// cannot be read is an error, one that another names is told.
pub(super) fn read(file: &Path) -> Result<Vec<Asked>, Error> {
    let input = |why: String| Error::Input { path: file.to_path_buf(), why };
    let mut asked = Vec::new();
    let mut seen = BTreeSet::from([plain(file)]);
    let first = read_one(file).map_err(input)?;
    let start = Step { path: file.to_path_buf(), depth: 0, named: String::new() };
    let mut todo = take(first, &start, &mut asked, &mut seen);
    let mut count = 0;
    while let Some(step) = todo.pop() {
        count += 1;
        let named = &step.named;
        if count > MOST || step.depth > DEEPEST {
            let why = format!("which is not followed: more than {MOST} files, or {DEEPEST} in a chain");
            output::complain(&format!("{named}, {why}"));
            continue;
        }
        match read_one(&step.path) {
            Ok(lock) => todo.extend(take(lock, &step, &mut asked, &mut seen)),
            Err(why) => output::complain(&format!("{named}, which cannot be read: {why}")),
        }
    }
    Ok(asked)
}

fn read_one(file: &Path) -> Result<Lock, String> {
    let bytes = config::read_user_file(file)?;
    let name = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    lock::read(&name, &bytes).map_err(|fault| fault.to_string())
}

/// Takes over what a file says; returns the files that it names and that were not seen yet, the last one first.
fn take(lock: Lock, step: &Step, asked: &mut Vec<Asked>, seen: &mut BTreeSet<PathBuf>) -> Vec<Step> {
    let shown = step.path.display();
    for (number, why) in &lock.unread {
        output::complain(&format!("{shown}, line {number} {why}"));
    }
    let file = (step.depth > 0).then(|| shown.to_string());
    asked.extend(lock.pins.into_iter().map(|pin| Asked { pin, file: file.clone() }));
    let mut named = Vec::new();
    for include in lock.includes {
        let path = plain(&step.path.parent().unwrap_or_else(|| Path::new("")).join(&include.path));
        let told = format!("{shown}, line {} names {}", include.line, path.display());
        if seen.insert(path.clone()) {
            named.push(Step { path, depth: step.depth + 1, named: told });
        } else {
            output::complain(&format!("{told} again, which is asked about once"));
        }
    }
    named.reverse();
    named
}

/// A path without `.` and with `..` taken back where that is possible by its text alone.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_without_detours() {
        for (path, is) in
            [("a/../b.txt", "b.txt"), ("./b.txt", "b.txt"), ("../b.txt", "../b.txt"), ("/a/./b/../c", "/a/c")]
        {
            assert_eq!(plain(Path::new(path)), Path::new(is));
        }
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "plants files of its own")]
    fn chains_and_circles_end() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        write("a.txt", "x==1\n-r sub/b.txt\n-r gone.txt\ny==1\n");
        write("sub/b.txt", "z==1\n-r ../a.txt\n-c ./b.txt\n-r c.txt\n");
        write("sub/c.txt", "w==1\n");
        let asked = read(&dir.path().join("a.txt")).unwrap();
        let names: Vec<(&str, bool)> = asked.iter().map(|one| (one.pin.name.as_str(), one.file.is_some())).collect();
        assert_eq!(names, [("x", false), ("y", false), ("z", true), ("w", true)]);
        for at in 0..20 {
            write(&format!("d{at}.txt"), &format!("p{at}==1\n-r d{}.txt\n", at + 1));
        }
        assert_eq!(read(&dir.path().join("d0.txt")).unwrap().len(), DEEPEST + 1);
        assert!(read(&dir.path().join("none.txt")).is_err());
    }
}
