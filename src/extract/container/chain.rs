//! From the images and containers of a store down through their layers.

use std::collections::HashMap;

use crate::model::container::{ContainerStore, Stack};

/// Most layers of one image or container that are followed. The kernel permits 500.
const DEEPEST: usize = 1000;

/// Most steps for one store: a thousand images and containers of a thousand layers each.
const MOST_STEPS: usize = 1_000_000;

/// An image or a container, and its layers.
pub(super) struct Chain<'a> {
    /// Which it is.
    pub(super) stack: &'a Stack,
    /// Numbers of layers of the store, the topmost first.
    pub(super) layers: Vec<usize>,
}

/// Every image and container of a store.
pub(super) struct Chains<'a> {
    /// In the order of the store.
    pub(super) all: Vec<Chain<'a>>,
    /// Whether each was followed to its end.
    pub(super) is_whole: bool,
}

impl<'a> Chains<'a> {
    /// Follows them. Parents that lead in a circle, or nowhere, end a chain.
    pub(super) fn of(store: &'a ContainerStore) -> Self {
        let by_key: HashMap<&str, usize> =
            store.layers.iter().enumerate().map(|(at, layer)| (layer.key.as_str(), at)).collect();
        let mut steps = MOST_STEPS;
        let mut out = Self { all: Vec::with_capacity(store.stacks.len()), is_whole: true };
        // The last stack that met a layer: a circle meets it again.
        let mut met = vec![usize::MAX; store.layers.len()];
        for (number, stack) in store.stacks.iter().enumerate() {
            let mut layers = Vec::new();
            let mut next = Some(stack.top.as_str());
            while let Some(key) = next {
                let Some(at) = by_key.get(key).copied() else {
                    out.is_whole = false;
                    break;
                };
                let is_met = met.get_mut(at).is_some_and(|last| std::mem::replace(last, number) == number);
                if is_met || layers.len() >= DEEPEST || steps == 0 {
                    out.is_whole = false;
                    break;
                }
                steps -= 1;
                layers.push(at);
                next = store.layers.get(at).and_then(|layer| layer.parent.as_deref());
            }
            out.all.push(Chain { stack, layers });
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::container::{KnownContainer, LayerForm, StackKind, StoredLayer};
    use crate::model::path::TargetPath;

    fn store(layers: &[(&str, Option<&str>)], tops: &[&str]) -> ContainerStore {
        let layer = |(key, parent): &(&str, Option<&str>)| StoredLayer {
            key: (*key).to_owned(),
            folder: TargetPath::new(b"/x").join(key.as_bytes()),
            parent: parent.map(str::to_owned),
        };
        let stack = |top: &&str| Stack {
            kind: StackKind::Image,
            id: (*top).to_owned(),
            names: Vec::new(),
            top: (*top).to_owned(),
            about: KnownContainer::default(),
        };
        ContainerStore {
            path: TargetPath::new(b"/x"),
            engine: "podman",
            form: LayerForm::Kernel,
            layers: layers.iter().map(layer).collect(),
            stacks: tops.iter().map(stack).collect(),
            is_partial: false,
        }
    }

    #[test]
    fn chains_go_from_top_to_bottom() {
        let store = store(&[("a", None), ("b", Some("a")), ("c", Some("b"))], &["c", "b"]);
        let chains = Chains::of(&store);
        assert_eq!(chains.all.iter().map(|one| one.layers.clone()).collect::<Vec<_>>(), [vec![2, 1, 0], vec![1, 0]]);
        assert!(chains.is_whole);
    }

    #[test]
    fn circles_and_loose_ends_are_said() {
        let circle = store(&[("a", Some("b")), ("b", Some("a"))], &["a"]);
        assert_eq!((Chains::of(&circle).all[0].layers.len(), Chains::of(&circle).is_whole), (2, false));
        let loose = store(&[("a", Some("gone"))], &["a", "gone"]);
        assert!(!Chains::of(&loose).is_whole);
    }

    #[test]
    fn ten_thousand_layers_end() {
        let keys: Vec<String> = (0..10_000).map(|at| at.to_string()).collect();
        let layers: Vec<(&str, Option<&str>)> = keys
            .iter()
            .enumerate()
            .map(|(at, key)| (key.as_str(), at.checked_sub(1).map(|below| keys[below].as_str())))
            .collect();
        let tops: Vec<&str> = keys.iter().map(String::as_str).collect();
        let store = store(&layers, &tops);
        let chains = Chains::of(&store);
        assert!(!chains.is_whole);
        assert!(chains.all.iter().map(|one| one.layers.len()).sum::<usize>() <= MOST_STEPS);
    }
}
