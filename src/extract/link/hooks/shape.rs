//! The shapes of site directories, and which interpreters read a directory of that shape (the `site` module, and Debian's
//! changes to it).

use super::range::minor;
use crate::extract::layout;
use crate::model::path::TargetPath;

/// How a site directory is called below its prefix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// `lib/python3.11/site-packages`.
    Site,
    /// `lib/python3.11/dist-packages`.
    Dist,
    /// `lib/python3/dist-packages`.
    SharedDist,
    /// `lib/python3/site-packages`: no Python looks there.
    SharedSite,
    /// `lib/site-python`: 2.7 looks there.
    SitePython,
    /// Any other: Windows, PyPy, a standard library, a folder that a hook adds.
    Other,
}

/// The prefix that an interpreter has, as seen from the prefix of a site directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Seen {
    /// The same.
    Own,
    /// The site directory lies in `local` below it.
    Local,
    /// The site directory is a user's.
    User,
}

/// What an interpreter is, as far as the disk says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flavour {
    /// Its version.
    pub(super) version: Option<(u32, u32)>,
    /// Whether its `site` module is Debian's.
    pub(super) is_debian: Option<bool>,
    /// Whether it is asked for the site directories of its own virtual environment.
    pub(super) is_venv: bool,
}

impl Shape {
    pub(super) fn of(folder: &TargetPath) -> Self {
        let mut names = folder.components().rev();
        let (Some(last), Some(above)) = (names.next(), names.next()) else { return Self::Other };
        if last == b"site-python" && above == b"lib" {
            return Self::SitePython;
        }
        let is_lib = names.next().is_some_and(|name| matches!(name, b"lib" | b"lib64" | b"lib32"));
        let is_python = above.starts_with(b"python") && layout::is_versioned(above);
        match (is_lib && is_python, last, above.contains(&b'.')) {
            (true, b"site-packages", true) => Self::Site,
            (true, b"dist-packages", true) => Self::Dist,
            (true, b"site-packages", false) => Self::SharedSite,
            (true, b"dist-packages", false) => Self::SharedDist,
            _ => Self::Other,
        }
    }

    /// Whether an interpreter reads such a directory. What is not known of it speaks for that.
    pub(super) fn is_read(self, by: Flavour, seen: Seen) -> bool {
        let may_be_debian = by.is_debian != Some(false);
        match (self, seen) {
            (Self::Other, _) => true,
            (Self::Site, Seen::User) => true,
            (Self::Site, Seen::Own) => by.is_venv || by.is_debian != Some(true),
            (Self::Dist, Seen::Own | Seen::Local) => may_be_debian,
            (Self::SharedDist, Seen::Own) => may_be_debian && by.version.is_none_or(|version| version.0 > 2),
            (Self::SitePython, Seen::Own) => by.version.is_none_or(|version| version.0 == 2),
            _ => false,
        }
    }
}

/// The version that a site directory or a standard library is for.
pub(super) fn version(folder: &TargetPath) -> Option<(u32, u32)> {
    layout::of(folder, false).python_version.as_deref().and_then(minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_told() {
        let of = |path: &str| Shape::of(&TargetPath::new(path.as_bytes()));
        assert_eq!(of("/v/lib/python3.11/site-packages"), Shape::Site);
        assert_eq!(of("/usr/lib64/python3.13t/site-packages"), Shape::Site);
        assert_eq!(of("/usr/lib/python3/dist-packages"), Shape::SharedDist);
        assert_eq!(of("/usr/local/lib/python3.11/dist-packages"), Shape::Dist);
        assert_eq!(of("/usr/lib/site-python"), Shape::SitePython);
        assert_eq!(of("/opt/pypy/lib/pypy3.10/site-packages"), Shape::Other);
        assert_eq!(of("C:\\P\\Lib\\site-packages"), Shape::Other);
        assert_eq!(of("/srv/x"), Shape::Other);
    }

    #[test]
    fn debian_reads_other_folders_than_the_rest() {
        let by = |is_debian, is_venv| Flavour { version: Some((3, 11)), is_debian, is_venv };
        let (debian, plain, unknown) = (by(Some(true), false), by(Some(false), false), by(None, false));
        assert!(Shape::Dist.is_read(debian, Seen::Local) && !Shape::Dist.is_read(plain, Seen::Local));
        assert!(!Shape::Site.is_read(debian, Seen::Own) && Shape::Site.is_read(plain, Seen::Own));
        assert!(Shape::Site.is_read(by(Some(true), true), Seen::Own));
        assert!(Shape::Site.is_read(unknown, Seen::Own) && Shape::SharedDist.is_read(unknown, Seen::Own));
        assert!(!Shape::Site.is_read(unknown, Seen::Local) && !Shape::SharedSite.is_read(unknown, Seen::User));
        assert!(!Shape::SitePython.is_read(unknown, Seen::Own));
    }
}
