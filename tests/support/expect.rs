//! The lines of an `expect:` section, and how they are held against rows of the report.

use base64::Engine as _;
use serde_json::Value;

use super::escape;

/// A word of a line in place of the row's path.
const PATH: &str = "PATH";

/// Which section each kind of line speaks of, and which field each of its words means.
const FORMS: &[(&str, &str, &[&str])] = &[
    ("finding", "findings", &["rule", "level", PATH, "subject.name", "subject.version"]),
    ("environment", "environments", &["kind", PATH, "account"]),
    ("interpreter", "interpreters", &["implementation", PATH]),
    ("distribution", "distributions", &["name", "version", "state", PATH]),
    ("hook", "startup_hooks", &["judgement", PATH]),
    ("account", "accounts", &["name"]),
    ("exposure", "exposures", &["incident"]),
    ("gap", "coverage.gaps", &["reason", PATH, "material"]),
    ("skipped", "coverage.skipped", &[PATH]),
];

/// One line.
pub(crate) struct Expected {
    /// As it was written, for messages.
    pub(crate) line: String,
    /// What it says.
    pub(crate) says: Says,
}

/// What a line says.
pub(crate) enum Says {
    /// The verdict has these fields, the last of which is the exit code.
    Verdict(Vec<Want>),
    /// A section has this row.
    Row(Wanted),
    /// Nothing is found at or below this path.
    Quiet(Vec<u8>),
    /// These sections have no other rows.
    Only(Vec<String>),
    /// This check is shown.
    Check(String),
    /// This text appears nowhere.
    Unsaid(String),
}

/// A row that a section must have.
pub(crate) struct Wanted {
    /// The section.
    pub(crate) section: String,
    /// Its path, if the line names one.
    pub(crate) path: Option<Vec<u8>>,
    /// Its other fields.
    pub(crate) fields: Vec<Want>,
}

/// A field and its text; `*` for any.
pub(crate) struct Want {
    field: String,
    text: String,
}

impl Expected {
    /// Reads a line that was cut into words.
    pub(crate) fn parse(words: &[String]) -> Self {
        let line = words.join(" ");
        let (keyword, words) = words.split_first().unwrap();
        let is_field = |word: &&String| word.split_once('=').is_some_and(|(name, _)| is_name(name));
        let fields: Vec<Want> = words.iter().filter(is_field).map(|word| Want::parse(word)).collect();
        let words: Vec<&str> = words.iter().filter(|word| !is_field(word)).map(String::as_str).collect();
        let says = match (keyword.as_str(), words.as_slice()) {
            ("verdict", [level, coverage, exit]) => {
                let own = [("level", level), ("coverage", coverage), ("exit_code", exit)];
                Says::Verdict(own.into_iter().map(|(field, text)| Want::new(field, text)).chain(fields).collect())
            }
            ("quiet", [path]) => Says::Quiet(escape::percent(path)),
            ("only", sections) if !sections.is_empty() => {
                Says::Only(sections.iter().map(|name| section(name)).collect())
            }
            ("check", [id]) => Says::Check((*id).to_owned()),
            ("unsaid", [text]) => Says::Unsaid((*text).to_owned()),
            ("row", [section, path]) => {
                Says::Row(Wanted { section: (*section).to_owned(), path: Some(escape::percent(path)), fields })
            }
            (keyword, words) => {
                let form = FORMS.iter().find(|(name, ..)| *name == keyword);
                let (_, section, names) = form.unwrap_or_else(|| panic!("no expectation: {line}"));
                Says::Row(Wanted::of(section, names, words, fields, &line))
            }
        };
        Self { line, says }
    }
}

/// `only` names sections as the report does, and start-up hooks by their short name.
fn section(name: &str) -> String {
    if name == "hooks" { "startup_hooks".to_owned() } else { name.to_owned() }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|at| at.is_ascii_lowercase() || at.is_ascii_digit() || matches!(at, '_' | '.'))
}

