//! What the body of a response is that a cache keeps: a wheel, an archive of sources, the metadata of one (PEP 658), or an
//! index page, which names everything and means nothing.

use std::io::Read;
use std::ops::ControlFlow;

use flate2::read::GzDecoder;

use super::head;
use crate::extract::format::names;
use crate::extract::format::read_at::ReadAt;
use crate::extract::format::zip::{self, Fault};
use crate::extract::format::{headers, part};
use crate::model::coverage::GapReason;
use crate::model::distribution::{Basics, DistState, Distribution, FolderSays, MetadataForm, normalize_name};
use crate::model::path::TargetPath;
use crate::model::watch::Watch;

/// Most bytes of metadata that are read, and of the beginning of an archive of sources.
const HEAD: usize = 64 << 10;

/// What a body holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// A distribution.
    Of(Found),
    /// Nothing that counts.
    Nothing,
    /// It begins like an archive and cannot be read.
    Broken(Fault),
}

/// The distribution that a body holds or describes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    says: FolderSays,
    form: MetadataForm,
    state: DistState,
}

/// Looks into a body.
pub(super) fn of<F: ReadAt + ?Sized>(body: &F) -> Body {
    let mut buffer = vec![0; HEAD];
    let Ok(begin) = head(body, &mut buffer) else {
        return Body::Broken(Fault { reason: GapReason::Unreadable, says: "the disk failed" });
    };
    match begin {
        [b'P', b'K', 3, 4, ..] => archive(body),
        [0x1f, 0x8b, ..] => sources(begin),
        _ if begin.get(..17).is_some_and(|word| word.eq_ignore_ascii_case(b"metadata-version:")) => metadata(begin),
        _ => Body::Nothing,
    }
}

impl Found {
    /// The same as a fact: the archive's hash is worked out where some pack names the package; and why it was not, if so.
    pub(super) fn distribution<F: ReadAt + ?Sized>(
        self,
        path: TargetPath,
        body: &F,
        watch: &Watch,
    ) -> (Distribution, Option<Fault>) {
        let Self { says, form, state } = self;
        let is_watched = watch.packages.contains(&normalize_name(&says.name)) && state.is_here();
        let (hash, fault) = match is_watched.then(|| part::sha256(body)) {
            Some(Ok(hash)) => (Some(hash), None),
            Some(Err(fault)) => (None, Some(fault)),
            None => (None, None),
        };
        let basics = Basics { path, member: None, form, state, name: &says.name, version: &says.version };
        (Distribution { hashes: hash.into_iter().collect(), ..Distribution::new(basics) }, fault)
    }
}

/// A wheel has its metadata at the top, an archive of sources in the folder that it is called after.
fn archive<F: ReadAt + ?Sized>(body: &F) -> Body {
    let mut found = None;
    let listed = zip::entries(body, |name, _| {
        found = match names::of_member(name) {
            Some((says, folder)) if !folder.contains(&b'/') => {
                Some(Found { says, form: MetadataForm::Wheel, state: DistState::Cached })
            }
            _ => of_source_tree(name),
        };
        if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    match (found, listed) {
        (Some(found), _) => Body::Of(found),
        (None, Ok(())) => Body::Nothing,
        (None, Err(fault)) => Body::Broken(fault),
    }
}

/// `NAME-VERSION/PKG-INFO`, at the top of every archive of sources.
fn of_source_tree(name: &[u8]) -> Option<Found> {
    let folder = name.strip_suffix(b"/PKG-INFO").filter(|folder| !folder.contains(&b'/'))?;
    let says = names::parse_folder_name(folder);
    let is_one = names::is_name(&says.name) && !says.version.is_empty();
    is_one.then_some(Found { says, form: MetadataForm::Sdist, state: DistState::Cached })
}

/// Everything in such an archive lies in a folder `NAME-VERSION`: the names at its beginning say enough.
fn sources(begin: &[u8]) -> Body {
    // A header of tar (POSIX ustar, GNU): 512 bytes, the name in front, the mark at 257. An extended header of PAX comes
    // before the one it speaks of.
    let mut plain = Vec::new();
    // The beginning of a stream has no end: what came before that is what was asked for.
    let _ = GzDecoder::new(begin).take(HEAD as u64).read_to_end(&mut plain);
    let blocks = plain.chunks_exact(512).filter(|block| block.get(257..262) == Some(b"ustar"));
    let mut named = blocks.filter(|block| !matches!(block.get(156), Some(b'x' | b'g' | b'L' | b'K')));
    let says = named.find_map(|block| {
        let name = block.get(..100)?;
        let name = name.strip_prefix(b"./").unwrap_or(name);
        let says = names::parse_folder_name(name.split(|byte| matches!(byte, b'/' | 0)).next()?);
        let is_one = names::is_name(&says.name) && says.version.starts_with(|one: char| one.is_ascii_digit());
        is_one.then_some(says)
    });
    match says {
        Some(says) => Body::Of(Found { says, form: MetadataForm::Sdist, state: DistState::Cached }),
        None => Body::Broken(Fault {
            reason: GapReason::Malformed,
            says: "it is compressed, and not an archive of sources that names itself in its first 64 KiB",
        }),
    }
}

fn metadata(begin: &[u8]) -> Body {
    let told = headers::parse(begin, begin.len() < HEAD);
    match (told.name, told.version) {
        (Some(name), Some(version)) => Body::Of(Found {
            says: FolderSays { name, version },
            form: MetadataForm::Wheel,
            state: DistState::Considered,
        }),
        _ => Body::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    fn told(bytes: &[u8]) -> Option<(String, String, MetadataForm, DistState)> {
        match of(bytes) {
            Body::Of(Found { says, form, state }) => Some((says.name, says.version, form, state)),
            Body::Nothing | Body::Broken(_) => None,
        }
    }

    fn tar(name: &str) -> Vec<u8> {
        let mut block = vec![0; 512];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[257..262].copy_from_slice(b"ustar");
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&block).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn metadata_alone_was_only_considered() {
        let one = |form, state| Some(("litellm".to_owned(), "1.82.8".to_owned(), form, state));
        assert_eq!(
            told(b"Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n\n"),
            one(MetadataForm::Wheel, DistState::Considered)
        );
        assert_eq!(told(&tar("litellm-1.82.8/")), one(MetadataForm::Sdist, DistState::Cached));
        assert_eq!(told(&tar("litellm-1.82.8/setup.py")), one(MetadataForm::Sdist, DistState::Cached));
        assert_eq!(told(&tar("./litellm-1.82.8/setup.py")), one(MetadataForm::Sdist, DistState::Cached));
        assert!(matches!(of(tar("sources/setup.py").as_slice()), Body::Broken(_)));
    }

    #[test]
    fn an_index_page_is_nothing_and_half_an_archive_is_told() {
        assert_eq!(of(b"<a href=\"litellm-1.82.8-py3-none-any.whl\">".as_slice()), Body::Nothing);
        assert_eq!(of(b"".as_slice()), Body::Nothing);
        assert!(matches!(of(b"PK\x03\x04half a wheel".as_slice()), Body::Broken(_)));
    }

    proptest! {
        #[test]
        fn no_bytes_stop_it(bytes in prop::collection::vec(any::<u8>(), 0..300), start in prop::sample::select(vec![b"".to_vec(), b"PK\x03\x04".to_vec(), vec![0x1f, 0x8b, 8, 0], b"Metadata-Version:".to_vec()])) {
            let _ = of([start, bytes].concat().as_slice());
        }
    }
}
