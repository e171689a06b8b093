#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "the tests plant signatures of their own"))]
//! Whether a pack is from whom it says: detached signatures in minisign's form, `PACK.json.minisig` beside `PACK.json`
//! (<https://jedisct1.github.io/minisign/>). Keys come from `--trust-key` and from `iocs/keys`.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minisign_verify::{PublicKey, Signature};

use super::source::{self, Source};
use crate::model::fault::Fault;

/// What the name of a signature has behind that of the pack.
pub const END: &str = ".minisig";

/// Who may sign, and whether somebody must.
#[derive(Default)]
pub struct Trust {
    keys: Vec<Key>,
    is_required: bool,
}

/// A key that may sign.
struct Key {
    /// Its id, as minisign prints it.
    id: String,
    /// The file it is from.
    name: String,
    key: PublicKey,
}

/// What a signature says of a pack.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Signed {
    /// A trusted key signed these bytes: its id, and the comment that it signed too.
    By(String),
    /// Nobody signed.
    Not,
    /// A key signed that nobody trusts here: as good as unsigned.
    ByUnknown(String),
}

impl Signed {
    /// For `packs[].signed_by`.
    #[must_use]
    pub fn by(&self) -> Option<&str> {
        match self {
            Self::By(who) => Some(who),
            Self::Not | Self::ByUnknown(_) => None,
        }
    }
}

impl Trust {
    /// The keys of the files that the user named, and of `built_in` (name, content).
    ///
    /// # Errors
    /// A file that cannot be read or holds no key.
    pub fn of(built_in: &[(String, String)], named: &[PathBuf], is_required: bool) -> Result<Self, Fault> {
        let mut keys = Vec::new();
        for (name, text) in built_in {
            keys.push(Key::of(name, text)?);
        }
        for path in named {
            let origin = path.display().to_string();
            let bytes = source::read(&Source { path: path.clone(), origin: origin.clone(), is_of_folder: false })?;
            keys.push(Key::of(&origin, &String::from_utf8_lossy(&bytes))?);
        }
        Ok(Self { keys, is_required })
    }

    /// Whether a signature is required of every pack that is not built in.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.is_required
    }

    /// Who signed `bytes`, read from `source`.
    ///
    /// # Errors
    /// A signature that is none, is of other bytes, or is missing where one is required.
    pub fn signer(&self, source: &Source, bytes: &[u8]) -> Result<Signed, Fault> {
        let signed = match source::read_beside(source, END)? {
            None => Signed::Not,
            Some((origin, text)) => self.check(&origin, &source.origin, &text, bytes)?,
        };
        match &signed {
            Signed::Not if self.is_required => {
                let why = format!("it is not signed (there is no {END} file beside it), and a signature is required");
                Err(Fault::of(&source.origin, why))
            }
            Signed::ByUnknown(id) if self.is_required => {
                let why = format!(
                    "it is signed by the key {id}, which is not trusted here: name that key with --trust-key if it should be"
                );
                Err(Fault::of(&source.origin, why))
            }
            _ => Ok(signed),
        }
    }

    fn check(&self, origin: &str, pack: &str, text: &[u8], bytes: &[u8]) -> Result<Signed, Fault> {
        let text = String::from_utf8_lossy(text);
        let signature = Signature::decode(text.trim_start_matches('\u{feff}').trim_end()).map_err(|why| {
            Fault::of(
                origin,
                format!("it is no signature of minisign ({why}): sign the pack again, or remove the file"),
            )
        })?;
        let id = text.lines().nth(1).and_then(key_id).unwrap_or_default();
        let mut same = self.keys.iter().filter(|key| key.id == id).peekable();
        if same.peek().is_none() {
            return Ok(Signed::ByUnknown(id));
        }
        let by = same.find(|key| key.key.verify(bytes, &signature, true).is_ok());
        let Some(key) = by else {
            let why = format!(
                "the signature is not that of {pack}: one of the two was changed, or belongs to another file. Fetch both again"
            );
            return Err(Fault::of(origin, why));
        };
        Ok(Signed::By(format!("{} ({}): {}", key.id, key.name, signature.trusted_comment())))
    }
}

impl Key {
    fn of(name: &str, text: &str) -> Result<Self, Fault> {
        let text = text.trim_start_matches('\u{feff}').trim();
        // As minisign writes it, with a comment above, or the key alone.
        let line = text.lines().last().unwrap_or_default().trim();
        let broken = || {
            let what = if text.contains("secret key") {
                "a secret key: name the public one"
            } else {
                "no public key of minisign"
            };
            Fault::of(name, format!("it is {what}"))
        };
        let key = PublicKey::from_base64(line).map_err(|_| broken())?;
        let id = key_id(line).ok_or_else(broken)?;
        Ok(Self { id, name: name.to_owned(), key })
    }
}

