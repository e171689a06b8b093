//! Threat profiles of scan-supply-chain (CognitiveSand): a TOML file for each incident, with the package, its hosts, files,
//! paths for each system, and what to do. The last is not taken: an import gives no advice.

use std::collections::BTreeSet;

use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue};

use super::fault;
use super::gather::{At, Gather, Thing};
use super::text::{Allowance, named_after, record_name, shown, utf8};
use super::toml_text::{self, LineStarts};
use super::values::{Named, address, package, place, refanged};
use crate::model::fault::Fault;
use crate::model::text::counted;
use crate::model::time::Time;

/// Longest text that is a name, a path or a host, in bytes.
const LONGEST: usize = 4096;

/// Most pairs of a name and a hash that one table of files stands for.
const MOST_PAIRS: usize = 1000;

type Value<'a> = Spanned<DeValue<'a>>;

/// A profile while it is read.
struct Profile<'a> {
    origin: &'a str,
    lines: LineStarts,
    record: String,
    into: &'a mut Gather,
    allowance: Allowance<'a>,
}

/// Reads a profile.
///
/// # Errors
/// When it is no TOML, or has no `[threat]`.
pub fn read(origin: &str, bytes: &[u8], into: &mut Gather) -> Result<(), Fault> {
    let text = utf8(origin, bytes)?;
    let root = toml_text::parse(origin, text)?;
    let threat = root.get("threat").and_then(|value| value.get_ref().as_table());
    let threat = threat.ok_or_else(|| {
        fault(origin, Some((1, 1)), "it has no table `[threat]`: a threat profile of scan-supply-chain is wanted")
    })?;
    let own = |key: &str| threat.get(key).and_then(|value| value.get_ref().as_str());
    let modified = own("date").and_then(|day| Time::parse(day).ok());
    into.record(modified);
    let record = record_name(own("id").unwrap_or_default(), &named_after(origin));
    let mut profile = Profile { origin, lines: LineStarts::of(text), record, into, allowance: Allowance::of(origin) };
    profile.threat(threat, modified)?;
    for (key, value) in &root {
        match (&**key.get_ref(), value.get_ref()) {
            ("threat" | "remediation", _) => {}
            ("c2", DeValue::Table(table)) => profile.hosts(table)?,
            ("ioc", DeValue::Table(table)) => profile.indicators(table, own("ecosystem").unwrap_or_default())?,
            (key, _) => profile.unknown(key, value)?,
        }
    }
    Ok(())
}

