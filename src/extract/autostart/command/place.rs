//! Where a started file lies, by its text alone: made absolute, and what is odd about the place.

use super::inline::Language;
use crate::model::autostart::PlaceMark;
use crate::model::glob::TEMPORARY;
use crate::model::host::Platform;
use crate::model::path::TargetPath;
use crate::target::Target;

/// Folders in which an interpreter without a path is looked for.
const SEARCHED: &[&str] = &["/usr/local/bin", "/usr/bin", "/bin", "/opt/homebrew/bin"];

/// How paths of Windows begin that are not whole: the beginning, whether it lies in the account's home, and where.
const WINDOWS: &[(&str, bool, &str)] = &[
    ("%USERPROFILE%", true, ""),
    ("%HOMEDRIVE%%HOMEPATH%", true, ""),
    ("$HOME\\", true, "\\"),
    ("~\\", true, "\\"),
    ("%APPDATA%", true, "\\AppData\\Roaming"),
    ("%LOCALAPPDATA%", true, "\\AppData\\Local"),
    ("%TEMP%", true, "\\AppData\\Local\\Temp"),
    ("%TMP%", true, "\\AppData\\Local\\Temp"),
    ("%OneDrive%", true, "\\OneDrive"),
    ("%SystemDrive%", false, ""),
    ("%SystemRoot%", false, "\\Windows"),
    ("%windir%", false, "\\Windows"),
    ("\\SystemRoot\\", false, "\\Windows\\"),
    ("system32\\", false, "\\Windows\\System32\\"),
    ("SysWOW64\\", false, "\\Windows\\SysWOW64\\"),
    ("%ProgramData%", false, "\\ProgramData"),
    ("%ALLUSERSPROFILE%", false, "\\ProgramData"),
    ("%ProgramFiles%", false, "\\Program Files"),
    ("%ProgramW6432%", false, "\\Program Files"),
    ("%ProgramFiles(x86)%", false, "\\Program Files (x86)"),
    ("%CommonProgramFiles%", false, "\\Program Files\\Common Files"),
    ("%PUBLIC%", false, "\\Users\\Public"),
];

/// Hidden folders that tools make in projects, wherever these lie, and put programs into.
const PROJECT: &[&[u8]] = &[
    b".venv",
    b".venvs",
    b".virtualenv",
    b".env",
    b".tox",
    b".nox",
    b".direnv",
    b".devenv",
    b".bin",
    b".pnpm",
    b".pixi",
    b".conda",
    b".nvm",
    b".pyenv",
    b".rbenv",
    b".asdf",
    b".build",
    b".terraform",
    b".bundle",
    b".husky",
    b".githooks",
];

/// Which account starts something, for what `~` and its like mean.
pub struct Place<'a> {
    /// The target.
    pub target: &'a Target,
    /// The home of the account.
    pub home: Option<&'a TargetPath>,
}

