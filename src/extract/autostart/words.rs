//! What a command starts that a file of settings names, on whichever system it is for. Lines mean nothing in these files.

use super::command::{self, Told, windows};
use crate::extract::format::shell_words::Word;
use crate::model::host::Platform;

/// A text that is given to the system's shell.
#[must_use]
pub fn of_text(text: &str, platform: Platform) -> Told {
    let mut told = match platform {
        Platform::Windows => windows::of_batch(text),
        _ => command::of_script(text.as_bytes()),
    };
    told.programs.iter_mut().for_each(|one| one.2 = 0);
    told.signs.iter_mut().for_each(|one| one.line = 0);
    told.programs.dedup();
    told.signs.dedup();
    told
}

/// A program and its arguments, which no shell sees.
#[must_use]
pub fn of_words(words: &[&str], platform: Platform) -> Told {
    if platform == Platform::Windows {
        let quoted = |word: &&str| if word.contains(' ') { format!("\"{word}\"") } else { (*word).to_owned() };
        return windows::of_command_line(&words.iter().map(quoted).collect::<Vec<_>>().join(" "));
    }
    let words: Vec<Word> = words.iter().map(|text| Word { text: text.as_bytes().to_vec(), line: 0 }).collect();
    command::of_words(&words)
}
