//! Tar archives: headers, and the content of what they name.
#![no_main]

use std::io::Read as _;
use std::ops::ControlFlow;

use pysweep::extract::format::tar::{self, AtFile};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut seen = 0;
    let _fault = tar::entries(&mut AtFile::new(bytes), |entry, part| {
        assert!(entry.name.len() <= tar::LONGEST_NAME);
        let mut content = Vec::new();
        let _cut = part.take(4096).read_to_end(&mut content);
        seen += 1;
        ControlFlow::Continue(())
    });
    assert!(seen <= bytes.len() / 512);
});
