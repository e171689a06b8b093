//! How far a sweep looked: what was named or left out, which trees were not entered, which checks and packs it had. What is
//! not in its report is gone only where it would have seen it.

use std::collections::{HashMap, HashSet};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::makers;
use super::row::{Row, Section};
use super::told::{Told, ToldGap};
use crate::model::coverage::GapReason;
use crate::model::path::TargetPath;
use crate::model::verdict::Scope;

/// What a sweep could see.
pub(super) struct Sight<'r> {
    report: &'r Told,
    /// The paths that were named; none for a whole host.
    named: Option<Vec<TargetPath>>,
    excluded: Excluded,
    skipped: HashMap<&'r TargetPath, &'r str>,
    gaps: HashMap<&'r TargetPath, &'r str>,
    /// Folders that were not entered.
    shut: HashMap<&'r TargetPath, &'r str>,
    /// Everything above a gap in which a row could hide, and that gap.
    above: HashMap<TargetPath, &'r ToldGap>,
    packs: HashSet<&'r str>,
    /// Each check, and whether it was made.
    checks: HashMap<&'r str, bool>,
    /// Homes of people other than the one for whom it was swept.
    foreign: HashSet<TargetPath>,
}

/// What was left out by `--exclude`.
enum Excluded {
    Nothing,
    /// What matches, or lies below what does.
    These(GlobSet),
    /// Patterns that cannot be read: nothing is known.
    Unknown,
}

impl<'r> Sight<'r> {
    pub(super) fn of(report: &'r Told) -> Self {
        let gaps = &report.coverage.gaps;
        // What vanished was gone.
        let told = gaps.iter().filter(|gap| gap.miss.known() != Some(GapReason::Vanished));
        let shut = gaps.iter().filter(|gap| is_shut(gap));
        let mut above = HashMap::new();
        // Swept for one account, what other people own makes its answer no less complete; it hides rows all the same.
        let is_narrow = report.verdict.scope == Scope::Account;
        let of_reason = |gap: &&ToldGap| gap.miss.known().is_none_or(GapReason::is_material);
        for gap in gaps.iter().filter(|gap| gap.miss.is_material() || is_narrow && of_reason(gap)) {
            let mut folder = gap.path.parent();
            while let Some(path) = folder {
                folder = path.parent();
                above.entry(path).or_insert(gap);
            }
        }
        Self {
            report,
            named: named(report),
            excluded: excluded(report),
            skipped: report.coverage.skipped.iter().map(|one| (&one.path, one.why.as_str())).collect(),
            gaps: told.map(|gap| (&gap.path, gap.miss.reason.as_str())).collect(),
            shut: shut.map(|gap| (&gap.path, gap.miss.reason.as_str())).collect(),
            above,
            packs: report.packs.iter().map(|one| one.id.as_str()).collect(),
            checks: report.coverage.checks.iter().map(|one| (one.id.as_str(), is_made(&one.state))).collect(),
            foreign: foreign(report),
        }
    }

    /// Why this sweep would not have shown a row that `other` shows; none where it would.
    pub(super) fn unseen(&self, section: Section, row: &Row, other: &Self) -> Option<String> {
        let path = || (section != Section::Accounts).then(|| self.unseen_path(section, &row.path, other)).flatten();
        self.unasked(section, row, other)
            .or_else(|| self.unmade(section, row, other))
            .or_else(path)
            .or_else(|| self.unread_accounts(section))
    }

    /// Whether nobody asked: the pack was not in use, or every file of RECORD was asked for only once.
    fn unasked(&self, section: Section, row: &Row, other: &Self) -> Option<String> {
        if section != Section::Findings {
            return None;
        }
        let pack = row.incident.as_deref().filter(|pack| !self.packs.contains(pack));
        if let Some(pack) = pack {
            return Some(format!("not asked for: the pack {pack} was not in use"));
        }
        let rule = row.found.as_ref().map_or("", |(rule, _)| rule);
        let is_of_record = rule.starts_with("record-") || rule.starts_with("package-code");
        let asks = |sight: &Self| sight.report.sweep.options.contains_key("verify");
        (is_of_record && asks(other) && !asks(self)).then(|| "not asked for: it was swept without --verify".to_owned())
    }

    /// Whether a check that may have shown it was not made.
    fn unmade(&self, section: Section, row: &Row, other: &Self) -> Option<String> {
        let is_lost = |id: &str| !self.checks.get(id).copied().unwrap_or(false);
        let made = other.checks.iter().filter(|(_, is_made)| **is_made).map(|(id, _)| *id);
        // The first by name, so that the same two reports give the same text.
        let lost = made.filter(|id| is_lost(id) && shows(id, section, row)).min()?;
        Some(format!("the check {lost} was not made"))
    }

    fn unseen_path(&self, section: Section, path: &TargetPath, other: &Self) -> Option<String> {
        if let Some(named) = &self.named
            && !named.iter().any(|top| path.is_under(top))
        {
            return Some("only the paths that were named were swept".to_owned());
        }
        if let Some(reason) = self.gaps.get(path) {
            return Some(format!("it could not be looked at ({reason})"));
        }
        let deep = matches!(section, Section::Findings | Section::Distributions | Section::Environments);
        if let Some(gap) = self.above.get(path).filter(|_| deep) {
            return Some(format!("{} could not be looked at ({})", gap.path.to_text(), gap.miss.reason));
        }
        let mut folder = Some(path.clone());
        while let Some(at) = folder {
            if let Some(why) = self.unseen_folder(&at, other) {
                return Some(why);
            }
            folder = at.parent();
        }
        None
    }

