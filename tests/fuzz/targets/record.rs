//! RECORD rows.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let out = pysweep::extract::python::record::parse(bytes);
    assert!(out.hooks.len() as u64 + out.absolute <= out.rows);
});
