//! Projects that publish honest releases (`iocs/projects.json`): a record that calls every version of one of them bad is
//! wrong about most of what it covers.

use std::sync::LazyLock;

use serde::Deserialize;

static TEXT: &str = include_str!("../../iocs/projects.json");

static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| read(TEXT));

/// The file as on disk.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Projects {
    #[serde(rename = "schema")]
    _schema: String,
    #[serde(rename = "modified")]
    _modified: String,
    names: Vec<String>,
}

/// Whether a normalised name is that of a living project.
#[must_use]
pub fn is_living(normalized: &str) -> bool {
    NAMES.binary_search_by(|name| name.as_str().cmp(normalized)).is_ok()
}

/// A damaged file is found by the tests, before it is built in.
fn read(text: &str) -> Vec<String> {
    serde_json::from_str::<Projects>(text).map(|all| all.names).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::distribution::normalize_name;

    #[test]
    fn the_list_is_whole_sorted_and_normalised() {
        assert!(is_living("requests") && is_living("litellm") && is_living("fastapi"));
        assert!(!is_living("deepseeek"));
        assert!(NAMES.windows(2).all(|pair| pair[0] < pair[1]), "sorted, each once");
        assert!(NAMES.iter().all(|name| *name == normalize_name(name)));
    }
}
