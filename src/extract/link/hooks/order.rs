//! Of several modules `sitecustomize` or `usercustomize`, Python imports the one that its path has first.

use super::folder;
use super::run::{Reach, Start};
use crate::model::path::TargetPath;
use crate::model::startup::{Feature, StartupHook};

/// How soon a folder is on the path of an interpreter: in the order of the fields.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Rank {
    /// Variables, library, own site directories, user's, base's.
    pub(super) place: u8,
    /// Among the site directories of one prefix.
    pub(super) within: u8,
    /// Whether a hook adds the folder.
    pub(super) is_added: bool,
    /// Whether it may be on the path of some starts of the interpreter only, or behind others of its rank.
    pub(super) is_unsure: bool,
}

/// In which form a module lies in its folder, as Python prefers them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Form {
    Package,
    Native,
    Source,
    Bytecode,
}

/// Takes out of `reaches` what does not come to its module, since another stands before it. `hooks` are the modules in the
/// same order.
pub(super) fn keep_first(hooks: &[&StartupHook], reaches: &mut [&mut Vec<Reach>], starts: &[Start<'_>]) {
    let places: Vec<Option<(TargetPath, Form)>> = hooks.iter().map(|hook| Some((folder(hook)?, form(hook)?))).collect();
    let mut by_start: Vec<Vec<(usize, Rank)>> = vec![Vec::new(); starts.len()];
    for (number, own) in reaches.iter().enumerate() {
        for (at, rank) in own.iter() {
            if let Some(all) = by_start.get_mut(*at) {
                all.push((number, *rank));
            }
        }
    }
    let is_shadowed = |number: usize, at: usize, rank: Rank| {
        let Some((hook, Some((folder, form)))) = hooks.get(number).zip(places.get(number).map(Option::as_ref)) else {
            return false;
        };
        let others = by_start.get(at).into_iter().flatten().filter(|(other, _)| *other != number);
        others.into_iter().any(|(other, other_rank)| {
            let Some((one, Some((one_folder, one_form)))) =
                hooks.get(*other).zip(places.get(*other).map(Option::as_ref))
            else {
                return false;
            };
            let is_sure =
                one.kind == hook.kind && starts.get(at).is_some_and(|start| is_importable(one, *one_form, start));
            let is_before = (other_rank.place, other_rank.within) < (rank.place, rank.within)
                || (other_rank.place, other_rank.within) == (rank.place, rank.within) && rank.is_added;
            is_sure && if one_folder == folder { one_form < form } else { !other_rank.is_unsure && is_before }
        })
    };
    for (number, own) in reaches.iter_mut().enumerate() {
        own.retain(|(at, rank)| !is_shadowed(number, *at, *rank));
    }
}

fn form(hook: &StartupHook) -> Option<Form> {
    let name = hook.path.file_name();
    if name.starts_with(b"__init__.") {
        return Some(Form::Package);
    }
    match name.rsplit(|byte| *byte == b'.').next()? {
        b"so" | b"pyd" => Some(Form::Native),
        b"py" => Some(Form::Source),
        b"pyc" => Some(Form::Bytecode),
        _ => None,
    }
}

/// Whether an interpreter surely imports a module, if it finds it first. Machine code and bytecode are for one version.
fn is_importable(hook: &StartupHook, form: Form, start: &Start<'_>) -> bool {
    let Some((major, minor)) = start.flavour.version else { return false };
    if hook.features.contains(&Feature::Unread) || !hook.path.file_name().iter().all(|byte| !byte.is_ascii_uppercase())
    {
        return false;
    }
    match form {
        Form::Package => hook.path.file_name() == b"__init__.py",
        Form::Source => true,
        Form::Native => {
            let tag = format!(".cpython-{major}{minor}-");
            memchr::memmem::find(hook.path.file_name(), tag.as_bytes()).is_some()
        }
        Form::Bytecode => false,
    }
}
