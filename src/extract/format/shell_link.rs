//! Shortcuts of Windows (`.lnk`, MS-SHLLINK): what they lead to, with which arguments, and from which folder.
//!
//! ```text
//! header of 76 bytes: size, class, flags …     list of shell items     information on the volume, with the path
//! texts, as the flags say: name, relative path, working folder, arguments, icon     blocks, one of them with %VARIABLES%
//! ```

use super::unicode;

/// Length of the header.
const HEADER: usize = 76;

/// The class of shell links behind the header's size.
const CLASS: &[u8] = b"\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46";

const HAS_ITEMS: u32 = 1;
const HAS_INFO: u32 = 1 << 1;
const HAS_NAME: u32 = 1 << 2;
const HAS_RELATIVE_PATH: u32 = 1 << 3;
const HAS_FOLDER: u32 = 1 << 4;
const HAS_ARGUMENTS: u32 = 1 << 5;
const HAS_ICON: u32 = 1 << 6;
const IS_WIDE: u32 = 1 << 7;

/// The block of a target with variables in it.
const VARIABLES: u32 = 0xa000_0001;

/// A shortcut, as far as it could be read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Shortcut {
    /// What it leads to: whole where the volume is known or variables stand in for it, else relative to its own folder.
    pub target: String,
    /// Behind it.
    pub arguments: String,
    /// The folder in which it is started.
    pub folder: String,
    /// Whether it ends before all is there that its flags promise.
    pub is_cut: bool,
}

/// Reads a shortcut; none where it is something else.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Shortcut> {
    let header = bytes.get(..HEADER)?;
    if !header.starts_with(CLASS) {
        return None;
    }
    let flags = u32_at(header, 20)?;
    let mut reader = Reader { bytes, at: HEADER, is_wide: flags & IS_WIDE != 0 };
    let mut out = Shortcut::default();
    out.is_cut = reader.fill(flags, &mut out).is_none();
    Some(out)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    is_wide: bool,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..)?.first_chunk()?;
    Some(usize::from(u16::from_le_bytes(*field)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|field| u32::from_le_bytes(*field))
}

fn size_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32_at(bytes, at)?).ok()
}

impl Reader<'_> {
    /// None where it is cut.
    fn fill(&mut self, flags: u32, out: &mut Shortcut) -> Option<()> {
        let has = |flag: u32| flags & flag != 0;
        let of_items = if has(HAS_ITEMS) { self.items()? } else { String::new() };
        if has(HAS_INFO) {
            let size = size_at(self.bytes, self.at)?;
            let info = self.bytes.get(self.at..self.at.checked_add(size.max(4))?)?;
            out.target = path_of(info).unwrap_or_default();
            self.at += size.max(4);
        }
        // Programs that make shortcuts often leave the volume out.
        if out.target.is_empty() {
            out.target = of_items;
        }
        if has(HAS_NAME) {
            self.text()?;
        }
        if has(HAS_RELATIVE_PATH) {
            let path = self.text()?;
            if out.target.is_empty() {
                out.target = path;
            }
        }
        if has(HAS_FOLDER) {
            out.folder = self.text()?;
        }
        if has(HAS_ARGUMENTS) {
            out.arguments = self.text()?;
        }
        if has(HAS_ICON) {
            self.text()?;
        }
        self.blocks(out);
        Some(())
    }

    fn items(&mut self) -> Option<String> {
        let end = self.at.checked_add(2 + u16_at(self.bytes, self.at)?)?;
        let path = path_of_items(self.bytes.get(self.at + 2..end)?);
        self.at = end;
        Some(path)
    }

    fn text(&mut self) -> Option<String> {
        let count = u16_at(self.bytes, self.at)?;
        let length = if self.is_wide { 2 * count } else { count };
        let text = self.bytes.get(self.at + 2..(self.at + 2).checked_add(length)?)?;
        self.at += 2 + length;
        Some(if self.is_wide { unicode::little_endian(text) } else { narrow(text) })
    }

    /// The block with variables is stronger than the rest: the shell tries it first.
    fn blocks(&mut self, out: &mut Shortcut) {
        while let Some(size) = size_at(self.bytes, self.at).filter(|size| *size >= 8) {
            let Some(block) = self.at.checked_add(size).and_then(|end| self.bytes.get(self.at..end)) else { return };
            if u32_at(block, 4) == Some(VARIABLES) {
                let wide = block.get(268..).map(unicode::little_endian).unwrap_or_default();
                let target = wide.split('\0').next().unwrap_or_default();
                if !target.is_empty() {
                    out.target = target.to_owned();
                }
            }
            self.at += size;
        }
    }
}

/// The path that the shell's items spell: a drive, folders, a file (`Windows Shell Item format specification`, libfwsi).
/// Empty where they begin with something else, such as the control panel.
fn path_of_items(items: &[u8]) -> String {
    let mut out = String::new();
    let mut rest = items;
    while let Some(size) = u16_at(rest, 0).filter(|size| *size >= 3) {
        let Some((item, behind)) = rest.split_at_checked(size) else { break };
        rest = behind;
        let kind = item.get(2).copied().unwrap_or_default();
        match kind & 0x70 {
            // The desktop or the computer, in front of the drive.
            0x10 => {}
            0x20 => out = item.get(3..).map(until_nul).unwrap_or_default().trim_end_matches('\\').to_owned(),
            0x30 if !out.is_empty() => out = format!("{out}\\{}", name_of_item(item)),
            _ => return String::new(),
        }
    }
    out
}

fn until_nul(text: &[u8]) -> String {
    narrow(text.split(|byte| *byte == 0).next().unwrap_or_default())
}

