//! `pysweep iocs`: lists, shows and lints packs.

use std::path::{Path, PathBuf};

use super::{output, pack_error};
use crate::cli::{IocsAction, PackArgs};
use crate::config;
use crate::error::Error;
use crate::intel::lint::lint;
use crate::intel::load::{self, Fault, Loaded};
use crate::model::text::counted;
use crate::model::verdict::ExitCode;
use crate::report::sanitize::line;

/// Runs the command.
pub(super) fn run(action: &IocsAction) -> Result<ExitCode, Error> {
    match action {
        IocsAction::List { packs } => list(packs),
        IocsAction::Show { id, packs } => show(id, packs),
        IocsAction::Lint { files } => lint_all(files),
    }
}

fn list(packs: &PackArgs) -> Result<ExitCode, Error> {
    let intel = super::intel(packs)?;
    output::to_stdout(|out| {
        for one in intel.packs() {
            let pack = &one.pack;
            let all = counted(pack.indicators.len(), "indicator");
            let used = pack.indicators.iter().filter(|row| row.kind.is_looked_for()).count();
            let row = format!(
                "{}  {}  {all} ({used} looked for)  {}  [{}]",
                pack.id,
                pack.modified.day(),
                pack.title,
                one.origin
            );
            writeln!(out, "{}", line(&row))?;
        }
        Ok(())
    })?;
    Ok(ExitCode::Clean)
}

fn show(id: &str, packs: &PackArgs) -> Result<ExitCode, Error> {
    let intel = super::intel(packs)?;
    let Some(one) = intel.packs().iter().find(|one| one.pack.id == id) else {
        return Err(Error::Usage(format!("no pack is called `{}`; `pysweep iocs list` names them", line(id))));
    };
    output::to_stdout(|out| {
        serde_json::to_writer_pretty(&mut *out, &one.pack)?;
        writeln!(out)
    })?;
    Ok(ExitCode::Clean)
}

/// Exit 1 for a faulty pack, 2 for one that cannot be read at all.
fn lint_all(paths: &[PathBuf]) -> Result<ExitCode, Error> {
    let mut lines = Vec::new();
    let mut faulty = false;
    if paths.is_empty() {
        for one in load::load(true, &[]).map_err(pack_error)? {
            faulty |= report(&one, &mut lines);
        }
    }
    for path in paths {
        for file in load::files_of(path).map_err(|fault| unreadable(path, &fault))? {
            config::read_user_file(&file).map_err(|why| Error::Input { path: file.clone(), why })?;
            match load::load_file(&file) {
                Ok(one) => faulty |= report(&one, &mut lines),
                Err(fault) => {
                    faulty = true;
                    let at = fault.line.map(|number| format!(", line {number}")).unwrap_or_default();
                    lines.push(format!("{}{at}: {}", fault.origin, fault.why));
                }
            }
        }
    }
    output::to_stdout(|out| lines.iter().try_for_each(|text| writeln!(out, "{}", line(text))))?;
    Ok(if faulty { ExitCode::Compromised } else { ExitCode::Clean })
}

fn unreadable(path: &Path, fault: &Fault) -> Error {
    Error::Input { path: path.to_path_buf(), why: fault.why.clone() }
}

fn report(one: &Loaded, lines: &mut Vec<String>) -> bool {
    let complaints = lint(one);
    let name = if one.origin == "built-in" { &one.pack.id } else { &one.origin };
    if complaints.is_empty() {
        lines.push(format!("{name}: {}, no fault", counted(one.pack.indicators.len(), "indicator")));
    }
    lines.extend(complaints.iter().map(|row| format!("{name}: {}: {}", row.id, row.why)));
    !complaints.is_empty()
}
