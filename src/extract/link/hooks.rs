//! Start-up hooks: where each lies, who owns it, and which interpreters of this host run it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::environments::Home;
use super::interpreters;
use crate::extract::layout;
use crate::extract::python::start_file;
use crate::model::code::AddedBy;
use crate::model::distribution::Distribution;
use crate::model::facts::{Facts, Harvest};
use crate::model::id::Id;
use crate::model::path::TargetPath;
use crate::model::python::{Interpreter, PrefixMark};
use crate::model::startup::{Feature, HookKind, Ownership, StartupHook};
use crate::model::time::Time;
use crate::target::Target;

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
    place(target, facts, &mut hooks, homes, libraries);
    own(facts, &mut hooks);
    silence(&mut hooks);
    let runners = Runners::of(facts);
    hooks.iter_mut().for_each(|hook| hook.run_by = runners.of_hook(hook));
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

/// The folder that a hook counts for: of a package, the one that holds the package.
fn folder(hook: &StartupHook) -> Option<TargetPath> {
    let above = hook.path.parent()?;
    let is_module = matches!(hook.kind, HookKind::Sitecustomize | HookKind::Usercustomize);
    if is_module && hook.path.file_name().starts_with(b"__init__.") { above.parent() } else { Some(above) }
}

/// Says of each hook whether it lies where Python takes hooks from, and in whose environment. A hook may add folders, in
/// which there are further ones.
fn place(
    target: &Target,
    facts: &Facts,
    hooks: &mut [StartupHook],
    homes: &HashMap<TargetPath, Home>,
    libraries: &[(TargetPath, TargetPath)],
) {
    let environments: HashMap<&TargetPath, Id> = facts.environments.iter().map(|env| (&env.path, env.id)).collect();
    let libraries: HashMap<&TargetPath, Option<Id>> =
        libraries.iter().map(|(folder, prefix)| (folder, environments.get(prefix).copied())).collect();
    let mut added: BTreeMap<TargetPath, (AddedBy, Option<Id>)> = BTreeMap::new();
    let mut waiting: Vec<usize> = (0..hooks.len()).collect();
    loop {
        let mut grown = false;
        waiting.retain(|at| {
            let Some(hook) = hooks.get_mut(*at) else { return false };
            let Some(folder) = folder(hook) else { return false };
            if let Some(home) = homes.get(&folder) {
                hook.environment = Some(home.environment);
                hook.in_site_dir = home.runs_hooks;
            }
            let is_module = matches!(hook.kind, HookKind::Sitecustomize | HookKind::Usercustomize);
            if hook.kind == HookKind::UnderscorePth {
                hook.environment = environments.get(&folder).copied();
                hook.in_site_dir = true;
            }
            if let (true, Some(environment)) = (is_module, library(&libraries, &environments, &folder)) {
                hook.environment = environment;
                hook.in_site_dir = true;
            }
            if let Some((by, environment)) = added.get(&folder)
                && (is_module || *by == AddedBy::SiteDir)
            {
                hook.environment = hook.environment.or(*environment);
                hook.in_site_dir = true;
            }
            if !hook.in_site_dir {
                return true;
            }
            for one in &hook.code.folders {
                let Some(path) = resolved(target, &folder, &one.folder) else { continue };
                let entry = added.entry(path).or_insert((one.by, hook.environment));
                // Of two ways the one counts that runs more.
                entry.0 = entry.0.max(one.by);
            }
            grown = true;
            false
        });
        if !grown {
            return;
        }
    }
}

/// The environment whose standard library a folder is: by its content, or by its name.
fn library(
    known: &HashMap<&TargetPath, Option<Id>>,
    environments: &HashMap<&TargetPath, Id>,
    folder: &TargetPath,
) -> Option<Option<Id>> {
    let by_name = || {
        let prefix = layout::prefix_of_library(folder).filter(|_| layout::is_versioned(folder.file_name()))?;
        Some(environments.get(&prefix).copied())
    };
    known.get(folder).copied().or_else(by_name)
}

/// A folder as a hook in `beside` means it, links followed.
pub(crate) fn resolved(target: &Target, beside: &TargetPath, written: &str) -> Option<TargetPath> {
    let written = written.replace("{sitedir}", &beside.to_text());
    if written.contains('\u{fffc}') || written.is_empty() {
        return None;
    }
    let root = &target.root;
    let is_absolute = written.starts_with(['/', '\\']) || written.get(1..2) == Some(":");
    let path = match is_absolute {
        true => root.target_path(written.as_bytes()),
        false => root.target_path(&[beside.as_bytes(), b"/", written.as_bytes()].concat()),
    };
    Some(root.resolve(&path).map_or(path, |place| root.path_of(&place)))
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

/// The interpreters of a host, by what they start with.
struct Runners<'a> {
    by_environment: HashMap<Id, Vec<&'a Interpreter>>,
    facts: &'a Facts,
    /// Virtual environments that take the site directories of their base as well, and whether they do.
    venvs: HashMap<&'a TargetPath, bool>,
}

