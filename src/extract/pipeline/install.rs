//! Commands that install packages, as pipelines and Dockerfiles write them: `pip install`, `uv add`, `pipx run` and their
//! kin, with the requirements they name (PEP 508 as far as a shell word holds it).

use std::ops::Range;
use std::rc::Rc;

use super::commands::{self, Word};
use crate::extract::format::names::{self, is_name};
use crate::model::distribution::normalize_name;

/// What a text has installed.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Installs {
    /// Each thing, in the order of the text.
    pub all: Vec<Install>,
    /// Whether more than is looked at was left out: a command of more than 64 KiB, or more than ten thousand things.
    pub is_cut: bool,
}

/// One thing that a line has installed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Install {
    /// Where the line begins, counted from 1.
    pub line: u32,
    /// The line, with those that it goes on in.
    pub text: Rc<str>,
    /// Where in it the command stands.
    pub place: Range<usize>,
    /// What it names.
    pub named: Named,
}

/// What is named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Named {
    /// A package, by PEP 503, and which versions will do; empty for any.
    Package {
        /// The name.
        normalized: String,
        /// Such as `>=1.80,<2`.
        specifier: String,
    },
    /// A file of requirements.
    File(String),
}

/// Most things of one text.
const MOST: usize = 10_000;

/// Programs that only say what stands behind them.
const SAYERS: &[&str] = &["echo", "printf"];

/// Words that begin an install, and whether each word behind them is a package or only the first one, which is a program
/// with its own words behind it.
const COMMANDS: &[(&[&str], Words)] = &[
    (&["pip", "install"], Words::All),
    (&["pip", "download"], Words::All),
    (&["pip", "wheel"], Words::All),
    (&["uv", "add"], Words::All),
    (&["uv", "tool", "install"], Words::First),
    (&["uv", "tool", "run"], Words::First),
    (&["uv", "run"], Words::None),
    (&["uvx"], Words::First),
    (&["pipx", "install"], Words::All),
    (&["pipx", "run"], Words::First),
    (&["poetry", "add"], Words::All),
    (&["pdm", "add"], Words::All),
    (&["pipenv", "install"], Words::All),
    (&["easy_install"], Words::All),
    (&["conda", "install"], Words::All),
    (&["conda", "create"], Words::All),
    (&["conda", "env", "create"], Words::All),
    (&["conda", "env", "update"], Words::All),
    (&["mamba", "install"], Words::All),
    (&["mamba", "create"], Words::All),
    (&["mamba", "env", "create"], Words::All),
    (&["mamba", "env", "update"], Words::All),
    (&["micromamba", "install"], Words::All),
    (&["micromamba", "create"], Words::All),
    (&["pixi", "add"], Words::All),
];

/// Which words behind a command are packages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    All,
    First,
    None,
}

/// Options with a file of requirements behind them, with packages, and with something else.
const FILES: &[&str] = &["-r", "--requirement", "--requirements", "--with-requirements", "--file"];
const PACKAGES: &[&str] = &["--with", "--from", "--spec"];
const OTHERS: &[&str] = &[
    "-c",
    "--constraint",
    "-i",
    "--index-url",
    "--extra-index-url",
    "--index",
    "--default-index",
    "-f",
    "--find-links",
    "-t",
    "--target",
    "--prefix",
    "--root",
    "--platform",
    "--python-version",
    "--python",
    "-p",
    "--implementation",
    "--abi",
    "--trusted-host",
    "--cache-dir",
    "--timeout",
    "--retries",
    "--progress-bar",
    "--no-binary",
    "--only-binary",
    "--group",
    "-G",
    "--extra",
    "-E",
    "--source",
    "--channel",
    "-n",
    "--name",
    "--proxy",
    "--cert",
    "--log",
    "--src",
    "-d",
    "--dest",
    "-w",
    "--wheel-dir",
    "--config-settings",
    "-C",
    "--report",
    "--upgrade-strategy",
    "-e",
    "--editable",
];

/// Every install in a text.
#[must_use]
pub fn parse(bytes: &[u8]) -> Installs {
    let mut out = Installs::default();
    out.is_cut = commands::each(bytes, |line, text, words| {
        let Some((at, rest, kind)) = begins(words) else { return };
        let end = commands::closed(words, at);
        let (Some(first), Some(last)) = (words.get(at), words.get(end.saturating_sub(1))) else { return };
        let place = first.at..last.at + last.text.len();
        let named = named(&joined(words.get(rest..end).unwrap_or_default()), kind);
        let room = MOST - out.all.len().min(MOST);
        out.all.extend(named.into_iter().take(room).map(|named| Install {
            line,
            text: Rc::clone(text),
            place: place.clone(),
            named,
        }));
    }) || out.all.len() >= MOST;
    out
}

