//! The store of Podman, Buildah and CRI-O (containers/storage; drivers overlay and vfs). Below its root:
//!
//! * `DRIVER-layers/layers.json` and `volatile-layers.json`: layers and their parents;
//! * `DRIVER-images/images.json`: images, their names and topmost layers;
//! * `DRIVER-containers/containers.json` and `volatile-containers.json`: containers; in `metadata` what Podman or CRI-O
//!   adds, as JSON in a text;
//! * `DRIVER-containers/ID/userdata/config.json`: the OCI specification of a container.

use serde::Deserialize;

use super::files::{Folder, is_word, names_lost};
use super::oci;
use crate::extract::input::Input;
use crate::model::container::{ContainerStore, KnownContainer, LayerForm, Stack, StackKind, StoredLayer};
use crate::model::facts::Harvest;
use crate::model::interest::EntryKind;
use crate::model::path::TargetPath;
use crate::model::text::Excerpt;

/// Reads the store whose `overlay-layers` or `vfs-layers` this is.
pub(super) fn read_store(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    let is_vfs = input.candidate.name.starts_with(b"vfs");
    let driver: &[u8] = if is_vfs { b"vfs" } else { b"overlay" };
    let beside = |what: &[u8]| [driver, b"-", what].concat();
    let root = match Folder::at(input, input.folder()) {
        Ok(root) => root,
        Err(why) => {
            harvest.gaps.push(names_lost(input, input.candidate.path.clone(), why));
            return harvest;
        }
    };
    let mut store = ContainerStore {
        path: input.candidate.path.clone(),
        engine: "podman",
        form: if is_vfs { LayerForm::Copy } else { form(input, &root, &mut harvest) },
        layers: Vec::new(),
        stacks: Vec::new(),
        is_partial: false,
    };
    if let Some(folder) = root.folder(&beside(b"layers")) {
        for name in [b"layers.json".as_slice(), b"volatile-layers.json"] {
            let rows = folder.parsed(input, name, parse_layers, &mut harvest).unwrap_or_default();
            store.layers.extend(rows.into_iter().map(|row| layer(&root.path, driver, row)));
        }
    }
    if let Some(folder) = root.folder(&beside(b"images")) {
        let rows = folder.parsed(input, b"images.json", parse_images, &mut harvest).unwrap_or_default();
        store.stacks.extend(rows.into_iter().flat_map(image));
    }
    if let Some(folder) = root.folder(&beside(b"containers")) {
        for name in [b"containers.json".as_slice(), b"volatile-containers.json"] {
            let rows = folder.parsed(input, name, parse_containers, &mut harvest).unwrap_or_default();
            store.stacks.extend(rows.into_iter().map(|row| container(input, &folder, row, &mut harvest)));
        }
    }
    let mut own = store.stacks.iter().filter(|one| one.kind == StackKind::Container).map(|one| one.about.engine);
    if own.next() == Some(Some("cri-o")) && own.all(|engine| engine == Some("cri-o")) {
        store.engine = "cri-o";
    }
    store.is_partial = !harvest.gaps.is_empty();
    store.layers.sort_unstable();
    if !store.layers.is_empty() || !store.stacks.is_empty() {
        harvest.facts.container_stores.push(store);
    }
    harvest
}

/// Podman notes for a user's store whether the kernel can lay layers over each other there (`.has-mount-program`). Without
/// that note an account's own store may be one of fuse-overlayfs.
fn form(input: &Input<'_>, root: &Folder, harvest: &mut Harvest) -> LayerForm {
    let note = root.folder(b"overlay").and_then(|home| home.word(input, b".has-mount-program", harvest));
    match (note.as_deref(), root.is_of_user()) {
        (Some("true"), _) | (None, true) => LayerForm::Fuse,
        (_, true) => LayerForm::KernelOfUser,
        (_, false) => LayerForm::Kernel,
    }
}

fn layer(root: &TargetPath, driver: &[u8], row: Layer) -> StoredLayer {
    let home = root.join(driver);
    let id = row.id.as_bytes();
    let folder = if driver == b"vfs" { home.join(b"dir").join(id) } else { home.join(id).join(b"diff") };
    StoredLayer { folder, key: row.id, parent: row.parent.filter(|parent| !parent.is_empty()) }
}

/// One stack for each layer that the image can begin with.
fn image(row: Image) -> Vec<Stack> {
    let names: Vec<Excerpt> =
        row.names.iter().flatten().take(MOST_NAMES).map(|name| Excerpt::of(name.as_bytes())).collect();
    let tops = row.layer.into_iter().chain(row.mapped.into_iter().flatten().take(MOST_NAMES));
    let stack = |top| Stack {
        kind: StackKind::Image,
        id: row.id.clone(),
        names: names.clone(),
        top,
        about: KnownContainer::default(),
    };
    tops.filter(|top| !top.is_empty()).map(stack).collect()
}

