//! The verdict: the worst level, the coverage, the exit code, and one sentence that a tired person understands.

use crate::model::facts::Facts;
use crate::model::finding::{Confidence, Finding};
use crate::model::text::counted;
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
    /// The day of the newest pack.
    pub newest_pack: String,
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
        sentence: sentence(level, findings, grounds),
    }
}

fn sentence(level: Level, findings: &[Finding], grounds: &Grounds<'_>) -> String {
    let scope = scope_words(grounds);
    let answer = match level {
        Level::Compromised => format!("COMPROMISED: {} {scope}", what(level, findings)),
        Level::Suspicious => format!("SUSPICIOUS: {} {scope}", what(level, findings)),
        Level::Exposed => format!("EXPOSED: {} {scope}, and nothing shows that it ran", what(level, findings)),
        Level::None => format!("Nothing known bad was found {scope}"),
    };
    let facts = grounds.facts;
    let seen = format!(
        "{} in {}",
        counted(facts.distributions.len(), "distribution"),
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
    format!("{answer}; {coverage}{narrowed}; newest indicator pack of {}.", grounds.newest_pack)
}

fn what(level: Level, findings: &[Finding]) -> String {
    let of_level: Vec<&Finding> = findings.iter().filter(|one| one.level == level && one.accepted.is_none()).collect();
    let mut incidents: Vec<&str> = of_level.iter().filter_map(|one| one.incident.as_deref()).collect();
    incidents.sort_unstable();
    incidents.dedup();
    let all_possible = of_level.iter().all(|one| one.confidence == Confidence::Possible);
    let count = counted(of_level.len(), "finding");
    match (incidents.is_empty(), all_possible) {
        (true, _) => format!("{count} of code that no indicator knows and nothing explains"),
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
