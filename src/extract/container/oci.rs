//! What all engines share: descriptions of images (OCI image specification, `rootfs.diff_ids`), from which the ids of
//! their layers' chains follow, and of containers (OCI runtime specification, `mounts`).

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::model::container::HostMount;
use crate::model::id::hex;

/// Most layers of one image. Docker permits 127, the kernel 500.
const MOST_LAYERS: usize = 2000;

/// Most mounts of one container that are kept.
pub(super) const MOST_MOUNTS: usize = 1000;

/// What engines put into every container: files of their own, not the host's.
const OWN: &[&str] = &[
    "/etc/hosts",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/run/.containerenv",
    "/dev/shm",
    "/dev/termination-log",
    "/run/secrets",
    "/var/run/secrets/kubernetes.io/serviceaccount",
];

#[derive(Deserialize)]
struct Image {
    rootfs: Rootfs,
}

#[derive(Deserialize)]
struct Rootfs {
    #[serde(default)]
    diff_ids: Vec<String>,
}

/// The id of an image's whole chain of layers, as Docker and containerd name it: the first layer's digest, then for each
/// further one the SHA-256 of `CHAIN DIGEST`. None for a file that describes no image, or one without layers.
#[must_use]
pub fn chain_of_image(bytes: &[u8]) -> Option<String> {
    let image: Image = serde_json::from_slice(bytes).ok()?;
    let all = image.rootfs.diff_ids;
    let (first, rest) = all.split_first().filter(|_| all.len() <= MOST_LAYERS)?;
    let step = |chain: String, digest: &String| format!("sha256:{}", hex(&Sha256::digest(format!("{chain} {digest}"))));
    Some(rest.iter().fold(first.clone(), step))
}

#[derive(Deserialize)]
struct Spec {
    #[serde(default)]
    mounts: Option<Vec<Mount>>,
}

#[derive(Deserialize)]
struct Mount {
    #[serde(default)]
    destination: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    options: Option<Vec<String>>,
}

/// The places of the host that a container is given, by its OCI specification. None for a file that is none.
#[must_use]
pub fn mounts(bytes: &[u8]) -> Option<Vec<HostMount>> {
    let spec: Spec = serde_json::from_slice(bytes).ok()?;
    let all = spec.mounts.unwrap_or_default();
    Some(all.iter().filter(|one| one.is_of_the_host()).take(MOST_MOUNTS).map(Mount::told).collect())
}

impl Mount {
    fn has(&self, option: &str) -> bool {
        self.options.iter().flatten().any(|own| own == option)
    }

    fn is_of_the_host(&self) -> bool {
        let is_bind = self.kind == "bind" || self.has("bind") || self.has("rbind");
        is_bind && self.source.starts_with('/') && is_foreign(&self.destination)
    }

    fn told(&self) -> HostMount {
        HostMount::of(&self.source, &self.destination, !self.has("ro"))
    }
}

/// Whether a mount is more than what the engine itself puts there.
pub(super) fn is_foreign(destination: &str) -> bool {
    !OWN.contains(&destination)
}

/// An index or a manifest of an image in a store of content (OCI image specification): the digests that it refers to.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Refers {
    /// Of an index: the manifests of its platforms.
    pub manifests: Vec<String>,
    /// Of a manifest: the description of the image.
    pub config: Option<String>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    manifests: Vec<Descriptor>,
    config: Option<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
}

/// What an index or a manifest refers to; none for anything else.
#[must_use]
pub fn refers(bytes: &[u8]) -> Option<Refers> {
    let document: Document = serde_json::from_slice(bytes).ok()?;
    let manifests = document.manifests.into_iter().map(|one| one.digest).collect();
    Some(Refers { manifests, config: document.config.map(|one| one.digest) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_chain_is_hashed_layer_by_layer() {
        // Checked with sha256sum: printf 'sha256:aa sha256:bb' | sha256sum.
        let one = chain_of_image(br#"{"rootfs": {"type": "layers", "diff_ids": ["sha256:aa"]}}"#);
        assert_eq!(one.as_deref(), Some("sha256:aa"));
        let two = chain_of_image(br#"{"rootfs": {"diff_ids": ["sha256:aa", "sha256:bb"]}}"#);
        assert_eq!(two.as_deref(), Some("sha256:b68ad689d6d1ec110ea1c13617437ad6f3766d4b3b309f6a603a222e07a0164f"));
        assert_eq!(chain_of_image(br#"{"rootfs": {"diff_ids": []}}"#), None);
        assert_eq!(chain_of_image(b"[]"), None);
    }

    #[test]
    fn only_places_of_the_host_are_mounts() {
        let spec = br#"{"mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/data", "type": "bind", "source": "/srv/data", "options": ["rbind", "ro"]},
            {"destination": "/work", "source": "/home/mia", "options": ["rbind", "rw"]},
            {"destination": "/etc/hosts", "type": "bind", "source": "/var/lib/x/hosts"}]}"#;
        let wanted = [HostMount::of("/srv/data", "/data", false), HostMount::of("/home/mia", "/work", true)];
        assert_eq!(mounts(spec).unwrap(), wanted);
        assert_eq!(mounts(br#"{"mounts": null}"#), Some(Vec::new()));
        assert_eq!(mounts(b"{"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _nothing = (chain_of_image(&bytes), mounts(&bytes), refers(&bytes));
        }
    }
}