/// The id in a key or signature: the eight bytes behind the two of the algorithm, the last first.
fn key_id(line: &str) -> Option<String> {
    let bytes = STANDARD.decode(line.trim()).ok()?;
    let id = bytes.get(2..10)?;
    Some(id.iter().rev().map(|byte| format!("{byte:02X}")).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    // Made with minisign 0.11; the secret keys are gone.
    const ONE: &str = "untrusted comment: minisign public key EF85EBF89ECEB5A1\nRWShtc6e+OuF75vmrpqRPxn37HT2QUMCE8D3LSti+F7O63lcwX1oWT+p\n";
    const OTHER: &str = "RWTlORoVj6Am0JYX3Q1V0Ka564sLP9YtKOZNBHdphXMy/j+JYnhEVz3G";
    const PACK: &[u8] = b"a pack\n";
    const SIGNED: &str = "untrusted comment: signature from minisign secret key\nRUShtc6e+OuF7yw639msrS/DdFgtlVTTg13ttMEW/YNUAmQO9PxeSGqNYk59q726+E/XSKS3MGt63IJSSJlxFVOTfnE5fB1N7g8=\ntrusted comment: the pack of 2026-11-21\nXs2xWLc6KlMpNU1tOXPjwjyz2u11rHmE0ACVLViL82ezU7LB/wVU2PcHA7DqdEOl6+UMpIoTdjT0OgbWeha2Ag==\n";

    /// Who signed a pack of these bytes, with `text` beside it.
    fn signer(trust: &Trust, bytes: &[u8], text: Option<&str>) -> Result<Signed, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.json");
        std::fs::write(&path, bytes).unwrap();
        if let Some(text) = text {
            std::fs::write(folder.path().join("p.json.minisig"), text).unwrap();
        }
        let source = Source { path, origin: "p.json".to_owned(), is_of_folder: false };
        trust.signer(&source, bytes).map_err(|fault| fault.why)
    }

    fn trust(keys: &[&str], is_required: bool) -> Trust {
        let keys: Vec<(String, String)> = keys.iter().map(|text| ("k".to_owned(), (*text).to_owned())).collect();
        Trust::of(&keys, &[], is_required).unwrap()
    }

    #[test]
    fn a_trusted_key_signs_these_bytes_and_no_others() {
        let trust = trust(&[OTHER, ONE], true);
        let by = signer(&trust, PACK, Some(SIGNED)).unwrap();
        assert_eq!(by.by(), Some("EF85EBF89ECEB5A1 (k): the pack of 2026-11-21"));
        assert!(signer(&trust, b"another pack\n", Some(SIGNED)).unwrap_err().contains("not that of p.json"));
        let comment = SIGNED.replace("2026-11-21", "2027-11-21");
        assert!(signer(&trust, PACK, Some(&comment)).unwrap_err().contains("not that of p.json"));
        assert!(signer(&trust, PACK, Some("nonsense")).unwrap_err().contains("no signature of minisign"));
        assert_eq!(signer(&trust, PACK, Some(&SIGNED.replace('\n', "\r\n"))).unwrap(), by);
    }

    #[test]
    fn who_is_not_trusted_has_not_signed() {
        let unknown = Signed::ByUnknown("EF85EBF89ECEB5A1".to_owned());
        assert_eq!(signer(&trust(&[OTHER], false), PACK, Some(SIGNED)).unwrap(), unknown);
        assert!(signer(&trust(&[OTHER], true), PACK, Some(SIGNED)).unwrap_err().contains("not trusted here"));
        assert_eq!(signer(&trust(&[ONE], false), PACK, None).unwrap(), Signed::Not);
        assert!(signer(&trust(&[ONE], true), PACK, None).unwrap_err().contains("not signed"));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let of = |text: &str| Trust::of(&[("k".to_owned(), text.to_owned())], &[], false).err().map(|fault| fault.why);
        assert!(of("").unwrap().contains("no public key"));
        assert!(of("untrusted comment: minisign encrypted secret key\nRWRTY0Iy").unwrap().contains("a secret key"));
        assert!(Trust::of(&[], &[Path::new("/nowhere.pub").to_path_buf()], false).is_err());
    }
}
