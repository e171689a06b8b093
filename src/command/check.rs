//! `pysweep check`: asks the packs about packages. Exit 1 for a confirmed or probable match, 4 for a possible one or a
//! name of which some versions are bad, else 0; the worst row wins.

use super::{check_files, output};
use crate::assess::verdict::age_words;
use crate::cli::CheckArgs;
use crate::config::Clock;
use crate::error::Error;
use crate::extract::lock::{Pin, requirements};
use crate::intel::index::{Applies, Intel, Known};
use crate::intel::versions_words;
use crate::model::finding::Confidence;
use crate::model::verdict::{ExitCode, Level};
use crate::report::sanitize::line;

/// A package that is asked about.
pub(super) struct Asked {
    /// Its name, and version if one is meant.
    pub(super) pin: Pin,
    /// The file that names it, where that is not the one of the command line.
    pub(super) file: Option<String>,
}

/// How bad one row is, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    Unknown,
    Perhaps,
    Bad,
}

/// Runs the command.
pub(super) fn run(args: &CheckArgs) -> Result<ExitCode, Error> {
    let intel = super::intel(&args.packs)?;
    let mut asked = Vec::new();
    for text in &args.packages {
        let Some(pin) = requirements::pin(text) else {
            return Err(Error::Usage(format!("`{text}` is no NAME or NAME==VERSION")));
        };
        asked.push(Asked { pin, file: None });
    }
    for file in &args.requirements {
        asked.extend(check_files::read(file)?);
    }
    let mut worst = Answer::Unknown;
    let mut lines = Vec::new();
    for one in &asked {
        let (answer, told) = judge(&intel, one);
        worst = worst.max(answer);
        lines.extend(told);
    }
    lines.push(format!("{} asked; {}.", asked.len(), age_words(intel.newest(), Clock::start().started())));
    output::to_stdout(|out| lines.iter().try_for_each(|text| writeln!(out, "{text}")))?;
    Ok(match worst {
        Answer::Bad => ExitCode::Compromised,
        Answer::Perhaps => ExitCode::Attention,
        Answer::Unknown => ExitCode::Clean,
    })
}

fn judge(intel: &Intel, asked: &Asked) -> (Answer, Vec<String>) {
    let Asked { pin: one, file } = asked;
    let version = one.version.as_deref().unwrap_or_default();
    let place = match (file, one.line) {
        (Some(file), Some(number)) => format!(" ({}, line {number})", line(file)),
        (None, Some(number)) => format!(" (line {number})"),
        (_, None) => String::new(),
    };
    let name = line(&format!("{} {version}", one.name)).trim_end().to_owned();
    let mut hits = intel.judge(&one.name, version);
    // What is sure before what somebody claims.
    hits.sort_by_key(|(known, applies)| (*applies != Applies::Yes, std::cmp::Reverse(known.indicator.confidence)));
    let answer = hits.iter().map(|(known, applies)| rank(known, *applies)).max().unwrap_or(Answer::Unknown);
    let word = match answer {
        Answer::Bad => "BAD    ",
        Answer::Perhaps => "PERHAPS",
        Answer::Unknown => "unknown",
    };
    if hits.is_empty() {
        return (answer, vec![format!("{word}  {name}{place}: no pack names it")]);
    }
    let mut lines = vec![format!("{word}  {name}{place}")];
    for (known, applies) in &hits {
        lines.extend(told(known, *applies).iter().map(|text| format!("         {}", line(text))));
    }
    lines.extend(what_to_do(intel, answer, &hits).iter().map(|text| format!("         {}", line(text))));
    (answer, lines)
}

fn rank(known: &Known<'_>, applies: Applies) -> Answer {
    match (applies, known.indicator.confidence) {
        (Applies::No, _) => Answer::Unknown,
        _ if known.indicator.level == Level::None => Answer::Unknown,
        (Applies::Yes | Applies::SameText, Confidence::Confirmed | Confidence::Probable) => Answer::Bad,
        _ => Answer::Perhaps,
    }
}

/// The incident, how sure it is, which versions are bad, and where that is known from.
fn told(known: &Known<'_>, applies: Applies) -> Vec<String> {
    let Known { pack, indicator: one } = known;
    let bad = versions_words(one);
    let how = match applies {
        Applies::Perhaps => format!("bad: {bad}; no version is pinned"),
        Applies::SameText => format!("the same text as a bad version ({bad}), though no version by PEP 440"),
        Applies::Yes | Applies::No if one.level == Level::None => format!("listed only: {}", one.meaning),
        Applies::Yes | Applies::No => format!("bad: {bad}"),
    };
    vec![
        format!("{}: {} ({}): {how}", pack.id, pack.title, one.confidence.name()),
        format!("sources: {}", one.references.join("; ")),
    ]
}

/// What to do about a package that is bad, or may be.
fn what_to_do(intel: &Intel, answer: Answer, hits: &[(Known<'_>, Applies)]) -> Vec<String> {
    let first = match answer {
        Answer::Unknown => return Vec::new(),
        Answer::Bad => {
            "do: neither install nor import it. Where it may have been, run `pysweep scan` on that host before any Python starts there"
        }
        Answer::Perhaps => {
            "do: find out which version is meant, and pin a good one. Where a bad one may have been, run `pysweep scan` on that host"
        }
    };
    let mut incidents: Vec<&str> = hits
        .iter()
        .filter(|(known, _)| !known.pack.remediation.is_empty())
        .map(|(known, _)| known.pack.id.as_str())
        .collect();
    incidents.dedup();
    let from = |id: &str| {
        let origin = intel.packs().iter().find(|one| one.pack.id == id && !one.is_built_in());
        origin.map_or_else(String::new, |one| format!(" --iocs {}", one.origin))
    };
    let steps = incidents.into_iter().map(|id| format!("all steps in order: `pysweep explain {id}{}`", from(id)));
    std::iter::once(first.to_owned()).chain(steps).collect()
}
