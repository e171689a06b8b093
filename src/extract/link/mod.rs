//! Joins what the readers found one by one: distribution and hook to site directory, site directory to environment,
//! environment to account and base. Nothing is read here but the `site` modules of standard libraries.

mod environments;
mod hooks;
mod interpreters;
mod sites;
mod stores;
mod versions;

use std::collections::{HashMap, HashSet};

use crate::model::distribution::{Distribution, MetadataForm};
use crate::model::facts::{Facts, Harvest};
use crate::model::id::Id;
use crate::model::path::TargetPath;
use crate::target::Target;
use crate::target::places::Places;
use environments::{Builder, Home};
pub(super) use hooks::{ownership, resolved};
use sites::Sites;
use versions::Versions;

/// Fills in who belongs to whom and puts everything into one order.
#[must_use]
pub fn link(target: &Target, places: &Places, mut harvest: Harvest) -> Harvest {
    harvest.sort();
    drop_repeats(&mut harvest.facts);
    let mut sites = Sites::of(&mut harvest.facts);
    sites.merge_other_names(&mut harvest.facts);
    let versions = Versions::of(std::mem::take(&mut harvest.facts.versions));
    let libraries = hooks::libraries(&harvest.facts);
    let mut builder = Builder::new(target, places, &versions, &mut harvest.facts);
    let mut homes: HashMap<TargetPath, Home> =
        sites.by_path.values().map(|site| (site.path.clone(), builder.home(site, &sites))).collect();
    let prefixes: Vec<(TargetPath, Home)> = homes.values().filter_map(Home::of_prefix).collect();
    for (path, home) in prefixes {
        homes.entry(path).or_insert(home);
    }
    homes.extend(builder.add_prefixes());
    stores::settle(&mut harvest.facts, &mut builder);
    harvest.facts.environments = builder.finish();
    settle_distributions(&mut harvest.facts, &homes);
    stores::take_notes(&mut harvest.facts);
    interpreters::settle(&mut harvest.facts, &builder, &versions);
    hooks::settle(target, &mut harvest, &homes, &libraries);
    harvest.sort();
    harvest
}

/// Walks that overlap show the same thing twice.
fn drop_repeats(facts: &mut Facts) {
    facts.venvs.dedup();
    facts.interpreters.dedup_by(|a, b| a.path == b.path);
    // A lock file names many, an archive holds many; a folder is one, whoever reads it.
    facts.distributions.dedup_by(|a, b| a.path == b.path && (a.id == b.id || a.site().is_some()));
    facts.startup_hooks.dedup_by(|a, b| a.path == b.path);
    facts.watched_files.dedup_by(|a, b| a.path == b.path && a.origin == b.origin);
}

fn settle_distributions(facts: &mut Facts, homes: &HashMap<TargetPath, Home>) {
    for found in &mut facts.distributions {
        let Some(home) = found.home().and_then(|folder| homes.get(&folder)) else {
            continue;
        };
        found.environment = Some(home.environment);
        if let (true, Some(state)) = (found.state.is_importable(), home.state) {
            found.state = state;
        }
    }
    drop_named_folders(facts);
}

/// A package's folder is a thing of its own only where no metadata beside it names the package, or where its own code
/// gives another version than that metadata.
fn drop_named_folders(facts: &mut Facts) {
    let folders = facts.distributions.iter().filter(|found| found.metadata == MetadataForm::Directory);
    let bare: HashSet<&str> = folders.map(|found| found.normalized.as_str()).collect();
    let mut named: HashMap<(Place, String), HashSet<String>> = HashMap::new();
    let metadata = facts.distributions.iter().filter(|found| found.metadata != MetadataForm::Directory);
    for found in metadata.filter(|found| found.state.is_importable() && bare.contains(found.normalized.as_str())) {
        let versions = named.entry((place(found), found.normalized.clone())).or_default();
        versions.insert(found.version.trim().to_owned());
    }
    if named.is_empty() {
        return;
    }
    facts.distributions.retain(|found| {
        let places = [Place::Site(found.site()), Place::Conda(found.environment)];
        let versions = places.into_iter().filter_map(|place| named.get(&(place, found.normalized.clone())));
        let says_the_same = |known: &HashSet<String>| found.version.is_empty() || known.contains(&found.version);
        found.metadata != MetadataForm::Directory || !versions.into_iter().any(says_the_same)
    });
}

/// Where metadata counts: in its own site directory; what conda lists, in all of the environment.
#[derive(PartialEq, Eq, Hash)]
enum Place {
    Site(Option<TargetPath>),
    Conda(Option<Id>),
}

fn place(found: &Distribution) -> Place {
    match found.metadata {
        MetadataForm::CondaMeta => Place::Conda(found.environment),
        _ => Place::Site(found.site()),
    }
}
