//! Knowledge of places as data: `iocs/places/python.json` says which tool keeps its environments where. Places only help
//! to name a thing that content has shown to be one.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::model::glob;
use crate::model::path::TargetPath;

static PYTHON: &str = include_str!("../../iocs/places/python.json");

/// The rules, in the order in which they are asked.
pub struct Places {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "schema")]
    _schema: String,
    #[serde(rename = "about")]
    _about: String,
    rules: Vec<Rule>,
}

/// One rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its id.
    pub id: String,
    /// The kind of environment it means.
    pub kind: String,
    /// Patterns over the environment's root.
    #[serde(default)]
    pub paths: Vec<String>,
    /// What the tool leaves in the environment: sets of files, of which one set must be there. Paths from the root on,
    /// `..` for the folder above it.
    #[serde(default)]
    pub marks: Vec<Vec<String>>,
    /// Marks that must be there whatever the path is.
    #[serde(default)]
    pub requires: Vec<String>,
    /// Whether a `pyvenv.cfg` must or must not be there.
    #[serde(default)]
    pub venv: Option<bool>,
    /// The state of distributions there, unless installed.
    #[serde(default)]
    pub state: Option<String>,
    /// The container engine whose store this is.
    #[serde(default)]
    pub container: Option<String>,
    /// Why such a place matters.
    pub why: String,
    /// Where its layout is described.
    pub references: Vec<String>,
}

/// A rule that fits, and where the root it speaks of ends.
pub struct Fit<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// How many components of the path make up the environment's root.
    pub root: usize,
}

impl Places {
    /// The built-in rules.
    #[must_use]
    pub fn built_in() -> Self {
        // The file is part of the program: the test below reads it the same way, so it cannot be wrong here.
        let rules = serde_json::from_str::<File>(PYTHON).map(|file| file.rules).unwrap_or_default();
        Self { rules }
    }

    /// The names of the files and folders that mark environments.
    pub fn mark_names(&self) -> impl Iterator<Item = &str> {
        let marks = self.rules.iter().flat_map(|rule| rule.marks.iter().flatten().chain(&rule.requires));
        marks.filter_map(|mark| mark.rsplit('/').next())
    }

    /// The first rule that fits the root of an environment: by its path, or by the marks in it.
    #[must_use]
    pub fn fit(&self, root: &TargetPath, is_venv: bool, marks: &Marks) -> Option<Fit<'_>> {
        let parts: Vec<&[u8]> = root.components().collect();
        self.rules.iter().filter(|rule| rule.venv.is_none_or(|wanted| wanted == is_venv)).find_map(|rule| {
            let placed = rule.paths.iter().find_map(|path| fit(path, &parts));
            let is_marked = || rule.marks.iter().any(|set| set.iter().all(|mark| marks.has(root, mark)));
            let fitting = placed.or_else(|| is_marked().then_some(parts.len()))?;
            let is_whole = rule.requires.iter().all(|mark| marks.has(root, mark));
            is_whole.then_some(Fit { rule, root: fitting })
        })
    }
}

/// The files and folders on a target that mark environments.
pub struct Marks {
    paths: BTreeSet<TargetPath>,
    is_case_blind: bool,
}

impl Marks {
    /// Those of a target; `is_case_blind` says that it takes names in any case.
    pub fn of(paths: impl Iterator<Item = TargetPath>, is_case_blind: bool) -> Self {
        let paths = paths.map(|path| if is_case_blind { lower(&path) } else { path }).collect();
        Self { paths, is_case_blind }
    }

    /// Whether one lies where `mark` says, seen from `root`.
    fn has(&self, root: &TargetPath, mark: &str) -> bool {
        let (root, mark) = match self.is_case_blind {
            true => (lower(root), mark.to_ascii_lowercase()),
            false => (root.clone(), mark.to_owned()),
        };
        let above = mark.strip_prefix("../").and_then(|rest| Some((root.parent()?, rest)));
        let (top, rest) = above.unwrap_or_else(|| (root.clone(), &mark));
        let names: Vec<&str> = rest.split('/').collect();
        let path = |names: &[&str]| names.iter().fold(top.clone(), |path, name| path.join(name.as_bytes()));
        if !rest.contains('*') {
            return self.paths.contains(&path(&names));
        }
        let first = path(names.get(..1).unwrap_or_default());
        let depth = top.components().count();
        let fits = |path: &TargetPath| {
            let below = path.components().skip(depth);
            below.clone().count() == names.len()
                && names.iter().zip(below).all(|(name, part)| glob::fits(name.as_bytes(), part, glob::exact))
        };
        self.paths.range(first.clone()..).take_while(|path| path.is_under(&first)).any(fits)
    }
}

fn lower(path: &TargetPath) -> TargetPath {
    TargetPath::new(&path.as_bytes().to_ascii_lowercase())
}

