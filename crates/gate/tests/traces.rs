//! Traces: what a collector gets, and what it never gets.

#![allow(clippy::unwrap_used, reason = "a failed test stops here")]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod mock;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use driftlead_gate::config::{Config, Traces};
use driftlead_gate::govern::{Governor, Transparent};
use driftlead_gate::governance::{Govern, Governance};
use driftlead_gate::policy::{Point, Policy};
use mock::serve::{Served, serve};
use mock::{Mock, ask, chunk, json_reply, last_chunk, stream_head, value};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";
const REPLY: &str = r#"{"model":"m-2","choices":[{"index":0,"message":{"content":"canary-reply"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#;

struct Gate {
    address: SocketAddr,
    admin: SocketAddr,
    served: Served,
}

impl Gate {
    async fn start(upstream: &Mock, collector: Option<&str>, governor: Arc<dyn Governor>) -> Gate {
        let mut config = Config::for_upstream(format!("http://{}", upstream.address));
        config.traces = collector.map(|endpoint| Traces {
            endpoint: endpoint.to_owned(),
            service: "chat gateway".to_owned(),
        });
        let served = serve(config, governor).await;
        Gate {
            address: served.address,
            admin: served.admin,
            served,
        }
    }

    async fn end(self) {
        self.served.end().await;
    }
}

