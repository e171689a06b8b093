//! Start-up hooks: files whose lines Python runs at every start, their lines, and what stands out in them.

use serde::{Serialize, Serializer};

use super::id::Id;
use super::path::TargetPath;
use super::python::FileIdentity;
use super::text::Excerpt;
use super::time::Time;

/// A file whose lines Python runs at every start.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct StartupHook {
    /// Stable id.
    pub id: Id,
    /// Where.
    pub path: TargetPath,
    /// The environment whose site directory holds it.
    pub environment: Option<Id>,
    /// The distribution that lists it in RECORD.
    pub distribution: Option<Id>,
    /// How it stands to that RECORD.
    pub ownership: Ownership,
    /// Whether it lies in a directory whose hooks some interpreter runs.
    pub in_site_dir: bool,
    /// Which Python versions run its lines; empty means none.
    pub run_by: Vec<&'static str>,
    /// Its size in bytes.
    pub size: u64,
    /// Its last modification.
    pub modified: Option<Time>,
    /// Lower-case hex; none for a file beyond the cap.
    pub sha256: Option<String>,
    /// Which file it is, if it has several names.
    pub linked: Option<FileIdentity>,
    /// Its lines that run or extend the path.
    pub lines: Vec<HookLine>,
    /// What stands out in the file as a whole.
    pub features: Vec<Feature>,
    /// The texts of the packs (`Watch`) that it contains.
    pub needles: Vec<String>,
}

/// How a hook stands to the RECORD of a distribution beside it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Ownership {
    /// No RECORD in its directory lists it.
    Orphan,
    /// A RECORD lists it, and the hash fits or there is none.
    Owned,
    /// A RECORD lists it with another hash.
    Changed,
}

/// What kind of line it is; the classes C0 to C7 by name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineClass {
    /// C0: a folder for the import path.
    Path,
    /// C1: imports and nothing else.
    Import,
    /// C2: the fixed sentence of a namespace package.
    Namespace,
    /// C3: imports a module and calls it without arguments.
    ImportCall,
    /// C4: a text that a known tool writes, word for word.
    Known,
    /// C5: `site.addsitedir` of literals.
    AddSiteDir,
    /// C6: other statements.
    Inline,
    /// C7: `exec`, `eval` or `compile`.
    Exec,
}

impl LineClass {
    /// Whether such a line runs code of its own choosing.
    #[must_use]
    pub fn runs_code(self) -> bool {
        !matches!(self, Self::Path | Self::Namespace | Self::Known)
    }
}

/// A line of a hook that does something.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct HookLine {
    /// Counted from 1, by the line ends of the newest Python.
    pub number: u32,
    /// What it is.
    pub class: LineClass,
    /// The line, redacted.
    pub text: Excerpt,
    /// What stands out in it.
    pub features: Vec<Feature>,
    /// Which Python versions run it, as far as its file's name and text tell; empty for a path.
    pub run_by: Vec<&'static str>,
}

/// A property of start-up code that raises its score. Sentences and points live where they are judged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Feature {
    /// Starts a process.
    Process,
    /// Uses a network module.
    Network,
    /// Names a credential path or the metadata address.
    CredentialPath,
    /// 120 or more base64 characters in a row.
    Blob,
    /// Control, zero-width or bidirectional characters.
    HiddenCharacters,
    /// 40 or more blanks before code.
    Indented,
    /// A line end that only newer Pythons see.
    ExoticLineEnd,
    /// A line that only one dialect runs: leading blanks or a byte-order mark.
    OneDialect,
    /// base64, zlib, marshal and their like.
    Decoder,
    /// ctypes and its like.
    Native,
    /// Text built from characters or reversed.
    StringBuilding,
    /// Imports or attributes chosen at run time.
    Dynamic,
    /// A URL or an IPv4 address.
    Address,
    /// Reads, writes or removes files.
    Files,
    /// Runs on by itself: threads, new sessions.
    Detached,
    /// Starts this interpreter again.
    SelfStart,
    /// `exec` or `eval` of something computed.
    ComputedExec,
    /// `exec` or `eval` of a plain text.
    LiteralExec,
    /// More than 1,000 characters.
    LongLine,
    /// More than 4,000 characters.
    VeryLongLine,
    /// Characters beyond ASCII.
    NonAscii,
    /// The file is larger than the part that was judged.
    Oversized,
    /// It is not text that Python could decode.
    Undecodable,
    /// It could not be read: only its name is known.
    Unread,
    /// Puts a temporary folder, which others may write, on the import path.
    TemporaryPath,
}

impl Feature {
    /// The id in the report.
    #[must_use]
    pub fn id(self) -> String {
        let mut id = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !id.is_empty() {
                id.push('-');
            }
            id.push(letter.to_ascii_lowercase());
        }
        id
    }
}

impl Serialize for Feature {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feature_ids_are_kebab_case() {
        assert_eq!(Feature::CredentialPath.id(), "credential-path");
    }
}
