//! Feeds in the formats of others, told by their content, and by every reader whatever they are: each record becomes
//! something that is looked for, or a note, and a pack that can be loaded.
#![no_main]

use pysweep::intel::import::gather::{Gather, Label};
use pysweep::intel::import::sniff::{Format, format_of};
use pysweep::model::time::Time;

const ALL: [Format; 10] = [
    Format::Osv,
    Format::Zip,
    Format::Stix,
    Format::DataDog,
    Format::RedHat,
    Format::RedHatPackages,
    Format::Bumblebee,
    Format::ScanSupplyChain,
    Format::LokiHashes,
    Format::LokiNames,
];

fn read(format: Format, bytes: &[u8]) {
    let Some(reader) = format.reader() else { return };
    let mut into = Gather::on(Time::from_unix(1_780_000_000));
    let is_read = reader("feed", bytes, &mut into).is_ok();
    let label = Label { id: "feed".into(), title: "t".into(), source: "s".into(), today: Time::from_unix(0) };
    match into.finish(&label) {
        Ok(made) => {
            assert!(made.records > 0);
            if let Err(fault) = pysweep::intel::pack_check::check(&made.pack) {
                panic!("{fault:?}");
            }
        }
        Err(notes) => assert!(!is_read || notes.iter().all(|note| !note.why.is_empty())),
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for name in ["hash-iocs.txt", "filename-iocs.txt"] {
        if let Some(format) = format_of(name, bytes) {
            read(format, bytes);
        }
    }
    for format in ALL {
        read(format, bytes);
    }
});
