//! How much a start-up hook stands out: points for what each line is and has, what the modules that it brings in do, and
//! who owns all of it. The points of lines were tuned on some 200 honest files of some 190 packages and on look-alikes of
//! published attacks; what modules may do was tuned on the same packages.

use std::collections::BTreeSet;

use super::startup_words::{class_sentence, sentence};
use crate::model::code::{Sign, When};
use crate::model::finding::{HookVerdict, Judgement};
use crate::model::startup::{Feature, HookKind, HookLine, LineClass, Module, ModuleOutcome, Ownership, StartupHook};
use crate::model::text::Excerpt;

/// From here on there is no honest explanation.
const ALERT: u32 = 50;
/// From here on a person should look.
const REVIEW: u32 = 30;
/// A feature of this weight is no part of any honest file that is known.
const STRONG: u32 = 40;

/// Judges a hook by what it is and brings in.
#[must_use]
pub fn judge(hook: &StartupHook) -> HookVerdict {
    let mut reasons = reasons(hook);
    let names = own_names(hook);
    let (own, mut why) = if is_module(hook) { by_code(hook, &names) } else { by_lines(hook, &names) };
    reasons.append(&mut why);
    let mut judgement = own;
    // A generator's own sentence asks for the module that it brings along, and does nothing without it.
    let is_known = hook.lines.iter().all(|line| matches!(line.class, LineClass::Known | LineClass::Path));
    for module in &hook.modules {
        let hook_ownership = if is_known { Ownership::Owned } else { hook.ownership };
        let weight = weigh(module, hook_ownership, &names);
        judgement = judgement.max(weight.judgement());
        if weight != Weight::Quiet || module.is_direct {
            reasons.extend(module_reason(module));
        }
    }
    // Nothing runs it: a person may look, but it is no alarm.
    if hook.run_by.is_empty() {
        judgement = judgement.min(Judgement::Review);
    }
    HookVerdict { judgement, reasons }
}

fn is_module(hook: &StartupHook) -> bool {
    matches!(hook.kind, HookKind::Sitecustomize | HookKind::Usercustomize | HookKind::Pyc)
}

/// A hook of single lines.
fn by_lines(hook: &StartupHook, names: &[String]) -> (Judgement, Vec<String>) {
    let lines: Vec<HookLine> = hook.lines.iter().map(|line| at_every_start(line, hook.ownership, names)).collect();
    let worst = lines.iter().map(line_score).max().unwrap_or(0);
    let file: u32 = hook.features.iter().map(|feature| points(*feature)).sum();
    let runs = hook.lines.iter().any(|line| line.class.runs_code());
    let mut score = worst + file;
    let mut why = Vec::new();
    match hook.ownership {
        Ownership::Orphan if runs => {
            score += 20;
            why.push("no distribution beside it lists it in RECORD".to_owned());
            if hook.is_newest {
                score += 10;
                why.push("it is newer than everything that is installed beside it".to_owned());
            }
        }
        Ownership::Changed => {
            score += 40;
            why.push("its content is not what its package says".to_owned());
        }
        // Malware brings its own RECORD: being listed only speaks for a file that does not stand out.
        Ownership::Owned if score < ALERT => score = score.saturating_sub(20),
        Ownership::Orphan | Ownership::Owned => {}
    }
    let is_own_code = hook.lines.iter().any(|line| match line.class {
        LineClass::Inline | LineClass::Exec => true,
        // A call into the standard library is code of its own.
        LineClass::ImportCall => hook.modules.is_empty() || hook.kind == HookKind::Start,
        _ => false,
    });
    let judgement = match score {
        ALERT.. if is_strong(hook, &lines) => Judgement::MaliciousShape,
        REVIEW.. => Judgement::Review,
        // Code outside every known shape, and nobody answers for it.
        _ if is_own_code && hook.ownership == Ownership::Orphan => Judgement::Review,
        _ if hook.lines.iter().any(|line| line.class != LineClass::Path) => Judgement::Explained,
        _ => Judgement::Plain,
    };
    (judgement, why)
}

/// A hook that is a module.
fn by_code(hook: &StartupHook, names: &[String]) -> (Judgement, Vec<String>) {
    let own = hook.lines.iter().flat_map(|line| line.features.iter().map(|one| (*one, when(line, *one))));
    let of_file = hook.features.iter().map(|one| (*one, When::Start));
    let signs: Vec<(Feature, When)> = own.chain(of_file).collect();
    let features = counting(&signs, hook.ownership, names);
    let mut why = Vec::new();
    if !hook.lines.is_empty() || hook.features.contains(&Feature::Opaque) {
        match hook.ownership {
            Ownership::Orphan => why.push("no package lists it".to_owned()),
            Ownership::Changed => why.push("its content is not what its package says".to_owned()),
            Ownership::Owned => {}
        }
    }
    let weight = of_code(&features, hook.ownership);
    let judgement = match weight {
        Weight::Quiet if hook.lines.is_empty() => Judgement::Plain,
        Weight::Quiet if hook.ownership == Ownership::Changed => Judgement::Review,
        weight => weight.judgement(),
    };
    (judgement, why)
}

