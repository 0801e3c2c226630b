//! Lines of a stream, one at a time and of bounded length.

use std::io::{BufRead, Read};

use super::UnitError;

/// Longest line that is read: the limit on a single string (formats.md §2.3) with room for a request
/// that repeats a long conversation.
const LINE_BYTES: u64 = 128 << 20;

/// One line.
pub(crate) enum Line<'a> {
    /// Nothing but white space.
    Blank,
    /// Text, without the line end and without a byte order mark.
    Text(&'a str),
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// Longer than any honest line.
    TooLong,
}

/// Reads lines into one buffer that is used again.
pub(crate) struct Lines<'r> {
    reader: &'r mut dyn BufRead,
    buffer: Vec<u8>,
    next: u64,
}

impl<'r> Lines<'r> {
    pub(crate) fn new(reader: &'r mut dyn BufRead) -> Self {
        Lines {
            reader,
            buffer: Vec::new(),
            next: 0,
        }
    }

    /// Offset of the line that comes next.
    pub(crate) fn next_position(&self) -> u64 {
        self.next
    }

    /// The next line, `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Line<'_>>, UnitError> {
        self.buffer.clear();
        let n = (&mut *self.reader)
            .take(LINE_BYTES)
            .read_until(b'\n', &mut self.buffer)
            .map_err(|e| self.broken(&e))? as u64;
        self.next += n;
        if n == 0 {
            return Ok(None);
        }
        if n == LINE_BYTES && self.buffer.last() != Some(&b'\n') {
            self.skip_rest()?;
            return Ok(Some(Line::TooLong));
        }
        Ok(Some(match simdutf8::basic::from_utf8(&self.buffer) {
            Err(_) => Line::NotUtf8,
            Ok(text) => match text.trim_start_matches('\u{feff}').trim() {
                "" => Line::Blank,
                text => Line::Text(text),
            },
        }))
    }

    fn skip_rest(&mut self) -> Result<(), UnitError> {
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(e) => return Err(self.broken(&e)),
            };
            if chunk.is_empty() {
                return Ok(());
            }
            let (n, end) = match memchr::memchr(b'\n', chunk) {
                Some(at) => (at + 1, true),
                None => (chunk.len(), false),
            };
            self.reader.consume(n);
            self.next += n as u64;
            if end {
                return Ok(());
            }
        }
    }

    fn broken(&self, error: &std::io::Error) -> UnitError {
        UnitError::Structure(format!("reading stopped at byte {} ({error})", self.next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_offsets() {
        let mut input: &[u8] = b"\xef\xbb\xbfone\r\n\n \n\xff\nlast";
        let mut lines = Lines::new(&mut input);
        let mut seen = Vec::new();
        loop {
            let position = lines.next_position();
            let Some(line) = lines.next().unwrap() else {
                break;
            };
            let word = match line {
                Line::Blank => "blank".to_owned(),
                Line::Text(t) => t.to_owned(),
                Line::NotUtf8 => "not utf-8".to_owned(),
                Line::TooLong => "too long".to_owned(),
            };
            seen.push((word, position));
        }
        let expected = [
            ("one", 0),
            ("blank", 8),
            ("blank", 9),
            ("not utf-8", 11),
            ("last", 13),
        ];
        assert_eq!(
            seen,
            expected.map(|(w, p)| (w.to_owned(), p as u64)).to_vec()
        );
    }
}
