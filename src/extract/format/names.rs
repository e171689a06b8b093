//! What file and folder names say of the distribution behind them: metadata folders, eggs, wheels (binary distribution
//! format), archives of sources (source distribution format), and the folders in an archive.

use crate::model::distribution::{FolderSays, normalize_name};

/// Name and version by the name of the folder or file: split at the last `-` (installers write `-` inside either as
/// `_`), `-pyX.Y` and the like dropped.
#[must_use]
pub fn parse_folder_name(stem: &[u8]) -> FolderSays {
    let text = String::from_utf8_lossy(stem);
    let text = without_python_tag(&text).unwrap_or(&text);
    match text.rsplit_once('-') {
        Some((name, version)) if !name.is_empty() => FolderSays { name: name.to_owned(), version: version.to_owned() },
        _ => FolderSays { name: text.to_owned(), version: String::new() },
    }
}

/// Whether a name is built as setuptools names eggs: `NAME-VERSION-pyX.Y`, with or without a platform.
#[must_use]
pub fn is_egg_name(stem: &[u8]) -> bool {
    without_python_tag(&String::from_utf8_lossy(stem)).is_some_and(|text| text.contains('-'))
}

fn without_python_tag(text: &str) -> Option<&str> {
    let at = text.rfind("-py")?;
    text.get(at + 3..).filter(|tag| is_python_tag(tag)).and_then(|_| text.get(..at))
}

/// `3.8`, `3.11-linux-x86_64`, `2`.
fn is_python_tag(text: &str) -> bool {
    text.starts_with(|at: char| at.is_ascii_digit())
        && text.split('-').next().is_some_and(|tag| tag.chars().all(|at| at.is_ascii_digit() || at == '.'))
}

/// Name and version by the name of a wheel: `NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl`, of which only the first two are
/// looked at. None where it is none.
#[must_use]
pub fn of_wheel(name: &[u8]) -> Option<FolderSays> {
    let text = String::from_utf8_lossy(name);
    let stem = text.get(..text.len().checked_sub(4)?).filter(|_| ends(&text, ".whl"))?;
    let mut fields = stem.split('-');
    let (name, version) = (fields.next()?, fields.next()?);
    let is_whole = fields.count() >= 3;
    (is_whole && is_name(name)).then(|| FolderSays { name: name.to_owned(), version: unescaped(version) })
}

/// How archives of sources end.
pub const SOURCES: &[&str] = &[".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tar.xz", ".tar"];

/// Name and version by the name of an archive of sources: `NAME-VERSION.tar.gz` and its older forms, split at the last `-`
/// that a digit follows. None where it is none; that it has such a name does not make it one.
#[must_use]
pub fn of_sdist(name: &[u8]) -> Option<FolderSays> {
    let text = String::from_utf8_lossy(name);
    let end = SOURCES.iter().find(|end| ends(&text, end))?;
    let stem = text.get(..text.len() - end.len())?;
    let begins = |at: &usize| stem.get(at + 1..).is_some_and(|rest| rest.starts_with(|one: char| one.is_ascii_digit()));
    let at = stem.rmatch_indices('-').map(|(at, _)| at).find(begins)?;
    let (name, version) = (stem.get(..at)?, stem.get(at + 1..)?);
    is_name(name).then(|| FolderSays { name: name.to_owned(), version: unescaped(version) })
}

/// The distribution whose metadata an entry of an archive is, and the folder of that metadata in the archive:
/// `x/litellm-1.82.8.dist-info/METADATA`, `EGG-INFO` of an egg left aside, since its folder names nothing.
#[must_use]
pub fn of_member(member: &[u8]) -> Option<(FolderSays, &[u8])> {
    let member = member.strip_prefix(b"./").unwrap_or(member);
    let at = member.iter().rposition(|byte| matches!(byte, b'/' | b'\\'))?;
    let (folder, file) = (member.get(..at)?, member.get(at + 1..)?);
    let last = folder.rsplit(|byte| matches!(byte, b'/' | b'\\')).next()?;
    let ending: &[u8] = match file {
        b"METADATA" => b".dist-info",
        b"PKG-INFO" => b".egg-info",
        _ => return None,
    };
    let stem = last.len().checked_sub(ending.len()).map(|at| last.split_at(at));
    let stem = stem.filter(|(_, end)| end.eq_ignore_ascii_case(ending)).map(|(stem, _)| stem)?;
    let says = parse_folder_name(stem);
    (!says.name.is_empty()).then_some((says, folder))
}

/// Whether a text is the name of a package, as the index takes it.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let is_end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let mut bytes = text.bytes();
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        && is_end(bytes.next())
        && bytes.next_back().is_none_or(|byte| byte.is_ascii_alphanumeric())
}

/// Whether a folder's or file's name says something else than metadata does. A name without a version says nothing of it.
#[must_use]
pub fn disagree(folder: &FolderSays, name: &str, version: &str) -> bool {
    normalize_name(&folder.name) != normalize_name(name)
        || (!folder.version.is_empty() && plain(&folder.version) != plain(version))
}