/// What a piece of code weighs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Weight {
    Quiet,
    Odd,
    Alarm,
}

impl Weight {
    fn judgement(self) -> Judgement {
        match self {
            Self::Quiet => Judgement::Explained,
            Self::Odd => Judgement::Review,
            Self::Alarm => Judgement::MaliciousShape,
        }
    }
}

/// What a module weighs that a hook brings in.
fn weigh(module: &Module, hook: Ownership, names: &[String]) -> Weight {
    match module.outcome {
        ModuleOutcome::Followed => {
            let signs: Vec<(Feature, When)> =
                module.signs.iter().map(|sign| (sign.feature, sign.when.clone())).collect();
            let features = counting(&signs, module.ownership, names);
            let weight = of_code(&features, module.ownership);
            let is_less = features.len() < signs.iter().map(|sign| sign.0).collect::<BTreeSet<_>>().len();
            match module.ownership {
                Ownership::Changed => weight.max(Weight::Odd),
                Ownership::Orphan if is_less => weight.max(Weight::Odd),
                _ => weight,
            }
        }
        // What nothing is known of, and nobody answers for.
        ModuleOutcome::Native | ModuleOutcome::Bytecode if module.ownership != Ownership::Owned => Weight::Odd,
        ModuleOutcome::Missing if hook != Ownership::Owned && module.is_direct => Weight::Odd,
        ModuleOutcome::Unread => Weight::Odd,
        ModuleOutcome::Native | ModuleOutcome::Bytecode | ModuleOutcome::Missing | ModuleOutcome::Optional => {
            Weight::Quiet
        }
    }
}

/// What code does that is never a part of an honest start.
const ACTS: [Feature; 6] = [
    Feature::Process,
    Feature::Network,
    Feature::CredentialPath,
    Feature::Persistence,
    Feature::Beyond,
    Feature::ForeignBytecode,
];

/// The features that count. What happens only if somebody sets a variable of the file's own name is a service that was
/// asked for. Of a file that is as its package says, what is only called later is not part of the start: finders of editable
/// packages start their build when somebody imports the package, and that is what they are installed for.
fn counting(signs: &[(Feature, When)], ownership: Ownership, names: &[String]) -> BTreeSet<Feature> {
    let counts = |(feature, when): &&(Feature, When)| match when {
        When::Start => true,
        When::IfSet(variable) => ownership == Ownership::Changed || !is_own_name(variable, names),
        When::Later if ownership != Ownership::Owned => true,
        When::Later => matches!(feature, Feature::Decoder | Feature::ComputedExec | Feature::Blob),
    };
    signs.iter().filter(counts).map(|sign| sign.0).collect()
}

/// The names by which a hook and what it brings in go.
fn own_names(hook: &StartupHook) -> Vec<String> {
    let file = String::from_utf8_lossy(hook.path.file_name()).into_owned();
    let stem = file.split('.').next().unwrap_or_default().to_owned();
    let tops = hook.modules.iter().filter_map(|module| module.name.split('.').next().map(str::to_owned));
    let all = tops.chain([stem]).map(|name| plain(&name)).filter(|name| name.len() >= 4);
    all.collect()
}

fn is_own_name(variable: &str, names: &[String]) -> bool {
    let variable = plain(variable);
    names.iter().any(|name| variable.contains(name))
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|at| at.to_ascii_lowercase()).collect()
}

/// A line without what happens only on request.
fn at_every_start(line: &HookLine, ownership: Ownership, names: &[String]) -> HookLine {
    let signs: Vec<(Feature, When)> = line.features.iter().map(|one| (*one, when(line, *one))).collect();
    let features = counting(&signs, ownership, names).into_iter().collect();
    HookLine { features, ..line.clone() }
}

fn when(line: &HookLine, feature: Feature) -> When {
    let variable = line.only_if.iter().find(|(one, _)| *one == feature);
    variable.map_or(When::Start, |(_, name)| When::IfSet(name.clone()))
}

/// What code weighs by what it does when it is imported.
fn of_code(features: &BTreeSet<Feature>, ownership: Ownership) -> Weight {
    let has = |wanted: &[Feature]| wanted.iter().any(|one| features.contains(one));
    let acts = has(&ACTS);
    let runs_hidden = has(&[Feature::ComputedExec])
        && has(&[Feature::Decoder, Feature::StringBuilding, Feature::Blob, Feature::Reflection]);
    if acts || runs_hidden {
        return Weight::Alarm;
    }
    if ownership == Ownership::Owned {
        // What it runs is not what the package lists.
        let runs_other = has(&[Feature::ComputedExec]) && has(&[Feature::Files, Feature::SecretVariable]);
        let is_odd = runs_other || has(&[Feature::Unparsed, Feature::Unread]);
        return if is_odd { Weight::Odd } else { Weight::Quiet };
    }
    // Nobody answers for it.
    let is_loud = has(&[Feature::ComputedExec, Feature::Decoder, Feature::Reflection, Feature::Native]);
    if is_loud {
        return Weight::Alarm;
    }
    let is_odd = has(&[
        Feature::StringBuilding,
        Feature::Writes,
        Feature::SecretVariable,
        Feature::Unparsed,
        Feature::Unread,
        Feature::Opaque,
        Feature::TemporaryPath,
        Feature::HiddenPath,
        Feature::Oversized,
    ]);
    if is_odd { Weight::Odd } else { Weight::Quiet }
}

