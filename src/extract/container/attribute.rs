//! Names the layers that hold an environment by the images and containers that they are part of, and looks whether any of
//! these still shows what lies in them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::STAGE;
use super::brought::{Brought, Named, Place};
use super::chain::Chains;
use super::databases;
use super::shadow::{Above, Cast, LayerRef, Shadows, distinct};
use crate::model::container::{
    Container, ContainerStore, HostMount, KnownContainer, LayerForm, LayerKind, MOST_SHOWN, Stack, StackKind,
};
use crate::model::coverage::{Gap, GapReason};
use crate::model::distribution::{DistState, Distribution};
use crate::model::facts::{Facts, Harvest};
use crate::model::id::Id;
use crate::model::path::TargetPath;
use crate::model::text::Excerpt;
use crate::target::Target;

/// A layer's place in an image or a container.
struct Seat<'a> {
    stack: &'a Stack,
    store: &'a ContainerStore,
    key: &'a str,
    /// The folders of the layers above it, the topmost first.
    above: Vec<&'a TargetPath>,
}

/// Where each layer that holds an environment sits: by the environment's path.
struct Seats<'a> {
    by_folder: HashMap<&'a TargetPath, Vec<Seat<'a>>>,
    /// The layers of stores of which not every image and container is known.
    unsure: HashSet<&'a TargetPath>,
}

/// Most seats of one layer, and of all. Beyond it nothing is called hidden.
const MOST_SEATS: usize = 20_000;
const MOST_ABOVE: usize = 2_000_000;

/// Fills in `container` of the environments, and `hidden_by` of what lies in them; what is in `shown` is not hidden.
pub(super) fn settle(target: &Target, facts: &mut Facts, shown: &HashSet<TargetPath>, harvest: &mut Harvest) {
    let stores = std::mem::take(&mut facts.container_stores);
    let found = std::mem::take(&mut facts.known_containers);
    let known: HashMap<&str, &KnownContainer> = found.iter().map(|one| (one.id.as_str(), one)).collect();
    let layers = facts.environments.iter().filter(|env| env.container.is_some());
    let wanted: HashSet<TargetPath> = layers.map(|env| env.path.clone()).collect();
    if wanted.is_empty() {
        return;
    }
    let seats = Seats::of(&stores, &wanted, harvest);
    for env in &mut facts.environments {
        let (Some(container), Some(seats)) = (&mut env.container, seats.by_folder.get(&env.path)) else { continue };
        name(container, &seats.iter().collect::<Vec<_>>(), &known);
    }
    databases::hide(target, facts, &|layer| seats.above(layer));
    hide(target, facts, &Known { seats, shown, known }, harvest);
}

impl<'a> Seats<'a> {
    /// The layers above one, for each image and container that has it; none where not all of these are known.
    fn above(&self, layer: &TargetPath) -> Option<Vec<&[&'a TargetPath]>> {
        let seats = self.by_folder.get(layer).filter(|_| !self.unsure.contains(layer))?;
        Some(seats.iter().map(|seat| seat.above.as_slice()).collect())
    }

    fn of(stores: &'a [ContainerStore], wanted: &HashSet<TargetPath>, harvest: &mut Harvest) -> Self {
        let mut out = Self { by_folder: HashMap::new(), unsure: HashSet::new() };
        let mut left = MOST_ABOVE;
        for store in stores {
            let chains = Chains::of(store);
            let mut is_whole = chains.is_whole;
            for chain in &chains.all {
                let folders: Vec<_> = chain.layers.iter().filter_map(|at| store.layers.get(*at)).collect();
                for (depth, layer) in folders.iter().enumerate().filter(|(_, layer)| wanted.contains(&layer.folder)) {
                    let seats = out.by_folder.entry(&layer.folder).or_default();
                    if seats.len() >= MOST_SEATS || left < depth {
                        is_whole = false;
                        continue;
                    }
                    left -= depth;
                    let above = folders.iter().take(depth).map(|layer| &layer.folder).collect();
                    seats.push(Seat { stack: chain.stack, store, key: &layer.key, above });
                }
            }
            if !is_whole {
                let gap = Gap::new(STAGE.id, store.path.clone(), GapReason::Malformed).harmless();
                harvest.gaps.push(gap.because("its layers lead in a circle, nowhere or too deep"));
            }
            if !is_whole || store.is_partial {
                out.unsure.extend(store.layers.iter().map(|layer| &layer.folder));
            }
        }
        out
    }
}

/// What an image is called, those without a name last: by its tags, else by digests, else by its id.
fn image_names(names: &[Excerpt], id: &str) -> Vec<(bool, Excerpt)> {
    let is_digest = |name: &Excerpt| name.as_str().contains("sha256:");
    let tags: Vec<_> = names.iter().filter(|name| !is_digest(name)).map(|name| (false, name.clone())).collect();
    match (tags.is_empty(), names) {
        (false, _) => tags,
        (true, []) => vec![(true, Excerpt::of(id.as_bytes()))],
        (true, names) => names.iter().map(|name| (true, name.clone())).collect(),
    }
}

