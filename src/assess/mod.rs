//! So what: the verdict, from when to when it mattered, what happened in which order. Pure.

pub mod accept;
pub mod coverage;
pub mod exposure;
pub mod verdict;
