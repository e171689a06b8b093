//! Scripts, units and crontabs: what they start, and what stands out in it.
#![no_main]

use pysweep::extract::autostart::{command, cron, systemd};
use pysweep::extract::format::unit_lines;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    let told = command::of_script(bytes);
    assert!(told.programs.iter().all(|(path, _, line)| !path.is_empty() && *line as usize <= lines));
    assert!(told.signs.iter().all(|sign| sign.line as usize <= lines));
    let unit = systemd::parse(bytes);
    assert!(unit.commands.iter().all(|(line, text)| *line as usize <= lines && !text.is_empty()));
    for table in [cron::Table::System, cron::Table::Account, cron::Table::Anacron] {
        assert!(cron::parse(table, bytes).iter().all(|job| job.line as usize <= lines && !job.command.is_empty()));
    }
    assert!(unit_lines::words(bytes).concat().len() <= bytes.len());
});
