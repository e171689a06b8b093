//! What the dotted names of Python's libraries mean for a judgement, by the tables of `known`.

use super::known::{CALLS, MODULES, VALUES};
use crate::model::code::When;
use crate::model::startup::Feature;

/// What a call of that name does.
pub(super) fn of_call(path: &str) -> impl Iterator<Item = Feature> {
    all(CALLS, path)
}

/// What such a value means, called or not.
pub(super) fn of_value(path: &str) -> impl Iterator<Item = Feature> {
    all(VALUES, path)
}

/// What loading a module means in a line of start-up code.
pub(super) fn of_module(module: &str) -> impl Iterator<Item = Feature> {
    all(MODULES, module)
}

fn all(table: &'static [(Feature, &[&str])], path: &str) -> impl Iterator<Item = Feature> {
    table.iter().filter(move |(_, names)| names.iter().any(|name| fits(name, path))).map(|(feature, _)| *feature)
}

fn fits(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((start, end)) => match path.strip_prefix(start) {
            Some(rest) if end.contains('*') => end.split_once('*').is_some_and(|(middle, end)| {
                rest.find(middle).is_some_and(|at| rest.len() >= at + middle.len() + end.len()) && rest.ends_with(end)
            }),
            Some(rest) => rest.ends_with(end),
            None => false,
        },
    }
}

/// One name for what has several: modules of the operating system, of Python 2, and what other modules have imported
/// (`shutil.os` is `os`).
pub(super) fn canonical(path: &str) -> String {
    const SAME: &[(&str, &str)] =
        &[("posix", "os"), ("nt", "os"), ("__builtin__", "builtins"), ("__builtins__", "builtins"), ("_io", "io")];
    const BORROWED: &[&str] = &["os", "sys", "builtins", "subprocess", "posix", "nt"];
    let mut parts: Vec<&str> = path.split('.').collect();
    let borrowed = parts.iter().rposition(|part| BORROWED.contains(part)).filter(|at| *at > 0);
    if let Some(at) = borrowed.filter(|_| !path.starts_with("asyncio.subprocess")) {
        parts.drain(..at);
    }
    if let Some(first) = parts.first_mut()
        && let Some((_, same)) = SAME.iter().find(|(name, _)| name == first)
    {
        *first = same;
    }
    parts.join(".")
}

/// Whether a call only says something: its texts are words for people.
pub(super) fn is_message(path: &str) -> bool {
    const ENDS: &[&str] = &[
        "print",
        "warn",
        "warning",
        "error",
        "info",
        "debug",
        "exception",
        "critical",
        "log",
        "write",
        "add_argument",
    ];
    const STARTS: &[&str] = &["logging.", "warnings.", "argparse.", "traceback."];
    let last = path.rsplit('.').next().unwrap_or_default();
    let is_error = last.ends_with("Error") || last.ends_with("Exception") || last.ends_with("Warning");
    is_error || ENDS.contains(&last) || STARTS.iter().any(|start| path.starts_with(start))
}

/// When what is handed to a call of that name runs; none for what only describes it, such as a decorator of the library.
pub(super) fn runs(path: &str) -> Option<When> {
    const AT_ONCE: &[&str] = &[
        "threading.Thread",
        "threading.Timer",
        "_thread.start_new*",
        "thread.start_new*",
        "atexit.register",
        "multiprocessing.*",
        "asyncio.*",
        "functools.reduce",
        "builtins.map",
        "builtins.filter",
        "builtins.list",
        "builtins.tuple",
        "builtins.set",
        "builtins.sorted",
        "builtins.any",
        "builtins.str",
        "builtins.repr",
        "builtins.print",
        "builtins.all",
        "builtins.sum",
        "builtins.min",
        "builtins.max",
        "builtins.next",
        "concurrent.*",
        "*.submit",
        "*.start",
        "?.*",
    ];
    const NEVER: &[&str] = &[
        "builtins.property",
        "builtins.staticmethod",
        "builtins.classmethod",
        "builtins.isinstance",
        "builtins.hasattr",
        "builtins.super",
        "functools.wraps*",
        "functools.lru_cache*",
        "functools.cache*",
        "functools.total_ordering",
        "functools.singledispatch*",
        "functools.update_wrapper",
        "contextlib.*",
        "abc.*",
        "typing.*",
        "typing_extensions.*",
        "dataclasses.*",
        "enum.*",
        "collections.*",
        "logging.*",
        "warnings.*",
    ];
    let has = |patterns: &[&str]| patterns.iter().any(|pattern| fits(pattern, path));
    match () {
        () if has(NEVER) => None,
        () if has(AT_ONCE) => Some(When::Start),
        () => Some(When::Later),
    }
}

/// Modules that can do anything, where they are handed about as values.
pub(super) fn is_powerful(path: &str) -> bool {
    matches!(path, "os" | "subprocess" | "pty" | "ctypes" | "builtins" | "socket")
}

/// Calls that are handed modules in ordinary code.
pub(super) fn takes_modules(path: &str) -> bool {
    path.starts_with("builtins.")
        || matches!(path, "importlib.reload" | "imp.reload" | "inspect.getfile" | "functools.reduce")
        || path.starts_with('{')
}

/// The built-in names that matter here.
#[rustfmt::skip]
const BUILTINS: &[&str] = &[
    "exec", "eval", "compile", "execfile", "open", "file", "getattr", "setattr", "hasattr", "vars", "globals", "locals", "dir",
    "__import__", "__builtins__", "chr", "unichr", "ord", "int", "str", "unicode", "bytes", "bytearray", "list", "tuple", "set",
    "dict", "sorted", "reversed", "range", "xrange", "zip", "map", "filter", "enumerate", "len", "iter", "next", "type",
    "object", "print", "input", "raw_input", "repr", "format", "isinstance", "super", "any", "all", "sum", "min", "max",
    "bool", "float", "breakpoint", "memoryview", "property", "staticmethod", "classmethod",
];

/// Whether a name is one of the built-in ones.
pub(super) fn is_builtin(name: &str) -> bool {
    BUILTINS.contains(&name) || name.ends_with("Error") || name.ends_with("Exception") || name.ends_with("Warning")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_what_they_do() {
        let call = |path: &str| of_call(&canonical(path)).collect::<Vec<_>>();
        assert_eq!(call("os.system"), [Feature::Process]);
        assert_eq!(call("posix.system"), [Feature::Process]);
        assert_eq!(call("shutil.os.popen"), [Feature::Process]);
        assert_eq!(call("importlib.sys.modules"), []);
        assert_eq!(call("subprocess.list2cmdline"), []);
        assert_eq!(call("ctypes.CDLL().system"), [Feature::Process]);
        assert_eq!(call("base64.urlsafe_b64decode"), [Feature::Decoder]);
        assert_eq!(call("base64.b64encode"), []);
        assert_eq!(call("urllib.request.urlopen"), [Feature::Network]);
        assert_eq!(call("urllib.parse.urlparse"), []);
        assert_eq!(call("pathlib.Path.home().read_text"), [Feature::Files]);
        assert_eq!(of_value("().__class__.__base__.__subclasses__").collect::<Vec<_>>(), [Feature::Reflection]);
    }

    #[test]
    fn what_only_speaks_is_told_from_what_acts() {
        assert!(is_message("builtins.print") && is_message("builtins.ImportError") && is_message("logging.info"));
        assert!(!is_message("os.system") && !is_message("builtins.open"));
    }
}
