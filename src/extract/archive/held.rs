//! What one archive holds, collected within bounds: an archive of a few kilobytes can name millions of distributions.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use pep440_rs::Version;

use crate::extract::format::headers::Headers;
use crate::extract::format::names;
use crate::extract::format::zip::Fault;
use crate::extract::input::Input;
use crate::model::coverage::{Gap, GapReason};
use crate::model::distribution::{Basics, DistState, Distribution, FolderSays, MetadataForm, normalize_name};
use crate::model::facts::Harvest;
use crate::model::time::Time;
use crate::model::watch::Watch;

/// Most distributions of one archive that are kept, and most bytes of their names and places in it.
pub const MOST: usize = 10_000;
const MOST_BYTES: usize = 8 << 20;

/// A distribution in an archive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// Its name and version: by METADATA where that was read, else by the name of the folder or file.
    pub says: FolderSays,
    /// By the name of the folder or file, where METADATA says otherwise.
    pub folder_says: Option<FolderSays>,
    /// What names it.
    pub form: MetadataForm,
    /// SHA-256 of the archive it came in, where somebody says.
    pub sha256: Option<String>,
    /// The image whose layer holds it.
    pub image: Option<Vec<u8>>,
}

impl Held {
    /// One of which only the name of a folder or file is known.
    #[must_use]
    pub fn new(says: FolderSays, form: MetadataForm) -> Self {
        Self { says, folder_says: None, form, sha256: None, image: None }
    }
}

/// Something missed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Miss {
    /// Why.
    pub reason: GapReason,
    /// In our words.
    pub says: &'static str,
    /// Whether it could hide something.
    pub material: bool,
}

impl Miss {
    /// A miss that could hide something.
    #[must_use]
    pub fn material(reason: GapReason, says: &'static str) -> Self {
        Self { reason, says, material: true }
    }

    /// A miss that hides nothing.
    #[must_use]
    pub fn harmless(reason: GapReason, says: &'static str) -> Self {
        Self { reason, says, material: false }
    }
}

impl From<Fault> for Miss {
    fn from(fault: Fault) -> Self {
        Self::material(fault.reason, fault.says)
    }
}

/// What one archive holds, and what was missed of it.
pub struct Holding<'a> {
    watch: &'a Watch,
    /// By the place in the archive.
    all: BTreeMap<Vec<u8>, Held>,
    bytes: usize,
    misses: BTreeSet<Miss>,
}

impl<'a> Holding<'a> {
    /// Nothing yet.
    #[must_use]
    pub fn new(watch: &'a Watch) -> Self {
        Self { watch, all: BTreeMap::new(), bytes: 0, misses: BTreeSet::new() }
    }

    /// Keeps what lies at `member`. Of two things there the later counts, as everywhere in Python.
    pub fn add(&mut self, member: &[u8], held: Held) {
        let bytes = member.len() + held.says.name.len() + held.says.version.len();
        if !self.all.contains_key(member) {
            if self.all.len() == MOST || self.bytes.saturating_add(bytes) > MOST_BYTES {
                self.miss(Miss::material(
                    GapReason::TooLarge,
                    "it holds more distributions than are kept of one archive",
                ));
                return;
            }
            self.bytes += bytes;
        }
        self.all.insert(member.to_vec(), held);
    }

    /// Notes a miss, each kind once.
    pub fn miss(&mut self, miss: Miss) {
        self.misses.insert(miss);
    }

    /// Whether the metadata of what is called so is worth a look: some pack names it, or the name does not say all.
    #[must_use]
    pub fn wants(&self, says: &FolderSays) -> bool {
        says.version.is_empty() || self.is_watched(&says.name)
    }

    /// Whether some pack names it.
    #[must_use]
    pub fn is_watched(&self, name: &str) -> bool {
        self.watch.packages.contains(&normalize_name(name))
    }

    /// What lies at `member`.
    pub fn at(&mut self, member: &[u8]) -> Option<&mut Held> {
        self.all.get_mut(member)
    }

    /// Everything below `place`.
    pub fn below(&mut self, place: &[u8]) -> impl Iterator<Item = &mut Held> {
        let below = self.all.range_mut(place.to_vec()..);
        below.take_while(move |(member, _)| member.starts_with(place)).map(|(_, held)| held)
    }

    /// Everything, by name.
    pub fn each(&mut self) -> impl Iterator<Item = (&[u8], &mut Held)> {
        self.all.iter_mut().map(|(member, held)| (member.as_slice(), held))
    }

    /// Whether something of this name is held.
    #[must_use]
    pub fn has(&self, normalized: &str) -> bool {
        self.all.values().any(|held| normalize_name(&held.says.name) == normalized)
    }

    /// Takes over what the headers of METADATA say of what lies at `member`.
    pub fn told(&mut self, member: &[u8], headers: &Headers) {
        let says_all = headers.name.is_some() && headers.version.is_some();
        let Some(held) = self.all.get_mut(member) else { return };
        if !says_all {
            let reason = if headers.is_settled() { GapReason::Malformed } else { GapReason::TooLarge };
            let says = "METADATA in it does not name both a name and a version";
            // What follows could name anything; what is damaged is called something all the same.
            let material = !headers.is_settled() || held.says.version.is_empty();
            self.misses.insert(Miss { reason, says, material });
        }
        let (says, folder_says) = both(headers, held.says.clone());
        (held.says, held.folder_says) = (says, folder_says);
    }

