//! What a distribution brings to its site directory besides metadata. Taking away the metadata alone takes nothing away:
//! Python imports the package all the same, and no `pip list` names it any more.
//!
//! What counts: folders, modules and extension modules of the distribution's name (as PEP 503 compares names), what its
//! RECORD lists at the top of the site directory, and the start-up files that it owns. A folder that RECORD lists no
//! `__init__.py` of may be shared with other distributions, and says nothing.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::shadow::{Above, LayerRef, Shadows};
use crate::extract::format::record::{self, Place as RowPlace};
use crate::model::distribution::{Distribution, normalize_name};
use crate::model::interest::EntryKind;
use crate::model::path::TargetPath;
use crate::target::dir::Dir;

/// Most bytes of one RECORD that are read here: some ten thousand rows. The name says most of it without.
const RECORD_CAP: u64 = 1 << 20;

/// Most names of one distribution.
const MOST_NAMES: usize = 64;

/// Names of distributions, as PEP 503 compares them, by the folder that holds their metadata.
pub(super) type Named = HashSet<(TargetPath, String)>;

/// A folder of a layer that holds metadata.
pub(super) struct Place<'a> {
    /// Its path.
    pub(super) folder: &'a TargetPath,
    /// The same, relative to the layer.
    pub(super) below: &'a [&'a [u8]],
    /// The layers that lie above it anywhere.
    pub(super) above: &'a [Above<'a>],
}

/// For each distribution that was asked for and each name that it brings: the layers that take that away. Nothing for a
/// distribution whose folder could not be looked at.
#[derive(Default)]
pub(super) struct Brought {
    hiding: HashMap<usize, Option<Vec<HashSet<LayerRef>>>>,
}

impl Brought {
    /// Looks at what `hidden` bring: distributions whose metadata some layer above takes away.
    pub(super) fn of(
        shadows: &mut Shadows<'_>,
        place: &Place<'_>,
        hidden: &[(usize, &Distribution)],
        named: &Named,
    ) -> Self {
        if hidden.is_empty() {
            return Self::default();
        }
        let Some(site) = Site::list(shadows, place.folder) else {
            return Self { hiding: hidden.iter().map(|(at, _)| (*at, None)).collect() };
        };
        let brought: Vec<BTreeSet<Vec<u8>>> =
            hidden.iter().map(|(_, found)| site.brought_by(shadows, place.folder, found)).collect();
        let names: BTreeSet<&[u8]> = brought.iter().flatten().map(Vec::as_slice).collect();
        let names: Vec<&[u8]> = names.into_iter().collect();
        let cast = if names.is_empty() { HashMap::new() } else { shadows.cast_each(place.above, place.below, &names) };
        let mut hiding = HashMap::new();
        for ((at, found), names) in hidden.iter().zip(&brought) {
            let newer = if names.is_empty() { Vec::new() } else { place.with_another(found, named) };
            let of_name = |name: &Vec<u8>| {
                let over = cast.iter().filter(|(_, shadow)| shadow.over(name).is_some()).map(|(layer, _)| *layer);
                let mut layers: HashSet<LayerRef> = over.collect();
                let newer = newer.iter().filter(|upper| shadows.begins_package(upper, place.below, name));
                layers.extend(newer.map(|upper| std::ptr::from_ref(*upper)));
                layers
            };
            hiding.insert(*at, Some(names.iter().map(of_name).collect()));
        }
        Self { hiding }
    }

    /// Whether the layers `above` take away all that a distribution brings.
    pub(super) fn is_hidden(&self, at: usize, above: &[&TargetPath]) -> bool {
        let by_one = |layers: &HashSet<LayerRef>| above.iter().any(|one| layers.contains(&std::ptr::from_ref(*one)));
        match self.hiding.get(&at) {
            Some(Some(names)) => names.iter().all(by_one),
            Some(None) => false,
            None => true,
        }
    }
}

impl Place<'_> {
    /// The layers above that hold metadata of that name in the same folder: somebody installed another version there.
    /// Its package is then written over the old one, file by file in images whose builder compares files.
    fn with_another(&self, found: &Distribution, named: &Named) -> Vec<&TargetPath> {
        let has = |upper: &TargetPath| {
            let folder = self.below.iter().fold(upper.clone(), |path, name| path.join(name));
            named.contains(&(folder, found.normalized.clone()))
        };
        self.above.iter().map(|(upper, _)| *upper).filter(|upper| has(upper)).collect()
    }
}

