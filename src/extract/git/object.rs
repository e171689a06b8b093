//! Objects of git, once inflated: commits, tags and trees (gitformat-pack(5), git-cat-file(1)), and how a delta makes one of
//! another.

use crate::model::time::Time;

/// What an object is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A commit.
    Commit,
    /// A folder.
    Tree,
    /// A file.
    Blob,
    /// A tag with words of its own.
    Tag,
}

/// An object's id: SHA-1.
pub type ObjectId = [u8; 20];

/// An object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Kind {
    /// By the word in a loose object.
    #[must_use]
    pub fn of_word(word: &[u8]) -> Option<Self> {
        match word {
            b"commit" => Some(Self::Commit),
            b"tree" => Some(Self::Tree),
            b"blob" => Some(Self::Blob),
            b"tag" => Some(Self::Tag),
            _ => None,
        }
    }

    /// By the number in a pack.
    #[must_use]
    pub fn of_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Commit),
            2 => Some(Self::Tree),
            3 => Some(Self::Blob),
            4 => Some(Self::Tag),
            _ => None,
        }
    }
}

/// Forty hexadecimal digits.
#[must_use]
pub fn id(text: &[u8]) -> Option<ObjectId> {
    let mut out = [0; 20];
    if text.len() != 40 {
        return None;
    }
    for (to, pair) in out.iter_mut().zip(text.chunks_exact(2)) {
        let digit = |at: Option<&u8>| at.and_then(|byte| char::from(*byte).to_digit(16));
        let value = digit(pair.first())? * 16 + digit(pair.last())?;
        *to = u8::try_from(value).ok()?;
    }
    Some(out)
}

/// The tree of a commit, when it was made, and its message.
#[must_use]
pub fn commit(bytes: &[u8]) -> Option<(ObjectId, Option<Time>, &[u8])> {
    let end = memchr::memmem::find(bytes, b"\n\n").unwrap_or(bytes.len());
    let (head, message) = (bytes.get(..end)?, bytes.get(end + 2..).unwrap_or_default());
    let mut lines = head.split(|byte| *byte == b'\n');
    let tree = id(lines.next()?.strip_prefix(b"tree ")?)?;
    let committer = lines.find_map(|line| line.strip_prefix(b"committer "));
    Some((tree, committer.and_then(time), message))
}

/// The time in `NAME <MAIL> SECONDS ZONE`.
#[must_use]
pub fn time(who: &[u8]) -> Option<Time> {
    let at = who.iter().rposition(|byte| *byte == b'>')?;
    let rest = std::str::from_utf8(who.get(at + 1..)?).ok()?;
    rest.split_ascii_whitespace().next()?.parse().ok().map(Time::from_unix)
}

/// What a tag leads to.
#[must_use]
pub fn tag(bytes: &[u8]) -> Option<ObjectId> {
    id(bytes.split(|byte| *byte == b'\n').next()?.strip_prefix(b"object ")?)
}

/// The entries of a tree: whether it is a folder, the name, the id.
pub fn entries(mut bytes: &[u8]) -> impl Iterator<Item = (bool, &[u8], ObjectId)> {
    std::iter::from_fn(move || {
        let space = memchr::memchr(b' ', bytes)?;
        let mode = bytes.get(..space)?;
        let rest = bytes.get(space + 1..)?;
        let zero = memchr::memchr(0, rest)?;
        let name = rest.get(..zero)?;
        let own: ObjectId = rest.get(zero + 1..zero + 21)?.try_into().ok()?;
        bytes = rest.get(zero + 21..)?;
        Some((mode == b"40000", name, own))
    })
}

/// What a delta makes of `base`. None for one that does not fit it, or makes more than `most` bytes.
#[must_use]
pub fn apply(base: &[u8], delta: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut rest = delta;
    let from = usize::try_from(size(&mut rest)?).ok()?;
    let to = usize::try_from(size(&mut rest)?).ok()?;
    if from != base.len() || to > most {
        return None;
    }
    let mut out = Vec::with_capacity(to.min(1 << 20));
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        let part = if first & 0x80 == 0 {
            let (new, tail) = rest.split_at_checked(usize::from(*first)).filter(|_| *first != 0)?;
            rest = tail;
            new
        } else {
            let at = number(*first, 4, &mut rest)?;
            let count = number(first >> 4, 3, &mut rest)?;
            let count = if count == 0 { 0x1_0000 } else { count };
            base.get(at..at.checked_add(count)?)?
        };
        if out.len() + part.len() > to {
            return None;
        }
        out.extend_from_slice(part);
    }
    (out.len() == to).then_some(out)
}

/// The bytes of a number that `bits` say are there, the lowest first.
fn number(bits: u8, count: u32, rest: &mut &[u8]) -> Option<usize> {
    let mut out = 0_usize;
    for at in 0..count {
        if bits >> at & 1 == 1 {
            let (byte, tail) = rest.split_first()?;
            out |= usize::from(*byte) << (8 * at);
            *rest = tail;
        }
    }
    Some(out)
}

/// A size of seven bits a byte, the lowest first.
fn size(rest: &mut &[u8]) -> Option<u64> {
    let mut out = 0_u64;
    for at in 0..9 {
        let (byte, tail) = rest.split_first()?;
        *rest = tail;
        out |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some(out);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_commit_has_a_tree_a_time_and_a_message() {
        let text = b"tree 0123456789abcdef0123456789abcdef01234567\nparent 0\nauthor A <a@b> 5 +0000\ncommitter A <a@b> 7 +0100\n\nSubject\n\nBody\n";
        let (tree, time, message) = commit(text).unwrap();
        assert_eq!((tree[0], tree[19], time.map(Time::unix)), (0x01, 0x67, Some(7)));
        assert_eq!(message, b"Subject\n\nBody\n");
        assert!(commit(b"tree 01\n\n").is_none() && id(b"g").is_none());
        assert_eq!(tag(b"object 0123456789abcdef0123456789abcdef01234567\ntype commit\n"), Some(tree));
    }

    #[test]
    fn a_tree_has_entries() {
        let bytes =
            [b"40000 .github\0".as_slice(), &[1; 20], b"100644 a\0", &[2; 20], b"100644 cut\0", &[3; 5]].concat();
        let all: Vec<_> = entries(&bytes).collect();
        assert_eq!(all, [(true, b".github".as_slice(), [1; 20]), (false, b"a".as_slice(), [2; 20])]);
    }

    #[test]
    fn a_delta_copies_and_adds() {
        // 10 bytes become 8: four from offset 2, then `XY`, then two from the beginning.
        let delta = [10, 8, 0x91, 2, 4, 2, b'X', b'Y', 0x90, 2];
        assert_eq!(apply(b"0123456789", &delta, 100).unwrap(), b"2345XY01");
        assert!(apply(b"012345678", &delta, 100).is_none() && apply(b"0123456789", &delta, 7).is_none());
        assert!(apply(b"0123456789", &[10, 8, 0x91, 9, 4], 100).is_none() && apply(b"", &[0, 0, 0], 9).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200), base in prop::collection::vec(any::<u8>(), 0..64)) {
            let _any = (commit(&bytes), tag(&bytes), entries(&bytes).count(), apply(&base, &bytes, 1000));
        }
    }
}
