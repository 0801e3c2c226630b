//! What an operator can learn of people: one noisy mean over at least 100 of them, from a budget.

#![cfg(feature = "cohort")]
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

use driftlead_gate::audit::{Kind, verify};
use driftlead_gate::config::Config;
use driftlead_gate::governance::{Govern, Governance};
use driftlead_gate::policy::{Point, Policy};
use mock::serve::{Served, serve};
use mock::{Mock, Reply, ask, json_reply};
use serde_json::json;

const REPLY: &str =
    r#"{"choices":[{"index":0,"message":{"content":"Is it so? Really?"},"finish_reason":"stop"}]}"#;

async fn start(mock: &Mock, folder: &Path) -> Served {
    let config = Config::for_upstream(format!("http://{}", mock.address));
    let govern = Govern {
        data: folder.to_owned(),
        ..Govern::default()
    };
    let governance = Governance::open(&govern, &Policy::at(Point::Monitored)).unwrap();
    serve(config, Arc::new(governance)).await
}

async fn release(admin: SocketAddr, epsilon: f64) -> Reply {
    let body = json!({ "series": "questions.per_reply", "epsilon": epsilon }).to_string();
    ask(
        admin,
        "/cohort",
        "content-type: application/json\r\n",
        &body,
    )
    .await
}

#[tokio::test]
async fn a_release_needs_a_hundred_people_who_allow_it_and_a_budget() {
    let mock = Mock::start(|_| json_reply("200 OK", REPLY)).await;
    let folder = tempfile::tempdir().unwrap();
    let gate = start(&mock, folder.path()).await;
    let main = gate.address;
    for number in 0..101 {
        let who = format!("x-driftlead-subject: canary-{number}\r\n");
        // One of them keeps the counts and does not share them.
        let purposes = if number == 0 {
            vec!["keep_state"]
        } else {
            vec!["keep_state", "share_features"]
        };
        for purpose in purposes {
            for change in ["show", "give"] {
                let body = json!({ "purpose": purpose, "change": change }).to_string();
                let reply = ask(main, "/driftlead/me/consent", &who, &body).await;
                assert_eq!(reply.status(), 200);
            }
        }
        for session in ["a", "b"] {
            let headers = format!("{who}x-driftlead-session: {session}\r\n");
            let body = r#"{"messages":[{"role":"user","content":"hello there"}]}"#;
            ask(main, "/v1/chat/completions", &headers, body).await;
        }
    }
    gate.end().await;

    let gate = start(&mock, folder.path()).await;
    let (main, admin) = (gate.address, gate.admin);
    assert_eq!(
        ask(main, "/cohort", "", "").await.status(),
        404,
        "the operator's listener only"
    );
    let body = json!({ "series": "questions.per_reply", "epsilon": 0.5 }).to_string();
    assert_eq!(
        ask(admin, "/cohort", "", &body).await.status(),
        415,
        "no browser can do it unasked"
    );
    let reply = release(admin, 0.6).await;
    assert_eq!(reply.status(), 200, "{:?}", String::from_utf8(reply.body));
    let json = reply.json();
    assert_eq!(json["people"], 100);
    // Two questions in each reply of both halves: no change, and noise of scale 4/(100 x 0.6).
    assert!(json["value"].as_f64().unwrap().abs() < 1.5, "{json}");
    assert!(
        (json["noise_scale"].as_f64().unwrap() - 4.0 / 60.0).abs() < 1e-6,
        "{json}"
    );
    assert_eq!(release(admin, 0.6).await.status(), 409, "more than is left");
    let stopped = ask(
        main,
        "/driftlead/me/stop",
        "x-driftlead-subject: canary-7\r\n",
        "{}",
    )
    .await;
    assert_eq!(stopped.status(), 200);
    assert_eq!(release(admin, 0.1).await.status(), 409, "99 people");
    let left = ask(admin, "/cohort", "", "").await.json();
    assert!((left["epsilon_left"].as_f64().unwrap() - 0.4).abs() < 1e-9);
    // No other path of the operator's listener says anything of people.
    for path in ["/driftlead/me", "/people", "/v1/models", "/cohort/canary-1"] {
        assert_eq!(
            ask(admin, path, "x-driftlead-subject: canary-1\r\n", "")
                .await
                .status(),
            404
        );
    }
    let metrics = ask(admin, "/metrics", "", "").await;
    assert!(!String::from_utf8(metrics.body).unwrap().contains("canary"));
    gate.end().await;
    let log = verify(&folder.path().join("audit.log")).unwrap();
    assert_eq!(log.kinds.get(&Kind::Release), Some(&1));
}
