//! Which interpreters of this host run a hook.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::order::{self, Rank};
use super::place::{Settings, Via, Way};
use super::range::{self, covers};
use super::shape::{self, Flavour, Seen, Shape};
use crate::extract::link::interpreters;
use crate::model::facts::Facts;
use crate::model::id::Id;
use crate::model::path::TargetPath;
use crate::model::python::{Environment, Interpreter};
use crate::model::startup::{HookKind, StartupHook};
use crate::target::Target;

/// An interpreter, with what it starts in.
pub(super) struct Start<'a> {
    pub(super) one: &'a Interpreter,
    environment: Option<&'a Environment>,
    /// For a virtual environment: whether it takes the site directories of its base as well.
    venv: Option<bool>,
    pub(super) flavour: Flavour,
}

/// An interpreter that comes to a hook: its place among the starts, and how soon the hook's folder is on its path.
pub(super) type Reach = (usize, Rank);

/// Who runs a hook.
enum By {
    /// These; maybe nobody.
    Starts(Vec<Reach>),
    /// Whoever has the version: no interpreter is known.
    Ranges,
}

/// The interpreters of a host, by what they start with.
pub(super) struct Runners<'a> {
    starts: Vec<Start<'a>>,
    environments: HashMap<Id, &'a Environment>,
    /// Virtual environments that take the site directories of their base as well, and whether they do.
    venvs: HashMap<&'a TargetPath, bool>,
    target: &'a Target,
    settings: &'a Settings,
}

