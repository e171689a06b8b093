//! Every account of the target, not only the caller's: from its own user database, and from homes that the database
//! does not know (directory services, a database that was lost).

use std::collections::{BTreeMap, HashSet};

use super::root::Root;
use crate::model::coverage::{Gap, GapReason};
use crate::model::host::Account;
use crate::model::interest::EntryKind;
use crate::model::path::TargetPath;

/// Groups whose members can become root, or reach what root reaches.
const PRIVILEGED_GROUPS: &[&str] = &["root", "sudo", "wheel", "admin", "docker", "lxd", "libvirt", "disk"];

/// Longest name of an account that is kept, in characters; systems end at 32 or 256.
const LONGEST_NAME: usize = 256;

/// Folders whose subfolders are homes.
const HOME_FOLDERS: &[&str] = &["/home", "/Users"];

/// Folders below those that are no home of anybody.
const NO_HOMES: &[&str] = &["lost+found", "Shared", "Public", "Default", "Default User", "All Users", "Guest"];

/// Reads passwd(5) and group(5), then adds the homes that they do not name. Sorted by name.
#[must_use]
pub fn of(root: &Root) -> (Vec<Account>, Vec<Gap>) {
    let mut gaps = Vec::new();
    let mut read = |path: &str| {
        let path = root.target_path(path.as_bytes());
        match root.read_small(&path) {
            Ok(bytes) => bytes,
            // An image of a folder, or a system without such a database, has none: that is no gap.
            Err(GapReason::DanglingLink) => Vec::new(),
            Err(why) => {
                gaps.push(Gap::new("accounts", path, why));
                Vec::new()
            }
        }
    };
    let (passwd, group) = (read("/etc/passwd"), read("/etc/group"));
    let mut accounts = parse_passwd(root, &passwd);
    join_groups(&mut accounts, &parse_group(&group));
    add_unlisted_homes(root, &mut accounts);
    accounts.sort_unstable();
    accounts.dedup();
    (accounts, gaps)
}

/// `name:password:uid:gid:comment:home:shell`, one account a line. Lines that are not of this form are passed over, as
/// the C library does.
fn parse_passwd(root: &Root, bytes: &[u8]) -> Vec<Account> {
    bytes.split(|byte| *byte == b'\n').filter_map(|line| parse_account(root, line)).collect()
}

fn parse_account(root: &Root, line: &[u8]) -> Option<Account> {
    let mut fields = line.split(|byte| *byte == b':');
    let mut next = || fields.next();
    let (name, _password, uid, gid, _comment, home) = (next()?, next()?, next()?, next()?, next()?, next()?);
    let number = |text: &[u8]| std::str::from_utf8(text).ok()?.trim().parse::<u32>().ok();
    let uid = number(uid)?;
    if name.is_empty() || name.starts_with(b"#") {
        return None;
    }
    Some(Account {
        name: String::from_utf8_lossy(name).chars().take(LONGEST_NAME).collect(),
        uid: Some(uid),
        gid: number(gid),
        groups: Vec::new(),
        home: root.target_path(home),
        real_home: real(root, &root.target_path(home)),
        shell: next().map(|shell| String::from_utf8_lossy(shell).trim().to_owned()),
        privileged: uid == 0,
    })
}

/// One line of group(5).
struct Group {
    name: String,
    gid: u32,
    members: Vec<String>,
}

/// `name:password:gid:member,member`.
fn parse_group(bytes: &[u8]) -> Vec<Group> {
    let parse = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let gid = fields.nth(1)?.trim().parse().ok()?;
        let members = fields.next().unwrap_or_default().split(',').map(|name| name.trim().to_owned()).collect();
        Some(Group { name, gid, members })
    };
    String::from_utf8_lossy(bytes).lines().filter_map(parse).collect()
}

