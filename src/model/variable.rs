//! Environment variables that have programs of any kind load or run other code, wherever a system keeps them: the loader's,
//! those of shells, of git and ssh, of interpreters.

use super::path::TargetPath;
use super::text::Excerpt;
use super::time::Time;

/// What the value of a variable is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loads {
    /// Libraries, one after the other: blanks and colons part them.
    Libraries,
    /// Folders in which libraries or modules are looked for. Honest ones are many.
    Folders,
    /// A file that a shell reads.
    Script,
    /// A command of a shell.
    Command,
    /// A program.
    Program,
    /// Options of Node, of which some name modules.
    NodeOptions,
    /// Options of Java, of which some name agents.
    JavaOptions,
    /// Options of Perl or Ruby, of which some name modules and folders.
    ScriptOptions,
}

/// The variables, apart from Python's.
const VARIABLES: &[(&str, Loads)] = &[
    ("LD_PRELOAD", Loads::Libraries),
    ("LD_AUDIT", Loads::Libraries),
    ("LD_LIBRARY_PATH", Loads::Folders),
    ("DYLD_INSERT_LIBRARIES", Loads::Libraries),
    ("DYLD_LIBRARY_PATH", Loads::Folders),
    ("DYLD_FRAMEWORK_PATH", Loads::Folders),
    ("GCONV_PATH", Loads::Folders),
    ("PERL5LIB", Loads::Folders),
    ("RUBYLIB", Loads::Folders),
    ("NODE_PATH", Loads::Folders),
    ("ZDOTDIR", Loads::Folders),
    ("BASH_ENV", Loads::Script),
    ("ENV", Loads::Script),
    ("PROMPT_COMMAND", Loads::Command),
    ("LESSOPEN", Loads::Command),
    ("LESSCLOSE", Loads::Command),
    ("GIT_SSH_COMMAND", Loads::Command),
    ("GIT_EXTERNAL_DIFF", Loads::Command),
    ("GIT_SSH", Loads::Program),
    ("GIT_ASKPASS", Loads::Program),
    ("SSH_ASKPASS", Loads::Program),
    ("SUDO_ASKPASS", Loads::Program),
    ("NODE_OPTIONS", Loads::NodeOptions),
    ("JAVA_TOOL_OPTIONS", Loads::JavaOptions),
    ("_JAVA_OPTIONS", Loads::JavaOptions),
    ("JDK_JAVA_OPTIONS", Loads::JavaOptions),
    ("PERL5OPT", Loads::ScriptOptions),
    ("RUBYOPT", Loads::ScriptOptions),
];

/// The variables by name.
pub fn variables() -> impl Iterator<Item = &'static str> {
    VARIABLES.iter().map(|(name, _)| *name)
}

/// The variable of that name, if it is one of them.
#[must_use]
pub fn variable(name: &[u8]) -> Option<&'static str> {
    variables().find(|known| known.as_bytes() == name)
}

/// What the value of a variable is, if it is one of them.
#[must_use]
pub fn loads(name: &str) -> Option<Loads> {
    VARIABLES.iter().find(|(known, _)| *known == name).map(|(_, loads)| *loads)
}

/// One place that sets such a variable, or one of Python's, where the swept system or an account of it reads it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct VariableSetting {
    /// The file.
    pub path: TargetPath,
    /// Counted from 1; 0 where lines mean nothing.
    pub line: u32,
    /// The variable.
    pub variable: &'static str,
    /// As written, quotes removed. For look-ups, never for the report.
    pub value: Vec<u8>,
    /// The value, redacted.
    pub text: Excerpt,
    /// Whether programs that are started see it.
    pub is_exported: bool,
    /// The file's last modification.
    pub modified: Option<Time>,
    /// The file's owner.
    pub owner_uid: Option<u32>,
}
