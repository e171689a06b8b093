//! `pysweep recheck`: stored reports judged with today's packs. The worst report decides the exit code.

use std::io::{self, Write};
use std::path::Path;

use super::{output, stored};
use crate::assess::verdict::{self, Grounds};
use crate::cli::RecheckArgs;
use crate::config::Clock;
use crate::error::Error;
use crate::intel::index::Intel;
use crate::model::finding::Confidence;
use crate::model::path::TargetPath;
use crate::model::text::counted;
use crate::model::time::Time;
use crate::model::verdict::{ExitCode, Level, Scope};
use crate::recheck::stored::Stored;
use crate::recheck::{self, Rechecked};
use crate::report::sanitize::line;

/// Runs the command.
pub(super) fn run(args: &RecheckArgs) -> Result<ExitCode, Error> {
    let intel = super::intel(&args.packs)?;
    let now = Clock::start().started();
    // All of them first: a report that cannot be read must not hide behind the answer for another.
    let reports: Vec<(&Path, Stored)> =
        args.reports.iter().map(|path| Ok((path.as_path(), stored::read(path)?))).collect::<Result<_, Error>>()?;
    let mut worst = ExitCode::Clean;
    let told: Vec<(&Path, &Stored, Rechecked)> =
        reports.iter().map(|(path, report)| (*path, report, recheck::recheck(report, &intel, now))).collect();
    for (_, _, again) in &told {
        let code = ExitCode::of(again.level, again.coverage);
        if badness(code) > badness(worst) {
            worst = code;
        }
    }
    output::to_stdout(|out| {
        for (at, (path, report, again)) in told.iter().enumerate() {
            if at > 0 {
                writeln!(out)?;
            }
            if !args.quiet {
                tell(path, report, again, args.verbose, out)?;
            }
            writeln!(out, "{}", line(&sentence(report, again, &intel, now)))?;
        }
        Ok(())
    })?;
    Ok(worst)
}

/// Compromised before suspicious or exposed, before incomplete, before clean.
fn badness(code: ExitCode) -> u8 {
    match code {
        ExitCode::Clean => 0,
        ExitCode::Incomplete => 1,
        ExitCode::Attention => 2,
        ExitCode::Failed | ExitCode::Compromised => 3,
    }
}

fn tell(path: &Path, report: &Stored, again: &Rechecked, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    let then = report.packs.iter().map(|one| one.modified).max().map(Time::day).unwrap_or_default();
    let head = format!("{}: host {}, swept {}", path.display(), report.host.name, report.sweep.started);
    writeln!(out, "{}", line(&format!("{head} with packs of {then}, then {}", report.verdict.level.name())))?;
    for one in &again.new {
        row(out, "new", one.level, &one.title, &one.subject.path, one.indicator.as_deref(), one.confidence)?;
    }
    for (one, why) in &again.gone {
        writeln!(out, "  gone  {}", line(&format!("{}: {why}", one.title)))?;
        writeln!(out, "        {}", line(&one.subject.path.to_text()))?;
    }
    for kept in again.same.iter().filter(|kept| verbose || kept.level != kept.stored.level) {
        let one = &kept.stored;
        let title = if kept.level == one.level {
            one.title.clone()
        } else {
            format!("{} (it was {})", one.title, one.level.name())
        };
        row(out, "same", kept.level, &title, &one.subject.path, one.indicator.as_deref(), kept.confidence)?;
    }
    writeln!(out, "  {} as then", counted(again.same.len(), "finding"))?;
    again.gaps.iter().try_for_each(|gap| writeln!(out, "  gap   {}", line(gap)))
}

fn row(
    out: &mut dyn Write,
    word: &str,
    level: Level,
    title: &str,
    path: &TargetPath,
    indicator: Option<&str>,
    confidence: Confidence,
) -> io::Result<()> {
    writeln!(out, "  {word:<5} {}  {}", level.name().to_uppercase(), line(title))?;
    let known = indicator.map(|id| format!(" ({id}, {})", confidence.name())).unwrap_or_default();
    writeln!(out, "        {}", line(&format!("{}{known}", path.to_text())))
}

/// The verdict's sentence, of what is known now.
fn sentence(report: &Stored, again: &Rechecked, intel: &Intel, now: Time) -> String {
    let grounds = Grounds {
        facts: &again.facts,
        coverage: again.coverage,
        missed: report.missed() + again.gaps.len(),
        scope: report.verdict.scope,
        subject: match report.verdict.scope {
            Scope::Account => report.sweep.user.clone(),
            _ => report.host.name.clone(),
        },
        narrowed: report.narrowed(),
        accepted: 0,
        newest_pack: intel.newest(),
        now,
        fail_on: Level::Exposed,
        exit_zero: false,
    };
    let kept = again.same.iter().map(|kept| (kept.level, kept.stored.incident.as_deref(), kept.confidence));
    let new = again.new.iter().map(|one| (one.level, one.incident.as_deref(), one.confidence));
    let of_level: Vec<_> = kept.chain(new).filter(|(level, _, _)| *level == again.level).collect();
    let told = verdict::what(&of_level.iter().map(|(_, incident, sure)| (*incident, *sure)).collect::<Vec<_>>());
    verdict::sentence(again.level, &told, &grounds)
}
