//! Which version an interpreter has, by the best of the sources that name one for its prefix.

use std::collections::BTreeMap;

use crate::extract::python::version_marks::is_version;
use crate::model::path::TargetPath;
use crate::model::python::{VersionMark, VersionSource};

/// What is known of versions, by prefix.
pub(super) struct Versions {
    by_prefix: BTreeMap<TargetPath, Vec<VersionMark>>,
}

/// A version and where it is known from.
pub(super) type Told = (String, VersionSource);

impl Versions {
    pub(super) fn of(marks: Vec<VersionMark>) -> Self {
        let mut by_prefix: BTreeMap<TargetPath, Vec<VersionMark>> = BTreeMap::new();
        for mark in marks {
            by_prefix.entry(mark.prefix.clone()).or_default().push(mark);
        }
        // Sorted by source, the best first.
        by_prefix.values_mut().for_each(|marks| marks.sort_unstable());
        Self { by_prefix }
    }

    /// The version of the interpreter at `prefix`. Several may share it (`/usr`): `known` is what is known already, such
    /// as `3.11`, and what disagrees with it speaks of another one.
    pub(super) fn best(&self, prefix: &TargetPath, known: Option<&str>) -> Option<Told> {
        let marks = self.by_prefix.get(prefix)?;
        let mut fitting = marks.iter().filter(|mark| known.is_none_or(|known| refines(&mark.version, known)));
        let best = fitting.next()?;
        // Without anything to choose by, several versions are none.
        let is_clear = known.is_some() || fitting.all(|mark| minor(&mark.version) == minor(&best.version));
        is_clear.then(|| (best.version.clone(), best.source))
    }

    /// The version of the environment at `root`, where `known` is what its own files say: what lies in its base says
    /// more, and is newer.
    pub(super) fn of_environment(
        &self,
        root: &TargetPath,
        base: Option<&TargetPath>,
        known: Option<String>,
        is_prefix: bool,
    ) -> Option<String> {
        let minor = known.as_ref().map(|known| known.split('.').take(2).collect::<Vec<_>>().join("."));
        let base_prefix = base.map(|base| match base.file_name() {
            b"bin" => base.parent().unwrap_or_else(|| base.clone()),
            _ => base.clone(),
        });
        let places = base_prefix.iter().chain([root]);
        let best = places.clone().find_map(|place| self.best(place, minor.as_deref()));
        let by_name = || of_folder(root, known.as_deref()).filter(|_| is_prefix);
        best.or_else(by_name).map(|told| told.0).or(known)
    }
}

/// Whether `version` says the same as `known`, or more.
pub(super) fn refines(version: &str, known: &str) -> bool {
    version.strip_prefix(known).is_some_and(|rest| !rest.starts_with(|at: char| at.is_ascii_digit()))
}

fn minor(version: &str) -> Vec<&str> {
    version.split('.').take(2).collect()
}

/// The version that the folders of a prefix name: `~/.pyenv/versions/3.11.7`, `cpython-3.12.3-linux-x86_64-gnu`,
/// `Cellar/python@3.13/3.13.1/…`. Folders further up count only where they refine what is known.
pub(super) fn of_folder(prefix: &TargetPath, known: Option<&str>) -> Option<Told> {
    let names: Vec<&[u8]> = prefix.components().collect();
    let mut told = names.iter().rev().enumerate().filter_map(|(up, name)| Some((up, of_name(name)?)));
    let found = told.find(|(up, version)| match known {
        Some(known) => refines(version, known),
        None => *up == 0,
    });
    found.map(|(_, version)| (version, VersionSource::Folder))
}

/// `3.11.7`, `cpython-3.12.3-linux-x86_64-gnu`, `cpython@3.11.7`, `python-3.13.0.amd64`: three numbers at least, behind
/// nothing but the name of the language. `pypy3.10-7.3.12` and `miniconda3-23.1.0` count something else.
fn of_name(name: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
    let starts = ["cpython-", "cpython@", "python-", "python.", "python@", ""];
    let rest = starts.into_iter().find_map(|start| text.strip_prefix(start)).filter(|rest| !rest.is_empty())?;
    let end = rest.find(|at: char| !at.is_ascii_digit() && at != '.').unwrap_or(rest.len());
    let (digits, tail) = rest.split_at(end);
    // `3.13.0.amd64`, `3.13.0rc1`, `3.13.0t`, `3.12.3-linux`.
    let digits = digits.trim_end_matches('.');
    let letters: String = tail.chars().take_while(|at| at.is_ascii_alphanumeric()).collect();
    let release = if ["a", "b", "rc"].iter().any(|start| letters.strip_prefix(start).is_some_and(is_number)) {
        format!("{digits}{letters}")
    } else {
        digits.to_owned()
    };
    let is_python = matches!(digits.split('.').next(), Some("2" | "3"));
    (digits.split('.').count() == 3 && is_python && is_version(&release)).then_some(release)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|at| at.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(prefix: &str, source: VersionSource, version: &str) -> VersionMark {
        VersionMark { prefix: TargetPath::new(prefix.as_bytes()), source, version: version.to_owned() }
    }

    #[test]
    fn the_best_source_that_fits_counts() {
        let versions = Versions::of(vec![
            mark("/usr", VersionSource::Patchlevel, "3.11.2"),
            mark("/usr", VersionSource::Patchlevel, "3.1.9"),
            mark("/opt/c", VersionSource::CondaMeta, "3.12.1"),
            mark("/opt/c", VersionSource::Patchlevel, "3.12.0"),
        ]);
        let best = |prefix: &str, known: Option<&str>| {
            versions.best(&TargetPath::new(prefix.as_bytes()), known).map(|(version, _)| version)
        };
        assert_eq!(best("/usr", Some("3.11")).as_deref(), Some("3.11.2"));
        assert_eq!(best("/usr", Some("3.1")).as_deref(), Some("3.1.9"));
        assert_eq!(best("/usr", None), None);
        assert_eq!(best("/usr", Some("3.12")), None);
        assert_eq!(best("/opt/c", None).as_deref(), Some("3.12.0"));
    }

    #[test]
    fn folders_name_versions() {
        let of =
            |path: &str, known: Option<&str>| of_folder(&TargetPath::new(path.as_bytes()), known).map(|told| told.0);
        assert_eq!(of("/home/a/.pyenv/versions/3.11.7", None).as_deref(), Some("3.11.7"));
        assert_eq!(of("/x/cpython-3.12.3-linux-x86_64-gnu", Some("3.12")).as_deref(), Some("3.12.3"));
        assert_eq!(of("/x/python-3.13.0.amd64", None).as_deref(), Some("3.13.0"));
        assert_eq!(of("/x/3.14.0rc1", None).as_deref(), Some("3.14.0rc1"));
        let framework = "/Cellar/python@3.13/3.13.1/Frameworks/Python.framework/Versions/3.13";
        assert_eq!(of(framework, Some("3.13")).as_deref(), Some("3.13.1"));
        assert_eq!(of(framework, None), None);
        assert_eq!(of("/srv/3.9.1/env", Some("3.11")), None);
        assert_eq!(of("/x/pypy3.10-7.3.12", None), None);
        assert_eq!(of("/x/miniconda3-23.1.0", None), None);
        assert_eq!(of("/x/7.3.12", None), None);
    }
}
