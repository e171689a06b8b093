//! Databases of package managers in layers: a layer above that has a database of its own takes the place of the one below,
//! whole. What a layer takes away without writing a new one is rare and is not looked for.

use std::collections::HashMap;

use crate::model::facts::Facts;
use crate::model::id::Id;
use crate::model::path::TargetPath;
use crate::target::Target;

/// Most layers that are looked into. What lies beyond counts as shown.
const MOST_LOOKS: usize = 20_000;

/// The layers above one, for each image and container that has it.
type AboveOf<'a> = dyn Fn(&TargetPath) -> Option<Vec<&'a [&'a TargetPath]>> + 'a;

/// Fills in `hidden_by` of the packages whose database no known image or container shows any more.
pub(super) fn hide<'a>(target: &Target, facts: &mut Facts, above: &'a AboveOf<'a>) {
    let layers: HashMap<Id, &TargetPath> =
        facts.environments.iter().filter(|env| env.container.is_some()).map(|env| (env.id, &env.path)).collect();
    let mut left = MOST_LOOKS;
    for found in &mut facts.system_packages {
        let Some(layer) = found.environment.and_then(|id| layers.get(&id)) else { continue };
        let Some(seats) = above(layer).filter(|seats| !seats.is_empty()) else { continue };
        let below: Vec<&[u8]> = found.path.components().skip(layer.components().count()).collect();
        let mut has_own = |upper: &&&TargetPath| {
            left = left.saturating_sub(1);
            let path = below.iter().fold((**upper).clone(), |path, name| path.join(name));
            left > 0 && target.root.resolve(&path).is_ok()
        };
        let hiders: Option<Vec<&TargetPath>> =
            seats.iter().map(|uppers| uppers.iter().find(&mut has_own).copied()).collect();
        found.hidden_by = hiders.and_then(|all| all.first().copied().cloned());
    }
}
