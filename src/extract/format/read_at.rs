//! Files that are read here and there instead of from front to back: archives from their end, registry hives by offset.

use std::io;

use crate::target::dir::OpenFile;

/// Random access to bytes that do not change place.
pub trait ReadAt {
    /// How many bytes there are, as far as the system says.
    fn size(&self) -> u64;

    /// Fills `buffer` from `offset` on, as far as there are bytes; tells how many.
    ///
    /// # Errors
    /// Those of the disk.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

impl ReadAt for OpenFile {
    fn size(&self) -> u64 {
        self.stat.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        Self::read_at(self, offset, buffer)
    }
}

impl ReadAt for [u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_far_as_they_go() {
        let mut buffer = [0; 4];
        assert_eq!(b"abcdef".as_slice().read_at(4, &mut buffer).unwrap(), 2);
        assert_eq!(&buffer, b"ef\0\0");
        assert_eq!(b"abcdef".as_slice().read_at(u64::MAX, &mut buffer).unwrap(), 0);
    }
}
