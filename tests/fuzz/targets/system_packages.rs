//! Databases of package managers.
#![no_main]

use pysweep::extract::system_package::{rows, rpm};
use pysweep::model::system_package::{ECOSYSTEMS, upstream};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
    for fields in [rows::DPKG, rows::APK] {
        let read = rows::stanzas(bytes, fields, |row| {
            assert!(!row.name.is_empty() && row.line.is_none_or(|line| (1..=lines).contains(&line)));
            for ecosystem in ECOSYSTEMS {
                assert!(row.version.contains(upstream(ecosystem, &row.version)));
            }
        });
        assert!(read.is_ok());
    }
    let _one = rows::pacman(bytes);
    assert!(rpm::find(bytes, "trivy").iter().all(|row| !row.version.is_empty()));
});
