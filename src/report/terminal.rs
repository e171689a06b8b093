//! The text report: what a tired person reads. Findings first, then what Python there is, then what was missed; the last
//! line is the verdict.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};

use super::sanitize::line;
use super::starts::{self, Show};
use crate::model::coverage::Gap;
use crate::model::distribution::Distribution;
use crate::model::finding::{Evidence, Finding, HookVerdict, Judgement};
use crate::model::id::Id;
use crate::model::path::TargetPath;
use crate::model::python::Environment;
use crate::model::record::RecordState;
use crate::model::report::Report;
use crate::model::text::counted;
use crate::model::verdict::{Completeness, Level};

/// How much is said, and whether in colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// Only the verdict's sentence.
    pub quiet: bool,
    /// Also the evidence, every distribution, every gap.
    pub verbose: bool,
    /// Only the findings and the verdict.
    pub findings_only: bool,
    /// With ANSI colours.
    pub color: bool,
}

/// Everything the text is made from.
pub struct Text<'a> {
    /// The report.
    pub report: &'a Report<'a>,
    /// The judgements of its start-up hooks, in order.
    pub hooks: &'a [HookVerdict],
}

/// Most gaps and hooks that are shown without `-v`; what is left out is counted.
const SHOWN: usize = 10;

/// Most findings of the level `exposed` that are shown without `-v`.
const LEADS: usize = 50;

/// Writes the text report.
///
/// # Errors
/// Those of the writer.
pub fn write(text: &Text<'_>, style: Style, to: impl Write) -> io::Result<()> {
    let mut page = Page { text, report: text.report, style, to };
    if !style.quiet {
        page.findings()?;
        if !style.findings_only {
            page.environments()?;
            page.hooks()?;
            page.starts()?;
            page.coverage()?;
        }
        page.next_steps()?;
    }
    page.verdict()
}

/// One line for monitoring: `key=value`, blanks between, the same keys in the same order.
///
/// # Errors
/// Those of the writer.
pub fn summary_line(report: &Report<'_>, mut to: impl Write) -> io::Result<()> {
    let verdict = report.verdict;
    let counts = |one: &&Finding, level| one.level == level && one.accepted.is_none();
    let count = |level: Level| report.findings.iter().filter(|one| counts(one, level)).count();
    let coverage = match verdict.coverage {
        Completeness::Complete => "complete",
        Completeness::Incomplete => "incomplete",
    };
    write!(to, "level={} coverage={coverage} exit={}", verdict.level.name(), verdict.exit_code.number())?;
    for level in [Level::Compromised, Level::Suspicious, Level::Exposed] {
        write!(to, " {}={}", level.name(), count(level))?;
    }
    let (distributions, environments) = (report.distributions.len(), report.environments.len());
    let gaps = report.coverage.gaps().iter().filter(|gap| gap.material).count();
    let accepted = report.findings.iter().filter(|one| one.accepted.is_some()).count();
    writeln!(to, " distributions={distributions} environments={environments} gaps={gaps} accepted={accepted}")
}

struct Page<'a, W> {
    text: &'a Text<'a>,
    report: &'a Report<'a>,
    style: Style,
    to: W,
}

fn path(path: &TargetPath) -> String {
    line(&path.to_text())
}

