//! `pysweep iocs lint`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::command::{output, stored};
use crate::error::Error;
use crate::intel::lint::lint;
use crate::intel::load::{self, Loaded};
use crate::intel::signature::Signed;
use crate::intel::source;
use crate::model::text::counted;
use crate::model::verdict::ExitCode;
use crate::report::sanitize::line;

/// Exit 1 for a faulty pack, 2 for one that cannot be read at all.
pub(super) fn lint_all(paths: &[PathBuf], hits: &[PathBuf]) -> Result<ExitCode, Error> {
    let hit = hit_by(hits)?;
    let mut lines = Vec::new();
    let mut faulty = false;
    if paths.is_empty() {
        for one in load::built_in().map_err(Error::Fault)? {
            faulty |= report(&one, hit.as_ref(), &mut lines);
        }
    }
    for path in paths {
        for source in source::files_of(path).map_err(Error::Fault)? {
            let bytes = source::read(&source).map_err(Error::Fault)?;
            if !load::is_pack(&bytes) && bytes.first() == Some(&b'P') {
                lines.push(format!(
                    "{}: it is no pack but an archive; `pysweep iocs import` reads feeds",
                    source.origin
                ));
                faulty = true;
                continue;
            }
            match load::parse(&source.origin, &bytes) {
                Ok(pack) => {
                    let one = Loaded {
                        pack,
                        origin: source.origin,
                        sha256: String::new(),
                        signed: Signed::Not,
                        notes: Vec::new(),
                    };
                    faulty |= report(&one, hit.as_ref(), &mut lines);
                }
                Err(fault) => {
                    faulty = true;
                    lines.push(fault.to_string());
                }
            }
        }
    }
    output::to_stdout(|out| lines.iter().try_for_each(|text| writeln!(out, "{}", line(text))))?;
    Ok(if faulty { ExitCode::Compromised } else { ExitCode::Clean })
}

/// The indicators that the reports of fixture hosts show; none where no report was named.
fn hit_by(reports: &[PathBuf]) -> Result<Option<BTreeSet<String>>, Error> {
    let mut all = BTreeSet::new();
    for path in reports {
        let report = stored::read(path)?;
        all.extend(report.findings.into_iter().flat_map(|one| one.indicators));
    }
    Ok((!reports.is_empty()).then_some(all))
}

fn report(one: &Loaded, hit: Option<&BTreeSet<String>>, lines: &mut Vec<String>) -> bool {
    let name = if one.is_built_in() { &one.pack.id } else { &one.origin };
    let mut found: Vec<String> = lint(&one.pack).iter().map(|row| format!("{name}: {}: {}", row.id, row.why)).collect();
    if let Some(hit) = hit {
        let looked_for = one.pack.indicators.iter().filter(|row| row.kind.is_looked_for());
        let missed = looked_for.filter(|row| !hit.contains(&row.id));
        found.extend(missed.map(|row| format!("{name}: {}: none of the reports shows it", row.id)));
    }
    if found.is_empty() {
        found.push(format!("{name}: {}, no fault", counted(one.pack.count(), "indicator")));
        lines.append(&mut found);
        return false;
    }
    lines.append(&mut found);
    true
}
