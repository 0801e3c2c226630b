//! The same words in the three dialects, whole and as streams, and a gateway whose policy is in the test's hand.

use std::net::SocketAddr;
use std::sync::Arc;

use driftlead_gate::Server;
use driftlead_gate::config::{Config, UsageRules};
use driftlead_gate::govern::Governor;
use driftlead_gate::governance::{Govern, Governance};
use driftlead_gate::policy::{Point, Policy};
use serde_json::{Value, json};

use super::{Mock, chunk, json_reply, last_chunk, stream_head};

pub(crate) const CHAT: &str = "/v1/chat/completions";
pub(crate) const MESSAGES: &str = "/v1/messages";
pub(crate) const RESPONSES: &str = "/v1/responses";
pub(crate) const ALICE: &str = "x-driftlead-subject: alice\r\n";

pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) async fn gate(mock: &Mock, change: impl FnOnce(&mut Policy)) -> Gate {
    let folder = tempfile::tempdir().unwrap();
    let mut policy = Policy::at(Point::Transparent);
    change(&mut policy);
    let settings = Govern {
        data: folder.path().to_owned(),
        ..Govern::default()
    };
    let governance = Governance::open(&settings, &policy).unwrap();
    let address = serve(mock, UsageRules::default(), Arc::new(governance)).await;
    Gate { address, folder }
}

pub(crate) async fn serve(
    mock: &Mock,
    usage: UsageRules,
    governor: Arc<dyn Governor>,
) -> SocketAddr {
    let mut config = Config::for_upstream(format!("http://{}", mock.address));
    config.listen.set_port(0);
    config.admin.set_port(0);
    config.usage = usage;
    let server = Server::bind(&config, governor).await.unwrap();
    let address = server.address();
    tokio::spawn(server.run(std::future::pending()));
    address
}

pub(crate) fn shows(policy: &mut Policy) {
    policy.truth.ask = true;
    policy.notice.show = true;
}

/// A text of the gateway's own stands behind the reply's, apart from it, and does not go back to the model.
pub(crate) fn says(words: &str, stream: bool) -> String {
    json!({ "model": "m", "stream": stream, "messages": [{ "role": "user", "content": words }] })
        .to_string()
}

pub(crate) fn sse(events: &[(&str, Value)]) -> String {
    events
        .iter()
        .map(|(name, data)| match *name {
            "" => format!("data: {data}\n\n"),
            name => format!("event: {name}\ndata: {data}\n\n"),
        })
        .collect()
}

pub(crate) fn events_of(body: &[u8]) -> Vec<Value> {
    let mut events = Vec::new();
    driftlead_gate::sse::Reader::new().feed(body, |event| {
        events.extend(serde_json::from_slice::<Value>(event.data));
    });
    events
}

pub(crate) fn tokens(text: &str) -> Vec<String> {
    text.split_inclusive(' ').map(str::to_owned).collect()
}

pub(crate) fn chat_stream(text: &str) -> String {
    let chunk = |delta: Value, finish: Value| {
        json!({ "id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish }] })
    };
    let mut events = vec![(
        "",
        chunk(json!({ "role": "assistant", "content": "" }), Value::Null),
    )];
    for token in tokens(text) {
        events.push(("", chunk(json!({ "content": token }), Value::Null)));
    }
    events.push(("", chunk(json!({}), "stop".into())));
    sse(&events) + "data: [DONE]\n\n"
}

pub(crate) fn messages_stream(text: &str) -> String {
    let mut events = vec![
        (
            "message_start",
            json!({ "type": "message_start", "message": { "id": "m1", "type": "message", "role": "assistant",
                    "model": "m", "content": [], "stop_reason": null,
                    "usage": { "input_tokens": 3, "output_tokens": 1 } } }),
        ),
        (
            "content_block_start",
            json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
        ),
    ];
    for token in tokens(text) {
        events.push((
            "content_block_delta",
            json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": token } }),
        ));
    }
    events.extend([
        ("content_block_stop", json!({ "type": "content_block_stop", "index": 0 })),
        (
            "message_delta",
            json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn", "stop_sequence": null },
                    "usage": { "output_tokens": 9 } }),
        ),
        ("message_stop", json!({ "type": "message_stop" })),
    ]);
    sse(&events)
}

