//! What every request to a simulated system passes first: the ledger of arrivals, then the dials.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{StatusCode, header};
use serde_json::Value;
use signalbox_model::Clock;

use crate::dials::{Dials, Fault};
use crate::received::Arrivals;

/// The largest body that a simulated system reads.
const MAX_BODY: usize = 1 << 20;

/// A vendor's own way of saying that something is wrong.
pub(crate) type Excuse = Arc<dyn Fn(Fault) -> Response + Send + Sync>;

pub(crate) struct Front {
    pub clock: Arc<dyn Clock>,
    pub dials: Arc<Dials>,
    pub arrivals: Arrivals,
    /// None for a system without dials that answer in its place.
    pub excuse: Option<Excuse>,
}

pub(crate) async fn pass(State(front): State<Arc<Front>>, request: Request, next: Next) -> Response {
    let started = tokio::time::Instant::now();
    let at = front.clock.now();
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        let number = front.arrivals.arrived(at, &parts, b"");
        front.arrivals.answered(number, StatusCode::PAYLOAD_TOO_LARGE.as_u16(), started.elapsed());
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "the simulated systems read at most 1 MiB");
    };
    let number = front.arrivals.arrived(at, &parts, &body);
    tokio::time::sleep(front.dials.latency()).await;
    let response = match (front.dials.roll(), &front.excuse) {
        (Some(fault), Some(excuse)) => excuse(fault),
        _ => next.run(Request::from_parts(parts, Body::from(body))).await,
    };
    front.arrivals.answered(number, response.status().as_u16(), started.elapsed());
    response
}

pub(crate) fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}

pub(crate) fn json(status: StatusCode, body: &Value) -> Response {
    typed(status, "application/json", body)
}

pub(crate) fn typed(status: StatusCode, content_type: &'static str, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    response
}

/// Puts `name: value` on the response; a value that is no header value is left out.
pub(crate) fn with_header(mut response: Response, name: &'static str, value: &str) -> Response {
    if let Ok(value) = header::HeaderValue::from_str(value) {
        response.headers_mut().insert(header::HeaderName::from_static(name), value);
    }
    response
}

/// The token of `Authorization: Bearer …`.
pub(crate) fn bearer(headers: &http::HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
