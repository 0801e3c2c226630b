//! One request: read where it must be read, decided on, sent upstream, answered.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Version, http};

use super::answer::{self, Answer};
use super::body::{Care, ReplyBody, Watch};
use super::copy::Copy;
use super::errors::{self, GateError};
use super::flow::Flow;
use super::place::Place;
use super::rewrite::{self, Changed, Source, Will};
use super::trace::Span;
use super::upstream::{Live, Target, Upward};
use super::{Gate, headers};
use crate::config::{Limits, UsageRules};
use crate::dialect::Dialect;
use crate::govern::{Action, Decision, EndCause, Facts, LocalRequest, Recorded, Tap};
use crate::identity;
use crate::request::{self, Own, Parsed};

/// What goes down to a client: the upstream's body, or one of the gateway's own.
pub(super) type Downward = Either<ReplyBody, Full<Bytes>>;

/// Media type of a stream of events.
const EVENT_STREAM: &str = "text/event-stream";

/// Says that something should have been done that was not.
const UNGOVERNED: &str = "x-driftlead-ungoverned";

/// Longest whole reply that is read before it goes on, bytes.
const LONGEST_REPLY: usize = 64 << 20;

/// Largest body of the person's own interface, bytes.
const LOCAL_BODY: usize = 1 << 20;

/// Longest id of a reply that an answer of the gateway's own leads back to, bytes.
const LONGEST_ID: usize = 200;

/// Why no upstream was asked, or none answered.
enum Stop {
    Error(GateError),
    /// A reply that is written already: a governor's.
    Reply(Box<Response<Full<Bytes>>>),
}

impl From<GateError> for Stop {
    fn from(error: GateError) -> Self {
        Stop::Error(error)
    }
}

/// Which listener a request came in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// Models and the person's interface, for whom the client says it is.
    Main,
    /// The person's interface alone, for whom a key names.
    Person,
}

/// Serves one request. It cannot fail: what goes wrong becomes a reply.
pub(super) async fn serve(
    gate: Arc<Gate>,
    door: Door,
    lane: usize,
    request: Request<Incoming>,
) -> Result<Response<Downward>, Infallible> {
    let place = match Place::of(request.method(), request.uri().path()) {
        Ok(Place::Model(_)) if door == Door::Person => Err(errors::NOT_FOUND),
        place => place,
    };
    let dialect = match place {
        Ok(Place::Model(dialect)) => dialect,
        _ => None,
    };
    let mut span = None;
    let outcome = match place {
        Ok(Place::Model(dialect)) => {
            gate.metrics.request(dialect);
            let live = gate.live();
            forward(&gate, &live, lane, dialect, request, &mut span).await
        }
        Ok(Place::Local) => Err(local(&gate, door, request).await),
        Err(error) => Err(Stop::Error(error)),
    };
    Ok(outcome.unwrap_or_else(|stop| {
        let reply = match stop {
            Stop::Reply(reply) => {
                if let Some(span) = span {
                    span.forget();
                }
                *reply
            }
            Stop::Error(error) => {
                gate.metrics.error(error.kind);
                if let Some(span) = &mut span {
                    span.failed(error.kind);
                }
                error.response(dialect)
            }
        };
        reply.map(Either::Right)
    }))
}

async fn forward(
    gate: &Gate,
    live: &Live,
    lane: usize,
    dialect: Option<Dialect>,
    request: Request<Incoming>,
    span: &mut Option<Span>,
) -> Result<Response<Downward>, Stop> {
    let (mut parts, body) = request.into_parts();
    live.admit(&mut parts.headers)?;
    if let (Some(tracer), Some(dialect)) = (&gate.tracer, dialect) {
        *span = tracer.begin(dialect, &mut parts.headers);
    }
    let limit = live.limits.body_bytes;
    if let Some(reply) = model_list(live, &parts) {
        return Err(Stop::Reply(Box::new(reply)));
    }
    let governed = dialect.is_some_and(Dialect::is_conversation) && gate.governor.wants_facts();
    let counts = dialect == Some(Dialect::Chat) && live.usage != UsageRules::default();
    let (target, upward, mut watch, extra, will) = match dialect {
        Some(dialect) if governed || counts || live.routes_by_model() => {
            let bytes = collect(&parts.headers, body, limit, live).await?;
            let readable = !is_encoded(&parts.headers);
            let parsed = Parsed::read(dialect, &bytes).ok().filter(|_| readable);
            let model = parsed.as_ref().and_then(|parsed| parsed.model.as_deref());
            if let (Some(span), Some(parsed)) = (span.as_mut(), &parsed) {
                span.asked(model, parsed.stream);
            }
            let target = live.target(model).ok_or(errors::NO_MODEL)?;
            let (own, strip) = own_changes(live, dialect, parsed.as_ref());
            let decision = if governed {
                decide(gate, live, dialect, &parts.headers, parsed.as_ref()).await
            } else {
                Decision::forward()
            };
            let (bytes, tap, extra, mut will) =
                act(gate, dialect, &bytes, parsed.as_ref(), &own, decision)?;
            will.without_usage = strip;
            let watch = Watch::new(tap, gate);
            (target, Either::Left(Full::new(bytes)), watch, extra, will)
        }
        _ => {
            let model = parts.uri.path().strip_prefix("/v1/models/");
            let target = live.target(model).ok_or(errors::NO_MODEL)?;
            if body.size_hint().lower() > limit as u64 {
                return Err(errors::TOO_LARGE.into());
            }
            let watch = Watch::new(None, gate);
            let body = Either::Right(Limited::new(body, limit));
            (target, body, watch, Vec::new(), Will::default())
        }
    };
    watch.trace(span.take());
    let reply = Reply {
        dialect,
        watch,
        will,
        extra,
        flow: parts.extensions.get().cloned(),
    };
    Ok(send(live, lane, target, parts, upward, reply).await?)
}

