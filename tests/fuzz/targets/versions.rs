//! What names versions: headers, build details, assignments in modules, programs.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    use pysweep::extract::python::{bare_package, version_marks};
    for version in [version_marks::parse_patchlevel(bytes), version_marks::parse_build_details(bytes)] {
        assert!(version.is_none_or(|version| version_marks::is_version(&version)));
    }
    assert!(bare_package::parse_version(bytes).is_none_or(|version| version.len() <= 64));
    let _program = pysweep::extract::program_version::find(bytes, "3.11");
});
