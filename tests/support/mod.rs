//! Fixture hosts: one `.tree` file is one whole host, planted in a temporary folder, swept, and compared with what the
//! same file expects by hand. Git keeps neither modes nor empty folders nor odd names, and security software eats
//! suspicious files; a text file has none of these troubles, and a reviewer sees the whole host on one page.
//!
//! # The file
//!
//! ```text
//! # What this host is, and why it exists. Every tree begins with such a block.
//!
//! options: --platform windows          more options of `pysweep scan`; often absent
//! time: 2026-01-15T08:00:00Z           last change of everything that says nothing else; this is the default
//! uid: 65534                           swept by that account instead of whoever runs the tests (`permissions.rs`)
//! let S = lib/python3.11/site-packages
//!
//! files:
//!
//! /etc/hostname
//! | build7
//! /opt/app/.venv/$S/litellm-1.82.8.dist-info/    metadata litellm 1.82.8, time 2026-03-24T11:02:17Z
//! /opt/app/.venv/lib64 -> lib
//!
//! expect:
//!
//! verdict compromised complete 1
//! finding package-known-bad compromised /opt/app/.venv/$S/litellm-1.82.8.dist-info litellm 1.82.8
//! ```
//!
//! Empty lines and lines that begin with `#` mean nothing anywhere outside contents. `$NAME` stands for what `let`
//! says, also in the middle of a path. In paths and in the words of `expect`, `%XX` is one byte: `%20` a blank, `%0a` a
//! line end, `%24` a dollar sign. A word with blanks may also stand in double quotes.
//!
//! # Files
//!
//! A line `PATH ATTRIBUTE, ATTRIBUTE …` makes one thing; folders above it are made as needed. The path is that of the
//! target, written with `/` on every system.
//!
//! | form | makes |
//! |---|---|
//! | `PATH` | a file with the content below it, empty without |
//! | `PATH/` | a folder |
//! | `PATH -> TARGET` | a symbolic link; `{outside}` is a folder beside the root that no sweep may enter |
//! | `PATH = OTHER` | a hard link to the file that `OTHER` made |
//!
//! | attribute | means |
//! |---|---|
//! | `metadata NAME VERSION` | of a folder: put METADATA (in an `.egg-info`, PKG-INFO) of that name and version into it |
//! | `hive` | of a file: a registry hive with the keys and values of the content, written as `support/hive.rs` says; `hive 6K` keeps only its beginning |
//! | `bolt` | of a file: a bolt database with the buckets and values of the content, written as `support/bolt.rs` says; `bolt 9K` keeps only its beginning |
//! | `egg NAME VERSION` | of a file: a zipped egg with EGG-INFO/PKG-INFO of that name and version, not compressed |
//! | `egg-of-nothing 64M` | of a file: a zipped egg whose EGG-INFO/PKG-INFO is that long and names nothing, compressed |
//! | `zip`, `tar`, `tar.gz`, `frozen` | of a file: such an archive, or a program of PyInstaller, with an entry for each line of the content (below) |
//! | `cut 100` | of such a file: only the first so many bytes of it |
//! | `mode 0600` | permissions; 0644 and 0755 otherwise |
//! | `time RFC3339` | last change |
//! | `owner UID` | who owns it; only root can plant such a host |
//! | `fifo` | a FIFO |
//! | `sparse 8G` | zeros behind the content up to that size, which take no room (K, M, G) |
//! | `escaped` | `\n \r \t \\ \xHH \u{HHHH}` in the content mean what they do in Rust; `\*90{text}` is text 90 times; `\` at a line's end leaves the line end out |
//! | `utf-16` | the content is written in little-endian UTF-16 with a byte-order mark |
//!
//! Content stands in lines that begin with `| `, each of which ends in a line feed. `|*20000 text` is that line 20,000
//! times.
//!
//! A line of an archive is a name and what lies there: `metadata NAME VERSION` as above; `text WORDS`; `zeros 64M`;
//! `file /PATH`, the content of a file further up; of a tar also `hard-link NAME` and `link NAME`. In a program, `PYZ.pyz`
//! holds modules, of which the text has the names. A line `#!…` stands in front of a zip archive.
//!
//! # Expectations
//!
//! Written by hand from the contract, never from what the program printed. The lists of findings, gaps and skipped trees
//! are complete: one more or one less is a fault. Any line may end in `key=value` words that hold the row of the report
//! to more (`confidence=possible`, `container.engine=docker`, `run_by=/usr/bin/python3.11`); lists are joined by commas, null is
//! nothing. `*` in place of a word means that it does not matter.
//!
//! | line | says |
//! |---|---|
//! | `verdict LEVEL COVERAGE EXIT` | the verdict, and the exit code that the program really returned |
//! | `finding RULE LEVEL PATH [NAME [VERSION]]` | a finding; `account=NAME` compares its accounts |
//! | `environment KIND PATH [ACCOUNT]` | an environment |
//! | `interpreter IMPLEMENTATION PATH` | an interpreter |
//! | `distribution NAME VERSION STATE PATH` | a distribution |
//! | `hook JUDGEMENT PATH` | a start-up hook |
//! | `account NAME` | an account |
//! | `exposure INCIDENT` | an exposure |
//! | `row SECTION PATH` | a row of any other section |
//! | `gap REASON PATH [material\|harmless]` | a gap |
//! | `skipped PATH` | a tree that was left out |
//! | `quiet PATH` | nothing is found at or below what this host has planted there |
//! | `unsaid TEXT` | that text appears nowhere in the report |
//! | `only SECTION …` | the rows above are all that this section has |
//! | `check ID` | this host shows that check: it is in the report, and a line above expects something of it |

#![allow(dead_code, reason = "each test file uses its own part of this")]

pub(crate) mod archive;
pub(crate) mod bolt;
pub(crate) mod compare;
pub(crate) mod content;
pub(crate) mod escape;
pub(crate) mod expect;
pub(crate) mod hive;
pub(crate) mod json;
pub(crate) mod plant;
pub(crate) mod program;
pub(crate) mod schema;
pub(crate) mod tree;
pub(crate) mod zip;

use std::path::Path;

use tree::Host;

/// Every host of `tests/hosts`, sorted by name.
pub(crate) fn hosts() -> Vec<Host> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "tree"));
    files.sort();
    files
        .iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap();
            Host::parse(name, &std::fs::read_to_string(path).unwrap())
        })
        .collect()
}
