//! The judgement of a start-up file in plain words, for people who have one in front of them.

use std::cmp::Reverse;

use super::startup_score::points;
use super::startup_words::sentence;
use crate::model::finding::Judgement;
use crate::model::startup::{Feature, HookKind, LineClass, Module, ModuleOutcome, StartupHook};
use crate::model::text::Excerpt;

/// Most things that one sentence says; the lines have them all.
const MOST: usize = 6;

/// Most modules of which the summary speaks.
const MOST_MODULES: usize = 3;

/// What a judgement of a file means, in a few sentences.
#[must_use]
pub fn summary(hook: &StartupHook, judgement: Judgement) -> String {
    let mut all = vec![when(hook)];
    let features = strongest(hook.lines.iter().flat_map(|line| line.features.iter().copied()));
    let mut deeds = deeds(&features);
    if deeds.len() > MOST {
        deeds.truncate(MOST);
        deeds.push("more".to_owned());
    }
    if !deeds.is_empty() {
        all.push(format!("It {}.", joined(&deeds)));
    }
    all.extend(hook.features.iter().map(|feature| format!("The file {}.", sentence(*feature))));
    if judgement >= Judgement::Review {
        all.extend(hook.modules.iter().filter_map(of_module).take(MOST_MODULES));
    }
    let is_quiet = all.len() == 1;
    all.extend(meaning(hook, judgement, is_quiet).map(str::to_owned));
    all.join(" ")
}

/// What a module does that the file brings in.
fn of_module(module: &Module) -> Option<String> {
    let features = strongest(module.signs.iter().map(|sign| sign.feature));
    let name = Excerpt::of(module.name.as_bytes());
    (!features.is_empty()).then(|| format!("It brings in the module {name}, which {}.", joined(&deeds(&features))))
}

/// The stronger ones first, each once.
#[must_use]
pub fn strongest(features: impl Iterator<Item = Feature>) -> Vec<Feature> {
    let mut all: Vec<Feature> = features.collect();
    all.sort_unstable_by_key(|feature| (Reverse(points(*feature)), *feature));
    all.dedup();
    all
}

/// What stands out, as ends of a sentence that begins with "it"; what belongs together is said together.
#[must_use]
pub fn deeds(features: &[Feature]) -> Vec<String> {
    let has = |one: Feature| features.contains(&one);
    let is_hidden = has(Feature::Decoder) && has(Feature::ComputedExec);
    let mut all = Vec::new();
    for feature in features {
        match feature {
            Feature::Decoder if is_hidden => all.push("runs text that it decodes first".to_owned()),
            Feature::ComputedExec if is_hidden => {}
            // The longer says it all.
            Feature::LongLine if has(Feature::VeryLongLine) => {}
            _ => all.push(match sentence(*feature).split_once("; ") {
                Some((what, remark)) => format!("{what} ({remark})"),
                None => sentence(*feature).to_owned(),
            }),
        }
    }
    all
}

