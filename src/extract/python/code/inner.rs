//! Text that is run as code, followed as the code that it is.

use ruff_text_size::TextSize;

use super::guard::{self, Refusal};
use super::machine::{Found, Machine, sooner};
use super::tokens;
use super::value::Value;
use crate::model::startup::Feature;

/// How deep code inside texts inside code is followed.
const DEEPEST: u32 = 4;

/// Follows `text` where it is run; all that is found stands at the line of the call.
pub(super) fn follow<'a>(machine: &mut Machine<'a>, text: &str, at: TextSize) {
    if machine.inner >= DEEPEST {
        machine.sign(Feature::Beyond, at);
        return;
    }
    if !machine.spend_text() {
        machine.sign(Feature::Oversized, at);
        return;
    }
    if tokens::names_odd_coding(text) {
        machine.sign(Feature::Decoder, at);
    }
    let line = machine.line(at);
    let (names, depth, run, when) = (machine.outer_names(), machine.inner + 1, machine.run, machine.when.clone());
    let text = text.trim();
    let within = machine.within.unwrap_or((machine.column(at), text.len() as u32));
    // One purse for all: texts in texts must not multiply what may be spent.
    let left = machine.left();
    let look = move |parsed: &ruff_python_parser::Parsed<ruff_python_ast::ModModule>| {
        let mut inner = Machine::new(run, "", &[]);
        inner.share(left);
        (inner.inner, inner.at, inner.when) = (depth, Some(line), when);
        inner.within = Some(within);
        for (name, path) in &names {
            inner.bind(name, Value::path(path));
        }
        inner.body(&parsed.syntax().body);
        let left = inner.left();
        (inner.finish(), left)
    };
    match guard::parse(text, look) {
        Ok(((found, left), true)) => {
            machine.share(left);
            machine.take(found);
        }
        Err(Refusal::Beyond) => machine.sign(Feature::Beyond, at),
        Ok(((found, left), false)) => {
            machine.share(left);
            machine.take(found);
            machine.sign(Feature::Unparsed, at);
            tokens::features(text).into_iter().for_each(|feature| machine.sign(feature, at));
        }
    }
}

/// Follows the code that a call hands to another Python: `[sys.executable, "-c", "…"]`.
pub(super) fn follow_command<'a>(machine: &mut Machine<'a>, args: &[Value<'a>], at: TextSize) {
    let lists = args.iter().filter_map(|one| match one {
        Value::List(words) => Some(words),
        _ => None,
    });
    for words in lists {
        let is_python = match words.first() {
            Some(Value::Path(path)) => path.as_ref() == "sys.executable",
            Some(Value::Text(path, _)) => {
                path.rsplit(['/', '\\']).next().is_some_and(|name| name.starts_with("python"))
            }
            _ => false,
        };
        let option = words.iter().position(|word| matches!(word, Value::Text(text, _) if text.as_ref() == "-c"));
        let code = option.and_then(|option| words.get(option + 1)).and_then(Value::known_text);
        if let (true, Some((text, _))) = (is_python, code) {
            follow(machine, text, at);
        }
    }
}

impl Machine<'_> {
    /// Takes over what was found in a text of code.
    fn take(&mut self, found: Found) {
        let Found { signs, texts, spots, imports, optional, calls, folders, touches_files } = found;
        for (key, when) in signs {
            sooner(self.found.signs.entry(key), &when);
        }
        for (key, when) in texts {
            sooner(self.found.texts.entry(key), &when);
        }
        self.found.spots.extend(spots);
        for (module, found) in imports {
            self.found.imports.entry(module).or_insert(found);
        }
        self.found.optional.extend(optional);
        for (path, when) in calls {
            sooner(self.found.calls.entry(path), &when);
        }
        self.found.folders.extend(folders);
        self.found.touches_files |= touches_files;
    }
}
