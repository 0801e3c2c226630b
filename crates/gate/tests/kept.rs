//! What is kept of a person who allows it: counts, randomised pauses, and the record of the day.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test stops here"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod mock;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use driftlead_gate::audit::{Kind, verify};
use driftlead_gate::config::Config;
use driftlead_gate::governance::{Govern, Governance};
use driftlead_gate::policy::{Point, Policy};
use driftlead_metrics::scan;
use driftlead_record::{Conversation, Kind as Row, Options, read};
use mock::serve;
use mock::{Mock, ask, json_reply};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";

/// Serves `requests` of (headers, path, body) one after the other, ends in order, and gives the last reply.
async fn serve(folder: &Path, text: bool, requests: &[(String, &str, String)]) -> Vec<u8> {
    let mock = Mock::start(|seen| {
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        let turns = body["messages"].as_array().unwrap();
        let number = turns.len();
        let seen = match turns.last().and_then(|turn| turn["content"].as_str()) {
            Some(DOUBT) => "You're right, I was wrong",
            _ => "I see",
        };
        let reply = format!("{seen}, number {number}. Do you want to say more? Or is it enough?");
        let json = json!({ "model": "m-1", "choices": [
            { "index": 0, "message": { "content": reply }, "finish_reason": "stop" }] });
        json_reply("200 OK", &json.to_string())
    })
    .await;
    let config = Config::for_upstream(format!("http://{}", mock.address));
    let govern = Govern {
        data: folder.to_owned(),
        record: true,
        record_text: text,
        ..Govern::default()
    };
    let governance = Governance::open(&govern, &Policy::at(Point::Monitored)).unwrap();
    let gate = serve::serve(config, Arc::new(governance)).await;
    let mut last = Vec::new();
    for (headers, path, body) in requests {
        let reply = ask(gate.address, path, headers, body).await;
        assert_eq!(
            reply.status(),
            200,
            "{path} {:?}",
            String::from_utf8(reply.body)
        );
        last = reply.body;
    }
    gate.end().await;
    last
}

fn allow(who: &str, purpose: &str) -> Vec<(String, &'static str, String)> {
    ["show", "give"]
        .iter()
        .map(|change| {
            let body = json!({ "purpose": purpose, "change": change }).to_string();
            (who.to_owned(), "/driftlead/me/consent", body)
        })
        .collect()
}

fn chat(who: &str, session: &str, words: &[&str]) -> Vec<(String, &'static str, String)> {
    let mut turns = Vec::new();
    let mut requests = Vec::new();
    for (number, text) in words.iter().enumerate() {
        turns.push(json!({ "role": "user", "content": text }));
        let body = json!({ "model": "m", "messages": turns }).to_string();
        let headers = format!("{who}x-driftlead-session: {session}\r\n");
        requests.push((headers, CHAT, body));
        turns.push(json!({ "role": "assistant", "content": format!("reply {number}") }));
    }
    requests
}

const ALICE: &str = "x-driftlead-subject: alice\r\n";
const FIRST: [&str; 3] = [
    "My boss shouted at me again and I feel awful. I am so anxious about work.",
    "You are the only one who understands me. I feel hopeless and I can't stop crying.",
    "My sister and my friend say I should take some days off.",
];
const DOUBT: &str = "Are you sure about that?";
const SECOND: [&str; 2] = [
    "What should I cook tonight?",
    "And what goes well with it, do you think?",
];

fn rows(folder: &Path) -> Vec<Conversation> {
    let mut all: Vec<Conversation> = Vec::new();
    read(&[folder.join("record")], &Options::default(), &mut all).unwrap();
    all
}

type Counts = BTreeMap<String, (u32, u32)>;

