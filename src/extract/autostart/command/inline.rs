//! What single commands, and code in their arguments, do: decode, fetch, connect.

use memchr::memmem;

use super::Does;
use crate::extract::format::shell_words::Word;
use crate::model::autostart::SignKind;

/// The language of an interpreter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// Python and PyPy.
    Python,
    /// Perl.
    Perl,
    /// Ruby.
    Ruby,
    /// PHP.
    Php,
    /// Node, Bun and Deno.
    Script,
    /// AppleScript, Lua, Tcl and others that run a file.
    Other,
}

impl Language {
    /// The language of a program of that name or path.
    #[must_use]
    pub fn of(program: &[u8]) -> Option<Self> {
        let name = program.rsplit(|byte| *byte == b'/' || *byte == b'\\').next().unwrap_or_default();
        let name = name.to_ascii_lowercase();
        let name = name.strip_suffix(b".exe").unwrap_or(&name);
        let stem = name.iter().take_while(|byte| !byte.is_ascii_digit() && **byte != b'.').count();
        let (stem, rest) = name.split_at(stem);
        if !rest.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.' || *byte == b't') {
            return None;
        }
        Some(match stem {
            b"python" | b"pythonw" | b"pypy" | b"py" | b"pyw" => Self::Python,
            b"perl" => Self::Perl,
            b"ruby" => Self::Ruby,
            b"php" => Self::Php,
            b"node" | b"nodejs" | b"bun" | b"deno" => Self::Script,
            b"osascript" | b"lua" | b"luajit" | b"tclsh" | b"wish" | b"rscript" | b"julia" => Self::Other,
            _ => return None,
        })
    }

    /// Whether the word behind the option is code.
    #[must_use]
    pub fn runs_text(self, option: &[u8]) -> bool {
        match self {
            Self::Python => option.starts_with(b"-") && !option.starts_with(b"--") && option.ends_with(b"c"),
            Self::Perl | Self::Ruby => {
                option.starts_with(b"-") && (option.ends_with(b"e") || option.ends_with(b"E")) && option.len() < 5
            }
            Self::Php => option == b"-r",
            Self::Script => matches!(option, b"-e" | b"--eval" | b"-p" | b"--print" | b"-pe"),
            Self::Other => option == b"-e",
        }
    }

    /// Whether the option takes the word behind it.
    #[must_use]
    pub fn takes_word(self, option: &[u8]) -> bool {
        match self {
            Self::Python => matches!(option, b"-m" | b"-W" | b"-X" | b"--check-hash-based-pycs"),
            Self::Script => matches!(option, b"-r" | b"--require" | b"--import" | b"--loader" | b"--env-file"),
            Self::Php => matches!(option, b"-d" | b"-c"),
            Self::Perl | Self::Ruby | Self::Other => matches!(option, b"-I" | b"-r"),
        }
    }
}

fn has(text: &[u8], any: &[&str]) -> bool {
    any.iter().any(|one| memmem::find(text, one.as_bytes()).is_some())
}

/// Words by which code runs other code or a program, or loads a library.
fn runners(language: Language) -> &'static [&'static str] {
    match language {
        Language::Python => &[
            "exec(",
            "eval(",
            "exec (",
            "marshal.loads",
            "system(",
            "subprocess",
            "runpy",
            "spawn",
            "execl",
            "execv",
            "popen",
            "CDLL",
            "dlopen",
        ],
        Language::Perl | Language::Ruby => &["eval", "exec", "system", "do ", "require", "load"],
        Language::Php => &["eval", "assert(", "system(", "exec(", "passthru", "include", "require"],
        Language::Script => &["eval(", "Function(", "child_process", "vm.run", "import(", "require("],
        Language::Other => &["do shell script", "load", "exec", "dofile"],
    }
}

/// What code in an argument does.
#[must_use]
pub fn code(language: Language, text: &[u8]) -> Vec<SignKind> {
    let runs = runners(language);
    let decodes = [
        "b64decode",
        "b32decode",
        "b85decode",
        "a85decode",
        "decodebytes",
        "unhexlify",
        "fromhex",
        "decompress",
        "marshal",
        "codecs.decode",
        "decode_base64",
        "unpack(",
        "Base64.",
        "base64_decode",
        "gzinflate",
        "str_rot13",
        "atob(",
        "'base64'",
        "\"base64\"",
        "'hex'",
        "\"hex\"",
        "base64 -d",
        "base64 --decode",
    ];
    let fetches = [
        "urlopen",
        "urlretrieve",
        "requests.get",
        "httpx.",
        "curl ",
        "wget ",
        "fetch(",
        "https.get",
        "LWP::",
        "Net::HTTP",
        "open-uri",
    ];
    let mut out = Vec::new();
    if has(text, runs) {
        out.extend(has(text, &decodes).then_some(SignKind::DecodesAndRuns));
        out.extend(has(text, &fetches).then_some(SignKind::FetchesAndRuns));
    }
    let connects = has(text, &["socket"])
        && has(text, &["dup2", "pty.spawn", "/bin/sh", "/bin/bash", "STDIN->fdopen", "exec(\"sh", "cmd.exe"]);
    out.extend(connects.then_some(SignKind::RemoteShell));
    out
}