/// What is done to a request besides what a governor decides, and whether the usage chunk of its stream
/// is to be taken out: never where the client asked for one.
fn own_changes(live: &Live, dialect: Dialect, parsed: Option<&Parsed<'_>>) -> (Own, bool) {
    let Some(parsed) = parsed else {
        return (Own::default(), false);
    };
    let unasked = dialect == Dialect::Chat && parsed.stream && !parsed.include_usage;
    let own = Own {
        usage: unasked && live.usage.ask,
        previous: parsed
            .previous_response()
            .and_then(|id| answer::before(&id)),
    };
    let strip = unasked && (live.usage.ask || live.usage.strip_unasked);
    (own, strip)
}

/// The list of models, where several servers share it: the plain names of the configuration.
fn model_list(live: &Live, parts: &http::request::Parts) -> Option<Response<Full<Bytes>>> {
    let asked =
        parts.method == Method::GET && parts.uri.path().trim_end_matches('/') == "/v1/models";
    if !asked || !live.routes_by_model() {
        return None;
    }
    let data: Vec<_> = live
        .models()
        .map(|id| serde_json::json!({ "id": id, "object": "model", "created": 0, "owned_by": "upstream" }))
        .collect();
    let list = serde_json::json!({ "object": "list", "data": data });
    Some(errors::json(StatusCode::OK, list.to_string()))
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

async fn collect(
    headers: &HeaderMap,
    body: Incoming,
    limit: usize,
    live: &Live,
) -> Result<Bytes, GateError> {
    let told = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|length| length > limit as u64) {
        return Err(errors::TOO_LARGE);
    }
    let whole = Limited::new(body, limit).collect();
    match tokio::time::timeout(Limits::seconds(live.limits.client_seconds), whole).await {
        Err(_) => Err(errors::SLOW_CLIENT),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(errors::TOO_LARGE),
        Ok(Err(_)) => Err(errors::BROKEN_BODY),
    }
}

async fn decide(
    gate: &Gate,
    live: &Live,
    dialect: Dialect,
    headers: &HeaderMap,
    parsed: Option<&Parsed<'_>>,
) -> Decision {
    let now_micros = gate.clock.now_micros();
    let subject = identity::resolve(
        headers,
        parsed,
        live.jwt_secret.as_ref(),
        now_micros.div_euclid(1_000_000),
    )
    .map(|(subject, _)| subject);
    let turns = parsed.map_or(&[][..], |parsed| parsed.turns.as_slice());
    let session = gate
        .sessions
        .resolve(headers, subject.as_ref(), turns, now_micros)
        .map(|(session, _)| session);
    let tool_turn = turns
        .last()
        .is_some_and(|turn| turn.role == request::Role::Tool);
    let facts = Facts {
        now_micros,
        dialect,
        model: parsed.and_then(|parsed| parsed.model.as_deref()),
        stream: parsed.is_some_and(|parsed| parsed.stream),
        subject: subject.as_ref(),
        session: session.as_ref(),
        turns,
        headers,
        temperature: parsed.and_then(Parsed::temperature),
        tools: tool_turn || parsed.is_some_and(|parsed| parsed.tools),
        structured: parsed.is_some_and(|parsed| parsed.structured),
        readable: parsed.is_some(),
    };
    gate.governor.on_request(&facts).await
}

/// Headers of the gateway's own on a reply.
type Extra = Vec<(HeaderName, HeaderValue)>;

type Forwarded = (Bytes, Option<Box<dyn Tap>>, Extra, Will);

