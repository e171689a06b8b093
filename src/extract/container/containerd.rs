//! containerd's store, also that of k3s and of Docker with containerd's image store. Below its root:
//!
//! * `io.containerd.snapshotter.v1.NAME/metadata.db`: snapshots, a bolt database (`v1/snapshots/NAMESPACE/NUMBER/KEY` with
//!   `id`, a varint, and `parent`); the content lies in `snapshots/ID/fs`, of the native snapshotter in `snapshots/ID`;
//! * `io.containerd.metadata.v1.bolt/meta.db`: for each namespace `images/NAME/target/digest` and `containers/ID` with
//!   `image`, `snapshotKey`, `spec` (a protobuf Any that holds the OCI specification) and `labels`;
//! * `io.containerd.content.v1.content/blobs/sha256/DIGEST`: indexes, manifests and descriptions of images.

use std::collections::BTreeMap;

use super::files::{Folder, SMALL, is_word, names_lost};
use super::oci;
use crate::extract::format::bolt::{self, Bolt, Bucket, Entries, Fault, Item};
use crate::extract::format::read_at::ReadAt;
use crate::extract::input::Input;
use crate::model::container::{ContainerStore, KnownContainer, LayerForm, Stack, StackKind, StoredLayer};
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::path::TargetPath;
use crate::model::text::Excerpt;

/// Most blobs that are read for the images of one store.
const MOST_BLOBS: u32 = 50_000;

/// Most platforms of one image that are looked at.
const MOST_PLATFORMS: usize = 200;

/// Reads the store of the snapshotter whose folder this is.
#[allow(clippy::redundant_closure, reason = "the functions take any source, and a pointer to one names its own")]
pub(super) fn read_store(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    let own = &input.candidate.path;
    let is_native = input.candidate.name.ends_with(b".native");
    let opened = input.open_dir().and_then(|dir| {
        let snapshotter = Folder { dir, path: own.clone() };
        Ok((snapshotter, Folder::at(input, input.folder())?))
    });
    let (snapshotter, root) = match opened {
        Ok(both) => both,
        Err(why) => {
            harvest.gaps.push(names_lost(input, own.clone(), why));
            return harvest;
        }
    };
    let is_k3s = own.components().any(|name| name == b"k3s");
    let mut store = ContainerStore {
        path: own.clone(),
        engine: if is_k3s { "k3s" } else { "containerd" },
        form: form(&root, input.candidate.name),
        layers: Vec::new(),
        stacks: Vec::new(),
        is_partial: false,
    };
    let snapshots: Vec<Snapshot> =
        database(input, &snapshotter, b"metadata.db", &mut harvest, |db, out| snapshots(db, out));
    store.layers.extend(snapshots.into_iter().map(|one| one.layer(own, is_native)));
    let meta = root.folder(b"io.containerd.metadata.v1.bolt");
    let known =
        meta.map(|meta| database(input, &meta, b"meta.db", &mut harvest, |db, out| known(db, out))).unwrap_or_default();
    let mut blobs = Blobs::of(&root);
    let name = String::from_utf8_lossy(input.candidate.name).into_owned();
    let name = name.rsplit('.').next().unwrap_or_default().to_owned();
    store.stacks = stacks(input, &store.layers, &known, &name, &mut blobs, &mut harvest);
    store.is_partial = !harvest.gaps.is_empty();
    store.layers.sort_unstable();
    if !store.layers.is_empty() || !store.stacks.is_empty() {
        harvest.facts.container_stores.push(store);
    }
    harvest
}

fn form(root: &Folder, name: &[u8]) -> LayerForm {
    match name.rsplit(|byte| *byte == b'.').next() {
        Some(b"native") => LayerForm::Copy,
        Some(b"fuse-overlayfs") => LayerForm::Fuse,
        _ if root.is_of_user() => LayerForm::KernelOfUser,
        _ => LayerForm::Kernel,
    }
}

