//! From site directories, `pyvenv.cfg` files and other marks to environments: each with its kind, account and base.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::sites::Sites;
use super::versions::Versions;
use crate::extract::layout;
use crate::model::container::Container;
use crate::model::distribution::DistState;
use crate::model::env_kind;
use crate::model::facts::Facts;
use crate::model::id::Id;
use crate::model::path::TargetPath;
use crate::model::python::{Environment, Prefix, PrefixMark, SiteDir, VenvConfig};
use crate::target::Target;
use crate::target::places::{Fit, Marks, Places, Rule};

/// What a site directory is part of.
pub(super) struct Home {
    /// The environment.
    pub(super) environment: Id,
    /// Overrides the state of what lies there.
    pub(super) state: Option<DistState>,
    /// Whether some interpreter runs `.pth` files from it.
    pub(super) runs_hooks: bool,
    /// On Windows: the prefix, whose hooks run as well.
    pub(super) prefix: Option<TargetPath>,
}

impl Home {
    /// The same for the prefix of a Windows layout, where it is one.
    pub(super) fn of_prefix(&self) -> Option<(TargetPath, Self)> {
        let path = self.prefix.clone()?;
        Some((path, Self { environment: self.environment, state: self.state, runs_hooks: true, prefix: None }))
    }
}

