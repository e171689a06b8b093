//! The modules of the standard library. Those that every Python 3 has are found before anything in a site directory; of
//! those that only some versions or systems have, one in a site directory may be what Python takes (`_winapi` on Linux).

/// Whether every Python 3 has such a module of its own.
#[must_use]
pub(super) fn is_always_there(top: &str) -> bool {
    ALWAYS.binary_search(&top).is_ok()
}

/// Whether some version or system has one.
#[must_use]
pub(super) fn is_sometimes_there(top: &str) -> bool {
    SOMETIMES.binary_search(&top).is_ok()
}

/// In all of 3.6 to 3.13.
#[rustfmt::skip]
const ALWAYS: &[&str] = &[
    "__future__", "_ast", "_asyncio", "_bisect", "_blake2", "_bz2", "_codecs", "_codecs_cn", "_codecs_hk",
    "_codecs_iso2022", "_codecs_jp", "_codecs_kr", "_codecs_tw", "_collections", "_collections_abc", "_compat_pickle",
    "_compression", "_csv", "_ctypes", "_ctypes_test", "_curses", "_curses_panel", "_datetime", "_decimal",
    "_elementtree", "_functools", "_heapq", "_imp", "_io", "_json", "_locale", "_lsprof", "_lzma", "_markupbase",
    "_md5", "_multibytecodec", "_multiprocessing", "_opcode", "_operator", "_osx_support", "_pickle",
    "_posixsubprocess", "_pydecimal", "_pyio", "_random", "_sha1", "_sha3", "_signal", "_sitebuiltins", "_socket",
    "_sqlite3", "_sre", "_ssl", "_stat", "_string", "_strptime", "_struct", "_symtable", "_thread",
    "_threading_local", "_tkinter", "_tracemalloc", "_warnings", "_weakref", "_weakrefset", "abc", "antigravity",
    "argparse", "array", "ast", "asyncio", "atexit", "base64", "bdb", "binascii", "bisect", "builtins", "bz2",
    "cProfile", "calendar", "cmath", "cmd", "code", "codecs", "codeop", "collections", "colorsys", "compileall",
    "concurrent", "configparser", "contextlib", "copy", "copyreg", "csv", "ctypes", "curses", "datetime", "dbm",
    "decimal", "difflib", "dis", "doctest", "email", "encodings", "ensurepip", "enum", "errno", "faulthandler",
    "fcntl", "filecmp", "fileinput", "fnmatch", "fractions", "ftplib", "functools", "gc", "genericpath", "getopt",
    "getpass", "gettext", "glob", "grp", "gzip", "hashlib", "heapq", "hmac", "html", "http", "imaplib", "importlib",
    "inspect", "io", "ipaddress", "itertools", "json", "keyword", "linecache", "locale", "logging", "lzma", "mailbox",
    "marshal", "math", "mimetypes", "mmap", "modulefinder", "multiprocessing", "netrc", "ntpath", "nturl2path",
    "numbers", "opcode", "operator", "optparse", "os", "pathlib", "pdb", "pickle", "pickletools", "pkgutil",
    "plistlib", "poplib", "posix", "posixpath", "pprint", "profile", "pstats", "pty", "pwd", "py_compile", "pyclbr",
    "pydoc", "pydoc_data", "pyexpat", "queue", "quopri", "random", "re", "readline", "reprlib", "resource",
    "rlcompleter", "runpy", "sched", "secrets", "select", "selectors", "shelve", "shlex", "shutil", "signal", "site",
    "smtplib", "socket", "socketserver", "sqlite3", "sre_compile", "sre_constants", "sre_parse", "ssl", "stat",
    "statistics", "string", "stringprep", "struct", "subprocess", "symtable", "sys", "sysconfig", "syslog",
    "tabnanny", "tarfile", "tempfile", "termios", "textwrap", "this", "threading", "time", "timeit", "tkinter",
    "token", "tokenize", "trace", "traceback", "tracemalloc", "tty", "turtle", "turtledemo", "types", "typing",
    "unicodedata", "unittest", "urllib", "uuid", "venv", "warnings", "wave", "weakref", "webbrowser", "wsgiref",
    "xml", "xmlrpc", "zipapp", "zipfile", "zipimport", "zlib",
];

/// In some, or in 2.7, or on some systems.
#[rustfmt::skip]
const SOMETIMES: &[&str] = &[
    "BaseHTTPServer", "Bastion", "CGIHTTPServer", "ConfigParser", "Cookie", "DocXMLRPCServer", "HTMLParser",
    "MimeWriter", "Queue", "SimpleHTTPServer", "SimpleXMLRPCServer", "SocketServer", "StringIO", "UserDict",
    "UserList", "UserString", "_LWPCookieJar", "_MozillaCookieJar", "__builtin__", "__hello__", "__main__", "_abc",
    "_abcoll", "_aix_support", "_android_support", "_bootlocale", "_bootsubprocess", "_colorize", "_contextvars",
    "_crypt", "_dbm", "_dummy_thread", "_frozen_importlib", "_frozen_importlib_external", "_gdbm", "_hashlib",
    "_hotshot", "_interpchannels", "_interpqueues", "_interpreters", "_ios_support", "_msi", "_opcode_metadata",
    "_overlapped", "_posixshmem", "_py_abc", "_pydatetime", "_pylong", "_pyrepl", "_queue", "_scproxy", "_sha",
    "_sha2", "_sha256", "_sha512", "_statistics", "_suggestions", "_sysconfig", "_sysconfigdata", "_tokenize",
    "_typing", "_uuid", "_winapi", "_wmi", "_zoneinfo", "aifc", "anydbm", "asynchat", "asyncore", "audiodev",
    "audioop", "binhex", "bsddb", "cPickle", "cStringIO", "cgi", "cgitb", "chunk", "commands", "compiler", "config",
    "contextvars", "cookielib", "copy_reg", "crypt", "dataclasses", "dbhash", "dircache", "distutils", "dumbdbm",
    "dummy_thread", "dummy_threading", "exceptions", "formatter", "fpformat", "future_builtins", "graphlib",
    "hotshot", "htmlentitydefs", "htmllib", "httplib", "ihooks", "imghdr", "imp", "imputil", "lib2to3",
    "linuxaudiodev", "macpath", "macurl2path", "mailcap", "markupbase", "md5", "mhlib", "mimetools", "mimify",
    "msilib", "msvcrt", "multifile", "mutex", "new", "nis", "nntplib", "nt", "os2emxpath", "ossaudiodev", "parser",
    "pipes", "popen2", "posixfile", "repr", "rexec", "rfc822", "robotparser", "sets", "sgmllib", "sha", "smtpd",
    "sndhdr", "spwd", "sre", "statvfs", "stringold", "strop", "sunau", "sunaudio", "symbol", "telnetlib", "thread",
    "toaiff", "tomllib", "urllib2", "urlparse", "user", "uu", "whichdb", "winreg", "winsound", "xdrlib", "xmllib",
    "xmlrpclib", "zoneinfo",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_sorted_and_hold_what_every_python_has() {
        assert!(ALWAYS.is_sorted() && SOMETIMES.is_sorted());
        assert!(
            ["os", "site", "importlib", "_thread", "zlib", "__future__", "subprocess"].into_iter().all(is_always_there)
        );
        assert!(["urllib2", "_winapi", "imp", "distutils", "winreg"].into_iter().all(is_sometimes_there));
        let neither = |name: &str| !is_always_there(name) && !is_sometimes_there(name);
        assert!(["sitecustomize", "_distutils_hack", "pip", "setuptools", "requests"].into_iter().all(neither));
    }
}
