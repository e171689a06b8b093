//! The command line as typed: clap structures only. What it means is settled in `config.rs`.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Sweeps a host for Python supply-chain attacks without running anything it finds.
#[derive(Parser, Debug)]
#[command(
    name = "pysweep",
    version,
    about,
    args_conflicts_with_subcommands = true,
    after_help = "Exit codes: 0 nothing found, everything looked at; 1 compromised; 2 could not run; 3 nothing found, but not everything could be looked at; 4 suspicious or exposed.\n\nWithout a command, pysweep sweeps this host (`pysweep scan`). It starts nothing, connects to nothing, and writes only the outputs you name."
)]
pub struct Args {
    /// What to do; sweeps when left out.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The options of `scan`, for when no command is named.
    #[command(flatten)]
    pub scan: ScanArgs,
}

/// The subcommands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Sweep this host, an image (--root), or just the named paths of it.
    Scan(ScanArgs),
    /// Ask the packs about packages: NAME, NAME==VERSION, a requirements or lock file; no sweep.
    Check(CheckArgs),
    /// Judge single start-up files (.pth, .start, sitecustomize.py) and explain the judgement.
    Pth(PthArgs),
    /// Judge stored JSON reports with today's packs: what is new, what is gone, what a report cannot answer.
    Recheck(RecheckArgs),
    /// Hold two stored JSON reports of one host against each other: what is new, gone, changed, not looked at.
    Diff(DiffArgs),
    /// Say what a rule, indicator, incident, record of a feed, credential store, check or gap reason means.
    Explain(ExplainArgs),
    /// Show what would be walked, what would be left out, and why; nothing is read.
    Plan(ScanArgs),
    /// The indicator packs.
    Iocs(IocsArgs),
}

/// Which packs are used.
#[derive(clap::Args, Debug, Default, Clone)]
pub struct PackArgs {
    /// More indicators: a pack, a feed (OSV, its all.zip, STIX 2.1, vendors' lists), or a folder of them (repeatable).
    #[arg(long, value_name = "PATH")]
    pub iocs: Vec<PathBuf>,
    /// Leave the built-in packs out.
    #[arg(long)]
    pub no_builtin_iocs: bool,
    /// A public key of minisign that may sign packs, beside those that are built in (repeatable).
    #[arg(long, value_name = "FILE")]
    pub trust_key: Vec<PathBuf>,
    /// Refuse packs of --iocs that no trusted key signed; the signature of PACK.json is PACK.json.minisig.
    #[arg(long)]
    pub require_signed: bool,
}

/// The options of a sweep.
#[derive(clap::Args, Debug, Default)]
pub struct ScanArgs {
    /// Paths of the target to sweep instead of all of it.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Sweep a mounted image or container root: its own links, its own accounts.
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Whose layouts the target has; auto looks at its content.
    #[arg(long, value_enum, default_value_t, value_name = "SYSTEM")]
    pub platform: PlatformArg,
    /// What the answer is about: the host (default for root) or this account.
    #[arg(long, value_enum, value_name = "SCOPE")]
    pub scope: Option<ScopeArg>,
    /// Which indicator packs are used.
    #[command(flatten)]
    pub packs: PackArgs,
    /// Write the report as FMT (text or json) to standard output, or as FMT=PATH to a file (repeatable).
    #[arg(long, value_name = "FMT[=PATH]")]
    pub format: Vec<String>,
    /// Write the JSON report to DIR as HOST-TIME.json.
    #[arg(long, value_name = "DIR")]
    pub report_dir: Option<PathBuf>,
    /// Show only the findings and the verdict in the text report.
    #[arg(long)]
    pub findings_only: bool,
    /// Below this level, exit as if nothing was found.
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub fail_on: Option<LevelArg>,
    /// Exit with 0 whatever was found; 2 still means that the sweep could not run.
    #[arg(long)]
    pub exit_zero: bool,
    /// Findings that are known and stay: a JSON file of ids, each with a reason and an end; never a known indicator.
    #[arg(long, value_name = "FILE")]
    pub accept: Option<PathBuf>,
    /// Hold every file that RECORD lists against the disk, for all distributions; by default only where packs name the
    /// package, and beside a start-up file that nobody answers for.
    #[arg(long)]
    pub verify: bool,
    /// Open backups and saved images (tar, tar.gz, zip, docker save, OCI) and archives in them, up to three deep; it takes as
    /// long as they are large.
    #[arg(long)]
    pub archives: bool,
    /// Do not enter other file systems.
    #[arg(long)]
    pub one_file_system: bool,
    /// Enter network, FUSE and automount trees.
    #[arg(long)]
    pub include_network: bool,
    /// Leave out what matches (repeatable); a glob over target paths, where ** crosses folders.
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// Number of workers; one for each processor unless given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Show how far the walk is, on standard error.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub progress: When,
    /// Colour the text report.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: When,
    /// Say only the verdict's sentence.
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Also show the evidence, every distribution and every gap.
    #[arg(short, long)]
    pub verbose: bool,
    /// Print one line of key=value pairs for monitoring instead of the text report.
    #[arg(long)]
    pub summary_line: bool,
}

