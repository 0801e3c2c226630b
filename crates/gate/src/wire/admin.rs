//! The operator's listener: health and counts, nothing of a person.

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode, header};

use super::{Gate, errors};
use crate::govern::{OperatorRequest, Readiness};

const TEXT: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Largest body of a request, bytes.
const BODY: usize = 64 << 10;

pub(super) async fn serve(
    gate: &Gate,
    stopping: bool,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let text = |status, text: String| errors::typed(status, TEXT, Bytes::from(text));
    let reads = request.method() == Method::GET || request.method() == Method::HEAD;
    match request.uri().path() {
        "/healthz" | "/livez" if reads => text(StatusCode::OK, "ok\n".to_owned()),
        "/readyz" if reads && stopping => {
            text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned())
        }
        "/readyz" if reads => match gate.governor.readiness() {
            Readiness::Ready => text(StatusCode::OK, "ready\n".to_owned()),
            Readiness::NotReady(why) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
        },
        "/metrics" if reads => {
            let lines = format!("{}{}# EOF\n", gate.metrics.text(), gate.governor.metrics());
            errors::typed(StatusCode::OK, OPEN_METRICS, Bytes::from(lines))
        }
        _ => governor(gate, request).await,
    }
}

/// What the governor answers, about everybody at once.
async fn governor(gate: &Gate, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    // A page in the operator's browser can send anything but this without being asked first.
    let typed = parts.headers.get(header::CONTENT_TYPE);
    if parts.method == Method::POST && typed.is_none_or(|kind| kind != "application/json") {
        return errors::NOT_JSON.response(None);
    }
    let Ok(body) = Limited::new(body, BODY).collect().await else {
        return errors::TOO_LARGE.response(None);
    };
    let request = OperatorRequest {
        now_micros: gate.clock.now_micros(),
        method: parts.method,
        path: parts.uri.path().to_owned(),
        body: body.to_bytes(),
    };
    match gate.governor.on_operator(request).await {
        Some(reply) => errors::typed(reply.status, reply.content_type, reply.body),
        None => errors::NOT_FOUND.response(None),
    }
}
