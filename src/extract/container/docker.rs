//! Docker's own store (graph drivers overlay2, fuse-overlayfs and vfs; moby, `layer/filestore.go` and
//! `image/fs.go`). Below the data root:
//!
//! * `image/DRIVER/layerdb/sha256/CHAIN/{cache-id,parent}`: a layer, and the folder of its content;
//! * `image/DRIVER/layerdb/mounts/CONTAINER/{mount-id,init-id,parent}`: a container's own layers;
//! * `image/DRIVER/imagedb/content/sha256/ID`: an image; `image/DRIVER/repositories.json`: its names;
//! * `containers/ID/{config.v2.json,hostconfig.json}`: a container. Where containerd keeps the layers, these still name it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::files::{Folder, SMALL, is_word, names_lost};
use super::oci::{self, MOST_MOUNTS, is_foreign};
use super::pods;
use crate::extract::input::Input;
use crate::model::container::{ContainerStore, HostMount, KnownContainer, LayerForm, Stack, StackKind, StoredLayer};
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::interest::EntryKind;
use crate::model::path::TargetPath;
use crate::model::text::Excerpt;

/// Reads the store whose `layerdb` this is.
pub(super) fn read_store(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    let image = input.folder();
    // DATA/image/DRIVER/layerdb
    let (Some(above), driver) = (image.parent(), image.file_name().to_vec()) else { return harvest };
    let (b"image", Some(data)) = (above.file_name(), above.parent()) else { return harvest };
    let opened = input.open_dir().and_then(|dir| {
        let layers = Folder { dir, path: input.candidate.path.clone() };
        Ok((layers, Folder::at(input, image)?))
    });
    let (layers, image) = match opened {
        Ok(both) => both,
        Err(why) => {
            harvest.gaps.push(names_lost(input, input.candidate.path.clone(), why));
            return harvest;
        }
    };
    let mut store = ContainerStore {
        path: input.candidate.path.clone(),
        engine: "docker",
        form: form(&image, &driver),
        layers: Vec::new(),
        stacks: Vec::new(),
        is_partial: false,
    };
    let content = Content { data, driver };
    add_layers(input, &layers, &content, &mut store, &mut harvest);
    add_containers(input, &layers, &content, &mut store, &mut harvest);
    add_images(input, &image, &mut store, &mut harvest);
    store.is_partial = !harvest.gaps.is_empty();
    store.layers.sort_unstable();
    harvest.facts.container_stores.push(store);
    harvest
}

fn form(image: &Folder, driver: &[u8]) -> LayerForm {
    match driver {
        b"vfs" => LayerForm::Copy,
        b"fuse-overlayfs" => LayerForm::Fuse,
        _ if image.is_of_user() => LayerForm::KernelOfUser,
        _ => LayerForm::Kernel,
    }
}

/// Where the driver keeps the content of layers.
struct Content {
    data: TargetPath,
    driver: Vec<u8>,
}

impl Content {
    fn layer(&self, key: String, id: &str, parent: Option<String>) -> StoredLayer {
        let driver = self.data.join(&self.driver);
        let folder = match self.driver.as_slice() {
            b"vfs" => driver.join(b"dir").join(id.as_bytes()),
            _ => driver.join(id.as_bytes()).join(b"diff"),
        };
        StoredLayer { key, folder, parent }
    }
}

fn add_layers(
    input: &Input<'_>,
    layers: &Folder,
    content: &Content,
    store: &mut ContainerStore,
    harvest: &mut Harvest,
) {
    let Some(all) = layers.folder(b"sha256") else { return };
    for name in all.names(input, EntryKind::Dir, harvest) {
        let Some(layer) = all.folder(&name) else { continue };
        let Some(id) = layer.word(input, b"cache-id", harvest) else { continue };
        let parent = layer.word(input, b"parent", harvest);
        let key = format!("sha256:{}", String::from_utf8_lossy(&name));
        store.layers.push(content.layer(key, &id, parent));
    }
}

