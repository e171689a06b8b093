//! `pysweep pth`: judges single start-up files and explains the judgement. A file is judged as if it lay in a site
//! directory that no distribution speaks for; the modules beside it that it imports are followed as if one did.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::{output, pth_shown};
use crate::cli::PthArgs;
use crate::config;
use crate::detect::{Scene, startup_hook};
use crate::error::Error;
use crate::extract::known_file::contains;
use crate::extract::python::code::guard;
use crate::extract::python::{customize, place, pth, start_file};
use crate::extract::startup;
use crate::intel::index::Intel;
use crate::model::coverage::Gap;
use crate::model::facts::Facts;
use crate::model::finding::Judgement;
use crate::model::host::Platform;
use crate::model::id::hex;
use crate::model::path::TargetPath;
use crate::model::startup::{Feature, HookKind, ModuleOutcome, Ownership, StartupHook};
use crate::model::verdict::ExitCode;
use crate::target::{self, Target, Wanted};
use pth_shown::Judged;

/// Most bytes of a list of folders and lines that are judged, as in a sweep.
const CAP: usize = 1 << 20;

/// Runs the command.
pub(super) fn run(args: &PthArgs) -> Result<ExitCode, Error> {
    let intel = super::intel(&args.packs)?;
    let target = OnceCell::new();
    let mut worst = Judgement::Plain;
    let mut failed = None;
    for file in &args.files {
        // One that cannot be read keeps nobody from the judgement of the others.
        let bytes = match config::read_user_file(file) {
            Ok(bytes) => bytes,
            Err(why) => {
                let why = Error::Input { path: file.clone(), why };
                failed.replace(why).iter().for_each(|earlier| output::complain(&earlier.to_string()));
                continue;
            }
        };
        let judged = judge(&intel, target.get_or_init(open), file, &bytes);
        worst = worst.max(judged.as_ref().map_or(Judgement::Plain, |judged| judged.verdict.judgement));
        let lines = pth_shown::lines(file, judged.as_ref());
        output::to_stdout(|out| lines.iter().try_for_each(|text| writeln!(out, "{text}")))?;
    }
    match failed {
        Some(why) => Err(why),
        None => Ok(match worst {
            Judgement::KnownBad => ExitCode::Compromised,
            Judgement::MaliciousShape | Judgement::Review => ExitCode::Attention,
            Judgement::Explained | Judgement::Plain => ExitCode::Clean,
        }),
    }
}

/// This system, for what lies beside the files. Without it they are judged alone.
fn open() -> Option<Target> {
    let wanted = Wanted { root: Path::new("/"), live: true, platform: Some(Platform::Linux), include_network: false };
    target::open(&wanted).ok()
}

/// None for data that Python runs nothing of.
fn judge(intel: &Intel, target: &Option<Target>, file: &Path, bytes: &[u8]) -> Option<Judged> {
    let (name, beside) = match file.file_name() {
        Some(name) if file != Path::new("-") => (name.as_encoded_bytes(), std::path::absolute(file).ok()),
        _ => (b"stdin.pth".as_slice(), None),
    };
    let mut hook = parse(name, bytes)?;
    hook.size = bytes.len() as u64;
    hook.sha256 = Some(hex(&Sha256::digest(bytes)));
    hook.needles = intel.watch().hook_needles.into_iter().filter(|needle| contains(bytes, needle.as_bytes())).collect();
    hook.in_site_dir = true;
    hook.run_by = hook.versions.iter().map(|range| (*range).to_owned()).collect();
    let gaps = follow(target.as_ref(), beside.as_deref(), &mut hook);
    let texts = place::texts(&hook, whole_lines(bytes));
    let facts = Facts { startup_hooks: vec![hook], ..Facts::default() };
    let names = HashMap::new();
    let scene = Scene::of(&facts, intel, &[], &names, Platform::Linux);
    let verdicts = startup_hook::judge_all(&scene);
    let known = startup_hook::KNOWN.find(&scene, &verdicts, &[]);
    let verdict = verdicts.into_iter().next()?;
    let hook = facts.startup_hooks.into_iter().next()?;
    Some(Judged { hook, verdict, known, texts, gaps })
}

/// As much of a file as is shown. A line that is cut may end within a secret.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    match bytes.get(..guard::LONGEST) {
        Some(head) => memchr::memrchr(b'\n', head).and_then(|end| head.get(..end)).unwrap_or_default(),
        None => bytes,
    }
}

/// Takes a file apart by what its name says it is.
fn parse(name: &[u8], bytes: &[u8]) -> Option<StartupHook> {
    let path = TargetPath::new(b"/lib/python3/site-packages").join(name);
    let cut = |cap: usize| bytes.get(..cap).map_or((bytes, true), |head| (head, head.len() == bytes.len()));
    let lower = name.to_ascii_lowercase();
    let is = |ends: &[&str]| ends.iter().any(|end| lower.ends_with(end.as_bytes()));
    if is(&[".start"]) {
        let (head, whole) = cut(CAP);
        return Some(start_file::parse(path, head, whole));
    }
    if !is(&[".py", ".pyw", ".pyc", ".pyd", ".so"]) {
        let (head, whole) = cut(CAP);
        return pth::parse(path, head, whole);
    }
    let kind = if lower.starts_with(b"usercustomize") { HookKind::Usercustomize } else { HookKind::Sitecustomize };
    let mut hook = StartupHook { versions: vec![customize::ANY], ..StartupHook::at(path, kind) };
    if is(&[".py", ".pyw"]) {
        let (head, whole) = cut(guard::LONGEST);
        customize::fill(&mut hook, head, whole);
    } else {
        hook.features.push(Feature::Opaque);
    }
    Some(hook)
}

/// Follows the modules that lie beside a file; gives what could not be followed.
fn follow(target: Option<&Target>, beside: Option<&Path>, hook: &mut StartupHook) -> Vec<Gap> {
    let Some(target) = target else {
        return Vec::new();
    };
    // What comes from standard input lies nowhere.
    let place = beside.map_or(b"/dev/null/stdin.pth".as_slice(), |path| path.as_os_str().as_encoded_bytes());
    let at = StartupHook { path: TargetPath::new(place), ..hook.clone() };
    let mut facts = Facts { startup_hooks: vec![at], ..Facts::default() };
    let gaps = startup::settle(target, &mut facts).gaps;
    let modules = facts.startup_hooks.into_iter().flat_map(|hook| hook.modules);
    hook.modules = modules.collect();
    // A file may have been copied here alone: that a module is not beside it says nothing either.
    let missing = hook
        .modules
        .iter_mut()
        .filter(|module| matches!(module.outcome, ModuleOutcome::Missing | ModuleOutcome::Optional));
    missing.for_each(|module| module.is_direct = false);
    // Nobody asked whose they are, so that says nothing against them.
    for module in hook.modules.iter_mut().filter(|module| module.ownership == Ownership::Orphan) {
        module.ownership = Ownership::Owned;
    }
    gaps
}
