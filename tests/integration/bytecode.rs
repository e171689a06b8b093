//! Bytecode held against sources: what real Pythons have made of real sources belongs to them, what they have made of
//! others does not, and a line put into a copy is noticed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pysweep::extract::python::bytecode::{Match, belongs, beside, header};

use crate::kinds_pyenv::prefixes;
use crate::stage::{bare_venv, done, folder, line, metadata, shown, sweep, tool, write};

/// Fewer pairs than this of one interpreter mean that they were not found.
const PAIRS: usize = 500;

/// Compiles every n-th module of a folder, and prints where the bytecode lies and what it was made of. With a line, that is
/// put into a copy first: in place of an empty one at the left edge.
const COMPILE: &str = "
import io, os, py_compile, re, sys
top, to, nth, extra = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
found = []
for folder, _, names in os.walk(top):
    found += [os.path.join(folder, name) for name in names if name.endswith('.py')]
for number, path in enumerate(sorted(found)[::nth]):
    source = path
    if extra:
        try:
            with io.open(path, encoding='utf-8') as file: lines = file.read().split('\\n')
        except ValueError: continue
        def fits(at): return lines[at] == '' and re.match('(def|class) |[A-Za-z_]+ =', lines[at + 1])
        places = [at for at in range(len(lines) - 1) if fits(at)]
        if not places or 'subprocess' in '\\n'.join(lines): continue
        lines[places[len(places) // 2]] = extra
        source = os.path.join(to, 'copy.py')
        with io.open(source, 'w', encoding='utf-8') as file: file.write('\\n'.join(lines))
    pyc = os.path.join(to, '%d-%d.pyc' % (sys.flags.optimize, number))
    try: py_compile.compile(source, cfile=pyc, dfile=path, doraise=True)
    except (py_compile.PyCompileError, ValueError, SyntaxError): continue
    print(pyc + '\\t' + path)
";

struct Pair {
    pyc: Vec<u8>,
    source: PathBuf,
}

fn interpreters() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = prefixes().into_iter().map(|prefix| prefix.join("bin/python")).collect();
    all.push(PathBuf::from("/usr/bin/python3"));
    all
}

fn library(python: &Path, home: &Path) -> PathBuf {
    let ask = "import sysconfig; print(sysconfig.get_paths()['stdlib'])";
    PathBuf::from(line(tool(python, home).args(["-E", "-s", "-c", ask])))
}

/// What lies beside the sources of a folder and stands in for them.
fn lying(top: &Path) -> Vec<Pair> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(top).sort_by_file_name().into_iter().filter_map(Result::ok) {
        let (path, name) = (entry.path(), entry.file_name().to_str().unwrap_or_default());
        let above = path.parent().unwrap();
        let source = match beside::stem_of(name.as_bytes()) {
            Some(stem) if above.ends_with("__pycache__") => {
                above.parent().unwrap().join(format!("{}.py", std::str::from_utf8(stem).unwrap()))
            }
            _ if name.ends_with(".pyc") || name.ends_with(".pyo") => path.with_extension("py"),
            _ => continue,
        };
        let (Ok(stat), Ok(pyc)) = (std::fs::metadata(&source), std::fs::read(path)) else { continue };
        let Some(header) = header::header(&pyc) else { continue };
        let modified = stat.modified().unwrap().duration_since(std::time::UNIX_EPOCH).map_or(0, |age| age.as_secs());
        if header::stands_in(&header, modified.try_into().unwrap(), stat.len()) != header::StandsIn::Stale {
            found.push(Pair { pyc, source });
        }
    }
    found
}

/// Compiles every `nth` module of a folder into another.
fn made(python: &Path, options: &[&str], (from, to): (&Path, &Path), nth: usize, extra: &str) -> Vec<Pair> {
    let mut command = tool(python, to);
    command.args(options).args(["-B", "-E", "-s", "-W", "ignore", "-c", COMPILE]);
    let out = done(command.arg(from).arg(to).arg(nth.to_string()).arg(extra)).stdout;
    let text = String::from_utf8(out).unwrap();
    let pairs = text.lines().filter_map(|line| line.split_once('\t'));
    pairs.map(|(pyc, source)| Pair { pyc: std::fs::read(pyc).unwrap(), source: PathBuf::from(source) }).collect()
}

/// How many belong, do not, and cannot be told; and those of the middle kind.
#[derive(Default)]
struct Told {
    yes: usize,
    no: Vec<String>,
    unknown: Vec<String>,
    spent: Duration,
}

