//! pyvenv.cfg.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let keys = pysweep::extract::python::pyvenv::parse(bytes);
    assert!(["venv", "uv-venv", "virtualenv"].contains(&keys.kind));
});
