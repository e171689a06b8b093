//! Everything the readers found, a vector per noun. Harvests merge in any order; one sort at the end makes two sweeps
//! of the same disk equal.

use super::autostart::{Autostart, UnitLink};
use super::checkout::Checkout;
use super::container::{ContainerStore, KnownContainer};
use super::coverage::{Counts, Gap, Skipped};
use super::distribution::Distribution;
use super::id::Id;
use super::install::Install;
use super::known_file::WatchedFile;
use super::path::TargetPath;
use super::pod::Pod;
use super::python::{Environment, Interpreter, Prefix, SiteDir, VenvConfig, VersionMark};
use super::setting::PythonSetting;
use super::startup::{Module, StartupHook};
use super::system_package::SystemPackage;
use super::text::Excerpt;
use super::variable::VariableSetting;

/// What is true of the target, without opinion.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Facts {
    /// `pyvenv.cfg` files.
    pub venvs: Vec<VenvConfig>,
    /// Other folders that are shown to be the root of an environment.
    pub prefixes: Vec<Prefix>,
    /// Files by which tools mark what they made; for the join.
    pub marks: Vec<TargetPath>,
    /// What files say of the versions of interpreters; for the join.
    pub versions: Vec<VersionMark>,
    /// Directories that packages are imported from.
    pub site_dirs: Vec<SiteDir>,
    /// Python programs.
    pub interpreters: Vec<Interpreter>,
    /// Filled when facts are joined.
    pub environments: Vec<Environment>,
    /// Distributions.
    pub distributions: Vec<Distribution>,
    /// What caches say of the things in them; for the join.
    pub cache_notes: Vec<CacheNote>,
    /// Lines of pipelines and requirements files that have packages installed.
    pub installs: Vec<Install>,
    /// Start-up files.
    pub startup_hooks: Vec<StartupHook>,
    /// Code of packages that stands out, of those that were looked into.
    pub package_code: Vec<PackageCode>,
    /// Files under names that packs watch.
    pub watched_files: Vec<WatchedFile>,
    /// Environment variables that steer Python's start; for the join.
    pub settings: Vec<PythonSetting>,
    /// Environment variables that have code loaded or run; for the stage after the join.
    pub variables: Vec<VariableSetting>,
    /// Other files that lock and requirement files name; for the second look.
    pub lock_includes: Vec<LockInclude>,
    /// What starts by itself.
    pub autostarts: Vec<Autostart>,
    /// Links that arm units of systemd; for the stage after the join.
    pub unit_links: Vec<UnitLink>,
    /// Stores of container engines; for the stage after the join.
    pub container_stores: Vec<ContainerStore>,
    /// What Docker writes of its containers, apart from its stores; for the same.
    pub known_containers: Vec<KnownContainer>,
    /// Packages of the system's own managers that some pack names.
    pub system_packages: Vec<SystemPackage>,
    /// Repositories of git.
    pub checkouts: Vec<Checkout>,
    /// Pods and containers by name.
    pub pods: Vec<Pod>,
}

/// A file that a lock or requirements file names as a part of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LockInclude {
    /// The file that names it.
    pub from: TargetPath,
    /// On which line, counted from 1.
    pub line: u32,
    /// As it is written: relative to the folder of that file.
    pub written: Vec<u8>,
    /// Who owns the file that names it.
    pub owner_uid: u32,
}

/// A module of a package, and what stands out in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PackageCode {
    /// Whose it is.
    pub distribution: Id,
    /// The module.
    pub module: Module,
}

/// What a file of a cache says of something in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CacheNote {
    /// The folder that it speaks of.
    pub about: TargetPath,
    /// SHA-256 of the archive that this came from, lower-case hex.
    pub sha256: Option<String>,
    /// Where that came from.
    pub source_url: Option<Excerpt>,
    /// What it is, should the folder be gone: the note itself is then all that is left of a download.
    pub names: Option<Box<Distribution>>,
}

impl CacheNote {
    /// One that says nothing yet.
    #[must_use]
    pub fn about(about: TargetPath) -> Self {
        Self { about, sha256: None, source_url: None, names: None }
    }
}

/// One reader's yield: facts, and what it missed.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Harvest {
    /// Found.
    pub facts: Facts,
    /// Missed.
    pub gaps: Vec<Gap>,
    /// Left out on purpose.
    pub skipped: Vec<Skipped>,
    /// Work done.
    pub counts: Counts,
}

