//! `uv.lock`: TOML, `version = 1`, one `[[package]]` for each package with `source = { registry = "https://…" }` or another
//! kind of source, `sdist` and `wheels` with `hash = "sha256:…"`. Defined by uv alone (`crates/uv-resolver/src/lock`).
//!
//! The project and the members of its workspace are in it as well, as `virtual` or `editable` sources.

use super::{Fault, Lock, Origin, excerpt, is_here};
use crate::extract::format::toml::{self, Table};

/// The format that this reads. A minor change only raises `revision`.
const VERSION: i64 = 1;

/// Sources that are neither an index nor a tree.
const PLACES: &[&str] = &["git", "url", "path", "directory"];

/// Reads a uv.lock.
///
/// # Errors
/// When it is none, or of a format that is not known yet.
pub fn parse(bytes: &[u8]) -> Result<Lock, Fault> {
    read(toml::parse(bytes)?.root())
}

pub(super) fn read(root: Table<'_>) -> Result<Lock, Fault> {
    match root.number("version")? {
        Some(VERSION) => {}
        Some(other) => {
            return Err(
                root.fault_at("version", format!("says format {other} of uv.lock; this version reads {VERSION}"))
            );
        }
        None => return Err(root.fault("begins no uv.lock: it has no `version`")),
    }
    if root.has("distribution") {
        return Err(root.fault_at("distribution", "has uv's entries of before 2024-08: lock again with a current uv"));
    }
    let mut lock = Lock::default();
    let members = root.table("manifest").and_then(|one| one.map_or_else(|| Ok(Vec::new()), |one| one.texts("members")));
    let members: Vec<&str> = lock.part(members).into_iter().map(|one| one.text).collect();
    for entry in root.tables("package")? {
        let taken = package(&mut lock, entry, &members);
        lock.part(taken);
    }
    Ok(lock)
}

fn package(lock: &mut Lock, entry: Table<'_>, members: &[&str]) -> Result<(), Fault> {
    let name = entry.needed("name")?;
    let version = lock.part(entry.text("version"));
    let from = lock.part(source(entry, members.contains(&name.text)));
    let mut files = lock.part(entry.tables("wheels"));
    files.extend(lock.part(entry.table("sdist")));
    let hashes = lock.hashes(&files, "hash");
    lock.take(name, version, from, &hashes);
    Ok(())
}

fn source(entry: Table<'_>, is_member: bool) -> Result<Origin, Fault> {
    let source = entry.table("source")?.ok_or_else(|| entry.fault("has no `source`"))?;
    if source.has("registry") {
        return Ok(Origin::Index);
    }
    for key in ["virtual", "editable"] {
        if let Some(path) = source.text(key)? {
            return Ok(if is_member || is_here(path.text) { Origin::Own } else { Origin::Tree });
        }
    }
    for key in PLACES {
        if let Some(place) = source.text(key)? {
            return Ok(Origin::Place(excerpt(place.text)));
        }
    }
    Err(source.fault("has a source of a kind that this version does not know"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::lock::tests::{Shown, hash, hostile, shown, unread};

    const LOCK: &str = r#"version = 1
revision = 3
requires-python = ">=3.12"
resolution-markers = ["python_full_version >= '3.13'"]

[manifest]
members = ["demo", "part"]

[[package]]
name = "demo"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "litellm", version = "1.82.7", marker = "extra == 'x'" }]

[package.metadata]
requires-dist = [{ name = "litellm", specifier = "==1.82.7" }]

[[package]]
name = "litellm"
version = "1.82.7"
source = { registry = "https://pypi.org/simple" }
dependencies = [{ name = "httpx" }]
sdist = { url = "https://x/l.tar.gz", hash = "sha256:AAAA", size = 1 }
wheels = [
    { url = "https://x/l.whl", hash = "sha256:BBBB", size = 1, upload-time = "2026-03-24T10:00:00Z" },
]

[[package]]
name = "part"
version = "0.2"
source = { editable = "packages/part" }

[[package]]
name = "vendored"
source = { editable = "../vendored" }

[[package]]
name = "near"
source = { directory = "near" }

[[package]]
name = "far"
version = "1.0"
source = { git = "https://mia:Zq7Zq7Zq7@h.example/far?rev=v1#0123" }
"#;

    #[test]
    fn a_lock_file_is_read() {
        let lock = parse(LOCK.replace("AAAA", &hash('A')).replace("BBBB", &hash('b')).as_bytes()).unwrap();
        let pins: &[Shown] = &[
            ("litellm", Some("1.82.7"), 19, None),
            ("near", None, 38, Some("near")),
            ("far", Some("1.0"), 42, Some("https://[redacted]@h.example/far?rev=v1#0123")),
        ];
        assert_eq!(shown(&lock.pins), pins);
        assert_eq!(lock.pins[0].hashes, [hash('b'), hash('a')]);
        assert_eq!(shown(&lock.own), [("demo", Some("0.1.0"), 10, None), ("part", Some("0.2"), 29, None)]);
        assert_eq!(unread(&lock), ["34 has vendored from a source tree, which this version does not follow"]);
    }

    #[test]
    fn a_broken_entry_costs_no_other() {
        let text = r#"version = 1
[[package]]
name = 1
[[package]]
version = "1"
[[package]]
name = "a"
version = 1
source = { registry = "r" }
wheels = [{ hash = "sha256:short" }, { hash = 1 }, { hash = "md5:ab" }]
[[package]]
name = "b"
version = ">=1"
source = { moon = "m" }
wheels = 1
[[package]]
name = "../c"
source = { registry = "r" }
[[package]]
name = "d"
version = "1.0-custom"
"#;
        let lock = parse(text.as_bytes()).unwrap();
        assert_eq!(
            shown(&lock.pins),
            [("a", None, 7, None), ("b", None, 12, None), ("d", Some("1.0-custom"), 20, None)]
        );
        assert_eq!(
            unread(&lock),
            [
                "3 has a value of type integer in `name`, where text is wanted",
                "4 has no `name`",
                "8 has a value of type integer in `version`, where text is wanted",
                "10 has a value of type integer in `hash`, where text is wanted",
                "10 has a SHA-256 of a that is none",
                "14 has a source of a kind that this version does not know",
                "15 has a value of type integer in `wheels`, where array is wanted",
                "13 has a version of b that is no single version",
                "17 has a package name that is none",
                "19 has no `source`",
            ]
        );
    }

    #[test]
    fn what_is_no_uv_lock_is_told() {
        let why = |text: &str| parse(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(why(""), "line 1, column 1 begins no uv.lock: it has no `version`");
        assert_eq!(why("\nversion = 2\n"), "line 2, column 11 says format 2 of uv.lock; this version reads 1");
        assert!(why("version = 1\n[[distribution]]\nname = 'x'\n").contains("2024-08"));
        assert!(why("version = 'one'").contains("number is wanted"));
        assert!(why("version = 1\npackage = 'x'").contains("array is wanted"));
        assert!(why("version = 1\npackage = [1]").contains("table is wanted"));
        assert!(why("requests==2.0\n").contains("is no TOML"));
    }

    #[test]
    fn hostile_forms_end_well() {
        hostile(
            parse,
            "version = 1\n",
            LOCK,
            "[[package]]\nname = \"p#\"\nversion = \"1.#\"\nsource.registry = \"r\"\n",
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in crate::extract::lock::tests::pieces()) {
            let _any = (parse(text.as_bytes()), parse(format!("version = 1\n{text}").as_bytes()));
        }
    }
}
