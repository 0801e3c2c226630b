//! What a governor decides is what happens on the wire.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test stops here"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod mock;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use driftlead_gate::Server;
use driftlead_gate::config::{Config, Limits};
use driftlead_gate::govern::{
    Action, Decision, Edits, Facts, Governor, LocalReply, LocalRequest, Pending, Readiness,
    ReplyEnd, Tap,
};
use mock::{Mock, Step, ask, chunk, json_reply, last_chunk, open, stream_head};

const CHAT: &str = "/v1/chat/completions";

/// Does what the newest turn says, and writes down what it sees.
#[derive(Debug, Default, Clone)]
struct Obedient(Arc<Mutex<Vec<String>>>);

impl Tap for Obedient {
    fn text(&mut self, choice: u32, text: &str) {
        self.0.lock().unwrap().push(format!("{choice}:{text}"));
    }

    fn end(self: Box<Self>, end: &ReplyEnd) {
        let line = format!("{:?} {} {:?}", end.cause, end.status, end.finish);
        self.0.lock().unwrap().push(line);
    }
}

impl Governor for Obedient {
    fn on_request<'a>(&'a self, facts: &'a Facts<'a>) -> Pending<'a, Decision> {
        let turn = facts.newest_user_turn().and_then(|turn| turn.only_text());
        let mut decision = Decision::forward();
        decision.tap = Some(Box::new(self.clone()));
        decision.notice = Some(r#"{"ask":"a"}"#.to_owned());
        match turn.as_deref() {
            Some("edit") => {
                decision.action = Action::Forward(Edits {
                    system: vec!["be brief".into()],
                    ..Edits::default()
                });
                decision.acted = true;
                decision.headers = vec![("x-driftlead-acted", "edit".into())];
            }
            Some("answer") => decision.action = Action::Answer("A \"q\"".into()),
            Some("block") => decision.action = Action::Block("[withheld]".into()),
            _ => {}
        }
        Box::pin(std::future::ready(decision))
    }

    fn on_local(&self, request: LocalRequest) -> Pending<'_, Option<LocalReply>> {
        let reply = (request.path == "/driftlead/me").then(|| LocalReply {
            status: hyper::StatusCode::OK,
            content_type: "text/plain",
            body: request
                .subject
                .map(|s| s.id().to_owned())
                .unwrap_or_default()
                .into(),
        });
        Box::pin(std::future::ready(reply))
    }

    fn readiness(&self) -> Readiness {
        Readiness::NotReady("no log".into())
    }

    fn shutdown(&self) -> Pending<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

async fn governed(mock: &Mock) -> (std::net::SocketAddr, std::net::SocketAddr, Obedient) {
    within(mock, Limits::default()).await
}

async fn within(
    mock: &Mock,
    limits: Limits,
) -> (std::net::SocketAddr, std::net::SocketAddr, Obedient) {
    let mut config = Config::for_upstream(format!("http://{}", mock.address));
    config.listen.set_port(0);
    config.admin.set_port(0);
    config.limits = limits;
    let governor = Obedient::default();
    let server = Server::bind(&config, Arc::new(governor.clone()))
        .await
        .unwrap();
    let (address, admin) = (server.address(), server.admin_address());
    tokio::spawn(server.run(std::future::pending()));
    (address, admin, governor)
}

fn says(word: &str, stream: bool) -> String {
    format!(
        r#"{{"zz":1.50,"model":"m","stream":{stream},"messages":[{{"role":"user","content":"{word}"}}]}}"#
    )
}

