//! Cuts a stream of events into its events without changing a byte, and puts other data into one.

use crate::sse::LONGEST_EVENT;

/// One event with its blank line, or what stands between two (a comment line, a line end), as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) raw: Vec<u8>,
    /// The `data` lines, joined by LF; `None` where there are none, or where they are not UTF-8.
    pub(super) data: Option<String>,
}

/// Cuts. All frames one after the other are the stream.
#[derive(Debug, Default)]
pub(super) struct Frames {
    raw: Vec<u8>,
    /// Where the line under way begins in `raw`.
    line: usize,
    has_fields: bool,
    /// A LF that follows belongs to the CR that ended a line.
    after_cr: bool,
    /// The event under way was too long to be held; its rest passes unread.
    too_long: bool,
}

impl Frames {
    pub(super) fn feed(&mut self, mut piece: &[u8], mut on_frame: impl FnMut(Frame)) {
        if std::mem::take(&mut self.after_cr)
            && let Some(rest) = piece.strip_prefix(b"\n")
        {
            piece = rest;
            if self.raw.is_empty() {
                on_frame(Frame::between(b"\n".to_vec()));
            } else {
                self.raw.push(b'\n');
                self.line = self.raw.len();
            }
        }
        while let Some(at) = memchr::memchr2(b'\n', b'\r', piece) {
            let (head, tail) = piece.split_at(at);
            self.raw.extend_from_slice(head);
            let end = self.raw.len();
            let ending: &[u8] = if tail.starts_with(b"\r\n") {
                b"\r\n"
            } else {
                self.after_cr = tail == b"\r";
                tail.get(..1).unwrap_or_default()
            };
            self.raw.extend_from_slice(ending);
            piece = tail.get(ending.len()..).unwrap_or_default();
            self.end_line(end, &mut on_frame);
        }
        self.raw.extend_from_slice(piece);
        if self.raw.len() > LONGEST_EVENT {
            self.too_long = true;
            on_frame(Frame::between(self.take()));
        }
    }

    /// What is left when the stream is over: an event without its blank line.
    pub(super) fn rest(&mut self) -> Option<Frame> {
        let raw = self.take();
        (!raw.is_empty()).then(|| Frame::of(raw))
    }

    fn take(&mut self) -> Vec<u8> {
        self.line = 0;
        std::mem::take(&mut self.raw)
    }

    fn end_line(&mut self, end: usize, on_frame: &mut impl FnMut(Frame)) {
        let line = self.raw.get(self.line..end).unwrap_or_default();
        if line.is_empty() && self.line == 0 && self.too_long && end == 0 {
            // The blank line of an event whose front is gone already.
            self.too_long = false;
            self.has_fields = false;
            on_frame(Frame::between(self.take()));
        } else if line.is_empty() {
            self.has_fields = false;
            let whole = !std::mem::take(&mut self.too_long);
            let raw = self.take();
            on_frame(if whole {
                Frame::of(raw)
            } else {
                Frame::between(raw)
            });
        } else if line.starts_with(b":") && !self.has_fields && self.line == 0 {
            on_frame(Frame::between(self.take()));
        } else {
            self.has_fields = true;
            self.line = self.raw.len();
        }
    }
}

/// The lines of an event, each with its ending.
fn lines(raw: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = raw;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let at = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let (line, tail) = rest.split_at(at);
        let length = if tail.starts_with(b"\r\n") {
            2
        } else {
            tail.len().min(1)
        };
        let (ending, after) = tail.split_at(length);
        rest = after;
        Some((line, ending))
    })
}

/// The value of a `data` line.
fn value(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let rest = line.strip_prefix(b"data")?;
    if rest.is_empty() {
        return Some(rest);
    }
    let rest = rest.strip_prefix(b":")?;
    Some(rest.strip_prefix(b" ").unwrap_or(rest))
}

impl Frame {
    fn between(raw: Vec<u8>) -> Self {
        Frame { raw, data: None }
    }

    fn of(raw: Vec<u8>) -> Self {
        let values: Vec<&[u8]> = lines(&raw).filter_map(|(line, _)| value(line)).collect();
        let data = (!values.is_empty())
            .then(|| String::from_utf8(values.join(&b'\n')).ok())
            .flatten();
        Frame { raw, data }
    }

    /// The same event with other data; name, comments and line ends stay.
    pub(super) fn with_data(&self, data: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.raw.len() + data.len());
        let mut put = false;
        for (line, ending) in lines(&self.raw) {
            if value(line).is_none() {
                out.extend_from_slice(line);
                out.extend_from_slice(ending);
            } else if !std::mem::replace(&mut put, true) {
                let ending = if ending.is_empty() { b"\n" } else { ending };
                for line in data.split('\n') {
                    out.extend_from_slice(b"data: ");
                    out.extend_from_slice(line.as_bytes());
                    out.extend_from_slice(ending);
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sse::Reader;

    fn cut<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<u8>, Vec<String>, usize) {
        let mut frames = Frames::default();
        let (mut whole, mut data, mut count) = (Vec::new(), Vec::new(), 0);
        for piece in pieces {
            frames.feed(piece, |frame| {
                whole.extend_from_slice(&frame.raw);
                data.extend(frame.data);
                count += 1;
            });
        }
        if let Some(rest) = frames.rest() {
            whole.extend_from_slice(&rest.raw);
        }
        (whole, data, count)
    }

    #[test]
    fn events_and_comments_are_apart() {
        let stream = b": a\nevent: e\ndata: 1\n\ndata:2\r\n\r\n: b\n\ndata: 3\ndata: 4\n\n";
        let (whole, data, count) = cut([stream.as_slice()]);
        assert_eq!(whole, stream);
        assert_eq!(data, ["1", "2", "3\n4"]);
        assert_eq!(count, 6);
    }

    #[test]
    fn other_data_in_the_same_event() {
        let frame = Frame::of(b"event: e\r\ndata: {\r\ndata: }\r\nid: 1\r\n\r\n".to_vec());
        assert_eq!(frame.data.as_deref(), Some("{\n}"));
        assert_eq!(
            frame.with_data("x\ny"),
            b"event: e\r\ndata: x\r\ndata: y\r\nid: 1\r\n\r\n"
        );
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_the_data_is_what_a_reader_reads(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "data:", "data: ", "event: ", "id: 1", ":", "\n", "\r", "\r\n", "\n\n", "x", "é", "",
                ]),
                0..60,
            ),
            size in 1usize..7,
        ) {
            let stream = parts.concat().into_bytes();
            let (whole, data, _) = cut(stream.chunks(size));
            prop_assert_eq!(&whole, &stream);
            let mut reader = Reader::new();
            let mut want = Vec::new();
            reader.feed(&stream, |event| want.push(String::from_utf8(event.data.to_vec()).unwrap()));
            prop_assert_eq!(data, want);
        }
    }
}