impl Harvest {
    /// A harvest of nothing but one gap.
    #[must_use]
    pub fn missed(gap: Gap) -> Self {
        Self { gaps: vec![gap], ..Self::default() }
    }

    /// Takes over all of `other`. Associative up to order; `sort` settles the order.
    pub fn merge(&mut self, other: Self) {
        let Facts {
            venvs,
            prefixes,
            marks,
            versions,
            site_dirs,
            interpreters,
            environments,
            distributions,
            cache_notes,
            installs,
            startup_hooks,
            watched_files,
            package_code,
            settings,
            variables,
            lock_includes,
            autostarts,
            unit_links,
            container_stores,
            known_containers,
            system_packages,
            checkouts,
            pods,
        } = other.facts;
        take(&mut self.facts.venvs, venvs);
        take(&mut self.facts.prefixes, prefixes);
        take(&mut self.facts.marks, marks);
        take(&mut self.facts.versions, versions);
        take(&mut self.facts.site_dirs, site_dirs);
        take(&mut self.facts.interpreters, interpreters);
        take(&mut self.facts.environments, environments);
        take(&mut self.facts.distributions, distributions);
        take(&mut self.facts.cache_notes, cache_notes);
        take(&mut self.facts.installs, installs);
        take(&mut self.facts.startup_hooks, startup_hooks);
        take(&mut self.facts.watched_files, watched_files);
        take(&mut self.facts.package_code, package_code);
        take(&mut self.facts.settings, settings);
        take(&mut self.facts.variables, variables);
        take(&mut self.facts.lock_includes, lock_includes);
        take(&mut self.facts.autostarts, autostarts);
        take(&mut self.facts.unit_links, unit_links);
        take(&mut self.facts.container_stores, container_stores);
        take(&mut self.facts.known_containers, known_containers);
        take(&mut self.facts.system_packages, system_packages);
        take(&mut self.facts.checkouts, checkouts);
        take(&mut self.facts.pods, pods);
        take(&mut self.gaps, other.gaps);
        take(&mut self.skipped, other.skipped);
        self.counts.add(other.counts);
    }

    /// Puts every vector into one order, whatever order the walk had.
    pub fn sort(&mut self) {
        let facts = &mut self.facts;
        facts.venvs.sort_unstable();
        facts.prefixes.sort_unstable();
        facts.marks.sort_unstable();
        facts.versions.sort_unstable();
        facts.site_dirs.sort_unstable();
        facts.interpreters.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        facts.environments.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        facts.distributions.sort_unstable_by(|a, b| (&a.path, &a.id).cmp(&(&b.path, &b.id)));
        facts.cache_notes.sort_unstable();
        facts.installs.sort_unstable();
        facts.installs.dedup();
        facts.startup_hooks.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        facts.watched_files.sort_unstable();
        facts.package_code.sort_unstable();
        // Two units may name the same file of variables.
        facts.settings.sort_unstable();
        facts.settings.dedup();
        facts.variables.sort_unstable();
        facts.lock_includes.sort_unstable();
        facts.autostarts.sort_unstable_by(|a, b| (&a.path, a.line, &a.id).cmp(&(&b.path, b.line, &b.id)));
        facts.unit_links.sort_unstable();
        facts.container_stores.sort_unstable();
        facts.container_stores.dedup();
        facts.known_containers.sort_unstable();
        facts.known_containers.dedup();
        facts.system_packages.sort_unstable();
        facts.system_packages.dedup();
        facts.checkouts.sort_unstable();
        facts.checkouts.dedup();
        facts.pods.sort_unstable();
        facts.pods.dedup();
        self.gaps.sort_unstable();
        self.gaps.dedup();
        self.skipped.sort_unstable();
        self.skipped.dedup();
    }
}

/// Adds `more` to `all`. The larger one stays where it is: most harvests hold a thing or two, and a long list that moved
/// at every step would be in memory twice.
fn take<T>(all: &mut Vec<T>, mut more: Vec<T>) {
    if all.len() < more.len() {
        std::mem::swap(all, &mut more);
        all.splice(0..0, more);
    } else {
        all.append(&mut more);
    }
}