fn join_groups(accounts: &mut [Account], groups: &[Group]) {
    let mut of: BTreeMap<&str, Vec<&Group>> = BTreeMap::new();
    for group in groups {
        for member in &group.members {
            of.entry(member).or_default().push(group);
        }
    }
    let by_gid: BTreeMap<u32, &Group> = groups.iter().rev().map(|group| (group.gid, group)).collect();
    for account in accounts {
        let primary = account.gid.and_then(|gid| by_gid.get(&gid)).copied();
        let others = of.get(account.name.as_str()).into_iter().flatten().copied();
        account.groups = primary.into_iter().chain(others).map(|group| group.name.clone()).collect();
        account.groups.sort_unstable();
        account.groups.dedup();
        account.privileged |= account.groups.iter().any(|name| PRIVILEGED_GROUPS.contains(&name.as_str()));
    }
}

fn add_unlisted_homes(root: &Root, accounts: &mut Vec<Account>) {
    let listed: HashSet<TargetPath> =
        accounts.iter().flat_map(|account| [account.home.clone(), account.real_home.clone()]).collect();
    for folder in HOME_FOLDERS {
        let path = real(root, &root.target_path(folder.as_bytes()));
        let Ok(dir) = root.resolve(&path).and_then(|place| root.open_dir(&place)) else {
            continue;
        };
        let mut homes = Vec::new();
        // A folder that breaks off while it is listed is reported by the walk, which lists it again.
        if dir.list(|name, kind| homes.extend((kind == EntryKind::Dir).then(|| name.to_vec()))).is_err() {
            continue;
        }
        for name in homes {
            let home = path.join(&name);
            let text = String::from_utf8_lossy(&name).into_owned();
            if !listed.contains(&home) && !NO_HOMES.contains(&text.as_str()) {
                let uid = dir.stat_entry(&name).ok().map(|stat| stat.uid);
                accounts.push(unlisted(text, uid, home));
            }
        }
    }
    let home = root.target_path(b"/root");
    let known = accounts.iter().any(|account| account.uid == Some(0) || account.home == home);
    if !known && root.resolve(&home).is_ok() {
        accounts.push(unlisted("root".to_owned(), Some(0), home));
    }
}

fn unlisted(name: String, uid: Option<u32>, home: TargetPath) -> Account {
    let (privileged, real_home) = (name == "root", home.clone());
    Account { privileged, name, uid, gid: None, groups: Vec::new(), home, real_home, shell: None }
}

/// Where a path really lies, links followed; itself where it leads nowhere.
fn real(root: &Root, path: &TargetPath) -> TargetPath {
    root.resolve(path).map_or_else(|_| path.clone(), |place| root.path_of(&place))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "plants a tree to look at")]
    use super::*;

    fn root_with(files: &[(&str, &str)]) -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let root = Root::open(dir.path()).unwrap();
        (dir, root)
    }

    #[test]
    fn accounts_come_from_the_targets_own_files() {
        let (_dir, root) = root_with(&[
            (
                "etc/passwd",
                "root:x:0:0:root:/root:/bin/bash\nmia:x:1000:1000::/home/mia:/bin/sh\nbroken line\n#c:x:1:1::/:\n",
            ),
            ("etc/group", "root:x:0:\nmia:x:1000:\ndocker:x:998:mia,other\n"),
            ("home/mia/x", ""),
            ("home/stray/x", ""),
        ]);
        let (accounts, gaps) = of(&root);
        assert!(gaps.is_empty());
        let names: Vec<&str> = accounts.iter().map(|account| account.name.as_str()).collect();
        assert_eq!(names, ["mia", "root", "stray"]);
        let mia = &accounts[0];
        assert_eq!(mia.groups, ["docker", "mia"]);
        assert!(mia.privileged);
        assert_eq!(accounts[2].home.as_bytes(), b"/home/stray");
    }

    #[test]
    fn a_database_that_is_no_file_is_a_gap() {
        let (_dir, root) = root_with(&[("etc/passwd/x", "")]);
        let (_, gaps) = of(&root);
        assert_eq!(gaps.len(), 1);
        assert_eq!(gaps[0].reason, GapReason::NotRegular);
    }
}
