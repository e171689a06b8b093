//! What the dotted names of Python's libraries mean for a judgement: which start processes, connect, decode, and so on.
//! Names are those of the library reference; `*` stands for any letters.

use crate::model::code::When;
use crate::model::startup::Feature;

/// Names whose call does something. `?` stands for a value that nothing is known of.
const CALLS: &[(Feature, &[&str])] = &[
    (
        Feature::Process,
        &[
            "subprocess.Popen",
            "subprocess.run",
            "subprocess.call",
            "subprocess.check_call",
            "subprocess.check_output",
            "subprocess.getoutput",
            "subprocess.getstatusoutput",
            "*.subprocess.Popen",
            "os.system",
            "os.popen*",
            "os.spawn*",
            "os.exec*",
            "os.fork*",
            "os.posix_spawn*",
            "os.startfile",
            "pty.spawn",
            "pty.fork",
            "multiprocessing.Process",
            "multiprocessing.Pool",
            "multiprocessing.get_context().Process",
            "concurrent.futures.ProcessPoolExecutor",
            "asyncio.create_subprocess_*",
            "asyncio.subprocess.create_subprocess_*",
            "pexpect.spawn",
            "pexpect.run",
            "commands.getoutput",
            "commands.getstatusoutput",
            "popen2.*",
            "platform.popen",
            "_posixsubprocess.fork_exec",
            "_winapi.CreateProcess",
            "_subprocess.CreateProcess",
            "win32process.CreateProcess",
            "win32api.ShellExecute",
            "win32api.WinExec",
            "ctypes.*.system",
            "ctypes.*.popen",
            "ctypes.*.execv*",
            "ctypes.*.WinExec",
            "ctypes.*.CreateProcess*",
            "ctypes.*.ShellExecute*",
            "?.Popen",
            "?.check_output",
            "?.create_subprocess_*",
            "?.posix_spawn*",
        ],
    ),
    (
        Feature::Network,
        &[
            "socket.socket",
            "socket.create_connection",
            "socket.create_server",
            "socket.getaddrinfo",
            "socket.gethostby*",
            "_socket.socket",
            "ssl.get_server_certificate",
            "urllib.request.url*",
            "urllib.request.Request",
            "urllib.request.build_opener",
            "urllib.url*",
            "urllib2.url*",
            "urllib2.Request",
            "urllib2.build_opener",
            "urllib3.PoolManager",
            "urllib3.request",
            "http.client.HTTP*Connection",
            "httplib.HTTP*",
            "requests.get",
            "requests.post",
            "requests.put",
            "requests.head",
            "requests.patch",
            "requests.delete",
            "requests.request",
            "requests.Session",
            "requests.session",
            "httpx.get",
            "httpx.post",
            "httpx.put",
            "httpx.request",
            "httpx.stream",
            "httpx.Client",
            "httpx.AsyncClient",
            "aiohttp.ClientSession",
            "aiohttp.request",
            "ftplib.FTP*",
            "smtplib.SMTP*",
            "poplib.POP3*",
            "imaplib.IMAP4*",
            "telnetlib.Telnet",
            "nntplib.NNTP*",
            "xmlrpc.client.ServerProxy",
            "xmlrpclib.ServerProxy",
            "asyncio.open_connection",
            "asyncio.open_unix_connection",
            "asyncio.start_server",
            "multiprocessing.managers.*",
            "multiprocessing.connection.*",
            "logging.handlers.HTTPHandler",
            "logging.handlers.SocketHandler",
            "logging.handlers.DatagramHandler",
            "logging.handlers.SMTPHandler",
            "logging.handlers.SysLogHandler",
            "websocket.*",
            "websockets.*",
            "paramiko.*",
            "dns.resolver.*",
            "pycurl.Curl",
            "webbrowser.open*",
            "boto3.*",
            "kubernetes.client.*",
            "kubernetes.config.*",
            "?.urlopen",
            "?.urlretrieve",
            "?.create_connection",
        ],
    ),
    (
        Feature::Decoder,
        &[
            "base64.*decode*",
            "base64.decode",
            "binascii.a2b_*",
            "binascii.unhexlify",
            "zlib.decompress*",
            "bz2.decompress",
            "bz2.BZ2Decompressor",
            "lzma.decompress",
            "lzma.LZMADecompressor",
            "gzip.decompress",
            "codecs.decode",
            "codecs.getdecoder",
            "marshal.load*",
            "pickle.load*",
            "cPickle.load*",
            "_pickle.load*",
            "dill.load*",
            "cloudpickle.load*",
            "builtins.bytes.fromhex",
            "builtins.bytearray.fromhex",
            "?.b64decode",
            "?.b32decode",
            "?.b85decode",
            "?.a85decode",
            "?.unhexlify",
            "?.fromhex",
            "Crypto.Cipher.*",
            "Cryptodome.Cipher.*",
            "cryptography.fernet.*",
            "cryptography.hazmat.primitives.ciphers.*",
        ],
    ),
    (
        Feature::Native,
        &[
            "ctypes.CDLL",
            "ctypes.PyDLL",
            "ctypes.WinDLL",
            "ctypes.OleDLL",
            "ctypes.*.LoadLibrary",
            "ctypes.windll.*",
            "ctypes.cdll.*",
            "cffi.FFI",
            "_ctypes.dlopen",
        ],
    ),
    (
        Feature::Dynamic,
        &[
            "runpy.*",
            "*.exec_module",
            "*.load_module",
            "importlib.util.spec_from_file_location",
            "importlib.util.spec_from_loader",
            "importlib.machinery.SourceFileLoader",
            "importlib.machinery.SourcelessFileLoader",
            "importlib.machinery.ExtensionFileLoader",
            "imp.load_*",
            "zipimport.zipimporter",
        ],
    ),
    (
        Feature::Writes,
        &[
            "os.remove",
            "os.unlink",
            "os.rename*",
            "os.replace",
            "os.chmod",
            "os.makedirs",
            "os.mkdir",
            "os.symlink",
            "os.link",
            "os.truncate",
            "os.write",
            "winreg.SetValue*",
            "winreg.CreateKey*",
            "_winreg.SetValue*",
            "_winreg.CreateKey*",
            "shutil.*",
            "tempfile.*",
            "?.write_text",
            "?.write_bytes",
            "*().write_text",
            "*().write_bytes",
            "?.unlink",
        ],
    ),
    (
        Feature::Files,
        &[
            "builtins.open",
            "builtins.file",
            "io.open",
            "io.FileIO",
            "codecs.open",
            "os.open",
            "os.walk",
            "os.listdir",
            "os.scandir",
            "glob.*",
            "mmap.mmap",
            "sqlite3.connect",
            "linecache.getline*",
            "tokenize.open",
            "?.read_text",
            "?.read_bytes",
            "*().read_text",
            "*().read_bytes",
            "*().glob",
            "*().rglob",
            "*().open",
        ],
    ),
    (
        Feature::Detached,
        &[
            "threading.Thread",
            "threading.Timer",
            "_thread.start_new_thread",
            "thread.start_new_thread",
            "os.setsid",
            "os.daemon",
            "atexit.register",
        ],
    ),
    (
        Feature::CredentialPath,
        &["keyring.get_password", "keyring.get_credential", "getpass.getpass", "netrc.netrc", "browser_cookie3.*"],
    ),
];

