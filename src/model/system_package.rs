//! Packages of the system's own managers: what their databases say, for the names that packs watch.

use super::distribution::DistState;
use super::id::Id;
use super::path::TargetPath;
use super::text::Excerpt;
use super::time::Time;

/// The managers whose packages packs may name, by the word that packs use: dpkg, RPM, Alpine's apk, pacman, Homebrew.
pub const ECOSYSTEMS: [&str; 5] = ["deb", "rpm", "apk", "pacman", "brew"];

/// A package as a database of a manager has it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SystemPackage {
    /// The database, or the file of it that speaks of this package.
    pub path: TargetPath,
    /// One of [`ECOSYSTEMS`].
    pub ecosystem: &'static str,
    /// Its name.
    pub name: String,
    /// The version of the software itself, see [`upstream`].
    pub version: String,
    /// The version as the database has it.
    pub written: Excerpt,
    /// On which line, counted from 1.
    pub line: Option<u32>,
    /// Installed, or a leftover of it.
    pub state: DistState,
    /// When it was installed, as far as a file tells.
    pub installed_at: Option<Time>,
    /// The container layer, cache or trash that holds the database; filled in when facts are joined.
    pub environment: Option<Id>,
    /// The layer above that has a database of its own, where every known image and container of this one has such a layer.
    pub hidden_by: Option<TargetPath>,
}

/// The version of the software in the version of a package: without the epoch in front (`1:`) and the packager's count
/// behind (`-1ubuntu2`, `-r0`, `_1`). Debian Policy 5.6.12, rpm-version(7), apk-package(5), PKGBUILD(5), the Homebrew
/// formula cookbook.
#[must_use]
pub fn upstream<'t>(ecosystem: &str, written: &'t str) -> &'t str {
    let written = written.trim();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|at| at.is_ascii_digit());
    let has_epoch = matches!(ecosystem, "deb" | "rpm" | "pacman");
    let bare = match written.split_once(':') {
        Some((epoch, rest)) if has_epoch && is_number(epoch) => rest,
        _ => written,
    };
    let counted = match ecosystem {
        "apk" => bare.rsplit_once("-r").filter(|(_, count)| is_number(count)),
        "brew" => bare.rsplit_once('_').filter(|(_, count)| is_number(count)),
        _ => bare.rsplit_once('-'),
    };
    counted.map_or(bare, |(version, _)| version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packagers_part_of_a_version_does_not_count() {
        for (ecosystem, written) in [
            ("deb", "0.69.4"),
            ("deb", "1:0.69.4-1ubuntu2"),
            ("deb", " 0.69.4-1 "),
            ("rpm", "0:0.69.4-1.el9"),
            ("apk", "0.69.4-r0"),
            ("pacman", "1:0.69.4-2"),
            ("brew", "0.69.4_1"),
            ("brew", "0.69.4"),
        ] {
            assert_eq!(upstream(ecosystem, written), "0.69.4", "{ecosystem} {written}");
        }
        assert_eq!(upstream("deb", "0.69.4-rc1-1"), "0.69.4-rc1");
        assert_eq!(upstream("deb", "0.69.4+dfsg-1"), "0.69.4+dfsg");
        assert_eq!(upstream("apk", "0.69.4-rc"), "0.69.4-rc");
        assert_eq!((upstream("deb", ""), upstream("brew", "_")), ("", "_"));
    }
}
