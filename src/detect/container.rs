//! Pods and containers that a pack names, by what kubelet and the engines left on the disk, and images by the names that
//! their stores give them.

use super::{Rule, Run, Scene, settle};
use crate::intel::index::Known;
use crate::intel::pack::{Indicator, Kind};
use crate::model::finding::{Evidence, Finding, HookVerdict, Stage, Subject};
use crate::model::pod::{Pod, PodContainer, PodSource};
use crate::model::text::Excerpt;
use crate::model::verdict::Level;
use crate::model::watch::{Edges, Needle};

/// The rule.
pub const RULE: Rule = Rule {
    id: "container-known-bad",
    sentence: "A pod, a container or an image that an indicator pack names, by a folder of logs, a manifest, kubelet or the store of an engine. Names can be taken by others: it is a lead, and a pod's logs show that it ran.",
    run: Run::OnFacts(run),
};

fn run(scene: &Scene<'_>, _hooks: &[HookVerdict]) -> Vec<Finding> {
    let pods = &scene.facts.pods;
    if pods.is_empty() {
        return Vec::new();
    }
    let all: Vec<Known<'_>> = scene.intel.of_kind(Kind::Container).collect();
    pods.iter().flat_map(|pod| all.iter().filter_map(move |known| judge(scene, pod, known))).collect()
}

fn judge(scene: &Scene<'_>, pod: &Pod, known: &Known<'_>) -> Option<Finding> {
    let indicator = known.indicator;
    let image = pod.containers.iter().filter_map(|one| one.image.as_deref()).find(|image| has_image(indicator, image));
    let is_it = if indicator.pods.is_empty() { image.is_some() } else { is_pod(indicator, pod, image.is_some()) };
    if !is_it || !super::file::conditions_hold(scene, known, None) {
        return None;
    }
    let is_named = indicator.pods.is_empty();
    let mut one = finding(scene, pod, known, image.filter(|_| is_named));
    one.stage = match pod.source {
        PodSource::Logs | PodSource::Kubelet => Stage::Executed,
        PodSource::Manifest => Stage::Persisted,
        PodSource::Engine => Stage::Dropped,
        PodSource::Image => Stage::Cached,
    };
    settle(
        &mut one,
        if is_named { indicator.level.min(Level::Exposed) } else { indicator.level },
        indicator.confidence,
    );
    Some(one)
}

/// The names; namespace, container and image as far as the source gives them.
fn is_pod(indicator: &Indicator, pod: &Pod, has_image: bool) -> bool {
    let in_space = |space: &String| indicator.namespaces.is_empty() || indicator.namespaces.contains(space);
    let named: Vec<&String> = pod.containers.iter().filter_map(|one| one.name.as_ref()).collect();
    let has_container = indicator.name.as_ref().is_none_or(|name| named.is_empty() || named.contains(&name));
    // Engines often give the image by its id alone.
    let is_given = |one: &PodContainer| one.image.is_some();
    let is_image = indicator.images.is_empty()
        || has_image
        || pod.source != PodSource::Manifest
        || !pod.containers.iter().any(is_given);
    indicator.pods.iter().any(|pattern| pod.is_called(pattern))
        && pod.namespace.as_ref().is_none_or(in_space)
        && has_container
        && is_image
}

fn has_image(indicator: &Indicator, image: &str) -> bool {
    let names = indicator.images.iter().map(|text| (text, Edges::Word));
    let digests = indicator.digests.iter().map(|text| (text, Edges::Any));
    names.chain(digests).any(|(text, edges)| {
        let needle = Needle { text: text.clone(), edges };
        image.match_indices(text.as_str()).any(|(at, _)| needle.stands_alone(image.as_bytes(), at, at + text.len()))
    })
}

fn finding(scene: &Scene<'_>, pod: &Pod, known: &Known<'_>, image: Option<&str>) -> Finding {
    let Known { pack, indicator } = *known;
    let name = image.map_or_else(|| pod.shown(), |image| Excerpt::of(image.as_bytes())).to_string();
    let how = match pod.source {
        PodSource::Logs => "by the folder of its logs: it ran here",
        PodSource::Kubelet => "by kubelet's folder of the pod",
        PodSource::Manifest => "by a manifest that starts by itself",
        PodSource::Engine => "by the store of a container engine",
        PodSource::Image => "in the store of a container engine",
    };
    let parts = [indicator.id.as_bytes(), pod.path.as_bytes(), name.as_bytes()];
    let subject = Subject {
        kind: if image.is_some() { "image" } else { "pod" },
        path: pod.path.clone(),
        name: Some(name.clone()),
        version: None,
    };
    Finding {
        incident: Some(pack.id.clone()),
        indicator: Some(indicator.id.clone()),
        indicators: vec![indicator.id.clone()],
        title: format!("{name} ({how}): {}", indicator.meaning),
        accounts: scene.owner_of(&pod.path).map(|account| account.name.clone()).into_iter().collect(),
        evidence: vec![Evidence {
            line: pod.line,
            modified: pod.modified,
            excerpt: Some(Excerpt::of(name.as_bytes())),
            ..Evidence::at("container-name", pod.path.clone())
        }],
        attack: vec!["T1610"],
        first_seen: pod.modified,
        ..Finding::unjudged(RULE.id, &parts, subject, Stage::Referenced)
    }
}
