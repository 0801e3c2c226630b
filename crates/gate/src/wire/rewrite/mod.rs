//! Replies that a policy may change on their way (gateway.md §5.7, §5.9, §5.14).
//!
//! A stream is cut into its events. Where a [`Hold`] is asked, events with words wait until there are
//! 160 characters, or a sentence has ended, or a quarter of a second is over, whichever comes first, or
//! something other than words comes; then they go on, with the model's words or with others. What is
//! replaced is written down before it goes. Everything else goes as it came, in its order.

mod frames;
mod json;
mod tail;
mod texts;
mod whole;

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame as BodyFrame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::dialect::Dialect;
use crate::govern::{Hold, Pending, Recorded, Verdict};
use frames::{Frame, Frames};
use json::Node;
use tail::{Tail, Words};
use texts::{Channel, Piece};
pub(super) use whole::{Changed, whole};

/// Longest that words are held.
const HELD: Duration = Duration::from_millis(250);
/// Most characters held.
const CHARACTERS: usize = 160;
/// Bytes of what was released that a governor sees again.
const CONTEXT: usize = 256;

/// What may be done to a reply.
#[derive(Debug, Default)]
pub(super) struct Will {
    pub(super) hold: Option<Box<dyn Hold>>,
    /// Put behind the reply's own text.
    pub(super) told: Option<String>,
    /// The usage chunk is not what the client asked for.
    pub(super) without_usage: bool,
}

impl Will {
    pub(super) fn is_nothing(&self) -> bool {
        !self.speaks() && !self.without_usage
    }

    /// Whether words may be changed or added.
    pub(super) fn speaks(&self) -> bool {
        self.hold.is_some() || self.told.is_some()
    }
}

/// Content of the `driftlead` object for what was written down; nothing where the reply breaks off.
fn object_of(recorded: &Recorded) -> Option<String> {
    let object = match recorded {
        Recorded::Entry { policy, act, entry } => {
            serde_json::json!({ "policy": policy, "acts": [act], "entry": entry })
        }
        Recorded::Not => serde_json::json!({ "ungoverned": "log" }),
        Recorded::Refused => return None,
    };
    Some(object.to_string())
}

/// An event that waits.
#[derive(Debug)]
struct Held {
    frame: Frame,
    pieces: Vec<Piece>,
}

/// A stream on its way.
#[derive(Debug)]
struct Stream {
    dialect: Dialect,
    frames: Frames,
    /// Cut and not looked at.
    fresh: VecDeque<Frame>,
    /// Looked at and held.
    held: VecDeque<Held>,
    since: Option<Instant>,
    hold: Option<Box<dyn Hold>>,
    contexts: HashMap<Channel, String>,
    tail: Tail,
    out: VecDeque<Bytes>,
}

/// What stands in the place of words, by channel.
type Others = HashMap<Channel, String>;

