//! `Pipfile.lock`: JSON, `_meta` with `pipfile-spec: 6`, and for each category of packages (`default`, `develop`, names of the
//! user's own) an object of `{"NAME": {"version": "==1.0", "hashes": ["sha256:…"]}}`, or with `git`, `path`, `file` and the
//! like in place of a version. Defined by pipenv alone.
//!
//! Only what is asked for is parsed; the rest is passed over as it stands, however deep it nests.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Fault, Lock, Origin, excerpt, is_here};
use crate::extract::format::placed::{self, Lines};
use crate::extract::format::toml::Text;

/// The format that this reads; it has been this since 2017.
const SPEC: u64 = 6;

/// Most signs that begin another value, `,` and `{`, strings and all: a package takes a dozen of them.
const MOST: usize = 4_000_000;

/// Where a package comes from if that is no index.
const PLACES: &[&str] = &["git", "hg", "svn", "bzr", "file", "url", "uri", "path"];

/// Reads a Pipfile.lock.
///
/// # Errors
/// When it is none, or of a format that is not known.
pub fn parse(bytes: &[u8]) -> Result<Lock, Fault> {
    let text = placed::utf8(bytes)?;
    if memchr::memchr2_iter(b',', b'{', bytes).take(MOST + 1).count() > MOST {
        return Err(Fault::of_all("begins more values than are read"));
    }
    let lines = Lines::of(text);
    let place = Place { text, lines: &lines };
    let none = |key: &str| Fault::of_all(format!("begins no Pipfile.lock: it has no `{key}`"));
    let root = place.object("Pipfile.lock", place.all()?)?;
    let meta = place.object("_meta", root.get("_meta").ok_or_else(|| none("_meta"))?)?;
    let spec = meta.get("pipfile-spec").ok_or_else(|| none("pipfile-spec"))?;
    if place.value::<u64>("pipfile-spec", "number", spec)? != SPEC {
        return Err(place.fault(spec, format!("says another format of Pipfile.lock; this version reads {SPEC}")));
    }
    let mut lock = Lock::default();
    for (category, packages) in root.rows.iter().filter(|(key, _)| key != "_meta") {
        for (name, entry) in place.object(category, packages)?.rows {
            let taken = package(&mut lock, &place, &name, entry);
            lock.part(taken);
        }
    }
    Ok(lock)
}

fn package<'a>(lock: &mut Lock, place: &Place<'a>, name: &str, entry: &'a RawValue) -> Result<(), Fault> {
    let name = Text { text: name, line: place.line(entry) };
    let entry = place.object("a package", entry)?;
    let text = |key: &str| {
        let value = entry.get(key).map(|raw| Ok((raw, place.value::<String>(key, "text", raw)?)));
        value.transpose()
    };
    let version = lock.part(text("version"));
    // `==1.0`, or `*` for what was never settled.
    let pinned = version.as_ref().map(|(raw, version)| Text {
        text: version.trim().strip_prefix("==").map_or(&**version, |pinned| pinned.trim_start_matches('=').trim()),
        line: place.line(raw),
    });
    let flag = |key: &str| entry.get(key).map_or(Ok(false), |raw| place.value::<bool>(key, "true or false", raw));
    let is_editable = lock.part(flag("editable"));
    let mut from = Origin::Index;
    for key in PLACES {
        let Some((_, found)) = lock.part(text(key)) else { continue };
        from = match (*key, is_editable) {
            ("path" | "file", true) if is_here(&found) => Origin::Own,
            ("path" | "file", true) => Origin::Tree,
            _ => Origin::Place(excerpt(&found)),
        };
    }
    let raw = entry.get("hashes");
    let wanted = "array of texts";
    let hashes = raw.map_or_else(|| Ok(Vec::new()), |raw| place.value::<Vec<String>>("hashes", wanted, raw));
    let line = raw.map_or(name.line, |raw| place.line(raw));
    let hashes = lock.part(hashes);
    let hashes: Vec<Text<'_>> = hashes.iter().map(|text| Text { text, line }).collect();
    lock.take(name, pinned, from, &hashes);
    Ok(())
}

