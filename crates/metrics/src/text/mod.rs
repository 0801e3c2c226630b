//! The tokeniser: words, lines and marks of one message.
//!
//! A **word** is a UAX #29 word segment with a letter or digit. ASCII text is split by a fast path
//! that follows the same rules (letters, digits and `_` join; `'`, `.` and `:` join letters; `'`,
//! `.`, `,` and `;` join digits); a stretch with other characters goes through the full algorithm.
//! A **line** ends at `.`, `?`, `!` and at a new line; a full stop inside a word, or before a
//! lower-case letter, ends nothing (UAX #29 rule SB8).

mod prepare;

use unicode_segmentation::UnicodeSegmentation;

/// Version of everything in this module; part of every instrument hash.
pub const TOKENISER: &str = "driftlead words 1";

/// What lies between a word and the word before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gap {
    /// Spaces, hyphens, quotation marks, emphasis marks: a phrase may run on.
    Plain,
    /// A comma: a phrase runs on only where it has a comma itself.
    Comma,
    /// Any other mark, or something cut out: no phrase runs on.
    Break,
}

/// One word of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word {
    /// Hash of the lower-cased word.
    pub(crate) hash: u64,
    /// Bytes in the prepared text.
    pub(crate) start: u32,
    /// End of the bytes, exclusive.
    pub(crate) end: u32,
    /// Index of its line.
    pub(crate) line: u32,
    /// What lies before it.
    pub(crate) gap: Gap,
}

/// One line of a message; only lines with a word are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    /// Index of its first word.
    pub(crate) first: u32,
    /// Index behind its last word.
    pub(crate) end: u32,
    /// Ends in a question mark that counts: not inside quotation marks, a table row or an option
    /// list such as "(yes/no?)".
    pub(crate) question: bool,
    /// A row of a table, or inside quotation marks: no question is read from its words either.
    pub(crate) set_apart: bool,
}

/// One message, taken apart. Reused from message to message.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    buffer: String,
    /// Words in order.
    pub(crate) words: Vec<Word>,
    /// Lines in order.
    pub(crate) lines: Vec<Line>,
    /// Emoji outside code and quotes.
    pub(crate) emoji: u32,
    /// Runs of exclamation marks outside code and quotes.
    pub(crate) exclamations: u32,
    /// Whether a line opens with an action of three or more words between single asterisks.
    pub(crate) action: bool,
    /// Words in scripts that write no spaces between words (Han, kana, Thai, Lao, Khmer, Burmese).
    pub(crate) unspaced: u32,
    /// Words in Thai or Lao, which have no question mark.
    pub(crate) unmarked: u32,
}

/// Class of an ASCII byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    Underscore,
    Space,
    Newline,
    Apostrophe,
    Stop,
    Colon,
    Comma,
    Semicolon,
    Exclamation,
    Question,
    Quote,
    Star,
    Hyphen,
    Close,
    Bar,
    Other,
    Wide,
}

const CLASSES: [Class; 256] = {
    let mut table = [Class::Other; 256];
    let mut b = 0;
    #[allow(clippy::indexing_slicing, reason = "evaluated at compile time")]
    while b < 256 {
        table[b] = match b as u8 {
            b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            b'_' => Class::Underscore,
            b'\n' | b'\r' => Class::Newline,
            b' ' | b'\t' => Class::Space,
            b'\'' => Class::Apostrophe,
            b'.' => Class::Stop,
            b':' => Class::Colon,
            b',' => Class::Comma,
            b';' => Class::Semicolon,
            b'!' => Class::Exclamation,
            b'?' => Class::Question,
            b'"' => Class::Quote,
            b'*' => Class::Star,
            b'-' | b'~' => Class::Hyphen,
            b')' | b']' | b'}' => Class::Close,
            b'|' => Class::Bar,
            0x80..=0xFF => Class::Wide,
            _ => Class::Other,
        };
        b += 1;
    }
    table
};

fn class(byte: u8) -> Class {
    CLASSES
        .get(usize::from(byte))
        .copied()
        .unwrap_or(Class::Other)
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// One step of the word hash (FNV-1a, 64 bits).
fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME)
}

/// Last step: spreads the entropy over all bits (the finaliser of SplitMix64).
pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Hash of a word, as found in [`Word::hash`]. The word must be lower-case and in NFC.
pub(crate) fn hash_word(word: &str) -> u64 {
    mix(word
        .bytes()
        .map(|b| if b.is_ascii() { b | 0x20 } else { b })
        .fold(FNV_OFFSET, step))
}

