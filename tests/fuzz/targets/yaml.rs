//! YAML.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.len() as u32 + 1;
    if let Ok(node) = pysweep::extract::format::yaml::parse(bytes) {
        assert!((1..=lines).contains(&node.line));
    }
});