/// Opens a database and reads what it holds; faults become gaps.
fn database<T: Default>(
    input: &Input<'_>,
    folder: &Folder,
    name: &[u8],
    harvest: &mut Harvest,
    read: fn(&Bolt<'_, dyn ReadAt + '_>, &mut T) -> Result<(), Fault>,
) -> T {
    let mut out = T::default();
    let mut told = |why| harvest.gaps.push(names_lost(input, folder.path.join(name), why));
    let file = match input.open(&folder.dir, &folder.path, name) {
        Ok(file) => file,
        Err(GapReason::Missing | GapReason::Vanished) => return out,
        Err(why) => {
            told(why);
            return out;
        }
    };
    let bytes = input.at_will(&file);
    let bytes: &(dyn ReadAt + '_) = &bytes;
    let done = Bolt::open(bytes).and_then(|db| read(&db, &mut out));
    match done {
        Ok(()) => {}
        Err(Fault::Malformed) => told(GapReason::Malformed),
        Err(Fault::TooLarge) => told(GapReason::TooLarge),
        Err(Fault::Unreadable) => told(GapReason::Unreadable),
    }
    out
}

/// A snapshot as the snapshotter knows it.
#[derive(PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// `NAMESPACE/NUMBER/KEY`.
    pub name: String,
    /// The name of its folder.
    pub id: u64,
    /// The name of the one below.
    pub parent: Option<String>,
}

impl Snapshot {
    fn layer(self, own: &TargetPath, is_native: bool) -> StoredLayer {
        let folder = own.join(b"snapshots").join(self.id.to_string().as_bytes());
        let folder = if is_native { folder } else { folder.join(b"fs") };
        StoredLayer { key: self.name, folder, parent: self.parent }
    }
}

/// Reads `metadata.db`. What was read before a fault is kept.
///
/// # Errors
/// The first fault of the database.
pub fn snapshots<R: ReadAt + ?Sized>(db: &Bolt<'_, R>, out: &mut Vec<Snapshot>) -> Result<(), Fault> {
    let Some(v1) = db.bucket(&db.root(), b"v1")? else { return Ok(()) };
    let Some(all) = db.bucket(&v1, b"snapshots")? else { return Ok(()) };
    each(db, &all, |name, bucket| {
        let mut fields = Vec::new();
        db.entries(bucket, &mut fields)?;
        let id = bolt::value(&fields, b"id").and_then(varint).ok_or(Fault::Malformed)?;
        let parent = text(&fields, b"parent");
        out.push(Snapshot { name, id, parent });
        Ok(())
    })
}

/// What `meta.db` holds of one namespace after the other.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Known {
    /// Namespace, digest → names of images.
    pub images: BTreeMap<(String, String), Vec<String>>,
    /// The containers.
    pub containers: Vec<Container>,
}

/// A container of `meta.db`.
#[derive(PartialEq, Eq, Debug)]
pub struct Container {
    namespace: String,
    snapshotter: String,
    key: String,
    about: KnownContainer,
}

/// Reads `meta.db`. What was read before a fault is kept.
///
/// # Errors
/// The first fault of the database.
pub fn known<R: ReadAt + ?Sized>(db: &Bolt<'_, R>, out: &mut Known) -> Result<(), Fault> {
    let Some(v1) = db.bucket(&db.root(), b"v1")? else { return Ok(()) };
    each(db, &v1, |namespace, bucket| {
        if let Some(images) = db.bucket(bucket, b"images")? {
            each(db, &images, |name, image| {
                let Some(target) = db.bucket(image, b"target")? else { return Ok(()) };
                let mut fields = Vec::new();
                db.entries(&target, &mut fields)?;
                let digest = text(&fields, b"digest").ok_or(Fault::Malformed)?;
                out.images.entry((namespace.clone(), digest)).or_default().push(name);
                Ok(())
            })?;
        }
        let Some(containers) = db.bucket(bucket, b"containers")? else { return Ok(()) };
        each(db, &containers, |id, one| {
            out.containers.push(container(db, &namespace, id, one)?);
            Ok(())
        })
    })
}

