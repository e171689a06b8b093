//! pdm's package store (pdm's documentation, "cache.use_symlink"; its `CachedPackage`): unpacked wheels that environments
//! link to, `packages/XX/NAME-VERSION-TAGS/`, each with `.checksum`, the SHA-256 of the wheel. What is unpacked is read like
//! any other metadata; here is what the note beside it says.

use crate::extract::Extractor;
use crate::extract::input::Input;
use crate::model::facts::{CacheNote, Harvest};
use crate::model::id::lower_sha256;
use crate::model::interest::{Ask, Interest, NamePattern};

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "pdm-cache",
        sentence: "The hashes of the wheels that pdm unpacked into its store.",
        ask: Ask::FileNames(&[NamePattern::Exact(".checksum")]),
    },
    cap: 1 << 10,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    match input.open_candidate().and_then(|file| input.read_open(file, input.cap)) {
        Ok(content) => {
            let sha256 = parse(&content.bytes);
            let note = sha256.map(|hash| CacheNote { sha256: Some(hash), ..CacheNote::about(input.folder()) });
            harvest.facts.cache_notes.extend(note);
        }
        // It adds a hash to what is read without it.
        Err(why) => harvest.gaps.push(input.gap(why).harmless()),
    }
    harvest
}

/// The hash: plain, or with its kind in front. Other tools write files of this name, which say nothing.
fn parse(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    lower_sha256(text.strip_prefix("sha256:").unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_and_nothing_else() {
        let hash = "B".repeat(64);
        for text in [format!("{hash}\n"), format!("sha256:{hash}")] {
            assert_eq!(parse(text.as_bytes()), Some("b".repeat(64)));
        }
        assert_eq!(parse(b"deadbeef"), None);
        assert_eq!(parse(&[0xff]), None);
    }
}
