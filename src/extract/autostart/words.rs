//! What a command starts that a file of settings names, on whichever system it is for. Lines mean nothing in these files.

use super::command::{self, Told, windows};
use crate::extract::format::shell_words::Word;
use crate::model::autostart::Role;
use crate::model::host::Platform;
use crate::model::path::TargetPath;

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

/// How editors and agents name the folder in which they work.
const FOLDERS: &[&str] = &[
    "${workspaceFolder}",
    "${workspaceRoot}",
    "${fileWorkspaceFolder}",
    "${CLAUDE_PROJECT_DIR}",
    "$CLAUDE_PROJECT_DIR",
    "$GEMINI_PROJECT_DIR",
];

/// Makes what lies in the folder in which a command runs whole: `./x`, `a/x`, `${workspaceFolder}/x`. A program without a
/// folder is looked for elsewhere.
pub fn below(folder: &TargetPath, told: &mut Told, platform: Platform) {
    let is_parting = |byte: &u8| *byte == b'/' || platform == Platform::Windows && *byte == b'\\';
    for (written, role, _) in &mut told.programs {
        let named = FOLDERS
            .iter()
            .find_map(|name| written.strip_prefix(name.as_bytes()))
            .filter(|rest| rest.first().is_some_and(is_parting));
        let start = named.map(|rest| rest.get(1..).unwrap_or_default());
        let is_drive = platform == Platform::Windows && written.get(1) == Some(&b':');
        let is_open = is_drive || written.first().is_none_or(|byte| is_parting(byte) || b"~$%@-`".contains(byte));
        let is_placed = written.iter().any(is_parting) || *role == Role::Script;
        let Some(mut rest) = start.or_else(|| (!is_open && is_placed).then_some(written.as_slice())) else { continue };
        while rest.first() == Some(&b'.') && rest.get(1).is_some_and(is_parting) {
            rest = rest.get(2..).unwrap_or_default();
        }
        let below: Vec<u8> =
            rest.iter().map(|byte| if is_parting(byte) { folder.separator() } else { *byte }).collect();
        *written = folder.join(&below).as_bytes().to_vec();
    }
}
