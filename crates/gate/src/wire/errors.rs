//! Errors of the gateway's own, in the shape that clients know (gateway.md §5.8).

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};

use crate::dialect::Dialect;

/// An error of the gateway's own. The message is fixed text: it cannot hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GateError {
    pub(super) status: StatusCode,
    pub(super) kind: &'static str,
    pub(super) message: &'static str,
}

macro_rules! gate_errors {
    ($($name:ident = $status:ident, $kind:literal, $message:literal;)*) => {
        $(pub(super) const $name: GateError = GateError {
            status: StatusCode::$status, kind: $kind, message: $message,
        };)*
    };
}

gate_errors! {
    NOT_FOUND = NOT_FOUND, "not_found", "There is nothing at this path; requests go below /v1.";
    BAD_PATH = BAD_REQUEST, "invalid_request", "The path holds '..'.";
    BROKEN_BODY = BAD_REQUEST, "invalid_request", "The request body broke off.";
    NO_KEY = UNAUTHORIZED, "unauthorized", "This gateway needs a key; the request holds none, or another.";
    NOT_JSON = UNSUPPORTED_MEDIA_TYPE, "invalid_request", "The request needs the content type application/json.";
    NO_MODEL = NOT_FOUND, "model_not_found", "No upstream is configured for this model.";
    TOO_LARGE = PAYLOAD_TOO_LARGE, "body_too_large", "The request body is larger than this gateway allows.";
    SLOW_CLIENT = REQUEST_TIMEOUT, "client_timeout", "The request body did not arrive in time.";
    UNREACHABLE = BAD_GATEWAY, "upstream_unreachable", "The upstream cannot be reached.";
    UPSTREAM_FAILED = BAD_GATEWAY, "upstream_failed", "The upstream broke off before it answered.";
    UPSTREAM_SLOW = GATEWAY_TIMEOUT, "upstream_timeout", "The upstream did not answer in time.";
    NO_LOG = SERVICE_UNAVAILABLE, "governance_unavailable", "The gateway cannot write down what it would do to this reply, so the reply does not go on.";
    NO_PLACE = BAD_REQUEST, "policy", "A policy changes this request, but the request has no place for the change.";
    NO_ANSWER_SHAPE = NOT_IMPLEMENTED, "unsupported", "A policy answers this request itself, which this gateway cannot do in this request's shape yet.";
}

impl GateError {
    pub(super) fn response(self, dialect: Option<Dialect>) -> Response<Full<Bytes>> {
        error(self.status, self.kind, self.message, dialect)
    }
}

/// An error reply. The Anthropic shape has one more field on top.
pub(super) fn error(
    status: StatusCode,
    kind: &str,
    message: &str,
    dialect: Option<Dialect>,
) -> Response<Full<Bytes>> {
    let mut body = serde_json::json!({
        "error": { "message": message, "type": kind, "param": null, "code": null }
    });
    if dialect == Some(Dialect::Messages)
        && let Some(map) = body.as_object_mut()
    {
        map.insert("type".to_owned(), "error".into());
    }
    json(status, body.to_string())
}

/// A JSON reply.
pub(super) fn json(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    typed(status, "application/json", Bytes::from(body))
}

/// A reply with a media type.
pub(super) fn typed(
    status: StatusCode,
    content_type: &'static str,
    body: Bytes,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
