//! From judged facts to the report, and the report to wherever the user wants it.

use super::output;
use crate::assess::coverage::{self, Unheard};
use crate::assess::exposure;
use crate::config::{self, Config, Format, Output};
use crate::detect::Judged;
use crate::error::Error;
use crate::extract;
use crate::intel::index::Intel;
use crate::intel::load::Loaded;
use crate::intel::pack;
use crate::model::facts::Harvest;
use crate::model::id::Id;
use crate::model::report::{Coverage, HookRow, PackRow, Report, SCHEMA, Summary, Sweep, Tool};
use crate::model::verdict::{ExitCode, Verdict};
use crate::report::json;
use crate::report::terminal::{self, Style, Text};
use crate::sandbox;
use crate::target::Target;

/// Everything that a report tells of.
pub(super) struct Told<'a> {
    /// The settings.
    pub(super) config: &'a Config,
    /// What was swept.
    pub(super) target: &'a Target,
    /// With which packs.
    pub(super) intel: &'a Intel,
    /// What was found and missed.
    pub(super) harvest: &'a Harvest,
    /// What it means.
    pub(super) judged: &'a Judged,
    /// The answer.
    pub(super) verdict: &'a Verdict,
    /// Who runs this, by name.
    pub(super) user: String,
}

/// Builds the report and writes it.
pub(super) fn tell(told: &Told<'_>) -> Result<ExitCode, Error> {
    let Told { config, target, intel, harvest, judged, verdict, .. } = told;
    let facts = &harvest.facts;
    let windows = intel.windows();
    let exposures = exposure::exposures(&judged.findings, &windows, facts);
    let timeline = exposure::timeline(&judged.findings, &windows);
    let packs: Vec<PackRow> = intel.packs().iter().map(pack_row).collect();
    let ids: Vec<&'static str> = extract::checks().map(|(id, _)| id).collect();
    let lossy = intel.packs().iter().filter(|one| one.unused() > 0);
    let feeds = lossy.map(|one| (one.pack.id.clone(), one.unused())).collect();
    let backups = (extract::archive::backup::EXTRACTOR.interest.id, extract::archive::backup::OFF);
    let off = if config.args.archives { Vec::new() } else { vec![backups] };
    let checks = coverage::checks(&ids, &harvest.gaps, &Unheard { off, kinds: intel.not_looked_for(), feeds });
    let hooks = facts.startup_hooks.iter().zip(&judged.hooks);
    let report = Report {
        schema: SCHEMA,
        tool: tool(config),
        host: &target.host,
        sweep: sweep(told),
        packs: &packs,
        verdict,
        summary: Summary::of(
            &judged.findings,
            &facts.distributions,
            &facts.environments,
            &judged.hooks,
            &facts.autostarts,
        ),
        accounts: &target.accounts,
        interpreters: &facts.interpreters,
        environments: &facts.environments,
        distributions: &facts.distributions,
        startup_hooks: hooks.map(|(hook, verdict)| HookRow::of(hook, verdict)).collect(),
        autostarts: &facts.autostarts,
        processes: [],
        connections: [],
        traces: [],
        credentials: [],
        findings: &judged.findings,
        exposures: &exposures,
        rotation: [],
        timeline: &timeline,
        coverage: Coverage::of(harvest.counts, &checks, &harvest.gaps, &harvest.skipped),
    };
    write_all(config, &Text { report: &report, hooks: &judged.hooks })?;
    Ok(verdict.exit_code)
}

/// Looks whether every output could be written.
pub(super) fn could_write(config: &Config) -> Result<(), Error> {
    let report = config.args.report_dir.iter().map(|folder| folder.join("report.json"));
    config
        .outputs
        .iter()
        .filter_map(|one| one.path.clone())
        .chain(report)
        .try_for_each(|path| output::could_write(&path))
}

fn write_all(config: &Config, text: &Text<'_>) -> Result<(), Error> {
    // The answer first: a file that cannot be written must not cost it.
    let (files, shown): (Vec<&Output>, Vec<&Output>) = config.outputs.iter().partition(|one| one.path.is_some());
    shown.into_iter().try_for_each(|one| write(config, one, text))?;
    files.into_iter().try_for_each(|one| write(config, one, text))?;
    if let Some(folder) = &config.args.report_dir {
        let path = folder.join(report_name(&text.report.host.name, &text.report.sweep));
        write(config, &Output { format: Format::Json, path: Some(path) }, text)?;
    }
    Ok(())
}

fn write(config: &Config, one: &Output, text: &Text<'_>) -> Result<(), Error> {
    let args = &config.args;
    let style = Style {
        quiet: args.quiet,
        verbose: args.verbose,
        findings_only: args.findings_only,
        color: config.color && one.path.is_none(),
    };
    let write = |out: &mut dyn std::io::Write| match one.format {
        Format::Json => json::write(text.report, out),
        Format::Text if args.summary_line && one.path.is_none() => terminal::summary_line(text.report, out),
        Format::Text => terminal::write(text, style, out),
    };
    match &one.path {
        Some(path) => output::to_file(path, write),
        None => output::to_stdout(write),
    }
}

/// `HOST-TIME.json`, with nothing in it that a file name should not have.
fn report_name(host: &str, sweep: &Sweep) -> String {
    let started = sweep.started.to_string().replace(':', "");
    let name = format!("{host}-{started}.json");
    let is_plain = |at: char| at.is_ascii_alphanumeric() || ".-_".contains(at);
    name.chars().map(|at| if is_plain(at) { at } else { '_' }).collect()
}

fn tool(config: &Config) -> Tool {
    let has_json = config.outputs.iter().any(|one| one.format == Format::Json);
    let wants_hash = has_json || config.args.report_dir.is_some();
    Tool {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        build: env!("PYSWEEP_BUILD"),
        sha256: if wants_hash { config::own_sha256() } else { None },
    }
}

fn sweep(told: &Told<'_>) -> Sweep {
    let Told { config, target, .. } = told;
    let started = config.clock.started();
    let (finished, duration_ms) = config.clock.stop();
    let root = target.at.display().to_string();
    let identity = [started.to_string(), duration_ms.to_string(), std::process::id().to_string(), root.clone()];
    Sweep {
        id: Id::new("sweep", &identity.each_ref().map(String::as_bytes)),
        started,
        finished,
        duration_ms,
        root,
        platform: target.host.os,
        live: target.live,
        user: told.user.clone(),
        privileged: config.caller.uid == 0,
        options: config.options.clone(),
        sandbox: sandbox::enforced(),
    }
}

fn pack_row(one: &Loaded) -> PackRow {
    PackRow {
        id: one.pack.id.clone(),
        version: pack::SCHEMA,
        modified: one.pack.modified,
        indicators: one.pack.count(),
        sha256: one.sha256.clone(),
        signed_by: one.signed.by().map(str::to_owned),
        origin: one.origin.clone(),
    }
}
