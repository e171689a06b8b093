#![allow(
    clippy::disallowed_methods,
    reason = "the one reader of the environment, of the clock and of our own binary; never of the target"
)]
//! From the command line as typed to settings as used. The one reader of environment variables and of the clock.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use crate::cli::{LevelArg, PlatformArg, ScanArgs, ScopeArg, When};
use crate::model::host::Platform;
use crate::model::id::hex;
use crate::model::time::Time;
use crate::model::verdict::Level;

/// The settings of a sweep.
pub struct Config {
    /// Where the target's root lies on this host.
    pub root: PathBuf,
    /// Whether that is the running system.
    pub live: bool,
    /// The target's system, unless its content decides.
    pub platform: Option<Platform>,
    /// Paths of the target to sweep; empty means all of it.
    pub paths: Vec<PathBuf>,
    /// Whether the user asked for one scope.
    pub scope: Option<ScopeArg>,
    /// Who runs this.
    pub caller: Caller,
    /// Where reports go.
    pub outputs: Vec<Output>,
    /// Below this level the exit is as if nothing was found.
    pub fail_on: Level,
    /// How many workers.
    pub jobs: usize,
    /// Whether to show progress.
    pub progress: bool,
    /// Whether the text on standard output is in colour.
    pub color: bool,
    /// The options that change what is seen or judged, for the report.
    pub options: BTreeMap<&'static str, String>,
    /// The options as typed, for what needs no settling.
    pub args: ScanArgs,
    /// When the run began.
    pub clock: Clock,
}

/// Who runs pysweep.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Its user id; that which decides what may be read.
    pub uid: u32,
}

/// The two clocks: one tells the time, the other cannot be set.
#[derive(Clone, Copy)]
pub struct Clock {
    started: Time,
    ticks: Instant,
}

/// Where one report goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    /// Its form.
    pub format: Format,
    /// The file, or standard output.
    pub path: Option<PathBuf>,
}

/// The forms of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Clock {
    /// Starts both.
    #[must_use]
    pub fn start() -> Self {
        Self { started: now(), ticks: Instant::now() }
    }

    /// When the run began.
    #[must_use]
    pub fn started(&self) -> Time {
        self.started
    }

    /// The time now, and the milliseconds since the start.
    #[must_use]
    pub fn stop(&self) -> (Time, u64) {
        (now(), u64::try_from(self.ticks.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |past| past.as_secs());
    Time::from_unix(i64::try_from(since).unwrap_or(i64::MAX))
}

/// Settles the options of a sweep.
///
/// # Errors
/// A sentence for the user when they contradict each other.
pub fn from_args(args: ScanArgs) -> Result<Config, String> {
    let root = args.root.clone().unwrap_or_else(|| PathBuf::from("/"));
    let live = args.root.is_none();
    if !live && args.scope.is_some() {
        return Err("--scope is for the running host; with --root the image decides".to_owned());
    }
    let outputs = outputs(&args)?;
    Ok(Config {
        live,
        platform: platform(args.platform),
        paths: paths(&args.paths, live)?,
        scope: args.scope,
        caller: Caller { uid: rustix::process::geteuid().as_raw() },
        fail_on: args.fail_on.map_or(Level::Exposed, level),
        jobs: args.jobs.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from),
        progress: is_on(args.progress, std::io::stderr().is_terminal()) && !args.quiet,
        color: is_on(
            args.color,
            std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty()),
        ),
        options: options(&args),
        clock: Clock::start(),
        root,
        outputs,
        args,
    })
}

fn is_on(when: When, on_a_terminal: bool) -> bool {
    match when {
        When::Auto => on_a_terminal,
        When::Always => true,
        When::Never => false,
    }
}

fn platform(arg: PlatformArg) -> Option<Platform> {
    match arg {
        PlatformArg::Auto => None,
        PlatformArg::Linux => Some(Platform::Linux),
        PlatformArg::Macos => Some(Platform::Macos),
        PlatformArg::Windows => Some(Platform::Windows),
    }
}

fn level(arg: LevelArg) -> Level {
    match arg {
        LevelArg::Exposed => Level::Exposed,
        LevelArg::Suspicious => Level::Suspicious,
        LevelArg::Compromised => Level::Compromised,
    }
}

/// On the running host a relative path is meant from here; on an image, from its root.
fn paths(given: &[PathBuf], live: bool) -> Result<Vec<PathBuf>, String> {
    let absolute = |path: &PathBuf| match live {
        true => std::path::absolute(path).map_err(|why| format!("{}: {why}", path.display())),
        false => Ok(path.clone()),
    };
    given.iter().map(absolute).collect()
}

/// `text`, `json`, `json=PATH`; at most one of them goes to standard output, and without one the text does.
fn outputs(args: &ScanArgs) -> Result<Vec<Output>, String> {
    let mut all = Vec::new();
    for given in &args.format {
        let (name, path) = given.split_once('=').map_or((given.as_str(), None), |(name, path)| (name, Some(path)));
        let format = match name {
            "text" => Format::Text,
            "json" => Format::Json,
            other => {
                return Err(format!("--format {other}: this version writes text and json"));
            }
        };
        if path == Some("") {
            return Err(format!("--format {given}: a path is missing behind the ="));
        }
        all.push(Output { format, path: path.map(PathBuf::from) });
    }
    if all.iter().filter(|output| output.path.is_none()).count() > 1 {
        return Err("only one --format can go to standard output: give the others a path (json=FILE)".to_owned());
    }
    if !all.iter().any(|output| output.path.is_none()) {
        all.push(Output { format: Format::Text, path: None });
    }
    Ok(all)
}

fn options(args: &ScanArgs) -> BTreeMap<&'static str, String> {
    let list = |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ");
    let mut all = BTreeMap::new();
    let mut add = |name, value: String| {
        if !value.is_empty() {
            all.insert(name, value);
        }
    };
    add("paths", list(&args.paths));
    add("iocs", list(&args.packs.iocs));
    add("exclude", args.exclude.join(" "));
    for (name, set) in [
        ("no-builtin-iocs", args.packs.no_builtin_iocs),
        ("one-file-system", args.one_file_system),
        ("include-network", args.include_network),
        ("verify", args.verify),
        ("archives", args.archives),
        ("exit-zero", args.exit_zero),
    ] {
        add(name, if set { "yes".to_owned() } else { String::new() });
    }
    if args.platform != PlatformArg::Auto {
        add("platform", format!("{:?}", args.platform).to_lowercase());
    }
    all
}

/// The SHA-256 of the running binary, lower-case hex; none where it cannot be read.
#[must_use]
pub fn own_sha256() -> Option<String> {
    let own = std::env::current_exe().ok()?;
    std::fs::read(own).ok().map(|bytes| hex(&Sha256::digest(bytes)))
}

/// Reads a file of the user's, not of the target, or standard input for `-`: at most 64 MiB.
///
/// # Errors
/// The system's answer.
pub fn read_user_file(path: &Path) -> Result<Vec<u8>, String> {
    const CAP: u64 = 64 << 20;
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().take(CAP + 1).read_to_end(&mut bytes).map_err(|why| why.to_string())?;
    } else {
        let meta = std::fs::metadata(path).map_err(|why| why.to_string())?;
        if !meta.is_file() {
            return Err("it is not a regular file".to_owned());
        }
        if meta.len() <= CAP {
            bytes = std::fs::read(path).map_err(|why| why.to_string())?;
        } else {
            return Err("it is larger than 64 MiB".to_owned());
        }
    }
    if bytes.len() as u64 > CAP { Err("it is larger than 64 MiB".to_owned()) } else { Ok(bytes) }
}
