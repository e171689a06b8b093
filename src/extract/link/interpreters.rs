//! Interpreters and the environments they belong to, their kinds and versions.

use std::collections::HashMap;

use super::environments::Builder;
use super::versions::{self, Versions, refines};
use crate::model::facts::Facts;
use crate::model::id::Id;
use crate::model::path::TargetPath;
use crate::model::python::{Environment, Interpreter, VersionSource};

/// Fills in kind, version and environments of every interpreter.
pub(super) fn settle(facts: &mut Facts, builder: &Builder<'_>, versions: &Versions) {
    let environments: HashMap<&TargetPath, &Environment> =
        facts.environments.iter().map(|env| (&env.path, env)).collect();
    let mut made_from: HashMap<&TargetPath, Vec<Id>> = HashMap::new();
    for env in &facts.environments {
        made_from
            .entry(env.base.as_ref().unwrap_or(&env.path))
            .or_default()
            .extend(env.base.is_some().then_some(env.id));
    }
    for one in &mut facts.interpreters {
        let prefix = prefix(&one.path);
        let real_prefix = one.real_path.as_ref().and_then(self::prefix);
        let own = prefix.as_ref().and_then(|prefix| environments.get(prefix)).copied();
        // A name in `~/.local/bin` or `/usr/local/bin` may be that of a program which belongs elsewhere.
        let is_own = prefix.as_ref().is_some_and(|prefix| builder.has_interpreter(prefix)) || prefix == real_prefix;
        let home = if is_own { prefix.as_ref() } else { real_prefix.as_ref().or(prefix.as_ref()) };
        let kind = home.and_then(|home| environments.get(home).map(|env| env.kind).or_else(|| builder.kind_of(home)));
        one.kind = kind.or_else(|| own.map(|env| env.kind)).unwrap_or("unknown");
        settle_version(one, own, [real_prefix.as_ref(), prefix.as_ref()], versions);
        let folders = [one.path.parent(), one.real_path.as_ref().and_then(TargetPath::parent)];
        let users = folders.iter().flatten().filter_map(|folder| made_from.get(folder)).flatten();
        one.environments = own.map(|env| env.id).into_iter().chain(users.copied()).collect();
        one.environments.sort_unstable();
        one.environments.dedup();
    }
}

/// `PREFIX/bin/python`, `PREFIX\\Scripts\\python.exe`, `PREFIX\\python.exe`.
pub(super) fn prefix(program: &TargetPath) -> Option<TargetPath> {
    let folder = program.parent()?;
    let is_for_programs =
        [b"bin".as_slice(), b"Scripts"].iter().any(|name| folder.file_name().eq_ignore_ascii_case(name));
    if is_for_programs { folder.parent() } else { Some(folder) }
}

/// The best static source: what lies in the prefix that the program really belongs to, then what the environment's own
/// files say, then the names of folders.
fn settle_version(
    one: &mut Interpreter,
    own: Option<&Environment>,
    prefixes: [Option<&TargetPath>; 2],
    versions: &Versions,
) {
    let known = one.version.clone();
    let known = known.as_deref();
    let by_files = prefixes.iter().flatten().find_map(|prefix| versions.best(prefix, known));
    let by_venv = || {
        let version = own.filter(|env| env.base.is_some())?.python_version.clone()?;
        known.is_none_or(|known| refines(&version, known)).then_some((version, VersionSource::Pyvenv))
    };
    let by_folder = || prefixes.iter().flatten().find_map(|prefix| versions::of_folder(prefix, known));
    if let Some((version, source)) = by_files.or_else(by_venv).or_else(by_folder) {
        one.version = Some(version);
        one.version_source = Some(source);
    }
}
