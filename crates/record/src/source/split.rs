//! Splits a stream of JSON into the values that are parsed one by one, without parsing them.
//!
//! Memory holds one batch, or one value where that is larger. Brackets are counted, strings are
//! jumped over; whether a value is valid JSON is for its parser to say.

use std::io::{self, Read};
use std::ops::Range;

/// Bytes read at once.
const CHUNK: u64 = 1 << 20;
/// Bytes after which a batch is handed on.
const BATCH: usize = 4 << 20;
/// Most bytes of one value. Larger ones are passed over and counted.
pub(crate) const ELEMENT_BYTES: u64 = 512 << 20;
/// Most bytes of one string as written.
pub(crate) const STRING_BYTES: u64 = 64 << 20;
/// Deepest nesting inside one value.
pub(crate) const DEPTH: usize = 256;
/// Longest key that can name the array to split.
const KEY_BYTES: usize = 32;

/// Which values of a stream are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// Every top-level value: one object, or several after one another.
    Values,
    /// The elements of the top-level array.
    Array,
    /// The elements of the array under this key of the top-level object.
    Under(&'static str),
    /// Every line that is not blank.
    Lines,
}

/// Some values and the bytes that hold them.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) bytes: Vec<u8>,
    /// Offset of the first byte in the stream.
    pub(crate) base: u64,
    /// Where in `bytes` the values are.
    pub(crate) values: Vec<Range<usize>>,
    /// Values passed over because they exceed a limit.
    pub(crate) over_limit: u64,
}

/// Why a stream could not be split to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SplitError {
    #[error("the file ends inside a value that began at byte {began}")]
    Truncated { offset: u64, began: u64 },
    #[error("a bracket or value that does not belong here")]
    Malformed { offset: u64 },
    #[error("reading failed")]
    Io { offset: u64, source: io::Error },
    /// The taker of batches wants no more.
    #[error("stopped")]
    Stopped,
}

/// Reads to the end and hands on batches in order. `emit` returns whether to go on; `fixed_end` says
/// that nothing but white space may follow the array (false inside a web page).
pub(crate) fn split(
    reader: &mut dyn Read,
    target: &Target,
    fixed_end: bool,
    emit: &mut dyn FnMut(Batch) -> bool,
) -> Result<(), SplitError> {
    let mut splitter = Splitter::new(target, fixed_end);
    loop {
        let before = splitter.batch.bytes.len();
        let read = reader.take(CHUNK).read_to_end(&mut splitter.batch.bytes);
        if before == 0 && splitter.batch.base == 0 && splitter.batch.bytes.starts_with(BOM) {
            splitter.at = splitter.at.max(BOM.len());
        }
        let scanned = splitter.scan();
        let n = read.map_err(|source| SplitError::Io {
            offset: splitter.end(),
            source,
        });
        let at_end = !matches!(n, Ok(1..));
        if scanned.is_ok() && at_end && n.is_ok() {
            splitter.finish_line();
        }
        let is_done = splitter.is_done();
        let is_last = scanned.is_err() || n.is_err() || at_end || is_done;
        if !splitter.hand_on(is_last, emit) {
            return Err(SplitError::Stopped);
        }
        scanned?;
        n?;
        if at_end {
            return splitter.check_end();
        }
        if is_done {
            return Ok(());
        }
    }
}

const BOM: &[u8] = b"\xEF\xBB\xBF";

struct Splitter<'a> {
    target: &'a Target,
    fixed_end: bool,
    batch: Batch,
    /// Next byte to look at, in the batch.
    at: usize,
    depth: usize,
    in_string: bool,
    /// Stream offset at which the current string began.
    string_began: u64,
    /// Start of the current value, in the batch.
    began: Option<usize>,
    /// Stream offset of the current value.
    value_offset: u64,
    /// The current value exceeds a limit: it is passed over.
    skipping: bool,
    /// Brackets around the wanted values; `usize::MAX` until they are reached.
    level: usize,
    /// Last string at depth 1, where a key names the array.
    key: Vec<u8>,
    /// The wanted array has ended.
    closed: bool,
}

