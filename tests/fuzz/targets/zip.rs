//! Zip archives: the directory, and the content of what it lists.
#![no_main]

use std::ops::ControlFlow;

use pysweep::extract::format::zip;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut left = 64;
    let _fault = zip::entries(bytes, |name, entry| {
        assert!(name.len() <= zip::LONGEST_NAME);
        if let Ok(content) = zip::read_entry(bytes, entry, 4096) {
            assert!(content.bytes.len() <= 4096);
            assert!(!content.whole || content.bytes.len() as u64 == entry.size);
        }
        left -= 1;
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
});
