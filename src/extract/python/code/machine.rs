//! Follows code without running it: statement by statement, as Python would, with what is known of each value. Both
//! branches of a condition are followed, functions where they are called or handed on. What is found are signs: a
//! feature, and the line that has it.

use std::collections::btree_map::{BTreeMap, Entry};
use std::collections::{BTreeSet, HashMap, HashSet};

use ruff_python_ast::Stmt;
use ruff_text_size::TextSize;

use super::names;
use super::value::{Making, Value};
use crate::model::code::{Added, AddedBy, Spot, When};
use crate::model::startup::Feature;

/// Most steps that one source is followed: a step is an expression or a statement. The largest honest modules take some
/// ten thousand.
const FUEL: u32 = 400_000;

/// How deep expressions and statements are followed in all, calls included: what the stack is made for.
const DEEPEST: u32 = 1500;

/// Most texts of code that are followed in one source.
const MOST_TEXTS: u32 = 50;

/// Most of each kind of thing that is kept.
const MOST: usize = 5000;

/// Most lines that are kept of one feature.
const MOST_OF_ONE: usize = 100;

/// What is followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Run {
    /// A line of start-up code: loading a module for use is a sign by itself.
    Line,
    /// A module that is imported.
    Module,
}

/// Features by line, and when they happen.
pub(super) type Signs = BTreeMap<(Feature, u32), When>;

/// What was found.
#[derive(Default, Debug)]
pub(super) struct Found {
    /// Features by line; the line is that of the source followed.
    pub(super) signs: Signs,
    /// The same of texts, which mean something only beside what uses them.
    pub(super) texts: Signs,
    /// Where all of these stand.
    pub(super) spots: BTreeSet<Spot>,
    /// Modules that it imports, where first and when.
    pub(super) imports: BTreeMap<String, (When, u32)>,
    /// Those of them that it can do without.
    pub(super) optional: BTreeSet<String>,
    /// Names from outside that it calls.
    pub(super) calls: BTreeMap<String, When>,
    /// Folders that it adds to the import path.
    pub(super) folders: BTreeSet<Added>,
    /// Whether it looks at files at all.
    pub(super) touches_files: bool,
}

/// Follows one source.
pub(super) struct Machine<'a> {
    pub(super) run: Run,
    /// The package that relative imports begin at.
    package: String,
    lines: &'a [u32],
    globals: HashMap<String, Value<'a>>,
    locals: Vec<HashMap<String, Value<'a>>>,
    /// Names that functions declare global.
    pub(super) shared: HashSet<String>,
    /// What attributes of objects of this source were set to, by name.
    pub(super) attributes: HashMap<String, Value<'a>>,
    /// Modules of which all names were imported.
    pub(super) stars: Vec<String>,
    pub(super) runs: HashMap<TextSize, u32>,
    /// Classes whose methods were followed because something outside got hold of them.
    pub(super) let_go: HashSet<TextSize>,
    fuel: u32,
    /// How many texts of code may still be followed.
    texts: u32,
    pub(super) depth: u32,
    /// How deep we are in all.
    level: u32,
    /// What is being followed now: a function that calls itself is followed once.
    pub(super) active: HashSet<TextSize>,
    /// When what is followed now runs.
    pub(super) when: When,
    /// How many `try` with handlers we are inside of.
    pub(super) tries: u32,
    /// How many messages we are inside of.
    pub(super) quiet: u32,
    /// How many texts of code we are inside of.
    pub(super) inner: u32,
    /// The line of the text of code, seen from the source.
    pub(super) at: Option<u32>,
    /// The column of that text seen from the source, and its size.
    pub(super) within: Option<(u32, u32)>,
    pub(super) found: Found,
}

impl<'a> Machine<'a> {
    /// `lines` are the offsets at which the lines of the source begin.
    pub(super) fn new(run: Run, package: &str, lines: &'a [u32]) -> Self {
        Self {
            run,
            package: package.to_owned(),
            lines,
            globals: HashMap::new(),
            locals: Vec::new(),
            shared: HashSet::new(),
            attributes: HashMap::new(),
            stars: Vec::new(),
            runs: HashMap::new(),
            let_go: HashSet::new(),
            fuel: FUEL,
            texts: MOST_TEXTS,
            depth: 0,
            level: 0,
            active: HashSet::new(),
            when: When::Start,
            tries: 0,
            quiet: 0,
            inner: 0,
            at: None,
            within: None,
            found: Found::default(),
        }
    }

