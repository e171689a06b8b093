//! What container engines write of their images and containers.
#![no_main]

use pysweep::extract::container::{containerd, docker, oci, storage};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _names = docker::parse_repositories(bytes);
    let mounts = docker::parse_container(bytes).map_or(0, |found| found.mounts.len());
    assert!(mounts <= 1000);
    let _host = docker::parse_host(bytes);
    let _rows = (storage::parse_layers(bytes), storage::parse_images(bytes), storage::parse_containers(bytes));
    let _more = std::str::from_utf8(bytes).map(storage::parse_metadata);
    let _chain = (oci::chain_of_image(bytes), oci::mounts(bytes), oci::refers(bytes));
    if let Some(value) = containerd::any_value(bytes) {
        assert!(value.len() <= bytes.len());
    }
});
