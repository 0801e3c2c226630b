//! What a span holds of a conversation, whichever generation of the conventions wrote it.
//!
//! The order of precedence is that of formats.md §13.3: the first generation with an input, and the
//! first with an output. What others repeat is named and not read twice.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Span;
use super::names::{self, Loose};
use crate::{Accounting, Reason};

/// Most slots rebuilt from indexed attributes.
const MOST_SLOTS: usize = 10_001;

/// Messages of one span, as values that [`crate::import::message`] reads.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) input: Vec<Value>,
    pub(super) output: Vec<Value>,
}

/// A generation by name.
type Reader = fn(&Span, &mut Accounting) -> Content;

const GENERATIONS: &[(&str, Reader)] = &[
    ("langfuse", |s, a| loose(s, &names::LANGFUSE, a)),
    ("genkit", |s, a| loose(s, &names::GENKIT, a)),
    ("vercel_ai", vercel),
    ("gen_ai_details_event", details_event),
    ("gen_ai_messages", current),
    ("gen_ai_message_events", message_events),
    ("gen_ai_content_events", content_events),
    ("logfire", logfire),
    ("others", others),
    ("gen_ai_prompt", |s, a| {
        indexed(s, names::PROMPT, names::COMPLETION, a)
    }),
    ("openinference", |s, a| {
        indexed(
            s,
            names::OPENINFERENCE_INPUT,
            names::OPENINFERENCE_OUTPUT,
            a,
        )
    }),
];

/// Reads the messages of a span.
pub(super) fn content(span: &Span, accounting: &mut Accounting) -> Content {
    let mut found = Content::default();
    // A broken attribute counts only where it was needed.
    let mut unneeded = Accounting::default();
    for (name, read) in GENERATIONS {
        let is_complete = !found.input.is_empty() && !found.output.is_empty();
        let counted = if is_complete {
            &mut unneeded
        } else {
            &mut *accounting
        };
        let mut next = read(span, counted);
        let mut used = false;
        if found.input.is_empty() && !next.input.is_empty() {
            found.input = std::mem::take(&mut next.input);
            used = true;
        }
        if found.output.is_empty() && !next.output.is_empty() {
            found.output = std::mem::take(&mut next.output);
            used = true;
        }
        let is_empty = next.input.is_empty() && next.output.is_empty();
        if !used && !is_empty {
            accounting.note(&format!("generation_ignored {name}"));
        }
    }
    found
}

/// JSON that may be inside a string. A string that begins like JSON and is none was cut by a limit on
/// attribute length; it is not text.
fn parsed(value: &Value, accounting: &mut Accounting) -> Option<Value> {
    let Value::String(text) = value else {
        return Some(value.clone());
    };
    let start = text.trim_start();
    let is_json = ["{\"", "[{", "{}", "[]", "[\"", "{'", "{\n", "[\n"]
        .iter()
        .any(|s| start.starts_with(s));
    if !is_json {
        return Some(value.clone());
    }
    match serde_json::from_str(text) {
        Ok(inner) => Some(inner),
        Err(_) => {
            accounting.units.skip(Reason::MalformedJson);
            None
        }
    }
}

/// Messages inside a value of unknown shape: a list of messages, an object around one, or plain text.
fn messages(value: &Value, role: &str) -> Vec<Value> {
    match value {
        Value::String(text) if !text.is_empty() => vec![json!({"role": role, "content": text})],
        Value::Array(list) => list
            .iter()
            .filter(|m| is_message(m))
            .map(|m| with_role(m, role))
            .collect(),
        Value::Object(_) if value.get("choices").is_some_and(Value::is_array) => {
            let choices = value.get("choices").and_then(Value::as_array);
            choices
                .into_iter()
                .flatten()
                .filter_map(|c| c.get("message").or(c.get("text")))
                .map(|m| with_role(m, role))
                .collect()
        }
        Value::Object(_) if is_message(value) => vec![with_role(value, role)],
        Value::Object(_) => {
            const INSIDE: &[&str] = &[
                "messages",
                "contents",
                "inputs",
                "outputs",
                "input",
                "output",
                "kwargs",
                "message",
                "content",
                "prompt",
                "text",
                "completion",
                "response",
            ];
            let inner = INSIDE.iter().filter_map(|k| value.get(k));
            let mut list = inner
                .map(|v| messages(v, role))
                .find(|l| !l.is_empty())
                .unwrap_or_default();
            if let Some(system) = value.get("system").filter(|s| s.is_string()) {
                list.insert(0, json!({"role": "system", "content": system}));
            }
            list
        }
        _ => Vec::new(),
    }
}

fn is_message(value: &Value) -> bool {
    let named = value.get("role").is_some_and(Value::is_string);
    named
        && ["content", "parts", "tool_calls"]
            .iter()
            .any(|k| value.get(k).is_some())
}

