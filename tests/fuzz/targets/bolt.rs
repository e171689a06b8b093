//! Bolt databases of containerd: whatever the bytes are, and damage to a database that is whole.
#![no_main]

#[allow(dead_code)]
#[path = "../../support/bolt.rs"]
mod made;

use std::sync::LazyLock;

use pysweep::extract::container::containerd;
use pysweep::extract::format::bolt::{self, Bolt};

static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let text = "v1\\snapshots\\default/1/sha256:aa\n    id:varint = 1\nv1\\snapshots\\default/2/web\n    id:varint = 300\n    \
                parent = default/1/sha256:aa\nv1\\default\\images\\a:1\\target\n    digest = sha256:11\n\
                v1\\default\\containers\\c\n    snapshotKey = web\n    spec:any = {\"mounts\": []}\n";
    made::bolt(text)
});

fn explore(bytes: &[u8]) {
    let Ok(db) = Bolt::open(bytes) else { return };
    let mut entries = Vec::new();
    let _fault = db.entries(&db.root(), &mut entries);
    assert!(entries.len() <= bolt::MOST_ENTRIES);
    let _fault = containerd::snapshots(&db, &mut Vec::new());
    let _fault = containerd::known(&db, &mut containerd::Known::default());
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    explore(bytes);
    // The fuzzer would need long to come upon a checksum that is right: the two meta pages stay as they are.
    let mut damaged = WHOLE.clone();
    let room = damaged.len() - 8192;
    for patch in bytes.chunks_exact(3) {
        let at = 8192 + usize::from(u16::from_le_bytes([patch[0], patch[1]])) % room;
        damaged[at] = patch[2];
    }
    explore(&damaged);
    if let [first, second, ..] = bytes {
        damaged.truncate(usize::from(u16::from_le_bytes([*first, *second])));
        explore(&damaged);
    }
});
