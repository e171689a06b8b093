//! `pysweep iocs import`: feeds of others, made into one pack file, with a report of every row that it could not take as it
//! is.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::cli::ImportArgs;
use crate::command::output;
use crate::config::Clock;
use crate::error::Error;
use crate::intel::import::gather::{Gather, Imported};
use crate::intel::import::report::{Fate, Note};
use crate::intel::pack::{Indicator, Kind};
use crate::intel::signature::Trust;
use crate::intel::{import, load, pack_check, source, write};
use crate::model::fault::Fault;
use crate::model::text::counted;
use crate::model::verdict::ExitCode;
use crate::report::sanitize::line;

/// Most unused rows that are shown; `--report` has all of them.
const SHOWN: usize = 20;

/// Runs the command.
pub(super) fn run(args: &ImportArgs) -> Result<ExitCode, Error> {
    for path in args.output.iter().chain(&args.report) {
        output::could_write(path)?;
    }
    let imported = gather(args)?;
    pack_check::check(&imported.pack).map_err(|found| Error::Fault(Fault::of(&imported.pack.id, found.why)))?;
    if let Some(path) = &args.report {
        output::to_file(path, |out| {
            imported.notes.iter().try_for_each(|note| writeln!(out, "{}", line(&note.to_string())))
        })?;
    }
    if let Some(path) = &args.output {
        output::to_file(path, |out| write::pack(&imported.pack, out))?;
    }
    output::to_stdout(|out| tell(args, &imported, out))?;
    Ok(ExitCode::Clean)
}

fn gather(args: &ImportArgs) -> Result<Imported, Error> {
    let trust = if args.trust_key.is_empty() && !args.require_signed {
        Trust::default()
    } else {
        load::trust(&args.trust_key, args.require_signed).map_err(Error::Fault)?
    };
    let today = Clock::start().started();
    let mut all = Gather::on(today);
    for path in &args.paths {
        for source in source::files_of(path).map_err(Error::Fault)? {
            let bytes = source::read(&source).map_err(Error::Fault)?;
            trust.signer(&source, &bytes).map_err(Error::Fault)?;
            if load::is_pack(&bytes) {
                let why = "it is a pack already: name it with --iocs";
                return Err(Error::Fault(Fault::of(&source.origin, why)));
            }
            let read = if source.is_of_folder { import::read_of_folder } else { import::read };
            read(&source.origin, &bytes, &mut all).map_err(Error::Fault)?;
        }
    }
    let first = args.paths.first().map(PathBuf::as_path).unwrap_or_else(|| Path::new("feed"));
    let mut label = load::label(first, today);
    if let Some(id) = &args.id {
        label.id.clone_from(id);
    }
    if let Some(title) = &args.title {
        label.title.clone_from(title);
    }
    all.finish(&label).map_err(|notes| {
        let why = format!("nothing in it can be looked for; {}", first_of(&notes));
        Error::Fault(Fault::of(&first.display().to_string(), why))
    })
}

fn first_of(notes: &[Note]) -> String {
    match notes {
        [] => "it holds no row at all".to_owned(),
        [first, ..] => format!("{}, the first: {first}", counted(notes.len(), "row")),
    }
}

fn tell(args: &ImportArgs, imported: &Imported, out: &mut dyn Write) -> io::Result<()> {
    let pack = &imported.pack;
    writeln!(
        out,
        "{}: {} read; {} and {} made of them",
        line(&pack.id),
        counted(imported.records, "record"),
        counted(pack.packages.len(), "package row"),
        counted(pack.indicators.len(), "other indicator")
    )?;
    let is_nameless = |one: &&Indicator| one.kind == Kind::File && one.names.is_empty() && one.paths.is_empty();
    let nameless: usize = pack.indicators.iter().filter(is_nameless).map(|one| one.sha256.len()).sum();
    if nameless > 0 {
        let hashes = if nameless == 1 { "1 hash".to_owned() } else { format!("{nameless} hashes") };
        writeln!(
            out,
            "{hashes} without a telling file name: compared with RECORD, and with files that are read for another reason, only"
        )?;
    }
    let mut counts: BTreeMap<Fate, BTreeMap<&str, usize>> = BTreeMap::new();
    for note in &imported.notes {
        let why = if note.fate == Fate::Passed && !note.why.starts_with('`') { note.why.as_str() } else { "" };
        *counts.entry(note.fate).or_default().entry(why).or_default() += 1;
    }
    for (fate, by_reason) in &counts {
        let all: usize = by_reason.values().sum();
        let reasons: Vec<String> = by_reason
            .iter()
            .filter(|(why, _)| !why.is_empty())
            .map(|(why, number)| format!("{number} because {why}"))
            .collect();
        let reasons = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) };
        writeln!(out, "{}: {}{}", fate.name(), counted(all, "row"), line(&reasons))?;
    }
    let telling = imported.notes.iter().filter(|note| matches!(note.fate, Fate::Unused | Fate::Weakened));
    let telling: Vec<&Note> = telling.collect();
    telling.iter().take(SHOWN).try_for_each(|note| writeln!(out, "  {}", line(&note.to_string())))?;
    if telling.len() > SHOWN && args.report.is_none() {
        writeln!(out, "  … and {} more; --report FILE writes all of them", telling.len() - SHOWN)?;
    }
    match &args.output {
        Some(path) => writeln!(out, "written to {}", line(&path.display().to_string())),
        None => writeln!(out, "nothing was written: -o FILE writes the pack"),
    }
}
