//! Commands of pipelines and Dockerfiles that install something.
#![no_main]

use pysweep::extract::pipeline::{self, Named};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
    for one in pipeline::parse(bytes).all {
        assert!((1..=lines).contains(&one.line));
        match one.named {
            Named::Package { normalized, .. } => assert!(!normalized.is_empty()),
            Named::File(file) => assert!(!file.is_empty()),
        }
    }
});
