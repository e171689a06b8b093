//! What starts by itself on Linux: scripts, desktop entries, rules of udev and PAM, keys, jobs of at, settings of git, apt
//! and init, variables.
#![no_main]

use pysweep::extract::autostart::event::{self, Form};
use pysweep::extract::autostart::{at, command, git, pam, preload, script, ssh, udev, variable, xdg};
use pysweep::model::variable as model;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    let is_line = |line: u32| line as usize <= lines;
    let told = script::tell(script::run_by(bytes), bytes);
    assert!(told.programs.iter().all(|(_, _, line)| is_line(*line)) && told.signs.iter().all(|sign| is_line(sign.line)));
    let desktop = xdg::parse(bytes);
    assert!(desktop.runs.is_none_or(|(line, _)| is_line(line)));
    assert!(udev::parse(bytes).iter().all(|run| is_line(run.line)));
    for form in [pam::Form::Service, pam::Form::Whole] {
        assert!(pam::parse(bytes, form).iter().all(|rule| is_line(rule.line)));
    }
    assert!(ssh::parse_keys(bytes).iter().all(|key| is_line(key.line)));
    assert!(ssh::parse_settings(bytes).iter().all(|(line, ..)| is_line(*line)));
    let job = at::parse(bytes);
    assert!(job.above as usize <= lines && job.commands.len() <= bytes.len());
    for form in [Form::Apt, Form::Dpkg, Form::Acpi, Form::Init] {
        assert!(event::parse(form, bytes).iter().all(|run| is_line(run.line)));
    }
    assert!(git::parse(bytes).iter().all(|one| is_line(one.line)));
    assert!(preload::parse(bytes).iter().all(|(line, _)| is_line(*line)));
    for name in model::variables() {
        assert!(variable::told(name, bytes, 1).programs.len() <= command::MOST);
    }
});
