//! What a policy does between a scripted server and a scripted client, commands in the chat, and that every act
//! is in a log that verifies.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test stops here"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod mock;

use driftlead_gate::audit::Kind;
use driftlead_gate::policy::Point;
use mock::governed::{CHAT, DIALECTS, Gate, REPLY, at, count, log, on_disk, said};
use mock::{Mock, Step, ask, chunk, json_reply, last_chunk, stream_head, value};
use serde_json::{Value, json};

#[tokio::test]
async fn transparent_changes_no_byte_and_logs_no_act() {
    let mock = Mock::start(|_| json_reply("200 OK", REPLY)).await;
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::start(&mock, folder.path(), &at(Point::Transparent)).await;
    let body = r#"{ "messages":[ {"role":"user","content":"hi \u00e9"}],"n":3,"zz":1.50}"#;
    let reply = ask(gate.address, CHAT, "x-driftlead-subject: a\r\n", body).await;
    assert_eq!(reply.body, REPLY.as_bytes());
    assert!(!reply.head.contains("driftlead"), "{}", reply.head);
    assert_eq!(mock.last().body, body.as_bytes());
    gate.stop().await;
    let log = log(folder.path());
    assert_eq!((count(&log, Kind::Start), count(&log, Kind::Stop)), (1, 1));
    assert_eq!(log.entries, 2);
}

#[tokio::test]
async fn monitored_acts_openly_and_every_act_is_an_entry() {
    let mock = Mock::start(|_| json_reply("200 OK", REPLY)).await;
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::start(&mock, folder.path(), &at(Point::Monitored)).await;
    let reply = gate.says("alice", "hi").await;
    assert_eq!(reply.body, REPLY.as_bytes());
    assert_eq!(
        value(&reply.head, "x-driftlead-acts"),
        Some("truth, disclosure")
    );
    assert!(
        value(&reply.head, "x-driftlead-policy")
            .unwrap()
            .starts_with("monitored-")
    );
    let entry: u64 = value(&reply.head, "x-driftlead-entry")
        .unwrap()
        .parse()
        .unwrap();
    let sent: Value = serde_json::from_slice(&mock.last().body).unwrap();
    let system = sent["messages"][0]["content"].as_str().unwrap();
    assert!(system.contains("without new evidence") && system.contains("you are a program"));
    let turns = [("user", "hi"), ("assistant", "Fine."), ("user", "and?")];
    let reply = gate.talk("alice", CHAT, &turns, false, "").await;
    assert_eq!(value(&reply.head, "x-driftlead-acts"), Some("truth"));
    let export = gate.me("alice", "/export", "").await.json();
    let acts: Vec<&Value> = export["log"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| e["kind"] == "act")
        .collect();
    assert_eq!(acts.len(), 2);
    assert_eq!(acts[0]["entry"], entry);
    assert_eq!(acts[0]["event"]["acts"], json!(["truth", "disclosure"]));
    let metrics = ask(gate.admin, "/metrics", "", "").await;
    let metrics = String::from_utf8(metrics.body).unwrap();
    assert!(
        metrics.contains("driftlead_gate_governed_requests_total 2"),
        "{metrics}"
    );
    assert!(metrics.ends_with("# EOF\n"));
    gate.stop().await;
    assert_eq!(count(&log(folder.path()), Kind::Act), 2);
}

/// T11, T28: a command is answered in every dialect, streaming or not, and the model never sees it.
#[tokio::test]
async fn commands_are_answered_in_every_dialect_and_never_forwarded() {
    let mock = Mock::start(|_| json_reply("200 OK", REPLY)).await;
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::start(&mock, folder.path(), &at(Point::Monitored)).await;
    for path in DIALECTS {
        for stream in [false, true] {
            let turns = [
                ("user", "hi"),
                ("assistant", "yes"),
                ("user", " /driftlead status\n"),
            ];
            let reply = gate.talk("bob", path, &turns, stream, "").await;
            assert_eq!(reply.status(), 200, "{path} {stream}");
            let text = said(path, &reply, stream);
            assert!(
                text.starts_with("[driftlead] Policy in force: monitored-"),
                "{path}: {text}"
            );
            assert_eq!(value(&reply.head, "x-driftlead-acts"), Some("answer"));
            if path == CHAT && stream {
                let body = String::from_utf8(reply.body).unwrap();
                assert!(!body.contains("event:") && body.ends_with("data: [DONE]\n\n"));
            }
        }
    }
    assert_eq!(mock.requests(), 0);
    for text in [
        "please send /driftlead stop",
        "> /driftlead stop",
        "/driftlead stop\nand more",
        "```\n/driftlead relational\n```",
    ] {
        gate.says("bob", text).await;
    }
    let tool = r#"{"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"/driftlead stop"}]}]}"#;
    ask(
        gate.address,
        "/v1/messages",
        "x-driftlead-subject: bob\r\n",
        tool,
    )
    .await;
    let system = r#"{"messages":[{"role":"user","content":"q"},{"role":"system","content":"/driftlead stop"}]}"#;
    ask(gate.address, CHAT, "x-driftlead-subject: bob\r\n", system).await;
    assert_eq!(mock.requests(), 6, "none of these is a command");
    gate.stop().await;
}

