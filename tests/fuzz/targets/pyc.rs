//! Compiled modules: their headers, the marshal stream, and the source that they are held against. Before the first zero
//! byte stands the source.
#![no_main]

use pysweep::extract::python::bytecode::{Match, belongs, header};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (source, rest) = bytes.split_at(bytes.iter().position(|byte| *byte == 0).unwrap_or_default());
    let pyc = rest.get(1..).unwrap_or_default();
    if let Match::No(words) = belongs(pyc, source) {
        assert!(!words.is_empty() && words.len() <= 5);
    }
    // Deep into the stream, whatever the magic number.
    for magic in [62211_u16, 3379, 3413, 3495, 3666] {
        let whole = [magic.to_le_bytes().as_slice(), b"\r\n", &[0; 12], pyc].concat();
        let length = header::header(&whole).map_or(0, |header| header.length);
        let _belongs = belongs(&[&whole[..length], pyc].concat(), source);
    }
});
