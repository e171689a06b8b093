//! Backups and saved images, which are opened only where the user asks for it (`--archives`): tar, plain or with gzip, and
//! zip, and archives in them to a depth of [`DEEPEST`]. Everything is read from front to back and nothing is written;
//! absolute names, `..` and links are only names here.
//!
//! That an upper layer of an image hides what a lower one holds is not worked out.

use std::cell::Cell;
use std::io::{self, BufReader, Cursor, Read};
use std::ops::ControlFlow;
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

use super::held::{Archive, Held, Holding, Miss};
use super::image::{self, Documents};
use super::inflated::{self, Bounded, Budget, Counted};
use super::zipped::{self, Shown};
use super::{HEADER_CAP, ends_in, file_name, is_shown_elsewhere, zipapp};
use crate::extract::Extractor;
use crate::extract::format::headers;
use crate::extract::format::names;
use crate::extract::format::read_at::ReadAt;
use crate::extract::format::tar::{self, AtFile, Flow, Kind, Part};
use crate::extract::format::zip;
use crate::extract::input::Input;
use crate::model::coverage::GapReason;
use crate::model::distribution::{FolderSays, MetadataForm};
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, EntryKind, Interest, NamePattern};
use crate::model::watch::{Archives, Watch};

/// Why the check is off, where it is.
pub const OFF: &str = "--archives opens them";

/// How deep archives in archives are opened; the file itself is the first.
pub const DEEPEST: u32 = 3;

/// Most entries of one file, archives in archives counted each.
pub const MOST_ENTRIES: u64 = 5_000_000;

/// Most archives in one file that are opened: each costs more than an entry.
const MOST_OPENED: u64 = 20_000;

/// Largest zip archive in another archive that is opened: it is held in memory, since its directory lies at its end.
pub const MOST_HELD: u64 = 8 << 20;

/// How the names of archives end that may hold anything.
const ENDS: &[&str] = &[".tar", ".tar.gz", ".tgz", ".zip"];

/// The same of those that are compressed in a way that is not read.
const UNREAD: &[&str] = &[".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst"];

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "archives",
        sentence: "Backups and saved images (tar, tar.gz, zip), looked through where --archives asks for it.",
        ask: Ask::FileNames(&[
            NamePattern::Suffix(".tar"),
            NamePattern::Suffix(".tar.gz"),
            NamePattern::Suffix(".tgz"),
            NamePattern::Suffix(".zip"),
            NamePattern::Suffix(".tar.bz2"),
            NamePattern::Suffix(".tbz2"),
            NamePattern::Suffix(".tar.xz"),
            NamePattern::Suffix(".txz"),
            NamePattern::Suffix(".tar.zst"),
            NamePattern::Suffix(".tzst"),
        ]),
    },
    cap: HEADER_CAP,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let candidate = input.candidate;
    let is_asked_for = |name: &[u8]| ends_in(name, ENDS) || ends_in(name, UNREAD);
    if input.watch.archives == Archives::Closed || is_shown_elsewhere(candidate, is_asked_for) {
        return Harvest::default();
    }
    if candidate.kind == EntryKind::Other {
        return Harvest::missed(input.gap(GapReason::NotRegular));
    }
    let file = match input.open_candidate_to_judge() {
        Ok(file) => file,
        Err(why) => return Harvest::missed(input.gap(why)),
    };
    let mut harvest = Harvest::default();
    let from = Archive { changed: file.stat.modified, is_elsewhere: file.is_elsewhere };
    look(&input.at_will(&file), input.watch).finish(input, &from, &mut harvest);
    harvest
}

/// Everything that the archive `file` holds, whatever its name says that it is.
pub fn look<'a, F: ReadAt + ?Sized>(file: &F, watch: &'a Watch) -> Holding<'a> {
    let mut looker = Looker { holding: Holding::new(watch), budget: Budget::new(file.size()), entries: 0, opened: 0 };
    let mut head = [0; 512];
    let is_read = file.read_at(0, &mut head).is_ok();
    let is_other = head.starts_with(&[0x1f, 0x8b]) || tar::is_header(&head);
    // Anything may stand in front of a zip archive.
    if is_read && !is_other && (head.starts_with(b"PK") || zip::has_end(file)) {
        looker.zip(file, b"", 1);
    } else {
        looker.open(&mut AtFile::new(file), b"", 1, None);
    }
    looker.holding
}