fn add_containers(
    input: &Input<'_>,
    layers: &Folder,
    content: &Content,
    store: &mut ContainerStore,
    harvest: &mut Harvest,
) {
    let Some(all) = layers.folder(b"mounts") else { return };
    for name in all.names(input, EntryKind::Dir, harvest) {
        let (Some(mount), Ok(id)) = (all.folder(&name), String::from_utf8(name)) else { continue };
        let Some(own) = mount.word(input, b"mount-id", harvest) else { continue };
        let parent = mount.word(input, b"parent", harvest);
        let init = mount.word(input, b"init-id", harvest);
        let key = |id: &str| format!("mount:{id}");
        let below = init.as_deref().map(key).or_else(|| parent.clone());
        store.layers.push(content.layer(key(&own), &own, below));
        store.layers.extend(init.map(|init| content.layer(key(&init), &init, parent)));
        let about = KnownContainer { id: id.clone(), ..KnownContainer::default() };
        store.stacks.push(Stack { kind: StackKind::Container, id, names: Vec::new(), top: key(&own), about });
    }
}

fn add_images(input: &Input<'_>, image: &Folder, store: &mut ContainerStore, harvest: &mut Harvest) {
    let names = image.parsed(input, b"repositories.json", parse_repositories, harvest).unwrap_or_default();
    let Some(all) = image.below(&[b"imagedb", b"content", b"sha256"]) else { return };
    for name in all.names(input, EntryKind::File, harvest) {
        let Some(bytes) = all.bytes(input, &name, SMALL, harvest) else { continue };
        let Some(top) = oci::chain_of_image(&bytes) else {
            // An image without layers is no fault; anything else is.
            if serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_err() {
                harvest.gaps.push(names_lost(input, all.path.join(&name), GapReason::Malformed));
            }
            continue;
        };
        let id = format!("sha256:{}", String::from_utf8_lossy(&name));
        let names = names.get(&id).map_or(&[] as &[_], Vec::as_slice);
        let names = names.iter().map(|name| Excerpt::of(name.as_bytes())).collect();
        store.stacks.push(Stack { kind: StackKind::Image, id, names, top, about: KnownContainer::default() });
    }
}

#[derive(Deserialize)]
struct Repositories {
    #[serde(rename = "Repositories", default)]
    all: Option<BTreeMap<String, BTreeMap<String, String>>>,
}

/// `repositories.json`: image id → its names, those with a tag first. None for a file that is none.
#[must_use]
pub fn parse_repositories(bytes: &[u8]) -> Option<BTreeMap<String, Vec<String>>> {
    let file: Repositories = serde_json::from_slice(bytes).ok()?;
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, id) in file.all.unwrap_or_default().into_values().flatten() {
        out.entry(id).or_default().push(name);
    }
    out.values_mut().for_each(|names| names.sort_by_key(|name| name.contains('@')));
    Some(out)
}

/// Reads `config.v2.json` of one container, and `hostconfig.json` beside it.
pub(super) fn read_container(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    let path = input.folder();
    // DATA/containers/ID/config.v2.json
    let is_placed = path.parent().is_some_and(|above| above.file_name() == b"containers");
    let Ok(id) = std::str::from_utf8(path.file_name()) else { return harvest };
    if !is_placed || !is_word(id) {
        return harvest;
    }
    let folder = match Folder::at(input, path.clone()) {
        Ok(folder) => folder,
        Err(why) => {
            harvest.gaps.push(names_lost(input, path, why));
            return harvest;
        }
    };
    let Some(mut found) = folder.parsed(input, b"config.v2.json", parse_container, &mut harvest) else {
        return harvest;
    };
    if let Some(host) = folder.parsed(input, b"hostconfig.json", parse_host, &mut harvest) {
        found.privileged = host.privileged;
        let known: Vec<Excerpt> = found.mounts.iter().map(|one| one.destination.clone()).collect();
        found.mounts.extend(host.mounts.into_iter().filter(|one| !known.contains(&one.destination)));
    }
    found.id = id.to_owned();
    harvest.facts.pods.extend(pods::of_container(&input.candidate.path, &found));
    harvest.facts.known_containers.push(found);
    harvest
}

#[derive(Deserialize)]
struct ConfigFile {
    #[serde(rename = "Name")]
    name: Option<String>,
    #[serde(rename = "Config")]
    config: Option<Config>,
    #[serde(rename = "MountPoints")]
    mounts: Option<BTreeMap<String, MountPoint>>,
}

#[derive(Deserialize)]
struct Config {
    #[serde(rename = "Image")]
    image: Option<String>,
}

