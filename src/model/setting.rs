//! Environment variables that make Python run or import other code than its installation has, wherever a system keeps
//! them: shell start-up files, unit files, crontabs, property lists, the registry.
//!
//! The list is that of CPython's "Environment variables" page, and of two widely used packages whose start-up files
//! evaluate a variable. Those that only narrow what is imported (`PYTHONNOUSERSITE`, `PYTHONSAFEPATH`) are left out.

use serde::Deserialize;

use super::path::TargetPath;
use super::text::Excerpt;
use super::time::Time;

/// Longest value that is kept, in bytes.
pub const LONGEST_VALUE: usize = 4096;

/// Deepest nesting of `${A:-${B:-…}}` that is followed.
const DEEPEST: usize = 8;

/// The variables, and what their values name.
const VARIABLES: &[(&str, Names)] = &[
    ("PYTHONPATH", Names::Folders),
    ("PYTHONHOME", Names::Folders),
    ("PYTHONUSERBASE", Names::One),
    ("PYTHONSTARTUP", Names::One),
    // Compiled code is taken from there, whatever the source says.
    ("PYTHONPYCACHEPREFIX", Names::One),
    ("PYTHONEXECUTABLE", Names::One),
    ("__PYVENV_LAUNCHER__", Names::One),
    ("PYTHONPLATLIBDIR", Names::Other),
    // A filter may name a category, which is imported.
    ("PYTHONWARNINGS", Names::Other),
    ("PYTHONBREAKPOINT", Names::Other),
    // Debug builds import it before `site`.
    ("PYTHON_PRESITE", Names::Other),
    // The start-up files of `manhole` and `hunter` evaluate them.
    ("PYTHONMANHOLE", Names::Other),
    ("PYTHONHUNTER", Names::Other),
];

/// What the values of a variable name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// Folders, one after the other.
    Folders,
    /// One folder or file.
    One,
    /// No place.
    Other,
}

/// The variables by name.
pub fn variables() -> impl Iterator<Item = &'static str> {
    VARIABLES.iter().map(|(name, _)| *name)
}

/// The variable of that name, if it is one of them.
#[must_use]
pub fn variable(name: &[u8]) -> Option<&'static str> {
    variables().find(|known| known.as_bytes() == name)
}

/// How a file sets variables.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SettingForm {
    /// Commands of a shell.
    Shell,
    /// A unit file or the configuration of systemd.
    Unit,
    /// `NAME=value`, one a line.
    EnvironmentFile,
    /// A crontab.
    Crontab,
    /// A property list of launchd.
    Plist,
    /// A hive of the registry.
    Registry,
}

/// One place that sets one of these variables.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PythonSetting {
    /// The file.
    pub path: TargetPath,
    /// Counted from 1; 0 where lines mean nothing.
    pub line: u32,
    /// One of [`variables`].
    pub variable: &'static str,
    /// As written, quotes removed. For look-ups, never for the report.
    pub value: Vec<u8>,
    /// Whether the value is longer than what was kept.
    pub is_cut: bool,
    /// The line, redacted.
    pub text: Excerpt,
    /// How the file sets it.
    pub form: SettingForm,
    /// Whether programs that are started see it; a shell may keep it to itself.
    pub is_exported: bool,
    /// Whether the file lies where the swept system or an account of it reads it. Others are copies, templates, parts of
    /// a container.
    pub is_in_place: bool,
    /// Always none: these files may hold secrets, and those of a short file can be guessed from its hash.
    pub sha256: Option<String>,
    /// The file's last modification.
    pub modified: Option<Time>,
    /// The file's owner.
    pub owner_uid: Option<u32>,
}

/// A place that the value of a setting names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Named {
    /// An absolute path, `.` and `..` taken out, links not followed.
    Path(TargetPath),
    /// A path that depends on the folder Python is started in. Empty: that folder itself.
    Relative(Vec<u8>),
    /// What holds a variable or a command that only the running system could fill in, or was cut; as written, as far as
    /// it was.
    Unresolved(Vec<u8>),
}

impl PythonSetting {
    /// The folders and files that the value names, in its order. `home` is that of the account for which it is set.
    /// References to the variable's own former value name nothing. Empty for variables whose values are no places.
    #[must_use]
    pub fn folders(&self, home: Option<&TargetPath>) -> Vec<Named> {
        let names = VARIABLES.iter().find(|(name, _)| *name == self.variable).map_or(Names::Other, |(_, names)| *names);
        if names == Names::Other {
            return Vec::new();
        }
        let separator = self.path.separator();
        let ends = (names == Names::Folders).then_some(if separator == b'\\' { b';' } else { b':' });
        let mut filling = Filling { setting: self, home, separator, ends, done: Vec::new(), entry: Entry::default() };
        filling.fill(&self.value, 0);
        if self.is_cut {
            filling.entry.is_open = true;
        }
        filling.end_entry();
        filling.done
    }
}

