//! What goes wrong around a gateway that governs: servers that are slow, die, talk nonsense or close half a
//! connection; clients that leave; and clocks that jump. After each of it the gateway goes on, and its log
//! holds what was done and verifies.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test stops here"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod mock;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use driftlead_gate::audit::{Kind, Verified, verify, walk};
use driftlead_gate::clock::Clock;
use driftlead_gate::config::{Config, Limits};
use driftlead_gate::governance::{Govern, Governance};
use driftlead_gate::policy::{Point, Policy};
use driftlead_record::{Conversation, Options, read};
use mock::serve::{Served, serve};
use mock::{Mock, Reply, Seen, Step, ask, chunk, json_reply, last_chunk, open, stream_head, value};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const CHAT: &str = "/v1/chat/completions";
const MINUTE: i64 = 60 * 1_000_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// 2027-01-15.
const START: i64 = 1_800_000_000 * 1_000_000;
const ANSWER: &str =
    r#"{"choices":[{"index":0,"message":{"content":"ok"},"finish_reason":"stop"}]}"#;
const FRAME: &[u8] = b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";

/// A gateway with the policy `monitored`.
struct Gate {
    address: SocketAddr,
    admin: SocketAddr,
    clock: Clock,
    governance: Governance,
    served: Served,
}

impl Gate {
    async fn start(mock: &Mock, folder: &Path, limits: impl FnOnce(&mut Limits)) -> Gate {
        let mut config = Config::for_upstream(format!("http://{}", mock.address));
        limits(&mut config.limits);
        let govern = Govern {
            data: folder.to_owned(),
            record: true,
            ..Govern::default()
        };
        let clock = Clock::standing_at(START);
        let policy = Policy::at(Point::Monitored);
        let governance = Governance::open_at(&govern, &policy, clock.clone()).unwrap();
        let served = serve(config, Arc::new(governance.clone())).await;
        Gate {
            address: served.address,
            admin: served.admin,
            clock,
            governance,
            served,
        }
    }

    /// One message of a person in a named conversation; `how` goes to the scripted server.
    async fn says(&self, session: &str, how: &str) -> Reply {
        let body = json!({ "messages": [{ "role": "user", "content": "Well, and then?" }] });
        let headers =
            format!("x-driftlead-subject: a\r\nx-driftlead-session: {session}\r\nx-how: {how}\r\n");
        ask(self.address, CHAT, &headers, &body.to_string()).await
    }

    async fn me(&self, path: &str, body: &str) -> Value {
        let path = format!("/driftlead/me{path}");
        let reply = ask(self.address, &path, "x-driftlead-subject: a\r\n", body).await;
        assert_eq!(reply.status(), 200, "{path}");
        reply.json()
    }

    async fn allow(&self, purpose: &str) {
        for change in ["show", "give"] {
            let body = json!({ "purpose": purpose, "change": change });
            self.me("/consent", &body.to_string()).await;
        }
    }

    async fn state(&self, purpose: &str) -> Value {
        let me = self.me("", "").await;
        let consents = me["consents"].as_array().unwrap();
        consents.iter().find(|of| of["purpose"] == purpose).unwrap()["state"].clone()
    }

    /// Waits until no exchange is open.
    async fn settled(&self) {
        for _ in 0..500 {
            let metrics = ask(self.admin, "/metrics", "", "").await;
            let metrics = String::from_utf8(metrics.body).unwrap();
            if metrics.contains("driftlead_gate_open_exchanges 0\n") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("an exchange stays open");
    }

    /// Ends in order; the log as it then is.
    async fn stop(self, folder: &Path) -> Verified {
        self.served.end().await;
        drop(self.governance);
        verify(&folder.join("audit.log")).unwrap()
    }
}

fn acts(reply: &Reply) -> Vec<&str> {
    let value = value(&reply.head, "x-driftlead-acts").unwrap_or_default();
    value.split(", ").filter(|act| !act.is_empty()).collect()
}

/// What the server does, as the request's `x-how` says.
fn misbehave(seen: &Seen) -> Vec<Step> {
    match value(&seen.head, "x-how").unwrap_or_default() {
        "slow" => vec![Step::AwaitClose],
        "silent" => vec![stream_head(), chunk(FRAME), Step::AwaitClose],
        "dead" => vec![stream_head(), chunk(FRAME), Step::Close],
        "dead in a chunk" => vec![
            stream_head(),
            Step::Send(b"ff\r\ndata: {".to_vec()),
            Step::Close,
        ],
        "no http" => vec![Step::Send(vec![0xff; 4096]), Step::Close],
        "bad chunk" => vec![
            stream_head(),
            chunk(FRAME),
            Step::Send(b"zz\r\n".to_vec()),
            Step::AwaitClose,
        ],
        "bad events" => vec![
            stream_head(),
            chunk(b"data: {\"choices\": 7\n\n\xff\xfe\x00: \r\r\n\ndata: [DONE]\n\n"),
            last_chunk(),
        ],
        "bad json" => json_reply("200 OK", "{\"choices\": [[[\u{0}"),
        "closes without a reply" => vec![Step::Close],
        _ => json_reply("200 OK", ANSWER),
    }
}

/// Each kind of failure: what the client gets (status, whether the body is whole), and that nothing stays
/// open, every act is in the log, and the next request is served.
#[tokio::test]
async fn a_governing_gateway_outlives_what_servers_do() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::start(misbehave).await;
    let gate = Gate::start(&mock, folder.path(), |limits| {
        limits.answer_seconds = 1;
        limits.silence_seconds = 1;
    })
    .await;
    let mut acted = 0;
    for (how, status, whole) in [
        ("slow", 504, true),
        ("silent", 200, false),
        ("dead", 200, false),
        ("dead in a chunk", 200, false),
        ("no http", 502, true),
        ("bad chunk", 200, false),
        ("bad events", 200, true),
        ("bad json", 200, true),
        ("closes without a reply", 502, true),
    ] {
        let reply = gate.says(how, how).await;
        assert_eq!((reply.status(), reply.whole), (status, whole), "{how}");
        gate.settled().await;
        let after = gate.says(how, "well").await;
        assert_eq!(
            (after.status(), after.body.as_slice()),
            (200, ANSWER.as_bytes())
        );
        assert!(acts(&after).contains(&"truth"), "after {how}");
        acted += 2;
    }
    assert_eq!(gate.stop(folder.path()).await.kinds[&Kind::Act], acted);
}

