//! Programs of PyInstaller: cookie, table of contents, contents, names of modules.
#![no_main]

use pysweep::extract::archive::carchive;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(Some(cookie)) = carchive::cookie(bytes, 16 << 10) else { return };
    let mut left = 64;
    let _fault = carchive::entries(bytes, &cookie, |_, entry| {
        if left > 0 {
            left -= 1;
            assert!(carchive::content(bytes, &entry, 4096).0.len() <= 4096);
            let _fault = carchive::modules(bytes, &entry, |name| assert!(name.len() <= bytes.len()));
        }
    });
});
