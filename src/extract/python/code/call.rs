//! Following calls: of what stands in the source, and of what the libraries are known to do.

use std::rc::Rc;

use ruff_python_ast::{Expr, ExprCall};
use ruff_text_size::TextSize;

use super::expression::at;
use super::machine::Machine;
use super::value::{Making, Value};
use super::{decode, fold, inner, names};
use crate::model::code::AddedBy;
use crate::model::startup::Feature;

/// What a call is handed.
struct Given<'a> {
    /// In order.
    args: Vec<Value<'a>>,
    /// By name.
    named: Vec<(&'a str, Value<'a>)>,
    /// Where the call stands.
    at: TextSize,
}

impl<'a> Given<'a> {
    fn arg(&self, place: usize, name: &str) -> Value<'a> {
        let named = || self.named.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        self.args.get(place).cloned().or_else(named).unwrap_or(Value::Unknown)
    }
}

impl<'a> Machine<'a> {
    pub(super) fn call_expression(&mut self, call: &'a ExprCall) -> Value<'a> {
        let (receiver, name) = match call.func.as_ref() {
            Expr::Attribute(one) => (Some(self.eval(&one.value)), one.attr.as_str()),
            _ => (None, ""),
        };
        let function = match &receiver {
            Some(holder) => self.attribute(holder, name, at(call)),
            None => self.eval(&call.func),
        };
        let is_message = matches!(&function, Value::Path(path) if names::is_message(path));
        let given = match is_message {
            true => self.in_message(|machine| machine.given(call)),
            false => self.given(call),
        };
        if let Some(receiver) = &receiver {
            if let Some(value) = self.method(receiver, name, &given) {
                return value;
            }
            if let (Value::Instance(class), Value::Function(method)) = (receiver, &function) {
                return self.call_function(method, Some(Value::Instance(class)), &given.args, &given.named);
            }
        }
        self.call_given(&function, &given)
    }

    fn given(&mut self, call: &'a ExprCall) -> Given<'a> {
        let mut args = Vec::new();
        for one in &call.arguments.args {
            let value = self.eval(one);
            match (one, value.elements()) {
                (Expr::Starred(_), Some(all)) => args.extend(all),
                _ => args.push(value),
            }
        }
        let mut named = Vec::new();
        for one in &call.arguments.keywords {
            let value = self.eval(&one.value);
            named.push((one.arg.as_ref().map_or("", |name| name.as_str()), value));
        }
        Given { args, named, at: at(call) }
    }

    /// A method of a text or of bytes, folded.
    fn method(&mut self, receiver: &Value<'a>, name: &str, given: &Given<'a>) -> Option<Value<'a>> {
        let encoding = given.args.first();
        // `codecs.decode` is no method of a text.
        let is_text = !matches!(receiver, Value::Path(path) if !path.contains(['(', '?']));
        let transforms = is_text
            && matches!(name, "decode" | "encode")
            && encoding.is_some_and(|one| one.known_text().is_some() && !fold::names_charset(one));
        if transforms {
            self.sign(Feature::Decoder, given.at);
            let bytes = decode::bytes_of(receiver);
            let decoded = bytes.zip(encoding).and_then(|(bytes, one)| decode::named(&bytes, one.known_text()?.0));
            return Some(decoded.unwrap_or_else(|| Value::made_by("?.decode")));
        }
        self.pay(receiver.weight() + given.args.iter().map(Value::weight).sum::<usize>());
        let value = fold::method(receiver, name, &given.args);
        self.pay(value.as_ref().map_or(0, Value::weight));
        value.or_else(|| from_container(receiver, name, given))
    }

    /// Calls a value with what is known of its arguments.
    pub(super) fn call(&mut self, function: &Value<'a>, args: &[Value<'a>], at: TextSize) -> Value<'a> {
        self.call_given(function, &Given { args: args.to_vec(), named: Vec::new(), at })
    }

    fn call_given(&mut self, function: &Value<'a>, given: &Given<'a>) -> Value<'a> {
        if !self.step() {
            return Value::Unknown;
        }
        match function {
            Value::Function(one) => self.call_function(one, None, &given.args, &given.named),
            Value::Lambda(one) => self.call_lambda(one, &given.args),
            Value::Class(class) => {
                if let Some(init) = self.method_of(class, "__init__") {
                    self.call_function(init, Some(Value::Instance(class)), &given.args, &given.named);
                }
                Value::Instance(class)
            }
            Value::Instance(class) => match self.method_of(class, "__call__") {
                Some(method) => self.call_function(method, Some(Value::Instance(class)), &given.args, &given.named),
                None => Value::Unknown,
            },
            Value::Path(path) => self.call_path(&Rc::clone(path), given),
            _ => {
                self.hand_over(given);
                Value::Unknown
            }
        }
    }

    /// What is handed to something outside may be called from there.
    fn hand_over(&mut self, given: &Given<'a>) {
        let all: Vec<Value<'a>> =
            given.args.iter().chain(given.named.iter().map(|(_, value)| value)).cloned().collect();
        self.weigh_texts(&all, given.at);
        for value in &all {
            self.let_go(value);
            self.note_environment(value, given.at);
            if let Value::Path(path) = value {
                // `Thread(target=os.system)`.
                names::of_call(path)
                    .filter(|feature| *feature != Feature::Files)
                    .for_each(|feature| self.sign(feature, given.at));
            }
        }
    }

    /// Takes note of what a call of that name does.
    pub(super) fn sign_call(&mut self, path: &str, at: TextSize) {
        names::of_call(path).for_each(|feature| self.sign(feature, at));
        self.found.touches_files |=
            path.starts_with("os.path.") || path.starts_with("os.stat") || path.ends_with("().exists");
        if !path.starts_with("builtins.") && !path.starts_with('?') {
            self.called(path);
        }
    }

    fn call_path(&mut self, path: &str, given: &Given<'a>) -> Value<'a> {
        self.sign_call(path, given.at);
        if names::of_call(path).any(|feature| feature == Feature::Process) {
            inner::follow_command(self, &given.args, given.at);
        }
        if given
            .named
            .iter()
            .any(|(name, _)| matches!(*name, "start_new_session" | "creationflags" | "preexec_fn" | "startupinfo"))
        {
            self.sign(Feature::Detached, given.at);
        }
        let value = match path {
            "builtins.getattr" | "builtins.vars" | "builtins.setattr" | "builtins.hasattr" => self.reflect(path, given),
            "builtins.__import__" | "importlib.import_module" | "importlib.__import__" => self.load(path, given),
            "builtins.exec" | "builtins.eval" | "builtins.compile" | "builtins.execfile" | "types.FunctionType"
            | "types.LambdaType" | "code.interact" | "timeit.timeit" => self.execute(path, given),
            "builtins.map" | "builtins.filter" | "itertools.starmap" => self.map(given),
            "functools.reduce" => self.reduce(given),
            "importlib.util.find_spec" | "importlib.find_loader" | "pkgutil.find_loader" => self.find(given),
            "functools.partial" => Some(given.arg(0, "func")),
            _ => None,
        };
        self.pay(given.args.iter().map(Value::weight).sum());
        let value = value.or_else(|| self.library(path, given)).or_else(|| known(path, given));
        self.pay(value.as_ref().map_or(0, Value::weight));
        if let Some(when) = names::runs(path) {
            self.at_time(when, |machine| machine.hand_over(given));
        }
        // A module that is handed about is used where nobody sees how.
        let is_powerful = |value: &Value<'a>| matches!(value, Value::Path(path) if names::is_powerful(path));
        if !names::takes_modules(path) && given.args.iter().any(|one| is_powerful(one) || one.holds(is_powerful)) {
            self.sign(Feature::Dynamic, given.at);
        }
        value.unwrap_or_else(|| Value::made_by(path))
    }

    /// `getattr`, `vars`.
    fn reflect(&mut self, path: &str, given: &Given<'a>) -> Option<Value<'a>> {
        let holder = given.arg(0, "object");
        let holder_path = match &holder {
            Value::Path(path) => path.to_string(),
            _ => "?".to_owned(),
        };
        match path {
            "builtins.vars" => Some(Value::path(format!("{holder_path}.__dict__"))),
            "builtins.getattr" => {
                let name = self.name(&given.arg(1, "name"), &holder_path, given.at)?;
                if holder_path == "builtins" {
                    self.sign(Feature::Reflection, given.at);
                }
                Some(self.attribute(&holder, &name, given.at))
            }
            _ => None,
        }
    }

    /// `__import__`, `import_module`.
    fn load(&mut self, path: &str, given: &Given<'a>) -> Option<Value<'a>> {
        let name = self.name(&given.arg(0, "name"), "", given.at)?;
        let relative = name.len() - name.trim_start_matches('.').len();
        let module = self.absolute(u32::try_from(relative).unwrap_or(0), name.trim_start_matches('.'));
        self.imported(module.clone(), given.at);
        let known = names::canonical(&module);
        self.sign_module(&known, given.at);
        // Without a list of names the built-in one gives the package at the top.
        let gives_top = path == "builtins.__import__" && matches!(given.arg(3, "fromlist"), Value::Unknown);
        Some(Value::path(if gives_top { known.split('.').next().unwrap_or(&known) } else { &known }))
    }

    /// `exec` and its like: the text is followed too, where it is known.
    fn execute(&mut self, path: &str, given: &Given<'a>) -> Option<Value<'a>> {
        let code = given.arg(0, "source");
        // What stands in another file is not known.
        let code = if path == "builtins.execfile" { Value::Unknown } else { code };
        let text = decode::bytes_of(&code).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let is_literal = text.is_some() && code.making() == Some(Making::Literal);
        self.sign(if is_literal { Feature::LiteralExec } else { Feature::ComputedExec }, given.at);
        if !is_literal && text.is_some() && code.making() == Some(Making::Joined) {
            self.sign(Feature::StringBuilding, given.at);
        }
        if let Some(text) = &text {
            inner::follow(self, text, given.at);
        }
        match path {
            "builtins.compile" => Some(code),
            "builtins.eval" => text.map(|text| self.look_up(text.trim())),
            _ => None,
        }
    }

    /// `reduce(getattr, ["path", "os", "system"], os)`.
    fn reduce(&mut self, given: &Given<'a>) -> Option<Value<'a>> {
        let function = given.arg(0, "function");
        let mut elements = given.args.get(1)?.elements()?.into_iter().take(4096);
        let first = given.args.get(2).cloned().or_else(|| elements.next())?;
        Some(elements.fold(first, |value, one| self.call(&function, &[value, one], given.at)))
    }

    /// A search for a module by its name is as good as its import.
    fn find(&mut self, given: &Given<'a>) -> Option<Value<'a>> {
        let name = given.arg(0, "name");
        let (module, _) = name.known_text()?;
        self.sign_module(&names::canonical(module), given.at);
        None
    }

    fn map(&mut self, given: &Given<'a>) -> Option<Value<'a>> {
        let function = given.arg(0, "function");
        let elements = given.args.get(1)?.elements()?;
        let mut out = Vec::new();
        for one in elements.into_iter().take(4096) {
            out.push(self.call(&function, &[one], given.at));
        }
        Some(Value::List(out.into()))
    }

    /// Calls that change the import path, read the environment, or open files.
    fn library(&mut self, path: &str, given: &Given<'a>) -> Option<Value<'a>> {
        match path {
            "site.addsitedir" | "site.addpackage" => {
                if let Value::Text(folder, _) = given.arg(0, "sitedir") {
                    self.added(&folder, AddedBy::SiteDir, given.at);
                } else if let Some(bytes) = decode::bytes_of(&given.arg(0, "sitedir")) {
                    self.added(&String::from_utf8_lossy(&bytes), AddedBy::SiteDir, given.at);
                }
            }
            "sys.path.insert" => self.extend_path(&[given.arg(1, "object")], given.at),
            "sys.path.append" => self.extend_path(&[given.arg(0, "object")], given.at),
            "sys.path.extend" => self.extend_path(&given.arg(0, "iterable").elements().unwrap_or_default(), given.at),
            "os.getenv" | "os.environ.get" | "os.environ.pop" | "os.environ.setdefault" => {
                return self.variable(path, given);
            }
            "builtins.open" | "io.open" | "codecs.open" => self.open(given, 1),
            _ if path.ends_with("().open") => self.open(given, 0),
            _ => {}
        }
        if let Some(name) = path.strip_prefix("{method}") {
            let receiver = given.args.first().cloned().unwrap_or(Value::Unknown);
            let method = self.attribute(&receiver, name, given.at);
            return Some(self.call(&method, &[], given.at));
        }
        if let Some(holder) = path.strip_suffix(".__getattribute__").filter(|holder| !holder.starts_with('?')) {
            let name = self.name(&given.arg(0, "name"), holder, given.at)?;
            return Some(self.attribute(&Value::path(holder), &name, given.at));
        }
        path.strip_prefix("{attribute}").map(|name| {
            let receiver = given.args.first().cloned().unwrap_or(Value::Unknown);
            self.attribute(&receiver, name, given.at)
        })
    }

    /// A variable of the environment; one with a default says nothing of whether it is set.
    fn variable(&mut self, path: &str, given: &Given<'a>) -> Option<Value<'a>> {
        let name = given.arg(0, "key");
        self.read_variable(&name, given.at);
        let default = given.args.get(1).or_else(|| given.named.first().map(|(_, value)| value));
        let is_plain = default.is_none_or(|default| default.truth() == Some(false));
        let known = name.known_text().filter(|_| is_plain && path != "os.environ.setdefault");
        known.map(|(name, _)| Value::path(format!("os.environ[{name}]")))
    }

    fn open(&mut self, given: &Given<'a>, mode: usize) {
        let mode = given.arg(mode, "mode");
        if mode.known_text().is_some_and(|(mode, _)| mode.contains(['w', 'a', 'x', '+'])) {
            self.sign(Feature::Writes, given.at);
        }
    }
}

/// What is taken out of a dictionary or a list.
fn from_container<'a>(receiver: &Value<'a>, name: &str, given: &Given<'a>) -> Option<Value<'a>> {
    let Value::List(all) = receiver else { return None };
    match (name, given.args.first()) {
        ("get" | "pop" | "setdefault", Some(Value::Text(key, _))) => Some(super::expression::looked_up(all, key)),
        ("pop", _) => all.last().cloned(),
        _ => None,
    }
}

/// What calls that change nothing give.
fn known<'a>(path: &str, given: &Given<'a>) -> Option<Value<'a>> {
    let args = &given.args;
    match path {
        "os.path.join" | "posixpath.join" | "ntpath.join" | "pathlib.Path" | "pathlib.PurePath" => {
            let parts: Vec<String> = args.iter().map(|one| one.as_part().0).collect();
            (!parts.is_empty()).then(|| Value::text(parts.join("/"), Making::Joined))
        }
        "os.path.expanduser" | "os.path.expandvars" | "os.path.abspath" | "os.path.realpath" | "os.path.normpath"
        | "os.fsencode" | "os.fsdecode" | "os.fspath" => args.first().filter(|one| one.making().is_some()).cloned(),
        "builtins.bytes.fromhex" | "builtins.bytearray.fromhex" => decode::from_hex(args),
        "builtins.str.maketrans" | "string.maketrans" => match args.as_slice() {
            [table @ Value::List(_)] => Some(table.clone()),
            [from, to, ..] => fold::builtin("zip", &[from.clone(), to.clone()]),
            _ => None,
        },
        "operator.methodcaller" => Some(Value::path(format!("{{method}}{}", args.first()?.known_text()?.0))),
        "operator.attrgetter" => Some(Value::path(format!("{{attribute}}{}", args.first()?.known_text()?.0))),
        _ => {
            if let Some(method) = path.strip_prefix("builtins.str.").or_else(|| path.strip_prefix("builtins.bytes.")) {
                return fold::method(args.first()?, method, args.get(1..)?);
            }
            let builtin = path.strip_prefix("builtins.").and_then(|name| fold::builtin(name, args));
            builtin.or_else(|| decode::decode(path, args))
        }
    }
}