fn with_role(message: &Value, role: &str) -> Value {
    match message {
        Value::Object(o) if !o.contains_key("role") => {
            let mut o = o.clone();
            o.insert("role".to_owned(), Value::from(role));
            Value::Object(o)
        }
        Value::String(text) => json!({"role": role, "content": text}),
        other => other.clone(),
    }
}

fn side(value: Option<&Value>, role: &str, accounting: &mut Accounting) -> Vec<Value> {
    let value = value.and_then(|v| parsed(v, accounting));
    value.map(|v| messages(&v, role)).unwrap_or_default()
}

fn loose(span: &Span, of: &Loose, accounting: &mut Accounting) -> Content {
    let mut first = |names: &[&str], role: &str| {
        names
            .iter()
            .map(|n| side(span.attributes.get(*n), role, accounting))
            .find(|l| !l.is_empty())
            .unwrap_or_default()
    };
    Content {
        input: first(of.input, "user"),
        output: first(of.output, "assistant"),
    }
}

fn others(span: &Span, accounting: &mut Accounting) -> Content {
    let mut found = Content::default();
    let mut unneeded = Accounting::default();
    for of in names::OTHERS {
        let has_both = !found.input.is_empty() && !found.output.is_empty();
        let next = loose(
            span,
            of,
            if has_both {
                &mut unneeded
            } else {
                &mut *accounting
            },
        );
        if has_both && !(next.input.is_empty() && next.output.is_empty()) {
            accounting.note(&format!("generation_ignored {}", of.name));
        }
        if found.input.is_empty() {
            found.input = next.input;
        }
        if found.output.is_empty() {
            found.output = next.output;
        }
    }
    found
}

fn vercel(span: &Span, accounting: &mut Accounting) -> Content {
    let get = |name: &str| span.attributes.get(name);
    let mut input = side(get(names::VERCEL_MESSAGES), "user", accounting);
    if input.is_empty() {
        input = side(get(names::VERCEL_PROMPT), "user", accounting);
    }
    let text = names::VERCEL_TEXT.iter().find_map(|n| get(n)?.as_str());
    let calls = names::VERCEL_CALLS.iter().find_map(|n| get(n));
    let calls = calls.and_then(|c| parsed(c, accounting));
    let output = match (text.filter(|t| !t.is_empty()), calls) {
        (None, None) => Vec::new(),
        (text, calls) => {
            vec![json!({"role": "assistant", "content": text, "tool_calls": calls})]
        }
    };
    Content { input, output }
}

fn current(span: &Span, accounting: &mut Accounting) -> Content {
    structured(&span.attributes, accounting)
}

fn details_event(span: &Span, accounting: &mut Accounting) -> Content {
    let event = span.events.iter().find(|e| e.name == names::DETAILS_EVENT);
    event
        .map(|e| structured(&e.attributes, accounting))
        .unwrap_or_default()
}

/// Current names: messages of parts. A list that is none of messages does not fit the schema and is
/// left to the older names.
fn structured(attributes: &super::Attributes, accounting: &mut Accounting) -> Content {
    let mut list = |name: &str| -> Vec<Value> {
        match attributes.get(name).and_then(|v| parsed(v, accounting)) {
            Some(Value::Array(list)) if list.iter().all(is_message) => list,
            _ => Vec::new(),
        }
    };
    let (mut input, output) = (list(names::INPUT_MESSAGES), list(names::OUTPUT_MESSAGES));
    let has_system = input
        .iter()
        .any(|m| m.get("role").and_then(Value::as_str) == Some("system"));
    let instructions = attributes.get(names::SYSTEM_INSTRUCTIONS);
    if let (false, Some(value)) = (has_system, instructions.and_then(|v| parsed(v, accounting))) {
        input.insert(0, json!({"role": "system", "content": value}));
    }
    Content { input, output }
}

/// Events of v1.36 and before, one per message.
fn message_events(span: &Span, accounting: &mut Accounting) -> Content {
    let mut found = Content::default();
    for event in &span.events {
        let role = names::MESSAGE_EVENTS
            .iter()
            .find(|(n, _)| *n == event.name)
            .map(|(_, r)| *r);
        let is_choice = event.name == names::CHOICE_EVENT;
        if role.is_none() && !is_choice {
            continue;
        }
        let mut body = event.attributes.clone();
        for key in ["message", "content", "tool_calls"] {
            if let Some(value) = body.get(key).and_then(|v| parsed(v, accounting)) {
                body.insert(key.to_owned(), value);
            }
        }
        let mut message = Value::Object(body);
        if let Some(Value::Object(inner)) = message.get("message").cloned() {
            let calls = message.get("tool_calls").cloned();
            message = Value::Object(inner);
            if let (Some(calls), Value::Object(o)) = (calls, &mut message) {
                o.entry("tool_calls").or_insert(calls);
            }
        } else if let Some(text) = message.get("message").filter(|m| m.is_string()).cloned() {
            message = json!({"content": text});
        }
        let message = with_role(&message, role.unwrap_or("assistant"));
        if is_choice {
            &mut found.output
        } else {
            &mut found.input
        }
        .push(message);
    }
    found
}