/// Carries a decision out: the body to send, who listens and what may be done to the reply, or the reply
/// instead.
fn act(
    gate: &Gate,
    dialect: Dialect,
    bytes: &Bytes,
    parsed: Option<&Parsed<'_>>,
    own: &Own,
    decision: Decision,
) -> Result<Forwarded, Stop> {
    let extra: Extra = decision
        .headers
        .iter()
        .filter(|(name, _)| decision.acted && name.starts_with("x-driftlead-"))
        .filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)))
        .collect();
    let will = Will {
        hold: decision.hold,
        told: decision.told,
        without_usage: false,
    };
    let (text, blocked) = match decision.action {
        Action::Forward(edits) if edits.is_empty() && own.is_empty() => {
            return Ok((bytes.clone(), decision.tap, extra, will));
        }
        Action::Forward(edits) => {
            let edited = parsed
                .and_then(|parsed| request::apply(dialect, bytes, parsed, &edits, own))
                .ok_or(errors::NO_PLACE)?;
            return Ok((edited, decision.tap, extra, will));
        }
        Action::Refuse(status, kind, message) => {
            gate.metrics.error(kind);
            let mut reply = errors::error(status, kind, &message, Some(dialect));
            reply.headers_mut().extend(extra);
            return Err(Stop::Reply(Box::new(reply)));
        }
        Action::Answer(text) => (text, false),
        Action::Block(text) => (text, true),
    };
    let previous = parsed.and_then(Parsed::previous_response);
    let previous = match previous.as_deref().map(answer::before) {
        Some(Some(before)) => before,
        _ => previous.map(std::borrow::Cow::into_owned),
    };
    let reply = answer::respond(
        dialect,
        &Answer {
            text: &text,
            blocked,
            model: parsed.and_then(|p| p.model.as_deref()).unwrap_or_default(),
            stream: parsed.is_some_and(|parsed| parsed.stream),
            notice: decision.notice.as_deref(),
            previous: previous.as_deref().filter(|id| id.len() <= LONGEST_ID),
            now_micros: gate.clock.now_micros(),
        },
    );
    let mut watch = Watch::new(decision.tap, gate);
    watch.end(if blocked {
        EndCause::Blocked
    } else {
        EndCause::Complete
    });
    let mut reply = reply.ok_or(errors::NO_ANSWER_SHAPE)?;
    reply.headers_mut().extend(extra);
    Err(Stop::Reply(Box::new(reply)))
}

/// What is to be done with a reply.
struct Reply {
    dialect: Option<Dialect>,
    watch: Watch,
    will: Will,
    extra: Extra,
    /// The client's connection.
    flow: Option<Flow>,
}

async fn send(
    live: &Live,
    lane: usize,
    target: &Target,
    parts: http::request::Parts,
    upward: Upward,
    mut reply: Reply,
) -> Result<Response<Downward>, GateError> {
    let mut request = Request::new(upward);
    *request.method_mut() = parts.method;
    *request.uri_mut() = target.uri(&parts.uri).ok_or(errors::NOT_FOUND)?;
    *request.version_mut() = Version::HTTP_11;
    let mut headers = headers::to_upstream(parts.headers);
    if let Some(key) = &target.key {
        headers.remove("x-api-key");
        headers.insert(header::AUTHORIZATION, key.clone());
    }
    *request.headers_mut() = headers;
    // Dropped when the client goes away, this closes the connection to the upstream.
    match live.ask(lane, request).await {
        Ok(response) => passed_on(live, response, reply).await,
        Err(error) => {
            reply.watch.failed(error.kind);
            reply.watch.end(EndCause::UpstreamFailed);
            Err(error)
        }
    }
}

