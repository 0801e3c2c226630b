//! Counts for the operator: of requests and errors, never of a person.

use std::sync::atomic::AtomicI64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::dialect::Dialect;
use crate::govern::EndCause;

type Labels = [(&'static str, &'static str); 1];

/// All counts of one gateway.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    errors: Family<Labels, Counter>,
    ends: Family<Labels, Counter>,
    spans: Family<Labels, Counter>,
    /// Exchanges between decision and end.
    pub(super) open: Gauge<i64, AtomicI64>,
    /// Connections of clients.
    pub(super) connections: Gauge<i64, AtomicI64>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("driftlead_gate"),
            requests: Family::default(),
            errors: Family::default(),
            ends: Family::default(),
            spans: Family::default(),
            open: Gauge::default(),
            connections: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "Requests below /v1", metrics.requests.clone());
        registry.register(
            "errors",
            "Errors of the gateway's own",
            metrics.errors.clone(),
        );
        registry.register(
            "replies_ended",
            "Exchanges, by what ended them",
            metrics.ends.clone(),
        );
        registry.register(
            "spans",
            "Spans of traces, sent to the collector or dropped",
            metrics.spans.clone(),
        );
        registry.register(
            "open_exchanges",
            "Exchanges not yet at their end",
            metrics.open.clone(),
        );
        registry.register(
            "connections",
            "Connections of clients",
            metrics.connections.clone(),
        );
        metrics
    }

    pub(super) fn request(&self, dialect: Option<Dialect>) {
        let name = dialect.map_or("other", Dialect::name);
        self.requests.get_or_create(&[("dialect", name)]).inc();
    }

    pub(super) fn error(&self, kind: &'static str) {
        self.errors.get_or_create(&[("type", kind)]).inc();
    }

    pub(super) fn ended(&self, cause: EndCause) {
        let name = match cause {
            EndCause::Complete => "complete",
            EndCause::UpstreamFailed => "upstream_failed",
            EndCause::ClientGoneCancelled => "client_gone_cancelled",
            EndCause::ClientGoneDrained => "client_gone_drained",
            EndCause::Blocked => "blocked",
        };
        self.ends.get_or_create(&[("cause", name)]).inc();
    }

    /// The count of spans with one outcome.
    pub(super) fn spans(&self, outcome: &'static str) -> Counter {
        self.spans.get_or_create_owned(&[("outcome", outcome)])
    }

    /// OpenMetrics text without the closing `# EOF`.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut out, &self.registry);
        out.truncate(out.trim_end().trim_end_matches("# EOF").len());
        out
    }
}