/// The long name of a file or folder, from the block behind its short one; else the short one.
fn name_of_item(item: &[u8]) -> String {
    let short = item.get(14..).map(until_nul).unwrap_or_default();
    let block = memchr::memmem::find(item, b"\x04\0\xef\xbe").and_then(|at| item.get(at.checked_sub(4)?..));
    let long = block.and_then(|block| {
        let from = match u16_at(block, 2)? {
            0..=2 => return None,
            3..=6 => 20,
            7 => 38,
            8 => 42,
            _ => 46,
        };
        unicode::little_endian(block.get(from..)?).split('\0').next().map(str::to_owned)
    });
    long.filter(|name| !name.is_empty()).unwrap_or(short)
}

/// The path in the information on the volume: its beginning and, where the target lies on a share, its end.
fn path_of(info: &[u8]) -> Option<String> {
    let header = size_at(info, 4)?;
    let flags = u32_at(info, 8)?;
    let text = |field: usize| {
        let at = size_at(info, field).filter(|at| *at > 0)?;
        let text = info.get(at..)?;
        Some(narrow(text.split(|byte| *byte == 0).next()?))
    };
    let wide = |field: usize| {
        let at = (header >= 0x24).then(|| size_at(info, field)).flatten().filter(|at| *at > 0)?;
        unicode::little_endian(info.get(at..)?).split('\0').next().map(str::to_owned)
    };
    let base = (flags & 1 != 0).then(|| wide(28).or_else(|| text(16))).flatten()?;
    let end = wide(32).or_else(|| text(24)).unwrap_or_default();
    let parts = if end.is_empty() || base.ends_with('\\') { "" } else { "\\" };
    Some(format!("{base}{parts}{end}"))
}

/// Bytes of the system's code page, of which only the plain half is known.
fn narrow(text: &[u8]) -> String {
    text.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { char::REPLACEMENT_CHARACTER }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wide(text: &str) -> Vec<u8> {
        let count = u16::try_from(text.encode_utf16().count()).unwrap();
        count.to_le_bytes().into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
    }

    fn header(flags: u32) -> Vec<u8> {
        let mut out = CLASS.to_vec();
        out.extend(flags.to_le_bytes());
        out.resize(HEADER, 0);
        out
    }

    /// With a volume, a working folder and arguments.
    fn made() -> Vec<u8> {
        let mut out = header(HAS_ITEMS | HAS_INFO | HAS_FOLDER | HAS_ARGUMENTS | IS_WIDE);
        out.extend(b"\x02\0\0\0");
        let path = b"C:\\x\\y.exe\0\0";
        let size = u32::try_from(28 + path.len()).unwrap();
        for field in [size, 28, 1, 0, 28, 0, size - 1] {
            out.extend(field.to_le_bytes());
        }
        out.extend(path);
        out.extend(wide("C:\\x"));
        out.extend(wide("-a b"));
        out.extend(0_u32.to_le_bytes());
        out
    }

    #[test]
    fn shortcuts_say_where_they_lead() {
        let shortcut = parse(&made()).unwrap();
        assert_eq!((shortcut.target.as_str(), shortcut.arguments.as_str()), ("C:\\x\\y.exe", "-a b"));
        assert_eq!((shortcut.folder.as_str(), shortcut.is_cut), ("C:\\x", false));
        let mut relative = header(HAS_RELATIVE_PATH | IS_WIDE);
        relative.extend(wide("..\\y.exe"));
        assert_eq!(parse(&relative).unwrap().target, "..\\y.exe");
        let mut block = relative.clone();
        block.extend(788_u32.to_le_bytes());
        block.extend(VARIABLES.to_le_bytes());
        block.resize(relative.len() + 268, 0);
        block.extend(wide("%APPDATA%\\x.exe").split_off(2));
        block.resize(relative.len() + 788, 0);
        assert_eq!(parse(&block).unwrap().target, "%APPDATA%\\x.exe");
        assert_eq!(parse(b"MZ"), None);
    }

    #[test]
    fn items_spell_a_path() {
        let item = |kind: u8, rest: &[u8]| {
            let size = u16::try_from(3 + rest.len()).unwrap().to_le_bytes();
            [&size, [kind].as_slice(), rest].concat()
        };
        let long: Vec<u8> = "Ärger\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let block = [b"\x30\0\x03\0\x04\0\xef\xbe".as_slice(), &[0; 12], &long].concat();
        let folder = [[0_u8; 11].as_slice(), b"RGER~1\0\0", &block].concat();
        let file = [[0_u8; 11].as_slice(), b"y.exe\0"].concat();
        let root = item(0x1f, &[0; 17]);
        let items = [root, item(0x2f, b"C:\\\0\0"), item(0x31, &folder), item(0x32, &file)].concat();
        assert_eq!(path_of_items(&items), "C:\\Ärger\\y.exe");
        assert_eq!(path_of_items(&item(0x71, b"x")), "");
        let mut link = header(HAS_ITEMS | IS_WIDE);
        link.extend(u16::try_from(items.len() + 2).unwrap().to_le_bytes());
        link.extend(items);
        link.extend(b"\0\0");
        assert_eq!(parse(&link).unwrap().target, "C:\\Ärger\\y.exe");
    }

    #[test]
    fn a_cut_shortcut_says_so() {
        let whole = made();
        for length in HEADER..whole.len() - 4 {
            let cut = parse(&whole[..length]).unwrap();
            assert!(cut.is_cut, "{length}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(flags in any::<u32>(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _any = parse(&[header(flags), bytes].concat());
        }
    }
}