impl<'a> Runners<'a> {
    fn of(facts: &'a Facts) -> Self {
        let environments: HashMap<&TargetPath, Id> = facts.environments.iter().map(|env| (&env.path, env.id)).collect();
        let mut by_environment: HashMap<Id, Vec<&Interpreter>> = HashMap::new();
        for one in &facts.interpreters {
            let own = interpreters::prefix(&one.path);
            if let Some(id) = own.and_then(|prefix| environments.get(&prefix).copied()) {
                by_environment.entry(id).or_default().push(one);
            }
        }
        let venvs = facts.venvs.iter().map(|venv| (&venv.prefix, venv.has_system_sites)).collect();
        Self { by_environment, facts, venvs }
    }

    /// Ids of the interpreters that run a hook, each program once; version ranges where none is known.
    fn of_hook(&self, hook: &StartupHook) -> Vec<String> {
        if !hook.in_site_dir || hook.versions.is_empty() {
            return Vec::new();
        }
        let ranges = || hook.versions.iter().map(|range| (*range).to_owned()).collect();
        let Some(environment) = hook.environment.and_then(|id| self.facts.environments.iter().find(|env| env.id == id))
        else {
            return ranges();
        };
        let is_closed = self.venvs.get(&environment.path) == Some(&false);
        if hook.kind == HookKind::Usercustomize && is_closed {
            return Vec::new();
        }
        let mut all = self.starting(environment.id, &environment.path, environment.kind == "user-site");
        if all.is_empty() {
            return ranges();
        }
        let site = hook.path.parent().and_then(|site| layout::of(&site, false).python_version);
        all.retain(|one| runs(one, hook, site.as_deref()));
        let mut seen = BTreeSet::new();
        all.retain(|one| seen.insert((one.real_path.as_ref().unwrap_or(&one.path), one.environments.clone())));
        all.into_iter().map(|one| one.id.to_string()).collect()
    }

    /// The interpreters that take the hooks of an environment: its own, those of virtual environments that take in its
    /// site directories, and, of a user's site directory, those that are in no closed virtual environment.
    fn starting(&self, id: Id, path: &TargetPath, is_user: bool) -> Vec<&'a Interpreter> {
        let own = |id: Id| self.by_environment.get(&id).into_iter().flatten().copied();
        let mut all: Vec<&Interpreter> = own(id).collect();
        for env in &self.facts.environments {
            let is_open = self.venvs.get(&env.path).copied();
            // `/usr/local` has site directories of the system's Pythons.
            let is_local = path.file_name() == b"local" && path.parent().as_ref() == Some(&env.path);
            let is_made_from = is_open == Some(true) && env.base.as_ref().is_some_and(|base| is_of(base, path));
            if env.id != id && (is_local || is_made_from || (is_user && is_open != Some(false))) {
                all.extend(own(env.id));
            }
        }
        all
    }
}

/// Whether the folder of a base interpreter belongs to a prefix.
fn is_of(base: &TargetPath, prefix: &TargetPath) -> bool {
    base == prefix || base.parent().as_ref() == Some(prefix)
}

/// Whether an interpreter runs a hook, by its version; one whose version is not known may.
fn runs(one: &Interpreter, hook: &StartupHook, site: Option<&str>) -> bool {
    let Some(version) = one.version.as_deref().and_then(minor) else { return true };
    let fits_site = site.and_then(minor).is_none_or(|site| site == version);
    fits_site && hook.versions.iter().any(|range| covers(range, version))
}

fn minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    let number = |part: Option<&str>| part?.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
    Some((number(parts.next())?, number(parts.next())?))
}

/// Whether a range such as `<=3.12`, `3.13-3.14`, `>=3.15` or `2.7` holds a version.
fn covers(range: &str, version: (u32, u32)) -> bool {
    let bound = |text: &str| minor(text);
    if let Some(last) = range.strip_prefix("<=") {
        return bound(last).is_none_or(|last| version <= last);
    }
    if let Some(first) = range.strip_prefix(">=") {
        return bound(first).is_none_or(|first| version >= first);
    }
    match range.split_once('-') {
        Some((first, last)) => {
            bound(first).is_none_or(|first| version >= first) && bound(last).is_none_or(|last| version <= last)
        }
        None => bound(range).is_none_or(|only| version == only),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_their_versions() {
        assert!(covers("<=3.12", (2, 7)) && covers("<=3.12", (3, 12)) && !covers("<=3.12", (3, 13)));
        assert!(covers("3.13-3.14", (3, 13)) && !covers("3.13-3.14", (3, 15)));
        assert!(covers(">=3.15", (3, 15)) && covers("2.7", (2, 7)) && !covers("2.7", (3, 7)));
        assert!(covers(">=2", (3, 8)));
    }
}
