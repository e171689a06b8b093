//! CPython's marshal streams, as far as compiled modules (`.pyc`) hold them: code objects, their names and their constants.
//! The format is described nowhere but by what CPython writes; it differs in the layout of code objects, and in what was
//! added from version to version (references in 3.4, slices in 3.14, frozendict in 3.15).
//!
//! Hostile by assumption: nothing is reserved on the word of a length, nesting is bounded, and so is the number of objects,
//! those behind references included.

/// How deep objects may lie in each other. CPython writes functions in functions, twice per level.
const DEEPEST: u32 = 250;

/// Most objects, and most names and constants that references make of them.
const MOST: usize = 2_000_000;

/// For so many members room is made at once.
const FEW: usize = 64;

/// Says that the object can be referred to.
const FLAG_REFERENCE: u8 = 0x80;

/// How a code object is laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// Python 2.7.
    Two,
    /// 3.3 to 3.7.
    Three,
    /// 3.8 to 3.10: with a count of positional-only parameters.
    Positional,
    /// From 3.11 on: one list for all kinds of variables, and a qualified name.
    Together,
}

/// Why a stream could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It ends too early.
    CutShort,
    /// An object of a kind that does not exist.
    UnknownKind(u8),
    /// A reference to what was not there before.
    BadReference,
    /// Not what must stand at this place.
    Misplaced,
    /// Objects lie too deep in each other.
    TooDeep,
    /// More objects than are read.
    TooMany,
}

/// A constant text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Text<'a> {
    /// Of letters, in UTF-8 that may hold single surrogates.
    Letters(&'a [u8]),
    /// Of bytes; what Python 2 calls `str` too.
    Bytes(&'a [u8]),
}

impl<'a> Text<'a> {
    /// What it holds.
    #[must_use]
    pub fn as_bytes(self) -> &'a [u8] {
        match self {
            Self::Letters(bytes) | Self::Bytes(bytes) => bytes,
        }
    }
}

/// A code object: a module, a class body, a function, a comprehension.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Code<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// The same with what it lies in; from 3.11 on.
    pub qualified: Option<&'a [u8]>,
    /// The file that it says it was compiled from.
    pub file: &'a [u8],
    /// Globals, attributes and modules that it names.
    pub names: Vec<&'a [u8]>,
    /// Its parameters and variables, shared ones included.
    pub variables: Vec<&'a [u8]>,
    /// Its constant texts, also those in tuples and sets. What several code objects share stands with the first.
    pub texts: Vec<Text<'a>>,
    /// Its first line, counted from 1.
    pub first_line: u32,
    /// What kind of function it is, and which future statements hold.
    pub flags: u32,
    /// Code objects among its constants, by their place in the list of all.
    pub inner: Vec<usize>,
}

/// Reads a stream that holds a code object. All code objects of it come, inner before outer: the last is the module. Bytes
/// behind it mean nothing, as to Python.
///
/// # Errors
/// Why not: Python does not take such a stream either, the bounds aside.
pub fn read(bytes: &[u8], layout: Layout) -> Result<Vec<Code<'_>>, Fault> {
    let mut reader = Reader {
        rest: bytes,
        layout,
        objects: vec![Object::Plain],
        references: Vec::new(),
        interned: Vec::new(),
        codes: Vec::new(),
        shown: Vec::new(),
        left: MOST,
    };
    let top = reader.object(0)?;
    match reader.objects.get(top) {
        Some(Object::Code(at)) if at + 1 == reader.codes.len() => Ok(reader.codes),
        _ => Err(Fault::Misplaced),
    }
}

/// What stands for an object; numbers and the like are all the same one.
enum Object<'a> {
    Plain,
    Text(Text<'a>),
    Many(Box<[usize]>),
    Code(usize),
    /// Begun, and not yet ended.
    Pending,
    /// Ends a dictionary.
    End,
}

/// The place of an object in the list of all.
type Place = usize;

const PLAIN: Place = 0;

struct Reader<'a> {
    rest: &'a [u8],
    layout: Layout,
    objects: Vec<Object<'a>>,
    references: Vec<Place>,
    /// Python 2 refers to names only.
    interned: Vec<Place>,
    codes: Vec<Code<'a>>,
    /// Whether an object's texts are with some code object already.
    shown: Vec<bool>,
    left: usize,
}

