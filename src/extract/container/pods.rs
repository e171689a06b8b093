//! The pods, containers and images that the stores of engines name, for those who look for names.

use std::collections::HashMap;

use crate::model::container::{KnownContainer, Stack, StackKind};
use crate::model::facts::Facts;
use crate::model::path::TargetPath;
use crate::model::pod::{Pod, PodContainer, PodKind, PodSource, of_docker_name};
use crate::model::text::Excerpt;

/// Most names that are taken of one store.
const MOST: usize = 50_000;

/// Adds them to the facts, before the stores are joined.
pub(super) fn collect(facts: &mut Facts) {
    let known: HashMap<&str, &KnownContainer> =
        facts.known_containers.iter().map(|one| (one.id.as_str(), one)).collect();
    let mut out = Vec::new();
    for store in &facts.container_stores {
        // The lists of Docker, Podman and CRI-O are looked through as files.
        let has_list = !matches!(store.engine, "containerd" | "k3s");
        for stack in store.stacks.iter().take(MOST) {
            match stack.kind {
                StackKind::Container => {
                    out.extend(container(&store.path, stack, known.get(stack.id.as_str()).copied()))
                }
                StackKind::Image if !has_list => out.extend(image(&store.path, stack)),
                StackKind::Image => {}
            }
        }
    }
    facts.pods.append(&mut out);
    facts.pods.sort_unstable();
    facts.pods.dedup();
}

fn container(path: &TargetPath, stack: &Stack, known: Option<&KnownContainer>) -> Option<Pod> {
    let about = known.unwrap_or(&stack.about);
    let image = about.image.as_ref().map(|image| image.as_str().to_owned());
    let name = about.name.as_ref().map(Excerpt::as_str).unwrap_or_default();
    let (container, pod, namespace) = match (of_docker_name(name), name.split_once('/')) {
        (Some((container, pod, namespace)), _) => (Some(container), pod, Some(namespace)),
        (None, Some((pod, container))) => (Some(container.to_owned()), pod.to_owned(), None),
        (None, None) => (None, String::new(), None),
    };
    // The container that holds the network of a pod is no part of what it was made for.
    let is_holder = container.as_deref().is_some_and(|name| name == "POD");
    if is_holder || (pod.is_empty() && image.is_none()) {
        return None;
    }
    let kind = if pod.is_empty() { PodKind::None } else { PodKind::Pod };
    let containers = vec![PodContainer { name: container, image }];
    Some(row(path, PodSource::Engine, kind, (pod, namespace), containers))
}

fn image(path: &TargetPath, stack: &Stack) -> Option<Pod> {
    let names = stack.names.iter().map(|name| name.as_str().to_owned());
    let containers: Vec<_> = names.map(|image| PodContainer { name: None, image: Some(image) }).collect();
    (!containers.is_empty()).then(|| row(path, PodSource::Image, PodKind::None, (String::new(), None), containers))
}

fn row(
    path: &TargetPath,
    source: PodSource,
    kind: PodKind,
    (name, namespace): (String, Option<String>),
    containers: Vec<PodContainer>,
) -> Pod {
    Pod { path: path.clone(), source, kind, name, namespace, containers, line: None, modified: None }
}
