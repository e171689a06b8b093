//! `pysweep explain ID`: a rule, indicator, incident, check, gap reason or judgement in plain words.

use super::output;
use crate::cli::ExplainArgs;
use crate::detect::RULES;
use crate::error::Error;
use crate::extract;
use crate::intel::index::Intel;
use crate::intel::pack::{Indicator, Pack, Place};
use crate::model::coverage::GapReason;
use crate::model::verdict::ExitCode;
use crate::report::sanitize::line;

/// Judgements of start-up files, in words.
const JUDGEMENTS: [(&str, &str); 5] = [
    ("known-bad", "An indicator pack knows this start-up file. Where Python runs it, the verdict is compromised."),
    (
        "malicious-shape",
        "No pack knows it, but its code does what no honest start-up file does. The verdict is suspicious.",
    ),
    ("review", "A person should look at it. It is listed and changes no verdict."),
    ("explained", "It runs code that has an honest explanation: a packaging tool's own sentence, or an import."),
    ("plain", "It runs nothing; it only adds folders to the import path."),
];

/// Runs the command.
pub(super) fn run(args: &ExplainArgs) -> Result<ExitCode, Error> {
    let intel = super::intel(&args.packs)?;
    let Some(text) = explain(&intel, &args.id) else {
        let known = "Known are rules, checks, gap reasons and judgements, and the ids that `pysweep iocs list` and `pysweep iocs show` name";
        return Err(Error::Usage(format!("nothing is called `{}`. {known}.", line(&args.id))));
    };
    output::to_stdout(|out| text.iter().try_for_each(|text| writeln!(out, "{}", line(text))))?;
    Ok(ExitCode::Clean)
}

fn explain(intel: &Intel, id: &str) -> Option<Vec<String>> {
    let plain = |what: &str, sentence: &str| Some(vec![format!("{id} ({what})"), String::new(), sentence.to_owned()]);
    if let Some(rule) = RULES.iter().find(|rule| rule.id == id) {
        return plain("rule", rule.sentence);
    }
    if let Some((_, sentence)) = extract::checks().find(|(known, _)| *known == id) {
        return plain("check", sentence);
    }
    if let Some(reason) = GapReason::ALL.iter().find(|reason| reason.id() == id) {
        let weight = if reason.is_material() {
            "makes the answer incomplete, unless something else gave it"
        } else {
            "hides nothing"
        };
        return plain("gap reason", &format!("{} It {weight}.", reason.sentence()));
    }
    if let Some((_, sentence)) = JUDGEMENTS.iter().find(|(name, _)| *name == id) {
        return plain("judgement of a start-up file", sentence);
    }
    if let Some(loaded) = intel.packs().iter().find(|one| one.pack.id == id) {
        return Some(incident(&loaded.pack));
    }
    intel.all().find(|known| known.indicator.id == id).map(|known| indicator(known.pack, known.indicator))
}

fn incident(pack: &Pack) -> Vec<String> {
    let mut text = vec![format!("{} (incident): {}", pack.id, pack.title), String::new(), pack.summary.clone()];
    if let Some(window) = &pack.window {
        let until = window.until.map_or_else(|| "now".to_owned(), |until| until.to_string());
        text.push(format!("Could be fetched from {} until {until}.", window.from));
    }
    if !pack.aliases.is_empty() {
        text.push(format!("Also known as {}.", pack.aliases.join(", ")));
    }
    text.push(String::new());
    for step in &pack.remediation {
        let place = match step.place {
            Place::CleanMachine => "on a clean machine",
            Place::Console => "in the service's console",
            Place::ThisHost => "on this host",
        };
        text.push(format!("{}. {place}: {} ({})", step.order, step.step, step.why));
    }
    text.extend(pack.cautions.iter().map(|caution| format!("Caution: {caution}")));
    text.extend(pack.references.iter().map(|reference| format!("See {reference}")));
    text
}

fn indicator(pack: &Pack, one: &Indicator) -> Vec<String> {
    let looked_for = if one.kind.is_looked_for() { "" } else { " This version does not look for it yet." };
    let mut text = vec![
        format!("{} (indicator of {})", one.id, pack.id),
        String::new(),
        one.meaning.clone(),
        format!("Type {}, at most {}, {}.{looked_for}", one.kind.name(), one.level.name(), one.confidence.name()),
    ];
    text.extend(one.references.iter().map(|reference| format!("See {reference}")));
    text
}
