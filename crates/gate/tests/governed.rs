//! The governor between a scripted server and a scripted client: what a policy does, what a person can
//! do, and that it is all in a log that verifies.

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

use driftlead_gate::Server;
use driftlead_gate::audit::{Kind, Verified, Witness, verify, verify_against};
use driftlead_gate::config::Config;
use driftlead_gate::governance::{Govern, Governance};
use driftlead_gate::policy::{Point, Policy};
use mock::serve::{Served, serve};
use mock::{Mock, Reply, Step, ask, chunk, json_reply, last_chunk, stream_head, value};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";
const DIALECTS: [&str; 3] = [CHAT, "/v1/messages", "/v1/responses"];
const REPLY: &str =
    r#"{ "odd":1.50,"choices":[{"index":0,"message":{"content":"Fine."},"finish_reason":"stop"}]}"#;

struct Gate {
    address: SocketAddr,
    admin: SocketAddr,
    served: Served,
}

impl Gate {
    async fn start(mock: &Mock, folder: &Path, policy: &Policy) -> Gate {
        let govern = Govern {
            data: folder.to_owned(),
            page_address: Some("http://gate.example".to_owned()),
            ..Govern::default()
        };
        Gate::with(mock, &govern, policy).await
    }

    async fn with(mock: &Mock, govern: &Govern, policy: &Policy) -> Gate {
        let config = Config::for_upstream(format!("http://{}", mock.address));
        let governance = Governance::open(govern, policy).unwrap();
        let served = serve(config, Arc::new(governance)).await;
        Gate {
            address: served.address,
            admin: served.admin,
            served,
        }
    }

    async fn says(&self, who: &str, text: &str) -> Reply {
        self.talk(who, CHAT, &[("user", text)], false, "").await
    }

    async fn talk(
        &self,
        who: &str,
        path: &str,
        turns: &[(&str, &str)],
        stream: bool,
        headers: &str,
    ) -> Reply {
        let turns: Vec<Value> = turns
            .iter()
            .map(|(role, text)| json!({ "role": role, "content": text }))
            .collect();
        let key = if path.ends_with("responses") {
            "input"
        } else {
            "messages"
        };
        let mut body = json!({ "model": "m", "stream": stream });
        body[key] = turns.into();
        let headers = format!("x-driftlead-subject: {who}\r\n{headers}");
        ask(self.address, path, &headers, &body.to_string()).await
    }

    async fn me(&self, who: &str, path: &str, body: &str) -> Reply {
        let headers = format!("x-driftlead-subject: {who}\r\n");
        let path = format!("/driftlead/me{path}");
        ask(self.address, &path, &headers, body).await
    }

    /// Ends in order.
    async fn stop(self) {
        self.served.end().await;
    }
}

fn at(point: Point) -> Policy {
    Policy::at(point)
}

/// The text that a reply of the gateway's own says, in any dialect.
fn said(path: &str, reply: &Reply, stream: bool) -> String {
    let text = String::from_utf8(reply.body.clone()).unwrap();
    if !stream {
        let json: Value = serde_json::from_str(&text).unwrap();
        assert!(json["usage"].is_object(), "clients read it: {text}");
        let places = [
            "/choices/0/message/content",
            "/content/0/text",
            "/output/0/content/0/text",
        ];
        return places
            .iter()
            .find_map(|place| json.pointer(place)?.as_str())
            .unwrap_or_else(|| panic!("{path}: {text}"))
            .to_owned();
    }
    text.split("\n\n")
        .filter_map(|event| {
            let data = event.lines().find_map(|line| line.strip_prefix("data: "))?;
            let json: Value = serde_json::from_str(data).ok()?;
            let places = ["/choices/0/delta/content", "/delta/text", "/delta"];
            places
                .iter()
                .find_map(|place| json.pointer(place)?.as_str().map(str::to_owned))
        })
        .collect()
}

fn on_disk(folder: &Path, needle: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return on_disk(&path, needle);
        }
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(needle.len()).any(|part| part == needle)
    })
}

fn log(folder: &Path) -> Verified {
    verify(&folder.join("audit.log")).unwrap()
}

fn count(of: &Verified, kind: Kind) -> u64 {
    of.kinds.get(&kind).copied().unwrap_or(0)
}

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
