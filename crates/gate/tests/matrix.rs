//! The streams that clients were tried with, through a governing gateway: each passes byte for byte, and
//! ends as it ended.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test stops here"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod mock;

use std::sync::{Arc, Mutex};

use driftlead_gate::Server;
use driftlead_gate::config::Config;
use driftlead_gate::govern::{
    Decision, EndCause, Facts, Governor, Hold, LocalReply, LocalRequest, Pending, Readiness,
    Recorded, ReplyEnd, Tap, Verdict,
};
use mock::{Mock, Step, ask, chunk, last_chunk, stream_head};

/// Writes down the text of choice 0, and how the reply ended. Holds where the person asks for it, and
/// replaces what ends in " world".
#[derive(Debug, Default, Clone)]
struct Ear(Arc<Mutex<Vec<Heard>>>);

#[derive(Debug)]
struct Without(&'static str);

impl Hold for Without {
    fn release(&mut self, _: u64, context: &str, pending: &str, _: bool) -> Verdict {
        let seen = format!("{context}{pending}");
        match seen.find(self.0) {
            Some(at) if !self.0.is_empty() && at + self.0.len() > context.len() => {
                let kept = seen[..at].get(context.len()..).unwrap_or_default();
                Verdict::Replace(format!("{kept} [out]"))
            }
            _ => Verdict::Release,
        }
    }

    fn record(&mut self) -> Pending<'static, Recorded> {
        let entry = Recorded::Entry {
            policy: "p".to_owned(),
            act: "exit",
            entry: 7,
        };
        Box::pin(std::future::ready(entry))
    }
}

/// The text of a reply, and what ended it.
type Heard = (String, Option<EndCause>);

impl Tap for Ear {
    fn text(&mut self, choice: u32, text: &str) {
        if choice == 0 {
            self.0.lock().unwrap().last_mut().unwrap().0.push_str(text);
        }
    }

    fn end(self: Box<Self>, end: &ReplyEnd) {
        self.0.lock().unwrap().last_mut().unwrap().1 = Some(end.cause);
    }
}

impl Governor for Ear {
    fn on_request<'a>(&'a self, facts: &'a Facts<'a>) -> Pending<'a, Decision> {
        self.0.lock().unwrap().push((String::new(), None));
        let mut decision = Decision::forward();
        let turn = facts.newest_user_turn().and_then(|turn| turn.only_text());
        decision.hold = match turn.as_deref() {
            Some("hold") => Some(Box::new(Without("\u{0}"))),
            Some("replace") => Some(Box::new(Without(" world"))),
            _ => None,
        };
        decision.tap = Some(Box::new(self.clone()));
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

/// Name, stream, whether it ends properly, the text in it, and the cause that is told.
type Case = (&'static str, String, bool, &'static str, EndCause);

fn delta(more: &str, choice: &str) -> String {
    format!(
        "data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\"{more},\"choices\":[{choice}]}}\n\n"
    )
}

fn content(text: &str) -> String {
    delta(
        "",
        &format!("{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}"),
    )
}

fn tool(call: &str) -> String {
    delta(
        "",
        &format!("{{\"index\":0,\"delta\":{{\"tool_calls\":[{call}]}},\"finish_reason\":null}}"),
    )
}

