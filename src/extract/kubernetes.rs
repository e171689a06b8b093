//! Pods that kubelet left on the disk: folders of logs (`/var/log/pods/NAMESPACE_NAME_UID`), its own folders of pods, and
//! manifests that it or a server starts by itself (Kubernetes documentation: logging, static pods; k3s, RKE2 and k0s:
//! auto-deploying manifests). Only pods that some pack names are kept, and containers with the image that they name.

use super::Extractor;
use super::format::yaml::{self, Node};
use super::input::Input;
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, EntryKind, Interest, NamePattern};
use crate::model::path::TargetPath;
use crate::model::pod::{Pod, PodContainer, PodKind, PodSource};
use crate::target::dir::Dir;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "kubernetes",
        sentence: "Pods of Kubernetes by the folders of their logs, the folders of kubelet and manifests.",
        ask: Ask::Names(&[
            NamePattern::Exact("pods"),
            NamePattern::Exact("manifests"),
            NamePattern::Exact("pod-manifests"),
        ]),
    },
    cap: 1 << 20,
    read,
};

/// Most entries of one folder.
const MOST: usize = 20_000;

/// Most documents of one manifest, and most containers of one pod.
const MOST_DOCUMENTS: usize = 500;
const MOST_CONTAINERS: usize = 100;

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    if input.candidate.kind != EntryKind::Dir {
        return harvest;
    }
    let names: Vec<&[u8]> = input.candidate.path.components().collect();
    let reader: fn(&Input<'_>, &Folder, &mut Harvest) = match names.as_slice() {
        [b"var", b"log", b"pods"] => logs,
        [b"var", b"lib", b"kubelet", b"pods"]
        | [b"var", b"lib", b"k0s", b"kubelet", b"pods"]
        | [b"var", b"snap", b"microk8s", b"common", b"var", b"lib", b"kubelet", b"pods"] => kubelet,
        [b"etc", b"kubernetes", b"manifests"]
        | [b"var", b"lib", b"rancher", _, b"server", b"manifests"]
        | [b"var", b"lib", b"rancher", _, b"agent", b"pod-manifests"]
        | [b"var", b"lib", b"k0s", b"manifests"] => manifests,
        _ => return harvest,
    };
    match input.open_dir() {
        Ok(dir) => reader(input, &Folder { dir, path: input.candidate.path.clone() }, &mut harvest),
        Err(why) => harvest.gaps.push(input.gap(why)),
    }
    harvest
}

/// An open folder and its path.
struct Folder {
    dir: Dir,
    path: TargetPath,
}

impl Folder {
    /// Its entries of a kind, sorted; what cannot be listed is a gap.
    fn entries(&self, input: &Input<'_>, wanted: EntryKind, harvest: &mut Harvest) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        let listed = self.dir.list(|name, kind| {
            if kind == wanted && out.len() <= MOST {
                out.push(name.to_vec());
            }
        });
        if let Err(why) = listed {
            harvest.gaps.push(input.gap_at(self.path.clone(), why));
        }
        if out.len() > MOST {
            let says = format!("only {MOST} of its entries were looked at");
            harvest.gaps.push(input.gap_at(self.path.clone(), GapReason::TooLarge).because(says));
            out.truncate(MOST);
        }
        out.sort_unstable();
        out
    }

    /// A folder in it; one that cannot be entered is a gap, one that is gone is none.
    fn folder(&self, input: &Input<'_>, name: &[u8], harvest: &mut Harvest) -> Option<Self> {
        match self.dir.open_dir(name) {
            Ok(dir) => Some(Self { dir, path: self.path.join(name) }),
            Err(why) => {
                self.miss(input, name, why, harvest);
                None
            }
        }
    }

    /// Notes an entry that could not be looked at; of what was refused, the owner tells whose it is.
    fn miss(&self, input: &Input<'_>, name: &[u8], why: GapReason, harvest: &mut Harvest) {
        if why == GapReason::Missing {
            return;
        }
        let mut gap = input.gap_at(self.path.join(name), why);
        if why == GapReason::PermissionDenied {
            gap.owner_uid = self.dir.stat_entry(name).ok().map(|stat| stat.uid);
        }
        harvest.gaps.push(gap);
    }

    /// The containers of a pod by the folders in one.
    fn containers(&self, input: &Input<'_>, harvest: &mut Harvest) -> Vec<PodContainer> {
        let names = self.entries(input, EntryKind::Dir, harvest);
        if names.len() > MOST_CONTAINERS {
            let says = format!("only {MOST_CONTAINERS} of its containers were looked at");
            harvest.gaps.push(input.gap_at(self.path.clone(), GapReason::TooLarge).because(says));
        }
        names
            .into_iter()
            .take(MOST_CONTAINERS)
            .map(|name| PodContainer { name: String::from_utf8(name).ok(), image: None })
            .collect()
    }
}

