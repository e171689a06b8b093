//! Which format a feed has, told by its content. Loki's lists alone tell nothing by themselves: their names do, as they do
//! to Loki.

use crate::intel::load;

use super::{Reader, archive, bumblebee, csv_text, datadog, loki, osv, redhat, scan_supply_chain, stix};

/// How much of a file is looked at.
const LOOKED_AT: usize = 64 << 10;

/// A format of indicators.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// A pack of ours.
    Pack,
    /// A record of OSV, or an array of them.
    Osv,
    /// A zip archive, of whatever.
    Zip,
    /// A bundle of STIX.
    Stix,
    /// A list of DataDog.
    DataDog,
    /// A list of Red Hat: what to look for on hosts.
    RedHat,
    /// A list of Red Hat: packages.
    RedHatPackages,
    /// A catalogue of bumblebee.
    Bumblebee,
    /// A threat profile of scan-supply-chain.
    ScanSupplyChain,
    /// A list of Loki: hashes.
    LokiHashes,
    /// A list of Loki: names of files.
    LokiNames,
}

impl Format {
    /// What reads it; none for packs, which are read elsewhere.
    #[must_use]
    pub fn reader(self) -> Option<Reader> {
        match self {
            Self::Pack => None,
            Self::Osv => Some(osv::read),
            Self::Zip => Some(archive::read),
            Self::Stix => Some(stix::read),
            Self::DataDog => Some(datadog::read),
            Self::RedHat => Some(redhat::read),
            Self::RedHatPackages => Some(redhat::read_packages),
            Self::Bumblebee => Some(bumblebee::read),
            Self::ScanSupplyChain => Some(scan_supply_chain::read),
            Self::LokiHashes => Some(loki::read_hashes),
            Self::LokiNames => Some(loki::read_names),
        }
    }
}

/// The format of a file of this name that begins with `bytes`.
#[must_use]
pub fn format_of(name: &str, bytes: &[u8]) -> Option<Format> {
    let head = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    if load::is_pack(bytes) {
        return Some(Format::Pack);
    }
    if [b"PK\x03\x04", b"PK\x05\x06"].iter().any(|magic| head.starts_with(*magic)) {
        return Some(Format::Zip);
    }
    let behind = head.get(1..).unwrap_or_default().trim_ascii_start().first();
    match (head.first(), behind) {
        (Some(b'{'), _) => json(head, 1),
        (Some(b'['), Some(b'{')) => json(head, 2).filter(|format| *format == Format::Osv),
        _ => text(name, &String::from_utf8_lossy(head)),
    }
}

/// By the names in an object, which lies `depth` brackets deep.
fn json(head: &[u8], depth: usize) -> Option<Format> {
    let all = members(head, depth);
    let get = |name: &[u8]| all.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    let has = |name: &str| get(name.as_bytes()).is_some();
    let is_list = |name: &str| get(name.as_bytes()).is_some_and(|value| value.starts_with(b"["));
    if has("affected")
        || (has("id") && !has("type") && ["schema_version", "modified", "withdrawn"].iter().any(|name| has(name)))
    {
        Some(Format::Osv)
    } else if is_list("objects") || get(b"type").is_some_and(|value| value.starts_with(b"\"bundle\"")) {
        Some(Format::Stix)
    } else if is_list("entries") && has("schema_version") {
        Some(Format::Bumblebee)
    } else {
        None
    }
}

/// The keys of the first object that lies `depth` brackets deep, as they are written, with what stands behind each.
fn members(head: &[u8], depth: usize) -> Vec<(&[u8], &[u8])> {
    let mut out = Vec::new();
    let (mut open, mut at, mut is_key) = (0, 0, false);
    while let Some(byte) = head.get(at) {
        match byte {
            b'{' | b'[' => {
                open += 1;
                is_key = *byte == b'{';
            }
            b'}' | b']' if open == depth => break,
            b'}' | b']' => open -= 1,
            b',' => is_key = true,
            b'"' => {
                let end = string_end(head, at);
                let rest = head.get(end..).unwrap_or_default().trim_ascii_start();
                if let (true, true, Some(value)) = (open == depth, is_key, rest.strip_prefix(b":")) {
                    out.push((head.get(at + 1..end - 1).unwrap_or_default(), value.trim_ascii_start()));
                }
                is_key = false;
                at = end - 1;
            }
            _ => {}
        }
        at += 1;
    }
    out
}

/// Behind the string that begins at `at`; always behind its first quote.
fn string_end(text: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(byte) = text.get(end) {
        match byte {
            b'\\' => end += 2,
            b'"' => return end + 1,
            _ => end += 1,
        }
    }
    text.len().max(at + 1)
}

fn text(name: &str, head: &str) -> Option<Format> {
    let names = csv_text::head(head.lines().next().unwrap_or_default());
    let has = |columns: &[&str]| columns.iter().all(|column| names.iter().any(|name| name == column));
    let is_profile =
        |line: &str| line.split('#').next().is_some_and(|line| line.replace([' ', '\t'], "") == "[threat]");
    if has(datadog::ARTIFACTS) || has(datadog::INDICATORS) {
        Some(Format::DataDog)
    } else if has(redhat::HOSTS) {
        Some(Format::RedHat)
    } else if has(redhat::PACKAGES) {
        Some(Format::RedHatPackages)
    } else if head.lines().any(is_profile) {
        Some(Format::ScanSupplyChain)
    } else {
        loki_list(name, head)
    }
}