/// Whether there is at least one thing that no honest file is known to do. Plain, readable code that nobody owns is for
/// a person to judge: administrators do write such files.
fn is_strong(hook: &StartupHook, lines: &[HookLine]) -> bool {
    // An address alone is what proxies and mirrors are configured with.
    let is_orphan = hook.ownership == Ownership::Orphan;
    let is_alone = |feature: &Feature| match feature {
        Feature::Address => false,
        Feature::ComputedExec => is_orphan,
        // Packages load modules by ways of their own.
        Feature::Dynamic => hook.ownership != Ownership::Owned,
        other => points(*other) >= STRONG,
    };
    let runs_a_file =
        |line: &HookLine| [Feature::ComputedExec, Feature::Files].iter().all(|one| line.features.contains(one));
    hook.ownership == Ownership::Changed
        || hook.features.iter().any(is_alone)
        || lines.iter().any(|line| line.features.iter().any(is_alone) || runs_a_file(line))
}

fn line_score(line: &HookLine) -> u32 {
    base(line) + line.features.iter().map(|feature| points(*feature)).sum::<u32>()
}

fn base(line: &HookLine) -> u32 {
    match line.class {
        LineClass::Path | LineClass::Namespace | LineClass::Known | LineClass::Module | LineClass::Setting => 0,
        LineClass::Import => 5,
        LineClass::ImportCall | LineClass::AddSiteDir => 8,
        LineClass::Inline | LineClass::Exec => 10,
    }
}

/// How much a feature weighs.
#[must_use]
pub fn points(feature: Feature) -> u32 {
    match feature {
        Feature::Process
        | Feature::Network
        | Feature::CredentialPath
        | Feature::Persistence
        | Feature::Beyond
        | Feature::ForeignBytecode => 60,
        Feature::Blob | Feature::HiddenCharacters | Feature::Indented | Feature::ExoticLineEnd => 50,
        Feature::Decoder | Feature::Native => 45,
        Feature::StringBuilding | Feature::Dynamic | Feature::Address | Feature::Reflection => 40,
        Feature::Files | Feature::ComputedExec | Feature::Writes => 35,
        Feature::LongLine
        | Feature::VeryLongLine
        | Feature::Oversized
        | Feature::Undecodable
        | Feature::Unread
        | Feature::TemporaryPath
        | Feature::HiddenPath
        | Feature::Unparsed
        | Feature::Silences
        | Feature::Evaluated
        | Feature::Opaque => 30,
        Feature::Detached | Feature::SecretVariable => 25,
        Feature::SelfStart | Feature::OneDialect => 20,
        Feature::LiteralExec | Feature::NonAscii | Feature::RelativePath => 10,
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

/// What became of a module, in a sentence.
#[must_use]
pub fn module_reason(module: &Module) -> Option<String> {
    let name = &module.name;
    let owned = match module.ownership {
        Ownership::Orphan => ", which no package lists,",
        Ownership::Owned => "",
        Ownership::Changed => ", which is not what its package says,",
    };
    let mut first: Vec<&Sign> = module.signs.iter().collect();
    first.dedup_by_key(|sign| sign.feature);
    let signs: Vec<String> = first
        .iter()
        .map(|sign| format!("{} (line {}{})", sentence(sign.feature), sign.line, time(&sign.when)))
        .collect();
    Some(match module.outcome {
        ModuleOutcome::Followed if signs.is_empty() && module.ownership == Ownership::Owned => return None,
        ModuleOutcome::Followed if signs.is_empty() => format!("the module {name}{owned} does nothing that stands out"),
        ModuleOutcome::Followed => format!("the module {name}{owned} {}", signs.join(", ")),
        ModuleOutcome::Native => format!("the module {name}{owned} is machine code, of which nothing is known"),
        ModuleOutcome::Bytecode => format!("the module {name}{owned} is bytecode without a source"),
        ModuleOutcome::Optional => format!("the module {name} was not found, which the code provides for"),
        ModuleOutcome::Missing => format!("the module {name} was not found on the import path"),
        ModuleOutcome::Unread => format!("the module {name} could not be read"),
    })
}

/// When something happens, as a remark.
fn time(when: &When) -> String {
    match when {
        When::Start => String::new(),
        When::IfSet(variable) => format!(", only if {} is set", Excerpt::of(variable.as_bytes()).as_str()),
        When::Later => ", only when it is called later".to_owned(),
    }
}
