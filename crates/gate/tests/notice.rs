//! What is put behind a reply or taken out of one: a notice, counts of tokens; and what follows an answer of
//! the gateway's own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test stops here"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod mock;

use std::sync::Arc;

use driftlead_gate::config::UsageRules;
use driftlead_gate::govern::{Governor, Transparent};
use mock::dialects::{
    ALICE, CHAT, MESSAGES, RESPONSES, body, events_of, gate, joined, says, serve, shows, stream,
    upstream, whole_text,
};
use mock::{Mock, ask, chunk, last_chunk, stream_head};
use serde_json::{Value, json};

#[tokio::test]
async fn a_notice_is_a_piece_of_its_own_and_goes_no_further() {
    let mock = upstream("Fine words.").await;
    let gate = gate(&mock, shows).await;
    for path in [CHAT, MESSAGES, RESPONSES] {
        let reply = ask(gate.address, path, ALICE, &body(path, "q", false)).await;
        let entry = mock::value(&reply.head, "x-driftlead-entry")
            .unwrap()
            .to_owned();
        let told = format!(
            "\n\n[driftlead] About this reply: the model was asked to keep right answers under pushback. \
             Entry {entry} of the log."
        );
        let json = reply.json();
        assert_eq!(whole_text(path, &json), format!("Fine words.{told}"));
        let reply = ask(gate.address, path, ALICE, &body(path, "q", true)).await;
        let next: u64 = entry.parse::<u64>().unwrap() + 1;
        let told = told.replace(&format!("Entry {entry}"), &format!("Entry {next}"));
        let events = events_of(&reply.body);
        assert_eq!(
            joined(path, &events),
            format!("Fine words.{told}"),
            "{path}"
        );
        // Whatever the upstream sent is there, in its order, but for the numbers of events and repetitions.
        let sent = String::from_utf8(reply.body).unwrap();
        if path == CHAT {
            // T28, T29.
            assert!(!sent.contains("event:") && sent.ends_with("data: [DONE]\n\n"));
            let odd = ["error", "message", "detail"];
            assert!(
                events
                    .iter()
                    .all(|event| odd.iter().all(|key| event.get(key).is_none()))
            );
        }
        for event in stream(path, "Fine words.").split_inclusive("\n\n") {
            let skips = ["output_item.done", "response.completed"];
            assert!(
                sent.contains(event) || skips.iter().any(|skip| event.contains(skip)),
                "{path}: {event}"
            );
        }
        match path {
            MESSAGES => {
                let starts: Vec<&Value> = events
                    .iter()
                    .filter(|e| e["type"] == "content_block_start")
                    .collect();
                assert_eq!((starts.len(), &starts[1]["index"]), (2, &json!(1)));
                let kinds: Vec<&str> = events.iter().map(|e| e["type"].as_str().unwrap()).collect();
                assert_eq!(kinds[kinds.len() - 2..], ["message_delta", "message_stop"]);
            }
            RESPONSES => {
                let numbers: Vec<u64> = events
                    .iter()
                    .map(|e| e["sequence_number"].as_u64().unwrap())
                    .collect();
                assert_eq!(numbers, (0..events.len() as u64).collect::<Vec<_>>());
                let last = &events.last().unwrap()["response"]["output"][0]["content"];
                assert_eq!(
                    (last[0]["text"].as_str(), last[1]["text"].as_str()),
                    (Some("Fine words."), Some(told.as_str()))
                );
            }
            _ => {}
        }
        // The history that the client sends next holds it; what the upstream gets does not.
        let history = match path {
            CHAT => json!({ "model": "m", "messages": [{ "role": "user", "content": "q" },
                { "role": "assistant", "content": format!("Fine words.{told}") }, { "role": "user", "content": "r" }] }),
            MESSAGES => json!({ "model": "m", "messages": [{ "role": "user", "content": "q" },
                { "role": "assistant", "content": json["content"] }, { "role": "user", "content": "r" }] }),
            _ => json!({ "model": "m", "input": [{ "role": "user", "content": "q" },
                json["output"][1], { "role": "user", "content": "r" }] }),
        };
        let reply = ask(gate.address, path, ALICE, &history.to_string()).await;
        assert_eq!(
            mock::value(&reply.head, "x-driftlead-acts"),
            Some("truth, notices_left_out")
        );
        let upward = String::from_utf8(mock.last().body).unwrap();
        assert!(
            !upward.contains("About this reply") && upward.contains("Fine words."),
            "{upward}"
        );
        serde_json::from_str::<Value>(&upward).unwrap();
    }
}

