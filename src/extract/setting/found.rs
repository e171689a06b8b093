//! A setting as the parsers give it.

use memchr::memmem;

use crate::model::setting;
use crate::model::variable;

/// One assignment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The line, counted from 1; 0 where there are none.
    pub line: u32,
    /// The variable.
    pub variable: &'static str,
    /// As written, quotes removed.
    pub value: Vec<u8>,
    /// Whether programs that are started see it.
    pub is_exported: bool,
}

impl Found {
    /// An assignment that programs see, if the name is one of those that matter.
    #[must_use]
    pub fn exported(name: &[u8], value: &[u8], line: u32) -> Option<Self> {
        let variable = known(name)?;
        Some(Self { line, variable, value: value.to_vec(), is_exported: true })
    }
}

/// The variable of that name, if it is one that matters: Python's, or one that has other code loaded or run.
#[must_use]
pub fn known(name: &[u8]) -> Option<&'static str> {
    setting::variable(name).or_else(|| variable::variable(name))
}

/// Whether a text can hold such an assignment at all. Most files do not.
#[must_use]
pub fn may_set(text: &[u8]) -> bool {
    may_set_pythons(text) || variable::variables().any(|name| memmem::find(text, name.as_bytes()).is_some())
}

/// Whether a text can hold an assignment of one of Python's variables. Nearly no file does.
#[must_use]
pub fn may_set_pythons(text: &[u8]) -> bool {
    [b"PYTHON".as_slice(), b"PYVENV"].iter().any(|part| memmem::find(text, part).is_some())
}

/// `NAME=value` or `NAME+=value` taken apart.
#[must_use]
pub fn assignment(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == b'=')?;
    let (name, value) = text.split_at(at);
    let name = name.strip_suffix(b"+").unwrap_or(name);
    let is_name = name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let starts = name.first().is_some_and(|byte| !byte.is_ascii_digit());
    (is_name && starts).then(|| (name, value.get(1..).unwrap_or_default()))
}