impl<'a> Splitter<'a> {
    fn new(target: &'a Target, fixed_end: bool) -> Self {
        Splitter {
            target,
            fixed_end,
            batch: Batch::default(),
            at: 0,
            depth: 0,
            in_string: false,
            string_began: 0,
            began: None,
            value_offset: 0,
            skipping: false,
            level: match target {
                Target::Values | Target::Lines => 0,
                Target::Array => 1,
                Target::Under(_) => usize::MAX,
            },
            key: Vec::new(),
            closed: false,
        }
    }

    /// The array has ended and what follows it does not matter.
    fn is_done(&self) -> bool {
        self.closed && !self.fixed_end
    }

    fn offset(&self) -> u64 {
        self.batch.base + self.at as u64
    }

    fn end(&self) -> u64 {
        self.batch.base + self.batch.bytes.len() as u64
    }

    fn scan(&mut self) -> Result<(), SplitError> {
        if *self.target == Target::Lines {
            self.scan_lines();
            return Ok(());
        }
        while self.at < self.batch.bytes.len() && !self.is_done() {
            if self.in_string {
                self.scan_string();
            } else if self.depth > self.level && (self.began.is_some() || self.skipping) {
                self.scan_inside();
            } else {
                self.scan_around()?;
            }
        }
        self.check_limits();
        Ok(())
    }

    /// To the end of a string, or of the bytes. An escape at the very end is looked at again with
    /// the next chunk.
    fn scan_string(&mut self) {
        let rest = self.batch.bytes.get(self.at..).unwrap_or_default();
        let Some(i) = memchr::memchr2(b'"', b'\\', rest) else {
            let n = rest.len();
            self.keep_key(n);
            self.at += n;
            return;
        };
        self.keep_key(i);
        self.at += i;
        if rest_at(&self.batch.bytes, self.at) == Some(b'\\') {
            self.at += 2;
            return;
        }
        self.at += 1;
        self.in_string = false;
        if self.offset() - self.string_began > STRING_BYTES {
            self.pass_over();
        }
        if self.depth == self.level {
            self.end_value();
        }
    }

    fn keep_key(&mut self, n: usize) {
        if self.depth == 1 && self.level == usize::MAX && self.key.len() < KEY_BYTES {
            let n = n.min(KEY_BYTES);
            self.key
                .extend(self.batch.bytes.iter().skip(self.at).take(n));
        }
    }

    /// Inside a wanted value: only brackets and string starts matter.
    fn scan_inside(&mut self) {
        let rest = self.batch.bytes.get(self.at..).unwrap_or_default();
        let structural = |b: &u8| matches!(b, b'"' | b'{' | b'}' | b'[' | b']');
        let Some(i) = rest.iter().position(structural) else {
            self.at += rest.len();
            return;
        };
        let byte = rest.get(i).copied();
        self.at += i + 1;
        match byte {
            Some(b'"') => self.begin_string(),
            Some(b'{' | b'[') => {
                self.depth += 1;
                if self.depth - self.level > DEPTH {
                    self.pass_over();
                }
            }
            _ => {
                self.depth -= 1;
                if self.depth == self.level {
                    self.end_value();
                }
            }
        }
    }

