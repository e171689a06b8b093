//! Contents for files that are read: bytes that resemble what the readers expect, and bytes that do not.

use proptest::prelude::*;

/// What contents are put together from: words of each format, and whatever has tripped readers before.
#[rustfmt::skip]
const PIECES: &[&[u8]] = &[
    b"Name: litellm\n", b"Version: 1.82.8", b"Version:", b": ", b"\n", b"\r\n", b"\r", b"\n\n", b" ", b"\t",
    b"\0", b"import ", b"import os; ", b"exec(", b"'", b"\"", b"'''", b"\"\"\"", b"\\x", b"\\u12",
    b"\\U0010ffff", b"\\", b"#", b")", b"rb'", b"__import__('", b"\xff", b"\xfe", b"\xff\xfe", b"\xef\xbb\xbf",
    b"\xe2\x80\xa8", b"\xc2", b"\xc2\x85", b"\xe2\x82\xac", b"\x0c", b"a.pth,sha256=", b",", b",,",
    b"\"a,\"\"b\"", b"../../", b"/etc/shadow", b"home = ", b"=", b"version = 3.", b"999999999999999999999",
    b"root:x:0:0::/root:/bin/sh", b":", b"::::::", b"{\"url\": \"", b"https://a:b@c/", b"}", b"PK\x03\x04",
    b"\x80\x02", b"password=", b"%s", b"-----BEGIN ", "١".as_bytes(), "İ".as_bytes(), "ß".as_bytes(),
    "\u{202e}".as_bytes(),
    b"litellm==1.82.8", b"-r requirements.txt\n", b"-r ../../p/x", b"version = 1\n[[package]]\nname = \"litellm\"\n", b"dependencies:\n", b"- ",
    b"version: 6\npackages:\n", b"# /// script\n", b"# ", b"# ///\n", b"[", b"{", b"@EXPLICIT\n",
];

/// The content of a file, printed so that a failure can be read.
#[derive(Clone)]
pub(crate) struct Content(pub(crate) Vec<u8>);

impl std::fmt::Debug for Content {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let head = &self.0[..self.0.len().min(100)];
        write!(out, "{} bytes: {}", self.0.len(), head.escape_ascii())
    }
}

/// Bytes that resemble what the readers expect, and bytes that do not.
pub(crate) fn content() -> impl Strategy<Value = Content> {
    let pieces = prop::collection::vec(prop::sample::select(PIECES), 0..60).prop_map(|pieces| pieces.concat());
    let bytes = prop::collection::vec(any::<u8>(), 0..600);
    let long = (prop::sample::select(PIECES), 1usize..40_000).prop_map(|(piece, times)| piece.repeat(times));
    prop_oneof![6 => pieces, 3 => bytes, 1 => long].prop_map(Content)
}
