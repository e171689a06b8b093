//! Settings that steer Python's start, as hooks of their own: one for each file that sets a variable such as
//! `PYTHONSTARTUP`, and the code that such a variable names.

use std::collections::BTreeMap;

use super::finder::Finder;
use super::follow;
use crate::extract::python::{code, hook_file};
use crate::model::coverage::Gap;
use crate::model::facts::Facts;
use crate::model::path::TargetPath;
use crate::model::setting::{Named, PythonSetting};
use crate::model::startup::{Feature, HookKind, HookLine, LineClass, Module, StartupHook};
use crate::target::Target;

/// Every Python heeds these variables.
const ANY: &str = ">=2.0";

/// Adds a hook for every file of the swept system that sets one of the variables.
pub(super) fn add(target: &Target, facts: &mut Facts, gaps: &mut Vec<Gap>) {
    let mut by_file: BTreeMap<&TargetPath, Vec<&PythonSetting>> = BTreeMap::new();
    for setting in facts.settings.iter().filter(|setting| setting.is_in_place) {
        by_file.entry(&setting.path).or_default().push(setting);
    }
    let mut finder = Finder::of(target);
    let hooks: Vec<StartupHook> =
        by_file.into_iter().map(|(path, settings)| hook(target, &mut finder, path, &settings, gaps)).collect();
    facts.startup_hooks.extend(hooks);
    facts.startup_hooks.sort_unstable_by(|a, b| a.path.cmp(&b.path));
}

fn hook(
    target: &Target,
    finder: &mut Finder<'_>,
    path: &TargetPath,
    settings: &[&PythonSetting],
    gaps: &mut Vec<Gap>,
) -> StartupHook {
    let mut hook = StartupHook::at(path.clone(), HookKind::Environment);
    hook.in_site_dir = true;
    hook.versions = vec![ANY];
    hook.run_by = vec![ANY.to_owned()];
    let home = target.home_of(path).map(|account| account.home.clone());
    for setting in settings {
        hook.modified = hook.modified.or(setting.modified);
        let named = setting.folders(home.as_ref());
        let is_file = setting.variable == "PYTHONSTARTUP";
        let mut features: Vec<Feature> = named.iter().flat_map(|one| place_features(one, is_file)).collect();
        features.extend(value_features(setting));
        features.sort_unstable();
        features.dedup();
        hook.lines.push(HookLine {
            number: setting.line,
            class: LineClass::Setting,
            run_by: vec![ANY],
            text: setting.text.clone(),
            features,
            only_if: Vec::new(),
        });
        if is_file {
            let files = named.iter().filter_map(|one| match one {
                Named::Path(path) => Some(path),
                Named::Relative(_) | Named::Unresolved(_) => None,
            });
            hook.modules.extend(files.filter_map(|file| startup_file(finder, file, gaps)));
        }
    }
    hook.lines.sort_unstable();
    hook.lines.dedup();
    hook
}

fn place_features(named: &Named, is_file: bool) -> Vec<Feature> {
    match named {
        // Files of settings have hidden names; folders of them need not.
        Named::Path(path) if is_file => {
            path.parent().map_or_else(Vec::new, |folder| hook_file::folder_features(&folder.to_text()))
        }
        Named::Path(path) => hook_file::folder_features(&path.to_text()),
        // Whoever owns the folder that Python is started in chooses what is imported.
        Named::Relative(_) => vec![Feature::RelativePath],
        Named::Unresolved(text) => hook_file::folder_features(&String::from_utf8_lossy(text)),
    }
}

/// What values give away that name no place.
fn value_features(setting: &PythonSetting) -> Vec<Feature> {
    let value = String::from_utf8_lossy(&setting.value).into_owned();
    match setting.variable {
        // Packages evaluate these as they are.
        "PYTHONMANHOLE" | "PYTHONHUNTER" => vec![Feature::Evaluated],
        "PYTHONBREAKPOINT" => code::of_call(&value),
        "PYTHON_PRESITE" => vec![Feature::Evaluated],
        // The category of a filter is imported: `all:0:antigravity.x:0:0`.
        "PYTHONWARNINGS" => {
            let imports = |filter: &str| filter.split(':').nth(2).is_some_and(|category| category.contains('.'));
            if value.split(',').any(imports) { vec![Feature::Evaluated] } else { Vec::new() }
        }
        _ => Vec::new(),
    }
}

/// The file that `PYTHONSTARTUP` names: Python runs it before the first prompt.
fn startup_file(finder: &mut Finder<'_>, path: &TargetPath, gaps: &mut Vec<Gap>) -> Option<Module> {
    let folder = finder.folder(&path.parent()?)?;
    follow::one_file(finder, &folder, path.file_name(), gaps)
}
