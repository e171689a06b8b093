//! How each kind of indicator is looked for among the files of a host: in which places, for which texts. What is not in
//! files, such as running programs, is not here.

use std::borrow::Cow;

use super::pack::{Indicator, Kind};
use crate::model::watch::{Edges, Needle};

/// Where hosts and texts of an incident get named: what people typed, and what their pipelines do. Files that defenders
/// fill with such names, like `/etc/hosts`, are not among them.
const NAMED_IN: &[&str] = &[
    "{home}/.bash_history",
    "{home}/.zsh_history",
    "{home}/.sh_history",
    "{home}/.python_history",
    "{home}/.local/share/fish/fish_history",
    "**/.github/workflows/*.yml",
    "**/.github/workflows/*.yaml",
    "**/.forgejo/workflows/*.yml",
    "**/.forgejo/workflows/*.yaml",
    "**/.gitea/workflows/*.yml",
    "**/.gitea/workflows/*.yaml",
];

/// What names workflows in packs, and where the services that came after keep theirs.
const WORKFLOWS: &str = "/.github/workflows/";
const OTHER_WORKFLOWS: &[&str] = &["/.forgejo/workflows/", "/.gitea/workflows/"];

/// Composite actions: what a workflow may name, they may.
const ACTIONS: &[&str] = &["**/action.yml", "**/action.yaml"];

/// The text files of a checkout that name commits and repositories (gitrepository-layout(5)).
const CHECKOUT: &[&str] = &[
    "**/.git/HEAD",
    "**/.git/ORIG_HEAD",
    "**/.git/FETCH_HEAD",
    "**/.git/packed-refs",
    "**/.git/config",
    "**/.git/logs/HEAD",
];

/// Where engines keep the names and digests of their images: docker's overlay2 store; the store of podman, buildah and
/// CRI-O.
const IMAGES: &[&str] = &["**/image/overlay2/repositories.json", "**/overlay-images/images.json"];

/// What to look for on behalf of one indicator.
#[derive(Debug)]
pub struct Sought<'a> {
    /// Path patterns, as packs write them.
    pub paths: Vec<Cow<'a, str>>,
    /// File names, wherever they lie.
    pub names: &'a [String],
    /// Texts in the file.
    pub texts: Vec<Needle>,
    /// How many of the texts must be there.
    pub wanted: Wanted,
    /// Whether only content tells, so that any file will do that was read for another reason.
    pub is_anywhere: bool,
}

/// How many texts must be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// Each of them.
    All,
    /// One of them.
    Any,
}

/// Where things that files only name are looked for; none for what files are part of. The same for every indicator of a
/// kind, so that thousands of them cost one list of texts.
#[must_use]
pub fn named_in(one: &Indicator) -> Option<&'static [&'static str]> {
    match one.kind {
        Kind::String | Kind::Network => Some(NAMED_IN),
        Kind::Git => Some(CHECKOUT),
        Kind::Container if one.pods.is_empty() => Some(IMAGES),
        _ => None,
    }
}

/// The texts that are looked for on behalf of an indicator.
#[must_use]
pub fn texts(one: &Indicator) -> Vec<Needle> {
    match one.kind {
        Kind::Network => {
            let domains = one.domains.iter().map(|name| name.trim_start_matches("*."));
            let hosts = domains.chain(one.ips.iter().map(String::as_str));
            hosts.map(|text| Needle { text: text.to_owned(), edges: Edges::Host }).collect()
        }
        Kind::Git => [
            needles(&one.commits, Edges::Word),
            needles(&one.repositories, Edges::Word),
            needles(&one.messages, Edges::Any),
        ]
        .concat(),
        Kind::Container if one.pods.is_empty() => {
            [needles(&one.digests, Edges::Any), needles(&one.images, Edges::Word)].concat()
        }
        Kind::Package | Kind::Process | Kind::Container => Vec::new(),
        _ => needles(&one.contains, Edges::Any),
    }
}

impl<'a> Sought<'a> {
    /// How an indicator is looked for; none for one that is not looked for in files.
    #[must_use]
    pub fn of(one: &'a Indicator) -> Option<Self> {
        let texts = texts(one);
        if let Some(places) = named_in(one) {
            let wanted = if one.kind == Kind::String { Wanted::All } else { Wanted::Any };
            let paths = places.iter().map(|path| Cow::Borrowed(*path)).collect();
            return Some(Self { paths, names: &[], texts, wanted, is_anywhere: false });
        }
        let (paths, names): (Vec<Cow<'a, str>>, &[String]) = match one.kind {
            Kind::File => (one.paths.iter().map(|path| Cow::Borrowed(path.as_str())).collect(), &one.names),
            Kind::Persistence => (one.paths.iter().map(|path| Cow::Borrowed(path.as_str())).collect(), &[]),
            Kind::Workflow => (workflow_paths(&one.paths), &[]),
            Kind::Startup => (one.names.iter().map(|name| Cow::Owned(format!("{{site}}/{name}"))).collect(), &[]),
            Kind::Container => (pod_logs(one), &[]),
            _ => return None,
        };
        let is_anywhere = paths.is_empty() && names.is_empty() && !one.sha256.is_empty();
        Some(Self { paths, names, texts, wanted: Wanted::All, is_anywhere })
    }
}

/// Where kubelet links the logs of containers: POD_NAMESPACE_CONTAINER-ID.log.
fn pod_logs(one: &Indicator) -> Vec<Cow<'_, str>> {
    let any = [String::from("*")];
    let namespaces = if one.namespaces.is_empty() { any.as_slice() } else { &one.namespaces };
    let container = one.name.as_deref().unwrap_or("*");
    let all = one.pods.iter().flat_map(|pod| namespaces.iter().map(move |space| (pod, space)));
    all.map(|(pod, space)| Cow::Owned(format!("/var/log/containers/{pod}_{space}_{container}-*.log"))).collect()
}

/// The places of a workflow by the one that a pack names: whatever the service, and in composite actions too where the
/// pack does not ask for a name.
fn workflow_paths(paths: &[String]) -> Vec<Cow<'_, str>> {
    let mut out: Vec<Cow<'_, str>> = paths.iter().map(|path| Cow::Borrowed(path.as_str())).collect();
    for path in paths.iter().filter(|path| path.contains(WORKFLOWS)) {
        out.extend(OTHER_WORKFLOWS.iter().map(|other| Cow::Owned(path.replace(WORKFLOWS, other))));
        if path.ends_with("/*.yml") {
            out.extend(ACTIONS.iter().map(|action| Cow::Borrowed(*action)));
        }
    }
    out
}

fn needles(texts: &[String], edges: Edges) -> Vec<Needle> {
    texts.iter().map(|text| Needle { text: text.clone(), edges }).collect()
}
