//! Look-ups over all packs: by package name, by kind, by date.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use super::load::Loaded;
use super::pack::{Indicator, Kind, Pack, Status};
use super::table;
use super::version::{self, Match};
use crate::model::distribution::normalize_name;
use crate::model::time::Time;

/// All packs, ready to be asked.
pub struct Intel {
    packs: Vec<Loaded>,
    /// Id → place in `packs`, lines of tables aside; made when the first is asked for, which no sweep does.
    ids: OnceLock<HashMap<String, (usize, usize)>>,
    /// Normalised name → places in `packs`.
    packages: HashMap<String, Vec<(usize, usize)>>,
}

/// An indicator and the pack it belongs to.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The pack.
    pub pack: &'a Pack,
    /// The indicator.
    pub indicator: &'a Indicator,
}

/// How an indicator applies to one name and version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Applies {
    /// The version is bad, or every version is.
    Yes,
    /// The text of an unparsable version is the same.
    SameText,
    /// No version is known, and some are bad.
    Perhaps,
    /// It is another version.
    No,
}

impl Intel {
    /// Indexes the packs.
    #[must_use]
    pub fn of(packs: Vec<Loaded>) -> Self {
        let mut packages: HashMap<String, Vec<(usize, usize)>> = HashMap::new();
        for (at, loaded) in packs.iter().enumerate() {
            for (row, indicator) in loaded.pack.indicators.iter().enumerate() {
                let is_python = indicator.kind == Kind::Package && !indicator.is_of_system();
                if let (true, Some(name)) = (is_python, &indicator.name) {
                    packages.entry(normalize_name(name)).or_default().push((at, row));
                }
            }
        }
        Self { packs, ids: OnceLock::new(), packages }
    }

    /// The packs, sorted by id.
    #[must_use]
    pub fn packs(&self) -> &[Loaded] {
        &self.packs
    }

    /// Every indicator of every pack, the lines of tables aside.
    pub fn all(&self) -> impl Iterator<Item = Known<'_>> {
        self.packs
            .iter()
            .flat_map(|one| one.pack.indicators.iter().map(|indicator| Known { pack: &one.pack, indicator }))
    }

    /// Every indicator of one kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = Known<'_>> {
        self.all().filter(move |known| known.indicator.kind == kind)
    }

    /// The indicators that name a package of one of the system's managers, in whatever version.
    pub fn system_packages<'i>(&'i self) -> impl Iterator<Item = (Known<'i>, &'i str, &'i str)> {
        self.of_kind(Kind::Package).filter(|known| known.indicator.is_of_system()).filter_map(|known| {
            let Indicator { ecosystem, name, .. } = known.indicator;
            Some((known, ecosystem.as_deref()?, name.as_deref()?))
        })
    }

    /// The package indicators for a normalised name: those of incidents first, then the lines of feeds.
    pub fn package<'i>(&'i self, normalized: &str) -> impl Iterator<Item = Known<'i>> + use<'i> {
        let own = self.packages.get(normalized).into_iter().flatten().filter_map(|(at, row)| {
            let pack = &self.packs.get(*at)?.pack;
            Some(Known { pack, indicator: pack.indicators.get(*row)? })
        });
        let tables = self
            .packs
            .iter()
            .flat_map(|one| table::of_name(&one.pack.packages, normalized).iter().map(move |row| (one, row)));
        let listed: Vec<Known<'i>> =
            tables.map(|(one, row)| Known { pack: &one.pack, indicator: row.indicator(&one.pack.id) }).collect();
        own.chain(listed)
    }

    /// The package indicators that apply to a name and version. A line of a feed that says what an incident says already is
    /// left out.
    #[must_use]
    pub fn judge(&self, name: &str, version: &str) -> Vec<(Known<'_>, Applies)> {
        let all = self.package(&normalize_name(name)).map(|known| (known, applies(known.indicator, version)));
        let mut hits: Vec<(Known<'_>, Applies)> = all.filter(|(_, applies)| *applies != Applies::No).collect();
        let is_line = |known: &Known<'_>| known.pack.status == Status::Feed;
        if hits.iter().any(|(known, applies)| *applies == Applies::Yes && !is_line(known)) {
            hits.retain(|(known, _)| !is_line(known));
        }
        hits
    }

    /// The indicator of an id, lines of tables included.
    #[must_use]
    pub fn indicator(&self, id: &str) -> Option<Known<'_>> {
        if let Some((at, row)) = self.ids.get_or_init(|| self.places()).get(id) {
            let pack = &self.packs.get(*at)?.pack;
            return Some(Known { pack, indicator: pack.indicators.get(*row)? });
        }
        self.packs.iter().filter(|one| id.starts_with(one.pack.id.as_str())).find_map(|one| {
            // Where the record ends and the name begins is not written: every part behind a `-` may be the name.
            let bare = id.strip_suffix("-possible").or_else(|| id.strip_suffix("-listed")).unwrap_or(id);
            let names = bare.match_indices('-').filter_map(|(at, _)| bare.get(at + 1..));
            let mut rows = names.flat_map(|name| table::of_name(&one.pack.packages, name));
            let row = rows.find(|row| row.id(&one.pack.id) == id)?;
            Some(Known { pack: &one.pack, indicator: row.indicator(&one.pack.id) })
        })
    }

    fn places(&self) -> HashMap<String, (usize, usize)> {
        let packs = self.packs.iter().enumerate();
        let rows =
            packs.flat_map(|(at, one)| one.pack.indicators.iter().enumerate().map(move |(row, own)| (at, row, own)));
        rows.map(|(at, row, own)| (own.id.clone(), (at, row))).collect()
    }

    /// The indicators that feeds make of a record, such as `MAL-2025-1970`.
    pub fn of_record<'i>(&'i self, record: &'i str) -> impl Iterator<Item = Known<'i>> {
        let rows = self.packs.iter().flat_map(|one| one.pack.packages.iter().map(move |row| (one, row)));
        let rows = rows.filter(move |(_, row)| *row.record == *record);
        rows.map(|(one, row)| Known { pack: &one.pack, indicator: row.indicator(&one.pack.id) })
    }

    /// The last change of the newest pack.
    #[must_use]
    pub fn newest(&self) -> Option<Time> {
        // A feed of today does not make the packs of incidents younger, and one without dates has no age.
        let of_kind = |is_feed: bool| {
            let packs = self.packs.iter().filter(move |one| (one.pack.status == Status::Feed) == is_feed);
            packs.map(|one| one.pack.modified).max()
        };
        of_kind(false).or_else(|| of_kind(true))
    }

    /// The spans in which incidents' code could be fetched, where both ends are known.
    #[must_use]
    pub fn closed_windows(&self) -> Vec<(Time, Time)> {
        let windows = self.packs.iter().filter_map(|one| one.pack.window.as_ref());
        windows.filter_map(|window| Some((window.from, window.until?))).collect()
    }

    /// When each incident's code was first published.
    #[must_use]
    pub fn windows(&self) -> BTreeMap<String, Time> {
        self.packs.iter().filter_map(|one| Some((one.pack.id.clone(), one.pack.window.as_ref()?.from))).collect()
    }

    /// The types of indicators that this version does not look for, and how many there are of each.
    #[must_use]
    pub fn not_looked_for(&self) -> Vec<(&'static str, usize)> {
        let mut counts = BTreeMap::new();
        for known in self.all().filter(|known| !known.indicator.kind.is_looked_for()) {
            *counts.entry(known.indicator.kind.name()).or_insert(0) += 1;
        }
        counts.into_iter().collect()
    }

    /// The normalised names of packages that some indicator names.
    pub fn package_names(&self) -> impl Iterator<Item = &str> {
        self.packages.keys().map(String::as_str)
    }
}

