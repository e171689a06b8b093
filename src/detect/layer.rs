//! Where a distribution lies, when that is a layer of a container store: in which image and container, and whether any of
//! them still shows it.

use super::{Scene, package};
use crate::model::distribution::Distribution;

/// How it lies there, as the end of a sentence that begins with its name.
pub(super) fn words(scene: &Scene<'_>, found: &Distribution) -> String {
    let environment = scene.environment(found.environment);
    let container = found.shown_by.as_deref().or_else(|| environment.and_then(|env| env.container.as_ref()));
    match (container, &found.hidden_by) {
        (None, None) => package::place_words(found),
        (None, Some(_)) => "present in a container layer, hidden in the merged view".to_owned(),
        (Some(layer), None) => format!("{} in {}", package::place_words(found), layer.words()),
        (Some(layer), Some(_)) => format!("present in a layer of {}, hidden in the merged view", layer.words()),
    }
}
