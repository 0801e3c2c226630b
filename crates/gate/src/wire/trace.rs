//! Traces: one span per request to a model, sent to the collector that the configuration names.
//!
//! A span says what kind of request it was, how long it took, how it ended and what the model server
//! counted. Nothing in it is said by, or found out about, a person: no text, no name, no conversation, and
//! nothing of what a governor decided. Requests that the gateway answers itself have no span.

mod export;
mod names;
mod parent;

use std::borrow::Cow;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hyper::HeaderMap;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::mpsc;

use super::copy::Told;
use super::metrics::Metrics;
use crate::config::{Config, ConfigError, Traces};
use crate::dialect::Dialect;
use crate::govern::{EndCause, Usage};
pub(super) use export::Exporter;
use parent::Place;

/// Longest name of a model or of a reason that is passed on, bytes: clients and servers write what they
/// like there.
const LONGEST_NAME: usize = 128;

/// Begins spans.
#[derive(Debug)]
pub(super) struct Tracer {
    queue: mpsc::Sender<Record>,
    dropped: Counter,
    /// What it was made from.
    pub(super) traces: Traces,
}

impl Tracer {
    /// A tracer and what sends its spans, where the configuration names a collector.
    pub(super) fn new(
        config: &Config,
        metrics: &Metrics,
    ) -> Result<Option<(Self, Exporter)>, ConfigError> {
        let Some(traces) = &config.traces else {
            return Ok(None);
        };
        let counts = (metrics.spans("sent"), metrics.spans("dropped"));
        let dropped = counts.1.clone();
        let (exporter, queue) = Exporter::new(traces, &config.limits, counts)?;
        let tracer = Tracer {
            queue,
            dropped,
            traces: traces.clone(),
        };
        Ok(Some((tracer, exporter)))
    }

    /// Begins the span of a request, and puts it into the headers for the upstream. `None` where whoever
    /// began the trace does not record it.
    pub(super) fn begin(&self, dialect: Dialect, headers: &mut HeaderMap) -> Option<Span> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Some(Span {
            record: Some(Box::new(Record {
                place: Place::take(headers)?,
                dialect,
                model: None,
                stream: None,
                began: now.map_or(0, |since| since.as_nanos()),
                lasted: Duration::ZERO,
                first_chunk: None,
                status: None,
                reply_model: None,
                finish: None,
                usage: None,
                error: None,
            })),
            started: Instant::now(),
            queue: self.queue.clone(),
            dropped: self.dropped.clone(),
        })
    }
}

/// What a span tells.
#[derive(Debug)]
struct Record {
    place: Place,
    dialect: Dialect,
    /// As the client wrote it, where the request was read.
    model: Option<String>,
    stream: Option<bool>,
    /// ns since 1970 UTC.
    began: u128,
    lasted: Duration,
    first_chunk: Option<Duration>,
    status: Option<u16>,
    reply_model: Option<String>,
    finish: Option<String>,
    usage: Option<Usage>,
    error: Option<Cow<'static, str>>,
}

/// A span under way. Dropped, it is over and queued.
#[derive(Debug)]
pub(super) struct Span {
    record: Option<Box<Record>>,
    started: Instant,
    queue: mpsc::Sender<Record>,
    dropped: Counter,
}

impl Span {
    /// What the request says of itself.
    pub(super) fn asked(&mut self, model: Option<&str>, stream: bool) {
        if let Some(record) = &mut self.record {
            record.model = model.map(short);
            record.stream = Some(stream);
        }
    }

    /// The upstream's headers have come.
    pub(super) fn answered(&mut self, status: u16) {
        if let Some(record) = &mut self.record {
            record.status = Some(status);
        }
    }

    /// A piece of the reply has come.
    pub(super) fn data(&mut self) {
        if let Some(record) = &mut self.record
            && record.first_chunk.is_none()
        {
            record.first_chunk = Some(self.started.elapsed());
        }
    }

    /// An error of the gateway's own, of a fixed kind.
    pub(super) fn failed(&mut self, kind: &'static str) {
        if let Some(record) = &mut self.record {
            record.error.get_or_insert(Cow::Borrowed(kind));
        }
    }

    /// The reply is over.
    pub(super) fn end(mut self, cause: EndCause, told: &Told) {
        match cause {
            EndCause::UpstreamFailed => self.failed("upstream_failed"),
            EndCause::ClientGoneCancelled | EndCause::ClientGoneDrained => {
                self.failed("client_gone");
            }
            EndCause::Complete | EndCause::Blocked => {}
        }
        if let Some(record) = &mut self.record {
            record.reply_model = told.model.as_deref().map(short);
            record.finish = told.finish.as_deref().map(short);
            record.usage = told.usage;
            let refused = record.status.filter(|status| *status >= 400);
            if let (None, Some(status)) = (&record.error, refused) {
                record.error = Some(Cow::Owned(status.to_string()));
            }
        }
    }

    /// The gateway answered by itself: there was no request to a model.
    pub(super) fn forget(mut self) {
        self.record = None;
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(mut record) = self.record.take() {
            record.lasted = self.started.elapsed();
            // A request never waits for a collector.
            if self.queue.try_send(*record).is_err() {
                self.dropped.inc();
            }
        }
    }
}

fn short(name: &str) -> String {
    name.get(..name.floor_char_boundary(LONGEST_NAME))
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_drops_and_counts() {
        let (queue, mut waiting) = mpsc::channel(1);
        let tracer = Tracer {
            queue,
            dropped: Counter::default(),
            traces: Traces {
                endpoint: "http://c".to_owned(),
                service: "s".to_owned(),
            },
        };
        let begin = || tracer.begin(Dialect::Chat, &mut HeaderMap::new()).unwrap();
        drop(begin());
        drop(begin());
        begin().forget();
        assert_eq!(tracer.dropped.get(), 1);
        assert!(waiting.try_recv().is_ok() && waiting.try_recv().is_err());
    }

    #[test]
    fn names_are_cut_at_a_character() {
        assert_eq!(short("gpt"), "gpt");
        assert_eq!(short(&"é".repeat(100)).len(), LONGEST_NAME);
        assert_eq!(
            short(&format!("a{}", "é".repeat(100))).len(),
            LONGEST_NAME - 1
        );
    }
}
