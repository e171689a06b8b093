//! Following lists, dictionaries and comprehensions.

use std::collections::HashMap;

use ruff_python_ast::{Comprehension, Expr};

use super::machine::Machine;
use super::statement::literal_truth;
use super::value::Value;

/// Most rounds of a comprehension.
const MOST_ROUNDS: usize = 4096;

impl<'a> Machine<'a> {
    pub(super) fn list(&mut self, elements: &'a [Expr]) -> Value<'a> {
        let mut all = Vec::new();
        for element in elements {
            let value = self.eval(element);
            match (element, value.elements()) {
                (Expr::Starred(_), Some(inner)) => all.extend(inner),
                _ => all.push(value),
            }
        }
        Value::List(all.into())
    }

    /// A dictionary is kept as its pairs.
    pub(super) fn dictionary(&mut self, all: &'a ruff_python_ast::ExprDict) -> Value<'a> {
        let mut pairs = Vec::new();
        for item in &all.items {
            let key = item.key.as_ref().map_or(Value::Unknown, |key| self.eval(key));
            let value = self.eval(&item.value);
            pairs.push(Value::List([key, value].into()));
        }
        Value::List(pairs.into())
    }

    pub(super) fn comprehension(&mut self, element: &'a Expr, generators: &'a [Comprehension]) -> Value<'a> {
        let mut out = Some(Vec::new());
        self.in_scope(HashMap::new(), |machine| machine.rounds(element, generators, &mut out));
        out.map_or(Value::Unknown, |all| Value::List(all.into()))
    }

    /// The rounds of what is left of `generators`; `out` is none once something is not known.
    fn rounds(&mut self, element: &'a Expr, generators: &'a [Comprehension], out: &mut Option<Vec<Value<'a>>>) {
        let Some((first, rest)) = generators.split_first() else {
            let value = self.eval(element);
            if let Some(all) = out.as_mut().filter(|all| all.len() < MOST_ROUNDS) {
                all.push(value);
            }
            return;
        };
        let over = self.eval(&first.iter);
        self.note_environment(&over, first.range.start());
        let (elements, is_known) = match over.elements().filter(|all| all.len() <= MOST_ROUNDS) {
            Some(all) => (all, true),
            None => (vec![Value::Unknown], false),
        };
        for one in elements {
            if !self.step() {
                break;
            }
            self.assign_to(&first.target, &one);
            let holds = first.ifs.iter().fold(true, |holds, test| {
                self.eval(test);
                holds && literal_truth(test) != Some(false)
            });
            if holds {
                self.rounds(element, rest, out);
            }
        }
        if !is_known {
            *out = None;
        }
    }
}