impl Told {
    fn of<'a>(pairs: impl IntoIterator<Item = (&'a Pair, &'a Path)>) -> Self {
        let mut told = Self::default();
        for (pair, source) in pairs {
            let Ok(text) = std::fs::read(source) else { continue };
            let begun = std::time::Instant::now();
            let found = belongs(&pair.pyc, &text);
            told.spent += begun.elapsed();
            match found {
                Match::Yes => told.yes += 1,
                Match::No(words) => told.no.push(format!("{}: {words:?}", source.display())),
                Match::Unknown(why) => told.unknown.push(format!("{}: {why:?}", source.display())),
            }
        }
        told
    }

    fn share_of_no(&self) -> f64 {
        self.no.len() as f64 / (self.yes + self.no.len() + self.unknown.len()).max(1) as f64
    }
}

#[test]
fn what_pythons_made_of_their_libraries_belongs_to_them() {
    for python in interpreters() {
        let (_keep, to) = folder();
        let from = library(&python, &to);
        let mut pairs = lying(&from);
        assert!(pairs.len() >= PAIRS, "{} has only {} pairs", python.display(), pairs.len());
        for level in ["-O", "-OO"] {
            pairs.extend(made(&python, &[level], (&from, &to), 10, ""));
        }
        let told = Told::of(pairs.iter().map(|pair| (pair, pair.source.as_path())));
        println!("{}: {} belong, in {:?}", python.display(), told.yes, told.spent);
        assert!(told.no.is_empty() && told.unknown.is_empty(), "{:#?}\n{:#?}", told.no, told.unknown);

        // Each with the source of another module.
        let mut contents: BTreeMap<&Path, Vec<u8>> = BTreeMap::new();
        for pair in &pairs {
            contents.entry(&pair.source).or_insert_with(|| std::fs::read(&pair.source).unwrap());
        }
        let others =
            (0..pairs.len()).map(|at| (&pairs[at], pairs[(at + pairs.len() / 2) % pairs.len()].source.as_path()));
        let others = others.filter(|(pair, other)| {
            let [own, other] = [pair.source.as_path(), other].map(|path| &contents[path]);
            own.len() > 200 && other.len() > 200 && own != other
        });
        let told = Told::of(others);
        println!("  of another: {} do not, {} seem to", told.no.len(), told.yes);
        assert!(told.share_of_no() >= 0.98, "{} of another source seem to belong", told.yes);
    }
}

#[test]
fn a_line_that_the_source_does_not_have_is_noticed() {
    for python in interpreters() {
        let (_keep, to) = folder();
        let pairs =
            made(&python, &[], (&library(&python, &to), &to), 10, "import subprocess; subprocess.Popen(['/bin/true'])");
        let told = Told::of(pairs.iter().map(|pair| (pair, pair.source.as_path())));
        println!("{}: {} noticed, {} not", python.display(), told.no.len(), told.yes);
        assert!(pairs.len() >= 20 && told.share_of_no() >= 0.98, "{} of {} go unnoticed", told.yes, pairs.len());
    }
}

#[test]
fn a_sweep_tells_bytecode_of_another_source() {
    let (_keep, home) = folder();
    let site = bare_venv(&home.join("venv"));
    let python = crate::stage::python();
    let (source, cache) = (site.join("sample/core.py"), site.join("sample/__pycache__"));
    write(&site.join("sample-1.0.dist-info/METADATA"), metadata("sample", "1.0"));
    write(
        &site.join("sample-1.0.dist-info/RECORD"),
        "sample/core.py,sha256=PabEs1WASyZezvGd_llF_ieQqMw43J0FR_sWNMlMu-c,10\n",
    );
    write(&source, "VALUE = 2\n");
    let compile = || done(tool(&python, &home).args(["-E", "-s", "-m", "py_compile"]).arg(&source));
    let states = || {
        let swept = sweep(["--verify", shown(&home)]);
        let rows = swept.rows("distributions");
        let record = rows.iter().find(|row| row["normalized"] == "sample").unwrap()["record"].clone();
        (record["state"].as_str().unwrap().to_owned(), record["changes"].clone())
    };
    compile();
    assert_eq!(states().0, "verified");
    // Another source of the same time and size is compiled, and then put back.
    let modified = std::fs::metadata(&source).unwrap().modified().unwrap();
    let put = |text: &str| {
        write(&source, text);
        std::fs::File::options().write(true).open(&source).unwrap().set_modified(modified).unwrap();
    };
    put("import os\n");
    compile();
    put("VALUE = 2\n");
    let (state, changes) = states();
    assert_eq!(state, "modified", "{changes}");
    assert_eq!(changes[0]["what"], "foreign-bytecode", "{changes}");
    let path = changes[0]["path"].as_str().unwrap();
    assert!(path.starts_with(shown(&cache)) && path.ends_with(".pyc"), "{changes}");
}
