//! pysweep sweeps a host for Python supply-chain attacks without running anything it finds.
//!
//! The rooms, in the order in which data flows through them. Each arrow is one function with one type going in and one
//! coming out; nothing flows back.
//!
//! ```text
//!  cli ──► config ──► target ──► survey ──► extract ──► detect ──► assess ──► report
//!                      opens      walks      reads       judges     weighs     tells
//!                                    ▲          ▲           ▲
//!                              iocs/places    Watch ◄──── intel ◄── iocs/packs
//! ```
//!
//! | room | what it does | what it must not do |
//! |---|---|---|
//! | [`model`] | the nouns every stage speaks | use any other room |
//! | [`target`] | the only door to the swept disk; whose system it is | judge |
//! | [`survey`] | one walk; which entries a check asked for | open files |
//! | [`extract`] | one artefact, one file: reader and parser; the table of checks | judge |
//! | [`intel`] | packs, loaded strictly; names and versions | touch the target |
//! | [`detect`] | facts held against packs; the table of rules | touch the disk |
//! | [`assess`] | verdict, exposures, time line | touch the disk |
//! | [`recheck`] | stored reports, judged again by newer packs | ask for the host |
//! | [`compare`] | two stored reports of one host, told apart | ask for the host |
//! | [`report`] | text and JSON | decide anything |
//! | [`sandbox`] | gives up our own rights | |
//! | [`command`] | one file for each subcommand, wiring only | |
//!
//! Invariants, each kept by a machine (`tests/architecture.rs`, `.clippy.toml`):
//! nothing is ever executed; only `target` opens what is swept; no operating-system switch outside `target`; whatever is
//! missed is a [`model::coverage::Gap`]; text of the target gets into a report only as a [`model::text::Excerpt`].
//!
//! Deliberately absent: network access, plugins, a configuration file, global state.

pub mod assess;
pub mod cli;
pub mod command;
pub mod compare;
pub mod config;
pub mod detect;
pub mod error;
pub mod extract;
pub mod intel;
pub mod model;
pub mod recheck;
pub mod report;
pub mod sandbox;
pub mod survey;
pub mod target;

use std::ffi::OsString;

use clap::Parser as _;

use cli::Args;
use model::verdict::ExitCode;

/// Runs the program: arguments in, exit code out.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let args = match Args::try_parse_from(&args) {
        Ok(args) => args,
        Err(told) => return refuse(&told, &args),
    };
    // A crash in a reader is caught and becomes a gap; its message would only disturb the report.
    std::panic::set_hook(Box::new(|_| {}));
    command::run(args)
}

/// Prints help, the version, or what is wrong with the arguments.
fn refuse(told: &clap::Error, args: &[OsString]) -> ExitCode {
    // Help and version are answers, not errors. Where even printing fails, the code still says what happened.
    let code = if told.use_stderr() { ExitCode::Failed } else { ExitCode::Clean };
    let hostile = args.iter().map(|arg| arg.to_string_lossy()).find(|arg| arg.chars().any(char::is_control));
    if let (Some(arg), true) = (hostile, told.use_stderr()) {
        // The parser would quote it as it is, line ends and all.
        command::complain(&format!("the arguments are not understood, and one holds control characters: {arg}"));
        return code;
    }
    if told.print().is_err() { ExitCode::Failed } else { code }
}
