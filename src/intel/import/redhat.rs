//! Lists of Red Hat's information security (RHIS): what to look for on hosts, `campaign_name,ioc_type,ioc_value,
//! ioc_description`, and packages, `campaign_name,package_type,package_name,package_version`.

use super::csv_text;
use super::gather::{At, Gather};
use super::text::{named_after, record_name};
use super::values::{Named, by_kind, package, split_versions};
use crate::model::fault::Fault;

/// The columns of what to look for on hosts, and of accounts.
pub(super) const HOSTS: &[&str] = &["campaign_name", "ioc_type", "ioc_value", "ioc_description"];

/// The columns of packages.
pub(super) const PACKAGES: &[&str] = &["campaign_name", "package_type", "package_name", "package_version"];

/// Reads the list of what to look for on hosts.
///
/// # Errors
/// When it is another table.
pub fn read(origin: &str, bytes: &[u8], into: &mut Gather) -> Result<(), Fault> {
    let otherwise = named_after(origin);
    csv_text::read(origin, bytes, (&reordered(HOSTS), 2), into, |into, row| {
        into.record(None);
        let [kind, value, about, campaign] = [0, 1, 2, 3].map(|column| row.cell(column));
        let record = record_name(campaign, &otherwise);
        by_kind(into, At { origin, line: Some(row.line), record: &record }, kind, value, about);
    })
}

/// Reads the list of packages.
///
/// # Errors
/// When it is another table.
pub fn read_packages(origin: &str, bytes: &[u8], into: &mut Gather) -> Result<(), Fault> {
    let otherwise = named_after(origin);
    csv_text::read(origin, bytes, (&reordered(PACKAGES), 2), into, |into, row| {
        into.record(None);
        let [ecosystem, name, versions, campaign] = [0, 1, 2, 3].map(|column| row.cell(column));
        let record = record_name(campaign, &otherwise);
        let one = Named { ecosystem, name, versions: split_versions(versions), modified: None };
        package(into, At { origin, line: Some(row.line), record: &record }, &one);
    })
}

/// The campaign last: a row can do without it.
fn reordered<'a>(columns: &[&'a str]) -> Vec<&'a str> {
    columns.iter().skip(1).chain(columns.first()).copied().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::intel::import::testing;

    #[test]
    fn every_row_of_hosts_is_used_or_named() {
        let text = "campaign_name,ioc_type,ioc_value,ioc_description\n\
            TeamPCP,hash,sha256:71e35aef03099cd1f2d6446734273025a163597de93912df321ef118bf135238,litellm_init.pth (x)\n\
            TeamPCP,hash,sha256:6cf223aea68b0e8031ff68251e30b6017a0513fe152e235c26f248ba1e15c92a,Linux-64bit\n\
            TeamPCP,hash,sha256:6cf223aea68b0e8031ff68251e30b6017a0513fe152e235c,cut short\n\
            TeamPCP,file,**/.config/sysmon/sysmon.py,a \"loader\", with a comma\"\n\
            TeamPCP,file,%APPDATA%\\x\\y.exe,z\n\
            TeamPCP,file,**/tmp/.*.scpt,a pattern\n\
            ,file,**/tmp/pglog,no campaign\n\
            TeamPCP,directory,**/.truffler-cache,a folder\n\
            TeamPCP,windows_registry_key,HKCU\\x,y\n\
            TeamPCP,url,https://evil.example/x,y\n\
            TeamPCP,file,,y\n\
            TeamPCP\n";
        let all = testing::read(read, text);
        assert_eq!(
            all.used,
            [
                "file litellm_init.pth 71e35aef03099cd1f2d6446734273025a163597de93912df321ef118bf135238",
                "hash 6cf223aea68b0e8031ff68251e30b6017a0513fe152e235c26f248ba1e15c92a",
                "host evil.example",
                "path **/.config/sysmon/sysmon.py",
                "path **/tmp/pglog",
                "path {home}/AppData/Roaming/x/y.exe",
            ]
        );
        assert_eq!((all.records, all.total()), (12, 12), "{:#?}", all.notes);
        assert!(all.tells("line 9, TeamPCP: `**/.truffler-cache` is a folder") && all.tells("has no `ioc_value`"));
    }

    #[test]
    fn rows_of_one_package_are_one_line() {
        let text = "campaign_name,package_type,package_name,package_version\r\n\
            TeamPCP: Wave,pypi,litellm,1.82.7\r\n\
            TeamPCP: Wave,pypi,litellm,1.82.8\r\n\
            TeamPCP: Wave,npm,@x/y,1.0\r\n\
            TeamPCP: Wave,oci,x/y,0.69.4\r\n\
            TeamPCP: Wave,pypi,late,= 4.0 || = 5.0\r\n";
        let all = testing::read(read_packages, text);
        assert_eq!(all.used, [r#"["litellm","TeamPCP--Wave",null,["1.82.7","1.82.8"]]"#]);
        assert_eq!((all.records, all.notes.len()), (5, 3), "{:#?}", all.notes);
    }

    #[test]
    fn another_table_is_a_fault() {
        let why = testing::fault(read, b"campaign_name,package_type,package_name,package_version\n");
        assert!(why.line() == Some(1) && why.why.contains("`ioc_type`"), "{why:?}");
        assert_eq!(testing::fault(read_packages, b"a,\xff").place.unwrap().0, 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(rows in r#"(x,|hash,|file,|url,|pypi,|[a-z%:/\\"', \r\n*-]|\PC){0,80}"#) {
            for (reader, columns) in [(read as crate::intel::import::Reader, HOSTS), (read_packages, PACKAGES)] {
                testing::survives(reader, format!("{}\n{rows}", columns.join(",")).as_bytes());
            }
        }
    }
}
