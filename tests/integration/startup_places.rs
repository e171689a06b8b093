//! Which folders real CPythons take start-up code from, and in which form, is what the report says of the interpreter that
//! is started: its own site directories, its user's, those of its base, and what these add.
//!
//! Each interpreter gets a prefix of its own, `base`, which shares the standard library with the real one, and two virtual
//! environments made from it: `closed`, and `open` to the site directories of its base. 2.7 has no virtual environments.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::pythons::{Interpreter, holds, interpreters, with_each};
use crate::stage::{Swept, done, folder, shown, started, sweep, write};

/// What a file holds.
#[derive(Clone, Copy)]
enum Holds {
    /// A line that prints a mark.
    Line,
    /// A module that prints a mark.
    Module,
    /// The same as bytecode.
    Bytecode,
    /// The name of a function that prints a mark, of a module beside it.
    EntryPoint,
    /// This text, which prints nothing; with `{home}` for the folder of all.
    Text(&'static str),
}

use Holds::{Bytecode, EntryPoint, Line, Module, Text};

/// What is planted together. In paths, `{v}` is a version such as 3.11, `{tag}` what bytecode of it is named after, `{own}`
/// the site directory of `base` that is named after the version: Debian's has another name.
struct Case {
    files: &'static [(&'static str, Holds)],
    /// A folder that `PYTHONPATH` names, in the `/etc/profile` of a root as well.
    python_path: Option<&'static str>,
}

const fn case(files: &'static [(&'static str, Holds)]) -> Case {
    Case { files, python_path: None }
}

/// Marked lines wherever a Python might take them from.
const LINES: &[Case] = &[case(&[
    ("base/lib/python{v}/site-packages/x.pth", Line),
    ("base/lib/python{v}/dist-packages/x.pth", Line),
    ("base/lib/python3/dist-packages/x.pth", Line),
    ("base/local/lib/python{v}/dist-packages/x.pth", Line),
    ("base/local/lib/python{v}/site-packages/x.pth", Line),
    ("base/lib/site-python/x.pth", Line),
    ("base/lib/python{v}/x.pth", Line),
    ("base/x.pth", Line),
    (".local/lib/python{v}/site-packages/x.pth", Line),
    (".local/lib/python3/site-packages/x.pth", Line),
    ("elsewhere/site-packages/x.pth", Line),
    ("elsewhere/lib/python{v}/site-packages/x.pth", Line),
    ("closed/lib/python{v}/site-packages/x.pth", Line),
    ("closed/lib/python{v}/site-packages/folder/x.pth", Line),
    ("closed/lib/python{v}/site-packages/X.PTH", Line),
    ("closed/lib/python{v}/dist-packages/x.pth", Line),
    ("closed/lib/python3.5/site-packages/x.pth", Line),
    ("closed/lib/python3/dist-packages/x.pth", Line),
    ("closed/local/lib/python{v}/dist-packages/x.pth", Line),
    ("closed/local/lib/python{v}/site-packages/x.pth", Line),
    ("closed/x.pth", Line),
    ("open/lib/python{v}/site-packages/x.pth", Line),
    ("open/lib/python{v}/dist-packages/x.pth", Line),
    ("open/lib/python3/dist-packages/x.pth", Line),
    ("open/local/lib/python{v}/dist-packages/x.pth", Line),
])];

/// What a path line names is no site directory; what `site.addsitedir` names is one.
const ADDED: &[Case] = &[
    case(&[
        ("{own}/a.pth", Text("{home}/added/path\n./below\n")),
        ("added/path/x.pth", Line),
        ("{own}/below/x.pth", Line),
    ]),
    case(&[
        ("{own}/a.pth", Text("import site; site.addsitedir('{home}/added/one')\n")),
        ("added/one/x.pth", Line),
        ("added/one/y.pth", Text("import site; site.addsitedir('{home}/added/two')\n")),
        ("added/two/x.pth", Line),
        ("added/two/y.pth", Text("{home}/added/three\n")),
        ("added/three/x.pth", Line),
    ]),
];

