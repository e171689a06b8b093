//! From what a lock or requirements file says to rows of the report, and to what of it was missed.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use pep440_rs::Version;

use super::format::{self, Format};
use super::lines::{self, Logical};
use super::{Fault, Lock, Pin, excerpt};
use crate::extract::format::placed;
use crate::extract::input::Content;
use crate::model::coverage::{Gap, GapReason};
use crate::model::distribution::{Basics, DistState, Distribution, MetadataForm, normalize_name};
use crate::model::facts::{Harvest, LockInclude};
use crate::model::install::{Install, SaidBy, Wanted};
use crate::model::path::TargetPath;
use crate::model::watch::Watch;

/// Most rows of one file. Beyond them only names that packs name are kept, so none that matters is lost.
const MOST: usize = 2_000;

/// Most other files that one names and that are kept: more than are followed, which says that there are too many.
const MOST_INCLUDES: usize = 1000;

/// Lines that were not understood and are named in a gap; the others are counted.
const NAMED: usize = 3;

/// Longest word that may be the name of a package, in bytes.
const LONGEST_WORD: usize = 200;

/// A file that was read.
pub(super) struct Source<'a> {
    /// Which check read it.
    pub(super) check: &'static str,
    /// Where it lies.
    pub(super) path: TargetPath,
    /// What is in it.
    pub(super) content: &'a Content,
    /// What packs name.
    pub(super) watch: &'a Watch,
}

/// Adds what it says.
pub(super) fn add(source: &Source<'_>, lock: Result<Lock, Fault>, harvest: &mut Harvest) {
    if !source.content.whole {
        let gap = Gap::new(source.check, source.path.clone(), GapReason::TooLarge);
        harvest.gaps.push(gap.because("only its beginning was looked at"));
    }
    match lock {
        Ok(lock) => {
            harvest.gaps.extend(unread(source, &lock));
            let includes = lock.includes.iter().take(MOST_INCLUDES).map(|one| LockInclude {
                from: source.path.clone(),
                line: one.line,
                written: one.path.as_bytes().to_vec(),
                owner_uid: source.content.stat.uid,
            });
            harvest.facts.lock_includes.extend(includes);
            add_pins(source, &lock.pins, harvest);
        }
        Err(fault) => {
            let gap = Gap::new(source.check, source.path.clone(), GapReason::Malformed);
            let gap = gap.because(excerpt(&fault.to_string()).as_str());
            // What cannot be read may hide any name.
            let is_hidden = is_lines(source) && lines::decode(&source.content.bytes).is_err();
            let is_named = is_hidden || names_watched(&text(source), source.watch);
            harvest.gaps.push(if is_named { gap } else { gap.harmless() });
        }
    }
}

/// One gap for all lines that were not understood; it matters if one of them could name a package that packs name.
fn unread(source: &Source<'_>, lock: &Lock) -> Option<Gap> {
    let (first, _) = lock.unread.first()?;
    let first = *first;
    let named: Vec<String> = lock.unread.iter().take(NAMED).map(|(line, why)| format!("line {line} {why}")).collect();
    let more = lock.unread.len().saturating_sub(NAMED);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    let gap = Gap::new(source.check, source.path.clone(), GapReason::Malformed);
    let gap = gap.because(format!("{}{more}", excerpt(&named.join("; ")).as_str()));
    let mut lines: Vec<u32> = lock.unread.iter().map(|(line, _)| *line).collect();
    lines.sort_unstable();
    let (text, mut wanted) = (text(source), lines.into_iter().peekable());
    let mut is_named = lock.hides || lock.unread.iter().any(|(_, why)| names_watched(why, source.watch));
    let mut look = |number: u32, line: &str| {
        let is_wanted = wanted.next_if(|next| *next <= number).is_some();
        while wanted.next_if(|next| *next <= number).is_some() {}
        is_named |= is_wanted && names_watched(line, source.watch);
    };
    if is_lines(source) {
        Logical::of(&text).for_each(|line| look(line.number, &line.text));
    } else {
        let from = first.saturating_sub(1) as usize;
        text.lines().zip(1_u32..).skip(from).for_each(|(line, number)| look(number, line));
    }
    Some(if is_named { gap } else { gap.harmless() })
}

/// Whether pip would read it, line by line.
fn is_lines(source: &Source<'_>) -> bool {
    let name = String::from_utf8_lossy(source.path.file_name()).to_ascii_lowercase();
    matches!(format::by_name(&name), None | Some(Format::Requirements))
}

fn text<'a>(source: &'a Source<'_>) -> std::borrow::Cow<'a, str> {
    placed::lenient(&source.content.bytes).unwrap_or_else(|_| String::from_utf8_lossy(&source.content.bytes))
}

