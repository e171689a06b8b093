//! What starts by itself on macOS, on Windows and in editors: property lists, XML, shortcuts, hives, command lines, JSON with
//! comments.
#![no_main]

use pysweep::extract::autostart::command::{powershell, windows};
use pysweep::extract::autostart::{agents, editors, launchd, macos, registry, startup_folder, tasks};
use pysweep::extract::format::hive::Hive;
use pysweep::extract::format::{jsonc, plist, shell_link, unicode, xml};
use pysweep::model::autostart::AutostartKind;
use pysweep::model::host::Platform;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let list = plist::parse(bytes);
    let _job = launchd::entry(AutostartKind::LaunchAgent, b"x", &list.top);
    let _items = (macos::login_items(&list.top), macos::rules(&list.top));
    for task in &xml::parse(bytes).root.children {
        let _task = tasks::entry(b"x", task);
    }
    let _link = shell_link::parse(bytes);
    if let Ok(hive) = Hive::open(bytes) {
        let _account = registry::of_hive(&hive, registry::Of::Account);
        let _machine = (registry::of_hive(&hive, registry::Of::Machine), registry::of_system(&hive));
    }
    let text = unicode::decoded(bytes);
    let _told = (windows::of_command_line(&text), windows::of_batch(&text), powershell::of_text(&text));
    let _script = startup_folder::of_script(&text);
    for platform in [Platform::Linux, Platform::Windows] {
        if let Ok(value) = jsonc::parse(bytes) {
            let _tasks = (editors::tasks(&value, platform), editors::of_container(&value, platform));
            let _hooks = agents::of_settings(&value, platform);
        }
        let _codex = agents::of_codex(bytes, platform);
    }
});
