//! Files that set environment variables: shell scripts, files of assignments, crontabs, units, property lists.
#![no_main]

use pysweep::extract::format::shell_words as words;
use pysweep::extract::setting::{found::{self, Found}, lines, plist, shell, unit};
use pysweep::model::path::TargetPath;
use pysweep::model::setting::{PythonSetting, SettingForm};
use pysweep::model::text::Excerpt;

fn folders(found: &Found, form: SettingForm, path: &TargetPath) {
    let setting = PythonSetting {
        path: path.clone(),
        line: found.line,
        variable: found.variable,
        value: found.value.clone(),
        is_cut: false,
        text: Excerpt::of(b""),
        form,
        is_exported: found.is_exported,
        is_in_place: true,
        sha256: None,
        modified: None,
        owner_uid: None,
    };
    assert!(setting.folders(path.parent().as_ref()).len() <= found.value.len() + 1);
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let lines_of = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    assert!(words::commands(bytes).iter().flatten().all(|word| word.line as usize <= lines_of));
    let path = TargetPath::new(if bytes.len() % 2 == 0 { b"/home/mia/.bashrc" } else { b"C:\\Users\\mia\\NTUSER.DAT" });
    for (form, all) in [
        (SettingForm::Shell, shell::parse(bytes)),
        (SettingForm::Shell, shell::parse_fish_variables(bytes)),
        (SettingForm::Unit, unit::parse(bytes).found),
        (SettingForm::EnvironmentFile, lines::parse_environment(bytes)),
        (SettingForm::EnvironmentFile, lines::parse_pam(bytes)),
        (SettingForm::Crontab, lines::parse_crontab(bytes)),
        (SettingForm::Plist, plist::parse(bytes).found),
    ] {
        for found in &all {
            assert!(found.line as usize <= lines_of && found::known(found.variable.as_bytes()).is_some());
            folders(found, form, &path);
            folders(found, SettingForm::Registry, &path);
        }
    }
});
