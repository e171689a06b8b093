//! Records of conda-meta, and their names.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _record = pysweep::extract::python::conda_meta::parse(bytes);
    let _says = pysweep::extract::python::conda_meta::parse_file_name(bytes);
});
