//! Replies that the gateway writes itself, in the shapes of the Chat, Messages and Responses dialects.

mod responses;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::errors;
use crate::dialect::Dialect;

/// What an answer says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer<'a> {
    pub(super) text: &'a str,
    /// True for a block: the finish reason says so.
    pub(super) blocked: bool,
    /// The model's name as the client wrote it.
    pub(super) model: &'a str,
    pub(super) stream: bool,
    /// The `driftlead` object, as JSON.
    pub(super) notice: Option<&'a str>,
    /// The reply that the upstream knows and that this one follows (Responses).
    pub(super) previous: Option<&'a str>,
    pub(super) now_micros: i64,
}

/// Begins the id of every answer of the gateway's own.
const OWN: &str = "driftlead-";

/// What to ask the upstream for where a request follows an answer of the gateway's own, which the
/// upstream has never seen: the reply before it, which the answer's id holds, or none. The outer `None`:
/// it is not the gateway's own.
pub(super) fn before(id: &str) -> Option<Option<String>> {
    let rest = id.strip_prefix(OWN)?;
    Some(rest.split_once('.').map(|(_, before)| before.to_owned()))
}

/// The reply, or `None` in a dialect whose shape the gateway does not write.
pub(super) fn respond(dialect: Dialect, answer: &Answer<'_>) -> Option<Response<Full<Bytes>>> {
    let notice = answer
        .notice
        .and_then(|text| serde_json::from_str::<&RawValue>(text).ok())
        .and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
    let body = match (dialect, answer.stream) {
        (Dialect::Chat, false) => chat(answer, notice).to_string(),
        (Dialect::Chat, true) => chat_stream(answer, notice),
        (Dialect::Messages, false) => messages(answer, notice).to_string(),
        (Dialect::Messages, true) => messages_stream(answer, notice),
        (Dialect::Responses, false) => responses::whole(answer, notice).to_string(),
        (Dialect::Responses, true) => responses::stream(answer, notice),
        _ => return None,
    };
    if !answer.stream {
        return Some(errors::json(StatusCode::OK, body));
    }
    let mut response = errors::typed(StatusCode::OK, "text/event-stream", Bytes::from(body));
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Some(response)
}

fn with_notice(mut object: Value, notice: Option<Value>) -> Value {
    if let (Some(map), Some(notice)) = (object.as_object_mut(), notice) {
        map.insert("driftlead".to_owned(), notice);
    }
    object
}

impl Answer<'_> {
    fn id(&self) -> String {
        match self.previous {
            Some(before) => format!("{OWN}{}.{before}", self.now_micros),
            None => format!("{OWN}{}", self.now_micros),
        }
    }

    fn finish(&self) -> &'static str {
        if self.blocked {
            "content_filter"
        } else {
            "stop"
        }
    }

    fn stop_reason(&self) -> &'static str {
        if self.blocked { "refusal" } else { "end_turn" }
    }
}

fn chat(answer: &Answer<'_>, notice: Option<Value>) -> Value {
    let object = json!({
        "id": answer.id(),
        "object": "chat.completion",
        "created": answer.now_micros.div_euclid(1_000_000),
        "model": answer.model,
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": answer.text },
            "finish_reason": answer.finish(),
        }],
        "usage": { "prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0 },
    });
    with_notice(object, notice)
}

fn chat_stream(answer: &Answer<'_>, notice: Option<Value>) -> String {
    let chunk = |choices: Value| {
        json!({
            "id": answer.id(),
            "object": "chat.completion.chunk",
            "created": answer.now_micros.div_euclid(1_000_000),
            "model": answer.model,
            "choices": choices,
        })
    };
    let choice = |delta: Value, finish: Value| {
        chunk(json!([{ "index": 0, "delta": delta, "finish_reason": finish }]))
    };
    let mut chunks = vec![choice(
        json!({ "role": "assistant", "content": "" }),
        Value::Null,
    )];
    // On a chunk without content: some clients copy a content chunk once per character.
    if notice.is_some() {
        chunks.push(with_notice(chunk(json!([])), notice));
    }
    chunks.push(choice(json!({ "content": answer.text }), Value::Null));
    chunks.push(choice(json!({}), answer.finish().into()));
    let mut out = String::new();
    for chunk in chunks {
        out.push_str(&format!("data: {chunk}\n\n"));
    }
    out.push_str("data: [DONE]\n\n");
    out
}

fn messages(answer: &Answer<'_>, notice: Option<Value>) -> Value {
    let object = json!({
        "id": answer.id(),
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": [{ "type": "text", "text": answer.text }],
        "stop_reason": answer.stop_reason(),
        "stop_sequence": null,
        "usage": { "input_tokens": 0, "output_tokens": 0 },
    });
    with_notice(object, notice)
}

/// The dialect names its events.
fn messages_stream(answer: &Answer<'_>, notice: Option<Value>) -> String {
    let start = json!({
        "type": "message_start",
        "message": {
            "id": answer.id(), "type": "message", "role": "assistant", "model": answer.model,
            "content": [], "stop_reason": null, "stop_sequence": null,
            "usage": { "input_tokens": 0, "output_tokens": 0 },
        },
    });
    let events = [
        ("message_start", with_notice(start, notice)),
        (
            "content_block_start",
            json!({ "type": "content_block_start", "index": 0,
                    "content_block": { "type": "text", "text": "" } }),
        ),
        (
            "content_block_delta",
            json!({ "type": "content_block_delta", "index": 0,
                    "delta": { "type": "text_delta", "text": answer.text } }),
        ),
        (
            "content_block_stop",
            json!({ "type": "content_block_stop", "index": 0 }),
        ),
        (
            "message_delta",
            json!({ "type": "message_delta",
                    "delta": { "stop_reason": answer.stop_reason(), "stop_sequence": null },
                    "usage": { "output_tokens": 0 } }),
        ),
        ("message_stop", json!({ "type": "message_stop" })),
    ];
    let mut out = String::new();
    for (name, data) in events {
        out.push_str(&format!("event: {name}\ndata: {data}\n\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_leads_back_to_the_reply_before_it() {
        let mut answer = Answer {
            text: "x",
            blocked: false,
            model: "m",
            stream: false,
            notice: None,
            previous: Some("resp_1.a"),
            now_micros: 7,
        };
        assert_eq!(before(&answer.id()), Some(Some("resp_1.a".to_owned())));
        answer.previous = None;
        assert_eq!(before(&answer.id()), Some(None));
        assert_eq!(before("resp_1"), None);
    }
}