/// A client that leaves during the first token closes the server's connection, and what was done to its
/// request stays in the log. So does one that closes only its sending half: on the wire, before the next
/// write, it cannot be told from one that left, and leaving must be seen at once.
#[tokio::test]
async fn clients_that_leave_or_half_close_during_the_first_token() {
    for half in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let steps = vec![stream_head(), chunk(&FRAME[..20]), Step::AwaitClose];
        let mock = Mock::start(move |_| steps.clone()).await;
        let gate = Gate::start(&mock, folder.path(), |_| {}).await;
        let body = br#"{"stream":true,"messages":[{"role":"user","content":"q"}]}"#;
        let mut client = open(gate.address, "POST", CHAT, "", body).await;
        let mut held = Vec::new();
        while !held.windows(20).any(|part| part == &FRAME[..20]) {
            assert!(client.read_buf(&mut held).await.unwrap() > 0);
        }
        if half {
            client.shutdown().await.unwrap();
        } else {
            drop(client);
        }
        assert!(mock.closed_within(Duration::from_secs(5)).await, "{half}");
        gate.settled().await;
        let log = gate.stop(folder.path()).await;
        assert_eq!(log.kinds[&Kind::Act], 1, "{half}");
    }
}

/// A clock that jumps forward ends what it should end: the conversation, a consent after six months, the
/// time until the next disclosure. The times of the log never fall, whatever the clock does.
#[tokio::test]
async fn a_clock_that_jumps_forward() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::start(misbehave).await;
    let gate = Gate::start(&mock, folder.path(), |_| {}).await;
    gate.allow("keep_state").await;
    assert_eq!(acts(&gate.says("one", "").await), ["truth", "disclosure"]);
    gate.settled().await;
    assert_eq!(acts(&gate.says("one", "").await), ["truth"]);
    gate.settled().await;
    gate.clock.set(START + 29 * MINUTE);
    gate.governance.sweep().await;
    assert_eq!(gate.me("", "").await["conversations_kept"], 0);
    gate.clock.set(START + 31 * MINUTE);
    gate.governance.sweep().await;
    assert_eq!(
        gate.me("", "").await["conversations_kept"],
        1,
        "30 minutes of silence"
    );
    assert_eq!(
        acts(&gate.says("one", "").await),
        ["truth", "disclosure"],
        "a new one"
    );
    gate.settled().await;
    gate.clock.set(START + 182 * DAY);
    assert_eq!(gate.state("keep_state").await, "given");
    gate.clock.set(START + 184 * DAY);
    assert_eq!(gate.state("keep_state").await, "expired");
    gate.governance.sweep().await;
    gate.says("one", "").await;
    gate.settled().await;
    // Set right again: the consent is what it was.
    gate.clock.set(START + DAY);
    assert_eq!(gate.state("keep_state").await, "given");
    gate.says("one", "").await;
    gate.settled().await;
    gate.stop(folder.path()).await;
    let mut times = Vec::new();
    walk(&folder.path().join("audit.log"), |entry| {
        times.push(entry.time)
    })
    .unwrap();
    assert!(
        times.is_sorted() && times.contains(&(START + 31 * MINUTE)),
        "{times:?}"
    );
}

/// A clock that was wrong and is set back, by a year: no conversation stays open for that year, reminders
/// come when they are due again, no consent is longer than it was, and the record can be read.
#[tokio::test]
async fn a_clock_that_is_set_back() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::start(misbehave).await;
    let gate = Gate::start(&mock, folder.path(), |_| {}).await;
    gate.clock.set(START + 365 * DAY);
    gate.allow("keep_state").await;
    gate.allow("randomised_pauses").await;
    let first = gate.says("one", "").await;
    assert!(acts(&first).contains(&"disclosure"));
    gate.settled().await;
    gate.clock.set(START);
    // Given in a year, as far as anybody can tell: it does not hold yet.
    assert_eq!(gate.state("keep_state").await, "expired");
    gate.allow("keep_state").await;
    assert_eq!(
        acts(&gate.says("one", "").await),
        ["truth"],
        "still the same conversation"
    );
    gate.settled().await;
    // Three hours of use, in steps that no silence ends.
    let mut seen = Vec::new();
    for step in 1..=19 {
        gate.clock.set(START + step * 10 * MINUTE);
        seen.push(acts(&gate.says("one", "").await).contains(&"disclosure"));
        gate.settled().await;
    }
    assert_eq!(
        seen.iter().filter(|disclosed| **disclosed).count(),
        1,
        "{seen:?}"
    );
    assert!(seen[17], "after 180 minutes: {seen:?}");
    gate.clock.set(START + 190 * MINUTE + 31 * MINUTE);
    gate.governance.sweep().await;
    assert_eq!(
        gate.me("", "").await["conversations_kept"],
        1,
        "over after the silence"
    );
    gate.stop(folder.path()).await;
    let mut rows: Vec<Conversation> = Vec::new();
    read(
        &[folder.path().join("record")],
        &Options::default(),
        &mut rows,
    )
    .unwrap();
    assert_eq!(rows.len(), 1);
}
