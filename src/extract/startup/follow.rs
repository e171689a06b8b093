//! From a hook to the modules that it brings in, and to those that these bring in: each is followed as its import runs
//! it, and as far as the hook calls it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sha2::{Digest, Sha256};

use super::STAGE;
use super::finder::{Finder, Folder, Place};
use super::stdlib_names::{is_always_there, is_sometimes_there};
use crate::extract::python::code;
use crate::model::code::{Code, Sign, When};
use crate::model::coverage::{Gap, GapReason};
use crate::model::id::hex;
use crate::model::path::TargetPath;
use crate::model::startup::{Feature, Module, ModuleOutcome, Ownership, StartupHook};
use crate::model::text::Excerpt;

/// Most modules that are followed for one hook. Honest hooks bring in a handful; some load their whole package.
const MOST: usize = 60;

/// How far from the hook: a module of a module of a module.
const DEEPEST: u8 = 8;

/// A module to be searched for.
struct Wanted {
    name: String,
    /// When it is imported.
    when: When,
    /// Functions of it that are called, and when.
    entries: Vec<(String, When)>,
    /// Whether whoever imports it can do without it.
    is_optional: bool,
    depth: u8,
}

/// Follows what `hook` imports; `folders` is its import path.
pub(super) fn follow(
    finder: &mut Finder<'_>,
    hook: &StartupHook,
    folders: &[TargetPath],
    gaps: &mut Vec<Gap>,
) -> Vec<Module> {
    let mut run = Run::new(finder, folders, gaps);
    run.want(&hook.code, &When::Start, 0);
    while let Some(wanted) = run.wanted.pop_front() {
        if run.found.len() == MOST {
            run.is_cut = true;
            break;
        }
        run.look(&wanted);
    }
    if run.is_cut {
        let gap = Gap::new(STAGE.id, hook.path.clone(), GapReason::TooLarge);
        let gap = gap
            .because(format!("only the first {MOST} modules that it brings in, {DEEPEST} imports deep, were followed"));
        // Packages load what they are made of; a file that nobody answers for has no such reason.
        run.gaps.push(if hook.ownership == Ownership::Owned { gap.harmless() } else { gap });
    }
    run.found
}

/// Follows one file that is run as it is, without what it imports.
pub(super) fn one_file(finder: &mut Finder<'_>, folder: &Folder, name: &[u8], gaps: &mut Vec<Gap>) -> Option<Module> {
    let path = folder.path.join(name);
    let wanted = Wanted {
        name: String::from_utf8_lossy(name).into_owned(),
        when: When::Start,
        entries: Vec::new(),
        is_optional: false,
        depth: 0,
    };
    let mut run = Run::new(finder, &[], gaps);
    match run.finder.read(folder, name) {
        Ok(source) => run.followed(&wanted, path, false, &source),
        // What a setting names need not be there.
        Err(GapReason::Missing | GapReason::DanglingLink | GapReason::NotRegular) => return None,
        Err(why) => {
            run.gaps.push(Gap::new(STAGE.id, path.clone(), why));
            run.keep(&wanted, Some(path), ModuleOutcome::Unread);
        }
    }
    run.found.pop()
}

struct Run<'r, 'a> {
    finder: &'r mut Finder<'a>,
    folders: &'r [TargetPath],
    gaps: &'r mut Vec<Gap>,
    wanted: VecDeque<Wanted>,
    seen: BTreeSet<String>,
    found: Vec<Module>,
    /// The folders in which the modules of a package lie, by its name.
    paths: BTreeMap<String, Vec<TargetPath>>,
    /// Whether there is more than was followed.
    is_cut: bool,
}

impl<'r, 'a> Run<'r, 'a> {
    fn new(finder: &'r mut Finder<'a>, folders: &'r [TargetPath], gaps: &'r mut Vec<Gap>) -> Self {
        Self {
            finder,
            folders,
            gaps,
            wanted: VecDeque::new(),
            seen: BTreeSet::new(),
            found: Vec::new(),
            paths: BTreeMap::new(),
            is_cut: false,
        }
    }

    /// Takes note of what a piece of code imports: of `a.b.c`, also `a` and `a.b`.
    fn want(&mut self, code: &Code, when: &When, depth: u8) {
        for one in &code.imports {
            let top = one.module.split('.').next().unwrap_or_default();
            // What is imported when something calls it is not part of the start.
            if is_always_there(top) || one.when == When::Later {
                continue;
            }
            if depth >= DEEPEST {
                self.is_cut = true;
                continue;
            }
            let ends = one.module.match_indices('.').map(|(at, _)| at).chain([one.module.len()]);
            for end in ends {
                let name = one.module.get(..end).unwrap_or_default();
                if self.seen.insert(name.to_owned()) {
                    self.wanted.push_back(Wanted {
                        name: name.to_owned(),
                        when: one.when.clone().max(when.clone()),
                        entries: entries(code, name),
                        is_optional: one.is_optional,
                        depth,
                    });
                }
            }
        }
    }

