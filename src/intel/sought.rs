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
];

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
    /// Whether the file only names the thing: it is no part of the attack itself.
    pub is_named: bool,
}

/// How many texts must be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// Each of them.
    All,
    /// One of them.
    Any,
}

impl<'a> Sought<'a> {
    /// How an indicator is looked for; none for one that is not looked for in files.
    #[must_use]
    pub fn of(one: &'a Indicator) -> Option<Self> {
        let own = || one.paths.iter().map(|path| Cow::Borrowed(path.as_str())).collect();
        let fixed = |places: &[&'static str]| places.iter().map(|path| Cow::Borrowed(*path)).collect();
        let contains = needles(&one.contains, Edges::Any);
        match one.kind {
            Kind::File | Kind::Persistence | Kind::Workflow => Some(Self {
                is_anywhere: one.paths.is_empty() && one.names.is_empty() && !one.sha256.is_empty(),
                paths: own(),
                names: if one.kind == Kind::File { &one.names } else { &[] },
                texts: contains,
                wanted: Wanted::All,
                is_named: false,
            }),
            Kind::Startup => Some(Self {
                is_anywhere: false,
                paths: one.names.iter().map(|name| Cow::Owned(format!("{{site}}/{name}"))).collect(),
                names: &[],
                texts: contains,
                wanted: Wanted::All,
                is_named: false,
            }),
            Kind::String => Some(Self::named(fixed(NAMED_IN), contains, Wanted::All)),
            Kind::Network => {
                let domains = one.domains.iter().map(|name| name.trim_start_matches("*."));
                let hosts = domains.chain(one.ips.iter().map(String::as_str));
                let texts = hosts.map(|text| Needle { text: text.to_owned(), edges: Edges::Host }).collect();
                Some(Self::named(fixed(NAMED_IN), texts, Wanted::Any))
            }
            Kind::Git => {
                let mut texts = needles(&one.commits, Edges::Word);
                texts.extend(needles(&one.repositories, Edges::Word));
                Some(Self::named(fixed(CHECKOUT), texts, Wanted::Any))
            }
            // kubelet links a container's log there as POD_NAMESPACE_CONTAINER-ID.log.
            Kind::Container if !one.pods.is_empty() => {
                let logs = one.pods.iter().map(|pod| Cow::Owned(format!("/var/log/containers/{pod}_*.log")));
                Some(Self { is_named: false, ..Self::named(logs.collect(), Vec::new(), Wanted::Any) })
            }
            Kind::Container => {
                let mut texts = needles(&one.digests, Edges::Any);
                texts.extend(needles(&one.images, Edges::Word));
                Some(Self::named(fixed(IMAGES), texts, Wanted::Any))
            }
            Kind::Package | Kind::Process => None,
        }
    }

    fn named(paths: Vec<Cow<'a, str>>, texts: Vec<Needle>, wanted: Wanted) -> Self {
        Self { paths, names: &[], texts, wanted, is_anywhere: false, is_named: true }
    }
}

fn needles(texts: &[String], edges: Edges) -> Vec<Needle> {
    texts.iter().map(|text| Needle { text: text.clone(), edges }).collect()
}
