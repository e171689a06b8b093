//! The few things that stop a run. Whatever is merely missed is a `Gap`, a value in the report.

use std::fmt;
use std::path::PathBuf;

use crate::model::fault::Fault;
use crate::model::verdict::ExitCode;

/// Why pysweep could not run. Each prints as a sentence that says what to do.
#[derive(Debug)]
pub enum Error {
    /// The options contradict each other or name something unknown.
    Usage(String),
    /// The root of the target cannot be opened.
    Root {
        /// As the user gave it.
        path: PathBuf,
        /// The system's answer.
        why: String,
    },
    /// A pack is unreadable or wrong. Sweeping on with fewer indicators than asked for would print "clean" for nothing.
    Pack(Fault),
    /// A file that the user named is not what it should be: a key, a signature, a feed, accepted findings.
    Fault(Fault),
    /// A file that the user named cannot be read.
    Input {
        /// As the user gave it.
        path: PathBuf,
        /// The system's answer.
        why: String,
    },
    /// An output cannot be written.
    Output {
        /// As the user gave it.
        path: PathBuf,
        /// The system's answer.
        why: String,
    },
}

impl Error {
    /// The exit code for whatever could not run.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::Failed
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(why) => write!(out, "{why}"),
            Self::Root { path, why } => {
                write!(
                    out,
                    "cannot open the root {}: {why}. Name an existing directory that you may read.",
                    path.display()
                )
            }
            Self::Pack(fault) => {
                write!(
                    out,
                    "indicator pack {fault}. Nothing was looked for, because an answer from fewer indicators than asked for says too little."
                )
            }
            Self::Fault(fault) => write!(out, "{fault}"),
            Self::Input { path, why } => write!(out, "cannot read {}: {why}", path.display()),
            Self::Output { path, why } => write!(out, "cannot write {}: {why}", path.display()),
        }
    }
}

impl std::error::Error for Error {}