    /// What was found.
    pub(super) fn finish(mut self) -> Found {
        if self.fuel == 0 {
            self.found.signs.insert((Feature::Oversized, 1), When::Start);
        }
        self.found
    }

    /// Follows something one level deeper; what lies too deep is not followed, and stands out by that.
    pub(super) fn deeper<T>(&mut self, at: TextSize, follow: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.level >= DEEPEST {
            self.sign(Feature::Beyond, at);
            return None;
        }
        self.level += 1;
        let done = follow(self);
        self.level -= 1;
        Some(done)
    }

    /// One step; false when there is no more to spend.
    pub(super) fn step(&mut self) -> bool {
        self.fuel = self.fuel.saturating_sub(1);
        self.fuel > 0
    }

    /// Follows what runs at another time than what is around it.
    pub(super) fn at_time<T>(&mut self, when: When, follow: impl FnOnce(&mut Self) -> T) -> T {
        let later = self.when.clone().max(when);
        let outer = std::mem::replace(&mut self.when, later);
        let done = follow(self);
        self.when = outer;
        done
    }

    /// Pays for going through that much.
    pub(super) fn pay(&mut self, weight: usize) {
        self.fuel = self.fuel.saturating_sub(u32::try_from(weight / 4).unwrap_or(u32::MAX));
    }

    /// Takes over what another one, that follows a text of this source, has left to spend; and the other way round.
    pub(super) fn share(&mut self, left: (u32, u32)) {
        (self.fuel, self.texts) = left;
    }

    /// What is left to spend.
    pub(super) fn left(&self) -> (u32, u32) {
        (self.fuel, self.texts)
    }

    /// One more text of code; false when there have been too many.
    pub(super) fn spend_text(&mut self) -> bool {
        self.texts = self.texts.saturating_sub(1);
        self.texts > 0
    }

    /// The line of an offset, counted from 1.
    pub(super) fn line(&self, at: TextSize) -> u32 {
        let own = || self.lines.partition_point(|start| *start <= at.to_u32()) as u32;
        self.at.unwrap_or_else(own)
    }

    /// The bytes of its line before an offset.
    pub(super) fn column(&self, at: TextSize) -> u32 {
        let start = self.lines.get(self.line(at) as usize - 1);
        self.within.map_or_else(|| at.to_u32().saturating_sub(start.map_or(0, |start| *start)), |(column, _)| column)
    }

    fn spot(&mut self, feature: Feature, line: u32, at: TextSize) {
        if self.found.spots.len() < MOST {
            let inside = self.within.map(|(_, size)| size);
            self.found.spots.insert(Spot { line, column: self.column(at), feature, inside });
        }
    }

    pub(super) fn sign(&mut self, feature: Feature, at: TextSize) {
        let line = self.line(at);
        self.spot(feature, line, at);
        // Of each feature on its own: many harmless ones must not crowd out another.
        let of_one = self.found.signs.range((feature, 0)..=(feature, u32::MAX)).count();
        if of_one < MOST_OF_ONE {
            sooner(self.found.signs.entry((feature, line)), &self.when);
        }
        self.found.touches_files |=
            matches!(feature, Feature::Files | Feature::Writes | Feature::Process | Feature::Network);
    }

    pub(super) fn sign_text(&mut self, feature: Feature, at: TextSize) {
        let line = self.line(at);
        self.spot(feature, line, at);
        let of_one = self.found.texts.range((feature, 0)..=(feature, u32::MAX)).count();
        if of_one < MOST_OF_ONE {
            sooner(self.found.texts.entry((feature, line)), &self.when);
        }
    }

    pub(super) fn imported(&mut self, module: String, at: TextSize) {
        let line = self.line(at);
        if self.found.imports.len() >= MOST {
            self.sign(Feature::Oversized, at);
        } else if !module.is_empty() {
            if self.tries > 0 {
                self.found.optional.insert(module.clone());
            }
            let known = self.found.imports.entry(module).or_insert((self.when.clone(), line));
            if self.when < known.0 {
                *known = (self.when.clone(), line);
            }
        }
    }