impl<W: Write> Page<'_, W> {
    fn paint(&self, level: Level, text: &str) -> String {
        let code = match level {
            Level::Compromised => "1;31",
            Level::Suspicious => "1;33",
            Level::Exposed => "33",
            Level::None => "1",
        };
        if self.style.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn row(&mut self, label: &str, value: &str) -> io::Result<()> {
        writeln!(self.to, "      {label:<9} {value}")
    }

    fn findings(&mut self) -> io::Result<()> {
        let all = self.report.findings;
        if all.is_empty() {
            return Ok(());
        }
        writeln!(self.to, "FINDINGS ({})", all.len())?;
        if all.len() > SHOWN {
            self.incidents()?;
        }
        let environments: HashMap<Id, &Environment> =
            self.report.environments.iter().map(|env| (env.id, env)).collect();
        // What must be acted on is shown, however much it is; of leads the first ones tell what kind they are.
        let leads = all.iter().filter(|one| one.level <= Level::Exposed).count();
        let left_out = if self.style.verbose { 0 } else { leads.saturating_sub(LEADS) };
        for one in all.iter().take(all.len() - left_out) {
            self.finding(one, one.environment.and_then(|id| environments.get(&id).copied()))?;
        }
        if left_out > 0 {
            writeln!(self.to, "  … and {left_out} more that are exposed (-v or the JSON report shows all)")?;
        }
        writeln!(self.to)
    }

    /// How many findings each incident has, by level.
    fn incidents(&mut self) -> io::Result<()> {
        let mut counts: BTreeMap<&str, BTreeMap<Reverse<Level>, usize>> = BTreeMap::new();
        for one in self.report.findings.iter().filter(|one| one.accepted.is_none()) {
            let incident = one.incident.as_deref().unwrap_or("no known incident");
            *counts.entry(incident).or_default().entry(Reverse(one.level)).or_default() += 1;
        }
        for (incident, levels) in counts {
            let levels: Vec<String> =
                levels.iter().map(|(Reverse(level), count)| format!("{count} {}", level.name())).collect();
            writeln!(self.to, "  {}: {}", line(incident), levels.join(", "))?;
        }
        Ok(())
    }

    fn finding(&mut self, one: &Finding, environment: Option<&Environment>) -> io::Result<()> {
        let level = match one.accepted {
            Some(_) => format!("accepted ({})", one.level.name()),
            None => self.paint(one.level, &one.level.name().to_uppercase()),
        };
        writeln!(self.to, "  {level}  {}", line(&one.title))?;
        self.row("where", &path(&one.subject.path))?;
        if let Some(env) = environment {
            self.row("in", &format!("{} environment {}{}", env.kind, path(&env.path), version_words(env)))?;
        }
        if let Some(accepted) = &one.accepted {
            self.row("accepted", &format!("until {}: {}", accepted.until.day(), line(&accepted.reason)))?;
        }
        if !one.accounts.is_empty() {
            self.row("account", &line(&one.accounts.join(", ")))?;
        }
        if let (Some(incident), Some(indicator)) = (&one.incident, &one.indicator) {
            let confidence = one.confidence.name();
            self.row("known as", &line(&format!("{incident} ({indicator}, {confidence})")))?;
        }
        if let Some(seen) = one.first_seen {
            self.row("since", &format!("{seen} (last change on disk)"))?;
        }
        self.evidence(one)?;
        one.also_at.iter().try_for_each(|other| self.row("also at", &path(other)))
    }

    fn evidence(&mut self, one: &Finding) -> io::Result<()> {
        let verbose = self.style.verbose;
        let told: Vec<&Evidence> = one.evidence.iter().filter(|row| verbose || row.excerpt.is_some()).collect();
        let shown = if verbose { told.len() } else { told.len().min(3) };
        for evidence in told.iter().take(shown) {
            let at = evidence.line.map(|number| format!(":{number}")).unwrap_or_default();
            let excerpt =
                evidence.excerpt.as_ref().map(|text| format!("  {}", line(text.as_str()))).unwrap_or_default();
            self.row("evidence", &format!("{}{at}{excerpt}", path(&evidence.path)))?;
            if let (true, Some(hash)) = (verbose, &evidence.sha256) {
                self.row("", &format!("sha256 {hash}, {} bytes", evidence.size.unwrap_or(0)))?;
            }
        }
        if told.len() > shown { self.row("", &format!("… and {} more (-v)", told.len() - shown)) } else { Ok(()) }
    }

    fn environments(&mut self) -> io::Result<()> {
        let report = self.report;
        let places = counted(report.environments.len(), "environment");
        let programs = counted(report.interpreters.len(), "interpreter");
        writeln!(self.to, "PYTHON ON THIS TARGET ({places}, {programs})")?;
        let mut by_environment: BTreeMap<Option<Id>, Vec<&Distribution>> = BTreeMap::new();
        for found in report.distributions {
            by_environment.entry(found.environment).or_default().push(found);
        }
        for env in report.environments {
            let own = by_environment.get(&Some(env.id)).map_or(&[] as &[_], Vec::as_slice);
            let account = env.account.as_ref().map(|name| format!(", {}", line(name))).unwrap_or_default();
            let count = counted(own.len(), "distribution");
            writeln!(self.to, "  {}  [{}{}{account}]  {count}", path(&env.path), env.kind, version_words(env))?;
            for found in own.iter().filter(|_| self.style.verbose) {
                writeln!(self.to, "      {} {}  ({})", line(&found.name), line(&found.version), state_words(found))?;
            }
        }
        for one in report.interpreters.iter().filter(|_| self.style.verbose) {
            let version = one.version.as_deref().unwrap_or("version unknown");
            writeln!(self.to, "  {}  [{} {}]", path(&one.path), one.implementation, line(version))?;
        }
        writeln!(self.to)
    }

    fn hooks(&mut self) -> io::Result<()> {
        let all = self.text.hooks;
        let counts: Vec<String> =
            self.report.summary.by_judgement.iter().map(|(word, count)| format!("{count} {word}")).collect();
        let head = format!("START-UP FILES ({})  {}", all.len(), counts.join(", "));
        writeln!(self.to, "{}", head.trim_end())?;
        let verbose = self.style.verbose;
        let wanted =
            self.report.startup_hooks.iter().zip(all).filter(|(_, own)| verbose || own.judgement == Judgement::Review);
        let wanted: Vec<_> = wanted.collect();
        let shown = if verbose { wanted.len() } else { wanted.len().min(SHOWN) };
        for (hook, own) in wanted.iter().take(shown) {
            writeln!(self.to, "  {}  {}", own.judgement.name(), path(hook.path()))?;
            own.reasons.iter().try_for_each(|reason| writeln!(self.to, "      {}", line(reason)))?;
        }
        if wanted.len() > shown {
            writeln!(self.to, "  … and {} more to review (-v shows all)", wanted.len() - shown)?;
        }
        writeln!(self.to)
    }

    fn starts(&mut self) -> io::Result<()> {
        let show = if self.style.verbose { Show::All } else { Show::Odd };
        starts::write(self.report.autostarts, self.report.findings, show, &mut self.to)
    }

    fn coverage(&mut self) -> io::Result<()> {
        let coverage = &self.report.coverage;
        let (material, harmless): (Vec<&Gap>, Vec<&Gap>) = coverage.gaps().iter().partition(|gap| gap.material);
        writeln!(self.to, "COVERAGE  {}", coverage.numbers())?;
        let (missed, other) = (material.len(), harmless.len());
        let verb = if other == 1 { "hides" } else { "hide" };
        writeln!(self.to, "  {} that could hide something, {other} that {verb} nothing", counted(missed, "gap"))?;
        let shown = if self.style.verbose { material.len() } else { material.len().min(SHOWN) };
        material.iter().take(shown).try_for_each(|gap| self.gap(gap))?;
        if material.len() > shown {
            writeln!(self.to, "  … and {} more (-v or the JSON report shows all)", material.len() - shown)?;
        }
        if self.style.verbose {
            harmless.iter().try_for_each(|gap| self.gap(gap))?;
            for row in coverage.skipped() {
                writeln!(self.to, "  left out  {}: {}", path(&row.path), line(&row.why))?;
            }
        }
        for pack in self.report.packs.iter().filter(|pack| pack.signed_by.is_none() && pack.origin != "built-in") {
            writeln!(self.to, "  unsigned pack: {} ({})", line(&pack.origin), line(&pack.id))?;
        }
        for row in coverage.off() {
            let reason = row.reason.as_deref().unwrap_or("switched off");
            writeln!(self.to, "  not looked for: {} ({})", line(&row.id), line(reason))?;
        }
        writeln!(self.to)
    }

    fn gap(&mut self, gap: &Gap) -> io::Result<()> {
        let detail = gap.detail.as_ref().map(|detail| format!(" ({})", line(detail))).unwrap_or_default();
        writeln!(self.to, "  {}  {}: {}{detail}", gap.reason.id(), gap.check, path(&gap.path))
    }

    /// What to do first, once for each kind of finding; the whole way out is the incident's own text.
    fn next_steps(&mut self) -> io::Result<()> {
        let mut advice: Vec<&str> = Vec::new();
        for one in self.report.findings.iter().filter(|one| one.accepted.is_none()) {
            if !advice.contains(&one.advice.as_str()) {
                advice.push(&one.advice);
            }
        }
        if advice.is_empty() {
            return Ok(());
        }
        writeln!(self.to, "NEXT")?;
        advice.iter().try_for_each(|text| writeln!(self.to, "  {}", line(text)))?;
        let incidents: BTreeSet<&str> = self.report.findings.iter().filter_map(|one| one.incident.as_deref()).collect();
        for id in incidents {
            let origin = self.report.packs.iter().find(|pack| pack.id == *id).map(|pack| pack.origin.as_str());
            let from = origin.filter(|origin| *origin != "built-in").map(|path| format!(" --iocs {path}"));
            writeln!(
                self.to,
                "  All steps in order: pysweep explain {}",
                line(&format!("{id}{}", from.unwrap_or_default()))
            )?;
        }
        writeln!(self.to)
    }

    fn verdict(&mut self) -> io::Result<()> {
        let verdict = self.report.verdict;
        let sentence = self.paint(verdict.level, &line(&verdict.sentence));
        writeln!(self.to, "{sentence}")
    }
}

/// Its state, and what is not as its RECORD says.
fn state_words(found: &Distribution) -> String {
    let source = found.source.as_ref().map(|source| format!(" from {}", path(source))).unwrap_or_default();
    let record = match found.record.state {
        RecordState::Verified => ", verified".to_owned(),
        RecordState::Modified => format!(", {} changed", counted(found.record.modified as usize, "file")),
        _ => String::new(),
    };
    format!("{}{source}{record}", found.state.name())
}

fn version_words(env: &Environment) -> String {
    env.python_version.as_ref().map(|version| format!(", Python {}", line(version))).unwrap_or_default()
}
