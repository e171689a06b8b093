//! Backups and saved images, and archives in them.
#![no_main]

use pysweep::extract::archive::backup;
use pysweep::model::watch::Watch;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut watch = Watch::default();
    watch.packages.insert("a".to_owned());
    let mut held = backup::look(bytes, &watch);
    assert!(held.each().count() <= pysweep::extract::archive::held::MOST);
});
