//! What container engines keep at rest: layers, the images and containers that are made of them, and what of the host
//! those containers are given. Names and paths are texts of the target.

use serde::Serialize;

use super::path::TargetPath;
use super::text::{Excerpt, counted};

/// Most names, and most mounts, of one layer that a report carries. The counts beside them are whole.
pub const MOST_SHOWN: usize = 100;

/// The words for engines.
const ENGINES: [&str; 6] = ["docker", "containerd", "k3s", "podman", "buildah", "cri-o"];

/// An engine by its word in a report; none for one that no report names.
#[must_use]
pub fn engine(word: &str) -> Option<&'static str> {
    ENGINES.into_iter().find(|one| *one == word)
}

/// The container or image layer that holds an environment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Container {
    /// docker, containerd, k3s, podman, buildah or cri-o.
    pub engine: &'static str,
    /// The layer's or snapshot's id.
    pub id: String,
    /// An image that it is part of, where the engine's own files name one.
    pub image: Option<Excerpt>,
    /// The name of a container that it is part of.
    pub name: Option<Excerpt>,
    /// What the layer is.
    pub layer: LayerKind,
    /// Every image that it is part of, the first 100.
    pub images: Vec<Excerpt>,
    /// How many these are.
    pub image_count: usize,
    /// Every container that it is part of, the first 100.
    pub containers: Vec<Excerpt>,
    /// How many these are.
    pub container_count: usize,
    /// What these containers are given of the host, the first 100.
    pub mounts: Vec<HostMount>,
    /// Whether one of them has the rights of the host's root.
    pub privileged: bool,
}

/// What a layer is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LayerKind {
    /// Part of an image: never changed, shared by all containers of it.
    Image,
    /// What one container has written itself.
    Container,
    /// No metadata of an engine knows it.
    Unknown,
}

/// A place of the host that a container is given.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct HostMount {
    /// Where it lies on the host.
    pub source: Excerpt,
    /// Where the container has it.
    pub destination: Excerpt,
    /// Whether the container may change it.
    pub writable: bool,
}

impl HostMount {
    /// A mount by the words of the engine.
    #[must_use]
    pub fn of(source: &str, destination: &str, writable: bool) -> Self {
        Self { source: Excerpt::of(source.as_bytes()), destination: Excerpt::of(destination.as_bytes()), writable }
    }
}

impl Container {
    /// A layer of which only the place is known.
    #[must_use]
    pub fn unknown(engine: &'static str, id: String) -> Self {
        Self {
            engine,
            id,
            image: None,
            name: None,
            layer: LayerKind::Unknown,
            images: Vec::new(),
            image_count: 0,
            containers: Vec::new(),
            container_count: 0,
            mounts: Vec::new(),
            privileged: false,
        }
    }

    /// Which image and container it is, as part of a sentence: `the image shop/web:2 (container web-1)`.
    #[must_use]
    pub fn words(&self) -> String {
        let containers = listed(&self.containers, self.container_count, "container");
        match (&self.image, self.container_count) {
            (Some(_), 0) => listed(&self.images, self.image_count, "image").unwrap_or_default(),
            (Some(_), _) => {
                let images = listed(&self.images, self.image_count, "image").unwrap_or_default();
                format!("{images} ({})", containers.unwrap_or_default().trim_start_matches("the "))
            }
            (None, 0) => format!("a container layer ({})", self.engine),
            (None, _) => containers.unwrap_or_default(),
        }
    }

    /// What its code would reach of the host, in a sentence without a full stop.
    #[must_use]
    pub fn reach(&self) -> String {
        let holder = listed(&self.containers, self.container_count, "container");
        let Some(holder) = holder else {
            return "no container of this layer is known, so nothing of the host".to_owned();
        };
        let mut parts: Vec<String> = Vec::new();
        if self.privileged {
            parts.push("as privileged, the whole host".to_owned());
        }
        parts.extend(self.mounts.iter().map(|one| {
            let rights = if one.writable { "" } else { ", read-only" };
            format!("{} (as {}{rights})", one.source, one.destination)
        }));
        let all = if parts.is_empty() { "no place of the host is mounted".to_owned() } else { parts.join(", ") };
        format!("in {holder}: {all}")
    }
}

