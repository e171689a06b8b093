//! Patterns over single names, where `*` stands for any part of one. In time that grows with the product of the two
//! lengths at worst, so that a pattern full of stars costs nothing.

/// Folders that everybody may write and that are emptied now and then: what `{tmp}` stands for.
pub const TEMPORARY: &[&str] = &["/tmp", "/var/tmp", "/dev/shm", "/private/tmp", "/private/var/tmp"];

/// Whether `name` fits `pattern`; `same` says when two bytes are the same, for systems that are blind to case.
#[must_use]
pub fn fits(pattern: &[u8], name: &[u8], same: fn(u8, u8) -> bool) -> bool {
    // Where to take up again when what follows the last star does not fit: one byte later than before.
    let mut retry: Option<(&[u8], &[u8])> = None;
    let (mut wanted, mut rest) = (pattern, name);
    loop {
        match (wanted.split_first(), rest.split_first()) {
            (None, None) => return true,
            (Some((b'*', after)), _) => {
                retry = Some((after, rest));
                wanted = after;
            }
            (Some((first, after)), Some((at, tail))) if same(*first, *at) => {
                wanted = after;
                rest = tail;
            }
            _ => match retry.and_then(|(after, from)| Some((after, from.get(1..)?))) {
                Some((after, from)) => {
                    retry = Some((after, from));
                    wanted = after;
                    rest = from;
                }
                None => return false,
            },
        }
    }
}

/// Bytes as they are.
#[must_use]
pub fn exact(one: u8, other: u8) -> bool {
    one == other
}

/// Bytes without ASCII case.
#[must_use]
pub fn caseless(one: u8, other: u8) -> bool {
    one.eq_ignore_ascii_case(&other)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The plain definition, exponential in the number of stars.
    fn reference(pattern: &[u8], name: &[u8]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((b'*', rest)) => (0..=name.len()).any(|skip| reference(rest, &name[skip..])),
            Some((first, rest)) => name.first() == Some(first) && reference(rest, &name[1..]),
        }
    }

    #[test]
    fn stars_stay_within_a_name() {
        assert!(fits(b"py_env-*", b"py_env-python3.11", exact));
        assert!(fits(b"*.APP", b"Tool.app", caseless));
        assert!(!fits(b"*.APP", b"Tool.app", exact));
        assert!(!fits(b"a*c", b"ab", exact));
        assert!(!fits(&b"*a".repeat(100), &b"a".repeat(99), exact));
    }

    proptest! {
        #[test]
        fn the_same_as_the_plain_definition(pattern in "[ab*]{0,8}", name in "[ab]{0,10}") {
            prop_assert_eq!(fits(pattern.as_bytes(), name.as_bytes(), exact), reference(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