impl Stream {
    fn new(dialect: Dialect, will: Will) -> Self {
        let holds = will.hold.is_some();
        Stream {
            dialect,
            frames: Frames::default(),
            fresh: VecDeque::new(),
            held: VecDeque::new(),
            since: None,
            hold: will.hold,
            contexts: HashMap::new(),
            tail: Tail::new(dialect, will.told, will.without_usage, holds),
            out: VecDeque::new(),
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        let fresh = &mut self.fresh;
        self.frames.feed(bytes, |frame| fresh.push_back(frame));
    }

    /// The upstream is over. Half an event of a stream that broke off goes nowhere: nobody reads it, and
    /// it may hold words that were to be replaced.
    fn over(&mut self, broken: bool) {
        let rest = self.frames.rest();
        self.fresh
            .extend(rest.filter(|rest| !broken || self.hold.is_none() || rest.data.is_none()));
    }

    /// Looks at the next event; whether what is held is due.
    fn take(&mut self, frame: Frame) -> bool {
        let pieces = frame
            .data
            .as_deref()
            .and_then(Node::of)
            .filter(|node| node.is_object())
            .map(|node| texts::of_event(self.dialect, node))
            .unwrap_or_default();
        let words = !pieces.is_empty();
        if self.hold.is_none() || !words && self.held.is_empty() {
            self.pass(Held { frame, pieces }, &mut Others::new());
            return false;
        }
        let other = !words && frame.data.is_some();
        self.held.push_back(Held { frame, pieces });
        if words {
            self.since.get_or_insert_with(Instant::now);
        }
        other || self.pending().values().any(|text| is_due(text))
    }

    /// What is held, by channel.
    fn pending(&self) -> HashMap<Channel, String> {
        let mut pending: HashMap<Channel, String> = HashMap::new();
        for piece in self.held.iter().flat_map(|held| &held.pieces) {
            pending
                .entry(piece.channel)
                .or_default()
                .push_str(&piece.text);
        }
        pending
    }

    /// Asks about all that is held: what is to be replaced.
    fn ask(&mut self, last: bool) -> Others {
        let mut pending: Vec<(Channel, String)> = self.pending().into_iter().collect();
        pending.sort_unstable_by_key(|(channel, _)| *channel);
        let mut others = Others::new();
        let Some(hold) = &mut self.hold else {
            return others;
        };
        for (channel, text) in pending {
            let context = self.contexts.get(&channel).map_or("", String::as_str);
            let verdict = hold.release(texts::number(channel), context, &text, last);
            if let Verdict::Replace(other) = verdict
                && other != text
            {
                others.insert(channel, other);
            }
        }
        others
    }

    /// Lets go of what is held.
    fn release(&mut self, others: &Others) {
        for (channel, text) in self.pending() {
            let sent = others.get(&channel).unwrap_or(&text);
            let context = self.contexts.entry(channel).or_default();
            context.push_str(sent);
            let from = context.len().saturating_sub(CONTEXT);
            let from = (from..=context.len()).find(|&at| context.is_char_boundary(at));
            context.drain(..from.unwrap_or(0));
        }
        self.since = None;
        let mut left = others.clone();
        while let Some(held) = self.held.pop_front() {
            self.pass(held, &mut left);
        }
    }

    /// Sends an event; the first words of a channel that has others in its place become those, the rest
    /// nothing.
    fn pass(&mut self, held: Held, left: &mut Others) {
        let words = held.pieces.into_iter().map(|piece| Words {
            new: left.get_mut(&piece.channel).map(std::mem::take),
            piece,
        });
        self.tail.pass(held.frame, words.collect(), &mut self.out);
    }
}

fn is_due(text: &str) -> bool {
    let ended = text
        .trim_end()
        .ends_with(['.', '!', '?', '…', '。', '！', '？'])
        || text.contains('\n')
        || [". ", "! ", "? "].iter().any(|end| text.contains(end));
    ended || text.chars().nth(CHARACTERS - 1).is_some()
}

/// The body of a reply on its way through here.
#[derive(Debug)]
pub(super) struct Changing {
    inner: Incoming,
    stream: Stream,
    deciding: Option<Deciding>,
    timer: Pin<Box<Sleep>>,
    timed: Option<Instant>,
    heard: Vec<Bytes>,
    /// The upstream is over; whether it broke off.
    over: Option<bool>,
}

/// A replacement that is being written down.
struct Deciding {
    recorded: Pending<'static, Recorded>,
    others: Others,
}

impl std::fmt::Debug for Deciding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deciding").finish_non_exhaustive()
    }
}

/// The reply breaks off.
#[derive(Debug)]
pub(super) struct Fault;

type Polled = Poll<Option<Result<BodyFrame<Bytes>, Fault>>>;

impl Changing {
    fn new(inner: Incoming, dialect: Dialect, will: Will) -> Self {
        Changing {
            inner,
            stream: Stream::new(dialect, will),
            deciding: None,
            timer: Box::pin(tokio::time::sleep(HELD)),
            timed: None,
            heard: Vec::new(),
            over: None,
        }
    }

