//! What governing costs, by part and without a network: CPU time per request, and memory.
//! `cargo run --release -p driftlead-gate --example governance_cost [ROUNDS]`
//!
//! Requests of one person who consented to everything run through the functions that a governed request
//! runs through, each stage with all before it; a part is the difference. Either all of them belong to one
//! conversation, or each begins one: then a pause is drawn and logged too. Time is CPU time of the whole
//! process, whatever thread writes the log included, so a busy machine matters little. Linux only.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement at a terminal"
)]

use bytes::Bytes;
use driftlead_gate::dialect::Dialect;
use driftlead_gate::govern::{Action, EndCause, Facts, Governor, LocalRequest, ReplyEnd};
use driftlead_gate::governance::{Govern, Governance};
use driftlead_gate::identity::{self, Sessions, Subject};
use driftlead_gate::policy::{Point, Policy};
use driftlead_gate::request::{self, Parsed};
use hyper::{HeaderMap, Method};
use tokio::runtime::Runtime;

/// Requests of one stage in one round.
const REQUESTS: usize = 2_000;
const TURN: &str = "It rained all day and we stayed in and talked about the garden for a while.";
const REPLY: &str = "It sounds like a good day. What did you plant? ";
/// What a stage adds to the one before.
const PARTS: [&str; 5] = [
    "take and read the request",
    "who, and which conversation",
    "decide, and log the act",
    "put the acts into the request",
    "count the exchange",
];

fn main() {
    let rounds = std::env::args().nth(1).map_or(9, |n| n.parse().unwrap());
    let mut memory = Memory::default();
    memory.mark("at the start");
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(folder.path());
    memory.mark("governor open");
    bench.consent("someone");
    bench.pass(
        &headers("someone", None),
        &Body::of(2_000).numbered(0),
        PARTS.len(),
    );
    memory.mark("one request passed (word lists)");
    let small = Body::of(2_000);
    for person in 0..1_000 {
        let who = format!("person {person}");
        bench.pass(&headers(&who, None), &small.numbered(person), PARTS.len());
    }
    memory.mark("1,000 people with a conversation each");
    let mut number = 1;
    for (size, own) in [(2_000, false), (50_000, false), (2_000, true)] {
        costs(&bench, &Body::of(size), own, rounds, &mut number);
    }
    memory.mark("after all requests");
    memory.print();
}

fn costs(bench: &Bench, body: &Body, own: bool, rounds: usize, number: &mut usize) {
    let mut stages = vec![Vec::new(); PARTS.len()];
    for round in 0..rounds {
        for at in 0..PARTS.len() {
            let stage = (at + round) % PARTS.len();
            let before = cpu_micros();
            for _ in 0..REQUESTS {
                *number += 1;
                let headers = headers("someone", (!own).then_some("one"));
                bench.pass(&headers, &body.numbered(*number), stage + 1);
            }
            stages[stage].push((cpu_micros() - before) / REQUESTS as f64);
        }
    }
    let which = if own {
        "a conversation each"
    } else {
        "one conversation"
    };
    println!(
        "CPU per request of {} KB, {which}, µs; median of {rounds} rounds of {REQUESTS} requests",
        body.text.len() / 1_000
    );
    let totals: Vec<f64> = stages.iter().map(|stage| median(stage)).collect();
    let mut before = 0.0;
    for (part, total) in PARTS.iter().zip(&totals) {
        println!("{part:<34}{:>8.1}", total - before);
        before = *total;
    }
    println!("{:<34}{before:>8.1}\n", "all");
}

struct Bench {
    governance: Governance,
    sessions: Sessions,
    runtime: Runtime,
}

impl Bench {
    fn open(folder: &std::path::Path) -> Self {
        let govern = Govern {
            data: folder.join("monitored"),
            ..Govern::default()
        };
        let policy = Policy::at(Point::Monitored);
        Bench {
            governance: Governance::open(&govern, &policy).unwrap(),
            sessions: Sessions::new([7; 32], 100_000),
            runtime: tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap(),
        }
    }

