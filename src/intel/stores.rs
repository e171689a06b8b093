//! The credential stores that packs may name as targets (`iocs/places/credentials.json`): what each is, and where it lies
//! on which system, in words for people.

use std::sync::LazyLock;

use serde::Deserialize;

static TEXT: &str = include_str!("../../iocs/places/credentials.json");

static STORES: LazyLock<Vec<Store>> = LazyLock::new(|| read(TEXT));

/// One store.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// As packs and reports call it.
    pub id: String,
    /// Its kind: ssh, cloud, vcs and so on.
    pub category: String,
    /// Where it lies on Linux; none where there is no such thing.
    pub linux: Option<String>,
    /// On macOS.
    pub macos: Option<String>,
    /// On Windows.
    pub windows: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    #[serde(rename = "schema")]
    _schema: String,
    stores: Vec<Store>,
}

/// The store of that id.
#[must_use]
pub fn store(id: &str) -> Option<&'static Store> {
    STORES.iter().find(|store| store.id == id)
}

/// Whether the catalogue has a store of that id.
#[must_use]
pub fn is_known(id: &str) -> bool {
    store(id).is_some()
}

/// A damaged file is found by the tests, before it is built in.
fn read(text: &str) -> Vec<Store> {
    serde_json::from_str::<Catalogue>(text).map(|all| all.stores).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_catalogue_is_whole() {
        assert_eq!(STORES.len(), 156);
        assert_eq!(STORES.iter().map(|store| &store.id).collect::<BTreeSet<_>>().len(), 156);
        assert_eq!(store("ssh-user-key").unwrap().category, "ssh");
        assert!(!is_known("ssh-keys"));
    }
}
