//! What Python's decoders make of a text that stands in the source: base64, hex, zlib and their like, bounded. So the
//! judgement speaks of what is run, not of a block of letters.

use std::io::Read;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::read::{GzDecoder, ZlibDecoder};

use super::value::{LONGEST, Making, Value};

/// The result of a decoder by its dotted name; none for one that is not known, or for what is not decodable.
pub(super) fn decode<'a>(path: &str, args: &[Value<'a>]) -> Option<Value<'a>> {
    let bytes = bytes_of(args.first()?)?;
    let decoded = match path {
        "base64.b64decode"
        | "base64.standard_b64decode"
        | "base64.decodebytes"
        | "base64.decodestring"
        | "binascii.a2b_base64" => base64(&bytes, &alphabet::STANDARD)?,
        "base64.urlsafe_b64decode" => base64(&bytes, &alphabet::URL_SAFE)?,
        "base64.b16decode" | "binascii.unhexlify" | "binascii.a2b_hex" => hex(&bytes)?,
        "zlib.decompress" => inflate(ZlibDecoder::new(bytes.as_slice()))?,
        "gzip.decompress" => inflate(GzDecoder::new(bytes.as_slice()))?,
        "codecs.decode" => return named(&bytes, args.get(1)?.known_text()?.0),
        _ => return None,
    };
    Some(Value::bytes(decoded, Making::Hidden))
}

/// `text.decode("hex")` of Python 2, `codecs.decode(text, "rot13")`.
pub(super) fn named<'a>(bytes: &[u8], encoding: &str) -> Option<Value<'a>> {
    let decoded = match encoding.to_lowercase().replace(['_', '-'], "").trim_end_matches("codec") {
        "rot13" => return Some(Value::text(rot13(&String::from_utf8_lossy(bytes)), Making::Hidden)),
        "hex" => hex(bytes)?,
        "base64" => base64(bytes, &alphabet::STANDARD)?,
        "zip" | "zlib" => inflate(ZlibDecoder::new(bytes))?,
        _ => return None,
    };
    Some(Value::bytes(decoded, Making::Hidden))
}

/// `bytes.fromhex(text)`.
pub(super) fn from_hex<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    Some(Value::bytes(hex(&bytes_of(args.first()?)?)?, Making::Hidden))
}

/// The bytes of a text or of bytes, all known.
pub(super) fn bytes_of(value: &Value<'_>) -> Option<Vec<u8>> {
    match value {
        Value::Bytes(bytes, _) => Some(bytes.to_vec()),
        text => text.known_text().map(|known| known.0.as_bytes().to_vec()),
    }
}

/// As Python's own decoder does, letters outside the alphabet are passed over.
fn base64(bytes: &[u8], alphabet: &alphabet::Alphabet) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let letters: Vec<u8> =
        bytes.iter().copied().filter(|at| at.is_ascii_alphanumeric() || b"+/-_".contains(at)).collect();
    GeneralPurpose::new(alphabet, config).decode(letters).ok()
}

fn hex(bytes: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = bytes.iter().copied().filter(|at| !at.is_ascii_whitespace()).collect();
    let digit = |at: u8| char::from(at).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    digits.chunks(2).map(byte).collect()
}

fn inflate(stream: impl Read) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    // What inflates to more than is followed is cut: its beginning says enough.
    let read = stream.take(LONGEST as u64).read_to_end(&mut out);
    (read.is_ok() || !out.is_empty()).then_some(out)
}

fn rot13(text: &str) -> String {
    let turned = |at: char| {
        let first = match at {
            'a'..='z' => b'a',
            'A'..='Z' => b'A',
            other => return other,
        };
        // Within the alphabet, so it stays one byte.
        char::from((at as u8 - first + 13) % 26 + first)
    };
    text.chars().map(turned).collect()
}
