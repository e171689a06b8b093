//! What `pysweep pth` prints of a file: the judgement in plain words, then each line that runs with a caret below what
//! stands out most in it.

use std::collections::BTreeMap;
use std::path::Path;

use crate::detect::startup_explain::{deeds, joined, spoken, strongest, summary};
use crate::detect::startup_score::module_reason;
use crate::detect::startup_words::class_sentence;
use crate::extract::python::place;
use crate::model::code::Spot;
use crate::model::coverage::Gap;
use crate::model::finding::{Finding, HookVerdict};
use crate::model::startup::{Feature, HookLine, LineClass, Module, ModuleOutcome, StartupHook};
use crate::model::text::{Excerpt, counted};
use crate::report::caret;
use crate::report::sanitize::line as safe;

/// Most lines of a file that are shown, and of a module that it brings in.
const MOST_LINES: usize = 50;
const MOST_OF_MODULE: usize = 3;

/// A file and what is thought of it.
pub(super) struct Judged {
    /// The file.
    pub(super) hook: StartupHook,
    /// The judgement.
    pub(super) verdict: HookVerdict,
    /// What packs know of it.
    pub(super) known: Vec<Finding>,
    /// The texts of its lines.
    pub(super) texts: BTreeMap<u32, String>,
    /// What of the modules beside it could not be followed.
    pub(super) gaps: Vec<Gap>,
}

/// All lines of the answer for one file.
pub(super) fn lines(file: &Path, judged: Option<&Judged>) -> Vec<String> {
    let shown = safe(&file.display().to_string());
    let Some(judged) = judged else {
        return vec![format!("plain  {shown}: data such as PyTorch weights; Python runs nothing of it")];
    };
    let (hook, verdict) = (&judged.hook, &judged.verdict);
    let mut out = vec![format!("{}  {shown}", verdict.judgement.name())];
    out.push(format!("  {}", summary(hook, verdict.judgement)));
    out.extend(known(judged));
    if let Some(hash) = &hook.sha256 {
        out.push(format!("  sha256 {hash}, {}", counted(hook.size as usize, "byte")));
    }
    let does_something = |line: &&HookLine| line.class != LineClass::Path || !line.features.is_empty();
    let lines: Vec<&HookLine> = hook.lines.iter().filter(does_something).collect();
    if lines.iter().any(|line| line.class != LineClass::Path) && !hook.versions.is_empty() {
        out.push(format!("  run by Python {}", spoken(&hook.versions)));
    }
    lines.iter().take(MOST_LINES).for_each(|line| out.extend(of_line(judged, line)));
    if lines.len() > MOST_LINES {
        out.push(format!("  and {} that are not shown", counted(lines.len() - MOST_LINES, "more line")));
    }
    hook.modules.iter().for_each(|module| out.extend(of_module(module)));
    out.extend(judged.gaps.iter().map(|gap| {
        let why = gap.detail.as_deref().unwrap_or_else(|| gap.reason.sentence());
        format!("  not looked at: {}: {}", safe(&gap.path.to_text()), safe(why))
    }));
    out.extend(not_found(&hook.modules));
    out
}

/// What the packs say.
fn known(judged: &Judged) -> Vec<String> {
    let Some(found) = judged.known.iter().max_by_key(|found| (found.level, found.confidence)) else {
        return Vec::new();
    };
    let meaning = judged.verdict.reasons.first().map_or("", String::as_str);
    let incident = found.incident.as_deref().unwrap_or_default();
    vec![
        format!("  known as {}: {}", safe(incident), safe(meaning)),
        format!("  what to do, in order: pysweep explain {}", safe(incident)),
    ]
}

fn of_line(judged: &Judged, line: &HookLine) -> Vec<String> {
    let head = match line.class {
        LineClass::Module => String::new(),
        class => format!(" {}", class_sentence(class)),
    };
    let versions = match line.run_by.as_slice() {
        _ if line.class == LineClass::Path => String::new(),
        [] => "; no Python runs it".to_owned(),
        own if own != judged.hook.versions => format!("; run by Python {}", spoken(own)),
        _ => String::new(),
    };
    let mut out = vec![String::new(), format!("  line {}{head}{versions}", line.number)];
    out.extend(pointed(judged, line).unwrap_or_else(|| {
        let deeds = said(line, &strongest(line.features.iter().copied()));
        let deeds = (!deeds.is_empty()).then(|| format!("    it {deeds}"));
        [format!("    {}", caret::plain(&line.text))].into_iter().chain(deeds).collect()
    }));
    out
}

