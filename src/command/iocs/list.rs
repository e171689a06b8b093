//! `pysweep iocs list` and `show`.

use crate::cli::PackArgs;
use crate::command::output;
use crate::error::Error;
use crate::intel::load::Loaded;
use crate::intel::pack::Kind;
use crate::intel::signature::Signed;
use crate::intel::{versions_words, write};
use crate::model::text::counted;
use crate::model::verdict::ExitCode;
use crate::report::sanitize::line;

/// Id, date, title, names and versions, counts, origin and signature of every pack.
pub(super) fn list(packs: &PackArgs) -> Result<ExitCode, Error> {
    let intel = crate::command::intel(packs)?;
    output::to_stdout(|out| {
        for one in intel.packs() {
            let pack = &one.pack;
            writeln!(out, "{}", line(&format!("{}  {}  {}", pack.id, pack.modified.day(), pack.title)))?;
            let packages = pack.indicators.iter().filter(|row| row.kind == Kind::Package);
            for row in packages {
                let name = row.name.as_deref().unwrap_or_default();
                let of = row.ecosystem.as_deref().filter(|_| row.is_of_system()).map(|of| format!(" ({of})"));
                let of = of.unwrap_or_default();
                writeln!(out, "    {}", line(&format!("{name} {}{of}", versions_words(row))))?;
            }
            if !pack.packages.is_empty() {
                let rows = counted(pack.packages.len(), "package row");
                writeln!(out, "    {rows}; `pysweep iocs show {}` names them", line(&pack.id))?;
            }
            writeln!(out, "    {}", line(&words(one)))?;
        }
        Ok(())
    })?;
    Ok(ExitCode::Clean)
}

fn words(one: &Loaded) -> String {
    let pack = &one.pack;
    let deaf = pack.indicators.iter().filter(|row| !row.kind.is_looked_for()).count();
    let deaf = if deaf > 0 { format!(", {deaf} of them not looked for") } else { String::new() };
    let signed = match &one.signed {
        Signed::By(who) => format!(", signed by {who}"),
        Signed::ByUnknown(id) => format!(", signed by the key {id}, which is not trusted"),
        Signed::Not if one.is_built_in() => String::new(),
        Signed::Not => ", unsigned".to_owned(),
    };
    format!("{}{deaf}; {}{signed}", counted(pack.count(), "indicator"), one.origin)
}

/// One pack whole, as it would lie on disk.
pub(super) fn show(id: &str, packs: &PackArgs) -> Result<ExitCode, Error> {
    let intel = crate::command::intel(packs)?;
    let Some(one) = intel.packs().iter().find(|one| one.pack.id == id) else {
        return Err(Error::Usage(format!("no pack is called `{}`; `pysweep iocs list` names them", line(id))));
    };
    output::to_stdout(|out| write::pack(&one.pack, out))?;
    Ok(ExitCode::Clean)
}
