//! An incremental reader of server-sent events, for the decoded copy of a stream.
//!
//! It follows the event stream format of the HTML standard (§9.2.6): lines end with LF, CR or CRLF,
//! `data:` with or without a space, several `data` lines joined by LF, comments ignored. Bytes may be
//! cut anywhere, inside a character too. It never changes or delays the stream itself; it says what
//! is in it and where events end.

/// Longest event decoded, bytes; a longer one is skipped and counted, so memory is bounded.
pub const LONGEST_EVENT: usize = 4 << 20;

/// One event of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// The `event` field, empty where there was none.
    pub name: &'a [u8],
    /// The `data` lines, joined by LF.
    pub data: &'a [u8],
}

/// Reads a stream in pieces. Any division into pieces gives the same events.
#[derive(Debug, Default)]
pub struct Reader {
    line: Vec<u8>,
    name: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    has_fields: bool,
    /// The last byte was a CR, so that a LF that follows belongs to it.
    after_cr: bool,
    begun: bool,
    too_long: bool,
    skipped: u64,
}

impl Reader {
    /// A reader at the start of a stream.
    pub fn new() -> Self {
        Reader::default()
    }

    /// Takes the next piece and hands out every event that it completes.
    pub fn feed(&mut self, mut piece: &[u8], mut on_event: impl FnMut(Event<'_>)) {
        if self.after_cr && !piece.is_empty() {
            self.after_cr = false;
            if let Some(rest) = piece.strip_prefix(b"\n") {
                piece = rest;
            }
        }
        while let Some(at) = memchr::memchr2(b'\n', b'\r', piece) {
            let (head, tail) = piece.split_at(at);
            self.keep(head);
            self.end_line(&mut on_event);
            piece = if let Some(rest) = tail.strip_prefix(b"\r\n") {
                rest
            } else if tail == b"\r" {
                self.after_cr = true;
                &[]
            } else {
                tail.get(1..).unwrap_or_default()
            };
        }
        self.keep(piece);
    }

    /// Whether the stream stands between two events, so that a comment line may be inserted. After a
    /// lone CR it does not, because the LF that belongs to it may still come.
    pub fn at_boundary(&self) -> bool {
        self.line.is_empty() && !self.has_fields && !self.too_long && !self.after_cr
    }

    /// Events skipped because they were longer than [`LONGEST_EVENT`].
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    fn keep(&mut self, bytes: &[u8]) {
        let held = self.line.len() + self.data.len() + self.name.len();
        if self.too_long || held + bytes.len() > LONGEST_EVENT {
            // An empty line must still be told from a line that was cut: one byte stands for it.
            if !bytes.is_empty() {
                self.too_long = true;
                self.line.clear();
                self.line.push(b':');
            }
            return;
        }
        self.line.extend_from_slice(bytes);
    }

    fn end_line(&mut self, on_event: &mut impl FnMut(Event<'_>)) {
        if !self.begun {
            self.begun = true;
            if self.line.starts_with(b"\xef\xbb\xbf") {
                self.line.drain(..3);
            }
        }
        if self.line.is_empty() {
            self.dispatch(on_event);
            return;
        }
        let (field, value) = match memchr::memchr(b':', &self.line) {
            Some(colon) => {
                let (field, rest) = self.line.split_at(colon);
                let value = rest.get(1..).unwrap_or_default();
                (field, value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (self.line.as_slice(), [].as_slice()),
        };
        match field {
            // A comment is no field of an event.
            b"" => {}
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
                self.has_data = true;
                self.has_fields = true;
            }
            b"event" => {
                self.name.clear();
                self.name.extend_from_slice(value);
                self.has_fields = true;
            }
            _ => self.has_fields = true,
        }
        self.line.clear();
    }

    fn dispatch(&mut self, on_event: &mut impl FnMut(Event<'_>)) {
        if self.too_long {
            self.skipped += 1;
        } else if self.has_data {
            on_event(Event {
                name: &self.name,
                data: &self.data,
            });
        }
        self.name.clear();
        self.data.clear();
        self.has_data = false;
        self.has_fields = false;
        self.too_long = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Owned = (Vec<u8>, Vec<u8>);

    fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Owned>, bool) {
        let mut reader = Reader::new();
        let mut events = Vec::new();
        for piece in pieces {
            reader.feed(piece, |e| events.push((e.name.to_vec(), e.data.to_vec())));
        }
        (events, reader.at_boundary())
    }

    fn data(stream: &str) -> Vec<String> {
        let (events, _) = read([stream.as_bytes()]);
        events
            .into_iter()
            .map(|(_, data)| String::from_utf8(data).unwrap())
            .collect()
    }

    #[test]
    fn forms_of_the_standard() {
        assert_eq!(
            data("data: a\n\ndata:b\r\n\r\ndata:  c\r\r"),
            ["a", "b", " c"]
        );
        assert_eq!(data("data: {\ndata: }\n\n"), ["{\n}"]);
        assert_eq!(data(": ping\n\n: ping\ndata: x\n\n"), ["x"]);
        assert_eq!(
            data("id: 1\n\nretry: 3\n\nevent: e\n\n"),
            Vec::<String>::new()
        );
        assert_eq!(data("data\n\n"), [""]);
        assert_eq!(data("data: cut off"), Vec::<String>::new());
        assert_eq!(data("\u{feff}data: x\n\n"), ["x"]);
        let (events, _) = read([b"event: n\ndata: 1\n\ndata: 2\n\n".as_slice()]);
        let names: Vec<&[u8]> = events.iter().map(|(name, _)| name.as_slice()).collect();
        assert_eq!(names, [b"n".as_slice(), b""]);
    }

    #[test]
    fn boundaries() {
        let at = |stream: &[u8]| read([stream]).1;
        assert!(at(b"") && at(b"data: x\n\n") && at(b": ping\n") && at(b"data: x\r\n\r\n"));
        assert!(!at(b"data: x\n") && !at(b"d") && !at(b"id: 1\n") && !at(b"data: x\r\n\r"));
    }

    #[test]
    fn a_too_long_event_is_skipped_and_memory_bounded() {
        let mut reader = Reader::new();
        let mut count = 0;
        reader.feed(b"data: ", |_| count += 1);
        for _ in 0..LONGEST_EVENT / 1000 + 10 {
            reader.feed(&[b'x'; 1000], |_| count += 1);
        }
        assert!(reader.line.len() < LONGEST_EVENT && !reader.at_boundary());
        reader.feed(b"\n\ndata: next\n\n", |event| {
            assert_eq!(event.data, b"next");
            count += 1;
        });
        assert_eq!((count, reader.skipped()), (1, 1));
    }

    proptest! {
        #[test]
        fn any_division_gives_the_same_events(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "data:", "data: ", "event: ", "id: 1", ":", "\n", "\r", "\r\n", "\n\n", "x", "é", "",
                ]),
                0..60,
            ),
            cuts in prop::collection::vec(1usize..5, 0..80),
        ) {
            let stream = parts.concat().into_bytes();
            let mut pieces = Vec::new();
            let mut rest = stream.as_slice();
            for cut in cuts {
                let (head, tail) = rest.split_at(cut.min(rest.len()));
                pieces.push(head);
                rest = tail;
            }
            pieces.push(rest);
            let whole = read([stream.as_slice()]);
            prop_assert_eq!(&read(pieces), &whole);
            prop_assert_eq!(&read(stream.chunks(1)), &whole);
        }
    }
}
