//! Reads a `.tree` file; its form is described in `mod.rs`.

use std::collections::BTreeMap;

use base64::Engine as _;
use pysweep::model::time::Time;

use super::expect::Expected;
use super::{archive, bolt, escape, hive, zip};

/// What everything was last changed at, unless a tree says otherwise.
const DEFAULT_TIME: &str = "2026-01-15T08:00:00Z";

/// One host.
pub(crate) struct Host {
    /// The file's name without its end.
    pub(crate) name: String,
    /// More options of `scan`.
    pub(crate) options: Vec<String>,
    /// When everything was last changed, in seconds since 1970.
    pub(crate) time: i64,
    /// Who sweeps it, if not whoever runs the tests.
    pub(crate) uid: Option<u32>,
    /// What lies on its disk, in the order of the file.
    pub(crate) entries: Vec<Entry>,
    /// What a sweep must say of it.
    pub(crate) expected: Vec<Expected>,
}

/// One thing on disk.
pub(crate) struct Entry {
    /// Below the root, without the first `/`.
    pub(crate) path: Vec<u8>,
    /// What it is.
    pub(crate) kind: Kind,
    /// Permissions, where the tree names them.
    pub(crate) mode: Option<u32>,
    /// Last change, where the tree names it.
    pub(crate) time: Option<i64>,
    /// Owner, where the tree names it.
    pub(crate) owner: Option<u32>,
}

/// What an entry is.
pub(crate) enum Kind {
    /// A file, and the size up to which zeros follow.
    File { content: Vec<u8>, size: Option<u64> },
    /// A folder.
    Dir,
    /// A symbolic link; `{outside}` not yet filled in.
    Link(Vec<u8>),
    /// A second name of another file.
    HardLink(Vec<u8>),
    /// A FIFO.
    Fifo,
}

impl Host {
    /// Reads a tree.
    pub(crate) fn parse(name: &str, text: &str) -> Self {
        let mut reader = Reader { host: Self::empty(name), names: BTreeMap::new(), form: Form::default() };
        assert!(text.starts_with("# "), "{name}: a tree begins with what it is and why it exists");
        let mut section = Section::Head;
        for line in text.lines() {
            match line.trim_end() {
                "files:" => section = Section::Files,
                "expect:" => {
                    reader.finish_content();
                    section = Section::Expect;
                }
                "" => {}
                comment if comment.starts_with('#') => {}
                _ => reader.take(section, line),
            }
        }
        assert!(!reader.host.expected.is_empty(), "{name}: a host without expectations shows nothing");
        reader.host
    }

    fn empty(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            options: Vec::new(),
            time: Time::parse(DEFAULT_TIME).unwrap().unix(),
            uid: None,
            entries: Vec::new(),
            expected: Vec::new(),
        }
    }

    /// Whether only root can plant it.
    pub(crate) fn needs_root(&self) -> bool {
        self.entries.iter().any(|entry| entry.owner.is_some())
    }
}

#[derive(Clone, Copy)]
enum Section {
    Head,
    Files,
    Expect,
}

/// How the content of the entry that was begun is written.
#[derive(Default)]
struct Form {
    lines: String,
    escaped: bool,
    base64: bool,
    wide: bool,
    /// A hive, and how many bytes of it are kept.
    hive: Option<usize>,
    /// A bolt database, and how many bytes of it are kept.
    bolt: Option<usize>,
    archive: Option<archive::Form>,
    /// How many bytes of an archive are kept.
    cut: Option<usize>,
}

struct Reader {
    host: Host,
    names: BTreeMap<String, String>,
    form: Form,
}

impl Reader {
    fn take(&mut self, section: Section, line: &str) {
        match section {
            Section::Head => self.head(line),
            Section::Files if line.starts_with('|') => self.content(line),
            Section::Files => {
                self.finish_content();
                self.entry(line);
            }
            Section::Expect => {
                let words = escape::words(&self.filled(line));
                self.host.expected.push(Expected::parse(&words));
            }
        }
    }

    fn head(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("options:") {
            self.host.options = escape::words(rest);
        } else if let Some(rest) = line.strip_prefix("time:") {
            self.host.time = Time::parse(rest.trim()).unwrap().unix();
        } else if let Some(rest) = line.strip_prefix("uid:") {
            self.host.uid = Some(rest.trim().parse().unwrap());
        } else if let Some((name, value)) = line.strip_prefix("let ").and_then(|rest| rest.split_once(" = ")) {
            let value = self.filled(value);
            self.names.insert(name.to_owned(), value);
        } else {
            panic!("{}: not understood: {line}", self.host.name);
        }
    }