impl Tokens {
    /// Takes a message apart.
    pub(crate) fn read(&mut self, text: &str) {
        let mut buffer = std::mem::take(&mut self.buffer);
        self.emoji = prepare::prepare(text, &mut buffer);
        self.words.clear();
        self.lines.clear();
        self.exclamations = 0;
        self.action = false;
        self.unspaced = 0;
        self.unmarked = 0;
        Reader::new(&buffer, self).run();
        self.buffer = buffer;
    }

    /// First three bytes of a word, ASCII letters in lower case.
    pub(crate) fn first_bytes(&self, word: &Word) -> Option<[u8; 3]> {
        let bytes = self
            .buffer
            .as_bytes()
            .get(word.start as usize..word.end as usize)?;
        bytes
            .first_chunk::<3>()
            .map(|b| b.map(|b| b.to_ascii_lowercase()))
    }

    /// A word as written.
    pub(crate) fn text_of(&self, word: &Word) -> &str {
        self.buffer
            .get(word.start as usize..word.end as usize)
            .unwrap_or("")
    }

    /// Whether a word begins with a lower-case prefix, whatever its case.
    pub(crate) fn starts_with(&self, word: &Word, prefix: &str) -> bool {
        let text = self.text_of(word);
        match text.as_bytes().get(..prefix.len()) {
            Some(head) if text.is_ascii() => head.eq_ignore_ascii_case(prefix.as_bytes()),
            _ => text.to_lowercase().starts_with(prefix),
        }
    }

    /// The start of the prepared text, at most `bytes` long.
    pub(crate) fn head(&self, bytes: usize) -> &str {
        let end = (0..=bytes.min(self.buffer.len()))
            .rev()
            .find(|&i| self.buffer.is_char_boundary(i));
        self.buffer.get(..end.unwrap_or(0)).unwrap_or("")
    }

    /// Words of a line.
    pub(crate) fn words_of(&self, line: &Line) -> &[Word] {
        self.words
            .get(line.first as usize..line.end as usize)
            .unwrap_or(&[])
    }
}

/// State of one pass over a prepared text.
struct Reader<'a, 'b> {
    text: &'a str,
    bytes: &'a [u8],
    tokens: &'b mut Tokens,
    at: usize,
    gap: Gap,
    /// First word of the open line.
    first: usize,
    /// Inside straight quotation marks, reset at a new line.
    quoted: bool,
    /// The written line starts with a bar.
    table: bool,
    /// Nothing but space since the last new line.
    at_margin: bool,
    /// Word count where an action opened, if one is open.
    action: Option<usize>,
    /// Slash since the last opening parenthesis.
    slash: bool,
}

impl<'a, 'b> Reader<'a, 'b> {
    fn new(text: &'a str, tokens: &'b mut Tokens) -> Self {
        Reader {
            text,
            bytes: text.as_bytes(),
            tokens,
            at: 0,
            gap: Gap::Break,
            first: 0,
            quoted: false,
            table: false,
            at_margin: true,
            action: None,
            slash: false,
        }
    }

    fn peek(&self, at: usize) -> Class {
        self.bytes.get(at).map_or(Class::Newline, |&b| class(b))
    }

