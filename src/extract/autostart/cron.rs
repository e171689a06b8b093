//! Crontabs of the system and of accounts, and the anacrontab (`crontab(5)`, `anacrontab(5)`).
//!
//! ```text
//! MAILTO=root
//! */15 * * * *      /usr/bin/python3 …       an account's own: /var/spool/cron/crontabs/mia
//! 17 *  * * *  root cd / && run-parts …      the system's: /etc/crontab, /etc/cron.d/x
//! @reboot           /opt/x
//! 1 5 cron.daily    run-parts /etc/cron.daily        period, delay, name: /etc/anacrontab
//! ```

use super::command;
use super::{CAP, Entry, content, place_of, push};
use crate::extract::Extractor;
use crate::extract::input::Input;
use crate::model::autostart::AutostartKind;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Interest};
use crate::model::path::TargetPath;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "autostart-cron",
        sentence: "Crontabs of the system and of accounts, and the anacrontab.",
        ask: Ask::Starts("cron"),
    },
    cap: CAP,
    read,
};

/// Whose table it is, and so which fields its lines have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Table {
    /// The system's: each line names an account.
    System,
    /// An account's own.
    Account,
    /// The anacrontab.
    Anacron,
}

fn read(input: &Input<'_>) -> Harvest {
    if place_of(input, "cron").is_none() {
        return Harvest::default();
    }
    let path = &input.candidate.path;
    let table = table_of(path);
    let mut harvest = Harvest::default();
    let Some(content) = content(input, &mut harvest) else { return harvest };
    // Debian's cron passes over files of such names in its folder, cronie reads them.
    let is_skipped =
        path.parent().is_some_and(|folder| folder.file_name() == b"cron.d") && path.file_name().contains(&b'.');
    for job in parse(table, &content.bytes) {
        let kind = if table == Table::Anacron { AutostartKind::Anacron } else { AutostartKind::Cron };
        let owner = (table == Table::Account).then(|| path.file_name().to_vec());
        let mut told = command::of_script(&job.command);
        told.programs.iter_mut().for_each(|program| program.2 = job.line);
        told.signs.iter_mut().for_each(|sign| sign.line = job.line);
        let entry = Entry {
            line: Some(job.line),
            told,
            trigger: job.schedule,
            runs_as: job.account.or(owner),
            command: job.command,
            enabled: if is_skipped { None } else { Some(true) },
            is_whole_file: false,
            ..Entry::new(kind, path.file_name())
        };
        push(input, &content, entry, &mut harvest);
    }
    harvest
}

fn table_of(path: &TargetPath) -> Table {
    let folder = path.parent().map(|folder| folder.file_name().to_vec()).unwrap_or_default();
    match (path.file_name(), folder.as_slice()) {
        (b"anacrontab", _) => Table::Anacron,
        (b"crontab", b"etc") | (_, b"cron.d") => Table::System,
        _ => Table::Account,
    }
}

/// One line of a table that runs something.
#[derive(PartialEq, Eq, Debug)]
pub struct Job {
    /// Counted from 1.
    pub line: u32,
    /// When, as written.
    pub schedule: Vec<u8>,
    /// As whom, where the line says so.
    pub account: Option<Vec<u8>>,
    /// What.
    pub command: Vec<u8>,
}

/// The jobs of a table.
#[must_use]
pub fn parse(table: Table, bytes: &[u8]) -> Vec<Job> {
    let lines = (1..).zip(bytes.split(|byte| *byte == b'\n'));
    lines.filter_map(|(line, text)| job(table, text.trim_ascii(), line)).collect()
}

