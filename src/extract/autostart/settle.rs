//! With the whole picture: whether what is started is there, who may change it, in which Python environment it lies, and
//! which units are armed.

use std::collections::HashMap;

use super::arm;
use super::command::{Place, is_open};
use super::variable;
use crate::extract::Later;
use crate::model::autostart::{PlaceMark, Role, Started};
use crate::model::coverage::GapReason;
use crate::model::facts::Facts;
use crate::model::host::Platform;
use crate::model::id::Id;
use crate::model::interest::EntryKind;
use crate::model::path::TargetPath;
use crate::model::python::{Environment, Interpreter};
use crate::target::Target;

/// The stage.
pub const STAGE: Later = Later {
    id: "autostart-programs",
    sentence: "Where what starts by itself really lies, whether it is there, and who may change it.",
};

/// Fills in what the rows could not know by themselves.
pub fn settle(target: &Target, facts: &mut Facts) {
    arm::settle(target, facts);
    variable::rows(target, facts);
    let mut rows = std::mem::take(&mut facts.autostarts);
    let environments = Environments::of(facts);
    let mut seen: HashMap<TargetPath, Seen> = HashMap::new();
    for row in &mut rows {
        let home = target.home_of(&row.path).map(|account| account.home.clone());
        let place = Place { target, home: home.as_ref() };
        for one in &mut row.programs {
            let said = seen.entry(one.path.clone()).or_insert_with(|| look(target, &one.path));
            fill(one, said, &place);
            one.environment = environments.of_program(one);
            // What belongs to an environment lies where Python tools put it.
            if one.environment.is_some() {
                one.place.retain(|mark| *mark != PlaceMark::Hidden);
            }
        }
    }
    facts.autostarts = rows;
}

/// What is odd about the place of a file, as the disk has it.
pub(super) fn marks_on_disk(target: &Target, path: &TargetPath, place: &Place<'_>) -> Vec<PlaceMark> {
    let seen = look(target, path);
    let mut marks = seen.real.as_ref().map(|real| place.marks(real)).unwrap_or_default();
    marks.extend(seen.is_open.then_some(PlaceMark::WorldWritable));
    marks
}

/// What the disk says of a path.
struct Seen {
    present: Option<bool>,
    real: Option<TargetPath>,
    is_open: bool,
}

fn look(target: &Target, path: &TargetPath) -> Seen {
    let root = &target.root;
    if is_open(path) {
        return Seen { present: None, real: None, is_open: false };
    }
    match root.resolve(path) {
        Ok(place) => {
            let real = root.path_of(&place);
            let is_own = place.stat.kind == EntryKind::File && place.stat.is_world_writable;
            let is_open = has_permissions(target) && (is_own || is_open_above(target, &real));
            Seen { present: Some(true), real: Some(real).filter(|real| real != path), is_open }
        }
        Err(GapReason::Missing | GapReason::Vanished | GapReason::DanglingLink | GapReason::NotRegular) => {
            Seen { present: Some(false), real: None, is_open: false }
        }
        // What cannot be looked at is neither there nor gone; the check that reads the folder names the gap.
        Err(_) => Seen { present: None, real: None, is_open: false },
    }
}

/// Whether permissions mean anything on this disk: those of a Windows disk, and of others that are mounted without any,
/// let everybody write everything.
fn has_permissions(target: &Target) -> bool {
    let is_open = |place: &str| {
        let place = target.root.resolve(&target.root.target_path(place.as_bytes()));
        place.is_ok_and(|place| place.stat.is_world_writable)
    };
    target.root.platform() != Platform::Windows && !["/", "/etc", "/usr"].into_iter().any(is_open)
}

/// Whether every account may put another file in the place of this one: a folder on the way to it is open to all, and has
/// no sticky bit.
fn is_open_above(target: &Target, path: &TargetPath) -> bool {
    let mut above = path.parent();
    while let Some(folder) = above {
        if target.root.resolve(&folder).is_ok_and(|place| place.stat.is_world_writable) {
            return true;
        }
        above = folder.parent();
    }
    false
}

fn fill(one: &mut Started, seen: &Seen, place: &Place<'_>) {
    one.present = seen.present;
    one.real_path.clone_from(&seen.real);
    if let Some(real) = &seen.real {
        one.place.extend(place.marks(real));
    }
    one.place.extend(seen.is_open.then_some(PlaceMark::WorldWritable));
    one.place.sort_unstable();
    one.place.dedup();
}

/// The environments by what starts in them.
struct Environments<'a> {
    /// `bin` and `Scripts` of environments with a folder of their own.
    folders: HashMap<TargetPath, Id>,
    interpreters: HashMap<&'a TargetPath, Id>,
}

impl<'a> Environments<'a> {
    fn of(facts: &'a Facts) -> Environments<'a> {
        let own =
            |env: &&Environment| !matches!(env.kind, "system" | "user-site" | "unknown" | "pip-target" | "pip-cache");
        let folders = facts.environments.iter().filter(own);
        let folders = folders.flat_map(|env| [b"bin".as_slice(), b"Scripts"].map(|name| (env.path.join(name), env.id)));
        // Those that were made from an interpreter start it too; its own is the one that holds it.
        let roots: HashMap<Id, &TargetPath> = facts.environments.iter().map(|env| (env.id, &env.path)).collect();
        let holds = |id: &Id, row: &Interpreter| roots.get(id).is_some_and(|root| row.path.is_under(root));
        let first = |row: &'a Interpreter| Some((&row.path, *row.environments.iter().find(|id| holds(id, row))?));
        Environments { folders: folders.collect(), interpreters: facts.interpreters.iter().filter_map(first).collect() }
    }

    /// The environment that a program or script runs in. A program without a path is that of the first folder that has one.
    fn of_program(&self, one: &Started) -> Option<Id> {
        if !matches!(one.role, Role::Program | Role::Script) {
            return None;
        }
        let by_path = |path: &TargetPath| {
            let known = self.interpreters.get(path).copied();
            known.or_else(|| self.folders.get(&path.parent()?).copied())
        };
        by_path(&one.path).or_else(|| by_path(one.real_path.as_ref()?))
    }
}
