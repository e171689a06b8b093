//! Findings that the user knows and lives with: by id, with a reason and an end. A known indicator is never accepted, and a
//! finding about content has an id of that content, so that what was accepted and then changed is found anew.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use crate::model::fault::Fault;
use crate::model::finding::{Accepted, Finding};
use crate::model::time::Time;

/// The schema of the file.
pub const SCHEMA: &str = "pysweep.accept/1";

/// The file of `--accept`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepts {
    schema: String,
    accepted: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    reason: String,
    until: Time,
}

impl Accepts {
    /// Reads the file.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(origin: &str, bytes: &[u8]) -> Result<Self, Fault> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let all: Self = serde_json::from_slice(bytes).map_err(|why| Fault::of_json(origin, &why))?;
        let fault = |why: String| Err(Fault::of(origin, why));
        if all.schema != SCHEMA {
            return fault(format!("its schema is `{}`, this version reads `{SCHEMA}`", all.schema));
        }
        let mut seen = HashSet::new();
        for one in &all.accepted {
            let digits = one.id.strip_prefix("find-").unwrap_or_default();
            if digits.len() != 16 || !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
                return fault(format!("`{}` is no id of a finding: reports show them as find- and 16 digits", one.id));
            }
            if one.reason.trim().is_empty() {
                return fault(format!("`{}` is accepted without a reason", one.id));
            }
            if !seen.insert(&one.id) {
                return fault(format!("`{}` is accepted twice", one.id));
            }
        }
        Ok(all)
    }

    /// Marks the findings that are accepted on the day `now`. Returns what the user should hear.
    pub fn apply(&self, findings: &mut [Finding], now: Time) -> Vec<String> {
        let mut said = Vec::new();
        let places: HashMap<String, usize> =
            findings.iter().enumerate().map(|(at, one)| (one.id.to_string(), at)).collect();
        for entry in &self.accepted {
            let id = &entry.id;
            let Some(found) = places.get(id).and_then(|at| findings.get_mut(*at)) else {
                said.push(format!("--accept: no finding has the id {id}: it is gone, or what it judges has changed"));
                continue;
            };
            if let Some(indicator) = &found.indicator {
                said.push(format!("--accept: {id} is the known indicator {indicator}, which is never accepted"));
            } else if entry.until < now {
                said.push(format!("--accept: {id} was accepted until {}, and counts again", entry.until.day()));
            } else {
                found.accepted = Some(Accepted { reason: entry.reason.trim().to_owned(), until: entry.until });
            }
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Accepts, String> {
        Accepts::parse("a.json", text.as_bytes()).map_err(|fault| fault.to_string())
    }

    fn entry(id: &str, reason: &str, until: &str) -> String {
        format!(
            r#"{{"schema": "pysweep.accept/1", "accepted": [{{"id": "{id}", "reason": "{reason}", "until": "{until}"}}]}}"#
        )
    }

    #[test]
    fn a_file_is_read_strictly() {
        let id = "find-0123456789abcdef";
        assert!(read(&entry(id, "ours", "2027-01-01")).is_ok());
        assert!(read(&entry("everything", "ours", "2027-01-01")).unwrap_err().contains("no id of a finding"));
        assert!(read(&entry(id, " ", "2027-01-01")).unwrap_err().contains("without a reason"));
        assert!(read(&entry(id, "ours", "for ever")).unwrap_err().contains("for ever"));
        assert!(read(r#"{"schema": "pysweep.accept/2", "accepted": []}"#).unwrap_err().contains("this version reads"));
        let twice = entry(id, "ours", "2027-01-01");
        let twice =
            twice.replace("}]}", &format!("}}, {{\"id\": \"{id}\", \"reason\": \"x\", \"until\": \"2027-01-01\"}}]}}"));
        assert!(read(&twice).unwrap_err().contains("twice"));
        assert!(
            read(&entry(id, "ours", "2027-01-01").replace("until", "expires")).unwrap_err().contains("unknown field")
        );
    }
}