/// By command, by header, by interface; in force for the next turns, and in no log.
#[tokio::test]
async fn a_repair_reaches_the_model_by_every_way() {
    let mock = Mock::start(|_| json_reply("200 OK", REPLY)).await;
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::start(&mock, folder.path(), &at(Point::Transparent)).await;
    let asked = |seen: &[u8], words: &str| String::from_utf8_lossy(seen).contains(words);
    let first = [
        ("user", "hi"),
        ("assistant", "Ha!"),
        ("user", "/driftlead wrong canary-no-jokes"),
    ];
    gate.says("fay", "hi").await;
    let noted = gate.talk("fay", CHAT, &first, false, "").await;
    assert!(said(CHAT, &noted, false).contains("next 10 messages"));
    let noted = said(CHAT, &noted, false);
    let next = [
        first[0],
        first[1],
        first[2],
        ("assistant", noted.as_str()),
        ("user", "go on"),
    ];
    let reply = gate.talk("fay", CHAT, &next, false, "").await;
    assert_eq!(
        value(&reply.head, "x-driftlead-acts"),
        Some("repair, commands_left_out")
    );
    let sent: Value = serde_json::from_slice(&mock.last().body).unwrap();
    let roles: Vec<&str> = sent["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|turn| turn["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["system", "user", "assistant", "user"]);
    assert!(asked(&mock.last().body, "canary-no-jokes"));

    let header = "x-driftlead-repair: canary-by-header\r\n";
    gate.talk("gus", CHAT, &[("user", "hi")], false, header)
        .await;
    assert!(asked(&mock.last().body, "canary-by-header"));
    let body = json!({ "words": "canary-by-api", "always": true }).to_string();
    assert_eq!(gate.me("hal", "/repair", &body).await.status(), 200);
    gate.says("hal", "a new conversation").await;
    assert!(asked(&mock.last().body, "canary-by-api"));
    let me = gate.me("hal", "", "").await.json();
    assert_eq!(me["outcomes_of_repairs"]["repairs"], 1);
    assert_eq!(me["outcomes_of_repairs"]["turns_kept"], 1);
    gate.stop().await;
    assert_eq!(count(&log(folder.path()), Kind::Repair), 3);
    assert!(!on_disk(folder.path(), b"canary-"), "the words are sealed");
}

#[tokio::test]
async fn complaints_in_plain_words_are_recognised_where_the_policy_says_so() {
    let mock = Mock::start(|_| json_reply("200 OK", REPLY)).await;
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::start(&mock, folder.path(), &at(Point::Monitored)).await;
    let turns = [
        ("user", "I told you about my sister."),
        ("assistant", "Fine."),
        ("user", "That landed wrong. Please don't do that with me."),
    ];
    gate.talk("ida", CHAT, &turns, false, "").await;
    let next = [
        turns[0],
        turns[1],
        turns[2],
        ("assistant", "Fine."),
        ("user", "Let us go on."),
    ];
    let reply = gate.talk("ida", CHAT, &next, false, "").await;
    assert!(
        value(&reply.head, "x-driftlead-acts")
            .unwrap()
            .contains("repair"),
        "{}",
        reply.head
    );
    gate.stop().await;
}

/// Streams are governed as plain replies are, and pass byte for byte.
#[tokio::test]
async fn a_governed_stream_passes_byte_for_byte() {
    let stream = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"é\"}}],\"zz\":1.50}\r\n\r\n: ping\n\ndata: [DONE]\n\n";
    let mock = Mock::start(move |_| {
        let mut steps = vec![stream_head()];
        for piece in stream.as_bytes().chunks(7) {
            steps.extend([chunk(piece), Step::Pause(1)]);
        }
        steps.push(last_chunk());
        steps
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::start(&mock, folder.path(), &at(Point::Monitored)).await;
    let reply = gate.talk("kai", CHAT, &[("user", "hi")], true, "").await;
    assert!(reply.whole);
    assert_eq!(reply.body, stream.as_bytes());
    assert_eq!(reply.chunks.len(), stream.len().div_ceil(7));
    assert!(value(&reply.head, "x-driftlead-acts").is_some());
    gate.stop().await;
}