fn job(table: Table, text: &[u8], line: u32) -> Option<Job> {
    if text.is_empty() || text.starts_with(b"#") || is_assignment(text) {
        return None;
    }
    let fields = match (table, text.starts_with(b"@")) {
        (Table::Anacron, _) => 3,
        (_, true) => 1,
        (_, false) => 5,
    };
    let mut rest = text;
    let mut schedule = Vec::new();
    for _ in 0..fields {
        let (word, behind) = first_word(rest);
        schedule.push(word);
        rest = behind;
    }
    let (account, command) = match table {
        Table::System => {
            let (name, command) = first_word(rest);
            (Some(name.to_vec()), command)
        }
        Table::Account | Table::Anacron => (None, rest),
    };
    let command = if table == Table::Anacron { command.to_vec() } else { before_percent(command) };
    (!command.is_empty()).then(|| Job { line, schedule: schedule.join(&b' '), account, command })
}

fn first_word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, rest.trim_ascii_start())
}

/// `NAME = value`; no field of time has a `=` in its first word.
fn is_assignment(text: &[u8]) -> bool {
    let Some(at) = text.iter().position(|byte| *byte == b'=') else { return false };
    let name = text.get(..at).unwrap_or_default().trim_ascii();
    let name = name.strip_prefix(b"\"").or_else(|| name.strip_prefix(b"'")).unwrap_or(name);
    let name = name.strip_suffix(b"\"").or_else(|| name.strip_suffix(b"'")).unwrap_or(name);
    name.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// What cron gives to the shell: a `%` ends it, and what follows is input, unless a backslash stands in front.
fn before_percent(command: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = command.iter().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, bytes.peek()) {
            (b'\\', Some(b'%')) => {
                bytes.next();
                out.push(b'%');
            }
            (b'%', _) => break,
            (byte, _) => out.push(*byte),
        }
    }
    out.trim_ascii_end().to_vec()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::autostart::planted::Tree;
    use crate::model::host::Platform;

    fn told(path: &str, text: &str) -> Vec<String> {
        Tree::with(&[(path, text.as_bytes())]).told(&EXTRACTOR, Platform::Linux, path)
    }

    #[test]
    fn accounts_have_tables() {
        assert_eq!(
            told(
                "/var/spool/cron/crontabs/mia",
                "MAILTO=x\n# c\n*/15 * * * * /usr/bin/python3 ~/.cache/.tf/p.pyc >/dev/null 2>&1\n"
            ),
            [
                "Cron mia | runs /usr/bin/python3 ~/.cache/.tf/p.pyc >/dev/null 2>&1 | when */15 * * * * | as mia | Program /usr/bin/python3 \
              | Script /home/mia/.cache/.tf/p.pyc Hidden"
            ]
        );
        assert_eq!(
            told("/var/spool/cron/mia", "@reboot /opt/x %input\n"),
            ["Cron mia | runs /opt/x | when @reboot | as mia | Program /opt/x"]
        );
    }

    #[test]
    fn the_system_names_accounts() {
        assert_eq!(
            told("/etc/crontab", "17 * * * * root cd / && run-parts --report /etc/cron.hourly\n"),
            ["Cron crontab | runs cd / && run-parts --report /etc/cron.hourly | when 17 * * * * | as root"]
        );
        assert_eq!(
            told("/etc/cron.d/x", "@daily mia $HOME/bin/x\n"),
            ["Cron x | runs $HOME/bin/x | when @daily | as mia | Program /home/mia/bin/x"]
        );
        assert_eq!(
            told("/etc/anacrontab", "START_HOURS_RANGE=3-22\n1\t5\tcron.daily\trun-parts /etc/cron.daily\n"),
            ["Anacron anacrontab | runs run-parts /etc/cron.daily | when 1 5 cron.daily"]
        );
        assert!(told("/srv/etc/cron.d/x", "@daily mia /x\n").is_empty());
    }

    #[test]
    fn odd_lines_run_nothing() {
        assert!(parse(Table::Account, b"\n* * * *\nA = b\n\"B\"=c\n@reboot\n% x\n").is_empty());
        assert_eq!(parse(Table::Account, b"* * * * * date +\\%F\n")[0].command, b"date +%F");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for table in [Table::System, Table::Account, Table::Anacron] {
                prop_assert!(parse(table, &bytes).iter().all(|job| job.command.len() <= bytes.len()));
            }
        }
    }
}
