//! `pysweep pth`: judges single start-up files and explains the judgement. A file is judged as if it lay in a site
//! directory that no distribution speaks for.

use std::collections::HashMap;
use std::path::Path;

use super::output;
use crate::cli::PthArgs;
use crate::config;
use crate::detect::{Scene, startup_hook};
use crate::error::Error;
use crate::extract::known_file::contains;
use crate::extract::python::pth;
use crate::intel::index::Intel;
use crate::model::facts::Facts;
use crate::model::finding::{HookVerdict, Judgement};
use crate::model::host::Platform;
use crate::model::path::TargetPath;
use crate::model::startup::StartupHook;
use crate::model::verdict::ExitCode;
use crate::report::sanitize::line;

/// Most bytes that are judged, as in a sweep.
const CAP: usize = 1 << 20;

/// Runs the command.
pub(super) fn run(args: &PthArgs) -> Result<ExitCode, Error> {
    let intel = super::intel(&args.packs)?;
    let mut worst = Judgement::Plain;
    let mut lines = Vec::new();
    for file in &args.files {
        let bytes = config::read_user_file(file).map_err(|why| Error::Input { path: file.clone(), why })?;
        let (judgement, text) = explain(&intel, file, &bytes);
        worst = worst.max(judgement);
        lines.extend(text);
    }
    output::to_stdout(|out| lines.iter().try_for_each(|text| writeln!(out, "{text}")))?;
    Ok(match worst {
        Judgement::KnownBad => ExitCode::Compromised,
        Judgement::MaliciousShape | Judgement::Review => ExitCode::Attention,
        Judgement::Explained | Judgement::Plain => ExitCode::Clean,
    })
}

fn explain(intel: &Intel, file: &Path, bytes: &[u8]) -> (Judgement, Vec<String>) {
    let shown = line(&file.display().to_string());
    let Some((hook, verdict)) = judge(intel, file, bytes) else {
        return (
            Judgement::Plain,
            vec![format!("plain  {shown}: data such as PyTorch weights; Python runs nothing of it")],
        );
    };
    let mut text = vec![format!("{}  {shown}", verdict.judgement.name())];
    if let Some(hash) = &hook.sha256 {
        text.push(format!("  sha256 {hash}, {} bytes", hook.size));
    }
    if !hook.run_by.is_empty() {
        text.push(format!("  run by Python {}", hook.run_by.join(", ")));
    }
    text.extend(verdict.reasons.iter().map(|reason| format!("  {}", line(reason))));
    text.extend(hook.lines.iter().map(|one| format!("  line {}: {}", one.number, line(one.text.as_str()))));
    (verdict.judgement, text)
}

fn judge(intel: &Intel, file: &Path, bytes: &[u8]) -> Option<(StartupHook, HookVerdict)> {
    let name =
        file.file_name().filter(|name| *name != "-").map_or(b"stdin.pth".as_slice(), |name| name.as_encoded_bytes());
    let head = bytes.get(..CAP).unwrap_or(bytes);
    let mut hook =
        pth::parse(TargetPath::new(b"/lib/python3/site-packages").join(name), head, head.len() == bytes.len())?;
    hook.size = bytes.len() as u64;
    hook.needles = intel.watch().hook_needles.into_iter().filter(|needle| contains(head, needle.as_bytes())).collect();
    hook.in_site_dir = true;
    let facts = Facts { startup_hooks: vec![hook], ..Facts::default() };
    let verdict = startup_hook::judge_all(&Scene::of(&facts, intel, &[], &HashMap::new(), Platform::Linux)).pop()?;
    facts.startup_hooks.into_iter().next().map(|hook| (hook, verdict))
}
