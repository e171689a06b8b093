//! Values as lists spell them, brought to where they belong: by what the list calls them, whatever its format.

use std::net::SocketAddr;

use super::gather::{At, Gather, Listed, Thing, is_python};
use super::text::shown;
use crate::intel::version;
use crate::model::time::Time;

/// A package as a list names it.
pub(super) struct Named<'a> {
    /// The ecosystem as the list spells it.
    pub ecosystem: &'a str,
    /// The name as the list spells it.
    pub name: &'a str,
    /// What the list says of versions, piece by piece.
    pub versions: Vec<&'a str>,
    /// When the record was last changed.
    pub modified: Option<Time>,
}

/// What a list says of a version.
#[derive(PartialEq, Eq, Debug)]
enum Said<'a> {
    Nothing,
    All,
    One(&'a str),
    /// A range, or a sentence.
    Unclear,
}

/// Takes a package.
pub(super) fn package(into: &mut Gather, at: At<'_>, one: &Named<'_>) {
    let (mut good, mut is_all, mut is_unclear) = (Vec::new(), false, false);
    for piece in one.versions.iter().filter(|_| is_python(one.ecosystem)) {
        match said(piece) {
            Said::Nothing => {}
            Said::All => is_all = true,
            Said::One(text) => good.push(text.to_owned()),
            Said::Unclear => {
                is_unclear = true;
                let (piece, name) = (shown(piece.trim()), shown(one.name));
                into.unused(at, format!("`{piece}` of `{name}` is no single version: list them one by one"));
            }
        }
    }
    if is_unclear && good.is_empty() && !is_all {
        return;
    }
    let versions = if is_all { None } else { Some(good) };
    let Named { ecosystem, name, modified, .. } = *one;
    // What Gather says of a name has that name in it, whatever its length.
    let (ecosystem, name) = (shown(ecosystem), if name.len() > 300 { shown(name) } else { name.to_owned() });
    into.package(at, Listed { ecosystem: &ecosystem, name: &name, versions, modified, is_doubtful: false });
}

/// The versions that one cell names.
pub(super) fn split_versions(cell: &str) -> Vec<&str> {
    cell.split([',', ';']).collect()
}

fn said(piece: &str) -> Said<'_> {
    let piece = piece.trim();
    let bare = piece.trim_start_matches('=').trim();
    let is_all = ["*", "all", "any", "all versions", "any version"].iter().any(|word| bare.eq_ignore_ascii_case(word));
    let is_range = || {
        let halves = bare.split_once('-').or_else(|| bare.split_once('–'));
        halves.is_some_and(|(from, to)| from.contains('.') && to.contains('.') && version::is_valid(to))
    };
    let is_sentence = |at: char| at.is_whitespace() || at.is_control() || "<>~^!*()[]|,;:/\\".contains(at);
    match bare {
        "" if piece.is_empty() => Said::Nothing,
        _ if is_all => Said::All,
        "" => Said::Unclear,
        _ if bare.len() > 100 || bare.contains(is_sentence) || is_range() => Said::Unclear,
        _ => Said::One(bare),
    }
}

