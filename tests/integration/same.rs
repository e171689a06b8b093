//! Same disk, same bytes: two sweeps give one report, `sweep` and `tool` aside, however many workers share the work.

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
