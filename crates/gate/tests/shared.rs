//! Two gateways on one database: what is done at one holds at the other.

#![cfg(all(feature = "postgres", unix))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test stops here"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod mock;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "postgres/mod.rs"]
mod server;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use driftlead_gate::audit::{Witness, verify, verify_against};
use driftlead_gate::config::Config;
use driftlead_gate::governance::{Govern, Governance, WithoutLog};
use driftlead_gate::policy::{Point, Policy};
use driftlead_gate::store::Store;
use mock::serve::{Served, serve};
use mock::{Mock, Reply, ask, json_reply, value};
use secrecy::SecretString;
use serde_json::{Value, json};
use server::Server;

const CHAT: &str = "/v1/chat/completions";
const REPLY: &str =
    r#"{"choices":[{"index":0,"message":{"content":"Fine. Is it?"},"finish_reason":"stop"}]}"#;
const WARM: &str = "warmer, more personal";

struct Gate {
    address: SocketAddr,
    admin: SocketAddr,
    folder: tempfile::TempDir,
    served: Served,
}

impl Gate {
    async fn start(mock: &Mock, server: &Server) -> Gate {
        Gate::with(mock, server, WithoutLog::Forward).await
    }

    async fn with(mock: &Mock, server: &Server, without_log: WithoutLog) -> Gate {
        Gate::on(mock, server, without_log, tempfile::tempdir().unwrap()).await
    }

    async fn on(
        mock: &Mock,
        server: &Server,
        without_log: WithoutLog,
        folder: tempfile::TempDir,
    ) -> Gate {
        let govern = Govern {
            data: folder.path().join("data"),
            record: true,
            without_log,
            page_address: Some("http://gate.example".to_owned()),
            ..Govern::default()
        };
        let store = Store::connect(&SecretString::from(server.address()), None).unwrap();
        let policy = Policy::at(Point::Monitored);
        let governance = Governance::open_on(&govern, &policy, store).unwrap();
        let config = Config::for_upstream(format!("http://{}", mock.address));
        let served = serve(config, Arc::new(governance)).await;
        Gate {
            address: served.address,
            admin: served.admin,
            folder,
            served,
        }
    }

    async fn says(&self, who: &str, session: &str, text: &str) -> Reply {
        let headers = format!("x-driftlead-subject: {who}\r\nx-driftlead-session: {session}\r\n");
        let body = json!({ "messages": [{ "role": "user", "content": text }] });
        ask(self.address, CHAT, &headers, &body.to_string()).await
    }

    async fn me(&self, who: &str, path: &str, body: &str) -> Reply {
        let headers = format!("x-driftlead-subject: {who}\r\n");
        ask(
            self.address,
            &format!("/driftlead/me{path}"),
            &headers,
            body,
        )
        .await
    }

    async fn change(&self, who: &str, purpose: &str, change: &str) -> Reply {
        let body = json!({ "purpose": purpose, "change": change }).to_string();
        self.me(who, "/consent", &body).await
    }

    async fn allow(&self, who: &str, purpose: &str) {
        for change in ["show", "give"] {
            assert_eq!(self.change(who, purpose, change).await.status(), 200);
        }
    }

    async fn state(&self, who: &str, purpose: usize) -> String {
        let me = self.me(who, "", "").await.json();
        me["consents"][purpose]["state"]
            .as_str()
            .unwrap_or("not to be read")
            .to_owned()
    }

    async fn export(&self, who: &str) -> Value {
        self.me(who, "/export", "").await.json()
    }

    fn data(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join("data").join(name)
    }

    /// Ends in order, and the log holds.
    async fn end(self) -> tempfile::TempDir {
        self.served.end().await;
        verify(&self.folder.path().join("data/audit.log")).unwrap();
        self.folder
    }
}

async fn mock() -> Mock {
    Mock::start(|_| json_reply("200 OK", REPLY)).await
}

fn warm(mock: &Mock) -> bool {
    String::from_utf8_lossy(&mock.last().body).contains(WARM)
}

fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).into_owned()
}

/// Holds bytes anywhere below a folder.
fn found(folder: &Path, needle: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return found(&path, needle);
        }
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(needle.len()).any(|part| part == needle)
    })
}

