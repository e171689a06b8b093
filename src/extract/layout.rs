//! From a site directory to the environment it belongs to, by the shape of its path (the `site` module's documentation;
//! PEP 370 for user sites).

use crate::model::path::TargetPath;

/// Whether a folder is called what Python's own site directories are called. On some systems case means nothing, and on
/// the others nobody calls anything else so.
#[must_use]
pub fn is_site_name(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"site-packages") || name.eq_ignore_ascii_case(b"dist-packages")
}

/// What the path of a site directory says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// How many components of the path make up the environment's root.
    pub root: usize,
    /// `3.11`, where the path names it.
    pub python_version: Option<String>,
    /// Whether an interpreter takes `.pth` files from such a directory.
    pub runs_hooks: bool,
    /// pypy or graalpy, where the path names it.
    pub implementation: Option<&'static str>,
    /// Whether it is `PREFIX\Lib\site-packages`: on Windows the prefix is a site directory as well.
    pub prefix_runs_hooks: bool,
}

/// Reads the shape of a site directory's path; `is_case_blind` says that the system takes names in any case.
#[must_use]
pub fn of(site: &TargetPath, is_case_blind: bool) -> Layout {
    let is_windows = site.separator() != b'/';
    let spelled = |part: &[u8]| spelled(part, is_windows, is_case_blind);
    let parts: Vec<String> = site.components().map(spelled).collect();
    let names: Vec<&str> = parts.iter().map(String::as_str).collect();
    let plain = |root: usize, version: Option<String>| Layout {
        root,
        python_version: version,
        runs_hooks: true,
        implementation: None,
        prefix_runs_hooks: false,
    };
    match names.as_slice() {
        // ~/Library/Python/3.12/lib/python/site-packages
        [.., "Library", upper, version, "lib", python, "site-packages"]
            if upper.eq_ignore_ascii_case("Python") && python.eq_ignore_ascii_case("python") =>
        {
            plain(names.len() - 3, Some((*version).to_owned()))
        }
        // PREFIX/lib/python3.12/site-packages, PREFIX/lib/python3/dist-packages
        [.., lib, python, "site-packages" | "dist-packages"] if is_lib(lib) && versioned(python).is_some() => {
            let (version, implementation) = versioned(python).unwrap_or_default();
            Layout { implementation, ..plain(names.len() - 3, version) }
        }
        // PREFIX\Lib\site-packages
        [.., "Lib", "site-packages"] => Layout { prefix_runs_hooks: true, ..plain(names.len() - 2, None) },
        [.., "lib", "site-packages"] => plain(names.len() - 2, None),
        // %AppData%\Python\Python312\site-packages
        [.., python, "site-packages"] if windows_version(python).is_some() => {
            plain(names.len() - 1, windows_version(python))
        }
        // PREFIX/site-packages: older PyPy, conda's package cache
        [.., "site-packages" | "dist-packages"] => plain(names.len() - 1, None),
        // The standard library itself: Python 2 kept metadata there
        [.., lib, python] if is_lib(lib) && versioned(python).is_some_and(|(version, _)| version.is_some()) => Layout {
            root: names.len() - 2,
            python_version: versioned(python).and_then(|(version, _)| version),
            runs_hooks: false,
            implementation: None,
            prefix_runs_hooks: false,
        },
        [.., lib, python, "lib-dynload"] if is_lib(lib) && versioned(python).is_some() => Layout {
            root: names.len() - 3,
            python_version: versioned(python).and_then(|(version, _)| version),
            runs_hooks: false,
            implementation: None,
            prefix_runs_hooks: false,
        },
        // Anything else that holds metadata: pip install --target, vendored folders, unpacked archives.
        _ => Layout {
            root: names.len(),
            python_version: None,
            runs_hooks: false,
            implementation: None,
            prefix_runs_hooks: false,
        },
    }
}

/// A component as the patterns of `of` write it.
fn spelled(part: &[u8], is_windows: bool, is_case_blind: bool) -> String {
    let text = String::from_utf8_lossy(part).into_owned();
    if !is_case_blind {
        return text;
    }
    let plain = ["lib64", "site-packages", "dist-packages", "Library"];
    let lib = if is_windows { "Lib" } else { "lib" };
    let known = plain.into_iter().chain([lib]).find(|name| name.eq_ignore_ascii_case(&text));
    let lower = text.to_ascii_lowercase();
    match known {
        Some(known) => known.to_owned(),
        None if !is_windows && versioned(&lower).is_some() => lower,
        None => text,
    }
}

