//! What is worth opening: one pass over the target's directories, answered from their listings alone.

mod folders;
pub mod names;
pub mod progress;
pub mod scope;
pub mod walk;
