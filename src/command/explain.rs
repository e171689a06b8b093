//! `pysweep explain ID`: a rule, indicator, incident, record, credential store, check, gap reason, judgement, level, or what
//! the report says of what starts by itself, in plain words.

use super::output;
use crate::cli::ExplainArgs;
use crate::detect::RULES;
use crate::error::Error;
use crate::extract;
use crate::intel::index::Intel;
use crate::intel::pack::{Indicator, Kind, Pack, Place};
use crate::intel::stores::{self, Store};
use crate::intel::versions_words;
use crate::model::autostart::{AutostartKind, PlaceMark, SignKind};
use crate::model::coverage::GapReason;
use crate::model::host::Platform;
use crate::model::verdict::ExitCode;
use crate::report::sanitize::line;
use crate::target::starts::{StartPlaces, StartRule};

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

/// Checks that are part of every sweep and have no row in the table.
const ALWAYS: [(&str, &str); 2] = [
    ("walk", "The walk over the target: folders that could not be listed, trees that were left out."),
    ("accounts", "The target's user database: whose homes there are, and where."),
];

/// The levels of the verdict, in words.
const LEVELS: [(&str, &str); 4] = [
    ("compromised", "A known indicator is present in a form that ran or would run."),
    ("suspicious", "No pack knows it, but it has no honest explanation."),
    ("exposed", "A known-bad thing is named or stored, and nothing shows that it ran."),
    ("none", "Nothing of the other levels was found, which is said only for what was looked at."),
];

/// What is odd about the place of a program that starts by itself, with what makes it so.
const MARKS: [(PlaceMark, &str); 4] = [
    (PlaceMark::Temporary, "Everybody may write there, and it is emptied now and then: no program is kept there."),
    (
        PlaceMark::Hidden,
        "A name on its path begins with a dot, and is not one of those in which tools are known to keep programs.",
    ),
    (PlaceMark::Trash, "What was thrown away starts by itself."),
    (PlaceMark::WorldWritable, "Whoever may change it decides what runs, with the rights of whoever starts it."),
];

/// What stands out in what is started, with what to make of it.
const SIGNS: [(SignKind, &str); 4] = [
    (SignKind::DecodesAndRuns, "Honest programs lie in files that can be read; what is encoded is meant not to be."),
    (SignKind::FetchesAndRuns, "What runs is decided elsewhere, at each start anew, and leaves no file."),
    (SignKind::RemoteShell, "Whoever is at the other end can run anything, with the rights of whoever starts it."),
    (SignKind::RunsUnseen, "Many honest scripts do; it is a fact for the reader, and changes no verdict by itself."),
];

/// Runs the command.
pub(super) fn run(args: &ExplainArgs) -> Result<ExitCode, Error> {
    let intel = super::intel(&args.packs)?;
    let Some(text) = explain(&intel, &args.id) else {
        let known = "Known are rules, checks, gap reasons, judgements, levels, credential stores, and kinds, places and signs of what starts by itself, and the ids, aliases and records that `pysweep iocs list` and `pysweep iocs show` name";
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
    if let Some((_, sentence)) = extract::checks().chain(ALWAYS).find(|(known, _)| *known == id) {
        return plain("check", sentence);
    }
    if let Some(kind) = id.strip_prefix("indicators-") {
        return indicators(intel, kind).and_then(|sentence| plain("check", &sentence));
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
    if let Some((_, sentence)) = LEVELS.iter().find(|(name, _)| *name == id) {
        return plain("level of the verdict", sentence);
    }
    if let Some(store) = stores::store(id) {
        return Some(credential_store(intel, store));
    }
    starts(id).or_else(|| known_bad(intel, id))
}

/// Kinds, places, marks and signs of what starts by itself.
fn starts(id: &str) -> Option<Vec<String>> {
    let plain = |what: &str, sentence: String| Some(vec![format!("{id} ({what})"), String::new(), sentence]);
    if let Some((mark, why)) = MARKS.iter().find(|(mark, _)| mark.name() == id) {
        let sentence = format!("It runs something from {}. {why}", mark.sentence());
        return plain("place of a program that starts by itself", sentence);
    }
    if let Some((sign, why)) = SIGNS.iter().find(|(sign, _)| sign.name() == id) {
        let sentence = format!("It {}. {why}", sign.sentence());
        return plain("sign in what starts by itself", sentence);
    }
    let places = StartPlaces::built_in();
    let mut text = Vec::new();
    if let Ok(kind) = serde_json::from_value::<AutostartKind>(id.into()) {
        text.push(format!("{id} (kind of what starts by itself)"));
        for rule in places.rules().iter().filter(|rule| rule.kind == listed_as(kind)) {
            text.extend([String::new(), format!("{}:", rule.id)]);
            text.extend(place(rule));
        }
    }
    // A kind lists its places already.
    let is_listed = |rule: &&StartRule| rule.id == id && text.is_empty();
    if let Some(rule) = places.rules().iter().find(is_listed) {
        text.extend([format!("{id} (places of what starts by itself: {})", rule.kind.name()), String::new()]);
        text.extend(place(rule));
    }
    (!text.is_empty()).then_some(text)
}

/// The kind as which the list of places has another one: a unit's form is told by its name, anacron's table lies with the
/// crontabs, and services of Windows lie in the files of the keys that run programs.
fn listed_as(kind: AutostartKind) -> AutostartKind {
    use AutostartKind as Kind;
    match kind {
        Kind::SystemdService | Kind::SystemdTimer | Kind::SystemdPath | Kind::SystemdSocket => Kind::SystemdUnit,
        Kind::Anacron => Kind::Cron,
        Kind::WindowsService => Kind::RunKey,
        other => other,
    }
}

fn system(platform: Platform) -> &'static str {
    match platform {
        Platform::Linux => "Linux",
        Platform::Macos => "macOS",
        Platform::Windows => "Windows",
    }
}

/// Why a place matters, which paths it has, and where it is described.
fn place(rule: &StartRule) -> Vec<String> {
    let systems: Vec<&str> = rule.systems.iter().map(|one| system(*one)).collect();
    let mut text = vec![rule.why.clone(), format!("On {}: {}", systems.join(", "), rule.paths.join(", "))];
    text.extend(rule.references.iter().map(|reference| format!("See {reference}")));
    text
}

/// Incidents, their indicators, and the records of feeds.
fn known_bad(intel: &Intel, id: &str) -> Option<Vec<String>> {
    let packs = || intel.packs().iter().map(|one| &one.pack);
    if let Some(pack) = packs().find(|pack| pack.id == id) {
        return Some(incident(pack));
    }
    if let Some(known) = intel.indicator(id) {
        return Some(indicator(known.pack, known.indicator));
    }
    let is_alias = |pack: &&Pack| pack.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(id));
    let mut text: Vec<String> = Vec::new();
    packs().filter(is_alias).for_each(|pack| text.extend(incident(pack)));
    intel.of_record(id).for_each(|known| text.extend(indicator(known.pack, known.indicator)));
    (!text.is_empty()).then_some(text)
}

