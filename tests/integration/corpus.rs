//! The corpus beside the checkout: a realistic tree with the truth about it, and a tree of traps. Its score is printed;
//! the rows that this version owns must be complete. `PYSWEEP_CORPUS` names a corpus that is already built.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::same::lasting;
use crate::stage::{Swept, done, shown, started, sweep, sweep_bounded};

/// Where the builder and the scorer lie, if anywhere.
fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus")
}

/// A built corpus; none where there is no builder. Cases that come while it is being built wait for it.
fn corpus() -> Option<&'static Path> {
    static CORPUS: OnceLock<Option<PathBuf>> = OnceLock::new();
    CORPUS.get_or_init(build).as_deref()
}

fn build() -> Option<PathBuf> {
    if !source().join("build.sh").exists() {
        println!("corpus: SKIPPED, there is no {}", source().join("build.sh").display());
        return None;
    }
    if let Some(built) = std::env::var_os("PYSWEEP_CORPUS") {
        return Some(std::fs::canonicalize(built).unwrap());
    }
    let at = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus");
    if !at.join("tree.truth.json").exists() || !at.join("traps.truth.json").exists() {
        println!("corpus: building it in {}, which takes some minutes", at.display());
        // What an interrupted build left behind would stop the next.
        done(Command::new("rm").args(["-rf", "--"]).args(["tree", "traps"].map(|name| at.join(name))));
        done(Command::new("sh").arg(source().join("build.sh")).arg(&at).arg("small"));
    }
    Some(at)
}

/// What the scorer says: its table, and every row that was missed, as (group, kind, rest).
struct Score {
    table: Vec<(String, String)>,
    missed: Vec<(String, String, String)>,
}

fn score(at: &Path, name: &str, swept: &Swept) -> Score {
    let report = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.report.json"));
    std::fs::write(&report, &swept.json).unwrap();
    let truth = at.join(format!("{name}.truth.json"));
    let out = started(Command::new("python3").arg(source().join("score_report.py")).arg(truth).arg(report));
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(!text.is_empty(), "the scorer failed:\n{}", String::from_utf8_lossy(&out.stderr));
    println!("score of {name}:\n{text}");
    Score::parse(&text)
}

impl Score {
    fn parse(text: &str) -> Self {
        let missed = text.lines().filter_map(|line| line.strip_prefix("  missed  ")).map(|line| {
            // `bad: known-bad: KIND: PATH (NOTE)`, `distributions: KIND: PATH (NOTE)`: only the groups of bad things
            // have a colon of their own.
            let own = if line.starts_with("bad: ") { "bad: ".len() } else { 0 };
            let (group, rest) = line[own..].split_once(": ").unwrap();
            let (kind, rest) = rest.split_once(": ").unwrap();
            (format!("{}{group}", &line[..own]), kind.to_owned(), rest.to_owned())
        });
        // `GROUP`, filled with blanks to 34 characters, and `FOUND/ALL`.
        let row = |line: &str| Some((line.get(..34)?.trim().to_owned(), line.get(35..)?.trim().to_owned()));
        let table = text.lines().filter(|line| !line.starts_with(' ')).filter_map(row);
        Self { table: table.collect(), missed: missed.collect() }
    }

    /// A group must be in the table, and may only miss what is of these kinds.
    fn misses_only(&self, group: &str, kinds: &[&str]) -> Result<(), String> {
        if !self.table.iter().any(|(name, _)| name == group) {
            return Err(format!("the score has no row `{group}`"));
        }
        let rows = self.missed.iter().filter(|(name, kind, _)| name == group && !kinds.contains(&kind.as_str()));
        let rows: Vec<String> = rows.map(|(_, kind, rest)| format!("{kind}: {rest}")).collect();
        if rows.is_empty() { Ok(()) } else { Err(format!("{group} misses {rows:#?}")) }
    }

    fn numbers(&self, group: &str) -> Option<&str> {
        self.table.iter().find(|(name, _)| name == group).map(|(_, numbers)| numbers.as_str())
    }
}

#[test]
fn the_tree_is_found_as_far_as_this_version_goes() {
    let Some(at) = corpus() else { return };
    let tree = at.join("tree");
    let swept = sweep(["--root", shown(&tree)]);
    assert_eq!(swept.code, 1);
    assert!(
        lasting(&sweep(["--root", shown(&tree), "--jobs", "1"])) == lasting(&swept),
        "another report by one worker"
    );

    let score = score(at, "tree", &swept);
    let wrong: Vec<String> = [
        score.misses_only("distributions", &[]),
        score.misses_only("environments", &[]),
        score.misses_only("bad: known-bad", &[]),
        score.misses_only("bad: record-mismatch", &[]),
        score.misses_only("bad: info", &[]),
        // A tree `lib/python3.11/site-packages` with nothing else to it: what `pip install --prefix` makes looks the same.
        score.misses_only("environment kinds right", &["unreadable"]),
        score.misses_only("bad: known-bad-artefact", &[]),
        score.misses_only("bad: suspect-pth", &[]),
        score.misses_only("bad: suspicious", &[]),
        score.misses_only("bad: residue", &[]),
        score.misses_only("decoys quiet", &[]),
    ]
    .into_iter()
    .filter_map(Result::err)
    .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(score.numbers("environments"), Some("90/90"));
}

#[test]
fn every_trap_is_walked_past() {
    let Some(at) = corpus() else { return };
    let traps = at.join("traps");
    for args in [vec!["--root", shown(&traps)], vec![shown(&traps)]] {
        let is_image = args.len() == 2;
        let swept = sweep_bounded(args);
        assert_eq!(swept.code, 1);
        // The truth's paths begin at the tree, so only the sweep of an image can be held against it.
        if is_image {
            let score = score(at, "traps", &swept);
            assert_eq!(score.misses_only("bad: known-bad", &[]), Ok(()));
        }
    }
}

#[test]
fn a_score_is_read() {
    let score = Score::parse(
        "bad: known-bad                     1/3\n\
         distributions                      7/8\n  \
         missed  bad: known-bad: venv+egg: srv/a.egg (known-bad)\n  \
         missed  bad: known-bad: venv: srv/b: c (known-bad)\n  \
         missed  distributions: egg-zip: srv/a.egg ()\n\
         environment kinds as reported:\n  linux/venv -> venv\n",
    );
    assert_eq!(score.numbers("bad: known-bad"), Some("1/3"));
    assert_eq!(score.misses_only("bad: known-bad", &["venv+egg", "venv"]), Ok(()));
    assert!(score.misses_only("bad: known-bad", &["venv+egg"]).unwrap_err().contains("venv: srv/b: c"));
    assert_eq!(score.misses_only("distributions", &["egg-zip"]), Ok(()));
    assert!(score.misses_only("distributions", &[]).is_err());
    assert!(score.misses_only("no such row", &[]).is_err());
}