/// Makes environments from site directories.
pub(super) struct Builder<'a> {
    target: &'a Target,
    places: &'a Places,
    venvs: BTreeMap<TargetPath, VenvConfig>,
    prefixes: BTreeMap<TargetPath, Prefix>,
    marks: Marks,
    versions: &'a Versions,
    environments: BTreeMap<TargetPath, Environment>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(target: &'a Target, places: &'a Places, versions: &'a Versions, facts: &mut Facts) -> Self {
        let venvs = facts.venvs.iter().map(|venv| (venv.prefix.clone(), venv.clone())).collect();
        let mut prefixes: BTreeMap<TargetPath, Prefix> = BTreeMap::new();
        // Of several marks of one root the first says most.
        facts.prefixes.sort_unstable_by(|a, b| (&a.path, a.shown_by).cmp(&(&b.path, b.shown_by)));
        for prefix in facts.prefixes.drain(..) {
            prefixes.entry(prefix.path.clone()).or_insert(prefix);
        }
        let marks = Marks::of(facts.marks.drain(..), target.root.platform().is_case_blind());
        Self { target, places, venvs, prefixes, marks, versions, environments: BTreeMap::new() }
    }

    /// All environments, sorted by path.
    pub(super) fn finish(&mut self) -> Vec<Environment> {
        self.add_bare_venvs();
        std::mem::take(&mut self.environments).into_values().collect()
    }

    /// The kind of a place that has no environment of its own.
    pub(super) fn kind_of(&self, prefix: &TargetPath) -> Option<&'static str> {
        self.places.fit(prefix, false, &self.marks).map(|fit| env_kind::kind(&fit.rule.kind))
    }

    /// Whether an interpreter belongs to a folder: it has a standard library of its own, or a `pyvenv.cfg`.
    pub(super) fn has_interpreter(&self, prefix: &TargetPath) -> bool {
        self.venvs.contains_key(prefix)
            || self.prefixes.get(prefix).is_some_and(|prefix| prefix.shown_by != PrefixMark::Kernel)
    }

    /// The environments that something other than a site directory shows, and what lies in the folder that shows them.
    pub(super) fn add_prefixes(&mut self) -> Vec<(TargetPath, Home)> {
        let all: Vec<Prefix> = self.prefixes.values().cloned().collect();
        all.into_iter().filter_map(|prefix| self.add_prefix(prefix)).collect()
    }

    fn add_prefix(&mut self, prefix: Prefix) -> Option<(TargetPath, Home)> {
        let fit = self.places.fit(&prefix.path, self.venvs.contains_key(&prefix.path), &self.marks);
        let path = fit.as_ref().map_or_else(|| prefix.path.clone(), |fit| prefix.path.ancestor(fit.root));
        let inner = prefix.shown_by.kind();
        let new = environment(self.target, &path, prefix.owner_uid, fit.as_ref(), inner);
        let entry = self.environments.entry(path).or_insert(new);
        entry.base = entry.base.take().or(prefix.base);
        // conda-meta changes with every install: that says nothing of the beginning.
        entry.created = entry.created.or(prefix.modified.filter(|_| prefix.shown_by != PrefixMark::Conda));
        if entry.python_version.is_none() || prefix.shown_by == PrefixMark::Conda {
            let by_folder = || layout::of(&prefix.folder, self.target.root.platform().is_case_blind()).python_version;
            let known = entry.python_version.take().or_else(by_folder);
            entry.python_version = self.versions.of_environment(&prefix.path, entry.base.as_ref(), known, true);
        }
        let state = fit.as_ref().and_then(|fit| state(fit.rule));
        let home = Home { environment: entry.id, state, runs_hooks: false, prefix: None };
        (prefix.shown_by == PrefixMark::Conda).then_some((prefix.folder, home))
    }

    /// The environment of a folder in a cache, the trash or a layer, and the state that what lies there has; none for one of
    /// another place.
    pub(super) fn store(&mut self, folder: &TargetPath) -> Option<(Id, Option<DistState>)> {
        let fit = self.places.fit(folder, false, &self.marks)?;
        let state = state(fit.rule);
        if state.is_none() && fit.rule.container.is_none() {
            return None;
        }
        let path = folder.ancestor(fit.root);
        if !self.environments.contains_key(&path) {
            let new = environment(self.target, &path, None, Some(&fit), "unknown");
            self.environments.insert(path.clone(), new);
        }
        Some((self.environments.get(&path)?.id, state))
    }

    /// Finds or makes the environment of one site directory.
    pub(super) fn home(&mut self, site: &SiteDir, sites: &Sites) -> Home {
        // A folder of any name that `site-packages` links to is what the link says.
        let is_named = layout::is_site_name(site.path.file_name());
        let shape = site.known_as.as_ref().filter(|_| !is_named).unwrap_or(&site.path);
        let layout = layout::of(shape, self.target.root.platform().is_case_blind());
        let root = self.root(shape, &layout);
        let venv = self.venvs.get(&root).cloned();
        let fit = self.places.fit(&root, venv.is_some(), &self.marks);
        let mark = self.prefixes.get(&root).map(|prefix| prefix.shown_by);
        let versions = self.versions;
        let is_own = site.has_stdlib || sites.sources.contains(&site.path);
        let inner = inner_kind(venv.as_ref(), mark, site, &layout, is_own);
        let state = fit.as_ref().and_then(|fit| state(fit.rule));
        let path = fit.as_ref().map_or_else(|| root.clone(), |fit| root.ancestor(fit.root));
        let made = self.environments.entry(path);
        let entry = match made {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(gap) => {
                let new = environment(self.target, gap.key(), site.owner_uid, fit.as_ref(), inner);
                gap.insert(new)
            }
        };
        entry.site_dirs.push(site.path.clone());
        entry.also_at.extend(sites.other_names.get(&site.path).into_iter().flatten().cloned());
        if let Some(venv) = venv {
            entry.also_at.extend(lib64_name(&venv, &site.path));
            take_over(entry, venv);
        }
        let known = entry.python_version.take().or(layout.python_version);
        entry.python_version = versions.of_environment(&root, entry.base.as_ref(), known, mark.is_some());
        let runs_hooks = layout.runs_hooks && state.is_none();
        let prefix = (layout.prefix_runs_hooks && runs_hooks).then(|| entry.path.clone());
        Home { environment: entry.id, state, runs_hooks, prefix }
    }

    /// The folder that a site directory belongs to.
    fn root(&self, shape: &TargetPath, layout: &layout::Layout) -> TargetPath {
        let root = shape.ancestor(layout.root);
        // Debian's Pythons also look into VENV/local.
        let above = if root.file_name() == b"local" { root.parent() } else { None };
        above.filter(|above| self.venvs.contains_key(above) && !self.venvs.contains_key(&root)).unwrap_or(root)
    }

    /// A virtual environment is one even when nothing is installed in it.
    fn add_bare_venvs(&mut self) {
        let sites: BTreeSet<TargetPath> =
            self.environments.values().flat_map(|env| env.site_dirs.iter().cloned()).collect();
        let holds_site =
            |prefix: &TargetPath| sites.range(prefix.clone()..).next().is_some_and(|site| site.is_under(prefix));
        let bare: Vec<VenvConfig> =
            self.venvs.values().filter(|venv| venv.has_layout && !holds_site(&venv.prefix)).cloned().collect();
        for venv in bare {
            let fit = self.places.fit(&venv.prefix, true, &self.marks);
            let path = fit.as_ref().map_or_else(|| venv.prefix.clone(), |fit| venv.prefix.ancestor(fit.root));
            let new = environment(self.target, &path, None, fit.as_ref(), venv.kind);
            let entry = self.environments.entry(path).or_insert(new);
            entry.also_at.extend(venv.also_at.iter().cloned());
            take_over(entry, venv);
            let known = entry.python_version.take();
            entry.python_version = self.versions.of_environment(&entry.path, entry.base.as_ref(), known, false);
        }
    }
}

