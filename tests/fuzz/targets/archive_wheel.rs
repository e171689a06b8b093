//! Wheels: METADATA and RECORD in a zip archive.
#![no_main]

use pysweep::extract::archive::wheel;
use pysweep::model::distribution::FolderSays;
use pysweep::model::watch::Watch;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let says = FolderSays { name: "a".to_owned(), version: "1".to_owned() };
    let _content = wheel::content(bytes, &Watch::default(), &says);
});