/// What is being looked through.
struct Looker<'a> {
    holding: Holding<'a>,
    budget: Budget,
    entries: u64,
    opened: u64,
}

impl Looker<'_> {
    /// Looks into an archive of a kind that its first bytes tell. `place` says where it lies, for what it holds. A document
    /// of an image goes to `documents`.
    fn open(&mut self, flow: &mut dyn Flow, place: &[u8], depth: u32, documents: Option<(&mut Documents, &[u8])>) {
        self.opened += 1;
        if self.opened > MOST_OPENED {
            let says = "it holds more archives than are opened";
            return self.holding.miss(Miss::material(GapReason::TooLarge, says));
        }
        let mut flow = match Begun::new(flow) {
            Ok(flow) => flow,
            Err(why) => return self.holding.miss(inflated::fault(&why).into()),
        };
        let head = flow.head.get_ref().as_slice();
        match head {
            [0x1f, 0x8b, ..] => self.gzip(&mut flow, place, depth),
            [b'P', b'K', ..] | [b'#', b'!', ..] => match zipped::held_whole(&mut flow, MOST_HELD) {
                Ok(bytes) => self.zip(bytes.as_slice(), place, depth),
                Err(miss) => self.holding.miss(miss),
            },
            _ if tar::is_header(head) => self.tar(&mut flow, place, depth),
            [b'{' | b'[', ..] if documents.is_some() => {
                let mut bytes = Vec::new();
                let read = flow.take(image::MOST_BYTES).read_to_end(&mut bytes);
                if let (Ok(_), Some((documents, name))) = (read, documents) {
                    documents.add(name, bytes);
                }
            }
            [0x28, 0xb5, 0x2f, 0xfd, ..] => self.unread("it is compressed with zstd, which is not read"),
            [0xfd, b'7', b'z', b'X', b'Z', ..] => self.unread("it is compressed with xz, which is not read"),
            [b'B', b'Z', b'h', ..] => self.unread("it is compressed with bzip2, which is not read"),
            // An empty file, or the end of an archive that holds nothing; a blob may be anything.
            _ if documents.is_some() || head.iter().all(|byte| *byte == 0) => {}
            _ => self.unread("it, or an archive in it, is none of a kind that is read"),
        }
    }

    fn unread(&mut self, says: &'static str) {
        self.holding.miss(Miss::harmless(GapReason::Malformed, says));
    }

    fn gzip(&mut self, flow: &mut dyn Flow, place: &[u8], depth: u32) {
        let seen = Rc::new(Cell::new(0));
        let decoder = MultiGzDecoder::new(BufReader::with_capacity(64 << 10, Counted::new(flow, Rc::clone(&seen))));
        let mut inflated = Plain(Bounded::new(decoder, seen, self.budget.clone()));
        match Begun::new(&mut inflated) {
            Ok(mut inflated) if tar::is_header(inflated.head.get_ref()) => self.tar(&mut inflated, place, depth),
            Ok(inflated) if inflated.head.get_ref().iter().all(|byte| *byte == 0) => {}
            Ok(_) => self.unread("what is compressed in it is no tar archive"),
            Err(why) => self.holding.miss(inflated::fault(&why).into()),
        }
    }

    fn tar(&mut self, flow: &mut dyn Flow, place: &[u8], depth: u32) {
        let mut documents = Documents::default();
        let ended = tar::entries(flow, |entry, part| self.entry(entry, part, place, depth, &mut documents));
        if let Err(why) = ended {
            self.holding.miss(inflated::fault(&why).into());
        }
        documents.name_held(place, &mut self.holding);
    }

    /// Whether there is room for one more entry.
    fn count(&mut self) -> ControlFlow<()> {
        self.entries += 1;
        if self.entries > MOST_ENTRIES {
            self.holding.miss(Miss::material(GapReason::TooLarge, "it has more entries than are looked at"));
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn entry(
        &mut self,
        entry: &tar::Entry,
        part: &mut Part<'_>,
        place: &[u8],
        depth: u32,
        documents: &mut Documents,
    ) -> ControlFlow<()> {
        self.count()?;
        if entry.is_cut {
            self.holding.miss(Miss::material(GapReason::TooLarge, "an entry's name is longer than 4 KiB"));
        }
        let name = entry.name.strip_prefix(b"./").unwrap_or(&entry.name);
        if entry.kind == Kind::Other {
            return ControlFlow::Continue(());
        }
        if let Some((says, member, form)) = metadata(name) {
            let member = [place, member].concat();
            let is_wanted = self.holding.wants(&says) && entry.kind == Kind::File;
            self.holding.add(&member, Held::new(says, form));
            if is_wanted {
                self.headers(part, entry.size, &member);
            }
        } else {
            self.by_name(name, place);
        }
        if entry.kind == Kind::File {
            self.nested(name, part, place, depth, documents);
        }
        ControlFlow::Continue(())
    }

    /// Reads METADATA of the distribution at `member`.
    fn headers(&mut self, part: &mut Part<'_>, size: u64, member: &[u8]) {
        let mut bytes = Vec::new();
        // Where it is cut short, the archive is, and that is noticed there.
        let _cut = part.take(HEADER_CAP).read_to_end(&mut bytes);
        self.holding.told(member, &headers::parse(&bytes, size <= HEADER_CAP));
    }

    /// Archives of distributions that are known by their names.
    fn by_name(&mut self, name: &[u8], place: &[u8]) {
        let (says, form) = match (names::of_wheel(file_name(name)), names::of_sdist(file_name(name))) {
            (Some(says), _) => (says, MetadataForm::Wheel),
            (None, Some(says)) if self.holding.is_watched(&says.name) => (says, MetadataForm::Sdist),
            _ => return,
        };
        self.holding.add(&[place, name].concat(), Held::new(says, form));
    }

    /// Opens what is an archive itself.
    fn nested(&mut self, name: &[u8], part: &mut dyn Flow, place: &[u8], depth: u32, documents: &mut Documents) {
        let is_blob = image::is_blob(name);
        if !is_blob && !image::is_document(name) && !is_archive(name) {
            return;
        }
        if depth == DEEPEST {
            return self.too_deep();
        }
        let documents = (is_blob || image::is_document(name)).then_some((documents, name));
        self.open(part, &[place, name, b"!/"].concat(), depth + 1, documents);
    }

    fn too_deep(&mut self) {
        self.holding
            .miss(Miss::material(GapReason::TooLarge, "archives in it lie deeper in each other than is opened"));
    }

    fn zip<F: ReadAt + ?Sized>(&mut self, file: &F, place: &[u8], depth: u32) {
        let shown = Shown { before: place, form: None };
        if let Err(fault) = zipped::look(file, &shown, &mut self.holding) {
            self.holding.miss(fault.into());
        }
        // What was missed of its directory was noted above.
        let _seen = zip::entries(file, |name, entry| {
            self.count()?;
            if !entry.is_dir && names::of_wheel(file_name(name)).is_none() {
                self.by_name(name, place);
                self.zipped(file, name, entry, place, depth);
            }
            ControlFlow::Continue(())
        });
    }

    fn zipped<F: ReadAt + ?Sized>(&mut self, file: &F, name: &[u8], entry: &zip::Entry, place: &[u8], depth: u32) {
        if !is_archive(name) {
            return;
        }
        if depth == DEEPEST {
            return self.too_deep();
        }
        let most = entry.compressed_size.min(file.size());
        match zip::stream(file, entry, most) {
            Ok(stream) => {
                let bounded = Bounded::new(stream, Rc::new(Cell::new(most)), self.budget.clone());
                self.open(&mut Plain(bounded), &[place, name, b"!/"].concat(), depth + 1, None);
            }
            Err(fault) => self.holding.miss(fault.into()),
        }
    }
}

/// Whether something in an archive is called like one that may hold distributions.
fn is_archive(name: &[u8]) -> bool {
    ends_in(name, ENDS) || ends_in(name, UNREAD) || ends_in(name, zipapp::ENDS)
}

/// The distribution whose metadata an entry is, where that lies, and its form. Distributions of systems have single files.
fn metadata(name: &[u8]) -> Option<(FolderSays, &[u8], MetadataForm)> {
    if let Some((says, folder)) = names::of_member(name) {
        return Some((says, folder, zipped::form(name)));
    }
    let stem = file_name(name).strip_suffix(b".egg-info").filter(|stem| !stem.is_empty())?;
    Some((names::parse_folder_name(stem), name, MetadataForm::EggInfoFile))
}

/// A stream whose beginning was read already.
struct Begun<'a> {
    head: Cursor<Vec<u8>>,
    rest: &'a mut dyn Flow,
}

