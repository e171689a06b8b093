//! Following statements.

use ruff_python_ast::{
    Alias, ExceptHandler, Expr, Stmt, StmtAssign, StmtFor, StmtIf, StmtImport, StmtImportFrom, StmtTry, StmtWith,
};
use ruff_text_size::{Ranged, TextSize};

use super::machine::{Machine, Run};
use super::names;
use super::value::Value;
use crate::model::code::{AddedBy, When};
use crate::model::startup::Feature;

/// Most rounds of a loop that are followed; the texts that are taken apart letter by letter are shorter.
const MOST_ROUNDS: usize = 2000;

impl<'a> Machine<'a> {
    /// Follows one statement; gives what it returns, if it is a `return` or holds one.
    pub(super) fn statement(&mut self, statement: &'a Stmt) -> Option<Value<'a>> {
        if !self.step() {
            return None;
        }
        self.deeper(statement.range().start(), |machine| machine.followed(statement))?
    }

    fn followed(&mut self, statement: &'a Stmt) -> Option<Value<'a>> {
        match statement {
            Stmt::Import(import) => self.import(import),
            Stmt::ImportFrom(import) => self.import_from(import),
            Stmt::Expr(one) => {
                // A text that stands alone in a module is a comment.
                if self.run == Run::Line || !matches!(*one.value, Expr::StringLiteral(_)) {
                    self.eval(&one.value);
                }
            }
            Stmt::Assign(assign) => self.assign(assign),
            Stmt::AugAssign(assign) => {
                let (left, right) = (self.eval(&assign.target), self.eval(&assign.value));
                let value = self.binary(assign.op, &left, &right);
                if let (Value::Path(path), Some(all)) = (&left, right.elements())
                    && path.as_ref() == "sys.path"
                {
                    self.extend_path(&all, assign.range.start());
                }
                self.assign_to(&assign.target, &value);
            }
            Stmt::AnnAssign(assign) => {
                self.eval(&assign.annotation);
                if let Some(value) = &assign.value {
                    let value = self.eval(value);
                    self.assign_to(&assign.target, &value);
                }
            }
            Stmt::FunctionDef(function) => self.define(function),
            Stmt::ClassDef(class) => self.class(class),
            Stmt::Return(one) => return Some(one.value.as_ref().map_or(Value::Unknown, |value| self.eval(value))),
            Stmt::Raise(raise) => self.in_message(|machine| {
                [&raise.exc, &raise.cause].into_iter().flatten().for_each(|one| {
                    machine.eval(one);
                });
            }),
            Stmt::Assert(assert) => {
                self.eval(&assert.test);
                assert.msg.iter().for_each(|message| {
                    self.eval(message);
                });
            }
            Stmt::Delete(delete) => delete.targets.iter().for_each(|one| {
                self.eval(one);
            }),
            Stmt::Global(one) => self.shared.extend(one.names.iter().map(ToString::to_string)),
            compound => return self.compound(compound),
        }
        None
    }

    /// Statements that hold others.
    fn compound(&mut self, statement: &'a Stmt) -> Option<Value<'a>> {
        match statement {
            Stmt::If(one) => self.condition(one),
            Stmt::For(one) => self.loop_over(one),
            Stmt::While(one) => {
                self.eval(&one.test);
                if literal_truth(&one.test) == Some(false) {
                    return self.all(&one.orelse);
                }
                let bodies = [self.all(&one.body), self.all(&one.orelse)];
                bodies.into_iter().flatten().next()
            }
            Stmt::With(one) => self.with(one),
            Stmt::Try(one) => self.attempt(one),
            Stmt::Match(one) => {
                self.eval(&one.subject);
                let mut given = None;
                for case in &one.cases {
                    case.guard.iter().for_each(|guard| {
                        self.eval(guard);
                    });
                    given = self.all(&case.body).or(given);
                }
                given
            }
            _ => None,
        }
    }

    /// Follows all of `body`; gives the last thing that it returns.
    fn all(&mut self, body: &'a [Stmt]) -> Option<Value<'a>> {
        body.iter().fold(None, |given, one| self.statement(one).or(given))
    }

    fn condition(&mut self, one: &'a StmtIf) -> Option<Value<'a>> {
        let mut given = None;
        let test = self.eval(&one.test);
        let known = literal_truth(&one.test);
        if known != Some(false) && !self.is_never_true(&one.test) {
            given = self.at_time(asked_for(&test), |machine| machine.all(&one.body)).or(given);
        }
        if known == Some(true) {
            return given;
        }
        let unless = not_asked_for(&test);
        // What comes behind `if variable is None: return` runs only if it is set.
        if one.elif_else_clauses.is_empty() && matches!(one.body.last(), Some(Stmt::Return(_) | Stmt::Raise(_))) {
            self.when = self.when.clone().max(unless.clone());
        }
        for clause in &one.elif_else_clauses {
            if let Some(test) = &clause.test {
                self.eval(test);
                if literal_truth(test) == Some(false) {
                    continue;
                }
            }
            given = self.at_time(unless.clone(), |machine| machine.all(&clause.body)).or(given);
        }
        given
    }

    fn loop_over(&mut self, one: &'a StmtFor) -> Option<Value<'a>> {
        let over = self.eval(&one.iter);
        self.note_environment(&over, one.range.start());
        let mut given = None;
        match over.elements() {
            Some(all) if all.len() <= MOST_ROUNDS => {
                for element in all {
                    if !self.step() {
                        break;
                    }
                    self.assign_to(&one.target, &element);
                    given = self.all(&one.body).or(given);
                }
            }
            _ => {
                self.assign_to(&one.target, &Value::Unknown);
                given = self.all(&one.body).or(given);
            }
        }
        self.all(&one.orelse).or(given)
    }

    fn with(&mut self, one: &'a StmtWith) -> Option<Value<'a>> {
        for item in &one.items {
            let value = self.eval(&item.context_expr);
            if let Some(target) = &item.optional_vars {
                self.assign_to(target, &value);
            }
        }
        self.all(&one.body)
    }

    fn attempt(&mut self, one: &'a StmtTry) -> Option<Value<'a>> {
        let catches = u32::from(!one.handlers.is_empty());
        self.tries += catches;
        let mut given = self.all(&one.body);
        self.tries -= catches;
        for handler in &one.handlers {
            let ExceptHandler::ExceptHandler(handler) = handler;
            if let Some(kind) = &handler.type_ {
                self.eval(kind);
            }
            if let Some(name) = &handler.name {
                self.bind(name, Value::Unknown);
            }
            given = self.all(&handler.body).or(given);
        }
        given = self.all(&one.orelse).or(given);
        self.all(&one.finalbody).or(given)
    }

    fn import(&mut self, import: &'a StmtImport) {
        for Alias { name, asname, range, .. } in &import.names {
            let module = names::canonical(name);
            self.imported(name.to_string(), range.start());
            self.sign_module(&module, range.start());
            let (bound, path) = match asname {
                Some(alias) => (alias.as_str(), module.as_str()),
                None => {
                    let top = name.split('.').next().unwrap_or(name);
                    (top, module.split('.').next().unwrap_or(&module))
                }
            };
            self.bind(bound, Value::path(path));
        }
    }

    fn import_from(&mut self, import: &'a StmtImportFrom) {
        let module = self.absolute(import.level, import.module.as_ref().map_or("", |module| module.as_str()));
        self.imported(module.clone(), import.range.start());
        self.sign_module(&module, import.range.start());
        for Alias { name, asname, range, .. } in &import.names {
            if name.as_str() == "*" {
                self.stars.push(module.clone());
                continue;
            }
            let path = names::canonical(&format!("{module}.{name}"));
            // What is imported may be a module itself.
            self.imported(format!("{module}.{name}"), range.start());
            self.sign_module(&path, range.start());
            if self.run == Run::Line {
                self.sign_call(&path, range.start());
            }
            self.bind(asname.as_ref().unwrap_or(name), Value::path(path));
        }
    }

    pub(super) fn sign_module(&mut self, module: &str, at: TextSize) {
        if self.run == Run::Line {
            names::of_module(module).for_each(|feature| self.sign(feature, at));
        }
    }

    fn assign(&mut self, assign: &'a StmtAssign) {
        let value = self.eval(&assign.value);
        assign.targets.iter().for_each(|target| self.assign_to(target, &value));
    }

    pub(super) fn assign_to(&mut self, target: &'a Expr, value: &Value<'a>) {
        match target {
            Expr::Name(name) => self.bind(&name.id, value.clone()),
            Expr::Tuple(all) => self.unpack(&all.elts, value),
            Expr::List(all) => self.unpack(&all.elts, value),
            Expr::Starred(one) => self.assign_to(&one.value, &Value::Unknown),
            // What is put into something from outside may be called from there.
            Expr::Attribute(one) => {
                let holder = self.eval(&one.value);
                self.at_time(When::Later, |machine| machine.let_go(value));
                if matches!(value, Value::Path(_) | Value::Function(_) | Value::Lambda(_)) {
                    self.attributes.insert(one.attr.to_string(), value.clone());
                }
                if let (Value::Path(path), "path") = (&holder, one.attr.as_str())
                    && path.as_ref() == "sys"
                {
                    self.extend_path(&value.elements().unwrap_or_default(), one.range.start());
                }
            }
            Expr::Subscript(one) => {
                let holder = self.eval(&one.value);
                let is_path = matches!(&holder, Value::Path(path) if path.as_ref() == "sys.path");
                self.eval(&one.slice);
                self.at_time(When::Later, |machine| machine.let_go(value));
                if is_path {
                    self.extend_path(&value.elements().unwrap_or_default(), one.range.start());
                }
            }
            _ => {}
        }
    }

    fn unpack(&mut self, targets: &'a [Expr], value: &Value<'a>) {
        let mut values = value.elements().unwrap_or_default().into_iter();
        for target in targets {
            self.assign_to(target, &values.next().unwrap_or(Value::Unknown));
        }
    }

    /// Takes note of folders that go onto the import path.
    pub(super) fn extend_path(&mut self, folders: &[Value<'a>], at: TextSize) {
        for folder in folders {
            if let Value::Text(text, _) = folder {
                self.added(text, AddedBy::SysPath, at);
            }
        }
    }

    /// Follows what only makes a message: its texts are words for people.
    pub(super) fn in_message<T>(&mut self, follow: impl FnOnce(&mut Self) -> T) -> T {
        self.quiet += 1;
        let done = follow(self);
        self.quiet -= 1;
        done
    }

    /// All variables of the environment at once.
    pub(super) fn note_environment(&mut self, value: &Value<'a>, at: TextSize) {
        if let Value::Path(path) = value
            && matches!(
                path.as_ref(),
                "os.environ" | "os.environ.items()" | "os.environ.values()" | "os.environ.copy()"
            )
        {
            self.sign(Feature::SecretVariable, at);
        }
    }
}

/// When the body of a condition runs: only if an environment variable is set, where the condition is that it is.
pub(super) fn asked_for(test: &Value<'_>) -> When {
    match test {
        Value::Path(path) => match path.strip_prefix("os.environ[").and_then(|rest| rest.split_once(']')) {
            Some((name, _)) if !name.is_empty() => When::IfSet(name.to_owned()),
            _ => When::Start,
        },
        _ => When::Start,
    }
}

/// When what is behind a condition runs that an environment variable is not set.
fn not_asked_for(test: &Value<'_>) -> When {
    match test {
        Value::Path(path) => path.strip_prefix("not ").map_or(When::Start, |path| asked_for(&Value::path(path))),
        _ => When::Start,
    }
}

impl Machine<'_> {
    /// Conditions that do not hold when a module is imported: that it is the program, that a type checker reads it. Unless
    /// the source gives these names another meaning.
    fn is_never_true(&self, test: &Expr) -> bool {
        is_never_true(test) && !self.is_bound("__name__") && !self.is_bound("TYPE_CHECKING")
    }
}

/// Whether a condition holds, by its text alone. What a name stands for is known too little to leave anything out.
pub(super) fn literal_truth(test: &Expr) -> Option<bool> {
    match test {
        Expr::BooleanLiteral(one) => Some(one.value),
        Expr::NoneLiteral(_) => Some(false),
        Expr::NumberLiteral(one) => match &one.value {
            ruff_python_ast::Number::Int(number) => number.as_i64().map(|number| number != 0),
            _ => None,
        },
        _ => None,
    }
}

fn is_never_true(test: &Expr) -> bool {
    match test {
        Expr::Name(name) => name.id.as_str() == "TYPE_CHECKING",
        Expr::Attribute(one) => one.attr.as_str() == "TYPE_CHECKING",
        Expr::Compare(compare) => {
            let is_name = compare.left.as_name_expr().is_some_and(|name| name.id.as_str() == "__name__");
            let is_main =
                |one: &Expr| one.as_string_literal_expr().is_some_and(|text| text.value.to_str() == "__main__");
            let is_equal = compare.ops.iter().all(|op| matches!(op, ruff_python_ast::CmpOp::Eq));
            is_name && is_equal && compare.comparators.iter().all(is_main)
        }
        _ => false,
    }
}

/// Where an expression begins.
pub(super) fn start(expression: &Expr) -> TextSize {
    expression.range().start()
}
