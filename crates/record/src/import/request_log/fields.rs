//! Where loggers put things. Names are those of the OpenAI interface and of loggers that are common
//! in front of it (LiteLLM, Helicone, plain proxies).

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::Time;
use crate::import::message::first;
use crate::when::{Clock, Stamp};

/// Person ids. Keys of an interface are left out on purpose: a shared key is not a person.
pub(super) const PERSON: &[&str] = &[
    "user_id",
    "userId",
    "end_user",
    "end_user_id",
    "metadata.user_id",
    "metadata.userId",
    "metadata.user_api_key_end_user_id",
    "request.user_id",
    "properties.user_id",
    "user",
];
pub(super) const PERSON_OF_REQUEST: &[&str] = &[
    "user",
    "safety_identifier",
    "metadata.user_id",
    "metadata.userId",
];

pub(super) const CONVERSATION: &[&str] = &[
    "conversation_id",
    "conversationId",
    "session_id",
    "sessionId",
    "thread_id",
    "litellm_session_id",
    "metadata.conversation_id",
    "metadata.session_id",
    "metadata.thread_id",
    "properties.Helicone-Session-Id",
    "request_properties.Helicone-Session-Id",
    "conversation.id",
    "conversation",
];

pub(super) const ASKED: &[&str] = &[
    "request_time",
    "request_created_at",
    "startTime",
    "start_time",
    "timestamp",
    "time",
    "created_at",
    "createdAt",
    "ts",
];
pub(super) const ANSWERED: &[&str] = &[
    "response_time",
    "response_created_at",
    "endTime",
    "end_time",
    "completed_at",
];
pub(super) const CREATED: &[&str] = &["created", "created_at"];

/// Request bodies, best first; the line itself comes last.
const REQUESTS: &[&[&str]] = &[
    &["request", "body"],
    &["request"],
    &["request_body"],
    &["requestBody"],
    &["body"],
    &["kwargs"],
    &[],
];
const RESPONSES: &[&[&str]] = &[
    &["response", "body"],
    &["response"],
    &["response_body"],
    &["responseBody"],
    &["completion"],
    &[],
];

/// An object, also where it is written as JSON inside a string.
fn object<'v>(line: &'v Value, path: &[&str]) -> Option<Cow<'v, Value>> {
    match path.iter().try_fold(line, |at, key| at.get(*key))? {
        Value::String(inner) => {
            let value: Value = serde_json::from_str(inner).ok()?;
            value.is_object().then_some(Cow::Owned(value))
        }
        value => value.is_object().then_some(Cow::Borrowed(value)),
    }
}

/// The request body: what holds messages.
pub(super) fn request(line: &Value) -> Option<Cow<'_, Value>> {
    REQUESTS
        .iter()
        .filter_map(|path| object(line, path))
        .find(|body| !messages(body).is_empty())
}

/// The response body: what holds choices or output, or stands where a response would.
pub(super) fn response(line: &Value) -> Option<Cow<'_, Value>> {
    let named = RESPONSES
        .iter()
        .filter_map(|path| object(line, path).map(|o| (o, path)));
    let mut fallback = None;
    for (body, path) in named {
        if !choices(&body).is_empty() {
            return Some(body);
        }
        // The line itself is a response only where it says so.
        let says_so = ["choices", "usage"]
            .iter()
            .any(|k| body.get(k).is_some_and(|v| !v.is_null()));
        if fallback.is_none() && (!path.is_empty() || says_so) {
            fallback = Some(body);
        }
    }
    fallback
}

/// Messages of a request body.
pub(super) fn messages(body: &Value) -> Vec<&Value> {
    let mut all = Vec::new();
    for key in ["messages", "input"] {
        match body.get(key) {
            Some(Value::Array(list)) if list.iter().any(Value::is_object) => {
                all.extend(list);
                return all;
            }
            Some(text @ Value::String(_)) if key == "input" => {
                all.push(text);
                return all;
            }
            _ => {}
        }
    }
    all
}

/// Messages of a response body, in order of their index.
pub(super) fn choices(body: &Value) -> Vec<&Value> {
    if let Some(Value::Array(choices)) = body.get("choices") {
        let mut list: Vec<&Value> = choices.iter().filter(|c| c.is_object()).collect();
        list.sort_by_key(|c| c.get("index").and_then(Value::as_u64).unwrap_or(0));
        return list
            .into_iter()
            .filter_map(|c| ["message", "text"].into_iter().find_map(|k| c.get(k)))
            .filter(|m| m.is_object() || m.is_string())
            .collect();
    }
    if let Some(Value::Array(output)) = body.get("output") {
        let is_message = |v: &&Value| v.get("type").and_then(Value::as_str) == Some("message");
        return output.iter().filter(is_message).collect();
    }
    let is_one = body.get("role").is_some() && body.get("content").is_some();
    if is_one { vec![body] } else { Vec::new() }
}

/// Settings that make an answer another system's answer (formats.md §2.6).
pub(super) fn settings(body: &Value) -> Option<Arc<str>> {
    let mut words = String::new();
    for key in [
        "temperature",
        "top_p",
        "seed",
        "reasoning_effort",
        "max_tokens",
    ] {
        if let Some(value) = body.get(key).filter(|v| v.is_number() || v.is_string()) {
            words.push_str(&format!("{key}={value};"));
        }
    }
    (!words.is_empty()).then(|| Arc::from(words))
}

/// The first time among some fields.
pub(super) fn time(value: &Value, fields: &[&str], clock: Clock<'_>) -> Option<Time> {
    let found = first(value, fields)?;
    Stamp::deserialize(found).ok()?.time(clock)
}