/// Whether a package indicator applies to a version; an empty version means that none is known.
#[must_use]
pub fn applies(indicator: &Indicator, version: &str) -> Applies {
    if indicator.all_versions {
        return Applies::Yes;
    }
    if version.trim().is_empty() {
        return Applies::Perhaps;
    }
    if indicator.specifier.as_deref().is_some_and(|specifier| version::is_within(version, specifier)) {
        return Applies::Yes;
    }
    let all = indicator.versions.iter().map(|bad| (bad, version::compare(version, bad)));
    match all.filter(|(_, found)| *found != Match::No).map(|(bad, found)| (bad.starts_with(version::RAW), found)).next()
    {
        // The same text is all that a pack can ask for that marks one as no version.
        Some((true, _) | (false, Match::Equal)) => Applies::Yes,
        Some((false, _)) => Applies::SameText,
        None => Applies::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intel::load;

    fn intel() -> Intel {
        Intel::of(load::built_in().unwrap())
    }

    fn verdicts(name: &str, version: &str) -> Vec<Applies> {
        intel()
            .package(&normalize_name(name))
            .map(|known| applies(known.indicator, version))
            .filter(|one| *one != Applies::No)
            .collect()
    }

    #[test]
    fn names_and_versions_of_the_built_in_packs() {
        for version in ["1.82.7", "1.82.07", "v1.82.8", "1.107.0", "1.38.1"] {
            assert_eq!(verdicts("LiteLLM", version), [Applies::Yes], "{version}");
        }
        assert!(verdicts("litellm", "1.82.6").is_empty());
        assert!(verdicts("lite-llm", "1.82.8").is_empty());
        assert!(verdicts("deepseek", "1.0.0").is_empty());
        assert_eq!(verdicts("deepseeek", ""), [Applies::Yes]);
        assert_eq!(verdicts("litellm", "").len(), 3);
    }
}
