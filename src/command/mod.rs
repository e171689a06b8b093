//! One file for each subcommand: wiring, no logic.

mod check;
mod explain;
mod iocs;
mod output;
mod plan;
mod progress;
mod pth;
mod pth_shown;
mod requirement;
mod scan;
mod tell;

use std::panic::catch_unwind;

use crate::cli::{Args, Command, PackArgs};
use crate::error::Error;
use crate::intel::index::Intel;
use crate::intel::load::{self, Fault};
use crate::model::verdict::ExitCode;

/// A message for the user, on standard error.
pub fn complain(message: &str) {
    output::complain(message);
}

/// Runs the command that was named.
pub fn run(args: Args) -> ExitCode {
    let crash = "pysweep crashed; the sweep did not finish. Please report it with the command you ran.";
    match catch_unwind(|| dispatch(args)) {
        Ok(Ok(code)) => code,
        Ok(Err(why)) => {
            output::complain(&why.to_string());
            why.exit_code()
        }
        Err(_) => {
            output::complain(crash);
            ExitCode::Failed
        }
    }
}

fn dispatch(args: Args) -> Result<ExitCode, Error> {
    match args.command {
        None => scan::run(args.scan),
        Some(Command::Scan(scan)) => scan::run(scan),
        Some(Command::Check(check)) => check::run(&check),
        Some(Command::Pth(pth)) => pth::run(&pth),
        Some(Command::Explain(explain)) => explain::run(&explain),
        Some(Command::Plan(scan)) => plan::run(scan),
        Some(Command::Iocs(iocs)) => iocs::run(&iocs.action),
    }
}

/// Loads the packs that the options name.
fn intel(packs: &PackArgs) -> Result<Intel, Error> {
    load::load(!packs.no_builtin_iocs, &packs.iocs).map(Intel::of).map_err(pack_error)
}

fn pack_error(fault: Fault) -> Error {
    Error::Pack { origin: fault.origin, line: fault.line, why: fault.why }
}
