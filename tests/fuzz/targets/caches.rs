//! What caches keep: responses of pip, pointers of uv, records of conda.
#![no_main]

use pysweep::extract::cache::{conda, pip, uv};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(found) = pip::parse(bytes) {
        assert!(!found.name.is_empty());
    }
    if let Some(pointer) = uv::parse(bytes) {
        assert!(pointer.sha256.is_none_or(|hash| hash.len() == 64));
    }
    conda::parse(bytes);
});
