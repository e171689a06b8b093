//! The merged view of a container in a store that was copied while it ran: the folder `merged` beside `diff`. What lies in
//! it lies in the layers too, and counts there. Only what the same store's layers hold at the same place, with the same
//! name and version, is taken for that: anybody can name a folder `merged`.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::model::coverage::Skipped;
use crate::model::facts::{Facts, Harvest};
use crate::model::id::Id;
use crate::model::path::TargetPath;
use crate::model::text::counted;

/// A place inside the layers of one store: the store, and the path below a layer's content.
type Place = (TargetPath, Vec<u8>);

/// Which part of a store a path lies in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Layer,
    Merged,
}

/// Drops what is counted in the layers, and returns those rows of the layers: some container shows them.
pub(super) fn settle(facts: &mut Facts, harvest: &mut Harvest) -> HashSet<TargetPath> {
    let mut layers: HashMap<Place, Vec<usize>> = HashMap::new();
    let mut merged: Vec<(usize, Place, TargetPath)> = Vec::new();
    for (at, found) in facts.distributions.iter().enumerate() {
        match place(&found.path) {
            Some((Part::Layer, place, _)) => layers.entry(place).or_default().push(at),
            Some((Part::Merged, place, top)) => merged.push((at, place, top)),
            None => {}
        }
    }
    let mut shown = HashSet::new();
    let mut dropped: HashSet<TargetPath> = HashSet::new();
    let mut tops: BTreeMap<TargetPath, usize> = BTreeMap::new();
    for (at, place, top) in merged {
        let Some(found) = facts.distributions.get(at) else { continue };
        let twins = layers.get(&place).into_iter().flatten().filter_map(|twin| facts.distributions.get(*twin));
        let same: Vec<&TargetPath> = twins
            .filter(|twin| twin.normalized == found.normalized && twin.version == found.version)
            .map(|twin| &twin.path)
            .collect();
        if !same.is_empty() {
            shown.extend(same.into_iter().cloned());
            dropped.insert(found.path.clone());
            *tops.entry(top).or_default() += 1;
        }
    }
    drop_hooks(facts, &mut shown, &mut tops);
    facts.distributions.retain(|found| !dropped.contains(&found.path));
    drop_empty(facts, &tops);
    harvest.skipped.extend(tops.into_iter().map(|(path, count)| Skipped {
        path,
        why: format!("the merged view of a container: {} counted in its layers", counted(count, "thing")),
    }));
    shown
}

/// Start-up files of the same content at the same place.
fn drop_hooks(facts: &mut Facts, shown: &mut HashSet<TargetPath>, tops: &mut BTreeMap<TargetPath, usize>) {
    let mut layers: HashMap<(Place, String), TargetPath> = HashMap::new();
    for hook in &facts.startup_hooks {
        if let (Some((Part::Layer, place, _)), Some(hash)) = (place(&hook.path), &hook.sha256) {
            layers.insert((place, hash.clone()), hook.path.clone());
        }
    }
    facts.startup_hooks.retain(|hook| {
        let (Some((Part::Merged, place, top)), Some(hash)) = (place(&hook.path), &hook.sha256) else { return true };
        let Some(twin) = layers.get(&(place, hash.clone())) else { return true };
        shown.insert(twin.clone());
        *tops.entry(top).or_default() += 1;
        false
    });
}

/// Environments and programs of which nothing is left but what the layers have.
fn drop_empty(facts: &mut Facts, tops: &BTreeMap<TargetPath, usize>) {
    let is_merged = |path: &TargetPath| tops.keys().any(|top| path.is_under(top));
    let held: HashSet<Id> = facts
        .distributions
        .iter()
        .filter_map(|found| found.environment)
        .chain(facts.startup_hooks.iter().filter_map(|hook| hook.environment))
        .collect();
    facts.environments.retain(|env| held.contains(&env.id) || !is_merged(&env.path));
    let kept: HashSet<Id> = facts.environments.iter().map(|env| env.id).collect();
    facts.interpreters.retain(|one| !is_merged(&one.path) || one.environments.iter().any(|id| kept.contains(id)));
    for one in &mut facts.interpreters {
        one.environments.retain(|id| kept.contains(id));
    }
}

/// `STORE/overlay2/ID/diff/REST` and `STORE/overlay2/ID/merged/REST`: the part, the place, and the folder of the part.
fn place(path: &TargetPath) -> Option<(Part, Place, TargetPath)> {
    let names: Vec<&[u8]> = path.components().collect();
    let at = names.windows(3).position(|three| {
        matches!(three.first(), Some(&b"overlay2" | &b"overlay")) && matches!(three.last(), Some(&b"diff" | &b"merged"))
    })?;
    let part = if names.get(at + 2) == Some(&b"diff".as_slice()) { Part::Layer } else { Part::Merged };
    let rest = names.get(at + 3..)?.join(&b'/');
    Some((part, (path.ancestor(at + 1), rest), path.ancestor(at + 3)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_same_in_layer_and_merged_view() {
        let of = |path: &str| place(&TargetPath::new(path.as_bytes()));
        let (part, layer, _) = of("/var/lib/docker/overlay2/a/diff/usr/lib/x").unwrap();
        assert!(part == Part::Layer);
        let (part, merged, top) = of("/var/lib/docker/overlay2/b/merged/usr/lib/x").unwrap();
        assert!(part == Part::Merged && layer == merged);
        assert_eq!(top.as_bytes(), b"/var/lib/docker/overlay2/b/merged");
        assert!(of("/home/mia/merged/usr/lib/x").is_none());
        assert!(of("/var/lib/other/overlay2/a/diff/usr/lib/x").unwrap().1 != layer);
    }
}
