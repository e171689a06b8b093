//! Where Python takes hooks from, and on whose behalf: site directories, standard libraries, folders that other hooks
//! add, and folders that variables name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::shape::Shape;
use super::{folder, is_module};
use crate::extract::layout;
use crate::extract::link::environments::Home;
use crate::model::code::AddedBy;
use crate::model::facts::Facts;
use crate::model::id::Id;
use crate::model::path::TargetPath;
use crate::model::setting::Named;
use crate::model::startup::{HookKind, StartupHook};
use crate::target::Target;

/// What brings Python to a folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Via {
    /// It is a site directory.
    Site,
    /// It is a standard library.
    Library,
    /// `PYTHONPATH` names it.
    Setting,
}

/// One way in which Python comes to a hook.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Way {
    pub(super) via: Via,
    /// The environment that the folder belongs to.
    pub(super) environment: Option<Id>,
    /// The folder that Python knows by itself: that of the hook, or the one whose hooks add that.
    pub(super) folder: TargetPath,
    /// Whether hooks add the hook's own folder.
    pub(super) is_added: bool,
}

/// The folders that variables of the swept system name.
pub(super) struct Settings {
    /// Of `PYTHONPATH`.
    paths: BTreeSet<TargetPath>,
    /// Of `PYTHONUSERBASE`.
    pub(super) user_bases: BTreeSet<TargetPath>,
}

impl Settings {
    pub(super) fn of(target: &Target, facts: &Facts) -> Self {
        let mut all = Self { paths: BTreeSet::new(), user_bases: BTreeSet::new() };
        for setting in facts.settings.iter().filter(|setting| setting.is_in_place && setting.is_exported) {
            let folders = match setting.variable {
                "PYTHONPATH" => &mut all.paths,
                "PYTHONUSERBASE" => &mut all.user_bases,
                _ => continue,
            };
            let home = target.home_of(&setting.path).map(|account| &account.home);
            let named = setting.folders(home).into_iter();
            folders.extend(named.filter_map(|one| match one {
                Named::Path(path) => Some(real(target, target.root.target_path(path.as_bytes()))),
                Named::Relative(_) | Named::Unresolved(_) => None,
            }));
        }
        all
    }
}

/// Folders that hooks add, with what adds them.
type AddedFolders = BTreeMap<TargetPath, Vec<(AddedBy, Way)>>;

/// Where Python looks, as far as the facts say.
struct Known<'a> {
    homes: &'a HashMap<TargetPath, Home>,
    environments: HashMap<&'a TargetPath, Id>,
    libraries: HashMap<&'a TargetPath, Option<Id>>,
    settings: &'a Settings,
}

impl Known<'_> {
    /// All ways to a hook in `folder`, the surest first.
    fn ways(&self, hook: &StartupHook, folder: &TargetPath, added: &AddedFolders) -> Vec<Way> {
        let mut ways = Vec::new();
        let way = |via, environment| Way { via, environment, folder: folder.clone(), is_added: false };
        // A list of folders beside an interpreter is that interpreter's.
        if hook.kind == HookKind::UnderscorePth {
            ways.push(way(Via::Library, self.environments.get(folder).copied()));
        }
        if is_module(hook)
            && let Some(environment) = library(&self.libraries, &self.environments, folder)
        {
            ways.push(way(Via::Library, environment));
        }
        if let Some(home) = self.homes.get(folder).filter(|home| home.runs_hooks) {
            ways.push(way(Via::Site, Some(home.environment)));
        } else if let Some(environment) = self.site_python(folder) {
            ways.push(way(Via::Site, Some(environment)));
        }
        let fits = |by: AddedBy| is_module(hook) || by == AddedBy::SiteDir;
        let from = added.get(folder).into_iter().flatten().filter(|(by, _)| fits(*by));
        ways.extend(from.map(|(_, way)| Way { is_added: true, ..way.clone() }));
        if is_module(hook) && self.settings.paths.contains(folder) {
            ways.push(way(Via::Setting, None));
        }
        ways
    }

    /// The environment whose Python 2.7 looks into `PREFIX/lib/site-python`.
    fn site_python(&self, folder: &TargetPath) -> Option<Id> {
        let prefix = folder.parent()?.parent().filter(|_| Shape::of(folder) == Shape::SitePython)?;
        self.environments.get(&prefix).copied()
    }
}

/// Says of each hook whether it lies where Python takes hooks from, and in whose environment, and gives the ways to each. A
/// hook may add folders, in which there are further ones.
pub(super) fn place(
    target: &Target,
    facts: &Facts,
    hooks: &mut [StartupHook],
    homes: &HashMap<TargetPath, Home>,
    libraries: &[(TargetPath, TargetPath)],
    settings: &Settings,
) -> Vec<Vec<Way>> {
    let environments: HashMap<&TargetPath, Id> = facts.environments.iter().map(|env| (&env.path, env.id)).collect();
    let libraries = libraries.iter().map(|(folder, prefix)| (folder, environments.get(prefix).copied())).collect();
    let known = Known { homes, environments, libraries, settings };
    let mut added = AddedFolders::new();
    let mut waiting: Vec<usize> = (0..hooks.len()).collect();
    loop {
        let before = waiting.len();
        waiting.retain(|at| {
            let Some(hook) = hooks.get_mut(*at) else { return false };
            let Some(folder) = folder(hook) else { return false };
            let ways = known.ways(hook, &folder, &added);
            hook.environment = known.homes.get(&folder).map(|home| home.environment);
            let Some(first) = ways.first() else { return true };
            hook.in_site_dir = true;
            if first.via == Via::Library && !first.is_added {
                hook.environment = first.environment;
            } else {
                hook.environment = hook.environment.or(first.environment);
            }
            for one in &hook.code.folders {
                let Some(path) = resolved(target, &folder, &one.folder) else { continue };
                let from = added.entry(path).or_default();
                for way in &ways {
                    let new = (one.by, way.clone());
                    if from.len() < MOST_WAYS && !from.contains(&new) {
                        from.push(new);
                    }
                }
            }
            false
        });
        if waiting.len() == before {
            break;
        }
    }
    // What adds a folder may have been found after what lies in it.
    let of_hook = |hook: &StartupHook| folder(hook).map(|folder| known.ways(hook, &folder, &added)).unwrap_or_default();
    hooks.iter().map(of_hook).collect()
}

/// Most ways that are kept to a folder which hooks add: many environments may share one.
const MOST_WAYS: usize = 64;

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
    Some(real(target, path))
}

/// The same folder, links followed.
fn real(target: &Target, path: TargetPath) -> TargetPath {
    target.root.resolve(&path).map_or(path, |place| target.root.path_of(&place))
}