/// What the seats of a layer say of it.
fn name(container: &mut Container, seats: &[&Seat<'_>], known: &HashMap<&str, &KnownContainer>) {
    let mut images: BTreeSet<(bool, Excerpt)> = BTreeSet::new();
    let mut containers: BTreeSet<Excerpt> = BTreeSet::new();
    let mut engines: BTreeSet<&'static str> = BTreeSet::new();
    let mut mounts: BTreeSet<HostMount> = BTreeSet::new();
    let mut kind = LayerKind::Image;
    for seat in seats {
        let Stack { about, names, id, .. } = seat.stack;
        if seat.stack.kind == StackKind::Image {
            images.extend(image_names(names, id));
            continue;
        }
        // Docker's own file knows more of a container than the store of its layers.
        let more = known.get(id.as_str()).copied().unwrap_or(about);
        engines.insert(more.engine.or(about.engine).unwrap_or(seat.store.engine));
        let name = more.name.as_ref().or(about.name.as_ref()).cloned();
        containers.insert(name.unwrap_or_else(|| Excerpt::of(id.as_bytes())));
        if let Some(image) = more.image.as_ref().or(about.image.as_ref()) {
            images.extend(image_names(std::slice::from_ref(image), id));
        }
        mounts.extend(more.mounts.iter().chain(&about.mounts).cloned());
        container.privileged |= more.privileged;
        if seat.above.is_empty() || seat.key.starts_with("mount:") {
            kind = LayerKind::Container;
        }
    }
    // Images alone do not tell which of the engines of one store made them.
    container.engine = match (engines.len(), engines.first(), seats.first()) {
        (1, Some(only), _) => only,
        (_, _, Some(seat)) => seat.store.engine,
        _ => container.engine,
    };
    (container.image_count, container.container_count) = (images.len(), containers.len());
    container.images = images.into_iter().map(|(_, name)| name).take(MOST_SHOWN).collect();
    container.containers = containers.into_iter().take(MOST_SHOWN).collect();
    container.image = container.images.first().cloned();
    container.name = container.containers.first().cloned();
    container.mounts = mounts.into_iter().take(MOST_SHOWN).collect();
    container.layer = kind;
}

/// What is known before the layers above are looked at.
struct Known<'a> {
    seats: Seats<'a>,
    /// What some container shows for certain.
    shown: &'a HashSet<TargetPath>,
    known: HashMap<&'a str, &'a KnownContainer>,
}

/// Something that lies in a layer: a distribution or a start-up file.
#[derive(Clone, Copy)]
enum Item {
    Distribution(usize),
    Hook(usize),
}

/// What lies in one folder of a layer.
type Folders = BTreeMap<(TargetPath, TargetPath), Vec<(Item, Vec<u8>)>>;

fn hide(target: &Target, facts: &mut Facts, known: &Known<'_>, harvest: &mut Harvest) {
    let is_known = |layer: &TargetPath| known.seats.by_folder.contains_key(layer);
    let folders = folders(facts, is_known);
    let named = named(facts, &folders);
    let mut shadows = Shadows::of(target);
    for ((layer, folder), items) in folders {
        let Some(seats) = known.seats.by_folder.get(&layer) else { continue };
        let names: Vec<&[u8]> = items.iter().map(|(_, name)| name.as_slice()).collect();
        let below: Vec<&[u8]> = folder.components().skip(layer.components().count()).collect();
        let above = above(seats);
        let cast = shadows.cast_each(&above, &below, &names);
        let has_copies = seats.iter().any(|seat| seat.store.form == LayerForm::Copy);
        if cast.is_empty() && !has_copies {
            continue;
        }
        let place = Place { folder: &folder, below: &below, above: &above };
        let brought = Brought::of(&mut shadows, &place, &without_metadata(facts, &items, &cast), &named);
        let is_sure = !known.seats.unsure.contains(&layer);
        // Neighbours are mostly shown by the same.
        let mut last: Option<(Vec<usize>, Container)> = None;
        for (item, name) in items {
            let over = cast.iter().filter_map(|(layer, shadow)| Some((*layer, shadow.over(&name)?))).collect();
            let hiders: Vec<Option<&TargetPath>> =
                seats.iter().map(|seat| hider(seat, item, &over, &brought)).collect();
            let Some(by) = hiders.iter().flatten().next() else { continue };
            let showing: Vec<usize> = (0..seats.len()).filter(|at| hiders.get(*at) == Some(&None)).collect();
            if !showing.is_empty() {
                if last.as_ref().is_none_or(|(same, _)| *same != showing) {
                    last = narrower(facts, &layer, seats, &showing, &known.known).map(|own| (showing, own));
                }
                note(facts, item, last.as_ref().map(|(_, own)| own));
            } else if is_sure && !known.shown.contains(&folder.join(&name)) {
                mark(facts, item, (*by).clone());
            }
        }
    }
    if !shadows.is_whole() {
        let gap = Gap::new(STAGE.id, target.root.path(), GapReason::TooLarge).harmless();
        harvest.gaps.push(gap.because("too many layers lie above others; what was not looked at counts as shown"));
    }
}