/// The text, and where in it a value stands.
struct Place<'a> {
    text: &'a str,
    lines: &'a Lines<'a>,
}

impl<'a> Place<'a> {
    fn at(&self, raw: &RawValue) -> usize {
        raw.get().as_ptr().addr().saturating_sub(self.text.as_ptr().addr())
    }

    fn line(&self, raw: &RawValue) -> u32 {
        self.lines.line(self.at(raw))
    }

    fn fault(&self, raw: &RawValue, why: impl Into<String>) -> Fault {
        self.lines.fault(self.at(raw), why)
    }

    /// All of the text as one value: here it shows whether it is JSON.
    fn all(&self) -> Result<&'a RawValue, Fault> {
        serde_json::from_str(self.text).map_err(|why| no_json(&why))
    }

    fn value<T: Deserialize<'a>>(&self, key: &str, wanted: &str, raw: &'a RawValue) -> Result<T, Fault> {
        serde_json::from_str(raw.get()).map_err(|_| self.fault(raw, format!("has no {wanted} in `{key}`")))
    }

    fn object(&self, key: &str, raw: &'a RawValue) -> Result<Object<'a>, Fault> {
        let object: Object<'a> = self.value(key, "object", raw)?;
        let mut keys: Vec<&str> = object.rows.iter().map(|(key, _)| &**key).collect();
        keys.sort_unstable();
        match keys.windows(2).find(|pair| pair.first() == pair.last()).and_then(|pair| pair.first()) {
            Some(twice) => {
                let again = object.rows.iter().rev().find(|(key, _)| key == twice).map_or(raw, |(_, value)| value);
                Err(self.fault(again, "has a key for the second time: which of the two counts, nobody says"))
            }
            None => Ok(object),
        }
    }
}

fn no_json(why: &serde_json::Error) -> Fault {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    // Its own words end with the place.
    let words = why.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    Fault { line: count(why.line()).max(1), column: count(why.column()).max(1), why: format!("is no JSON: {words}") }
}

/// An object with its keys in the order of the file, repeated ones too.
struct Object<'a> {
    rows: Vec<(String, &'a RawValue)>,
}

impl<'a> Object<'a> {
    fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.rows.iter().find(|(one, _)| one == key).map(|(_, value)| *value)
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Rows)
    }
}

struct Rows;

