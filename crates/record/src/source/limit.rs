//! Limits on what a member may become while it is read (formats.md §2.3). They hold for the bytes
//! really produced, whatever the headers declare.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Most bytes that one archive member may become.
pub(crate) const MEMBER_BYTES: u64 = 2 << 30;
/// Most bytes that all members together may become.
pub(crate) const TOTAL_BYTES: u64 = 8 << 30;
/// Most bytes that one compressed byte may become.
pub(crate) const RATIO: u64 = 1000;
/// Most members of an archive, and most files of a folder.
pub(crate) const MEMBERS: usize = 100_000;
/// Bytes below which the ratio says nothing.
const RATIO_FLOOR: u64 = 1 << 20;

/// What the headers say about a member.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Declared {
    pub(crate) compressed: u64,
    pub(crate) size: u64,
}

/// A limit that was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Exceeded {
    #[error("it holds more bytes than its header declares")]
    Declared,
    #[error("it expands more than 1000-fold, as archives made to exhaust a machine do")]
    Ratio,
    #[error("it expands to more than 2 GiB")]
    Member,
    #[error("the archive expands to more than 8 GiB")]
    Total,
}

/// Reads a member and stops at the first limit.
pub(crate) struct Limited<R> {
    inner: R,
    declared: Declared,
    produced: u64,
    total: Arc<AtomicU64>,
}

impl<R: Read> Limited<R> {
    /// `total` is shared by all members of one import.
    pub(crate) fn new(inner: R, declared: Declared, total: Arc<AtomicU64>) -> Self {
        Limited {
            inner,
            declared,
            produced: 0,
            total,
        }
    }

    fn check(&self, total: u64) -> Result<(), Exceeded> {
        let Declared { compressed, size } = self.declared;
        if self.produced > MEMBER_BYTES {
            return Err(Exceeded::Member);
        }
        if self.produced > RATIO_FLOOR && self.produced > compressed.saturating_mul(RATIO) {
            return Err(Exceeded::Ratio);
        }
        if self.produced > size {
            return Err(Exceeded::Declared);
        }
        if total > TOTAL_BYTES {
            return Err(Exceeded::Total);
        }
        Ok(())
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.produced += n as u64;
        let total = self.total.fetch_add(n as u64, Ordering::Relaxed) + n as u64;
        self.check(total).map_err(io::Error::other)?;
        Ok(n)
    }
}

/// The limit behind a read error, if it was one.
pub(crate) fn exceeded(error: &io::Error) -> Option<Exceeded> {
    error.get_ref()?.downcast_ref().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(size: u64, declared: Declared) -> Result<u64, Option<Exceeded>> {
        let total = Arc::new(AtomicU64::new(0));
        let mut limited = Limited::new(io::repeat(b' ').take(size), declared, total);
        io::copy(&mut limited, &mut io::sink()).map_err(|e| exceeded(&e))
    }

    #[test]
    fn limits_hold_for_bytes_produced() {
        let honest = Declared {
            compressed: 10_000,
            size: 2 << 20,
        };
        assert_eq!(read(2 << 20, honest), Ok(2 << 20));
        assert_eq!(read((2 << 20) + 1, honest), Err(Some(Exceeded::Declared)));
        let bomb = Declared {
            compressed: 100,
            size: 4 << 20,
        };
        assert_eq!(read(4 << 20, bomb), Err(Some(Exceeded::Ratio)));
    }
}
