//! What a watched file is called, and whether it can have met what was bad for a while only.

use super::Scene;
use crate::intel::index::Known;
use crate::intel::pack::BadWithin;
use crate::model::known_file::{Origin, WatchedFile};
use crate::model::path::TargetPath;
use crate::model::time::Time;

/// The file's name, with the branch or tag that holds it.
pub(super) fn name(file: &WatchedFile) -> String {
    let plain = |path: &TargetPath| String::from_utf8_lossy(path.file_name()).into_owned();
    match &file.origin {
        Origin::File => plain(&file.path),
        Origin::Commit { reference, inside } => format!("{} at {reference}", plain(inside)),
        Origin::History { reference } => format!("history of {reference}"),
        Origin::FetchedAction => {
            let names: Vec<String> =
                file.path.components().rev().take(3).map(|name| String::from_utf8_lossy(name).into_owned()).collect();
            match names.as_slice() {
                [reference, repository, owner] => format!("{owner}/{repository}@{reference}"),
                _ => plain(&file.path),
            }
        }
    }
}

/// Why a file that names something is no more than a possible lead: the thing was bad for a while, and the file is younger
/// than that. One in a checkout that was made before the end of that time may have said the same then.
pub(super) fn doubt(scene: &Scene<'_>, file: &WatchedFile, known: &Known<'_>) -> Option<String> {
    let BadWithin::Window = known.indicator.bad_within?;
    let until = known.pack.window.as_ref()?.until?;
    let is_younger = file.modified.is_some_and(|modified| modified > until);
    let is_old_checkout =
        || file.origin != Origin::FetchedAction && since(scene, &file.path).is_some_and(|since| since <= until);
    let what = if file.origin == Origin::FetchedAction { "it was fetched" } else { "the file was last changed" };
    (is_younger && !is_old_checkout()).then(|| {
        format!(
            " ({what} after {}, when this was no longer bad: only a version before it can have met it)",
            until.day()
        )
    })
}

/// When the checkout that holds a path was made.
fn since(scene: &Scene<'_>, path: &TargetPath) -> Option<Time> {
    let mut above = Some(path.clone());
    while let Some(folder) = above {
        let at = scene.facts.checkouts.binary_search_by(|one| one.path.cmp(&folder));
        if let Some(found) = at.ok().and_then(|at| scene.facts.checkouts.get(at)) {
            return found.since;
        }
        above = folder.parent();
    }
    None
}