fn container<R: ReadAt + ?Sized>(
    db: &Bolt<'_, R>,
    namespace: &str,
    id: String,
    bucket: &Bucket,
) -> Result<Container, Fault> {
    let mut fields = Vec::new();
    db.entries(bucket, &mut fields)?;
    let mut labels = Vec::new();
    if let Some(bucket) = db.bucket(bucket, b"labels")? {
        db.entries(&bucket, &mut labels)?;
    }
    let label = |name: &str| text(&labels, name.as_bytes());
    let pod = [label("io.kubernetes.pod.name"), label("io.kubernetes.container.name")];
    let pod: Vec<String> = pod.into_iter().flatten().collect();
    let name = if pod.is_empty() { label("nerdctl/name").unwrap_or_else(|| id.clone()) } else { pod.join("/") };
    let mounts = bolt::value(&fields, b"spec").and_then(any_value).and_then(oci::mounts);
    Ok(Container {
        namespace: namespace.to_owned(),
        snapshotter: text(&fields, b"snapshotter").unwrap_or_default(),
        key: text(&fields, b"snapshotKey").unwrap_or_default(),
        about: KnownContainer {
            id,
            engine: (namespace == "moby").then_some("docker"),
            name: Some(Excerpt::of(name.as_bytes())),
            image: text(&fields, b"image").map(|image| Excerpt::of(image.as_bytes())),
            mounts: mounts.unwrap_or_default(),
            privileged: false,
        },
    })
}

/// Calls `read` for every bucket of a bucket; one that is faulty does not keep the others from being read.
fn each<R: ReadAt + ?Sized>(
    db: &Bolt<'_, R>,
    within: &Bucket,
    mut read: impl FnMut(String, &Bucket) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut entries: Entries = Vec::new();
    let mut first = db.entries(within, &mut entries);
    for (name, item) in entries {
        let Item::Bucket(bucket) = item else { continue };
        first = first.and(read(String::from_utf8_lossy(&name).into_owned(), &bucket));
        if first == Err(Fault::TooLarge) {
            break;
        }
    }
    first
}

fn text(fields: &Entries, key: &[u8]) -> Option<String> {
    let value = bolt::value(fields, key).filter(|value| !value.is_empty())?;
    Some(String::from_utf8_lossy(value).into_owned())
}

/// A number as Go's `binary.PutUvarint` writes it: seven bits a byte, the lowest first.
fn varint(bytes: &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        let part = u64::from(byte & 0x7f).checked_shl(u32::try_from(at * 7).ok()?)?;
        number |= part;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// The second field of a protobuf `google.protobuf.Any`: the bytes that it holds.
#[must_use]
pub fn any_value(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    while let Some((tag, tail)) = rest.split_first() {
        // Both fields are of the kind that has a length; a reader of this one needs no others.
        let digits = tail.iter().position(|byte| byte & 0x80 == 0)? + 1;
        let length = usize::try_from(varint(tail.get(..digits)?)?).ok()?;
        let value = tail.get(digits..digits.checked_add(length)?)?;
        match tag {
            0x12 => return Some(value),
            0x0a => rest = tail.get(digits + length..)?,
            _ => return None,
        }
    }
    None
}

/// The store of content, from which the layers of an image follow.
struct Blobs {
    folder: Option<Folder>,
    left: u32,
}

impl Blobs {
    fn of(root: &Folder) -> Self {
        Self { folder: root.below(&[b"io.containerd.content.v1.content", b"blobs", b"sha256"]), left: MOST_BLOBS }
    }

    fn read(&mut self, input: &Input<'_>, digest: &str, harvest: &mut Harvest) -> Option<Vec<u8>> {
        let name = digest.strip_prefix("sha256:").filter(|name| is_word(name))?;
        let folder = self.folder.as_ref()?;
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            let gap = names_lost(input, folder.path.clone(), GapReason::TooLarge);
            harvest.gaps.push(gap.because(format!("{MOST_BLOBS} were read")));
            return None;
        }
        folder.bytes(input, name.as_bytes(), SMALL, harvest)
    }

    /// The chains of an image's layers, one for each platform that is here.
    fn chains(&mut self, input: &Input<'_>, digest: &str, harvest: &mut Harvest) -> Vec<String> {
        let Some(top) = self.read(input, digest, harvest).as_deref().and_then(oci::refers) else { return Vec::new() };
        let mut configs: Vec<String> = top.config.into_iter().collect();
        for manifest in top.manifests.iter().take(MOST_PLATFORMS) {
            let manifest = self.read(input, manifest, harvest).as_deref().and_then(oci::refers);
            configs.extend(manifest.and_then(|manifest| manifest.config));
        }
        let mut chains: Vec<String> =
            configs.iter().filter_map(|config| oci::chain_of_image(&self.read(input, config, harvest)?)).collect();
        chains.sort_unstable();
        chains.dedup();
        chains
    }
}