impl<'a> Runners<'a> {
    pub(super) fn of(
        target: &'a Target,
        facts: &'a Facts,
        libraries: &[(TargetPath, TargetPath)],
        settings: &'a Settings,
    ) -> Self {
        let by_path: HashMap<&TargetPath, &Environment> =
            facts.environments.iter().map(|env| (&env.path, env)).collect();
        let venvs: HashMap<&TargetPath, bool> =
            facts.venvs.iter().map(|venv| (&venv.prefix, venv.has_system_sites)).collect();
        let mut libraries = Libraries { target, folders: libraries, known: BTreeMap::new() };
        let start = |one: &'a Interpreter| {
            let prefix = interpreters::prefix(&one.path);
            let environment = prefix.as_ref().and_then(|prefix| by_path.get(prefix).copied());
            let venv = environment.and_then(|env| venvs.get(&env.path).copied());
            let version = range::version(one);
            let is_debian = libraries.is_debian(one, environment, prefix.as_ref(), version);
            Start { one, environment, venv, flavour: Flavour { version, is_debian, is_venv: venv.is_some() } }
        };
        let starts = facts.interpreters.iter().map(start).collect();
        let environments = facts.environments.iter().map(|env| (env.id, env)).collect();
        Self { starts, environments, venvs, target, settings }
    }

    /// Fills in who runs each hook: ids of interpreters, each program once; version ranges where none is known.
    pub(super) fn fill(&self, hooks: &mut [StartupHook], ways: &[Vec<Way>]) {
        let mut all: Vec<By> = hooks.iter().zip(ways).map(|(hook, ways)| self.by(hook, ways)).collect();
        let mut reaches: Vec<&mut Vec<Reach>> = Vec::new();
        let mut modules: Vec<&StartupHook> = Vec::new();
        for (hook, by) in hooks.iter().zip(&mut all).filter(|(hook, _)| super::is_module(hook)) {
            if let By::Starts(starts) = by {
                reaches.push(starts);
                modules.push(hook);
            }
        }
        order::keep_first(&modules, &mut reaches, &self.starts);
        for (hook, by) in hooks.iter_mut().zip(all) {
            hook.run_by = match by {
                By::Starts(starts) => self.ids(&starts),
                By::Ranges => hook.versions.iter().map(|range| (*range).to_owned()).collect(),
            };
        }
    }

    fn ids(&self, reaches: &[Reach]) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let all = reaches.iter().filter_map(|(at, _)| self.starts.get(*at));
        let once = all.filter(|start| {
            let (one, own) = (start.one, start.environment.map(|env| env.id));
            seen.insert((one.real_path.as_ref().unwrap_or(&one.path), own, &one.environments))
        });
        once.map(|start| start.one.id.to_string()).collect()
    }

    /// Who comes to a hook by any way. Where interpreters are known, they speak for all.
    fn by(&self, hook: &StartupHook, ways: &[Way]) -> By {
        if !hook.in_site_dir || hook.versions.is_empty() {
            return By::Starts(Vec::new());
        }
        let mut first: BTreeMap<usize, Rank> = BTreeMap::new();
        let mut is_open = false;
        for way in ways {
            match self.by_way(hook, way) {
                By::Ranges => is_open = true,
                By::Starts(starts) => {
                    for (at, rank) in starts {
                        first.entry(at).and_modify(|known| *known = rank.min(*known)).or_insert(rank);
                    }
                }
            }
        }
        if first.is_empty() && is_open { By::Ranges } else { By::Starts(first.into_iter().collect()) }
    }

    fn by_way(&self, hook: &StartupHook, way: &Way) -> By {
        let environment = way.environment.and_then(|id| self.environments.get(&id).copied());
        if way.via != Via::Setting && environment.is_none() {
            return By::Ranges;
        }
        let needs_user = hook.kind == HookKind::Usercustomize;
        let is_closed = environment.is_some_and(|env| self.venvs.get(&env.path) == Some(&false));
        if needs_user && is_closed && way.via == Via::Site {
            return By::Starts(Vec::new());
        }
        let shape = Shape::of(&way.folder);
        let version = shape::version(&way.folder).filter(|_| way.via != Via::Setting);
        let (mut is_known, mut found) = (false, Vec::new());
        for (at, start) in self.starts.iter().enumerate() {
            let Some(seen) = self.seen(start, way, environment) else { continue };
            let is_own = environment.is_some_and(|env| start.is_in(env));
            let is_read = way.via != Via::Site || shape.is_read(start.flavour, seen);
            is_known |= is_own || is_read;
            if is_read && !(needs_user && start.venv == Some(false)) && runs(start, hook, version) {
                found.push((at, self.rank(start, way, shape, seen, is_own)));
            }
        }
        if is_known { By::Starts(found) } else { By::Ranges }
    }

    /// How an interpreter stands to the folder of a way; none if it does not look there.
    fn seen(&self, start: &Start<'_>, way: &Way, environment: Option<&Environment>) -> Option<Seen> {
        let own = start.environment;
        let Some(environment) = environment.filter(|_| way.via != Via::Setting) else {
            return own.is_none_or(|env| env.container.is_none()).then_some(Seen::Own);
        };
        // `/usr/local` has site directories of the system's Pythons.
        let is_local = environment.path.file_name() == b"local";
        let above = environment.path.parent().filter(|_| is_local && way.via == Via::Site);
        let base = own.and_then(|env| env.base.as_ref()).filter(|_| start.venv.is_some());
        let takes_base = start.venv == Some(true) || way.via == Via::Library;
        let has_base = |prefix: &TargetPath| takes_base && base.is_some_and(|base| is_of(base, prefix));
        if start.is_in(environment) {
            // Of a virtual environment, `VENV/local` is no environment of its own.
            let prefix = way.folder.parent().and_then(|python| python.parent()?.parent());
            let is_below = prefix.is_some_and(|prefix| {
                prefix.file_name() == b"local" && prefix != environment.path && prefix.is_under(&environment.path)
            });
            return Some(if is_below { Seen::Local } else { Seen::Own });
        }
        if has_base(&environment.path) {
            return Some(Seen::Own);
        }
        if above.is_some_and(|above| own.is_some_and(|env| env.path == above) || has_base(&above)) {
            return Some(Seen::Local);
        }
        let is_user = environment.kind == "user-site" || self.settings.user_bases.contains(&environment.path);
        (is_user && way.via == Via::Site && own.is_some() && start.venv != Some(false)).then_some(Seen::User)
    }

    /// How soon the folder of a way is on the path of an interpreter.
    fn rank(&self, start: &Start<'_>, way: &Way, shape: Shape, seen: Seen, is_own: bool) -> Rank {
        let (place, is_sure) = match (way.via, seen) {
            (Via::Setting, _) => (0, false),
            (Via::Library, _) => (1, true),
            (Via::Site, _) if is_own && start.venv.is_some() => (2, true),
            // Another account may start the same program.
            (Via::Site, Seen::User) => (3, self.is_of_one_account(start, way)),
            (Via::Site, _) => (4, true),
        };
        let within = match (shape, seen) {
            (_, Seen::Local) => 0,
            (Shape::SharedDist, _) => 1,
            (Shape::Dist, _) => 2,
            _ => 0,
        };
        Rank { place, within, is_added: way.is_added, is_unsure: !is_sure || way.is_added }
    }

    /// Whether an interpreter lies in the home that a user's site directory is part of.
    fn is_of_one_account(&self, start: &Start<'_>, way: &Way) -> bool {
        let name = b".local".as_slice();
        let above = way.folder.components().position(|part| part == name).map(|count| way.folder.ancestor(count));
        let home = self.target.home_of(&way.folder).map(|account| &account.real_home);
        home.or(above.as_ref()).is_some_and(|home| start.one.path.is_under(home))
    }
}

