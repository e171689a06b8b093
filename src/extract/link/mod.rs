//! Joins what the readers found one by one: distribution and hook to site directory, site directory to environment,
//! environment to account and base. Nothing is read here.

mod environments;
mod sites;

use std::collections::{BTreeSet, HashMap};

use crate::model::facts::{Facts, Harvest};
use crate::model::path::TargetPath;
use crate::model::python::Distribution;
use crate::model::startup::{Ownership, StartupHook};
use crate::target::Target;
use crate::target::places::Places;
use environments::{Builder, Home};
use sites::Sites;

/// Fills in who belongs to whom and puts everything into one order.
#[must_use]
pub fn link(target: &Target, places: &Places, mut harvest: Harvest) -> Harvest {
    harvest.sort();
    drop_repeats(&mut harvest.facts);
    let mut sites = Sites::of(&mut harvest.facts);
    sites.merge_other_names(&mut harvest.facts);
    let mut builder = Builder::new(target, places, &harvest.facts.venvs);
    let mut homes: HashMap<TargetPath, Home> =
        sites.by_path.values().map(|site| (site.path.clone(), builder.home(site, &sites))).collect();
    let prefixes: Vec<(TargetPath, Home)> = homes.values().filter_map(Home::of_prefix).collect();
    for (path, home) in prefixes {
        homes.entry(path).or_insert(home);
    }
    harvest.facts.environments = builder.finish();
    settle_distributions(&mut harvest.facts, &homes);
    settle_hooks(&mut harvest, &homes);
    settle_interpreters(&mut harvest.facts);
    harvest.sort();
    harvest
}

/// Walks that overlap show the same thing twice.
fn drop_repeats(facts: &mut Facts) {
    facts.venvs.dedup();
    facts.interpreters.dedup_by(|a, b| a.path == b.path);
    facts.distributions.dedup_by(|a, b| a.path == b.path);
    facts.startup_hooks.dedup_by(|a, b| a.path == b.path);
    facts.watched_files.dedup_by(|a, b| a.path == b.path);
}

fn settle_distributions(facts: &mut Facts, homes: &HashMap<TargetPath, Home>) {
    for found in &mut facts.distributions {
        let Some(home) = found.path.parent().and_then(|site| homes.get(&site)) else {
            continue;
        };
        found.environment = Some(home.environment);
        if let (true, Some(state)) = (found.state.is_importable(), home.state) {
            found.state = state;
        }
    }
}

fn settle_hooks(harvest: &mut Harvest, homes: &HashMap<TargetPath, Home>) {
    type Owner<'a> = (&'a Distribution, Option<&'a str>);
    let mut owners: HashMap<(TargetPath, &[u8]), Vec<Owner<'_>>> = HashMap::new();
    for found in &harvest.facts.distributions {
        let Some(site) = found.path.parent() else { continue };
        for hook in &found.hooks {
            owners.entry((site.clone(), &hook.name)).or_default().push((found, hook.sha256.as_deref()));
        }
    }
    let mut harmless = BTreeSet::new();
    harvest.facts.startup_hooks.retain_mut(|hook| {
        let Some(site) = hook.path.parent() else {
            return true;
        };
        let home = homes.get(&site);
        hook.environment = home.map(|home| home.environment);
        hook.in_site_dir = home.is_some_and(|home| home.runs_hooks);
        if !hook.in_site_dir {
            hook.run_by.clear();
        }
        // Anybody can add a RECORD that lists a file without a hash: one that disagrees has the last word.
        let rows = owners.get(&(site, hook.path.file_name())).map_or(&[] as &[_], Vec::as_slice);
        let judged = rows.iter().map(|(owner, hash)| (ownership(hook, *hash), owner.id));
        if let Some((ownership, owner)) = judged.max_by_key(|(ownership, _)| *ownership) {
            hook.distribution = Some(owner);
            hook.ownership = ownership;
        }
        let runs = hook.in_site_dir || hook.lines.iter().any(|line| line.class.runs_code());
        // Data under the same suffix in a folder that Python takes no hooks from: neither a hook nor a miss.
        if !runs && home.is_none() {
            harmless.insert(hook.path.clone());
            return false;
        }
        true
    });
    for gap in harvest.gaps.iter_mut().filter(|gap| harmless.contains(&gap.path)) {
        gap.material = false;
    }
}

fn ownership(hook: &StartupHook, hash: Option<&str>) -> Ownership {
    match (hash, hook.sha256.as_deref()) {
        (Some(wanted), Some(is)) if wanted != is => Ownership::Changed,
        _ => Ownership::Owned,
    }
}

fn settle_interpreters(facts: &mut Facts) {
    for one in &mut facts.interpreters {
        let folder = one.path.parent();
        let real_folder = one.real_path.as_ref().and_then(TargetPath::parent);
        // PREFIX/bin/python, PREFIX\Scripts\python.exe, PREFIX\python.exe
        let prefix = match folder.as_ref().map(TargetPath::file_name) {
            Some(b"bin" | b"Scripts") => folder.as_ref().and_then(TargetPath::parent),
            _ => folder.clone(),
        };
        let own = facts.environments.iter().filter(|env| Some(&env.path) == prefix.as_ref());
        if let Some(env) = own.clone().next() {
            one.kind = env.kind;
        }
        let made_from = facts
            .environments
            .iter()
            .filter(|env| env.base.is_some() && (env.base == folder || env.base == real_folder));
        one.environments = own.chain(made_from).map(|env| env.id).collect();
        one.environments.sort_unstable();
        one.environments.dedup();
    }
}
