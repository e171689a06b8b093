//! .pth files, from bytes to classed lines.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let path = pysweep::model::path::TargetPath::new(b"/lib/python3/site-packages/x.pth");
    if let Some(hook) = pysweep::extract::python::pth::parse(path, bytes, true) {
        assert_eq!(hook.size, bytes.len() as u64);
        let _judged = pysweep::detect::startup_score::judge(&hook);
    }
});
