//! `pylock.toml` and `pylock.NAME.toml` (PEP 751, the PyPA specification of lock files): TOML, `lock-version = "1.0"`, one
//! `[[packages]]` for each package with one of `vcs`, `directory`, `archive`, or `sdist` and `wheels` of an index.

use super::{Fault, Lock, Origin, excerpt, is_here};
use crate::extract::format::toml::{self, Table};

/// The newest major `lock-version` that this reads. The specification refuses a newer one, and warns of a newer minor one.
const NEWEST: u32 = 1;

/// The minor version that this knows.
const KNOWN: &str = "1.0";

/// Reads a pylock.toml.
///
/// # Errors
/// When it is none, or of a format that is not known yet.
pub fn parse(bytes: &[u8]) -> Result<Lock, Fault> {
    read(toml::parse(bytes)?.root())
}

pub(super) fn read(root: Table<'_>) -> Result<Lock, Fault> {
    let Some(version) = root.text("lock-version")? else {
        return Err(root.fault("begins no pylock.toml: it has no `lock-version`"));
    };
    super::is_known("pylock.toml", version, NEWEST).map_err(|why| root.fault_at("lock-version", why))?;
    let mut lock = Lock::default();
    if version.text != KNOWN {
        lock.unread.push((version.line, format!("says a newer format than {KNOWN}: what is new in it is not read")));
    }
    for entry in root.tables("packages")? {
        let taken = package(&mut lock, entry);
        lock.part(taken);
    }
    Ok(lock)
}

fn package(lock: &mut Lock, entry: Table<'_>) -> Result<(), Fault> {
    let name = entry.needed("name")?;
    let version = lock.part(entry.text("version"));
    let from = lock.part(source(entry));
    let mut files = lock.part(entry.tables("wheels"));
    files.extend(["sdist", "archive"].into_iter().filter_map(|key| lock.part(entry.table(key))));
    let tables: Vec<Table<'_>> = files.iter().filter_map(|file| lock.part(file.table("hashes"))).collect();
    // Here the kind is the key, and the text nothing but digits.
    let digits = lock.hashes(&tables, "sha256");
    let prefixed: Vec<String> = digits.iter().map(|hash| format!("sha256:{}", hash.text)).collect();
    let hashes: Vec<_> =
        digits.iter().zip(&prefixed).map(|(hash, text)| toml::Text { text, line: hash.line }).collect();
    lock.take(name, version, from, &hashes);
    Ok(())
}

fn source(entry: Table<'_>) -> Result<Origin, Fault> {
    if let Some(directory) = entry.table("directory")? {
        let path = directory.needed("path")?;
        return Ok(match directory.flag("editable")? {
            _ if is_here(path.text) => Origin::Own,
            true => Origin::Tree,
            false => Origin::Place(excerpt(path.text)),
        });
    }
    for key in ["vcs", "archive"] {
        let Some(source) = entry.table(key)? else { continue };
        let place = source.text("url")?.map_or_else(|| source.needed("path"), Ok)?;
        return Ok(Origin::Place(excerpt(place.text)));
    }
    if entry.has("wheels") || entry.has("sdist") {
        Ok(Origin::Index)
    } else {
        Err(entry.fault("says not where it is from"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::lock::tests::{Shown, hash, hostile, shown, unread};

    const LOCK: &str = r#"lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.12"

[[packages]]
name = "litellm"
version = "1.82.7"
index = "https://pypi.org/simple"
dependencies = [{ name = "httpx", version = "0.27.0" }]
sdist = { url = "https://x/l.tar.gz", hashes = { sha256 = "AAAA" } }
wheels = [{ url = "https://x/l.whl", upload-time = 2026-03-24T10:00:00Z, hashes = { sha256 = "BBBB", md5 = "00" } }]

[[packages]]
name = "demo"
directory = { path = ".", editable = true }

[[packages]]
name = "near"
directory = { path = "./near", editable = true }

[[packages]]
name = "copied"
directory = { path = "./copied" }

[[packages]]
name = "far"
version = "2.0"
vcs = { type = "git", url = "https://mia:Zq7Zq7Zq7@h.example/far", commit-id = "0123" }

[[packages]]
name = "stored"
archive = { path = "stored.zip", hashes = { sha256 = "CCCC" } }
"#;

    #[test]
    fn a_lock_file_is_read() {
        let text = LOCK.replace("AAAA", &hash('a')).replace("BBBB", &hash('b')).replace("CCCC", &hash('C'));
        let lock = parse(text.as_bytes()).unwrap();
        let pins: &[Shown] = &[
            ("litellm", Some("1.82.7"), 6, None),
            ("copied", None, 22, Some("./copied")),
            ("far", Some("2.0"), 26, Some("https://[redacted]@h.example/far")),
            ("stored", None, 31, Some("stored.zip")),
        ];
        assert_eq!(shown(&lock.pins), pins);
        assert_eq!(lock.pins[0].hashes, [hash('b'), hash('a')]);
        assert_eq!(lock.pins[3].hashes, [hash('c')]);
        assert_eq!(shown(&lock.own), [("demo", None, 14, None)]);
        assert_eq!(unread(&lock), ["18 has near from a source tree, which this version does not follow"]);
    }

    #[test]
    fn a_broken_entry_costs_no_other() {
        let text = "lock-version = \"1.7\"\n[[packages]]\nwheels = []\n[[packages]]\nname = \"a\"\nversion = \"==1\"\nwheels = [{hashes = {sha256 = 1}}, {hashes = {sha256 = \"ab\"}}]\n[[packages]]\nname = \"b\"\nversion = \"1\"\nvcs = {}\n[[packages]]\nname = \"c\"\n";
        let lock = parse(text.as_bytes()).unwrap();
        assert_eq!(shown(&lock.pins), [("a", None, 5, None), ("b", Some("1"), 9, None), ("c", None, 13, None)]);
        assert_eq!(
            unread(&lock),
            [
                "1 says a newer format than 1.0: what is new in it is not read",
                "2 has no `name`",
                "7 has a value of type integer in `sha256`, where text is wanted",
                "6 has a version of a that is no single version",
                "7 has a SHA-256 of a that is none",
                "11 has no `path`",
                "12 says not where it is from",
            ]
        );
    }

    #[test]
    fn what_is_no_pylock_is_told() {
        let why = |text: &str| parse(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(why(""), "line 1, column 1 begins no pylock.toml: it has no `lock-version`");
        assert!(why("lock-version = \"2.0\"\n").contains("format 2.0 of pylock.toml; this version reads 1 at most"));
        assert!(why("lock-version = 1.0\n").contains("text is wanted"));
        assert!(why("lock-version = \"1.0\"\npackages = {}\n").contains("array is wanted"));
    }

    #[test]
    fn hostile_forms_end_well() {
        let head = "lock-version = \"1.0\"\n";
        hostile(parse, head, LOCK, "[[packages]]\nname = \"p#\"\nversion = \"1.#\"\nwheels = []\n");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in crate::extract::lock::tests::pieces()) {
            let with_head = format!("lock-version = \"1.0\"\n{text}");
            let _any = (parse(text.as_bytes()), parse(with_head.as_bytes()));
        }
    }
}
