//! Which misses make coverage incomplete in this scope, and how far each check got.

use crate::model::coverage::{CheckRow, CheckState, Gap, GapReason};
use crate::model::path::TargetPath;
use crate::model::verdict::{Completeness, Scope};

/// Who sweeps, for the scope `account`.
#[derive(Clone, Debug)]
pub struct Sweeper {
    /// Its user id.
    pub uid: u32,
    /// Its home.
    pub home: Option<TargetPath>,
}

/// Settles which gaps are material. In scope `account`, a folder that belongs to somebody else and that this account may
/// not enter is no place from which this account runs anything; in its own home it is a miss all the same.
pub fn settle(gaps: &mut [Gap], scope: Scope, sweeper: &Sweeper) {
    for gap in gaps {
        let is_foreign = gap.owner_uid.is_some_and(|owner| owner != sweeper.uid)
            && !sweeper.home.as_ref().is_some_and(|home| gap.path.is_under(home));
        if scope == Scope::Account && gap.reason == GapReason::PermissionDenied && is_foreign {
            gap.material = false;
        }
        if scope != Scope::Host && gap.reason == GapReason::Network {
            gap.material = false;
        }
    }
}

/// Whether everything in scope was looked at.
#[must_use]
pub fn completeness(gaps: &[Gap]) -> Completeness {
    if gaps.iter().any(|gap| gap.material) { Completeness::Incomplete } else { Completeness::Complete }
}

/// What the packs ask for and do not get, and what the user did not ask for.
pub struct Unheard {
    /// Checks that are switched off, and why.
    pub off: Vec<(&'static str, &'static str)>,
    /// Types of indicators that this version does not look for, and how many there are of each.
    pub kinds: Vec<(&'static str, usize)>,
    /// Feeds with rows that cannot be looked for, and how many these are.
    pub feeds: Vec<(String, usize)>,
}

/// One row for each check that exists, and one for each thing that a pack asks for and does not get.
#[must_use]
pub fn checks(ids: &[&'static str], gaps: &[Gap], unheard: &Unheard) -> Vec<CheckRow> {
    let own = ["walk", "accounts"].iter().chain(ids).map(|id| {
        let missed = gaps.iter().filter(|gap| gap.check == *id && gap.material).count();
        let harmless = gaps.iter().filter(|gap| gap.check == *id && !gap.material).count();
        let off = unheard.off.iter().find(|(off, _)| off == id);
        let (state, reason) = match (missed, harmless) {
            _ if off.is_some() => (CheckState::Off, off.map(|(_, why)| (*why).to_owned())),
            (0, 0) => (CheckState::Complete, None),
            (0, some) => (CheckState::Gaps, Some(format!("{some} misses that hide nothing"))),
            (missed, _) => (CheckState::Gaps, Some(format!("{missed} misses that could hide something"))),
        };
        CheckRow { id: (*id).to_owned(), state, reason }
    });
    let feeds = unheard.feeds.iter().map(|(feed, count)| CheckRow {
        id: format!("indicators-{feed}"),
        state: CheckState::Gaps,
        reason: Some(format!("{count} rows of this feed cannot be looked for; `pysweep iocs import` names them")),
    });
    let absent = unheard.kinds.iter().map(|(kind, count)| CheckRow {
        id: format!("indicators-{kind}"),
        state: CheckState::Off,
        reason: Some(format!("this version does not look for {count} indicators of this type")),
    });
    own.chain(absent).chain(feeds).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(path: &str, owner_uid: u32) -> Gap {
        let mut gap = Gap::new("walk", TargetPath::new(path.as_bytes()), GapReason::PermissionDenied);
        gap.owner_uid = Some(owner_uid);
        gap
    }

    #[test]
    fn a_check_that_is_off_says_why() {
        let unheard = Unheard { off: vec![("b", "--b opens it")], kinds: Vec::new(), feeds: Vec::new() };
        let rows = checks(&["a", "b"], &[], &unheard);
        let row = |id: &str| rows.iter().find(|row| row.id == id).unwrap();
        assert_eq!((row("a").state, row("b").state), (CheckState::Complete, CheckState::Off));
        assert_eq!(row("b").reason.as_deref(), Some("--b opens it"));
    }

    #[test]
    fn other_accounts_folders_are_no_miss_of_this_account() {
        let sweeper = Sweeper { uid: 1000, home: Some(TargetPath::new(b"/home/mia")) };
        let gaps = || vec![denied("/root", 0), denied("/home/mia/.cache/pip", 0), denied("/srv/own", 1000)];
        let material = |scope| {
            let mut gaps = gaps();
            settle(&mut gaps, scope, &sweeper);
            gaps.iter().map(|gap| gap.material).collect::<Vec<_>>()
        };
        assert_eq!(material(Scope::Account), [false, true, true]);
        assert_eq!(material(Scope::Host), [true, true, true]);
        assert_eq!(material(Scope::Paths), [true, true, true]);
    }
}
