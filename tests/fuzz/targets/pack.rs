//! Indicator packs, from bytes to checked pack.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(pack) = pysweep::intel::load::parse("fuzz", bytes) {
        let _complaints = pysweep::intel::lint::lint(&pack);
    }
});