impl Place<'_> {
    /// The path that a word means; none for one that only the running system could fill in, or that says nothing of a
    /// place.
    #[must_use]
    pub fn path(&self, written: &[u8]) -> Option<TargetPath> {
        if !written.iter().any(|byte| matches!(byte, b'/' | b'\\')) && Language::of(written) == Some(Language::Python) {
            return self.searched(written);
        }
        let is_windows = self.target.root.platform() == Platform::Windows;
        let whole = if is_windows { self.filled_in(written) } else { self.filled(written) };
        let is_absolute = whole.starts_with(b"/") || (is_windows && whole.get(1) == Some(&b':'));
        let is_bare = |byte: &u8| !matches!(byte, b'\n' | 0);
        if !is_absolute || !whole.iter().all(is_bare) {
            return None;
        }
        let path = self.target.root.target_path(&whole);
        // What only the running system can fill in is a place all the same where its beginning is one that is odd.
        let is_told = !is_open(&path) || self.marks(&path).iter().any(|mark| *mark != PlaceMark::Hidden);
        is_told.then_some(path)
    }

    /// The path of an interpreter of Python that is named without one, as a usual search path finds it.
    fn searched(&self, name: &[u8]) -> Option<TargetPath> {
        let root = &self.target.root;
        let mut paths = SEARCHED.iter().map(|folder| root.target_path(folder.as_bytes()).join(name));
        paths.find(|path| root.resolve(path).is_ok())
    }

    fn filled(&self, written: &[u8]) -> Vec<u8> {
        let home = self.home.map(TargetPath::as_bytes).unwrap_or_default();
        let below = |folder: &[u8]| [home, folder].concat();
        let starts: [(&[u8], Vec<u8>); 14] = [
            (b"~/", below(b"/")),
            (b"$HOME/", below(b"/")),
            (b"${HOME}/", below(b"/")),
            (b"@{HOME}/", below(b"/")),
            (b"%h/", below(b"/")),
            (b"${XDG_CONFIG_HOME:-$HOME/.config}/", below(b"/.config/")),
            (b"$XDG_CONFIG_HOME/", below(b"/.config/")),
            (b"${XDG_CONFIG_HOME}/", below(b"/.config/")),
            (b"$XDG_DATA_HOME/", below(b"/.local/share/")),
            (b"$XDG_CACHE_HOME/", below(b"/.cache/")),
            (b"$TMPDIR/", b"/tmp/".to_vec()),
            (b"${TMPDIR}/", b"/tmp/".to_vec()),
            (b"${TMPDIR:-/tmp}/", b"/tmp/".to_vec()),
            (b"%T/", b"/tmp/".to_vec()),
        ];
        for (start, stands_for) in starts {
            if let Some(rest) = written.strip_prefix(start) {
                return if stands_for.starts_with(b"/") || !home.is_empty() {
                    [stands_for.as_slice(), rest].concat()
                } else {
                    Vec::new()
                };
            }
        }
        written.to_vec()
    }

    /// The same for Windows: the variables of an account and of the machine, and the ways in which services and drivers name
    /// what lies in the system's own folder.
    fn filled_in(&self, written: &[u8]) -> Vec<u8> {
        let drive = self.target.root.path();
        let drive = drive.as_bytes().strip_suffix(b"\\").unwrap_or(drive.as_bytes());
        let home = self.home.map(TargetPath::as_bytes);
        let written = written.strip_prefix(b"\\??\\").unwrap_or(written);
        let fits =
            |start: &str| written.get(..start.len()).is_some_and(|own| own.eq_ignore_ascii_case(start.as_bytes()));
        for (start, is_of_account, folder) in WINDOWS {
            if fits(start) {
                let top = if *is_of_account { home } else { Some(drive) };
                let rest = written.get(start.len()..).unwrap_or_default();
                return top.map(|top| [top, folder.as_bytes(), rest].concat()).unwrap_or_default();
            }
        }
        written.to_vec()
    }

    /// What is odd about a place, by its path alone.
    #[must_use]
    pub fn marks(&self, path: &TargetPath) -> Vec<PlaceMark> {
        let mut out = Vec::new();
        let names: Vec<&[u8]> = path.components().collect();
        out.extend(is_temporary(path, &names).then_some(PlaceMark::Temporary));
        out.extend(self.is_hidden(path, &names).then_some(PlaceMark::Hidden));
        out.extend(is_trash(&names).then_some(PlaceMark::Trash));
        out
    }

    /// Whether a name of the path is hidden, apart from those in which tools are known to keep programs: some in a home,
    /// some wherever a project lies. What is hidden below such a one is hidden all the same.
    fn is_hidden(&self, path: &TargetPath, names: &[&[u8]]) -> bool {
        if ["/nix/store/", "/gnu/store/"].iter().any(|store| path.as_bytes().starts_with(store.as_bytes())) {
            return false;
        }
        let home = self.target.home_of(path).map_or(0, |account| account.home.components().count());
        let below = names.get(home..).unwrap_or_default();
        let known = if home > 0 { self.target.starts.known_program(below) } else { 0 };
        let rest = below.get(known..).unwrap_or_default();
        let is_dotted = |name: &&&[u8]| name.len() > 1 && name.starts_with(b".") && **name != b"..";
        rest.iter().filter(is_dotted).any(|name| !PROJECT.contains(name))
    }
}

