//! Stored reports, held against themselves: nothing is new, gone or changed.
#![no_main]

use pysweep::compare::told::Told;
use pysweep::compare::{compare, warnings};

/// A report without rows, up to where they go.
const HEAD: &str = r#"{"schema": "pysweep.report/1", "host": {"name": "h", "os": "linux"},
    "sweep": {"id": "s", "started": "2026-11-01T00:00:00Z"}, "packs": [],
    "verdict": {"level": "none", "coverage": "complete", "scope": "host"}, "#;

fn holds(bytes: &[u8]) {
    if let Ok(told) = Told::parse("fuzz", bytes) {
        assert!(compare(&told, &told).is_empty());
        assert!(warnings(&told, &told).is_empty());
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    holds(bytes);
    // The same as rows of a report, which would take long to be guessed.
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    holds(format!("{HEAD}\"findings\": [], \"autostarts\": [{text}], \"coverage\": {{\"gaps\": []}}}}").as_bytes());
    holds(format!("{HEAD}\"findings\": [{text}], \"coverage\": {{\"gaps\": []}}}}").as_bytes());
    holds(format!("{HEAD}\"findings\": [], \"coverage\": {{\"gaps\": [{text}]}}}}").as_bytes());
});
