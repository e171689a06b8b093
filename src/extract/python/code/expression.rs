//! Following expressions.

use std::collections::HashMap;

use ruff_python_ast::{
    BoolOp, CmpOp, Expr, ExprBoolOp, ExprCompare, ExprFString, ExprLambda, ExprSubscript, FStringPart,
    InterpolatedStringElement, Number, UnaryOp,
};
use ruff_text_size::{Ranged, TextSize};

use super::machine::{Machine, Run};
use super::statement::{asked_for, literal_truth, start};
use super::value::{HOLE, Making, Value};
use super::{fold, names, strings};
use crate::model::code::When;
use crate::model::startup::Feature;

impl<'a> Machine<'a> {
    /// What is known of the value of an expression; what its evaluation does is taken note of.
    pub(super) fn eval(&mut self, expression: &'a Expr) -> Value<'a> {
        if !self.step() {
            return Value::Unknown;
        }
        self.deeper(start(expression), |machine| machine.evaluated(expression)).unwrap_or(Value::Unknown)
    }

    fn evaluated(&mut self, expression: &'a Expr) -> Value<'a> {
        match expression {
            Expr::StringLiteral(one) => self.text(one.value.to_str(), start(expression)),
            Expr::BytesLiteral(one) => {
                let bytes: Vec<u8> = one.value.bytes().collect();
                self.text(&String::from_utf8_lossy(&bytes), start(expression));
                Value::bytes(bytes, Making::Literal)
            }
            Expr::FString(one) => self.f_string(one),
            Expr::NumberLiteral(one) => match &one.value {
                Number::Int(number) => number.as_i64().map_or(Value::Unknown, Value::Int),
                _ => Value::Unknown,
            },
            Expr::NoneLiteral(_) => Value::Nothing,
            Expr::BooleanLiteral(one) => Value::Int(i64::from(one.value)),
            Expr::Name(name) => {
                let value = self.look_up(&name.id);
                self.loaded(&value, start(expression));
                value
            }
            Expr::Attribute(one) => {
                let holder = self.eval(&one.value);
                self.attribute(&holder, &one.attr, start(expression))
            }
            Expr::Subscript(one) => self.subscript(one),
            Expr::Call(call) => self.call_expression(call),
            Expr::Lambda(lambda) => {
                // Nobody writes one into a line of start-up code for nothing.
                if self.run == Run::Line {
                    self.at_time(When::Later, |machine| machine.call_lambda(lambda, &[]));
                }
                Value::Lambda(lambda)
            }
            Expr::List(all) => self.list(&all.elts),
            Expr::Tuple(all) => self.list(&all.elts),
            Expr::Set(all) => self.list(&all.elts),
            other => self.operation(other),
        }
    }

    fn operation(&mut self, expression: &'a Expr) -> Value<'a> {
        match expression {
            Expr::BinOp(one) => {
                let (left, right) = (self.eval(&one.left), self.eval(&one.right));
                self.binary(one.op, &left, &right)
            }
            Expr::BoolOp(one) => self.and_or(one),
            Expr::UnaryOp(one) => match (one.op, self.eval(&one.operand)) {
                (UnaryOp::USub, Value::Int(number)) => number.checked_neg().map_or(Value::Unknown, Value::Int),
                (UnaryOp::Invert, Value::Int(number)) => Value::Int(!number),
                (UnaryOp::Not, Value::Path(path)) if path.starts_with("os.environ[") => {
                    Value::path(format!("not {path}"))
                }
                (UnaryOp::Not, value) => value.truth().map_or(Value::Unknown, |truth| Value::Int(i64::from(!truth))),
                _ => Value::Unknown,
            },
            Expr::If(one) => {
                let test = self.eval(&one.test);
                let known = literal_truth(&one.test);
                let body = match known {
                    Some(false) => Value::Unknown,
                    _ => self.at_time(asked_for(&test), |machine| machine.eval(&one.body)),
                };
                let other = if known == Some(true) { Value::Unknown } else { self.eval(&one.orelse) };
                if matches!(body, Value::Unknown) { other } else { body }
            }
            Expr::Named(one) => {
                let value = self.eval(&one.value);
                self.assign_to(&one.target, &value);
                value
            }
            Expr::Compare(one) => self.compare(one),
            Expr::Starred(one) => self.eval(&one.value),
            Expr::Await(one) => self.eval(&one.value),
            Expr::YieldFrom(one) => self.eval(&one.value),
            Expr::Yield(one) => one.value.as_ref().map_or(Value::Unknown, |value| self.eval(value)),
            Expr::Dict(all) => self.dictionary(all),
            Expr::ListComp(one) => self.comprehension(&one.elt, &one.generators),
            Expr::SetComp(one) => self.comprehension(&one.elt, &one.generators),
            Expr::Generator(one) => self.comprehension(&one.elt, &one.generators),
            Expr::DictComp(one) => {
                let keys = one.key.as_ref().map(|key| self.comprehension(key, &one.generators));
                let values = self.comprehension(&one.value, &one.generators);
                keys.map_or(Value::Unknown, |_| values)
            }
            Expr::Slice(one) => {
                [&one.lower, &one.upper, &one.step].into_iter().flatten().for_each(|bound| {
                    self.eval(bound);
                });
                Value::Unknown
            }
            _ => Value::Unknown,
        }
    }

    /// `a and b`: what follows a test of the environment runs only if that holds.
    fn and_or(&mut self, one: &'a ExprBoolOp) -> Value<'a> {
        let mut when = When::Start;
        let mut all = Vec::new();
        for value in &one.values {
            let value = self.at_time(when.clone(), |machine| machine.eval(value));
            if one.op == BoolOp::And {
                when = when.max(asked_for(&value));
            }
            all.push(value);
        }
        let asks = |value: &Value<'a>| asked_for(value) != When::Start;
        let is_asked = if one.op == BoolOp::And { all.iter().any(asks) } else { all.iter().all(asks) };
        if is_asked {
            return all.into_iter().find(asks).unwrap_or(Value::Unknown);
        }
        all.into_iter().rfind(|value| !matches!(value, Value::Unknown) && !asks(value)).unwrap_or(Value::Unknown)
    }

    /// What a comparison says of the environment: that a variable is set, or has some value.
    fn compare(&mut self, one: &'a ExprCompare) -> Value<'a> {
        let left = self.eval(&one.left);
        let others: Vec<Value<'a>> = one.comparators.iter().map(|other| self.eval(other)).collect();
        let is_none = one.comparators.iter().all(Expr::is_none_literal_expr);
        let is_set = one.ops.iter().all(|op| match op {
            // Another variable, or an empty text, says nothing of whether this one is set.
            CmpOp::Eq | CmpOp::In => !is_none && others.iter().all(is_set_to),
            CmpOp::IsNot => is_none,
            _ => false,
        });
        let is_unset = is_none && one.ops.iter().all(|op| matches!(op, CmpOp::Is | CmpOp::Eq));
        match (&left, others.as_slice()) {
            (Value::Path(_), _) if is_set && asked_for(&left) != When::Start => left,
            (Value::Path(path), _) if is_unset && asked_for(&left) != When::Start => Value::path(format!("not {path}")),
            (Value::Text(name, _), [Value::Path(path)]) if is_set && path.as_ref() == "os.environ" => {
                Value::path(format!("os.environ[{name}]"))
            }
            _ => Value::Unknown,
        }
    }

    /// A text of the source: what it names is kept, unless it is part of a message.
    fn text(&mut self, text: &str, at: TextSize) -> Value<'a> {
        if self.quiet == 0 {
            strings::features(text).for_each(|feature| self.sign_text(feature, at));
        }
        Value::text(text, Making::Literal)
    }

    fn f_string(&mut self, one: &'a ExprFString) -> Value<'a> {
        let (mut out, mut making) = (String::new(), Making::Literal);
        for part in one.value.iter() {
            match part {
                FStringPart::Literal(text) => out.push_str(text),
                FStringPart::FString(inner) => {
                    for element in &inner.elements {
                        match element {
                            InterpolatedStringElement::Literal(text) => out.push_str(&text.value),
                            InterpolatedStringElement::Interpolation(inner) => {
                                self.format_spec(inner.format_spec.as_deref());
                                let (part, how) = self.eval(&inner.expression).as_part();
                                out.push_str(&part);
                                making = making.max(how).max(Making::Joined);
                            }
                        }
                    }
                }
            }
        }
        if self.quiet == 0 {
            strings::features(&out).for_each(|feature| self.sign_text(feature, one.range.start()));
        }
        Value::text(out, making)
    }

    /// What stands behind the colon of a field may hold fields of its own.
    fn format_spec(&mut self, spec: Option<&'a ruff_python_ast::InterpolatedStringFormatSpec>) {
        for element in spec.into_iter().flat_map(|spec| &spec.elements) {
            if let InterpolatedStringElement::Interpolation(inner) = element {
                self.eval(&inner.expression);
                self.format_spec(inner.format_spec.as_deref());
            }
        }
    }

    pub(super) fn binary(&mut self, op: ruff_python_ast::Operator, left: &Value<'a>, right: &Value<'a>) -> Value<'a> {
        let value = fold::binary(op, left, right);
        self.pay(value.weight());
        value
    }

    /// A value from outside was named; in a line of start-up code that is as good as a call.
    fn loaded(&mut self, value: &Value<'a>, at: TextSize) {
        if let Value::Path(path) = value {
            names::of_value(path).for_each(|feature| self.sign(feature, at));
            let is_line = self.run == Run::Line;
            // In a module what is named is called somehow, or handed on, by ways that are not followed.
            let counts =
                |feature: &Feature| if is_line { *feature != Feature::Files } else { *feature == Feature::Process };
            let when = if is_line { When::Start } else { When::Later };
            if self.quiet == 0 {
                let features: Vec<Feature> = names::of_call(path).filter(counts).collect();
                self.at_time(when, |machine| features.into_iter().for_each(|feature| machine.sign(feature, at)));
            }
        }
    }

    /// `holder.name`.
    pub(super) fn attribute(&mut self, holder: &Value<'a>, name: &str, at: TextSize) -> Value<'a> {
        let value = match holder {
            Value::Path(path) if path.len() > 200 => Value::Unknown,
            Value::Path(path) => Value::path(names::canonical(&format!("{path}.{name}"))),
            Value::Instance(class) | Value::Class(class) => match self.method_of(class, name) {
                Some(method) if is_property(method) => self.call_function(method, Some(holder.clone()), &[], &[]),
                Some(method) => Value::Function(method),
                None => self.attributes.get(name).cloned().unwrap_or_else(|| Value::path(format!("?.{name}"))),
            },
            _ => match self.attributes.get(name) {
                Some(known) => known.clone(),
                None => Value::path(format!("?.{name}")),
            },
        };
        self.loaded(&value, at);
        value
    }

    fn subscript(&mut self, one: &'a ExprSubscript) -> Value<'a> {
        let holder = self.eval(&one.value);
        let at = one.range.start();
        if let Expr::Slice(bounds) = one.slice.as_ref() {
            let [lower, upper, step] =
                [&bounds.lower, &bounds.upper, &bounds.step].map(|bound| bound.as_ref().map(|bound| self.eval(bound)));
            return fold::slice(&holder, [lower.as_ref(), upper.as_ref(), step.as_ref()]);
        }
        let key = self.eval(&one.slice);
        match (&holder, &key) {
            (Value::Path(path), _) => self.entry(&path.clone(), &key, at),
            (_, Value::Int(index)) => fold::index(&holder, *index),
            (Value::List(pairs), Value::Text(wanted, _)) => looked_up(pairs, wanted),
            _ => Value::Unknown,
        }
    }

    /// `path[key]`: of what holds modules or functions by their names.
    fn entry(&mut self, path: &str, key: &Value<'a>, at: TextSize) -> Value<'a> {
        let holder = match path {
            "sys.modules" | "builtins.globals()" | "builtins.locals()" | "builtins" | "os.environ" => path,
            other => match other.strip_suffix(".__dict__") {
                Some(holder) => holder,
                None => return Value::path(format!("{path}[]")),
            },
        };
        if holder == "os.environ" {
            self.read_variable(key, at);
            let name = key.known_text().map_or("", |known| known.0);
            return Value::path(format!("os.environ[{name}]"));
        }
        let Some(name) = self.name(key, holder, at) else { return Value::Unknown };
        match holder {
            "sys.modules" => {
                self.imported(name.clone(), at);
                Value::path(names::canonical(&name))
            }
            "builtins.globals()" | "builtins.locals()" => {
                if name == "__builtins__" {
                    self.sign(Feature::Reflection, at);
                }
                self.look_up(&name)
            }
            holder => {
                let is_builtin = holder == "builtins";
                self.sign(if is_builtin { Feature::Reflection } else { Feature::Dynamic }, at);
                self.attribute(&Value::path(holder), &name, at)
            }
        }
    }

    /// A name that is computed: whether it is known, and whether it was hidden.
    pub(super) fn name(&mut self, value: &Value<'a>, holder: &str, at: TextSize) -> Option<String> {
        match value.known_text() {
            Some((text, making)) => {
                if making != Making::Literal {
                    self.sign(Feature::StringBuilding, at);
                }
                Some(text.to_owned())
            }
            None => {
                const HOLDERS: &[&str] = &[
                    "os",
                    "sys",
                    "sys.modules",
                    "builtins",
                    "subprocess",
                    "importlib",
                    "builtins.globals()",
                    "socket",
                    "ctypes",
                    "",
                ];
                if HOLDERS.contains(&holder) {
                    self.sign(Feature::Dynamic, at);
                }
                None
            }
        }
    }

    /// An environment variable is read.
    pub(super) fn read_variable(&mut self, name: &Value<'a>, at: TextSize) {
        if name.known_text().is_some_and(|(name, _)| strings::is_secret_variable(name)) {
            self.sign(Feature::SecretVariable, at);
        }
    }

    /// Follows a lambda with what it is handed.
    pub(super) fn call_lambda(&mut self, lambda: &'a ExprLambda, args: &[Value<'a>]) -> Value<'a> {
        let mut scope = HashMap::new();
        let mut given = args.iter().cloned();
        if let Some(parameters) = &lambda.parameters {
            for one in parameters.posonlyargs.iter().chain(&parameters.args).chain(&parameters.kwonlyargs) {
                let default = one.default.as_ref().map(|default| self.eval(default));
                scope.insert(one.parameter.name.to_string(), given.next().or(default).unwrap_or(Value::Unknown));
            }
        }
        self.call_body(lambda.range.start(), scope, |machine| machine.eval(&lambda.body)).unwrap_or(Value::Unknown)
    }

    /// What the texts that are handed on name, where they were put together.
    pub(super) fn weigh_texts(&mut self, values: &[Value<'a>], at: TextSize) {
        if self.quiet > 0 {
            return;
        }
        for value in values {
            if let Value::Text(text, making) = value
                && *making != Making::Literal
            {
                strings::features(&text.replace(HOLE, "x")).for_each(|feature| self.sign_text(feature, at));
            }
        }
    }
}

/// Whether a variable that equals this, or is among these, is set.
fn is_set_to(value: &Value<'_>) -> bool {
    match value {
        Value::Path(path) => path.as_ref() == "os.environ",
        Value::List(all) => !all.is_empty() && all.iter().all(is_set_to),
        text => text.known_text().is_some_and(|(text, _)| !text.is_empty()),
    }
}

/// Whether a method is called by being named.
fn is_property(method: &ruff_python_ast::StmtFunctionDef) -> bool {
    let names = method.decorator_list.iter().filter_map(|one| one.expression.as_name_expr());
    names.into_iter().any(|name| matches!(name.id.as_str(), "property" | "cached_property"))
}

/// The value beside a key in the pairs of a dictionary.
pub(super) fn looked_up<'a>(pairs: &[Value<'a>], wanted: &str) -> Value<'a> {
    let value = |pair: &Value<'a>| {
        let both = pair.elements()?;
        let is_it = both.first()?.known_text().is_some_and(|(key, _)| key == wanted);
        is_it.then(|| both.get(1).cloned()).flatten()
    };
    pairs.iter().rev().find_map(value).unwrap_or(Value::Unknown)
}

/// Where the arguments of a call begin to matter.
pub(super) fn at(call: &ruff_python_ast::ExprCall) -> TextSize {
    call.range().start()
}