fn logs(input: &Input<'_>, all: &Folder, harvest: &mut Harvest) {
    for name in all.entries(input, EntryKind::Dir, harvest) {
        let text = String::from_utf8_lossy(&name).into_owned();
        let mut parts = text.split('_');
        let (Some(namespace), Some(pod), Some(_)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let found = Pod {
            path: all.path.join(&name),
            source: PodSource::Logs,
            kind: PodKind::Pod,
            name: pod.to_owned(),
            namespace: Some(namespace.to_owned()),
            containers: Vec::new(),
            line: None,
            modified: all.dir.stat_entry(&name).ok().map(|stat| stat.modified),
        };
        if input.watch.has_pod(&found) {
            let containers =
                all.folder(input, &name, harvest).map(|own| own.containers(input, harvest)).unwrap_or_default();
            harvest.facts.pods.push(Pod { containers, ..found });
        }
    }
}

fn kubelet(input: &Input<'_>, all: &Folder, harvest: &mut Harvest) {
    for uid in all.entries(input, EntryKind::Dir, harvest) {
        let Some(own) = all.folder(input, &uid, harvest) else { continue };
        let hosts = match input.read(&own.dir, &own.path, b"etc-hosts", 64 << 10) {
            Ok(hosts) => hosts,
            Err(why) => {
                own.miss(input, b"etc-hosts", why, harvest);
                continue;
            }
        };
        if !hosts.whole {
            own.miss(input, b"etc-hosts", GapReason::TooLarge, harvest);
        }
        let Some((line, name)) = pod_of_hosts(&hosts.bytes) else { continue };
        let found = Pod {
            path: own.path.join(b"etc-hosts"),
            source: PodSource::Kubelet,
            kind: PodKind::Pod,
            name,
            namespace: None,
            containers: Vec::new(),
            line: Some(line),
            modified: Some(hosts.stat.modified),
        };
        if input.watch.has_pod(&found) {
            let below = own.folder(input, b"containers", harvest);
            let containers = below.map(|below| below.containers(input, harvest)).unwrap_or_default();
            harvest.facts.pods.push(Pod { containers, ..found });
        }
    }
}

/// The pod's name in the file of hosts that kubelet gives it: the last name of the last address that is not the pod's own
/// loop. Of a pod in the network of the host the file is a copy of the host's, and says nothing.
#[must_use]
pub fn pod_of_hosts(bytes: &[u8]) -> Option<(u32, String)> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = (1..).zip(text.lines());
    let (_, first) = lines.next()?;
    if first.trim() != "# Kubernetes-managed hosts file." {
        return None;
    }
    let is_own = |line: &str| {
        let address = line.split_ascii_whitespace().next().unwrap_or_default();
        !line.starts_with('#') && !address.is_empty() && !address.starts_with("127.") && !is_loop(address)
    };
    let (number, line) =
        lines.take_while(|(_, line)| !line.starts_with("# Entries added")).filter(|(_, line)| is_own(line)).last()?;
    let name = line.split_ascii_whitespace().last().filter(|name| name.len() <= Pod::LONGEST_NAME)?;
    Some((number, name.to_owned()))
}

fn is_loop(address: &str) -> bool {
    address == "::1" || address.starts_with("fe00::") || address.starts_with("ff02::")
}

