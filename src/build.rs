#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "runs when pysweep is built, never on a swept host"
)]
//! Packs `iocs/packs/*.json` and `iocs/keys/*.pub` into compressed blocks for the binary. Compressed, so that neither a search of ours nor
//! an anti-virus program takes pysweep itself for what it looks for.

use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::ZlibEncoder;

fn main() {
    println!("cargo::rustc-env=PYSWEEP_BUILD={}-{}", variable("TARGET"), variable("PROFILE"));
    pack("iocs/packs", "json", "packs.z");
    pack("iocs/keys", "pub", "keys.z");
}

/// Puts the files of `folder` whose names end so into one block.
fn pack(folder: &str, end: &str, into: &str) {
    println!("cargo::rerun-if-changed={folder}");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("iocs lies beside Cargo.toml")
        .map(|entry| entry.expect("a folder of iocs can be listed").path())
        .filter(|path| path.extension().is_some_and(|own| own == end))
        .collect();
    files.sort();
    // Name, NUL, length as eight bytes, content; again and again.
    let mut all = ZlibEncoder::new(Vec::new(), Compression::best());
    for path in files {
        let content = std::fs::read(&path).expect("a file of iocs can be read");
        let name = path.file_stem().expect("a file of iocs has a name").as_encoded_bytes();
        let length = (content.len() as u64).to_be_bytes();
        [name, b"\0", &length, &content].iter().for_each(|part| all.write_all(part).expect("memory takes it"));
    }
    let block = all.finish().expect("memory takes it");
    std::fs::write(Path::new(&variable("OUT_DIR")).join(into), block).expect("OUT_DIR takes it");
}

fn variable(name: &str) -> String {
    std::env::var(name).expect("cargo sets it")
}
