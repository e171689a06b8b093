//! The nouns: plain types that every stage speaks. Uses nothing of ours, so a stored report can be judged anywhere.

pub mod autostart;
pub mod code;
pub mod container;
pub mod coverage;
pub mod distribution;
pub mod env_kind;
pub mod facts;
pub mod fault;
pub mod finding;
pub mod glob;
pub mod host;
pub mod id;
pub mod install;
pub mod interest;
pub mod known_file;
pub mod path;
pub mod python;
pub mod record;
pub mod report;
pub mod setting;
pub mod startup;
pub mod text;
pub mod time;
pub mod toml_bound;
pub mod verdict;
pub mod watch;
