//! What real tools keep of a bad version that they installed and removed again, and what they keep of one that a resolver
//! only looked at. The index is one of this machine; what it serves is inert.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::stage::{Swept, done, folder, line, python, shown, sweep, tool, wheel, wheels, write};

/// An index on this machine, until it is dropped.
struct Index(Child, String);

impl Index {
    /// One that serves the wheels of a folder.
    fn of(folder: &Path) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/index.py");
        let mut server = Command::new(python());
        server.args(["-I", "-u"]).arg(script).arg(folder).stdout(Stdio::piped());
        let mut child = server.spawn().unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let url = format!("http://127.0.0.1:{}/simple/", port.trim());
        Self(child, url)
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// A home of its own, a folder of wheels with one bad version and one good one, and the index that serves it.
struct Stage {
    _keep: tempfile::TempDir,
    home: PathBuf,
    index: Index,
    sha256: String,
}

impl Stage {
    fn new() -> Self {
        let (keep, top) = folder();
        let (home, served) = (top.join("home/mia"), top.join("served"));
        for folder in [&home, &served] {
            std::fs::create_dir_all(folder).unwrap();
        }
        write(&top.join("etc/passwd"), "mia:x:1000:1000::/home/mia:/bin/bash\n");
        for version in ["1.82.6", "1.82.8"] {
            wheel(&served, "litellm", version, None);
        }
        let said = line(Command::new("sha256sum").arg(served.join("litellm-1.82.8-py3-none-any.whl")));
        let sha256 = said.split(' ').next().unwrap().to_owned();
        let index = Index::of(&served);
        Self { _keep: keep, home, index, sha256 }
    }

    /// A tool with the index as its only source.
    fn tool(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = tool(program, &self.home);
        command.env_remove("PIP_NO_INDEX").env_remove("UV_OFFLINE");
        command.envs([("PIP_INDEX_URL", &self.index.1), ("UV_DEFAULT_INDEX", &self.index.1)]);
        command.env("PIP_TRUSTED_HOST", "127.0.0.1");
        command
    }

    /// A virtual environment with a pip of that version.
    fn pip(&self, version: &str) -> PathBuf {
        let prefix = self.home.join("venv");
        done(tool(python(), &self.home).args(["-m", "venv", shown(&prefix)]));
        let pip = prefix.join("bin/python");
        let (wanted, wheels) = (format!("pip=={version}"), wheels());
        let install = ["-m", "pip", "install", "--no-cache-dir", "--find-links", shown(&wheels), &wanted];
        done(tool(&pip, &self.home).args(install));
        assert!(line(tool(&pip, &self.home).args(["-m", "pip", "--version"])).contains(&format!("pip {version} ")));
        pip
    }

    /// Sweeps the home alone: the wheels that are served are no part of it.
    fn sweep(&self) -> Swept {
        sweep(["--root", shown(self.home.parent().unwrap().parent().unwrap()), "/home"])
    }

    /// The one finding is a download of the bad version below `folder` of the home, with the hash of the wheel.
    fn has_download_in(&self, folder: &str) {
        let swept = self.sweep();
        let findings = swept.rows("findings");
        let path = |row: &Value| row["subject"]["path"].as_str().unwrap().to_owned();
        assert_eq!(findings.len(), 1, "{:?}", findings.iter().map(path).collect::<Vec<_>>());
        let one = &findings[0];
        assert!(path(one).starts_with(&format!("/home/mia/{folder}/")), "{one}");
        assert_eq!((&one["level"], &one["stage"]), (&"exposed".into(), &"cached".into()), "{one}");
        assert_eq!(one["evidence"][0]["sha256"], self.sha256, "{one}");
        assert_eq!(swept.verdict(), ("exposed", "complete", 4));
    }

    /// The bad version is listed as considered, and nothing is found.
    fn is_only_considered(&self) {
        let swept = self.sweep();
        assert!(swept.rows("findings").is_empty(), "{:?}", swept.rows("findings"));
        let bad = |row: &&Value| row["name"] == "litellm" && row["version"] == "1.82.8";
        let states: Vec<&Value> = swept.rows("distributions").iter().filter(bad).map(|row| &row["state"]).collect();
        assert_eq!(states, ["considered"]);
        assert_eq!(swept.verdict(), ("none", "complete", 0));
    }
}

fn removed_by_pip(version: &str, folder: &str) {
    let stage = Stage::new();
    let pip = stage.pip(version);
    done(stage.tool(&pip).args(["-m", "pip", "install", "litellm==1.82.8"]));
    done(stage.tool(&pip).args(["-m", "pip", "uninstall", "--yes", "litellm"]));
    stage.has_download_in(folder);
}

#[test]
fn pip_keeps_what_was_removed() {
    removed_by_pip("26.3", ".cache/pip/http-v2");
}

#[test]
fn an_older_pip_keeps_what_was_removed() {
    removed_by_pip("23.2.1", ".cache/pip/http");
}

#[test]
fn what_pip_resolves_was_only_considered() {
    let stage = Stage::new();
    let pip = stage.pip("26.3");
    // A dry run fetches the metadata, and with it nothing of the wheel.
    done(stage.tool(&pip).args(["-m", "pip", "install", "--dry-run", "litellm==1.82.8"]));
    stage.is_only_considered();
}

fn venv_of_uv(stage: &Stage) -> PathBuf {
    let prefix = stage.home.join("venv");
    done(stage.tool("uv").args(["venv", "--python", &python(), shown(&prefix)]));
    prefix.join("bin/python")
}

#[test]
fn uv_keeps_what_was_removed() {
    let stage = Stage::new();
    let venv = venv_of_uv(&stage);
    done(stage.tool("uv").args(["pip", "install", "--python", shown(&venv), "litellm==1.82.8"]));
    done(stage.tool("uv").args(["pip", "uninstall", "--python", shown(&venv), "litellm"]));
    stage.has_download_in(".cache/uv");
}

#[test]
fn uv_keeps_what_was_removed_at_a_place_of_its_own() {
    let stage = Stage::new();
    let venv = venv_of_uv(&stage);
    for args in [["install", "litellm==1.82.8"], ["uninstall", "litellm"]] {
        let mut uv = stage.tool("uv");
        uv.env("UV_CACHE_DIR", stage.home.join("work/cache"));
        done(uv.args(["pip", args[0], "--python", shown(&venv), args[1]]));
    }
    stage.has_download_in("work/cache");
}

#[test]
fn what_uv_resolves_was_only_considered() {
    let stage = Stage::new();
    write(&stage.home.join("wanted.in"), "litellm==1.82.8\n");
    done(stage.tool("uv").args(["pip", "compile", "--python", &python(), "wanted.in"]));
    stage.is_only_considered();
}
