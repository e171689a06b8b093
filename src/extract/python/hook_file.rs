//! What all readers of start-up files share: what is said of a file that was refused, what is hidden of one that a link
//! leads to, and what a folder's name gives away.

use crate::extract::input::{Content, Input};
use crate::extract::known_file::contains;
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::id::sha256_of_hex;
use crate::model::startup::{Feature, StartupHook};
use crate::model::text::Excerpt;

/// A start-up file that could not be read: `hook` is what its name says.
pub fn unread(input: &Input<'_>, why: GapReason, hook: StartupHook) -> Harvest {
    let mut harvest = Harvest::missed(input.gap(why));
    // What is there and was refused may run, and its name alone may be what a pack knows. What is no file, or a link that
    // leads to none, runs nothing.
    if why.is_material() {
        harvest.facts.startup_hooks.push(StartupHook { features: vec![Feature::Unread], ..hook });
    }
    harvest
}

/// Fills in what the system says of a file, and takes out what may not be shown.
pub fn settle(input: &Input<'_>, hook: &mut StartupHook, content: &Content) {
    hook.size = content.stat.size;
    hook.modified = Some(content.stat.modified);
    hook.linked = content.stat.linked();
    let needles = input.watch.hook_needles.iter();
    hook.needles = needles.filter(|needle| contains(&content.bytes, needle.as_bytes())).cloned().collect();
    if content.is_elsewhere {
        hide(input, hook);
    }
}

/// Takes out what shows the content of a file that a link of another name leads to: Python runs it, but it may be a
/// secret. A known payload is none.
fn hide(input: &Input<'_>, hook: &mut StartupHook) {
    let is_known = |hash: &String| sha256_of_hex(hash).is_some_and(|hash| input.watch.sha256.contains(&hash));
    hook.sha256 = hook.sha256.take().filter(is_known);
    let lines = hook.lines.iter_mut().map(|line| &mut line.text);
    lines.chain(hook.code.signs.iter_mut().map(|sign| &mut sign.text)).for_each(|text| {
        *text = Excerpt::of(b"(not shown: a link to a file of another name)");
    });
}

/// What the name of a folder on the import path gives away: that anybody may write there, or that it is hidden.
#[must_use]
pub fn folder_features(folder: &str) -> Vec<Feature> {
    let mut features = Vec::new();
    if is_temporary(folder) {
        features.push(Feature::TemporaryPath);
    }
    if is_hidden(folder) {
        features.push(Feature::HiddenPath);
    }
    features
}

fn is_temporary(folder: &str) -> bool {
    let lower = folder.to_lowercase().replace('\\', "/");
    ["/tmp", "/var/tmp", "/dev/shm", "/private/tmp", "/run/user"]
        .iter()
        .any(|place| lower == *place || lower.starts_with(&format!("{place}/")))
        || lower.contains("/appdata/local/temp/")
        || lower.starts_with("%temp%")
}

/// Tools keep environments and sources in hidden folders of their own; others have no reason to hide.
fn is_hidden(folder: &str) -> bool {
    const TOOLS: &[&str] = &[
        ".venv",
        ".local",
        ".pyenv",
        ".tox",
        ".nox",
        ".hatch",
        ".pixi",
        ".conda",
        ".asdf",
        ".rye",
        ".virtualenvs",
        ".direnv",
        ".eggs",
        ".cache",
        ".config",
        ".vscode",
        ".vscode-server",
        ".cursor",
        ".linuxbrew",
        ".nix-profile",
        ".guix-profile",
        ".git",
        ".build",
        ".micromamba",
        ".mamba",
        ".pipx",
        ".poetry",
        ".pdm",
        ".env",
        ".jupyter",
        ".ipython",
        ".sdkman",
    ];
    folder
        .split(['/', '\\'])
        .any(|part| part.starts_with('.') && !part.trim_matches('.').is_empty() && !TOOLS.contains(&part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_others_write_or_nobody_sees_stand_out() {
        assert_eq!(folder_features("/tmp/x"), [Feature::TemporaryPath]);
        assert_eq!(folder_features("C:\\Users\\a\\AppData\\Local\\Temp\\x"), [Feature::TemporaryPath]);
        assert_eq!(folder_features("/home/a/.hidden/x"), [Feature::HiddenPath]);
        for plain in ["/tmpfiles", "../src", "./x", "/home/a/.local/lib", "..", "/home/a/.venv/src/x"] {
            assert_eq!(folder_features(plain), [], "{plain}");
        }
    }
}
