//! Which system owns this root, by what only that system has.

use super::root::Root;
use crate::model::host::Platform;
use crate::model::path::TargetPath;

/// Linux unless the content says otherwise: a bare folder of environments is then swept by the rules of the system
/// that such images mostly come from.
#[must_use]
pub fn platform(root: &Root) -> Platform {
    let has = |path: &str| root.resolve(&TargetPath::new(path.as_bytes())).is_ok();
    if has("/Windows/System32") || has("/WINDOWS/system32") || has("/Windows/system32") {
        Platform::Windows
    } else if has("/System/Library/CoreServices/SystemVersion.plist") {
        Platform::Macos
    } else {
        Platform::Linux
    }
}
