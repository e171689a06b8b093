//! What the target says of itself: name, version, kernel. An image is read from its own files only.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::root::Root;
use crate::model::host::{Host, Platform};
use crate::model::id::hex;
use crate::model::text::Excerpt;
use crate::model::time::Time;

/// Separates our machine ids from those that other programs derive from the same file.
const APPLICATION: &[u8] = b"pysweep.machine-id/1";

/// Reads the host's own description of itself.
#[must_use]
pub fn of(root: &Root, platform: Platform, live: bool) -> Host {
    let system = live.then(rustix::system::uname);
    let uname = |part: fn(&rustix::system::Uname) -> &std::ffi::CStr| {
        system.as_ref().map(|all| part(all).to_string_lossy().into_owned())
    };
    Host {
        name: first_line(root, "/etc/hostname")
            .or_else(|| uname(rustix::system::Uname::nodename))
            .unwrap_or_else(|| "unknown".to_owned()),
        os: platform,
        os_version: os_version(root),
        kernel: uname(rustix::system::Uname::release),
        arch: uname(rustix::system::Uname::machine),
        machine_id: first_line(root, "/etc/machine-id").and_then(|own| machine_id(&own)),
        boot_time: if live { boot_time(root) } else { None },
    }
}

fn read_text(root: &Root, path: &str) -> Option<String> {
    let bytes = root.read_small(&root.target_path(path.as_bytes())).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn first_line(root: &Root, path: &str) -> Option<String> {
    let text = read_text(root, path)?;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
    Some(Excerpt::of(line.as_bytes()).to_string())
}

fn os_version(root: &Root) -> Option<String> {
    let text = read_text(root, "/etc/os-release").or_else(|| read_text(root, "/usr/lib/os-release"))?;
    let value = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(Excerpt::of(value.trim_matches(['"', '\'']).as_bytes()).to_string())
}

fn machine_id(own: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(own.as_bytes()).ok()?;
    mac.update(APPLICATION);
    mac.finalize().into_bytes().get(..16).map(hex)
}

/// `btime` of `/proc/stat`: whole seconds since 1970.
fn boot_time(root: &Root) -> Option<Time> {
    let text = read_text(root, "/proc/stat")?;
    let seconds = text.lines().find_map(|line| line.strip_prefix("btime "))?;
    seconds.trim().parse().ok().map(Time::from_unix)
}
