//! The body of a reply on its way from the upstream to the client: pulled, never pushed, so that a
//! slow reader slows the upstream down; watched, never changed but for comments between two events.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

use super::Gate;
use super::copy::Copy;
use super::flow::Flow;
use super::metrics::Metrics;
use super::rewrite::Source;
use super::trace::Span;
use crate::clock::Clock;
use crate::govern::{EndCause, ReplyEnd, Tap};
use crate::sse::Reader;

/// Why a reply broke off. The connection is then closed without the proper end of the body, so that
/// no client can take it for a complete reply.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("the upstream broke off")]
    Upstream,
    #[error("the upstream fell silent")]
    Silent,
}

/// Watches one exchange from the decision to its end, however it ends, and reports the end once.
#[derive(Debug)]
pub(super) struct Watch {
    tap: Option<Box<dyn Tap>>,
    copy: Option<Copy>,
    status: u16,
    bytes: u64,
    ended: bool,
    metrics: Arc<Metrics>,
    span: Option<Span>,
    clock: Clock,
}

/// Listens where only the trace wants to know how a reply ended.
#[derive(Debug)]
struct Deaf;

impl Tap for Deaf {
    fn text(&mut self, _choice: u32, _text: &str) {}
    fn end(self: Box<Self>, _end: &ReplyEnd) {}
}

impl Watch {
    pub(super) fn new(tap: Option<Box<dyn Tap>>, gate: &Gate) -> Self {
        let metrics = gate.metrics.clone();
        metrics.open.inc();
        Watch {
            tap,
            copy: None,
            status: 0,
            bytes: 0,
            ended: false,
            metrics,
            clock: gate.clock.clone(),
            span: None,
        }
    }

    /// The exchange is traced.
    pub(super) fn trace(&mut self, span: Option<Span>) {
        self.span = span;
    }

    /// An error of the gateway's own will end it.
    pub(super) fn failed(&mut self, kind: &'static str) {
        if let Some(span) = &mut self.span {
            span.failed(kind);
        }
    }

    /// The upstream's headers have come.
    pub(super) fn answered(&mut self, status: u16, copy: Option<Copy>) {
        self.status = status;
        self.copy = copy.filter(|_| self.tap.is_some() || self.span.is_some());
        if let Some(span) = &mut self.span {
            span.answered(status);
        }
    }

    /// Bytes that go to the client.
    pub(super) fn sent(&mut self, data: &Bytes) {
        self.bytes += data.len() as u64;
    }

    /// Bytes that came from the upstream.
    pub(super) fn hear(&mut self, data: &Bytes) {
        if let Some(span) = &mut self.span {
            span.data();
        }
        match (&mut self.copy, &mut self.tap) {
            (Some(copy), Some(tap)) => copy.feed(data, tap.as_mut()),
            (Some(copy), None) => copy.feed(data, &mut Deaf),
            (None, _) => {}
        }
    }

    /// The first call counts; later ones are nothing.
    pub(super) fn end(&mut self, mut cause: EndCause) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.metrics.open.dec();
        let whole = matches!(cause, EndCause::Complete | EndCause::ClientGoneDrained);
        let told = self.copy.take().map(|copy| match &mut self.tap {
            Some(tap) => copy.finish(whole, tap.as_mut()),
            None => copy.finish(whole, &mut Deaf),
        });
        let told = told.unwrap_or_default();
        if cause == EndCause::Complete && told.failed && self.status < 400 {
            cause = EndCause::UpstreamFailed;
        }
        if let Some(span) = self.span.take() {
            span.end(cause, &told);
        }
        if let Some(tap) = self.tap.take() {
            tap.end(&ReplyEnd {
                cause,
                now_micros: self.clock.now_micros(),
                status: self.status,
                model: told.model,
                finish: told.finish,
                usage: told.usage,
                bytes_to_client: self.bytes,
            });
        }
        self.metrics.ended(cause);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Nobody but a client that went away drops an exchange before its end.
        self.end(EndCause::ClientGoneCancelled);
    }
}

/// What happens to the rest of a stream besides passing it on.
#[derive(Debug, Clone, Default)]
pub(super) struct Care {
    /// Silence after which a comment is put between two events, for what closes silent connections.
    pub(super) keep_alive: Option<Duration>,
    /// An event instead of a comment.
    pub(super) keep_alive_data: bool,
    /// How long the upstream is read on after the client went away; without it, it is closed.
    pub(super) drain: Option<Duration>,
    /// How long a client that reads slowly gets for what came before a break.
    pub(super) last_words: Duration,
    /// The client's connection, where it can be watched.
    pub(super) flow: Option<Flow>,
}

/// A comment line by itself: with an empty line behind it, some clients take it for an event.
const PING: &[u8] = b": ping\n";
/// The same as an event that says nothing, in chat streams.
const EMPTY: &[u8] = b"data: {\"id\":\"driftlead-ping\",\"object\":\"chat.completion.chunk\",\"created\":0,\"model\":\"\",\"choices\":[]}\n\n";

/// Knows when a comment may be put in.
#[derive(Debug)]
struct KeepAlive {
    every: Duration,
    ping: &'static [u8],
    timer: Pin<Box<Sleep>>,
    events: Reader,
}

impl KeepAlive {
    fn data(&mut self, data: &Bytes) {
        self.events.feed(data, |_| {});
        self.again();
    }

