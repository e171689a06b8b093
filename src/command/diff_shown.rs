//! How two reports are told apart in text: findings first, then what starts by itself, then the rest, and one sentence.

use std::io::{self, Write};

use crate::cli::DiffArgs;
use crate::compare::told::Told;
use crate::compare::{Changed, Difference, Noted, Part, Row, Section};
use crate::model::text::{Excerpt, counted};
use crate::model::time::Time;
use crate::model::verdict::{Completeness, Level};
use crate::report::sanitize::line;

/// Rows that are shown of one kind without `-v`.
const SHOWN: usize = 20;

/// Writes the comparison, or with `-q` its sentence only.
pub(super) fn write(
    before: &Told,
    after: &Told,
    (found, warnings): (&Difference, &[String]),
    args: &DiffArgs,
    out: &mut dyn Write,
) -> io::Result<()> {
    if !args.quiet {
        head("before", before, out)?;
        head("after", after, out)?;
        // Who keeps the text keeps this with it.
        warnings.iter().try_for_each(|text| writeln!(out, "careful {}", line(text)))?;
        for part in &found.parts {
            section(part, args.verbose, out)?;
        }
    }
    writeln!(out, "{}", line(&sentence(after, found)))
}

fn head(word: &str, report: &Told, out: &mut dyn Write) -> io::Result<()> {
    let packs = report.newest_pack().map(Time::day).unwrap_or_default();
    let (host, started, level) = (&report.host.name, report.sweep.started, report.level().name());
    writeln!(out, "{}", line(&format!("{word:<6} host {host}, swept {started} with packs of {packs}: {level}")))
}

fn section(part: &Part, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    if is_still(part) && (part.unchanged.is_empty() || part.section != Section::Findings) {
        return Ok(());
    }
    writeln!(out, "{}", part.section.title())?;
    let most = if verbose { usize::MAX } else { SHOWN };
    noted("new", &part.new, most, out)?;
    noted("gone", &part.gone, most, out)?;
    for one in part.changed.iter().take(most) {
        changed(one, out)?;
    }
    more("changed", part.changed.len(), most, out)?;
    noted("not looked at", &part.not_looked_at, most, out)?;
    noted("not looked at before", &part.not_looked_at_before, most, out)?;
    if verbose && part.section == Section::Findings {
        part.unchanged.iter().try_for_each(|row| shown("unchanged", row, None, out))?;
    }
    writeln!(out, "  {} unchanged", part.unchanged.len())
}

fn is_still(part: &Part) -> bool {
    let rows = [&part.new, &part.gone, &part.not_looked_at, &part.not_looked_at_before];
    rows.iter().all(|rows| rows.is_empty()) && part.changed.is_empty()
}

fn noted(word: &str, rows: &[Noted], most: usize, out: &mut dyn Write) -> io::Result<()> {
    rows.iter().take(most).try_for_each(|one| shown(word, &one.row, one.because.as_deref(), out))?;
    more(word, rows.len(), most, out)
}

fn more(word: &str, count: usize, most: usize, out: &mut dyn Write) -> io::Result<()> {
    match count.checked_sub(most).filter(|more| *more > 0) {
        Some(more) => writeln!(out, "  {word}: and {more} more, which -v shows"),
        None => Ok(()),
    }
}

fn shown(word: &str, row: &Row, because: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    let level = row.level.map(|level| format!("{} ", level.name().to_uppercase())).unwrap_or_default();
    writeln!(out, "  {word}: {}", text(&format!("{level}{}", row.what)))?;
    let because = because.map(|why| format!(" ({why})")).unwrap_or_default();
    writeln!(out, "      {}", text(&format!("{}{because}", row.path.to_text())))
}

fn changed(one: &Changed, out: &mut dyn Write) -> io::Result<()> {
    shown("changed", &one.after, None, out)?;
    for (what, before, after) in &one.changes {
        let or_nothing = |text: &str| if text.is_empty() { "nothing".to_owned() } else { text.to_owned() };
        writeln!(out, "      {}: {}, now {}", label(what), text(&or_nothing(before)), text(&or_nothing(after)))?;
    }
    Ok(())
}

/// What changed, in the words of the text report; the JSON output has the keys of the JSON report.
fn label(what: &str) -> &str {
    if what == "enabled" { "armed" } else { what }
}

/// What may go to a terminal. An older version may have known fewer secrets, and a report may have been changed: what it
/// holds goes through the redactor again.
fn text(text: &str) -> String {
    line(Excerpt::of(text.as_bytes()).as_str())
}

/// A title within a sentence.
fn within(title: &str) -> String {
    let mut letters = title.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// What is new, gone and still there, and what the later sweep says.
fn sentence(after: &Told, found: &Difference) -> String {
    let of = |section: Section| found.parts.iter().find(|part| part.section == section);
    let findings = of(Section::Findings).map(findings).unwrap_or_default();
    let starts = of(Section::Autostarts).and_then(starts).map(|text| format!("; {text}")).unwrap_or_default();
    let others = found.parts.iter().filter(|part| !matches!(part.section, Section::Findings | Section::Autostarts));
    let others = others.filter(|part| !is_still(part)).map(|part| within(part.section.title()));
    let others = others.collect::<Vec<_>>().join(", ");
    let others = if others.is_empty() { others } else { format!("; other changes: {others}") };
    let verdict = verdict(after);
    if found.is_empty() {
        let still = of(Section::Findings).map_or(0, |part| part.unchanged.len());
        return format!("Nothing changed, {} as before. Now: {verdict}", counted(still, "finding"));
    }
    format!("{findings}{starts}{others}. Now: {verdict}")
}

fn findings(part: &Part) -> String {
    let still = part.unchanged.len() + part.changed.len();
    let changed = match part.changed.len() {
        0 => String::new(),
        some => format!(" ({some} changed)"),
    };
    let unseen = match part.not_looked_at.len() {
        0 => String::new(),
        some => format!(", {some} not looked at"),
    };
    let before = match part.not_looked_at_before.len() {
        0 => String::new(),
        some => format!(", {some} that the sweep before did not look for"),
    };
    format!("Findings: {} new, {} gone, {still} still there{changed}{unseen}{before}", part.new.len(), part.gone.len())
}

fn starts(part: &Part) -> Option<String> {
    let counts = [
        (part.new.len(), "new"),
        (part.gone.len(), "gone"),
        (part.changed.len(), "changed"),
        (part.not_looked_at.len(), "not looked at"),
        (part.not_looked_at_before.len(), "that the sweep before did not look for"),
    ];
    let told: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    (!told.is_empty()).then(|| format!("what starts by itself: {}", told.join(", ")))
}

/// The verdict's sentence of the later report, unless the report contradicts it.
fn verdict(after: &Told) -> String {
    let (level, coverage) = (after.level(), after.coverage());
    let said = &after.verdict;
    if (said.level, said.coverage) == (level, coverage) && !said.sentence.is_empty() {
        return said.sentence.clone();
    }
    let level = match level {
        Level::None => "nothing known bad was found".to_owned(),
        level => level.name().to_uppercase(),
    };
    let seen = match coverage {
        Completeness::Complete => "everything in scope was looked at",
        Completeness::Incomplete => "not everything could be looked at",
    };
    format!("{level}; {seen}.")
}
