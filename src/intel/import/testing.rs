//! For the tests of the readers: what becomes of a feed, counted, so that nothing of it is lost.

use super::Reader;
use super::gather::{Gather, Label};
use crate::intel::{lint, load};
use crate::model::fault::Fault;
use crate::model::time::Time;

/// What became of a feed.
#[derive(Debug)]
pub(super) struct Outcome {
    /// What is looked for, sorted: `file NAME HASH`, `hash HASH`, `path X`, `host X`, `text X`, lines of packages as JSON.
    pub used: Vec<String>,
    /// The notes as they are printed, sorted.
    pub notes: Vec<String>,
    /// Records or rows.
    pub records: usize,
}

impl Outcome {
    /// Things, packages and notes together.
    pub(super) fn total(&self) -> usize {
        self.used.len() + self.notes.len()
    }

    /// Whether some note has this in it.
    pub(super) fn tells(&self, part: &str) -> bool {
        self.notes.iter().any(|note| note.contains(part))
    }
}

/// What imports are called in tests.
pub(super) fn label() -> Label {
    Label { id: "feed".into(), title: "t".into(), source: "a list".into(), today: Time::from_unix(0) }
}

/// Reads a feed that can be read, on the day 2026-06-01, and holds the pack that is made of it against the rules.
pub(super) fn read(reader: Reader, text: &str) -> Outcome {
    let mut into = Gather::on(Time::parse("2026-06-01").unwrap());
    reader("dir/feed.txt", text.as_bytes(), &mut into).unwrap();
    let made = match into.finish(&label()) {
        Ok(made) => made,
        Err(notes) => {
            let notes = notes.iter().map(ToString::to_string).collect();
            return Outcome { used: Vec::new(), notes, records: 0 };
        }
    };
    let text = serde_json::to_string(&made.pack).unwrap();
    let loaded = load::parse("made", text.as_bytes()).unwrap();
    assert_eq!(lint::lint(&loaded), []);
    let mut used: Vec<String> = made.pack.packages.iter().map(|row| serde_json::to_string(row).unwrap()).collect();
    for one in &made.pack.indicators {
        let hash = |hash: &String| match one.names.first() {
            Some(name) => format!("file {name} {hash}"),
            None => format!("hash {hash}"),
        };
        used.extend(one.sha256.iter().map(hash));
        used.extend(one.paths.iter().map(|path| format!("path {path}")));
        used.extend(one.domains.iter().chain(&one.ips).map(|host| format!("host {host}")));
        used.extend(one.contains.iter().map(|text| format!("text {text}")));
    }
    used.sort();
    Outcome { used, notes: made.notes.iter().map(ToString::to_string).collect(), records: made.records }
}

/// The fault of a feed that cannot be read.
pub(super) fn fault(reader: Reader, bytes: &[u8]) -> Fault {
    reader("dir/feed.txt", bytes, &mut Gather::default()).unwrap_err()
}

/// Reads anything, for tests that nothing panics.
pub(super) fn survives(reader: Reader, bytes: &[u8]) {
    let mut into = Gather::default();
    let _fault = reader("dir/feed.txt", bytes, &mut into);
    let _made = into.finish(&label());
}
