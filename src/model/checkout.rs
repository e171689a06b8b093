//! Repositories of git at rest, as far as it matters how old they are.

use super::path::TargetPath;
use super::time::Time;

/// A repository.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Checkout {
    /// The top of its work tree; of a bare repository the repository.
    pub path: TargetPath,
    /// When it was made or cloned, by the first line of its log (`logs/HEAD`).
    pub since: Option<Time>,
}