/// `a, b and c`.
#[must_use]
pub fn joined(all: &[String]) -> String {
    match all {
        [] => String::new(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

/// Who runs it, and when.
fn when(hook: &StartupHook) -> String {
    let folders = hook.lines.iter().filter(|line| line.class == LineClass::Path).count();
    let runs = hook.lines.iter().any(|line| line.class != LineClass::Path && !line.run_by.is_empty());
    let is_opaque = hook.features.iter().any(|feature| matches!(feature, Feature::Opaque | Feature::Beyond));
    match hook.kind {
        _ if hook.versions.is_empty() => "No Python runs this file.".to_owned(),
        _ if runs || is_opaque => "Python runs this at every start.".to_owned(),
        HookKind::Start => {
            "Python calls nothing of it; 3.15 to 3.17 then pass over the code of the .pth of the same name.".to_owned()
        }
        _ if hook.features.contains(&Feature::Oversized) => {
            "Nothing of it that was judged is run by Python.".to_owned()
        }
        _ if folders == 1 => "Python runs nothing of it; it adds a folder to the import path.".to_owned(),
        _ if folders > 1 => format!("Python runs nothing of it; it adds {folders} folders to the import path."),
        _ => "There is nothing in it that Python runs.".to_owned(),
    }
}

/// What follows from the judgement.
fn meaning(hook: &StartupHook, judgement: Judgement, is_quiet: bool) -> Option<&'static str> {
    let is_written_by_tools = !hook.lines.is_empty()
        && hook.lines.iter().all(|line| matches!(line.class, LineClass::Known | LineClass::Namespace));
    Some(match judgement {
        Judgement::KnownBad => "It belongs to a known attack.",
        Judgement::MaliciousShape => "No honest file is known to do that.",
        Judgement::Review if hook.versions.is_empty() => "A person should look why it is there.",
        Judgement::Review if is_quiet => {
            "Nothing about it is bad by itself, but no known tool writes it: a person should look."
        }
        Judgement::Review => "That may be honest, but few files do it: a person should look.",
        Judgement::Explained if is_written_by_tools => "Packaging tools write this, word for word.",
        Judgement::Explained
            if hook
                .modules
                .iter()
                .any(|module| matches!(module.outcome, ModuleOutcome::Missing | ModuleOutcome::Optional)) =>
        {
            "That is what honest tools do, if the modules that it imports are honest."
        }
        Judgement::Explained => "That is what honest tools do.",
        Judgement::Plain => return None,
    })
}

/// Ranges of versions, for people: neighbours are joined.
#[must_use]
pub fn spoken(versions: &[&str]) -> String {
    let mut ranges: Vec<(Option<&str>, Option<&str>)> = Vec::new();
    for one in versions {
        let next = match (one.strip_prefix("<="), one.strip_prefix(">="), one.split_once('-')) {
            (Some(to), _, _) => (None, Some(to)),
            (_, Some(from), _) => (Some(from), None),
            (_, _, Some((from, to))) => (Some(from), Some(to)),
            _ => (Some(*one), Some(*one)),
        };
        match ranges.last_mut() {
            Some((_, end)) if end.and_then(after).is_some_and(|after| next.0 == Some(after.as_str())) => *end = next.1,
            _ => ranges.push(next),
        }
    }
    let words = |range: &(Option<&str>, Option<&str>)| match range {
        (None | Some("2.0"), None) => "of every version".to_owned(),
        (None, Some(to)) => format!("up to {to}"),
        (Some(from), None) => format!("{from} and later"),
        (Some(from), Some(to)) if from == to => (*from).to_owned(),
        (Some(from), Some(to)) => format!("{from} to {to}"),
    };
    joined(&ranges.iter().map(words).collect::<Vec<_>>())
}

/// The version after this one.
fn after(version: &str) -> Option<String> {
    let (major, minor) = version.split_once('.')?;
    Some(format!("{major}.{}", minor.parse::<u32>().ok()? + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::path::TargetPath;

    #[test]
    fn versions_are_spoken() {
        assert_eq!(spoken(&["<=3.12", "3.13-3.14", "3.15-3.17"]), "up to 3.17");
        assert_eq!(spoken(&["<=3.7", "3.13-3.14"]), "up to 3.7 and 3.13 to 3.14");
        assert_eq!(spoken(&[">=3.15"]), "3.15 and later");
        assert_eq!(spoken(&[">=2.0"]), "of every version");
        assert_eq!(spoken(&["3.13-3.14"]), "3.13 to 3.14");
    }

    #[test]
    fn what_belongs_together_is_said_together() {
        let all =
            strongest([Feature::ComputedExec, Feature::SelfStart, Feature::Decoder, Feature::Process].into_iter());
        let said = joined(&deeds(&all));
        assert_eq!(said, "starts a process, runs text that it decodes first and starts the interpreter again");
    }

    #[test]
    fn a_file_without_code_is_said_to_run_nothing() {
        let mut hook = StartupHook::at(TargetPath::new(b"/s/a.pth"), HookKind::Pth);
        assert_eq!(summary(&hook, Judgement::Plain), "No Python runs this file.");
        hook.versions = vec!["<=3.12"];
        assert_eq!(summary(&hook, Judgement::Plain), "There is nothing in it that Python runs.");
    }
}
