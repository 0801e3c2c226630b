//! The shape of `POST /v1/responses`.

use serde_json::{Value, json};

use super::{Answer, with_notice};

/// The whole reply.
pub(super) fn whole(answer: &Answer<'_>, notice: Option<Value>) -> Value {
    with_notice(response(answer, true), notice)
}

/// The same as a stream of typed events, each with its number.
pub(super) fn stream(answer: &Answer<'_>, notice: Option<Value>) -> String {
    let id = message_id(answer);
    let events = [
        (
            "response.created",
            json!({ "response": with_notice(response(answer, false), notice) }),
        ),
        (
            "response.in_progress",
            json!({ "response": response(answer, false) }),
        ),
        (
            "response.output_item.added",
            json!({ "output_index": 0, "item": item(answer, false) }),
        ),
        (
            "response.content_part.added",
            json!({ "item_id": id, "output_index": 0, "content_index": 0, "part": part("") }),
        ),
        (
            "response.output_text.delta",
            json!({ "item_id": id, "output_index": 0, "content_index": 0, "delta": answer.text,
                    "logprobs": [] }),
        ),
        (
            "response.output_text.done",
            json!({ "item_id": id, "output_index": 0, "content_index": 0, "text": answer.text,
                    "logprobs": [] }),
        ),
        (
            "response.content_part.done",
            json!({ "item_id": id, "output_index": 0, "content_index": 0,
                    "part": part(answer.text) }),
        ),
        (
            "response.output_item.done",
            json!({ "output_index": 0, "item": item(answer, true) }),
        ),
        (last(answer), json!({ "response": response(answer, true) })),
    ];
    let mut out = String::new();
    for (number, (name, mut data)) in events.into_iter().enumerate() {
        if let Some(map) = data.as_object_mut() {
            map.insert("type".to_owned(), name.into());
            map.insert("sequence_number".to_owned(), number.into());
        }
        out.push_str(&format!("event: {name}\ndata: {data}\n\n"));
    }
    out
}

fn last(answer: &Answer<'_>) -> &'static str {
    if answer.blocked {
        "response.incomplete"
    } else {
        "response.completed"
    }
}

fn message_id(answer: &Answer<'_>) -> String {
    format!("msg_{}", answer.id())
}

fn part(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [] })
}

fn item(answer: &Answer<'_>, done: bool) -> Value {
    let content = if done {
        json!([part(answer.text)])
    } else {
        json!([])
    };
    json!({
        "id": message_id(answer),
        "type": "message",
        "role": "assistant",
        "status": if done { "completed" } else { "in_progress" },
        "content": content,
    })
}

fn response(answer: &Answer<'_>, done: bool) -> Value {
    let status = match (done, answer.blocked) {
        (false, _) => "in_progress",
        (true, false) => "completed",
        (true, true) => "incomplete",
    };
    let output = if done {
        json!([item(answer, true)])
    } else {
        json!([])
    };
    let details = if done && answer.blocked {
        json!({ "reason": "content_filter" })
    } else {
        Value::Null
    };
    // No model was asked.
    let usage = if done {
        json!({ "input_tokens": 0, "input_tokens_details": { "cached_tokens": 0 },
                "output_tokens": 0, "output_tokens_details": { "reasoning_tokens": 0 },
                "total_tokens": 0 })
    } else {
        Value::Null
    };
    json!({
        "id": answer.id(),
        "object": "response",
        "created_at": answer.now_micros.div_euclid(1_000_000),
        "status": status,
        "error": null,
        "incomplete_details": details,
        "instructions": null,
        "metadata": {},
        "model": answer.model,
        "output": output,
        "parallel_tool_calls": true,
        "previous_response_id": answer.previous,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage,
    })
}