    fn look(&mut self, wanted: &Wanted) {
        let (above, last) =
            wanted.name.rsplit_once('.').map_or((None, wanted.name.as_str()), |(above, last)| (Some(above), last));
        let folders = match above {
            None => self.folders.to_vec(),
            // Without the package there is no module of it; what a module has instead are its names.
            Some(above) => match self.paths.get(above) {
                Some(folders) => folders.clone(),
                None => return,
            },
        };
        match self.finder.find(&folders, last) {
            Some(Place::Source(folder, name, is_package)) => {
                if is_package {
                    self.paths.insert(wanted.name.clone(), vec![folder.path.clone()]);
                }
                let path = folder.path.join(&name);
                match self.finder.read(&folder, &name) {
                    Ok(source) => self.followed(wanted, path, is_package, &source),
                    Err(why) => {
                        self.gaps.push(Gap::new(STAGE.id, path.clone(), why));
                        self.keep(wanted, Some(path), ModuleOutcome::Unread);
                    }
                }
            }
            Some(Place::Native(path)) => self.keep(wanted, Some(path), ModuleOutcome::Native),
            Some(Place::Bytecode(path)) => self.keep(wanted, Some(path), ModuleOutcome::Bytecode),
            Some(Place::Namespace(folder)) => {
                self.paths.insert(wanted.name.clone(), vec![folder.path.clone()]);
            }
            // A name of a package that is no module of it is an attribute.
            // What some Python has of its own need not lie in a site directory, and what is asked for on request need not
            // be there at all.
            None if above.is_none() && !is_sometimes_there(&wanted.name) => {
                let is_optional = wanted.is_optional || wanted.when != When::Start;
                self.keep(wanted, None, if is_optional { ModuleOutcome::Optional } else { ModuleOutcome::Missing });
            }
            None => {}
        }
    }

    fn followed(&mut self, wanted: &Wanted, path: TargetPath, is_package: bool, source: &super::finder::Source) {
        let package = match is_package {
            true => wanted.name.as_str(),
            false => wanted.name.rsplit_once('.').map_or("", |(above, _)| above),
        };
        let mut code = match source.whole {
            true => code::of_module(&String::from_utf8_lossy(&source.bytes), package, &wanted.entries),
            false => Code {
                signs: vec![Sign { feature: Feature::Beyond, line: 1, when: When::Start, text: Excerpt::of(b"") }],
                ..Code::default()
            },
        };
        if !source.whole {
            let gap = Gap::new(STAGE.id, path.clone(), GapReason::TooLarge);
            self.gaps.push(gap.because("longer than any module that is loaded at a start: it was not followed"));
        }
        if source.is_elsewhere {
            let hidden = Excerpt::of(b"(not shown: a link to a file of another name)");
            code.signs.iter_mut().for_each(|sign| sign.text = hidden.clone());
        }
        for sign in &mut code.signs {
            sign.when = sign.when.clone().max(wanted.when.clone());
        }
        code.signs.extend(source.foreign.iter().map(|name| Sign {
            feature: Feature::ForeignBytecode,
            line: 1,
            when: When::Start,
            text: Excerpt::of(name),
        }));
        self.want(&code, &wanted.when, wanted.depth + 1);
        self.keep(wanted, Some(path), ModuleOutcome::Followed);
        if let Some(module) = self.found.last_mut() {
            module.sha256 = (source.whole && !source.is_elsewhere).then(|| hex(&Sha256::digest(&source.bytes)));
            module.signs = code.signs;
        }
    }

    fn keep(&mut self, wanted: &Wanted, path: Option<TargetPath>, outcome: ModuleOutcome) {
        self.found.push(Module {
            name: wanted.name.clone(),
            outcome,
            path,
            sha256: None,
            ownership: Ownership::Orphan,
            distribution: None,
            is_direct: wanted.depth == 0,
            signs: Vec::new(),
        });
    }
}

/// What is called of a module: `load` of `hunter.load`, `C` of `m.C().run`.
fn entries(code: &Code, module: &str) -> Vec<(String, When)> {
    let own = |(path, when): &(String, When)| {
        let rest = path.strip_prefix(module)?.strip_prefix('.')?;
        Some((rest.split('(').next()?.to_owned(), when.clone()))
    };
    let mut all: Vec<(String, When)> = code.calls.iter().filter_map(own).collect();
    all.dedup();
    all
}