    fn again(&mut self) {
        let next = Instant::now() + self.every;
        self.timer.as_mut().reset(next);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Frame<Bytes>> {
        while self.timer.as_mut().poll(cx).is_ready() {
            self.again();
            if self.events.at_boundary() {
                return Poll::Ready(Frame::data(Bytes::from_static(self.ping)));
            }
        }
        Poll::Pending
    }
}

/// How long the break of a reply waits behind the last data. The server drops a connection whose body
/// fails together with what it has not written yet; this gives the last events time to leave.
const LINGER: Duration = Duration::from_millis(100);
/// How often it is looked whether a client that reads slowly has taken them.
const LOOK: Duration = Duration::from_millis(20);

/// The upstream's body, watched.
#[derive(Debug)]
pub(super) struct ReplyBody {
    inner: Option<Source>,
    silence: Duration,
    last_data: Instant,
    /// The upstream broke off; the client learns it when the timer fires.
    broken: bool,
    timer: Pin<Box<Sleep>>,
    watch: Option<Watch>,
    keep_alive: Option<KeepAlive>,
    drain: Option<Duration>,
    last_words: Duration,
    flow: Option<Flow>,
}

impl ReplyBody {
    /// `events`: it is a stream of events that can be read.
    pub(super) fn new(
        inner: Source,
        silence: Duration,
        mut watch: Watch,
        care: Care,
        events: bool,
    ) -> Self {
        if inner.is_end_stream() {
            watch.end(EndCause::Complete);
        }
        // A length that was promised leaves no room for a comment.
        let open = events && inner.size_hint().exact().is_none();
        ReplyBody {
            silence,
            last_data: Instant::now(),
            broken: false,
            timer: Box::pin(tokio::time::sleep(silence)),
            watch: Some(watch),
            keep_alive: care.keep_alive.filter(|_| open).map(|every| KeepAlive {
                every,
                ping: if care.keep_alive_data { EMPTY } else { PING },
                timer: Box::pin(tokio::time::sleep(every)),
                events: Reader::new(),
            }),
            drain: care.drain,
            last_words: care.last_words,
            flow: care.flow,
            inner: Some(inner),
        }
    }

    fn end(&mut self, cause: EndCause) {
        if let Some(watch) = &mut self.watch {
            watch.end(cause);
        }
    }

    fn break_off(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        loop {
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            // What was written to the socket reaches the client; what was not is lost with the break.
            let stalled = self.flow.as_ref().is_some_and(Flow::is_stalled);
            if !stalled || self.last_data.elapsed() >= self.last_words {
                return Poll::Ready(Some(Err(Broken::Upstream)));
            }
            self.timer.as_mut().reset(Instant::now() + LOOK);
        }
    }
}

impl Drop for ReplyBody {
    fn drop(&mut self) {
        let (Some(bound), Some(inner), Some(watch)) =
            (self.drain, self.inner.take(), self.watch.take())
        else {
            return;
        };
        if !watch.ended
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(drain(inner.into_inner(), watch, bound));
        }
    }
}

/// Reads the upstream on without a client, for its own sake and for the counts at its end.
async fn drain(mut inner: Incoming, mut watch: Watch, bound: Duration) {
    let rest = async {
        while let Some(Ok(frame)) = inner.frame().await {
            if let Some(data) = frame.data_ref() {
                watch.hear(data);
            }
        }
    };
    let _ = tokio::time::timeout(bound, rest).await;
    watch.end(EndCause::ClientGoneDrained);
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = &mut *self;
        if this.broken {
            return this.break_off(cx);
        }
        let Some(inner) = &mut this.inner else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(&mut *inner).poll_frame(cx);
        if let Some(watch) = &mut this.watch {
            inner.heard().iter().for_each(|data| watch.hear(data));
        }
        match polled {
            Poll::Ready(Some(Ok(frame))) => {
                let last = inner.is_end_stream();
                if let Some(data) = frame.data_ref() {
                    if let Some(watch) = &mut this.watch {
                        watch.sent(data);
                        if inner.is_straight() {
                            watch.hear(data);
                        }
                    }
                    if let Some(keep_alive) = &mut this.keep_alive {
                        keep_alive.data(data);
                    }
                }
                // With a known length the server does not ask again after the last byte.
                if last {
                    this.end(EndCause::Complete);
                }
                this.last_data = Instant::now();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(_))) => {
                this.end(EndCause::UpstreamFailed);
                this.broken = true;
                let at = this.last_data + LINGER;
                this.timer.as_mut().reset(at);
                this.break_off(cx)
            }
            Poll::Ready(None) => {
                this.end(EndCause::Complete);
                Poll::Ready(None)
            }
            Poll::Pending => {
                // Set when it fires rather than with every frame: most never get that far.
                while this.timer.as_mut().poll(cx).is_ready() {
                    let due = this.last_data + this.silence;
                    if due <= Instant::now() {
                        this.end(EndCause::UpstreamFailed);
                        return Poll::Ready(Some(Err(Broken::Silent)));
                    }
                    this.timer.as_mut().reset(due);
                }
                match this.keep_alive.as_mut().map(|k| k.poll(cx)) {
                    Some(Poll::Ready(ping)) => Poll::Ready(Some(Ok(ping))),
                    _ => Poll::Pending,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        !self.broken && self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(SizeHint::default, Body::size_hint)
    }
}