/// The guarantee: what one gateway has answered holds for the next request at the other.
#[tokio::test]
async fn what_is_changed_at_one_gateway_holds_at_the_other_at_once() {
    let Some(server) = Server::start() else {
        return;
    };
    let mock = mock().await;
    let gates = [
        Gate::start(&mock, &server).await,
        Gate::start(&mock, &server).await,
    ];
    let [a, b] = &gates;
    // Both know the person before, from their own look.
    a.says("ann", "s", "hello").await;
    b.says("ann", "s", "hello").await;
    for round in 0..12 {
        let (here, there) = (&gates[round % 2], &gates[(round + 1) % 2]);
        here.allow("ann", "relational_mode").await;
        there.says("ann", "s", "hello").await;
        assert!(warm(&mock), "round {round}");
        let status = text(&there.says("ann", "s", "/driftlead status").await);
        assert!(status.contains("warmer way of talking: on"), "{status}");
        there.says("ann", "s", "/driftlead stop").await;
        here.says("ann", "s", "hello").await;
        assert!(!warm(&mock), "round {round}");
    }
    // One page key opens at both, one repair is kept at both, and its turns are used once each.
    let status = text(&a.says("ann", "s", "/driftlead status").await);
    let key = status.split("key=").nth(1).unwrap();
    let key = key.split(['"', '\\']).next().unwrap();
    let page = ask(b.address, &format!("/driftlead/?key={key}"), "", "").await;
    assert_eq!(page.status(), 200, "{key}");
    let wish = r#"{"words":"canary-77aa-words","always":true}"#;
    assert_eq!(a.me("ann", "/repair", wish).await.status(), 200);
    b.says("ann", "s", "hello").await;
    assert!(text_of(&mock).contains("canary-77aa-words"));
    // A receipt names the log of its gateway.
    let logs: Vec<_> = gates.iter().map(|gate| gate.data("audit.log")).collect();
    let receipts = a.me("ann", "", "").await.json()["receipts"].clone();
    let mut of = [0, 0];
    for receipt in receipts.as_array().unwrap() {
        let witness = Witness::of_receipt(&receipt.to_string()).unwrap();
        let agree = logs
            .iter()
            .map(|log| verify_against(log, std::slice::from_ref(&witness)).is_ok());
        let agree: Vec<bool> = agree.collect();
        assert_ne!(agree[0], agree[1], "{receipt}");
        of[usize::from(agree[1])] += 1;
    }
    assert!(of[0] > 5 && of[1] > 5, "{of:?}");
    let export = b.export("ann").await;
    let other = verify(&logs[0]).unwrap().chain;
    assert_eq!(export["logs_of_other_gateways"], json!([other]));
    assert!(!server.tables().contains("canary"));
    for gate in gates {
        gate.end().await;
    }
}

fn text_of(mock: &Mock) -> String {
    String::from_utf8_lossy(&mock.last().body).into_owned()
}

/// The same person at both gateways at the same time, over and over.
#[tokio::test]
async fn changes_at_the_same_moment_lose_nothing_and_revive_nothing() {
    let Some(server) = Server::start() else {
        return;
    };
    let mock = mock().await;
    let (a, b) = (
        Gate::start(&mock, &server).await,
        Gate::start(&mock, &server).await,
    );
    let wish = r#"{"words":"shorter","always":true}"#;
    let mut answered = 0;
    for _ in 0..10 {
        let all = tokio::join!(
            a.me("bo", "/repair", wish),
            b.me("bo", "/repair", wish),
            a.me("bo", "/repair", wish),
            b.me("bo", "/repair", wish),
        );
        for reply in [all.0, all.1, all.2, all.3] {
            answered += u64::from(reply.status() == 200);
        }
    }
    assert_eq!(answered, 40);
    for gate in [&a, &b] {
        let me = gate.me("bo", "", "").await.json();
        assert_eq!(me["outcomes_of_repairs"]["repairs"], 40);
    }
    // The first contact was at both at once: one key, and it opens the entries of both logs.
    let (at_a, at_b) = (a.export("bo").await, b.export("bo").await);
    for export in [&at_a, &at_b] {
        assert!(export["log"].as_array().unwrap().len() >= 20);
    }
    assert_eq!(at_a["summary"]["pseudonym"], at_b["summary"]["pseudonym"]);
    // Yes at one and no at the other.
    for round in 0..20 {
        a.change("bo", "relational_mode", "show").await;
        let (yes, no) = tokio::join!(
            a.change("bo", "relational_mode", "give"),
            b.change("bo", "relational_mode", "withdraw"),
        );
        assert_eq!(no.status(), 200);
        let states = [a.state("bo", 0).await, b.state("bo", 0).await];
        assert_eq!(states[0], states[1], "round {round}");
        let on = ["given", "renewed"].contains(&states[0].as_str());
        assert!(!on || yes.status() == 200, "round {round}: {states:?}");
        assert!(b.me("bo", "/stop", "{}").await.status() == 200);
        let states = [a.state("bo", 0).await, b.state("bo", 0).await];
        assert!(!states.iter().any(|s| s == "given" || s == "renewed"));
    }
    a.end().await;
    b.end().await;
}