/// The layers that lie above one in any image or container, but for those that are whole copies.
fn above<'a>(seats: &[Seat<'a>]) -> Vec<Above<'a>> {
    let seats = seats.iter().filter(|seat| seat.store.form != LayerForm::Copy);
    distinct(seats.flat_map(|seat| seat.above.iter().map(|upper| (*upper, seat.store.form))))
}

/// Distributions of which some layer above takes the metadata away.
fn without_metadata<'f>(facts: &'f Facts, items: &[(Item, Vec<u8>)], cast: &Cast) -> Vec<(usize, &'f Distribution)> {
    let is_hidden = |name: &[u8]| cast.values().any(|shadow| shadow.over(name).is_some());
    let hidden = items.iter().filter(|(_, name)| is_hidden(name));
    hidden
        .filter_map(|(item, _)| match item {
            Item::Distribution(at) => Some((*at, facts.distributions.get(*at)?)),
            Item::Hook(_) => None,
        })
        .collect()
}

/// The distributions of all folders.
fn named(facts: &Facts, folders: &Folders) -> Named {
    let all = folders.iter().flat_map(|((_, folder), items)| items.iter().map(move |(item, _)| (folder, item)));
    all.filter_map(|(folder, item)| match item {
        Item::Distribution(at) => Some((folder.clone(), facts.distributions.get(*at)?.normalized.clone())),
        Item::Hook(_) => None,
    })
    .collect()
}

/// The layer by those of its images and containers that still show something of it.
fn narrower(
    facts: &Facts,
    folder: &TargetPath,
    seats: &[Seat<'_>],
    showing: &[usize],
    known: &HashMap<&str, &KnownContainer>,
) -> Option<Container> {
    // The join has sorted them.
    let env = facts.environments.binary_search_by(|env| env.path.cmp(folder)).ok()?;
    let layer = facts.environments.get(env)?.container.as_ref()?;
    let mut own = Container::unknown(layer.engine, layer.id.clone());
    let showing: Vec<&Seat<'_>> = showing.iter().filter_map(|at| seats.get(*at)).collect();
    name(&mut own, &showing, known);
    own.layer = layer.layer;
    Some(own)
}

/// Notes which of the images and containers that have the layer still show a distribution of it.
fn note(facts: &mut Facts, item: Item, own: Option<&Container>) {
    let Item::Distribution(at) = item else { return };
    if let (Some(found), Some(own)) = (facts.distributions.get_mut(at), own) {
        found.shown_by = Some(Box::new(own.clone()));
    }
}

/// What keeps one image or container from showing an entry, given what each layer above does to it.
fn hider<'c>(
    seat: &Seat<'c>,
    item: Item,
    over: &HashMap<LayerRef, &'c TargetPath>,
    brought: &Brought,
) -> Option<&'c TargetPath> {
    let by = match seat.store.form {
        // A copy is what its own image shows, and no other.
        LayerForm::Copy => return seat.above.first().copied(),
        _ if over.is_empty() => None,
        _ => seat.above.iter().find_map(|upper| over.get(&std::ptr::from_ref::<TargetPath>(upper)).copied()),
    };
    by.filter(|_| match item {
        Item::Distribution(at) => brought.is_hidden(at, &seat.above),
        Item::Hook(_) => true,
    })
}

/// Distributions and start-up files in layers of known images and containers, by layer and folder.
fn folders(facts: &Facts, is_known: impl Fn(&TargetPath) -> bool) -> Folders {
    let layers: HashMap<Id, &TargetPath> = facts
        .environments
        .iter()
        .filter(|env| env.container.is_some() && is_known(&env.path))
        .map(|env| (env.id, &env.path))
        .collect();
    let mut out = Folders::new();
    let mut add = |environment: Option<Id>, path: &TargetPath, item: Item| {
        let Some(layer) = environment.and_then(|id| layers.get(&id)) else { return };
        if let (true, Some(folder)) = (path.is_under(layer), path.parent()) {
            out.entry(((*layer).clone(), folder)).or_default().push((item, path.file_name().to_vec()));
        }
    };
    for (at, found) in facts.distributions.iter().enumerate().filter(|(_, found)| found.state.is_importable()) {
        add(found.environment, &found.path, Item::Distribution(at));
    }
    for (at, hook) in facts.startup_hooks.iter().enumerate() {
        add(hook.environment, &hook.path, Item::Hook(at));
    }
    out
}

fn mark(facts: &mut Facts, item: Item, by: TargetPath) {
    match item {
        Item::Distribution(at) => {
            if let Some(found) = facts.distributions.get_mut(at) {
                found.state = DistState::Leftover;
                found.hidden_by = Some(by);
            }
        }
        Item::Hook(at) => {
            if let Some(hook) = facts.startup_hooks.get_mut(at) {
                // Nothing that runs sees it.
                hook.in_site_dir = false;
                hook.run_by.clear();
            }
        }
    }
}
