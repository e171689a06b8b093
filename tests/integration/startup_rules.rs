//! What real CPythons run of a start-up file, line by line, is what the report says: some hundred files that a seeded
//! generator makes (`startup_samples.rs`) are put where each interpreter runs them.
//!
//! Up to 3.12 a file is decoded by the locale, and later ones fall back to it, so that a file which is not UTF-8 kills
//! Python under one locale and runs under another. Such a file is started under `C.UTF-8` and under ISO-8859-1, and a
//! line counts as run if one of them runs it; all others are started under `C.UTF-8`. `PYTHONUTF8` is not set.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::pythons::{Interpreter, Version, holds, interpreters, with_each};
use crate::stage::{Swept, folder, shown, started, sweep, write};
use crate::startup_samples::{Form, Sample, before_comment, samples, unsure_from};

/// An interpreter with a site directory of ours, and without its user's settings.
struct Stand {
    program: PathBuf,
    home: PathBuf,
    site: PathBuf,
    /// 2.7 has no venv; there the site directory is its user's.
    is_user_site: bool,
}

impl Stand {
    fn new(interpreter: &Interpreter, home: &Path) -> Self {
        let prefix = home.join("stand");
        let site = prefix.join("lib").join(interpreter.name()).join("site-packages");
        let is_user_site = interpreter.version.0 == 2;
        let program = if is_user_site {
            interpreter.program.clone()
        } else {
            interpreter.make_venv(&prefix, None);
            prefix.join("bin/python")
        };
        Self { program, home: home.to_owned(), site, is_user_site }
    }

    /// The marks that one start prints, whatever end it comes to.
    fn start(&self, locale: &Locale) -> Vec<String> {
        let mut command = Command::new(&self.program);
        command.env_clear().env("HOME", &self.home).env("LC_ALL", locale.name);
        command.envs(locale.folder.as_ref().map(|folder| ("LOCPATH", folder)));
        if self.is_user_site {
            command.env("PYTHONUSERBASE", self.home.join("stand"));
        }
        let said = String::from_utf8(started(command.args(["-c", "pass"])).stdout).unwrap();
        said.split_whitespace().map(str::to_owned).collect()
    }
}

/// What decodes the bytes that are no UTF-8, or does not.
struct Locale {
    name: &'static str,
    folder: Option<PathBuf>,
}

/// `C.UTF-8`, and ISO-8859-1 where the C library's tools and tables are there to make it.
fn locales(folder: &Path) -> Vec<Locale> {
    let mut found = vec![Locale { name: "C.UTF-8", folder: None }];
    let name = "en_US.ISO-8859-1";
    let mut make = Command::new("localedef");
    make.args(["-i", "en_US", "-f", "ISO-8859-1"]).arg(folder.join(name));
    match make.output() {
        Ok(out) if out.status.success() => found.push(Locale { name, folder: Some(folder.to_owned()) }),
        _ => println!("SKIPPED: no localedef, or no tables for it: nothing is started under ISO-8859-1"),
    }
    found
}

/// Puts a file into a site directory.
fn plant(sample: &Sample, site: &Path, store: &Path) -> PathBuf {
    let path = site.join(&sample.name);
    match sample.form {
        Form::File => write(&path, &sample.bytes),
        Form::Link => {
            std::fs::create_dir_all(site).unwrap();
            write(&store.join(&sample.name), &sample.bytes);
            std::os::unix::fs::symlink(store.join(&sample.name), &path).unwrap();
        }
    }
    path
}

/// Most files of one start.
const TOGETHER: usize = 40;

/// The files of each start, under a locale. One that stops Python there has a start of its own, and so has one whose name
/// can be there only once.
fn starts<'a>(samples: &'a [Sample], locales: &'a [Locale]) -> Vec<(&'a Locale, Vec<&'a Sample>)> {
    let mut all = Vec::new();
    for locale in locales {
        let is_utf8 = locale.folder.is_none();
        let wanted = samples.iter().filter(|sample| is_utf8 || !sample.is_text());
        let (shared, alone): (Vec<&Sample>, Vec<&Sample>) =
            wanted.partition(|sample| (sample.is_text() || !is_utf8) && sample.name != ".pth");
        all.extend(shared.chunks(TOGETHER).map(|some| (locale, some.to_vec())));
        all.extend(alone.into_iter().map(|one| (locale, vec![one])));
    }
    all
}