    fn consent(&self, who: &str) {
        for purpose in ["keep_state", "relational_mode", "randomised_pauses"] {
            for change in ["show", "give"] {
                let body = format!(r#"{{"purpose":"{purpose}","change":"{change}"}}"#);
                let request = LocalRequest {
                    now_micros: now_micros(),
                    method: Method::POST,
                    path: "/driftlead/me/consent".to_owned(),
                    query: None,
                    headers: HeaderMap::new(),
                    subject: Some(Subject::new(who)),
                    body: Bytes::from(body),
                };
                let reply = self.runtime.block_on(self.governance.on_local(request));
                assert_eq!(reply.unwrap().status, 200);
            }
        }
    }

    /// One request through the first `stages` parts.
    fn pass(&self, headers: &HeaderMap, body: &Bytes, stages: usize) {
        let now_micros = now_micros();
        let parsed = Parsed::read(Dialect::Chat, body).unwrap();
        if stages < 2 {
            return drop(std::hint::black_box(parsed));
        }
        let (subject, _) = identity::resolve(headers, Some(&parsed), None, 0).unwrap();
        let session = self
            .sessions
            .resolve(headers, Some(&subject), &parsed.turns, now_micros);
        let (session, _) = session.unwrap();
        if stages < 3 {
            return drop(std::hint::black_box(session));
        }
        let facts = Facts {
            now_micros,
            dialect: Dialect::Chat,
            model: parsed.model.as_deref(),
            stream: false,
            subject: Some(&subject),
            session: Some(&session),
            turns: &parsed.turns,
            headers,
            temperature: parsed.temperature(),
            tools: false,
            structured: false,
            readable: true,
        };
        let decision = self.runtime.block_on(self.governance.on_request(&facts));
        let Action::Forward(edits) = decision.action else {
            return;
        };
        assert!(decision.acted, "there is something to do to every request");
        if stages < 4 {
            return;
        }
        let edited = request::apply(
            Dialect::Chat,
            body,
            &parsed,
            &edits,
            &request::Own::default(),
        );
        std::hint::black_box(edited.unwrap());
        if stages < 5 {
            return;
        }
        let mut tap = decision.tap.unwrap();
        for _ in 0..4 {
            tap.text(0, REPLY);
        }
        tap.end(&ReplyEnd {
            cause: EndCause::Complete,
            now_micros,
            status: 200,
            model: Some("m".to_owned()),
            finish: Some("stop".to_owned()),
            usage: None,
            bytes_to_client: 300,
        });
    }
}

/// Without the name of a session the turns tell, and no two newest turns are equal here.
fn headers(who: &str, session: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-driftlead-subject", who.parse().unwrap());
    if let Some(session) = session {
        headers.insert("x-driftlead-session", session.parse().unwrap());
    }
    headers
}

/// A history of short turns, and a newest one of its own.
struct Body {
    text: Vec<u8>,
    /// Where the number is.
    at: usize,
}

impl Body {
    fn of(size: usize) -> Self {
        let mut turns: Vec<String> = (0..size.saturating_sub(200) / 230)
            .flat_map(|_| ["user", "assistant"])
            .map(|role| format!(r#"{{"role":"{role}","content":"{TURN}"}}"#))
            .collect();
        turns.push(format!(
            r#"{{"role":"user","content":"{TURN} For the 000000th time."}}"#
        ));
        let text = format!(r#"{{"model":"m","messages":[{}]}}"#, turns.join(","));
        let at = text.find("000000").unwrap();
        let text = text.into_bytes();
        Body { text, at }
    }

    fn numbered(&self, number: usize) -> Bytes {
        let mut text = self.text.clone();
        text[self.at..self.at + 6].copy_from_slice(format!("{number:06}").as_bytes());
        Bytes::from(text)
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn now_micros() -> i64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_micros()).unwrap()
}

/// CPU time of all threads of this process.
fn cpu_micros() -> f64 {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let nanoseconds = threads.map(|thread| {
        let text = std::fs::read_to_string(thread.unwrap().path().join("schedstat"));
        text.ok()
            .and_then(|text| text.split(' ').next()?.parse::<u64>().ok())
            .unwrap_or(0)
    });
    nanoseconds.sum::<u64>() as f64 / 1e3
}

/// Resident memory along the way.
#[derive(Default)]
struct Memory(Vec<(&'static str, f64)>);

impl Memory {
    fn mark(&mut self, name: &'static str) {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .unwrap();
        let kib = line.split_whitespace().nth(1).unwrap();
        self.0.push((name, kib.parse::<f64>().unwrap() / 1024.0));
    }

    fn print(&self) {
        println!("{:<48}{:>8}", "resident memory", "MiB");
        for (name, mib) in &self.0 {
            println!("{name:<48}{mib:>8.1}");
        }
    }
}
