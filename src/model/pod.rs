//! Pods of Kubernetes and containers by name, wherever a disk names them: logs, manifests, folders of kubelet, stores of
//! engines.

use super::glob;
use super::path::TargetPath;
use super::text::Excerpt;
use super::time::Time;

/// A pod, what makes pods, or a container of an engine.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Pod {
    /// The file or folder that names it.
    pub path: TargetPath,
    /// What that is.
    pub source: PodSource,
    /// What it names.
    pub kind: PodKind,
    /// Its name; empty for a container of no pod, and for an image.
    pub name: String,
    /// Its namespace, where the source says it.
    pub namespace: Option<String>,
    /// Its containers, where the source names them.
    pub containers: Vec<PodContainer>,
    /// The line in the file, counted from 1.
    pub line: Option<u32>,
    /// Last change of the file or folder.
    pub modified: Option<Time>,
}

/// A container by its name and image, as far as the source names them.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PodContainer {
    /// The name in the pod.
    pub name: Option<String>,
    /// The image that it is made of.
    pub image: Option<String>,
}

/// What names a pod.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PodSource {
    /// The folder of its logs: it ran.
    Logs,
    /// kubelet's folder of a pod: it ran or was about to.
    Kubelet,
    /// A manifest that kubelet or the server starts by itself.
    Manifest,
    /// The store of a container engine: it was made, and may have run.
    Engine,
    /// An image in such a store.
    Image,
}

/// What is named.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PodKind {
    /// One pod.
    Pod,
    /// What makes pods, whose names begin with its own: a DaemonSet, a Deployment.
    Controller,
    /// A container or image of which no pod is known.
    None,
}

impl Pod {
    /// Whether it, or the pods that it makes, fit a name with stars.
    #[must_use]
    pub fn is_called(&self, pattern: &str) -> bool {
        let fits = |name: &str| glob::fits(pattern.as_bytes(), name.as_bytes(), glob::exact);
        match self.kind {
            PodKind::None => false,
            PodKind::Pod if self.source != PodSource::Manifest => fits(&self.name),
            // The node's name, or a random text, comes behind.
            _ => fits(&self.name) || fits(&format!("{}-x", self.name)),
        }
    }

    /// Most bytes of a name: what Kubernetes permits.
    pub const LONGEST_NAME: usize = 253;

    /// What a name is for people.
    #[must_use]
    pub fn shown(&self) -> Excerpt {
        Excerpt::of(self.name.as_bytes())
    }
}

/// A container's name as kubelet gives it to Docker: `k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT`. None for any other.
#[must_use]
pub fn of_docker_name(name: &str) -> Option<(String, String, String)> {
    let mut parts = name.trim_start_matches('/').strip_prefix("k8s_")?.split('_');
    let (container, pod, namespace) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next()?;
    Some((container.to_owned(), pod.to_owned(), namespace.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_kubelet_for_docker() {
        let told = of_docker_name("/k8s_setup_node-setup-w1_kube-system_0f-1_0").unwrap();
        assert_eq!((told.0.as_str(), told.1.as_str(), told.2.as_str()), ("setup", "node-setup-w1", "kube-system"));
        assert!(of_docker_name("web-1").is_none() && of_docker_name("k8s_a_b_c").is_none());
    }

    #[test]
    fn what_makes_pods_is_called_by_their_beginning() {
        let pod = |kind, source| Pod {
            path: TargetPath::new(b"/x"),
            source,
            kind,
            name: "host-provisioner-std".to_owned(),
            namespace: None,
            containers: Vec::new(),
            line: None,
            modified: None,
        };
        assert!(pod(PodKind::Controller, PodSource::Manifest).is_called("host-provisioner-std-*"));
        assert!(!pod(PodKind::Pod, PodSource::Logs).is_called("host-provisioner-std-*"));
        assert!(!pod(PodKind::None, PodSource::Image).is_called("*"));
        assert!(!pod(PodKind::Controller, PodSource::Manifest).is_called("host-provisioner-iran-*"));
    }
}
