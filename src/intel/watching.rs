//! What the readers should look at on behalf of the packs: `Watch`, compiled from the indicators.

use std::collections::BTreeMap;

use super::index::Intel;
use super::pack::{Indicator, Kind};
use super::sought::{self, Sought};
use crate::model::id;
use crate::model::watch::{FileWatch, PatternWatch, Watch};

/// Names that every host has many files of: only those in a folder of the right name are looked at.
pub const EVERYWHERE: &[&str] = &[
    "__init__.py",
    "__main__.py",
    "_client.py",
    "app.py",
    "cli.py",
    "client.py",
    "config",
    "config.json",
    "config.py",
    "core.py",
    "deploy.js",
    "downloads.py",
    "head",
    "index.js",
    "init.py",
    "log.py",
    "main.js",
    "main.py",
    "metadata",
    "package.json",
    "pkg-info",
    "pyproject.toml",
    "readme.md",
    "record",
    "runner.py",
    "service.py",
    "settings.json",
    "setup.cfg",
    "setup.mjs",
    "setup.py",
    "setup.sh",
    "start.py",
    "sync.py",
    "tasks.json",
    "test.py",
    "tests.py",
    "utils.py",
    "version.py",
];

impl Intel {
    /// What the readers should look at.
    #[must_use]
    pub fn watch(&self) -> Watch {
        let mut watch = Watch { packages: self.package_names().map(str::to_owned).collect(), ..Watch::default() };
        let of_system = self.system_packages().map(|(_, ecosystem, name)| (ecosystem.to_owned(), name.to_owned()));
        watch.system_packages = of_system.collect();
        let mut named: BTreeMap<&[&str], FileWatch> = BTreeMap::new();
        for known in self.all() {
            let one = known.indicator;
            if one.kind.has_hashed_files() {
                watch.sha256.extend(one.sha256.iter().filter_map(|hash| id::sha256_of_hex(hash)));
            }
            watch.pods.extend(one.pods.iter().cloned());
            if one.kind == Kind::Startup {
                watch.hook_needles.extend(one.contains.iter().cloned());
            }
            if let Some(places) = sought::named_in(one) {
                named.entry(places).or_default().needles.extend(sought::texts(one));
            } else if let Some(sought) = Sought::of(one) {
                add(&mut watch, one, &sought);
            }
        }
        for (places, wants) in named {
            places.iter().for_each(|path| add_named(&mut watch, path, &wants));
        }
        watch
    }
}

/// A place where things are only named: in a folder of any place the name says too little.
fn add_named(watch: &mut Watch, path: &str, wants: &FileWatch) {
    let mut parts = path.rsplit('/');
    let (name, folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if path.starts_with("**/") {
        add_pattern(watch, name, folder, above(parts.next()), wants);
    } else {
        add_name(watch, name, wants);
    }
}

/// The folder above a folder, where the pack says it plainly.
fn above(name: Option<&str>) -> Option<&str> {
    name.filter(|above| !above.is_empty() && !above.contains(['*', '{']))
}

fn add(watch: &mut Watch, one: &Indicator, sought: &Sought<'_>) {
    let hash = !one.sha256.is_empty();
    let name_alone = !hash && sought.texts.is_empty();
    let wants = FileWatch { hash, name_alone, needles: sought.texts.iter().cloned().collect(), ..FileWatch::default() };
    sought.names.iter().for_each(|name| add_name(watch, name, &wants));
    for path in &sought.paths {
        let mut parts = path.rsplit('/');
        let (name, folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        // Start-up files of this suffix are read by their own check.
        if one.kind == Kind::Startup && name.to_lowercase().ends_with(".pth") {
            continue;
        }
        let is_common = EVERYWHERE.contains(&name.to_lowercase().as_str());
        let is_plain = !folder.is_empty() && !folder.contains(['*', '{']);
        if name.contains('*') || (is_common && is_plain) {
            add_pattern(watch, name, folder, above(parts.next()), &wants);
        } else {
            add_name(watch, name, &wants);
        }
    }
}

fn add_name(watch: &mut Watch, name: &str, wants: &FileWatch) {
    watch.file_names.entry(name.to_lowercase()).or_default().add(wants);
}

fn add_pattern(watch: &mut Watch, name: &str, folder: &str, above: Option<&str>, wants: &FileWatch) {
    let (name, folder, above) = (name.to_lowercase(), folder.to_lowercase(), above.map(str::to_lowercase));
    let same = |one: &&mut PatternWatch| one.name == name && one.folder == folder && one.above == above;
    match watch.file_patterns.iter_mut().find(same) {
        Some(known) => known.wants.add(wants),
        None => watch.file_patterns.push(PatternWatch { name, folder, above, wants: wants.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intel::load;

    #[test]
    fn the_watch_names_files_to_look_for() {
        let watch = Intel::of(load::built_in().unwrap()).watch();
        assert!(watch.packages.contains("litellm"));
        assert!(watch.file_names.contains_key("sysmon.py") && watch.file_names.contains_key(".bash_history"));
        assert!(watch.sha256.iter().any(|hash| hash.starts_with(&[0x71, 0xe3, 0x5a, 0xef])));
        assert!(!watch.file_names.contains_key("litellm_init.pth") || watch.file_names["litellm_init.pth"].hash);
        assert!(!watch.file_names.contains_key("config") && !watch.wants("config", ".git", "app").is_empty());
    }
}
