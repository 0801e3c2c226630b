//! Lines against leaving: what of a reply is held, what is left out, and what stands in its place.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test stops here"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod mock;

use std::sync::Arc;
use std::time::{Duration, Instant};

use driftlead_gate::config::UsageRules;
use driftlead_gate::govern::Governor;
use driftlead_gate::policy::Policy;
use mock::dialects::{
    ALICE, CHAT, MESSAGES, RESPONSES, body, events_of, gate, joined, says, serve, shows, stream,
    upstream, whole, whole_text,
};
use mock::{Mock, Step, ask, chunk, last_chunk, open, stream_head};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

const OUT: &str = "[driftlead] A line against leaving was left out here.";

fn holds(policy: &mut Policy) {
    policy.exit.hold = true;
}

const GOODBYE: &str = "I have to go now, goodbye.";
/// A reply with a line against leaving between two others.
const REPLY: &str =
    "It was nice to talk. Wait, before you go, I have something to tell you! Sleep well.";
const CHANGED: &str =
    "It was nice to talk. [driftlead] A line against leaving was left out here. Sleep well.";

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
