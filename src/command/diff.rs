//! `pysweep diff`: what is new, gone and unchanged between two stored reports of one host. The later one decides the exit
//! code.

use std::io::{self, Write};

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use super::{diff_shown, output, stored};
use crate::cli::{DiffArgs, DiffFormat};
use crate::compare::told::Told;
use crate::compare::{self, Difference};
use crate::error::Error;
use crate::model::time::Time;
use crate::model::verdict::{Completeness, ExitCode, Level};

/// The schema of the JSON output.
const SCHEMA: &str = "pysweep.diff/1";

/// Runs the command.
pub(super) fn run(args: &DiffArgs) -> Result<ExitCode, Error> {
    let before = stored::read_as(&args.before, Told::parse)?;
    let after = stored::read_as(&args.after, Told::parse)?;
    let warnings = compare::warnings(&before, &after);
    warnings.iter().for_each(|text| output::complain(text));
    let difference = compare::compare(&before, &after);
    let code = ExitCode::of(after.level(), after.coverage());
    output::to_stdout(|out| match args.format {
        DiffFormat::Text => diff_shown::write(&before, &after, (&difference, &warnings), args, out),
        DiffFormat::Json => {
            let document =
                Document { before: &before, after: &after, difference: &difference, warnings: &warnings, code };
            write_json(&document, out)
        }
    })?;
    Ok(code)
}

/// The JSON output.
struct Document<'d> {
    before: &'d Told,
    after: &'d Told,
    difference: &'d Difference,
    warnings: &'d [String],
    code: ExitCode,
}

/// One of the two sweeps.
#[derive(Serialize)]
struct Swept<'d> {
    id: &'d str,
    host: &'d str,
    started: Time,
    newest_pack: Option<Time>,
}

/// The answer of the later one.
#[derive(Serialize)]
struct Answer<'d> {
    level: Level,
    coverage: Completeness,
    exit_code: ExitCode,
    sentence: &'d str,
}

fn swept(report: &Told) -> Swept<'_> {
    Swept {
        id: &report.sweep.id,
        host: &report.host.name,
        started: report.sweep.started,
        newest_pack: report.newest_pack(),
    }
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let sentence = &self.after.verdict.sentence;
        let (level, coverage) = (self.after.level(), self.after.coverage());
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("schema", SCHEMA)?;
        map.serialize_entry("before", &swept(self.before))?;
        map.serialize_entry("after", &swept(self.after))?;
        map.serialize_entry("verdict", &Answer { level, coverage, exit_code: self.code, sentence })?;
        map.serialize_entry("warnings", self.warnings)?;
        for part in &self.difference.parts {
            map.serialize_entry(part.section.key(), part)?;
        }
        map.end()
    }
}

fn write_json(document: &Document<'_>, mut out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut out, document)?;
    out.write_all(b"\n")
}
