//! Registry hives: whole ones, cells behind an honest base block, and damage to a hive that is whole.
#![no_main]

#[allow(dead_code)]
#[path = "../../support/hive.rs"]
mod made;

use std::sync::LazyLock;

use pysweep::extract::format::hive::Hive;
use pysweep::extract::python::registry::{self, Account};

static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let text = r"
Software\Python\PythonCore\3.11
    DisplayName = Python
    Version = 3.11.4
Software\Python\PythonCore\3.11\InstallPath
    @ = C:\Python311
    ExecutablePath = *8180 x
Software\Python\Тег\А\InstallPath
    @:expand = %A%
";
    made::hive_with(text, made::Lists::Root(1))
});

fn explore(bytes: &[u8]) {
    let Ok(hive) = Hive::open(bytes) else { return };
    for account in [Account::User, Account::Machine] {
        let out = registry::read(&hive, account);
        assert!(out.registered.len() <= registry::MOST);
    }
    for key in hive.root().into_iter().flat_map(|root| root.subkeys()).flatten().take(100) {
        assert!(key.name().len() <= 1024);
        let _text = key.value("");
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    explore(bytes);
    // The fuzzer would need long to come upon a base block that is right, and upon 4,096 bytes at all.
    let mut cells = WHOLE[..4096].to_vec();
    cells[36..40].copy_from_slice(&[0; 4]);
    cells.extend(bytes);
    explore(&cells);
    let mut damaged = WHOLE.clone();
    for patch in bytes.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([patch[0], patch[1]])) % damaged.len();
        damaged[at] = patch[2];
    }
    explore(&damaged);
    if let [first, second, ..] = bytes {
        damaged.truncate(usize::from(u16::from_le_bytes([*first, *second])));
        explore(&damaged);
    }
});
