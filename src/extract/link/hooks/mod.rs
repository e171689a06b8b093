//! Start-up hooks: where each lies, who owns it, and which interpreters of this host run it.

mod order;
mod place;
mod range;
mod run;
mod shape;

use std::collections::{BTreeSet, HashMap};

use super::environments::Home;
use crate::extract::python::start_file;
use crate::model::distribution::Distribution;
use crate::model::facts::{Facts, Harvest};
use crate::model::path::TargetPath;
use crate::model::python::PrefixMark;
use crate::model::startup::{Feature, HookKind, Ownership, StartupHook};
use crate::model::time::Time;
use crate::target::Target;
use place::Settings;
pub(crate) use place::resolved;
use run::Runners;

/// The folders of standard libraries and the prefixes they belong to.
pub(super) fn libraries(facts: &Facts) -> Vec<(TargetPath, TargetPath)> {
    let all = facts.prefixes.iter().filter(|prefix| prefix.shown_by == PrefixMark::Stdlib);
    all.map(|prefix| (prefix.folder.clone(), prefix.path.clone())).collect()
}

/// Fills in the hooks, and drops what Python would not look at.
pub(super) fn settle(
    target: &Target,
    harvest: &mut Harvest,
    homes: &HashMap<TargetPath, Home>,
    libraries: &[(TargetPath, TargetPath)],
) {
    let facts = &mut harvest.facts;
    let mut hooks = std::mem::take(&mut facts.startup_hooks);
    let settings = Settings::of(target, facts);
    let ways = place::place(target, facts, &mut hooks, homes, libraries, &settings);
    own(facts, &mut hooks);
    silence(&mut hooks);
    Runners::of(target, facts, libraries, &settings).fill(&mut hooks, &ways);
    let (kept, harmless): (Vec<StartupHook>, Vec<StartupHook>) =
        hooks.into_iter().partition(|hook| is_hook(hook, homes));
    facts.startup_hooks = kept;
    let harmless: BTreeSet<TargetPath> = harmless.into_iter().map(|hook| hook.path).collect();
    for gap in harvest.gaps.iter_mut().filter(|gap| harmless.contains(&gap.path)) {
        gap.material = false;
    }
}

/// Data under the same suffix in a folder that Python takes no hooks from is neither a hook nor a miss; nor is a module
/// of that name which nobody has on the import path.
fn is_hook(hook: &StartupHook, homes: &HashMap<TargetPath, Home>) -> bool {
    match hook.kind {
        HookKind::Sitecustomize | HookKind::Usercustomize => hook.in_site_dir,
        HookKind::Start => hook.in_site_dir,
        _ => {
            let runs = hook.in_site_dir || hook.lines.iter().any(|line| line.class.runs_code());
            runs || folder(hook).is_none_or(|folder| homes.contains_key(&folder))
        }
    }
}

fn is_module(hook: &StartupHook) -> bool {
    matches!(hook.kind, HookKind::Sitecustomize | HookKind::Usercustomize)
}

/// The folder that a hook counts for: of a package, the one that holds the package.
fn folder(hook: &StartupHook) -> Option<TargetPath> {
    let above = hook.path.parent()?;
    if is_module(hook) && hook.path.file_name().starts_with(b"__init__.") { above.parent() } else { Some(above) }
}

fn own(facts: &Facts, hooks: &mut [StartupHook]) {
    type Owner<'a> = (&'a Distribution, Option<&'a str>);
    let mut owners: HashMap<&TargetPath, Vec<Owner<'_>>> = HashMap::new();
    let mut newest: HashMap<TargetPath, Time> = HashMap::new();
    for found in &facts.distributions {
        for hook in &found.hooks {
            owners.entry(&hook.path).or_default().push((found, hook.sha256.as_deref()));
        }
        if let (Some(site), Some(at)) = (found.site(), found.installed_at) {
            newest.entry(site).and_modify(|known| *known = (*known).max(at)).or_insert(at);
        }
    }
    for hook in hooks {
        // Anybody can add a RECORD that lists a file without a hash: one that disagrees has the last word.
        let rows = owners.get(&hook.path).map_or(&[] as &[_], Vec::as_slice);
        let judged = rows.iter().map(|(owner, hash)| (ownership(hook.sha256.as_deref(), *hash), owner.id));
        if let Some((ownership, owner)) = judged.max_by_key(|(ownership, _)| *ownership) {
            hook.distribution = Some(owner);
            hook.ownership = ownership;
        }
        let beside = hook.path.parent().and_then(|site| newest.get(&site));
        hook.is_newest = beside.zip(hook.modified).is_some_and(|(last, own)| own > *last);
    }
}

/// What a row says of a file: `wanted` is the hash of the row.
pub(crate) fn ownership(is: Option<&str>, wanted: Option<&str>) -> Ownership {
    match (wanted, is) {
        (Some(wanted), Some(is)) if wanted != is => Ownership::Changed,
        _ => Ownership::Owned,
    }
}

/// A `.start` keeps the lines of the `.pth` of its stem from running, on the versions that read it.
fn silence(hooks: &mut [StartupHook]) {
    let starts: BTreeSet<TargetPath> = hooks
        .iter()
        .filter(|hook| hook.kind == HookKind::Start && !hook.versions.is_empty())
        .filter_map(|hook| stem(&hook.path, b".start"))
        .collect();
    let mut silenced = BTreeSet::new();
    for hook in hooks.iter_mut().filter(|hook| hook.kind == HookKind::Pth) {
        let Some(stem) = stem(&hook.path, b".pth").filter(|stem| starts.contains(stem)) else { continue };
        let is_new = |range: &&'static str| range.starts_with("3.15");
        let mut had_code = false;
        for line in hook.lines.iter_mut().filter(|line| !line.run_by.is_empty()) {
            had_code = true;
            line.run_by.retain(|range| !is_new(range));
        }
        if had_code {
            hook.versions.retain(|range| !is_new(range));
            silenced.insert(stem);
        }
    }
    for hook in hooks.iter_mut().filter(|hook| start_file::is_silent(hook)) {
        if stem(&hook.path, b".start").is_some_and(|stem| silenced.contains(&stem)) {
            hook.features.push(Feature::Silences);
        }
    }
}

fn stem(path: &TargetPath, end: &[u8]) -> Option<TargetPath> {
    Some(path.parent()?.join(path.file_name().strip_suffix(end)?))
}
