//! Path patterns of packs: `{home}/x`, `{site}/x`, `{tmp}/x`, `**/x` and absolute paths, `*` within one name.

use crate::model::glob::{self, TEMPORARY};
use crate::model::host::Account;
use crate::model::path::TargetPath;
use crate::model::python::Environment;

/// What the variables of a pattern stand for on one target.
pub struct Places<'a> {
    /// For `{home}`.
    pub accounts: &'a [Account],
    /// For `{site}`.
    pub environments: &'a [Environment],
    /// Whether the target takes names in any case.
    pub is_case_blind: bool,
}

impl Places<'_> {
    /// Whether a path fits a pattern.
    #[must_use]
    pub fn fits(&self, pattern: &str, path: &TargetPath) -> bool {
        let Some((start, rest)) = pattern.split_once('/') else {
            return false;
        };
        match start {
            "{home}" => self.accounts.iter().any(|account| self.below(&account.home, path, rest)),
            "{site}" => {
                self.environments.iter().flat_map(|env| &env.site_dirs).any(|site| self.below(site, path, rest))
            }
            "{tmp}" => {
                let temporary = |top: &&str| self.below(&TargetPath::new(top.as_bytes()), path, rest);
                TEMPORARY.iter().any(temporary) || self.ends_with(path, &format!("AppData/Local/Temp/{rest}"))
            }
            "**" => self.ends_with(path, rest),
            "" => path.components().count() == rest.split('/').count() && self.ends_with(path, rest),
            _ => false,
        }
    }

    /// Whether `path` is `top` and then exactly `rest`.
    fn below(&self, top: &TargetPath, path: &TargetPath, rest: &str) -> bool {
        path.is_under(top)
            && path.components().count() == top.components().count() + rest.split('/').count()
            && self.ends_with(path, rest)
    }

    fn ends_with(&self, path: &TargetPath, rest: &str) -> bool {
        let wanted: Vec<&str> = rest.split('/').collect();
        let same = if self.is_case_blind { glob::caseless } else { glob::exact };
        let mut parts = path.components().rev();
        wanted.iter().rev().all(|name| parts.next().is_some_and(|part| glob::fits(name.as_bytes(), part, same)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, path: &str) -> bool {
        let home = TargetPath::new(b"/home/mia");
        let account = Account {
            name: "mia".into(),
            uid: None,
            gid: None,
            groups: vec![],
            real_home: home.clone(),
            home,
            shell: None,
            privileged: false,
        };
        Places { accounts: &[account], environments: &[], is_case_blind: false }
            .fits(pattern, &TargetPath::new(path.as_bytes()))
    }

    #[test]
    fn variables_stand_for_the_targets_own_places() {
        assert!(fits("{home}/.config/sysmon/sysmon.py", "/home/mia/.config/sysmon/sysmon.py"));
        assert!(!fits("{home}/.config/sysmon/sysmon.py", "/home/mia/x/.config/sysmon/sysmon.py"));
        assert!(!fits("{home}/.config/sysmon/sysmon.py", "/home/other/.config/sysmon/sysmon.py"));
        assert!(fits("{tmp}/pglog", "/var/tmp/pglog"));
        assert!(!fits("{tmp}/pglog", "/tmp/x/pglog"));
        assert!(fits("{tmp}/*/p.py", "/tmp/tmpab12/p.py"));
        assert!(fits("**/x.whl", "/a/b/x.whl"));
        assert!(fits("/root/.config/a", "/root/.config/a"));
        assert!(!fits("/root/.config/a", "/x/root/.config/a"));
    }
}
