//! What is wrong with a pack, a feed or a signature, and where: with these a run stops before anything is swept.

use std::fmt;

/// A fault and its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The file, or `built-in`.
    pub origin: String,
    /// Line and column, counted from 1, as far as they are known.
    pub place: Option<(usize, Option<usize>)>,
    /// What is wrong, and where it is not plain, what to do.
    pub why: String,
}

impl Fault {
    /// A fault of a whole file.
    #[must_use]
    pub fn of(origin: &str, why: impl Into<String>) -> Self {
        Self { origin: origin.to_owned(), place: None, why: why.into() }
    }

    /// The same in a line.
    #[must_use]
    pub fn at(self, line: usize, column: Option<usize>) -> Self {
        Self { place: Some((line, column)), ..self }
    }

    /// The line, where it is known.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.place.map(|(line, _)| line)
    }

    /// What serde_json says of a file.
    #[must_use]
    pub fn of_json(origin: &str, why: &serde_json::Error) -> Self {
        let text = why.to_string();
        // serde_json ends its sentence with the place, which we print in front.
        let sentence = text.split(" at line ").next().unwrap_or(&text);
        let hint = match sentence {
            "recursion limit exceeded" => "; it is nested deeper than 128 levels, and nothing honest is",
            "expected value" | "trailing characters" | "key must be a string" => "; it is no JSON from there on",
            text if text.starts_with("EOF") => "; the file ends too early: fetch it again",
            text if text.starts_with("duplicate field") => "; readers differ in which of the two counts: keep one",
            _ => "",
        };
        let fault = Self::of(origin, format!("{sentence}{hint}"));
        if why.line() > 0 { fault.at(why.line(), Some(why.column())) } else { fault }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.origin)?;
        if let Some((line, column)) = self.place {
            write!(out, ", line {line}")?;
            if let Some(column) = column {
                write!(out, ", column {column}")?;
            }
        }
        write!(out, ": {}", self.why)
    }
}
