//! Spans on their way to a collector: OTLP over HTTP as JSON, in batches, from a bounded queue.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, header};
use hyper_util::client::legacy::Client;
use prometheus_client::metrics::counter::Counter;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::Record;
use super::names;
use crate::config::{ConfigError, Limits, Traces};
use crate::wire::upstream::{self, Connector};

/// Spans that wait at most; more are dropped and counted.
const WAITING: usize = 2048;
/// Spans sent together at most.
const BATCH: usize = 512;
/// How long a span waits for others.
const GATHER: Duration = Duration::from_secs(1);
/// How long the collector may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends what is queued until it is told to stop.
#[derive(Debug)]
pub(in crate::wire) struct Exporter {
    queue: mpsc::Receiver<Record>,
    client: Client<Connector, Full<Bytes>>,
    /// May hold a key in its query.
    address: String,
    service: String,
    sent: Counter,
    dropped: Counter,
}

impl Exporter {
    /// An exporter, and the queue that it empties.
    pub(super) fn new(
        traces: &Traces,
        limits: &Limits,
        (sent, dropped): (Counter, Counter),
    ) -> Result<(Self, mpsc::Sender<Record>), ConfigError> {
        let base = traces.base()?;
        let query = base.query.map(|query| format!("?{query}"));
        let (sender, queue) = mpsc::channel(WAITING);
        let exporter = Exporter {
            queue,
            client: upstream::client(limits),
            address: format!(
                "{}{}/v1/traces{}",
                base.origin,
                base.path,
                query.unwrap_or_default()
            ),
            service: traces.service.clone(),
            sent,
            dropped,
        };
        Ok((exporter, sender))
    }

    /// Told to stop, it sends what is left once.
    pub(in crate::wire) async fn run(mut self, mut stop: oneshot::Receiver<()>) {
        let mut batch = Vec::new();
        loop {
            let stopped = tokio::select! {
                got = self.gather(&mut batch) => !got,
                _ = &mut stop => true,
            };
            if stopped {
                self.queue.close();
                while let Some(record) = self.queue.recv().await {
                    batch.push(record);
                }
            }
            for part in batch.chunks(BATCH) {
                self.send(part).await;
            }
            batch.clear();
            if stopped {
                return;
            }
        }
    }

    /// Waits for a span, and a moment for others. False: none will come. What was gathered stays in
    /// `batch` when this is cancelled.
    async fn gather(&mut self, batch: &mut Vec<Record>) -> bool {
        if self.queue.recv_many(batch, BATCH).await == 0 {
            return false;
        }
        let more = async {
            while batch.len() < BATCH
                && let Some(record) = self.queue.recv().await
            {
                batch.push(record);
            }
        };
        let _ = tokio::time::timeout(GATHER, more).await;
        true
    }

    /// A collector that does not take them has lost them: a second try would keep the next ones waiting.
    async fn send(&self, batch: &[Record]) {
        let request = Request::post(self.address.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(body(&self.service, batch).to_string()));
        let taken = match request {
            Ok(request) => {
                let reply = tokio::time::timeout(PATIENCE, self.client.request(request)).await;
                matches!(reply, Ok(Ok(reply)) if reply.status().is_success())
            }
            Err(_) => false,
        };
        let count = if taken { &self.sent } else { &self.dropped };
        count.inc_by(batch.len() as u64);
    }
}

/// An `ExportTraceServiceRequest` in the JSON encoding of OTLP: ids in hexadecimal, 64-bit numbers as text.
fn body(service: &str, batch: &[Record]) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    let resource = [
        attribute(names::SERVICE_NAME, text(service)),
        attribute(names::SERVICE_VERSION, text(version)),
    ];
    let spans: Vec<Value> = batch.iter().map(span).collect();
    json!({ "resourceSpans": [{
        "resource": { "attributes": resource },
        "scopeSpans": [{
            "scope": { "name": "driftlead-gate", "version": version },
            "spans": spans,
        }],
    }] })
}

fn span(of: &Record) -> Value {
    // SpanKind CLIENT: the request that the gateway makes to a model server.
    const CLIENT: u32 = 3;
    const FAILED: u32 = 2;
    let operation = names::operation(of.dialect);
    let name = match &of.model {
        Some(model) => format!("{operation} {model}"),
        None => operation.to_owned(),
    };
    let mut attributes = vec![
        attribute(names::OPERATION, text(operation)),
        attribute(names::PROVIDER, text(names::provider(of.dialect))),
    ];
    let mut add = |name, value: Option<Value>| {
        attributes.extend(value.map(|value| attribute(name, value)));
    };
    add(names::REQUEST_MODEL, of.model.as_deref().map(text));
    let stream = of.stream.map(|stream| json!({ "boolValue": stream }));
    add(names::REQUEST_STREAM, stream);
    add(names::RESPONSE_MODEL, of.reply_model.as_deref().map(text));
    let reasons = of.finish.as_deref().map(text);
    let reasons = reasons.map(|reason| json!({ "arrayValue": { "values": [reason] } }));
    add(names::FINISH_REASONS, reasons);
    let first = of.first_chunk.map(|after| after.as_secs_f64());
    add(
        names::FIRST_CHUNK,
        first.map(|seconds| json!({ "doubleValue": seconds })),
    );
    let usage = of.usage.unwrap_or_default();
    add(names::INPUT_TOKENS, usage.input.map(whole));
    add(names::OUTPUT_TOKENS, usage.output.map(whole));
    add(names::STATUS, of.status.map(|status| whole(status.into())));
    add(names::ERROR, of.error.as_deref().map(text));
    let end = of.began.saturating_add(of.lasted.as_nanos());
    let mut span = json!({
        "traceId": of.place.trace,
        "spanId": of.place.span,
        "name": name,
        "kind": CLIENT,
        "startTimeUnixNano": of.began.to_string(),
        "endTimeUnixNano": end.to_string(),
        "attributes": attributes,
        "status": if of.error.is_some() { json!({ "code": FAILED }) } else { json!({}) },
    });
    if let (Some(parent), Some(span)) = (&of.place.parent, span.as_object_mut()) {
        span.insert("parentSpanId".to_owned(), json!(parent));
    }
    span
}

fn attribute(name: &str, value: Value) -> Value {
    json!({ "key": name, "value": value })
}

fn text(value: &str) -> Value {
    json!({ "stringValue": value })
}

fn whole(value: u64) -> Value {
    json!({ "intValue": value.to_string() })
}
