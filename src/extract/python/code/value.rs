//! What is known of a value before anything runs: enough to see through names that are put together from pieces.

use std::rc::Rc;

use ruff_python_ast::{ExprLambda, StmtClassDef, StmtFunctionDef};

/// How a text came to be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Making {
    /// It stands in the source.
    Literal,
    /// Joined from pieces, as ordinary code does.
    Joined,
    /// Made from numbers, reversed, decoded or replaced: it does not stand in the source at all.
    Hidden,
}

/// Longest text or list that is followed; what is longer is known to be a text, but not which.
pub(super) const LONGEST: usize = 1 << 20;

/// What stands for a part of a text that is not known.
pub(super) const HOLE: char = '\u{fffc}';

/// Longest list that is followed.
pub(super) const MOST_ELEMENTS: usize = 1 << 16;

/// Deepest nesting of lists that is followed: whatever walks or frees a value goes as deep as that.
const DEEPEST: u32 = 40;

/// A list of bounded length and depth.
#[derive(Clone, Debug)]
pub(super) struct List<'a> {
    all: Rc<[Value<'a>]>,
    depth: u32,
}

impl<'a> From<Vec<Value<'a>>> for List<'a> {
    fn from(mut all: Vec<Value<'a>>) -> Self {
        all.truncate(MOST_ELEMENTS);
        let mut deepest = 0;
        for one in &mut all {
            match one {
                Value::List(inner) if inner.depth >= DEEPEST => *one = Value::Unknown,
                Value::List(inner) => deepest = deepest.max(inner.depth),
                _ => {}
            }
        }
        Self { all: all.into(), depth: deepest + 1 }
    }
}

impl<'a, const N: usize> From<[Value<'a>; N]> for List<'a> {
    fn from(all: [Value<'a>; N]) -> Self {
        Vec::from(all).into()
    }
}

impl<'a> FromIterator<Value<'a>> for List<'a> {
    fn from_iter<I: IntoIterator<Item = Value<'a>>>(all: I) -> Self {
        all.into_iter().take(MOST_ELEMENTS).collect::<Vec<_>>().into()
    }
}

impl<'a> std::ops::Deref for List<'a> {
    type Target = [Value<'a>];

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

/// A value, as far as it is known. `'a` is the life of the tree that functions and classes stand in.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    /// Nothing is known.
    Unknown,
    /// `None`.
    Nothing,
    /// A text; parts that are not known are `HOLE`.
    Text(Rc<str>, Making),
    /// Bytes, all known.
    Bytes(Rc<[u8]>, Making),
    /// A number or a truth value.
    Int(i64),
    /// A list, tuple or set.
    List(List<'a>),
    /// Something from outside this source, by its dotted name: a module, a function, an attribute.
    Path(Rc<str>),
    /// A function of this source.
    Function(&'a StmtFunctionDef),
    /// A class of this source.
    Class(&'a StmtClassDef),
    /// An instance of such a class.
    Instance(&'a StmtClassDef),
    /// A lambda of this source.
    Lambda(&'a ExprLambda),
}

impl<'a> Value<'a> {
    /// A text; one that is too long is not followed.
    pub(super) fn text(text: impl Into<String>, making: Making) -> Self {
        let text: String = text.into();
        if text.len() > LONGEST { Self::Unknown } else { Self::Text(text.into(), making) }
    }

    /// Bytes; too many are not followed.
    pub(super) fn bytes(bytes: Vec<u8>, making: Making) -> Self {
        if bytes.len() > LONGEST { Self::Unknown } else { Self::Bytes(bytes.into(), making) }
    }

    /// A name from outside.
    pub(super) fn path(path: impl AsRef<str>) -> Self {
        Self::Path(path.as_ref().into())
    }

    /// What a call of `path` gives, as the beginning of further names: `socket.socket().connect`.
    pub(super) fn made_by(path: &str) -> Self {
        // A chain of calls is as long as the source makes it.
        if path.len() > 200 { Self::Unknown } else { Self::path(format!("{path}()")) }
    }

    /// The text, where all of it is known.
    pub(super) fn known_text(&self) -> Option<(&str, Making)> {
        match self {
            Self::Text(text, making) if !text.contains(HOLE) => Some((text, *making)),
            _ => None,
        }
    }

    /// The value as a part of a text: `HOLE` where it is not known.
    pub(super) fn as_part(&self) -> (String, Making) {
        match self {
            Self::Text(text, making) => (text.to_string(), *making),
            Self::Int(number) => (number.to_string(), Making::Joined),
            _ => (HOLE.to_string(), Making::Joined),
        }
    }

    /// How much there is to go through: what a step on it costs.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Text(text, _) => text.len() / 4,
            Self::Bytes(bytes, _) => bytes.len() / 4,
            Self::List(all) => all.len(),
            _ => 0,
        }
    }

    /// What iterating over it yields, where that is known.
    pub(super) fn elements(&self) -> Option<Vec<Value<'a>>> {
        match self {
            Self::List(all) => Some(all.to_vec()),
            Self::Text(text, making) if !text.contains(HOLE) && text.len() <= MOST_ELEMENTS => {
                Some(text.chars().map(|one| Self::text(one, *making)).collect())
            }
            Self::Bytes(bytes, _) if bytes.len() <= MOST_ELEMENTS => {
                Some(bytes.iter().map(|byte| Self::Int(i64::from(*byte))).collect())
            }
            _ => None,
        }
    }

    /// Whether it is a list that holds such a value.
    pub(super) fn holds(&self, is_it: impl Fn(&Value<'a>) -> bool) -> bool {
        matches!(self, Self::List(all) if all.iter().any(is_it))
    }

    /// How it came to be, of texts and bytes.
    pub(super) fn making(&self) -> Option<Making> {
        match self {
            Self::Text(_, making) | Self::Bytes(_, making) => Some(*making),
            _ => None,
        }
    }

    /// The same, made another way.
    pub(super) fn remade(self, making: Making) -> Self {
        match self {
            Self::Text(text, old) => Self::Text(text, old.max(making)),
            Self::Bytes(bytes, old) => Self::Bytes(bytes, old.max(making)),
            other => other,
        }
    }

    /// Whether it is true, where that is known.
    pub(super) fn truth(&self) -> Option<bool> {
        match self {
            Self::Nothing => Some(false),
            Self::Int(number) => Some(*number != 0),
            Self::Text(text, _) => Some(!text.is_empty()),
            Self::Bytes(bytes, _) => Some(!bytes.is_empty()),
            _ => None,
        }
    }
}
