//! Which system owns this root, by what only that system has.

use super::root::Root;
use crate::model::host::Platform;
use crate::model::path::TargetPath;

/// Linux unless the content says otherwise: a bare folder of environments is then swept by the rules of the system
/// that such images mostly come from. The running system is the one that pysweep was built for; what somebody put into
/// its root does not change that.
#[must_use]
pub fn platform(root: &Root, live: bool) -> Platform {
    if live {
        return running();
    }
    let has = |path: &str| root.resolve(&TargetPath::new(path.as_bytes())).is_ok();
    let spellings =
        ["/Windows/System32", "/Windows/system32", "/WINDOWS/system32", "/WINDOWS/System32", "/windows/system32"];
    let has_windows = spellings.iter().any(|top| {
        has(&format!("{top}/config")) || has(&format!("{top}/ntoskrnl.exe")) || has(&format!("{top}/kernel32.dll"))
    });
    if has("/etc/passwd") && has("/usr/bin") {
        // macOS has these as well, Windows has not.
        if has("/System/Library/CoreServices/SystemVersion.plist") { Platform::Macos } else { Platform::Linux }
    } else if has_windows {
        Platform::Windows
    } else if has("/System/Library/CoreServices/SystemVersion.plist") {
        Platform::Macos
    } else {
        Platform::Linux
    }
}

fn running() -> Platform {
    if cfg!(target_os = "macos") {
        Platform::Macos
    } else if cfg!(target_os = "windows") {
        Platform::Windows
    } else {
        Platform::Linux
    }
}
