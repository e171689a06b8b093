//! METADATA and PKG-INFO headers.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let early = pysweep::extract::format::headers::parse(bytes, false);
    let whole = pysweep::extract::format::headers::parse(bytes, true);
    // What a prefix has settled, the rest of the file must not change.
    if early.name.is_some() {
        assert_eq!(early.name, whole.name);
    }
});