impl Start<'_> {
    fn is_in(&self, environment: &Environment) -> bool {
        self.environment.is_some_and(|own| own.id == environment.id)
    }
}

/// The `site` modules of standard libraries, which say whose they are.
struct Libraries<'a> {
    target: &'a Target,
    /// Each with its prefix.
    folders: &'a [(TargetPath, TargetPath)],
    known: BTreeMap<&'a TargetPath, Option<bool>>,
}

impl Libraries<'_> {
    /// Whether an interpreter is Debian's, by the library that it really belongs to.
    fn is_debian(
        &mut self,
        one: &Interpreter,
        environment: Option<&Environment>,
        prefix: Option<&TargetPath>,
        version: Option<(u32, u32)>,
    ) -> Option<bool> {
        if one.implementation != "cpython" || version.is_none() {
            return None;
        }
        let base = environment.and_then(|env| env.base.as_ref());
        let above = base.and_then(|base| base.parent());
        let real = one.real_path.as_ref().and_then(interpreters::prefix);
        let prefixes = [prefix, base, above.as_ref(), real.as_ref()];
        for (folder, prefix) in self.folders {
            if shape::version(folder) == version && prefixes.contains(&Some(prefix)) {
                let target = self.target;
                return *self.known.entry(folder).or_insert_with(|| has_debians_site(target, folder));
            }
        }
        None
    }
}

/// Whether a library's `site.py` is Debian's: only that names `dist-packages`.
fn has_debians_site(target: &Target, library: &TargetPath) -> Option<bool> {
    let text = target.root.read_small(&library.join(b"site.py")).ok()?;
    let names = |name: &[u8]| memchr::memmem::find(&text, name).is_some();
    names(b"site-packages").then(|| names(b"dist-packages"))
}

/// Whether the folder of a base interpreter belongs to a prefix.
fn is_of(base: &TargetPath, prefix: &TargetPath) -> bool {
    base == prefix || base.parent().as_ref() == Some(prefix)
}

/// Whether an interpreter runs a hook, by its version; one whose version is not known may.
fn runs(start: &Start<'_>, hook: &StartupHook, site: Option<(u32, u32)>) -> bool {
    let Some(version) = start.flavour.version else { return true };
    site.is_none_or(|site| site == version) && hook.versions.iter().any(|range| covers(range, version))
}