    /// Why nothing in this folder was seen.
    fn unseen_folder(&self, at: &TargetPath, other: &Self) -> Option<String> {
        let text = at.to_text();
        if let Some(reason) = self.shut.get(at) {
            return Some(format!("{text} could not be entered ({reason})"));
        }
        match &self.excluded {
            Excluded::These(globs) if globs.is_match(text.as_ref()) => {
                return Some(format!("{text} was left out (--exclude)"));
            }
            Excluded::Unknown => return Some("what --exclude left out cannot be told".to_owned()),
            _ => {}
        }
        // What both left out hides nothing that one of them shows; and of the root only notes are made.
        let is_hidden = |why: &&&str| at.components().next().is_some() && other.skipped.get(at) != Some(*why);
        if let Some(why) = self.skipped.get(at).filter(is_hidden) {
            return Some(format!("{text} was left out ({why})"));
        }
        self.foreign.contains(at).then(|| format!("it was swept for account {} alone", self.report.sweep.user))
    }

    fn unread_accounts(&self, section: Section) -> Option<String> {
        let mut gaps = self.report.coverage.gaps.iter();
        let is_missed =
            section == Section::Accounts && gaps.any(|gap| gap.check == "accounts" && gap.miss.is_material());
        is_missed.then(|| "the list of accounts could not be read".to_owned())
    }
}

fn is_made(state: &str) -> bool {
    matches!(state, "complete" | "gaps")
}

/// Whether a folder was not entered, and all that lies below it not seen.
fn is_shut(gap: &ToldGap) -> bool {
    match gap.miss.known() {
        Some(GapReason::PermissionDenied | GapReason::Network | GapReason::Exhausted | GapReason::Unreadable) => true,
        Some(_) => false,
        // Of a later version: it may mean that.
        None => gap.miss.is_material(),
    }
}

/// Checks of what starts by itself.
const STARTS: &str = "autostart-";

/// Whether a check may be what showed a row.
fn shows(check: &str, section: Section, row: &Row) -> bool {
    match section {
        Section::Autostarts => {
            check == "walk"
                || match makers::of_word(&row.kind) {
                    Some(all) => all.contains(&check),
                    // Of a later version: any of them may have shown it.
                    None => check.starts_with(STARTS),
                }
        }
        Section::Findings => {
            let stage = row.found.as_ref().map_or("", |(_, stage)| stage);
            match check {
                "archives" => stage == "embedded",
                check if check.starts_with("indicators-") => false,
                check if check.starts_with(STARTS) => row.kind == "autostart",
                _ => true,
            }
        }
        Section::StartupHooks => ["walk", "startup-hooks", "customize-modules", "python-settings"].contains(&check),
        Section::Distributions => {
            ["walk", "dist-info", "egg-info", "egg-link", "conda-meta", "bare-packages", "site-dirs"].contains(&check)
        }
        Section::Environments => {
            ["walk", "pyvenv", "environment-marks", "standard-libraries", "embeddable", "site-dirs"].contains(&check)
        }
        Section::Interpreters => ["walk", "interpreters"].contains(&check),
        Section::Accounts => check == "accounts",
    }
}

/// The paths that were named, as far as they can be told: the report joins them with blanks, and a relative one was meant
/// from a folder that it does not name. Then nothing counts as looked at.
fn named(report: &Told) -> Option<Vec<TargetPath>> {
    let options = report.sweep.options.get("paths");
    if report.verdict.scope != Scope::Paths && options.is_none() {
        return None;
    }
    let mut all = Vec::new();
    for piece in options.map(String::as_str).unwrap_or_default().split(' ').filter(|piece| !piece.is_empty()) {
        let trimmed = piece.trim_end_matches(['/', '\\']);
        let path = TargetPath::new(if trimmed.is_empty() { b"/" } else { trimmed.as_bytes() });
        let is_plain = path.components().all(|part| part != b"." && part != b"..");
        if !(is_absolute(piece) && is_plain) {
            return Some(Vec::new());
        }
        all.push(path);
    }
    Some(all)
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || path.get(1..3) == Some(":\\")
}

/// The patterns of `--exclude`, joined with blanks in the report: a piece that cannot begin one belongs to the one before.
fn excluded(report: &Told) -> Excluded {
    let Some(text) = report.sweep.options.get("exclude") else { return Excluded::Nothing };
    let begins =
        |piece: &str| ["/", "**", "\\"].iter().any(|start| piece.starts_with(start)) || piece.get(1..2) == Some(":");
    let mut patterns: Vec<String> = Vec::new();
    for piece in text.split(' ') {
        match patterns.last_mut() {
            Some(last) if !begins(piece) => {
                last.push(' ');
                last.push_str(piece);
            }
            _ => patterns.push(piece.to_owned()),
        }
    }
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        match GlobBuilder::new(pattern.trim_end_matches(['/', '\\'])).literal_separator(true).build() {
            Ok(glob) => set.add(glob),
            Err(_) => return Excluded::Unknown,
        };
    }
    set.build().map_or(Excluded::Unknown, Excluded::These)
}

/// The homes of other people, where only one account was swept for. Daemons' homes are parts of the system.
fn foreign(report: &Told) -> HashSet<TargetPath> {
    if report.verdict.scope != Scope::Account {
        return HashSet::new();
    }
    let own = report.accounts.iter().find(|one| one.name == report.sweep.user).map(|one| one.home.as_str());
    let is_person = |uid: Option<u32>| uid.is_none_or(|uid| uid == 0 || uid >= 500);
    let others = report.accounts.iter().filter(|one| one.name != report.sweep.user && is_person(one.uid));
    let homes = others.filter(|one| Some(one.home.as_str()) != own && one.home != "/");
    homes.map(|one| TargetPath::new(one.home.as_bytes())).collect()
}