/// Values that mean something by themselves, called or not.
const VALUES: &[(Feature, &[&str])] = &[
    (
        Feature::Detached,
        &["subprocess.DEVNULL", "subprocess.DETACHED_PROCESS", "subprocess.CREATE_NO_WINDOW", "os.devnull"],
    ),
    (Feature::SelfStart, &["sys.executable"]),
    (
        Feature::Reflection,
        &[
            "*.__subclasses__",
            "*.__globals__",
            "*.func_globals",
            "*.__builtins__",
            "*.gi_frame",
            "*.cr_frame",
            "*.f_builtins",
            "*.__code__",
        ],
    ),
];

/// Modules that a line of start-up code has no reason to load but to use them.
const MODULES: &[(Feature, &[&str])] = &[
    (Feature::Process, &["subprocess", "pty", "multiprocessing", "pexpect", "commands", "popen2", "_posixsubprocess"]),
    (
        Feature::Network,
        &[
            "socket",
            "_socket",
            "urllib.request",
            "urllib2",
            "requests",
            "httpx",
            "aiohttp",
            "ftplib",
            "smtplib",
            "telnetlib",
            "paramiko",
            "websocket",
            "websockets",
            "http.client",
            "httplib",
        ],
    ),
    (Feature::Decoder, &["base64", "zlib", "bz2", "lzma", "gzip", "marshal", "pickle", "cPickle", "binascii"]),
    (Feature::Native, &["ctypes", "_ctypes", "cffi"]),
];

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
    const SAME: &[(&str, &str)] = &[
        ("posix", "os"),
        ("nt", "os"),
        ("__builtin__", "builtins"),
        ("__builtins__", "builtins"),
        ("_io", "io"),
        ("_thread", "_thread"),
    ];
    const BORROWED: &[&str] = &["os", "sys", "builtins", "subprocess", "posix", "nt"];
    let mut parts: Vec<&str> = path.split('.').collect();
    let borrowed = parts.iter().rposition(|part| BORROWED.contains(part)).filter(|at| *at > 0);
    if let Some(at) = borrowed.filter(|_| parts.first() != Some(&"asyncio")) {
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
pub(super) fn is_builtin(name: &str) -> bool {
    const BUILTINS: &[&str] = &[
        "exec",
        "eval",
        "compile",
        "execfile",
        "open",
        "file",
        "getattr",
        "setattr",
        "hasattr",
        "vars",
        "globals",
        "locals",
        "dir",
        "__import__",
        "__builtins__",
        "chr",
        "unichr",
        "ord",
        "int",
        "str",
        "unicode",
        "bytes",
        "bytearray",
        "list",
        "tuple",
        "set",
        "dict",
        "sorted",
        "reversed",
        "range",
        "xrange",
        "zip",
        "map",
        "filter",
        "enumerate",
        "len",
        "iter",
        "next",
        "type",
        "object",
        "print",
        "input",
        "raw_input",
        "repr",
        "format",
        "isinstance",
        "super",
        "any",
        "all",
        "sum",
        "min",
        "max",
        "bool",
        "float",
        "breakpoint",
        "memoryview",
        "property",
        "staticmethod",
        "classmethod",
    ];
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