pub(crate) fn responses_stream(text: &str) -> String {
    let part = json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] });
    let item = json!({ "id": "i1", "type": "message", "role": "assistant", "status": "completed", "content": [part] });
    let place = |mut event: Value| {
        event["item_id"] = "i1".into();
        event["output_index"] = 0.into();
        event["content_index"] = 0.into();
        event
    };
    let mut events = vec![
        (
            "response.created",
            json!({ "response": { "id": "r1", "output": [] } }),
        ),
        (
            "response.output_item.added",
            json!({ "output_index": 0, "item": { "id": "i1", "type": "message", "content": [] } }),
        ),
        (
            "response.content_part.added",
            place(json!({ "part": { "type": "output_text", "text": "" } })),
        ),
    ];
    for token in tokens(text) {
        let logprobs = json!([{ "token": token, "logprob": -1.0 }]);
        events.push((
            "response.output_text.delta",
            place(json!({ "delta": token, "logprobs": logprobs })),
        ));
    }
    events.extend([
        (
            "response.output_text.done",
            place(json!({ "text": text, "logprobs": [] })),
        ),
        ("response.content_part.done", place(json!({ "part": part }))),
        (
            "response.output_item.done",
            json!({ "output_index": 0, "item": item }),
        ),
        (
            "response.completed",
            json!({ "response": { "id": "r1", "status": "completed", "output": [item],
                    "usage": { "input_tokens": 3, "output_tokens": 9, "total_tokens": 12 } } }),
        ),
    ]);
    for (number, (name, data)) in events.iter_mut().enumerate() {
        data["type"] = (*name).into();
        data["sequence_number"] = number.into();
    }
    sse(&events)
}

pub(crate) fn whole(path: &str, text: &str) -> Value {
    match path {
        CHAT => json!({ "id": "c1", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": "stop" }],
            "usage": { "prompt_tokens": 3, "completion_tokens": 9, "total_tokens": 12 } }),
        MESSAGES => json!({ "id": "m1", "type": "message", "role": "assistant", "model": "m",
            "content": [{ "type": "text", "text": text }], "stop_reason": "end_turn",
            "usage": { "input_tokens": 3, "output_tokens": 9 } }),
        _ => json!({ "id": "r1", "object": "response", "status": "completed", "model": "m",
            "output": [{ "type": "reasoning", "id": "x", "summary": [] }, { "id": "i1", "type": "message",
            "role": "assistant", "content": [{ "type": "output_text", "text": text, "annotations": [] }] }],
            "usage": { "input_tokens": 3, "output_tokens": 9 } }),
    }
}

pub(crate) fn stream(path: &str, text: &str) -> String {
    match path {
        CHAT => chat_stream(text),
        MESSAGES => messages_stream(text),
        _ => responses_stream(text),
    }
}

/// The shapes of requests, and whether the reply is a stream.
pub(crate) fn body(path: &str, words: &str, stream: bool) -> String {
    if path == RESPONSES {
        return json!({ "model": "m", "stream": stream, "input": words }).to_string();
    }
    says(words, stream)
}

pub(crate) async fn upstream(text: &'static str) -> Mock {
    Mock::start(move |seen| {
        let path = seen.head.split(' ').nth(1).unwrap().to_owned();
        let asked: Value = serde_json::from_slice(&seen.body).unwrap();
        if asked["stream"] != true {
            return json_reply("200 OK", &whole(&path, text).to_string());
        }
        let mut steps = vec![stream_head()];
        for event in stream(&path, text).split_inclusive("\n\n") {
            steps.push(chunk(event.as_bytes()));
        }
        steps.push(last_chunk());
        steps
    })
    .await
}

/// The text that a client puts together, by index of the choice, block or part.
pub(crate) fn joined(path: &str, events: &[Value]) -> String {
    events
        .iter()
        .filter_map(|event| match path {
            CHAT => event["choices"][0]["delta"]["content"].as_str(),
            MESSAGES => event["delta"]["text"].as_str(),
            _ => event["delta"].as_str(),
        })
        .collect()
}

pub(crate) fn whole_text(path: &str, reply: &Value) -> String {
    let parts = match path {
        CHAT => {
            return reply["choices"][0]["message"]["content"]
                .as_str()
                .unwrap()
                .to_owned();
        }
        MESSAGES => &reply["content"],
        _ => &reply["output"][1]["content"],
    };
    let parts = parts.as_array().unwrap();
    parts
        .iter()
        .map(|part| part["text"].as_str().unwrap())
        .collect()
}