/// The marks that one interpreter prints.
fn ran(interpreter: &Interpreter, starts: &[(&Locale, Vec<&Sample>)]) -> BTreeSet<String> {
    let (_keep, home) = folder();
    let stand = Stand::new(interpreter, &home);
    let mut ran = BTreeSet::new();
    for (locale, samples) in starts {
        let store = home.join("store");
        let planted: Vec<PathBuf> = samples.iter().map(|sample| plant(sample, &stand.site, &store)).collect();
        ran.extend(stand.start(locale));
        planted.iter().for_each(|path| std::fs::remove_file(path).unwrap());
    }
    ran
}

/// Whether the report says that a version runs the line with this mark. Where the text of a line is cut before its mark,
/// or hidden, its number tells which it is.
fn says(hook: Option<&Value>, mark: &str, number: u64, version: Version) -> bool {
    let lines: &[Value] = hook.and_then(|hook| hook["lines"].as_array()).map_or(&[], Vec::as_slice);
    let text = |line: &Value| line["text"].as_str().unwrap().to_owned();
    let mut own: Vec<&Value> = lines.iter().filter(|line| before_comment(&text(line)).contains(mark)).collect();
    if own.is_empty() {
        let is_cut = |line: &&Value| text(line).ends_with('…') || text(line).starts_with("(not shown");
        own = lines.iter().filter(|line| line["number"] == number).filter(is_cut).collect();
    }
    let ranges = own.iter().flat_map(|line| line["run_by"].as_array().into_iter().flatten());
    ranges.filter_map(Value::as_str).any(|range| holds(range, version))
}

/// How many lines were compared exactly, and those that differ.
fn compare(
    interpreter: &Interpreter,
    samples: &[Sample],
    hooks: &[Option<&Value>],
    ran: &BTreeSet<String>,
    has_latin: bool,
) -> (usize, Vec<String>) {
    let (mut compared, mut differ) = (0, Vec::new());
    let version = interpreter.version;
    for (sample, hook) in samples.iter().zip(hooks) {
        if sample.name.starts_with('.') && interpreter.skips_hidden && version < (3, 13) {
            continue;
        }
        // Where something comes in that no text tells, the report may say more than happens, never less.
        let unsure_from = if version < (3, 15) { unsure_from(&sample.bytes) } else { u64::MAX };
        let is_unsure = !sample.is_text() && !has_latin && version.0 > 2;
        for (mark, number) in &sample.marks {
            let (runs, said) = (ran.contains(mark), says(*hook, mark, *number, version));
            let is_open = is_unsure || *number >= unsure_from;
            compared += usize::from(!is_open);
            if runs != said && !(is_open && said) {
                let verb = if runs { "runs, said not to" } else { "does not run, said to" };
                differ.push(format!("{} {mark} {verb}: {} {}", interpreter.shown(), sample.name, sample.shown()));
            }
        }
    }
    (compared, differ)
}

/// The rows of the hooks, in the order of the paths.
fn hooks<'a>(swept: &'a Swept, paths: &[PathBuf]) -> Vec<Option<&'a Value>> {
    let rows: BTreeMap<&str, &Value> =
        swept.rows("startup_hooks").iter().filter_map(|row| Some((row["path"].as_str()?, row))).collect();
    paths.iter().map(|path| rows.get(shown(path)).copied()).collect()
}

#[test]
fn each_line_is_run_by_the_pythons_that_the_report_names() {
    let samples = samples();
    let (_keep, root) = folder();
    let place = |(number, sample): (usize, &Sample)| {
        let folder = root.join(format!("{number:03}"));
        plant(sample, &folder.join("lib/python3.11/site-packages"), &folder.join("store"))
    };
    let paths: Vec<PathBuf> = samples.iter().enumerate().map(place).collect();
    let swept = sweep([&root]);
    let hooks = hooks(&swept, &paths);

    let (_locales, locale_folder) = folder();
    let locales = locales(&locale_folder);
    let (starts, interpreters) = (starts(&samples, &locales), interpreters());
    let results = with_each(&interpreters, |interpreter| {
        let ran = ran(interpreter, &starts);
        let (compared, differ) = compare(interpreter, &samples, &hooks, &ran, locales.len() > 1);
        (ran.len(), compared, differ)
    });

    let mut differ = String::new();
    let marks: usize = samples.iter().map(|sample| sample.marks.len()).sum();
    println!("{} files with {marks} lines that print a mark", samples.len());
    for (interpreter, (ran, compared, all)) in interpreters.iter().zip(results) {
        println!("{}: {ran} lines ran, {compared} compared exactly", interpreter.shown());
        assert!(ran > 200, "the files run next to nothing");
        all.iter().for_each(|one| writeln!(differ, "{one}").unwrap());
    }
    assert!(differ.is_empty(), "{} differ:\n{differ}", differ.lines().count());
}
