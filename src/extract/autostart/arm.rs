//! Which units of systemd are armed, and which are masked, by the links in the folders of units (`systemctl(1)`, enable and
//! mask): known only when all of them have been seen.

use std::collections::BTreeSet;

use crate::model::autostart::AutostartKind;
use crate::model::facts::Facts;
use crate::model::path::TargetPath;
use crate::target::Target;

/// Whose manager reads a unit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Manager {
    /// The system's.
    System,
    /// That of every account: `/etc/systemd/user`.
    EveryUser,
    /// That of the account with this home.
    User(TargetPath),
}

fn manager(target: &Target, path: &TargetPath) -> Manager {
    let home = target.home_of(path).map(|account| account.home.clone());
    let is_user = path.components().any(|name| name == b"user");
    match home {
        Some(home) if is_user => Manager::User(home),
        _ if is_user => Manager::EveryUser,
        _ => Manager::System,
    }
}

/// Says of each unit whether it is armed: a link in a `.wants` or `.requires` folder names it, by its own name or by an alias.
/// What is masked is not. A unit without `[Install]` and without a link is left open: something else starts it.
pub(super) fn settle(target: &Target, facts: &mut Facts) {
    let mut armed: BTreeSet<(Manager, Vec<u8>)> = BTreeSet::new();
    let mut masked = BTreeSet::new();
    let mut by_some_account = BTreeSet::new();
    for link in &facts.unit_links {
        let of = manager(target, &link.path);
        let name = link.path.file_name();
        if link.to == b"/dev/null" {
            masked.insert((of, name.to_vec()));
            continue;
        }
        let to = link.to.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        for name in [name, to].into_iter().flat_map(|name| [Some(name.to_vec()), template(name)]).flatten() {
            if matches!(of, Manager::User(_)) {
                by_some_account.insert(name.clone());
            }
            armed.insert((of.clone(), name));
        }
    }
    for row in facts.autostarts.iter_mut().filter(|row| is_unit(row.kind)) {
        let of = manager(target, &row.path);
        let name = row.path.file_name().to_vec();
        let is_armed = |of: &Manager| armed.contains(&(of.clone(), name.clone()));
        let by_other = match of {
            Manager::System => false,
            // What an account arms may be a unit of everybody, and the other way round.
            Manager::EveryUser => by_some_account.contains(&name),
            Manager::User(_) => is_armed(&Manager::EveryUser),
        };
        if is_armed(&of) || by_other {
            row.enabled = Some(true);
        }
        if masked.contains(&(of, name)) {
            row.enabled = Some(false);
        }
    }
}

/// `getty@.service` of `getty@tty1.service`.
fn template(name: &[u8]) -> Option<Vec<u8>> {
    let at = name.iter().position(|byte| *byte == b'@')?;
    let end = name.iter().rposition(|byte| *byte == b'.').filter(|end| at < *end)?;
    Some([name.get(..=at)?, name.get(end..)?].concat())
}

fn is_unit(kind: AutostartKind) -> bool {
    matches!(
        kind,
        AutostartKind::SystemdService
            | AutostartKind::SystemdTimer
            | AutostartKind::SystemdPath
            | AutostartKind::SystemdSocket
            | AutostartKind::SystemdUnit
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::autostart::planted::Tree;
    use crate::extract::autostart::systemd;
    use crate::model::autostart::UnitLink;
    use crate::model::host::Platform;

    /// Units with `[Install]`, links, and what each unit then is.
    fn told(units: &[&str], links: &[(&str, &str)]) -> Vec<Option<bool>> {
        let unit: &[u8] = b"[Service]\nExecStart=/opt/x\n[Install]\nWantedBy=masked\n";
        let tree = Tree::with(&units.iter().map(|path| (*path, unit)).collect::<Vec<_>>());
        let mut facts = Facts::default();
        for path in units {
            let row = tree.read(&systemd::EXTRACTOR, Platform::Linux, path);
            facts.autostarts.extend(row.facts.autostarts);
        }
        let link =
            |(path, to): &(&str, &str)| UnitLink { path: TargetPath::new(path.as_bytes()), to: to.as_bytes().to_vec() };
        facts.unit_links = links.iter().map(link).collect();
        settle(&tree.target(Platform::Linux), &mut facts);
        facts.autostarts.iter().map(|row| row.enabled).collect()
    }

    #[test]
    fn links_arm_what_they_name() {
        let wants = "/etc/systemd/system/multi-user.target.wants";
        assert_eq!(told(&["/etc/systemd/system/x.service"], &[]), [Some(false)]);
        assert_eq!(
            told(&["/etc/systemd/system/x.service"], &[(&format!("{wants}/x.service"), "../x.service")]),
            [Some(true)]
        );
        let instance = format!("{wants}/getty@tty1.service");
        let template = "/lib/systemd/system/getty@.service";
        assert_eq!(told(&[template], &[(&instance, template)]), [Some(true)]);
        assert_eq!(told(&[template], &[(&format!("{wants}/gettyx@tty1.service"), "x")]), [Some(false)]);
    }

    #[test]
    fn accounts_arm_and_mask_their_own() {
        let (mia, root) = ("/home/mia/.config/systemd/user", "/root/.config/systemd/user");
        let units = [format!("{mia}/x.service"), format!("{root}/x.service")];
        let units: Vec<&str> = units.iter().map(String::as_str).collect();
        assert_eq!(
            told(&units, &[(&format!("{mia}/default.target.wants/x.service"), "../x.service")]),
            [Some(true), Some(false)]
        );
        let both =
            [("/etc/systemd/user/default.target.wants/x.service", "x"), (&format!("{mia}/x.service"), "/dev/null")];
        assert_eq!(told(&units, &both), [Some(false), Some(true)]);
        assert_eq!(
            told(
                &["/usr/lib/systemd/user/y.service"],
                &[(&format!("{mia}/default.target.wants/y.service"), "y.service")]
            ),
            [Some(true)]
        );
    }
}
