//! .start files and the modules that Python imports at its start, from bytes to lines.
#![no_main]

use pysweep::extract::python::{customize, start_file};
use pysweep::model::path::TargetPath;
use pysweep::model::startup::{HookKind, StartupHook};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let hook = start_file::parse(TargetPath::new(b"/lib/python3/site-packages/x.start"), bytes, true);
    assert_eq!(hook.size, bytes.len() as u64);
    let path = TargetPath::new(b"/lib/python3/site-packages/sitecustomize.py");
    let mut hook = StartupHook::at(path, HookKind::Sitecustomize);
    customize::fill(&mut hook, bytes, true);
    let _judged = pysweep::detect::startup_score::judge(&hook);
});