fn cases() -> Vec<Case> {
    let a = delta(
        "",
        r#"{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}"#,
    );
    let (b, c) = (content("Hello"), content(" world"));
    let f = delta("", r#"{"index":0,"delta":{},"finish_reason":"stop"}"#);
    let filtered = delta(
        "",
        r#"{"index":0,"delta":{},"finish_reason":"content_filter"}"#,
    );
    let d = "data: [DONE]\n\n";
    let error = r#"data: {"error":{"message":"x","type":"server_error","param":null,"code":null}}"#;
    let usage = delta(
        r#","usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}"#,
        "",
    );
    let extra = |place: &str| {
        delta(
            if place == "top" {
                r#","driftlead":{"n":1}"#
            } else {
                ""
            },
            if place == "top" {
                r#"{"index":0,"delta":{"content":"Hello"},"finish_reason":null}"#
            } else {
                r#"{"index":0,"x":1,"delta":{"content":"Hello","y":[2]},"finish_reason":null}"#
            },
        )
    };
    let multi = "data: {\"choices\":[{\"index\":0,\ndata: \"delta\":{\"content\":\"Hello\"}}]}\n\n";
    let both = "Hello world";
    let fine = |name, stream: String| (name, stream, true, both, EndCause::Complete);
    let base = [&a, &b, &c, &f].map(String::as_str).concat();
    let call = r#""id":"t","type":"function","function":{"name":"n","arguments":"{"}"#;
    vec![
        fine("base", format!("{base}{d}")),
        fine("ping_nn", format!(": ping\n\n{a}{b}: ping\n\n{c}{f}{d}")),
        fine("ping_n", format!("{a}{b}: ping\n{c}{f}{d}")),
        fine(
            "id_then_ping_nn",
            format!("id: 1\n{a}{b}: ping\n\n{c}{f}{d}"),
        ),
        (
            "err_data",
            format!("{a}{b}{error}\n\n{d}"),
            true,
            "Hello",
            EndCause::UpstreamFailed,
        ),
        (
            "err_event",
            format!("{a}{b}event: error\n{error}\n\n{d}"),
            true,
            "Hello",
            EndCause::UpstreamFailed,
        ),
        fine("extra_field", format!("{a}{}{c}{f}{d}", extra("top"))),
        fine(
            "extra_choice_field",
            format!("{a}{}{c}{f}{d}", extra("choice")),
        ),
        fine(
            "empty_choices_notice",
            format!("{a}{b}{}{c}{f}{d}", delta(r#","driftlead":{"n":1}"#, "")),
        ),
        fine(
            "named_event",
            format!("{a}{b}event: x.notice\ndata: {{\"n\":1}}\n\n{c}{f}{d}"),
        ),
        (
            "content_filter",
            format!("{a}{}{filtered}{d}", content("[withheld]")),
            true,
            "[withheld]",
            EndCause::Complete,
        ),
        fine("no_done", base.clone()),
        (
            "truncated",
            format!("{a}{b}"),
            false,
            "Hello",
            EndCause::UpstreamFailed,
        ),
        fine("crlf", format!("{base}{d}").replace('\n', "\r\n")),
        fine("usage_unasked", format!("{base}{usage}{d}")),
        (
            "split_utf8",
            format!("{a}{}{f}{d}", content("é世🙂")),
            true,
            "é世🙂",
            EndCause::Complete,
        ),
        fine("multi_data", format!("{a}{multi}{c}{f}{d}")),
        fine("post_done", format!("{base}{d}data: {{\"late\":1}}\n\n")),
        fine("ping_first", format!(": ping\n{base}{d}")),
        fine("retry", format!("retry: 3000\n\n{base}{d}")),
        fine("empty_choices_first", format!("{}{base}{d}", delta("", ""))),
        fine(
            "message_and_detail",
            format!(
                "{a}{}{c}{f}{d}",
                b.replace(
                    "\"object\"",
                    "\"message\":\"x\",\"detail\":\"y\",\"object\""
                )
            ),
        ),
        fine(
            "error_null",
            format!(
                "{a}{}{c}{f}{d}",
                b.replace("\"object\"", "\"error\":null,\"object\"")
            ),
        ),
        (
            "filter_with_delta",
            format!(
                "{a}{}{d}",
                content("[withheld]").replace(":null}", ":\"content_filter\"}")
            ),
            true,
            "[withheld]",
            EndCause::Complete,
        ),
        (
            "tool_without_index",
            format!("{a}{}{f}{d}", tool(&format!("{{{call}}}"))),
            true,
            "",
            EndCause::Complete,
        ),
        (
            "tool_index_from_1",
            format!("{a}{}{f}{d}", tool(&format!("{{\"index\":1,{call}}}"))),
            true,
            "",
            EndCause::Complete,
        ),
        (
            "tool_arguments_first",
            format!(
                "{a}{}{}{f}{d}",
                tool(r#"{"index":0,"function":{"arguments":"{}"}}"#),
                tool(&format!("{{\"index\":0,{call}}}"))
            ),
            true,
            "",
            EndCause::Complete,
        ),
    ]
}

/// A gateway before a server that plays the case named in the request.
async fn gateway(all: &[Case]) -> (std::net::SocketAddr, Ear, Mock) {
    let served = all.to_vec();
    let mock = Mock::start(move |seen| {
        let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
        let name = body["model"].as_str().unwrap();
        let (name, size) = name.split_once(' ').unwrap();
        let case = served.iter().find(|case| case.0 == name).unwrap();
        let mut steps = vec![stream_head()];
        for piece in case.1.as_bytes().chunks(size.parse().unwrap()) {
            steps.push(chunk(piece));
        }
        steps.push(if case.2 { last_chunk() } else { Step::Close });
        steps
    })
    .await;
    let mut config = Config::for_upstream(format!("http://{}", mock.address));
    config.listen.set_port(0);
    config.admin.set_port(0);
    let ear = Ear::default();
    let server = Server::bind(&config, Arc::new(ear.clone())).await.unwrap();
    let address = server.address();
    tokio::spawn(server.run(std::future::pending()));
    (address, ear, mock)
}

fn request(name: &str, size: usize, words: &str) -> String {
    format!(
        r#"{{"model":"{name} {size}","stream":true,"messages":[{{"role":"user","content":"{words}"}}]}}"#
    )
}

/// In tap mode, and in hold mode where nothing is replaced.
#[tokio::test]
async fn every_stream_of_the_matrix_passes_as_it_is() {
    let all = cases();
    let names: std::collections::BTreeSet<&str> = all.iter().map(|case| case.0).collect();
    assert_eq!((names.len(), all.len()), (27, 27));
    let (address, ear, _mock) = gateway(&all).await;
    for (name, stream, whole, text, cause) in &all {
        for (size, words) in [(1, "q"), (5, "q"), (4096, "q"), (1, "hold"), (4096, "hold")] {
            let body = request(name, size, words);
            let reply = ask(address, "/v1/chat/completions", "", &body).await;
            let sent = String::from_utf8(reply.body).unwrap();
            assert_eq!(&sent, stream, "{name} in pieces of {size}, {words}");
            assert_eq!(reply.whole, *whole, "{name}, {words}");
            let heard = ear.0.lock().unwrap().last().cloned().unwrap();
            assert_eq!(
                heard,
                ((*text).to_owned(), Some(*cause)),
                "{name} in pieces of {size}, {words}"
            );
        }
    }
}

/// Words are replaced in their own event; every other event is as it was, and what was heard is what the
/// model said.
#[tokio::test]
async fn what_is_replaced_is_replaced_and_nothing_else() {
    let all = cases();
    let (address, ear, _mock) = gateway(&all).await;
    let object = r#"data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"driftlead":{"acts":["exit"],"entry":7,"policy":"p"}}"#;
    let mut replaced = 0;
    for (name, stream, whole, text, cause) in &all {
        let ending = if *name == "crlf" { "\r\n" } else { "\n" };
        for size in [3, 4096] {
            let body = request(name, size, "replace");
            let reply = ask(address, "/v1/chat/completions", "", &body).await;
            let sent = String::from_utf8(reply.body).unwrap();
            let mut want = stream.clone();
            if text.ends_with(" world") {
                if ["empty_choices_notice", "named_event"].contains(name) {
                    // Something else comes between the two words, so the first goes before it.
                    want = want.replace("\" world\"", "\" [out]\"");
                } else {
                    // They are held together; the first event gets all that stands in their place.
                    let from = stream.find("Hello").unwrap();
                    want.replace_range(from..from + 5, "Hello [out]");
                    want = want.replace("\" world\"", "\"\"");
                }
                let at = want.find("[out]").unwrap();
                let end = at + want[at..].find(&format!("{ending}{ending}")).unwrap();
                // Like the event it stands behind, which in one case has nothing but choices.
                let object = match *name {
                    "multi_data" => {
                        format!("data: {{{}", &object[object.find("\"choices").unwrap()..])
                    }
                    _ => object.to_owned(),
                };
                want.insert_str(end + 2 * ending.len(), &format!("{object}\n\n"));
                replaced += 1;
            }
            assert_eq!(events(&sent), events(&want), "{name} in pieces of {size}");
            assert_eq!(reply.whole, *whole, "{name}");
            let heard = ear.0.lock().unwrap().last().cloned().unwrap();
            assert_eq!(heard, ((*text).to_owned(), Some(*cause)), "{name}");
        }
    }
    assert_eq!(replaced, 36);
}

/// The data of each event; an event over several lines is one.
fn events(stream: &str) -> Vec<String> {
    let mut reader = driftlead_gate::sse::Reader::new();
    let mut events = Vec::new();
    reader.feed(stream.as_bytes(), |event| {
        events.push(String::from_utf8(event.data.to_vec()).unwrap());
    });
    events
}