/// An environment of which only the place is known yet.
fn environment(
    target: &Target,
    path: &TargetPath,
    owner_uid: Option<u32>,
    fit: Option<&Fit<'_>>,
    inner: &'static str,
) -> Environment {
    let container = fit.and_then(|fit| container(fit, path));
    Environment {
        id: Id::new("env", &[path.as_bytes()]),
        kind: fit.map_or(inner, |fit| env_kind::kind(&fit.rule.kind)),
        python_version: None,
        site_dirs: Vec::new(),
        base: None,
        // What lies in a layer belongs to the container, not to an account of the host.
        account: if container.is_some() { None } else { target.account_of(path, owner_uid) },
        owner_uid,
        created: None,
        tool: container.is_some().then(|| inner.to_owned()),
        container,
        also_at: Vec::new(),
        path: path.clone(),
    }
}

/// Fills in what `pyvenv.cfg` says, where nothing else has said it.
fn take_over(entry: &mut Environment, venv: VenvConfig) {
    entry.python_version = entry.python_version.take().or(venv.version);
    entry.base = entry.base.take().or(venv.home);
    entry.created = entry.created.or(venv.modified);
}

fn state(rule: &Rule) -> Option<DistState> {
    match rule.state.as_deref() {
        Some("cached") => Some(DistState::Cached),
        Some("leftover") => Some(DistState::Leftover),
        _ => None,
    }
}

/// The kind by content, where no place says more.
fn inner_kind(
    venv: Option<&VenvConfig>,
    mark: Option<PrefixMark>,
    site: &SiteDir,
    layout: &layout::Layout,
    is_own: bool,
) -> &'static str {
    match (venv, layout.implementation) {
        (Some(venv), _) => venv.kind,
        (None, Some(implementation)) => implementation,
        (None, None) if mark.is_some_and(|mark| mark != PrefixMark::Stdlib) => mark.map_or("unknown", PrefixMark::kind),
        (None, None) if mark.is_some() || is_own => "unknown",
        (None, None) if layout.runs_hooks && layout.python_version.is_some() => "pip-prefix",
        (None, None) if layout.runs_hooks => "unknown",
        // Copies that a package or the standard library brings with it: setuptools/_vendor and its like.
        (None, None) if site.path.components().any(|name| layout::is_site_name(name) || layout::is_versioned(name)) => {
            "bundled"
        }
        (None, None) => "pip-target",
    }
}

/// `VENV/lib64/…`, where `lib64` is a link to `lib`.
fn lib64_name(venv: &VenvConfig, site: &TargetPath) -> Option<TargetPath> {
    if !venv.lib64_alias || !site.is_under(&venv.prefix.join(b"lib")) {
        return None;
    }
    let below = site.components().skip(venv.prefix.components().count() + 1);
    Some(below.fold(venv.prefix.join(b"lib64"), |path, part| path.join(part)))
}

/// The layer's id is the name of the folder above `diff` or `fs`, else that of the layer's own folder.
fn container(fit: &Fit<'_>, root: &TargetPath) -> Option<Container> {
    let engine = match fit.rule.container.as_deref()? {
        "docker" => "docker",
        "containerd" if root.components().any(|name| name == b"k3s") => "k3s",
        "containerd" => "containerd",
        _ => "podman",
    };
    let is_inner = matches!(root.file_name(), b"diff" | b"fs" | b"merged");
    let folder = if is_inner { root.parent()? } else { root.clone() };
    let id = String::from_utf8_lossy(folder.file_name()).into_owned();
    Some(Container::unknown(engine, id))
}
