//! The second look: what RECORD says, held against the disk. It comes after the join, because only then is it known which
//! site directories hold a start-up file that nobody answers for.
//!
//! Distributions that packs name are always verified, and so are all in a site directory with an unowned or changed
//! start-up file; the others on request (`--verify`). Nothing outside an environment is opened, whatever RECORD says.

mod bytecode;
mod disk;
mod extras;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::Later;
use crate::model::coverage::{Counts, Gap, GapReason};
use crate::model::distribution::{Distribution, MetadataForm, normalize_name};
use crate::model::facts::{Facts, Harvest};
use crate::model::path::TargetPath;
use crate::model::record::{RecordState, RecordSummary};
use crate::model::startup::{HookLine, Ownership, StartupHook};
use crate::model::watch::Watch;
use crate::target::Target;
use disk::{Disk, Limits};
use rows::Verified;

/// The row of coverage.
pub const STAGE: Later = Later {
    id: "record-files",
    sentence: "The files that RECORD lists, held against the disk: for packages that packs name, and for all beside a start-up file that nobody answers for.",
};

/// What is done in one site directory.
struct Site<'a> {
    path: TargetPath,
    environment: TargetPath,
    /// All distributions with a RECORD in it.
    all: Vec<&'a Distribution>,
    /// Those to be verified: their place in the facts, and why.
    chosen: Vec<(usize, &'a Distribution, Why)>,
    /// Package folders without metadata: their place in the facts, and the name of the folder.
    bare: Vec<(usize, &'a Distribution)>,
}

/// Why a distribution is verified.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// A pack names it: what cannot be compared may be what the pack means.
    Named,
    /// The user asked for all.
    Asked,
    /// It lies beside an unanswered start-up file, and may tell something; it is not suspected itself.
    Beside,
}

impl Why {
    /// A miss, as far as it matters.
    fn weigh(self, gap: Gap) -> Option<Gap> {
        match self {
            Self::Named => Some(gap),
            // Distributions are packaged without hashes: there is nothing to compare, and nothing was hidden.
            Self::Asked if gap.reason == GapReason::Malformed => Some(gap.harmless()),
            Self::Asked => Some(gap),
            Self::Beside => None,
        }
    }
}

/// What one site directory yielded.
#[derive(Default)]
struct Yield {
    summaries: Vec<(usize, RecordSummary)>,
    /// Package folders that some RECORD lists files of.
    claimed: Vec<usize>,
    gaps: Vec<Gap>,
    counts: Counts,
}

/// Verifies what is to be verified and fills in `record` of those distributions; `all` is the user's `--verify`.
#[must_use]
pub fn verify(target: &Target, watch: &Watch, facts: &mut Facts, all: bool) -> Harvest {
    let sites = sites(facts, watch, all);
    let limits = if all { Limits::ASKED } else { Limits::UNASKED };
    let done: Vec<Yield> = sites.par_iter().map(|site| site.verify(target, limits)).collect();
    let mut harvest = Harvest::default();
    let mut claimed = BTreeSet::new();
    for one in done {
        for (at, summary) in one.summaries {
            if let Some(found) = facts.distributions.get_mut(at) {
                found.record = summary;
            }
        }
        claimed.extend(one.claimed);
        harvest.gaps.extend(one.gaps);
        harvest.counts.add(one.counts);
    }
    for at in claimed {
        if let Some(found) = facts.distributions.get_mut(at) {
            found.is_claimed = true;
        }
    }
    harvest
}