/// Whether a text holds the name of a package that packs name: as a word, or as the first part of an archive's name.
fn names_watched(text: &str, watch: &Watch) -> bool {
    let is_part = |at: char| at.is_ascii_alphanumeric() || matches!(at, '-' | '_' | '.');
    let words = text.split(|at| !is_part(at)).filter(|word| !word.is_empty() && word.len() <= LONGEST_WORD);
    words.map(|word| word.trim_matches(['-', '_', '.'])).any(|word| {
        let is_named = |word: &str| watch.packages.contains(&normalize_name(word));
        is_named(word) || word.match_indices('-').filter_map(|(at, _)| word.get(..at)).any(is_named)
    })
}

fn add_pins(source: &Source<'_>, pins: &[Pin], harvest: &mut Harvest) {
    let mut rows: BTreeMap<(String, &str), Distribution> = BTreeMap::new();
    for pin in pins {
        let normalized = normalize_name(&pin.name);
        let is_watched = source.watch.packages.contains(&normalized);
        let version = pin.version.as_deref().unwrap_or_default().trim();
        // Of a package without a version only its name can be judged; behind a link of another name nothing else is shown.
        let is_kept = is_watched || !(version.is_empty() || source.content.is_elsewhere);
        if is_watched && version.is_empty() {
            harvest.facts.installs.extend(install(source, pin, &normalized));
        }
        let key = (normalized, version);
        if let Some(row) = rows.get_mut(&key) {
            row.hashes.extend(pin.hashes.iter().cloned());
        } else if is_kept && (is_watched || rows.len() < MOST) {
            harvest.gaps.extend(unreadable(source, pin, version).filter(|_| is_watched));
            rows.insert(key, row(source, pin, version));
        }
    }
    if pins.len() > MOST && rows.len() >= MOST {
        let gap = Gap::new(source.check, source.path.clone(), GapReason::TooLarge);
        let told = format!("it names more than {MOST} packages: of the others only those that packs name are listed");
        harvest.gaps.push(gap.because(told).harmless());
    }
    harvest.facts.distributions.extend(rows.into_values().map(|mut row| {
        row.hashes.sort_unstable();
        row.hashes.dedup();
        if source.content.is_elsewhere {
            (row.hashes, row.source_url) = (Vec::new(), None);
        }
        row
    }));
}

/// What leaves its version open is no pin; whoever installs from the file when a bad one can be fetched may get that.
fn install(source: &Source<'_>, pin: &Pin, normalized: &str) -> Option<Install> {
    Some(Install {
        path: source.path.clone(),
        line: pin.line?,
        said_by: SaidBy::Requirement,
        modified: Some(source.content.stat.modified),
        wants: Wanted::Package { normalized: normalized.to_owned(), specifier: pin.range.clone() },
        excerpt: excerpt(&format!("{}{}", pin.name, pin.range)),
    })
}

fn row(source: &Source<'_>, pin: &Pin, version: &str) -> Distribution {
    let basics = Basics {
        path: source.path.clone(),
        member: None,
        form: MetadataForm::Lockfile,
        state: DistState::Pinned,
        name: &pin.name,
        version,
    };
    Distribution {
        installed_at: Some(source.content.stat.modified),
        source_url: pin.source.clone(),
        hashes: pin.hashes.clone(),
        version_line: pin.line,
        ..Distribution::new(basics)
    }
}

/// A version that no rule of PEP 440 reads is compared as text, and whoever reads the report must know that it was.
fn unreadable(source: &Source<'_>, pin: &Pin, version: &str) -> Option<Gap> {
    let is_odd = !version.is_empty() && Version::from_str(version).is_err();
    is_odd.then(|| {
        let line = pin.line.unwrap_or(1);
        let told =
            format!("line {line}: `{}` is no version by PEP 440; it was compared as text", excerpt(version).as_str());
        Gap::new(source.check, source.path.clone(), GapReason::Malformed).because(told).harmless()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> Watch {
        Watch { packages: ["litellm".to_owned(), "lite-llm-x".to_owned()].into(), ..Watch::default() }
    }

    #[test]
    fn names_are_found_as_words() {
        for text in [
            "litellm",
            "x = \"LiteLLM\"",
            "litellm==1.82.7",
            "./litellm-1.82.7.tar.gz",
            "lite_llm.x@1",
            "a/litellm/b",
            "litellm-1",
        ] {
            assert!(names_watched(text, &watch()), "{text}");
        }
        for text in ["", "litellms", "my-litellm", "xlitellm", "lite llm x", "ä", "-", "....", &"litellm".repeat(100)]
        {
            assert!(!names_watched(text, &watch()), "{text}");
        }
    }
}