/// Whether lists mean by this a kind of package, or something packed like one.
pub(super) fn is_packed(kind: &str) -> bool {
    let last = kind.rsplit([' ', '-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    matches!(
        last.as_str(),
        "package" | "image" | "action" | "extension" | "module" | "crate" | "gem" | "plugin" | "npm" | "pypi" | "oci"
    )
}

/// Takes what a list calls `kind`. `about` is what the list says of it: files are often named there.
pub(super) fn by_kind(into: &mut Gather, at: At<'_>, kind: &str, value: &str, about: &str) {
    let word = kind.trim().to_ascii_lowercase().replace(['_', ' '], "-");
    let value = value.trim();
    if value.len() > 4096 {
        return into.unused(at, format!("`{}` is too long", shown(value)));
    }
    match word.as_str() {
        "sha256" | "sha-256" | "hash" | "file-hash" | "filehash" | "file-sha256" | "md5" | "sha1" | "sha-1" => {
            into.thing(at, Thing::File { sha256: value.to_owned(), name: file_named(about).map(str::to_owned) });
        }
        "file" | "filepath" | "file-path" | "path" | "filename" | "file-name" => {
            into.thing(at, Thing::Path(place(value)))
        }
        "domain" | "domain-name" | "hostname" | "host" | "fqdn" => into.thing(at, Thing::Domain(refanged(value))),
        "ip" | "ipv4" | "ipv6" | "ip-address" | "ipv4-address" | "ipv6-address" | "ipv4-addr" | "ipv6-addr" => {
            into.thing(at, Thing::Ip(address(value)));
        }
        "url" | "uri" => into.thing(at, Thing::Url(refanged(value))),
        "directory" | "folder" => {
            into.unused(at, format!("`{}` is a folder: only files are looked for by their place", shown(value)));
        }
        _ => into.unused(at, format!("`{}` is of the type `{}`, which no import takes", shown(value), shown(kind))),
    }
}

/// An address, without a port or a prefix that leaves nothing open.
pub(super) fn address(text: &str) -> String {
    let text = refanged(text);
    let bare = text.strip_suffix("/32").filter(|bare| !bare.contains(':')).or_else(|| text.strip_suffix("/128"));
    match text.parse::<SocketAddr>() {
        Ok(socket) => socket.ip().to_string(),
        Err(_) => bare.unwrap_or(&text).to_owned(),
    }
}

/// Hosts are written so that nobody can follow them by accident.
pub(super) fn refanged(text: &str) -> String {
    text.trim()
        .replace("[.]", ".")
        .replace("(.)", ".")
        .replace("[dot]", ".")
        .replace("[:]", ":")
        .replace("[://]", "://")
}

/// Folders by the names that Windows and scripts have for them, and what packs write for them.
const FOLDERS: &[(&str, &str)] = &[
    ("%APPDATA%", "{home}/AppData/Roaming"),
    ("%LOCALAPPDATA%", "{home}/AppData/Local"),
    ("%USERPROFILE%", "{home}"),
    ("%HOMEPATH%", "{home}"),
    ("%TEMP%", "{tmp}"),
    ("%TMP%", "{tmp}"),
    ("%PROGRAMDATA%", "/ProgramData"),
    ("%ALLUSERSPROFILE%", "/ProgramData"),
    ("%PROGRAMFILES%", "/Program Files"),
    ("%PUBLIC%", "/Users/Public"),
    ("%SYSTEMROOT%", "/Windows"),
    ("%WINDIR%", "/Windows"),
    ("%SYSTEMDRIVE%", ""),
    ("$TMPDIR", "{tmp}"),
    ("${TMPDIR}", "{tmp}"),
    ("$HOME", "{home}"),
    ("${HOME}", "{home}"),
    ("$XDG_CONFIG_HOME", "{home}/.config"),
    ("/home/*", "{home}"),
    ("/Users/*", "{home}"),
];

/// A path as packs write it, where it begins with a folder that has a name, or with a drive: on Windows, patterns begin
/// below it.
pub(super) fn place(path: &str) -> String {
    let path = path.trim().replace('\\', "/");
    let path = match path.as_bytes() {
        [drive, b':', b'/', ..] if drive.is_ascii_alphabetic() => path.get(2..).unwrap_or_default().to_owned(),
        _ => path,
    };
    let rest = |name: &str| {
        let (start, rest) = path.split_at_checked(name.len())?;
        (start.eq_ignore_ascii_case(name) && rest.starts_with('/')).then_some(rest)
    };
    FOLDERS.iter().find_map(|(name, known)| Some(format!("{known}{}", rest(name)?))).unwrap_or(path)
}

/// How the names of files end that lists give beside a hash.
const ENDS: &[&str] = &[
    "py", "pyc", "pyd", "pth", "js", "cjs", "mjs", "ts", "sh", "ps1", "bat", "cmd", "vbs", "vbe", "exe", "dll", "so",
    "dylib", "whl", "gz", "tgz", "zip", "egg", "gem", "jar", "deb", "rpm", "dmg", "service", "plist", "json", "bin",
];

/// The file that a remark begins with: `litellm_init.pth (launcher)`.
fn file_named(about: &str) -> Option<&str> {
    let first = about.split_whitespace().next()?;
    let (stem, end) = first.rsplit_once('.')?;
    let is_file = ENDS.iter().any(|known| end.eq_ignore_ascii_case(known));
    (is_file && !stem.is_empty() && !first.contains(['/', '\\', '@', ':', '(', '<'])).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_from_ranges_and_sentences() {
        assert_eq!(
            ["", "*", "All", "1.0", "==1.0", "= 1.0", "v2.1rc1", "0.1.2-1", "1.0-beta"].map(said),
            [
                Said::Nothing,
                Said::All,
                Said::All,
                Said::One("1.0"),
                Said::One("1.0"),
                Said::One("1.0"),
                Said::One("v2.1rc1"),
                Said::One("0.1.2-1"),
                Said::One("1.0-beta")
            ]
        );
        for text in ["0.2.0 to 0.2.6", "0.2.0-0.2.6", "<1.0", ">=1", "1.*", "^1.2", "==", "1.0 – 1.2", &"1".repeat(101)]
        {
            assert_eq!(said(text), Said::Unclear, "{text}");
        }
    }

    #[test]
    fn folders_have_one_name() {
        for (text, is) in [
            (r"%AppData%\x\y.py", "{home}/AppData/Roaming/x/y.py"),
            (r"%PROGRAMDATA%\wt.exe", "/ProgramData/wt.exe"),
            (r"C:\Windows\x.dll", "/Windows/x.dll"),
            (r"c:\Users\*\x.dll", "{home}/x.dll"),
            ("$TMPDIR/6202033", "{tmp}/6202033"),
            ("/home/*/.config/x", "{home}/.config/x"),
            ("**/tmp/x", "**/tmp/x"),
            ("%TEMP%x", "%TEMP%x"),
            ("ä%", "ä%"),
        ] {
            assert_eq!(place(text), is);
        }
    }

    #[test]
    fn addresses_lose_what_says_nothing() {
        assert_eq!(
            ["1.2.3.4/32", "1.2.3.4:80", "1[.]2.3.4", "1.2.3.0/24", "fe80::1/32"].map(address),
            ["1.2.3.4", "1.2.3.4", "1.2.3.4", "1.2.3.0/24", "fe80::1/32"]
        );
    }

    #[test]
    fn a_remark_may_name_the_file() {
        assert_eq!(file_named("litellm_init.pth (source: x)"), Some("litellm_init.pth"));
        assert_eq!(file_named("telnyx-4.87.2.tar.gz"), Some("telnyx-4.87.2.tar.gz"));
        for about in ["Linux-64bit", "ast-results@2.53.0", "", "the x.py", "a/b.py", "v1.0", ".py"] {
            assert_eq!(file_named(about), None, "{about}");
        }
    }

    #[test]
    fn what_is_packed_for_others_is_known_by_its_last_word() {
        assert!(
            ["npm package", "docker image", "vscode-extension", "github action"].iter().all(|kind| is_packed(kind))
        );
        assert!(!["registry", "user-agent", "sha256", ""].iter().any(|kind| is_packed(kind)));
    }
}