#[derive(Deserialize)]
struct MountPoint {
    #[serde(rename = "Source")]
    source: Option<String>,
    #[serde(rename = "Destination")]
    destination: Option<String>,
    #[serde(rename = "RW")]
    writable: Option<bool>,
}

/// `config.v2.json`: name, image and mounts. None for a file that is none.
#[must_use]
pub fn parse_container(bytes: &[u8]) -> Option<KnownContainer> {
    let file: ConfigFile = serde_json::from_slice(bytes).ok()?;
    let text = |text: &String| Excerpt::of(text.trim_start_matches('/').as_bytes());
    let image = file.config.and_then(|config| config.image);
    let mounts = file.mounts.unwrap_or_default().into_iter().filter_map(|(at, one)| {
        let source = one.source.filter(|source| !source.is_empty())?;
        let destination = one.destination.unwrap_or(at);
        is_foreign(&destination).then(|| HostMount::of(&source, &destination, one.writable.unwrap_or(true)))
    });
    Some(KnownContainer {
        engine: Some("docker"),
        name: file.name.as_ref().filter(|name| !name.is_empty()).map(text),
        image: image.as_ref().filter(|image| !image.is_empty()).map(|image| Excerpt::of(image.as_bytes())),
        mounts: mounts.take(MOST_MOUNTS).collect(),
        ..KnownContainer::default()
    })
}

#[derive(Deserialize)]
struct HostFile {
    #[serde(rename = "Binds")]
    binds: Option<Vec<String>>,
    #[serde(rename = "Privileged")]
    privileged: Option<bool>,
}

/// `hostconfig.json`: what was asked for with `-v`, as `SOURCE:DESTINATION[:OPTIONS]`, and `--privileged`. Of a named volume
/// `config.v2.json` says where it lies. None for a file that is none.
#[must_use]
pub fn parse_host(bytes: &[u8]) -> Option<KnownContainer> {
    let file: HostFile = serde_json::from_slice(bytes).ok()?;
    let mounts = file.binds.unwrap_or_default().into_iter().filter_map(|bind| {
        let mut parts = bind.split(':');
        let (source, destination) = (parts.next()?, parts.next()?);
        let is_read_only = parts.next().is_some_and(|options| options.split(',').any(|one| one == "ro"));
        source.starts_with('/').then(|| HostMount::of(source, destination, !is_read_only))
    });
    Some(KnownContainer {
        privileged: file.privileged.unwrap_or(false),
        mounts: mounts.take(MOST_MOUNTS).collect(),
        ..KnownContainer::default()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_with_a_tag_come_first() {
        let text = br#"{"Repositories": {"shop/web": {"shop/web@sha256:ff": "sha256:1", "shop/web:2": "sha256:1"}}}"#;
        let names = parse_repositories(text).unwrap();
        assert_eq!(names["sha256:1"], ["shop/web:2", "shop/web@sha256:ff"]);
        assert_eq!(parse_repositories(b"{}"), Some(BTreeMap::new()));
        assert_eq!(parse_repositories(b"7"), None);
    }

    #[test]
    fn a_container_has_a_name_an_image_and_mounts() {
        let config = br#"{"ID": "aa", "Name": "/web-1", "Config": {"Image": "shop/web:2", "Env": ["A=b"]},
            "MountPoints": {"/data": {"Source": "/srv/data", "Destination": "/data", "RW": false},
            "/anon": {"Source": "", "Name": "x"}}, "State": {"Running": true}}"#;
        let found = parse_container(config).unwrap();
        assert_eq!(found.name.unwrap().as_str(), "web-1");
        assert_eq!(found.image.unwrap().as_str(), "shop/web:2");
        assert_eq!(found.mounts, [HostMount::of("/srv/data", "/data", false)]);
        assert!(parse_container(br#"{"MountPoints": null}"#).unwrap().mounts.is_empty());
        let host = parse_host(br#"{"Binds": ["/etc:/host:ro", "vol:/v", "x"], "Privileged": true}"#).unwrap();
        assert_eq!((host.mounts, host.privileged), (vec![HostMount::of("/etc", "/host", false)], true));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _nothing = (parse_repositories(&bytes), parse_container(&bytes), parse_host(&bytes));
        }
    }
}