/// Matches a pattern against components; tells how many of them make up the root.
fn fit(pattern: &str, parts: &[&[u8]]) -> Option<usize> {
    let (head, tail) = pattern.split_once("//").map_or((pattern, None), |(head, tail)| (head, Some(tail)));
    let (anywhere, head) = match head.strip_prefix("**/") {
        Some(rest) => (true, rest),
        None => (false, head.trim_start_matches('/')),
    };
    let (head, open) = match head.strip_suffix("/**") {
        Some(rest) => (rest, true),
        None => (head, false),
    };
    let names: Vec<&str> = head.split('/').filter(|name| !name.is_empty()).collect();
    let last_start = if anywhere { parts.len().checked_sub(names.len())? } else { 0 };
    (0..=last_start).find_map(|start| {
        let end = start + names.len();
        let fits = names
            .iter()
            .zip(parts.get(start..end)?)
            .all(|(name, part)| glob::fits(name.as_bytes(), part, glob::caseless));
        let rest = parts.get(end..)?;
        let rest_fits = match tail {
            Some("**") => true,
            Some(tail) => rest_fits(tail, rest),
            None => rest.is_empty() || open,
        };
        // An open pattern speaks of everything below a place: each environment there keeps its own root.
        let root = if tail.is_some() { end } else { parts.len() };
        (fits && rest_fits).then_some(root)
    })
}

/// The part behind `//`: components one by one, or anything after a closing `**`.
fn rest_fits(tail: &str, rest: &[&[u8]]) -> bool {
    let (names, open) = tail.strip_suffix("/**").map_or((tail, false), |names| (names, true));
    let names: Vec<&str> = names.split('/').collect();
    (if open { names.len() <= rest.len() } else { names.len() == rest.len() })
        && names.iter().zip(rest).all(|(name, part)| glob::fits(name.as_bytes(), part, glob::caseless))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(path: &str, is_venv: bool) -> Option<(String, usize)> {
        let places = Places::built_in();
        let fit = places.fit(&TargetPath::new(path.as_bytes()), is_venv, &Marks::of(std::iter::empty(), false))?;
        Some((fit.rule.kind.clone(), fit.root))
    }

    fn kind_of(path: &str, is_venv: bool) -> String {
        kind(path, is_venv).map(|(kind, _)| kind).unwrap_or_default()
    }

    #[test]
    fn the_built_in_rules_are_whole() {
        let file: File = serde_json::from_str(PYTHON).unwrap();
        assert_eq!(file._schema, "pysweep.places/1");
        let mut ids: Vec<&str> = file.rules.iter().map(|rule| rule.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), file.rules.len());
        for rule in &file.rules {
            assert!(crate::model::env_kind::KINDS.contains(&rule.kind.as_str()), "{}", rule.kind);
            assert!(!rule.paths.is_empty() || !rule.marks.is_empty(), "{} fits nothing", rule.id);
            assert!(rule.marks.iter().all(|set| !set.is_empty()), "{} has an empty set of marks", rule.id);
            assert!(!rule.why.is_empty() && !rule.references.is_empty(), "{}", rule.id);
        }
    }

    #[test]
    fn environments_are_named_by_the_tool_that_keeps_them() {
        assert_eq!(kind_of("/home/a/.pyenv/versions/3.10.13", false), "pyenv");
        assert_eq!(kind_of("/home/a/.pyenv/versions/3.10.13/envs/x", true), "pyenv-virtualenv");
        assert_eq!(kind_of("/home/a/.local/share/pipx/venvs/black", true), "pipx");
        assert_eq!(kind_of("/home/a/p/.tox/py311", true), "tox");
        assert_eq!(kind_of("/usr", false), "system");
        assert_eq!(kind_of("/srv/usr", false), "");
        assert_eq!(kind("/home/a/.cache/uv/archive-v0/x", false), Some(("uv-cache".to_owned(), 4)));
        assert_eq!(kind("/home/a/.cache/uv/archive-v0/x", true), Some(("uv-venv".to_owned(), 6)));
        assert_eq!(kind("/var/lib/docker/overlay2/abc/diff/opt/venv", true), Some(("container-layer".to_owned(), 6)));
        assert_eq!(kind_of("/home/a/.local/share/Trash/files/old", true), "trash");
    }

    #[test]
    fn marks_name_an_environment_wherever_it_lies() {
        let marks = |names: &[&str]| Marks::of(names.iter().map(|name| TargetPath::new(name.as_bytes())), false);
        let kind = |root: &str, is_venv: bool, seen: &[&str]| {
            let fit = Places::built_in()
                .fit(&TargetPath::new(root.as_bytes()), is_venv, &marks(seen))
                .map(|fit| fit.rule.kind.clone());
            fit.unwrap_or_default()
        };
        assert_eq!(kind("/srv/x", true, &["/srv/x/uv-receipt.toml"]), "uv-tool");
        assert_eq!(kind("/srv/x", true, &["/srv/xy/uv-receipt.toml"]), "");
        assert_eq!(kind("/srv/x", true, &["/srv/.pdm-python"]), "pdm");
        assert_eq!(kind("/srv/x", false, &["/srv/x/conda-meta"]), "conda-env");
        assert_eq!(kind("/srv/x", false, &["/srv/x/conda-meta", "/srv/x/condabin"]), "conda-base");
        assert_eq!(kind("/srv/x", false, &["/srv/x/lib/python2.7/orig-prefix.txt"]), "virtualenv");
        assert_eq!(kind("/srv/x", false, &["/srv/x/lib/deep/python2.7/orig-prefix.txt"]), "");
        let blind = Marks::of([TargetPath::new(b"C:\\x\\LIB\\Orig-Prefix.txt")].into_iter(), true);
        assert!(blind.has(&TargetPath::new(b"C:\\X"), "Lib/orig-prefix.txt"));
    }
}
