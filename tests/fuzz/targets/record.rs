//! RECORD rows, and where their paths lead.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut shown = 0;
    let end = pysweep::extract::format::record::rows(bytes, |row| {
        shown += 1;
        if let pysweep::extract::format::record::Place::Inside(parts) = pysweep::extract::format::record::place(&row.path) {
            assert!(parts.iter().all(|part| !matches!(*part, b"" | b"." | b"..")));
        }
    });
    assert!(shown <= end.rows);
});
