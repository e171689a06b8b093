//! Indicator packs, from bytes to checked pack.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(loaded) = pysweep::intel::load::parse("fuzz", bytes) {
        let _complaints = pysweep::intel::lint::lint(&loaded);
        let _watch = pysweep::intel::index::Intel::of(vec![loaded]).watch();
    }
});
