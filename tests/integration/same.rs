//! Same disk, same bytes: two sweeps give one report, `sweep` and `tool` aside, however many workers share the work.

use std::collections::BTreeSet;
use std::path::Path;

use crate::stage::{Swept, bare_venv, folder, metadata, shown, sweep, write};

/// The report as written, without the two sections that tell of the run.
pub(crate) fn lasting(swept: &Swept) -> String {
    let json = &swept.json;
    let at = |key: &str| json.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("the report has no {key}"));
    let order = [at("schema"), at("tool"), at("host"), at("sweep"), at("packs")];
    assert!(order.is_sorted(), "the keys are not in the order of the contract");
    format!("{}{}{}", &json[..order[1]], &json[order[2]..order[3]], &json[order[4]..])
}

#[test]
fn two_sweeps_give_the_same_bytes() {
    let (_keep, root) = folder();
    for number in 0..40 {
        let site = bare_venv(&root.join(format!("home/mia/app{number}/.venv")));
        for (name, version) in [("litellm", "1.82.7"), ("deepseeek", "0.0.8"), ("idna", "3.7")] {
            write(&site.join(format!("{name}-{version}.dist-info/METADATA")), metadata(name, version));
        }
        write(&site.join("sample.pth"), "import os; os.environ.get('AV_TEST')  # inert\n");
        std::os::unix::fs::symlink("missing", site.join("gone-1.0.dist-info")).unwrap();
    }
    for args in [vec!["--root", shown(&root)], vec![shown(&root)]] {
        let run = |jobs: &str| sweep(args.iter().chain(&["--jobs", jobs]));
        let first = run("1");
        assert_eq!(first.rows("distributions").len(), 160);
        for jobs in ["1", "2", "7", "32"] {
            assert!(lasting(&run(jobs)) == lasting(&first), "another report with {jobs} workers");
        }
    }
}

#[test]
fn an_image_and_its_copy_give_the_same_bytes() {
    // Where the image is mounted must not matter, nor in which order the disk lists its names.
    let (_keep, one) = folder();
    let (_keep, other) = folder();
    let names = ["attrs", "click", "idna", "litellm", "rich"];
    for (root, names) in [(&one, names), (&other, ["rich", "idna", "attrs", "litellm", "click"])] {
        let site = bare_venv(&root.join("srv/app"));
        for name in names {
            let info = site.join(format!("{name}-1.82.7.dist-info"));
            write(&info.join("METADATA"), metadata(name, "1.82.7"));
        }
        let old = ["-r", "/etc/passwd"];
        crate::stage::done(
            std::process::Command::new("find").arg(root).args(["-exec", "touch", "-h"]).args(old).args(["{}", "+"]),
        );
    }
    let [one, other] = [&one, &other].map(|root| sweep(["--root", shown(root)]));
    assert_eq!(lasting(&one), lasting(&other));
}

/// Environments by what the report must call them, each with one distribution.
fn plant_kinds(root: &Path) -> BTreeSet<&'static str> {
    let home = root.join("home/mia");
    let venvs = [
        ("venv", "projects/web/.venv"),
        ("uv-tool", ".local/share/uv/tools/ruff"),
        ("pipx", ".local/share/pipx/venvs/black"),
        ("poetry", ".cache/pypoetry/virtualenvs/poem-8RpnlB1I-py3.11"),
        ("pdm", ".local/share/pdm/venvs/outside-e_09_225-3.11"),
        ("hatch", ".local/share/hatch/env/virtual/hat/BEN2ZMBm/hat"),
        ("tox", "projects/web/.tox/unit"),
        ("nox", "projects/web/.nox/unit"),
        ("pre-commit", ".cache/pre-commit/repous6_v1td/py_env-python3.11"),
        ("virtualenvwrapper", ".virtualenvs/web"),
    ];
    let sites = [
        ("user-site", ".local/lib/python3.11/site-packages"),
        ("pyenv", ".pyenv/versions/3.11.7/lib/python3.11/site-packages"),
        ("pip-target", "projects/deploy/vendor"),
        ("pip-prefix", "projects/deploy/app/lib/python3.11/site-packages"),
        ("pdm-pep582", "projects/local/__pypackages__/3.11/lib"),
        ("uv-cache", ".cache/uv/archive-v0/Fsk26FBruaLtcGkV"),
        ("trash", ".local/share/Trash/files/old/lib/python3.11/site-packages"),
    ];
    write(&home.join(".pyenv/versions/3.11.7/lib/python3.11/os.py"), "");
    let made = venvs.map(|(kind, place)| (kind, bare_venv(&home.join(place))));
    let planted = made.into_iter().chain(sites.map(|(kind, place)| (kind, home.join(place))));
    let mut kinds = BTreeSet::new();
    for (number, (kind, site)) in planted.enumerate() {
        let (name, version) = if number % 3 == 0 { ("litellm", "1.82.7") } else { ("idna", "3.7") };
        let info = site.join(format!("{name}-{version}.dist-info"));
        write(&info.join("METADATA"), metadata(name, version));
        write(&info.join("RECORD"), format!("{name}/__init__.py,,\n"));
        write(&site.join("old_name-2.0-py3.11.egg-info"), metadata("old-name", "2.0"));
        write(&site.join("~dna-3.6.dist-info/METADATA"), metadata("idna", "3.6"));
        write(&site.join("sample.pth"), "import os; os.environ.get('AV_TEST')  # inert\n");
        kinds.insert(kind);
    }
    kinds
}

/// The rows of a report, with paths as the disk itself knows them, and the things they name by path, not by id.
fn facts(swept: &Swept, mount: &str) -> BTreeSet<String> {
    let lists = ["interpreters", "environments", "distributions", "startup_hooks", "findings"];
    let rows = || lists.into_iter().flat_map(|list| swept.rows(list).iter().map(move |row| (list, row)));
    let named: Vec<(&str, String)> = rows()
        .filter_map(|(list, row)| Some((row["id"].as_str()?, format!("{list}:{}", row["path"].as_str().unwrap_or("")))))
        .collect();
    let mut facts = BTreeSet::new();
    for (list, row) in rows() {
        let mut row = row.clone();
        // The running system knows the accounts; the image has no list of them.
        row.as_object_mut().unwrap().retain(|key, _| !["account", "accounts"].contains(&key.as_str()));
        let text = format!("{list} {row}");
        let text = named.iter().fold(text, |text, (id, name)| text.replace(id, name));
        facts.insert(text.replace(mount, ""));
    }
    facts
}

#[test]
fn a_disk_gives_the_same_facts_live_and_as_an_image() {
    let (_keep, root) = folder();
    let kinds = plant_kinds(&root);
    let [live, image] = [sweep([&root]), sweep([Path::new("--root"), &root])];
    for swept in [&live, &image] {
        let told: BTreeSet<&str> = swept.rows("environments").iter().filter_map(|row| row["kind"].as_str()).collect();
        assert_eq!(told, kinds);
    }
    let [live, image] = [facts(&live, shown(&root)), facts(&image, shown(&root))];
    assert!(live.iter().any(|row| row.starts_with("findings ")), "{live:?}");
    let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| one.difference(other).cloned().collect::<Vec<_>>();
    assert_eq!(only(&live, &image), only(&image, &live), "live differs from the image");
}