/// Images and containers by the names that the snapshotter has for their topmost layers.
fn stacks(
    input: &Input<'_>,
    layers: &[StoredLayer],
    known: &Known,
    snapshotter: &str,
    blobs: &mut Blobs,
    harvest: &mut Harvest,
) -> Vec<Stack> {
    let mut by_key: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for layer in layers {
        let mut parts = layer.key.splitn(3, '/');
        if let (Some(namespace), Some(_), Some(key)) = (parts.next(), parts.next(), parts.next()) {
            by_key.insert((namespace, key), &layer.key);
        }
    }
    let mut out = Vec::new();
    for ((namespace, digest), names) in &known.images {
        for chain in blobs.chains(input, digest, harvest) {
            let Some(top) = by_key.get(&(namespace.as_str(), chain.as_str())) else { continue };
            out.push(Stack {
                kind: StackKind::Image,
                id: digest.clone(),
                names: tagged(names),
                top: (*top).to_owned(),
                about: KnownContainer::default(),
            });
        }
    }
    let own = known.containers.iter().filter(|one| one.snapshotter.is_empty() || one.snapshotter == snapshotter);
    let mut named: Vec<&str> = Vec::new();
    for one in own {
        let Some(top) = by_key.get(&(one.namespace.as_str(), one.key.as_str())) else { continue };
        named.push(top);
        out.push(container_stack(&one.about, (*top).to_owned()));
    }
    // Of Docker's containers containerd knows the snapshot only, which is named after the container.
    for ((_, key), top) in by_key.iter().filter(|((namespace, _), _)| *namespace == "moby") {
        let is_id = key.len() == 64 && key.bytes().all(|at| at.is_ascii_hexdigit());
        if is_id && !named.contains(top) {
            let about = KnownContainer { id: (*key).to_owned(), engine: Some("docker"), ..KnownContainer::default() };
            out.push(container_stack(&about, (*top).to_owned()));
        }
    }
    out
}

fn container_stack(about: &KnownContainer, top: String) -> Stack {
    let names = about.name.clone().into_iter().collect();
    Stack { kind: StackKind::Container, id: about.id.clone(), names, top, about: about.clone() }
}

/// Names with a tag before those by digest.
fn tagged(names: &[String]) -> Vec<Excerpt> {
    let mut names: Vec<&String> = names.iter().take(100).collect();
    names.sort_by_key(|name| name.contains("sha256:"));
    names.into_iter().map(|name| Excerpt::of(name.as_bytes())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::format::made_bolt::bolt;
    use crate::model::container::HostMount;

    #[test]
    fn snapshots_have_a_folder_and_a_parent() {
        let bytes = bolt(
            "v1\\snapshots\\default/1/sha256:aa\n    id:varint = 1\nv1\\snapshots\\default/2/web\n    id:varint = 300\n    \
             parent = default/1/sha256:aa\n",
        );
        let mut out = Vec::new();
        snapshots(&Bolt::open(bytes.as_slice()).unwrap(), &mut out).unwrap();
        assert_eq!((out[1].id, out[1].parent.as_deref()), (300, Some("default/1/sha256:aa")));
        let own = TargetPath::new(b"/c/io.containerd.snapshotter.v1.overlayfs");
        assert!(out.remove(1).layer(&own, false).folder.as_bytes().ends_with(b"overlayfs/snapshots/300/fs"));
    }

    #[test]
    fn containers_have_names_and_mounts() {
        let text = r#"v1\k8s.io\images\shop/web:2\target
    digest = sha256:11
v1\k8s.io\containers\c1
    image = shop/web:2
    snapshotKey = c1
    snapshotter = overlayfs
    spec:any = {"mounts": [{"destination": "/d", "type": "bind", "source": "/srv", "options": ["rbind"]}]}
v1\k8s.io\containers\c1\labels
    io.kubernetes.pod.name = web-7f
    io.kubernetes.container.name = app
"#;
        let bytes = bolt(text);
        let mut out = Known::default();
        known(&Bolt::open(bytes.as_slice()).unwrap(), &mut out).unwrap();
        assert_eq!(out.images[&("k8s.io".to_owned(), "sha256:11".to_owned())], ["shop/web:2"]);
        let one = &out.containers[0].about;
        assert_eq!(one.name.as_ref().unwrap().as_str(), "web-7f/app");
        assert_eq!(one.mounts, [HostMount::of("/srv", "/d", true)]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _nothing = (any_value(&bytes), varint(&bytes));
        }
    }
}
