//! What a person can do at the gateway: consent and its end, erasure, their page; and that it is all in a log
//! that verifies.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test stops here"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod mock;

use std::sync::Arc;

use driftlead_gate::Server;
use driftlead_gate::audit::{Kind, Witness, verify, verify_against};
use driftlead_gate::config::Config;
use driftlead_gate::governance::{Govern, Governance};
use driftlead_gate::policy::Point;
use mock::governed::{CHAT, Gate, REPLY, at, count, log, on_disk, said};
use mock::{Mock, ask, json_reply, value};
use serde_json::json;

#[tokio::test]
async fn consent_needs_the_code_and_stopping_is_one_step() {
    let mock = Mock::start(|_| json_reply("200 OK", REPLY)).await;
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::start(&mock, folder.path(), &at(Point::Monitored)).await;
    let warm = |seen: &[u8]| String::from_utf8_lossy(seen).contains("warmer, more personal");
    let shown = said(
        CHAT,
        &gate.says("carol", "/driftlead relational").await,
        false,
    );
    let code = shown.rsplit(' ').next().unwrap().to_owned();
    assert!(shown.contains("How such a mode affects people over months is not known"));
    gate.says("carol", "hello").await;
    assert!(!warm(&mock.last().body), "shown is not given");
    for wrong in ["AAAAAA", "yes"] {
        let reply = gate
            .says("carol", &format!("/driftlead relational {wrong}"))
            .await;
        assert!(said(CHAT, &reply, false).contains("not the code"));
    }
    let other = gate
        .says("mallory", &format!("/driftlead relational {code}"))
        .await;
    assert!(
        said(CHAT, &other, false).contains("not the code"),
        "it is carol's"
    );
    let given = gate
        .says("carol", &format!("/driftlead relational {code}"))
        .await;
    let given = said(CHAT, &given, false);
    assert!(given.contains("is on"), "{given}");
    let again = gate
        .says("carol", &format!("/driftlead relational {code}"))
        .await;
    assert!(
        said(CHAT, &again, false).contains("not the code"),
        "once only"
    );
    let reply = gate.says("carol", "hello").await;
    assert!(warm(&mock.last().body));
    assert!(
        value(&reply.head, "x-driftlead-acts")
            .unwrap()
            .starts_with("warmth.warm")
    );
    gate.says("mallory", "hello").await;
    assert!(!warm(&mock.last().body));

    let receipt = gate.me("carol", "", "").await.json()["receipts"][0].clone();
    assert_eq!(receipt["event"]["event_state"], "given");
    let witness = Witness::of_receipt(&receipt.to_string()).unwrap();
    assert!(given.contains(&witness.hash.to_string()), "{given}");

    let stopped = said(CHAT, &gate.says("carol", "/driftlead stop").await, false);
    assert!(stopped.contains("off from now"), "{stopped}");
    gate.says("carol", "hello").await;
    assert!(!warm(&mock.last().body));
    gate.stop().await;
    let path = folder.path().join("audit.log");
    assert!(verify_against(&path, std::slice::from_ref(&witness)).is_ok());
    let other = Witness {
        entry: witness.entry + 1,
        ..witness
    };
    assert!(verify_against(&path, &[other]).is_err());
    assert_eq!(count(&log(folder.path()), Kind::Consent), 3);
}

#[tokio::test]
async fn consent_outlives_the_process_and_the_policy_decides_what_is_offered() {
    let mock = Mock::start(|_| json_reply("200 OK", REPLY)).await;
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::start(&mock, folder.path(), &at(Point::Monitored)).await;
    let give = |change| json!({ "purpose": "relational_mode", "change": change }).to_string();
    assert_eq!(
        gate.me("dan", "/consent", &give("give")).await.status(),
        409
    );
    assert_eq!(
        gate.me("dan", "/consent", &give("show")).await.status(),
        200
    );
    assert_eq!(
        gate.me("dan", "/consent", &give("give")).await.json()["state"],
        "given"
    );
    assert_eq!(gate.me("dan", "/consent", "{}").await.status(), 400);
    let minor = ask(
        gate.address,
        "/driftlead/me/consent",
        "x-driftlead-subject: kim\r\nx-driftlead-minor: 1\r\n",
        &give("show"),
    )
    .await;
    assert_eq!(minor.status(), 409);
    assert_eq!(
        ask(gate.address, "/driftlead/me", "", "").await.status(),
        401
    );
    gate.stop().await;
    let gate = Gate::start(&mock, folder.path(), &at(Point::Monitored)).await;
    let reply = gate.says("dan", "hello").await;
    assert!(
        value(&reply.head, "x-driftlead-acts")
            .unwrap()
            .contains("warmth.warm")
    );
    let minor = gate
        .talk(
            "dan",
            CHAT,
            &[("user", "hello")],
            false,
            "x-driftlead-minor: true\r\n",
        )
        .await;
    assert!(
        !value(&minor.head, "x-driftlead-acts")
            .unwrap()
            .contains("warmth")
    );
    gate.stop().await;
    let gate = Gate::start(&mock, folder.path(), &at(Point::Ordinary)).await;
    let reply = gate.says("dan", "hello").await;
    assert_eq!(value(&reply.head, "x-driftlead-acts"), Some("disclosure"));
    let refused = said(
        CHAT,
        &gate.says("eve", "/driftlead relational").await,
        false,
    );
    assert!(
        refused.contains("not available under the policy"),
        "{refused}"
    );
    gate.stop().await;
}

