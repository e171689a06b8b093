//! Start-up hooks: files and settings that make Python run code at every start, their lines, the modules that they bring
//! in, and what stands out in all of these.

use serde::{Deserialize, Serialize, Serializer};

use super::code::Code;
use super::id::Id;
use super::path::{self, TargetPath};
use super::python::FileIdentity;
use super::text::Excerpt;
use super::time::Time;

/// What makes Python run code at every start, before the user's own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct StartupHook {
    /// Stable id.
    pub id: Id,
    /// Where.
    pub path: TargetPath,
    /// In which form.
    pub kind: HookKind,
    /// The environment whose site directory holds it.
    pub environment: Option<Id>,
    /// The distribution that lists it in RECORD.
    pub distribution: Option<Id>,
    /// How it stands to that RECORD, or to the lists of other package managers.
    pub ownership: Ownership,
    /// Whether it was written later than the metadata of every distribution beside it.
    pub is_newest: bool,
    /// Whether it lies where some interpreter runs it.
    pub in_site_dir: bool,
    /// Which Python versions run it, by its name and content; empty means none.
    pub versions: Vec<&'static str>,
    /// Who runs it on this host: ids of interpreters, or version ranges where none is known; empty means none.
    pub run_by: Vec<String>,
    /// Its size in bytes.
    pub size: u64,
    /// Its last modification.
    pub modified: Option<Time>,
    /// Lower-case hex; none for a file beyond the cap.
    pub sha256: Option<String>,
    /// Which file it is, if it has several names.
    pub linked: Option<FileIdentity>,
    /// Its lines that run or extend the path; of a module, those that stand out.
    pub lines: Vec<HookLine>,
    /// What stands out in the file as a whole.
    pub features: Vec<Feature>,
    /// What its code imports, calls and adds to the import path.
    pub code: Code,
    /// The modules that it brings in, followed.
    pub modules: Vec<Module>,
    /// The texts of the packs (`Watch`) that it contains.
    pub needles: Vec<String>,
}

impl StartupHook {
    /// A hook of which only the place and the form are known.
    #[must_use]
    pub fn at(path: TargetPath, kind: HookKind) -> Self {
        Self {
            id: Id::new("hook", &[path.as_bytes()]),
            kind,
            environment: None,
            distribution: None,
            ownership: Ownership::Orphan,
            is_newest: false,
            in_site_dir: false,
            versions: Vec::new(),
            run_by: Vec::new(),
            size: 0,
            modified: None,
            sha256: None,
            linked: None,
            lines: Vec::new(),
            features: Vec::new(),
            code: Code::default(),
            modules: Vec::new(),
            needles: Vec::new(),
            path,
        }
    }
}

/// In which form code gets into Python's start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookKind {
    /// `.pth`: folders for the import path, and lines of code.
    Pth,
    /// `.start` (PEP 829): functions that Python 3.15 and later call.
    Start,
    /// The module `sitecustomize`.
    Sitecustomize,
    /// The module `usercustomize`.
    Usercustomize,
    /// `python312._pth`: the import path of a Windows interpreter.
    #[serde(rename = "._pth")]
    UnderscorePth,
    /// A variable such as `PYTHONPATH` that some file sets.
    Environment,
    /// Bytecode that stands in for the source beside it.
    Pyc,
}

/// A module that a hook brings in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Module {
    /// Its dotted name.
    pub name: String,
    /// What became of the search for it.
    pub outcome: ModuleOutcome,
    /// Where it lies.
    #[serde(serialize_with = "path::as_text_option")]
    pub path: Option<TargetPath>,
    /// Lower-case hex.
    pub sha256: Option<String>,
    /// How it stands to RECORD.
    pub ownership: Ownership,
    /// The distribution that lists it.
    pub distribution: Option<Id>,
    /// Whether the hook's own line names it; else a module that the hook brings in does.
    pub is_direct: bool,
    /// What stands out in what runs of it.
    pub signs: Vec<super::code::Sign>,
}

/// What became of the search for a module.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModuleOutcome {
    /// Its source was followed.
    Followed,
    /// It is machine code.
    Native,
    /// It is bytecode without a source.
    Bytecode,
    /// It lies nowhere on the import path.
    Missing,
    /// The same, and the code provides for that.
    Optional,
    /// It lies there and could not be read.
    Unread,
}

/// How a file stands to the RECORD of a distribution beside it, or to the lists of conda and dpkg.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ownership {
    /// None lists it.
    Orphan,
    /// One lists it, and the hash fits or there is none.
    Owned,
    /// One lists it with another hash.
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
    /// A line of a module.
    Module,
    /// A variable of the environment that is set.
    Setting,
}

impl LineClass {
    /// Whether such a line runs code of its own choosing.
    #[must_use]
    pub fn runs_code(self) -> bool {
        !matches!(self, Self::Path | Self::Namespace | Self::Known | Self::Setting)
    }
}

/// A line of a hook that does something.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct HookLine {
    /// Counted from 1, by the line ends of the newest Python.
    pub number: u32,
    /// What it is.
    pub class: LineClass,
    /// Which Python versions run it as code; empty for a path.
    pub run_by: Vec<&'static str>,
    /// The line, redacted.
    pub text: Excerpt,
    /// What stands out in it.
    pub features: Vec<Feature>,
    /// Of these, what happens only if an environment variable is set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only_if: Vec<(Feature, String)>,
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
    /// Puts a hidden folder on the import path.
    HiddenPath,
    /// Puts a folder on the import path that depends on where Python is started.
    RelativePath,
    /// A value that a package evaluates as code, or whose parts Python imports.
    Evaluated,
    /// Writes, moves or removes files.
    Writes,
    /// Writes where programs start by themselves.
    Persistence,
    /// Reads a secret from the environment or a key store, or all of the environment.
    SecretVariable,
    /// Reaches Python's own functions by a detour.
    Reflection,
    /// Nested or long beyond what is parsed.
    Beyond,
    /// Not Python 3: only its words were judged.
    Unparsed,
    /// Bytecode that is not of the source beside it.
    ForeignBytecode,
    /// Keeps the lines of a `.pth` of the same stem from running.
    Silences,
    /// Compiled code, of which nothing is known.
    Opaque,
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
