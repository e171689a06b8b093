//! The last resort for an interpreter's version: the text inside the program, or in its library where the program is only
//! a launcher. Read only where no better source names all three numbers.

use std::collections::BTreeMap;
use std::io::Read;

use memchr::memmem;
use rayon::prelude::*;

use super::Later;
use crate::model::coverage::{Counts, Gap, GapReason};
use crate::model::facts::{Facts, Harvest};
use crate::model::path::TargetPath;
use crate::model::python::VersionSource;
use crate::target::Target;

/// The row of coverage.
pub const STAGE: Later =
    Later { id: "program-versions", sentence: "The version inside an interpreter, where no file beside it names one." };

/// Most bytes of one program or library: the largest known one has 60 MiB.
const CAP: u64 = 128 << 20;

/// Read at a time; a version that lies across the edge is found through the overlap.
const PIECE: usize = 1 << 20;
const OVERLAP: usize = 32;

/// Fills in the versions that are not yet known to the last number.
#[must_use]
pub fn settle(target: &Target, facts: &mut Facts) -> Harvest {
    let mut programs: BTreeMap<(TargetPath, String), Option<String>> = BTreeMap::new();
    for one in &facts.interpreters {
        let known = one.version.as_ref().filter(|known| known.split('.').count() == 2);
        let is_program = matches!(one.implementation, "cpython");
        if let (true, Some(known), Some(real)) = (is_program, known, &one.real_path) {
            programs.insert((real.clone(), known.clone()), None);
        }
    }
    let found: Vec<_> = programs.par_iter().map(|((path, known), _)| search(target, path, known)).collect();
    let mut harvest = Harvest::default();
    for (version, one) in programs.values_mut().zip(found) {
        *version = one.version;
        harvest.gaps.extend(one.gap);
        harvest.counts.add(one.counts);
    }
    for one in &mut facts.interpreters {
        let key = one.real_path.clone().zip(one.version.clone());
        if let Some(Some(version)) = key.and_then(|key| programs.get(&key)) {
            one.version = Some(version.clone());
            one.version_source = Some(VersionSource::Program);
        }
    }
    harvest
}

#[derive(Default)]
struct Found {
    version: Option<String>,
    gap: Option<Gap>,
    counts: Counts,
}

/// Looks into the program, and into the library that it is likely to load.
fn search(target: &Target, program: &TargetPath, known: &str) -> Found {
    let library = format!("libpython{known}.so.1.0");
    let beside =
        program.parent().and_then(|bin| bin.parent()).map(|prefix| prefix.join(b"lib").join(library.as_bytes()));
    let mut out = Found::default();
    for (path, is_program) in [(Some(program.clone()), true), (beside, false)] {
        let Some(path) = path else { continue };
        let file = match target.root.open_file(&path) {
            Ok(file) => file,
            Err(why) => {
                // The program was seen a moment ago; the library need not be there.
                let is_miss = is_program && !matches!(why, GapReason::Missing | GapReason::DanglingLink);
                out.gap = out.gap.or(is_miss.then(|| Gap::new(STAGE.id, path, why).harmless()));
                continue;
            }
        };
        out.counts.files_read += 1;
        out.version = read(file.stream(CAP), known, &mut out.counts.bytes_read);
        if out.version.is_some() {
            break;
        }
    }
    out
}

fn read(mut stream: impl Read, known: &str, count: &mut u64) -> Option<String> {
    let mut buffer = Vec::with_capacity(PIECE + OVERLAP);
    loop {
        let kept = buffer.len().saturating_sub(OVERLAP);
        buffer.drain(..kept);
        let got = (&mut stream).take(PIECE as u64).read_to_end(&mut buffer).ok()?;
        *count += got as u64;
        if got == 0 {
            return None;
        }
        if let Some(version) = find(&buffer, known) {
            return Some(version);
        }
    }
}

/// The first text in `bytes` that is a version of the `known` series and stands alone: zeros before it, and a zero or a
/// blank behind.
#[must_use]
pub fn find(bytes: &[u8], known: &str) -> Option<String> {
    let needle = format!("\0{known}.");
    memmem::find_iter(bytes, needle.as_bytes()).find_map(|at| {
        let text = bytes.get(at + 1..)?;
        let end = text.iter().take(24).position(|byte| matches!(byte, 0 | b' ' | b'+'))?;
        let version = std::str::from_utf8(text.get(..end)?).ok()?;
        let micro = version.strip_prefix(known)?.strip_prefix('.')?;
        let is_micro = micro.starts_with(|at: char| at.is_ascii_digit())
            && micro.chars().all(|at| at.is_ascii_digit() || matches!(at, 'a' | 'b' | 'r' | 'c'));
        is_micro.then(|| version.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_version_stands_alone() {
        let of = |bytes: &[u8]| find(bytes, "3.11");
        assert_eq!(of(b"x\x003.11.2\0y").as_deref(), Some("3.11.2"));
        assert_eq!(of(b"\x003.11.0rc1+ (main)").as_deref(), Some("3.11.0rc1"));
        assert_eq!(of(b"libpython3.11.so.1\0"), None);
        assert_eq!(of(b"\x003.11.so\0"), None);
        assert_eq!(of(b"13.11.2\0"), None);
    }

    #[test]
    fn a_version_across_two_pieces_is_found() {
        let mut bytes = vec![b'x'; PIECE - 4];
        bytes.extend_from_slice(b"\x003.11.12\0");
        let mut count = 0;
        assert_eq!(read(bytes.as_slice(), "3.11", &mut count).as_deref(), Some("3.11.12"));
        assert_eq!(count, bytes.len() as u64);
    }

    proptest! {
        #[test]
        fn any_bytes_are_searched(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(find(&bytes, "3.1").is_none_or(|version| version.starts_with("3.1.")));
        }
    }
}
