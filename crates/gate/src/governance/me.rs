//! The person's own interface: what is kept of them, what it says, and the ways to change it.
//!
//! It answers whoever the wire takes the request for, as the chat does, or whoever holds the key to a page
//! that a command in the chat gave out. Nothing here is reachable from the operator's listener.

use std::collections::BTreeMap;

use bytes::Bytes;
use driftlead_record::MICROS;
use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::acts::{self, Done, NotDone, Wish};
use super::inner::Inner;
use super::person::Person;
use super::{evidence, page, words};
use crate::audit::Kind;
use crate::consent::{Change, Channel, Purpose};
use crate::govern::{LocalReply, LocalRequest};

/// Said wherever something of the gateway's is offered or shown.
pub(super) const NOT_KNOWN: &str = "How consent, repairs, a cap on questions and pauses affect people over \
    months is not known. What is counted are lines and questions, not what they mean.";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsentBody<'a> {
    purpose: &'a str,
    change: &'a str,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RepairBody {
    words: Option<String>,
    always: bool,
}

/// Answers a request below `/driftlead/`; `None` where there is nothing at its path.
pub(super) async fn serve(inner: &Inner, request: &LocalRequest) -> Option<LocalReply> {
    let seconds = request.now_micros.div_euclid(MICROS);
    let path = request.path.trim_end_matches('/');
    if path == "/driftlead" || path == "/driftlead/page" {
        return Some(page::serve(inner, request, seconds).await);
    }
    let route = path.strip_prefix("/driftlead/me")?;
    let known = ["", "/export", "/consent", "/stop", "/repair", "/erase"];
    if !known.contains(&route) {
        return None;
    }
    let key = request.headers.get("x-driftlead-key");
    let key = key.and_then(|value| value.to_str().ok());
    let person = match (&request.subject, key) {
        (Some(subject), _) => match inner.named(subject.id()).await {
            Ok(person) => Some(person),
            // Ending a consent does not wait for a store.
            Err(_) if route == "/stop" => match inner.last_seen(subject.id()) {
                Some(person) => Some(person),
                None => return Some(unreadable()),
            },
            Err(_) => return Some(unreadable()),
        },
        (None, Some(key)) => inner.by_page_key(key, seconds).await,
        (None, None) => None,
    };
    let Some(person) = person else {
        return Some(problem(
            StatusCode::UNAUTHORIZED,
            "the request does not say who you are",
        ));
    };
    let minor = request
        .headers
        .get("x-driftlead-minor")
        .is_some_and(|value| value == "1" || value == "true");
    let reply = match (&request.method, route) {
        (&Method::GET, "") => ok(&summary(inner, &person, seconds)),
        (&Method::GET, "/export") => export(inner, &person, seconds).await,
        (&Method::POST, "/consent") => {
            consent(inner, &person, &request.body, (seconds, minor)).await
        }
        (&Method::POST, "/stop") => {
            let done = acts::stop(inner, &person, Channel::Api, seconds).await;
            ok(&json!({ "stopped": done.iter().map(|d| told(inner, d)).collect::<Vec<_>>() }))
        }
        (&Method::POST, "/repair") => repair(inner, &person, &request.body, seconds).await,
        (&Method::POST, "/erase") => erase(inner, &person).await,
        _ => problem(
            StatusCode::METHOD_NOT_ALLOWED,
            "use GET to read and POST to change",
        ),
    };
    Some(reply)
}

/// What is kept, in short.
pub(super) fn summary(inner: &Inner, person: &Person, seconds: i64) -> Value {
    let mut live = person.live();
    inner.equip(&mut live);
    let consents: Vec<Value> = Purpose::ALL
        .into_iter()
        .map(|purpose| {
            let latest = live.kept.consents.latest(purpose);
            let version = purpose.notice().0;
            let notice = words::notice(purpose, inner.keeps_words());
            json!({
                "purpose": purpose.name(),
                "state": live.kept.consents.state(purpose, seconds),
                "until_seconds": latest.and_then(|e| Some(e.time.saturating_add(e.valid_seconds?))),
                "notice": notice,
                "notice_version": version,
            })
        })
        .collect();
    let mut counts: BTreeMap<&str, (u64, u64, u64)> = BTreeMap::new();
    for counted in &live.kept.conversations {
        for (series, (num, den)) in &counted.counts {
            let sum = counts.entry(series).or_default();
            sum.0 += 1;
            sum.1 += u64::from(*num);
            sum.2 += u64::from(*den);
        }
    }
    let counts: Vec<Value> = counts
        .into_iter()
        .map(|(series, (conversations, num, den))| {
            json!({ "series": series, "conversations": conversations, "counted": num, "of": den })
        })
        .collect();
    let course: Vec<Value> = evidence::courses(&live.kept, &live.detectors)
        .into_iter()
        .map(|course| {
            json!({
                "counted": course.name,
                "conversations": course.conversations,
                "with": course.with,
                "verdict": if course.moved == Some(true) { "moved" } else { "cannot tell" },
                "rung": "described",
            })
        })
        .collect();
    json!({
        "policy": inner.in_force().id,
        "pseudonym": person.identity().pseudonym,
        "consents": consents,
        "conversations_kept": live.kept.conversations.len(),
        "counts": counts,
        "course": course,
        "false_alarms_at_most": evidence::FALSE_ALARMS,
        "weeks_taken_back": live.kept.taper.weeks_at(seconds),
        "repairs": live.kept.repairs,
        "repairs_here": live.talks.values().flat_map(|talk| &talk.repairs).collect::<Vec<_>>(),
        "outcomes_of_repairs": live.kept.outcomes,
        "lines_left_out": live.kept.left_out,
        "receipts": live.kept.receipts,
        "not_known": NOT_KNOWN,
    })
}