/// `the image a`, `the images a, b and 3 more`.
fn listed(names: &[Excerpt], count: usize, noun: &str) -> Option<String> {
    let shown: Vec<&str> = names.iter().take(2).map(Excerpt::as_str).collect();
    let more = count.saturating_sub(shown.len());
    let plural = if count > 1 { "s" } else { "" };
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!shown.is_empty()).then(|| format!("the {noun}{plural} {}{rest}", shown.join(", ")))
}

/// What one store of an engine says of its layers, by the engine's own metadata. For the join, not for the report.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ContainerStore {
    /// Its metadata.
    pub path: TargetPath,
    /// The engine whose form it has.
    pub engine: &'static str,
    /// How its layers stand to each other.
    pub form: LayerForm,
    /// Its layers, sorted by key.
    pub layers: Vec<StoredLayer>,
    /// Its images and containers.
    pub stacks: Vec<Stack>,
    /// Whether something of it could not be read: then an image that shows a layer may be missing.
    pub is_partial: bool,
}

/// How a layer stands to those below it, and by which marks it takes something of them away.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LayerForm {
    /// It holds what differs; the kernel lays it over the others, by marks that only the host's root can set.
    Kernel,
    /// The same, mounted by an account of the host, by marks of its own.
    KernelOfUser,
    /// The same, laid over the others by fuse-overlayfs.
    Fuse,
    /// It is a full copy.
    Copy,
}

/// A layer as a store knows it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct StoredLayer {
    /// What the store calls it.
    pub key: String,
    /// Where its content lies.
    pub folder: TargetPath,
    /// The key of the layer below it.
    pub parent: Option<String>,
}

/// An image or a container: a name for a layer and all below it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Stack {
    /// Which of the two.
    pub kind: StackKind,
    /// What the engine calls it.
    pub id: String,
    /// Its names, the best first.
    pub names: Vec<Excerpt>,
    /// The key of its topmost layer.
    pub top: String,
    /// Of a container, more about it.
    pub about: KnownContainer,
}

/// Whether a stack of layers runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum StackKind {
    /// What containers are made of.
    Image,
    /// Has a layer of its own on top.
    Container,
}

/// What an engine writes of a container.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct KnownContainer {
    /// What the engine calls it.
    pub id: String,
    /// The engine, where that is more than the store says.
    pub engine: Option<&'static str>,
    /// What people call it.
    pub name: Option<Excerpt>,
    /// The image that it was made of.
    pub image: Option<Excerpt>,
    /// What it is given of the host.
    pub mounts: Vec<HostMount>,
    /// Whether it has the rights of the host's root.
    pub privileged: bool,
}

impl ContainerStore {
    /// How many layers, images and containers it has, for people.
    #[must_use]
    pub fn words(&self) -> String {
        let images = self.stacks.iter().filter(|one| one.kind == StackKind::Image).count();
        let containers = self.stacks.len() - images;
        [counted(self.layers.len(), "layer"), counted(images, "image"), counted(containers, "container")].join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(images: &[&str], containers: &[&str]) -> Container {
        let texts = |all: &[&str]| all.iter().map(|one| Excerpt::of(one.as_bytes())).collect::<Vec<_>>();
        let mut one = Container::unknown("docker", "abc".to_owned());
        (one.images, one.containers) = (texts(images), texts(containers));
        (one.image_count, one.container_count) = (images.len(), containers.len());
        (one.image, one.name) = (one.images.first().cloned(), one.containers.first().cloned());
        one
    }

    #[test]
    fn a_layer_is_named_by_image_and_container() {
        assert_eq!(container(&["shop/web:2"], &["web-1"]).words(), "the image shop/web:2 (container web-1)");
        assert_eq!(container(&["a:1", "b:1", "c:1"], &[]).words(), "the images a:1, b:1 and 1 more");
        assert_eq!(container(&[], &["web-1"]).words(), "the container web-1");
        assert_eq!(container(&[], &[]).words(), "a container layer (docker)");
    }

    #[test]
    fn its_reach_names_the_mounts() {
        let mut one = container(&["a:1"], &["web-1"]);
        assert_eq!(one.reach(), "in the container web-1: no place of the host is mounted");
        one.mounts = vec![HostMount::of("/srv/data", "/data", true), HostMount::of("/etc", "/host/etc", false)];
        assert_eq!(one.reach(), "in the container web-1: /srv/data (as /data), /etc (as /host/etc, read-only)");
    }
}