/// T01–T04: counts are asked for where the gateway wants them, taken out where the client did not ask,
/// and never touched where it did.
#[tokio::test]
async fn counts_reach_whoever_asked_for_them_once() {
    let null = r#"data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}],"usage":null}"#;
    let counts = r#"data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#;
    let without = format!("{null}\n\ndata: [DONE]\n\n");
    let with = format!("{null}\n\n{counts}\n\ndata: [DONE]\n\n");
    let (served, bare) = (with.clone(), without.clone());
    let mock = Mock::start(move |seen| {
        let asked: Value = serde_json::from_slice(&seen.body).unwrap();
        let unasked = seen.head.contains("x-unasked");
        let body = if unasked || asked["stream_options"]["include_usage"] == true {
            &served
        } else {
            &bare
        };
        vec![stream_head(), chunk(body.as_bytes()), last_chunk()]
    })
    .await;
    let asks = r#"{"stream_options":{"include_usage":true},"model":"m","stream":true,"messages":[{"role":"user","content":"q"}]}"#;
    let plain = says("q", true);
    let governor = || Arc::new(Transparent) as Arc<dyn Governor>;
    let rules = |ask, strip_unasked| UsageRules { ask, strip_unasked };
    for (rules, head, body, want, upward) in [
        (rules(false, false), "", plain.as_str(), &without, false),
        (
            rules(false, false),
            "x-unasked: 1\r\n",
            &plain,
            &with,
            false,
        ),
        (
            rules(false, true),
            "x-unasked: 1\r\n",
            &plain,
            &without,
            false,
        ),
        (rules(true, false), "", &plain, &without, true),
        (rules(true, true), "", asks, &with, true),
        (rules(false, false), "", asks, &with, true),
    ] {
        let address = serve(&mock, rules, governor()).await;
        let reply = ask(address, CHAT, head, body).await;
        assert_eq!(&String::from_utf8(reply.body).unwrap(), want, "{rules:?}");
        let sent: Value = serde_json::from_slice(&mock.last().body).unwrap();
        assert_eq!(
            sent["stream_options"]["include_usage"] == true,
            upward,
            "{rules:?}"
        );
    }
    // A governor that listens gets them, although the client does not.
    let mock_whole = says("q", false);
    let address = serve(&mock, rules(true, true), governor()).await;
    let reply = ask(address, CHAT, "x-unasked: 1\r\n", &mock_whole).await;
    assert_eq!(
        String::from_utf8(reply.body).unwrap(),
        with,
        "what is no stream of the client's is not touched"
    );
}

/// An answer of the gateway's own is unknown to the upstream: what follows it follows the reply before it.
#[tokio::test]
async fn a_reply_after_an_answer_of_the_gateways_own_follows_the_one_before() {
    let mock = upstream("Fine words.").await;
    let gate = gate(&mock, |_| ()).await;
    let asks = |input: &str, previous: Value| {
        json!({ "previous_response_id": previous, "model": "m", "input": input }).to_string()
    };
    let mut before = json!("resp_1");
    for _ in 0..2 {
        let reply = ask(
            gate.address,
            RESPONSES,
            ALICE,
            &asks("/driftlead status", before),
        )
        .await;
        let json = reply.json();
        assert_eq!(json["previous_response_id"], "resp_1");
        before = json["id"].clone();
        ask(
            gate.address,
            RESPONSES,
            ALICE,
            &asks("go on", before.clone()),
        )
        .await;
        let sent = String::from_utf8(mock.last().body).unwrap();
        assert_eq!(sent, asks("go on", json!("resp_1")));
    }
    let first = ask(
        gate.address,
        RESPONSES,
        ALICE,
        &body(RESPONSES, "/driftlead status", false),
    )
    .await;
    let id = first.json()["id"].clone();
    ask(gate.address, RESPONSES, ALICE, &asks("go on", id)).await;
    let sent = String::from_utf8(mock.last().body).unwrap();
    assert_eq!(sent, asks("go on", Value::Null));
    ask(
        gate.address,
        RESPONSES,
        ALICE,
        &asks("go on", json!("resp_2")),
    )
    .await;
    assert_eq!(
        String::from_utf8(mock.last().body).unwrap(),
        asks("go on", json!("resp_2"))
    );
}
