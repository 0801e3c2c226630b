//! The body of a reply on its way from the upstream to the client: pulled, never pushed, so that a
//! slow reader slows the upstream down; watched, never changed.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

use super::copy::Copy;
use super::metrics::Metrics;
use crate::govern::{EndCause, ReplyEnd, Tap};

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
}

impl Watch {
    pub(super) fn new(tap: Option<Box<dyn Tap>>, metrics: Arc<Metrics>) -> Self {
        metrics.open.inc();
        Watch {
            tap,
            copy: None,
            status: 0,
            bytes: 0,
            ended: false,
            metrics,
        }
    }

    /// The upstream's headers have come.
    pub(super) fn answered(&mut self, status: u16, copy: Option<Copy>) {
        self.status = status;
        self.copy = copy.filter(|_| self.tap.is_some());
    }

    fn data(&mut self, data: &Bytes) {
        self.bytes += data.len() as u64;
        if let (Some(copy), Some(tap)) = (&mut self.copy, &mut self.tap) {
            copy.feed(data, tap.as_mut());
        }
    }

    /// The first call counts; later ones are nothing.
    pub(super) fn end(&mut self, mut cause: EndCause) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.metrics.open.dec();
        if let Some(mut tap) = self.tap.take() {
            let whole = cause == EndCause::Complete;
            let told = self.copy.take().map(|c| c.finish(whole, tap.as_mut()));
            let told = told.unwrap_or_default();
            if whole && told.failed && self.status < 400 {
                cause = EndCause::UpstreamFailed;
            }
            tap.end(&ReplyEnd {
                cause,
                now_micros: super::now_micros(),
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

/// The upstream's body, watched.
#[derive(Debug)]
pub(super) struct ReplyBody {
    inner: Incoming,
    silence: Duration,
    timer: Pin<Box<Sleep>>,
    watch: Watch,
}

impl ReplyBody {
    pub(super) fn new(inner: Incoming, silence: Duration, mut watch: Watch) -> Self {
        if inner.is_end_stream() {
            watch.end(EndCause::Complete);
        }
        ReplyBody {
            inner,
            silence,
            timer: Box::pin(tokio::time::sleep(silence)),
            watch,
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = &mut *self;
        match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    this.watch.data(data);
                }
                // With a known length the server does not ask again after the last byte.
                if this.inner.is_end_stream() {
                    this.watch.end(EndCause::Complete);
                }
                let next = Instant::now() + this.silence;
                this.timer.as_mut().reset(next);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(_))) => {
                this.watch.end(EndCause::UpstreamFailed);
                Poll::Ready(Some(Err(Broken::Upstream)))
            }
            Poll::Ready(None) => {
                this.watch.end(EndCause::Complete);
                Poll::Ready(None)
            }
            Poll::Pending => match this.timer.as_mut().poll(cx) {
                Poll::Ready(()) => {
                    this.watch.end(EndCause::UpstreamFailed);
                    Poll::Ready(Some(Err(Broken::Silent)))
                }
                Poll::Pending => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