    pub(super) fn called(&mut self, path: &str) {
        if self.found.calls.len() < MOST {
            sooner(self.found.calls.entry(path.to_owned()), &self.when);
        }
    }

    pub(super) fn added(&mut self, folder: &str, by: AddedBy, at: TextSize) {
        let line = self.line(at);
        if self.found.folders.len() < MOST {
            self.found.folders.insert(Added { folder: folder.to_owned(), by, line });
        }
    }

    /// `level` dots before `module` are as many packages up.
    pub(super) fn absolute(&self, level: u32, module: &str) -> String {
        if level == 0 {
            return module.to_owned();
        }
        let mut parts: Vec<&str> = self.package.split('.').filter(|part| !part.is_empty()).collect();
        parts.truncate(parts.len().saturating_sub(level as usize - 1));
        parts.extend(module.split('.').filter(|part| !part.is_empty()));
        parts.join(".")
    }

    pub(super) fn bind(&mut self, name: &str, value: Value<'a>) {
        let is_global = self.shared.contains(name);
        let scope = self.locals.last_mut().filter(|_| !is_global).unwrap_or(&mut self.globals);
        // Which of two branches runs is not known: a function that was bound to a name may still be.
        let is_weak = matches!(value, Value::Unknown | Value::Nothing | Value::Int(_));
        let is_strong = |known: &Value<'a>| {
            matches!(known, Value::Path(_) | Value::Function(_) | Value::Class(_) | Value::Lambda(_))
        };
        if is_weak && scope.get(name).is_some_and(is_strong) {
            return;
        }
        scope.insert(name.to_owned(), value);
    }

    /// Whether the source itself gives a name another meaning than the library's.
    pub(super) fn is_bound(&self, name: &str) -> bool {
        let scopes = self.locals.iter().chain([&self.globals]);
        let bound = |value: &Value<'a>| !matches!(value, Value::Path(_));
        scopes.into_iter().filter_map(|scope| scope.get(name)).any(bound)
    }

    /// What a name stands for: here, in the functions around, in the module, among the built-in ones.
    pub(super) fn look_up(&self, name: &str) -> Value<'a> {
        let scopes = self.locals.iter().rev().chain([&self.globals]);
        if let Some(value) = scopes.into_iter().find_map(|scope| scope.get(name)) {
            return value.clone();
        }
        match name {
            "__builtins__" => Value::path("builtins"),
            // What `site` has at hand where it runs a line.
            "sitedir" if self.run == Run::Line => Value::text("{sitedir}", Making::Joined),
            "__name__" | "__file__" => Value::Unknown,
            _ if names::is_builtin(name) => Value::path(format!("builtins.{name}")),
            _ => match self.stars.last() {
                Some(module) => Value::path(names::canonical(&format!("{module}.{name}"))),
                None => Value::Unknown,
            },
        }
    }

    /// The names that lead out of this source, for a text of code that is followed inside of it.
    pub(super) fn outer_names(&self) -> Vec<(String, String)> {
        let all = self.globals.iter().chain(self.locals.iter().flatten());
        let path = |(name, value): (&String, &Value<'a>)| match value {
            Value::Path(path) => Some((name.clone(), path.to_string())),
            _ => None,
        };
        all.filter_map(path).collect()
    }

    /// Follows something with a scope of its own.
    pub(super) fn in_scope<T>(&mut self, scope: HashMap<String, Value<'a>>, follow: impl FnOnce(&mut Self) -> T) -> T {
        self.locals.push(scope);
        self.depth += 1;
        let when = self.when.clone();
        let done = follow(self);
        self.when = when;
        self.depth -= 1;
        self.locals.pop();
        done
    }

    /// Follows statements; gives what the last `return` gives.
    pub(super) fn body(&mut self, body: &'a [Stmt]) -> Value<'a> {
        let mut last = Value::Unknown;
        for statement in body {
            if let Some(returned) = self.statement(statement) {
                last = returned;
            }
        }
        last
    }
}

/// Of two times the sooner one counts.
pub(super) fn sooner<K: Ord>(entry: Entry<'_, K, When>, when: &When) {
    let known = entry.or_insert_with(|| when.clone());
    if when < known {
        *known = when.clone();
    }
}