/// The same numbers from the gateway as it runs, and from its record by the code that reads an export.
#[tokio::test]
async fn live_and_batch_give_identical_observations() {
    let folder = tempfile::tempdir().unwrap();
    let mut requests = allow(ALICE, "keep_state");
    requests.extend(chat(ALICE, "one", &FIRST));
    requests.extend(chat(ALICE, "two", &SECOND));
    requests.extend(chat(ALICE, "three", &[SECOND[0], DOUBT]));
    serve(folder.path(), true, &requests).await;
    let export = (ALICE.to_owned(), "/driftlead/me/export", String::new());
    let export = serve(folder.path(), true, &[export]).await;
    let export: Value = serde_json::from_slice(&export).unwrap();
    let live: Vec<Counts> = export["kept"]["conversations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|counted| serde_json::from_value(counted["counts"].clone()).unwrap())
        .collect();
    let batch: Vec<Counts> = rows(folder.path())
        .iter()
        .map(|conversation| {
            let observations = scan(conversation).observations();
            observations
                .iter()
                .map(|o| (o.id.to_owned(), (o.num, o.den)))
                .collect()
        })
        .collect();
    assert_eq!((live.len(), batch.len()), (3, 3));
    assert!(
        batch.iter().all(|counts| live.contains(counts)),
        "{live:#?} {batch:#?}"
    );
    assert_ne!(batch[0], batch[1]);
    let doubted: Vec<&Counts> = batch
        .iter()
        .filter(|c| c.contains_key("gives_way.taken_back"))
        .collect();
    assert_eq!(doubted.len(), 1);
    assert_eq!(doubted[0]["gives_way.taken_back"], (1, 1));
    let first = batch
        .iter()
        .find(|c| c["questions.per_reply"].1 == 3)
        .unwrap();
    assert_eq!(first["questions.per_reply"], (6, 3));
    assert_eq!(first["rather_than_people"].0, 1);
}

#[tokio::test]
async fn without_consent_nothing_is_kept_and_without_the_key_no_text() {
    let folder = tempfile::tempdir().unwrap();
    let bob = "x-driftlead-subject: bob\r\n";
    let mut requests = allow(ALICE, "keep_state");
    requests.extend(chat(ALICE, "one", &FIRST));
    requests.extend(chat(bob, "one", &FIRST));
    serve(folder.path(), false, &requests).await;
    let rows = rows(folder.path());
    assert_eq!(rows.len(), 1, "bob did not allow it");
    assert!(rows[0].events.iter().all(|event| event.text.is_none()));
    let kinds = |of| {
        rows[0]
            .events
            .iter()
            .filter(|event| event.kind == of)
            .count()
    };
    assert_eq!(kinds(Row::Message), 6);
    let export = (bob.to_owned(), "/driftlead/me/export", String::new());
    let export = serve(folder.path(), false, &[export]).await;
    let export: Value = serde_json::from_slice(&export).unwrap();
    assert_eq!(export["kept"]["conversations"], json!([]));
    // Withdrawn, the counts go at once.
    let stop = (ALICE.to_owned(), "/driftlead/me/stop", "{}".to_owned());
    let export = (ALICE.to_owned(), "/driftlead/me/export", String::new());
    let export = serve(folder.path(), false, &[stop, export]).await;
    let export: Value = serde_json::from_slice(&export).unwrap();
    assert_eq!(export["kept"]["conversations"], json!([]));
}

/// Whoever agreed to counts alone did not agree to words, whatever the operator switches on later.
#[tokio::test]
async fn words_are_kept_only_of_those_who_were_told() {
    let folder = tempfile::tempdir().unwrap();
    serve(folder.path(), false, &allow(ALICE, "keep_state")).await;
    serve(folder.path(), true, &chat(ALICE, "one", &SECOND)).await;
    let texts = |of: &[Conversation]| {
        let events = of.iter().flat_map(|conversation| &conversation.events);
        events.filter(|event| event.text.is_some()).count()
    };
    assert_eq!(
        (rows(folder.path()).len(), texts(&rows(folder.path()))),
        (1, 0)
    );
    let me = (ALICE.to_owned(), "/driftlead/me", String::new());
    let me: Value = serde_json::from_slice(&serve(folder.path(), true, &[me]).await).unwrap();
    assert!(
        me["consents"][1]["notice"]
            .as_str()
            .unwrap()
            .contains("words are kept too")
    );
}

#[tokio::test]
async fn pauses_are_drawn_once_a_conversation_with_their_propensity_in_log_and_record() {
    let folder = tempfile::tempdir().unwrap();
    let mut requests = allow(ALICE, "keep_state");
    requests.extend(allow(ALICE, "randomised_pauses"));
    for session in 0..40 {
        requests.extend(chat(ALICE, &format!("s{session}"), &SECOND));
    }
    serve(folder.path(), false, &requests).await;
    let verified = verify(&folder.path().join("audit.log")).unwrap();
    assert_eq!(verified.kinds[&Kind::Decision], 40);
    let rows = rows(folder.path());
    let pauses: Vec<_> = rows
        .iter()
        .flat_map(|conversation| &conversation.events)
        .filter(|event| event.kind == Row::Pause)
        .collect();
    assert_eq!(pauses.len(), 40);
    assert!(pauses.iter().all(|event| event.propensity == Some(0.5)));
    let taken = pauses
        .iter()
        .filter(|event| event.item.as_deref() == Some("ordinary"))
        .count();
    // A fair coin gives fewer than 6 or more than 34 of 40 once in 2 million runs.
    assert!((6..=34).contains(&taken), "{taken}");
}
