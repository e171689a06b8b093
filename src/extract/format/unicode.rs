//! Text files in the forms that Windows writes: UTF-8 with or without a mark, UTF-16 with or without one.

use std::borrow::Cow;

/// The text of a file. What is none becomes U+FFFD, and half a character at the end is dropped.
#[must_use]
pub fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        // Without a mark: every other byte of plain letters is zero.
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => wide(bytes, u16::from_le_bytes),
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => wide(bytes, u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes),
    }
}

/// UTF-16 in little-endian order.
#[must_use]
pub fn little_endian(bytes: &[u8]) -> String {
    wide(bytes, u16::from_le_bytes).into_owned()
}

/// UTF-16 in big-endian order.
#[must_use]
pub fn big_endian(bytes: &[u8]) -> String {
    wide(bytes, u16::from_be_bytes).into_owned()
}

fn wide(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Cow<'_, str> {
    let units = bytes.chunks_exact(2).filter_map(|pair| pair.first_chunk()).map(|pair| unit(*pair));
    Cow::Owned(char::decode_utf16(units).map(|at| at.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_is_the_same_text() {
        for bytes in [
            b"<ab>".as_slice(),
            b"\xef\xbb\xbf<ab>",
            b"\xff\xfe<\0a\0b\0>\0",
            b"\xfe\xff\0<\0a\0b\0>",
            b"<\0a\0b\0>\0",
            b"\0<\0a\0b\0>",
        ] {
            assert_eq!(decoded(bytes), "<ab>");
        }
        assert_eq!(decoded(b"\xff\xfea\0b"), "a");
        assert_eq!(decoded(b"a\xff"), "a\u{fffd}");
        assert_eq!(decoded(b""), "");
    }

    proptest! {
        #[test]
        fn any_bytes_are_text(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(decoded(&bytes).chars().count() <= bytes.len());
        }
    }
}
