//! The operator's listener: health and counts, nothing of a person.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};

use super::{Gate, errors};
use crate::govern::Readiness;

const TEXT: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) fn serve(
    gate: &Gate,
    stopping: bool,
    request: &Request<Incoming>,
) -> Response<Full<Bytes>> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return errors::NOT_FOUND.response(None);
    }
    let text = |status, text: String| errors::typed(status, TEXT, Bytes::from(text));
    match request.uri().path() {
        "/healthz" | "/livez" => text(StatusCode::OK, "ok\n".to_owned()),
        "/readyz" if stopping => text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned()),
        "/readyz" => match gate.governor.readiness() {
            Readiness::Ready => text(StatusCode::OK, "ready\n".to_owned()),
            Readiness::NotReady(why) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
        },
        "/metrics" => {
            let lines = format!("{}{}# EOF\n", gate.metrics.text(), gate.governor.metrics());
            errors::typed(StatusCode::OK, OPEN_METRICS, Bytes::from(lines))
        }
        _ => errors::NOT_FOUND.response(None),
    }
}
