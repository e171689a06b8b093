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
                let why =
                    format!("it is not signed (there is no {END} file beside it), and --require-signed asks for that");
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
