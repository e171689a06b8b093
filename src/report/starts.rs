//! The part of the text report about what starts by itself: how much of which kind, and what stands out.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};

use super::sanitize::line;
use crate::model::autostart::{Autostart, AutostartKind, SignKind};
use crate::model::finding::Finding;
use crate::model::text::Excerpt;

/// Most rows that are shown without `-v`; what is left out is counted.
const SHOWN: usize = 10;

/// What the section shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Show {
    /// What stands out and is no finding.
    Odd,
    /// Every row.
    All,
}

/// Writes the section; nothing where nothing starts by itself.
///
/// # Errors
/// Those of the writer.
pub fn write(rows: &[Autostart], findings: &[Finding], show: Show, to: &mut impl Write) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut counts: BTreeMap<AutostartKind, usize> = BTreeMap::new();
    rows.iter().for_each(|row| *counts.entry(row.kind).or_default() += 1);
    let mut counts: Vec<(AutostartKind, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(kind, count)| (Reverse(*count), *kind));
    let words: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {}", kind.name())).collect();
    writeln!(to, "STARTS BY ITSELF ({})  {}", rows.len(), words.join(", "))?;
    let told = findings.iter().flat_map(|one| one.evidence.iter().map(|at| (&at.path, at.line)));
    let told: HashSet<_> = told.collect();
    let is_shown = |row: &&Autostart| show == Show::All || (is_odd(row) && !told.contains(&(&row.path, row.line)));
    let wanted: Vec<&Autostart> = rows.iter().filter(is_shown).collect();
    let most = if show == Show::All { wanted.len() } else { SHOWN };
    wanted.iter().take(most).try_for_each(|row| self::row(row, to))?;
    if wanted.len() > most {
        writeln!(to, "  … and {} more that stand out (-v shows all)", wanted.len() - most)?;
    }
    writeln!(to)
}

/// Whether something about a row stands out, honest as it may be.
fn is_odd(row: &Autostart) -> bool {
    let is_sign = row.signs.iter().any(|sign| sign.what != SignKind::RunsUnseen);
    is_sign || row.programs.iter().any(|one| !one.place.is_empty())
}

fn row(row: &Autostart, to: &mut impl Write) -> io::Result<()> {
    let text = |label: &str, text: &Option<Excerpt>| {
        text.as_ref().map(|text| format!("{label}{}", line(text.as_str()))).unwrap_or_default()
    };
    let at = row.line.map(|number| format!(":{number}")).unwrap_or_default();
    let state = match row.enabled {
        Some(true) => ", armed",
        Some(false) => ", not armed",
        None => "",
    };
    let runs_as = text(" as ", &row.runs_as);
    writeln!(
        to,
        "  {}  {}{at}  [{}{state}{runs_as}]",
        row.kind.name(),
        line(&row.path.to_text()),
        line(row.name.as_str())
    )?;
    if row.runs.is_some() || row.trigger.is_some() {
        writeln!(to, "      {}{}", text("", &row.runs), text("  when: ", &row.trigger))?;
    }
    for one in row.programs.iter().filter(|one| !one.place.is_empty()) {
        let marks: Vec<&str> = one.place.iter().map(|mark| mark.sentence()).collect();
        writeln!(to, "      {}: {}", line(&one.path.to_text()), marks.join(", "))?;
    }
    let signs = row.signs.iter().filter(|sign| sign.what != SignKind::RunsUnseen);
    signs.into_iter().try_for_each(|sign| writeln!(to, "      it {}", sign.what.sentence()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::autostart::{PlaceMark, Role, Sign, Started};
    use crate::model::id::Id;
    use crate::model::path::TargetPath;

    fn entry(path: &str, runs: &str) -> Autostart {
        Autostart {
            id: Id::new("start", &[path.as_bytes()]),
            path: TargetPath::new(path.as_bytes()),
            line: Some(2),
            kind: AutostartKind::Cron,
            name: Excerpt::of(b"mia"),
            account: None,
            owner_uid: None,
            runs_as: Some(Excerpt::of(b"mia")),
            runs: Some(Excerpt::of(runs.as_bytes())),
            trigger: Some(Excerpt::of(b"@daily")),
            enabled: Some(true),
            modified: None,
            size: None,
            programs: Vec::new(),
            signs: Vec::new(),
            command: Vec::new(),
        }
    }

    fn told(rows: &[Autostart], show: Show) -> String {
        let mut out = Vec::new();
        write(rows, &[], show, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_stands_out_is_shown_and_the_rest_counted() {
        let mut odd = entry("/var/spool/cron/mia", "/tmp/x");
        let place = vec![PlaceMark::Temporary];
        odd.programs = vec![Started { place, ..Started::new(TargetPath::new(b"/tmp/x"), Role::Program, 2) }];
        odd.signs = vec![Sign { what: SignKind::DecodesAndRuns, line: 2 }];
        let rows = [odd, entry("/etc/crontab", "/usr/bin/true")];
        assert_eq!(
            told(&rows, Show::Odd),
            "STARTS BY ITSELF (2)  2 cron\n  cron  /var/spool/cron/mia:2  [mia, armed as mia]\n      /tmp/x  when: @daily\n      /tmp/x: \
             a temporary folder\n      it decodes a text and runs what comes out\n\n"
        );
        assert!(told(&rows, Show::All).contains("/etc/crontab:2"));
        assert_eq!(told(&[], Show::All), "");
    }
}
