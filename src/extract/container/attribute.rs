//! Names the layers that hold an environment by the images and containers that they are part of, and looks whether any of
//! these still shows what lies in them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::STAGE;
use super::chain::Chains;
use super::shadow::{Shadow, Shadows};
use crate::model::container::{
    Container, ContainerStore, HostMount, KnownContainer, LayerForm, LayerKind, MOST_SHOWN, Stack, StackKind,
};
use crate::model::coverage::{Gap, GapReason};
use crate::model::distribution::DistState;
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
    let known = std::mem::take(&mut facts.known_containers);
    let known: HashMap<&str, &KnownContainer> = known.iter().map(|one| (one.id.as_str(), one)).collect();
    let layers = facts.environments.iter().filter(|env| env.container.is_some());
    let wanted: HashSet<TargetPath> = layers.map(|env| env.path.clone()).collect();
    if wanted.is_empty() {
        return;
    }
    let seats = Seats::of(&stores, &wanted, harvest);
    for env in &mut facts.environments {
        let (Some(container), Some(seats)) = (&mut env.container, seats.by_folder.get(&env.path)) else { continue };
        name(container, seats, &known);
    }
    hide(target, facts, &seats, shown, harvest);
}

impl<'a> Seats<'a> {
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

/// What the seats of a layer say of it.
fn name(container: &mut Container, seats: &[Seat<'_>], known: &HashMap<&str, &KnownContainer>) {
    let mut images: BTreeSet<(bool, Excerpt)> = BTreeSet::new();
    let mut containers: BTreeSet<Excerpt> = BTreeSet::new();
    let mut engines: BTreeSet<&'static str> = BTreeSet::new();
    let mut mounts: BTreeSet<HostMount> = BTreeSet::new();
    let mut kind = LayerKind::Image;
    let mut add_image = |name: &Excerpt| {
        images.insert((name.as_str().contains("sha256:"), name.clone()));
    };
    for seat in seats {
        let Stack { about, names, id, .. } = seat.stack;
        if seat.stack.kind == StackKind::Image {
            engines.insert(seat.store.engine);
            names.iter().for_each(&mut add_image);
            if names.is_empty() {
                add_image(&Excerpt::of(id.as_bytes()));
            }
            continue;
        }
        // Docker's own file knows more of a container than the store of its layers.
        let more = known.get(id.as_str()).copied().unwrap_or(about);
        engines.insert(more.engine.or(about.engine).unwrap_or(seat.store.engine));
        let name = more.name.as_ref().or(about.name.as_ref()).cloned();
        containers.insert(name.unwrap_or_else(|| Excerpt::of(id.as_bytes())));
        if let Some(image) = more.image.as_ref().or(about.image.as_ref()) {
            add_image(image);
        }
        mounts.extend(more.mounts.iter().chain(&about.mounts).cloned());
        container.privileged |= more.privileged;
        if seat.above.is_empty() || seat.key.starts_with("mount:") {
            kind = LayerKind::Container;
        }
    }
    // One layer can serve two engines of one store; its images alone do not tell which.
    let told: Vec<&'static str> = engines.iter().copied().filter(|engine| *engine != "podman").collect();
    container.engine = match (told.as_slice(), engines.len()) {
        ([only], _) => only,
        (_, 1) => engines.first().copied().unwrap_or(container.engine),
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

/// Something that lies in a layer: a distribution or a start-up file.
#[derive(Clone, Copy)]
enum Item {
    Distribution(usize),
    Hook(usize),
}

/// What lies in one folder of a layer.
type Folders = BTreeMap<(TargetPath, TargetPath), Vec<(Item, Vec<u8>)>>;

fn hide(target: &Target, facts: &mut Facts, seats: &Seats<'_>, shown: &HashSet<TargetPath>, harvest: &mut Harvest) {
    let is_sure = |layer: &TargetPath| seats.by_folder.contains_key(layer) && !seats.unsure.contains(layer);
    let folders = folders(facts, shown, is_sure);
    let mut shadows = Shadows::of(target);
    for ((layer, folder), items) in folders {
        let Some(seats) = seats.by_folder.get(&layer) else { continue };
        let names: Vec<&[u8]> = items.iter().map(|(_, name)| name.as_slice()).collect();
        let depth = layer.components().count();
        let below: Vec<&[u8]> = folder.components().skip(depth).collect();
        let mut cast: HashMap<&TargetPath, Shadow> = HashMap::new();
        for seat in seats.iter().filter(|seat| seat.store.form != LayerForm::Copy) {
            for upper in &seat.above {
                cast.entry(*upper).or_insert_with(|| shadows.cast(upper, seat.store.form, &below, &names));
            }
        }
        for (item, name) in items {
            let hiders: Option<Vec<&TargetPath>> = seats.iter().map(|seat| hider(seat, &cast, &name)).collect();
            if let Some(by) = hiders.as_ref().and_then(|all| all.first()) {
                mark(facts, item, (*by).clone());
            }
        }
    }
    if !shadows.is_whole() {
        let gap = Gap::new(STAGE.id, target.root.path(), GapReason::TooLarge).harmless();
        harvest.gaps.push(gap.because("too many layers lie above others; what was not looked at counts as shown"));
    }
}

/// What keeps one image or container from showing an entry.
fn hider<'s>(seat: &Seat<'s>, cast: &'s HashMap<&TargetPath, Shadow>, name: &[u8]) -> Option<&'s TargetPath> {
    match seat.store.form {
        // A copy is what its own image shows, and no other.
        LayerForm::Copy => seat.above.first().copied(),
        _ => seat.above.iter().find_map(|upper| cast.get(upper)?.over(name)),
    }
}

/// Distributions and start-up files in layers whose images and containers are all known, by layer and folder.
fn folders(facts: &Facts, shown: &HashSet<TargetPath>, is_sure: impl Fn(&TargetPath) -> bool) -> Folders {
    let layers: HashMap<Id, &TargetPath> = facts
        .environments
        .iter()
        .filter(|env| env.container.is_some() && is_sure(&env.path))
        .map(|env| (env.id, &env.path))
        .collect();
    let mut out = Folders::new();
    let mut add = |environment: Option<Id>, path: &TargetPath, item: Item| {
        let Some(layer) = environment.and_then(|id| layers.get(&id)) else { return };
        if let (true, false, Some(folder)) = (path.is_under(layer), shown.contains(path), path.parent()) {
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
