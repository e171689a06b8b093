//! Lists of Loki and of its `signature-base`: hashes, `HASH;[SCORE;]DESCRIPTION`, and names of files,
//! `REGEX;SCORE[;EXCEPTION]`, under a comment that says what they belong to. A score below 60 of 100 is no more than a
//! notice to Loki: libraries that can be attacked, names that honest files have too. Such rows are not used.

use super::gather::{At, Gather, Thing};
use super::loki_regex;
use super::text::{Allowance, LONGEST_LINE, named_after, record_name, shown, utf8};
use crate::model::fault::Fault;

/// The least score that is a warning.
const WARNING: u32 = 60;

/// Reads a list of hashes.
///
/// # Errors
/// When it is no text, or too much of it.
pub fn read_hashes(origin: &str, bytes: &[u8], into: &mut Gather) -> Result<(), Fault> {
    let otherwise = named_after(origin);
    each_row(origin, bytes, into, |into, line, text, _| {
        let mut parts = text.splitn(2, ';');
        let (hash, rest) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let scored = rest.split_once(';').and_then(|(score, about)| Some((score.trim().parse::<u32>().ok()?, about)));
        let (score, about) = scored.unwrap_or((100, rest));
        let record = record_name(about, &otherwise);
        let at = At { origin, line: Some(line), record: &record };
        if score < WARNING {
            into.unused(at, format!("`{}` has a score of {score}: to the list itself that is no warning", shown(hash)));
        } else {
            into.thing(at, Thing::File { sha256: hash.trim().to_owned(), name: None });
        }
    })
}

/// Reads a list of names of files.
///
/// # Errors
/// When it is no text, or too much of it.
pub fn read_names(origin: &str, bytes: &[u8], into: &mut Gather) -> Result<(), Fault> {
    let otherwise = named_after(origin);
    each_row(origin, bytes, into, |into, line, text, comment| {
        let record = record_name(comment, &otherwise);
        let at = At { origin, line: Some(line), record: &record };
        let parts: Vec<&str> = text.split(';').collect();
        let (regex, score, exception) = match parts[..] {
            [regex, score] => (regex, score, ""),
            [regex, score, exception] => (regex, score, exception),
            _ => return into.unused(at, format!("`{}` is not `REGEX;SCORE` or `REGEX;SCORE;EXCEPTION`", shown(text))),
        };
        let Ok(score) = score.trim().parse::<u32>() else {
            return into.unused(at, format!("`{}` has the score `{}`, which is no number", shown(regex), shown(score)));
        };
        let told = || format!("`{}`", shown(regex));
        if score < WARNING {
            into.unused(at, format!("{} has a score of {score}: to the list itself that is no warning", told()));
        } else if !exception.trim().is_empty() {
            into.unused(at, format!("{} comes with an exception, which a path cannot have", told()));
        } else {
            match loki_regex::path(regex) {
                Ok(path) => into.thing(at, Thing::Path(path)),
                Err(why) => into.unused(at, format!("{}: {why}", told())),
            }
        }
    })
}

/// Gives every row with its line and the last comment above it, which speaks of all rows up to the next.
fn each_row(
    origin: &str,
    bytes: &[u8],
    into: &mut Gather,
    mut each: impl FnMut(&mut Gather, usize, &str, &str),
) -> Result<(), Fault> {
    let mut allowance = Allowance::of(origin);
    let mut comment = "";
    for (line, number) in utf8(origin, bytes)?.lines().zip(1..) {
        let text = line.trim();
        if text.is_empty() {
            continue;
        }
        if let Some(said) = text.strip_prefix('#') {
            comment = said.trim_matches(['#', ' ']);
            continue;
        }
        allowance.take(number)?;
        into.record(None);
        if line.len() > LONGEST_LINE {
            into.unused(At { origin, line: Some(number), record: "" }, "the row is longer than 64 KiB");
        } else {
            each(into, number, text, comment);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::intel::import::testing;

    #[test]
    fn every_hash_is_used_or_named() {
        let text = "# HASH;COMMENT\r\n#\r\n\
            71e35aef03099cd1f2d6446734273025a163597de93912df321ef118bf135238;TeamPCP - https://x.example/a;b\r\n\
            6CF223AEA68B0E8031FF68251E30B6017A0513FE152E235C26F248BA1E15C92A;75;scored\r\n\
            23b1ec58649170650110ecad96e5a9490d98146e105226a16d898fbe108139e5;55;a library\r\n\
            0c2674c3a97c53082187d930efb645c2;MD5\r\n\
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855;nothing\r\n\
            \r\n\
            a0d229be8efcb2f9135e2ad55ba275b76ddcfeb55fa4370e0a522a5bdee0120b\r\n\
            x;y";
        let all = testing::read(read_hashes, text);
        assert_eq!(
            all.used,
            [
                "hash 6cf223aea68b0e8031ff68251e30b6017a0513fe152e235c26f248ba1e15c92a",
                "hash 71e35aef03099cd1f2d6446734273025a163597de93912df321ef118bf135238",
                "hash a0d229be8efcb2f9135e2ad55ba275b76ddcfeb55fa4370e0a522a5bdee0120b",
            ]
        );
        assert_eq!((all.records, all.total()), (7, 7), "{:#?}", all.notes);
        assert!(all.tells("line 5, a library: `23b1ec58") && all.tells("is an MD5") && all.tells("nothing in it"));
    }

    #[test]
    fn every_name_is_used_or_named() {
        let text = "# Campaign One\n/Library/x/queue\\.d;70\n\\\\config\\\\a\\.evt;80\n\n\\\\usbclass\\.sys;80\n\
            /tmp/x/\\.y;45\n/tmp/x/y;75;(pip)\n/tmp/x/z\n/tmp/x/z;high\na;1;b;c\n";
        let all = testing::read(read_names, text);
        assert_eq!(all.used, ["path **/Library/x/queue.d", "path **/config/a.evt"]);
        assert_eq!((all.records, all.total()), (8, 8), "{:#?}", all.notes);
        assert!(all.tells("line 5, Campaign One: ") && all.tells("with an exception") && all.tells("a score of 45"));
    }

    #[test]
    fn rows_of_any_length_are_rows() {
        let all = testing::read(read_names, &format!("/a/b;70\n{};80\n", "x".repeat(100_000)));
        assert_eq!((all.used.len(), all.notes.len()), (1, 1));
        assert_eq!(testing::fault(read_hashes, b"#\n\xe4").place.unwrap().0, 2);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(text in r"([0-9a-f]{32}|[/\\.;#$^()0-9a\n]|\PC){0,80}") {
            testing::survives(read_hashes, text.as_bytes());
            testing::survives(read_names, text.as_bytes());
        }
    }
}