/// The files that code in an argument names in quotes, if it runs or loads anything.
pub(super) fn paths(language: Language, text: &[u8]) -> Vec<&[u8]> {
    if !has(text, runners(language)) {
        return Vec::new();
    }
    let parts = text.split(|byte| matches!(byte, b'\'' | b'"'));
    let is_path = |part: &&[u8]| part.starts_with(b"/") && part.len() > 1 && !part.contains(&b' ');
    parts.skip(1).step_by(2).filter(is_path).collect()
}

/// What a tool does with its input.
pub(super) fn tool(name: &[u8], arguments: &[Word]) -> Does {
    let any = |options: &[&[u8]]| arguments.iter().any(|word| options.contains(&word.text.as_slice()));
    let decodes = match name {
        b"base64" | b"base32" | b"basenc" | b"gbase64" => any(&[b"-d", b"--decode", b"-D", b"-di", b"-id"]),
        b"openssl" => any(&[b"-d", b"-decrypt"]),
        b"xxd" => arguments.iter().any(|word| word.text.starts_with(b"-r")),
        b"gpg" | b"gpg2" => any(&[b"-d", b"--decrypt"]),
        b"uudecode" | b"rev" => true,
        _ => false,
    };
    match name {
        _ if decodes => Does::Decode,
        b"curl" | b"wget" | b"fetch" | b"aria2c" => Does::Fetch,
        _ => Does::Other,
    }
}

/// What stands in the place of a script because a command puts it out: `$(curl …)`.
pub(super) fn substituted(text: &[u8]) -> Option<SignKind> {
    let from = memmem::find(text, b"$(").or_else(|| memchr::memchr(b'`', text))?;
    // Only what begins with it is run: `test "$(curl …)" = x` is not.
    if !text.get(..from)?.trim_ascii().is_empty() {
        return None;
    }
    let inner = text.get(from..)?;
    let decodes = ["base64 -d", "base64 --decode", "base64 -D", "openssl enc -d", "xxd -r", "base32 -d"];
    if has(inner, &decodes) {
        return Some(SignKind::DecodesAndRuns);
    }
    let first = inner.iter().position(|byte| byte.is_ascii_alphabetic()).and_then(|at| inner.get(at..))?;
    [b"curl ".as_slice(), b"wget "].iter().any(|name| first.starts_with(name)).then_some(SignKind::FetchesAndRuns)
}

/// Longest `$(…)` that is looked into, in bytes: many that never end must not cost more than one.
const LONGEST_SUBSTITUTION: usize = 4096;

/// The scripts in the `$(…)` and backquotes of a word; arithmetic is none.
pub(super) fn substitutions(text: &[u8]) -> Vec<&[u8]> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let found = if rest.starts_with(b"$((") {
            None
        } else if let Some(inner) = rest.strip_prefix(b"$(") {
            closing(inner).and_then(|end| inner.get(..end)).map(|script| (script, script.len() + 3))
        } else if let Some(inner) = rest.strip_prefix(b"`") {
            memchr::memchr(b'`', inner).and_then(|end| inner.get(..end)).map(|script| (script, script.len() + 2))
        } else {
            None
        };
        out.extend(found.map(|(script, _)| script));
        at += found.map_or(1, |(_, length)| length);
    }
    out
}

/// Where the parenthesis that was opened in front closes.
fn closing(text: &[u8]) -> Option<usize> {
    let mut depth = 0_u32;
    for (at, byte) in text.iter().take(LONGEST_SUBSTITUTION).enumerate() {
        match byte {
            b'(' => depth = depth.saturating_add(1),
            b')' if depth == 0 => return Some(at),
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Whether a line connects a shell to the network.
pub(super) fn is_remote_shell(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    if line.starts_with(b"#") {
        return false;
    }
    let is_shell = || has(line, &["sh -i", "sh -li", "/bin/sh", "/bin/bash", "/bin/zsh", "cmd.exe"]);
    if has(line, &["/dev/tcp/", "/dev/udp/"]) {
        return has(line, &["sh -i", "0>&1", "0<&", "<&1", "sh <&", "sh 0<"]);
    }
    if has(line, &["nc ", "ncat ", "netcat "]) {
        let executes = has(line, &[" -e ", " -c /bin", " --exec", " --sh-exec", " -e/bin"]) && is_shell();
        return executes || (has(line, &["mkfifo", "mknod"]) && is_shell());
    }
    has(line, &["socat "]) && has(line, &["exec:", "EXEC:", "system:", "SYSTEM:"]) && has(line, &["sh"]) && {
        has(line, &["tcp:", "TCP:", "openssl:", "OPENSSL:", "tcp4:", "TCP4:"])
    }
}

/// Whether a line starts something that nobody is to see: in the background, or with its output thrown away.
pub(super) fn is_unseen(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let is_background = line.ends_with(b"&") && !line.ends_with(b"&&");
    !line.starts_with(b"#") && (is_background || has(line, &["nohup ", "setsid ", "disown", "& fi", "&)", "& )"]))
}