/// Hashes that are known to be harmless are in such a list as well, by its name.
fn loki_list(name: &str, head: &str) -> Option<Format> {
    let file = name.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
    let first = head.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
    let mut parts = first.split(';');
    let (value, score) = (parts.next()?, parts.next());
    let is_hash = matches!(value.len(), 32 | 40 | 64) && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    if file.contains("falsepositive") {
        None
    } else if file.contains("filename") {
        score.is_some_and(|score| score.trim().parse::<u32>().is_ok()).then_some(Format::LokiNames)
    } else {
        (file.contains("hash") && is_hash).then_some(Format::LokiHashes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HASH: &str = "71e35aef03099cd1f2d6446734273025a163597de93912df321ef118bf135238";

    fn of(text: &str) -> Option<Format> {
        format_of("x.txt", text.as_bytes())
    }

    #[test]
    fn json_is_told_by_its_keys() {
        for (text, is) in [
            (r#"{"id": "x", "schema": "pysweep.pack/1"}"#, Format::Pack),
            (r#"{"type": "bundle", "id": "bundle--1", "objects": [{"type": "indicator"}]}"#, Format::Stix),
            (r#"{"objects": [{"type": "indicator", "schema": "pysweep.pack/1"}], "type": "bundle"}"#, Format::Stix),
            (r#"{"schema_version": "0.2.0", "_comment": "\"affected\": [", "entries": []}"#, Format::Bumblebee),
            (r#"{"modified": "x", "published": "y", "schema_version": "1.7.4", "id": "MAL-1"}"#, Format::Osv),
            (r#"{"affected": []}"#, Format::Osv),
            (r#" [ {"id": "MAL-1", "affected": [{}]}, 7"#, Format::Osv),
        ] {
            assert_eq!(of(text), Some(is), "{text}");
            assert_eq!(of(&format!("\u{feff}\r\n{}", text.replace(": ", " :\n"))), Some(is), "{text}");
        }
        for text in [
            "",
            "{",
            "{}",
            "[]",
            r#"{"x": {"affected": []}}"#,
            r#"{"schema": "pysweep.report/1"}"#,
            r#"{"type": "indicator", "id": "x", "modified": "y"}"#,
            r#"[{"a": 1}]"#,
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn tables_and_profiles_are_told_by_their_first_lines() {
        for (text, is) in [
            ("artifact_type,name,affected_versions\r\n", Format::DataDog),
            ("\u{feff}\"type\",\"indicator\",context", Format::DataDog),
            ("campaign_name,ioc_type,ioc_value,ioc_description\n", Format::RedHat),
            ("campaign_name,package_type,package_name,package_version\n", Format::RedHatPackages),
            ("# x\r\n\r\n[threat]\r\nid = 'x'", Format::ScanSupplyChain),
            ("[threat] # x\n", Format::ScanSupplyChain),
        ] {
            assert_eq!(of(text), Some(is), "{text}");
        }
        assert_eq!(of("package_name,package_version\n"), None);
        assert_eq!(of("threat\n[threats]"), None);
    }

    #[test]
    fn lists_of_loki_are_told_by_their_names_and_first_rows() {
        let list = format!("# x\n\n{HASH};x\n");
        assert_eq!(format_of("/iocs/hash-iocs.txt", list.as_bytes()), Some(Format::LokiHashes));
        assert_eq!(format_of("iocs/Filename-iocs.txt", b"\\\\x\\.sys;80\n"), Some(Format::LokiNames));
        for (name, text) in [
            ("/hashes/c2-iocs.txt", list.as_str()),
            ("falsepositive-hashes.txt", list.as_str()),
            ("filename-iocs.txt", list.as_str()),
            ("hash-iocs.txt", "x;y"),
            ("hash-iocs.txt", "# nothing\n"),
        ] {
            assert_eq!(format_of(name, text.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn archives_are_told_by_their_magic() {
        assert_eq!(format_of("all.zip", b"PK\x03\x04\x14\0"), Some(Format::Zip));
        assert_eq!(format_of("all.zip", b"PK"), None);
    }

    #[test]
    fn much_is_not_looked_at() {
        let long = format!("{{\"x\": \"{}\", \"affected\": []}}", "y".repeat(LOOKED_AT));
        assert_eq!(of(&long), None);
        assert_eq!(of(&"{\"a\":[".repeat(100_000)), None);
        assert_eq!(of(&"\"\\".repeat(100_000)), None);
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_format_or_none(bytes in prop::collection::vec(any::<u8>(), 0..60), text in r#"([{}\[\]",:\\]|"id":|\PC){0,40}"#) {
            let _format = format_of("hash", &bytes);
            let _format = format_of("filename", text.as_bytes());
            let _format = format_of("x", &text.as_bytes()[..text.len() / 2]);
        }
    }
}