impl<'de> Visitor<'de> for Rows {
    type Value = Object<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = map.next_entry()? {
            rows.push(row);
        }
        Ok(Object { rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::lock::tests::{Shown, hash, hostile, shown, unread};

    const LOCK: &str = r#"{
    "_meta": {
        "hash": {"sha256": "00"},
        "pipfile-spec": 6,
        "requires": {"python_version": "3.12"},
        "sources": [{"name": "pypi", "url": "https://pypi.org/simple", "verify_ssl": true}]
    },
    "default": {
        "litellm": {
            "hashes": [
                "sha256:AAAA",
                "sha256:BBBB"
            ],
            "index": "pypi",
            "markers": "python_version >= '3.9'",
            "version": "==1.82.7"
        },
        "demo": {"editable": true, "path": "."},
        "far": {"git": "https://mia:Zq7Zq7Zq7@h.example/far", "ref": "0123"},
        "near": {"editable": true, "path": "../near"}
    },
    "develop": {
        "six": {"version": "*"}
    },
    "docs": {
        "sphinx\u002dx": {"version": "===1.0+local"}
    }
}
"#;

    #[test]
    fn a_lock_file_is_read() {
        let lock = parse(LOCK.replace("AAAA", &hash('A')).replace("BBBB", &hash('b')).as_bytes()).unwrap();
        let pins: &[Shown] = &[
            ("litellm", Some("1.82.7"), 9, None),
            ("far", None, 19, Some("https://[redacted]@h.example/far")),
            ("six", None, 23, None),
            ("sphinx-x", Some("1.0+local"), 26, None),
        ];
        assert_eq!(shown(&lock.pins), pins);
        assert_eq!(lock.pins[0].hashes, [hash('a'), hash('b')]);
        assert_eq!(shown(&lock.own), [("demo", None, 18, None)]);
        assert_eq!(
            unread(&lock),
            [
                "20 has near from a source tree, which this version does not follow",
                "23 has a version of six that is no single version",
            ]
        );
    }

    fn with(default: &str) -> String {
        format!("{{\"_meta\": {{\"pipfile-spec\": 6}},\n\"default\": {{\n{default}\n}}}}")
    }

    #[test]
    fn a_broken_entry_costs_no_other() {
        let text = with(
            "\"a\": 1,\n\"b\": {\"version\": 1},\n\"c\": {\"version\": \">=1\", \"hashes\": [1]},\n\"d\": {\"version\": \"==1\",\n\"editable\": 1, \"git\": []},\n\"e\": {\"version\": \"==1\", \"version\": \"==2\"},\n\"\": {},\n\"f\": {\"version\": \"==!=1\"}",
        );
        let lock = parse(text.as_bytes()).unwrap();
        assert_eq!(
            shown(&lock.pins),
            [("b", None, 4, None), ("c", None, 5, None), ("d", Some("1"), 6, None), ("f", None, 10, None)]
        );
        assert_eq!(
            unread(&lock),
            [
                "3 has no object in `a package`",
                "4 has no text in `version`",
                "5 has no array of texts in `hashes`",
                "5 has a version of c that is no single version",
                "7 has no true or false in `editable`",
                "7 has no text in `git`",
                "8 has a key for the second time: which of the two counts, nobody says",
                "9 has a package name that is none",
                "10 has a version of f that is no single version",
            ]
        );
    }

    #[test]
    fn what_is_no_pipfile_lock_is_told() {
        let why = |text: &str| parse(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(why(""), "line 1, column 1 is no JSON: EOF while parsing a value");
        assert_eq!(why("[1]"), "line 1, column 1 has no object in `Pipfile.lock`");
        assert_eq!(why("{}"), "line 1, column 1 begins no Pipfile.lock: it has no `_meta`");
        assert_eq!(why("{\n\"_meta\": {}}"), "line 1, column 1 begins no Pipfile.lock: it has no `pipfile-spec`");
        assert!(why("{\"_meta\": {\"pipfile-spec\": 7}}").contains("says another format of Pipfile.lock"));
        assert!(why("{\"_meta\": {\"pipfile-spec\": \"6\"}}").contains("has no number in `pipfile-spec`"));
        assert_eq!(why(&LOCK[..60]), "line 4, column 9 is no JSON: EOF while parsing a string");
        assert!(why(&with("\"a\": {}, \"a\": {}")).starts_with("line 3, column 15 has a key for the second time"));
        assert!(why(&with("\"a\": {}").replace("\"default\": {", "\"default\": [{")).contains("is no JSON"));
        assert!(
            why(&LOCK.replace("{\n        \"six\"", "7, \"x\": {\n \"six\"")).contains("has no object in `develop`")
        );
    }

    #[test]
    fn hostile_forms_end_well() {
        let deep = |inner: &str| with(&format!("\"a\": {{\"version\": \"==1\", \"markers\": {inner}}}"));
        let bomb = deep(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
        assert_eq!(parse(bomb.as_bytes()).unwrap().pins.len(), 1, "what is not asked for is not built");
        for bomb in ["[".repeat(100_000), "{\"a\":".repeat(100_000), deep(&"[".repeat(100_000))] {
            assert!(parse(bomb.as_bytes()).is_err());
        }
        let hashes = with(&format!("\"a\": {{\"hashes\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000)));
        assert_eq!(unread(&parse(hashes.as_bytes()).unwrap()), ["3 has no array of texts in `hashes`"]);
        assert!(parse("{},".repeat(MOST).as_bytes()).unwrap_err().why.contains("more values than are read"));
        let many: Vec<String> = (0..100_000).map(|one| format!("\"p{one}\": {{\"version\": \"==1.{one}\"}}")).collect();
        let lock = parse(with(&many.join(",\n")).as_bytes()).unwrap();
        assert_eq!((lock.pins.len(), lock.pins[99_999].line), (100_000, Some(100_002)));
        hostile(parse, "", LOCK, "");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in crate::extract::lock::tests::pieces()) {
            let _any = (parse(text.as_bytes()), parse(with(&text).as_bytes()));
        }
    }
}
