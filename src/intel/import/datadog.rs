//! Lists of DataDog's security research, one folder for each campaign: `artifact_type,name,affected_versions`, all versions
//! in one cell; or, for other campaigns, `type,indicator,context`. Neither has dates, nor names for its rows.

use super::csv_text;
use super::gather::{At, Gather};
use super::text::named_after;
use super::values::{Named, by_kind, is_packed, package, split_versions};
use crate::model::fault::Fault;

/// The columns of lists of packages.
pub(super) const ARTIFACTS: &[&str] = &["artifact_type", "name", "affected_versions"];

/// The columns of lists of anything.
pub(super) const INDICATORS: &[&str] = &["type", "indicator", "context"];

/// Reads either list.
///
/// # Errors
/// When it is neither.
pub fn read(origin: &str, bytes: &[u8], into: &mut Gather) -> Result<(), Fault> {
    let first = bytes.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    let names = csv_text::head(&String::from_utf8_lossy(first.get(..1000).unwrap_or(first)).replace('\u{feff}', ""));
    let record = named_after(origin);
    if INDICATORS.iter().all(|column| names.iter().any(|name| name == column)) {
        return csv_text::read(origin, bytes, (INDICATORS, 2), into, |into, row| {
            into.record(None);
            let at = At { origin, line: Some(row.line), record: &record };
            let [kind, value, context] = [0, 1, 2].map(|column| row.cell(column));
            if is_packed(kind) {
                let (name, version) = name_and_version(value);
                package(into, at, &Named { ecosystem: ecosystem(kind), name, versions: vec![version], modified: None });
            } else {
                by_kind(into, at, kind, value, context);
            }
        });
    }
    csv_text::read(origin, bytes, (ARTIFACTS, 2), into, |into, row| {
        into.record(None);
        let at = At { origin, line: Some(row.line), record: &record };
        let [kind, name, versions] = [0, 1, 2].map(|column| row.cell(column));
        if is_packed(kind) {
            let versions = split_versions(versions);
            package(into, at, &Named { ecosystem: ecosystem(kind), name, versions, modified: None });
        } else {
            by_kind(into, at, kind, name, "");
        }
    })
}

fn ecosystem(kind: &str) -> &str {
    kind.strip_suffix(" package").unwrap_or(kind)
}

/// `name@1.0`, as npm writes it, or `name==1.0`. The name may begin with an `@` of its own.
fn name_and_version(text: &str) -> (&str, &str) {
    let at = text.get(1..).and_then(|rest| rest.rfind('@')).map(|at| at + 1);
    let (name, version) = match at.and_then(|at| text.split_at_checked(at)) {
        Some((name, version)) => (name, version.trim_start_matches('@')),
        None => text.split_once("==").unwrap_or((text, "")),
    };
    (name.trim(), version.trim())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::intel::import::testing;

    const LIST: &str = "artifact_type,name,affected_versions\r\n\
        pypi package,litellm,\"1.82.7, 1.82.8\"\r\n\
        PyPI package,Evil_One,1.0, 1.1\r\n\
        pypi package,half,\"2.0, 0.2.0 to 0.2.6\"\r\n\
        pypi package,ranged,0.2.0 to 0.2.6\r\n\
        pypi package,bad name,1\r\n\
        pypi package,none,\r\n\
        npm package,@x/y,1.0\r\n\
        docker image,x/y,\"1, 2\"\r\n\
        github action,x/y,All tags\r\n\
        sha256,71e35aef03099cd1f2d6446734273025a163597de93912df321ef118bf135238,\r\n\
        spell,abracadabra,\r\n\
        pypi package\r\n";

    #[test]
    fn every_row_is_used_or_named() {
        let all = testing::read(read, &format!("\u{feff}{LIST}"));
        assert_eq!(
            all.used,
            [
                r#"["evil-one","dir-feed",null,["1.0","1.1"]]"#,
                r#"["half","dir-feed",null,["2.0"]]"#,
                r#"["litellm","dir-feed",null,["1.82.7","1.82.8"]]"#,
                "hash 71e35aef03099cd1f2d6446734273025a163597de93912df321ef118bf135238",
            ]
        );
        assert_eq!((all.records, all.total()), (12, 13), "the row of `half` is used and named: {:#?}", all.notes);
        for part in [
            "unused: dir/feed.txt, line 4, dir-feed: `0.2.0 to 0.2.6` of `half`",
            "line 5, dir-feed: `0.2.0 to 0.2.6` of `ranged`",
            "line 6, dir-feed: `bad name` is no name",
            "line 7, dir-feed: `none` comes without versions",
            "passed over: dir/feed.txt, line 8, dir-feed: `@x/y` is of the ecosystem `npm`",
            "passed over: dir/feed.txt, line 10, dir-feed: `x/y` is of the ecosystem `github action`",
            "line 12, dir-feed: `abracadabra` is of the type `spell`",
            "line 13: the row `pypi package` has no `name`",
        ] {
            assert!(all.tells(part), "{part}: {:#?}", all.notes);
        }
    }

    #[test]
    fn lists_of_anything_are_read_too() {
        let text = "type,indicator,context\n\
            domain,models.litellm[.]cloud,\"a, b\"\n\
            ipv4,46.151.182.203,A record of models.litellm[.]cloud\n\
            url,hxxps://checkmarx[.]zone/raw,x\n\
            filepath,%TEMP%\\x.ps1,y\n\
            filepath,/tmp/.<random>,y\n\
            sha256,6cf223aea68b0e8031ff68251e30b6017a0513fe152e235c26f248ba1e15c92a,sysmon.py\n\
            pypi package,telnyx==4.87.1,bad\n\
            npm package,@a/b@1.0,bad\n\
            registry,HKCU\\x,run\n";
        let all = testing::read(read, text);
        assert_eq!(
            all.used,
            [
                r#"["telnyx","dir-feed",null,["4.87.1"]]"#,
                "file sysmon.py 6cf223aea68b0e8031ff68251e30b6017a0513fe152e235c26f248ba1e15c92a",
                "host 46.151.182.203",
                "host checkmarx.zone",
                "host models.litellm.cloud",
                "path {tmp}/x.ps1",
            ]
        );
        assert_eq!((all.records, all.total()), (9, 9));
        assert!(all.tells("passed over") && all.tells("`@a/b`"), "{:#?}", all.notes);
    }

    #[test]
    fn another_table_is_a_fault() {
        let why = testing::fault(read, b"package_name,package_version\nx,1\n");
        assert!(why.line() == Some(1) && why.why.contains("artifact_type,name,affected_versions"), "{why:?}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(rows in r#"(pypi package|sha256|[a-z@="', \r\n;*-]|\PC){0,80}"#, is_list in any::<bool>()) {
            let head = if is_list { "type,indicator,context" } else { "artifact_type,name,affected_versions" };
            testing::survives(read, format!("{head}\n{rows}").as_bytes());
            testing::survives(read, rows.as_bytes());
        }
    }
}
