//! Documents that name the layers of images.
#![no_main]

use pysweep::extract::archive::image::Documents;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut documents = Documents::default();
    for name in ["manifest.json", "index.json", "blobs/sha256/aa"] {
        documents.add(name.as_bytes(), bytes.to_vec());
    }
    let _images = documents.images();
});