/// The options of `check`.
#[derive(clap::Args, Debug)]
pub struct CheckArgs {
    /// NAME or NAME==VERSION.
    #[arg(value_name = "NAME[==VERSION]", required_unless_present = "requirements")]
    pub packages: Vec<String>,
    /// A requirements or lock file (repeatable); - is standard input.
    #[arg(short, long = "requirements", value_name = "FILE")]
    pub requirements: Vec<PathBuf>,
    /// Which indicator packs are used.
    #[command(flatten)]
    pub packs: PackArgs,
}

/// The options of `pth`.
#[derive(clap::Args, Debug)]
pub struct PthArgs {
    /// Start-up files: .pth, .start, sitecustomize.py, usercustomize.py, or any other module (.py) that is imported at the
    /// start; - is standard input, taken for a .pth.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Which indicator packs are used.
    #[command(flatten)]
    pub packs: PackArgs,
}

/// The options of `recheck`.
#[derive(clap::Args, Debug)]
pub struct RecheckArgs {
    /// JSON reports of `pysweep scan`.
    #[arg(value_name = "REPORT", required = true)]
    pub reports: Vec<PathBuf>,
    /// Which indicator packs are used.
    #[command(flatten)]
    pub packs: PackArgs,
    /// Say only the verdicts' sentences.
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Also show the findings that stay.
    #[arg(short, long)]
    pub verbose: bool,
}

/// The options of `diff`.
#[derive(clap::Args, Debug)]
pub struct DiffArgs {
    /// The earlier JSON report of `pysweep scan`, such as of before a clean-up.
    #[arg(value_name = "BEFORE")]
    pub before: PathBuf,
    /// The later one; its verdict decides the exit code.
    #[arg(value_name = "AFTER")]
    pub after: PathBuf,
    /// Write text, or JSON (`pysweep.diff/1`).
    #[arg(long, value_enum, default_value_t, value_name = "FMT")]
    pub format: DiffFormat,
    /// Say only the last sentence.
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Show every row, and the findings that stay.
    #[arg(short, long)]
    pub verbose: bool,
}

/// The forms of a comparison.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiffFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// The options of `explain`.
#[derive(clap::Args, Debug)]
pub struct ExplainArgs {
    /// A rule, indicator, incident, check, gap reason or judgement.
    #[arg(value_name = "ID")]
    pub id: String,
    /// Which indicator packs are used.
    #[command(flatten)]
    pub packs: PackArgs,
}

/// The options of `iocs`.
#[derive(clap::Args, Debug)]
pub struct IocsArgs {
    /// What to do with the packs.
    #[command(subcommand)]
    pub action: IocsAction,
}

/// What to do with the packs.
#[derive(Subcommand, Debug)]
pub enum IocsAction {
    /// List the packs: id, date, title, names and versions, counts, origin and signature.
    List {
        /// Which indicator packs are used.
        #[command(flatten)]
        packs: PackArgs,
    },
    /// Show one pack whole.
    Show {
        /// The pack's id.
        #[arg(value_name = "ID")]
        id: String,
        /// Which indicator packs are used.
        #[command(flatten)]
        packs: PackArgs,
    },
    /// Look for faults in pack files; without a file, in the built-in packs. Exit 1 for a faulty pack.
    Lint {
        /// Pack files or folders of them.
        #[arg(value_name = "PATH")]
        files: Vec<PathBuf>,
        /// Also name the indicators that no finding of this JSON report shows, such as that of a fixture host (repeatable).
        #[arg(long, value_name = "REPORT")]
        hits: Vec<PathBuf>,
    },
    /// Make a pack of feeds: OSV records, their folders and zips, STIX 2.1 bundles, and the lists of vendors and scanners.
    Import(ImportArgs),
    /// Verify the signatures of packs: exit 2 unless a trusted key signed each of them.
    Verify(VerifyArgs),
}

/// The options of `iocs import`.
#[derive(clap::Args, Debug)]
pub struct ImportArgs {
    /// Feeds: files, or folders of them.
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// Write the pack here; without it, only say what would be in it.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What the pack is called; by default feed- and the name of the first file.
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// Its title.
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// Write every row that was not taken as it is here, one a line.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// A public key of minisign that may sign feeds (repeatable).
    #[arg(long, value_name = "FILE")]
    pub trust_key: Vec<PathBuf>,
    /// Refuse feeds that no trusted key signed.
    #[arg(long)]
    pub require_signed: bool,
}

/// The options of `iocs verify`.
#[derive(clap::Args, Debug)]
pub struct VerifyArgs {
    /// Packs or feeds, or folders of them; the signature of PACK.json is PACK.json.minisig.
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// A public key of minisign that may sign, beside those that are built in (repeatable).
    #[arg(long, value_name = "FILE")]
    pub trust_key: Vec<PathBuf>,
}

/// A system, or auto.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlatformArg {
    /// By the target's content.
    #[default]
    Auto,
    /// Linux.
    Linux,
    /// macOS.
    Macos,
    /// Windows.
    Windows,
}

/// What the answer is about.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeArg {
    /// All of the host.
    Host,
    /// What concerns this account.
    Account,
}

/// A level of the verdict.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LevelArg {
    /// A known-bad thing is named or stored.
    Exposed,
    /// Something without an honest explanation.
    Suspicious,
    /// A known indicator that ran or would run.
    Compromised,
}

/// When to do something that suits a terminal.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