impl<'a> Reader<'a> {
    fn object(&mut self, depth: u32) -> Result<Place, Fault> {
        self.spend(1)?;
        if depth > DEEPEST {
            return Err(Fault::TooDeep);
        }
        let first = self.take(1)?.first().copied().unwrap_or_default();
        let kind = first & !FLAG_REFERENCE;
        let is_referred = first & FLAG_REFERENCE != 0;
        match kind {
            b'N' | b'T' | b'F' | b'S' | b'.' => return Ok(PLAIN),
            b'0' => return Ok(self.add(Object::End)),
            b'r' => return self.reference(),
            b'R' => {
                let at = self.length()?;
                return self.interned.get(at).copied().ok_or(Fault::BadReference);
            }
            b'(' | b')' | b'[' | b'<' | b'>' | b'{' | b'}' | b':' | b'c' => {
                return self.container(kind, is_referred, depth);
            }
            _ => {}
        }
        let text = self.atom(kind)?;
        let place = text.map_or(PLAIN, |text| self.add(Object::Text(text)));
        if is_referred {
            self.references.push(place);
        }
        if kind == b't' && self.layout == Layout::Two {
            self.interned.push(place);
        }
        Ok(place)
    }

    /// A number, which is passed over, or a text.
    fn atom(&mut self, kind: u8) -> Result<Option<Text<'a>>, Fault> {
        let skip = match kind {
            b'i' => 4,
            b'I' | b'g' => 8,
            b'y' => 16,
            b'l' => {
                let digits = self.number()?;
                usize::try_from(digits.unsigned_abs()).unwrap_or(usize::MAX).saturating_mul(2)
            }
            b'f' => self.short()?,
            b'x' => {
                let real = self.short()?;
                self.take(real)?;
                self.short()?
            }
            b's' => return self.text().map(|text| Some(Text::Bytes(text))),
            b't' if self.layout == Layout::Two => return self.text().map(|text| Some(Text::Bytes(text))),
            b'u' | b't' | b'a' | b'A' => return self.text().map(|text| Some(Text::Letters(text))),
            b'z' | b'Z' => {
                let length = self.short()?;
                return self.take(length).map(|text| Some(Text::Letters(text)));
            }
            other => return Err(Fault::UnknownKind(other)),
        };
        self.take(skip)?;
        Ok(None)
    }

    /// What holds other objects. It can be referred to by what comes after it only, but it is counted where it begins.
    fn container(&mut self, kind: u8, is_referred: bool, depth: u32) -> Result<Place, Fault> {
        let place = self.add(Object::Pending);
        if is_referred {
            self.references.push(place);
        }
        let object = match kind {
            b'c' => self.code(depth)?,
            b'{' | b'}' => self.pairs(depth)?,
            b':' => self.many(3, depth)?,
            b')' => {
                let count = self.short()?;
                self.many(count, depth)?
            }
            _ => {
                let count = self.length()?;
                self.many(count, depth)?
            }
        };
        if let Some(slot) = self.objects.get_mut(place) {
            *slot = object;
        }
        Ok(place)
    }

    fn many(&mut self, count: usize, depth: u32) -> Result<Object<'a>, Fault> {
        // Each takes a byte at least.
        if count > self.rest.len() {
            return Err(Fault::CutShort);
        }
        let mut all = Vec::with_capacity(count.min(FEW));
        for _ in 0..count {
            all.push(self.object(depth + 1)?);
        }
        Ok(Object::Many(all.into_boxed_slice()))
    }

    fn pairs(&mut self, depth: u32) -> Result<Object<'a>, Fault> {
        let mut all = Vec::new();
        loop {
            let next = self.object(depth + 1)?;
            if matches!(self.objects.get(next), Some(Object::End)) {
                return Ok(Object::Many(all.into_boxed_slice()));
            }
            all.push(next);
        }
    }

    fn reference(&mut self) -> Result<Place, Fault> {
        let at = self.length()?;
        let place = self.references.get(at).copied().ok_or(Fault::BadReference)?;
        match self.objects.get(place) {
            Some(Object::Pending) | None => Err(Fault::BadReference),
            Some(_) => Ok(place),
        }
    }

    fn code(&mut self, depth: u32) -> Result<Object<'a>, Fault> {
        let counts = match self.layout {
            Layout::Two => 3,
            Layout::Three | Layout::Together => 4,
            Layout::Positional => 5,
        };
        self.take(counts * 4)?;
        let flags = self.number()?.cast_unsigned();
        let next = |reader: &mut Self| reader.object(depth + 1);
        next(self)?;
        let constants = next(self)?;
        let names = next(self)?;
        let mut variables = vec![next(self)?];
        // Beside variables that are shared with inner functions; from 3.11 on, the kinds of all.
        let others = if self.layout == Layout::Together { 1 } else { 2 };
        for _ in 0..others {
            variables.push(next(self)?);
        }
        if self.layout == Layout::Together {
            variables.truncate(1);
        }
        let file = next(self)?;
        let name = next(self)?;
        let qualified = if self.layout == Layout::Together { Some(next(self)?) } else { None };
        let first_line = u32::try_from(self.number()?).unwrap_or(0);
        next(self)?;
        if self.layout == Layout::Together {
            next(self)?;
        }
        let mut code = Code {
            name: self.name(name)?,
            qualified: qualified.map(|place| self.name(place)).transpose()?,
            file: self.name(file)?,
            names: Vec::new(),
            variables: Vec::new(),
            texts: Vec::new(),
            first_line,
            flags,
            inner: Vec::new(),
        };
        self.names(names, &mut code.names)?;
        for place in variables {
            self.names(place, &mut code.variables)?;
        }
        self.constants(constants, &mut code)?;
        self.codes.push(code);
        Ok(Object::Code(self.codes.len() - 1))
    }

    fn name(&self, place: Place) -> Result<&'a [u8], Fault> {
        match self.objects.get(place) {
            Some(Object::Text(text)) => Ok(text.as_bytes()),
            _ => Err(Fault::Misplaced),
        }
    }

    fn names(&mut self, place: Place, to: &mut Vec<&'a [u8]>) -> Result<(), Fault> {
        let Some(Object::Many(all)) = self.objects.get(place) else { return Err(Fault::Misplaced) };
        // Every code object may refer to the same long list.
        self.left = self.left.checked_sub(all.len()).ok_or(Fault::TooMany)?;
        for one in all {
            to.push(self.name(*one)?);
        }
        Ok(())
    }

    /// What is among the constants, at any depth. Each object is looked at once, however often it is referred to.
    fn constants(&mut self, place: Place, code: &mut Code<'a>) -> Result<(), Fault> {
        if !matches!(self.objects.get(place), Some(Object::Many(_))) {
            return Err(Fault::Misplaced);
        }
        self.shown.resize(self.objects.len(), false);
        let mut todo = vec![place];
        while let Some(at) = todo.pop() {
            if self.shown.get_mut(at).is_none_or(|shown| std::mem::replace(shown, true)) {
                continue;
            }
            match self.objects.get(at) {
                Some(Object::Text(text)) => code.texts.push(*text),
                Some(Object::Code(at)) => code.inner.push(*at),
                Some(Object::Many(all)) => {
                    self.left = self.left.checked_sub(all.len()).ok_or(Fault::TooMany)?;
                    todo.extend(all.iter().rev());
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn add(&mut self, object: Object<'a>) -> Place {
        self.objects.push(object);
        self.objects.len() - 1
    }

    fn spend(&mut self, count: usize) -> Result<(), Fault> {
        self.left = self.left.checked_sub(count).ok_or(Fault::TooMany)?;
        Ok(())
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Fault::CutShort)?;
        self.rest = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<i32, Fault> {
        let bytes = self.take(4)?;
        Ok(i32::from_le_bytes(bytes.try_into().map_err(|_| Fault::CutShort)?))
    }

    fn length(&mut self) -> Result<usize, Fault> {
        usize::try_from(self.number()?).map_err(|_| Fault::Misplaced)
    }

    fn short(&mut self) -> Result<usize, Fault> {
        self.take(1).map(|byte| byte.first().copied().map_or(0, usize::from))
    }

    fn text(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.length()?;
        self.take(length)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(value: i32) -> Vec<u8> {
        value.to_le_bytes().to_vec()
    }

    fn short(text: &[u8]) -> Vec<u8> {
        [b"z", [text.len() as u8].as_slice(), text].concat()
    }

    fn bytes(text: &[u8]) -> Vec<u8> {
        [b"s".to_vec(), number(text.len() as i32), text.to_vec()].concat()
    }

    fn tuple(all: &[Vec<u8>]) -> Vec<u8> {
        [vec![b'('].as_slice(), &number(all.len() as i32), &all.concat()].concat()
    }

    /// A code object of 3.11.
    fn code(constants: Vec<u8>, names: Vec<u8>, name: Vec<u8>) -> Vec<u8> {
        let counts = [0, 0, 0, 1, 64].map(number).concat();
        let variables = tuple(&[short(b"self")]);
        let kinds = bytes(&[32]);
        let tail = [short(b"m.py"), name.clone(), name, number(7), bytes(b""), bytes(b"")].concat();
        [b"c".to_vec(), counts, bytes(b"\x97"), constants, names, variables, kinds, tail].concat()
    }

    #[test]
    fn a_module_is_read() {
        let inner = code(tuple(&[]), tuple(&[short(b"run")]), short(b"f"));
        let mixed = [b">".to_vec(), number(2), short(b"text"), bytes(b"raw")].concat();
        let constants = tuple(&[inner, mixed, b"N".to_vec(), [b"i".to_vec(), number(5)].concat()]);
        let file = code(constants, tuple(&[short(b"os"), short(b"f")]), short(b"<module>"));
        let codes = read(&file, Layout::Together).unwrap();
        let [f, module] = codes.as_slice() else { panic!("{codes:?}") };
        assert_eq!((f.name, f.first_line, f.flags), (b"f".as_slice(), 7, 64));
        assert_eq!(
            (f.names.as_slice(), f.variables.as_slice()),
            ([b"run".as_slice()].as_slice(), [b"self".as_slice()].as_slice())
        );
        assert_eq!((module.name, module.inner.as_slice()), (b"<module>".as_slice(), [0].as_slice()));
        assert_eq!(module.texts, [Text::Letters(b"text"), Text::Bytes(b"raw")]);
        assert_eq!(module.file, b"m.py");
        // What lies behind it means nothing; what is missing does.
        assert_eq!(read(&[&file, b"more".as_slice()].concat(), Layout::Together).unwrap().len(), 2);
        for length in 0..file.len() {
            assert!(read(&file[..length], Layout::Together).is_err(), "{length}");
        }
    }

    #[test]
    fn references_are_followed_once() {
        // (x, (#1, #1), …): each holds the one before it twice, and is itself referred to.
        let mut all = vec![[b"\xfa".to_vec(), vec![4], b"text".to_vec()].concat()];
        for at in 0..200 {
            let reference = [b"r".to_vec(), number(at)].concat();
            all.push([b"\xa9\x02".as_slice(), &reference, &reference].concat());
        }
        let file = code(tuple(&all), tuple(&[]), short(b"<module>"));
        assert_eq!(read(&file, Layout::Together).unwrap()[0].texts, [Text::Letters(b"text")]);
        // To itself, and to what comes later.
        for at in [0, 1, -1] {
            let own = [b"\xa9\x01r".to_vec(), number(at)].concat();
            assert!(read(&code(own, tuple(&[]), short(b"m")), Layout::Together).is_err(), "{at}");
        }
    }

    #[test]
    fn python_2_refers_to_names() {
        let name = |text: &[u8]| [b"t".to_vec(), number(text.len() as i32), text.to_vec()].concat();
        let again = [b"R".to_vec(), number(0)].concat();
        let none = || tuple(&[]);
        let file = [
            b"c".to_vec(),
            [0, 0, 1, 64].map(number).concat(),
            bytes(b"d"),
            tuple(&[bytes(b"text"), b"N".to_vec()]),
            tuple(&[name(b"os"), again.clone()]),
            none(),
            none(),
            none(),
            bytes(b"m.py"),
            again,
            number(1),
            bytes(b""),
        ]
        .concat();
        let codes = read(&file, Layout::Two).unwrap();
        assert_eq!(codes[0].names, [b"os", b"os"]);
        assert_eq!(codes[0].texts, [Text::Bytes(b"text")]);
    }

    #[test]
    fn promises_and_depth_are_bounded() {
        assert_eq!(read(b"(\xff\xff\xff\x7f", Layout::Three), Err(Fault::CutShort));
        assert_eq!(read(b"l\0\0\0\x80", Layout::Three), Err(Fault::CutShort));
        assert_eq!(read(b"s\xff\xff\xff\xff", Layout::Three), Err(Fault::Misplaced));
        assert_eq!(read(b"?", Layout::Three), Err(Fault::UnknownKind(b'?')));
        assert_eq!(read(b"N", Layout::Three), Err(Fault::Misplaced));
        assert_eq!(read(&b")\x01".repeat(1000), Layout::Three), Err(Fault::TooDeep));
        let many = [b"(".to_vec(), number(3_000_000), vec![b'N'; 3_000_000]].concat();
        assert_eq!(read(&many, Layout::Three), Err(Fault::TooMany));
        let mut nested = code(tuple(&[]), tuple(&[]), short(b"f"));
        for _ in 0..DEEPEST / 2 - 1 {
            nested = code(tuple(&[nested]), tuple(&[]), short(b"f"));
        }
        assert_eq!(read(&nested, Layout::Together).map(|all| all.len()), Ok(125));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for layout in [Layout::Two, Layout::Three, Layout::Positional, Layout::Together] {
                let _codes = read(&bytes, layout);
            }
        }

        #[test]
        fn any_change_of_a_module_is_read(at in 0usize..120, byte: u8) {
            let inner = code(tuple(&[short(b"text")]), tuple(&[short(b"run")]), short(b"f"));
            let mut file = code(tuple(&[inner]), tuple(&[short(b"os")]), short(b"<module>"));
            if let Some(slot) = file.get_mut(at) {
                *slot = byte;
            }
            let _codes = read(&file, Layout::Together);
        }
    }
}
