//! Environments of conda's family, made by the library behind pixi: conda itself is in no index that is at hand.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::kinds::{clean_sweep, of};
use crate::stage::{done, folder, shown, tool};

#[test]
fn conda_environments_and_their_package_cache() {
    let (_keep, home) = folder();
    let python = std::env::var_os("PYSWEEP_RATTLER");
    let python = python.expect("PYSWEEP_RATTLER names no Python that has py-rattler. `.ci/run` installs it.");
    let conda = home.join("miniforge3");
    let kinds = [
        ("conda-base", conda.clone()),
        ("conda-env", conda.join("envs/work")),
        ("pixi", home.join("projects/web/.pixi/envs/default")),
        // Made with `--prefix`: only what is in it says what it is.
        ("conda-env", home.join("projects/deploy/runtime")),
    ];
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/make_conda.py");
    let mut make = tool(python, &home);
    let prefixes: Vec<&PathBuf> = kinds.iter().map(|(_, prefix)| prefix).collect();
    done(make.arg(script).arg(&home).arg(conda.join("pkgs")).args(prefixes));

    let swept = clean_sweep(&home);
    for (kind, prefix) in &kinds {
        assert_eq!(swept.at("environments", prefix)["kind"], *kind, "{}", prefix.display());
        let rows = of(&swept, prefix);
        let told = rows.iter().map(|row| (row["normalized"].as_str().unwrap(), row["version"].as_str().unwrap()));
        let wanted = BTreeSet::from([("python", "3.11.7"), ("sample", "1.2.3")]);
        assert_eq!(told.collect::<BTreeSet<_>>(), wanted, "{}", prefix.display());
        let python = swept.at("distributions", &prefix.join("conda-meta/python-3.11.7-h0_0_cpython.json"));
        assert_eq!([&python["metadata"], &python["state"]], ["conda-meta", "installed"], "{python}");
        swept.at("distributions", &prefix.join("lib/python3.11/site-packages/sample-1.2.3.dist-info"));
    }
    // The same files under a second name, hard links of those in the environments: stored, not installed.
    let cache = conda.join("pkgs");
    assert_eq!(swept.at("environments", &cache)["kind"], "conda-pkgs-cache");
    let cached = cache.join("sample-1.2.3-py_0/site-packages/sample-1.2.3.dist-info");
    assert_eq!(swept.at("distributions", &cached)["state"], "cached", "{}", shown(&cached));
}
