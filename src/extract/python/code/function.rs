//! Functions and classes of the source: what runs when they are made, when they are called, and when something outside
//! gets hold of them.

use std::collections::HashMap;

use ruff_python_ast::{Stmt, StmtClassDef, StmtFunctionDef};
use ruff_text_size::TextSize;

use super::machine::{Machine, Run};
use super::value::Value;
use crate::model::code::When;
use crate::model::startup::Feature;

/// How deep calls within the source are followed.
const DEEPEST_CALL: u32 = 100;

/// How often one function is followed with the values that it is handed.
const OFTEN: u32 = 40;

impl<'a> Machine<'a> {
    /// Follows the body of a function or lambda, unless it is being followed already.
    pub(super) fn call_body<T>(
        &mut self,
        at: TextSize,
        scope: HashMap<String, Value<'a>>,
        follow: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        if self.depth >= DEEPEST_CALL {
            self.sign(Feature::Oversized, at);
            return None;
        }
        if !self.active.insert(at) {
            return None;
        }
        let done = self.in_scope(scope, follow);
        self.active.remove(&at);
        Some(done)
    }

    /// Follows a function of the module, or a method of a class of it (`Class.method`), as somebody outside calls it.
    pub(super) fn enter(&mut self, entry: &str, when: &When, at: TextSize) {
        let mut names = entry.split('.');
        let first = names.next().unwrap_or_default();
        let value = self.look_up(first);
        let value = names.fold(value, |value, name| self.attribute(&value, name, at));
        self.at_time(when.clone(), |machine| machine.call(&value, &[], at));
    }

    /// Follows a function of this source with what it is handed; what it is handed nothing for is unknown.
    pub(super) fn call_function(
        &mut self,
        function: &'a StmtFunctionDef,
        this: Option<Value<'a>>,
        args: &[Value<'a>],
        named: &[(&'a str, Value<'a>)],
    ) -> Value<'a> {
        let often = self.runs.entry(function.range.start()).or_default();
        *often += 1;
        if *often > OFTEN {
            return Value::Unknown;
        }
        let mut scope = HashMap::new();
        let mut given = this.into_iter().chain(args.iter().cloned());
        let parameters = &function.parameters;
        for one in parameters.posonlyargs.iter().chain(&parameters.args).chain(&parameters.kwonlyargs) {
            let default = one.default.as_ref().map(|default| self.eval(default));
            let name = one.parameter.name.as_str();
            let by_name = named.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
            let value = by_name.or_else(|| given.next()).or(default).unwrap_or(Value::Unknown);
            scope.insert(name.to_owned(), value);
        }
        if let Some(rest) = &parameters.vararg {
            scope.insert(rest.name.to_string(), Value::List(given.collect()));
        }
        let at = function.range.start();
        self.call_body(at, scope, |machine| machine.body(&function.body)).unwrap_or(Value::Unknown)
    }

    /// A method of a class of this source, or of a class of this source that it extends.
    pub(super) fn method_of(&self, class: &'a StmtClassDef, name: &str) -> Option<&'a StmtFunctionDef> {
        let own = class.body.iter().find_map(|statement| match statement {
            Stmt::FunctionDef(function) if function.name.as_str() == name => Some(function),
            _ => None,
        });
        own.or_else(|| {
            let bases = class.arguments.as_ref()?.args.iter();
            bases.filter_map(|base| base.as_name_expr()).find_map(|base| match self.look_up(&base.id) {
                Value::Class(above) if above.range.start() < class.range.start() => self.method_of(above, name),
                _ => None,
            })
        })
    }

    /// Something outside got hold of a value of this source, and may call it.
    pub(super) fn let_go(&mut self, value: &Value<'a>) {
        match value {
            Value::Function(function) => {
                self.call_function(function, None, &[], &[]);
            }
            Value::Lambda(lambda) => {
                self.call_lambda(lambda, &[]);
            }
            Value::Class(class) | Value::Instance(class) if self.let_go.insert(class.range.start()) => {
                for statement in &class.body {
                    if let Stmt::FunctionDef(function) = statement {
                        self.call_function(function, Some(Value::Instance(class)), &[], &[]);
                    }
                }
            }
            Value::List(all) if all.len() <= 64 => all.iter().for_each(|one| self.let_go(one)),
            _ => {}
        }
    }

    pub(super) fn define(&mut self, function: &'a StmtFunctionDef) {
        self.defined(function);
        self.bind(&function.name, Value::Function(function));
        if self.run == Run::Line {
            self.at_time(When::Later, |machine| machine.let_go(&Value::Function(function)));
        }
        for decorator in &function.decorator_list {
            let outer = self.eval(&decorator.expression);
            self.call(&outer, &[Value::Function(function)], function.range.start());
        }
    }

    /// What runs when a function is made: the defaults of its parameters, and its annotations.
    fn defined(&mut self, function: &'a StmtFunctionDef) {
        let parameters = &function.parameters;
        for one in parameters.posonlyargs.iter().chain(&parameters.args).chain(&parameters.kwonlyargs) {
            let parts = [&one.default, &one.parameter.annotation];
            parts.into_iter().flatten().for_each(|part| {
                self.eval(part);
            });
        }
        if let Some(returns) = &function.returns {
            self.eval(returns);
        }
    }

    pub(super) fn class(&mut self, class: &'a StmtClassDef) {
        if let Some(arguments) = &class.arguments {
            let named = arguments.keywords.iter().map(|one| &one.value);
            arguments.args.iter().chain(named).for_each(|base| {
                self.eval(base);
            });
        }
        // What stands in the body runs when the class is made; its methods do not.
        self.in_scope(HashMap::new(), |machine| machine.body(&class.body));
        self.bind(&class.name, Value::Class(class));
        self.at_time(When::Later, |machine| machine.own_calls(class));
        for decorator in &class.decorator_list {
            let outer = self.eval(&decorator.expression);
            self.call(&outer, &[Value::Class(class)], class.range.start());
        }
    }

    /// Methods that Python calls by itself.
    fn own_calls(&mut self, class: &'a StmtClassDef) {
        const OWN: &[&str] = &["__init_subclass__", "__set_name__", "__del__", "__class_getitem__", "__prepare__"];
        for name in OWN {
            if let Some(method) = self.method_of(class, name) {
                self.call_function(method, Some(Value::Class(class)), &[], &[]);
            }
        }
    }
}