    /// `line` with every `$NAME` filled in.
    fn filled(&self, line: &str) -> String {
        let mut parts = line.split('$');
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|at: char| !at.is_ascii_uppercase()).unwrap_or(part.len());
            let (name, rest) = part.split_at(end);
            out.push_str(self.names.get(name).unwrap_or_else(|| panic!("${name} is not set (write %24): {line}")));
            out.push_str(rest);
        }
        out
    }

    fn entry(&mut self, line: &str) {
        let line = self.filled(line);
        let words = escape::words(&line);
        let path = escape::percent(words[0].strip_prefix('/').unwrap_or_else(|| panic!("no path: {line}")));
        let is_dir = path.ends_with(b"/");
        let path = path.strip_suffix(b"/").unwrap_or(&path).to_vec();
        let mut rest = &words[1..];
        let kind = match rest {
            [arrow, target, ..] if arrow == "->" => Kind::Link(escape::percent(target)),
            [same, other, ..] if same == "=" => Kind::HardLink(escape::percent(other.trim_start_matches('/'))),
            _ if is_dir => Kind::Dir,
            _ => Kind::File { content: Vec::new(), size: None },
        };
        if matches!(kind, Kind::Link(_) | Kind::HardLink(_)) {
            rest = &rest[2..];
        }
        let at = self.host.entries.len();
        self.host.entries.push(Entry { path, kind, mode: None, time: None, owner: None });
        for attribute in rest.join(" ").split(',').map(str::trim).filter(|one| !one.is_empty()) {
            self.attribute(at, attribute);
        }
    }

    fn attribute(&mut self, at: usize, text: &str) {
        let words: Vec<&str> = text.split(' ').collect();
        let entry = &mut self.host.entries[at];
        match words.as_slice() {
            ["mode", mode] => entry.mode = Some(u32::from_str_radix(mode, 8).unwrap()),
            ["time", time] => entry.time = Some(Time::parse(time).unwrap().unix()),
            ["owner", uid] => entry.owner = Some(uid.parse().unwrap()),
            ["fifo"] => entry.kind = Kind::Fifo,
            ["sparse", wanted] => match &mut entry.kind {
                Kind::File { size, .. } => *size = Some(bytes(wanted)),
                _ => panic!("only a file can be sparse"),
            },
            ["escaped"] => self.form.escaped = true,
            ["base64"] => self.form.base64 = true,
            ["utf-16"] => self.form.wide = true,
            ["hive"] => self.form.hive = Some(usize::MAX),
            ["hive", size] => self.form.hive = Some(usize::try_from(bytes(size)).unwrap()),
            ["bolt"] => self.form.bolt = Some(usize::MAX),
            ["bolt", size] => self.form.bolt = Some(usize::try_from(bytes(size)).unwrap()),
            ["metadata", name, version] => {
                let file = if entry.path.ends_with(b".egg-info") { "PKG-INFO" } else { "METADATA" };
                let path = [&entry.path, b"/".as_slice(), file.as_bytes()].concat();
                let [name, version] = [name, version].map(|word| String::from_utf8(escape::percent(word)).unwrap());
                let content = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nInert.\n");
                let kind = Kind::File { content: content.into_bytes(), size: None };
                self.host.entries.push(Entry { path, kind, mode: None, time: None, owner: None });
            }
            ["egg-of-nothing", size] => entry.kind = Kind::File { content: zip::nameless(bytes(size)), size: None },
            ["egg", name, version] => entry.kind = Kind::File { content: zip::egg(name, version), size: None },
            [form] if archive::Form::of(form).is_some() => self.form.archive = archive::Form::of(form),
            ["cut", size] if self.form.archive.is_some() => {
                self.form.cut = Some(usize::try_from(bytes(size)).unwrap());
            }
            ["cut", size] => match &mut entry.kind {
                Kind::File { content, .. } => content.truncate(usize::try_from(bytes(size)).unwrap()),
                _ => panic!("only a file can be cut short"),
            },
            _ => panic!("{}: no attribute: {text}", self.host.name),
        }
    }

    fn content(&mut self, line: &str) {
        let text = line.strip_prefix("| ").or_else(|| line.strip_prefix('|')).unwrap();
        let (count, text) = match line.strip_prefix("|*").and_then(|rest| rest.split_once(' ')) {
            Some((count, text)) => (count.parse().unwrap(), text),
            None => (1, text),
        };
        self.form.lines.push_str(&format!("{text}\n").repeat(count));
    }

    /// Gives the content that was read to the entry it belongs to.
    fn finish_content(&mut self) {
        let Form { lines, escaped, base64, wide, hive, bolt, archive, cut } = std::mem::take(&mut self.form);
        if lines.is_empty() && archive.is_none() {
            return;
        }
        let bytes = match (escaped, wide) {
            _ if archive.is_some() => {
                let made = archive.map(|form| archive::make(form, &lines, |path| self.planted(path)));
                let mut bytes = made.unwrap_or_default();
                bytes.truncate(cut.unwrap_or(usize::MAX));
                bytes
            }
            _ if hive.is_some() => {
                let mut bytes = hive::hive(&lines);
                bytes.truncate(hive.unwrap_or_default());
                bytes
            }
            _ if bolt.is_some() => {
                let mut bytes = bolt::bolt(&lines);
                bytes.truncate(bolt.unwrap_or_default());
                bytes
            }
            _ if base64 => {
                let packed: String = lines.split_whitespace().collect();
                base64::engine::general_purpose::STANDARD.decode(packed).unwrap()
            }
            (true, _) => escape::content(&lines),
            (false, true) => format!("\u{feff}{lines}").encode_utf16().flat_map(u16::to_le_bytes).collect(),
            (false, false) => lines.into_bytes(),
        };
        match self.host.entries.last_mut().map(|entry| &mut entry.kind) {
            Some(Kind::File { content, .. }) => *content = bytes,
            _ => panic!("{}: only a file has content", self.host.name),
        }
    }

    /// The content of a file that was read before.
    fn planted(&self, path: &[u8]) -> Vec<u8> {
        let found = self.host.entries.iter().find(|entry| entry.path == path).map(|entry| &entry.kind);
        match found {
            Some(Kind::File { content, .. }) => content.clone(),
            _ => panic!("{}: no file {}", self.host.name, String::from_utf8_lossy(path)),
        }
    }
}

/// `4096`, `64K`, `3M`, `8G`.
pub(crate) fn bytes(text: &str) -> u64 {
    let (number, shift) = match text.split_at(text.len() - 1) {
        (number, "K") => (number, 10),
        (number, "M") => (number, 20),
        (number, "G") => (number, 30),
        _ => (text, 0),
    };
    number.parse::<u64>().unwrap() << shift
}