impl Obedient {
    /// What was written down, once the last end is there.
    async fn lines(&self, ends: usize) -> Vec<String> {
        for _ in 0..1000 {
            let lines = self.0.lock().unwrap().clone();
            if lines
                .iter()
                .filter(|line| line.contains(" Some(") || line.contains(" None"))
                .count()
                >= ends
            {
                return lines;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the end was not told: {:?}", self.0.lock().unwrap());
    }
}

#[tokio::test]
async fn edits_are_spliced_and_the_copy_is_heard() {
    let body = r#"{"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}]}"#;
    let mock = Mock::start(move |_| json_reply("200 OK", body)).await;
    let (gate, admin, governor) = governed(&mock).await;
    let reply = ask(gate, CHAT, "", &says("edit", false)).await;
    assert_eq!(reply.body, body.as_bytes());
    assert_eq!(mock::value(&reply.head, "x-driftlead-acted"), Some("edit"));
    let sent = String::from_utf8(mock.last().body).unwrap();
    assert_eq!(
        sent,
        says("edit", false).replace("[{", r#"[{"role":"system","content":"be brief"},{"#)
    );
    assert_eq!(
        governor.lines(1).await,
        ["0:hi", "Complete 200 Some(\"stop\")"]
    );
    assert_eq!(ask(admin, "/readyz", "", "").await.body, b"no log\n");
    let me = ask(gate, "/driftlead/me", "x-driftlead-subject: alice\r\n", "").await;
    assert_eq!(me.body, b"alice");
    assert_eq!(ask(gate, "/driftlead/no", "", "").await.status(), 404);
    assert_eq!(mock.requests(), 1);
}

/// T11, T12, T28, T29: the same decision with and without a stream, in the shape that clients take.
#[tokio::test]
async fn answers_and_blocks_never_reach_the_upstream() {
    let mock = Mock::start(|_| json_reply("200 OK", "{}")).await;
    let (gate, _, governor) = governed(&mock).await;
    for (word, text, finish) in [
        ("answer", "A \"q\"", "stop"),
        ("block", "[withheld]", "content_filter"),
    ] {
        let json = ask(gate, CHAT, "", &says(word, false)).await.json();
        assert_eq!(json["choices"][0]["message"]["content"], text);
        assert_eq!(json["choices"][0]["finish_reason"], finish);
        assert_eq!(json["driftlead"]["ask"], "a");
        let reply = ask(gate, CHAT, "", &says(word, true)).await;
        assert_eq!(
            mock::value(&reply.head, "content-type"),
            Some("text/event-stream")
        );
        let stream = String::from_utf8(reply.body).unwrap();
        assert!(stream.ends_with("data: [DONE]\n\n") && !stream.contains("event:"));
        let chunks: Vec<serde_json::Value> = stream
            .split("\n\n")
            .filter_map(|event| serde_json::from_str(event.strip_prefix("data: ")?).ok())
            .collect();
        let joined: String = chunks
            .iter()
            .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
            .collect();
        assert_eq!(joined, text);
        assert_eq!(
            chunks.last().unwrap()["choices"][0]["finish_reason"],
            finish
        );
        for key in ["error", "message", "detail"] {
            assert!(chunks.iter().all(|chunk| chunk.get(key).is_none()));
        }
    }
    let stream = ask(gate, "/v1/messages", "", &says("block", true))
        .await
        .body;
    let stream = String::from_utf8(stream).unwrap();
    // T13.
    assert_eq!(stream.matches("event: message_start").count(), 1);
    assert!(stream.contains("\"stop_reason\":\"refusal\""));
    assert_eq!(mock.requests(), 0);
    assert_eq!(governor.lines(5).await.len(), 5);
}

/// T19: streams that are cut short leave nothing behind; each is told of once.
#[tokio::test]
async fn many_streams_cut_short_leave_nothing_open() {
    let mock = Mock::start(|_| {
        let text = b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n";
        vec![stream_head(), chunk(text), Step::AwaitClose]
    })
    .await;
    let (gate, admin, governor) = governed(&mock).await;
    for _ in 0..20 {
        let mut clients = Vec::new();
        for _ in 0..25 {
            clients.push(open(gate, "POST", CHAT, "", says("q", true).as_bytes()).await);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(clients);
    }
    let lines = governor.lines(500).await;
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.starts_with("ClientGone"))
            .count(),
        500
    );
    let metrics = ask(admin, "/metrics", "", "").await;
    let metrics = String::from_utf8(metrics.body).unwrap();
    let open = metrics
        .lines()
        .find(|line| line.starts_with("driftlead_gate_open"))
        .unwrap();
    assert!(open.ends_with(" 0"), "{open}");
}

#[tokio::test]
async fn every_end_is_told_once() {
    let mock = Mock::start(|seen| {
        let text = b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n";
        let mut steps = vec![stream_head(), chunk(text)];
        match seen.head.contains("x-break") {
            true => steps.extend([Step::Pause(20), Step::Close]),
            false => steps.push(Step::AwaitClose),
        }
        steps.push(last_chunk());
        steps
    })
    .await;
    let (gate, _, governor) = governed(&mock).await;
    assert!(
        !ask(gate, CHAT, "x-break: 1\r\n", &says("q", true))
            .await
            .whole
    );
    assert_eq!(governor.lines(1).await, ["0:x", "UpstreamFailed 200 None"]);
    let client = open(gate, "POST", CHAT, "", says("q", true).as_bytes()).await;
    while governor.0.lock().unwrap().len() < 3 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    drop(client);
    let lines = governor.lines(2).await;
    assert_eq!(lines[2..], ["0:x", "ClientGoneCancelled 200 None"]);
}

/// T17: where an intermediary counts events only, the silence of a chat is filled with one that says nothing.
#[tokio::test]
async fn a_ping_can_be_an_event_without_choices() {
    let mock = Mock::start(|_| {
        vec![
            stream_head(),
            Step::Pause(1300),
            chunk(b"data: [DONE]\n\n"),
            last_chunk(),
        ]
    })
    .await;
    let limits = Limits {
        keep_alive_seconds: 1,
        keep_alive_data: true,
        ..Limits::default()
    };
    let (gate, _, _) = within(&mock, limits).await;
    let reply = ask(gate, CHAT, "", &says("q", true)).await;
    let text = String::from_utf8(reply.body).unwrap();
    let (ping, rest) = text.split_once("\n\n").unwrap();
    assert_eq!((rest, reply.whole), ("data: [DONE]\n\n", true));
    let ping: serde_json::Value =
        serde_json::from_str(ping.strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(ping["choices"], serde_json::json!([]));
    assert!(
        ["error", "message", "detail", "usage"]
            .iter()
            .all(|key| ping.get(key).is_none())
    );
    let reply = ask(gate, "/v1/messages", "", &says("q", true)).await;
    assert!(
        reply.body.starts_with(b": ping\n"),
        "the other dialects have no such event"
    );
}

/// T14, T16: silence is filled between two events and nowhere else, with one line.
#[tokio::test]
async fn pings_stand_between_events() {
    let half = b"id: 1\ndata: {\"choices\":[]}\n";
    let mock = Mock::start(move |_| {
        vec![
            stream_head(),
            Step::Pause(1300),
            chunk(half),
            Step::Pause(1300),
            chunk(b"\n"),
            Step::Pause(1300),
            chunk(b"data: [DONE]\n\n"),
            last_chunk(),
        ]
    })
    .await;
    let limits = Limits {
        keep_alive_seconds: 1,
        ..Limits::default()
    };
    let (gate, _, _) = within(&mock, limits).await;
    let reply = ask(gate, CHAT, "", &says("q", true)).await;
    let text = String::from_utf8(reply.body).unwrap();
    let want = ": ping\nid: 1\ndata: {\"choices\":[]}\n\n: ping\ndata: [DONE]\n\n";
    assert_eq!((text.as_str(), reply.whole), (want, true));
}

/// T09: where its counts are needed, the upstream is read to its end, or to the bound.
#[tokio::test]
async fn the_upstream_can_be_read_on_without_a_client() {
    let text = b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n";
    let mock = Mock::start(move |_| {
        let mut steps = vec![stream_head(), chunk(text)];
        for _ in 0..20 {
            steps.extend([Step::Pause(20), chunk(text)]);
        }
        steps.push(chunk(
            b"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
        ));
        steps.push(last_chunk());
        steps
    })
    .await;
    let limits = Limits {
        read_on_seconds: 10,
        ..Limits::default()
    };
    let (gate, _, governor) = within(&mock, limits).await;
    let client = open(gate, "POST", CHAT, "", says("q", true).as_bytes()).await;
    while governor.0.lock().unwrap().len() < 2 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    drop(client);
    let lines = governor.lines(1).await;
    assert_eq!(lines.len(), 22);
    assert_eq!(lines[21], "ClientGoneDrained 200 Some(\"stop\")");
}
