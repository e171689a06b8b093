//! What points to other places: egg-link files, Jupyter kernels.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(path) = pysweep::extract::python::egg_link::parse(bytes) {
        assert!(!path.contains(&0) && !path.contains(&b'\n'));
    }
    let _kernel = pysweep::extract::python::kernel::parse(bytes);
});