async fn export(inner: &Inner, person: &Person, seconds: i64) -> LocalReply {
    if person.live().standing.revision.is_none() {
        return ok(&json!({ "summary": summary(inner, person, seconds), "kept": null, "log": [] }));
    }
    // Logged first, so that the export holds its own entry.
    let logged = inner.enter(person, Kind::Export, json!({})).await;
    if logged.is_err() {
        inner.tally.log_failure();
    }
    let entries = acts::own_entries(inner, person);
    let kept = serde_json::to_value(&person.live().kept).unwrap_or_default();
    let mut others = inner.store.gateways().await.unwrap_or_default();
    others.retain(|name| *name != inner.chain);
    ok(&json!({
        "summary": summary(inner, person, seconds),
        "kept": kept,
        "log": entries,
        "log_name": inner.chain,
        "logs_of_other_gateways": others,
    }))
}

async fn consent(inner: &Inner, person: &Person, body: &Bytes, when: (i64, bool)) -> LocalReply {
    let Ok(body) = serde_json::from_slice::<ConsentBody<'_>>(body) else {
        return problem(
            StatusCode::BAD_REQUEST,
            "the body must be {\"purpose\": …, \"change\": …}",
        );
    };
    let purpose = Purpose::named(body.purpose);
    let change = purpose.and_then(|purpose| named(inner, purpose, body.change));
    let (Some(purpose), Some(change)) = (purpose, change) else {
        return problem(
            StatusCode::BAD_REQUEST,
            "unknown purpose or change; changes are show, give, refuse, defer and withdraw",
        );
    };
    match acts::change(inner, person, purpose, &change, Channel::Api, when).await {
        Ok(done) => ok(&told(inner, &done)),
        Err(NotDone::Refused(why)) => problem(StatusCode::CONFLICT, &why.to_string()),
        Err(NotDone::Failed) => problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "the log cannot be written now, and nothing is changed without an entry in it",
        ),
    }
}

/// A change by its name in the interface.
pub(super) fn named(inner: &Inner, purpose: Purpose, change: &str) -> Option<Change> {
    match change {
        "show" => Some(acts::show(inner, purpose)),
        "give" => Some(Change::Give),
        "refuse" => Some(Change::Refuse),
        "defer" => Some(Change::Defer),
        "withdraw" => Some(Change::Withdraw),
        _ => None,
    }
}

fn told(inner: &Inner, done: &Done) -> Value {
    json!({
        "purpose": done.event.purpose.name(),
        "state": done.event.state,
        "notice": words::notice(done.event.purpose, inner.keeps_words()),
        "entry": done.head.map(|head| head.seq),
        "head": done.head.map(|head| head.hash.to_string()),
        "stored": done.stored,
    })
}

async fn repair(inner: &Inner, person: &Person, body: &Bytes, seconds: i64) -> LocalReply {
    let wish = if body.is_empty() {
        RepairBody::default()
    } else {
        match serde_json::from_slice(body) {
            Ok(wish) => wish,
            Err(_) => {
                return problem(
                    StatusCode::BAD_REQUEST,
                    "the body must be empty or {\"words\": …, \"always\": true or false}",
                );
            }
        }
    };
    let wish = Wish {
        words: wish.words.as_deref(),
        always: wish.always,
        session: None,
    };
    match acts::repair(inner, person, &wish, seconds).await {
        Ok(turns) => ok(&json!({ "kept_for_turns": turns, "always": wish.always })),
        Err(_) => problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "the log or the store cannot be written now",
        ),
    }
}

async fn erase(inner: &Inner, person: &Person) -> LocalReply {
    match acts::erase(inner, person).await {
        Ok(head) => ok(&json!({
            "erased": true,
            "entry": head.map(|head| head.seq),
            "left": "times, kinds and the number of entries of the log, which nobody can open any more",
        })),
        Err(_) => problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "the store could not be rewritten; nothing is certain to be erased, and it can be tried again",
        ),
    }
}

fn unreadable() -> LocalReply {
    problem(StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read")
}

fn ok(value: &Value) -> LocalReply {
    LocalReply {
        status: StatusCode::OK,
        content_type: "application/json",
        body: Bytes::from(value.to_string()),
    }
}

fn problem(status: StatusCode, what: &str) -> LocalReply {
    let body = json!({
        "error": { "message": what, "type": "person_interface", "param": null, "code": null }
    });
    LocalReply {
        status,
        content_type: "application/json",
        body: Bytes::from(body.to_string()),
    }
}