/// Answers by the words of the request.
async fn upstream() -> Mock {
    Mock::start(|seen| {
        let body = String::from_utf8_lossy(&seen.body).into_owned();
        if body.contains("refuse") {
            return json_reply("429 Too Many Requests", r#"{"error":{"message":"canary-error"}}"#);
        }
        if body.contains("\"stream\":true") {
            let words = r#"data: {"model":"m-3","choices":[{"index":0,"delta":{"content":"canary-reply"}}]}"#;
            return vec![
                stream_head(),
                chunk(format!("{words}\n\n").as_bytes()),
                chunk(b"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n"),
                last_chunk(),
            ];
        }
        json_reply("200 OK", REPLY)
    })
    .await
}

async fn collector() -> Mock {
    Mock::start(|_| json_reply("200 OK", "{}")).await
}

/// All spans that a collector got, in the order of their start.
fn spans(collector: &Mock) -> Vec<Value> {
    let log = collector.log.lock().unwrap();
    let mut spans = Vec::new();
    for seen in &log.requests {
        assert!(seen.head.starts_with("post /v1/traces "), "{}", seen.head);
        assert_eq!(value(&seen.head, "content-type"), Some("application/json"));
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        let resource = &body["resourceSpans"][0];
        let service = &resource["resource"]["attributes"][0];
        assert_eq!(service["value"]["stringValue"], "chat gateway");
        let all = &resource["scopeSpans"][0]["spans"];
        spans.extend(all.as_array().unwrap().iter().cloned());
    }
    spans.sort_by_key(|span| number(&span["startTimeUnixNano"]));
    spans
}

fn number(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

fn attribute(span: &Value, name: &str) -> Option<Value> {
    let all = span["attributes"].as_array().unwrap();
    let found = all.iter().find(|a| a["key"] == name)?["value"].as_object()?;
    found.values().next().cloned()
}

/// The span id and the flags that the upstream was told.
fn told(upstream: &Mock) -> Vec<String> {
    let log = upstream.log.lock().unwrap();
    let parent = |seen: &mock::Seen| value(&seen.head, "traceparent").map(str::to_owned);
    log.requests.iter().filter_map(parent).collect()
}

#[tokio::test]
async fn a_span_says_how_it_went_and_nothing_of_whom() {
    let (upstream, collector) = (upstream().await, collector().await);
    let folder = tempfile::tempdir().unwrap();
    let govern = Govern {
        data: folder.path().to_owned(),
        ..Govern::default()
    };
    let policy = Policy::at(Point::Monitored);
    let governance = Governance::open(&govern, &policy).unwrap();
    let endpoint = format!("http://{}/", collector.address);
    let gate = Gate::start(&upstream, Some(&endpoint), Arc::new(governance)).await;
    let headers = format!(
        "authorization: Bearer canary-key\r\nx-driftlead-subject: canary-subject\r\n\
         x-driftlead-session: canary-session\r\nx-api-key: canary-key-2\r\nbaggage: user=canary-baggage\r\n\
         traceparent: 00-{TRACE}-{PARENT}-01\r\ntracestate: s=canary-state\r\n"
    );
    let says = |text: &str, stream: bool| {
        json!({ "model": "m-1", "stream": stream, "user": "canary-user", "messages": [
            { "role": "system", "content": "canary-system" },
            { "role": "user", "content": format!("canary-text {text}") },
        ] })
        .to_string()
    };
    for (text, stream) in [("a", false), ("b", true), ("refuse", false)] {
        let reply = ask(gate.address, CHAT, &headers, &says(text, stream)).await;
        assert!(reply.whole);
        assert!(reply.head.contains("x-driftlead-acts"), "the policy acts");
    }
    let command = r#"{"model":"m-1","messages":[{"role":"user","content":"/driftlead status"}]}"#;
    assert_eq!(
        ask(gate.address, CHAT, &headers, command).await.status(),
        200
    );
    ask(gate.address, "/v1/models", &headers, "").await;
    gate.end().await;

    let spans = spans(&collector);
    assert_eq!(spans.len(), 3, "no command, no list of models: {spans:?}");
    let passed = told(&upstream);
    for (at, span) in spans.iter().enumerate() {
        assert_eq!(span["traceId"], TRACE);
        assert_eq!(span["parentSpanId"], PARENT);
        let id = span["spanId"].as_str().unwrap();
        assert_eq!(passed[at], format!("00-{TRACE}-{id}-01"));
        assert_eq!(
            (&span["name"], &span["kind"]),
            (&json!("chat m-1"), &json!(3))
        );
        assert!(number(&span["endTimeUnixNano"]) > number(&span["startTimeUnixNano"]));
        assert_eq!(
            attribute(span, "gen_ai.operation.name"),
            Some("chat".into())
        );
        assert_eq!(
            attribute(span, "gen_ai.provider.name"),
            Some("openai".into())
        );
        assert_eq!(attribute(span, "gen_ai.request.model"), Some("m-1".into()));
        assert!(attribute(span, "gen_ai.response.time_to_first_chunk").is_some());
    }
    assert_eq!(passed.len(), 4, "the list of models passes as it came");
    assert_eq!(passed[3], format!("00-{TRACE}-{PARENT}-01"));
    let [whole, stream, refused] = &spans[..] else {
        unreachable!("three");
    };
    let of = |span, name: &str| attribute(span, name);
    assert_eq!(of(whole, "gen_ai.response.model"), Some("m-2".into()));
    assert_eq!(of(whole, "gen_ai.usage.input_tokens"), Some("7".into()));
    assert_eq!(of(whole, "gen_ai.usage.output_tokens"), Some("3".into()));
    assert_eq!(of(whole, "http.response.status_code"), Some("200".into()));
    assert_eq!(of(whole, "gen_ai.request.stream"), Some(false.into()));
    assert_eq!(
        (of(whole, "error.type"), &whole["status"]),
        (None, &json!({}))
    );
    assert_eq!(of(stream, "gen_ai.request.stream"), Some(true.into()));
    assert_eq!(of(stream, "gen_ai.response.model"), Some("m-3".into()));
    let reasons = json!([{ "stringValue": "length" }]);
    let found = of(stream, "gen_ai.response.finish_reasons").unwrap();
    assert_eq!(found["values"], reasons);
    assert_eq!(
        of(stream, "gen_ai.usage.input_tokens"),
        None,
        "unknown is not 0"
    );
    assert_eq!(of(refused, "error.type"), Some("429".into()));
    assert_eq!(refused["status"], json!({ "code": 2 }));

    for seen in &collector.log.lock().unwrap().requests {
        let body = String::from_utf8(seen.body.clone()).unwrap();
        for never in [
            "canary",
            "evaluation",
            "conversation",
            "driftlead.",
            "acts",
            "monitored",
        ] {
            assert!(
                !seen.head.contains(never) && !body.contains(never),
                "{never}"
            );
        }
    }
}

/// Without a policy nothing of the request is read; what the reply tells is in the span all the same, and
/// every byte passes.
#[tokio::test]
async fn traces_change_no_byte() {
    let (upstream, collector) = (upstream().await, collector().await);
    let endpoint = format!("http://{}/v1", collector.address);
    let gate = Gate::start(&upstream, Some(&endpoint), Arc::new(Transparent)).await;
    let body = r#"{"model":"m-1",  "messages":[],"odd":1.50}"#;
    let reply = ask(gate.address, CHAT, "", body).await;
    assert_eq!(reply.body, REPLY.as_bytes());
    assert_eq!(upstream.last().body, body.as_bytes());
    gate.end().await;
    let spans = spans(&collector);
    assert_eq!(spans.len(), 1);
    assert_eq!(spans[0]["name"], "chat");
    assert_eq!(spans[0].get("parentSpanId"), None);
    assert_eq!(
        attribute(&spans[0], "gen_ai.response.model"),
        Some("m-2".into())
    );
    assert!(
        told(&upstream)[0].starts_with(&format!("00-{}-", spans[0]["traceId"].as_str().unwrap()))
    );
}

#[tokio::test]
async fn without_a_collector_headers_pass_as_they_are() {
    let upstream = upstream().await;
    let gate = Gate::start(&upstream, None, Arc::new(Transparent)).await;
    let sent = format!("00-{TRACE}-{PARENT}-01");
    ask(
        gate.address,
        CHAT,
        &format!("traceparent: {sent}\r\n"),
        "{}",
    )
    .await;
    ask(gate.address, CHAT, "", "{}").await;
    assert_eq!(told(&upstream), [sent]);
    gate.end().await;
}

/// A collector that is not there costs its spans, which are counted, and no request.
#[tokio::test]
async fn what_is_not_taken_is_counted() {
    let upstream = upstream().await;
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let gate = Gate::start(&upstream, Some(&gone), Arc::new(Transparent)).await;
    for _ in 0..3 {
        assert_eq!(ask(gate.address, CHAT, "", "{}").await.status(), 200);
    }
    let counted = r#"driftlead_gate_spans_total{outcome="dropped"} 3"#;
    let seen = async {
        loop {
            let metrics = ask(gate.admin, "/metrics", "", "").await;
            if String::from_utf8(metrics.body).unwrap().contains(counted) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), seen)
        .await
        .unwrap();
    gate.end().await;
}
