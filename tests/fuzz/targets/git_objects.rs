//! Objects, packs and references of git: the pack, its index and a loose object are all of the same bytes.
#![no_main]

use pysweep::extract::git::{object, pack, refs};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let half = bytes.len() / 2;
    let (first, second) = bytes.split_at(half);
    if let Ok(found) = pack::loose(bytes) {
        assert!(found.bytes.len() <= pack::MOST);
    }
    for at in [0, 12, half as u64] {
        if let Ok(found) = pack::object(first, second, at) {
            assert!(found.bytes.len() <= pack::MOST);
        }
    }
    let _place = pack::offset(second, &[0; 20]);
    let _made = object::apply(first, second, 1 << 16);
    assert!(object::entries(bytes).count() <= bytes.len() / 22 + 1);
    assert!(refs::packed(bytes).all(|(name, _)| name.len() <= bytes.len()));
    let _rest = (object::commit(bytes), object::tag(bytes), object::time(bytes));
});