impl Wanted {
    fn of(section: &str, names: &[&str], words: &[&str], more: Vec<Want>, line: &str) -> Self {
        let needed = names.iter().position(|name| *name == PATH).map_or(1, |at| at + 1);
        assert!((needed..=names.len()).contains(&words.len()), "too few or too many words: {line}");
        let mut out = Self { section: section.to_owned(), path: None, fields: Vec::new() };
        for (name, word) in names.iter().zip(words) {
            match (*name, *word) {
                (PATH, path) => out.path = Some(escape::percent(path)),
                ("material", "material") => out.fields.push(Want::new("material", "true")),
                ("material", "harmless") => out.fields.push(Want::new("material", "false")),
                (field, text) => out.fields.push(Want::new(field, text)),
            }
        }
        out.fields.extend(more);
        out
    }

    /// What of this row is not as it should be; empty if all is.
    pub(crate) fn faults(&self, row: &Value) -> Vec<String> {
        let mut faults: Vec<String> = self.fields.iter().filter_map(|want| want.fault(row)).collect();
        if !self.is_here(row) {
            faults.push(format!("path is {:?}", shown(&path_of(row).unwrap_or_default())));
        }
        faults
    }

    /// Whether the row is about the same path, or, where none is named, has the first field in common.
    pub(crate) fn is_here(&self, row: &Value) -> bool {
        match &self.path {
            Some(path) => path_of(row).as_ref() == Some(path),
            None => self.fields.first().is_some_and(|want| want.fault(row).is_none()),
        }
    }
}

impl Want {
    fn new(field: &str, text: &str) -> Self {
        Self { field: field.to_owned(), text: shown(&escape::percent(text)) }
    }

    fn parse(word: &str) -> Self {
        let (field, text) = word.split_once('=').unwrap();
        Self::new(field, text)
    }

    /// What is wrong with this field of a row.
    pub(crate) fn fault(&self, row: &Value) -> Option<String> {
        let is = text_of(row, &self.field);
        (self.text != "*" && is.as_ref() != Some(&self.text)).then(|| match is {
            Some(is) => format!("{} is {is:?}, not {:?}", self.field, self.text),
            None => format!("there is no {}", self.field),
        })
    }
}

/// The bytes of a row's own path, or of its subject's.
pub(crate) fn path_of(row: &Value) -> Option<Vec<u8>> {
    let holder = if row["subject"].is_object() { &row["subject"] } else { row };
    match holder["path_base64"].as_str() {
        Some(text) => base64::engine::general_purpose::STANDARD.decode(text).ok(),
        None => holder["path"].as_str().map(|text| text.as_bytes().to_vec()),
    }
}

/// A field as text: `a.b` looks into `a`, `account` into `accounts`.
fn text_of(row: &Value, field: &str) -> Option<String> {
    let field = if field == "account" && row["accounts"].is_array() { "accounts" } else { field };
    let pointer = format!("/{}", field.replace('.', "/"));
    row.pointer(&pointer).map(text)
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join(","),
        Value::Object(_) => path_of(value).map_or_else(|| value.to_string(), |path| shown(&path)),
        other => other.to_string(),
    }
}

/// Bytes for a message.
pub(crate) fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A row as the line that would expect it.
pub(crate) fn describe(section: &str, row: &Value) -> String {
    let form = FORMS.iter().find(|(_, name, _)| *name == section);
    let (keyword, names) = form.map_or(("row", [PATH].as_slice()), |(keyword, _, names)| (*keyword, *names));
    let word = |name: &&str| match *name {
        PATH => shown(&path_of(row).unwrap_or_default()),
        "material" => if row["material"] == true { "material" } else { "harmless" }.to_owned(),
        name => text_of(row, name).unwrap_or_default(),
    };
    let words: Vec<String> = names.iter().map(word).collect();
    format!("{keyword} {}", words.join(" "))
}
