//! Python source, from text to what stands out in it: as a module, and as the lines of a start-up file.
#![no_main]

use pysweep::extract::python::code;
use pysweep::model::code::When;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let lines = text.split('\n').count() as u32;
    let followed = code::of_module(text, "package", &[("main".to_owned(), When::Start)]);
    assert!(followed.signs.iter().all(|sign| (1..=lines).contains(&sign.line)));
    let all: Vec<&str> = text.lines().collect();
    let followed = code::of_lines(&all);
    assert!(followed.imports.iter().all(|one| one.line as usize <= all.len()));
});