    fn run(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            let class = class(byte);
            match class {
                Class::Letter | Class::Digit | Class::Underscore | Class::Wide => {
                    self.word();
                    self.at_margin = false;
                    continue;
                }
                Class::Space => {
                    self.at += 1;
                    continue;
                }
                Class::Newline => self.new_line(),
                Class::Question | Class::Exclamation => {
                    self.marks();
                    continue;
                }
                Class::Stop => self.stop(),
                Class::Comma => self.gap = self.gap.max(Gap::Comma),
                Class::Quote => self.quoted = !self.quoted,
                Class::Star => self.star(),
                Class::Bar if self.at_margin => self.table = true,
                Class::Apostrophe | Class::Hyphen => {}
                Class::Bar | Class::Other | Class::Close | Class::Colon | Class::Semicolon => {
                    self.gap = Gap::Break;
                    match byte {
                        b'/' => self.slash = true,
                        b'(' => self.slash = false,
                        _ => {}
                    }
                }
            }
            if class != Class::Newline {
                self.at_margin = false;
            }
            self.at += 1;
        }
        self.end_line(false);
    }

    fn new_line(&mut self) {
        self.end_line(false);
        self.quoted = false;
        self.table = false;
        self.action = None;
        self.slash = false;
        self.at_margin = true;
    }

    fn end_line(&mut self, question: bool) {
        let end = self.tokens.words.len();
        if end > self.first {
            let set_apart = self.table || self.quoted;
            self.tokens.lines.push(Line {
                first: self.first as u32,
                end: end as u32,
                question: question && !set_apart,
                set_apart,
            });
            self.first = end;
        }
        self.gap = Gap::Break;
    }

    /// A run of `?` and `!`.
    fn marks(&mut self) {
        let mut question = false;
        let mut exclamation = false;
        while let class @ (Class::Question | Class::Exclamation) = self.peek(self.at) {
            question |= class == Class::Question;
            exclamation |= class == Class::Exclamation;
            self.at += 1;
        }
        if exclamation && !self.quoted {
            self.tokens.exclamations += 1;
        }
        let option_list = self.slash && self.peek(self.at) == Class::Close;
        self.end_line(question && !option_list);
        self.at_margin = false;
    }

    /// A full stop outside a word ends the line unless a lower-case letter follows.
    fn stop(&mut self) {
        let mut next = self.at + 1;
        while matches!(
            self.peek(next),
            Class::Stop | Class::Quote | Class::Close | Class::Star
        ) {
            next += 1;
        }
        let spaced = matches!(self.peek(next), Class::Space | Class::Newline);
        while self.peek(next) == Class::Space {
            next += 1;
        }
        let lower = self.bytes.get(next).is_some_and(u8::is_ascii_lowercase);
        if spaced && !lower {
            self.end_line(false);
        } else {
            self.gap = Gap::Break;
        }
    }

    /// A single asterisk opens or closes an action; two or more are emphasis.
    fn star(&mut self) {
        let run = self
            .bytes
            .iter()
            .skip(self.at)
            .take_while(|&&b| b == b'*')
            .count();
        let count = self.tokens.words.len();
        if run > 1 {
            self.at += run - 1;
        } else if let Some(opened) = self.action.take() {
            self.tokens.action |= count >= opened + 3;
        } else if self.at_margin && self.peek(self.at + 1) == Class::Letter {
            self.action = Some(count);
        }
    }

    /// A word that starts here, or a stretch with characters beyond ASCII.
    fn word(&mut self) {
        let start = self.at;
        let mut hash = FNV_OFFSET;
        let mut at = self.at;
        let mut real = false;
        while let Some(&byte) = self.bytes.get(at) {
            match class(byte) {
                Class::Letter | Class::Digit => real = true,
                Class::Underscore => {}
                Class::Wide => return self.stretch(start),
                middle if at > start && self.joins(middle, at) => {}
                _ => break,
            }
            hash = step(hash, byte | 0x20);
            at += 1;
        }
        self.at = at;
        if real {
            self.push(mix(hash), start, at);
        } else {
            self.gap = Gap::Break;
        }
    }

    /// Rules WB6, WB7, WB11 and WB12 for ASCII.
    fn joins(&self, middle: Class, at: usize) -> bool {
        let letters = matches!(middle, Class::Apostrophe | Class::Stop | Class::Colon);
        let digits = matches!(
            middle,
            Class::Apostrophe | Class::Stop | Class::Comma | Class::Semicolon
        );
        let before = self.peek(at.wrapping_sub(1));
        let after = self.peek(at + 1);
        (letters && before == Class::Letter && matches!(after, Class::Letter | Class::Wide))
            || (digits && before == Class::Digit && after == Class::Digit)
    }

    fn push(&mut self, hash: u64, start: usize, end: usize) {
        self.tokens.words.push(Word {
            hash,
            start: start as u32,
            end: end as u32,
            line: self.tokens.lines.len() as u32,
            gap: self.gap,
        });
        self.gap = Gap::Plain;
    }

    /// Everything up to the next ASCII byte that can be no part of a word, by the full algorithm.
    fn stretch(&mut self, start: usize) {
        let mut end = start;
        while let Some(&byte) = self.bytes.get(end) {
            let class = class(byte);
            let part = matches!(
                class,
                Class::Letter | Class::Digit | Class::Underscore | Class::Wide
            );
            let inner = matches!(class, Class::Apostrophe | Class::Stop | Class::Colon)
                && matches!(self.peek(end + 1), Class::Letter | Class::Wide)
                && end > start;
            if !part && !inner {
                break;
            }
            end += 1;
        }
        let text = self.text.get(start..end).unwrap_or("");
        for (offset, segment) in text.split_word_bound_indices() {
            if !segment.contains(char::is_alphanumeric) {
                self.gap = Gap::Break;
                continue;
            }
            let lower = segment.to_lowercase();
            self.note_script(segment);
            self.push(
                hash_word(&lower),
                start + offset,
                start + offset + segment.len(),
            );
        }
        self.at = end.max(start + 1);
    }

    fn note_script(&mut self, segment: &str) {
        let thai = segment.contains(|c| matches!(c, '\u{E00}'..='\u{EFF}'));
        let unspaced = thai || segment.contains(|c| {
            matches!(c, '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{3040}'..='\u{30FF}'
                    | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
        });
        self.tokens.unmarked += u32::from(thai);
        self.tokens.unspaced += u32::from(unspaced);
    }
}

#[cfg(test)]
mod tests;
