//! The modules that start-up hooks bring in: searched for on the import path as Python would, and followed as their
//! import runs them. It comes after the join, because only then is the import path known.
//!
//! `finder` searches, `follow` reads and follows, `owners` asks the package managers whose files these are.

mod finder;
mod follow;
mod owners;
pub mod packages;
mod settings;
mod stdlib_names;

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::Later;
use super::link::resolved;
use crate::model::coverage::{Counts, Gap};
use crate::model::facts::{Facts, Harvest};
use crate::model::id::Id;
use crate::model::path::TargetPath;
use crate::model::python::Environment;
use crate::model::startup::{Module, StartupHook};
use crate::target::Target;
use finder::Finder;

/// The row of coverage.
pub const STAGE: Later = Later {
    id: "startup-modules",
    sentence: "The modules that start-up files bring in, followed as far as they run at the start.",
};

/// What one hook brought in.
struct Brought {
    hook: usize,
    modules: Vec<Module>,
    gaps: Vec<Gap>,
}

/// Follows every hook of every environment, and asks who owns what was found.
#[must_use]
pub fn settle(target: &Target, facts: &mut Facts) -> Harvest {
    let mut groups: BTreeMap<Option<Id>, Vec<usize>> = BTreeMap::new();
    for (at, hook) in facts.startup_hooks.iter().enumerate() {
        if hook.in_site_dir && !hook.code.imports.is_empty() {
            groups.entry(hook.environment).or_default().push(at);
        }
    }
    let paths = ImportPaths::of(target, facts);
    let shared: &Facts = facts;
    let done: Vec<(Vec<Brought>, Counts)> =
        groups.par_iter().map(|(environment, hooks)| follow_all(target, shared, &paths, *environment, hooks)).collect();
    let mut harvest = Harvest::default();
    for (all, counts) in done {
        harvest.counts.add(counts);
        for one in all {
            harvest.gaps.extend(one.gaps);
            if let Some(hook) = facts.startup_hooks.get_mut(one.hook) {
                hook.modules = one.modules;
            }
        }
    }
    settings::add(target, facts, &mut harvest.gaps);
    harvest.merge(owners::settle(target, facts));
    harvest
}

fn follow_all(
    target: &Target,
    facts: &Facts,
    paths: &ImportPaths,
    environment: Option<Id>,
    hooks: &[usize],
) -> (Vec<Brought>, Counts) {
    let mut finder = Finder::of(target);
    let mut all = Vec::with_capacity(hooks.len());
    for at in hooks {
        let Some(hook) = facts.startup_hooks.get(*at) else { continue };
        let mut gaps = Vec::new();
        let modules = follow::follow(&mut finder, hook, &paths.of_hook(environment, hook), &mut gaps);
        all.push(Brought { hook: *at, modules, gaps });
    }
    (all, finder.counts())
}

/// The folders that modules are imported from, standard library aside.
struct ImportPaths {
    by_environment: BTreeMap<Id, Vec<TargetPath>>,
}

impl ImportPaths {
    fn of(target: &Target, facts: &Facts) -> Self {
        let environments: BTreeMap<&TargetPath, &Environment> =
            facts.environments.iter().map(|env| (&env.path, env)).collect();
        let mut by_environment: BTreeMap<Id, Vec<TargetPath>> =
            facts.environments.iter().map(|env| (env.id, env.site_dirs.clone())).collect();
        for hook in facts.startup_hooks.iter().filter(|hook| hook.in_site_dir) {
            let (Some(id), Some(folder)) = (hook.environment, hook.path.parent()) else { continue };
            let added = hook.code.folders.iter().filter_map(|one| resolved(target, &folder, &one.folder));
            by_environment.entry(id).or_default().extend(added);
        }
        // What an open environment takes from its base comes last.
        let open = facts.venvs.iter().filter(|venv| venv.has_system_sites);
        for venv in open {
            let Some(env) = environments.get(&venv.prefix) else { continue };
            let base = venv.home.as_ref().and_then(|home| {
                [home.parent(), Some(home.clone())].into_iter().flatten().find_map(|at| environments.get(&at))
            });
            let sites = base.map(|base| base.site_dirs.clone()).unwrap_or_default();
            by_environment.entry(env.id).or_default().extend(sites);
        }
        Self { by_environment }
    }

    /// Those of one hook: what lies beside it first.
    fn of_hook(&self, environment: Option<Id>, hook: &StartupHook) -> Vec<TargetPath> {
        let own = hook.path.parent();
        let own = own
            .map(|own| if hook.path.file_name().starts_with(b"__init__.") { own.parent().unwrap_or(own) } else { own });
        let shared = environment.and_then(|id| self.by_environment.get(&id)).into_iter().flatten().cloned();
        let mut all: Vec<TargetPath> = own.into_iter().collect();
        for folder in shared {
            if !all.contains(&folder) {
                all.push(folder);
            }
        }
        all
    }
}
