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
use super::place::Place;
use super::trace::Span;
use super::upstream::{self, Live, Target, Upward};
use super::{Gate, headers};
use crate::config::Limits;
use crate::dialect::Dialect;
use crate::govern::{Action, Decision, EndCause, Facts, LocalRequest, Tap};
use crate::identity;
use crate::request::{self, Parsed};

/// What goes down to a client: the upstream's body, or one of the gateway's own.
pub(super) type Downward = Either<ReplyBody, Full<Bytes>>;

/// Media type of a stream of events.
const EVENT_STREAM: &[u8] = b"text/event-stream";

/// Largest body of the person's own interface, bytes.
const LOCAL_BODY: usize = 1 << 20;

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
            forward(&gate, &live, dialect, request, &mut span).await
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
    let (target, upward, mut watch, extra) = match dialect {
        Some(dialect) if governed || live.routes_by_model() => {
            let bytes = collect(&parts.headers, body, limit, live).await?;
            let readable = !is_encoded(&parts.headers);
            let parsed = Parsed::read(dialect, &bytes).ok().filter(|_| readable);
            let model = parsed.as_ref().and_then(|parsed| parsed.model.as_deref());
            if let (Some(span), Some(parsed)) = (span.as_mut(), &parsed) {
                span.asked(model, parsed.stream);
            }
            let target = live.target(model).ok_or(errors::NO_MODEL)?;
            if governed {
                let decision = decide(gate, live, dialect, &parts.headers, parsed.as_ref()).await;
                let (bytes, tap, extra) = act(gate, dialect, &bytes, parsed.as_ref(), decision)?;
                let watch = Watch::new(tap, gate);
                (target, Either::Left(Full::new(bytes)), watch, extra)
            } else {
                let watch = Watch::new(None, gate);
                (target, Either::Left(Full::new(bytes)), watch, Vec::new())
            }
        }
        _ => {
            let model = parts.uri.path().strip_prefix("/v1/models/");
            let target = live.target(model).ok_or(errors::NO_MODEL)?;
            if body.size_hint().lower() > limit as u64 {
                return Err(errors::TOO_LARGE.into());
            }
            let watch = Watch::new(None, gate);
            let body = Either::Right(Limited::new(body, limit));
            (target, body, watch, Vec::new())
        }
    };
    watch.trace(span.take());
    let mut response = send(live, target, parts, upward, dialect, watch).await?;
    response.headers_mut().extend(extra);
    Ok(response)
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
        readable: parsed.is_some(),
    };
    gate.governor.on_request(&facts).await
}

type Forwarded = (Bytes, Option<Box<dyn Tap>>, Vec<(HeaderName, HeaderValue)>);

/// Carries a decision out: the body to send and who listens, or the reply instead.
fn act(
    gate: &Gate,
    dialect: Dialect,
    bytes: &Bytes,
    parsed: Option<&Parsed<'_>>,
    decision: Decision,
) -> Result<Forwarded, Stop> {
    let extra: Vec<(HeaderName, HeaderValue)> = decision
        .headers
        .iter()
        .filter(|(name, _)| decision.acted && name.starts_with("x-driftlead-"))
        .filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)))
        .collect();
    let (text, blocked) = match decision.action {
        // To pass on what a policy wants held would be to ignore the policy.
        Action::Forward(_) if decision.hold.is_some() => return Err(errors::NO_HOLD.into()),
        Action::Forward(edits) if edits.is_empty() => {
            return Ok((bytes.clone(), decision.tap, extra));
        }
        Action::Forward(edits) => {
            let edited = parsed
                .and_then(|parsed| request::apply(dialect, bytes, parsed, &edits, false))
                .ok_or(errors::NO_PLACE)?;
            return Ok((edited, decision.tap, extra));
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
    let reply = answer::respond(
        dialect,
        &Answer {
            text: &text,
            blocked,
            model: parsed.and_then(|p| p.model.as_deref()).unwrap_or_default(),
            stream: parsed.is_some_and(|parsed| parsed.stream),
            notice: decision.notice.as_deref(),
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

async fn send(
    live: &Live,
    target: &Target,
    parts: http::request::Parts,
    upward: Upward,
    dialect: Option<Dialect>,
    mut watch: Watch,
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
    let asked = live.client.request(request);
    let wait = Limits::seconds(live.limits.answer_seconds);
    let error = match tokio::time::timeout(wait, asked).await {
        Ok(Ok(response)) => return Ok(passed_on(live, response, dialect, watch)),
        Ok(Err(error)) => upstream::failure(&error),
        Err(_) => errors::UPSTREAM_SLOW,
    };
    watch.failed(error.kind);
    watch.end(EndCause::UpstreamFailed);
    Err(error)
}

fn passed_on(
    live: &Live,
    response: Response<Incoming>,
    dialect: Option<Dialect>,
    mut watch: Watch,
) -> Response<Downward> {
    let (mut parts, body) = response.into_parts();
    headers::to_client(&mut parts.headers);
    parts.version = Version::HTTP_11;
    let copy = dialect.map(|dialect| {
        let kind = parts.headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|value| value.to_str().ok());
        Copy::new(
            dialect,
            kind.unwrap_or_default(),
            is_encoded(&parts.headers),
        )
    });
    watch.answered(parts.status.as_u16(), copy);
    let silence = Limits::seconds(live.limits.silence_seconds);
    let events = parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| {
        let kind = kind.as_bytes().get(..EVENT_STREAM.len());
        kind.is_some_and(|kind| kind.eq_ignore_ascii_case(EVENT_STREAM))
    }) && !is_encoded(&parts.headers);
    let care = Care {
        keep_alive: Limits::some_seconds(live.limits.keep_alive_seconds),
        drain: Limits::some_seconds(live.limits.read_on_seconds),
    };
    let body = ReplyBody::new(body, silence, watch, care, events);
    Response::from_parts(parts, Either::Left(body))
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
