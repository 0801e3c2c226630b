//! OpenTelemetry spans with GenAI attributes, as OTLP JSON or one span per line (formats.md §13).
//! OTLP protobuf is not read.
//!
//! Spans come in the order in which they ended, and what belongs to a whole trace (the person, or
//! whether a nearer span repeats the same messages) may come last. So spans wait in a buffer of
//! bounded size, and are read in the order in which they began.

mod attributes;
mod content;
mod names;
mod span;
#[cfg(test)]
mod tests;
mod whole;

use std::collections::BTreeSet;
use std::io::{BufRead, Read};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;

use super::lines::{Line, Lines};
use super::message::{Message, message};
use super::request_log::take_messages;
use super::{Options, Parsed, UnitError};
use crate::prefix::{Exchange, Threads, Turn};
use crate::when::Clock;
use crate::{Accounting, Format, Reason, Role, SystemSource};
use attributes::Attributes;
use span::Span;

/// Spans that wait for others of their trace.
const WAITING: usize = 4096;
/// Messages in waiting spans.
const WAITING_BYTES: usize = 32 << 20;
/// Traces remembered.
const TRACES: usize = 200_000;

/// Reads spans. A document over many lines is read resource by resource, anything else line by line.
pub(crate) fn read_stream(
    reader: &mut dyn BufRead,
    source: &Arc<str>,
    options: &Options,
    deliver: &mut dyn FnMut(Parsed),
) -> Result<(), UnitError> {
    let mut spans = Spans {
        threads: Threads::new(source, Format::Otel, deliver),
        options,
        waiting: Vec::new(),
        bytes: 0,
        traces: FxHashMap::default(),
        parents: FxHashMap::default(),
    };
    if let Some(start) = read_lines(reader, &mut spans)? {
        let mut all = std::io::Cursor::new(start).chain(reader);
        whole::read(&mut all, &mut |value| spans.value(&value, 0))?;
    }
    spans.finish();
    Ok(())
}

/// Line by line; returns the first line where it opens a document of many lines.
fn read_lines(
    reader: &mut dyn BufRead,
    spans: &mut Spans<'_>,
) -> Result<Option<Vec<u8>>, UnitError> {
    let mut lines = Lines::new(reader);
    let mut is_first = true;
    loop {
        let position = lines.next_position();
        let Some(line) = lines.next()? else {
            return Ok(None);
        };
        let units = &mut spans.threads.accounting().units;
        match line {
            Line::Blank => continue,
            Line::TooLong => units.skip(Reason::OverLimit),
            Line::NotUtf8 if is_first => {
                return Err(UnitError::Structure(
                    "the file is binary; OTLP is read as JSON only, so export the spans as JSON"
                        .to_owned(),
                ));
            }
            Line::NotUtf8 => units.skip(Reason::NotUtf8),
            Line::Text(text) => match serde_json::from_str::<Value>(text) {
                Ok(value) => spans.value(&value, position),
                Err(e) if is_first && e.is_eof() && text.ends_with(['{', '[', ',']) => {
                    return Ok(Some(text.as_bytes().to_vec()));
                }
                Err(_) => units.skip(Reason::MalformedJson),
            },
        }
        is_first = false;
    }
}

/// A span with content, waiting.
struct Waiting {
    span: Span,
    exchange: Exchange,
    is_leaf: bool,
}

/// What is known of a trace.
#[derive(Default)]
struct Trace {
    has_leaf: bool,
    person: Option<Arc<str>>,
    conversation: Option<Arc<str>>,
}

struct Spans<'a> {
    threads: Threads<'a>,
    options: &'a Options,
    waiting: Vec<Waiting>,
    bytes: usize,
    traces: FxHashMap<String, Trace>,
    parents: FxHashMap<(String, String), String>,
}