/// The listing of a site directory.
struct Site {
    dir: Dir,
    names: HashSet<Vec<u8>>,
    /// What can be imported, by its name as PEP 503 compares names.
    modules: HashMap<String, Vec<Vec<u8>>>,
}

impl Site {
    /// None where it cannot be listed whole, or enough was looked at.
    fn list(shadows: &mut Shadows<'_>, folder: &TargetPath) -> Option<Self> {
        let dir = shadows.open(folder)?;
        let (mut names, mut modules) = (HashSet::new(), HashMap::<String, Vec<Vec<u8>>>::new());
        let listed = dir.list(|name, kind| {
            if kind == EntryKind::Other {
                return;
            }
            names.insert(name.to_vec());
            if let Some(stem) = stem(name, kind) {
                modules.entry(normalize_name(&String::from_utf8_lossy(stem))).or_default().push(name.to_vec());
            }
        });
        // A listing gives many names at once.
        (listed.is_ok() && shadows.spend(names.len() / 32)).then_some(Self { dir, names, modules })
    }

    /// The entries that a distribution brings, of those that are here.
    fn brought_by(&self, shadows: &mut Shadows<'_>, folder: &TargetPath, found: &Distribution) -> BTreeSet<Vec<u8>> {
        let mut out = BTreeSet::new();
        let says = found.folder_says.as_ref().map(|says| normalize_name(&says.name));
        for name in says.iter().chain([&found.normalized]) {
            out.extend(self.modules.get(name).into_iter().flatten().take(MOST_NAMES).cloned());
        }
        let hooks = found.hooks.iter().filter(|hook| hook.path.parent().as_ref() == Some(folder));
        out.extend(hooks.map(|hook| hook.path.file_name().to_vec()).take(MOST_NAMES));
        let record = self.dir.open_dir(found.path.file_name()).and_then(|own| own.open_file(b"RECORD"));
        if let Ok(record) = record
            && shadows.spend(usize::try_from(record.stat.size.min(RECORD_CAP) >> 12).unwrap_or(0))
        {
            record::rows(record.stream(RECORD_CAP), |row| {
                out.extend(
                    top(&row.path)
                        .filter(|name| self.names.contains(*name) && out.len() < MOST_NAMES)
                        .map(<[u8]>::to_vec),
                );
            });
        }
        out.retain(|name| self.names.contains(name));
        out
    }
}

/// What an entry is imported as; none where it cannot be.
fn stem(name: &[u8], kind: EntryKind) -> Option<&[u8]> {
    match kind {
        EntryKind::Dir => Some(name),
        EntryKind::File | EntryKind::Link if is_module(name) => name.split(|byte| *byte == b'.').next(),
        EntryKind::Link => Some(name),
        _ => None,
    }
}

fn is_module(name: &[u8]) -> bool {
    [b".py".as_slice(), b".pyc", b".so", b".pyd"].iter().any(|end| name.ends_with(end))
}

/// The entry of the site directory that a row of RECORD says the distribution has for itself.
fn top(path: &[u8]) -> Option<&[u8]> {
    let RowPlace::Inside(names) = record::place(path) else { return None };
    match names.as_slice() {
        [name] if is_module(name) => Some(*name),
        [name, b"__init__.py" | b"__init__.pyc"] => Some(*name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_at_the_top_say_what_is_imported() {
        assert_eq!(top(b"six.py"), Some(b"six.py".as_slice()));
        assert_eq!(top(b"yaml/__init__.py"), Some(b"yaml".as_slice()));
        assert_eq!(top(b"_yaml.cpython-311.so"), Some(b"_yaml.cpython-311.so".as_slice()));
        // Shared with others.
        assert_eq!(top(b"google/cloud/__init__.py"), None);
        assert_eq!(top(b"x-1.dist-info/METADATA"), None);
        assert_eq!(top(b"../../bin/x"), None);
    }

    #[test]
    fn modules_are_named_up_to_the_first_dot() {
        assert_eq!(stem(b"a_b.cpython-311.so", EntryKind::File), Some(b"a_b".as_slice()));
        assert_eq!(stem(b"a_b", EntryKind::Dir), Some(b"a_b".as_slice()));
        assert_eq!(stem(b"a_b", EntryKind::Link), Some(b"a_b".as_slice()));
        assert_eq!(stem(b"a_b.txt", EntryKind::File), None);
    }
}