/// What a row of `coverage.checks` says of indicators: of a type, or of a feed.
fn indicators(intel: &Intel, what: &str) -> Option<String> {
    if intel.not_looked_for().iter().any(|(kind, _)| *kind == what) {
        return Some(format!(
            "Indicators of the type `{what}` are loaded and listed, but this version does not look for them."
        ));
    }
    let one = intel.packs().iter().find(|one| one.pack.id == what && one.unused() > 0)?;
    Some(format!(
        "{} rows of the feed {} cannot be looked for; `pysweep iocs import` names them.",
        one.unused(),
        one.origin
    ))
}

fn credential_store(intel: &Intel, store: &Store) -> Vec<String> {
    let mut text = vec![format!("{} (credential store, {})", store.id, store.category), String::new()];
    let places = [("Linux", &store.linux), ("macOS", &store.macos), ("Windows", &store.windows)];
    text.extend(places.iter().filter_map(|(system, place)| Some(format!("On {system}: {}", place.as_ref()?))));
    let takers: Vec<&str> = intel
        .packs()
        .iter()
        .filter(|one| one.pack.targets.contains(&store.id))
        .map(|one| one.pack.id.as_str())
        .collect();
    text.push(match takers.is_empty() {
        true => "No incident that is loaded is known to take it; that does not make it safe.".to_owned(),
        false => format!("Taken by {}.", takers.join(", ")),
    });
    text
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
    if !pack.targets.is_empty() {
        text.push(format!("Takes: {}.", pack.targets.join(", ")));
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
    if let Some(name) = one.name.as_ref().filter(|_| one.kind == Kind::Package) {
        let of = one.ecosystem.as_deref().filter(|_| one.is_of_system()).map(|of| format!(" ({of})"));
        text.push(format!("Package {name}{}: {}.", of.unwrap_or_default(), versions_words(one)));
    }
    text.extend(one.references.iter().map(|reference| format!("See {reference}")));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(id: &str) -> String {
        let none = Intel::of(Vec::new());
        explain(&none, id).unwrap_or_else(|| panic!("{id} is not known")).join("\n")
    }

    #[test]
    fn every_place_of_what_starts_is_known_with_its_reasons() {
        let places = StartPlaces::built_in();
        assert!(places.rules().len() > 30);
        for rule in places.rules() {
            let text = told(&rule.id);
            assert!(text.contains(&rule.why), "{text}");
            assert!(rule.paths.iter().chain(&rule.references).all(|one| text.contains(one)), "{text}");
        }
    }

    #[test]
    fn every_kind_lists_its_places() {
        let why = serde_json::from_str::<AutostartKind>("\"none of them\"").unwrap_err().to_string();
        let kinds: Vec<&str> = why.split('`').skip(3).step_by(2).collect();
        assert!(kinds.len() > 40, "{kinds:?}");
        for kind in kinds {
            let text = told(kind);
            assert!(text.starts_with(&format!("{kind} (kind of")) && text.contains("\nOn "), "{text}");
        }
        assert!(told("systemd-service").contains("systemd-units:\n"));
        assert!(told("launch-agent").contains("macOS"));
    }

    #[test]
    fn marks_and_signs_are_sentences() {
        assert!(told("hidden").contains("It runs something from a hidden folder. A name"));
        assert!(told("runs-unseen").contains("It starts something in the background."));
        let words = ["temporary", "trash", "world-writable", "decodes-and-runs", "fetches-and-runs", "remote-shell"];
        assert!(words.iter().all(|word| told(word).lines().count() == 3));
    }
}