/// Whoever is erased at one gateway is forgotten at the other: memory, record, and the talk under way.
#[tokio::test]
async fn an_erased_person_is_gone_from_both_and_does_not_come_back() {
    let Some(server) = Server::start() else {
        return;
    };
    let mock = mock().await;
    let (a, b) = (
        Gate::start(&mock, &server).await,
        Gate::start(&mock, &server).await,
    );
    a.allow("cy", "keep_state").await;
    a.says("cy", "one", "hello there").await;
    let pseudonym = a.me("cy", "", "").await.json()["pseudonym"].clone();
    let pseudonym = pseudonym.as_str().unwrap().to_owned();
    // B has rows of theirs on disk, and a conversation under way.
    b.says("cy", "two", "hello there").await;
    let b = {
        let folder = b.end().await;
        assert!(found(folder.path(), pseudonym.as_bytes()));
        let log = folder.path().join("data/audit.log");
        assert!(verify(&log).unwrap().entries > 0);
        Gate::on(&mock, &server, WithoutLog::Forward, folder).await
    };
    b.says("cy", "three", "hello there").await;
    assert_eq!(b.me("cy", "", "").await.json()["conversations_kept"], 1);
    let keys = server.ask("SELECT encode(key, 'hex') FROM driftlead_person");
    assert_eq!(keys.len(), 64, "{keys}");
    assert_eq!(a.me("cy", "/erase", "{}").await.status(), 200);
    assert!(!server.tables().contains(&keys));
    assert_eq!(b.state("cy", 1).await, "unknown");
    let me = b.me("cy", "", "").await.json();
    assert_eq!(me["conversations_kept"], 0);
    assert_ne!(me["pseudonym"].as_str().unwrap(), pseudonym);
    // The calibration of the evidence comes before B's first look for notes.
    let end = Instant::now() + Duration::from_secs(120);
    while found(b.folder.path(), pseudonym.as_bytes()) {
        assert!(Instant::now() < end, "the record still has them");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(!found(a.folder.path(), pseudonym.as_bytes()));
    let end = Instant::now() + Duration::from_secs(30);
    while server.tables().contains(&pseudonym) {
        assert!(Instant::now() < end, "a note stays");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // The talks under way end: nobody is written.
    let (a, b) = (a.end().await, b.end().await);
    for folder in [a, b] {
        assert!(!found(folder.path(), pseudonym.as_bytes()));
    }
    assert_eq!(server.ask("SELECT count(*) FROM driftlead_person"), "0");
}

/// Every decision has a number of its own, wherever it was drawn, also after a gateway was lost.
#[tokio::test]
async fn no_number_of_a_decision_is_used_twice() {
    let Some(server) = Server::start() else {
        return;
    };
    let mock = mock().await;
    let a = Gate::start(&mock, &server).await;
    let b = Gate::start(&mock, &server).await;
    a.allow("di", "randomised_pauses").await;
    for round in 0..20 {
        let (one, two) = (format!("a{round}"), format!("b{round}"));
        tokio::join!(a.says("di", &one, "hello"), b.says("di", &two, "hello"));
    }
    // Lost without a word: what it had not used is skipped.
    let lost = b.export("di").await;
    b.served.kill();
    let c = Gate::start(&mock, &server).await;
    for round in 0..20 {
        let (one, two) = (format!("c{round}"), format!("d{round}"));
        tokio::join!(a.says("di", &one, "hello"), c.says("di", &two, "hello"));
    }
    let mut numbers = BTreeSet::new();
    let mut decisions = 0;
    for export in [lost, a.export("di").await, c.export("di").await] {
        for entry in export["log"].as_array().unwrap() {
            if entry["kind"] == "decision" {
                assert_eq!(entry["event"]["probability_of_pause"], 0.5, "{entry}");
                numbers.insert(entry["event"]["decision"].as_u64().unwrap());
                decisions += 1;
            }
        }
    }
    assert_eq!((decisions, numbers.len()), (80, 80));
    a.end().await;
    c.end().await;
}

/// The database goes in the middle of it: nothing governed is done, an end still holds here, and when it is
/// back everything is as it should be.
#[tokio::test]
async fn without_the_database_nothing_governed_is_done_and_an_end_is_not_lost() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let mock = mock().await;
    let a = Gate::start(&mock, &server).await;
    let b = Gate::start(&mock, &server).await;
    let c = Gate::with(&mock, &server, WithoutLog::Refuse).await;
    a.allow("ed", "relational_mode").await;
    b.says("ed", "s", "hello").await;
    assert!(warm(&mock));
    let ready = |gate: &Gate| ask(gate.admin, "/readyz", "", "");
    assert_eq!(ready(&a).await.status(), 200);
    server.down();
    let reply = a.says("ed", "s", "hello").await;
    assert_eq!(reply.status(), 200);
    assert_eq!(value(&reply.head, "x-driftlead-ungoverned"), Some("store"));
    assert!(!warm(&mock));
    let before = mock.requests();
    assert_eq!(c.says("ed", "s", "hello").await.status(), 503);
    let told = text(&a.says("ed", "s", "/driftlead status").await);
    assert!(told.contains("cannot be read now"), "{told}");
    let given = a.change("ed", "keep_state", "show").await;
    assert_eq!(given.status(), 503);
    let stopped = text(&a.says("ed", "s", "/driftlead stop").await);
    assert!(
        stopped.contains("holds on this gateway at once"),
        "{stopped}"
    );
    assert_eq!(mock.requests(), before, "a command is never forwarded");
    let down = ready(&a).await;
    assert_eq!(down.status(), 503);
    assert!(!text(&down).contains("canary"));
    server.up();
    let end = Instant::now() + Duration::from_secs(120);
    while b.state("ed", 0).await != "withdrawn" {
        assert!(Instant::now() < end, "the end did not come through");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(ready(&a).await.status(), 200);
    let reply = c.says("ed", "s", "hello").await;
    assert_eq!(reply.status(), 200);
    assert!(value(&reply.head, "x-driftlead-acts").is_some());
    assert!(!warm(&mock));
    for gate in [a, b, c] {
        gate.end().await;
    }
}

/// The connection breaks again and again, in the middle of changes too: what was answered is kept, and
/// nothing is counted twice.
#[tokio::test]
async fn a_connection_that_breaks_loses_nothing_that_was_answered() {
    let Some(server) = Server::start() else {
        return;
    };
    let mock = mock().await;
    let a = Gate::start(&mock, &server).await;
    let b = Gate::start(&mock, &server).await;
    a.allow("fay", "keep_state").await;
    let (mut answered, mut sent, mut broken) = (0, 0, 0);
    while broken < 15 {
        let mut terminate = server.psql(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE application_name = 'driftlead gate'",
        );
        let breaks = tokio::task::spawn_blocking(move || terminate.status());
        while !breaks.is_finished() {
            let (one, two) =
                tokio::join!(a.me("fay", "/repair", "{}"), b.me("fay", "/repair", "{}"));
            sent += 2;
            answered += u64::from(one.status() == 200) + u64::from(two.status() == 200);
        }
        assert!(breaks.await.unwrap().unwrap().success());
        broken += 1;
    }
    assert!(answered > 0 && answered < sent, "{answered} of {sent}");
    let end = Instant::now() + Duration::from_secs(30);
    while b.me("fay", "", "").await.status() != 200 || a.me("fay", "", "").await.status() != 200 {
        assert!(Instant::now() < end);
    }
    for gate in [&a, &b] {
        let me = gate.me("fay", "", "").await.json();
        let kept = me["outcomes_of_repairs"]["repairs"].as_u64().unwrap();
        assert!(
            (answered..=sent).contains(&kept),
            "{answered} answered of {sent}, {kept} kept"
        );
    }
    a.end().await;
    b.end().await;
}

/// The budget is one for all gateways, whoever asks at whatever moment.
#[cfg(feature = "cohort")]
#[tokio::test]
async fn the_budget_of_releases_cannot_be_overspent_by_two_gateways() {
    let Some(server) = Server::start() else {
        return;
    };
    let mock = mock().await;
    let (a, b) = (
        Gate::start(&mock, &server).await,
        Gate::start(&mock, &server).await,
    );
    for number in 0..100 {
        let who = format!("p{number}");
        for purpose in ["keep_state", "share_features"] {
            a.allow(&who, purpose).await;
        }
        for session in ["one", "two"] {
            a.says(&who, session, "hello there").await;
        }
    }
    a.end().await;
    let a = Gate::start(&mock, &server).await;
    let wish = r#"{"series":"questions.per_reply","epsilon":0.3}"#;
    let ask_for = |gate: &Gate| {
        ask(
            gate.admin,
            "/cohort",
            "content-type: application/json\r\n",
            wish,
        )
    };
    let mut made = 0;
    for _ in 0..6 {
        let (one, two) = tokio::join!(ask_for(&a), ask_for(&b));
        for reply in [one, two] {
            assert!([200, 409].contains(&reply.status()), "{}", text(&reply));
            made += usize::from(reply.status() == 200);
        }
    }
    // Of a budget of 1: three times 0.3, not four.
    assert_eq!(made, 3);
    for gate in [&a, &b] {
        let left = ask(gate.admin, "/cohort", "", "").await.json();
        assert!(
            (left["epsilon_left"].as_f64().unwrap() - 0.1).abs() < 1e-9,
            "{left}"
        );
    }
    a.end().await;
    b.end().await;
}