impl<'a> Begun<'a> {
    fn new(rest: &'a mut dyn Flow) -> io::Result<Self> {
        let mut head = Vec::new();
        (&mut *rest).take(512).read_to_end(&mut head)?;
        Ok(Self { head: Cursor::new(head), rest })
    }
}

impl Read for Begun<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.head.read(buffer)? {
            0 => self.rest.read(buffer),
            got => Ok(got),
        }
    }
}

impl Flow for Begun<'_> {
    fn pass(&mut self, count: u64) -> io::Result<u64> {
        let held = (self.head.get_ref().len() as u64).saturating_sub(self.head.position()).min(count);
        self.head.set_position(self.head.position() + held);
        Ok(held + self.rest.pass(count - held)?)
    }
}

/// A stream of which everything must be read, to be left out too.
struct Plain<R>(R);

impl<R: Read> Read for Plain<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read> Flow for Plain<R> {}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// A tar archive of one file.
    fn tar(name: &str, content: &[u8]) -> Vec<u8> {
        let mut block = vec![0; 512];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum::<u32>() + 8 * 32;
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        [block, content.to_vec(), vec![0; content.len().wrapping_neg() % 512 + 1024]].concat()
    }

    fn places(bytes: &[u8]) -> Vec<String> {
        let watch = Watch::default();
        let mut holding = look(bytes, &watch);
        holding.each().map(|(place, _)| String::from_utf8_lossy(place).into_owned()).collect()
    }

    #[test]
    fn archives_are_opened_three_deep() {
        let one = tar("a-1.dist-info/METADATA", b"Name: a\nVersion: 1\n\n");
        let two = tar("one.tar.gz", &gzip(&one));
        let three = tar("two.tar", &two);
        assert_eq!(places(&one), ["a-1.dist-info"]);
        assert_eq!(places(&gzip(&three)), ["two.tar!/one.tar.gz!/a-1.dist-info"]);
        assert!(places(&tar("three.tar", &three)).is_empty());
        // By its content, whatever its name says.
        assert_eq!(places(&tar("one.zip", &one)), ["one.zip!/a-1.dist-info"]);
    }

    #[test]
    fn gzip_goes_on_behind_its_first_member() {
        let whole = tar("a-1.dist-info/METADATA", b"Name: a\nVersion: 1\n\n");
        let (front, back) = whole.split_at(300);
        assert_eq!(places(&[gzip(front), gzip(back)].concat()), ["a-1.dist-info"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_at(bytes in prop::collection::vec(any::<u8>(), 0..1500), form in 0..5) {
            let bytes = match form {
                0 => bytes,
                1 => gzip(&bytes),
                2 => tar("x.tar", &bytes),
                3 => gzip(&tar("x.tar.gz", &gzip(&bytes))),
                _ => tar("x.zip", &[b"PK\x03\x04", bytes.as_slice(), b"PK\x05\x06", &[0; 18]].concat()),
            };
            let _places = places(&bytes);
        }
    }
}
