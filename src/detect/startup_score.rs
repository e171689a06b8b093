//! How much a start-up file stands out: points for what each line is and has, weighed by who owns the file. The points
//! were tuned on some 200 honest files of some 190 packages and on look-alikes of published attacks.

use crate::model::finding::{HookVerdict, Judgement};
use crate::model::startup::{Feature, HookLine, LineClass, Ownership, StartupHook};

/// From here on there is no honest explanation.
const ALERT: u32 = 50;
/// From here on a person should look.
const REVIEW: u32 = 30;
/// A feature of this weight is no part of any honest file that is known.
const STRONG: u32 = 40;

/// Judges a file by its shape alone.
#[must_use]
pub fn judge(hook: &StartupHook) -> HookVerdict {
    let worst = hook.lines.iter().map(line_score).max().unwrap_or(0);
    let file: u32 = hook.features.iter().map(|feature| points(*feature)).sum();
    let runs = hook.lines.iter().any(|line| line.class.runs_code());
    let mut score = worst + file;
    let mut reasons = reasons(hook);
    match hook.ownership {
        Ownership::Orphan if runs => {
            score += 20;
            reasons.push("no distribution beside it lists it in RECORD".to_owned());
        }
        Ownership::Changed => {
            score += 40;
            reasons.push("its content is not what RECORD says".to_owned());
        }
        // Malware brings its own RECORD: being listed only speaks for a file that does not stand out.
        Ownership::Owned if score < ALERT => score = score.saturating_sub(20),
        Ownership::Orphan | Ownership::Owned => {}
    }
    let judgement = match score {
        // Nothing runs it, or nothing in it hides or reaches out: a person may look, but it is no alarm.
        ALERT.. if hook.run_by.is_empty() || !is_strong(hook) => Judgement::Review,
        ALERT.. => Judgement::MaliciousShape,
        REVIEW.. => Judgement::Review,
        _ if runs || hook.lines.iter().any(|line| line.class != LineClass::Path) => Judgement::Explained,
        _ => Judgement::Plain,
    };
    HookVerdict { judgement, reasons }
}

/// Whether there is at least one thing that no honest file is known to do. Plain, readable code that nobody owns is for
/// a person to judge: administrators do write such files.
fn is_strong(hook: &StartupHook) -> bool {
    // An address alone is what proxies and mirrors are configured with.
    let is_alone = |feature: &Feature| points(*feature) >= STRONG && *feature != Feature::Address;
    let runs_a_file =
        |line: &HookLine| [Feature::ComputedExec, Feature::Files].iter().all(|one| line.features.contains(one));
    hook.ownership == Ownership::Changed
        || hook.features.iter().any(is_alone)
        || hook.lines.iter().any(|line| line.features.iter().any(is_alone) || runs_a_file(line))
}

fn line_score(line: &HookLine) -> u32 {
    base(line) + line.features.iter().map(|feature| points(*feature)).sum::<u32>()
}

fn base(line: &HookLine) -> u32 {
    match line.class {
        LineClass::Path | LineClass::Namespace | LineClass::Known => 0,
        LineClass::Import => 5,
        LineClass::ImportCall | LineClass::AddSiteDir => 8,
        LineClass::Inline | LineClass::Exec => 10,
    }
}

fn points(feature: Feature) -> u32 {
    match feature {
        Feature::Process | Feature::Network | Feature::CredentialPath => 60,
        Feature::Blob | Feature::HiddenCharacters | Feature::Indented | Feature::ExoticLineEnd => 50,
        Feature::Decoder | Feature::Native => 45,
        Feature::StringBuilding | Feature::Dynamic | Feature::Address => 40,
        Feature::Files | Feature::ComputedExec => 35,
        Feature::LongLine
        | Feature::VeryLongLine
        | Feature::Oversized
        | Feature::Undecodable
        | Feature::Unread
        | Feature::TemporaryPath => 30,
        Feature::Detached => 25,
        Feature::SelfStart | Feature::OneDialect => 20,
        Feature::LiteralExec | Feature::NonAscii => 10,
    }
}

fn reasons(hook: &StartupHook) -> Vec<String> {
    let of_line = |line: &HookLine| {
        let what = class_sentence(line.class);
        let with: Vec<&str> = line.features.iter().map(|feature| sentence(*feature)).collect();
        let with = if with.is_empty() { String::new() } else { format!(": it {}", with.join(", it ")) };
        format!("line {} {what}{with}", line.number)
    };
    let lines =
        hook.lines.iter().filter(|line| line.class != LineClass::Path || !line.features.is_empty()).map(of_line);
    hook.features.iter().map(|feature| format!("the file {}", sentence(*feature))).chain(lines).collect()
}

fn class_sentence(class: LineClass) -> &'static str {
    match class {
        LineClass::Path => "adds a folder to the import path",
        LineClass::Import => "imports modules",
        LineClass::Namespace => "is the sentence that setuptools writes for namespace packages",
        LineClass::ImportCall => "imports a module and calls it",
        LineClass::Known => "is written like this, word for word, by a packaging tool",
        LineClass::AddSiteDir => "adds site directories, whose own start-up files then run too",
        LineClass::Inline => "runs statements",
        LineClass::Exec => "runs text as code",
    }
}

/// What stands out, as the end of a sentence that begins with "it".
#[must_use]
pub fn sentence(feature: Feature) -> &'static str {
    match feature {
        Feature::Process => "starts a process",
        Feature::Network => "uses the network",
        Feature::CredentialPath => "names a place of credentials",
        Feature::Blob => "holds a long block of encoded text",
        Feature::HiddenCharacters => "has characters that do not show",
        Feature::Indented => "has code pushed out of sight by blanks",
        Feature::ExoticLineEnd => "begins behind a line end that only Python 3.13 and later see",
        Feature::OneDialect => "runs on some Python versions only",
        Feature::Decoder => "decodes data",
        Feature::Native => "calls native code",
        Feature::StringBuilding => "puts text together from pieces",
        Feature::Dynamic => "chooses at run time what to import or call",
        Feature::Address => "names a URL or an address",
        Feature::Files => "reads or writes files",
        Feature::Detached => "goes on in the background",
        Feature::SelfStart => "starts the interpreter again",
        Feature::ComputedExec => "runs text that it computes",
        Feature::LiteralExec => "runs a plain text",
        Feature::LongLine => "has more than 1,000 characters in a line",
        Feature::VeryLongLine => "has more than 4,000 characters in a line",
        Feature::NonAscii => "has characters beyond ASCII",
        Feature::Oversized => "is larger than any honest one; only its beginning was judged",
        Feature::Unread => "could not be read; only its name is known",
        Feature::Undecodable => "is not text that Python can decode",
        Feature::TemporaryPath => "puts a temporary folder on the import path",
    }
}
