//! The redactor: any bytes give a short text, and a marked secret is gone.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let shown = pysweep::model::text::Excerpt::of(bytes);
    assert!(shown.as_str().chars().count() <= pysweep::model::text::MOST);
    // A secret that stands elsewhere without its name cannot be known for one.
    let stands_alone = bytes.windows(6).any(|part| part == b"Zq7Zq7");
    let marked = [b"DB_PASSWORD=Zq7Zq7Zq7Zq7 ".as_slice(), bytes].concat();
    assert!(stands_alone || !pysweep::model::text::Excerpt::of(&marked).as_str().contains("Zq7Zq7"));
});