    /// Around the wanted values, byte by byte.
    fn scan_around(&mut self) -> Result<(), SplitError> {
        let Some(byte) = rest_at(&self.batch.bytes, self.at) else {
            return Ok(());
        };
        let at_level = self.depth == self.level && !self.closed;
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' => {
                if at_level && self.began.is_some() {
                    self.end_value();
                }
                self.at += 1;
            }
            _ if self.closed && self.depth == 0 => {
                return Err(SplitError::Malformed {
                    offset: self.offset(),
                });
            }
            b'}' | b']' => self.close(byte, at_level)?,
            b'{' | b'[' => self.open(byte, at_level),
            b'"' => {
                if at_level {
                    self.begin_value();
                }
                self.at += 1;
                self.begin_string();
            }
            _ => {
                if self.depth == 0 && self.level != 0 {
                    return Err(SplitError::Malformed {
                        offset: self.offset(),
                    });
                }
                if at_level && self.began.is_none() {
                    self.begin_value();
                }
                self.at += 1;
            }
        }
        Ok(())
    }

    fn open(&mut self, byte: u8, at_level: bool) {
        if at_level {
            self.begin_value();
        }
        if let Target::Under(key) = self.target {
            let is_named = self.depth == 1 && byte == b'[' && self.key == key.as_bytes();
            if is_named && self.level == usize::MAX {
                self.level = 2;
            }
        }
        self.depth += 1;
        self.at += 1;
    }

    fn close(&mut self, byte: u8, at_level: bool) -> Result<(), SplitError> {
        if at_level && self.began.is_some() {
            self.end_value();
        }
        let wrong = at_level && byte == b'}';
        let Some(depth) = self.depth.checked_sub(1).filter(|_| !wrong) else {
            return Err(SplitError::Malformed {
                offset: self.offset(),
            });
        };
        self.depth = depth;
        self.at += 1;
        self.closed |= at_level;
        Ok(())
    }

    fn begin_string(&mut self) {
        self.in_string = true;
        self.string_began = self.offset();
        if self.depth == 1 && self.level == usize::MAX {
            self.key.clear();
        }
    }

    fn begin_value(&mut self) {
        self.began = Some(self.at);
        self.value_offset = self.offset();
    }

    fn end_value(&mut self) {
        if self.skipping {
            self.skipping = false;
            self.batch.over_limit += 1;
        } else if let Some(began) = self.began {
            self.batch.values.push(began..self.at);
        }
        self.began = None;
    }

    fn pass_over(&mut self) {
        if self.began.take().is_some() {
            self.skipping = true;
        }
    }

    fn check_limits(&mut self) {
        let string =
            self.in_string && self.offset().saturating_sub(self.string_began) > STRING_BYTES;
        let value = self.began.is_some() && self.offset() - self.value_offset > ELEMENT_BYTES;
        if string || value {
            self.pass_over();
        }
    }

    fn scan_lines(&mut self) {
        loop {
            let rest = self.batch.bytes.get(self.at..).unwrap_or_default();
            let Some(i) = memchr::memchr(b'\n', rest) else {
                break;
            };
            self.line(self.at + i);
            self.at += i + 1;
            self.began = None;
        }
        if self.began.is_none() && !self.skipping {
            self.began = Some(self.at);
            self.value_offset = self.offset();
        }
        if self.end() - self.value_offset > ELEMENT_BYTES {
            self.pass_over();
            self.at = self.batch.bytes.len();
        }
    }

    fn line(&mut self, end: usize) {
        if self.skipping {
            self.skipping = false;
            self.batch.over_limit += 1;
            return;
        }
        let line = self.batch.bytes.get(self.at..end).unwrap_or_default();
        if !line.trim_ascii().is_empty() {
            self.batch.values.push(self.at..end);
        }
    }

    /// The last line, or a bare number at the end, has no end of its own.
    fn finish_line(&mut self) {
        if *self.target == Target::Lines {
            self.line(self.batch.bytes.len());
            (self.at, self.began) = (self.batch.bytes.len(), None);
        } else if self.depth == 0 && self.level == 0 && self.began.is_some() && !self.in_string {
            self.end_value();
        }
    }

    /// Hands on a batch when it is large enough, and keeps what belongs to the next.
    fn hand_on(&mut self, now: bool, emit: &mut dyn FnMut(Batch) -> bool) -> bool {
        let has_some = !self.batch.values.is_empty() || self.batch.over_limit > 0;
        let cut = self.began.unwrap_or(self.at).min(self.batch.bytes.len());
        if has_some && (now || self.batch.bytes.len() >= BATCH) {
            let rest = self.batch.bytes.get(cut..).unwrap_or_default().to_vec();
            let next = Batch {
                bytes: rest,
                base: self.batch.base + cut as u64,
                ..Batch::default()
            };
            let full = std::mem::replace(&mut self.batch, next);
            self.moved(cut);
            return emit(full);
        }
        if !has_some && cut > 0 {
            self.batch.bytes.drain(..cut);
            self.batch.base += cut as u64;
            self.moved(cut);
        }
        true
    }

    fn moved(&mut self, cut: usize) {
        self.at -= cut;
        self.began = self.began.map(|b| b - cut);
    }

    fn check_end(&self) -> Result<(), SplitError> {
        let is_open = self.depth > 0 || self.in_string || self.skipping;
        if is_open && !self.is_done() {
            let began = if self.began.is_some() || self.skipping {
                self.value_offset
            } else {
                0
            };
            return Err(SplitError::Truncated {
                offset: self.end(),
                began,
            });
        }
        Ok(())
    }
}

fn rest_at(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

#[cfg(test)]
mod tests;
