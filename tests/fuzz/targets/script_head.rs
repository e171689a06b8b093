//! Heads of scripts.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.len() as u32 + 1;
    if let Ok(lock) = pysweep::extract::lock::script::parse(bytes) {
        assert!(lock.pins.iter().all(|pin| !pin.name.is_empty() && pin.line.is_some_and(|line| line <= lines)));
        assert!(lock.unread.iter().all(|(line, _)| (1..=lines).contains(line)));
    }
});
