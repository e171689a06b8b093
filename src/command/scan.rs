//! `pysweep scan`: target to report, the whole pipeline on one screen.

use super::tell::{self, Told};
use super::{output, progress};
use crate::assess::accept::Accepts;
use crate::assess::coverage::{self, Sweeper};
use crate::assess::verdict;
use crate::cli::{ScanArgs, ScopeArg};
use crate::config::{self, Config};
use crate::detect::{self, Scene};
use crate::error::Error;
use crate::extract::{self, EXTRACTORS, autostart, container, link, lock, program_version, startup, verify};
use crate::intel::index::Intel;
use crate::model::coverage::GapReason;
use crate::model::distribution::MetadataForm;
use crate::model::facts::{Facts, Harvest};
use crate::model::finding::Finding;
use crate::model::path::TargetPath;
use crate::model::text::counted;
use crate::model::verdict::{ExitCode, Scope, Verdict};
use crate::model::watch::{Archives, Watch};
use crate::report::sanitize;
use crate::survey::names::NameTable;
use crate::survey::progress::Progress;
use crate::survey::scope::{self as trees, Choice};
use crate::survey::walk::{self, Walk};
use crate::target::places::Places;
use crate::target::{self, Target, Wanted};

/// Runs the command.
pub(super) fn run(args: ScanArgs) -> Result<ExitCode, Error> {
    let config = config::from_args(args).map_err(Error::Usage)?;
    tell::could_write(&config)?;
    let intel = super::intel(&config.args.packs)?;
    let accepts = accepts(&config)?;
    let target = open(&config)?;
    let scope = scope(&config);
    let mut harvest = gather(&config, &target, &intel)?;
    coverage::settle(&mut harvest.gaps, scope, &sweeper(&config, &target));
    let patterns = intel.all().flat_map(|known| known.indicator.paths.iter().map(String::as_str));
    let other_names = target.other_names(patterns);
    let scene = Scene::of(&harvest.facts, &intel, &target.accounts, &other_names, target.root.platform());
    let mut judged = detect::detect(&scene);
    let said = accepts.apply(&mut judged.findings, config.clock.started());
    said.iter().for_each(|text| output::complain(text));
    let verdict = weigh(&config, &target, &intel, scope, &harvest, &judged.findings);
    let told = Told {
        config: &config,
        target: &target,
        intel: &intel,
        harvest: &harvest,
        judged: &judged,
        verdict: &verdict,
        user: user(&config, &target),
    };
    tell::tell(&told)
}

/// What the user lives with; nothing unless a file is named.
fn accepts(config: &Config) -> Result<Accepts, Error> {
    let Some(path) = &config.args.accept else { return Ok(Accepts::default()) };
    let bytes = config::read_user_file(path).map_err(|why| Error::Input { path: path.clone(), why })?;
    Accepts::parse(&path.display().to_string(), &bytes).map_err(Error::Fault)
}

/// Opens the target that the settings name.
pub(super) fn open(config: &Config) -> Result<Target, Error> {
    let wanted = Wanted {
        root: &config.root,
        live: config.live,
        platform: config.platform,
        include_network: config.args.include_network,
    };
    target::open(&wanted).map_err(|why| Error::Root { path: config.root.clone(), why })
}

/// The mounts and exclusions that the walk goes by.
pub(super) fn walk_scope(config: &Config, target: &Target) -> Result<trees::Scope, Error> {
    let args = &config.args;
    let choice = Choice {
        include_network: args.include_network,
        one_file_system: args.one_file_system,
        exclude: args.exclude.clone(),
        only_named: !config.paths.is_empty(),
    };
    trees::Scope::of(target.mounts.clone(), choice).map_err(Error::Usage)
}

/// Where the walk begins: the root, or the paths that were named; and storage that hides behind what is not entered.
pub(super) fn starts(config: &Config, target: &Target, scope: &trees::Scope) -> Result<Vec<TargetPath>, Error> {
    let root = &target.root;
    let mut all = Vec::new();
    for path in &config.paths {
        // As it is written: `..` behind a link means something else than it looks like.
        let place = root
            .resolve(&TargetPath::new(path.as_os_str().as_encoded_bytes()))
            .map_err(|why| Error::Input { path: path.clone(), why: unreachable(why) })?;
        all.push(root.path_of(&place));
    }
    if config.paths.is_empty() {
        all.push(root.path());
    }
    let hidden: Vec<TargetPath> = all.iter().flat_map(|start| scope.shadowed(start)).collect();
    all.sort_unstable();
    let covered =
        |path: &TargetPath, others: &[TargetPath]| others.iter().any(|other| other != path && path.is_under(other));
    let mut own: Vec<TargetPath> = all.iter().filter(|path| !covered(path, &all)).cloned().collect();
    own.extend(hidden);
    own.dedup();
    Ok(own)
}

/// Why a path that the user named cannot be swept.
fn unreachable(why: GapReason) -> String {
    match why {
        GapReason::DanglingLink => "there is no such file or directory on the target".to_owned(),
        why => format!("{}: {}", why.id(), why.sentence()),
    }
}

fn scope(config: &Config) -> Scope {
    match (config.live, config.paths.is_empty(), config.scope) {
        (_, false, _) => Scope::Paths,
        (false, true, _) => Scope::Image,
        (true, true, Some(ScopeArg::Host)) => Scope::Host,
        (true, true, Some(ScopeArg::Account)) => Scope::Account,
        (true, true, None) if config.caller.uid == 0 => Scope::Host,
        (true, true, None) => Scope::Account,
    }
}

