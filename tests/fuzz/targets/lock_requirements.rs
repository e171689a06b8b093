//! Requirements files, and any other file by its content.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // UTF-16 may hold one in each byte, and old line ends are line ends.
    let lines = bytes.iter().filter(|byte| b"\n\r\x0b\x0c".contains(byte)).count() as u32 + 1;
    if let Ok(lock) = pysweep::extract::lock::requirements::parse(bytes) {
        assert!(lock.pins.iter().all(|pin| !pin.name.is_empty() && pin.line.is_some_and(|line| line <= lines)));
        assert!(lock.unread.iter().all(|(line, _)| (1..=lines).contains(line)));
    }
    let _other = pysweep::extract::lock::read("-", bytes);
});
