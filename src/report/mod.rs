//! Saying it. Each format is a pure function from the report to a writer.

pub mod caret;
pub mod json;
pub mod sanitize;
pub mod starts;
pub mod terminal;