    /// Everything found and missed, as facts.
    pub fn finish(self, input: &Input<'_>, from: &Archive, harvest: &mut Harvest) {
        for (member, held) in self.all {
            let member = [held.image.as_deref().map_or(Vec::new(), |image| [image, b"!/"].concat()), member].concat();
            if from.is_elsewhere && !is_plain(self.watch, &held.says) {
                continue;
            }
            let mut found = Distribution::new(Basics {
                path: input.candidate.path.clone(),
                member: Some(member.as_slice()).filter(|_| !from.is_elsewhere),
                form: held.form,
                state: DistState::Embedded,
                name: &held.says.name,
                version: &held.says.version,
            });
            found.installed_at = Some(from.changed);
            found.folder_says = held.folder_says.filter(|_| !from.is_elsewhere).map(|says| Box::new(says.bounded()));
            found.hashes.extend(held.sha256);
            keep(input, found, harvest);
        }
        let own = self.misses.into_iter().map(|miss| {
            let material = miss.material;
            Gap { material, ..input.gap(miss.reason).because(miss.says) }
        });
        harvest.gaps.extend(own);
    }
}

/// What is known of the archive itself.
pub struct Archive {
    /// Its last change.
    pub changed: Time,
    /// Whether a link of another name led to it.
    pub is_elsewhere: bool,
}

/// Keeps a distribution, with what must be said of its version.
pub fn keep(input: &Input<'_>, found: Distribution, harvest: &mut Harvest) {
    if found.normalized.trim_matches(['~', '-']).is_empty() {
        return;
    }
    let is_version = found.version.is_empty() || Version::from_str(found.version.trim()).is_ok();
    if input.watch.packages.contains(&found.normalized) && !is_version {
        let detail = format!("`{}` is no version by PEP 440; it was compared as text", found.version);
        harvest.gaps.push(input.gap(GapReason::Malformed).because(detail).harmless());
    }
    harvest.facts.distributions.push(found);
}

/// Behind a link of another name may lie anything: of it only what a pack names is shown.
fn is_plain(watch: &Watch, says: &FolderSays) -> bool {
    let is_version = says.version.is_empty() || Version::from_str(&says.version).is_ok();
    watch.packages.contains(&normalize_name(&says.name)) && says.version.len() <= 32 && is_version
}

/// What headers and name say together, and what the name says where that is something else.
#[must_use]
pub fn both(headers: &Headers, folder: FolderSays) -> (FolderSays, Option<FolderSays>) {
    let name = headers.name.clone().unwrap_or_else(|| folder.name.clone());
    let version = headers.version.clone().unwrap_or_else(|| folder.version.clone());
    let disagrees = names::disagree(&folder, &name, &version);
    (FolderSays { name, version }, disagrees.then_some(folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::format::headers;

    fn says(name: &str, version: &str) -> FolderSays {
        FolderSays { name: name.to_owned(), version: version.to_owned() }
    }

    #[test]
    fn an_archive_names_no_more_than_is_kept() {
        let watch = Watch::default();
        let mut holding = Holding::new(&watch);
        for number in 0..=MOST {
            holding.add(format!("{number}").as_bytes(), Held::new(says("a", "1"), MetadataForm::Zipapp));
        }
        assert_eq!((holding.all.len(), holding.misses.len()), (MOST, 1));
        let mut holding = Holding::new(&watch);
        for number in 0..4000 {
            let member = format!("{number}{}", "a".repeat(4000));
            holding.add(member.as_bytes(), Held::new(says("a", "1"), MetadataForm::Zipapp));
        }
        assert!(holding.all.len() < 4000 && holding.bytes <= MOST_BYTES && holding.misses.len() == 1);
    }

    #[test]
    fn the_later_of_two_counts_and_metadata_before_the_name() {
        let watch = Watch::default();
        let mut holding = Holding::new(&watch);
        holding.add(b"x.dist-info", Held::new(says("a", "1"), MetadataForm::Zipapp));
        holding.add(b"x.dist-info", Held::new(says("b", "2"), MetadataForm::Zipapp));
        holding.told(b"x.dist-info", &headers::parse(b"Name: litellm\nVersion: 1.82.8\n\n", true));
        let held = holding.at(b"x.dist-info").unwrap();
        assert_eq!((&held.says, &held.folder_says), (&says("litellm", "1.82.8"), &Some(says("b", "2"))));
        assert!(holding.misses.is_empty());
        holding.told(b"x.dist-info", &headers::parse(b"X: y\n", false));
        assert_eq!(holding.misses.iter().next().unwrap().reason, GapReason::TooLarge);
    }

    #[test]
    fn what_lies_below_a_place_is_found() {
        let watch = Watch::default();
        let mut holding = Holding::new(&watch);
        for member in ["a!/x", "ab!/x", "a!/y", "b!/x"] {
            holding.add(member.as_bytes(), Held::new(says(member, "1"), MetadataForm::DistInfo));
        }
        let names: Vec<String> = holding.below(b"a!/").map(|held| held.says.name.clone()).collect();
        assert_eq!(names, ["a!/x", "a!/y"]);
    }
}
