//! `pysweep check`: asks the packs about packages. Exit 1 for a confirmed or probable match, 4 for a possible one or a
//! name of which some versions are bad, else 0; the worst row wins.

use std::path::Path;

use super::output;
use super::requirement::{self, Asked};
use crate::cli::CheckArgs;
use crate::config;
use crate::error::Error;
use crate::intel::index::{Applies, Intel, Known, applies};
use crate::model::distribution::normalize_name;
use crate::model::finding::Confidence;
use crate::model::verdict::ExitCode;
use crate::report::sanitize::line;

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
        let Some(one) = requirement::parse(text) else {
            return Err(Error::Usage(format!("`{text}` is no NAME or NAME==VERSION")));
        };
        asked.push(one);
    }
    for file in &args.requirements {
        asked.extend(read_requirements(file)?);
    }
    let mut worst = Answer::Unknown;
    let mut lines = Vec::new();
    for one in &asked {
        let (answer, text) = judge(&intel, one);
        worst = worst.max(answer);
        lines.push(text);
    }
    lines.push(format!("{} asked, newest indicator pack of {}.", asked.len(), intel.newest()));
    output::to_stdout(|out| lines.iter().try_for_each(|text| writeln!(out, "{text}")))?;
    Ok(match worst {
        Answer::Bad => ExitCode::Compromised,
        Answer::Perhaps => ExitCode::Attention,
        Answer::Unknown => ExitCode::Clean,
    })
}

fn read_requirements(file: &Path) -> Result<Vec<Asked>, Error> {
    let name = file.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    if [".lock", ".toml", ".json", ".yml", ".yaml"].iter().any(|end| name.ends_with(end)) {
        let why = "this version reads requirements files only (NAME==VERSION lines), no lock files".to_owned();
        return Err(Error::Input { path: file.to_path_buf(), why });
    }
    let bytes = config::read_user_file(file).map_err(|why| Error::Input { path: file.to_path_buf(), why })?;
    let found = requirement::parse_file(&decode(&bytes));
    for (number, why) in &found.unread {
        output::complain(&format!("{}, line {number} {why}", file.display()));
    }
    Ok(found.asked)
}

/// UTF-8, or UTF-16 as PowerShell redirects it.
fn decode(bytes: &[u8]) -> String {
    let wide = |read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> =
            bytes.chunks_exact(2).filter_map(|pair| pair.first_chunk::<2>().copied().map(read)).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn judge(intel: &Intel, one: &Asked) -> (Answer, String) {
    let version = one.version.as_deref().unwrap_or_default();
    let place = one.line.map(|number| format!(" (line {number})")).unwrap_or_default();
    let name = line(&format!("{} {version}", one.name)).trim_end().to_owned();
    let hits: Vec<(Known<'_>, Applies)> = intel
        .package(&normalize_name(&one.name))
        .map(|known| (known, applies(known.indicator, version)))
        .filter(|(_, applies)| *applies != Applies::No)
        .collect();
    let answer = hits.iter().map(|(known, applies)| rank(known, *applies)).max().unwrap_or(Answer::Unknown);
    let why: Vec<String> = hits.iter().map(|(known, applies)| reason(known, *applies)).collect();
    let word = match answer {
        Answer::Bad => "BAD    ",
        Answer::Perhaps => "PERHAPS",
        Answer::Unknown => "unknown",
    };
    let why = if why.is_empty() { "no pack names it".to_owned() } else { why.join("; ") };
    (answer, format!("{word}  {name}{place}: {why}"))
}

fn rank(known: &Known<'_>, applies: Applies) -> Answer {
    match (applies, known.indicator.confidence) {
        (Applies::No, _) => Answer::Unknown,
        (Applies::Yes | Applies::SameText, Confidence::Confirmed | Confidence::Probable) => Answer::Bad,
        _ => Answer::Perhaps,
    }
}

fn reason(known: &Known<'_>, applies: Applies) -> String {
    let one = known.indicator;
    let bad = match (one.all_versions, &one.specifier) {
        (true, _) => "every version".to_owned(),
        (false, Some(specifier)) => specifier.clone(),
        (false, None) => one.versions.join(", "),
    };
    let how = match applies {
        Applies::Perhaps => format!("bad are {bad}, and no version is pinned"),
        Applies::SameText => {
            format!("the same text as a bad version ({bad}), though no version by PEP 440")
        }
        Applies::Yes | Applies::No => format!("bad are {bad}"),
    };
    line(&format!("{} ({}): {how}", known.pack.id, one.confidence.name()))
}