/// T35: erasing destroys what opens the entries; the chain still verifies, and nothing of the person is
/// on the disk, before or after.
#[tokio::test]
async fn erasure_leaves_a_chain_that_verifies_and_nothing_to_read() {
    let mock = Mock::start(|_| json_reply("200 OK", REPLY)).await;
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::start(&mock, folder.path(), &at(Point::Monitored)).await;
    let who = "canary-person";
    let key = "authorization: Bearer canary-key\r\n";
    for change in ["show", "give"] {
        let body = json!({ "purpose": "keep_state", "change": change }).to_string();
        assert_eq!(gate.me(who, "/consent", &body).await.status(), 200);
    }
    gate.talk(who, CHAT, &[("user", "canary-words")], false, key)
        .await;
    let export = gate.me(who, "/export", "").await.json();
    assert!(export["log"].as_array().unwrap().len() >= 3);
    let pseudonym = export["summary"]["pseudonym"].as_str().unwrap().to_owned();
    let erased = gate.me(who, "/erase", "{}").await.json();
    assert_eq!(erased["erased"], true);
    assert!(!on_disk(folder.path(), pseudonym.as_bytes()));
    let after = gate.me(who, "", "").await.json();
    assert_ne!(after["pseudonym"], pseudonym);
    assert_eq!(after["receipts"], json!([]));
    gate.stop().await;
    let log = log(folder.path());
    assert_eq!((count(&log, Kind::Erased), log.torn), (1, 0));
    assert!(count(&log, Kind::Consent) == 2 && count(&log, Kind::Act) == 1);
    assert!(!on_disk(folder.path(), b"canary"));
    let path = folder.path().join("audit.log");
    let whole = std::fs::read(&path).unwrap();
    for place in (0..whole.len()).step_by(41) {
        let mut changed = whole.clone();
        changed[place] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        let verified = verify(&path);
        assert!(
            verified.is_err() || verified.unwrap().torn > 0,
            "byte {place}"
        );
    }
}

#[tokio::test]
async fn the_page_opens_with_the_key_from_the_chat_only() {
    let mock = Mock::start(|_| json_reply("200 OK", REPLY)).await;
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::start(&mock, folder.path(), &at(Point::Monitored)).await;
    let closed = ask(
        gate.address,
        "/driftlead/?key=0",
        "x-driftlead-subject: jo\r\n",
        "",
    )
    .await;
    assert_eq!(closed.status(), 403);
    let status = said(CHAT, &gate.says("jo", "/driftlead status").await, false);
    let link = status
        .split("http://gate.example")
        .nth(1)
        .unwrap()
        .to_owned();
    let page = ask(gate.address, &link, "", "").await;
    assert_eq!(page.status(), 200);
    let html = String::from_utf8(page.body).unwrap();
    assert!(html.contains("What this gateway keeps of you") && !html.contains("<script"));
    let key = link.split("key=").nth(1).unwrap();
    let form = format!("key={key}&do=give&purpose=keep_state");
    let done = ask(gate.address, "/driftlead/page", "", &form).await;
    assert!(
        String::from_utf8(done.body)
            .unwrap()
            .contains("Done. Entry")
    );
    let me = gate.me("jo", "", "").await.json();
    assert_eq!(me["consents"][1]["state"], "given");
    gate.stop().await;
}

/// T36: on the person's own listener nothing that a header says counts, and there are no models.
#[tokio::test]
async fn the_persons_listener_takes_keys_only_and_clients_need_theirs() {
    let mock = Mock::start(|_| json_reply("200 OK", REPLY)).await;
    let folder = tempfile::tempdir().unwrap();
    let govern = Govern {
        data: folder.path().to_owned(),
        page_address: Some("http://gate.example".to_owned()),
        ..Govern::default()
    };
    let mut config = Config::for_upstream(format!("http://{}", mock.address));
    config.listen.set_port(0);
    config.admin.set_port(0);
    config.person = Some(config.listen);
    // Any variable that is set will do.
    config.client_key_env = Some("PATH".to_owned());
    let governance = Governance::open(&govern, &at(Point::Monitored)).unwrap();
    let server = Server::bind(&config, Arc::new(governance)).await.unwrap();
    let (main, person) = (server.address(), server.person_address().unwrap());
    tokio::spawn(server.run(std::future::pending()));
    let status = r#"{"messages":[{"role":"user","content":"/driftlead status"}]}"#;
    let name = "x-driftlead-subject: lee\r\n";
    for key in ["", "authorization: Bearer wrong\r\n", "x-api-key: \r\n"] {
        let headers = format!("{name}{key}");
        assert_eq!(ask(main, CHAT, &headers, status).await.status(), 401);
        assert_eq!(ask(main, "/driftlead/me", &headers, "").await.status(), 401);
    }
    let headers = format!("{name}x-api-key: {}\r\n", std::env::var("PATH").unwrap());
    let reply = ask(main, CHAT, &headers, status).await;
    assert_eq!(reply.status(), 200);
    let answer = said(CHAT, &reply, false);
    let key = answer.split("key=").nth(1).unwrap();
    ask(
        main,
        CHAT,
        &headers,
        r#"{"messages":[{"role":"user","content":"q"}]}"#,
    )
    .await;
    assert_eq!(
        value(&mock.last().head, "x-api-key"),
        None,
        "the key is not the upstream's"
    );
    assert_eq!(ask(person, CHAT, &headers, status).await.status(), 404);
    assert_eq!(ask(person, "/driftlead/me", name, "").await.status(), 401);
    let keyed = format!("{name}x-driftlead-key: {key}\r\n");
    assert_eq!(ask(person, "/driftlead/me", &keyed, "").await.status(), 200);
    let page = ask(person, &format!("/driftlead/?key={key}"), "", "").await;
    assert_eq!(page.status(), 200);
}