const SITECUSTOMIZE: &[Case] = &[
    case(&[("base/lib/python{v}/sitecustomize.py", Module)]),
    case(&[("{own}/sitecustomize.py", Module)]),
    case(&[("base/lib/python{v}/sitecustomize.py", Module), ("{own}/sitecustomize.py", Module)]),
    case(&[(".local/lib/python{v}/site-packages/sitecustomize.py", Module)]),
    case(&[("{own}/sitecustomize.py", Module), (".local/lib/python{v}/site-packages/sitecustomize.py", Module)]),
    case(&[("closed/lib/python{v}/site-packages/sitecustomize.py", Module)]),
    case(&[("closed/lib/python{v}/site-packages/sitecustomize/__init__.py", Module)]),
    case(&[("closed/lib/python{v}/site-packages/sitecustomize.pyc", Bytecode)]),
    case(&[("closed/lib/python{v}/site-packages/__pycache__/sitecustomize.{tag}.pyc", Bytecode)]),
    case(&[("{own}/sitecustomize.py", Module), ("open/lib/python{v}/site-packages/sitecustomize.py", Module)]),
    case(&[("{own}/a.pth", Text("{home}/added/path\n")), ("added/path/sitecustomize.py", Module)]),
    case(&[
        ("{own}/a.pth", Text("import site; site.addsitedir('{home}/added/one')\n")),
        ("added/one/sitecustomize.py", Module),
    ]),
    case(&[("{own}/folder/sitecustomize.py", Module), ("elsewhere/sitecustomize.py", Module)]),
    // The folder that Python is started in is not on the path yet.
    case(&[("sitecustomize.py", Module)]),
];

const USERCUSTOMIZE: &[Case] = &[
    case(&[(".local/lib/python{v}/site-packages/usercustomize.py", Module)]),
    case(&[("{own}/usercustomize.py", Module)]),
    case(&[("base/lib/python{v}/usercustomize.py", Module)]),
    case(&[("closed/lib/python{v}/site-packages/usercustomize.py", Module)]),
    case(&[("open/lib/python{v}/site-packages/usercustomize/__init__.py", Module)]),
];

const ENTRY_POINTS: &[Case] = &[
    case(&[
        ("{own}/x.start", EntryPoint),
        (".local/lib/python{v}/site-packages/y.start", EntryPoint),
        ("closed/lib/python{v}/site-packages/z.start", EntryPoint),
        ("closed/lib/python{v}/site-packages/.z.start", EntryPoint),
        ("closed/lib/python{v}/site-packages/Z.START", EntryPoint),
        ("elsewhere/z.start", EntryPoint),
    ]),
    // A file of that name silences the import lines of its namesake, in the same folder.
    case(&[
        ("closed/lib/python{v}/site-packages/a.pth", Line),
        ("closed/lib/python{v}/site-packages/a.start", Text("")),
        ("closed/lib/python{v}/site-packages/b.pth", Line),
        ("closed/lib/python{v}/site-packages/b.start", EntryPoint),
        ("closed/lib/python{v}/site-packages/c.pth", Line),
        ("closed/lib/python{v}/site-packages/c.START", Text("")),
        ("{own}/d.pth", Line),
        ("open/lib/python{v}/site-packages/d.start", Text("")),
    ]),
];

const PYTHON_PATH: &[Case] = &[
    Case { files: &[("path/x.pth", Line), ("path/sitecustomize.py", Module)], python_path: Some("path") },
    Case { files: &[("path/usercustomize.py", Module)], python_path: Some("path") },
    Case { files: &[("path/x.pth", Line), ("path/x.start", EntryPoint)], python_path: Some("path") },
];

/// The folder of all, and the programs in it.
struct Stand<'a> {
    interpreter: &'a Interpreter,
    home: PathBuf,
    programs: Vec<PathBuf>,
    tag: String,
}

