//! Site directories, each once, whatever it is called.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::extract::layout::is_site_name;
use crate::model::distribution::{Distribution, MetadataForm};
use crate::model::facts::Facts;
use crate::model::path::TargetPath;
use crate::model::python::{DirIdentity, SiteDir, VenvConfig};

/// All site directories, each once.
pub(super) struct Sites {
    /// By path; aliases are taken out.
    pub(super) by_path: BTreeMap<TargetPath, SiteDir>,
    /// Path → the other paths of the same directory.
    pub(super) other_names: BTreeMap<TargetPath, Vec<TargetPath>>,
    /// Sites that hold nothing but metadata of source trees (`NAME.egg-info` without a version) and eggs.
    pub(super) sources: BTreeSet<TargetPath>,
}

impl Sites {
    pub(super) fn of(facts: &mut Facts) -> Self {
        let mut by_path: BTreeMap<TargetPath, SiteDir> = BTreeMap::new();
        for site in facts.site_dirs.drain(..) {
            match by_path.get_mut(&site.path) {
                Some(known) => {
                    known.has_stdlib |= site.has_stdlib;
                    known.identity = known.identity.or(site.identity);
                    known.known_as = known.known_as.take().or(site.known_as);
                }
                None => {
                    by_path.insert(site.path.clone(), site);
                }
            }
        }
        for site in facts.distributions.iter().filter_map(Distribution::site) {
            by_path.entry(site.clone()).or_insert(SiteDir {
                path: site,
                identity: None,
                owner_uid: None,
                has_stdlib: false,
                known_as: None,
            });
        }
        let mut sources: BTreeSet<TargetPath> = by_path.keys().cloned().collect();
        for found in &facts.distributions {
            let stem = found.path.file_name().strip_suffix(b".egg-info");
            let is_source = match found.metadata {
                MetadataForm::EggInfoDir => stem.is_some_and(|stem| !stem.contains(&b'-')),
                // What a source tree builds, before somebody installs it.
                MetadataForm::EggDir | MetadataForm::EggZip => true,
                _ => false,
            };
            if let (false, Some(site)) = (is_source, found.site()) {
                sources.remove(&site);
            }
        }
        sources.retain(|site| !is_site_name(site.file_name()));
        Self { by_path, other_names: BTreeMap::new(), sources }
    }

    /// Bind mounts show one directory under several paths: it is one thing, named by the first path, and the others are
    /// kept beside it. Hard links are not touched: two environments that share files are two environments.
    pub(super) fn merge_other_names(&mut self, facts: &mut Facts) {
        let mut first: HashMap<DirIdentity, TargetPath> = HashMap::new();
        let mut aliases: HashMap<TargetPath, TargetPath> = HashMap::new();
        let sites = self.by_path.values().map(|site| (&site.path, site.identity));
        let marks = facts.prefixes.iter().map(|prefix| (&prefix.folder, prefix.identity));
        let mut folders: Vec<_> = sites.chain(marks).filter_map(|(path, identity)| Some((path, identity?))).collect();
        folders.sort_unstable();
        folders.dedup();
        for (path, identity) in folders {
            match first.get(&identity) {
                Some(real) => {
                    aliases.insert(path.clone(), real.clone());
                }
                None => {
                    first.insert(identity, path.clone());
                }
            }
        }
        facts.prefixes.retain(|prefix| !aliases.contains_key(&prefix.folder));
        for (alias, real) in &aliases {
            if self.by_path.remove(alias).is_some() {
                self.other_names.entry(real.clone()).or_default().push(alias.clone());
            }
        }
        self.other_names.values_mut().for_each(|names| names.sort_unstable());
        let is_alias = |path: &TargetPath| path.parent().is_some_and(|site| aliases.contains_key(&site));
        let (repeats, own): (Vec<_>, Vec<_>) = facts.distributions.drain(..).partition(|found| is_alias(&found.path));
        facts.distributions = own;
        let index: HashMap<TargetPath, usize> =
            facts.distributions.iter().enumerate().map(|(at, found)| (found.path.clone(), at)).collect();
        for repeat in repeats {
            let real =
                repeat.path.parent().and_then(|site| aliases.get(&site)).map(|site| site.join(repeat.path.file_name()));
            match real.and_then(|real| index.get(&real)).and_then(|at| facts.distributions.get_mut(*at)) {
                Some(known) => known.also_at.push(repeat.path),
                None => facts.distributions.push(repeat),
            }
        }
        facts.startup_hooks.retain(|hook| !is_alias(&hook.path));
        merge_venvs(&mut facts.venvs);
    }
}

/// The same for virtual environments, which need not have a site directory.
fn merge_venvs(venvs: &mut Vec<VenvConfig>) {
    let mut own: Vec<VenvConfig> = Vec::with_capacity(venvs.len());
    let mut first: HashMap<DirIdentity, usize> = HashMap::new();
    for venv in venvs.drain(..) {
        let known = venv.identity.and_then(|identity| first.get(&identity)).and_then(|at| own.get_mut(*at));
        match known {
            Some(known) => known.also_at.push(venv.prefix),
            None => {
                first.extend(venv.identity.map(|identity| (identity, own.len())));
                own.push(venv);
            }
        }
    }
    *venvs = own;
}