fn sweeper(config: &Config, target: &Target) -> Sweeper {
    let account = target.accounts.iter().find(|account| account.uid == Some(config.caller.uid));
    Sweeper { uid: config.caller.uid, home: account.map(|account| account.home.clone()) }
}

/// Walks, reads and joins.
fn gather(config: &Config, target: &Target, intel: &Intel) -> Result<Harvest, Error> {
    let scope = walk_scope(config, target)?;
    let starts = starts(config, target, &scope)?;
    let archives = if config.args.archives { Archives::Opened } else { Archives::Closed };
    let watch = Watch { archives, ..intel.watch() };
    let places = Places::built_in();
    let names = NameTable::of(EXTRACTORS.iter().map(|row| &row.interest), &watch, &places, &target.starts);
    let seen = Progress::default();
    let walk = Walk {
        target,
        names: &names,
        scope: &scope,
        progress: &seen,
        read: &|candidate| extract::extract(target, &watch, candidate),
    };
    let pool = target::pool(config.jobs).map_err(|why| Error::Usage(format!("--jobs {}: {why}", config.jobs)))?;
    let mut harvest = progress::watch(&seen, config.progress, || pool.install(|| walk::walk(&walk, &starts)));
    harvest.gaps.extend(target.gaps.iter().cloned());
    // Beside a single path nothing is known of its neighbours: which of them have metadata was not looked at.
    let is_swept = |path: &TargetPath| starts.iter().any(|start| path.is_under(start));
    let facts = &mut harvest.facts;
    facts
        .distributions
        .retain(|found| found.metadata != MetadataForm::Directory || found.site().is_some_and(|site| is_swept(&site)));
    let mut harvest = link::link(target, &places, harvest);
    let is_left_out = |path: &TargetPath| (1..=path.components().count()).any(|at| scope.excludes(&path.ancestor(at)));
    let bounds = Bounds { is_swept: &is_swept, is_left_out: &is_left_out };
    let later = pool.install(|| look_again(config, target, &watch, &bounds, &mut harvest.facts));
    harvest.merge(later);
    harvest.sort();
    Ok(harvest)
}

/// What of the target may be looked at behind the walk's back.
struct Bounds<'a> {
    is_swept: &'a (dyn Fn(&TargetPath) -> bool + Sync),
    is_left_out: &'a (dyn Fn(&TargetPath) -> bool + Sync),
}

/// With the whole picture there is a second look.
fn look_again(config: &Config, target: &Target, watch: &Watch, bounds: &Bounds<'_>, facts: &mut Facts) -> Harvest {
    let mut later = container::settle(target, facts);
    let may_read = |path: &TargetPath| (bounds.is_swept)(path) && !(bounds.is_left_out)(path);
    let mut with_linked = Harvest { facts: std::mem::take(facts), ..Harvest::default() };
    with_linked.merge(autostart::linked::settle(target, watch, &may_read));
    *facts = std::mem::take(&mut with_linked.facts);
    later.merge(with_linked);
    autostart::settle::settle(target, facts);
    later.merge(program_version::settle(target, facts));
    later.merge(startup::settle(target, facts));
    later.merge(verify::verify(target, watch, facts, config.args.verify));
    later.merge(startup::packages::settle(target, watch, facts));
    let mut homes = lock::scripts::settle(target, watch, &may_read);
    facts.distributions.append(&mut homes.facts.distributions);
    later.merge(homes);
    later.merge(lock::chain::settle(target, watch, facts, bounds.is_left_out));
    later
}

fn weigh(
    config: &Config,
    target: &Target,
    intel: &Intel,
    scope: Scope,
    harvest: &Harvest,
    findings: &[Finding],
) -> Verdict {
    let grounds = verdict::Grounds {
        facts: &harvest.facts,
        coverage: coverage::completeness(&harvest.gaps),
        missed: harvest.gaps.iter().filter(|gap| gap.material).count(),
        scope,
        subject: subject(config, target, scope),
        narrowed: narrowed(config, harvest),
        accepted: findings.iter().filter(|one| one.accepted.is_some()).count(),
        newest_pack: intel.newest(),
        now: config.clock.started(),
        fail_on: config.fail_on,
        exit_zero: config.args.exit_zero,
    };
    verdict::verdict(findings, &grounds)
}

fn subject(config: &Config, target: &Target, scope: Scope) -> String {
    let text = match scope {
        Scope::Host => target.host.name.clone(),
        Scope::Account => user(config, target),
        Scope::Image => target.host.name.clone(),
        Scope::Paths => config.paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "),
    };
    sanitize::line(&text)
}

fn user(config: &Config, target: &Target) -> String {
    let uid = config.caller.uid;
    let own = target.accounts.iter().find(|account| target.live && account.uid == Some(uid));
    let unknown = || if uid == 0 { "root".to_owned() } else { format!("uid {uid}") };
    own.map_or_else(unknown, |account| account.name.clone())
}

fn narrowed(config: &Config, harvest: &Harvest) -> String {
    let args = &config.args;
    let mut all: Vec<String> = args.exclude.iter().map(|glob| sanitize::line(glob)).collect();
    if args.one_file_system {
        all.push("other file systems".to_owned());
    }
    if args.packs.no_builtin_iocs {
        all.push("the built-in packs".to_owned());
    }
    let networks = harvest.gaps.iter().filter(|gap| gap.reason == GapReason::Network && gap.check == "walk").count();
    if networks > 0 {
        all.push(counted(networks, "network tree"));
    }
    all.join(", ")
}