impl<'a> Stand<'a> {
    fn new(interpreter: &'a Interpreter, home: &Path) -> Self {
        let base = home.join("base");
        let program = base.join("bin").join(interpreter.name());
        let library = base.join("lib").join(interpreter.name());
        std::fs::create_dir_all(program.parent().unwrap()).unwrap();
        std::fs::create_dir_all(&library).unwrap();
        std::fs::copy(&interpreter.program, &program).unwrap();
        for entry in std::fs::read_dir(&interpreter.library).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            // Debian has a sitecustomize of its own, and everybody may have packages.
            if !name.ends_with("-packages") && !name.starts_with("sitecustomize") {
                std::os::unix::fs::symlink(entry.path(), library.join(name)).unwrap();
            }
        }
        let mut stand =
            Self { interpreter, home: home.to_owned(), programs: vec![program.clone()], tag: String::new() };
        if interpreter.version.0 > 2 {
            let own = Interpreter { program: program.clone(), ..interpreter.clone() };
            for (name, option) in [("closed", None), ("open", Some("--system-site-packages"))] {
                own.make_venv(&home.join(name), option);
                stand.programs.push(home.join(name).join("bin/python"));
            }
            stand.tag = stand.say(&program, None, "import sys; print(sys.implementation.cache_tag)");
        }
        stand
    }

    /// What a program prints.
    fn say(&self, program: &Path, python_path: Option<&Path>, code: &str) -> String {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", &self.home).env("LC_ALL", "C.UTF-8").env("PYTHONDONTWRITEBYTECODE", "1");
        command.envs(python_path.map(|folder| ("PYTHONPATH", folder))).current_dir(&self.home);
        String::from_utf8(started(command.args(["-c", code])).stdout).unwrap().trim_end().to_owned()
    }

    fn path(&self, template: &str) -> PathBuf {
        let (major, minor) = self.interpreter.version;
        let own = match self.interpreter.is_debian {
            true => "base/local/lib/python{v}/dist-packages",
            false => "base/lib/python{v}/site-packages",
        };
        let path = template.replace("{own}", own).replace("{v}", &format!("{major}.{minor}"));
        self.home.join(path.replace("{tag}", &self.tag))
    }

    /// Writes a file that prints `mark`, and returns what else was written for it.
    fn plant(&self, path: &Path, holds: Holds, mark: &str) -> Option<PathBuf> {
        let print = format!("os.write(1, b'{mark} ')");
        match holds {
            Line => write(path, format!("import os; {print}\n")),
            Module => write(path, format!("import os\n{print}\n")),
            Text(text) => write(path, text.replace("{home}", shown(&self.home))),
            EntryPoint => {
                let module = path.with_file_name(format!("module_{mark}.py"));
                write(path, format!("module_{mark}:run\n"));
                write(&module, format!("import os\n\ndef run():\n    {print}\n"));
                return Some(module);
            }
            Bytecode => {
                let source = self.home.join("source.py");
                write(&source, format!("import os\n{print}\n"));
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                let code = "import py_compile, sys; py_compile.compile(sys.argv[1], sys.argv[2], doraise=True)";
                done(Command::new(&self.interpreter.program).args(["-c", code]).arg(&source).arg(path));
                return Some(source);
            }
        }
        None
    }

    /// What differs between what the programs run and what the report says of them: what, and to whom.
    fn differ(&self, number: usize, case: &Case) -> Vec<(String, String)> {
        let mut written = Vec::new();
        let mut marks: BTreeMap<String, (&str, PathBuf)> = BTreeMap::new();
        for (place, (template, holds)) in case.files.iter().enumerate() {
            let (path, mark) = (self.path(template), format!("M{place:02}"));
            written.extend(self.plant(&path, *holds, &mark));
            written.push(path.clone());
            if !matches!(holds, Text(_)) {
                marks.insert(mark, (*template, path));
            }
        }
        let python_path = case.python_path.map(|folder| self.home.join(folder));
        let mut top = Path::new("/");
        if let Some(folder) = &python_path {
            // Only what a system reads counts: here the folder of all is one, in which its own path leads back to it.
            top = &self.home;
            let (profile, own) = (top.join("etc/profile"), top.join(top.strip_prefix("/").unwrap()));
            write(&profile, format!("export PYTHONPATH={}\n", shown(folder)));
            std::fs::create_dir_all(own.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink("/", &own).unwrap();
            written.extend([profile, own]);
        }
        let swept = match python_path {
            Some(_) => sweep([OsStr::new("--root"), top.as_os_str()]),
            None => sweep([&self.home]),
        };
        let mut differ = Vec::new();
        for program in &self.programs {
            let said = self.say(program, python_path.as_deref(), "pass");
            let ran: Vec<&str> = said.split_whitespace().collect();
            for (mark, (template, path)) in &marks {
                let (runs, says) = (ran.contains(&mark.as_str()), self.says(&swept, top, path, program));
                if runs != says {
                    let verb = if runs { "is run, said not to be," } else { "is not run, said to be," };
                    let prefix = program.parent().unwrap().parent().unwrap().strip_prefix(&self.home).unwrap();
                    let what = format!("case {number}: {template} {verb} by {}", prefix.display());
                    differ.push((what, self.interpreter.shown()));
                }
            }
        }
        for path in written {
            std::fs::remove_file(path).unwrap();
        }
        differ
    }

    /// Whether the report says of a hook that a program runs it: by the id of an interpreter beside that program, or, in
    /// the program's own environment, by a range that holds its version. Elsewhere a range speaks of Pythons that the
    /// sweep did not see.
    fn says(&self, swept: &Swept, top: &Path, hook: &Path, program: &Path) -> bool {
        let below = |path: &Path| Path::new("/").join(path.strip_prefix(top).unwrap());
        let (hook, program) = (&below(hook), &below(program));
        let hooks = swept.rows("startup_hooks");
        let Some(row) = hooks.iter().find(|row| row["path"] == shown(hook)) else { return false };
        let folder = program.parent().unwrap();
        let is_beside = |row: &Value| Path::new(row["path"].as_str().unwrap()).parent() == Some(folder);
        let own: Vec<&Value> = swept.rows("interpreters").iter().filter(|row| is_beside(row)).collect();
        let prefix = shown(folder.parent().unwrap());
        let mut environments = swept.rows("environments").iter();
        let is_own = environments.any(|own| own["path"] == prefix && own["id"] == row["environment"]);
        row["run_by"].as_array().unwrap().iter().any(|one| {
            let text = one.as_str().unwrap();
            match text.starts_with(|first: char| "<>".contains(first) || first.is_ascii_digit()) {
                true => is_own && holds(text, self.interpreter.version),
                false => own.iter().any(|row| row["id"] == *one),
            }
        })
    }
}