/// Where in a command the words that install begin, and where those behind them do. Options may stand between the words:
/// `pip --no-cache-dir install`.
fn begins(words: &[Word<'_>]) -> Option<(usize, usize, Words)> {
    let said = words.iter().position(|word| SAYERS.contains(&bare(word.text))).unwrap_or(words.len());
    (0..said).find_map(|at| {
        let here = words.get(at..)?;
        COMMANDS.iter().find_map(|(command, kind)| Some((at, at + behind(command, here)?, *kind)))
    })
}

/// How many of the words make up a command; none where they do not begin with it.
fn behind(command: &[&str], words: &[Word<'_>]) -> Option<usize> {
    let (first, rest) = command.split_first()?;
    if program(bare(words.first()?.text)) != *first {
        return None;
    }
    let mut at = 1;
    for wanted in rest {
        while let Some(option) = words.get(at).map(|word| bare(word.text)).filter(|word| word.starts_with('-')) {
            at += if OTHERS.contains(&option) { 2 } else { 1 };
        }
        if bare(words.get(at)?.text) != *wanted {
            return None;
        }
        at += 1;
    }
    Some(at)
}

/// The words without their quotes, and those of one requirement, such as `litellm == 1.82.8`, as one word.
fn joined(words: &[Word<'_>]) -> Vec<String> {
    let is_sign = |at: char| "=<>~!,@".contains(at);
    let mut out: Vec<String> = Vec::new();
    for word in words.iter().map(|word| bare(word.text)).filter(|word| !word.is_empty()) {
        match out.last_mut().filter(|last| !last.starts_with('-')) {
            Some(last) if word.starts_with(is_sign) || last.ends_with(is_sign) => last.push_str(word),
            _ => out.push(word.to_owned()),
        }
    }
    out
}

/// A word without the quotes, brackets and commas that a shell, YAML or the list form of a Dockerfile puts around it.
fn bare(word: &str) -> &str {
    let word = word.trim_matches(['"', '\'', ',', '(', ')', '$']);
    let word = if word.contains('[') && word.contains(']') && !word.starts_with('[') {
        word
    } else {
        word.trim_matches(['[', ']'])
    };
    word.trim_matches(['"', '\'', ','])
}

/// The program that a word calls: `/usr/bin/pip3.11` is pip.
fn program(word: &str) -> &str {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    let name = name.strip_suffix(".exe").unwrap_or(name);
    let name = name.strip_prefix("-m").unwrap_or(name);
    let plain = name.trim_end_matches(|at: char| at.is_ascii_digit() || at == '.');
    if plain == "pip" { plain } else { name }
}

fn named(words: &[String], kind: Words) -> Vec<Named> {
    let mut out = Vec::new();
    let mut words = words.iter().map(String::as_str);
    let mut has_first = false;
    while let Some(word) = words.next() {
        if word.starts_with('-') {
            let (option, value) = word.split_once('=').map_or((word, None), |(option, value)| (option, Some(value)));
            let mut value = || value.or_else(|| words.next()).map(bare);
            if FILES.contains(&option) {
                out.extend(value().map(|file| Named::File(file.to_owned())));
            } else if PACKAGES.contains(&option) {
                out.extend(value().into_iter().flat_map(|all| all.split(',')).filter_map(package));
            } else if OTHERS.contains(&option) {
                value();
            } else if is_group(option) {
                out.extend(value().map(|file| Named::File(file.to_owned())));
            } else if let Some(file) =
                option.strip_prefix("-r").filter(|file| !option.starts_with("--") && !file.is_empty())
            {
                out.push(Named::File(file.to_owned()));
            }
            continue;
        }
        match kind {
            Words::All => out.extend(package(word)),
            Words::First if !has_first => out.extend(package(word)),
            Words::First | Words::None => break,
        }
        has_first = true;
    }
    out
}

/// Several short options in one, of which the last asks for a file: `-Ur`.
fn is_group(option: &str) -> bool {
    let letters = option.strip_prefix('-').filter(|letters| letters.len() > 1 && letters.ends_with('r'));
    letters.is_some_and(|letters| letters.bytes().all(|letter| b"UIqvr".contains(&letter)))
}

/// `name[extra]>=1.0,<2`, `name@1.0` of uv and poetry, `name=1.0` of conda; an address or path of an archive names the
/// package by its file. A version that a variable holds may be any.
fn package(word: &str) -> Option<Named> {
    let word = word.split(';').next()?.trim();
    if let Some(named) = archive(word) {
        return Some(named);
    }
    let end = word.find(|at: char| !(at.is_ascii_alphanumeric() || "-_.".contains(at))).unwrap_or(word.len());
    let (name, rest) = word.split_at_checked(end)?;
    let rest = match rest.strip_prefix('[') {
        Some(extras) => extras.split_once(']')?.1,
        None => rest,
    };
    let specifier = specifier(rest.trim())?;
    is_name(name).then(|| Named::Package { normalized: normalize_name(name), specifier })
}

/// `https://…/litellm-1.82.8-py3-none-any.whl`, `name @ ./name-1.0.tar.gz`.
fn archive(word: &str) -> Option<Named> {
    let place = word.split(['#', '?']).next().filter(|place| place.contains('/'))?;
    let file = place.rsplit(['/', '\\']).next()?.as_bytes();
    let says = names::of_wheel(file).or_else(|| names::of_sdist(file))?;
    Some(Named::Package { normalized: normalize_name(&says.name), specifier: format!("=={}", says.version) })
}

/// Which versions will do, as PEP 440 writes it; none where what stands behind the name makes it no package.
fn specifier(rest: &str) -> Option<String> {
    Some(match rest {
        "" | "@latest" => String::new(),
        _ if rest.contains('$') || rest.contains("{{") => String::new(),
        // A path, an address, a key and its value.
        _ if rest.starts_with(['/', ':', '\\']) || rest.contains("://") => return None,
        _ if rest.starts_with('@') => of_poetry(rest.trim_start_matches('@')),
        _ if rest.starts_with('=') && !rest.starts_with("==") => {
            format!("=={}", rest.trim_start_matches('=').split('=').next()?)
        }
        _ if rest.starts_with(['=', '<', '>', '~', '!']) => rest.to_owned(),
        _ => return None,
    })
}

/// `1.0`, `^1.0` (below the next number on the left that is not zero), `~1.0` (the same two numbers), `>=1.0`.
fn of_poetry(version: &str) -> String {
    if let Some(bound) = version.strip_prefix('~').filter(|bound| !bound.starts_with('=')) {
        return format!("~={bound}");
    }
    if let Some(bound) = version.strip_prefix('^') {
        let numbers: Vec<u64> = bound.split('.').map_while(|number| number.parse().ok()).collect();
        let kept = numbers.iter().position(|number| *number > 0).unwrap_or(0);
        let mut next: Vec<u64> = numbers.iter().take(kept + 1).copied().collect();
        next.last_mut().into_iter().for_each(|last| *last = last.saturating_add(1));
        let next: Vec<String> = next.iter().map(u64::to_string).collect();
        return if next.is_empty() { String::new() } else { format!(">={bound},<{}", next.join(".")) };
    }
    if version.starts_with(['=', '<', '>', '~', '!']) { version.to_owned() } else { format!("=={version}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(text: &str) -> Vec<String> {
        let word = |named| match named {
            Named::Package { normalized, specifier } => format!("{normalized}{specifier}"),
            Named::File(file) => format!("-r {file}"),
        };
        parse(text.as_bytes()).all.into_iter().map(|one| format!("{} {}", one.line, word(one.named))).collect()
    }

    #[test]
    fn installs_of_pipelines() {
        assert_eq!(told("    - run: pip install litellm\n"), ["1 litellm"]);
        assert_eq!(
            told("x\n  - python3 -m pip install -U 'litellm[proxy]>=1.80,<2' requests"),
            ["2 litellm>=1.80,<2", "2 requests"]
        );
        assert_eq!(told("script: [\"pip3.11 install litellm==1.82.8\", \"pytest\"]"), ["1 litellm==1.82.8"]);
        assert_eq!(
            told("pip install --index-url https://x/simple -r requirements/dev.txt -rbase.txt --requirement=a.txt"),
            ["1 -r requirements/dev.txt", "1 -r base.txt", "1 -r a.txt"]
        );
        assert_eq!(told("uvx --from litellm==1.82.8 litellm --port 1"), ["1 litellm==1.82.8", "1 litellm"]);
        assert_eq!(told("uv run --with litellm,httpx main.py"), ["1 litellm", "1 httpx"]);
        assert_eq!(
            told("uv tool install litellm@1.82.8 && poetry add litellm@latest"),
            ["1 litellm==1.82.8", "1 litellm"]
        );
        assert_eq!(told("conda install -c conda-forge litellm=1.82.8=py_0"), ["1 litellm==1.82.8"]);
        assert_eq!(told("pip install litellm==${VERSION} \"litellm == 1\""), ["1 litellm", "1 litellm==1"]);
    }

    #[test]
    fn options_and_addresses_stand_anywhere() {
        assert_eq!(told("RUN pip --no-cache-dir install litellm"), ["1 litellm"]);
        assert_eq!(told("python -m pip --quiet --proxy http://p install litellm==1.82.8"), ["1 litellm==1.82.8"]);
        assert_eq!(told("uv --no-cache pip install litellm"), ["1 litellm"]);
        assert_eq!(told("conda create -n x -c conda-forge litellm=1.82.8"), ["1 litellm==1.82.8"]);
        assert_eq!(told("mamba env create --file env.yml"), ["1 -r env.yml"]);
        assert_eq!(told("easy_install litellm"), ["1 litellm"]);
        let wheel = "https://x.example/p/litellm-1.82.8-py3-none-any.whl";
        for text in [format!("pip install {wheel}#sha256=ab"), format!("pip install \"litellm @ {wheel}\"")] {
            assert_eq!(told(&text), ["1 litellm==1.82.8"], "{text}");
        }
        assert_eq!(told("pip install ./dist/litellm-1.82.7.tar.gz"), ["1 litellm==1.82.7"]);
        assert_eq!(
            told("poetry add litellm@^1.80 a@^0.2.3 b@~1.82.9"),
            ["1 litellm>=1.80,<2", "1 a>=0.2.3,<0.3", "1 b~=1.82.9"]
        );
        assert_eq!(told("pip list install"), [""; 0]);
    }

    #[test]
    fn lists_folds_and_groups() {
        assert_eq!(told("RUN [\"pip\",\"install\",\"litellm==1.82.7\"]"), ["1 litellm==1.82.7"]);
        assert_eq!(told("python -mpip install litellm"), ["1 litellm"]);
        assert_eq!(told("pip install -Ur requirements.txt"), ["1 -r requirements.txt"]);
        assert_eq!(
            told("      - run: >-\n          pip install\n            litellm==1.82.7\n      - run: x litellm\n"),
            ["2 litellm==1.82.7"]
        );
        assert_eq!(told("RUN pip install lite\\\nllm==1.82.7"), ["1 litellm==1.82.7"]);
        assert_eq!(told("# escape=`\nRUN pip install `\n  litellm"), ["2 litellm"]);
        assert_eq!(told("pip install -i \"https://h/simple?a=b&x=1\" litellm"), ["1 litellm"]);
        assert_eq!(told("pip install a&&litellm --port 1"), ["1 a"]);
        assert_eq!(told("RUN echo do not pip install litellm"), [""; 0]);
        assert_eq!(told("- {run: \"pip install litellm\", env: {T: abcdef}}"), ["1 litellm"]);
    }

    #[test]
    fn a_hostile_line_is_bounded() {
        for word in ["-r a ", "x ", "litellm==1 ", "pip install litellm && "] {
            let found = parse(format!("RUN pip install {}", word.repeat(1_000_000)).as_bytes());
            assert!(found.is_cut && found.all.len() <= MOST, "{word}");
        }
        let many = "pip install a\n".repeat(20_000);
        assert!(parse(many.as_bytes()).is_cut);
    }

    #[test]
    fn installs_of_recipes() {
        let text = "FROM python:3.12\n# pip install nothing\nRUN apt-get update && \\\n    # why\n    pip install --no-cache-dir \\\n      litellm \\\n      httpx\nRUN [\"pip\", \"install\", \"litellm==1.82.7\"]\n";
        assert_eq!(told(text), ["3 litellm", "3 httpx", "8 litellm==1.82.7"]);
    }

    #[test]
    fn what_is_no_install() {
        for text in [
            "pip uninstall litellm",
            "echo litellm",
            "apt-get install litellm",
            "pip install .",
            "pip install -e ./litellm",
            "pip install git+https://x/litellm",
            "pip install # litellm",
            "pip install ../litellm",
            "# - pip install litellm",
            "name: install litellm",
        ] {
            let named = told(text);
            assert!(!named.iter().any(|one| one.contains("litellm")), "{text}: {named:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_stops_it(bytes in prop::collection::vec(any::<u8>(), 0..200), start in prop::sample::select(vec!["", "pip install ", "uvx --from ", "RUN [\"pip\",\"install\","])) {
            let _ = parse(&[start.as_bytes(), &bytes].concat());
        }
    }
}
