//! Stable row ids: a kind prefix and the first 16 hex digits of a SHA-256 over what identifies the thing.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// The id of one row of the report, such as `dist-0123456789abcdef`. The same thing gets the same id in every sweep.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Id {
    prefix: &'static str,
    digest: u64,
}

impl Id {
    /// An id over `parts`. Each part is hashed with its length, so that `("ab", "c")` and `("a", "bc")` differ.
    #[must_use]
    pub fn new(prefix: &'static str, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let digest = hash.finalize().iter().take(8).fold(0, |sum: u64, byte| (sum << 8) | u64::from(*byte));
        Self { prefix, digest }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{:016x}", self.prefix, self.digest)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// The kinds of rows whose ids are read again from stored reports.
const READ_AGAIN: [&str; 3] = ["env", "dist", "find"];

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let parts = text.rsplit_once('-');
        let prefix = parts.and_then(|(prefix, _)| READ_AGAIN.iter().find(|known| **known == prefix));
        let digest =
            parts.filter(|(_, digits)| digits.len() == 16).and_then(|(_, digits)| u64::from_str_radix(digits, 16).ok());
        match (prefix, digest) {
            (Some(prefix), Some(digest)) => Ok(Self { prefix, digest }),
            _ => Err(D::Error::custom(format!("`{text}` is no id of a report"))),
        }
    }
}

/// Lower-case hex of `bytes`, as hashes are written in reports and packs.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A SHA-256 from its hex; none for anything else.
#[must_use]
pub fn sha256_of_hex(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    for (place, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
        let value = |digit: &u8| char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let (high, low) = (value(pair.first()?)?, value(pair.last()?)?);
        *place = high << 4 | low;
    }
    Some(digest)
}

/// The hex of a SHA-256 as reports and packs write it, in lower case; none for anything else.
#[must_use]
pub fn lower_sha256(text: &str) -> Option<String> {
    sha256_of_hex(text).map(|_| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_and_its_hex_are_one() {
        let digest: [u8; 32] = std::array::from_fn(|at| at as u8 * 7);
        assert_eq!(sha256_of_hex(&hex(&digest)), Some(digest));
        assert_eq!(sha256_of_hex(&hex(&digest).replace('0', "g")), None);
        assert_eq!(sha256_of_hex("00"), None);
    }

    #[test]
    fn an_id_depends_on_where_the_parts_end() {
        assert_ne!(Id::new("dist", &[b"ab", b"c"]), Id::new("dist", &[b"a", b"bc"]));
        let id = Id::new("env", &[b"/usr"]).to_string();
        assert_eq!(id, Id::new("env", &[b"/usr"]).to_string());
        assert_eq!(id.len(), "env-".len() + 16);
    }
}
