//! The main job: a real environment, a stub of the bad release installed by real pip, and the release before it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::stage::{PROGRAM, Swept, done, folder, line, python, shown, started, sweep, tool, wheel, write};

const PTH: &str = "litellm_init.pth";

/// Makes an environment with one release of LiteLLM and returns its prefix.
fn environment(home: &Path, version: &str) -> PathBuf {
    let prefix = home.join("app/.venv");
    wheel(home, "litellm", version, (version == "1.82.8").then_some(PTH));
    done(tool(python(), home).args(["-m", "venv"]).arg(&prefix));
    let pip = ["-m", "pip", "install", "--no-index", "--find-links"];
    done(tool(prefix.join("bin/python"), home).args(pip).arg(home).arg("litellm"));
    prefix
}

/// Copies an environment into an image, where the link to its interpreter leads nowhere.
fn image(at: &Path, prefix: &Path) -> PathBuf {
    write(&at.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nmia:x:1000:1000:Mia:/home/mia:/bin/sh\n");
    write(&at.join("etc/hostname"), "sample\n");
    let copy = at.join("home/mia/app/.venv");
    std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
    done(Command::new("cp").arg("-a").arg(prefix).arg(&copy));
    let python = copy.join("bin/python");
    let chain = std::iter::successors(Some(python), |link| {
        let next = std::fs::read_link(link).ok()?;
        // As the image would follow it: an absolute link begins at the image's root.
        Some(if next.has_root() { at.join(next.strip_prefix("/").unwrap()) } else { link.parent().unwrap().join(next) })
    });
    assert!(!chain.last().unwrap().exists(), "the interpreter's link must dangle in the image");
    PathBuf::from("/home/mia/app/.venv")
}

fn site(prefix: &Path) -> PathBuf {
    let lib = std::fs::read_dir(prefix.join("lib")).unwrap().next().unwrap().unwrap().path();
    lib.join("site-packages")
}

#[test]
fn the_bad_release_is_found_in_a_folder() {
    let (_keep, home) = folder();
    let prefix = environment(&home, "1.82.8");
    let account = line(Command::new("id").arg("-un"));
    names_everything(&sweep([&home]), &prefix, &site(&prefix), &account);
    text_names_everything(&[shown(&home)], &prefix, &account);
}

#[test]
fn the_bad_release_is_found_in_an_image() {
    let (_keep, home) = folder();
    let (_keep, root) = folder();
    let prefix = environment(&home, "1.82.8");
    let below = site(&prefix).strip_prefix(&prefix).unwrap().to_owned();
    let prefix = image(&root, &prefix);
    let swept = sweep(["--root", shown(&root)]);
    names_everything(&swept, &prefix, &prefix.join(below), "mia");
    text_names_everything(&["--root", shown(&root)], &prefix, "mia");
    // The mount point is named in `sweep.root` and nowhere else.
    assert_eq!(swept.report["sweep"]["root"], shown(&root));
    assert_eq!(swept.json.matches(shown(&root)).count(), 1);
    // A path of the target is one under --root as well.
    names_everything(&sweep(["--root", shown(&root), "/home/mia"]), &prefix, &swept_site(&swept), "mia");
}

fn swept_site(swept: &Swept) -> PathBuf {
    PathBuf::from(swept.at("startup_hooks", &hook_path(swept))["path"].as_str().unwrap()).parent().unwrap().to_owned()
}

fn hook_path(swept: &Swept) -> PathBuf {
    let hooks = swept.rows("startup_hooks").iter().filter_map(|row| row["path"].as_str());
    hooks.map(PathBuf::from).find(|path| path.ends_with(PTH)).unwrap()
}

#[test]
fn the_release_before_it_is_clean() {
    let (_keep, home) = folder();
    let (_keep, root) = folder();
    let prefix = environment(&home, "1.82.6");
    let dist = site(&prefix).join("litellm-1.82.6.dist-info");
    is_clean(&sweep([&home]), &dist);
    let copy = image(&root, &prefix).join(dist.strip_prefix(&prefix).unwrap());
    is_clean(&sweep(["--root", shown(&root)]), &copy);
}

/// The finding names version, environment, account, file and line.
fn names_everything(swept: &Swept, prefix: &Path, site: &Path, account: &str) {
    assert_eq!(swept.verdict(), ("compromised", "complete", 1), "{}", swept.report["coverage"]);
    let environment = swept.at("environments", prefix);
    assert_eq!((&environment["kind"], &environment["account"]), (&"venv".into(), &account.into()));
    let dist = site.join("litellm-1.82.8.dist-info");
    for path in [dist.clone(), site.join(PTH)] {
        let findings: Vec<&Value> =
            swept.rows("findings").iter().filter(|row| row["subject"]["path"] == shown(&path)).collect();
        assert_eq!(findings.len(), 1, "findings about {}", path.display());
        let finding = findings[0];
        assert_eq!(finding["level"], "compromised");
        assert_eq!(finding["incident"], "litellm-2026-03");
        assert_eq!(finding["environment"], environment["id"]);
        assert_eq!(finding["accounts"], Value::from(vec![account]));
        let evidence = finding["evidence"].as_array().unwrap();
        let has_line = |row: &&Value| row["line"].is_u64() && row["path"].as_str().unwrap().starts_with(shown(&path));
        assert!(evidence.iter().any(|row| has_line(&row)), "no file and line in {evidence:?}");
    }
    // Where the wheel that it was installed from lies in what is swept, that is stored there, and no more.
    let is_bad = |row: &&Value| row["level"] == "compromised";
    let (bad, stored): (Vec<&Value>, Vec<&Value>) = swept.rows("findings").iter().partition(is_bad);
    assert_eq!(bad.len(), 2);
    let is_wheel =
        |row: &&Value| row["subject"]["path"].as_str().unwrap().ends_with("/litellm-1.82.8-py3-none-any.whl");
    assert!(stored.iter().all(|row| is_wheel(row) && row["level"] == "exposed" && row["stage"] == "embedded"));
    let finding = swept.rows("findings").iter().find(|row| row["subject"]["path"] == shown(&dist)).unwrap();
    assert_eq!((&finding["subject"]["name"], &finding["subject"]["version"]), (&"litellm".into(), &"1.82.8".into()));
    let hook = swept.at("startup_hooks", &site.join(PTH));
    assert_eq!((&hook["judgement"], &hook["environment"]), (&"known-bad".into(), &environment["id"]));
    // RECORD lists it, so the report says whose it is.
    assert_eq!(hook["distribution"], swept.at("distributions", &dist)["id"]);
}

fn text_names_everything(args: &[&str], prefix: &Path, account: &str) {
    let out = started(Command::new(PROGRAM).args(args));
    assert_eq!(out.status.code(), Some(1));
    let text = String::from_utf8(out.stdout).unwrap();
    for word in ["litellm 1.82.8", shown(prefix), account, "litellm_init.pth:1", "litellm-2026-03"] {
        assert!(text.contains(word), "no {word} in:\n{text}");
    }
    assert!(text.lines().last().unwrap().starts_with("COMPROMISED: "), "{text}");
}

fn is_clean(swept: &Swept, dist: &Path) {
    assert_eq!(swept.verdict(), ("none", "complete", 0), "{}", swept.report["coverage"]);
    assert_eq!(swept.at("distributions", dist)["version"], "1.82.6");
    assert!(swept.rows("findings").is_empty());
}
