//! Images of containers in tar archives: which layer belongs to which image. `docker save` writes `manifest.json` (its
//! image specification), others an OCI layout (OCI image specification, `image-layout.md`): `index.json` leads to
//! manifests, and these to layers, all in `blobs/ALGORITHM/DIGEST`. Newer archives have both.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::held::Holding;

/// Most bytes of one document, and of all of one archive.
pub const MOST_BYTES: u64 = 1 << 20;
const MOST_IN_ALL: usize = 4 << 20;

/// Most layers that are given a name, and longest name.
const MOST_LAYERS: usize = 10_000;
const LONGEST_NAME: usize = 200;

/// The documents of one archive that say so, by their places.
#[derive(Default)]
pub struct Documents {
    all: BTreeMap<String, Vec<u8>>,
    bytes: usize,
}

/// A row of `manifest.json`.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Saved {
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// An index or a manifest: the one names manifests, the other layers.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Manifest {
    manifests: Vec<Descriptor>,
    layers: Vec<Descriptor>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Descriptor {
    digest: String,
    annotations: BTreeMap<String, String>,
}

impl Descriptor {
    fn name(&self) -> Option<String> {
        let keys = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];
        keys.iter().find_map(|key| self.annotations.get(*key)).filter(|name| !name.is_empty()).cloned()
    }

    fn place(&self) -> Option<String> {
        self.digest.split_once(':').map(|(algorithm, digest)| format!("blobs/{algorithm}/{digest}"))
    }
}

/// Whether a file says which images an archive holds.
#[must_use]
pub fn is_document(name: &[u8]) -> bool {
    matches!(name, b"manifest.json" | b"index.json")
}

/// Whether it is a blob of an image: a layer, or a document.
#[must_use]
pub fn is_blob(name: &[u8]) -> bool {
    let mut parts = name.split(|byte| *byte == b'/');
    let is_hex = |digest: &[u8]| digest.len() >= 32 && digest.iter().all(u8::is_ascii_hexdigit);
    parts.next() == Some(b"blobs")
        && parts.next().is_some()
        && parts.next().is_some_and(is_hex)
        && parts.next().is_none()
}

impl Documents {
    /// Keeps one, as far as there is room: without it a layer has no name, and is looked at all the same.
    pub fn add(&mut self, name: &[u8], bytes: Vec<u8>) {
        if self.bytes.saturating_add(bytes.len()) <= MOST_IN_ALL {
            self.bytes += bytes.len() + name.len();
            self.all.insert(String::from_utf8_lossy(name).into_owned(), bytes);
        }
    }

    /// The images by the places of their layers; of several images with one layer the first.
    #[must_use]
    pub fn images(&self) -> BTreeMap<String, String> {
        let mut out = BTreeMap::new();
        for one in self.read::<Vec<Saved>>("manifest.json").unwrap_or_default() {
            let name = one.repo_tags.unwrap_or_default().into_iter().next();
            name_layers(&mut out, one.layers, name);
        }
        // Where an index leads, each place once: they may lead in circles.
        let mut seen = BTreeSet::new();
        let mut left = vec![("index.json".to_owned(), None)];
        while let Some((place, name)) = left.pop() {
            if seen.len() == MOST_LAYERS || !seen.insert(place.clone()) {
                continue;
            }
            let Some(manifest) = self.read::<Manifest>(&place) else { continue };
            let deeper =
                manifest.manifests.iter().filter_map(|one| Some((one.place()?, one.name().or_else(|| name.clone()))));
            left.extend(deeper.take(MOST_LAYERS));
            name_layers(&mut out, manifest.layers.iter().filter_map(Descriptor::place), name);
        }
        out
    }

    fn read<'a, T: Deserialize<'a>>(&'a self, place: &str) -> Option<T> {
        self.all.get(place).and_then(|bytes| serde_json::from_slice(bytes).ok())
    }

    /// Says of everything in the layers of this archive, whose places begin with `before`, which image it is of.
    pub fn name_held(&self, before: &[u8], holding: &mut Holding<'_>) {
        for (layer, image) in self.images() {
            let below = [before, layer.as_bytes(), b"!/"].concat();
            for held in holding.below(&below) {
                held.image = Some(image.clone().into_bytes());
            }
        }
    }
}

fn name_layers(out: &mut BTreeMap<String, String>, layers: impl IntoIterator<Item = String>, name: Option<String>) {
    let Some(name) = name else { return };
    let name: String = name.chars().take(LONGEST_NAME).collect();
    for layer in layers {
        if out.len() < MOST_LAYERS {
            out.entry(layer).or_insert_with(|| name.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn images(documents: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut all = Documents::default();
        documents.iter().for_each(|(name, text)| all.add(name.as_bytes(), text.as_bytes().to_vec()));
        all.images().into_iter().collect()
    }

    #[test]
    fn saved_images_name_their_layers() {
        let found = images(&[(
            "manifest.json",
            r#"[{"Config":"c.json","RepoTags":["web:1","web:2"],"Layers":["a/layer.tar","b/layer.tar"]},
               {"RepoTags":null,"Layers":["c/layer.tar"]}]"#,
        )]);
        let expected = [("a/layer.tar", "web:1"), ("b/layer.tar", "web:1")];
        assert_eq!(found, expected.map(|(layer, name)| (layer.to_owned(), name.to_owned())));
    }

    #[test]
    fn an_index_leads_to_layers() {
        let found = images(&[
            (
                "index.json",
                r#"{"manifests":[{"digest":"sha256:aa","annotations":{"io.containerd.image.name":"docker.io/library/web:1",
                    "org.opencontainers.image.ref.name":"1"}}]}"#,
            ),
            ("blobs/sha256/aa", r#"{"manifests":[{"digest":"sha256:bb"},{"digest":"sha256:aa"}]}"#),
            ("blobs/sha256/bb", r#"{"config":{"digest":"sha256:00"},"layers":[{"digest":"sha256:cc"}]}"#),
        ]);
        assert_eq!(found, [("blobs/sha256/cc".to_owned(), "docker.io/library/web:1".to_owned())]);
        assert!(images(&[("index.json", "[]"), ("manifest.json", "{}")]).is_empty());
    }

    #[test]
    fn blobs_are_known_by_their_places() {
        let digest = "0a".repeat(32);
        assert!(is_blob(format!("blobs/sha256/{digest}").as_bytes()));
        assert!(!is_blob(format!("blobs/sha256/{digest}/x").as_bytes()) && !is_blob(b"blobs/sha256/readme"));
    }

    proptest! {
        #[test]
        fn any_documents_are_read(one in "[\\[\\]{}\",:a-zA-Z0-9 ]{0,80}", other in "[\\[\\]{}\",:a-z0-9]{0,80}") {
            let _images = images(&[("manifest.json", &one), ("index.json", &other)]);
        }
    }
}
