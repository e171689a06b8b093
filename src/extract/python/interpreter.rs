//! Python programs by name and content: `python`, `python3.11`, `pypy3`, `python.exe`. Nothing is started; the version
//! comes from the name, or from the name of what a link leads to.

use crate::extract::Extractor;
use crate::extract::input::Input;
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::id::Id;
use crate::model::interest::{Ask, EntryKind, Interest, NamePattern};
use crate::model::path::TargetPath;
use crate::model::python::{Interpreter, VersionSource};

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "interpreters",
        sentence: "Programs named python, pypy, graalpy, jython or ipy.",
        ask: Ask::FileNames(&[
            NamePattern::Prefix("python"),
            NamePattern::Prefix("pypy"),
            NamePattern::Prefix("graalpy"),
            NamePattern::Exact("jython"),
            NamePattern::Exact("jython.exe"),
            NamePattern::Exact("ipy"),
            NamePattern::Exact("ipy.exe"),
        ]),
    },
    cap: 8,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let Some(name) = parse_name(input.candidate.name) else {
        return Harvest::default();
    };
    match input.candidate.kind {
        EntryKind::File => file(input, &name),
        EntryKind::Link => link(input, &name),
        EntryKind::Dir | EntryKind::Other => Harvest::default(),
    }
}

/// What an interpreter's file name says.
#[derive(PartialEq, Eq, Debug)]
pub struct Name {
    /// cpython, pypy, graalpy, jython or ironpython.
    pub implementation: &'static str,
    /// `3.11`, `3`, `3.13t`; none for a bare `python`.
    pub version: Option<String>,
}

/// Reads a program's name; none when it is something else, such as `python-config`.
#[must_use]
pub fn parse_name(name: &[u8]) -> Option<Name> {
    let text = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
    let stem = text.strip_suffix(".exe").unwrap_or(&text);
    match stem {
        "jython" => return Some(Name { implementation: "jython", version: None }),
        "ipy" => return Some(Name { implementation: "ironpython", version: None }),
        _ => {}
    }
    let families = [("python", "cpython"), ("pypy", "pypy"), ("graalpy", "graalpy")];
    let (tail, implementation) =
        families.into_iter().find_map(|(start, family)| Some((stem.strip_prefix(start)?, family)))?;
    let digits = tail.strip_suffix(['t', 'w', 'd', 'm']).unwrap_or(tail);
    let is_version = digits.chars().all(|at| at.is_ascii_digit() || at == '.')
        && !digits.starts_with('.')
        && !digits.ends_with('.')
        && (tail == digits || !digits.is_empty() || tail == "w");
    is_version.then(|| Name { implementation, version: (!digits.is_empty()).then(|| digits.to_owned()) })
}

fn file(input: &Input<'_>, name: &Name) -> Harvest {
    let mut harvest = Harvest::default();
    let head = match input.open_candidate().and_then(|file| input.read_open(file, input.cap)) {
        Ok(content) => content.bytes,
        // Its bytes only tell a program from a wrapper: the name is known, and nothing is hidden.
        Err(why) => {
            harvest.gaps.push(input.gap(why).because("listed by its name alone").harmless());
            Vec::new()
        }
    };
    let implementation = match kind_of_program(&head) {
        Some(Program::Binary) => name.implementation,
        Some(Program::Script) => "script",
        // Some text file about Python.
        None => return harvest,
    };
    let path = input.candidate.path.clone();
    harvest.facts.interpreters.push(row(input, path.clone(), Some(path), implementation, name));
    harvest
}

fn link(input: &Input<'_>, name: &Name) -> Harvest {
    let candidate = input.candidate;
    let mut harvest = Harvest::default();
    let found = input.target.root.follow_link(&input.folder(), candidate.dir, candidate.name);
    let real = match found {
        Ok((place, real)) if place.stat.kind == EntryKind::File => Some(real),
        // A link to a folder or a device is no interpreter.
        Ok(_) => return harvest,
        Err(why) => {
            if why == GapReason::DanglingLink {
                harvest.gaps.push(input.gap(why).because("the interpreter it leads to is not on this target"));
            } else {
                harvest.gaps.push(input.gap(why).harmless());
            }
            None
        }
    };
    let told = real.as_ref().and_then(|real| parse_name(real.file_name()));
    let best = match (&name.version, told) {
        (Some(own), Some(told)) if told.version.as_ref().is_some_and(|more| more.len() > own.len()) => told,
        (None, Some(told)) => told,
        _ => Name { implementation: name.implementation, version: name.version.clone() },
    };
    harvest.facts.interpreters.push(row(input, candidate.path.clone(), real, best.implementation, &best));
    harvest
}

fn row(
    input: &Input<'_>,
    path: TargetPath,
    real: Option<TargetPath>,
    implementation: &'static str,
    name: &Name,
) -> Interpreter {
    let owner = input.candidate.dir.stat_entry(input.candidate.name).ok().map(|stat| stat.uid);
    Interpreter {
        id: Id::new("int", &[path.as_bytes()]),
        real_path: real,
        implementation,
        version: name.version.clone(),
        version_source: name.version.is_some().then_some(VersionSource::Name),
        kind: "unknown",
        account: input.target.account_of(&path, owner),
        environments: Vec::new(),
        path,
    }
}

enum Program {
    Binary,
    Script,
}

/// ELF, Mach-O (both ways round, and universal), PE, or a script. An empty answer of a refused file counts as a program.
fn kind_of_program(head: &[u8]) -> Option<Program> {
    const BINARIES: [&[u8]; 7] = [
        b"\x7fELF",
        b"\xfe\xed\xfa\xce",
        b"\xfe\xed\xfa\xcf",
        b"\xce\xfa\xed\xfe",
        b"\xcf\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
        b"MZ",
    ];
    if head.is_empty() || BINARIES.iter().any(|magic| head.starts_with(magic)) {
        Some(Program::Binary)
    } else {
        head.starts_with(b"#!").then_some(Program::Script)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_from_their_neighbours_by_name() {
        let version = |name: &str| parse_name(name.as_bytes()).map(|name| name.version.unwrap_or_default());
        assert_eq!(version("python"), Some(String::new()));
        assert_eq!(version("python3"), Some("3".to_owned()));
        assert_eq!(version("python3.13t"), Some("3.13".to_owned()));
        assert_eq!(version("Python.exe"), Some(String::new()));
        assert_eq!(version("pythonw.exe"), Some(String::new()));
        assert_eq!(version("pypy3.10"), Some("3.10".to_owned()));
        for other in ["python-config", "python3.11-config", "python.py", "pythonic", "python3.", "pythont", "pypy-c"] {
            assert_eq!(version(other), None, "{other}");
        }
    }
}