/// The site directories where there is something to do.
fn sites<'a>(facts: &'a Facts, watch: &Watch, all: bool) -> Vec<Site<'a>> {
    let stirred: BTreeSet<TargetPath> =
        facts.startup_hooks.iter().filter(|hook| is_unanswered(hook)).filter_map(|hook| hook.path.parent()).collect();
    let environments: BTreeMap<_, _> = facts.environments.iter().map(|env| (env.id, &env.path)).collect();
    let mut sites: BTreeMap<TargetPath, Site<'a>> = BTreeMap::new();
    for (at, found) in facts.distributions.iter().enumerate() {
        let Some(path) = found.site() else { continue };
        let is_bare = found.metadata == MetadataForm::Directory;
        let has_record = found.record.state == RecordState::Unverified;
        if !is_bare && !has_record {
            continue;
        }
        let root = found.environment.and_then(|id| environments.get(&id)).copied();
        let site = sites.entry(path.clone()).or_insert_with(|| Site {
            environment: root.cloned().unwrap_or_else(|| path.clone()),
            path: path.clone(),
            all: Vec::new(),
            chosen: Vec::new(),
            bare: Vec::new(),
        });
        // What pip has renamed on its way to removal is no longer where its RECORD says.
        let is_stash = found.path.file_name().starts_with(b"~");
        if is_bare {
            site.bare.push((at, found));
        } else if !is_stash {
            site.all.push(found);
            let why = match () {
                () if is_named(found, watch) => Some(Why::Named),
                () if all => Some(Why::Asked),
                () if stirred.contains(&path) => Some(Why::Beside),
                () => None,
            };
            site.chosen.extend(why.map(|why| (at, found, why)));
        }
    }
    sites.into_values().filter(|site| !site.chosen.is_empty() || !site.bare.is_empty()).collect()
}

fn is_named(found: &Distribution, watch: &Watch) -> bool {
    let folder = found.folder_says.as_ref().map(|says| normalize_name(&says.name));
    let names = [Some(&found.normalized), folder.as_ref()];
    names.into_iter().flatten().any(|name| watch.packages.contains(name)) || !found.known_rows.is_empty()
}

/// Whether nobody answers for a start-up file: it is not what RECORD says, or no RECORD lists it and it runs code.
/// virtualenv writes one that none lists.
fn is_unanswered(hook: &StartupHook) -> bool {
    let is_seed = |line: &HookLine| line.text.as_str() == "import _virtualenv" && line.features.is_empty();
    let runs = hook.lines.iter().any(|line| line.class.runs_code() && !is_seed(line));
    // What could not be read to its end may run anything.
    let may_run = runs || hook.sha256.is_none();
    hook.in_site_dir
        && match hook.ownership {
            Ownership::Owned => false,
            Ownership::Changed => true,
            Ownership::Orphan => may_run,
        }
}

impl Site<'_> {
    fn verify(&self, target: &Target, limits: Limits) -> Yield {
        let mut out = Yield::default();
        let environment = match Disk::open(target, &self.path, &self.environment, limits) {
            Ok(environment) => environment,
            Err(why) => {
                out.gaps.push(Gap::new(STAGE.id, self.path.clone(), why).because("its RECORD files were not compared"));
                return out;
            }
        };
        let mut verified: Vec<(usize, Verified)> = Vec::with_capacity(self.chosen.len());
        for (at, found, why) in &self.chosen {
            let mut gaps = Vec::new();
            verified.push((*at, rows::verify(&environment, found, &mut gaps)));
            out.gaps.extend(gaps.into_iter().filter_map(|gap| why.weigh(gap)));
        }
        let mut extras: BTreeSet<Vec<u8>> = verified.iter().flat_map(|(_, one)| one.added().cloned()).collect();
        let mut bare: BTreeMap<Vec<u8>, usize> =
            self.bare.iter().map(|(at, found)| (found.path.file_name().to_vec(), *at)).collect();
        if !extras.is_empty() || !bare.is_empty() {
            for found in &self.all {
                rows::each_claim(&environment, found, |path| {
                    extras.remove(path);
                    let top = path.split(|byte| *byte == b'/').next().unwrap_or_default();
                    out.claimed.extend(bare.remove(top));
                });
            }
        }
        for (_, one) in &mut verified {
            one.keep(&extras);
        }
        out.summaries = verified.into_iter().map(|(at, one)| (at, one.summary(&environment))).collect();
        out.counts = environment.counts();
        out
    }
}
