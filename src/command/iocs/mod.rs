//! `pysweep iocs`: lists, shows, lints, imports and verifies packs.

mod import;
mod lint;
mod list;

use crate::cli::{IocsAction, VerifyArgs};
use crate::error::Error;
use crate::intel::load;
use crate::intel::signature::Signed;
use crate::intel::source;
use crate::model::fault::Fault;
use crate::model::verdict::ExitCode;
use crate::report::sanitize::line;

use super::output;

/// Runs the command.
pub(super) fn run(action: &IocsAction) -> Result<ExitCode, Error> {
    match action {
        IocsAction::List { packs } => list::list(packs),
        IocsAction::Show { id, packs } => list::show(id, packs),
        IocsAction::Lint { files, hits } => lint::lint_all(files, hits),
        IocsAction::Import(args) => import::run(args),
        IocsAction::Verify(args) => verify(args),
    }
}

/// Exit 2 unless every file is signed by a key that is trusted.
fn verify(args: &VerifyArgs) -> Result<ExitCode, Error> {
    let trust = load::trust(&args.trust_key, true).map_err(Error::Fault)?;
    let mut lines = Vec::new();
    for path in &args.paths {
        for source in source::files_of(path).map_err(Error::Fault)? {
            let bytes = source::read(&source).map_err(Error::Fault)?;
            match trust.signer(&source, &bytes).map_err(Error::Fault)? {
                Signed::By(who) => lines.push(format!("{}: signed by {who}", source.origin)),
                // With `true` above these are faults already.
                Signed::Not | Signed::ByUnknown(_) => {
                    return Err(Error::Fault(Fault::of(&source.origin, "no trusted key signed it")));
                }
            }
        }
    }
    output::to_stdout(|out| lines.iter().try_for_each(|text| writeln!(out, "{}", line(text))))?;
    Ok(ExitCode::Clean)
}