/// The prefix of the standard library in `folder`: `PREFIX/lib/python3.11`, `PREFIX\\Lib`, `PREFIX/lib-python/3` (PyPy
/// before 3.8).
#[must_use]
pub fn prefix_of_library(folder: &TargetPath) -> Option<TargetPath> {
    let above = folder.parent()?;
    let is_lib = |path: &TargetPath| is_lib(&String::from_utf8_lossy(path.file_name()).to_ascii_lowercase());
    if (is_lib(&above) && is_versioned(folder.file_name())) || above.file_name() == b"lib-python" {
        return above.parent();
    }
    is_lib(folder).then_some(above)
}

/// Whether a folder is called `python3.11`, `pypy3.10` or the like.
#[must_use]
pub fn is_versioned(name: &[u8]) -> bool {
    std::str::from_utf8(name).is_ok_and(|name| versioned(&name.to_ascii_lowercase()).is_some())
}

fn is_lib(name: &str) -> bool {
    matches!(name, "lib" | "lib64" | "lib32" | "Lib")
}

/// `python3.12`, `python3.13t`, `python3`, `pypy3.10`, `graalpy24.1` → version of the language and implementation.
fn versioned(name: &str) -> Option<(Option<String>, Option<&'static str>)> {
    let families = [("python", None), ("pypy", Some("pypy")), ("graalpy", Some("graalpy"))];
    let (tail, implementation) =
        families.into_iter().find_map(|(start, family)| Some((name.strip_prefix(start)?, family)))?;
    let digits = tail.trim_end_matches(['t', 'd', 'm', 'u']);
    let is_version = !digits.is_empty() && digits.chars().all(|at| at.is_ascii_digit() || at == '.');
    // GraalPy counts its own releases, not those of the language.
    let names_python = digits.contains('.') && implementation != Some("graalpy");
    is_version.then(|| (names_python.then(|| digits.to_owned()), implementation))
}

/// `Python312` → 3.12; `Python312-32` too.
fn windows_version(name: &str) -> Option<String> {
    let digits = name.strip_prefix("Python")?.split('-').next()?;
    let (major, minor) = (digits.get(..1)?, digits.get(1..)?);
    (!minor.is_empty() && digits.chars().all(|at| at.is_ascii_digit())).then(|| format!("{major}.{minor}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root_of(path: &str) -> (String, Option<String>) {
        let site = TargetPath::new(path.as_bytes());
        let layout = of(&site, path.contains('\\'));
        (site.ancestor(layout.root).to_text().into_owned(), layout.python_version)
    }

    fn is(path: &str, root: &str, version: Option<&str>) {
        assert_eq!(root_of(path), (root.to_owned(), version.map(str::to_owned)), "{path}");
    }

    #[test]
    fn site_directories_lead_to_their_roots() {
        is("/p/.venv/lib/python3.11/site-packages", "/p/.venv", Some("3.11"));
        is("/usr/lib/python3/dist-packages", "/usr", None);
        is("/usr/local/lib/python3.11/dist-packages", "/usr/local", Some("3.11"));
        is("/opt/x/lib/pypy3.10/site-packages", "/opt/x", Some("3.10"));
        is("/usr/lib64/python3.13t/site-packages", "/usr", Some("3.13"));
        is("C:\\Python312\\Lib\\site-packages", "C:\\Python312", None);
        is("C:\\Python312\\LIB\\SITE-PACKAGES", "C:\\Python312", None);
        is(
            "/win/C/Users/d/AppData/Roaming/Python/Python312/site-packages",
            "/win/C/Users/d/AppData/Roaming/Python/Python312",
            Some("3.12"),
        );
        is("/Users/c/Library/Python/3.9/lib/python/site-packages", "/Users/c/Library/Python/3.9", Some("3.9"));
        is("/srv/lambda/package", "/srv/lambda/package", None);
        is("/opt/py/lib/python2.7", "/opt/py", Some("2.7"));
        is("/opt/py/lib/python2.7/lib-dynload", "/opt/py", Some("2.7"));
        is("/site-packages", "/", None);
        let blind = of(&TargetPath::new(b"/Users/c/v/LIB/Python3.12/Site-Packages"), true);
        assert_eq!((blind.root, blind.python_version.as_deref()), (3, Some("3.12")));
        assert_eq!(of(&TargetPath::new(b"/Users/c/v/LIB/Python3.12/Site-Packages"), false).root, 6);
    }
}