/// A version without the differences that file names bring with them.
fn plain(version: &str) -> String {
    let bare = version.trim().trim_start_matches(['v', 'V']);
    bare.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// Whether a name ends so, whatever the case.
fn ends(text: &str, end: &str) -> bool {
    text.len().checked_sub(end.len()).and_then(|at| text.get(at..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// A version in a file name: `_` stands for the `-` or `+` of a local part, and an address may write signs as numbers.
fn unescaped(version: &str) -> String {
    version.replace("%2B", "+").replace("%2b", "+").replace("%21", "!")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(stem: &str) -> (String, String) {
        let says = parse_folder_name(stem.as_bytes());
        (says.name, says.version)
    }

    #[test]
    fn folder_names_are_split_at_the_last_dash() {
        let both = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        assert_eq!(split("litellm-1.82.8"), both("litellm", "1.82.8"));
        assert_eq!(split("litellm-1!1.82.7"), both("litellm", "1!1.82.7"));
        assert_eq!(split("PyGObject-3.42.2"), both("PyGObject", "3.42.2"));
        assert_eq!(split("six-1.0-py3.8"), both("six", "1.0"));
        assert_eq!(split("numpy-1.0-py3.8-linux-x86_64"), both("numpy", "1.0"));
        assert_eq!(split("cryptography"), both("cryptography", ""));
        assert_eq!(split("x-python-y"), both("x-python", "y"));
    }

    #[test]
    fn eggs_are_known_by_their_names() {
        for (stem, expected) in [
            ("six-1.0-py3.8", true),
            ("numpy-1.0-py2.7-linux-x86_64", true),
            ("six-1.0", false),
            ("six-py3", false),
            ("chicken", false),
            ("x-1.0-python", false),
        ] {
            assert_eq!(is_egg_name(stem.as_bytes()), expected, "{stem}");
        }
    }

    fn both(says: Option<FolderSays>) -> Option<(String, String)> {
        says.map(|says| (says.name, says.version))
    }

    fn pair(name: &str, version: &str) -> Option<(String, String)> {
        Some((name.to_owned(), version.to_owned()))
    }

    #[test]
    fn wheels_name_what_they_hold() {
        assert_eq!(both(of_wheel(b"litellm-1.82.8-py3-none-any.whl")), pair("litellm", "1.82.8"));
        assert_eq!(both(of_wheel(b"LiteLLM-1.82.8-1-py3-none-any.WHL")), pair("LiteLLM", "1.82.8"));
        assert_eq!(both(of_wheel(b"torch-2.1%2Bcu121-cp311-cp311-linux_x86_64.whl")), pair("torch", "2.1+cu121"));
        for name in
            ["litellm-1.82.8.whl", "x.whl", ".whl", "whl", "-1-py3-none-any.whl", "lit\u{e9}-1-py3-none-any.whl"]
        {
            assert_eq!(of_wheel(name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn archives_of_sources_name_what_they_hold() {
        assert_eq!(both(of_sdist(b"litellm-1.82.7.tar.gz")), pair("litellm", "1.82.7"));
        assert_eq!(both(of_sdist(b"zope.event-4.6.zip")), pair("zope.event", "4.6"));
        assert_eq!(both(of_sdist(b"ruamel-yaml-0.1-2.tar.bz2")), pair("ruamel-yaml-0.1", "2"));
        assert_eq!(both(of_sdist(b"pkg-1.0.TAR.GZ")), pair("pkg", "1.0"));
        for name in ["linux.tar.gz", "-1.tar.gz", "a-b.tar.gz", "x-1.rar", ".tar.gz"] {
            assert_eq!(of_sdist(name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn metadata_in_an_archive_is_known_by_its_folder() {
        let member = |name: &str| {
            of_member(name.as_bytes())
                .map(|(says, folder)| (says.name, says.version, String::from_utf8_lossy(folder).into_owned()))
        };
        let found =
            |name: &str, version: &str, folder: &str| Some((name.to_owned(), version.to_owned(), folder.to_owned()));
        assert_eq!(member("a-1.dist-info/METADATA"), found("a", "1", "a-1.dist-info"));
        assert_eq!(
            member(".deps/a-1-py3-none-any.whl/a-1.dist-info/METADATA"),
            found("a", "1", ".deps/a-1-py3-none-any.whl/a-1.dist-info")
        );
        assert_eq!(member("./x\\a-1-py3.8.egg-info\\PKG-INFO"), found("a", "1", "x\\a-1-py3.8.egg-info"));
        assert_eq!(member("a-1.dist-info/RECORD"), None);
        assert_eq!(member("METADATA"), None);
        assert_eq!(member("EGG-INFO/PKG-INFO"), None);
        assert_eq!(member(".dist-info/METADATA"), None);
    }

    proptest! {
        #[test]
        fn no_name_stops_the_readers(name in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = (of_wheel(&name), of_sdist(&name), of_member(&name), parse_folder_name(&name));
        }
    }
}