/// Fails with all that differs on any interpreter.
fn agree(cases: &[Case]) {
    let interpreters = interpreters();
    let differ = with_each(&interpreters, |interpreter| {
        let (_keep, home) = folder();
        let stand = Stand::new(interpreter, &home);
        (1..).zip(cases).flat_map(|(number, case)| stand.differ(number, case)).collect::<Vec<_>>()
    });
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (what, whom) in differ.concat() {
        all.entry(what).or_default().push(whom);
    }
    let all: Vec<String> = all.iter().map(|(what, whom)| format!("{what}: {}", whom.join(" "))).collect();
    assert!(all.is_empty(), "{} differ:\n{}", all.len(), all.join("\n"));
}

#[test]
fn lines_run_in_the_site_directories_of_an_interpreter() {
    agree(LINES);
}

#[test]
fn lines_run_in_what_addsitedir_names_and_not_in_what_path_lines_name() {
    agree(ADDED);
}

#[test]
fn sitecustomize_runs_from_wherever_the_path_has_it_first() {
    agree(SITECUSTOMIZE);
}

#[test]
fn usercustomize_runs_where_user_sites_count() {
    agree(USERCUSTOMIZE);
}

#[test]
fn entry_points_run_from_3_15_on_and_silence_lines() {
    agree(ENTRY_POINTS);
}

#[test]
fn folders_of_pythonpath_are_no_site_directories() {
    agree(PYTHON_PATH);
}