impl Profile<'_> {
    /// The package itself.
    fn threat(&mut self, threat: &DeTable<'_>, modified: Option<Time>) -> Result<(), Fault> {
        const KNOWN: &[&str] =
            &["id", "name", "date", "ecosystem", "package", "compromised", "safe", "advisory", "description"];
        for (key, value) in threat.iter().filter(|(key, _)| !KNOWN.contains(&&**key.get_ref())) {
            self.unknown(key.get_ref(), value)?;
        }
        let own = |key: &str| threat.get(key).and_then(|value| value.get_ref().as_str());
        let at_line = threat.get("package").map_or(0, |value| value.span().start);
        let (Some(ecosystem), Some(name)) = (own("ecosystem"), own("package")) else {
            return self.unused(at_line, "`[threat]` lacks `ecosystem` or `package`, or they are no texts");
        };
        let versions = match threat.get("compromised") {
            Some(value) => self.texts("compromised", value)?,
            None => Vec::new(),
        };
        let versions = versions.iter().map(|(_, text)| *text).collect();
        self.take(at_line, |into, at| package(into, at, &Named { ecosystem, name, versions, modified }))
    }

    /// Hosts and addresses that it talks to.
    fn hosts(&mut self, c2: &DeTable<'_>) -> Result<(), Fault> {
        for (key, value) in c2 {
            match (&**key.get_ref(), value.get_ref()) {
                ("domains", _) => {
                    for (start, text) in self.texts("domains", value)? {
                        self.thing(start, Thing::Domain(refanged(text)))?;
                    }
                }
                ("ips", DeValue::Table(of_hosts)) => {
                    for (host, all) in of_hosts {
                        for (start, text) in self.texts(host.get_ref(), all)? {
                            self.thing(start, Thing::Ip(address(text)))?;
                        }
                    }
                }
                ("ports", _) => self.not_taken("ports", value)?,
                (key, _) => self.unknown(key, value)?,
            }
        }
        Ok(())
    }

    fn indicators(&mut self, ioc: &DeTable<'_>, ecosystem: &str) -> Result<(), Fault> {
        for (key, value) in ioc {
            match (&**key.get_ref(), value.get_ref()) {
                ("walk_files", DeValue::Array(all)) => {
                    for one in all.iter() {
                        self.files(one)?;
                    }
                }
                ("known_paths", DeValue::Array(all)) => {
                    for one in all.iter() {
                        self.paths(one)?;
                    }
                }
                ("phantom_deps", DeValue::Table(table)) => self.phantoms(table, ecosystem)?,
                ("kubernetes" | "windows" | "persistence_keywords" | "git_artifacts", DeValue::Table(table)) => {
                    for (part, value) in table {
                        self.not_taken(&format!("{}.{}", key.get_ref(), part.get_ref()), value)?;
                    }
                }
                (key, _) => self.unknown(key, value)?,
            }
        }
        Ok(())
    }

    /// Files by name and content: any of the names with any of the hashes.
    fn files(&mut self, one: &Value<'_>) -> Result<(), Fault> {
        let start = one.span().start;
        let Some(table) = one.get_ref().as_table() else { return self.unknown("walk_files", one) };
        let (mut names, mut hashes) = (Vec::new(), Vec::new());
        for (key, value) in table {
            match &**key.get_ref() {
                "description" => {}
                "filenames" => names = self.texts("filenames", value)?,
                "sha256" => hashes = self.texts("sha256", value)?,
                key => self.unknown(key, value)?,
            }
        }
        if hashes.is_empty() {
            let first = names.first().map_or_else(String::new, |(_, name)| shown(name));
            let why = format!(
                "{} (`{first}`) without a hash: honest files have that name too",
                counted(names.len(), "file name")
            );
            return self.unused(start, &why);
        }
        let has_pairs = !names.is_empty() && names.len().saturating_mul(hashes.len()) <= MOST_PAIRS;
        let names: Vec<Option<&str>> =
            if has_pairs { names.into_iter().map(|(_, name)| Some(name)).collect() } else { vec![None] };
        for (start, hash) in hashes {
            for name in &names {
                self.thing(start, Thing::File { sha256: hash.to_owned(), name: name.map(str::to_owned) })?;
            }
        }
        Ok(())
    }

    /// Paths, for each system; many are the same on two of them.
    fn paths(&mut self, one: &Value<'_>) -> Result<(), Fault> {
        let Some(table) = one.get_ref().as_table() else { return self.unknown("known_paths", one) };
        let mut seen = BTreeSet::new();
        for (key, value) in table {
            match &**key.get_ref() {
                "description" => {}
                key @ ("linux" | "darwin" | "windows") => {
                    for (start, text) in self.texts(key, value)? {
                        if seen.insert(text) {
                            self.thing(start, Thing::Path(place(text)))?;
                        }
                    }
                }
                key => self.unknown(key, value)?,
            }
        }
        Ok(())
    }

    /// Packages that exist only to be pulled in: every version of them is bad.
    fn phantoms(&mut self, table: &DeTable<'_>, ecosystem: &str) -> Result<(), Fault> {
        for (key, value) in table {
            if &**key.get_ref() != "names" {
                self.unknown(key.get_ref(), value)?;
                continue;
            }
            for (start, name) in self.texts("names", value)? {
                let one = Named { ecosystem, name, versions: vec!["*"], modified: None };
                self.take(start, |into, at| package(into, at, &one))?;
            }
        }
        Ok(())
    }

    /// The texts of a list, and where they begin. What is no text is named.
    fn texts<'v>(&mut self, key: &str, value: &'v Value<'_>) -> Result<Vec<(usize, &'v str)>, Fault> {
        let Some(all) = value.get_ref().as_array() else {
            self.unused(value.span().start, &format!("`{}` is no list", shown(key)))?;
            return Ok(Vec::new());
        };
        let mut out = Vec::new();
        for one in all.iter() {
            match one.get_ref().as_str() {
                Some(text) if text.len() <= LONGEST => out.push((one.span().start, text)),
                Some(_) => self.unused(one.span().start, &format!("something in `{}` is too long", shown(key)))?,
                None => self.unused(one.span().start, &format!("something in `{}` is no text", shown(key)))?,
            }
        }
        Ok(out)
    }

    /// A part that profiles have and imports do not take; nothing is said of an empty one.
    fn not_taken(&mut self, key: &str, value: &Value<'_>) -> Result<(), Fault> {
        let count = match value.get_ref() {
            DeValue::Array(all) => all.len(),
            DeValue::String(text) => usize::from(!text.is_empty()),
            _ => 1,
        };
        if count == 0 {
            return Ok(());
        }
        let why = format!("`{}` with {} is nothing that an import takes", shown(key), counted(count, "value"));
        self.unused(value.span().start, &why)
    }

    fn unknown(&mut self, key: &str, value: &Value<'_>) -> Result<(), Fault> {
        self.unused(value.span().start, &format!("`{}` is nothing that profiles have there", shown(key)))
    }

    fn thing(&mut self, start: usize, thing: Thing) -> Result<(), Fault> {
        self.take(start, |into, at| into.thing(at, thing))
    }

    fn unused(&mut self, start: usize, why: &str) -> Result<(), Fault> {
        self.take(start, |into, at| into.unused(at, why))
    }

    fn take(&mut self, start: usize, what: impl FnOnce(&mut Gather, At<'_>)) -> Result<(), Fault> {
        let line = self.lines.line(start);
        self.allowance.take(line)?;
        what(self.into, At { origin: self.origin, line: Some(line), record: &self.record });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::intel::import::testing;

    const PROFILE: &str = r#"
[threat]
id = "litellm-2026-03"
name = "x"
date = "2026-03-24"
ecosystem = "pypi"
package = "LiteLLM"
compromised = ["1.82.7", "1.82.8"]
safe = "1.82.6"
[c2]
domains = ["models.litellm.cloud", "github.com"]
ports = [8000]
[c2.ips]
"models.litellm.cloud" = ["46.151.182.203"]
[[ioc.walk_files]]
description = "the launcher"
filenames = ["litellm_init.pth"]
sha256 = ["71e35aef03099cd1f2d6446734273025a163597de93912df321ef118bf135238"]
[[ioc.walk_files]]
filenames = ["bundle.js"]
[[ioc.known_paths]]
description = "persistence"
linux = ["~/.config/sysmon/sysmon.py", "/tmp/pglog"]
darwin = ["~/.config/sysmon/sysmon.py"]
windows = ['%APPDATA%\sysmon\sysmon.py', 7]
[ioc.phantom_deps]
names = ["plain-crypto"]
[ioc.kubernetes]
pod_patterns = ["node-setup-"]
namespace = "kube-system"
[ioc.windows]
registry_keywords = []
[ioc.persistence_keywords]
terms = ["a", "b"]
[remediation]
install_command = "pip install x"
"#;

    #[test]
    fn every_part_is_used_or_named() {
        let all = testing::read(read, &PROFILE.replace('\n', "\r\n"));
        assert_eq!(
            all.used,
            [
                r#"["litellm","litellm-2026-03","2026-03-24",["1.82.7","1.82.8"]]"#,
                r#"["plain-crypto","litellm-2026-03",null,"*"]"#,
                "file litellm_init.pth 71e35aef03099cd1f2d6446734273025a163597de93912df321ef118bf135238",
                "host 46.151.182.203",
                "host models.litellm.cloud",
                "path {home}/.config/sysmon/sysmon.py",
                "path {home}/AppData/Roaming/sysmon/sysmon.py",
                "path {tmp}/pglog",
            ]
        );
        assert_eq!((all.records, all.notes.len()), (1, 7), "{:#?}", all.notes);
        for part in [
            "line 11, litellm-2026-03: `github.com` serves everybody",
            "line 12, litellm-2026-03: `ports` with 1 value",
            "line 19, litellm-2026-03: 1 file name (`bundle.js`) without a hash",
            "line 25, litellm-2026-03: something in `windows` is no text",
            "`kubernetes.pod_patterns` with 1 value",
            "`kubernetes.namespace` with 1 value",
            "`persistence_keywords.terms` with 2 values",
        ] {
            assert!(all.tells(part), "{part}: {:#?}", all.notes);
        }
    }

    #[test]
    fn what_is_misspelt_is_named() {
        let text = PROFILE.replace("ecosystem", "ecosytem").replace("walk_files", "walk_file").replace("[c2]", "[c3]");
        let all = testing::read(read, &text.replace("c2.ips", "c3.ips"));
        for part in ["`ecosytem` is nothing", "`[threat]` lacks", "`walk_file` is nothing", "`c3` is nothing"] {
            assert!(all.tells(part), "{part}: {:#?}", all.notes);
        }
    }

    #[test]
    fn profiles_of_others_give_their_files_all_the_same() {
        let all = testing::read(read, &PROFILE.replace("\"pypi\"", "\"npm\""));
        assert!(all.used.len() == 6 && all.tells("passed over") && all.tells("`LiteLLM` is of the ecosystem `npm`"));
    }

    #[test]
    fn names_and_hashes_do_not_multiply_without_bound() {
        let list = |name: &str| (1..=200).map(|at| format!("\"{name}{at:064}\"")).collect::<Vec<_>>().join(",");
        let text = format!("[threat]\n[[ioc.walk_files]]\nfilenames=[{}]\nsha256=[{}]", list("n"), list(""));
        let all = testing::read(read, &text);
        assert!(all.used.len() == 200 && all.used[0].starts_with("hash 0000"), "{}", all.used[0]);
    }

    #[test]
    fn what_is_no_profile_is_a_fault() {
        for (text, why) in [("x", "it is no TOML"), ("[threats]\n", "no table `[threat]`"), ("threat = 1", "no table")]
        {
            let found = testing::fault(read, text.as_bytes());
            assert!(found.line() == Some(1) && found.why.contains(why), "{found:?}");
        }
        assert!(testing::fault(read, format!("a = {}", "[".repeat(1_000_000)).as_bytes()).why.contains("nests"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(
            text in r#"(\[threat\]\n|\[c2\]\n|\[\[ioc\.(walk_files|known_paths)\]\]\n|(sha256|filenames|linux|ips|domains|names) = |\["x", '~/y', 1\]\n|[\[\]{}"'=.,a1# \\\n]|\PC){0,40}"#
        ) {
            testing::survives(read, format!("[threat]\n{text}").as_bytes());
        }
    }
}