/// Message events as one list, answers among them.
fn logfire(span: &Span, accounting: &mut Accounting) -> Content {
    let mut found = Content::default();
    let list = names::LOGFIRE.iter().find_map(|n| span.attributes.get(*n));
    let Some(Value::Array(list)) = list.and_then(|v| parsed(v, accounting)) else {
        return found;
    };
    for item in list {
        let is_choice = item.get("event.name").and_then(Value::as_str) == Some(names::CHOICE_EVENT);
        if let (true, Some(message)) = (is_choice, item.get("message")) {
            found.output.push(with_role(message, "assistant"));
        } else if is_message(&item) {
            found.input.push(item);
        }
    }
    found
}

fn content_events(span: &Span, accounting: &mut Accounting) -> Content {
    let mut of = |event: &str, attribute: &str, role: &str| {
        let events = span.events.iter().filter(|e| e.name == event);
        events
            .flat_map(|e| side(e.attributes.get(attribute), role, accounting))
            .collect()
    };
    Content {
        input: of(names::PROMPT_EVENT, names::PROMPT, "user"),
        output: of(names::COMPLETION_EVENT, names::COMPLETION, "assistant"),
    }
}

/// One attribute per field of a message, or the whole list as JSON under the bare name.
fn indexed(span: &Span, input: &str, output: &str, accounting: &mut Accounting) -> Content {
    let mut one = |name: &str, role: &str| {
        let rebuilt = rebuild(span, name, role, accounting);
        if rebuilt.is_empty() {
            side(span.attributes.get(name), role, accounting)
        } else {
            rebuilt
        }
    };
    Content {
        input: one(input, "user"),
        output: one(output, "assistant"),
    }
}

/// Fields of one message, collected from its attributes.
#[derive(Default)]
struct Slot {
    role: Option<String>,
    content: Vec<Value>,
    parts: BTreeMap<usize, Value>,
    calls: BTreeMap<usize, Value>,
}

fn rebuild(span: &Span, name: &str, role: &str, accounting: &mut Accounting) -> Vec<Value> {
    let mut slots: BTreeMap<usize, Slot> = BTreeMap::new();
    let mut beyond = std::collections::BTreeSet::new();
    for (key, value) in &span.attributes {
        let Some((index, field)) = numbered(key, name) else {
            continue;
        };
        match index.parse::<usize>() {
            Ok(i) if i < MOST_SLOTS => slots.entry(i).or_default().field(field, value, accounting),
            _ => {
                beyond.insert(index);
            }
        }
    }
    accounting
        .units
        .skip_many(Reason::OverLimit, beyond.len() as u64);
    slots.into_values().map(|s| s.message(role)).collect()
}

/// Index and field of `name.N.field` or `name.N.message.field`.
fn numbered<'k>(key: &'k str, name: &str) -> Option<(&'k str, &'k str)> {
    let (index, field) = key.strip_prefix(name)?.strip_prefix('.')?.split_once('.')?;
    let is_number = !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| (index, field.strip_prefix("message.").unwrap_or(field)))
}

impl Slot {
    fn field(&mut self, field: &str, value: &Value, accounting: &mut Accounting) {
        match field {
            "role" => self.role = value.as_str().map(str::to_owned),
            "content" => self.content.extend(parsed(value, accounting)),
            "tool_call_id" => {}
            _ => {
                if let Some((i, _)) = small(field, "tool_calls") {
                    let call = self.calls.entry(i).or_insert_with(|| json!({}));
                    if field.ends_with(".id") {
                        *call = json!({"id": value});
                    }
                } else if let Some((i, rest)) = small(field, "contents")
                    && rest.ends_with("text")
                {
                    self.parts.insert(i, json!({"type": "text", "text": value}));
                }
            }
        }
    }

    fn message(self, role: &str) -> Value {
        let content = self.content.into_iter().flat_map(|v| match v {
            Value::Array(list) => list,
            other => vec![other],
        });
        let content: Vec<Value> = content.chain(self.parts.into_values()).collect();
        let calls: Vec<Value> = self.calls.into_values().collect();
        let role = self.role.as_deref().unwrap_or(role);
        json!({"role": role, "content": content, "tool_calls": calls})
    }
}

fn small<'k>(field: &'k str, list: &str) -> Option<(usize, &'k str)> {
    let (index, rest) = field
        .strip_prefix(list)?
        .strip_prefix('.')?
        .split_once('.')?;
    Some((index.parse().ok().filter(|i| *i < MOST_SLOTS)?, rest))
}