fn manifests(input: &Input<'_>, all: &Folder, harvest: &mut Harvest) {
    read_manifests(input, all, harvest);
    // k0s has a folder for each stack, k3s for what belongs together.
    for name in all.entries(input, EntryKind::Dir, harvest) {
        if let Some(below) = all.folder(input, &name, harvest) {
            read_manifests(input, &below, harvest);
        }
    }
}

fn read_manifests(input: &Input<'_>, folder: &Folder, harvest: &mut Harvest) {
    for name in folder.entries(input, EntryKind::File, harvest) {
        let is_one = [b".yaml".as_slice(), b".yml", b".json"].iter().any(|end| name.ends_with(end));
        // kubelet leaves out what begins with a dot.
        if !is_one || name.starts_with(b".") {
            continue;
        }
        let path = folder.path.join(&name);
        let content = match input.read(&folder.dir, &folder.path, &name, input.cap) {
            Ok(content) => content,
            Err(why) => {
                harvest.gaps.push(input.gap_at(path, why));
                continue;
            }
        };
        let (found, fault) = parse(&content.bytes);
        if let Some(reason) = if content.whole { fault } else { Some(GapReason::TooLarge) } {
            harvest.gaps.push(input.gap_at(path.clone(), reason));
        }
        let modified = Some(content.stat.modified);
        harvest.facts.pods.extend(found.into_iter().map(|pod| Pod { path: path.clone(), modified, ..pod }));
    }
}

/// The pods, and what makes pods, of a manifest; and why not all of it was taken.
#[must_use]
pub fn parse(bytes: &[u8]) -> (Vec<Pod>, Option<GapReason>) {
    let mut out = Vec::new();
    let mut fault = documents(bytes).nth(MOST_DOCUMENTS).map(|_| GapReason::TooLarge);
    for (above, document) in documents(bytes).take(MOST_DOCUMENTS) {
        if document.trim_ascii().is_empty() || only_comments(document) {
            continue;
        }
        match yaml::parse(document) {
            Ok(node) if add(&node, above, &mut out) => {}
            Ok(_) => fault = fault.or(Some(GapReason::TooLarge)),
            Err(_) => fault = Some(GapReason::Malformed),
        }
    }
    (out, fault)
}

fn only_comments(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).all(|line| line.is_empty() || line.starts_with(b"#"))
}

/// The documents of a file, each with the number of lines above it.
fn documents(bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut rest = Some((0_u32, bytes));
    std::iter::from_fn(move || {
        let (above, text) = rest.take()?;
        let mut at = 0;
        let mut lines = 0_u32;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            at += line.len();
            lines = lines.saturating_add(1);
            if line.trim_ascii_end() == b"---" {
                rest = Some((above.saturating_add(lines), text.get(at..).unwrap_or_default()));
                return Some((above, text.get(..at - line.len()).unwrap_or_default()));
            }
        }
        Some((above, text))
    })
}

/// Adds the pods of a document; tells whether it took all of them with all of their containers.
fn add(node: &Node, above: u32, out: &mut Vec<Pod>) -> bool {
    let items = node.get("items").map(Node::members).unwrap_or_default();
    let mut is_whole = items.len() <= MOST_DOCUMENTS;
    for one in items.iter().take(MOST_DOCUMENTS).chain([node]) {
        if let Some((pod, is_all)) = pod(one, above) {
            out.push(pod);
            is_whole &= is_all;
        }
    }
    is_whole
}

