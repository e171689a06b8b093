//! Streams out of archives, bounded: a few kilobytes can be made to inflate without end.

use std::cell::Cell;
use std::io::{self, ErrorKind, Read};
use std::rc::Rc;

use crate::extract::format::zip::Fault;
use crate::model::coverage::GapReason;

/// From here on the ratio counts: short streams of zeros are honest.
const FREE: u64 = 64 << 20;

/// Most bytes that may come out of one that went in. Deflate reaches 1032, texts and logs 30.
const MOST_RATIO: u64 = 100;

/// Most bytes that may come out of one file, archives in archives counted each.
pub const MOST_OUT: u64 = 16 << 30;

/// How much came out of one file.
#[derive(Clone)]
pub struct Budget {
    out: Rc<Cell<u64>>,
    size: u64,
}

impl Budget {
    /// That of a file of so many bytes.
    #[must_use]
    pub fn new(size: u64) -> Self {
        Self { out: Rc::default(), size }
    }

    fn spend(&self, count: u64) -> bool {
        let out = self.out.get().saturating_add(count);
        self.out.set(out);
        out <= MOST_OUT && is_sane(out, self.size)
    }
}

fn is_sane(out: u64, went_in: u64) -> bool {
    out <= FREE || out <= went_in.saturating_mul(MOST_RATIO)
}

/// A stream that counts what is read from it.
pub struct Counted<R> {
    inner: R,
    seen: Rc<Cell<u64>>,
}

impl<R> Counted<R> {
    /// Counts into `seen`.
    pub fn new(inner: R, seen: Rc<Cell<u64>>) -> Self {
        Self { inner, seen }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.seen.set(self.seen.get().saturating_add(got as u64));
        Ok(got)
    }
}

/// What comes out of a decoder, up to its bounds.
pub struct Bounded<R> {
    inner: R,
    went_in: Rc<Cell<u64>>,
    out: u64,
    budget: Budget,
}

impl<R> Bounded<R> {
    /// `went_in` says how many bytes the decoder took so far, or may take in all.
    pub fn new(inner: R, went_in: Rc<Cell<u64>>, budget: Budget) -> Self {
        Self { inner, went_in, out: 0, budget }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.out = self.out.saturating_add(got as u64);
        if is_sane(self.out, self.went_in.get()) && self.budget.spend(got as u64) {
            Ok(got)
        } else {
            Err(ErrorKind::FileTooLarge.into())
        }
    }
}

/// What a failed read means.
#[must_use]
pub fn fault(why: &io::Error) -> Fault {
    match why.kind() {
        ErrorKind::FileTooLarge => {
            Fault { reason: GapReason::TooLarge, says: "more comes out of it than is read (bytes, or ratio)" }
        }
        _ if why.raw_os_error().is_some() => Fault { reason: GapReason::Unreadable, says: "the disk failed" },
        ErrorKind::UnexpectedEof => Fault { reason: GapReason::Malformed, says: "the archive is cut short" },
        _ => Fault { reason: GapReason::Malformed, says: "the archive is damaged" },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_ends_at_its_ratio() {
        let seen = Rc::new(Cell::new(10));
        let mut stream = Bounded::new(io::repeat(0), seen, Budget::new(u64::MAX));
        let ended = io::copy(&mut stream, &mut io::sink()).unwrap_err();
        assert!((FREE..FREE + (1 << 20)).contains(&stream.out), "{}", stream.out);
        assert_eq!(fault(&ended).reason, GapReason::TooLarge);
    }

    #[test]
    fn archives_in_archives_are_counted_together() {
        let budget = Budget::new(1000);
        assert!(budget.spend(FREE / 2) && budget.spend(FREE / 2) && !budget.spend(1));
        let large = Budget::new(u64::MAX);
        assert!(large.spend(MOST_OUT) && !large.spend(1));
    }
}