/// One entry of a list of folders, as far as it was put together.
#[derive(Default)]
struct Entry {
    text: Vec<u8>,
    /// Something in it is not known.
    is_open: bool,
    /// Something in it named the variable itself.
    is_former: bool,
}

/// A value that is being filled in.
struct Filling<'a> {
    setting: &'a PythonSetting,
    home: Option<&'a TargetPath>,
    separator: u8,
    /// What stands between entries, if there can be several.
    ends: Option<u8>,
    done: Vec<Named>,
    entry: Entry,
}

impl Filling<'_> {
    fn fill(&mut self, text: &[u8], depth: usize) {
        let mut rest = text;
        while let Some((first, tail)) = rest.split_first() {
            rest = match first {
                b'$' if self.setting.form != SettingForm::Registry => self.dollar(tail, depth),
                b'@' if tail.starts_with(b"{HOME}") => {
                    self.known(b"HOME", b"@{HOME}");
                    tail.get(6..).unwrap_or_default()
                }
                b'%' if self.setting.form == SettingForm::Registry => self.percent(tail),
                b'%' if self.setting.form == SettingForm::Unit => self.specifier(tail),
                b'`' => {
                    let end = tail.iter().position(|byte| *byte == b'`').map_or(tail.len(), |at| at + 1);
                    self.open(b"`", tail, end)
                }
                b'~' if self.entry.text.is_empty() => self.tilde(tail),
                byte if Some(*byte) == self.ends => {
                    self.end_entry();
                    tail
                }
                byte => {
                    self.entry.text.push(*byte);
                    tail
                }
            };
        }
    }

    /// `$NAME`, `${NAME}`, `${NAME:-word}`, `$(command)`. Gives what comes behind it.
    fn dollar<'t>(&mut self, tail: &'t [u8], depth: usize) -> &'t [u8] {
        match tail.first() {
            Some(b'{') => {
                let end = closing(tail, b'{', b'}');
                let inner = tail.get(1..end.saturating_sub(1)).unwrap_or_default();
                let length = name_length(inner);
                let (name, operation) = inner.split_at(length);
                self.braced(name, operation, tail.get(..end).unwrap_or(tail), depth);
                tail.get(end..).unwrap_or_default()
            }
            Some(b'(') => self.open(b"$", tail, closing(tail, b'(', b')')),
            _ => {
                let (name, behind) = tail.split_at(name_length(tail));
                match name {
                    b"" => self.entry.text.push(b'$'),
                    name => self.known(name, &[b"$", name].concat()),
                }
                behind
            }
        }
    }

    /// `${NAME…}`. A word for the case that the variable is set, or is not, is taken as if that were the case.
    fn braced(&mut self, name: &[u8], operation: &[u8], whole: &[u8], depth: usize) {
        let operator = operation.strip_prefix(b":").unwrap_or(operation);
        let word = match operator.split_first() {
            Some((b'-' | b'=' | b'+', word)) if depth < DEEPEST => Some(word),
            _ => None,
        };
        let is_own = name == self.setting.variable.as_bytes();
        match word {
            Some(word) if is_own => {
                self.entry.is_former = true;
                self.fill(word, depth + 1);
            }
            Some(word) if self.value_of(name).is_none() && !operator.starts_with(b"+") => self.fill(word, depth + 1),
            _ => self.known(name, &[b"$", whole].concat()),
        }
    }

    /// `%NAME%` of Windows.
    fn percent<'t>(&mut self, tail: &'t [u8]) -> &'t [u8] {
        match tail.iter().position(|byte| *byte == b'%') {
            Some(end) if end > 0 => {
                let name = tail.get(..end).unwrap_or_default();
                self.known(&name.to_ascii_uppercase(), &[b"%", name, b"%"].concat());
                tail.get(end + 1..).unwrap_or_default()
            }
            _ => {
                self.entry.text.push(b'%');
                tail
            }
        }
    }

    /// `%h` and its like in units.
    fn specifier<'t>(&mut self, tail: &'t [u8]) -> &'t [u8] {
        match tail.first() {
            Some(b'%') => self.entry.text.push(b'%'),
            Some(b'h') => self.known(b"HOME", b"%h"),
            Some(b'u') => self.known(b"USER", b"%u"),
            Some(other) => {
                self.entry.text.extend([b'%', *other]);
                self.entry.is_open = true;
            }
            None => self.entry.text.push(b'%'),
        }
        tail.get(1..).unwrap_or_default()
    }

    /// `~` and `~/x` at the start of an entry; whose `~name` is, only the user database says.
    fn tilde<'t>(&mut self, tail: &'t [u8]) -> &'t [u8] {
        let is_own =
            tail.first().is_none_or(|byte| *byte == b'/' || *byte == self.separator || Some(*byte) == self.ends);
        if is_own {
            self.known(b"HOME", b"~");
        } else {
            self.entry.text.push(b'~');
            self.entry.is_open = true;
        }
        tail
    }

    /// A command or what else cannot be known: `end` bytes of `tail`.
    fn open<'t>(&mut self, lead: &[u8], tail: &'t [u8], end: usize) -> &'t [u8] {
        self.entry.text.extend_from_slice(lead);
        self.entry.text.extend_from_slice(tail.get(..end).unwrap_or(tail));
        self.entry.is_open = true;
        tail.get(end..).unwrap_or_default()
    }

    /// The value of a variable, or the reference as it was written.
    fn known(&mut self, name: &[u8], written: &[u8]) {
        if name == self.setting.variable.as_bytes() {
            self.entry.is_former = true;
        } else if let Some(value) = self.value_of(name) {
            self.entry.text.extend(value);
        } else {
            self.entry.text.extend_from_slice(written);
            self.entry.is_open = true;
        }
    }

    fn value_of(&self, name: &[u8]) -> Option<Vec<u8>> {
        let below_home = |rest: &[u8]| self.home.map(|home| [home.as_bytes(), rest].concat());
        if self.separator == b'/' {
            return match name {
                b"HOME" => below_home(b""),
                b"USER" | b"LOGNAME" => self.home.map(|home| home.file_name().to_vec()),
                _ => None,
            };
        }
        match name {
            b"HOME" | b"USERPROFILE" => below_home(b""),
            b"APPDATA" => below_home(b"\\AppData\\Roaming"),
            b"LOCALAPPDATA" => below_home(b"\\AppData\\Local"),
            b"TEMP" | b"TMP" => below_home(b"\\AppData\\Local\\Temp"),
            b"USERNAME" => self.home.map(|home| home.file_name().to_vec()),
            b"SYSTEMDRIVE" => Some(b"C:".to_vec()),
            b"SYSTEMROOT" | b"WINDIR" => Some(b"C:\\Windows".to_vec()),
            b"PROGRAMFILES" => Some(b"C:\\Program Files".to_vec()),
            b"PROGRAMDATA" | b"ALLUSERSPROFILE" => Some(b"C:\\ProgramData".to_vec()),
            b"PUBLIC" => Some(b"C:\\Users\\Public".to_vec()),
            _ => None,
        }
    }

    fn end_entry(&mut self) {
        let Entry { text, is_open, is_former } = std::mem::take(&mut self.entry);
        if is_open {
            self.done.push(Named::Unresolved(text));
        } else if !text.is_empty() || !is_former {
            self.done.push(absolute(&text, self.separator).map_or(Named::Relative(text), Named::Path));
        }
    }
}