/// A pod, or what makes pods, and whether these are all of its containers.
fn pod(node: &Node, above: u32) -> Option<(Pod, bool)> {
    let spec = node.get("spec")?;
    let template = |spec: &'_ Node| spec.get("template").and_then(|one| one.get("spec")).cloned();
    let (kind, spec) = match node.text_of("kind")? {
        "Pod" => (PodKind::Pod, spec.clone()),
        "DaemonSet" | "Deployment" | "StatefulSet" | "ReplicaSet" | "ReplicationController" | "Job" => {
            (PodKind::Controller, template(spec)?)
        }
        "CronJob" => (PodKind::Controller, spec.get("jobTemplate").and_then(|one| one.get("spec")).and_then(template)?),
        _ => return None,
    };
    let metadata = node.get("metadata")?;
    let name = metadata.text_of("name").filter(|name| name.len() <= Pod::LONGEST_NAME)?;
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    let all = lists.iter().filter_map(|list| spec.get(list)).flat_map(Node::members);
    let text = |one: &Node, key: &str| one.text_of(key).filter(|text| text.len() <= 1024).map(str::to_owned);
    let is_all = all.clone().nth(MOST_CONTAINERS).is_none();
    let containers =
        all.take(MOST_CONTAINERS).map(|one| PodContainer { name: text(one, "name"), image: text(one, "image") });
    let pod = Pod {
        path: TargetPath::new(b"/"),
        source: PodSource::Manifest,
        kind,
        name: name.to_owned(),
        // Where it says none, the one that is at hand.
        namespace: text(metadata, "namespace"),
        containers: containers.collect(),
        line: Some(above.saturating_add(metadata.get("name").map_or(node.line, |name| name.line))),
        modified: None,
    };
    Some((pod, is_all))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn manifests_name_pods_and_what_makes_them() {
        let text = b"# c\n---\napiVersion: apps/v1\nkind: DaemonSet\nmetadata:\n  name: host-provisioner-std\n  namespace: kube-system\nspec:\n  template:\n    spec:\n      containers:\n      - name: provisioner\n        image: alpine:latest\n---\nkind: ConfigMap\nmetadata: {name: x}\n---\nkind: Pod\nmetadata: {name: node-setup-a}\nspec: {containers: [{name: setup, image: 'alpine:latest'}]}\n";
        let (pods, fault) = parse(text);
        let told: Vec<_> =
            pods.iter().map(|pod| (pod.kind, pod.name.as_str(), pod.namespace.as_deref(), pod.line)).collect();
        assert_eq!(
            told,
            [
                (PodKind::Controller, "host-provisioner-std", Some("kube-system"), Some(6)),
                (PodKind::Pod, "node-setup-a", None, Some(19))
            ]
        );
        assert!(fault.is_none() && pods[1].containers[0].image.as_deref() == Some("alpine:latest"));
        assert_eq!(parse(b"kind: [").1, Some(GapReason::Malformed));
    }

    #[test]
    fn what_a_bound_cuts_is_told() {
        let pod = |containers: usize| {
            let all = "{name: a},".repeat(containers);
            format!("{{kind: Pod, metadata: {{name: x}}, spec: {{containers: [{all}]}}}}")
        };
        let list = |items: usize| format!("items: [{}]\n", format!("{},", pod(1)).repeat(items));
        for (whole, cut) in [
            (pod(MOST_CONTAINERS), pod(MOST_CONTAINERS + 1)),
            (list(MOST_DOCUMENTS), list(MOST_DOCUMENTS + 1)),
            ("kind: x\n---\n".repeat(MOST_DOCUMENTS - 1), "kind: x\n---\n".repeat(MOST_DOCUMENTS)),
        ] {
            assert_eq!((parse(whole.as_bytes()).1, parse(cut.as_bytes()).1), (None, Some(GapReason::TooLarge)));
        }
    }

    #[test]
    fn kubelet_names_the_pod_in_its_hosts() {
        let text = b"# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\nfe00::0\tip6-localnet\n10.42.0.7\tnode-setup-w1\n\n# Entries added by HostAliases.\n10.0.0.1\tother\n";
        assert_eq!(pod_of_hosts(text), Some((5, "node-setup-w1".to_owned())));
        assert_eq!(pod_of_hosts(b"# Kubernetes-managed hosts file (host network).\n10.0.0.1 node-setup-x\n"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "(---\n|kind: |Pod\n|metadata:|name: a|spec:| |\n|items:|- |# Kubernetes-managed hosts file.\n)*") {
            for one in [bytes.as_slice(), text.as_bytes()] {
                let _any = (parse(one), pod_of_hosts(one));
            }
        }
    }
}
