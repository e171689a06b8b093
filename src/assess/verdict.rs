//! The verdict: the worst level, the coverage, the exit code, and one sentence that a tired person understands.

use crate::model::facts::Facts;
use crate::model::finding::{Confidence, Finding};
use crate::model::text::counted;
use crate::model::time::Time;
use crate::model::verdict::{Completeness, ExitCode, Level, Scope, Verdict};

/// What the verdict is made from, beside the findings.
pub struct Grounds<'a> {
    /// For the counts in the sentence.
    pub facts: &'a Facts,
    /// Whether a material gap exists, and how many.
    pub coverage: Completeness,
    /// How many material gaps.
    pub missed: usize,
    /// What the sweep set out to cover.
    pub scope: Scope,
    /// The host's name, the account, or the paths, for the sentence.
    pub subject: String,
    /// What the user left out, for the sentence; empty if nothing.
    pub narrowed: String,
    /// How many findings are accepted.
    pub accepted: usize,
    /// The last change of the newest pack.
    pub newest_pack: Option<Time>,
    /// When the judgement is made.
    pub now: Time,
    /// Below this level the exit is as if nothing was found.
    pub fail_on: Level,
    /// Turns every exit but 2 into 0.
    pub exit_zero: bool,
}

/// What a host is called that does not say.
const NAMELESS: &str = "unknown";

/// Weighs everything.
#[must_use]
pub fn verdict(findings: &[Finding], grounds: &Grounds<'_>) -> Verdict {
    let level = findings.iter().filter(|one| one.accepted.is_none()).map(|one| one.level).max().unwrap_or(Level::None);
    let counted = if level < grounds.fail_on { Level::None } else { level };
    let code = ExitCode::of(counted, grounds.coverage);
    let exit_code = if grounds.exit_zero { ExitCode::Clean } else { code };
    Verdict {
        level,
        coverage: grounds.coverage,
        scope: grounds.scope,
        exit_code,
        sentence: sentence(level, &what_of(level, findings), grounds),
    }
}

/// The verdict in one sentence; `what` says what was found of the level.
#[must_use]
pub fn sentence(level: Level, what: &str, grounds: &Grounds<'_>) -> String {
    let scope = scope_words(grounds);
    let answer = match level {
        Level::Compromised => format!("COMPROMISED: {what} {scope}"),
        Level::Suspicious => format!("SUSPICIOUS: {what} {scope}"),
        Level::Exposed => format!("EXPOSED: {what} {scope}, and nothing shows that it ran"),
        Level::None => format!("Nothing known bad was found {scope}"),
    };
    let facts = grounds.facts;
    let seen = format!(
        "{} in {}",
        counted(facts.distributions.iter().filter(|found| found.state.is_here()).count(), "distribution"),
        counted(facts.environments.len(), "environment")
    );
    let coverage = match grounds.coverage {
        Completeness::Complete => format!("everything in scope was looked at ({seen})"),
        Completeness::Incomplete => {
            let places = counted(grounds.missed, "place");
            format!("but {places} could not be looked at, so the answer is incomplete ({seen})")
        }
    };
    let narrowed = if grounds.narrowed.is_empty() { String::new() } else { format!(", without {}", grounds.narrowed) };
    let accepted = match grounds.accepted {
        0 => String::new(),
        some => format!(", with {} accepted", counted(some, "finding")),
    };
    format!("{answer}{accepted}; {coverage}{narrowed}; {}.", age_words(grounds.newest_pack, grounds.now))
}

/// Days after which packs are old: attacks of this kind come every few weeks.
const OLD: i64 = 30;

/// How old the knowledge is: `newest indicator pack of 2026-11-20`, and a word of warning where that is long ago.
#[must_use]
pub fn age_words(newest: Option<Time>, now: Time) -> String {
    let Some(newest) = newest else { return "no indicator pack".to_owned() };
    let days = (now.unix() - newest.unix()).div_euclid(24 * 60 * 60);
    let day = newest.day();
    if days < -1 {
        format!("newest indicator pack of {day}, which lies in the future: that date or this host's clock is wrong")
    } else if days > OLD {
        format!("newest indicator pack of {day}, which is {days} days old: look for newer ones")
    } else {
        format!("newest indicator pack of {day}")
    }
}

fn what_of(level: Level, findings: &[Finding]) -> String {
    let of_level = findings.iter().filter(|one| one.level == level && one.accepted.is_none());
    what(&of_level.map(|one| (one.incident.as_deref(), one.confidence)).collect::<Vec<_>>())
}

/// What was found: a number, and the incidents.
#[must_use]
pub fn what(of_level: &[(Option<&str>, Confidence)]) -> String {
    let mut incidents: Vec<&str> = of_level.iter().filter_map(|(incident, _)| *incident).collect();
    incidents.sort_unstable();
    incidents.dedup();
    let all_possible = of_level.iter().all(|(_, confidence)| *confidence == Confidence::Possible);
    let count = counted(of_level.len(), "finding");
    match (incidents.is_empty(), all_possible) {
        (true, _) => format!("{count} that no indicator knows and nothing explains"),
        (false, true) => format!("{count} of an uncertain lead ({})", incidents.join(", ")),
        (false, false) => format!("{count} of {}", incidents.join(", ")),
    }
}

fn scope_words(grounds: &Grounds<'_>) -> String {
    let subject = &grounds.subject;
    match grounds.scope {
        Scope::Host => format!("on host {subject}"),
        Scope::Account => format!("for account {subject} on this host"),
        Scope::Image if subject == NAMELESS => "in this image".to_owned(),
        Scope::Image => format!("in the image of {subject}"),
        Scope::Paths => format!("under {subject}"),
    }
}
