//! JSON of feeds, record by record: each stays a text of its own until it is read, so that one that is wrong does not cost
//! the others. A key that is there twice is a fault: two programs would read two different things.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::fault;
use super::text::shown;
use crate::model::fault::Fault;

/// An object whose values have not been read yet.
#[derive(Debug)]
pub(super) struct Object<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Object<'a> {
    /// The object that is all of `text`.
    pub(super) fn whole(origin: &str, text: &'a str) -> Result<Self, Fault> {
        serde_json::from_str(text).map_err(|why| {
            let place = (why.line() > 0).then(|| (why.line(), why.column()));
            fault(origin, place, format!("it cannot be read as JSON: {}; is it whole?", sentence(&why)))
        })
    }

    /// The object that is a part of it.
    pub(super) fn part(raw: &'a RawValue) -> Result<Self, String> {
        serde_json::from_str(raw.get()).map_err(|why| sentence(&why))
    }

    /// A value; none if it is not there or null.
    pub(super) fn get<T: Deserialize<'a>>(&self, key: &str) -> Result<Option<T>, String> {
        let Some(raw) = self.0.get(key) else { return Ok(None) };
        serde_json::from_str(raw.get())
            .map_err(|why| format!("its `{key}` is not what it should be: {}", sentence(&why)))
    }

    /// The names of its values, sorted.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// What serde says, without the place, which counts from the beginning of the part.
fn sentence(why: &serde_json::Error) -> String {
    let text = why.to_string();
    shown(text.rsplit_once(" at line ").map_or(&text, |(sentence, _)| sentence))
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ObjectVisitor).map(Self)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = BTreeMap<String, &'de RawValue>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let mut all = BTreeMap::new();
        while let Some((key, value)) = from.next_entry::<String, &'de RawValue>()? {
            if all.contains_key(&key) {
                return Err(A::Error::custom(format_args!("the key `{}` is there twice", shown(&key))));
            }
            all.insert(key, value);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_when_asked_for() {
        let object = Object::whole("f", r#"{"a": [1, {}], "b": "x", "c": null}"#).unwrap();
        assert_eq!(object.get::<Vec<&RawValue>>("a").unwrap().unwrap().len(), 2);
        assert_eq!(object.get::<String>("c"), Ok(None));
        assert!(object.get::<bool>("b").unwrap_err().starts_with("its `b` is not what it should be: invalid type"));
        assert_eq!(object.keys().collect::<String>(), "abc");
    }

    #[test]
    fn what_is_there_twice_or_cut_short_is_a_fault_with_a_place() {
        let twice = Object::whole("f", "{\"a\": 1,\n \"a\": 2}").unwrap_err();
        assert!(twice.line() == Some(2) && twice.why.contains("`a` is there twice"), "{twice:?}");
        let short = Object::whole("f", "{\"a\": [1,").unwrap_err();
        assert!(short.line() == Some(1) && short.why.contains("is it whole?"), "{short:?}");
        assert!(Object::whole("f", &"{\"a\":".repeat(100_000)).is_err());
        assert!(Object::whole("f", &format!("{{\"a\": {}", "[".repeat(100_000))).is_err());
        assert!(Object::whole("f", "[]").unwrap_err().why.contains("expected an object"));
    }
}