fn container(input: &Input<'_>, folder: &Folder, row: Container, harvest: &mut Harvest) -> Stack {
    let more = row.metadata.as_deref().map(parse_metadata).unwrap_or_default();
    let userdata = if is_word(&row.id) { folder.below(&[row.id.as_bytes(), b"userdata"]) } else { None };
    let mut about = KnownContainer { id: row.id.clone(), engine: more.engine, ..KnownContainer::default() };
    if let Some(userdata) = &userdata {
        about.mounts = userdata.parsed(input, b"config.json", oci::mounts, harvest).unwrap_or_default();
        if userdata.dir.stat_entry(b"buildah.json").is_ok_and(|stat| stat.kind == EntryKind::File) {
            about.engine = Some("buildah");
        }
    }
    let names: Vec<String> = more.name.into_iter().chain(row.names.into_iter().flatten()).take(MOST_NAMES).collect();
    about.name = names.first().map(|name| Excerpt::of(name.as_bytes()));
    about.image = more.image.map(|image| Excerpt::of(image.as_bytes()));
    let names = names.iter().map(|name| Excerpt::of(name.as_bytes())).collect();
    Stack { kind: StackKind::Container, id: row.id, names, top: row.layer.unwrap_or_default(), about }
}

/// Most names of one image or container that are kept.
const MOST_NAMES: usize = 100;

/// A row of `layers.json`.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct Layer {
    id: String,
    parent: Option<String>,
}

/// A row of `images.json`.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct Image {
    id: String,
    names: Option<Vec<String>>,
    layer: Option<String>,
    #[serde(rename = "mapped-layers")]
    mapped: Option<Vec<String>>,
}

/// A row of `containers.json`.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct Container {
    id: String,
    names: Option<Vec<String>>,
    layer: Option<String>,
    metadata: Option<String>,
}

/// `layers.json`; none for a file that is none.
#[must_use]
pub fn parse_layers(bytes: &[u8]) -> Option<Vec<Layer>> {
    serde_json::from_slice(bytes).ok()
}

/// `images.json`; none for a file that is none.
#[must_use]
pub fn parse_images(bytes: &[u8]) -> Option<Vec<Image>> {
    serde_json::from_slice(bytes).ok()
}

/// `containers.json`; none for a file that is none.
#[must_use]
pub fn parse_containers(bytes: &[u8]) -> Option<Vec<Container>> {
    serde_json::from_slice(bytes).ok()
}

/// What Podman or CRI-O adds to a container.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Metadata {
    /// `cri-o`, where it is.
    pub engine: Option<&'static str>,
    /// The name of the image.
    pub image: Option<String>,
    /// `POD/CONTAINER` of Kubernetes.
    pub name: Option<String>,
}

#[derive(Deserialize)]
struct Written {
    #[serde(rename = "image-name")]
    image: Option<String>,
    #[serde(rename = "pod-name")]
    pod: Option<String>,
    #[serde(rename = "pod-id")]
    pod_id: Option<String>,
    #[serde(rename = "metadata-name")]
    container: Option<String>,
}

/// The text in `metadata`; one that is no JSON says nothing.
#[must_use]
pub fn parse_metadata(text: &str) -> Metadata {
    let Ok(written) = serde_json::from_str::<Written>(text) else { return Metadata::default() };
    let is_crio = written.pod.is_some() || written.pod_id.is_some();
    let parts: Vec<String> =
        [written.pod, written.container].into_iter().flatten().filter(|it| !it.is_empty()).collect();
    Metadata {
        engine: is_crio.then_some("cri-o"),
        image: written.image.filter(|image| !image.is_empty()),
        name: (is_crio && !parts.is_empty()).then(|| parts.join("/")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_are_read_whatever_else_they_hold() {
        let layers = br#"[{"id": "aa", "names": ["x"], "created": "2026-01-01T00:00:00Z", "diff-size": 7},
            {"id": "bb", "parent": "aa", "flags": {"Mask": {}}}]"#;
        let layers = parse_layers(layers).unwrap();
        assert_eq!((layers.len(), layers[1].parent.as_deref()), (2, Some("aa")));
        let images = br#"[{"id": "1", "names": ["a:1", "b:1"], "layer": "aa", "mapped-layers": ["bb"]}]"#;
        let stacks: Vec<Stack> = parse_images(images).unwrap().into_iter().flat_map(image).collect();
        assert_eq!(stacks.iter().map(|one| one.top.as_str()).collect::<Vec<_>>(), ["aa", "bb"]);
        assert_eq!(parse_layers(b"[{]"), None);
        assert_eq!(parse_containers(b"[]"), Some(Vec::new()));
    }

    #[test]
    fn cri_o_names_pod_and_container() {
        let crio = parse_metadata(
            r#"{"pod-name": "web-7f", "pod-id": "1", "metadata-name": "app", "image-name": "shop/web:2"}"#,
        );
        assert_eq!((crio.engine, crio.name.as_deref()), (Some("cri-o"), Some("web-7f/app")));
        let podman = parse_metadata(r#"{"image-name": "shop/web:2", "name": "web-1"}"#);
        assert_eq!((podman.engine, podman.name, podman.image.as_deref()), (None, None, Some("shop/web:2")));
        assert_eq!(parse_metadata("{"), Metadata::default());
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,80}") {
            let _nothing = (parse_layers(&bytes), parse_images(&bytes), parse_containers(&bytes), parse_metadata(&text));
        }
    }
}