async fn passed_on(
    live: &Live,
    response: Response<Incoming>,
    mut reply: Reply,
) -> Result<Response<Downward>, GateError> {
    let (mut parts, body) = response.into_parts();
    headers::to_client(&mut parts.headers);
    parts.version = Version::HTTP_11;
    let kind = parts.headers.get(header::CONTENT_TYPE);
    let kind = kind
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let encoded = is_encoded(&parts.headers);
    let copy = reply
        .dialect
        .map(|dialect| Copy::new(dialect, kind, encoded));
    let is = |media: &str| {
        let kind = kind.get(..media.len());
        !encoded && kind.is_some_and(|kind| kind.eq_ignore_ascii_case(media))
    };
    let (events, json) = (is(EVENT_STREAM), is("application/json"));
    reply.watch.answered(parts.status.as_u16(), copy);
    let silence = Limits::seconds(live.limits.silence_seconds);
    if !parts.status.is_success() {
        // An error is passed on as it is.
        reply.will = Will::default();
    }
    if json && let Some(dialect) = reply.dialect.filter(|_| reply.will.speaks()) {
        return rewritten(parts, body, dialect, reply, silence).await;
    }
    parts.headers.extend(reply.extra);
    if !events {
        if reply.will.hold.is_some() {
            parts
                .headers
                .insert(UNGOVERNED, HeaderValue::from_static("unreadable"));
        }
        reply.will = Will::default();
    }
    let source = Source::new(body, reply.dialect, reply.will);
    if !source.is_straight() {
        parts.headers.remove(header::CONTENT_LENGTH);
    }
    let care = Care {
        keep_alive: Limits::some_seconds(live.limits.keep_alive_seconds),
        keep_alive_data: live.limits.keep_alive_data && reply.dialect == Some(Dialect::Chat),
        drain: Limits::some_seconds(live.limits.read_on_seconds),
        last_words: Limits::seconds(live.limits.last_words_seconds),
        flow: reply.flow,
    };
    let body = ReplyBody::new(source, silence, reply.watch, care, events);
    Ok(Response::from_parts(parts, Either::Left(body)))
}

/// A whole reply, read before its headers go, so that they can say what was done to it.
async fn rewritten(
    mut parts: http::response::Parts,
    body: Incoming,
    dialect: Dialect,
    mut reply: Reply,
    silence: std::time::Duration,
) -> Result<Response<Downward>, GateError> {
    let mut body = Limited::new(body, LONGEST_REPLY);
    let mut bytes = Vec::new();
    loop {
        let error = match tokio::time::timeout(silence, body.frame()).await {
            Ok(None) => break,
            Ok(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    reply.watch.hear(data);
                    bytes.extend_from_slice(data);
                }
                continue;
            }
            Ok(Some(Err(_))) => errors::UPSTREAM_FAILED,
            Err(_) => errors::UPSTREAM_SLOW,
        };
        reply.watch.failed(error.kind);
        reply.watch.end(EndCause::UpstreamFailed);
        return Err(error);
    }
    let Changed {
        body,
        recorded,
        unread,
    } = rewrite::whole(dialect, bytes.into(), reply.will).await;
    parts.headers.extend(reply.extra);
    let headers = &mut parts.headers;
    match recorded {
        Some(Recorded::Refused) => {
            reply.watch.failed(errors::NO_LOG.kind);
            reply.watch.end(EndCause::Blocked);
            return Err(errors::NO_LOG);
        }
        Some(Recorded::Entry { policy, act, entry }) => {
            for (name, value) in [
                ("x-driftlead-acts", act.to_owned()),
                ("x-driftlead-entry", entry.to_string()),
            ] {
                add(headers, name, &value);
            }
            if !headers.contains_key("x-driftlead-policy") {
                add(headers, "x-driftlead-policy", &policy);
            }
        }
        Some(Recorded::Not) => add(headers, UNGOVERNED, "log"),
        None if unread => add(headers, UNGOVERNED, "unreadable"),
        None => {}
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    reply.watch.sent(&body);
    reply.watch.end(EndCause::Complete);
    Ok(Response::from_parts(parts, Either::Right(Full::new(body))))
}

/// Adds to a header that is a list.
fn add(headers: &mut HeaderMap, name: &'static str, value: &str) {
    let before = headers.get(name).and_then(|before| before.to_str().ok());
    let list = match before {
        Some(before) => format!("{before}, {value}"),
        None => value.to_owned(),
    };
    if let Ok(list) = list.parse() {
        headers.insert(name, list);
    }
}

async fn local(gate: &Gate, door: Door, request: Request<Incoming>) -> Stop {
    let live = gate.live();
    let (mut parts, body) = request.into_parts();
    if door == Door::Main
        && let Err(error) = live.admit(&mut parts.headers)
    {
        return error.into();
    }
    let body = match collect(&parts.headers, body, LOCAL_BODY, &live).await {
        Ok(body) => body,
        Err(error) => return error.into(),
    };
    let now_micros = gate.clock.now_micros();
    let seconds = now_micros.div_euclid(1_000_000);
    let subject = match door {
        Door::Main => identity::resolve(&parts.headers, None, live.jwt_secret.as_ref(), seconds),
        Door::Person => None,
    };
    let request = LocalRequest {
        now_micros,
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        subject: subject.map(|(subject, _)| subject),
        body,
    };
    match gate.governor.on_local(request).await {
        Some(reply) => Stop::Reply(Box::new({
            let mut response = errors::typed(reply.status, reply.content_type, reply.body);
            let no_store = HeaderValue::from_static("no-store");
            response
                .headers_mut()
                .insert(header::CACHE_CONTROL, no_store);
            response
        })),
        None => errors::NOT_FOUND.into(),
    }
}
