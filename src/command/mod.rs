//! One file for each subcommand: wiring, no logic.

mod check;
mod check_files;
mod diff;
mod diff_shown;
mod explain;
mod iocs;
mod output;
mod plan;
mod progress;
mod pth;
mod pth_shown;
mod recheck;
mod scan;
mod stored;
mod tell;

use std::mem::ManuallyDrop;
use std::panic::catch_unwind;

use crate::cli::{Args, Command, PackArgs};
use crate::config;
use crate::error::Error;
use crate::intel::index::Intel;
use crate::intel::load::{self, Wanted};
use crate::model::text::counted;
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
        Some(Command::Recheck(args)) => recheck::run(&args),
        Some(Command::Diff(args)) => diff::run(&args),
        Some(Command::Iocs(iocs)) => iocs::run(&iocs.action),
    }
}

/// Loads the packs that the options name. They live as long as the program: to take tens of thousands of indicators apart
/// at its end would cost as much as to read them.
fn intel(packs: &PackArgs) -> Result<ManuallyDrop<Intel>, Error> {
    let trust = load::trust(&packs.trust_key, packs.require_signed).map_err(Error::Fault)?;
    let wanted = Wanted {
        built_in: !packs.no_builtin_iocs,
        named: &packs.iocs,
        trust: &trust,
        today: config::Clock::start().started(),
    };
    let all = load::load(&wanted).map_err(Error::Pack)?;
    for one in all.iter().filter(|one| one.unused() > 0) {
        let rows = counted(one.unused(), "row");
        let origin = &one.origin;
        output::complain(&format!(
            "{rows} of {origin} cannot be looked for; `pysweep iocs import {origin}` names them"
        ));
    }
    Ok(ManuallyDrop::new(Intel::of(all)))
}