impl Spans<'_> {
    fn value(&mut self, value: &Value, position: u64) {
        let clock = Clock::utc(self.options.zone.as_ref());
        let found = span::spans(value, position, clock);
        if found.is_empty() {
            self.threads.accounting().units.skip(Reason::NotAMessage);
        }
        for span in found {
            self.span(span);
        }
        while self.waiting.len() > WAITING || self.bytes > WAITING_BYTES {
            self.release(self.waiting.len() / 2 + 1);
        }
    }

    fn span(&mut self, mut span: Span) {
        self.remember(&span);
        let mut exchange = exchange(&span, self.options, self.threads.accounting());
        let is_leaf = span.is_leaf();
        let is_empty = exchange.turns.is_empty() && exchange.answers.is_empty();
        if is_leaf && exchange.answers.is_empty() && !span.failed {
            // Words are not recorded by default; that there was an answer, and when, still is.
            exchange
                .answers
                .push(Turn::new(Role::System, "", &[], Ok(None)));
        } else if is_empty {
            let accounting = self.threads.accounting();
            accounting
                .units
                .skip_many(Reason::HiddenContext, exchange.context);
            accounting.containers.skip(Reason::NotAMessage);
            return;
        }
        if is_leaf {
            self.traces.entry(span.trace.clone()).or_default().has_leaf = true;
        }
        self.bytes += exchange.bytes();
        span.attributes = Attributes::new();
        span.events = Vec::new();
        self.waiting.push(Waiting {
            span,
            exchange,
            is_leaf,
        });
    }

    /// Person and conversation hold for the whole trace; parents tell which spans are nested.
    fn remember(&mut self, span: &Span) {
        if self.traces.len() > TRACES || self.parents.len() > 4 * TRACES {
            self.traces.clear();
            self.parents.clear();
            self.threads.accounting().note("traces_forgotten");
        }
        let trace = self.traces.entry(span.trace.clone()).or_default();
        if trace.person.is_none() {
            trace.person = person(span, self.options);
        }
        if trace.conversation.is_none() {
            trace.conversation = named(&span.attributes, names::CONVERSATION);
        }
        if let Some(parent) = &span.parent {
            self.parents
                .insert((span.trace.clone(), span.id.clone()), parent.clone());
        }
    }

    /// Reads the `n` waiting spans that began first.
    fn release(&mut self, n: usize) {
        self.waiting.sort_by(|a, b| a.order().cmp(&b.order()));
        let above = self.above();
        let n = n.min(self.waiting.len());
        for mut one in self.waiting.drain(..n) {
            self.bytes = self.bytes.saturating_sub(one.exchange.bytes());
            let trace = self.traces.get(&one.span.trace);
            let near = !one.span.trace.is_empty() && trace.is_some_and(|t| t.has_leaf)
                || above.contains(&(one.span.trace.clone(), one.span.id.clone()));
            if !one.is_leaf && near {
                self.threads.accounting().containers.skip(Reason::Duplicate);
                self.threads
                    .accounting()
                    .units
                    .skip_many(Reason::Duplicate, one.exchange.units());
                continue;
            }
            let exchange = &mut one.exchange;
            if let Some(trace) = trace.filter(|_| !one.span.trace.is_empty()) {
                exchange.person = exchange.person.take().or(trace.person.clone());
                exchange.conversation = exchange.conversation.take().or(trace.conversation.clone());
            }
            self.threads.take(one.exchange);
        }
    }

    /// All spans above a waiting one.
    fn above(&self) -> FxHashSet<(String, String)> {
        let mut above = FxHashSet::default();
        for one in &self.waiting {
            let mut at = (one.span.trace.clone(), one.span.id.clone());
            while let Some(parent) = self.parents.get(&at) {
                at.1.clone_from(parent);
                if !above.insert(at.clone()) {
                    break;
                }
            }
        }
        above
    }

    fn finish(mut self) {
        self.release(self.waiting.len());
        self.threads.finish();
    }
}

impl Waiting {
    fn order(&self) -> (i64, i64, u64, &str) {
        let micros = |t: Option<crate::Time>| t.map_or(i64::MAX, |t| t.micros);
        (
            micros(self.span.start),
            micros(self.span.end),
            self.span.position,
            &self.span.id,
        )
    }
}

impl Exchange {
    /// Messages inside.
    fn units(&self) -> u64 {
        (self.turns.len() + self.answers.len()) as u64 + self.context
    }

    fn bytes(&self) -> usize {
        let words = |t: &Turn| {
            t.body
                .as_ref()
                .ok()
                .and_then(|b| b.as_deref())
                .map_or(0, str::len)
        };
        let turns = self.turns.iter().chain(&self.answers);
        turns.map(|t| words(t) + 100).sum::<usize>() + 500
    }
}

fn named(attributes: &Attributes, names: &[&str]) -> Option<Arc<str>> {
    names.iter().find_map(|name| match attributes.get(*name)? {
        Value::String(s) if !s.is_empty() => Some(Arc::from(s.as_str())),
        Value::Number(n) => Some(Arc::from(n.to_string())),
        _ => None,
    })
}

/// The attribute that the caller names comes first, on the span and on its resource.
fn person(span: &Span, options: &Options) -> Option<Arc<str>> {
    let own: Vec<&str> = options.person_attribute.as_deref().into_iter().collect();
    let sets = [(&span.attributes, &own[..]), (&span.resource, &own[..])];
    let standard = [
        (&span.attributes, names::PERSON),
        (&span.resource, names::PERSON),
    ];
    sets.into_iter()
        .chain(standard)
        .find_map(|(set, names)| named(set, names))
}

fn exchange(span: &Span, options: &Options, accounting: &mut Accounting) -> Exchange {
    let content = content::content(span, accounting);
    let (system, system_source) = match named(&span.attributes, names::MODEL) {
        Some(model) => (Some(model), SystemSource::Message),
        None => match named(&span.resource, names::MODEL) {
            Some(model) => (Some(model), SystemSource::Resource),
            None => (None, SystemSource::Unknown),
        },
    };
    let mut exchange = Exchange {
        person: person(span, options),
        conversation: named(&span.attributes, names::CONVERSATION),
        deployment: named(&span.attributes, names::DEPLOYMENT)
            .or(named(&span.resource, names::DEPLOYMENT)),
        system,
        system_source,
        settings: settings(&span.attributes),
        asked: span.start.or(span.end),
        answered: span.end.or(span.start),
        position: span.position,
        ..Exchange::default()
    };
    take_messages(&mut exchange, content.input.iter(), accounting);
    for value in &content.output {
        match message(value, Some("assistant"), accounting) {
            Message::Turn(mut turn) => {
                let index = exchange.answers.len();
                turn.id = answer_id(span, index);
                exchange.answers.push(turn);
            }
            Message::Context(words) => exchange.context(words.as_deref()),
        }
    }
    exchange
}

fn answer_id(span: &Span, index: usize) -> Option<Arc<str>> {
    let id = span
        .attributes
        .get(names::RESPONSE_ID)?
        .as_str()
        .filter(|s| !s.is_empty())?;
    Some(match index {
        0 => Arc::from(id),
        n => Arc::from(format!("{id}#{n}")),
    })
}

fn settings(attributes: &Attributes) -> Option<Arc<str>> {
    let words: BTreeSet<String> = names::SETTINGS
        .iter()
        .filter_map(|n| attributes.get(*n).map(|v| format!("{n}={v}")))
        .collect();
    let words: Vec<String> = words.into_iter().collect();
    (!words.is_empty()).then(|| Arc::from(words.join(";")))
}
