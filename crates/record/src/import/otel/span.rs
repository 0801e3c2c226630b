//! Spans, out of OTLP JSON or one per line.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::attributes::{Attributes, attributes};
use super::names;
use crate::Time;
use crate::when::{Clock, Stamp};

/// One span, its resource included.
#[derive(Debug, Default)]
pub(super) struct Span {
    pub(super) trace: String,
    pub(super) id: String,
    pub(super) parent: Option<String>,
    pub(super) start: Option<Time>,
    pub(super) end: Option<Time>,
    pub(super) attributes: Attributes,
    pub(super) resource: Attributes,
    pub(super) events: Vec<SpanEvent>,
    pub(super) failed: bool,
    pub(super) position: u64,
}

/// An event inside a span.
#[derive(Debug)]
pub(super) struct SpanEvent {
    pub(super) name: String,
    pub(super) attributes: Attributes,
}

impl Span {
    /// Whether this span itself asks a model.
    pub(super) fn is_leaf(&self) -> bool {
        let word = |name: &str| self.attributes.get(name).and_then(Value::as_str);
        match word(names::OPERATION) {
            Some(operation) => names::LEAF_OPERATIONS.contains(&operation),
            None => names::LEAF_SIGNS
                .iter()
                .any(|(name, words)| word(name).is_some_and(|w| words.contains(&w))),
        }
    }
}

/// The spans of one JSON value: an OTLP document, one of its resources, or a span.
pub(super) fn spans(value: &Value, position: u64, clock: Clock<'_>) -> Vec<Span> {
    let mut found = Vec::new();
    if let Some(list) = value.get("resourceSpans").or(value.get("resource_spans")) {
        for resource in items(Some(list)) {
            of_resource(resource, position, clock, &mut found);
        }
    } else if value.get("scopeSpans").is_some() || value.get("scope_spans").is_some() {
        of_resource(value, position, clock, &mut found);
    } else if is_span(value) {
        found.push(span(value, resource(value), position, clock));
    }
    found
}

fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn is_span(value: &Value) -> bool {
    let has = |k: &str| value.get(k).is_some();
    has("attributes")
        && (has("traceId") || has("trace_id") || has("context") || has("spanId") || has("span_id"))
}

fn resource(value: &Value) -> Attributes {
    attributes(value.get("resource").and_then(|r| r.get("attributes")))
}

/// Resource level; `instrumentationLibrarySpans` is what old collectors write.
fn of_resource(value: &Value, position: u64, clock: Clock<'_>, found: &mut Vec<Span>) {
    let shared = resource(value);
    for scopes in ["scopeSpans", "scope_spans", "instrumentationLibrarySpans"] {
        for scope in items(value.get(scopes)) {
            for one in items(scope.get("spans")) {
                found.push(span(one, shared.clone(), position, clock));
            }
        }
    }
}

fn span(value: &Value, resource: Attributes, position: u64, clock: Clock<'_>) -> Span {
    let context = value.get("context").unwrap_or(value);
    let word = |of: &Value, names: [&str; 2]| {
        let found = names.into_iter().find_map(|n| of.get(n)?.as_str());
        found.filter(|s| !s.is_empty()).map(str::to_owned)
    };
    let parent =
        word(value, ["parentSpanId", "parent_span_id"]).or(word(value, ["parentId", "parent_id"]));
    Span {
        trace: word(context, ["traceId", "trace_id"]).unwrap_or_default(),
        id: word(context, ["spanId", "span_id"]).unwrap_or_default(),
        parent,
        start: time(
            value,
            [
                "startTimeUnixNano",
                "start_time_unix_nano",
                "start_time",
                "startTime",
            ],
            clock,
        ),
        end: time(
            value,
            [
                "endTimeUnixNano",
                "end_time_unix_nano",
                "end_time",
                "endTime",
            ],
            clock,
        ),
        attributes: attributes(value.get("attributes")),
        resource,
        events: items(value.get("events")).map(event).collect(),
        failed: failed(value.get("status")),
        position,
    }
}

fn failed(status: Option<&Value>) -> bool {
    let code = status.and_then(|s| s.get("code").or(s.get("status_code")));
    match code {
        Some(Value::String(s)) => s == "ERROR" || s == "STATUS_CODE_ERROR" || s == "2",
        Some(Value::Number(n)) => n.as_u64() == Some(2),
        _ => false,
    }
}

/// Attributes and body of an event are one set of names: exporters put the same fields into either.
fn event(value: &Value) -> SpanEvent {
    let mut all = attributes(value.get("attributes"));
    for body in [
        value.get("body"),
        all.get("event.body").or(all.get("body")).cloned().as_ref(),
    ] {
        all.extend(body_fields(body));
    }
    let name = value.get("name").and_then(Value::as_str);
    let name = name.or(all.get("event.name").and_then(Value::as_str));
    SpanEvent {
        name: name.unwrap_or_default().to_owned(),
        attributes: all,
    }
}

fn body_fields(body: Option<&Value>) -> Map<String, Value> {
    match body {
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        },
        Some(value @ Value::Object(fields)) => match fields.contains_key("kvlistValue") {
            true => match super::attributes::decode(value) {
                Value::Object(fields) => fields,
                _ => Map::new(),
            },
            false => fields.clone(),
        },
        _ => Map::new(),
    }
}

/// Nanoseconds since 1970 as number or string, or any other written time.
fn time(value: &Value, names: [&str; 4], clock: Clock<'_>) -> Option<Time> {
    let found = names.into_iter().find_map(|n| value.get(n))?;
    let nanos = match found {
        Value::String(s) => s.parse::<u64>().ok(),
        other => other.as_u64(),
    };
    match nanos {
        // In nanoseconds, anything below is before 1970-01-12.
        Some(n) if n > 1_000_000_000_000_000 => clock.number((n / 1000) as f64 / 1e6),
        _ => Stamp::deserialize(found).ok()?.time(clock),
    }
}
