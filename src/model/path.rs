//! Paths as the swept system writes them, without loss. They can be printed and compared, never opened: opening is
//! `target`'s business, which knows where the root is.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An absolute path of the target: POSIX with a leading `/`, Windows with its drive (`C:\Users\…`). Bytes, because
/// names on a POSIX disk need not be UTF-8. Serialises as `path` and, where it is not UTF-8, `path_base64`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TargetPath(Arc<[u8]>);

impl TargetPath {
    /// Takes the bytes as they are; the caller made them absolute.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// The path's own bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Text for people: what is not UTF-8 becomes U+FFFD.
    #[must_use]
    pub fn to_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// The bytes in base64 where they are not UTF-8.
    #[must_use]
    pub fn base64(&self) -> Option<String> {
        std::str::from_utf8(&self.0).is_err().then(|| STANDARD.encode(&self.0))
    }

    /// `/` on POSIX targets, `\` on Windows ones.
    #[must_use]
    pub fn separator(&self) -> u8 {
        if self.0.first() == Some(&b'/') { b'/' } else { b'\\' }
    }

    /// This path with one more component.
    #[must_use]
    pub fn join(&self, name: &[u8]) -> Self {
        let separator = self.separator();
        let mut bytes = Vec::with_capacity(self.0.len() + 1 + name.len());
        bytes.extend_from_slice(&self.0);
        if bytes.last() != Some(&separator) {
            bytes.push(separator);
        }
        bytes.extend_from_slice(name);
        Self(bytes.into())
    }

    /// The folder that holds this path; `None` for the root itself.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let separator = self.separator();
        let at = self.0.iter().rposition(|byte| *byte == separator)?;
        let (head, tail) = self.0.split_at(at);
        if tail.len() <= 1 {
            return None;
        }
        // `/etc` lies in `/`, `C:\Users` in `C:\`: the root keeps its separator.
        let keep = if head.is_empty() || head.ends_with(b":") { at + 1 } else { at };
        self.0.get(..keep).map(Self::new)
    }

    /// The last component; empty for the root.
    #[must_use]
    pub fn file_name(&self) -> &[u8] {
        self.0.rsplit(|byte| *byte == self.separator()).next().unwrap_or_default()
    }

    /// The components below the root or the drive.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> + Clone {
        let separator = self.separator();
        let drive = if separator == b'/' { 0 } else { self.0.iter().take_while(|byte| **byte != separator).count() };
        let below = self.0.get(drive..).unwrap_or_default();
        below.split(move |byte| *byte == separator).filter(|part| !part.is_empty())
    }

    /// The first `count` components of this path.
    #[must_use]
    pub fn ancestor(&self, count: usize) -> Self {
        let drop = self.components().count().saturating_sub(count);
        (0..drop).fold(self.clone(), |path, _| path.parent().unwrap_or(path))
    }

    /// Whether this path is `other` or lies below it.
    #[must_use]
    pub fn is_under(&self, other: &Self) -> bool {
        self.0.strip_prefix(&*other.0).is_some_and(|rest| {
            rest.is_empty() || rest.first() == Some(&self.separator()) || other.0.last() == Some(&self.separator())
        })
    }
}

impl fmt::Debug for TargetPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", self.to_text())
    }
}

/// As reports write it: the bytes where they are given, else the text.
#[derive(Deserialize)]
struct Written {
    path: String,
    path_base64: Option<String>,
}

impl<'de> Deserialize<'de> for TargetPath {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(from)?;
        let bytes = written.path_base64.and_then(|text| STANDARD.decode(text).ok());
        Ok(Self::new(&bytes.unwrap_or_else(|| written.path.into_bytes())))
    }
}

impl Serialize for TargetPath {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let bytes = self.base64();
        let mut row = to.serialize_struct("TargetPath", if bytes.is_none() { 1 } else { 2 })?;
        row.serialize_field("path", &self.to_text())?;
        if let Some(bytes) = bytes {
            row.serialize_field("path_base64", &bytes)?;
        }
        row.end()
    }
}

/// Serialises a path that is not the row's own as a plain string: `real_path`, `home`, `base`.
///
/// # Errors
/// Those of the serialiser.
pub fn as_text<S: Serializer>(path: &TargetPath, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&path.to_text())
}

/// The same for a path that may be absent.
///
/// # Errors
/// Those of the serialiser.
pub fn as_text_option<S: Serializer>(path: &Option<TargetPath>, to: S) -> Result<S::Ok, S::Error> {
    match path {
        Some(path) => as_text(path, to),
        None => to.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_and_names_on_both_kinds_of_system() {
        let posix = TargetPath::new(b"/home/mia/x");
        assert_eq!(posix.parent().unwrap().as_bytes(), b"/home/mia");
        assert_eq!(posix.ancestor(1).as_bytes(), b"/home");
        assert_eq!(TargetPath::new(b"/etc").parent().unwrap().as_bytes(), b"/");
        assert!(TargetPath::new(b"/").parent().is_none());
        let windows = TargetPath::new(b"C:\\Users\\mia");
        assert_eq!(windows.file_name(), b"mia");
        assert_eq!(windows.join(b"x").as_bytes(), b"C:\\Users\\mia\\x");
        assert_eq!(windows.parent().unwrap().parent().unwrap().as_bytes(), b"C:\\");
        assert_eq!(windows.components().collect::<Vec<_>>(), [b"Users".as_slice(), b"mia"]);
    }

    #[test]
    fn under_means_whole_components() {
        let home = TargetPath::new(b"/home/mia");
        assert!(TargetPath::new(b"/home/mia/x").is_under(&home));
        assert!(!TargetPath::new(b"/home/miau").is_under(&home));
        assert!(home.is_under(&TargetPath::new(b"/")));
    }

    #[test]
    fn bytes_that_are_not_text_survive_as_base64() {
        let json = serde_json::to_string(&TargetPath::new(b"/caf\xe9")).unwrap();
        assert_eq!(json, "{\"path\":\"/caf\u{fffd}\",\"path_base64\":\"L2NhZuk=\"}");
        assert_eq!(serde_json::to_string(&TargetPath::new(b"/x")).unwrap(), "{\"path\":\"/x\"}");
    }
}