/// A line with a caret below the place of what stands out most, if that is known.
fn pointed(judged: &Judged, line: &HookLine) -> Option<Vec<String>> {
    let text = judged.texts.get(&line.number)?.trim_end();
    let spots = &judged.hook.code.spots;
    let mut features = strongest(line.features.iter().copied());
    // Text is decoded so that it can be run: both are said where it is run.
    let is_decoded = [Feature::Decoder, Feature::ComputedExec].iter().all(|one| features.contains(one));
    let first = |one: &Feature| !(is_decoded && *one == Feature::Decoder);
    let (feature, place) = features
        .iter()
        .filter(|one| first(one))
        .find_map(|one| Some((*one, place::of(text, line.number, *one, spots)?)))?;
    let at = |spot: &&Spot| spot.line == line.number && spot.column as usize == place.start;
    let here: Vec<&Spot> = spots.iter().filter(at).collect();
    let is_inside = |one: Feature| here.iter().any(|spot| spot.feature == one && spot.inside.is_some());
    let is_direct = |one: Feature| here.iter().any(|spot| spot.feature == one && spot.inside.is_none());
    let is_own = |one: Feature| is_direct(one) || (one == feature && !is_inside(one));
    let mut own: Vec<Feature> = features.extract_if(.., |one| is_own(*one)).collect();
    let inside: Vec<Feature> = features.extract_if(.., |one| is_inside(*one)).collect();
    if is_decoded && own.contains(&Feature::ComputedExec) {
        own.extend(features.extract_if(.., |one| *one == Feature::Decoder));
    }
    let mut words = said(line, &own);
    let size = here.iter().filter_map(|spot| spot.inside).max();
    if let (Some(size), false) = (size, inside.is_empty()) {
        let start = if words.is_empty() { "runs a text" } else { "; the text that it runs there" };
        words.push_str(&format!("{start} ({}) {}", counted(size as usize, "byte"), said(line, &inside)));
    }
    let (excerpt, marked) = Excerpt::around(text, place);
    let (shown, carets) = caret::pointed(&excerpt, marked);
    let more = said(line, &features);
    let more = (!more.is_empty()).then(|| format!("    it also {more}"));
    Some([format!("    {shown}"), format!("    {carets} {words}")].into_iter().chain(more).collect())
}

/// What stands out, in words, and what it depends on.
fn said(line: &HookLine, features: &[Feature]) -> String {
    let asked = line.only_if.iter().find(|(one, _)| features.contains(one));
    let asked = asked.map_or_else(String::new, |(_, name)| {
        format!(" (only if {} is set)", safe(Excerpt::of(name.as_bytes()).as_str()))
    });
    format!("{}{asked}", joined(&deeds(features)))
}

fn of_module(module: &Module) -> Vec<String> {
    let reason =
        module_reason(module).filter(|_| !matches!(module.outcome, ModuleOutcome::Missing | ModuleOutcome::Optional));
    let Some(reason) = reason else { return Vec::new() };
    let mut out = vec![String::new(), format!("  it brings in: {}", safe(&reason))];
    let mut lines: Vec<_> = module.signs.iter().map(|sign| (sign.line, &sign.text)).collect();
    lines.sort_unstable();
    lines.dedup();
    let lines = lines.iter().take(MOST_OF_MODULE);
    out.extend(lines.map(|(number, text)| format!("    line {number}: {}", caret::plain(text))));
    out
}

/// What was not looked at.
fn not_found(modules: &[Module]) -> Option<String> {
    let missing =
        modules.iter().filter(|module| matches!(module.outcome, ModuleOutcome::Missing | ModuleOutcome::Optional));
    let names: Vec<String> = missing.map(|one| safe(Excerpt::of(one.name.as_bytes()).as_str())).collect();
    let modules = match names.as_slice() {
        [] => return None,
        [one] => format!("the module that it imports ({one}) was"),
        _ => format!("the modules that it imports ({}) were", names.join(", ")),
    };
    Some(format!("  {modules} not looked at, not being beside it: pysweep scan follows them"))
}
