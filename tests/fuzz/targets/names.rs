//! Names of metadata folders and of interpreters.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let says = pysweep::extract::python::metadata::parse_folder_name(bytes);
    let _normalized = pysweep::model::distribution::normalize_name(&says.name);
    let _interpreter = pysweep::extract::python::interpreter::parse_name(bytes);
    let _layout = pysweep::extract::layout::of(&pysweep::model::path::TargetPath::new(bytes), bytes.len() % 2 == 0);
});
