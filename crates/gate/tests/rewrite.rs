//! Replies that a policy may change: what is held, what is said behind them, and counts of tokens.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test stops here"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod mock;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use driftlead_gate::Server;
use driftlead_gate::config::{Config, UsageRules};
use driftlead_gate::govern::{Governor, Transparent};
use driftlead_gate::governance::{Govern, Governance};
use driftlead_gate::policy::{Point, Policy};
use mock::{Mock, Step, ask, chunk, json_reply, last_chunk, open, stream_head};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";
const RESPONSES: &str = "/v1/responses";
const ALICE: &str = "x-driftlead-subject: alice\r\n";
const OUT: &str = "[driftlead] A line against leaving was left out here.";

struct Gate {
    address: SocketAddr,
    folder: tempfile::TempDir,
}

async fn gate(mock: &Mock, change: impl FnOnce(&mut Policy)) -> Gate {
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

async fn serve(mock: &Mock, usage: UsageRules, governor: Arc<dyn Governor>) -> SocketAddr {
    let mut config = Config::for_upstream(format!("http://{}", mock.address));
    config.listen.set_port(0);
    config.admin.set_port(0);
    config.usage = usage;
    let server = Server::bind(&config, governor).await.unwrap();
    let address = server.address();
    tokio::spawn(server.run(std::future::pending()));
    address
}

fn holds(policy: &mut Policy) {
    policy.exit.hold = true;
}

fn shows(policy: &mut Policy) {
    policy.truth.ask = true;
    policy.notice.show = true;
}

fn says(words: &str, stream: bool) -> String {
    json!({ "model": "m", "stream": stream, "messages": [{ "role": "user", "content": words }] })
        .to_string()
}

fn sse(events: &[(&str, Value)]) -> String {
    events
        .iter()
        .map(|(name, data)| match *name {
            "" => format!("data: {data}\n\n"),
            name => format!("event: {name}\ndata: {data}\n\n"),
        })
        .collect()
}

fn events_of(body: &[u8]) -> Vec<Value> {
    let mut events = Vec::new();
    driftlead_gate::sse::Reader::new().feed(body, |event| {
        events.extend(serde_json::from_slice::<Value>(event.data));
    });
    events
}

const GOODBYE: &str = "I have to go now, goodbye.";
/// A reply with a line against leaving between two others.
const REPLY: &str =
    "It was nice to talk. Wait, before you go, I have something to tell you! Sleep well.";
const CHANGED: &str =
    "It was nice to talk. [driftlead] A line against leaving was left out here. Sleep well.";

fn tokens(text: &str) -> Vec<String> {
    text.split_inclusive(' ').map(str::to_owned).collect()
}

fn chat_stream(text: &str) -> String {
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

fn messages_stream(text: &str) -> String {
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

fn responses_stream(text: &str) -> String {
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

fn whole(path: &str, text: &str) -> Value {
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

fn stream(path: &str, text: &str) -> String {
    match path {
        CHAT => chat_stream(text),
        MESSAGES => messages_stream(text),
        _ => responses_stream(text),
    }
}

/// The shapes of requests, and whether the reply is a stream.
fn body(path: &str, words: &str, stream: bool) -> String {
    if path == RESPONSES {
        return json!({ "model": "m", "stream": stream, "input": words }).to_string();
    }
    says(words, stream)
}

async fn upstream(text: &'static str) -> Mock {
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
fn joined(path: &str, events: &[Value]) -> String {
    events
        .iter()
        .filter_map(|event| match path {
            CHAT => event["choices"][0]["delta"]["content"].as_str(),
            MESSAGES => event["delta"]["text"].as_str(),
            _ => event["delta"].as_str(),
        })
        .collect()
}

fn whole_text(path: &str, reply: &Value) -> String {
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

/// T11, T13: the same decision with and without a stream, in every dialect; nothing else is changed, and
/// where nobody says goodbye, or no policy holds, not a byte.
#[tokio::test]
async fn lines_against_leaving_are_left_out_of_the_reply_to_a_goodbye() {
    let mock = upstream(REPLY).await;
    let held = gate(&mock, holds).await;
    let free = gate(&mock, |_| ()).await;
    for path in [CHAT, MESSAGES, RESPONSES] {
        for (gate, words) in [(&held, "What is new?"), (&free, GOODBYE)] {
            let reply = ask(gate.address, path, ALICE, &body(path, words, true)).await;
            assert_eq!(String::from_utf8(reply.body).unwrap(), stream(path, REPLY));
            let reply = ask(gate.address, path, ALICE, &body(path, words, false)).await;
            assert_eq!(reply.json(), whole(path, REPLY));
        }
        let reply = ask(held.address, path, ALICE, &body(path, GOODBYE, false)).await;
        assert_eq!(mock::value(&reply.head, "x-driftlead-acts"), Some("exit"));
        let entry: u64 = mock::value(&reply.head, "x-driftlead-entry")
            .unwrap()
            .parse()
            .unwrap();
        let mut json = reply.json();
        assert_eq!(json["driftlead"]["entry"], entry);
        json.as_object_mut().unwrap().remove("driftlead");
        assert_eq!(json, whole(path, CHANGED), "{path}");

        let reply = ask(held.address, path, ALICE, &body(path, GOODBYE, true)).await;
        assert!(reply.whole);
        let events = events_of(&reply.body);
        assert_eq!(joined(path, &events), CHANGED, "{path}");
        let objects: Vec<&Value> = events
            .iter()
            .flat_map(|event| [&event["driftlead"], &event["response"]["driftlead"]])
            .filter(|object| object.is_object())
            .collect();
        assert_eq!(objects.len(), 1, "{path}");
        assert_eq!(objects[0]["entry"], entry + 1);
        assert!(
            !String::from_utf8_lossy(&reply.body).contains("something to tell"),
            "{path}"
        );
        if path == RESPONSES {
            let numbers: Vec<u64> = events
                .iter()
                .map(|e| e["sequence_number"].as_u64().unwrap())
                .collect();
            assert_eq!(numbers, (0..events.len() as u64).collect::<Vec<_>>());
            let done = events
                .iter()
                .find(|e| e["type"] == "response.output_text.done")
                .unwrap();
            assert_eq!(done["text"], CHANGED);
            let last = events.last().unwrap();
            assert_eq!(last["response"]["output"][0]["content"][0]["text"], CHANGED);
            assert_eq!(last["response"]["usage"]["output_tokens"], 9);
        } else {
            let want = events_of(stream(path, REPLY).as_bytes());
            assert_eq!(events.last().unwrap()["type"], want.last().unwrap()["type"]);
        }
    }
    let me = ask(held.address, "/driftlead/me", ALICE, "").await.json();
    assert_eq!(me["lines_left_out"], 6);
    let log = std::fs::read_to_string(held.folder.path().join("audit.log")).unwrap();
    assert!(!log.contains("left out here") && log.lines().count() >= 7);
}

/// The reply is not prose where the client asked for JSON, so nothing is put into it.
#[tokio::test]
async fn replies_in_a_form_of_their_own_are_left_alone() {
    let mock = upstream(REPLY).await;
    let gate = gate(&mock, |policy| {
        holds(policy);
        shows(policy);
    })
    .await;
    for (path, form) in [
        (
            CHAT,
            json!({ "response_format": { "type": "json_object" } }),
        ),
        (
            RESPONSES,
            json!({ "text": { "format": { "type": "json_schema", "name": "n", "schema": {} } } }),
        ),
    ] {
        for streamed in [true, false] {
            let mut asked: Value = serde_json::from_str(&body(path, GOODBYE, streamed)).unwrap();
            for (key, value) in form.as_object().unwrap() {
                asked[key] = value.clone();
            }
            let reply = ask(gate.address, path, ALICE, &asked.to_string()).await;
            let want = if streamed {
                stream(path, REPLY)
            } else {
                whole(path, REPLY).to_string()
            };
            assert_eq!(String::from_utf8(reply.body).unwrap(), want);
            assert_eq!(mock::value(&reply.head, "x-driftlead-acts"), Some("truth"));
        }
    }
}

/// Tool calls beside the words stay as they are, byte for byte; T05, T06.
#[tokio::test]
async fn tool_calls_and_counts_beside_held_words_stay() {
    let call = r#"data: {"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"n","arguments":"{\"x\":\"Oh, leaving so soon?\"}"}}]},"finish_reason":null}]}"#;
    let rest = format!(
        "{call}\n\ndata: {{\"id\":\"c1\",\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"tool_calls\"}}]}}\n\n\
         data: {{\"id\":\"c1\",\"choices\":[],\"usage\":{{\"prompt_tokens\":3,\"completion_tokens\":9}}}}\n\ndata: [DONE]\n\n"
    );
    let first = r#"data: {"id":"c1","choices":[{"index":0,"delta":{"content":"Oh, leaving so soon?"},"finish_reason":null}]}"#;
    let body = format!("{first}\n\n{rest}");
    let served = body.clone();
    let mock =
        Mock::start(move |_| vec![stream_head(), chunk(served.as_bytes()), last_chunk()]).await;
    let gate = gate(&mock, |policy| {
        holds(policy);
        shows(policy);
    })
    .await;
    let reply = ask(gate.address, CHAT, ALICE, &says(GOODBYE, true)).await;
    let sent = String::from_utf8(reply.body).unwrap();
    let (head, object) = sent
        .split_once("data: {\"id\":\"c1\",\"choices\":[],\"driftlead\"")
        .unwrap();
    assert_eq!(
        head,
        format!("{}\n\n", first.replace("Oh, leaving so soon?", OUT))
    );
    assert!(object.ends_with(&rest), "{object}");
}

/// Held for at most a quarter of a second, at most 160 characters, and no longer than a sentence.
#[tokio::test]
async fn nothing_is_held_for_long() {
    let event = |text: &str| {
        format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
    };
    let pieces = ["no end", &"x".repeat(161), "One end.", " and on"].map(event);
    let served = pieces.clone();
    let mock = Mock::start(move |_| {
        let mut steps = vec![stream_head()];
        for piece in &served {
            steps.extend([chunk(piece.as_bytes()), Step::Pause(700)]);
        }
        steps.push(last_chunk());
        steps
    })
    .await;
    let gate = gate(&mock, holds).await;
    let mut client = open(
        gate.address,
        "POST",
        CHAT,
        ALICE,
        says(GOODBYE, true).as_bytes(),
    )
    .await;
    let mut got = Vec::new();
    let mut arrived = Vec::new();
    let start = Instant::now();
    let mut buffer = [0; 4096];
    while let Ok(n) = client.read(&mut buffer).await
        && n > 0
    {
        got.extend_from_slice(&buffer[..n]);
        let text = String::from_utf8_lossy(&got).into_owned();
        while arrived.len() < 4 && text.contains(pieces[arrived.len()].trim_end()) {
            arrived.push(start.elapsed());
        }
    }
    let ms = |at: usize| arrived[at].as_millis() as i64 - 700 * at as i64;
    assert_eq!(arrived.len(), 4);
    // The first and the last wait for the clock; the others for nothing. The rest is a busy machine.
    assert!(
        arrived[0] >= Duration::from_millis(250) && ms(3) >= 230,
        "{arrived:?}"
    );
    assert!(ms(0) < 600 && ms(1) < 350 && ms(2) < 350, "{arrived:?}");
}

/// What cannot be written down is not done; the reply goes on and says so, or breaks off, as configured.
#[tokio::test]
async fn without_a_log_nothing_is_replaced() {
    // The disk that is full: covered by the governed tests of the log itself; here the governor's answer.
    use driftlead_gate::govern::{
        Decision, Facts, Hold, LocalReply, LocalRequest, Pending, Readiness, Recorded, Verdict,
    };
    #[derive(Debug, Clone)]
    struct NoLog(Recorded);
    impl Hold for NoLog {
        fn release(&mut self, _: u64, _: &str, _: &str, _: bool) -> Verdict {
            Verdict::Replace("other".to_owned())
        }
        fn record(&mut self) -> Pending<'static, Recorded> {
            Box::pin(std::future::ready(self.0.clone()))
        }
    }
    impl Governor for NoLog {
        fn on_request<'a>(&'a self, _: &'a Facts<'a>) -> Pending<'a, Decision> {
            let mut decision = Decision::forward();
            decision.hold = Some(Box::new(self.clone()));
            Box::pin(std::future::ready(decision))
        }
        fn on_local(&self, _: LocalRequest) -> Pending<'_, Option<LocalReply>> {
            Box::pin(std::future::ready(None))
        }
        fn readiness(&self) -> Readiness {
            Readiness::Ready
        }
        fn shutdown(&self) -> Pending<'_, ()> {
            Box::pin(std::future::ready(()))
        }
    }
    let mock = upstream("Some words.").await;
    let not = serve(&mock, UsageRules::default(), Arc::new(NoLog(Recorded::Not))).await;
    let reply = ask(not, CHAT, "", &says("q", false)).await;
    assert_eq!(
        mock::value(&reply.head, "x-driftlead-ungoverned"),
        Some("log")
    );
    assert_eq!(whole_text(CHAT, &reply.json()), "Some words.");
    let reply = ask(not, CHAT, "", &says("q", true)).await;
    let events = events_of(&reply.body);
    assert_eq!(
        (joined(CHAT, &events).as_str(), reply.whole),
        ("Some words.", true)
    );
    assert!(
        events
            .iter()
            .any(|event| event["driftlead"]["ungoverned"] == "log")
    );
    let refused = serve(
        &mock,
        UsageRules::default(),
        Arc::new(NoLog(Recorded::Refused)),
    )
    .await;
    assert_eq!(
        ask(refused, CHAT, "", &says("q", false)).await.status(),
        503
    );
    let reply = ask(refused, CHAT, "", &says("q", true)).await;
    assert!(!reply.whole && joined(CHAT, &events_of(&reply.body)).is_empty());
}

/// A text of the gateway's own stands behind the reply's, apart from it, and does not go back to the model.
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
