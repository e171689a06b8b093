#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "this lane runs the built program beside real tools, on folders that it plants itself"
)]
//! The lane with real tools: `cargo test --release --test integration`. `.ci/run` installs what it needs; a tool that is
//! missing fails a case, it never passes it over. Everything planted is inert text: nothing happens when a Python starts
//! on it.

mod archives;
mod bytecode;
mod caches;
mod containers;
mod corpus;
mod debian_starts;
mod feeds;
mod git;
mod hit;
mod honest;
mod host;
mod hostile;
mod kinds;
mod kinds_conda;
mod kinds_editable;
mod kinds_installers;
mod kinds_managers;
mod kinds_pyenv;
mod locks;
mod pythons;
mod quiet;
mod record;
mod rights;
mod same;
mod signatures;
mod stage;
mod startup_places;
mod startup_rules;
mod startup_samples;
mod versions;