/// How many bytes of `text` are the name of a variable.
fn name_length(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
}

/// Where what opens at the first byte has been closed; the end if it never is.
fn closing(text: &[u8], opens: u8, closes: u8) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in text.iter().enumerate() {
        if *byte == opens {
            depth += 1;
        } else if *byte == closes {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return at + 1;
            }
        }
    }
    text.len()
}

/// An absolute path as the target writes it.
fn absolute(text: &[u8], separator: u8) -> Option<TargetPath> {
    let (top, rest) = match text {
        [b'/', rest @ ..] if separator == b'/' => (TargetPath::new(b"/"), rest),
        [drive, b':', b'/' | b'\\', rest @ ..] if separator == b'\\' && drive.is_ascii_alphabetic() => {
            (TargetPath::new(&[drive.to_ascii_uppercase(), b':', b'\\']), rest)
        }
        _ => return None,
    };
    let parts = rest.split(|byte| *byte == separator || *byte == b'/').filter(|part| !part.is_empty() && *part != b".");
    Some(parts.fold(top, |path, part| match part {
        b".." => path.parent().unwrap_or(path),
        part => path.join(part),
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn setting(path: &str, form: SettingForm, variable: &'static str, value: &[u8]) -> PythonSetting {
        PythonSetting {
            path: TargetPath::new(path.as_bytes()),
            line: 1,
            variable,
            value: value.to_vec(),
            is_cut: false,
            text: Excerpt::of(value),
            form,
            is_exported: true,
            is_in_place: true,
            sha256: None,
            modified: None,
            owner_uid: None,
        }
    }

    fn told(named: Vec<Named>) -> Vec<String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let tell = |one: &Named| match one {
            Named::Path(path) => text(path.as_bytes()),
            Named::Relative(path) => format!("./{}", text(path)),
            Named::Unresolved(path) => format!("? {}", text(path)),
        };
        named.iter().map(tell).collect()
    }

    fn shell(value: &str) -> Vec<String> {
        let home = TargetPath::new(b"/home/mia");
        let one = setting("/home/mia/.bashrc", SettingForm::Shell, "PYTHONPATH", value.as_bytes());
        told(one.folders(Some(&home)))
    }

    #[test]
    fn a_list_is_taken_apart() {
        assert_eq!(shell("/opt/a:/opt//b/../c/"), ["/opt/a", "/opt/c"]);
        assert_eq!(
            shell("$HOME/lib:${HOME}/x:~/y:~:/home/$USER/z"),
            ["/home/mia/lib", "/home/mia/x", "/home/mia/y", "/home/mia", "/home/mia/z"]
        );
        assert_eq!(shell("lib:."), ["./lib", "./."]);
        // An entry of nothing is the folder that Python is started in.
        assert_eq!(shell("/a:"), ["/a", "./"]);
        assert_eq!(shell(""), ["./"]);
    }

    #[test]
    fn the_former_value_names_nothing() {
        assert_eq!(shell("$PYTHONPATH:/a"), ["/a"]);
        assert_eq!(shell("/a:${PYTHONPATH}"), ["/a"]);
        assert_eq!(shell("/a${PYTHONPATH:+:$PYTHONPATH}"), ["/a"]);
        assert_eq!(shell("${PYTHONPATH:+${PYTHONPATH}:}/a"), ["/a"]);
        // What hides in the default is taken out of it.
        assert_eq!(shell("${PYTHONPATH:-/tmp/x}"), ["/tmp/x"]);
        assert_eq!(shell("${PYTHONPATH:+/tmp/x:}/a"), ["/tmp/x", "/a"]);
    }

    #[test]
    fn what_is_not_known_is_told() {
        assert_eq!(shell("$ROOT/lib:/a"), ["? $ROOT/lib", "/a"]);
        assert_eq!(shell("$(dirname \"$0\"):/a"), ["? $(dirname \"$0\")", "/a"]);
        assert_eq!(shell("`pwd`/x"), ["? `pwd`/x"]);
        assert_eq!(shell("~ben/x"), ["? ~ben/x"]);
        assert_eq!(shell("${XDG_DATA_HOME:-$HOME/.local/share}/x"), ["/home/mia/.local/share/x"]);
        assert_eq!(shell("${X%/*}"), ["? ${X%/*}"]);
        assert_eq!(shell("${X"), ["? ${X"]);
        let one = setting("/etc/profile", SettingForm::Shell, "PYTHONPATH", b"~/x:$HOME");
        assert_eq!(told(one.folders(None)), ["? ~/x", "? $HOME"]);
        let cut = PythonSetting { is_cut: true, ..setting("/x", SettingForm::Shell, "PYTHONPATH", b"/a:/b") };
        assert_eq!(told(cut.folders(None)), ["/a", "? /b"]);
    }

    #[test]
    fn each_form_has_its_own_variables() {
        let home = TargetPath::new(b"/root");
        let of = |form, variable, value: &[u8]| told(setting("/x", form, variable, value).folders(Some(&home)));
        assert_eq!(of(SettingForm::Unit, "PYTHONPATH", b"%h/lib:/100%%:%S/x"), ["/root/lib", "/100%", "? %S/x"]);
        assert_eq!(of(SettingForm::EnvironmentFile, "PYTHONSTARTUP", b"@{HOME}/.start.py"), ["/root/.start.py"]);
        assert_eq!(of(SettingForm::Shell, "PYTHONSTARTUP", b"/a:b"), ["/a:b"]);
        assert!(of(SettingForm::Shell, "PYTHONWARNINGS", b"all:0:antigravity.x:0:0").is_empty());
        let home = TargetPath::new(b"C:\\Users\\mia");
        let hive = |value: &[u8]| {
            let one = setting("C:\\Users\\mia\\NTUSER.DAT", SettingForm::Registry, "PYTHONPATH", value);
            told(one.folders(Some(&home)))
        };
        assert_eq!(
            hive(b"%UserProfile%\\lib;d:/x;%PYTHONPATH%;%X%\\y;rel"),
            ["C:\\Users\\mia\\lib", "D:\\x", "? %X%\\y", "./rel"]
        );
        assert_eq!(hive(b"%appdata%\\x;50%"), ["C:\\Users\\mia\\AppData\\Roaming\\x", "./50%"]);
    }

    proptest! {
        #[test]
        fn any_value_is_taken_apart(value in "[$%~@{}():;=+/a-zA-Z.-]{0,60}", windows in any::<bool>()) {
            let path = if windows { "C:\\x" } else { "/x" };
            for form in [SettingForm::Shell, SettingForm::Unit, SettingForm::Registry, SettingForm::EnvironmentFile] {
                let named = setting(path, form, "PYTHONPATH", value.as_bytes()).folders(Some(&TargetPath::new(b"/home/m")));
                prop_assert!(named.len() <= value.len() + 1);
            }
        }
    }
}
