//! Giving up our own rights before the target is opened (promise P5). Not part of this version: what is enforced is
//! said in every report, and today that is nothing.

/// What was enforced, for `sweep.sandbox`.
#[must_use]
pub fn enforced() -> &'static str {
    "none"
}