    fn decide(&mut self, last: bool) {
        let others = self.stream.ask(last);
        match &mut self.stream.hold {
            Some(hold) if !others.is_empty() => {
                let recorded = hold.record();
                self.deciding = Some(Deciding { recorded, others });
            }
            _ => self.stream.release(&others),
        }
    }

    /// What was decided is written down, or not.
    fn decided(&mut self, recorded: &Recorded, others: &Others) {
        match object_of(recorded) {
            Some(object) => self.stream.tail.object(object),
            None => {
                self.stream.held.clear();
                self.stream.fresh.clear();
                self.over = Some(true);
                return;
            }
        }
        if matches!(recorded, Recorded::Entry { .. }) {
            self.stream.release(others);
        } else {
            self.stream.release(&Others::new());
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Polled {
        loop {
            if let Some(bytes) = self.stream.out.pop_front() {
                return Poll::Ready(Some(Ok(BodyFrame::data(bytes))));
            }
            if let Some(mut deciding) = self.deciding.take() {
                match deciding.recorded.as_mut().poll(cx) {
                    Poll::Ready(recorded) => self.decided(&recorded, &deciding.others),
                    Poll::Pending => {
                        self.deciding = Some(deciding);
                        return Poll::Pending;
                    }
                }
            } else if let Some(frame) = self.stream.fresh.pop_front() {
                if self.stream.take(frame) {
                    self.decide(false);
                }
            } else if let Some(broken) = self.over {
                if self.stream.held.is_empty() {
                    return Poll::Ready(broken.then_some(Err(Fault)));
                }
                self.decide(true);
            } else {
                match Pin::new(&mut self.inner).poll_frame(cx) {
                    Poll::Ready(Some(Ok(frame))) => {
                        if let Ok(data) = frame.into_data() {
                            self.stream.feed(&data);
                            self.heard.push(data);
                        }
                    }
                    Poll::Ready(Some(Err(_))) => self.end(true),
                    Poll::Ready(None) => self.end(false),
                    Poll::Pending => match self.stream.since {
                        Some(since) => {
                            if self.timed.replace(since) != Some(since) {
                                self.timer.as_mut().reset(since + HELD);
                            }
                            if self.timer.as_mut().poll(cx).is_pending() {
                                return Poll::Pending;
                            }
                            self.decide(false);
                        }
                        None => return Poll::Pending,
                    },
                }
            }
        }
    }

    fn end(&mut self, broken: bool) {
        self.over = Some(broken);
        self.stream.over(broken);
    }
}

/// Where the body of a reply comes from: the upstream, straight or through changes.
#[derive(Debug)]
pub(super) enum Source {
    Straight(Incoming),
    Changing(Box<Changing>),
}

impl Source {
    pub(super) fn new(inner: Incoming, dialect: Option<Dialect>, will: Will) -> Self {
        match dialect {
            Some(dialect) if !will.is_nothing() => {
                Source::Changing(Box::new(Changing::new(inner, dialect, will)))
            }
            _ => Source::Straight(inner),
        }
    }

    /// What came from the upstream since the last call, where that is not what goes to the client.
    pub(super) fn heard(&mut self) -> Vec<Bytes> {
        match self {
            Source::Straight(_) => Vec::new(),
            Source::Changing(changing) => std::mem::take(&mut changing.heard),
        }
    }

    /// Whether what goes to the client is what came from the upstream.
    pub(super) fn is_straight(&self) -> bool {
        matches!(self, Source::Straight(_))
    }

    /// The upstream's body, to be read on.
    pub(super) fn into_inner(self) -> Incoming {
        match self {
            Source::Straight(inner) => inner,
            Source::Changing(changing) => changing.inner,
        }
    }
}

impl Body for Source {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        match &mut *self {
            Source::Straight(inner) => Pin::new(inner)
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map_err(|_| Fault))),
            Source::Changing(changing) => changing.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Source::Straight(inner) => inner.is_end_stream(),
            Source::Changing(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Source::Straight(inner) => inner.size_hint(),
            Source::Changing(_) => SizeHint::default(),
        }
    }
}