/// Whether a path has parts that only the running system can fill in.
#[must_use]
pub fn is_open(path: &TargetPath) -> bool {
    let is_windows = path.separator() == b'\\';
    let fills = |byte: &u8| if is_windows { *byte == b'%' } else { matches!(byte, b'$' | b'`' | b'*' | b'?' | b'%') };
    path.as_bytes().iter().any(fills)
}

fn is_temporary(path: &TargetPath, names: &[&[u8]]) -> bool {
    let text = path.as_bytes();
    let is_below = |top: &str| text.strip_prefix(top.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"));
    if TEMPORARY
        .iter()
        .chain(&[
            "/run/shm",
            "/run/user",
            "/run/lock",
            "/var/lock",
            "/var/crash",
            "/dev/mqueue",
            "/private/var/folders",
            "/var/folders",
        ])
        .any(|top| is_below(top))
    {
        return true;
    }
    let lower: Vec<Vec<u8>> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    let has =
        |wanted: &[&[u8]]| lower.windows(wanted.len()).any(|part| part.iter().zip(wanted).all(|(own, one)| own == one));
    path.separator() == b'\\'
        && (has(&[b"appdata", b"local", b"temp"]) || has(&[b"windows", b"temp"]) || has(&[b"users", b"public"]))
}

fn is_trash(names: &[&[u8]]) -> bool {
    let is = |name: &&[u8]| {
        name.eq_ignore_ascii_case(b"$recycle.bin") || matches!(*name, b".Trash" | b".Trashes" | b"Trash")
    };
    names.iter().any(is) || names.last().is_some_and(|name| name.ends_with(b" (deleted)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::autostart::planted::Tree;

    #[test]
    fn places_are_odd_by_their_names() {
        let target = Tree::with(&[]).target(Platform::Linux);
        let home = TargetPath::new(b"/home/mia");
        let place = Place { target: &target, home: Some(&home) };
        let marks = |path: &str| place.marks(&TargetPath::new(path.as_bytes()));
        for path in
            ["/home/mia/.cargo/bin/x", "/home/mia/.local/bin/x", "/srv/app/.venv/bin/python", "/nix/store/x/.y-wrapped"]
        {
            assert_eq!(marks(path), [], "{path}");
        }
        for path in
            ["/home/mia/.cargo/.x/y", "/var/.git/x.py", "/opt/.cargo/bin/x", "/home/mia/.config/x/x.py", "/usr/lib/.x"]
        {
            assert_eq!(marks(path), [PlaceMark::Hidden], "{path}");
        }
        assert_eq!(marks("/dev/shm/x"), [PlaceMark::Temporary]);
        assert_eq!(marks("/tmp/.x/y"), [PlaceMark::Temporary, PlaceMark::Hidden]);
        assert_eq!(marks("/home/mia/.local/share/Trash/files/x"), [PlaceMark::Hidden, PlaceMark::Trash]);
    }

    #[test]
    fn words_stand_for_places() {
        let tree = Tree::with(&[("/usr/bin/python3", b"")]);
        let target = tree.target(Platform::Linux);
        let home = TargetPath::new(b"/home/mia");
        let place = Place { target: &target, home: Some(&home) };
        let path = |written: &str| place.path(written.as_bytes()).map(|path| path.to_text().into_owned());
        for (written, is) in [
            ("~/x", "/home/mia/x"),
            ("$HOME/x", "/home/mia/x"),
            ("%h/x", "/home/mia/x"),
            ("${XDG_CONFIG_HOME:-$HOME/.config}/x", "/home/mia/.config/x"),
            ("${TMPDIR:-/tmp}/x", "/tmp/x"),
            ("python3", "/usr/bin/python3"),
        ] {
            assert_eq!(path(written).as_deref(), Some(is), "{written}");
        }
        assert_eq!(path("/tmp/$USER/x").as_deref(), Some("/tmp/$USER/x"));
        for written in ["$X/y", "x/y", "/x/*", "python9", ""] {
            assert_eq!(path(written), None, "{written}");
        }
    }
}
