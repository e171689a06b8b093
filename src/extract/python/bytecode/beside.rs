//! The bytecode beside one source: in `__pycache__`, under a name that some Python looks for, or where Python 2 puts it.

use super::header::{self, Header, LONGEST, StandsIn};
use super::{Match, Why, belongs};
use crate::model::coverage::GapReason;
use crate::model::interest::EntryKind;
use crate::target::dir::{Dir, Stat};

/// Largest file of bytecode, and largest source, that are compared. The largest honest ones have some 2 MiB.
pub const CAP: u64 = 8 << 20;

/// The folder of bytecode from 3.2 on (PEP 3147).
pub const CACHE: &[u8] = b"__pycache__";

/// A source and its folder.
struct Beside<'a> {
    dir: &'a Dir,
    source: &'a [u8],
    stat: &'a Stat,
}

/// The bytecode that some Python takes instead of `module` (`x.py`) in `dir`, as far as it does not belong to it, or that
/// cannot be told; by its name from `dir` on. `source` is all of the module's content, `stat` what the system says of it, links
/// followed. What was made of an older state is passed over.
#[must_use]
pub fn foreign(dir: &Dir, module: &[u8], source: &[u8], stat: &Stat) -> Vec<(Vec<u8>, Match)> {
    let mut found = standing_in(&Beside { dir, source, stat }, module.strip_suffix(b".py").unwrap_or(module));
    found.retain(|(_, one)| *one != Match::Yes);
    found
}

fn standing_in(beside: &Beside<'_>, stem: &[u8]) -> Vec<(Vec<u8>, Match)> {
    let mut found = Vec::new();
    for name in [b".pyc", b".pyo"].map(|end| [stem, end].concat()) {
        match beside.dir.stat_entry(&name).map(|stat| stat.kind) {
            // Python 3 takes these only where there is no source.
            Ok(EntryKind::File) => found.extend(beside.judge(beside.dir, &name, true).map(|one| (name, one))),
            _ => continue,
        }
    }
    let cache = match beside.dir.open_dir(CACHE) {
        Ok(cache) => cache,
        Err(GapReason::Missing) => return found,
        Err(why) => {
            found.push((CACHE.to_vec(), Match::Unknown(Why::Unread(why))));
            return found;
        }
    };
    let mut names = Vec::new();
    let listed = cache.list(|name, _| names.extend((stem_of(name) == Some(stem)).then(|| name.to_vec())));
    if let Err(why) = listed {
        found.push((CACHE.to_vec(), Match::Unknown(Why::Unread(why))));
    }
    names.sort_unstable();
    for name in names {
        let shown = [CACHE, b"/", &name].concat();
        found.extend(beside.judge(&cache, &name, false).map(|one| (shown, one)));
    }
    found
}

impl Beside<'_> {
    /// None where no Python takes the file.
    fn judge(&self, dir: &Dir, name: &[u8], is_old: bool) -> Option<Match> {
        let unread = |why| Some(Match::Unknown(Why::Unread(why)));
        let mut file = match dir.open_file(name) {
            Ok(file) => file,
            Err(why) => return unread(why),
        };
        let head = match file.read(LONGEST as u64) {
            Ok(head) => head,
            Err(why) => return unread(why),
        };
        let header = header::header(&head)?;
        if (is_old && header.python.0 > 2) || !is_taken(&header, self.source, self.stat) {
            return None;
        }
        if file.stat.size > CAP {
            return unread(GapReason::TooLarge);
        }
        match file.read(CAP) {
            Ok(rest) => Some(belongs(&[head, rest].concat(), self.source)),
            Err(why) => unread(why),
        }
    }
}

/// Whether Python runs bytecode of this header instead of the source.
#[must_use]
pub fn is_taken(header: &Header, source: &[u8], stat: &Stat) -> bool {
    match header::stands_in(header, stat.modified.unix(), stat.size) {
        StandsIn::Taken | StandsIn::Unchecked => true,
        StandsIn::Stale => false,
        StandsIn::CheckedHash => header::is_hash_of(header, source),
    }
}

/// The module that a file in `__pycache__` is of, if Python looks for files of such a name: `x.cpython-311.opt-2.pyc`, and
/// not `x.cpython-311-pytest-8.0.0.pyc`, which pytest makes of sources that it has rewritten.
#[must_use]
pub fn stem_of(name: &[u8]) -> Option<&[u8]> {
    let mut parts = name.strip_suffix(b".pyc")?.rsplitn(3, |byte| *byte == b'.');
    let (last, middle, first) = (parts.next()?, parts.next(), parts.next());
    let (stem, tag) = match (first, middle, last.strip_prefix(b"opt-")) {
        (Some(stem), Some(tag), Some(b"1" | b"2")) => (stem, tag),
        (None, Some(stem), None) => (stem, last),
        _ => return None,
    };
    let version = tag.iter().position(u8::is_ascii_digit)?;
    let (kind, number) = tag.split_at(version);
    let is_kind = kind.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'-');
    (!stem.is_empty() && is_kind && number.iter().all(u8::is_ascii_alphanumeric)).then_some(stem)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "plants a folder to look at")]

    use super::*;
    use crate::extract::python::bytecode::tests::{INSERTED, OLD, PLAIN};
    use crate::model::host::Platform;

    #[test]
    fn bytecode_beside_one_module_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("__pycache__")).unwrap();
        for (name, content) in [
            ("x.py", b"VALUE = 2\n".as_slice()),
            ("x.pyc", OLD),
            ("__pycache__/x.cpython-311.pyc", PLAIN),
            ("__pycache__/x.cpython-311.opt-1.pyc", INSERTED),
            ("__pycache__/x.cpython-311.opt-2.pyc", &[&PLAIN[..8], b"older...", &INSERTED[16..]].concat()),
            ("__pycache__/y.cpython-311.pyc", INSERTED),
        ] {
            std::fs::write(at(name), content).unwrap();
        }
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_768_464_000);
        std::fs::File::options().write(true).open(at("x.py")).unwrap().set_modified(time).unwrap();
        let (root, platform) = (folder.path(), Some(Platform::Linux));
        let wanted = crate::target::Wanted { root, live: false, platform, include_network: false };
        let target = crate::target::open(&wanted).unwrap();
        let dir = target.root.dir();
        let stat = dir.stat_entry(b"x.py").unwrap();
        let words = || Match::No(vec!["getcwd".to_owned(), "os".to_owned()]);
        let names = [b"x.pyc".to_vec(), b"__pycache__/x.cpython-311.opt-1.pyc".to_vec()];
        assert_eq!(foreign(dir, b"x.py", b"VALUE = 2\n", &stat), names.map(|name| (name, words())));
    }

    #[test]
    fn only_names_that_python_looks_for_count() {
        for (name, stem) in [
            (b"x.cpython-311.pyc".as_slice(), Some(b"x".as_slice())),
            (b"x.cpython-313t.opt-2.pyc", Some(b"x")),
            (b"__init__.pypy39.pyc", Some(b"__init__")),
            (b"x.cpython-311-pytest-8.0.0.pyc", None),
            (b"x.cpython-311.opt-beartype0v18.pyc", None),
            (b"x.pyc", None),
            (b".cpython-311.pyc", None),
            (b"x.cpython-311.pyo", None),
            (b"x.cpython.pyc", None),
        ] {
            assert_eq!(stem_of(name), stem, "{}", name.escape_ascii());
        }
    }
}
